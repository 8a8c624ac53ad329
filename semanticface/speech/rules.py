"""The rule baseline: phones to visemes to ARKit, with co-articulation. No model, no training.

    clip = animate(timeline, contours)             # the mouth, 30 frames a second
    clip = enliven(clip, seed=3)                   # blinks, gaze and head added, and marked

The clip has the 31 channels of the mouth (`metrics.mouth_sets`) and no others, unless they
are added; nothing added is ever evaluated (`spoken_only` takes it out again).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.metrics.mouth_sets import MOUTH_31
from semanticface.motion.sequences import sample_clip
from semanticface.rig import CHANNELS, COUNT, INDEX, NAMES, ClipMeta, FaceClip
from semanticface.speech.blending import blend
from semanticface.speech.contacts import make_contacts
from semanticface.speech.contours import STEP, Contours
from semanticface.speech.manners import Manner, tremble
from semanticface.speech.phones import symbols, tracks
from semanticface.speech.timeline import Sound, Timeline

Array = NDArray[np.float64]

STILL = 0.45
"""Seconds of silence in which the mouth comes to stand quite still."""
_SETTLE, _READY = (0.12, 0.40), (0.30, 0.06)
_EDGE = 0.09
"""Seconds in which a clip comes from rest and goes back, where it begins or ends in speech."""
_FIRST_FRAME = 0.01
_JAW_PER_DB = 0.03
_JAW_GAIN = (0.65, 1.35)
_SMOOTH_GAIN = 0.12
_MOVED = tuple(i for track in tracks() for i in track.channels)
ADDED = "added"
"""Key of the clip's notes under which channels stand that do not come from the speech."""


def mark() -> list[float]:
    """What these rules make of every phone once, by channel: to tell them from other rules."""
    sounds = [Sound(symbol, 0.1 * i, 0.1 * i + 0.1) for i, symbol in enumerate(symbols())]
    clip = animate(Timeline(tuple(sounds), seconds=0.1 * len(sounds) + 0.1))
    return [round(float(each), 4) for each in clip.values[:, list(MOUTH_31)].mean(axis=0)]


class Style(NamedTuple):
    """How somebody speaks: factors on the table's weights."""

    jaw: float = 1.0
    lips: float = 1.0
    rounding: float = 1.0
    spread: float = 1.0
    loudness: float = 1.0
    """How much the jaw follows the voice: 0 not at all."""
    uneven: float = 0.0
    """-1 to 1: the left side of the lips more than the right, or less."""


def animate(
    timeline: Timeline, contours: Contours | None = None, *, rate: float = 30.0,
    style: Style | None = None, manner: Manner | None = None,
) -> FaceClip:  # fmt: skip
    """The mouth of a timeline at `rate` frames a second, from time zero to its end."""
    if not (np.isfinite(rate) and 1 <= rate <= 240):
        raise BadInput(f"a rate of {rate}", "frames a second, 1 to 240", hint="Change --fps.")
    times = np.arange(max(1, int(np.ceil(timeline.seconds * rate - 1e-6)))) / rate
    values = shape(timeline, times, contours, style or Style(), manner or Manner())
    meta = ClipMeta(source=timeline.source, format="", notes={
        "made_by": "rules", "rate": rate, "seconds": timeline.seconds})  # fmt: skip
    present = np.zeros(COUNT, np.bool_)
    present[list(MOUTH_31)] = True
    return FaceClip(np.where(present, values, np.nan).astype(np.float32), times, present, meta)


def shape(
    timeline: Timeline, times: Array, contours: Contours | None, style: Style, manner: Manner
) -> Array:
    """Values [T, 61] at any rising times; what stands outside the mouth is 0."""
    gains = style.jaw * _voice_gain(contours, times, style.loudness)
    values = blend(timeline.pieces(), times, gains, manner)
    values += tremble(manner, times, _MOVED)
    for base, factor in (
        ("mouthPucker", style.rounding), ("mouthFunnel", style.rounding),
        ("mouthStretch", style.spread), ("mouthSmile", style.spread),
        ("mouthLowerDown", style.lips), ("mouthUpperUp", style.lips),
    ):  # fmt: skip
        for side, sign in (("Left", 1), ("Right", -1)) if base not in INDEX else (("", 0),):
            values[:, INDEX[base + side]] *= factor * (1 + 0.5 * sign * style.uneven)
    values = np.maximum(values, 0) * _awake(timeline, times)[:, None]
    make_contacts(values, times, timeline.contacts("lips"), timeline.contacts("teeth"))
    return np.clip(values, 0, 1)


def _voice_gain(contours: Contours | None, times: Array, amount: float) -> Array:
    """How far the jaw drops for a louder or softer voice: 1 + 0.03 a dB from the median."""
    if contours is None or not contours.speech.any() or amount == 0:
        return np.ones(len(times))
    loud = contours.loudness.astype(np.float64)
    usual = float(np.median(loud[contours.speech]))
    gain = np.where(contours.speech, 1 + amount * _JAW_PER_DB * (loud - usual), 1.0)
    width = max(1, round(_SMOOTH_GAIN / STEP)) | 1
    padded = np.pad(np.clip(gain, *_JAW_GAIN), width // 2, mode="edge")
    smooth = np.convolve(padded, np.hanning(width + 2)[1:-1] / np.hanning(width + 2).sum(), "valid")
    return contours.at(smooth.astype(np.float32), times)


def _awake(timeline: Timeline, times: Array) -> Array:
    """[T]: 1 in speech, 0 inside a pause, so that silence is still to the last bit."""
    edge = np.minimum(times - times[0], times[-1] - times) if len(times) > 1 else times
    level = _smooth((edge + _FIRST_FRAME) / _EDGE)
    for start, end in timeline.silences(STILL):
        first, last = np.searchsorted(times, (start, end))
        clock = times[first:last]
        off = 1 - _smooth((clock - start - _SETTLE[0]) / (_SETTLE[1] - _SETTLE[0]))
        on = 1 - _smooth((end - clock - _READY[1]) / (_READY[0] - _READY[1]))
        off = off if start > 0 else np.zeros(len(clock))
        on = on if end < timeline.seconds - 1e-6 else np.zeros(len(clock))
        level[first:last] *= np.maximum(off, on)
    return level


def _smooth(way: Array) -> Array:
    held = np.clip(way, 0, 1)
    return np.asarray(held * held * (3 - 2 * held))


def enliven(clip: FaceClip, *, seed: int = 0, blinks: bool = True, head: bool = True) -> FaceClip:
    """Blinks, a wandering gaze and a moving head from the sampler, marked as added.

    They have nothing to do with the speech. `notes['added']` lists their channels.
    """
    if not len(clip):
        return clip
    rate = 1 / clip.step if np.isfinite(clip.step) else 30.0
    other = sample_clip(max(len(clip) / rate, 0.5), rate, seed).values[: len(clip)]
    kinds = [kind for kind, wanted in (("eye", blinks), ("head", head)) if wanted]
    columns = [c.index for c in CHANNELS if c.region in kinds and not clip.present[c.index]]
    values, present = clip.values.copy(), clip.present.copy()
    values[:, columns], present[columns] = other[:, columns], True
    told = clip.meta.applied(f"added, not from the speech: {', '.join(kinds)}")
    meta = told.__class__(**{**told.__dict__, "notes": {
        **told.notes, ADDED: [NAMES[i] for i in columns]}})  # fmt: skip
    return FaceClip(values, clip.times, present, meta, clip.extra)


def added(clip: FaceClip) -> tuple[str, ...]:
    """The channels that do not come from the speech, by the clip's own notes."""
    return tuple(name for name in clip.meta.notes.get(ADDED, ()) if name in INDEX)


def spoken_only(clip: FaceClip) -> FaceClip:
    """The clip without what was added to it: what an evaluation may look at."""
    places = [INDEX[name] for name in added(clip)]
    if not places:
        return clip
    values, present = clip.values.copy(), clip.present.copy()
    values[:, places], present[places] = np.nan, False
    return FaceClip(values, clip.times, present, clip.meta, clip.extra)
