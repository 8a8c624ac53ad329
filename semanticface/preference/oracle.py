"""A simulated rater who knows the truth. It stands for people in experiments and tests.

    oracle = Oracle(Traits(noise=1.0, lapse=0.02), seed=3)
    seen = oracle.judge(duel, truth)                 # .click, .seconds

Every number that comes from it says how this model behaves, not how people do.

**What it sees.** How far each answer looks from the truth, in the judged region:

    geometry  sqrt(sum w |f(p) - f(y)|^2 / sum w)   mm, over the vertices of the rig
    pixels    mean |picture - picture of the truth| grey levels, as the judge is shown it
    distance  = geometry_weight * geometry + pixels_weight * pixels

with w the region's soft weights, p and y the vertices' offsets from the resting face, and
f(d) = d |d|^(exponent - 1): a change near rest is seen better than the same change of a
strong expression (a power law of sensation, Stevens 1957; the exponent is ours).

**How it decides.** Evidence drifts towards the nearer answer with v = distance of the other
less distance of the one (+ bias towards the left), with noise s per square root of a second,
until it meets a bound a (drift-diffusion, Ratcliff 1978):

    P(one) = 1 / (1 + exp(-2 a v / s^2))
    mean seconds = idle + glance * views + (a / v) tanh(a v / s^2)        (a^2 / s^2 at v = 0)

It calls it a tie where |v| stays below `tie`, both bad where both are farther than `bad`,
and presses left or right at random with probability `lapse`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.preference.candidates import Candidate, Duel
from semanticface.preference.difference import SMALL
from semanticface.preference.presentation import Presentation, shown, weights_of
from semanticface.preference.store.content import Project, Rater, answer_of
from semanticface.preference.store.database import Store
from semanticface.preference.store.questions import Question, open_questions
from semanticface.preference.store.verdicts import Click, record
from semanticface.render.head import load_head, pose
from semanticface.rig import INDEX

Offsets = NDArray[np.float64]
_MM = 1000.0
_HEAD = slice(INDEX["headYaw"], INDEX["headRoll"] + 1)
_MOMENTS, _A_SECOND = 5, 30
"""Of a clip so many moments at least, and so many a second: lips may meet for two frames."""
_FAINT = 0.01
"""Vertices with less weight than this are left out: they cannot be told from nothing."""


@dataclass(frozen=True)
class Traits:
    """What kind of rater it is; all zero weights of error make a perfect one."""

    geometry_weight: float = 1.0
    pixels_weight: float = 0.0
    exponent: float = 0.7
    noise: float = 0.6
    """s, in units of distance per square root of a second; 0 never errs."""
    bound: float = 0.5
    """a: how much evidence it waits for; more is slower and surer."""
    bias: float = 0.0
    """Added to the drift towards the left."""
    lapse: float = 0.02
    tie: float = 0.0
    bad: float = math.inf
    idle: float = 0.8
    """Seconds a verdict takes beside looking and deciding."""
    glance: float = 0.5
    """Seconds for each view of both answers."""

    def __post_init__(self) -> None:
        if not 0 <= self.lapse <= 1 or min(self.noise, self.tie, self.idle, self.glance) < 0:
            raise BadInput(f"{self}", "a lapse from 0 to 1 and nothing negative")
        if self.bound <= 0 or self.exponent <= 0:
            raise BadInput(f"{self}", "a bound and an exponent above 0")

    def as_json(self) -> str:
        """What is kept beside its verdicts."""
        return json.dumps({key: value for key, value in asdict(self).items()
                           if value != math.inf}, sort_keys=True)  # fmt: skip


class Seen(NamedTuple):
    """A simulated verdict."""

    click: Click
    seconds: float
    drift: float
    """Distance of the right answer less that of the left one, bias included."""


class Oracle:
    """A rater with traits, and chance of its own."""

    def __init__(
        self, traits: Traits | None = None, *, how: Presentation = SMALL, seed: int = 0,
        before: int = 0,
    ) -> None:  # fmt: skip
        """`before`: verdicts that it gave already; their chance is not drawn again."""
        self.traits = traits or Traits()
        self.how = how
        self._rng = np.random.default_rng([seed, 0x0AC1, *([before] if before else [])])

    def judge(self, left: Candidate, right: Candidate, truth: Candidate, region: str,
              person: int | None = None) -> Seen:  # fmt: skip
        """One verdict about two answers in front of the truth."""
        far = [self.distance(each, truth, region, person) for each in (left, right)]
        return self._decided(*far)

    def distance(
        self, answer: Candidate, truth: Candidate, region: str, person: int | None = None
    ) -> float:
        """How far an answer looks from the truth, in units of `Traits`' weights."""
        traits, total = self.traits, 0.0
        if traits.geometry_weight:
            total += traits.geometry_weight * geometry(answer, truth, region, traits.exponent)
        if traits.pixels_weight:
            total += traits.pixels_weight * pixels(answer, truth, region, self.how, person)
        return total

    def _decided(self, left: float, right: float) -> Seen:
        traits, rng = self.traits, self._rng
        drift = right - left + traits.bias
        seconds = self._seconds(drift)
        if rng.random() < traits.lapse:
            return Seen("left" if rng.random() < 0.5 else "right", seconds, drift)
        if min(left, right) > traits.bad:
            return Seen("bad", seconds, drift)
        if abs(drift) < traits.tie or (drift == 0 and not traits.noise):
            return Seen("tie", seconds, drift)
        first = rng.random() < self.probability(drift)
        return Seen("left" if first else "right", seconds, drift)

    def probability(self, drift: float) -> float:
        """P(left) of a decision without a lapse."""
        if not self.traits.noise:
            return float(drift > 0)
        return float(1 / (1 + np.exp(-np.clip(2 * self._sure(drift), -700, 700))))

    def _sure(self, drift: float) -> float:
        return self.traits.bound * drift / self.traits.noise**2

    def _seconds(self, drift: float) -> float:
        traits = self.traits
        spent = traits.idle + traits.glance * len(self.how.views)
        if not traits.noise:
            return spent + (traits.bound / abs(drift) if drift else 0.0)
        if not drift:
            return spent + (traits.bound / traits.noise) ** 2
        return spent + traits.bound / abs(drift) * math.tanh(self._sure(abs(drift)))


def nearer(duel: Duel, truth: Candidate) -> float:
    """By how much the one is nearer to the truth than the other, mm, without any error.

    Plain root mean square of the region's vertices: what verdicts are held against.
    """
    one, other = (geometry(each, truth, duel.region, 1.0) for each in (duel.one, duel.other))
    return other - one


def geometry(answer: Candidate, truth: Candidate, region: str, exponent: float = 1.0) -> float:
    """Root mean square distance of the region's vertices, mm; see the module."""
    which, weights = _inside(region)
    squared = []
    for one, other in _rows(answer, truth):
        gap = _sensed(one, exponent)[which] - _sensed(other, exponent)[which]
        squared.append((weights * (gap**2).sum(axis=1)).sum() / weights.sum())
    return float(np.sqrt(np.mean(squared)))


def pixels(
    answer: Candidate, truth: Candidate, region: str, how: Presentation, person: int | None = None
) -> float:
    """Mean absolute difference of what is shown, grey levels 0 to 255."""
    apart = [
        np.abs(_picture(one, region, how, person).astype(np.int16)
               - _picture(other, region, how, person)).mean()
        for one, other in _rows(answer, truth)
    ]  # fmt: skip
    return float(np.mean(apart))


def _rows(answer: Candidate, truth: Candidate) -> list[tuple[bytes, bytes]]:
    """Frames of both at the same moments, as bytes that a cache can keep."""
    end = min(answer.times[-1], truth.times[-1])
    moments = np.unique(np.linspace(0, end, max(_MOMENTS, 1 + round(end * _A_SECOND))))
    both = []
    for t in moments:
        rows = [each.values[int(np.abs(each.times - t).argmin())] for each in (answer, truth)]
        if (np.isnan(rows[0]) != np.isnan(rows[1])).any() or np.isnan(rows[0]).all():
            raise BadInput("numbers missing from an answer or its truth", "the same ones in both",
                           hint="Leave such answers out: at rest is no truth.")  # fmt: skip
        rows = [np.nan_to_num(row) for row in rows]  # of channels that neither says anything
        both.append((rows[0].tobytes(), rows[1].tobytes()))
    return both


@lru_cache(maxsize=16)
def _inside(region: str) -> tuple[NDArray[np.intp], Offsets]:
    """The vertices of a region that count, and how much."""
    weights = weights_of(region).astype(np.float64)
    which = np.flatnonzero(weights > _FAINT)
    return which, weights[which]


@lru_cache(maxsize=512)
def _moved(row: bytes) -> Offsets:
    """Offsets [V, 3] of a frame from the resting face, mm; the head's own turns left out."""
    head = load_head()
    values = np.frombuffer(row, np.float32).copy()
    values[_HEAD] = 0
    return (pose(head, values) - head.neutral).astype(np.float64) * _MM


@lru_cache(maxsize=1024)
def _sensed(row: bytes, exponent: float) -> Offsets:
    moved = _moved(row)
    if exponent == 1:
        return moved
    size = np.linalg.norm(moved, axis=1, keepdims=True)
    return np.asarray(moved * np.maximum(size, 1e-9) ** (exponent - 1))


@lru_cache(maxsize=512)
def _picture(row: bytes, region: str, how: Presentation, person: int | None) -> NDArray[np.uint8]:
    return shown(np.frombuffer(row, np.float32), region, how, person=person)


# -- in a project -------------------------------------------------------------


def let_judge(
    store: Store, project: Project, rater: Rater, oracle: Oracle,
    truths: Mapping[str, Candidate], *, most: int | None = None,
) -> int:  # fmt: skip
    """Let an oracle answer as raters do, by way of questions and verdicts; returns how many.

    `truths` by the item's key. A person's name is refused: nobody's verdicts are made up.
    """
    if rater.kind == "human":
        raise BadInput(f"the person '{rater.name}'", "a rater of kind oracle")
    done = 0
    while most is None or done < most:
        asked = open_questions(store, project, rater.id, 1)
        if not asked:
            break
        seen = _answer(store, asked[0], oracle, truths)
        record(store, rater.id, asked[0].id, seen.click, key=f"oracle-{asked[0].id}",
               seconds=seen.seconds)  # fmt: skip
        done += 1
    return done


def _answer(store: Store, asked: Question, oracle: Oracle, truths: Mapping[str, Candidate]) -> Seen:
    if asked.item_id not in truths:
        raise BadInput(f"no truth for the item {asked.item_id}", "one for every item",
                       hint="An oracle judges synthetic or labelled items only.")  # fmt: skip
    left, right = answer_of(store, asked.left), answer_of(store, asked.right)
    return oracle.judge(left, right, truths[asked.item_id], asked.region, asked.person)
