"""What the small model believes of held-out faces, by transformers: sequential and in one pass.

    python scripts/bench/serve_beliefs.py [--model RUN] [--pictures 1000] [--faces FOLDER]

Ways of the same weights to 61 numbers:

* one pass: the distributions at the slots, their means;
* decoded: value tokens one after the other, the likeliest each (what a server does), or with
  the mean of each distribution read off along the way;
* refined: all value tokens of an estimate are put in at once and every channel is read again
  given those before it; the first estimate is that of one pass. Each pass is one prefill.

A belief is the distribution p over a channel's legal values. With v what it says and t the truth:

    NLL        -log p(t), t rounded to the value tokens' step; over a face the sum of 61. Given
               the true tokens before, this is what the sequential model says of whole faces
    coverage   share of t between the 5 and the 95 % quantile, asked: 0.90 (PIT, ties at random)
    KS         the largest distance of PIT's distribution from the uniform one
    stated     mean of the belief within 0.05 of v;  hit: share of |v - t| <= 0.05
    ECE        mean |stated - hit| over ten bins of the stated confidence, by their sizes
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray
from serve_faces import held_out, mean_of_training

from semanticface.data.tasks import Task
from semanticface.metrics.clusters import by_key
from semanticface.metrics.interval import Interval
from semanticface.metrics.statistics import cluster_bootstrap
from semanticface.rig import COUNT
from semanticface.serve import one_pass
from semanticface.train.one_pass import NEAR, Opening
from semanticface.train.predictor import Predictor, opened

Floats = NDArray[np.float64]
ASSET = Path(__file__).resolve().parents[2] / "semanticface" / "train" / "assets" / "nano"
_BATCH = 25
_BINS = np.linspace(0, 1, 11)


class Belief(NamedTuple):
    """Of N faces."""

    odds: Floats
    """[N, 61, V], 1 in sum over the values that a channel may have."""
    values: Floats
    """[N, 61], what is answered."""

    @property
    def means(self) -> Floats:
        """[N, 61] expected values."""
        return np.asarray(self.odds @ one_pass.grid())

    @property
    def confidence(self) -> Floats:
        """[N, 61] belief within 0.05 of the answer."""
        near = np.abs(one_pass.grid() - self.values[..., None]) <= NEAR + 1e-9
        return np.asarray((self.odds * near).sum(-1))


class Sharpness(NamedTuple):
    """How honest a belief is; by the module's formulas, intervals over people."""

    nll: Interval
    coverage: Interval
    stated: Interval
    hit: Interval
    ece: float
    ks: float


class Reader:
    """Reads distributions off one model, whatever stands in the answer's place."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor
        self.words = predictor.processor.tokenizer
        self.task = Task.of("tokens", "coefficients", prompt=predictor.task.prompt)
        self.filled: Opening = predictor.answerer.filled  # type: ignore[union-attr]
        self.ids = self.words.convert_tokens_to_ids(list(one_pass.vocabulary()))
        self.order = list(self.task.form.channels)

    def slots(self, pictures: NDArray[np.uint8]) -> Floats:
        """[N, 61, V] at the slots, in table order."""
        return self._odds(pictures, [self.filled.text] * len(pictures), 0)

    def given(self, pictures: NDArray[np.uint8], told: Floats) -> Floats:
        """[N, 61, V]: each channel given what `told` [N, 61] says of those before it."""
        return self._odds(pictures, [self.task.form.write(each) for each in told], 1)

    def decoded(self, pictures: NDArray[np.uint8]) -> Floats:
        """[N, 61]: the likeliest value tokens, one after the other."""
        from PIL import Image

        speaking = replace(self.predictor, task=self.task)
        rows = []
        for batch in _batches(len(pictures)):
            images = [Image.fromarray(each) for each in pictures[batch]]
            rows += [face.values for face in speaking.faces(images)]
        return np.array(rows, np.float64)

    def _odds(self, pictures: NDArray[np.uint8], told: list[str], back: int) -> Floats:
        held = [self._batch(pictures[b], told[b], back) for b in _batches(len(pictures))]
        return np.concatenate(held)

    def _batch(self, pictures: NDArray[np.uint8], told: list[str], back: int) -> Floats:
        """`back` tokens before each of the answer's stands what it is to be."""
        import torch
        from PIL import Image

        request = self.predictor.answerer.request
        inputs = self.predictor.processor(
            images=[[Image.fromarray(each)] for each in pictures], padding=True,
            padding_side="left", text=[request + each for each in told], return_tensors="pt",
            add_special_tokens=False,
        )  # fmt: skip
        with torch.inference_mode():
            kept = self.predictor.model(**inputs, logits_to_keep=COUNT + back).logits[:, :COUNT]
        logs = kept.log_softmax(-1)[..., self.ids].double().numpy()
        table = np.zeros_like(logs)
        table[:, self.order] = np.exp(logs)
        return normal(table)


def normal(odds: Floats) -> Floats:
    """Over the legal values, 1 in sum."""
    odds = np.where(one_pass.legal(), odds, 0.0)
    return np.asarray(odds / odds.sum(-1, keepdims=True))


def refined(
    reader: Reader, pictures: NDArray[np.uint8], first: Floats, passes: int
) -> list[Belief]:
    """Beliefs after one, two ... passes more."""
    found, values = [], first
    for _ in range(passes):
        odds = reader.given(pictures, values)
        found.append(Belief(odds, np.asarray(odds @ one_pass.grid())))
        values = found[-1].values
    return found


def sharpness(belief: Belief, truth: Floats, people: list[str]) -> Sharpness:
    """All of it."""
    place = np.argmin(np.abs(one_pass.grid() - truth[..., None]), axis=-1)[..., None]
    at = np.take_along_axis(belief.odds, place, -1)[..., 0]
    below = np.take_along_axis(belief.odds.cumsum(-1), place, -1)[..., 0] - at
    pit = below + at * np.random.default_rng(0).random(at.shape)
    hit = np.abs(belief.values - truth) <= NEAR + 1e-9
    stated = belief.confidence
    each = [-np.log(np.maximum(at, 1e-12)).sum(1, keepdims=True), (pit > 0.05) & (pit < 0.95),
            stated, hit]  # fmt: skip
    intervals = [mean_of(table, people) for table in each]
    return Sharpness(*intervals, calibration_error(stated, hit), uniform_distance(pit))


def mean_of(table: NDArray[Any], people: list[str]) -> Interval:
    """Mean over rows and columns, people drawn again."""
    keys = sorted(set(people))
    rows = {who: [i for i, each in enumerate(people) if each == who] for who in keys}
    sums = [np.array([table[rows[who]].sum(), table[rows[who]].size], np.float64) for who in keys]
    return cluster_bootstrap(by_key(sums, keys).sums, lambda held: held[:, 0] / held[:, 1])


def calibration_error(stated: Floats, hit: NDArray[np.bool_]) -> float:
    """ECE over ten bins."""
    places = np.clip(np.digitize(stated.ravel(), _BINS) - 1, 0, 9)
    gaps = [abs(stated.ravel()[places == n].mean() - hit.ravel()[places == n].mean())
            * (places == n).mean() for n in range(10) if (places == n).any()]  # fmt: skip
    return float(np.sum(gaps))


def uniform_distance(pit: Floats) -> float:
    """Kolmogorov and Smirnov's."""
    held = np.sort(pit.ravel())
    return float(np.abs(held - np.arange(1, len(held) + 1) / len(held)).max())


def _batches(count: int) -> list[slice]:
    return [slice(n, min(n + _BATCH, count)) for n in range(0, count, _BATCH)]


def beliefs(reader: Reader, pictures: NDArray[np.uint8], passes: int) -> dict[str, Belief]:
    """By way."""
    slots = reader.slots(pictures)
    once = Belief(slots, np.asarray(slots @ one_pass.grid()))
    spoken = reader.decoded(pictures)
    along = reader.given(pictures, spoken)
    found = {"one pass": once, "decoded, the likeliest": Belief(along, spoken),
             "decoded, means along the way": Belief(along, along @ one_pass.grid())}  # fmt: skip
    for n, each in enumerate(refined(reader, pictures, once.values, passes), 1):
        found[f"refined, {n} pass{'es' if n > 1 else ''} more"] = each
        if n == 1:
            found["one pass and refined once, halved"] = halved(once, each)
    return found


def halved(one: Belief, other: Belief) -> Belief:
    """The mean of two beliefs."""
    odds = (one.odds + other.odds) / 2
    return Belief(odds, np.asarray(odds @ one_pass.grid()))


def main() -> None:
    from nano_build.scoring import difference, spelt, table

    options = _options()
    shown = held_out(options.faces, options.pictures)
    reader = Reader(opened(options.model))
    found = beliefs(reader, shown.pictures, options.passes)
    whole = reader.given(shown.pictures, shown.values.astype(np.float64))
    found["sequential, the true values before"] = Belief(whole, whole @ one_pass.grid())
    mean = mean_of_training()
    told: dict[str, Any] = {name: each.values for name, each in found.items()}
    told |= {"all zero": np.zeros_like(shown.values),
             "mean of training faces": np.broadcast_to(mean, shown.values.shape)}  # fmt: skip
    if options.save is not None:
        np.savez(options.save, **{key: np.asarray(each, np.float32) for key, each in told.items()})
    scores = table(shown, told, mean)
    print(f"{len(shown.values)} pictures of {len(set(shown.subjects))} people\n")
    print("| | r | MAE | NLL a face | coverage of 90 % | stated | hit | ECE | KS |")
    print("|---" * 9 + "|")
    for name in told:
        row = [spelt(scores[name].pearson), spelt(scores[name].mae)]
        row += _cells(found.get(name), shown, spelt)
        print(f"| {name} | {' | '.join(row)} |", flush=True)
    for name in list(found)[1:]:
        for figure in ("pearson", "mae"):
            gap = difference(shown, told[name], told["one pass"], figure, tracker=False)
            print(f"{name} minus one pass, {figure}: {spelt(gap)}", flush=True)


def _cells(belief: Belief | None, shown: Any, spelt: Callable[[Interval], str]) -> list[str]:
    if belief is None:
        return ["-"] * 6
    held = sharpness(belief, shown.values.astype(np.float64), shown.subjects)
    nll = f"{held.nll.estimate:.1f} [{held.nll.low:.1f}, {held.nll.high:.1f}]"
    return [nll, *map(spelt, (held.coverage, held.stated, held.hit)), f"{held.ece:.3f}",
            f"{held.ks:.3f}"]  # fmt: skip


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, default=ASSET)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--faces", type=Path, default=Path("build/bench-faces"))
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--save", type=Path, help="values of every way, as an .npz")
    return parser.parse_args()


if __name__ == "__main__":
    main()
