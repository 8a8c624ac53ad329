"""Preferences about windows of speech into batches, and which of their tokens count.

The request is the one of training and serving, sound included (`train.speech_collation`), once
for the chosen and once for the rejected answer, chosen ones first. An answer in text stands
after it with the end of its turn, which no judge has judged: it counts only without a mask.

**One pass.** Where windows are answered in shapes a model reads slots, `<t0> <t1> ...`, and says
at each what the frame's shape is; the answer itself it never sees. TRL takes log-probabilities
of the tokens that stand in `input_ids`. So these hold the shapes, each at the place where it is
predicted, and `shown_ids` what the model is to read there, which `reads_slots` gives to it. The
log-ratio of DPO is then the sum over the frames of

    log p(shape_i | request) - log p_start(shape_i | request)

**Region mask.** Of text answers the tokens of the judged region's channels count. A shape is a
whole mouth: it counts where the judged region holds a channel of each of its parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from semanticface.data.sounds import Sounds
from semanticface.errors import BadInput
from semanticface.preference.regions import region_of
from semanticface.speech.audio import Samples
from semanticface.speech.mouth_shapes import ShapeForm
from semanticface.speech.window_answers import spans_of
from semanticface.train.speech_collation import Asking, filled_right

SIDES = ("chosen", "rejected")


@dataclass
class Said:
    """An answer after its request: what stands, what the model reads, what counts."""

    ids: list[int]
    shown: list[int]
    counts: list[int]


@dataclass
class SpeechPairs:
    """One batch: chosen answers first, then rejected ones, as TRL has them."""

    asking: Asking
    region_mask: bool = True
    sounds: Sounds = field(default_factory=Sounds)

    def __call__(self, rows: Sequence[dict[str, Any]]) -> Any:
        """Tensors of 2 N answers."""
        told = self.asking.requests([row["prompt"] for row in rows] * len(SIDES),
                                    [self._heard(row) for row in rows] * len(SIDES))  # fmt: skip
        answers = [self._said(row, side) for side in SIDES for row in rows]
        return _joined(told, answers, self.asking)

    def _heard(self, row: dict[str, Any]) -> Samples | None:
        return self.sounds.span(**row["audio"]) if row.get("audio") else None

    def _said(self, row: dict[str, Any], side: str) -> Said:
        text = str(row[side][0]["content"][0]["text"])
        tokenizer = self.asking.tokenizer
        told = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        ids, end = list(told["input_ids"]), int(tokenizer.eos_token_id)
        if isinstance(self.asking.task.form, ShapeForm):
            slots = self.asking.slots(len(ids))
            return Said([slots[0], *ids], [*slots, end], [0] + [1] * len(ids))
        counts = self._counting(text, row["channels"], told["offset_mapping"])
        return Said([*ids, end], [*ids, end], counts)

    def _counting(
        self, text: str, judged: Sequence[int], spans: Sequence[tuple[int, int]]
    ) -> list[int]:
        """Of each token and the end, whether it counts."""
        channels = frozenset(judged)
        if not self.region_mask or channels >= set(self.asking.task.form.channels):
            return [1] * (len(spans) + 1)
        return [*map(int, counting(self.asking.task.form.form, text, channels, spans)), 0]


def counting(
    form: str, text: str, channels: frozenset[int], spans: Sequence[tuple[int, int]]
) -> list[bool]:
    """Of each token of a text answer, whether it lies in a part about one of these channels."""
    inside = [False] * len(text)
    for place in spans_of(form, text):
        if channels & place.channels:
            inside[place.start : place.end] = [True] * (place.end - place.start)
    return [any(inside[start:end]) for start, end in spans]


def judges_shapes(region: str) -> bool:
    """Whether a verdict on a region is one on whole shapes of the mouth."""
    held = set(region_of(region).channels)
    return held >= set(ShapeForm().channels)


def _joined(batch: Any, answers: Sequence[Said], asking: Asking) -> dict[str, Any]:
    """Requests with answers after them, filled up on the right."""
    asked = [ids[mask.bool()].tolist() for ids, mask in
             zip(batch["input_ids"], batch["attention_mask"], strict=True)]  # fmt: skip
    pad = asking.tokenizer.pad_token_id
    rest = {key: each for key, each in batch.items() if key not in ("input_ids", "attention_mask")}
    pairs = list(zip(asked, answers, strict=True))
    made = rest | {
        "input_ids": filled_right([a + each.ids for a, each in pairs], pad),
        "attention_mask": filled_right([[1] * (len(a) + len(each.ids)) for a, each in pairs], 0),
        "completion_mask": filled_right([[0] * len(a) + each.counts for a, each in pairs], 0),
    }
    if not int(made["completion_mask"].sum(1).min()):
        raise BadInput("an answer that says nothing of the judged region", "a token of it",
                       hint="--region_mask false, or a form that names all.")  # fmt: skip
    if isinstance(asking.task.form, ShapeForm):
        made["shown_ids"] = filled_right([a + each.shown for a, each in pairs], pad)
    return made


def reads_slots(model: Any) -> None:
    """Have a model read `shown_ids` where a batch has them, instead of the answers that stand."""

    def shown(_: Any, places: Any, named: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        ids = named.pop("shown_ids", None)
        return places, named if ids is None else {**named, "input_ids": ids}

    model.register_forward_pre_hook(shown, with_kwargs=True)
