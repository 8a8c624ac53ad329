"""What a recording's windows cost a language model: cues by part, requests and answers.

    told = speech_costs(spoken, animate(...), tokenizer_counter(path))

A second of animation is asked about in `rate / hop` windows, so that is what a window's cost is
multiplied by. Sound is not counted: how many tokens it makes of a second is the model's own affair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from semanticface.data.speech_tasks import Message, SpeechTask
from semanticface.language.answers import FlatJson
from semanticface.language.token_cost import Counter
from semanticface.metrics.mouth_sets import MOUTH_31
from semanticface.rig import FaceClip
from semanticface.speech.cues import CUES, MARKS, SETS, Cue, Spoken, Window
from semanticface.speech.mouth_shapes import SHAPES, ShapeForm
from semanticface.speech.stitching import Cut
from semanticface.speech.window_answers import FORMS, Values, WindowForm, Written, reconstruction

EACH_FRAME = "one JSON object a frame"


class Cost(NamedTuple):
    """Tokens of one thing over all windows."""

    name: str
    mean: float
    """A window; of `EACH_FRAME` a frame."""
    least: int
    most: int
    second: float
    """Tokens a second of animation."""


class AnswerCost(NamedTuple):
    """An answer's form, and what it loses."""

    cost: Cost
    fewer: float
    """Times fewer tokens a second than `EACH_FRAME`."""
    error: float
    """Mean |read back - written| of a weight."""
    worst: float


class SpeechCosts(NamedTuple):
    """All of a recording."""

    windows: int
    seconds: float
    parts: tuple[Cost, ...]
    """Cues, each alone; `stress` and `emphasis` are what they add to the phones."""
    requests: tuple[Cost, ...]
    """Everything before the answer but the sound, by set of cues."""
    answers: tuple[AnswerCost, ...]


def speech_costs(
    spoken: Spoken, clip: FaceClip, count: Counter, cut: Cut | None = None, rate: float = 30.0
) -> SpeechCosts:
    """Costs of a recording whose mouth at `rate` is `clip`."""
    cut = cut or Cut()
    windows = cut.windows(len(clip), rate)
    often = len(windows) / (len(clip) / rate)
    parts = [_cost(cue, (_of_part(spoken, w, cue, count) for w in windows), often) for cue in CUES]
    requests = [_cost(name, (count(_request(spoken, w, name)) for w in windows), often)
                for name in SETS]  # fmt: skip
    return SpeechCosts(len(windows), len(clip) / rate, tuple(parts), tuple(requests),
                       tuple(_answers(clip, windows, count, often, rate)))  # fmt: skip


def _cost(name: str, counted: Iterable[int], often: float) -> Cost:
    held = list(counted)
    mean = float(np.mean(held))
    return Cost(name, mean, min(held), max(held), mean * often)


def _of_part(spoken: Spoken, window: Window, cue: Cue, count: Counter) -> int:
    """A line's tokens; of a mark, those by which it makes the phones longer."""
    if cue not in MARKS:
        return count(spoken.section(window, (cue,)))
    bare = count(spoken.section(window, ("phones",)))
    return count(spoken.section(window, ("phones", cue))) - bare


def _request(spoken: Spoken, window: Window, cues: str) -> str:
    """The text of a request's messages."""
    return _text(SpeechTask.of("codes", cues=cues).about(spoken, window))


def _text(messages: Sequence[Message]) -> str:
    return "\n".join(part["text"] for each in messages for part in each["content"]
                     if part["type"] == "text")  # fmt: skip


def _answers(
    clip: FaceClip, windows: Sequence[Window], count: Counter, often: float, rate: float
) -> Iterable[AnswerCost]:
    values = clip.values
    frame = FlatJson(decimals=2, channels=MOUTH_31)
    single = _cost(EACH_FRAME, (count(frame.write(np.nan_to_num(row))) for row in values), rate)
    held = values[:, list(MOUTH_31)]
    off = np.abs(np.round(held, 2) - held)
    yield AnswerCost(single, 1.0, float(off.mean()), float(off.max()))
    cuts = [values[w.first : w.first + w.frames] for w in windows]
    for name, form, size in _forms(count):
        cost = _cost(name, (size(part) for part in cuts), often)
        lost = reconstruction(form, cuts)
        yield AnswerCost(cost, single.second / cost.second if cost.second else np.inf,
                         lost.mae, lost.worst)  # fmt: skip


def _forms(count: Counter) -> Iterable[tuple[str, Written, Callable[[Values], int]]]:
    for name in FORMS:
        form = WindowForm(name)
        yield name, form, lambda part, form=form: count(form.write(part))  # type: ignore[misc]
    yield SHAPES, ShapeForm(), len  # a token of its own a frame
