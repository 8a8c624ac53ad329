"""The reference with planted faults: what an evaluation that works must find.

The meta stays that of the reference, so that nothing tells of the faults but the
numbers. Frames and noise are drawn from the seed and the take's name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.evaluation.fingerprints import clip_sha256, fingerprint
from semanticface.evaluation.items import Item, Prediction
from semanticface.evaluation.specs import DegradedSpec, Progress
from semanticface.rig import BLENDSHAPES, INDEX, FaceClip

SHAPES = slice(0, len(BLENDSHAPES))
TURNS = slice(len(BLENDSHAPES), None)

Rows = NDArray[np.intp]


class DegradedSource:
    """A copy of each item's reference with the spec's faults."""

    def __init__(self, spec: DegradedSpec) -> None:
        self.spec = spec
        self.name: str = spec.name
        self.kind: str = spec.kind

    def fingerprint(self, item: Item) -> str:
        """Of the faults, the take's name (which seeds the draw) and the reference's numbers."""
        return fingerprint(
            {"spec": self.spec.settings(), "take": item.take, "truth": clip_sha256(_truth(item))}
        )

    def predict(
        self, item: Item, progress: Progress | None = None, *, work: Path | None = None
    ) -> list[Prediction]:
        """The reference with the faults; times as the reference's, or late."""
        truth = _truth(item)
        clip = degraded(truth, self.spec, rng_of(self.spec.seed, item.take))
        if progress is not None:
            progress(len(clip), len(clip))
        planted = self.spec.model_dump(
            mode="json", exclude={"name", "kind", "seed"}, exclude_defaults=True
        )
        return [Prediction(clip.with_meta(conventions=truth.meta.conventions),
                           notes={"planted": planted})]  # fmt: skip


def degraded(clip: FaceClip, spec: DegradedSpec, rng: np.random.Generator) -> FaceClip:
    """All faults in the order of the lines below."""
    frozen, lost = drawn(len(clip), spec.frozen, rng, first=1), drawn(len(clip), spec.missing, rng)
    clip = clip.mirrored() if spec.mirrored else clip
    clip = clip.exchanged("mouthLeft", "mouthRight") if spec.exchange_mouth else clip
    clip = clip if spec.muted is None else scaled(clip, SHAPES, spec.muted)
    clip = noisy(clip, spec.noise, rng) if spec.noise else clip
    clip = still(clip, spec.dead) if spec.dead else clip
    clip = repeated(clip, frozen) if len(frozen) else clip
    clip = without(clip, lost) if len(lost) else clip
    clip = scaled(clip, SHAPES, 100.0) if spec.percent else clip
    clip = scaled(clip, TURNS, 180 / np.pi) if spec.degrees else clip
    return clip.shifted(spec.lag) if spec.lag else clip


def noisy(clip: FaceClip, deviation: float, rng: np.random.Generator) -> FaceClip:
    """Gaussian noise on every measured blendshape."""
    values = clip.values.copy()
    values[:, SHAPES] += rng.normal(0, deviation, values[:, SHAPES].shape).astype(np.float32)
    return clip.with_values(values)


def still(clip: FaceClip, channels: Sequence[str]) -> FaceClip:
    """Channels at zero wherever they were measured."""
    values = clip.values.copy()
    columns = [INDEX[name] for name in channels]
    values[:, columns] = np.where(np.isnan(values[:, columns]), np.nan, np.float32(0))
    return clip.with_values(values)


def scaled(clip: FaceClip, columns: slice, factor: float) -> FaceClip:
    """Some columns times a factor."""
    values = clip.values.copy()
    values[:, columns] *= np.float32(factor)
    return clip.with_values(values)


def repeated(clip: FaceClip, rows: Rows) -> FaceClip:
    """Frames `rows`, rising, take the values of the frame before, which may itself be one."""
    shown = np.arange(len(clip))
    shown[rows] = -1
    return clip.with_values(clip.values[np.maximum.accumulate(shown)])


def without(clip: FaceClip, rows: Rows) -> FaceClip:
    """Frames `rows` without any value; their times stay."""
    values = clip.values.copy()
    values[rows] = np.nan
    return clip.with_values(values)


def drawn(frames: int, share: float, rng: np.random.Generator, *, first: int = 0) -> Rows:
    """A share of the frames (rounded), from frame `first` on, rising."""
    count = min(round(share * frames), max(frames - first, 0))
    return np.sort(rng.choice(np.arange(first, max(frames, first)), count, replace=False))


def rng_of(seed: int, take: str) -> np.random.Generator:
    """Chance that is the same for the same seed and take on every machine."""
    digest = hashlib.sha256(take.encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "little")])


def _truth(item: Item) -> FaceClip:
    if item.truth is None:
        raise BadInput(f"take '{item.take}' without a reference", "one to make faults in")
    return item.truth
