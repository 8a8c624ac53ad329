"""Where in a target each coefficient stands, and how much its tokens count.

    weigh(task, text, loss)       # [characters] float32

Words, numbers of a region and what is between them (braces, names, the end) can count
differently. Weights are laid over characters first, then over the tokens that cover them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.data.tasks import Task
from semanticface.data.worded import WordsThenNumbers
from semanticface.errors import BadInput
from semanticface.language.answer_format import AnswerFormat
from semanticface.rig import CHANNELS, REGIONS
from semanticface.train.options import LossOptions

_LABELS = {channel.label: channel.index for channel in CHANNELS}
_CODES = {channel.code: channel.index for channel in CHANNELS}
_JSON = re.compile(r'"(\w+)": ?(-?\d\.\d+)')
_CODE = re.compile(r" ([a-z]+)(-?\d+)")
_VALUE = re.compile(r"<v-?\d+>")
_NUMBER = re.compile(r"-?\d+")


class Place(NamedTuple):
    """A coefficient's characters, its name among them where it has one."""

    channel: int
    start: int
    end: int


def numbers_start(task: Task, text: str) -> int:
    """Where the words end and the numbers begin."""
    if not task.numbers:
        return len(text)
    if not task.described:
        return 0
    if task.form.key == "two-key":
        return text.rindex('"arkit"')
    return text.rindex("\n\n") + 2


def places(form: AnswerFormat, text: str, start: int = 0) -> list[Place]:
    """Every coefficient that stands in a target, from `start` on."""
    numbers = form.numbers if isinstance(form, WordsThenNumbers) else form
    return list(_FINDERS[numbers.key](numbers, text, start))


def weigh(task: Task, text: str, loss: LossOptions) -> NDArray[np.float32]:
    """Weight of each character of a target."""
    weights = np.ones(len(text), np.float32)
    start = numbers_start(task, text)
    weights[:start] = loss.words_weight
    regions = loss.regions
    if task.numbers and regions:
        for place in places(task.form, text, start):
            weights[place.start : place.end] = regions.get(CHANNELS[place.channel].region, 1.0)
    return weights


def _in_json(form: AnswerFormat, text: str, start: int) -> Iterator[Place]:
    for found in _JSON.finditer(text, start):
        yield Place(_LABELS[found[1]], *found.span())


def _in_codes(form: AnswerFormat, text: str, start: int) -> Iterator[Place]:
    for found in _CODE.finditer(text, start):
        yield Place(_CODES[found[1]], *found.span())


def _in_tokens(form: AnswerFormat, text: str, start: int) -> Iterator[Place]:
    for channel, found in zip(form.channels, _VALUE.finditer(text, start), strict=True):
        yield Place(channel, *found.span())


def _in_regions(form: AnswerFormat, text: str, start: int) -> Iterator[Place]:
    order = [i for region in REGIONS for i in form.channels if CHANNELS[i].region == region]
    for channel, found in zip(order, _NUMBER.finditer(text, start), strict=True):
        yield Place(channel, *found.span())


_FINDERS = {"two-key": _in_json, "flat": _in_json, "sparse": _in_json, "markdown": _in_json,
            "codes": _in_codes, "tokens": _in_tokens, "regions": _in_regions}  # fmt: skip


def over_tokens(
    weights: NDArray[np.float32], spans: list[tuple[int, int]], ids: list[int], labels: list[int]
) -> NDArray[np.float32]:
    """Weight of each learnt token, with mean 1, so that every row keeps its say.

    `spans` and `ids` are the target's own tokens; `labels` are the row's learnt tokens,
    which go on after the target with the end of the turn (weight 1).
    """
    if labels[: len(ids)] != ids:
        raise BadInput(
            "a target whose tokens change inside the chat template",
            "the same tokens",
            hint="Leave words_weight, region_weights and number_loss as they are.",
        )
    made = np.ones(len(labels), np.float32)
    for n, (start, end) in enumerate(spans):
        made[n] = weights[start:end].mean() if end > start else 1.0
    total = float(made.sum())
    if total <= 0:
        raise BadInput("weights of zero over a whole answer", "something to learn")
    return made * np.float32(len(made) / total)
