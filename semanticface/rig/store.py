"""Clips on disk without loss: NPZ with numpy alone, Parquet with pyarrow."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from semanticface.atomic import write_bytes
from semanticface.errors import BadInput, need
from semanticface.rig.channels import COUNT, NAMES, RIG_VERSION
from semanticface.rig.clip import ClipMeta, FaceClip
from semanticface.rig.orders import find, resolve

PathLike = str | os.PathLike[str]
_EXTRA = "extra/"
_META = b"semanticface"
_RIG = b"semanticface.rig"


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
    columns |= {_EXTRA + name: _plain(column) for name, column in clip.extra.items()}
    np.savez_compressed(buffer, allow_pickle=False, **columns)
    write_bytes(path, buffer.getvalue())


def load_npz(path: PathLike) -> FaceClip:
    """Read what `save_npz` wrote, or any NPZ with names, values and times."""
    with Path(path).open("rb") as file:
        held = _arrays(file, path)
    for key in ("names", "values", "times"):
        if key not in held:
            raise BadInput(f"arrays {sorted(held)}", f"one called '{key}'", file=path)
    try:
        return _from_arrays(held, path)
    except BadInput as error:
        raise error.at(file=path) from None


def _arrays(file: IO[bytes], path: PathLike) -> dict[str, NDArray[Any]]:
    """All arrays of an archive; whatever a broken one makes numpy raise names the file."""
    import struct
    import zipfile  # slow to import, and not every start of the program reads an archive
    import zlib

    try:
        with np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (
        zipfile.BadZipFile, zlib.error, struct.error, ValueError, EOFError, LookupError, TypeError,
        AttributeError, OSError, OverflowError, RuntimeError, SyntaxError, MemoryError,
    ) as error:  # fmt: skip
        raise BadInput(f"a file numpy cannot open ({error})", "an NPZ clip", file=path) from None


def _from_arrays(held: dict[str, NDArray[Any]], path: PathLike) -> FaceClip:
    names = np.atleast_1d(held["names"])
    _check_rig(str(held.get("rig", RIG_VERSION)))
    table = _numbers(held["values"], "values")
    if table.ndim != 2:
        raise BadInput(f"values of shape {table.shape}", f"[frames, {len(names)}]")
    meta = ClipMeta.from_json(str(held["meta"])) if "meta" in held else _meta_of(path, "npz")
    extra = {
        name.removeprefix(_EXTRA): column
        for name, column in held.items()
        if name.startswith(_EXTRA)
    }
    times = _numbers(held["times"], "times")
    clip = FaceClip.from_columns([str(name) for name in names], table, times, meta, extra)
    return _with_mask(clip, names, held["present"]) if "present" in held else clip


def _with_mask(clip: FaceClip, names: NDArray[Any], present: NDArray[Any]) -> FaceClip:
    """The clip with the channels that the file itself marks absent."""
    if present.shape != names.shape:
        raise BadInput(f"a mask of shape {present.shape}", f"{names.shape}, one a name")
    mask = np.zeros(COUNT, np.bool_)
    mask[[resolve(str(name)) for name in names[present.astype(np.bool_)]]] = True
    return replace(clip, present=mask)


def _check_rig(found: str) -> None:
    if found != RIG_VERSION:
        raise BadInput(
            f"a clip of rig {found}", RIG_VERSION, hint="Convert it with the version that wrote it."
        )


def _numbers(column: NDArray[Any], name: str) -> NDArray[np.float64]:
    """Floats or integers as float64; anything else (dates, text) is refused."""
    if column.dtype.kind not in "fiu":
        raise BadInput(f"{column.dtype} values", "numbers", column=name)
    return np.asarray(column, dtype=np.float64)


def _plain(column: NDArray[Any]) -> NDArray[Any]:
    """An extra column without Python objects: text becomes fixed-width text."""
    return column if column.dtype.kind != "O" else column.astype(np.str_)


def save_parquet(clip: FaceClip, path: PathLike) -> None:
    """Write a clip as Parquet: `time`, one float column a present channel, extras.

    Meta goes to the schema's metadata under the key `semanticface`.
    """
    arrow = need("pyarrow", "formats", "Writing Parquet")
    parquet = need("pyarrow.parquet", "formats", "Writing Parquet")
    columns: dict[str, Any] = {"time": clip.times}
    columns |= {name: clip.column(name) for name in clip.names}
    columns |= {_EXTRA + name: column for name, column in clip.extra.items()}
    table = arrow.table(columns).replace_schema_metadata(
        {_META: clip.meta.to_json(), _RIG: RIG_VERSION}
    )
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
        return _from_table(parquet.read_table(path), path)
    except (arrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise BadInput(f"a file pyarrow cannot open ({error})", "Parquet", file=path) from None
    except BadInput as error:
        raise error.at(file=path) from None


def _from_table(table: Any, path: PathLike) -> FaceClip:
    if "time" not in table.column_names:
        raise BadInput(f"columns {table.column_names[:6]}", "one called 'time'")
    told = table.schema.metadata or {}
    _check_rig(told.get(_RIG, RIG_VERSION.encode()).decode())
    meta = ClipMeta.from_json(told[_META].decode()) if _META in told else _meta_of(path, "parquet")
    held = {name: table.column(name).to_numpy(zero_copy_only=False) for name in table.column_names}
    times = _numbers(held.pop("time"), "time")
    extra = {
        name.removeprefix(_EXTRA): _plain(column)
        for name, column in held.items()
        if name.startswith(_EXTRA) or find(name) is None
    }
    faces = {
        name: _numbers(column, name)
        for name, column in held.items()
        if find(name) is not None and not name.startswith(_EXTRA)
    }
    matrix = np.column_stack([*faces.values()]) if faces else np.zeros((len(times), 0))
    return FaceClip.from_columns(list(faces), matrix, times, meta, extra)


def _meta_of(path: PathLike, key: str) -> ClipMeta:
    return ClipMeta(source=Path(path).name, format=key)
