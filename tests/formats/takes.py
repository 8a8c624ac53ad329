"""Live Link Face takes made by formula, and their text line by line."""

import numpy as np

from semanticface.formats import timecode
from semanticface.rig import COUNT, INDEX
from semanticface.rig.clip import FaceClip
from semanticface.rig.orders import LIVE_LINK_CSV

HEADER = ("Timecode", "BlendShapeCount", *LIVE_LINK_CSV.labels)
START = 12 * 3600 + 34 * 60 + 56


def values(frames=40, seed=1):
    """[frames, 61] in column order: shapes 0 to 1.08, rotations of both signs."""
    rng = np.random.default_rng(seed)
    table = rng.random((frames, COUNT)) * 1.08
    table[:, 52:] -= 0.5
    return np.round(table.astype(np.float32).astype(np.float64), 10)


def times(frames=40, rate=59.904, start=START):
    return start + np.arange(frames) / rate


def text(table, stamps=None, header=HEADER, base=60, end="\n", count=61):
    """A CSV as the app writes it."""
    stamps = timecode.format_times(times(len(table)) if stamps is None else stamps, base)
    rows = [
        f"{stamp},{count}," + ",".join(f"{value:.10f}" for value in row)
        for stamp, row in zip(stamps, np.asarray(table).tolist(), strict=True)
    ]
    return end.join([",".join(header), *rows, ""])


def save(folder, content, name="Slate_7_Ann.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def column(label):
    """Index of a label among the 61 values."""
    return LIVE_LINK_CSV.labels.index(label)


def clip(frames=40, seed=1, rate=59.904, **meta):
    """A clip in table order, on a day's clock."""
    rng = np.random.default_rng(seed)
    table = rng.random((frames, COUNT)).astype(np.float32)
    table[:, INDEX["headYaw"] :] -= np.float32(0.5)
    made = FaceClip.of(table, times(frames, rate))
    return made.with_meta(clock="timecode", **{"base": 60, **meta})
