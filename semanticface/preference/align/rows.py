"""Preferences as rows that DPO takes: a request, a chosen and a rejected answer.

    held = read_pairs(options, task)          # .rows, .left_out: why what was not taken
    dataset(held.rows)

A row of `semanticface rank preferences` is a picture, a region and two answers in numbers;
both are written in the task's own format. A row may instead bring its own `prompt` (messages)
and answers as text, about scripts for one. For a run of speech a row is a stretch of a
recording, and becomes a pair for each of its windows (`speech_rows`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from semanticface.data.images import ImageRef
from semanticface.data.speech_tasks import SpeechTask
from semanticface.data.tasks import Task
from semanticface.errors import BadInput
from semanticface.formats import json_lines
from semanticface.language.describe import describe
from semanticface.preference.align.options import PairOptions
from semanticface.preference.align.speech_rows import SpeechRows
from semanticface.preference.regions import region_of
from semanticface.preference.store.content import JUDGES
from semanticface.rig import COUNT, into_range

Row = dict[str, Any]


class Pairs(NamedTuple):
    """What is learnt from."""

    rows: tuple[Row, ...]
    left_out: dict[str, int]
    """How many were not taken, by reason."""
    judged_by: dict[str, int]
    """Verdicts by kind of judge."""
    sha256: str


def read_pairs(options: PairOptions, task: Task | SpeechTask) -> Pairs:
    """Every preference that can be learnt from, in the order of the file."""
    path = Path(options.preferences).expanduser()
    if not options.preferences or not path.is_file():
        raise BadInput("no preferences" if not options.preferences else "no such file",
                       "what `semanticface rank preferences STORE -o FILE` writes",
                       file=path if options.preferences else None)  # fmt: skip
    wanted = _kinds(options)
    asked = SpeechRows(task, options) if isinstance(task, SpeechTask) else task
    rows: list[Row] = []
    left_out, by = Counter[str](), Counter[str]()
    for number, row in json_lines.objects(path):
        if options.max_pairs is not None and len(rows) >= options.max_pairs:
            break
        try:
            found = list(_made(row, asked, options, wanted))
        except BadInput as fault:
            raise fault.at(file=path, row=number) from None
        left_out.update(why for made, why in found if made is None)
        kept = [made for made, _ in found if made is not None]
        rows += kept
        by.update(row.get("judged_by", {}) if kept else {})
    if not rows:
        raise BadInput(f"no preference to learn from ({dict(left_out) or 'an empty file'})",
                       "one at least", file=path)  # fmt: skip
    return Pairs(tuple(rows), dict(left_out), dict(sorted(by.items())),
                 sha256(path.read_bytes()).hexdigest())  # fmt: skip


def _kinds(options: PairOptions) -> frozenset[str]:
    kinds = frozenset(each.strip() for each in options.kinds.split(",") if each.strip())
    if kinds - set(JUDGES):
        raise BadInput(f"kinds: {options.kinds}", f"some of {', '.join(JUDGES)}")
    return kinds


def _made(
    row: Row, task: Task | SpeechRows, options: PairOptions, wanted: frozenset[str]
) -> Iterator[tuple[Row | None, str]]:
    """What a preference gives, each a row or why there is none."""
    if wanted and set(row.get("judged_by", {})) - wanted:
        yield None, "judged by others"
        return
    for key in ("chosen", "rejected"):
        if not isinstance(row.get(key), dict):
            raise BadInput(f"no '{key}'", "an answer", column=key)
    if isinstance(task, SpeechRows):
        yield from task(row)
    else:
        yield _row(row, task, options)


def _row(row: Row, task: Task, options: PairOptions) -> tuple[Row | None, str]:
    if "prompt" in row:
        return _own(row), ""
    if "frames" in row["chosen"] or "frames" in row["rejected"]:
        return None, "clips, of which a model of pictures says nothing"
    if row.get("picture") is None:
        return None, "without a picture"
    answers = [_values(row[key], key) for key in ("chosen", "rejected")]
    if np.isnan(answers).any():
        return None, "numbers missing"
    texts = [_text(each, task, str(row.get("pair"))) for each in answers]
    if texts[0] == texts[1]:
        return None, "the same text for both"
    channels = sorted(region_of(str(row.get("region", "full"))).channels)
    return _example(task.request(), texts, [_picture(row["picture"], options)], channels), ""


def _own(row: Row) -> Row:
    """A row that brings its prompt; what its tokens are about is not known, so all count."""
    texts = [row[key].get("text") for key in ("chosen", "rejected")]
    if not all(isinstance(each, str) and each for each in texts):
        raise BadInput("an answer without text beside a prompt", "text", column="chosen")
    if not isinstance(row["prompt"], list) or not row["prompt"]:
        raise BadInput("a prompt that is no list of messages", "messages", column="prompt")
    images = [ImageRef(path=str(each)).model_dump() for each in row.get("images", ())]
    return _example(row["prompt"], texts, images, [])


def _example(request: Any, texts: Sequence[str], images: list[Any], channels: list[int]) -> Row:
    return {
        "prompt": request, "images": images, "channels": channels,
        **{key: [{"role": "assistant", "content": [{"type": "text", "text": text}]}]
           for key, text in zip(("chosen", "rejected"), texts, strict=True)},
    }  # fmt: skip


def _values(answer: Mapping[str, Any], column: str) -> np.ndarray[Any, Any]:
    told = np.array([np.nan if x is None else x for x in answer.get("values", ())], np.float32)
    if told.shape != (COUNT,):
        raise BadInput(f"{told.size} values", str(COUNT), column=column)
    return told


def _text(values: np.ndarray[Any, Any], task: Task, key: str) -> str:
    """The answer as the task writes it; words, where it asks for them, follow the numbers."""
    inside = into_range(values).values
    wording = task.seed + int.from_bytes(sha256(key.encode()).digest()[:4], "big")
    words = describe(inside, seed=wording, language=task.language) if task.described else None
    return task.form.write(inside, words)


def _picture(digest: str, options: PairOptions) -> Any:
    if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise BadInput(f"the picture {digest[:80]!r}", "a hash of 64 digits", column="picture")
    path = Path(options.media).expanduser() / "files" / digest[:2] / digest
    if not options.media or not path.is_file():
        raise BadInput("no such picture", "a file of the store", file=path, column="picture",
                       hint="--media STORE/media")  # fmt: skip
    return ImageRef(path=str(path)).model_dump()


@dataclass(frozen=True)
class Lengths:
    """Tokens of chosen and rejected answers: DPO likes the longer of two all too well."""

    chosen: float
    rejected: float
    longer: float
    """Share of pairs of unequal length whose chosen answer is the longer; NaN if there is none."""

    @property
    def lopsided(self) -> bool:
        """Whether length alone would tell two of three pairs."""
        return abs(self.longer - 0.5) > 1 / 6


def lengths(rows: Sequence[Row], tokenizer: Any) -> Lengths:
    """Mean tokens of both sides."""
    told = np.array([[len(tokenizer(row[key][0]["content"][0]["text"],
                                    add_special_tokens=False)["input_ids"])
                      for key in ("chosen", "rejected")] for row in rows], np.float64)  # fmt: skip
    unequal = told[told[:, 0] != told[:, 1]]
    longer = float((unequal[:, 0] > unequal[:, 1]).mean()) if len(unequal) else float("nan")
    return Lengths(float(told[:, 0].mean()), float(told[:, 1].mean()), longer)


def dataset(rows: Sequence[Row]) -> Any:
    """A `datasets.Dataset` whose rows become examples when they are drawn."""
    from datasets import Dataset

    held = list(rows)

    def examples(batch: dict[str, list[int]]) -> dict[str, list[Any]]:
        made = [held[number] for number in batch["row"]]
        return {key: [each[key] for each in made] for key in made[0]}

    return Dataset.from_dict({"row": range(len(held))}).with_transform(examples)
