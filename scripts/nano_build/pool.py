"""Pictures to learn from, left on disk, and the batches that are drawn from them."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from nano_build.tower import patches_of
from nano_build.views import WILD
from torch import Tensor

from semanticface.rig import mirror

_NAME_LENGTH = 26
"""Where a ZIP member's own header says how long its name and its extra part are."""


class Held(NamedTuple):
    """Pictures on disk and their numbers in memory, grown as more are drawn."""

    pictures: list[np.ndarray[Any, Any]]
    values: list[np.ndarray[Any, Any]]
    points: list[np.ndarray[Any, Any]]
    names: list[str]

    def grow(self, folder: Path, side: str, most: int = 10_000) -> None:
        """Take in chunks that have come."""
        for file in sorted(folder.glob(f"{side}-?????.npz"))[:most]:
            if file.name not in self.names:
                self.pictures.append(_mapped(file, "pictures"))
                with np.load(file) as chunk:
                    self.values.append(chunk["values"])
                    self.points.append(chunk["points"])
                self.names.append(file.name)

    def tame(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Values and points of the faces that follow habits, or of all where there are none."""
        tame = [n for n, name in enumerate(self.names) if not is_wild(name)]
        chosen = tame or range(len(self.names))
        return tuple(
            np.concatenate([each[n] for n in chosen]) for each in (self.values, self.points)
        )


def _mapped(file: Path, name: str) -> np.ndarray[Any, Any]:
    """An array of an uncompressed `.npz` that stays on disk until a row is asked for."""
    with zipfile.ZipFile(file) as archive, file.open("rb") as raw:
        member = archive.getinfo(f"{name}.npy")
        raw.seek(member.header_offset + _NAME_LENGTH)
        lengths = struct.unpack("<HH", raw.read(4))
        raw.seek(sum(lengths), 1)
        np.lib.format.read_magic(raw)
        shape, _, dtype = np.lib.format.read_array_header_1_0(raw)
        return np.memmap(raw, dtype, "r", raw.tell(), shape)


def held() -> Held:
    """Nothing yet."""
    return Held([], [], [], [])


class Batch(NamedTuple):
    """What one step learns from."""

    patches: Tensor
    values: Tensor
    points: Tensor


def is_wild(name: str) -> bool:
    """Whether the faces of a chunk follow no habits."""
    return int(Path(name).stem.rpartition("-")[2]) >= WILD


class Drawer:
    """Batches of what is held: everything once in random order, what is new first.

    `wild` of each batch follow no habits. They stand among the others, so that the language
    model, which reads a batch's first faces, learns from both.
    """

    def __init__(self, pool: Held, seed: int, wild: float = 0.7) -> None:
        self.pool, self.wild = pool, wild
        self.rng = np.random.default_rng(seed)
        self.waiting: dict[bool, list[tuple[int, int]]] = {True: [], False: []}
        self.known = 0

    def batch(self, size: int) -> Batch:
        """The next one, some of it mirrored and all of it coloured anew."""
        self._take_in()
        there = {is_wild(name) for name in self.pool.names}
        strange = round(size * self.wild) if len(there) == 2 else size * (True in there)
        both = self._next(False, size - strange) + self._next(True, strange)
        chosen = [both[i] for i in self.rng.permutation(size)]
        pictures, values, points = (
            np.stack([held[chunk][row] for chunk, row in chosen])
            for held in (self.pool.pictures, self.pool.values, self.pool.points)
        )
        for i in np.flatnonzero(self.rng.random(size) < 0.5):
            pictures[i], values[i] = pictures[i, :, ::-1], mirror(values[i])
            points[i] = mirrored_points(points[i])
        patches = self._coloured(patches_of(torch.from_numpy(pictures)))
        return Batch(patches, torch.from_numpy(values), torch.from_numpy(points).float())

    def _take_in(self) -> None:
        for number in range(self.known, len(self.pool.names)):
            self._add(is_wild(self.pool.names[number]), [number])
        self.known = len(self.pool.names)

    def _next(self, wild: bool, count: int) -> list[tuple[int, int]]:
        if len(self.waiting[wild]) < count:
            names = enumerate(self.pool.names)
            self._add(wild, [number for number, name in names if is_wild(name) == wild])
        chosen = self.waiting[wild][:count]
        self.waiting[wild] = self.waiting[wild][count:]
        return chosen

    def _add(self, wild: bool, chunks: list[int]) -> None:
        """Chunks to what waits, in a new random order."""
        held = self.waiting[wild]
        held += [(n, row) for n in chunks for row in range(len(self.pool.values[n]))]
        self.waiting[wild] = [held[i] for i in self.rng.permutation(len(held))]

    def _coloured(self, patches: Tensor) -> Tensor:
        count = len(patches)
        gain = torch.from_numpy(np.exp(self.rng.normal(0, 0.12, (count, 1, 3, 1)))).float()
        lift = torch.from_numpy(self.rng.normal(0, 0.08, (count, 1, 3, 1))).float()
        parts = patches.reshape(count, patches.shape[1], 3, -1)
        return (parts * gain + lift).clamp(-1, 1).reshape(patches.shape)


def mirrored_points(points: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """[GRID, GRID, 10] of the picture seen in a mirror: x turns round."""
    turned = points[:, ::-1].copy()
    turned[..., [1, 4, 7]] *= -1
    return turned
