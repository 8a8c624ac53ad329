"""Reading any answer a model may give, without ever inventing a value.

`parse_answer` first tries the text as exactly what was asked for. If it is not,
it looks for the object that gives the most channels anywhere in the text, and if
a broken piece of the text gives more, picks `"name": number` pairs out of that.
Time and memory are bounded: a text has `MAX_CHARS` characters at most, and none is
read more than a fixed number of times.
"""

from __future__ import annotations

import math
import re
from typing import Any

from semanticface.language.answers import DEFAULT, AnswerFormat
from semanticface.language.description import FIELDS, Description
from semanticface.language.json_answers import MAX_CHARS
from semanticface.language.objects import (
    Face,
    NotFinite,
    Span,
    faces,
    number_in,
    plain,
    spans,
    walk,
    without,
)
from semanticface.language.parsed import Parsed, ParseReport, Tally, nothing
from semanticface.language.ruins import broken_words, pick_pairs
from semanticface.rig import CHANNELS, find

_KEYFRAME = re.compile(r'["\'](key_?frame[\w -]{0,24})["\']\s{0,8}:\s{0,8}(?=\{)', re.IGNORECASE)


def parse_answer(text: str, answer_format: AnswerFormat = DEFAULT) -> Parsed:
    """Read one frame and its description out of a model's answer.

    The report says how: see `ParseReport`. Channels without a readable value are
    NaN and listed as missing, also when the text breaks off in the middle of a
    number. Of several sets of numbers, one under `arkit` is preferred, then the
    fullest, then the last, and a note says so.
    """
    strict = answer_format.read(text)
    if strict.report.outcome == "strict":
        return strict
    why = strict.report.notes
    if len(text) > MAX_CHARS:
        return nothing(*why, channels=answer_format.channels)
    if answer_format.json_schema() is None and answer_format.key != "markdown":
        return _one_line(text, answer_format) or nothing(*why, channels=answer_format.channels)
    found = _sparse(text, answer_format) or _tolerant(text, answer_format)
    return found or nothing(*why, channels=answer_format.channels)


def parse_keyframes(text: str, answer_format: AnswerFormat = DEFAULT) -> list[Parsed]:
    """Read every frame of an answer that names several, such as `Keyframe_one`.

    Frames keep their order and their names; one that is cut off or empty is there
    with its report. An answer without such names is one frame.
    """
    marks = list(_KEYFRAME.finditer(text)) if len(text) <= MAX_CHARS else []
    if not marks:
        return [parse_answer(text, answer_format)]
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    read = (
        _tolerant(text[mark.end() : end], answer_format) or nothing("no number in this keyframe")
        for mark, end in zip(marks, ends, strict=True)
    )
    return [parsed._replace(keyframe=mark[1]) for parsed, mark in zip(read, marks, strict=True)]


def _tolerant(text: str, wanted: AnswerFormat) -> Parsed | None:
    objects = spans(text)
    found = faces(objects)
    best = max((face.count for face in found), default=0)
    broken = _from_ruins(text, objects, wanted, best)
    if broken is not None or not found:
        return broken
    rivals = [face for face in found if face.count * 2 > best]
    rivals = [face for face in rivals if face.path[-1:] == ("arkit",)] or rivals
    fullest = max(face.count for face in rivals)
    rivals = [face for face in rivals if face.count == fullest]
    words = _words(text, objects)
    readings = [_read_face(face, text, wanted, words) for face in rivals]
    return _last(readings)


def _last(readings: list[Parsed]) -> Parsed:
    """The last of several readings, with a note if an earlier one says otherwise."""
    last = readings[-1]
    if all(each.values.tobytes() == last.values.tobytes() for each in readings):
        return last
    notes = (*last.report.notes, f"{len(readings)} different sets of numbers, the last is taken")
    return last._replace(report=last.report._replace(notes=notes))


# -- whole objects ------------------------------------------------------------


def _read_face(face: Face, text: str, wanted: AnswerFormat, words: Description | None) -> Parsed:
    tally = Tally(wanted.channels)
    for key, value in face.pairs:
        index = find(key)
        if index is None:
            tally.extra.append(key[:80])
        else:
            if CHANNELS[index].label != key:
                tally.note("channel names in another spelling")
            _put(tally, index, value)
    _note_surface(tally, face.path, text)
    if _broken_outside(text):
        tally.note("broken JSON around the numbers", repair=True)
        words = words or broken_words(text)
    return tally.parsed(words, "json")._replace(keyframe=face.keyframe)


def _put(tally: Tally, index: int, value: Any) -> None:
    name = CHANNELS[index].name
    if isinstance(value, NotFinite):
        tally.put(index, math.nan)
    elif isinstance(value, bool) or value is None or isinstance(value, list):
        tally.note(f"{name} is {_kind(value)}, not a number")
        tally.void(index)
    elif isinstance(value, str):
        number = number_in(value)
        if number is None:
            tally.note(f"{name} is text, not a number")
            tally.void(index)
        else:
            tally.note("numbers written as text", repair=True)
            tally.put(index, number)
    else:
        number = float(value) if abs(value) < 1e30 else math.inf
        if number == 0 and math.copysign(1, number) < 0:
            tally.note("a minus before zero")
        tally.put(index, number)


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    return "true or false" if isinstance(value, bool) else "a list or object"


def _broken_outside(text: str) -> bool:
    """Whether the first thing that looks like an object is not one."""
    begun = re.search(r"\{\s{0,20}[\"']", text)
    if begun is None:
        return False
    objects = spans(text[begun.start() :])
    return not (objects and objects[0].begin == 0)


def _note_surface(tally: Tally, path: tuple[str, ...], text: str) -> None:
    around = text.strip()
    if "```" in text:
        tally.note("code fences")
    elif not (around.startswith("{") and around.endswith("}")):
        tally.note("text around the object")
    if path and path != ("arkit",):
        tally.note(f"numbers nested under {'/'.join(path)[:80]}")
    if not path:
        tally.note("flat object without 'arkit'")


def _words(text: str, objects: list[Span]) -> Description | None:
    """The description: an analysis object anywhere, or a Markdown list before."""
    for span in reversed(objects):
        for node in walk(span.pairs):
            if set(FIELDS) <= {key for key, _ in node}:
                return Description.from_analysis({key: plain(value) for key, value in node})
    before = re.sub(r"\s*```(?:json)?\s*$", "", text[: objects[0].begin]) if objects else ""
    return Description.from_markdown(before.rstrip())


# -- the other formats --------------------------------------------------------


def _sparse(text: str, wanted: AnswerFormat) -> Parsed | None:
    """A sparse object with something around it: what it leaves out is still zero."""
    if wanted.key != "sparse":
        return None
    objects = spans(text)
    if len(objects) != 1 or _broken_outside(text):
        return None
    strict = wanted.read(text[objects[0].begin : objects[0].end])
    return _around(strict) if strict.report.outcome == "strict" else None


def _one_line(text: str, wanted: AnswerFormat) -> Parsed | None:
    """A line that is exactly the asked-for format, if all such lines agree.

    Only a whole line counts: a part of one could end inside a number.
    """
    lines = {line.strip("` \t\"'") for line in text[:20_000].splitlines()[:200]}
    found = [each for line in lines if (each := wanted.read(line)).report.outcome == "strict"]
    return _around(found[0]) if len(found) == 1 else None


def _around(strict: Parsed) -> Parsed:
    report = ParseReport("tolerant", notes=("text around the answer",))
    return strict._replace(report=report)


def _from_ruins(text: str, objects: list[Span], wanted: AnswerFormat, best: int) -> Parsed | None:
    """What the broken part of the text gives, if it is more than any whole object."""
    rest = without(text, objects)
    tally = Tally(wanted.channels)
    if not pick_pairs(rest, tally) or len(tally.seen) <= best:
        return None
    tally.note("broken JSON, values picked out one by one", repair=True)
    if not text.rstrip("` \n").endswith("}"):
        tally.note("the text breaks off")
    words = _words(text, objects) or broken_words(text)
    return tally.parsed(words, "pairs")
