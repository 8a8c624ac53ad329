"""Records, pictures and small synthetic sets for the tests of the data package."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from semanticface.data.plan import Plan
from semanticface.data.records import Record, record_of
from semanticface.motion.expressions import sample_frames
from semanticface.rig import INDEX


def picture(width: int = 32, height: int = 24, seed: int = 0) -> Image.Image:
    """A picture no two of whose parts are alike."""
    rng = np.random.default_rng(seed)
    grid = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC)


def as_bytes(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def faces(count: int, seed: int = 0) -> np.ndarray:
    """Random faces [count, 61], on the grid of three decimals."""
    return np.round(sample_frames(count, seed, coverage=0.3), 3).astype(np.float32)


def smile(left: float = 0.6, right: float = 0.6) -> np.ndarray:
    values = np.zeros(61, np.float32)
    values[INDEX["mouthSmileLeft"]], values[INDEX["mouthSmileRight"]] = left, right
    return values


def record(values: np.ndarray | None = None, **more: object) -> Record:
    """A record with consent; its picture is bytes unless given."""
    held = {
        "id": "a", "image": as_bytes(picture()), "subject": "anna", "consent": "given",
        "targets": faces(1)[0] if values is None else values, **more,
    }  # fmt: skip
    return record_of(held)


def records_file(folder: Path, count: int, **more: object) -> Path:
    """A JSON lines file of records with pictures beside it."""
    from semanticface.data.records import write_records

    (folder / "pictures").mkdir()
    made = []
    for i, values in enumerate(faces(count)):
        path = folder / "pictures" / f"{i}.png"
        picture(seed=i).save(path)
        made.append(record(values, id=f"r{i}", image=str(path), subject=f"s{i}", **more))
    write_records(folder / "records.jsonl", made)
    return folder / "records.jsonl"


SMALL = Plan(frames=24, identities=6, looks=("realistic", "toon"), size=32, shard_frames=5)
