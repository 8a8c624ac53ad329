"""What can be said of a clip at a glance: rate, gaps, conventions, curves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from semanticface.formats.mouth_pair import detect_mouth_pair
from semanticface.formats.timecode import format_times
from semanticface.rig import CHANNELS, REGIONS, FaceClip
from semanticface.rig.activity import ACTIVE_HIGH, ACTIVE_SPREAD

_BLOCKS = "▁▂▃▄▅▆▇█"
_LOST = "·"
_CURVE = 60


class Fact(NamedTuple):
    """A label and what there is to say under it."""

    label: str
    text: str


def facts(clip: FaceClip, *, most_gaps: int = 10) -> list[Fact]:
    """Everything but the curves, in reading order."""
    found = [Fact("source", f"{clip.meta.source or 'memory'}  ({clip.meta.format or 'clip'})")]
    found += _who(clip)
    found += [Fact("frames", f"{len(clip)}, {clip.duration:.3f} s{_from_to(clip)}")]
    found += [Fact("rate", _rate(clip))] if len(clip) > 1 else []
    found += _gaps(clip, most_gaps)
    found += _tracking(clip)
    found += [Fact("channels", _channels(clip))]
    found += [Fact("convention", text) for text in clip.meta.conventions]
    found += [Fact("mouth pair", _mouth(clip))]
    found += _values(clip)
    return found + [Fact(key, str(text)) for key, text in clip.meta.notes.items()]


def _who(clip: FaceClip) -> list[Fact]:
    meta = clip.meta
    parts = [
        f"{word} {value}"
        for word, value in (("slate", meta.slate), ("take", meta.take), ("subject", meta.subject))
        if value is not None
    ]
    if meta.calibrated is not None:
        parts.append("calibrated" if meta.calibrated else "raw")
    return [Fact("take", ", ".join(parts))] if parts else []


def _from_to(clip: FaceClip) -> str:
    if clip.meta.clock != "timecode" or not len(clip):
        return ""
    base = clip.meta.base or 60
    first, last = format_times(clip.times[[0, -1]], base)
    return f", from {first} to {last}"


def _rate(clip: FaceClip) -> str:
    base = f" in a {clip.meta.base} base" if clip.meta.base else ""
    return f"{clip.rate:.2f} fps{base} (usual step {clip.step * 1000:.2f} ms)"


def _gaps(clip: FaceClip, most: int) -> list[Fact]:
    gaps = clip.gaps()
    if not gaps:
        return [Fact("gaps", "none")] if len(clip) > 2 else []
    lost = sum(gap.missing for gap in gaps)
    listed = [
        Fact(
            "",
            f"after frame {gap.after} at {_time(clip, gap.start)}: "
            f"{gap.seconds * 1000:.1f} ms, {gap.missing} missing",
        )
        for gap in gaps[:most]
    ]
    more = [Fact("", f"and {len(gaps) - most} more")] if len(gaps) > most else []
    return [Fact("gaps", f"{len(gaps)}, {lost} frames missing"), *listed, *more]


def _time(clip: FaceClip, seconds: float) -> str:
    if clip.meta.clock == "timecode":
        return format_times([seconds], clip.meta.base or 60)[0]
    return f"{seconds:.3f} s"


def _tracking(clip: FaceClip) -> list[Fact]:
    lost = int(np.count_nonzero(~clip.tracked))
    return [Fact("face lost", f"in {lost} of {len(clip)} frames")] if lost else []


def _channels(clip: FaceClip) -> str:
    text = f"{len(clip.names)} of {len(CHANNELS)}"
    if clip.absent:
        text += f"; absent: {', '.join(clip.absent)}"
    if clip.extra:
        text += f"; besides: {', '.join(clip.extra)}"
    return text


def _mouth(clip: FaceClip) -> str:
    """Which side mouthLeft is, by the company it keeps."""
    told = detect_mouth_pair(clip)
    if told.verdict == "undecided":
        return f"undecided: the mouth hardly moves sideways in {told.frames} frames"
    side = "the subject's left" if told.verdict == "own side" else "the subject's RIGHT"
    return (
        f"mouthLeft is {side} (correlation {told.correlation:+.2f} "
        f"with {told.witness} over {told.frames} frames)"
    )


def _values(clip: FaceClip) -> list[Fact]:
    """Values beyond their channel's range are kept, and worth a word."""
    beyond = []
    for channel in CHANNELS:
        column = clip.values[:, channel.index]
        column = column[~np.isnan(column)]
        outside = int(np.count_nonzero((column < channel.low) | (column > channel.high)))
        if outside:
            worst = column[np.argmax(np.abs(column))]
            beyond.append(f"{channel.name} in {outside} frames (to {worst:.3f})")
    return [Fact("out of range", ", ".join(beyond))] if beyond else []


class ChannelRow(NamedTuple):
    """One channel's statistics over the tracked frames, and its curve."""

    region: str
    name: str
    mean: float
    high: float
    """95th percentile, of the magnitude for rotations."""
    most: float
    active: bool
    """Moves enough to be worth correlating: 95 % above 0.05, deviation above 0.01."""
    curve: str


def channel_rows(clip: FaceClip) -> Iterator[ChannelRow]:
    """Rows of the present channels, by region."""
    for region in REGIONS:
        for channel in CHANNELS:
            if channel.region == region and clip.present[channel.index]:
                yield _row(clip, channel.index)


def _row(clip: FaceClip, index: int) -> ChannelRow:
    channel = CHANNELS[index]
    column = clip.values[:, index].astype(np.float64)
    known = column[~np.isnan(column)]
    if not len(known):
        known = np.zeros(1)
    size = np.abs(known)
    high, most = float(np.percentile(size, 95)), float(known[np.argmax(size)])
    active = high > ACTIVE_HIGH and float(known.std()) > ACTIVE_SPREAD
    curve = sparkline(np.abs(column), 1.0 if not channel.signed else 0.6)
    return ChannelRow(channel.region, channel.name, float(known.mean()), high, most, active, curve)


def sparkline(column: np.ndarray, full: float, width: int = _CURVE) -> str:
    """A line of block characters: the largest value in each stretch, `full` on top.

    A dot marks a stretch without any value.
    """
    stretches = np.array_split(column, min(width, max(len(column), 1)))
    return "".join(_block(part, full) for part in stretches)


def _block(part: np.ndarray, full: float) -> str:
    known = part[~np.isnan(part)]
    if not len(known):
        return _LOST
    level = float(np.clip(known.max() / full, 0, 1))
    return _BLOCKS[min(int(level * len(_BLOCKS)), len(_BLOCKS) - 1)]
