"""Whether a one-pass server reads the values that training reads.

As `parity`, for a server that decodes nothing: the same picture bytes go to the server and
through transformers and peft here, and the 61 values and confidences of both are compared. The
prompts must have as many tokens; a server without decoding does not tell which.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from semanticface.data.channel_sets import set_name
from semanticface.data.tasks import Task
from semanticface.errors import BadInput
from semanticface.serve.client import FaceClient, Frame, Result, Settings
from semanticface.serve.parity import changes_seeing, eyes_shut, opened_picture
from semanticface.train.one_pass import SLOTS, Reader, Readout, task_named

TOLERANCE = 1e-3
"""In coefficients; float32 agrees a hundred times closer."""


class ReadParity(NamedTuple):
    """One picture in both."""

    same_prompt: bool
    """As many tokens."""
    value: float
    """max |v - v'| over the coefficients."""
    confidence: float
    eyes_shut: float
    """Like `value`, the adapter's part for the picture switched off; NaN without one."""


@dataclass(frozen=True)
class OnePassParity:
    """All pictures."""

    pictures: tuple[ReadParity, ...]
    tolerance: float

    @property
    def holds(self) -> bool:
        """Whether the server reads what training reads."""
        apart = [part for each in self.pictures for part in (each.value, each.confidence)]
        near = all(each <= self.tolerance for each in apart)  # never so for NaN
        return near and all(each.same_prompt for each in self.pictures)

    def verdict(self) -> str:
        """In words, with what to do."""
        if self.holds:
            return "the server gives the same numbers"
        if not all(each.same_prompt for each in self.pictures):
            return "the prompts differ: another prompt, chat template, or size of picture"
        if all(each.eyes_shut <= self.tolerance for each in self.pictures):
            return ("the server ignores what the adapter changes in the vision tower: start it "
                    "with --enable-tower-connector-lora, as `semanticface serve` does")  # fmt: skip
        return "the values differ: other weights, another adapter, or another number format"


def compare_one_pass(
    url: str, model: str, predictor: Any, pictures: Sequence[bytes], *,
    tolerance: float = TOLERANCE, key: str = "",
) -> OnePassParity:  # fmt: skip
    """A one-pass server's `model` against a `train.predictor.Predictor` of the same run."""
    if not pictures:
        raise BadInput("no picture", "one at least to compare by")
    reader = _reader(predictor)
    asked = Task.of("tokens", "coefficients", prompt=predictor.task.prompt,
                    channels=set_name(predictor.task.form.channels))  # fmt: skip
    served = asyncio.run(_served(url, model, asked, pictures, key))
    return OnePassParity(
        tuple(_compared(reader, each, result)
              for each, result in zip(pictures, served, strict=True)), tolerance,
    )  # fmt: skip


async def _served(
    url: str, model: str, task: Task, pictures: Sequence[bytes], key: str
) -> list[Result]:
    """Not the server's word on its task is taken, but the run's."""
    settings = Settings(concurrency=1, deadline=120)
    async with FaceClient(url, model, task, key, settings, way="one-pass", check=False) as client:
        found = [each async for each in client.stream([Frame(0.0, one) for one in pictures])]
    lost = next((each for each in found if each.error), None)
    if lost is not None:
        raise BadInput(lost.error, "61 values and confidences", file=url)
    return found


def _reader(predictor: Any) -> Reader:
    task = task_named(SLOTS, "coefficients", prompt=predictor.task.prompt,
                      channels=set_name(predictor.task.form.channels))  # fmt: skip
    return Reader.of(predictor.model, predictor.processor, task)


def _compared(reader: Reader, picture: bytes, served: Result) -> ReadParity:
    image = opened_picture(picture)
    here, shut = reader.readouts([image])[0], float("nan")
    if changes_seeing(reader.model):
        with eyes_shut(reader.model):
            shut = _apart(reader.readouts([image])[0], served)
    confidence = np.asarray(served.confidence, np.float64)
    return ReadParity(_length(reader, image) == served.asked, _apart(here, served),
                      float(np.abs(here.confidence - confidence).max()), shut)  # fmt: skip


def _apart(here: Readout, served: Result) -> float:
    return float(np.abs(here.values.astype(np.float64) - served.values).max())


def _length(reader: Reader, image: Any) -> int:
    held = reader.processor(images=[[image]], text=[reader.request + reader.filled.text],
                            return_tensors="pt", add_special_tokens=False)  # fmt: skip
    return int(held["input_ids"].shape[1])
