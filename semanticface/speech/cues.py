"""What is being said, as a few lines of text beside or instead of the sound.

    words: he was *not* an ill-disposed
    phones: 0-2 N | 3-9 AA1! | 10-14 T
    mouth: N alveolar nasal, jaw high; AA back open vowel, jaw low; T ...
    voice: 2357899987654210
    pause: 15
    frames: - - - HH HH N N N AA AA
    draft: (by rules, to be corrected) jo 0:4 6:22;mlb 3:9 6:2

Frames count from the window's first. `*word*` is spoken within the window; `AA1` is
stressed by its dictionary (0 and 2 likewise), `!` is emphasised by measure: louder and
higher than the speaker's usual vowels. `voice` is loudness in tenths of the recording's
range, a digit a frame. `frames` has a phone for each frame and for six before and after, `-`
where it is silent: what its neighbours are and how far it has come is told by place, which a
small model learns to read long before it learns to compare numbers. `draft` is the mouth that the
rules make of the phones and the voice, written as the answer is to be: what is left to learn is
where it is wrong. Every part can be left
out, which is how cues are tested; of the phones, the digits (`stress`) and `!` (`emphasis`) too.
`articulation-stress` is the set without that part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from itertools import islice, takewhile
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput, did_you_mean
from semanticface.rig import FaceClip
from semanticface.speech.contours import STEP, Contours
from semanticface.speech.phones import Phone, parts, phone
from semanticface.speech.rules import animate
from semanticface.speech.timeline import Sound, Timeline
from semanticface.speech.window_answers import WindowForm, Written

Floats = NDArray[np.float64]
Cue = Literal["words", "phones", "stress", "emphasis", "mouth", "voice", "pause", "frames", "draft"]
CUES: tuple[Cue, ...] = get_args(Cue)
MARKS: tuple[Cue, ...] = ("stress", "emphasis")
"""Parts that have no line of their own: they stand on the phones."""
SETS: dict[str, tuple[Cue, ...]] = {
    "audio": (),
    "transcript": ("words",),
    "phones": ("words", "phones", *MARKS, "pause"),
    "articulation": ("words", "phones", *MARKS, "mouth", "pause"),
    "text": ("words", "phones", *MARKS, "mouth", "voice", "pause"),
    "timed": ("words", "frames"),
    "unheard": ("words", "frames"),
    "drafted": ("words", "frames", "draft"),
}
"""The rungs of an ablation: sound alone, then more and more; `text` needs no sound. `timed` is
another way to tell the phones, `unheard` that without the sound, `drafted` that with the rules'
mouth to be improved on."""
_SOUNDLESS = ("text", "unheard")


def cues_of(told: str) -> tuple[Cue, ...]:
    """The parts of a set by its name, less those named after it: `text-stress-voice`."""
    name, *less = told.split("-")
    if name not in SETS:
        raise BadInput(f"the cues '{name}'", f"one of {', '.join(SETS)}",
                       hint=did_you_mean(name, SETS))  # fmt: skip
    for each in less:
        if each not in SETS[name]:
            raise BadInput(f"'{told}'", f"parts of {name}: {', '.join(SETS[name]) or 'none'}",
                           hint=did_you_mean(each, SETS[name]))  # fmt: skip
    return tuple(cue for cue in SETS[name] if cue not in less)


def needs_sound(told: str) -> bool:
    """Whether a set of that name goes with the sound."""
    return told.partition("-")[0] not in _SOUNDLESS


def name_of(cues: Iterable[Cue], *, audio: bool) -> str:
    """What `cues_of` makes these parts of again."""
    wanted = set(cues)
    fitting = [name for name, held in SETS.items()
               if wanted <= set(held) and needs_sound(name) == audio]  # fmt: skip
    if not fitting:
        raise BadInput(f"the cues {', '.join(wanted)}", "parts of one set of cues")
    base = min(fitting, key=lambda name: len(SETS[name]))
    return "-".join((base, *(cue for cue in SETS[base] if cue not in wanted)))


_AROUND = 3
"""Words told before and after those of the window."""
EMPHASIS_DB = 2.5
EMPHASIS_PITCH = 1.08
_LEAST_PAUSE = 0.12
AROUND = 6
"""Frames before and after a window whose phones are told: mouths are ahead of their sounds."""
SILENT = "-"
_DRAFTED_IN = WindowForm()
_TO_READERS = "(by rules, to be corrected) "
"""Before a draft in a form that models of language answer in."""


class Window(NamedTuple):
    """Some frames of a clip."""

    first: int
    frames: int
    rate: float

    @property
    def start(self) -> float:
        """Seconds of the first frame."""
        return self.first / self.rate

    @property
    def end(self) -> float:
        """Seconds at which the frame after the last would be."""
        return (self.first + self.frames) / self.rate


class Spoken:
    """A timeline prepared for being told window by window."""

    def __init__(self, timeline: Timeline, contours: Contours | None = None) -> None:
        self.timeline, self.contours = timeline, contours
        self._starts = np.array([each.start for each in timeline.sounds])
        self._ends = np.array([each.end for each in timeline.sounds])
        self._word_starts = np.array([each.start for each in timeline.words])
        self._word_ends = np.array([each.end for each in timeline.words])
        self._emphasised = emphasised(timeline, contours)
        self._range = _range(contours)
        self._pauses = timeline.silences(_LEAST_PAUSE)
        self._pause_ends = np.array([end for _, end in self._pauses])
        self._by_rules: FaceClip | None = None

    def section(
        self, window: Window, cues: Iterable[Cue] = SETS["text"], form: Written = _DRAFTED_IN
    ) -> str:
        """The lines of a window, those that are asked for and have something to say.

        `form` is what a draft is written in.
        """
        wanted = tuple(cues)
        unknown = [each for each in wanted if each not in CUES]
        if unknown:
            raise BadInput(f"the cue '{unknown[0]}'", f"some of {', '.join(CUES)}")
        told: dict[Cue, Callable[[Window], str]] = {
            "words": self._words, "mouth": self._mouth, "voice": self._voice,
            "pause": self._pause, "frames": self._timed, "draft": partial(self._draft, form=form),
            "phones": partial(self._phones, marks=[each for each in MARKS if each in wanted]),
        }  # fmt: skip
        lines = [(cue, told[cue](window)) for cue in CUES if cue in wanted and cue in told]
        return "\n".join(f"{cue}: {line}" for cue, line in lines if line)

    def frame(self, time: float) -> str:
        """One moment: the phone there, how far it has come, its neighbours and its word."""
        at = int(np.searchsorted(self._starts, time, "right")) - 1
        sounds = self.timeline.sounds
        if at < 0 or time >= sounds[at].end:
            after = sounds[at + 1].symbol if at + 1 < len(sounds) else "the end"
            return f"silence, before {after}"
        here = sounds[at]
        done = (time - here.start) / (here.end - here.start)
        before = _neighbour(sounds, at - 1, here.start, back=True)
        after = _neighbour(sounds, at + 1, here.end, back=False)
        word = "" if here.word is None else f", in '{self.timeline.words[here.word].text}'"
        return (f"{self._marked(at)} {100 * done:.0f}% after {before}, before {after}{word}: "
                f"{articulation(here.symbol, self.timeline.symbols)}")  # fmt: skip

    def _inside(self, starts: Floats, ends: Floats, window: Window) -> range:
        first = int(np.searchsorted(ends, window.start, "right"))
        return range(first, int(np.searchsorted(starts, window.end, "left")))

    def _words(self, window: Window) -> str:
        words = self.timeline.words
        inside = self._inside(self._word_starts, self._word_ends, window)
        low = max(inside.start - _AROUND, 0)
        high = min(inside.stop + _AROUND, len(words)) if len(inside) else inside.start + _AROUND
        return " ".join(
            f"*{each.text}*" if i in inside else each.text
            for i, each in enumerate(words[low:high], low)
        )

    def _phones(self, window: Window, marks: Sequence[Cue]) -> str:
        inside = self._inside(self._starts, self._ends, window)
        told = []
        for at in inside:
            each = self.timeline.sounds[at]
            frames = _frames(each.start, each.end, window)
            told.append(f"{frames} {self._marked(at, marks)}")
        return " | ".join(told)

    def _mouth(self, window: Window) -> str:
        inside = self._inside(self._starts, self._ends, window)
        symbols = dict.fromkeys(self.timeline.sounds[at].symbol for at in inside)
        told = [f"{each} {articulation(each, self.timeline.symbols)}" for each in symbols]
        return "; ".join(told)

    def _voice(self, window: Window) -> str:
        if self.contours is None or self._range is None:
            return ""
        times = (window.first + np.arange(window.frames) + 0.5) / window.rate
        low, high = self._range
        level = (self.contours.at(self.contours.loudness, times) - low) / (high - low)
        return "".join(str(int(each)) for each in np.clip(level * 10, 0, 9))

    def _pause(self, window: Window) -> str:
        first = int(np.searchsorted(self._pause_ends, window.start, "right"))
        spans = takewhile(lambda span: span[0] < window.end, islice(self._pauses, first, None))
        return ", ".join(_frames(start, end, window) for start, end in spans)

    def _timed(self, window: Window) -> str:
        wide = Window(window.first - AROUND, window.frames + 2 * AROUND, window.rate)
        told = [SILENT] * wide.frames
        short = []
        for at in self._inside(self._starts, self._ends, wide):
            each = self.timeline.sounds[at]
            low, high = (_at_or_after(time, wide) for time in (each.start, each.end))
            if low == high:
                short.append((low, each.symbol))
            for frame in range(max(low, 0), min(high, wide.frames)):
                told[frame] = each.symbol
        for frame, symbol in short:  # between two frames, yet lips may have met in it
            if 0 <= frame < wide.frames:
                told[frame] = symbol
        return " ".join(told)

    def _draft(self, window: Window, form: Written) -> str:
        if not self.timeline.sounds:
            return ""
        told = form.write(self.drafted(window)) or SILENT
        return _TO_READERS + told if isinstance(form, WindowForm) else told

    def drafted(self, window: Window) -> NDArray[np.float32]:
        """[N, 61] by the rules; after their last frame they stay as they are."""
        told = self._by_rules
        if told is None or told.meta.notes["rate"] != window.rate:
            told = self._by_rules = animate(self.timeline, self.contours, rate=window.rate)
        frames = np.arange(window.first, window.first + window.frames)
        return told.values[np.clip(frames, 0, len(told) - 1)]

    def _marked(self, at: int, marks: Sequence[Cue] = MARKS) -> str:
        each = self.timeline.sounds[at]
        digit = "" if each.stress is None or "stress" not in marks else str(each.stress)
        loud = "!" if at in self._emphasised and "emphasis" in marks else ""
        return f"{each.symbol}{digit}{loud}"


@lru_cache(maxsize=512)
def articulation(symbol: str, symbols: Literal["arpabet", "pinyin"] = "arpabet") -> str:
    """How a symbol is made, in words: `bilabial stop, lips closed, jaw high`."""
    found = parts(symbol, symbols)
    if not found:
        return "unknown"
    return " to ".join(_described(phone(each.phone)) for each in found)


def _described(row: Phone) -> str:
    if row.silent:
        return "silence"
    voice = "" if row.vowel or row.voiced else "voiceless "
    touch = {"lips": ", lips closed", "teeth": ", lip on teeth"}.get(row.contact, "")
    lips = f", lips {row.rounded} rounded" if row.rounded else ""
    return f"{voice}{row.place} {row.manner}{touch}{lips}, jaw {row.jaw}"


def emphasised(timeline: Timeline, contours: Contours | None) -> frozenset[int]:
    """Vowels that are 2.5 dB louder, or 1.5 dB and 8 % higher, than the median vowel.

    Measured, not looked up: it is what the speaker did.
    """
    if contours is None or not len(contours):
        return frozenset()
    vowels = [(i, s) for i, s in enumerate(timeline.sounds) if _is_vowel(s, timeline)]
    if len(vowels) < 3:
        return frozenset()
    loud = np.array([_over(contours.loudness, s) for _, s in vowels])
    high = np.array([_over(contours.pitch, s) for _, s in vowels])
    louder = loud - np.nanmedian(loud)
    usual = np.nanmedian(high) if not np.isnan(high).all() else np.nan
    with np.errstate(invalid="ignore"):
        strong = (louder > EMPHASIS_DB) | (
            (louder > 0.6 * EMPHASIS_DB) & (high > EMPHASIS_PITCH * usual)
        )
    return frozenset(i for (i, _), yes in zip(vowels, strong, strict=True) if yes)


def _is_vowel(each: Sound, timeline: Timeline) -> bool:
    found = parts(each.symbol, timeline.symbols)
    return any(phone(part.phone).vowel for part in found)


def _over(series: NDArray[np.float32], each: Sound) -> float:
    """The mean of a series over a sound; NaN where it has no value."""
    first = int(each.start / STEP)
    part = series[first : max(int(each.end / STEP), first + 1)]
    known = part[~np.isnan(part)]
    return float(known.mean()) if len(known) else float("nan")


def _range(contours: Contours | None) -> tuple[float, float] | None:
    """The loudness that stands for 0 and for 10: the 5th and 98th percentile."""
    if contours is None or not len(contours):
        return None
    low, high = (float(x) for x in np.percentile(contours.loudness, (5, 98)))
    return (low, high) if high - low > 3 else None


def _frames(start: float, end: float, window: Window) -> str:
    """Frames of the window that lie in a span, as `3-9`, `4`, or `4` for the nearest."""
    last = window.frames - 1
    low = int(np.clip(_at_or_after(start, window), 0, last))
    high = int(np.clip(_at_or_after(end, window) - 1, low, last))
    return str(low) if low == high else f"{low}-{high}"


def _at_or_after(time: float, window: Window) -> int:
    """The first frame of the window that is not before a time; may lie outside of it."""
    return int(np.ceil(time * window.rate - 1e-6)) - window.first


def _neighbour(sounds: tuple[Sound, ...], at: int, time: float, *, back: bool) -> str:
    if not 0 <= at < len(sounds):
        return "silence"
    gap = time - sounds[at].end if back else sounds[at].start - time
    return "silence" if gap > 1e-3 else sounds[at].symbol
