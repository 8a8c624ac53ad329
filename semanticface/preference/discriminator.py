"""A learned judge: the probability that raters prefer one answer to another.

Each answer gets a score s from what was looked at, the answer and the region, and

    P(one wins) = 1 / (1 + exp(-(s(one) - s(other)) / T))          (Bradley and Terry 1952)

so exchanging the answers exchanges the probability, whatever was learnt. T is a temperature,
fitted on subjects held out from learning (Guo et al. 2017). Several nets, each taught on
subjects drawn again with its own first weights, give a spread beside the mean:

    belief = mean of the members' P          doubt = their standard deviation

Two kinds: `coefficients` (a small perceptron over the answer's values inside the region, what
a model reads from the picture there, and their difference) and `renders` (a small CNN over
the input picture and the answer's render). Sizes and rates are this project's own.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.atomic import write_text
from semanticface.errors import BadInput, need
from semanticface.formats import json_lines
from semanticface.metrics.interval import Interval
from semanticface.metrics.statistics import by_key, cluster_bootstrap
from semanticface.preference.judged import KINDS, ORDER, SIDE, Judged, Kind, held_out
from semanticface.preference.regions import region_of
from semanticface.rig import COUNT, RIG_VERSION

SCHEMA = "discriminator/1"
_CARD, _WEIGHTS = "discriminator.json", "members.safetensors"
_CLIP = 1e-6


@dataclass(frozen=True)
class Lesson:
    """How a discriminator is taught."""

    members: int = 5
    width: int = 48
    rate: float = 3e-3
    decay: float = 0.02
    dropout: float = 0.1
    epochs: int = 60
    batch: int = 64
    calibrated_on: float = 0.2
    """Share of the subjects on which the temperature is fitted and the last epoch chosen."""
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.members, self.width, self.epochs, self.batch) < 1:
            raise BadInput(f"{self}", "one member, one epoch and one pair at least")
        if not 0 < self.calibrated_on < 1 or self.rate <= 0:
            raise BadInput(f"{self}", "a share between 0 and 1 and a rate above 0")


class Belief(NamedTuple):
    """What a discriminator thinks of N pairs."""

    probability: NDArray[np.float64]
    """[N] that the one wins."""
    doubt: NDArray[np.float64]
    """[N] standard deviation between the members."""
    members: NDArray[np.float64]
    """[K, N], as `selection.select` takes them."""


@dataclass
class Discriminator:
    """A taught judge."""

    kind: Kind
    nets: list[Any]
    temperature: float
    lesson: Lesson
    features: int
    """Numbers that are known of an input; 0 for renders."""
    about: dict[str, Any] = field(default_factory=dict)
    """What it was taught on."""

    def believes(self, pairs: Judged) -> Belief:
        """Probabilities for some pairs; verdicts among them are not looked at."""
        if pairs.kind != self.kind:
            raise BadInput(f"pairs of {pairs.kind}", f"of {self.kind}, as it was taught")
        gaps = np.stack([_gaps(net, pairs) for net in self.nets])
        told = 1 / (1 + np.exp(-np.clip(gaps / self.temperature, -60, 60)))
        return Belief(told.mean(axis=0), told.std(axis=0), told)

    def save(self, folder: str | Path) -> Path:
        """Weights and a card; no pickles."""
        from safetensors.torch import save_file

        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        held = {f"{i}.{name}": each.contiguous() for i, net in enumerate(self.nets)
                for name, each in net.state_dict().items()}  # fmt: skip
        save_file(held, place / _WEIGHTS)
        card = {"semanticface": SCHEMA, "rig": RIG_VERSION, "kind": self.kind,
                "temperature": self.temperature, "features": self.features,
                "lesson": asdict(self.lesson), "about": self.about}  # fmt: skip
        write_text(place / _CARD, json.dumps(card, indent=1) + "\n")
        return place


def load(folder: str | Path) -> Discriminator:
    """What `save` wrote."""
    from safetensors.torch import load_file

    place = Path(folder)
    if not (place / _CARD).is_file():
        raise BadInput(f"no {_CARD}", "the folder of a discriminator", file=place)
    card = json_lines.mapping(json_lines.load(place / _CARD), file=place / _CARD)
    if card.get("semanticface") != SCHEMA or card.get("kind") not in KINDS:
        raise BadInput(json_lines.shown(card.get("semanticface")), f"'{SCHEMA}'", file=place)
    lesson = Lesson(**card["lesson"])
    held = load_file(place / _WEIGHTS)
    nets = []
    for number in range(lesson.members):
        net = _net(card["kind"], card["features"], lesson)
        net.load_state_dict({name.partition(".")[2]: each for name, each in held.items()
                             if name.startswith(f"{number}.")})  # fmt: skip
        nets.append(net.eval())
    return Discriminator(card["kind"], nets, card["temperature"], lesson, card["features"],
                         card["about"])  # fmt: skip


# -- teaching -----------------------------------------------------------------


def teach(pairs: Judged, lesson: Lesson | None = None) -> Discriminator:
    """Learn from verdicts; subjects for the temperature are never learnt from."""
    lesson = lesson or Lesson()
    _check(pairs)
    aside = held_out(pairs.subjects, lesson.calibrated_on, lesson.seed)
    learnt, kept = pairs.some(~aside), pairs.some(aside)
    features = pairs.looked.shape[1] if pairs.kind == "coefficients" else 0
    nets = [_taught(learnt, kept, features, lesson, member) for member in range(lesson.members)]
    gaps = np.stack([_gaps(net, kept) for net in nets])
    about = {"verdicts": len(learnt), "subjects": len(set(learnt.subjects.tolist())),
             "calibrated_on": len(kept)}  # fmt: skip
    return Discriminator(pairs.kind, nets, temperature_of(gaps, kept.won), lesson, features, about)


def _check(pairs: Judged) -> None:
    if not len(pairs) or np.isnan(pairs.won).any():
        raise BadInput(f"{int(np.isnan(pairs.won).sum())} of {len(pairs)} pairs without a verdict",
                       "verdicts to learn from")  # fmt: skip
    if pairs.kind == "coefficients" and pairs.looked.shape[1:] != (2 * COUNT,):
        raise BadInput(f"inputs of shape {pairs.looked.shape[1:]}",
                       f"{2 * COUNT} numbers: values and confidences of a model")  # fmt: skip


def _taught(learnt: Judged, kept: Judged, features: int, lesson: Lesson, member: int) -> Any:
    """One member; the epoch that did best on the subjects held out is kept."""
    torch = need("torch", "train", "Teaching a discriminator")
    rng = np.random.default_rng([lesson.seed, member])
    mine = learnt.some(_drawn_again(learnt.subjects, rng))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng.integers(2**31)))
        net = _net(learnt.kind, features, lesson)
        optimizer = torch.optim.AdamW(net.parameters(), lr=lesson.rate, weight_decay=lesson.decay)
        steps = lesson.epochs * -(-len(mine) // lesson.batch)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        best, state = np.inf, net.state_dict()
        for _ in range(lesson.epochs):
            _epoch(net, mine, optimizer, schedule, lesson, rng)
            cost = cross_entropy(_gaps(net, kept), kept.won)
            if cost < best:
                best, state = cost, {k: v.clone() for k, v in net.state_dict().items()}
    net.load_state_dict(state)
    return net.eval()


def _drawn_again(subjects: NDArray[np.str_], rng: np.random.Generator) -> NDArray[np.intp]:
    """Numbers of verdicts of subjects drawn with replacement: what members differ by."""
    names = np.unique(subjects)
    drawn = rng.choice(names, len(names))
    return np.concatenate([np.flatnonzero(subjects == name) for name in drawn])


def _epoch(
    net: Any, pairs: Judged, optimizer: Any, schedule: Any, lesson: Lesson,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    import torch
    from torch.nn import functional

    net.train()
    order = rng.permutation(len(pairs))
    for begin in range(0, len(order), lesson.batch):
        part = pairs.some(order[begin : begin + lesson.batch])
        gap = net(*_tensors(part, part.one)) - net(*_tensors(part, part.other))
        won = torch.from_numpy(part.won).float()
        loss = functional.binary_cross_entropy_with_logits(gap, won)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    net.eval()


def temperature_of(gaps: NDArray[np.floating], won: NDArray[np.floating]) -> float:
    """The T that makes the mean of the members' probabilities likeliest, 0.05 to 20.

    gaps: [K, N] differences of scores. By golden sections of log T.
    """

    def cost(log_t: float) -> float:
        told = 1 / (1 + np.exp(-np.clip(gaps / np.exp(log_t), -60, 60)))
        return _entropy(told.mean(axis=0), won)

    low, high, share = np.log(0.05), np.log(20.0), (np.sqrt(5) - 1) / 2
    for _ in range(60):
        left, right = high - share * (high - low), low + share * (high - low)
        if cost(left) < cost(right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def cross_entropy(gaps: NDArray[np.floating], won: NDArray[np.floating]) -> float:
    """Mean -log P of what was said, nats."""
    return _entropy(1 / (1 + np.exp(-np.clip(gaps, -60, 60))), won)


def _entropy(told: NDArray[np.floating], won: NDArray[np.floating]) -> float:
    inside = np.clip(told, _CLIP, 1 - _CLIP)
    return float(-(won * np.log(inside) + (1 - won) * np.log(1 - inside)).mean())


# -- nets ---------------------------------------------------------------------


def _gaps(net: Any, pairs: Judged, batch: int = 512) -> NDArray[np.float64]:
    """[N] score of the one less that of the other."""
    import torch

    found = []
    with torch.no_grad():
        for begin in range(0, len(pairs), batch):
            part = pairs.some(np.arange(begin, min(begin + batch, len(pairs))))
            gap = net(*_tensors(part, part.one)) - net(*_tensors(part, part.other))
            found.append(gap.numpy().astype(np.float64))
    return np.concatenate(found) if found else np.zeros(0)


def _tensors(pairs: Judged, answers: NDArray[Any]) -> tuple[Any, Any, Any]:
    import torch

    return (torch.from_numpy(np.ascontiguousarray(pairs.looked)),
            torch.from_numpy(np.ascontiguousarray(answers)),
            torch.from_numpy(pairs.region))  # fmt: skip


def _net(kind: Kind, features: int, lesson: Lesson) -> Any:
    return _perceptron(lesson) if kind == "coefficients" else _cnn(lesson)


def _perceptron(lesson: Lesson) -> Any:
    torch: Any = need("torch", "train", "A discriminator")
    masks = torch.tensor(np.stack([region_of(each).mask for each in ORDER])).float()

    class Perceptron(torch.nn.Module):  # type: ignore[misc]
        """s(looked, values, region): everything outside the region is left out."""

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("masks", masks, persistent=False)
            wide, many = lesson.width, 5 * COUNT + len(ORDER)
            self.net = torch.nn.Sequential(
                torch.nn.Linear(many, wide), torch.nn.GELU(), torch.nn.Dropout(lesson.dropout),
                torch.nn.Linear(wide, wide), torch.nn.GELU(), torch.nn.Linear(wide, 1),
            )  # fmt: skip
            self.near = torch.nn.Parameter(torch.zeros(len(ORDER), COUNT))

        def forward(self, looked: Any, values: Any, region: Any) -> Any:
            mask = self.masks[region]
            read, sure = looked[:, :COUNT], looked[:, COUNT:]
            gap = (values - read) * mask
            which = torch.nn.functional.one_hot(region, len(ORDER)).float()
            told = torch.cat([values * mask, gap, gap.abs(), gap.abs() * sure, read * mask, which],
                             1)  # fmt: skip
            # A straight way from each channel's distance, which a few verdicts can teach.
            return self.net(told)[:, 0] - (self.near[region] * gap.abs()).sum(1)

    return Perceptron()


def _cnn(lesson: Lesson) -> Any:
    torch: Any = need("torch", "train", "A discriminator")
    nn = torch.nn

    def stage(inside: int, outside: int) -> list[Any]:
        return [nn.Conv2d(inside, outside, 3, 2, 1), nn.GroupNorm(4, outside), nn.GELU()]

    class Cnn(torch.nn.Module):  # type: ignore[misc]
        """s(picture, render, region): both pictures one over the other, pooled, with the
        region laid over the channels."""

        def __init__(self) -> None:
            super().__init__()
            wide = lesson.width
            self.seen = nn.Sequential(*stage(6, 16), *stage(16, 32), *stage(32, wide),
                                      *stage(wide, wide))  # fmt: skip
            self.region = nn.Embedding(len(ORDER), wide)
            self.told = nn.Sequential(nn.Flatten(), nn.Dropout(lesson.dropout),
                                      nn.Linear(wide * (SIDE // 16) ** 2, wide), nn.GELU(),
                                      nn.Linear(wide, 1))  # fmt: skip

        def forward(self, looked: Any, render: Any, region: Any) -> Any:
            both = torch.cat([looked, render], -1).permute(0, 3, 1, 2).float() / 127.5 - 1
            seen = self.seen(both) * (1 + self.region(region))[:, :, None, None]
            return self.told(seen)[:, 0]

    return Cnn()


# -- how good it is -----------------------------------------------------------


class Marks(NamedTuple):
    """Of a discriminator on verdicts that it did not learn from."""

    accuracy: Interval
    """Share of decided verdicts that it would have given, 95 % over subjects."""
    cross_entropy: float
    """Nats; 0.693 is a coin."""
    calibration: float
    """Mean |share that came true - probability| over ten bins, weighted by their verdicts."""
    verdicts: int


def as_json(found: Marks) -> dict[str, Any]:
    """Plain numbers."""
    share = found.accuracy
    return {"accuracy": float(share.estimate), "low": float(share.low), "high": float(share.high),
            "subjects": share.clusters, "verdicts": found.verdicts,
            "cross_entropy": found.cross_entropy, "calibration": found.calibration}  # fmt: skip


def marks(judge: Discriminator, pairs: Judged, *, resamples: int = 1000) -> Marks:
    """Hold beliefs against verdicts; ties and split votes count in the entropy only."""
    told = judge.believes(pairs).probability
    decided = np.abs(pairs.won - 0.5) > 1e-9
    right = ((told > 0.5) == (pairs.won > 0.5)).astype(np.float64)[decided]
    subjects = pairs.subjects[decided]
    rows = list(np.column_stack([right, np.ones(len(right))]))
    found = cluster_bootstrap(by_key(rows, subjects.tolist()).sums, _share, resamples=resamples)
    return Marks(found, _entropy(told, pairs.won), expected_error(told, pairs.won), len(right))


def _share(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(sums[..., 0] / sums[..., 1])


def expected_error(told: NDArray[np.floating], won: NDArray[np.floating], bins: int = 10) -> float:
    """Expected calibration error; a pair stands in it with its likelier answer first."""
    sure = np.where(told >= 0.5, told, 1 - told)
    came = np.where(told >= 0.5, won, 1 - won)
    place = np.minimum(((sure - 0.5) * 2 * bins).astype(int), bins - 1)
    gaps = [abs(came[place == b].mean() - sure[place == b].mean()) * (place == b).sum()
            for b in range(bins) if (place == b).any()]  # fmt: skip
    return float(sum(gaps) / max(len(told), 1))


class Point(NamedTuple):
    """One point of a learning curve."""

    verdicts: int
    marks: Marks


def curve(
    learnt: Judged, tested: Judged, sizes: tuple[int, ...], lesson: Lesson | None = None
) -> tuple[Point, ...]:
    """Marks on `tested` after the first n verdicts, in an order drawn by the lesson's seed."""
    lesson = lesson or Lesson()
    if set(learnt.subjects.tolist()) & set(tested.subjects.tolist()):
        raise BadInput("subjects both learnt from and tested on", "each on one side")
    order = np.random.default_rng([lesson.seed, 0xC0]).permutation(len(learnt))
    return tuple(
        Point(size, marks(teach(learnt.some(order[:size]), lesson), tested))
        for size in sizes if size <= len(learnt)
    )  # fmt: skip
