"""A clip in words: what moves when, found by hysteresis.

The rules:

* A side of a movement begins when it reaches the upper threshold of its scale
  and ends when it falls below the lower one; the onset is moved back to where it
  last stood below the lower one. Lids have thresholds of their own, since they
  are never quite open.
* Sides that overlap for most of the shorter one's time are one event; its
  stronger side is named where the peaks differ by `ASYMMETRY` or more.
* A closure of both lids of at most `blink_seconds` is a blink; of one eye, while
  the other stays below the lower threshold, a wink.
* A frame without numbers, or a gap in the clip's times longer than
  `gap_seconds`, ends every event and is told.
* A channel that alone is unmeasured for at most `gap_seconds` keeps its course
  between its neighbours; for longer, it ends the event and the words say so. A
  wink needs the other eye measured throughout.
* An event that stays within 80 % of its peak for `hold_seconds` is a hold.
* Eyes turned in or out are told as one gaze per eye.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.language.describe import ASYMMETRY, frame_hashes
from semanticface.language.intensity import DEFAULT, Bins
from semanticface.language.lexicon import lexicon
from semanticface.language.slots import SLOTS, Slot, movements
from semanticface.language.words import Saying
from semanticface.rig.clip import FaceClip

Side = Literal["left", "right", "both", "centre"]
Kind = Literal["movement", "blink", "wink"]
Edge = Literal["move", "clip", "face", "pause", "channel"]
"""What begins or ends an event: the movement itself, the end of the clip, the face lost or
back, a pause of the recording, or its channel unmeasured."""
_NOT_TOLD = ("gazeIn", "gazeOut")


@dataclass(frozen=True)
class Hysteresis:
    """Upper and lower thresholds of each scale, and the times that the rules name."""

    weights: tuple[float, float] = (0.2, 0.1)
    lids: tuple[float, float] = (0.5, 0.3)
    head: tuple[float, float] = (math.radians(10), math.radians(5))
    eyes: tuple[float, float] = (math.radians(10), math.radians(5))
    blink_seconds: float = 0.5
    gap_seconds: float = 0.25
    hold_seconds: float = 1.0
    shortest: float = 0.05
    """Briefer events than this are jitter, blinks excepted."""

    def __post_init__(self) -> None:
        for pair in (self.weights, self.lids, self.head, self.eyes):
            if not pair[0] >= pair[1] > 0:
                raise BadInput(f"thresholds {pair}", "an upper one and a lower one above zero")

    def of(self, slot: Slot) -> tuple[float, float]:
        """The thresholds of a movement."""
        if slot.name == "eyeBlink":
            return self.lids
        return {"weight": self.weights, "head": self.head, "eye": self.eyes}[slot.scale]


STEADY = Hysteresis()


@dataclass(frozen=True)
class Event:
    """One movement from its onset to its release, in seconds of the clip."""

    movement: str
    """A slot of `slots.SLOTS`."""
    side: Side
    onset: float
    apex: float
    release: float
    peak: float
    """Weight, or radians for rotations; of the stronger side."""
    kind: Kind = "movement"
    stronger: Literal["left", "right"] | None = None
    hold: float = 0.0
    """The longest time without a break within 80 % of the peak."""
    cut: bool = False
    """Whether a lost face or the clip's end, not a release, ended it."""
    begins: Edge = "move"
    ends: Edge = "move"


@dataclass(frozen=True)
class Lost:
    """A time without a face, from the last frame with numbers to the next."""

    start: float
    end: float


@dataclass(frozen=True)
class ClipDescription:
    """A clip in words and the events that the words tell."""

    text: str
    events: tuple[Event, ...]
    """Every event, in order of onset, blinks and winks included."""
    lost: tuple[Lost, ...]
    seconds: float

    @property
    def blinks(self) -> tuple[Event, ...]:
        """The blinks of both eyes."""
        return tuple(event for event in self.events if event.kind == "blink")

    @property
    def winks(self) -> tuple[Event, ...]:
        """The closures of one eye alone."""
        return tuple(event for event in self.events if event.kind == "wink")


def describe_clip(
    clip: FaceClip,
    *,
    language: str = "en",
    seed: int = 0,
    bins: Bins = DEFAULT,
    hysteresis: Hysteresis = STEADY,
    most: int = 12,
) -> ClipDescription:
    """Events of a clip and a paragraph that tells the `most` of them that matter most."""
    events = find_events(clip, bins=bins, hysteresis=hysteresis)
    lost = find_losses(clip, hysteresis)
    say = lexicon(language).saying
    text = _paragraph(say, clip, events, lost, seed, bins, hysteresis, most)
    return ClipDescription(text, events, lost, clip.duration)


# -- finding ---------------------------------------------------------------------------


def find_losses(clip: FaceClip, hysteresis: Hysteresis = STEADY) -> tuple[Lost, ...]:
    """Times without numbers, and long gaps between frames."""
    found = [
        Lost(gap.start, gap.start + gap.seconds)
        for gap in clip.gaps()
        if gap.seconds > hysteresis.gap_seconds
    ]
    tracked = clip.tracked
    here = np.flatnonzero(tracked)
    if len(clip) and not len(here):
        return (Lost(float(clip.times[0]), float(clip.times[-1])),)
    if len(here):
        edges = [0, *here.tolist(), len(clip) - 1]
        steps = pairwise(edges)
        found += [
            Lost(float(clip.times[a]), float(clip.times[b]))
            for a, b in steps
            if not tracked[a : b + 1].all()
        ]
    return tuple(sorted(set(found), key=lambda lost: lost.start))


def find_events(
    clip: FaceClip, *, bins: Bins = DEFAULT, hysteresis: Hysteresis = STEADY
) -> tuple[Event, ...]:
    """Every event of a clip, in order of onset."""
    if not len(clip):
        return ()
    moved = movements(clip.values, bins)
    sizes = moved.magnitudes
    sizes[~moved.known] = np.nan
    sizes[~clip.tracked] = np.nan
    parts = _segments(clip, hysteresis)
    events: list[Event] = []
    for i, slot in enumerate(SLOTS):
        if slot.name not in _NOT_TOLD:
            events += _slot_events(slot, sizes[:, i], clip.times, parts, hysteresis)
    return tuple(sorted(events, key=lambda event: (event.onset, event.movement)))


def _segments(clip: FaceClip, hysteresis: Hysteresis) -> list[tuple[int, int]]:
    """Runs of frames with numbers and without a long gap: [start, end)."""
    broken = ~clip.tracked
    breaks = np.zeros(len(clip) + 1, np.bool_)
    breaks[0] = breaks[-1] = True
    breaks[1:-1] = broken[1:] != broken[:-1]
    for gap in clip.gaps():
        if gap.seconds > hysteresis.gap_seconds:
            breaks[gap.after + 1] = True
    edges = np.flatnonzero(breaks).tolist()
    return [(a, b) for a, b in pairwise(edges) if clip.tracked[a]]


def _slot_events(
    slot: Slot, sizes: NDArray[np.float32], times: NDArray[np.float64],
    parts: list[tuple[int, int]], hysteresis: Hysteresis,
) -> list[Event]:  # fmt: skip
    """The events of one movement: each side by itself, then sides joined."""
    limits = hysteresis.of(slot)
    found: dict[Side, list[Event]] = {}
    names: tuple[Side, ...] = ("left", "right") if slot.paired else ("centre",)
    for side, name in enumerate(names):
        found[name] = [
            _event(slot.name, name, column, times, run, part)
            for part in parts
            for column in [_bridged(sizes[:, side], times, part, hysteresis.gap_seconds)]
            for run in _runs(column[part[0] : part[1]], limits, part[0])
        ]
    events = _joined(found["left"], found["right"]) if slot.paired else found["centre"]
    if slot.name == "eyeBlink":
        events = [_as_blink(event, sizes, times, hysteresis) for event in events]
    return [e for e in events if e.kind != "movement" or e.release - e.onset >= hysteresis.shortest]


def _bridged(
    sizes: NDArray[np.float32], times: NDArray[np.float64], part: tuple[int, int], longest: float
) -> NDArray[np.float32]:
    """The column with brief unmeasured stretches inside the part filled in between neighbours."""
    missing = np.isnan(sizes[slice(*part)])
    if not missing.any() or missing.all():
        return sizes
    filled = sizes.copy()
    known = part[0] + np.flatnonzero(~missing)
    for a, b in pairwise(known.tolist()):
        if b - a > 1 and times[b] - times[a] <= longest:
            filled[a:b] = np.interp(times[a:b], times[[a, b]], sizes[[a, b]])
    return filled


def _runs(
    sizes: NDArray[np.float32], limits: tuple[float, float], offset: int
) -> Iterator[tuple[int, int]]:
    """[start, end) of every stretch that rises over the upper and stays over the lower limit."""
    above = np.concatenate(([False], sizes >= limits[1], [False]))
    edges = np.flatnonzero(above[1:] != above[:-1]).tolist()
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if sizes[start:end].max() >= limits[0]:
            yield offset + start, offset + end


def _event(
    movement: str, side: Side, sizes: NDArray[np.float32], times: NDArray[np.float64],
    run: tuple[int, int], part: tuple[int, int],
) -> Event:  # fmt: skip
    start, end = run
    apex = start + int(np.argmax(sizes[start:end]))
    peak = float(sizes[apex])
    stop = min(end, part[1] - 1)
    return Event(
        movement, side, float(times[start]), float(times[apex]), float(times[stop]), peak,
        hold=_held(sizes[start:end] >= 0.8 * peak, times[start:end]),
        cut=end == part[1] or bool(np.isnan(sizes[end])),
        begins=_edge(sizes, start - 1, start == part[0]), ends=_edge(sizes, end, end == part[1]),
    )  # fmt: skip


def _edge(sizes: NDArray[np.float32], beyond: int, at_break: bool) -> Edge:
    """Why a run begins or ends next to the frame `beyond`."""
    if not 0 <= beyond < len(sizes):
        return "clip"
    if not at_break:
        return "channel" if np.isnan(sizes[beyond]) else "move"
    return "face" if np.isnan(sizes[beyond]) else "pause"


def _held(near: NDArray[np.bool_], times: NDArray[np.float64]) -> float:
    """The longest stretch without a break."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], near, [False])).astype(np.int8)))
    return max(float(times[b - 1] - times[a]) for a, b in edges.reshape(-1, 2).tolist())


def _joined(left: list[Event], right: list[Event]) -> list[Event]:
    """Both sides' events, those that overlap for most of the shorter one as one.

    Each side's events come in order and never overlap each other, so one walk
    along both is enough.
    """
    taken, events, first = [False] * len(right), [], 0
    for one in left:
        while first < len(right) and right[first].release <= one.onset:
            first += 1
        near = first
        while near < len(right) and right[near].onset < one.release:
            if not taken[near] and _together(one, right[near]):
                break
            near += 1
        else:
            events.append(one)
            continue
        taken[near] = True
        events.append(_pair(one, right[near]))
    return events + [each for each, gone in zip(right, taken, strict=True) if not gone]


def _together(one: Event, other: Event) -> bool:
    shared = min(one.release, other.release) - max(one.onset, other.onset)
    shorter = min(one.release - one.onset, other.release - other.onset)
    return shared > 0 and shared >= 0.5 * shorter


def _pair(left: Event, right: Event) -> Event:
    higher = left if left.peak >= right.peak else right
    apart = abs(left.peak - right.peak) >= ASYMMETRY
    return replace(
        higher,
        side="both",
        onset=min(left.onset, right.onset),
        release=max(left.release, right.release),
        hold=max(left.hold, right.hold),
        cut=left.cut or right.cut,
        begins=min(left, right, key=lambda event: event.onset).begins,
        ends=max(left, right, key=lambda event: event.release).ends,
        stronger=("left" if higher is left else "right") if apart else None,
    )


def _as_blink(
    event: Event, sizes: NDArray[np.float32], times: NDArray[np.float64], hysteresis: Hysteresis
) -> Event:
    """Call a brief closure a blink, or a wink where the other eye stays open."""
    if event.release - event.onset > hysteresis.blink_seconds:
        return event
    if event.side == "both":
        return replace(event, kind="blink")
    span = slice(
        int(np.searchsorted(times, event.onset, "left")),
        int(np.searchsorted(times, event.release, "right")),
    )
    other = sizes[span, 1 if event.side == "left" else 0]
    return replace(event, kind="wink") if (other < hysteresis.lids[1]).all() else event


# -- telling ---------------------------------------------------------------------------------


def _paragraph(
    say: Saying, clip: FaceClip, events: tuple[Event, ...], lost: tuple[Lost, ...], seed: int,
    bins: Bins, hysteresis: Hysteresis, most: int,
) -> str:  # fmt: skip
    """Length, blinks, then events and losses in order of time."""
    zero = float(clip.times[0]) if len(clip) else 0.0
    moved = [event for event in events if event.kind == "movement"]
    told = sorted(sorted(moved, key=_weight, reverse=True)[:most], key=lambda e: e.onset)
    hashes = frame_hashes(seed, len(told) + 1).tolist()
    timed = [
        (event.onset, _event_sentence(say, event, zero, mix, bins, hysteresis))
        for event, mix in zip(told, hashes, strict=False)
    ]
    for each in lost:
        start, end = _seconds(each.start - zero), _seconds(each.end - zero)
        timed.append((each.start, say.clip["lost"][0].format(start=start, end=end)))
    sentences = [say.clip["length"][0].format(seconds=_seconds(clip.duration))]
    sentences += _lid_sentences(say, events, zero)
    sentences += [sentence for _, sentence in sorted(timed)]
    if not events and clip.tracked.any():
        sentences.append(say.clip["still"][0])
    if len(moved) > most:
        sentences.append(say.clip["rest"][0].format(count=len(moved) - most))
    return say.clip["space"][0].join(sentences)


def _weight(event: Event) -> float:
    """How much an event matters: its peak, and a little its length."""
    scale = 1.0 if event.movement[:4] != "head" else 2.0
    return scale * event.peak * (1 + math.log1p(event.release - event.onset))


def _event_sentence(
    say: Saying, event: Event, zero: float, mix: int, bins: Bins, hysteresis: Hysteresis
) -> str:
    held = event.hold >= hysteresis.hold_seconds
    templates = say.clip["hold" if held else "event"]
    if (event.begins, event.ends) != ("move", "move"):
        keys = (f"from_{event.begins}", "at_hold" if held else "at_apex", f"to_{event.ends}")
        templates = ("".join(say.clip[key][0] for key in keys),)
    name = say.names[event.movement]
    level = _level(event, bins)
    words = say.adjectives[level]
    return templates[mix % len(templates)].format(
        start=_seconds(event.onset - zero), end=_seconds(event.release - zero),
        apex=_seconds(event.apex - zero), hold=_seconds(event.hold), peak=f"{event.peak:.2f}",
        name=name, Name=name[:1].upper() + name[1:], where=_where(say, event),
        level=words[(mix >> 8) % len(words)],
    )  # fmt: skip


def _level(event: Event, bins: Bins) -> str:
    """The level name of the peak; the weakest one below every bin."""
    slot = next(slot for slot in SLOTS if slot.name == event.movement)
    scale = {"weight": bins.weights, "head": bins.head, "eye": bins.eyes}[slot.scale]
    return scale.word(event.peak) or scale.words[0]


def _where(say: Saying, event: Event) -> str:
    """The side; nothing for the middle, or for a gaze that both eyes share."""
    if event.side == "centre" or (event.side == "both" and event.movement.startswith("gaze")):
        return ""
    if event.stronger:
        return say.clip[f"more_{event.stronger}"][0]
    return say.clip[event.side][0]


def _lid_sentences(say: Saying, events: tuple[Event, ...], zero: float) -> list[str]:
    blinks = [_seconds(event.apex - zero) for event in events if event.kind == "blink"]
    sentences = []
    if blinks:
        template = say.clip["blinks" if len(blinks) > 1 else "blink"][0]
        sentences.append(template.format(count=len(blinks), times=", ".join(blinks)))
    for side, word in zip(("left", "right"), say.sides, strict=True):
        winks = [e for e in events if e.kind == "wink" and e.side == side]
        if winks:
            times = ", ".join(_seconds(event.apex - zero) for event in winks)
            sentences.append(say.clip["wink"][0].format(side=word, times=times))
    return sentences


def _seconds(value: float) -> str:
    return f"{value:.2f}"
