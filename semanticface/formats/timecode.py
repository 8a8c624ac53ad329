"""SMPTE-like timecode of Live Link Face: `HH:MM:SS:FF.fff`, also with `;` before FF.

FF counts frames at the nominal base (30 or 60), `fff` is thousandths of such a
frame, and `seconds = H*3600 + M*60 + S + FF/base` is the device's clock. The
real frame rate is another thing: a "60 fps" take comes at 59.904 frames a second
with a base of 60. Hours of 24 and more are legal.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semanticface.errors import BadInput

DAY = 86_400.0
_HALF_DAY = DAY / 2
WIDTH = len("HH:MM:SS:FF.fff")
_PATTERN = re.compile(r"(\d{1,6}):(\d{1,2}):(\d{1,2})[:;](\d{1,3}(?:\.\d{1,9})?)", re.ASCII)
_DIGITS = [0, 1, 3, 4, 6, 7, 9, 10, 12, 13, 14]
SHAPE = "HH:MM:SS:FF.fff"


class Stamp(NamedTuple):
    """One timecode, before a base gives its frames a length."""

    whole: int
    """Seconds from midnight up to the last full second."""
    frames: float
    """Frames into that second, with their fraction."""


class Stamps(NamedTuple):
    """Many timecodes."""

    whole: NDArray[np.int64]
    frames: NDArray[np.float64]
    good: NDArray[np.bool_]
    """False where the text has another shape or minutes or seconds of 60 and more."""


class BaseGuess(NamedTuple):
    """A base, why, and whether the file leaves no doubt."""

    base: int
    reason: str
    sure: bool


def parse(text: str) -> Stamp:
    """One timecode, of any width."""
    match = _PATTERN.fullmatch(text.strip())
    if match is None:
        raise BadInput(repr(text[:40]), f"a timecode {SHAPE}")
    hours, minutes, seconds = (int(part) for part in match.groups()[:3])
    if minutes > 59 or seconds > 59:
        raise BadInput(repr(text[:40]), "minutes and seconds below 60 in the timecode")
    return Stamp(hours * 3600 + minutes * 60 + seconds, float(match[4]))


def parse_rows(rows: NDArray[np.uint8]) -> Stamps:
    """Timecodes of exactly `WIDTH` bytes, [n, at least WIDTH], all at once."""
    text = np.ascontiguousarray(rows[:, :WIDTH].T)  # one row a place: quick to reckon with
    digits = text[_DIGITS].astype(np.int32) - ord("0")
    good = ((digits >= 0) & (digits <= 9)).all(axis=0)
    good &= (text[2] == ord(":")) & (text[5] == ord(":")) & (text[11] == ord("."))
    good &= (text[8] == ord(":")) | (text[8] == ord(";"))
    hours, minutes, secs, frames = digits[0:8:2] * 10 + digits[1:8:2]
    good &= (minutes < 60) & (secs < 60)
    whole = (hours * 60 + minutes) * 60 + secs
    thousandths = frames * 1000 + digits[8] * 100 + digits[9] * 10 + digits[10]
    return Stamps(whole.astype(np.int64), thousandths / 1000, good)


def seconds(whole: ArrayLike, frames: ArrayLike, base: int) -> NDArray[np.float64]:
    """Seconds from midnight.

    Every reader of this package comes through here, so that one timecode is one
    double, whatever file or packet it stood in.
    """
    return np.asarray(whole, np.float64) + np.asarray(frames, np.float64) / base


def past_midnight(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Add a day wherever the clock falls back by more than half a day."""
    days = np.cumsum(np.diff(times, prepend=times[:1]) < -_HALF_DAY)
    return times + DAY * days


def unreal_base(frames: ArrayLike) -> int:
    """The base that Unreal's importer takes: 60 if any FF is above 30, otherwise 30."""
    return 60 if (np.floor(np.asarray(frames, np.float64)) > 30).any() else 30


def guess_base(whole: NDArray[np.int64], frames: NDArray[np.float64]) -> BaseGuess:
    """The base of a file from its own numbers.

    FF of 30 and more needs 60. A file that stays below is in base 30 if its
    frames roll over into the next second; a take too short for that is told by
    its step: two frames at a time is 29.98 fps counted in 60, because 15 fps
    cameras are rarer.
    """
    if len(frames) and frames.max() >= 60:
        raise BadInput(
            f"frame number {frames.max():g}", "below 60", hint="Say the timecode's base (base=...)."
        )
    if len(frames) and frames.max() >= 30:
        return BaseGuess(60, "a frame number of 30 or more", sure=True)
    if _rolls_over(whole, frames):
        return BaseGuess(30, "frame numbers start again below 30", sure=True)
    steps = np.diff(frames)[np.diff(whole) == 0]
    if len(steps) >= 2 and 1.75 < float(np.median(steps)) < 2.5:
        return BaseGuess(60, "no frame number reaches 30, but they come two at a time", sure=False)
    return BaseGuess(30, "no frame number reaches 30", sure=False)


def _rolls_over(whole: NDArray[np.int64], frames: NDArray[np.float64]) -> bool:
    """Whether the frames run up to the second's end and on, at one step in base 30."""
    steps, rises = np.diff(frames), np.diff(whole)
    inside = steps[rises == 0]
    if not len(inside) or not (rises == 1).any():
        return False
    across = steps[rises == 1] + 30
    return bool((np.abs(across - np.median(inside)) < 0.5).any())


def split(times: ArrayLike, base: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Seconds as whole seconds and thousandths of a frame, rounded to the nearest."""
    stamps = np.asarray(times, np.float64)
    whole = np.floor(stamps)
    thousandths = np.rint((stamps - whole) * (base * 1000)).astype(np.int64)
    full = thousandths >= base * 1000
    return whole.astype(np.int64) + full, np.where(full, 0, thousandths)


def moved(times: ArrayLike, base: int) -> float:
    """How far writing moves the worst time, in frames of `base`."""
    whole, thousandths = split(times, base)
    back = seconds(whole, thousandths / 1000, base)
    return float(np.abs(back - np.asarray(times)).max(initial=0.0)) * base


def format_times(times: ArrayLike, base: int) -> list[str]:
    """`HH:MM:SS:FF.fff` for each time; past midnight the hours go on from 24."""
    stamps = np.asarray(times, np.float64)
    if (stamps < 0).any():
        row = int(np.flatnonzero(stamps < 0)[0])
        raise BadInput(
            f"a time of {stamps[row]:g} s", "times from 0 on in a timecode", row=row,
            hint="Shift the clip first.",
        )  # fmt: skip
    whole, thousandths = split(stamps, base)
    return [
        f"{w // 3600:02d}:{w // 60 % 60:02d}:{w % 60:02d}:{t // 1000:02d}.{t % 1000:03d}"
        for w, t in zip(whole.tolist(), thousandths.tolist(), strict=True)
    ]
