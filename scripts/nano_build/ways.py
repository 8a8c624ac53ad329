"""Every way in which the packed model has learnt to answer, on the same held-out pictures.

Each way is decoded as `semanticface predict` decodes it, and ways that write text also by plain
greedy generation: how often that comes out as the format, to the letter, says whether the
form was learnt or is the grammar's work.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from nano_build import scoring
from nano_build.scoring import Array, Shown
from PIL import Image

from semanticface.language.consistency import Consistency, check
from semanticface.train.manifest import read_manifest
from semanticface.train.one_pass import Slots
from semanticface.train.predictor import Face, Predictor, opened

_BATCH = 25
_MOST = 1400


class Told(NamedTuple):
    """One way's answers."""

    faces: list[Face]
    free: float
    """Share of answers without a grammar that are the format to the letter; NaN of slots."""


def ways(cache: Path, asset: Path, count: int, free: int) -> tuple[str, dict[str, Any]]:
    """The table of `count` pictures, each person's in turn; `free` of them without a grammar."""
    held = scoring.shown(cache, "test")
    chosen = scoring.in_turn(held.people)[:count]
    held = Shown(*(each[chosen] for each in held))
    told = dict(_all(asset, held.pictures, free))
    values = {name: np.array([face.values for face in each.faces]) for name, each in told.items()}
    return _table(held, told, values), _figures(held, values)


def _all(asset: Path, pictures: Any, free: int) -> Iterator[tuple[str, Told]]:
    manifest = read_manifest(asset / "manifest.json")
    for each in [manifest["task"], *manifest.get("also", [])]:
        predictor = opened(asset, answer=each["answer"], stage=each["stage"])
        name = f"{each['stage']}/{each['answer']}"
        faces = [face for some in _images(pictures) for face in predictor.faces(some)]
        yield name, Told(faces, _free(predictor, pictures[:free]))


def _images(pictures: Any) -> Iterator[list[Image.Image]]:
    for begin in range(0, len(pictures), _BATCH):
        yield [Image.fromarray(each) for each in pictures[begin : begin + _BATCH]]


def _free(predictor: Predictor, pictures: Any) -> float:
    """Share of strict answers of plain greedy generation."""
    if isinstance(predictor.task.form, Slots) or not len(pictures):
        return float("nan")
    texts = [text for some in _images(pictures) for text in _generated(predictor, some)]
    strict = [predictor.task.read(text).outcome == "strict" for text in texts]
    return float(np.mean(strict))


def _generated(predictor: Predictor, pictures: list[Image.Image]) -> list[str]:
    import torch

    words = predictor.processor.tokenizer
    inputs = predictor.answerer.inputs(pictures)  # type: ignore[union-attr]
    with torch.inference_mode():
        out = predictor.model.generate(
            **inputs, max_new_tokens=_MOST, do_sample=False, pad_token_id=words.pad_token_id
        )
    told = out[:, inputs["input_ids"].shape[1] :]
    return list(words.batch_decode(told, skip_special_tokens=True,
                                   clean_up_tokenization_spaces=False))  # fmt: skip


def _table(held: Shown, told: dict[str, Told], values: dict[str, Array]) -> str:
    mean = held.values.mean(0)
    lines = [f"**Every way of answering** (n = {len(held.values)} pictures of "
             f"{len(set(held.subjects))} people)", "",
             "| | mean Pearson | MAE | tokens | strict | strict without a grammar | "
             "words true | words true of its own numbers |", "|---" * 8 + "|"]  # fmt: skip
    for name, row in scoring.table(held, values, mean).items():
        faces = told[name].faces
        tokens = np.mean([face.completion.tokens for face in faces])
        strict = np.mean([face.parsed is not None and face.parsed.report.outcome == "strict"
                          for face in faces])  # fmt: skip
        words = " | ".join(_borne_out(faces, each) for each in (held.values, values[name]))
        r, mae = scoring.spelt(row.pearson), scoring.spelt(row.mae)
        lines.append(f"| {name} | {r} | {mae} | {tokens:.0f} | {strict:.1%} | "
                     f"{told[name].free:.1%} | {words} |")  # fmt: skip
    first, *others = values
    for name in others:
        gap = [
            scoring.spelt(
                scoring.difference(held, values[name], values[first], figure, tracker=False)
            )
            for figure in ("pearson", "mae")
        ]
        lines += ["", f"{name} minus {first}: r {gap[0]}, MAE {gap[1]}"]
    return "\n".join(lines)


def _borne_out(faces: list[Face], truth: Array) -> str:
    """Share of the words' decided claims that the numbers bear out."""
    found: list[Consistency] = [
        check(face.words, row)
        for face, row in zip(faces, truth, strict=True)
        if face.words is not None
    ]
    true = sum(len(each.supported) for each in found)
    decided = true + sum(len(each.contradicted) for each in found)
    return f"{true / decided:.1%}" if decided else "-"


def _figures(held: Shown, values: dict[str, Array]) -> dict[str, Any]:
    rows = scoring.table(held, values, held.values.mean(0))
    return {name: {"pearson": row.pearson.estimate, "mae": row.mae.estimate}
            for name, row in rows.items()}  # fmt: skip
