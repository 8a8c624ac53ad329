"""From predictions that come when they can to frames that go out when they are due.

A good prediction goes through a One Euro filter. Between predictions the last good frame
is held; without a new one for `hold` seconds the face eases to neutral,

    values(t) = held * exp(-(t - last - hold) / ease)

and rotations with it. A prediction is not good if it has no numbers for half of the
channels, if opposite muscles are both strongly on (a sign of a model that guesses), or if
its mean confidence is low; a few such do no harm, for the last good frame stands.

The stamp of a frame is the moment at which the face looked so: the picture's own time plus
what has passed since its prediction came. It never runs backwards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.motion.one_euro import OneEuro
from semanticface.rig import COUNT
from semanticface.serve.client import Result
from semanticface.serve.doubt import certainty, contradictions
from semanticface.serve.live.least import LEAST_CONFIDENCE
from semanticface.train.face_crop import NO_FACE

Values = NDArray[np.float32]
_STEP = 1e-4
"""Seconds by which a stamp is past the one before at least."""


@dataclass(frozen=True)
class Settings:
    """What counts as failure, and what is done then."""

    hold: float = 0.4
    """Seconds for which the last good frame stands."""
    ease: float = 0.3
    """Seconds in which a held face falls to 1/e."""
    least_confidence: float = LEAST_CONFIDENCE
    """Mean over the channels, where the model tells one."""
    most_contradictions: int = 1


class Out(NamedTuple):
    """One frame to send."""

    time: float
    values: Values
    """[61], never NaN."""
    state: str
    """`fresh`, `held`, `easing` or `neutral`."""


@dataclass
class Steady:
    """Takes predictions, gives frames."""

    settings: Settings = field(default_factory=Settings)
    refused: dict[str, int] = field(default_factory=dict)
    """Predictions that were not taken, by reason."""
    _filter: OneEuro = field(default_factory=OneEuro)
    _held: Values | None = None
    _shown: float = 0.0
    """Time of the picture behind the held frame."""
    _came: float = -math.inf
    _fresh: bool = False
    _stamp: float = -math.inf

    def take(self, result: Result, now: float) -> bool:
        """A prediction that came at `now`; whether it is good."""
        why = self.failure(result)
        if why:
            self.refused[why] = self.refused.get(why, 0) + 1
            return False
        if self._held is not None and result.time <= self._shown:
            self.refused["late"] = self.refused.get("late", 0) + 1
            return False
        smooth = self._filter.step(result.time, result.values)
        # What the answer left out stays as it is shown now; at the start it is at rest.
        before = np.zeros(COUNT, np.float32) if self._held is None else self._shown_at(now)
        self._held = np.where(np.isnan(smooth), before, smooth).astype(np.float32)
        self._shown, self._came, self._fresh = result.time, now, True
        return True

    def failure(self, result: Result) -> str:
        """Why a prediction is not good; empty if it is."""
        if result.error:
            return "no face" if result.error == NO_FACE else "no answer"
        known = np.isfinite(result.values)
        if result.report.outcome == "failed" or known.sum() < COUNT / 2:
            return "not readable"
        if contradictions(result.values) > self.settings.most_contradictions:
            return "contradictory"
        sure = certainty(result.confidence)
        return "unsure" if sure is not None and sure < self.settings.least_confidence else ""

    def at(self, now: float) -> Out:
        """The frame that is due now."""
        if self._held is None:
            return Out(self._rising(now), np.zeros(COUNT, np.float32), "neutral")
        stamp = self._rising(self._shown + (now - self._came))
        state, self._fresh = ("fresh" if self._fresh else "held"), False
        left = self._left(now)
        if left < 1:
            state = "easing" if left > 0.01 else "neutral"
        return Out(stamp, self._shown_at(now), state)

    def _left(self, now: float) -> float:
        """Share of the held frame that is shown."""
        silent = now - self._came - self.settings.hold
        return 1.0 if silent <= 0 else math.exp(-silent / self.settings.ease)

    def _shown_at(self, now: float) -> Values:
        assert self._held is not None
        return (self._held * np.float32(self._left(now))).astype(np.float32)

    def _rising(self, stamp: float) -> float:
        self._stamp = max(stamp, self._stamp + _STEP)
        return self._stamp
