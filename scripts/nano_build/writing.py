"""Teach the small model's language half to write its answers out: JSON, and words before JSON.

At the names in its request the model knows the values already, so what it has to learn is to
spell them. The texts it learns from are therefore its own readings of the pictures, written
in the answer format, and its own readings in the rules' words: given the picture they are
certain, where the truth is not, and a likeliest digit is then the digit of an expected value.

What it could do before is held fast beside that: wherever a value is read in one pass or decoded,
its distribution is pulled to what it was before the lesson (learning without forgetting, Li and
Hoiem 2016), by

    KL(before || now) + bent |E before - E now| in deviations of the coefficient

The truth instead, of the lesson's few faces, was learnt by heart: the one-pass error on others
grew by a fifth.

A face's tokens from the tower are computed once: the tower does not change here. What a lesson
changed can be put onto a later model of the same family, which then has less to learn.
"""

from __future__ import annotations

import copy
import json
import logging
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from nano_build.names import Names
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
_DIGIT, _WORD, _SHAPE = 1.0, 0.3, 0.1
"""Weights of tokens: decimals of the numbers, words, and what is the same in every answer."""
_BEND = 0.1
"""Deviations from which a changed value counts by its size, no longer by its square."""
_SLOW = 0.98
_NAMES_RATE = 3e-3
_SAVED_EVERY = 60.0
"""Seconds of the processor."""
_STATE = "state.pt"
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
    """Faces for what it could do before."""
    every: int = 2
    """Every so many steps these come: a lesson of all steps forgets least."""
    worded: int = 2
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
    """A model, what it learns from, and how far it is."""

    def __init__(
        self, model: Any, settings: Settings, lesson: Lesson, before: Speaker | None = None
    ) -> None:
        """`before` is what the model was before anything of a lesson; without it, what it is."""
        self.model, self.settings, self.lesson = model, settings, lesson
        self.before = before or as_it_is(model)
        self.speaker = Speaker(model)
        self.forms = forms()
        self.picture = tokenizer().convert_tokens_to_ids(IMAGE)
        self.language = torch.nn.ModuleList([model.model.language_model, model.lm_head])
        self.names = Names(model, lesson.read)
        self._fit_names()
        learning = [{"params": self.language.parameters(), "lr": settings.rate},
                    {"params": self.names.parameters(), "lr": _NAMES_RATE}]  # fmt: skip
        self.optimizer = torch.optim.AdamW(learning, betas=(0.9, 0.98), weight_decay=0.0)
        self.slow = {name: each.clone() for name, each in self.language.state_dict().items()}
        self.rng = np.random.default_rng(settings.seed)
        self.seconds, self.losses = 0.0, list[dict[str, float]]()

    @torch.no_grad()
    def _fit_names(self, faces: int = 100) -> None:
        """From what the model holds at the request's names before the lesson."""
        request = torch.tensor(self.forms[0].request)
        values = torch.from_numpy(self.lesson.read[:faces])
        held = []
        for rows in torch.arange(len(values)).split(20):
            ids = request.expand(len(rows), -1)
            self._through(_part(self.lesson.sight, rows.tolist()), ids)
            held.append(self.names.at_names(ids))
        self.names.fit(torch.cat(held), values)

    def learn(self, kept: Path) -> None:
        """What is left of the time; now and then everything is kept in the folder."""
        begun, before, saved = time.process_time(), self.seconds, self.seconds
        while self.seconds < 60 * self.settings.minutes:
            self.losses.append(self._step())
            self.seconds = before + time.process_time() - begun
            if len(self.losses) % 20 == 0:
                said = _means(self.losses[-20:])
                _LOG.info("step %d %.0f s %s", len(self.losses), self.seconds, said)
            if self.seconds - saved > _SAVED_EVERY:
                self.save(kept)
                saved = self.seconds
        self.language.load_state_dict(self.slow)

    def _step(self) -> dict[str, float]:
        step = len(self.losses)
        self._set_rates(self.seconds / (60 * self.settings.minutes), step)
        form = self.forms[step % self.settings.worded == self.settings.worded - 1]
        told = self._written(form, self._some(self.settings.batch))
        if step % self.settings.every == 0:
            told["kept"] = self._kept(self._some(self.settings.kept))
        torch.stack(list(told.values())).sum().backward()
        self.optimizer.step()
        self.optimizer.zero_grad()
        self._follow(step)
        return {name: float(each.detach()) for name, each in told.items()}

    def _some(self, count: int) -> list[int]:
        return self.rng.choice(len(self.lesson.truth), count, replace=False).tolist()  # type: ignore[no-any-return]

    def _kept(self, rows: list[int]) -> Tensor:
        """How far it has gone from what it could do before."""
        sight, read = _part(self.lesson.sight, rows), torch.from_numpy(self.lesson.read[rows])
        with torch.no_grad():
            wanted = self.before.beliefs(sight, read)
        now = self.speaker.beliefs(sight, read)
        apart = functional.kl_div(now, wanted, reduction="none", log_target=True).sum(-1).mean()
        spread = self.names.spread.repeat(2)
        values = [speaker.expected(each) / spread
                  for speaker, each in ((self.speaker, now), (self.before, wanted))]  # fmt: skip
        return apart + functional.smooth_l1_loss(*values, beta=_BEND)

    def _written(self, form: Form, rows: list[int]) -> dict[str, Tensor]:
        """Weighed cross-entropy of the answers, given what stands before each token; and how far
        off the values are that can be read at the names."""
        values = self.lesson.read[rows]
        made = [form.answer(each, int(self.rng.integers(1 << 30))) for each in values]
        width, asked = max(len(ids) for ids, _ in made), len(form.request)
        ids = torch.tensor([form.request + a + [0] * (width - len(a)) for a, _ in made])
        weights = torch.tensor([w + [0.0] * (width - len(w)) for _, w in made])
        hidden = self._through(_part(self.lesson.sight, rows), ids)[:, asked - 1 : -1]
        loss = functional.cross_entropy(
            self.model.lm_head(hidden).flatten(0, 1), ids[:, asked:].flatten(), reduction="none"
        )
        told = (loss * weights.flatten()).sum() / weights.sum()
        return {form.task.form.key: told, "names": self.names.loss(ids, torch.from_numpy(values))}

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

    def _set_rates(self, done: float, step: int) -> None:
        rate = min(1.0, (step + 1) / _FIRST, (1 - done) / _COOLING)
        for group, full in zip(
            self.optimizer.param_groups, (self.settings.rate, _NAMES_RATE), strict=True
        ):
            group["lr"] = full * rate

    @torch.no_grad()
    def _follow(self, step: int) -> None:
        keep = min(_SLOW, (1 + step) / (10 + step))
        for name, each in self.language.state_dict().items():
            self.slow[name].lerp_(each, 1 - keep)

    def save(self, folder: Path) -> None:
        """Everything that a later start needs."""
        state = {
            "language": self.language.state_dict(), "slow": self.slow,
            "names": self.names.state_dict(), "optimizer": self.optimizer.state_dict(),
            "seconds": self.seconds, "losses": self.losses, "rng": self.rng.bit_generator.state,
        }  # fmt: skip
        torch.save(state, folder / "state.part")
        (folder / "state.part").replace(folder / _STATE)

    def resume(self, folder: Path) -> None:
        """Go on from where it was kept."""
        state = torch.load(folder / _STATE, weights_only=False)
        self.language.load_state_dict(state["language"])
        self.names.load_state_dict(state["names"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.slow, self.seconds, self.losses = state["slow"], state["seconds"], state["losses"]
        self.rng.bit_generator.state = state["rng"]


def as_it_is(model: Any) -> Speaker:
    """A copy of the language half that no lesson changes."""
    held = copy.deepcopy(Speaker(model))
    return held.requires_grad_(False).eval()


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
    lesson changed (`change.safetensors`) and how it went (`lesson.json`). Goes on where it was
    stopped."""
    made = to.with_name(f"{to.name}.part")
    made.mkdir(parents=True, exist_ok=True)
    model = load_model(Source(str(began), "float32")).train()
    learnt_from = _lesson_kept(model, cache, settings, made / "lesson.pt")
    before, spoke = _weights(model), as_it_is(model)
    if change is None:
        set_text(model)
    else:
        _add(model, change)
    writing = Writing(model, settings, learnt_from, spoke)
    if (made / _STATE).is_file():
        writing.resume(made)
    writing.learn(made)
    _save(writing, began, to, before, change is not None)
    shutil.rmtree(made)


def _save(
    writing: Writing, began: Path, to: Path, before: dict[str, Tensor], went_on: bool
) -> None:
    shutil.rmtree(to, ignore_errors=True)
    skipped = shutil.ignore_patterns("*.safetensors", SEAL)
    shutil.copytree(began, to, ignore=skipped)
    writing.model.save_pretrained(to)
    after = _weights(writing.model)
    changed = {name: after[name] - each for name, each in before.items()}
    save_file(changed, to / "change.safetensors")
    how = asdict(writing.settings) | {
        "steps": len(writing.losses), "seconds": round(writing.seconds), "went_on": went_on,
        "losses": writing.losses,
    }  # fmt: skip
    (to / "lesson.json").write_text(json.dumps(how), encoding="utf-8")


def _lesson_kept(model: Any, cache: Path, settings: Settings, file: Path) -> Lesson:
    """The lesson, read once."""
    if not file.is_file():
        made = lesson(model, cache, settings)
        torch.save((tuple(made.sight), made.truth, made.read), file)
    sight, truth, read = torch.load(file, weights_only=False)
    return Lesson(Sight(*sight), truth, read)


def _weights(model: Any) -> dict[str, Tensor]:
    """The language half's, by name."""
    held = model.model.language_model.state_dict()
    return {name: each.detach().clone() for name, each in held.items()}


@torch.no_grad()
def _add(model: Any, change: Path) -> None:
    held = model.model.language_model.state_dict()
    for name, each in load_file(change).items():
        held[name] += each
