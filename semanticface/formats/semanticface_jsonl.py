"""SemanticFace's result files: one model answer a line, with its request and image.

    {"response": "...", "messages": [...], "images": [{"path": "..."}], ...}

Every line keeps its place in time, also one whose answer cannot be read: it
becomes a row of NaN. (The public converter drops such rows, which moves all that
follow, or fills them with zeros.)

Two things the file does not say, so they are options and are recorded in the
clip's conventions: there is no timing (`rate`, one answer a second unless given),
and the names stand in the order of a Live Link Face CSV, whose MouthLeft and
MouthRight are exchanged; that the answers share this is inferred from the order
(`exchange_mouth`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.formats import json_lines
from semanticface.formats.frames import not_carried, start_dropped
from semanticface.formats.json_lines import PathLike
from semanticface.language.answers import FlatJson, MarkdownJson, TwoKeyJson
from semanticface.language.description import Description
from semanticface.language.parse import parse_answer
from semanticface.language.parsed import Parsed
from semanticface.rig import COUNT, ClipMeta, FaceClip

Layout = Literal["two-key", "markdown"]
Message = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """One line: the model's text, what was read in it, and what it was asked about."""

    row: int
    """Line of the file, counted from 1."""
    text: str
    parsed: Parsed
    image: str | None
    """Path of the first image, as the file gives it."""
    messages: tuple[Message, ...] = ()


def read_answers(path: PathLike) -> list[Answer]:
    """Every answer of the file with its own report, unreadable ones too."""
    return list(_answers(path))


def read(path: PathLike, *, rate: float = 1.0, exchange_mouth: bool = True) -> FaceClip:
    """Read the answers as a clip, one frame a line.

    `rate`: answers a second. `exchange_mouth`: undo the exchanged labels of the
    mouth pair. How many answers were read how stands in `meta.notes`.
    """
    answers = read_answers(path)
    notes = {"outcomes": dict(Counter(each.parsed.report.outcome for each in answers))}
    meta = ClipMeta(Path(path).name, "semanticface", notes=notes)
    return clip_of_answers(
        [each.parsed.values for each in answers], rate, meta, exchange_mouth=exchange_mouth
    )


def clip_of_answers(
    rows: Sequence[NDArray[np.float32]], rate: float, meta: ClipMeta, *, exchange_mouth: bool
) -> FaceClip:
    """Answers' values [61] as frames at `rate` a second, conventions recorded."""
    if not rate > 0:
        raise BadInput(f"a rate of {rate:g}", "answers a second, more than 0")
    values = np.array(rows, dtype=np.float32).reshape(len(rows), COUNT)
    meta = meta.applied(f"no timing in the file: {rate:g} rows a second")
    clip = FaceClip.of(values, np.arange(len(rows)) / rate, meta=meta)
    if not exchange_mouth:
        return clip.with_meta(conventions=(*meta.conventions, "mouth pair as labelled"))
    told = "mouth pair exchanged (inferred: names are in Live Link CSV order)"
    return clip.exchanged("mouthLeft", "mouthRight").with_meta(
        conventions=(*meta.conventions, told)
    )


def write(
    clip: FaceClip,
    path: PathLike,
    *,
    layout: Layout = "two-key",
    decimals: int = 3,
    descriptions: Sequence[Description] = (),
    messages: Sequence[Sequence[Message]] = (),
    images: Sequence[str] = (),
    exchange_mouth: bool = True,
) -> tuple[str, ...]:
    """Write a clip as results: one line a frame, in one of the two layouts seen.

    `descriptions`, `messages` (the request of each frame, the answer is added)
    and `images`: one a frame, or none. Without descriptions the answers hold
    numbers only. A channel without a value is left out of its answer; a frame
    without any has an empty answer. A value out of its channel's range is an
    error: no such answer is legal.
    """
    _check_lengths(clip, descriptions=descriptions, messages=messages, images=images)
    labelled = clip.exchanged("mouthLeft", "mouthRight") if exchange_mouth else clip
    texts = [
        answer_text(row, layout, decimals, descriptions[i] if descriptions else None, i + 1)
        for i, row in enumerate(labelled.values)
    ]
    json_lines.write_lines(
        path,
        (
            _record(text, messages[i] if messages else (), images[i] if images else None)
            for i, text in enumerate(texts)
        ),
    )
    return (*answer_notes(clip, decimals), *not_carried(clip))


def answer_text(
    row: NDArray[np.float32], layout: Layout, decimals: int,
    description: Description | None, line: int,
) -> str:  # fmt: skip
    """One frame as an answer; only channels with a value, nothing at all without any."""
    channels = tuple(int(i) for i in np.flatnonzero(~np.isnan(row)))
    if not channels:
        return ""
    formats = {"two-key": TwoKeyJson, "markdown": MarkdownJson}
    if layout not in formats:
        raise BadInput(f"layout '{layout}'", f"one of {list(formats)}")
    chosen = formats[layout] if description is not None else FlatJson
    try:
        text = chosen(decimals=decimals, channels=channels).write(row, description)
    except BadInput as fault:
        raise fault.at(row=line) from None
    wrap = layout == "two-key" and description is None
    return f'{{"arkit": {text}}}' if wrap else text


def answer_notes(clip: FaceClip, decimals: int) -> tuple[str, ...]:
    """Sentences on rounding, missing values and times that answers do not hold."""
    notes: list[str] = []
    held = clip.values[~np.isnan(clip.values)].astype(np.float64)
    worst = float(np.abs(np.round(held, decimals) - held).max(initial=0.0))
    if worst > 1e-7:
        notes.append(f"rounded to {decimals} decimals, by at most {worst:.2g}")
    if missing := int(np.isnan(clip.values[:, clip.present]).sum()):
        notes.append(f"{missing} missing values are left out of their answers")
    if len(clip) > 1:
        notes.append(f"times left out: the file has none (the clip runs at {clip.rate:g} a second)")
    return (*notes, *start_dropped(clip))


def _answers(path: PathLike) -> Iterator[Answer]:
    for row, held in json_lines.objects(path):
        text = response(held, path, row)
        messages = json_lines.sequence(held.get("messages") or [], file=path, row=row)
        asked = tuple(json_lines.mapping(each, file=path, row=row) for each in messages)
        yield Answer(row, text, parse_answer(text), _image(held, path, row), asked)


def response(held: dict[str, Any], path: PathLike, row: int) -> str:
    """The answer's text; a result without one is an error, an empty one is not."""
    text = held.get("response")
    if not isinstance(text, str):
        found = f"a result with {list(held)[:5]}" if text is None else json_lines.shown(text)
        raise BadInput(found, "a text under 'response'", file=path, row=row)
    return text


def _image(held: dict[str, Any], path: PathLike, row: int) -> str | None:
    images = json_lines.sequence(held.get("images") or [], file=path, row=row)
    if not images:
        return None
    first = images[0].get("path") if isinstance(images[0], dict) else images[0]
    if first is not None and not isinstance(first, str):
        raise BadInput(json_lines.shown(first), "an image's path", file=path, row=row)
    return first


def _record(text: str, messages: Sequence[Message], image: str | None) -> dict[str, Any]:
    record: dict[str, Any] = {
        "response": text,
        "messages": [*messages, {"role": "assistant", "content": text}],
    }
    return record if image is None else {**record, "images": [{"bytes": None, "path": image}]}


def _check_lengths(clip: FaceClip, **given: Sequence[Any]) -> None:
    for name, each in given.items():
        if each and len(each) != len(clip):
            raise BadInput(f"{len(each)} {name}", f"{len(clip)}, one a frame, or none")
