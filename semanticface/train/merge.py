"""An adapter merged into its base model, and the proof that both say the same.

    W' = W + (alpha / rank) B A        (LoRA; DoRA scales the columns as well)

The merged model is saved, loaded again by its path, and held against base and adapter on
pictures of noise: the scores of every token of the adapter's own answers. Sums of floats
come out a little differently in another order, hence the tolerances; a merge that lost a
part is off by far more.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from semanticface.atomic import write_text
from semanticface.errors import BadInput, SemanticFaceError
from semanticface.train.decoding import Decoder
from semanticface.train.loading import Loaded, Source, load_model
from semanticface.train.manifest import read_manifest, task_of
from semanticface.train.predictor import load_run
from semanticface.train.processors import load_processor
from semanticface.train.runs import ADAPTER, MODEL, Run
from semanticface.train.seal import seal

TOLERANCE = {"float32": 1e-3, "bfloat16": 0.5, "float16": 0.1}
"""Largest difference of two scores (logits), by the type of the weights."""
_TOKENS = 256


class Proof(NamedTuple):
    """How far apart two models are on the same tokens."""

    largest: float
    """max |score - score'| over all tokens and words."""
    mean: float
    same: float
    """Share of tokens at which both find the same word likeliest."""
    tokens: int


def merge(folder: Path, out: Path, *, base: str | None = None, pictures: int = 2) -> Proof:
    """Merge a run's adapter into `out`, a run's folder itself; an error if they differ."""
    result = Run(folder).result()
    if result.name != ADAPTER:
        raise BadInput("a whole model", "a run with an adapter", file=folder)
    if out.exists():
        raise BadInput("a folder that exists", "a new one", file=out)
    held = read_manifest(folder / "manifest.json")
    task = task_of(held)
    loaded = load_run(folder, base, merged=True)
    shown = _noise(pictures)
    answers, before = _scored(loaded, task, shown)
    fresh = out.with_name(out.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    _save(loaded, folder, fresh, held)
    again = Loaded(load_model(Source(str(fresh / MODEL))), load_processor(fresh / MODEL))
    proof = _compared(before, _scores(again, task, shown, answers))
    dtype = str(again.model.dtype).removeprefix("torch.")
    if not proof.largest <= TOLERANCE[dtype]:  # scores that are no numbers prove nothing
        shutil.rmtree(fresh)
        raise SemanticFaceError(
            f"the merged model is not its adapter: scores differ by up to {proof.largest:.3g} "
            f"(tolerance {TOLERANCE[dtype]:g} for {dtype}), nothing was written"
        )
    fresh.rename(out)
    return proof


def _save(loaded: Loaded, folder: Path, fresh: Path, held: dict[str, Any]) -> None:
    merged = loaded.model.merge_and_unload()
    merged.save_pretrained(fresh / MODEL)
    loaded.processor.save_pretrained(fresh / MODEL)
    seal(fresh / MODEL)
    told = {**held, "merged_from": {"adapter_sha256": _sealed(folder / ADAPTER)}}
    write_text(fresh / "manifest.json", json.dumps(told, indent=1) + "\n")


def _sealed(adapter: Path) -> str:
    from hashlib import sha256

    return sha256((adapter / "hashes.json").read_bytes()).hexdigest()


def _noise(count: int) -> list[Any]:
    from PIL import Image

    draw = np.random.default_rng(0)
    return [Image.fromarray(draw.integers(0, 256, (112, 112, 3), np.uint8)) for _ in range(count)]


def _scored(loaded: Loaded, task: Any, shown: Sequence[Any]) -> tuple[list[list[int]], list[Any]]:
    """The model's own answers as tokens, and their scores."""
    decoder = Decoder.of(loaded.model.eval(), loaded.processor, task, _TOKENS)
    told = [each.text for each in decoder.answers(shown)]
    answers = [loaded.processor.tokenizer(text, add_special_tokens=False)["input_ids"]
               for text in told]  # fmt: skip
    return answers, _scores(loaded, task, shown, answers)


def _scores(loaded: Loaded, task: Any, shown: Sequence[Any], answers: list[list[int]]) -> list[Any]:
    """[tokens, words] for each picture, of the tokens of its answer."""
    import torch

    decoder = Decoder.of(loaded.model.eval(), loaded.processor, task, _TOKENS)
    found = []
    for picture, answer in zip(shown, answers, strict=True):
        inputs = dict(decoder.inputs([picture]))
        ids = torch.tensor([answer], device=inputs["input_ids"].device)
        for key, more in (("input_ids", ids), ("attention_mask", torch.ones_like(ids)),
                          ("mm_token_type_ids", torch.zeros_like(ids))):  # fmt: skip
            if key in inputs:
                inputs[key] = torch.cat([inputs[key], more.to(inputs[key].dtype)], 1)
        with torch.inference_mode():
            logits = loaded.model(**inputs, logits_to_keep=len(answer) + 1).logits[0]
        found.append(logits.float().cpu().numpy())
    return found


def _compared(some: Sequence[Any], other: Sequence[Any]) -> Proof:
    one, two = np.concatenate(some), np.concatenate(other)
    apart = np.abs(one - two)
    same = float((one.argmax(1) == two.argmax(1)).mean())
    return Proof(float(apart.max()), float(apart.mean()), same, len(one))
