"""Answers to many pictures, kept as they come, and written out as files people use.

OUT/answers.jsonl    one line an answer, as it came; another run goes on after them
OUT/faces.json       by picture: the words (`analysis`), the coefficients (`arkit`), and under
                     `meta` how the answer was read and, where pictures are cut, what was shown
OUT/faces.csv        the same numbers as a table, one row a picture
OUT/clip.npz         a clip: of a movie by its times, of files one a second
OUT/failed.json      pictures that could not be read, and answers that could not
OUT/overlay.mp4      pictures beside the predicted face, if asked for
"""

from __future__ import annotations

import csv
import json
import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from semanticface.atomic import whole_file, write_text
from semanticface.data.images import Pictures
from semanticface.errors import BadInput
from semanticface.formats import json_lines
from semanticface.language.answers import ANSWER_ORDER
from semanticface.rig import CHANNELS, COUNT, NAMES, ClipMeta, FaceClip, save_npz
from semanticface.train.face_crop import Crop, Whole
from semanticface.train.predictor import Face
from semanticface.train.shots import Shot, decode, key_of

SCHEMA = "predictions/1"
ANSWERS = "answers.jsonl"
_BLOCK = 1 << 16
Told = Callable[[int, int], None]


class Asked(Protocol):
    """What answers pictures: a `Predictor`, or a served model."""

    most: int

    @property
    def origin(self) -> str:
        """Another one may answer otherwise."""

    def each(self, pictures: Iterable[Any], batch: int) -> Iterator[Face]:
        """One face for each picture, in their order; pictures are taken as they are needed."""


class Answered(NamedTuple):
    """One picture's answer as it stands in a file."""

    name: str
    time: float | None
    outcome: str
    text: str
    """Of one that could not be read; empty otherwise, for it stands in the file."""
    values: NDArray[np.float32]
    analysis: dict[str, str] | None
    cut_at: int | None = None
    """Tokens that were allowed where the answer did not come to its end within them."""
    crop: dict[str, Any] | None = None
    """What part of the picture was shown, and who said so; None for all of it."""

    def stands(self, most: int) -> bool:
        """Whether nothing more is to be had by asking again with `most` tokens allowed."""
        return self.cut_at is None or most <= self.cut_at


@dataclass
class Predictions:
    """Answers of one model in one folder."""

    folder: Path
    origin: str
    held: dict[str, Answered] = field(default_factory=dict)
    """By the key of what was shown."""

    @classmethod
    def begun(cls, folder: Path, origin: str) -> Predictions:
        """A new folder, or one of the same model that is gone on with."""
        folder.mkdir(parents=True, exist_ok=True)
        made = cls(folder, origin)
        path = folder / ANSWERS
        if not path.is_file():
            write_text(path, json.dumps({"semanticface": SCHEMA, "origin": origin}) + "\n")
            return made
        _drop_half_line(path)
        head = None
        for row, line in _lines(path):
            if head is None:
                head = line
                _check_head(head, origin, path)
            else:
                key, answer = _kept(line, path, row)
                made.held[key] = answer
        if head is None:
            _check_head({}, origin, path)
        return made

    def add(
        self, key: str, shot: Shot, face: Face, most: int, crop: dict[str, Any] | None = None
    ) -> None:
        """Keep an answer for which `most` tokens were allowed, on disk before anything else
        happens."""
        outcome = face.parsed.report.outcome if face.parsed is not None else "words"
        if face.parsed is None and face.words is None:
            outcome = "failed"
        line = {
            "key": key, "name": shot.name, "time": shot.time, "outcome": outcome,
            "text": face.completion.text,
            "values": [None if np.isnan(v) else json_lines.shortest(v) for v in face.values],
            "analysis": None if face.words is None else face.words.as_analysis(),
            **({} if face.completion.whole else {"cut_at": most}),
            **({"crop": crop} if crop else {}),
        }  # fmt: skip
        with (self.folder / ANSWERS).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        self.held[key] = _answered(line)


def _check_head(head: dict[str, Any], origin: str, path: Path) -> None:
    if head.get("semanticface") != SCHEMA or head.get("origin") != origin:
        raise BadInput("answers of another model or prompt", "a new folder, or the same model",
                       file=path)  # fmt: skip


def _drop_half_line(path: Path) -> None:
    """Take off the file what a killed process has left of its last line."""
    with path.open("r+b") as stream:
        whole = end = stream.seek(0, os.SEEK_END)
        while whole:
            start = max(0, whole - _BLOCK)
            stream.seek(start)
            found = stream.read(whole - start).rfind(b"\n")
            whole = start if found < 0 else start + found + 1
            if found >= 0:
                break
        if whole != end:
            stream.truncate(whole)


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each line, one in memory at a time: 100,000 answers have half a gigabyte of text.

    By bytes: an answer may hold breaks that JSON leaves as they are, such as U+2028.
    """
    with path.open("rb") as stream:
        for row, data in enumerate(stream, 1):
            try:
                line = data.decode("utf-8-sig" if row == 1 else "utf-8")
            except UnicodeDecodeError:
                raise BadInput("bytes that are not UTF-8", "text", file=path, row=row) from None
            yield (
                row,
                json_lines.mapping(json_lines.parse(line, file=path, row=row), file=path, row=row),
            )


def _kept(line: dict[str, Any], path: Path, row: int) -> tuple[str, Answered]:
    """The key and the answer of a line."""
    try:
        key, answer = line["key"], _answered(line)
        if len(answer.values) == COUNT and isinstance(key, str):
            return key, answer
    except (KeyError, TypeError, ValueError):
        pass
    raise BadInput("a line that is no answer", "one as it was written", file=path, row=row,
                   hint="Take the line out, and its picture is asked about again.")  # fmt: skip


def _answered(line: dict[str, Any]) -> Answered:
    values = np.array([np.nan if v is None else v for v in line["values"]], np.float32)
    text = line["text"] if line["outcome"] == "failed" else ""
    return Answered(line["name"], line["time"], line["outcome"], text, values,
                    line["analysis"], line.get("cut_at"), line.get("crop"))  # fmt: skip


class Outcome(NamedTuple):
    """What came of all shots, in their order."""

    answers: list[Answered]
    failed: dict[str, str]
    """Pictures without a usable answer, and why."""
    asked: int
    """How many the model was asked about now; the others were answered before."""


def predict(
    predictor: Asked, found: Sequence[Shot], kept: Predictions, *, batch: int = 8,
    told: Told | None = None, crop: Crop | None = None,
) -> Outcome:  # fmt: skip
    """Answer every shot that has no answer yet; one that cannot be read stops nothing. `crop`
    cuts what is shown; an answer to another part of the picture is another answer."""
    cutting: Crop = Whole() if crop is None else crop
    failed: dict[str, str] = {}
    keys: list[tuple[str, Shot]] = []
    waiting: deque[tuple[str, Shot, dict[str, Any]]] = deque()
    pictures, hashes, asked = Pictures(), dict[str, str](), 0

    def unanswered() -> Iterator[Any]:
        for done, shot in enumerate(found, 1):
            try:
                if shot.fault is not None:
                    raise shot.fault
                key = key_of(shot, hashes) + cutting.key
                stands = key in kept.held and kept.held[key].stands(predictor.most)
                shown = None if stands else cutting.cut(decode(shot, pictures))
                keys.append((key, shot))
                if shown is not None:
                    waiting.append((key, shot, shown.told))
                    yield shown.picture
            except (BadInput, OSError) as fault:
                failed[shot.name] = str(fault)
            if told is not None:
                told(done, len(found))

    for face in predictor.each(unanswered(), batch):
        key, shot, part = waiting.popleft()
        asked += 1
        if face.refused:
            failed[shot.name] = face.refused
        else:
            kept.add(key, shot, face, predictor.most, part)
    answers = [kept.held[key] for key, _ in keys if key in kept.held]
    failed |= {a.name: _why(a) for a in answers if a.outcome == "failed"}
    return Outcome(answers, failed, asked)


def _why(answer: Answered) -> str:
    if answer.cut_at is not None:
        return f"an answer that was cut off at {answer.cut_at} tokens; allow more by --tokens"
    return f"an answer that cannot be read: {answer.text[:80]!r}"


def write_out(outcome: Outcome, folder: Path, source: str) -> dict[str, int]:
    """Write the files of a finished prediction; how many answers were read how."""
    good = [each for each in outcome.answers if each.outcome != "failed"]
    _write_faces(good, folder / "faces.json")
    _write_table(outcome.answers, folder / "faces.csv")
    failed = json.dumps(outcome.failed, ensure_ascii=False, indent=1)
    write_text(folder / "failed.json", failed + "\n")
    if outcome.answers:
        save_npz(clip_of(outcome.answers, source), folder / "clip.npz")
    return dict(Counter(each.outcome for each in outcome.answers))


def _write_faces(answers: Sequence[Answered], path: Path) -> None:
    """One object, a picture at a time: the whole of it is larger than what it is made of."""
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as out:
        for n, each in enumerate(answers):
            face = json.dumps(face_json(each), ensure_ascii=False, indent=1).replace("\n", "\n ")
            out.write(f"{',' if n else '{'}\n {json.dumps(each.name, ensure_ascii=False)}: {face}")
        out.write("\n}\n" if answers else "{}\n")


def face_json(answer: Answered) -> dict[str, Any]:
    """An answer as SemanticFace's request has it, whatever format the model wrote."""
    numbers = {CHANNELS[i].label: json_lines.shortest(answer.values[i])
               for i in ANSWER_ORDER if not np.isnan(answer.values[i])}  # fmt: skip
    told = {} if answer.analysis is None else {"analysis": answer.analysis}
    shown = {} if answer.crop is None else {"crop": answer.crop}
    return {**told, "arkit": numbers, "meta": {"outcome": answer.outcome, **shown}}


def _write_table(answers: Sequence[Answered], path: Path) -> None:
    with whole_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream)
        rows.writerow(["image", "time", "outcome", *NAMES])
        for each in answers:
            numbers = ["" if np.isnan(v) else str(json_lines.shortest(v)) for v in each.values]
            rows.writerow(
                [each.name, "" if each.time is None else each.time, each.outcome, *numbers]
            )


def clip_of(answers: Sequence[Answered], source: str) -> FaceClip:
    """The answers as a clip; where there are no rising times, one frame a second."""
    values = np.stack([each.values for each in answers]).reshape(-1, COUNT)
    known = [each.time for each in answers if each.time is not None]
    timed = len(known) == len(answers) and all(a < b for a, b in pairwise(known))
    times = np.array(known, np.float64) if timed else np.arange(len(answers), dtype=np.float64)
    present = np.asarray(np.isfinite(values).any(axis=0), np.bool_)
    meta = ClipMeta(source, "prediction")
    if not timed:
        meta = meta.applied("no times: one picture a second")
    return FaceClip(values, times, present, meta)


def overlay(outcome: Outcome, found: Sequence[Shot], size: int = 320) -> Iterator[Any]:
    """Each picture beside the face that was predicted from it, [size, 2 size, 3] uint8."""
    from semanticface.render.picture import Renderer, dimmed

    renderer, pictures = Renderer(size=size), Pictures()
    by_name = {each.name: each for each in outcome.answers}
    still = np.zeros(COUNT, np.float32)
    for shot in found:
        answer = by_name.get(shot.name)
        if answer is None:
            continue
        drawn = renderer.render(np.nan_to_num(answer.values))
        lost = bool(np.isnan(answer.values).all())
        seen = _fitted(decode(shot, pictures), size)
        yield np.concatenate([seen, dimmed(renderer.render(still)) if lost else drawn], axis=1)


def _fitted(picture: Any, size: int) -> Any:
    """The picture in a square, borders black."""
    from PIL import Image, ImageOps

    return np.asarray(ImageOps.pad(picture, (size, size), Image.Resampling.LANCZOS), np.uint8)
