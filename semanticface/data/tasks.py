"""The task of reading a face in a picture: one object, three uses.

    task = Task.of("codes", stage="coefficients")
    task.example(record)             # prompt, completion and picture, as TRL's SFTTrainer takes
    task.score(record, completion)   # what an answer is worth, in parts
    task.reward(record, completion)  # the same as one number from 0 to 1

Stages: `coefficients` asks for numbers, `describe` for words, `describe+coefficients`
for words and then numbers, as SemanticFace does.

**Reward.** With v the reading (strict 1, tolerant 0.9, repaired 0.5, failed 0), the
errors e of the channels that the format asks for and the truth measured (1 where the
answer gives no number, and never more than 1), their mean E, and their mean A over
the active channels (|truth| of 0.1 or more; E where there is none):

    numbers = exp(-2 (E + A))                       0.67 for E = 0.05, A = 0.15
    words(x) = (1 - contradicted share) * coverage  of the claims held against numbers x

    coefficients            v * numbers
    describe                v * words(truth)
    describe+coefficients   v * (0.7 numbers + 0.2 words(truth) + 0.1 words(own numbers))

It is this project's own; no published system says how it scores an answer.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.data.channel_sets import ALL, channel_set
from semanticface.data.records import Record
from semanticface.data.worded import WordsThenNumbers, words_then
from semanticface.errors import BadInput
from semanticface.language.answer_format import AnswerFormat
from semanticface.language.answers import DEFAULT, answer_format
from semanticface.language.consistency import Consistency, check
from semanticface.language.describe import describe
from semanticface.language.description import FIELDS, Description
from semanticface.language.objects import plain, spans, walk
from semanticface.language.parse import parse_answer
from semanticface.language.parsed import Outcome, Parsed
from semanticface.language.prompts import image_messages
from semanticface.language.ruins import broken_words
from semanticface.rig import NAMES, InRange, into_range

Stage = Literal["coefficients", "describe", "describe+coefficients"]
STAGES: tuple[Stage, ...] = ("coefficients", "describe", "describe+coefficients")
Part = dict[str, str]
Message = dict[str, Any]

ACTIVE = 0.1
"""Least |truth| of an active channel, in weights and in radians."""
_PROMPTS = {"describe": "image/describe"}
_READING: dict[Outcome, float] = {"strict": 1.0, "tolerant": 0.9, "repaired": 0.5, "failed": 0.0}
_MAX_WORDS = 20_000
_OVERSHOOT = 0.5


class Answer(NamedTuple):
    """What a completion says."""

    outcome: Outcome
    values: NDArray[np.float32]
    """[61], NaN where it gives no number."""
    words: Description | None
    parsed: Parsed | None
    """The reading of the numbers; None where none were asked for."""


class Score(NamedTuple):
    """A completion beside the truth; NaN where a part was not asked for."""

    outcome: Outcome
    mae: float
    """Mean absolute error over the channels that both give, weights and radians alike."""
    active_mae: float
    """The same over channels whose |truth| is 0.1 or more."""
    compared: int
    missing: int
    """Channels asked for and measured that the answer leaves out."""
    words_with_truth: Consistency | None
    words_with_numbers: Consistency | None
    """The words held against the answer's own numbers."""
    reward: float


@dataclass(frozen=True)
class Task:
    """How a picture is asked about and how an answer stands in text."""

    form: AnswerFormat = DEFAULT
    stage: Stage = "describe+coefficients"
    prompt: str = "image/semanticface"
    language: str = "en"
    seed: int = 0
    """Chooses wordings; each record has its own."""
    clamped: Counter[str] = field(default_factory=Counter, init=False, compare=False, repr=False)
    """Records and values that targets brought to the edge of their range, so far."""
    _texts: dict[str, list[Message]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def __post_init__(self) -> None:
        if self.stage not in STAGES:
            raise BadInput(f"the stage '{self.stage}'", f"one of {', '.join(STAGES)}")
        if self.form.described != (self.stage == "describe+coefficients") and self.numbers:
            raise BadInput(f"the answer format '{self.form.key}' for the stage '{self.stage}'",
                           "one with words for describe+coefficients, one without otherwise",
                           hint="Task.of chooses it.")  # fmt: skip

    @classmethod
    def of(
        cls, form: str | AnswerFormat = "two-key", stage: Stage = "describe+coefficients", *,
        prompt: str | None = None, decimals: int | None = None, language: str = "en",
        seed: int = 0, channels: str = ALL,
    ) -> Task:  # fmt: skip
        """A task by name; numbers without a place for words get them before, where asked for.

        `decimals` and `channels` (a set's name, or channels' names with commas between) go with
        a format's name; a format itself has its own.
        """
        chosen = form if isinstance(form, AnswerFormat) \
            else answer_format(form, decimals, channel_set(channels))  # fmt: skip
        if stage == "describe+coefficients" and not chosen.described:
            chosen = words_then(chosen)
        asked = prompt or _PROMPTS.get(stage, "image/semanticface")
        return cls(chosen, stage, asked, language, seed)

    @property
    def numbers(self) -> bool:
        """Whether it asks for coefficients."""
        return self.stage != "describe"

    @property
    def described(self) -> bool:
        """Whether it asks for words."""
        return self.stage != "coefficients"

    # -- the example ---------------------------------------------------------------

    def request(self) -> list[Message]:
        """The messages before the answer: parts of text and the place of the picture."""
        if "request" not in self._texts:
            told = image_messages(self.form, self.prompt)
            self._texts["request"] = [
                {"role": each["role"], "content": _parts(each["content"])} for each in told
            ]
        return [{**each, "content": [dict(p) for p in each["content"]]}
                for each in self._texts["request"]]  # fmt: skip

    def example(self, record: Record) -> dict[str, Any]:
        """A row for TRL's vision fine-tuning: `prompt`, `completion`, `images`, `record`.

        The picture is a reference that `collate.DecodeImages` decodes.
        """
        answer = {"role": "assistant", "content": [{"type": "text", "text": self.target(record)}]}
        return {
            "prompt": self.request(),
            "completion": [answer],
            "images": [record.image.model_dump()],
            "record": record.id,
        }

    def examples(self, records: Iterable[Record]) -> Iterator[dict[str, Any]]:
        """A row for each record, one at a time; a fault names the record's row."""
        for row, record in enumerate(records, 1):
            try:
                yield self.example(record)
            except BadInput as fault:
                raise fault.at(file=fault.file or f"record {record.id}", row=row) from None

    def target(self, record: Record) -> str:
        """The text to learn. Values a little out of range stand at its edge, and are counted."""
        words = self.words(record) if self.described else None
        if not self.numbers and words is not None:
            return json.dumps(words.as_analysis(), ensure_ascii=False)
        values, moved = _in_range(record, self.form.channels)
        if moved:
            self.clamped.update(records=1, values=moved)
        absent = [NAMES[i] for i in self.form.channels if np.isnan(values[i])]
        if absent:
            few = ", ".join(absent[:4]) + (" ..." if len(absent) > 4 else "")
            raise BadInput(
                f"record {record.id} without {few}", f"all {len(self.form.channels)} channels",
                hint="Nothing is filled in: ask for what there is, as channels: arkit-52 does, "
                "or by the channels' names.",
            )  # fmt: skip
        return self.form.write(values, words)

    def moved(self, record: Record) -> int:
        """How many numbers of a record `target` brings to the edge of their range."""
        return _in_range(record, self.form.channels).moved if self.numbers else 0

    def words(self, record: Record) -> Description:
        """The record's own words, else the rules' in a wording that its id chooses."""
        if record.words is not None:
            return record.words.description
        wording = int.from_bytes(sha256(record.id.encode()).digest()[:4], "big")
        return describe(record.values, seed=self.seed + wording, language=self.language)

    # -- the answer ----------------------------------------------------------------

    def read(self, completion: str) -> Answer:
        """What a completion says, strictly read or not."""
        if not self.numbers:
            return _words_only(completion)
        if isinstance(self.form, WordsThenNumbers):
            parsed = self.form.read_tolerantly(completion)
        else:
            parsed = parse_answer(completion, self.form)
        return Answer(parsed.report.outcome, parsed.values, parsed.description, parsed)

    def score(self, record: Record, completion: str) -> Score:
        """An answer's worth, in parts and as the reward."""
        answer, truth = self.read(completion), record.values
        asked = np.zeros(len(truth), np.bool_)
        asked[list(self.form.channels)] = self.numbers
        asked &= ~np.isnan(truth)
        error = np.abs(answer.values - truth)[asked]
        active = np.abs(truth[asked]) >= ACTIVE - 1e-6
        with_truth = with_numbers = None
        if self.described and answer.words is not None:
            with_truth = self._held(answer.words, truth)
            with_numbers = self._held(answer.words, answer.values) if self.numbers else None
        return Score(
            answer.outcome, _mean(error), _mean(error[active]), int((~np.isnan(error)).sum()),
            int(np.isnan(error).sum()), with_truth, with_numbers,
            self._reward(answer.outcome, error, active, with_truth, with_numbers),
        )  # fmt: skip

    def reward(self, record: Record, completion: str) -> float:
        """One number from 0 to 1; see the formula above."""
        return self.score(record, completion).reward

    def _held(self, words: Description, values: NDArray[np.float32]) -> Consistency:
        return check(words, values, language=self.language)

    def _reward(
        self, outcome: Outcome, error: NDArray[np.float32], active: NDArray[np.bool_],
        with_truth: Consistency | None, with_numbers: Consistency | None,
    ) -> float:  # fmt: skip
        reading = _READING[outcome]
        if not self.numbers:
            return reading * _agreement(with_truth)
        costs = np.minimum(np.where(np.isnan(error), 1.0, error), 1.0)
        if not len(costs):
            return 0.0  # the truth measured nothing of what was asked
        whole = float(costs.mean())
        moving = float(costs[active].mean()) if active.any() else whole
        numbers = math.exp(-2 * (whole + moving))
        if not self.described:
            return reading * numbers
        words = 0.2 * _agreement(with_truth) + 0.1 * _agreement(with_numbers)
        return reading * (0.7 * numbers + words)


def _in_range(record: Record, channels: tuple[int, ...]) -> InRange:
    """Of some channels. Trackers go a little above 1; what goes far beyond is in another unit."""
    values, asked = np.full(len(NAMES), np.nan, np.float32), list(channels)
    values[asked] = record.values[asked]
    ranged = into_range(values)
    far = np.flatnonzero(np.abs(values - ranged.values) > _OVERSHOOT)
    if len(far):
        name, value = NAMES[far[0]], float(values[far[0]])
        raise BadInput(
            f"{name} {value:g} in record {record.id}", "weights from 0 to 1 and angles in radians",
            column=name, hint="Are they in hundredths, or in degrees?",
        )  # fmt: skip
    return ranged


def _parts(text: str) -> list[Part]:
    """A message's text with `<image>` in it, as parts."""
    parts: list[Part] = []
    for i, piece in enumerate(text.split("<image>")):
        if i:
            parts.append({"type": "image"})
        if piece:
            parts.append({"type": "text", "text": piece})
    return parts


def _words_only(completion: str) -> Answer:
    """A description: the JSON object asked for, one inside other text, or a numbered list."""
    text = completion[:_MAX_WORDS]
    none = np.full(len(NAMES), np.nan, np.float32)
    try:
        held = json.loads(completion) if len(completion) <= _MAX_WORDS else None
    except (ValueError, RecursionError):
        held = None
    if isinstance(held, dict) and tuple(held) == FIELDS and set(map(type, held.values())) == {str}:
        return Answer("strict", none, Description(**held), None)
    for span in reversed(spans(text)):
        for node in walk(span.pairs):
            found = {key: plain(value) for key, value in node}
            if set(FIELDS) <= set(found):
                return Answer("tolerant", none, Description.from_analysis(found), None)
    listed = Description.from_markdown(text)
    if listed is not None:
        return Answer("tolerant", none, listed, None)
    broken = broken_words(text)
    return Answer("failed" if broken is None else "repaired", none, broken, None)


def _agreement(held: Consistency | None) -> float:
    """(1 - contradicted share of the decided claims) * coverage; 0 without words."""
    if held is None:
        return 0.0
    false = len(held.contradicted)
    decided = false + len(held.supported)
    return (1 - false / decided if decided else 1.0) * held.coverage


def _mean(numbers: NDArray[np.float32]) -> float:
    known = numbers[~np.isnan(numbers)]
    return float(known.mean()) if len(known) else math.nan
