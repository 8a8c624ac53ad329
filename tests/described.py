"""Faces made from a few named weights, and the values of real takes."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from semanticface.rig import COUNT, INDEX, NAMES


def face(**weights: float) -> np.ndarray:
    """A face from movement or channel names; a movement sets both sides."""
    values = np.zeros(COUNT, np.float32)
    for name, value in weights.items():
        for each in [name] if name in INDEX else [f"{name}Left", f"{name}Right"]:
            values[INDEX[each]] = value
    return values


def real_take(folder: Path, name: str) -> np.ndarray:
    """Values of a take; its header names the mouth pair the wrong way round."""
    rows = list(csv.reader((folder / "livelink" / name).read_text().splitlines()))
    labels = [label[0].lower() + label[1:] for label in rows[0]]
    swap = {"mouthLeft": "mouthRight", "mouthRight": "mouthLeft"}
    order = [labels.index(swap.get(channel, channel)) for channel in NAMES]
    return np.array(
        [[row[i] for i in order] for row in rows[1:] if len(row) == len(rows[0])], np.float32
    )
