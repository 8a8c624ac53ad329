"""What readers are taught: formats, words before or beside the numbers, losses, other people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from nano_build import views
from torch import Tensor

from semanticface.rig import COUNT
from semanticface.train.objective import number_loss
from small_reader import answers, study
from small_reader.compare import LEARN, Arm, Asked, Found
from small_reader.reader import IGNORED, Reader
from small_reader.sight import SUBSET, Faces, faces

MOST = 160
NUMBER_LOSS = 0.3
"""Its weight beside cross-entropy, as in the packaged model's own training."""
PICTURES = 1000
"""That each number of people has between them."""


def tokens(asked: Asked) -> Found:
    """A value token a channel, written one after the other."""
    return _spoken(asked, study.cross_entropy)


def with_number_loss(asked: Asked) -> Found:
    """The same with the number-token loss beside cross-entropy."""
    reader = Reader(asked.seed)
    distance = number_loss(reader.text, len(reader.text), values=True)

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        far: Tensor = distance(logits, labels, reduction="none")
        known = labels != IGNORED
        return study.cross_entropy(logits, labels) + NUMBER_LOSS * far[known].mean()

    return _spoken(asked, loss)


def text(key: str) -> Arm:
    """A textual format, digit by digit."""

    def arm(asked: Asked) -> Found:
        reader, learn = Reader(asked.seed), faces(asked.folder, "train", LEARN)
        told = answers.numbers(reader, learn, key)
        seconds = study.train(reader, learn, lambda rows: [reader.rows([told[n] for n in rows])],
                              faces=asked.shown, seed=asked.seed)  # fmt: skip
        spoken = reader.answers(torch.from_numpy(asked.held.seen).float(), MOST)
        values = answers.read_text(reader, spoken, key)
        return _found(values, np.full_like(values, np.nan), spoken.ids, seconds)

    return arm


def slots(asked: Asked, learn: Faces | None = None) -> Found:
    """The channels' labels stand in the answer's place; all are read in one pass."""
    reader = Reader(asked.seed)
    shown = faces(asked.folder, "train", LEARN) if learn is None else learn
    names, told = answers.slots(reader), answers.numbers(reader, shown, "tokens")

    def batch(rows: np.ndarray) -> list[tuple[Tensor, Tensor]]:
        ids, labels = reader.rows([names for _ in rows])
        wanted = torch.full_like(labels, IGNORED)
        wanted[:, 1 : len(names) + 1] = torch.tensor([told[n] for n in rows])
        return [(ids, wanted)]

    seconds = study.train(reader, shown, batch, faces=asked.shown, seed=asked.seed)
    values = np.full((len(asked.held.values), COUNT), np.nan, np.float32)
    values[:, SUBSET] = reader.at_slots(torch.from_numpy(asked.held.seen).float(), names)
    return _found(values, values, [[]], seconds)


def words_first(asked: Asked) -> Found:
    """The description, an empty line, the value tokens."""
    reader, learn = Reader(asked.seed), faces(asked.folder, "train", LEARN)
    words, told = answers.words(reader, learn), answers.numbers(reader, learn, "tokens")
    between = answers.gap(reader)
    seconds = study.train(
        reader, learn,
        lambda rows: [reader.rows([[*words[n], *between, *told[n]] for n in rows])],
        faces=asked.shown, seed=asked.seed,
    )  # fmt: skip
    return _with_words(asked, reader, seconds, task=0)


def words_beside(asked: Asked) -> Found:
    """Value tokens as in `tokens`; the description is another task on the same faces."""
    reader, learn = Reader(asked.seed), faces(asked.folder, "train", LEARN)
    words, told = answers.words(reader, learn), answers.numbers(reader, learn, "tokens")
    seconds = study.train(
        reader, learn,
        lambda rows: [reader.rows([told[n] for n in rows]),
                      reader.rows([words[n] for n in rows], task=1)],
        faces=asked.shown, seed=asked.seed,
    )  # fmt: skip
    return _with_words(asked, reader, seconds, task=1)


def of_people(count: int) -> Arm:
    """`slots` learnt from 1,000 pictures of so many people, whom the seed chooses.

    Pose, camera and light are other ones in each picture, whoever it shows.
    """

    def arm(asked: Asked) -> Found:
        plan = replace(views.plan_of(asked.seed + 1, coverage=0.3), identities=count,
                       setting_frames=1, val=0.0, test=0.0, antialias=True)  # fmt: skip
        chunks = PICTURES // views.CHUNK
        mine = range(asked.seed * chunks, (asked.seed + 1) * chunks)
        return slots(asked, faces(asked.folder, "train", mine, plan))

    return arm


def _spoken(asked: Asked, loss: Callable[[Tensor, Tensor], Tensor]) -> Found:
    reader, learn = Reader(asked.seed), faces(asked.folder, "train", LEARN)
    told = answers.numbers(reader, learn, "tokens")
    seconds = study.train(reader, learn, lambda rows: [reader.rows([told[n] for n in rows])],
                          faces=asked.shown, seed=asked.seed, loss=loss)  # fmt: skip
    spoken = reader.answers(torch.from_numpy(asked.held.seen).float(), MOST)
    found = answers.read_values(reader, spoken)
    return _found(*found, spoken.ids, seconds)


def _with_words(asked: Asked, reader: Reader, seconds: float, task: int) -> Found:
    seen = torch.from_numpy(asked.held.seen).float()
    spoken = reader.answers(seen, MOST)
    found = answers.read_values(reader, spoken)
    told = spoken if task == 0 else reader.answers(seen, MOST, task=task)
    texts = answers.texts(reader, told)
    note = f"words against the truth: {answers.held_against(texts, asked.held.values)}; " \
           f"against its own numbers: {answers.held_against(texts, found.likeliest)}; " \
           f"for instance: {texts[0]!r}"  # fmt: skip
    return _found(*found, spoken.ids, seconds, note)


def _found(
    values: np.ndarray, expected: np.ndarray, ids: list[list[int]], seconds: float, note: str = ""
) -> Found:
    return Found(values, expected, float(np.mean([len(each) for each in ids])), seconds, note)
