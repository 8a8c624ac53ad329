"""Clips on disk without loss: NPZ with numpy alone, Parquet with pyarrow."""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semanticface.atomic import write_bytes
from semanticface.errors import BadInput, need
from semanticface.rig.channels import COUNT, NAMES, RIG_VERSION
from semanticface.rig.clip import ClipMeta, FaceClip
from semanticface.rig.orders import read_header

PathLike = str | os.PathLike[str]
_EXTRA = "extra/"
_META = b"semanticface"


def save_npz(clip: FaceClip, path: PathLike) -> None:
    """Write a clip as a compressed NPZ that `numpy.load` opens without pickle."""
    buffer = io.BytesIO()
    columns: dict[str, Any] = {
        "names": np.array(NAMES),
        "values": clip.values,
        "times": clip.times,
        "present": clip.present,
        "meta": np.array(clip.meta.to_json()),
        "rig": np.array(RIG_VERSION),
    }
    columns |= {_EXTRA + name: column for name, column in clip.extra.items()}
    np.savez_compressed(buffer, allow_pickle=False, **columns)
    write_bytes(path, buffer.getvalue())


def load_npz(path: PathLike) -> FaceClip:
    """Read what `save_npz` wrote, or any NPZ with names, values and times."""
    try:
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as archive:
            held = {name: archive[name] for name in archive.files}
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, KeyError, TypeError) as error:
        raise BadInput(f"a file numpy cannot open ({error})", "an NPZ clip", file=path) from None
    for key in ("names", "values", "times"):
        if key not in held:
            raise BadInput(f"arrays {sorted(held)}", f"one called '{key}'", file=path)
    return _from_arrays(held, path)


def _from_arrays(held: dict[str, NDArray[Any]], path: PathLike) -> FaceClip:
    labels = [str(name) for name in held["names"]]
    values = np.asarray(held["values"], dtype=np.float32)
    if values.ndim != 2 or values.shape[1] != len(labels):
        raise BadInput(f"values of shape {values.shape}", f"[T, {len(labels)}]", file=path)
    columns = read_header(labels)
    meta = ClipMeta.from_json(str(held["meta"])) if "meta" in held else _meta_of(path, "npz")
    extra = {
        name.removeprefix(_EXTRA): column
        for name, column in held.items()
        if name.startswith(_EXTRA)
    }
    extra |= {
        label: values[:, j] for j, label in enumerate(labels) if columns.channel_of[j] is None
    }
    present = held["present"] if len(labels) == COUNT and "present" in held else columns.present
    return FaceClip(columns.gather(values), held["times"], present, meta, extra)


def save_parquet(clip: FaceClip, path: PathLike) -> None:
    """Write a clip as Parquet: `time`, one float column a present channel, extras.

    Meta goes to the schema's metadata under the key `semanticface`.
    """
    arrow = need("pyarrow", "formats", "Writing Parquet")
    parquet = need("pyarrow.parquet", "formats", "Writing Parquet")
    columns: dict[str, Any] = {"time": clip.times}
    columns |= {name: clip.column(name) for name in clip.names}
    columns |= {_EXTRA + name: column for name, column in clip.extra.items()}
    table = arrow.table(columns).replace_schema_metadata({_META: clip.meta.to_json()})
    sink = arrow.BufferOutputStream()
    parquet.write_table(table, sink, compression="zstd")
    write_bytes(path, sink.getvalue().to_pybytes())


def load_parquet(path: PathLike) -> FaceClip:
    """Read what `save_parquet` wrote, or any Parquet with `time` and channel columns."""
    arrow = need("pyarrow", "formats", "Reading Parquet")
    parquet = need("pyarrow.parquet", "formats", "Reading Parquet")
    if not Path(path).is_file():
        raise FileNotFoundError(f"no such file: {path}")
    try:
        table = parquet.read_table(path)
    except (arrow.ArrowException, OSError) as error:
        raise BadInput(f"a file pyarrow cannot open ({error})", "Parquet", file=path) from None
    held = {name: table.column(name).to_numpy(zero_copy_only=False) for name in table.column_names}
    if "time" not in held:
        raise BadInput(f"columns {list(held)[:6]}", "one called 'time'", file=path)
    raw = (table.schema.metadata or {}).get(_META)
    meta = ClipMeta.from_json(raw.decode()) if raw else _meta_of(path, "parquet")
    times = held.pop("time")
    extra = {
        name.removeprefix(_EXTRA): held.pop(name) for name in list(held) if name.startswith(_EXTRA)
    }
    matrix = np.column_stack([*held.values()]) if held else np.zeros((len(times), 0))
    return FaceClip.from_columns(list(held), matrix, times, meta, extra)


def _meta_of(path: PathLike, key: str) -> ClipMeta:
    return ClipMeta(source=Path(path).name, format=key)
