"""Windows of speech into batches: sound decoded here, only the answer learnt.

With the form `shapes` the answer is read in one pass, as slots are (`one_pass`): the
assistant's turn is filled with a token for each frame, and the token after frame i's is to
be frame i's shape. Given the request the frames are independent of one another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from semanticface.data.sounds import Sounds
from semanticface.data.speech_tasks import SpeechTask, unpacked
from semanticface.errors import BadInput
from semanticface.speech.audio import RATE, Samples
from semanticface.speech.mouth_shapes import ShapeForm, vocabulary
from semanticface.train.hearing import tokenizer_of
from semanticface.train.nano_audio import frame_tokens

IGNORED = -100


class Answer(NamedTuple):
    """An assistant's turn as tokens, and what is learnt at each."""

    ids: list[int]
    labels: list[int]


@dataclass
class Asking:
    """Requests of a task as a model's own tensors."""

    processor: Any
    task: SpeechTask

    @property
    def tokenizer(self) -> Any:
        """The processor's tokenizer."""
        return tokenizer_of(self.processor)

    def requests(self, prompts: Sequence[Any], sounds: Sequence[Samples | None]) -> Any:
        """Prompts up to where the answer begins, sound beside them, padded on the right."""
        texts = [self._text(each) for each in prompts]
        if not self.task.audio:
            return self.tokenizer(
                texts, add_special_tokens=False, padding=True, padding_side="right",
                return_tensors="pt", return_token_type_ids=False,
            )  # fmt: skip
        return self.processor(
            text=texts, audio=list(sounds), padding=True, return_tensors="pt",
            sampling_rate=RATE, text_kwargs={"padding_side": "right", "add_special_tokens": False},
        )  # fmt: skip

    def slots(self, frames: int) -> list[int]:
        """The tokens at which a window's shapes are read."""
        return _single(self.tokenizer, frame_tokens(frames))

    def _text(self, messages: Any) -> str:
        told = messages if self.processor is not self.tokenizer else _plain(messages)
        return str(
            self.processor.apply_chat_template(told, tokenize=False, add_generation_prompt=True)
        )


@dataclass
class SpeechCollator:
    """Rows of `speech_rows` to input ids, labels and sound."""

    asking: Asking
    max_length: int | None = None
    sounds: Sounds = field(default_factory=Sounds)
    mouths: bool = False
    """Whether the true mouths go along, for the loss of how far the expected one is off."""

    def __call__(self, rows: list[dict[str, Any]]) -> Any:
        """One batch."""
        held = [row["row"] for row in rows]
        batch = self.asking.requests(
            [row["prompt"] for row in held], [self._heard(r) for r in held]
        )
        made = _joined(batch, [self._answer(row) for row in held], self.asking.tokenizer,
                       [row["record"] for row in held], self.max_length)  # fmt: skip
        if self.mouths:
            made["mouths"] = self._mouths(held, made["labels"])
            if any("draft" in row for row in held):
                made["drafts"] = self._drafts(held, made["labels"])
        return made

    def _mouths(self, rows: list[dict[str, Any]], labels: Any) -> Any:
        """[B, T, C]: at each learnt token its frame's true mouth, 0 elsewhere."""
        import torch

        width = len(self.asking.task.form.channels)
        made = torch.zeros((*labels.shape, width))
        for to, row, learnt in zip(made, rows, labels != IGNORED, strict=True):
            to[learnt] = torch.from_numpy(unpacked(row["mouth"], width))
        return made

    def _drafts(self, rows: list[dict[str, Any]], labels: Any) -> Any:
        """[B, T, 1 + C]: the shape of each frame's draft and what it leaves; 0 without a draft."""
        import torch

        width = len(self.asking.task.form.channels)
        made = torch.zeros((*labels.shape, 1 + width))
        for to, row, learnt in zip(made, rows, labels != IGNORED, strict=True):
            if "draft" in row:
                places = torch.tensor(row["draft"]["places"])[:, None].float()
                left = torch.from_numpy(unpacked(row["draft"]["left"], width))
                to[learnt] = torch.cat([places, left], 1)
        return made

    def _heard(self, row: dict[str, Any]) -> Samples | None:
        if "audio" not in row:
            return None
        return self.sounds.span(**row["audio"])

    def _answer(self, row: dict[str, Any]) -> Answer:
        text = str(row["completion"][0]["content"][0]["text"])
        end = self.asking.tokenizer.eos_token_id
        told = list(self.asking.tokenizer(text, add_special_tokens=False)["input_ids"])
        if not isinstance(self.asking.task.form, ShapeForm):
            return Answer([*told, end], [*told, end])
        return Answer([*self.asking.slots(len(told)), end], [IGNORED, *told])


def _joined(
    batch: Any, answers: list[Answer], tokenizer: Any, names: list[str], most: int | None
) -> Any:
    """Requests with answers after them, filled up on the right."""
    rows, labels = [], []
    for ids, mask, answer, name in zip(
        batch["input_ids"], batch["attention_mask"], answers, names, strict=True
    ):
        asked = ids[mask.bool()].tolist()
        rows.append(asked + answer.ids)
        labels.append([IGNORED] * len(asked) + answer.labels)
        if most is not None and len(rows[-1]) > most:
            raise BadInput(
                f"{len(rows[-1])} tokens in {name}",
                f"at most {most}",
                hint="Raise max_length or set it to null, or take shorter windows.",
            )
    return dict(batch) | {
        "input_ids": filled_right(rows, tokenizer.pad_token_id),
        "attention_mask": filled_right([[1] * len(row) for row in rows], 0),
        "labels": filled_right(labels, IGNORED),
    }


def filled_right(rows: Sequence[list[int]], by: int) -> Any:
    """Rows as one tensor, the shorter ones filled up."""
    import torch

    length = max(len(row) for row in rows)
    return torch.tensor([row + [by] * (length - len(row)) for row in rows])


def shape_ids(tokenizer: Any) -> list[int]:
    """Ids of the shapes' tokens."""
    return _single(tokenizer, vocabulary())


def _single(tokenizer: Any, words: tuple[str, ...]) -> list[int]:
    ids = tokenizer.convert_tokens_to_ids(list(words))
    lacking = [
        w for w, i in zip(words, ids, strict=True) if i is None or i == tokenizer.unk_token_id
    ]
    if lacking:
        raise BadInput(f"a tokenizer without {lacking[0]}", "tokens of frames and shapes",
                       hint="The small audio model has them; others answer in codes.")  # fmt: skip
    return [int(each) for each in ids]


def _plain(messages: Any) -> list[dict[str, str]]:
    """Messages of strings, as the templates of models of text alone want them."""
    return [{"role": m["role"], "content": "".join(p["text"] for p in m["content"])}
            for m in messages]  # fmt: skip
