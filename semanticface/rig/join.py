"""Clips joined into one, if they belong together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields, replace

import numpy as np

from semanticface.errors import BadInput
from semanticface.rig.clip import ClipMeta, FaceClip


def concatenate(clips: Iterable[FaceClip], pause: float | None = None) -> FaceClip:
    """Clips one after the other.

    Times must follow on, unless `pause` is given: then each clip begins `pause`
    seconds after the one before it ended. Clips that differ in channels, extra
    columns, calibration, conventions or clock are refused. Of the rest of the
    meta only what all clips agree on is kept.
    """
    parts = list(clips)
    if not parts:
        raise BadInput("no clips", "at least one to concatenate")
    first = parts[0]
    for other in parts[1:]:
        _must_agree(first, other, "channels", lambda clip: clip.names)
        _must_agree(first, other, "calibration", lambda clip: clip.meta.calibrated)
        _must_agree(first, other, "conventions", lambda clip: clip.meta.conventions)
        _must_agree(first, other, "clocks", lambda clip: clip.meta.clock)
        _must_agree(first, other, "extra columns", lambda clip: tuple(sorted(clip.extra)))
    if pause is not None:
        for i in range(1, len(parts)):
            parts[i] = parts[i].shifted(parts[i - 1].times[-1] + pause - parts[i].times[0])
    return replace(
        first,
        values=np.concatenate([clip.values for clip in parts]),
        times=np.concatenate([clip.times for clip in parts]),
        meta=_common_meta([clip.meta for clip in parts]),
        extra={name: np.concatenate([clip.extra[name] for clip in parts]) for name in first.extra},
    )


def _common_meta(metas: list[ClipMeta]) -> ClipMeta:
    """What all metas say alike; sources are listed."""
    first = metas[0]
    blank = ClipMeta(source=" + ".join(dict.fromkeys(meta.source for meta in metas)))
    kept = {
        each.name: getattr(first, each.name)
        for each in fields(ClipMeta)
        if all(getattr(meta, each.name) == getattr(first, each.name) for meta in metas)
    }
    return replace(blank, **kept)


def _must_agree(
    one: FaceClip, other: FaceClip, what: str, get: Callable[[FaceClip], object]
) -> None:
    if get(one) != get(other):
        raise BadInput(
            f"clips of different {what}: {get(one)} and {get(other)}",
            "the same in all clips to concatenate",
        )
