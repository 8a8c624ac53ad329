"""Teach the small model's language half to write its answers out: JSON, and words before JSON.

At the names in its request the model knows the values already, so what it has to learn is to
spell them. The texts it learns from are therefore its own readings of the pictures, written
in the answer format, and its own readings in the rules' words: given the picture they are
certain, where the truth is not, and a likeliest digit is then the digit of an expected value.
What it could do before it goes on learning beside that, from the truth, as in the warm-up.

A face's tokens from the tower are computed once: the tower does not change here. What a lesson
changed can be put onto a later model of the same family, which then has less to learn.
"""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from nano_build.speaker import Speaker
from nano_build.tower import TOKENS, Seer, Sight, patches_of
from nano_build.views import WILD
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from semanticface.data.tasks import Task
from semanticface.language.describe import describe
from semanticface.rig import CHANNELS, mirror
from semanticface.train.loading import Source, load_model
from semanticface.train.nano import PIXELS
from semanticface.train.nano_tokenizer import END, IMAGE, SPECIAL, tokenizer, value_ids
from semanticface.train.seal import SEAL
from semanticface.train.sections import numbers_start

_LOG = logging.getLogger(__name__)
PROMPT = "image/names"
DECIMALS = 2
_DIGIT, _WORD, _SHAPE = 1.0, 0.3, 0.03
"""Weights of tokens: decimals of the numbers, words, and what is the same in every answer."""
_SLOW = 0.98
_FIRST, _COOLING = 20, 0.6
"""Steps in which the rate rises, and the share of the time in which it falls to zero."""


@dataclass(frozen=True)
class Settings:
    """Of the lesson."""

    minutes: float = 8.0
    """Of the processor."""
    faces: int = 3000
    rate: float = 1e-3
    batch: int = 3
    kept: int = 6
    """Faces for what it could do before, in every third step."""
    worded: int = 4
    """Every so many steps faces are put into words first."""
    seed: int = 0


class Lesson(NamedTuple):
    """What is learnt from."""

    sight: Sight
    truth: Tensor
    """[N, 61]."""
    read: NDArray[np.float32]
    """[N, 61] what the model itself reads."""


class Form:
    """One way of answering: its request, and answers as tokens."""

    def __init__(self, answer: str, stage: Any) -> None:
        self.task = Task.of(answer, stage, prompt=PROMPT, decimals=DECIMALS)
        self.words = tokenizer()
        asked = self.words.apply_chat_template(
            self.task.request(), tokenize=False, add_generation_prompt=True
        )
        self.request = self.words(asked.replace(IMAGE, IMAGE * TOKENS))["input_ids"]
        self.end = self.words.convert_tokens_to_ids(END)
        self.digits = set(self.words.convert_tokens_to_ids(list("0123456789")))

    def answer(self, values: NDArray[np.float32], seed: int) -> tuple[list[int], list[float]]:
        """Tokens and their weights."""
        words = describe(values.round(DECIMALS), seed=seed) if self.task.described else None
        text = self.task.form.write(values, words)
        told = self.words(text, return_offsets_mapping=True)
        first = numbers_start(self.task, text)
        spans = zip(told["input_ids"], told["offset_mapping"], strict=True)
        weights = [self._weight(i, text, *span, first) for i, span in spans]
        return [*told["input_ids"], self.end], [*weights, _SHAPE]

    def _weight(self, token: int, text: str, start: int, end: int, first: int) -> float:
        if start < first:
            return _WORD
        return _DIGIT if token in self.digits and text[end : end + 1] != "." else _SHAPE


def forms() -> tuple[Form, Form]:
    """What is taught: JSON alone, and words before JSON."""
    return Form("flat", "coefficients"), Form("two-key", "describe+coefficients")


class Writing:
    """A model, what it learns from, and the weights' running mean."""

    def __init__(self, model: Any, settings: Settings) -> None:
        self.model, self.settings = model, settings
        self.speaker = Speaker(model)
        self.forms = forms()
        self.language = torch.nn.ModuleList([model.model.language_model, model.lm_head])
        self.optimizer = torch.optim.AdamW(
            self.language.parameters(), lr=settings.rate, betas=(0.9, 0.98), weight_decay=0.0
        )
        self.picture = tokenizer().convert_tokens_to_ids(IMAGE)
        self.slow = {name: each.clone() for name, each in self.language.state_dict().items()}
        self.rng = np.random.default_rng(settings.seed)

    def learn(self, lesson: Lesson) -> list[dict[str, float]]:
        """All steps; losses of each."""
        begun, spent, told = time.process_time(), 0.0, []
        spread = lesson.truth.std(0)
        rows = self._rows(len(lesson.truth))
        while spent < 60 * self.settings.minutes:
            self._set_rates(spent / (60 * self.settings.minutes), len(told))
            form = self.forms[len(told) % self.settings.worded == self.settings.worded - 1]
            losses = self._losses(form, lesson, rows, spread, len(told))
            torch.stack(list(losses.values())).sum().backward()
            self.optimizer.step()
            self.optimizer.zero_grad()
            self._follow(len(told))
            told.append({k: float(v.detach()) for k, v in losses.items()})
            spent = time.process_time() - begun
            if len(told) % 20 == 0:
                _LOG.info("step %d %.0f s %s", len(told), spent, _means(told[-20:]))
        self.language.load_state_dict(self.slow)
        return told

    def _losses(
        self, form: Form, lesson: Lesson, rows: Iterator[int], spread: Tensor, step: int
    ) -> dict[str, Tensor]:
        some = [next(rows) for _ in range(self.settings.batch)]
        sight = _part(lesson.sight, some)
        told = {form.task.form.key: self._written(form, sight, lesson.read[some])}
        if step % 3 == 0:
            some = [next(rows) for _ in range(self.settings.kept)]
            sight = _part(lesson.sight, some)
            told["kept"] = self.speaker(sight, lesson.truth[some], spread, late=True).loss
        return told

    def _written(self, form: Form, sight: Sight, values: NDArray[np.float32]) -> Tensor:
        """Weighed cross-entropy of the answers, given what stands before each token."""
        made = [form.answer(each, int(self.rng.integers(1 << 30))) for each in values]
        width, asked = max(len(ids) for ids, _ in made), len(form.request)
        ids = torch.tensor([form.request + a + [0] * (width - len(a)) for a, _ in made])
        weights = torch.tensor([w + [0.0] * (width - len(w)) for _, w in made])
        logs = self.model.lm_head(self._through(sight, ids)[:, asked - 1 : -1])
        loss = functional.cross_entropy(
            logs.flatten(0, 1), ids[:, asked:].flatten(), reduction="none"
        )
        return (loss * weights.flatten()).sum() / weights.sum()

    def _through(self, sight: Sight, ids: Tensor) -> Tensor:
        seen = ids[0] == self.picture
        language = self.model.model.language_model
        first, last = int(seen.nonzero()[0]), int(seen.nonzero()[-1]) + 1
        held = language.embed_tokens(ids)
        held = torch.cat([held[:, :first], sight.tokens, held[:, last:]], 1)
        side = PIXELS // self.model.config.vision_config.patch_size
        places = self.model.model.get_rope_index(
            ids[:1], seen[None].int(), image_grid_thw=torch.tensor([[1, side, side]])
        )[0]
        return language(
            inputs_embeds=held, position_ids=places.expand(-1, len(ids), -1),
            visual_pos_masks=seen.expand(len(ids), -1),
            deepstack_visual_embeds=[sight.deep.flatten(0, 1)], use_cache=False,
        ).last_hidden_state  # fmt: skip

    def _rows(self, count: int) -> Iterator[int]:
        while True:
            yield from self.rng.permutation(count).tolist()

    def _set_rates(self, done: float, step: int) -> None:
        rate = min(1.0, (step + 1) / _FIRST, (1 - done) / _COOLING)
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.rate * rate

    @torch.no_grad()
    def _follow(self, step: int) -> None:
        keep = min(_SLOW, (1 + step) / (10 + step))
        for name, each in self.language.state_dict().items():
            self.slow[name].lerp_(each, 1 - keep)


@torch.no_grad()
def lesson(model: Any, cache: Path, settings: Settings) -> Lesson:
    """Faces of training chunks, every other one mirrored, half of them without habits."""
    rng = np.random.default_rng(settings.seed)
    pictures, truth = _faces(cache, settings.faces, rng)
    for i in np.flatnonzero(rng.random(len(truth)) < 0.5):
        pictures[i], truth[i] = pictures[i, :, ::-1], mirror(truth[i])
    seer, speaker = Seer(model.model.visual).eval(), Speaker(model).eval()
    parts, read = [], []
    for begin in range(0, len(truth), 50):
        sight = seer(patches_of(torch.from_numpy(pictures[begin : begin + 50])))
        parts.append(sight)
        read.append(speaker.read_again(sight))
    whole = Sight(*(torch.cat(each) for each in zip(*parts, strict=True)))
    return Lesson(whole, torch.from_numpy(truth), torch.cat(read).numpy())


def _faces(
    cache: Path, count: int, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    files = sorted(cache.glob("train-?????.npz"))
    wild = [int(each.stem[-5:]) >= WILD for each in files]
    pictures, values = [], []
    for kind in {*wild}:
        of_kind = [file for file, is_wild in zip(files, wild, strict=True) if is_wild == kind]
        chosen = rng.permutation(len(of_kind))[: 1 + count // 2000]
        for number in chosen:
            with np.load(of_kind[number]) as chunk:
                some = rng.permutation(len(chunk["values"]))[
                    : count // (len({*wild}) * len(chosen))
                ]
                pictures.append(chunk["pictures"][some])
                values.append(chunk["values"][some])
    return np.concatenate(pictures), np.concatenate(values)


def set_text(model: Any) -> None:
    """Text begins as likely as values, and digits alike the values whose decimals they are."""
    words = tokenizer()
    held = model.get_input_embeddings().weight
    with torch.no_grad():
        values = held[list(value_ids(words))][-101:-1]  # 0.00 to 0.99
        middle = values.mean(0)
        towards = middle / middle.norm()
        text = [*set(range(len(words))).difference(_taught(words))]
        held[text] += torch.outer(middle.norm() - held[text] @ towards, towards)
        tens = values.unflatten(0, (10, 10)).mean(1) - middle
        ones = values.unflatten(0, (10, 10)).mean(0) - middle
        digits = middle + tens + ones * tens.norm() / ones.norm()
        held[words.convert_tokens_to_ids(list("0123456789"))] = digits


def _taught(words: Any) -> list[int]:
    """Tokens whose meaning the model knows: values, names and special ones."""
    known = [*SPECIAL, *(each.label for each in CHANNELS)]
    return [*value_ids(words), *words.convert_tokens_to_ids(known)]


def _part(sight: Sight, rows: list[int]) -> Sight:
    return Sight(*(each[rows] for each in sight))


def _means(told: list[dict[str, float]]) -> str:
    names = sorted({name for each in told for name in each})
    return " ".join(
        f"{name} {np.mean([each[name] for each in told if name in each]):.4f}" for name in names
    )


def teach(began: Path, to: Path, cache: Path, settings: Settings, change: Path | None) -> None:
    """The model of the folder `began` after a lesson, in the folder `to`: its files, what the
    lesson changed (`change.safetensors`) and how it went (`lesson.json`)."""
    model = load_model(Source(str(began), "float32")).train()
    learnt_from = lesson(model, cache, settings)
    before = _weights(model)
    if change is None:
        set_text(model)
    else:
        _add(model, change)
    told = Writing(model, settings).learn(learnt_from)
    made = to.with_name(f"{to.name}.part")
    shutil.rmtree(made, ignore_errors=True)
    shutil.copytree(began, made, ignore=shutil.ignore_patterns("*.safetensors", SEAL))
    model.save_pretrained(made)
    after = _weights(model)
    save_file({name: after[name] - each for name, each in before.items()},
              made / "change.safetensors")  # fmt: skip
    how = asdict(settings) | {"steps": len(told), "went_on": change is not None, "losses": told}
    (made / "lesson.json").write_text(json.dumps(how), encoding="utf-8")
    shutil.rmtree(to, ignore_errors=True)
    made.rename(to)


def _weights(model: Any) -> dict[str, Tensor]:
    """The language half's, by name."""
    held = model.model.language_model.state_dict()
    return {name: each.detach().clone() for name, each in held.items()}


@torch.no_grad()
def _add(model: Any, change: Path) -> None:
    held = model.model.language_model.state_dict()
    for name, each in load_file(change).items():
        held[name] += each
