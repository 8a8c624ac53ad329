"""All coefficients in one pass: the answer is read where it would be written.

The assistant's turn is filled in with a slot for each channel, its label, and nothing is decoded.
At slot i the model's scores are a distribution over channel i's value tokens:

    p_i(v) = softmax of the scores over the values channel i can have
    value_i = sum_v v p_i(v)          confidence_i = sum of p_i(v) for |v - value_i| <= 0.05

It is trained by the ordinary causal loss with other labels: the token after slot i is to be
channel i's value. Given the picture the channels are independent of one another here; an
answer that is decoded token by token can take the ones before into account.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.data.channel_sets import ALL, channel_set
from semanticface.data.tasks import Stage, Task
from semanticface.errors import BadInput
from semanticface.language.answers import ValueTokens
from semanticface.language.numerals import limit
from semanticface.rig import CHANNELS, COUNT
from semanticface.train.decoding import Completion
from semanticface.train.grammar import unknown

SLOTS = "slots"
NEAR = 0.05


@dataclass(frozen=True)
class Slots(ValueTokens):
    """Value tokens that are read at slots; asked for in the words of the `tokens` format."""


def task_named(
    answer: str, stage: Stage, *, prompt: str | None = None, decimals: int | None = None,
    language: str = "en", seed: int = 0, channels: str = ALL,
) -> Task:  # fmt: skip
    """`Task.of`, with `slots` among the answers."""
    if answer != SLOTS:
        return Task.of(
            answer, stage, prompt=prompt, decimals=decimals, language=language, seed=seed,
            channels=channels,
        )  # fmt: skip
    if stage != "coefficients":
        raise BadInput(f"slots for the stage '{stage}'", "coefficients: words have no slots")
    asked = channel_set(channels)
    form = Slots(channels=asked) if decimals is None else Slots(decimals, asked)
    return Task.of(form, stage, prompt=prompt, language=language, seed=seed)


class Opening(NamedTuple):
    """The slots as text and as tokens."""

    text: str
    ids: list[int]
    slots: list[int]
    """Index of each channel's slot among the tokens: its label's last one."""
    values: list[list[int]]
    """Of each channel, the tokens of its values, rising."""
    numbers: list[NDArray[np.float64]]
    """Of each channel, the values themselves."""


def opening(form: ValueTokens, tokenizer: Any) -> Opening:
    """The slots of a format for one tokenizer."""
    labels = [CHANNELS[i].label for i in form.channels]
    single = all(len(tokenizer(each, add_special_tokens=False)["input_ids"]) == 1
                 for each in labels)  # fmt: skip
    text = ("" if single else " ").join(labels)
    told = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    ends, at = [], 0
    for label in labels:
        at = text.index(label, at) + len(label)
        ends.append(at)
    places = {end: n for n, (_, end) in enumerate(told["offset_mapping"])}
    if lost := [label for label, end in zip(labels, ends, strict=True) if end not in places]:
        raise BadInput(f"a token across the end of the label {lost[0]}", "labels of whole tokens")
    values, numbers = _values(form, tokenizer)
    return Opening(text, list(told["input_ids"]), [places[e] for e in ends], values, numbers)


def _values(
    form: ValueTokens, tokenizer: Any
) -> tuple[list[list[int]], list[NDArray[np.float64]]]:  # fmt: skip
    words = form.vocabulary()
    ids = dict(zip(words, tokenizer.convert_tokens_to_ids(list(words)), strict=True))
    if lacking := [token for token, number in ids.items() if unknown(number, tokenizer)]:
        raise BadInput(f"a tokenizer without {lacking[0]}", "the value tokens as single tokens",
                       hint="The small model has them; others must be given them.")  # fmt: skip
    tokens, numbers = [], []
    for channel in form.channels:
        most = limit(CHANNELS[channel], form.decimals)
        steps = range(-most if CHANNELS[channel].signed else 0, most + 1)
        tokens.append([ids[f"<v{n}>"] for n in steps])
        numbers.append(np.array(steps, np.float64) / 10**form.decimals)
    return tokens, numbers


@dataclass
class LabelSlots:
    """Puts slots into the rows of one-pass tasks, and values into their labels."""

    collate: Callable[[list[dict[str, Any]]], Any]
    tokenizer: Any
    tasks: Sequence[Task]

    def __call__(self, rows: list[dict[str, Any]]) -> Any:
        """One batch; a row's `task` says which of the tasks it is of."""
        made, wanted = [], []
        for row in rows:
            form = self.tasks[row.get("task", 0)].form
            rest = {key: value for key, value in row.items() if key != "task"}
            filled = opening(form, self.tokenizer) if isinstance(form, Slots) else None
            wanted.append((filled, _answer(row)))
            made.append(rest if filled is None else {**rest, "completion": _turn(filled.text)})
        batch = self.collate(made)
        for labels, (filled, answer) in zip(batch["labels"], wanted, strict=True):
            if filled is not None:
                self._relabel(labels, filled, answer)
        return batch

    def _relabel(self, labels: Any, filled: Opening, answer: str) -> None:
        """The token after each slot is to be the channel's value; nothing else is learnt."""
        import torch

        learnt = (labels != -100).nonzero().flatten()
        if labels[learnt][: len(filled.ids)].tolist() != filled.ids:
            raise BadInput("slots whose tokens change inside the chat template", "the same tokens")
        values = self.tokenizer(answer, add_special_tokens=False)["input_ids"]
        after = learnt[torch.tensor(filled.slots) + 1]
        labels[:] = -100
        labels[after] = torch.tensor(values, dtype=labels.dtype)


def _answer(row: dict[str, Any]) -> str:
    return str(row["completion"][0]["content"][0]["text"])


def _turn(text: str) -> list[dict[str, Any]]:
    return [{"role": "assistant", "content": [{"type": "text", "text": text}]}]


class Readout(NamedTuple):
    """What a model believes of one face."""

    values: NDArray[np.float32]
    """[61] expected values; NaN where the format has no channel."""
    confidence: NDArray[np.float32]
    """[61] belief within 0.05 of the value, 0 to 1."""
    mass: NDArray[np.float32]
    """[61] share of the whole vocabulary's belief that lies on legal values."""


@dataclass
class Reader:
    """Reads all channels of some pictures in one pass."""

    model: Any
    processor: Any
    task: Task
    request: str
    filled: Opening

    @classmethod
    def of(cls, model: Any, processor: Any, task: Task) -> Reader:
        """A reader of a one-pass task."""
        if not isinstance(task.form, Slots):
            raise BadInput(f"the answer format '{task.form.key}'", f"'{SLOTS}'")
        request = processor.apply_chat_template(
            task.request(), tokenize=False, add_generation_prompt=True
        )
        return cls(model, processor, task, request, opening(task.form, processor.tokenizer))

    def readouts(self, pictures: Sequence[Any]) -> list[Readout]:
        """One for each picture."""
        import torch

        inputs = self.processor(
            images=[[each] for each in pictures], padding=True, padding_side="left",
            text=[self.request + self.filled.text] * len(pictures), return_tensors="pt",
            add_special_tokens=False,
        ).to(self.model.device)  # fmt: skip
        with torch.inference_mode():
            out = self.model(**inputs, logits_to_keep=len(self.filled.ids))
            scores = out.logits[:, self.filled.slots].float()
            logs = scores.log_softmax(-1).cpu().numpy()
        return [self._readout(each) for each in logs]

    def _readout(self, logs: NDArray[np.float32]) -> Readout:
        made = [np.full(COUNT, np.nan, np.float32) for _ in range(3)]
        for slot, channel in enumerate(self.task.form.channels):
            belief = np.exp(logs[slot, self.filled.values[slot]].astype(np.float64))
            mass, numbers = belief.sum(), self.filled.numbers[slot]
            share = belief / max(mass, 1e-300)
            value = float(share @ numbers)
            near = float(share[np.abs(numbers - value) <= NEAR + 1e-9].sum())
            for held, each in zip(made, (value, near, mass), strict=True):
                held[channel] = each
        return Readout(*made)

    def answers(self, pictures: Sequence[Any]) -> list[Completion]:
        """The expected values as text, as a decoder would give them."""
        return [
            Completion(self.task.form.write(each.values), 0, True, 1)
            for each in self.readouts(pictures)
        ]
