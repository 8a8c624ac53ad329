"""Known faults laid on an answer: what is wrong, where and how much.

    perturbed(face, Perturbation("gain", "mouth", 0.5), seed=3)   # half the amplitude
    for fault in FAULTS: ...

| kind     | amount                                     | what it imitates           |
|----------|--------------------------------------------|----------------------------|
| gain     | factor on the weights                      | muted or exaggerated model |
| noise    | standard deviation added, active channels  | noisy pseudo-labels        |
| shift    | added to the named channels, or to one drawn | a wrong action           |
| dead     | share of the active channels set to 0      | missing actions            |
| exchange | (none) left and right exchanged            | the exchanged mouth        |
| late     | seconds by which the region lags, clips only | a lag between parts      |

Values stay within the range of their channels; `perturbed` says how many had to move.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.preference.candidates import Candidate
from semanticface.preference.regions import Values, region_of, with_region
from semanticface.rig import CHANNELS, INDEX, into_range, mirror

Kind = Literal["gain", "noise", "shift", "dead", "exchange", "late"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_ACTIVE = 0.1
"""Least |value| of a channel that takes part in an expression, as in data/tasks.py."""
_WEIGHTS = np.array([each.unit == "weight" for each in CHANNELS])


class Perturbation(NamedTuple):
    """A fault: its kind, its region, how much, and the channels if only some."""

    kind: Kind
    region: str
    amount: float = 1.0
    channels: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """In words, as a source is called."""
        which = f" ({', '.join(self.channels)})" if self.channels else ""
        return f"{self.kind} {self.amount:g} in {self.region}{which}"


class Perturbed(NamedTuple):
    """The faulty answer, and how many values had to be brought back into range."""

    candidate: Candidate
    clamped: int


FAULTS: tuple[tuple[Kind, float], ...] = (
    ("gain", 0.4), ("gain", 0.7), ("gain", 1.4), ("noise", 0.08), ("noise", 0.16),
    ("shift", 0.3), ("shift", 0.6), ("dead", 0.5), ("exchange", 1.0),
)  # fmt: skip
"""Kinds and amounts that a still can have, from hardly to clearly seen."""


def perturbed(base: Candidate, fault: Perturbation, *, seed: int = 0) -> Perturbed:
    """The answer with one fault in one region; the rest stays the same to the bit."""
    if fault.kind not in KINDS:
        raise BadInput(f"the perturbation '{fault.kind}'", f"one of {', '.join(KINDS)}")
    rng = np.random.default_rng([seed, KINDS.index(fault.kind)])
    changed = _changed(base, fault, _concerned(fault), rng)
    inside = into_range(changed)
    values = with_region(base.values, inside.values, fault.region)
    return Perturbed(Candidate(fault.told, values, base.times), inside.moved)


def _concerned(fault: Perturbation) -> NDArray[np.bool_]:
    """Bool [61]: the region's weights, or the named channels of it."""
    mask: NDArray[np.bool_] = region_of(fault.region).mask & _WEIGHTS
    if not fault.channels:
        return mask
    for name in fault.channels:
        if name not in INDEX or not region_of(fault.region).mask[INDEX[name]]:
            raise BadInput(f"the channel '{name}'", f"one of the region '{fault.region}'")
    named = np.zeros_like(mask)
    named[[INDEX[name] for name in fault.channels]] = True
    return named


def _changed(
    base: Candidate, fault: Perturbation, mask: NDArray[np.bool_], rng: np.random.Generator
) -> Values:
    values = base.values.copy()
    if fault.kind == "gain":
        values[:, mask] *= np.float32(fault.amount)
    elif fault.kind == "noise":
        _add_noise(values, mask, fault.amount, rng)
    elif fault.kind == "shift":
        _shift(values, mask, fault, rng)
    elif fault.kind == "dead":
        _silence(values, mask, fault.amount, rng)
    elif fault.kind == "exchange":
        values = mirror(values)
    else:
        values = _late(base, fault.amount)
    return values


def _active(values: Values, mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Channels of the mask that rise above rest; all of them where none does."""
    with np.errstate(invalid="ignore"):
        moved = mask & (np.nan_to_num(np.abs(values)).max(axis=0) >= _ACTIVE)
    return np.flatnonzero(moved if moved.any() else mask)


def _add_noise(
    values: Values, mask: NDArray[np.bool_], spread: float, rng: np.random.Generator
) -> None:
    """One offset a channel for the whole answer: jitter in time is another fault."""
    chosen = _active(values, mask)
    values[:, chosen] += rng.normal(0, spread, len(chosen)).astype(np.float32)


def _shift(
    values: Values, mask: NDArray[np.bool_], fault: Perturbation, rng: np.random.Generator
) -> None:
    """The named channels, or one drawn, go up; down where they are already high."""
    among = np.flatnonzero(mask)
    chosen = among if fault.channels else rng.choice(among, 1)
    high = np.nanmean(values[:, chosen], axis=0) > 0.5
    values[:, chosen] += np.where(high, -fault.amount, fault.amount).astype(np.float32)


def _silence(
    values: Values, mask: NDArray[np.bool_], share: float, rng: np.random.Generator
) -> None:
    chosen = _active(values, mask)
    count = max(1, round(share * len(chosen)))
    values[:, rng.choice(chosen, count, replace=False)] = 0


def _late(base: Candidate, seconds: float) -> Values:
    """The motion `seconds` later; before its first frame the first frame stands."""
    if base.still:
        raise BadInput("a still", "a clip: a still has no time to be late in")
    at = np.clip(base.times - seconds, base.times[0], base.times[-1])
    columns = [np.interp(at, base.times, base.values[:, i]) for i in range(base.values.shape[1])]
    return np.stack(columns, axis=1).astype(np.float32)
