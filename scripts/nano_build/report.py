"""The packed model beside guesses and a tracker, as a table in Markdown and as figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from nano_build import scoring, views
from nano_build.scoring import Array, Row, Shown
from nano_build.speaker import PROMPT, Speaker
from nano_build.tower import Seer, patches_of
from PIL import Image

from semanticface.data.tasks import Task
from semanticface.metrics.statistics import Interval
from semanticface.rig import CHANNELS, COUNT
from semanticface.train.predictor import Predictor, opened

_BATCH = 50
WHOLE = "small model, 61 tokens decoded"
ONE = "small model, one pass"


class Read(NamedTuple):
    """What the model says of pictures, [N, 61] each."""

    one_pass: Array
    """What `semanticface predict` answers: expected values at the slots."""
    decoded: Array
    """Value tokens, one after the other, the likeliest each."""
    early: Array
    """Expected values at the names in the request itself."""


def report(
    cache: Path, asset: Path, tracker: Path | None, wide: int
) -> tuple[str, dict[str, Any]]:  # fmt: skip
    """All rows; MediaPipe's only where its environment is given."""
    held, val = scoring.shown(cache, "test"), scoring.shown(cache, "val")
    mean = _mean(cache)
    told = _own(held, opened(asset)) | {
        "all zero": np.zeros_like(held.values),
        "mean of the training faces": np.broadcast_to(mean, held.values.shape),
    }
    texts = [_shown("All channels", held, scoring.table(held, told, mean))]
    figures = {"all": _plain(scoring.table(held, told, mean))}
    if tracker is not None:
        more = told | _tracked(held, val, tracker, cache)
        rows = scoring.table(held, more, mean, beside_tracker=True)
        texts.append(_shown("The channels that MediaPipe has", held, rows))
        figures["beside_tracker"] = _plain(rows)
        texts += _differences(held, more)
        texts.append(_wider(held, told, tracker, mean, wide, cache))
    texts.append(_channels(held, told[ONE], told[WHOLE]))
    return "\n\n".join(texts) + "\n", figures


def read(predictor: Predictor, pictures: np.ndarray[Any, Any]) -> Read:
    """By the package's own predictor in both ways, and at the request's names."""
    model = predictor.model
    spelt = replace(predictor, task=Task.of("tokens", "coefficients", prompt=PROMPT))
    seer, speaker = Seer(model.model.visual).eval(), Speaker(model).eval()
    once: list[Array] = []
    decoded: list[Array] = []
    early: list[Array] = []
    for batch in _batches(pictures):
        images = [Image.fromarray(each) for each in batch]
        once += [face.values for face in predictor.faces(images)]
        decoded += [face.values for face in spelt.faces(images)]
        with torch.no_grad():
            early.append(speaker.read(seer(patches_of(torch.from_numpy(batch)))).numpy())
    return Read(np.array(once), np.array(decoded), np.concatenate(early))


def _own(held: Shown, predictor: Predictor) -> dict[str, Array]:
    told = read(predictor, held.pictures)
    return {ONE: told.one_pass, WHOLE: told.decoded,
            "small model, at the request's own names": told.early}  # fmt: skip


def _batches(pictures: np.ndarray[Any, Any]) -> Iterator[np.ndarray[Any, Any]]:
    for begin in range(0, len(pictures), _BATCH):
        yield pictures[begin : begin + _BATCH]


def _mean(cache: Path) -> Array:
    files = sorted(cache.glob("train-?????.npz"))[:20]
    return np.asarray(np.concatenate([np.load(file)["values"] for file in files]).mean(0))


def _tracked(held: Shown, val: Shown, tracker: Path, cache: Path) -> dict[str, Array]:
    raw = scoring.tracked(tracker, held.pictures, cache)
    line = scoring.fitted(scoring.tracked(tracker, val.pictures, cache), val.values)
    return {"MediaPipe": raw, "MediaPipe, a line a channel fitted on other faces": line(raw)}


def _wider(
    held: Shown, told: dict[str, Array], tracker: Path, mean: Array, chunks: int, cache: Path
) -> str:  # fmt: skip
    """MediaPipe on pictures as it likes them: the whole head at 256 pixels."""
    count = chunks * views.CHUNK
    some = Shown(*(each[:count] for each in held))
    drawn = scoring.drawn_wider("test", range(chunks), 256)
    rows = {f"{name}, 112 px face": each[:count] for name, each in told.items()
            if name in (WHOLE, ONE)}  # fmt: skip
    rows["MediaPipe, 256 px head"] = scoring.tracked(tracker, drawn, cache)
    return _shown("The same faces, the tracker shown the whole head at 256 pixels", some,
                  scoring.table(some, rows, mean, beside_tracker=True))  # fmt: skip


def _differences(held: Shown, told: dict[str, Array]) -> list[str]:
    lines = []
    for figure in ("pearson", "mae"):
        gap = scoring.difference(held, told[ONE], told["MediaPipe"], figure)
        lines.append(f"{ONE} minus MediaPipe, {figure}, pictures in which both answer: "
                     f"{scoring.spelt(gap)}")  # fmt: skip
    return lines


def _shown(title: str, held: Shown, rows: dict[str, Row]) -> str:
    people = len(set(held.subjects))
    lines = [f"**{title}** (n = {len(held.values)} pictures of {people} people)", "",
             "| | mean Pearson | channels | MAE | of the mean's | MAE where active | missing |",
             "|---|---|---|---|---|---|---|"]  # fmt: skip
    for name, row in sorted(rows.items(), key=lambda each: each[1].mae.estimate):
        r, mae, active = (scoring.spelt(each) for each in (row.pearson, row.mae, row.active_mae))
        lines.append(f"| {name} | {r} | {row.channels} | {mae} | {row.ratio:.2f} | {active} | "
                     f"{row.missing:.1%} |")  # fmt: skip
    return "\n".join(lines)


def _channels(held: Shown, once: Array, decoded: Array) -> str:
    lines = ["| channel | r, one pass | r, decoded | MAE, one pass | MAE, decoded | mean's |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    guess = np.abs(held.values - held.values.mean(0)).mean(0)
    for i in range(COUNT):
        pair = [np.corrcoef(each[:, i], held.values[:, i])[0, 1] if each[:, i].std() > 0
                else float("nan") for each in (once, decoded)]  # fmt: skip
        off = [np.abs(each[:, i] - held.values[:, i]).mean() for each in (once, decoded)]
        lines.append(f"| {CHANNELS[i].name} | {pair[0]:.2f} | {pair[1]:.2f} | {off[0]:.3f} | "
                     f"{off[1]:.3f} | {guess[i]:.3f} |")  # fmt: skip
    return "\n".join(lines)


def _plain(rows: dict[str, Row]) -> dict[str, Any]:
    return {
        name: {key: [each.estimate, each.low, each.high] if isinstance(each, Interval) else each
               for key, each in row._asdict().items()}
        for name, row in rows.items()
    }  # fmt: skip
