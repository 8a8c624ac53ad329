"""Reading any answer a model may give, without ever inventing a value.

`parse_answer` first tries the text as exactly what was asked for. If it is not,
it looks for the object with the most channel names anywhere in the text, and if
there is none, picks `name: number` pairs out of the ruins. Time and memory are
linear in the text, which may have `MAX_CHARS` characters at most.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from semanticface.language.answers import DEFAULT, AnswerFormat
from semanticface.language.description import FIELDS, Description
from semanticface.language.json_answers import MAX_CHARS
from semanticface.language.parsed import Parsed, Tally, nothing
from semanticface.rig import CHANNELS, find

_MAX_OBJECTS = 64
_MAX_DEPTH = 6


def parse_answer(text: str, answer_format: AnswerFormat = DEFAULT) -> Parsed:
    """Read one frame and its description out of a model's answer.

    The report says how: see `ParseReport`. Channels without a readable value are
    NaN and listed as missing, also when the text breaks off in the middle of a
    number.
    """
    strict = answer_format.read(text)
    if strict.report.outcome == "strict":
        return strict
    frames = _tolerant(text, answer_format, most=1)
    if frames:
        return frames[0]
    return nothing(*strict.report.notes, channels=answer_format.channels)


def parse_keyframes(text: str, answer_format: AnswerFormat = DEFAULT) -> list[Parsed]:
    """Read every frame of an answer that holds several, such as `Keyframe_one`."""
    frames = _tolerant(text, answer_format, most=_MAX_OBJECTS)
    return frames or [parse_answer(text, answer_format)]


def _tolerant(text: str, wanted: AnswerFormat, most: int) -> list[Parsed]:
    if len(text) > MAX_CHARS:
        return []
    objects = list(_objects(text))
    faces = [face for found, _, _ in objects for face in _faces(found, (), 0)]
    if faces:
        best = max(len(_channels_in(face)) for _, face in faces)
        chosen = [each for each in faces if len(_channels_in(each[1])) * 2 > best][:most]
        if most == 1:
            chosen = [max(faces, key=lambda each: len(_channels_in(each[1])))]
        words = _words(text, [found for found, _, _ in objects], objects[0][1])
        return [_read_face(path, face, text, wanted, words) for path, face in chosen]
    plain = _other_format(text, wanted)
    if plain is not None:
        return [plain]
    picked = _pick_pairs(text, wanted)
    return [picked] if picked else []


# -- objects ------------------------------------------------------------------


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with its duplicates kept."""


class _NotFinite:
    """What NaN or Infinity in an answer becomes."""


_DECODER = json.JSONDecoder(object_pairs_hook=_Pairs, parse_constant=lambda _: _NotFinite())


def _objects(text: str) -> Iterator[tuple[_Pairs, int, int]]:
    """JSON objects in the text, outermost ones, with where they begin and end."""
    at = text.find("{")
    for _ in range(_MAX_OBJECTS):
        if at < 0:
            return
        try:
            found, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            at = text.find("{", at + 1)
            continue
        yield found, at, end
        at = text.find("{", end)


def _faces(
    node: Any, path: tuple[str, ...], depth: int
) -> Iterator[tuple[tuple[str, ...], _Pairs]]:
    """Every object below `node` that names channels, with the keys that lead there."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(node, _Pairs):
        if _channels_in(node):
            yield path, node
        for key, value in node:
            yield from _faces(value, (*path, key), depth + 1)
    elif isinstance(node, list):
        for value in node[:_MAX_OBJECTS]:
            yield from _faces(value, path, depth + 1)


def _channels_in(pairs: _Pairs) -> set[int]:
    found = {find(key) for key, value in pairs if not isinstance(value, list)}
    return {index for index in found if index is not None}


def _read_face(
    path: tuple[str, ...], face: _Pairs, text: str, wanted: AnswerFormat, words: Description | None
) -> Parsed:
    tally = Tally(wanted.channels)
    for key, value in face:
        index = find(key)
        if index is None:
            tally.extra.append(key[:80])
        else:
            if CHANNELS[index].label != key:
                tally.note("channel names in another spelling")
            _put(tally, index, value)
    _note_surface(tally, path, text)
    if _broken_outside(text):
        tally.note("broken JSON around the numbers", repair=True)
        words = words or _broken_words(text)
    keyframe = next((key for key in reversed(path) if key.lower().startswith("keyframe")), None)
    parsed = tally.parsed(words, "json")
    return Parsed(parsed.values, words, parsed.report, "json", keyframe)


def _put(tally: Tally, index: int, value: Any) -> None:
    name = CHANNELS[index].name
    if isinstance(value, _NotFinite):
        tally.not_finite.append(name)
    elif isinstance(value, bool) or value is None or isinstance(value, list):
        tally.note(f"{name} is {_kind(value)}, not a number")
    elif isinstance(value, str):
        number = _number(value)
        if number is None:
            tally.note(f"{name} is text, not a number")
        else:
            tally.note("numbers written as text", repair=True)
            tally.put(index, number)
    else:
        number = float(value) if abs(value) < 1e30 else math.inf
        if number == 0 and math.copysign(1, number) < 0:
            tally.note("a minus before zero")
        tally.put(index, number)


def _broken_outside(text: str) -> bool:
    """Whether the first thing that looks like an object is not one."""
    begun = re.search(r'\{\s{0,20}["\']', text)
    if begun is None:
        return False
    try:
        _DECODER.raw_decode(text, begun.start())
    except (ValueError, RecursionError):
        return True
    return False


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    return "true or false" if isinstance(value, bool) else "a list or object"


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\s{0,4}-?\d{1,6}(?:\.\d{1,20})?\s{0,4}", text) else None


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


# -- words --------------------------------------------------------------------


def _words(text: str, objects: list[_Pairs], first_brace: int) -> Description | None:
    """The description: an analysis object anywhere, or a Markdown list before."""
    for found in objects:
        for node in _walk(found, 0):
            keys = {key for key, _ in node}
            if set(FIELDS) <= keys:
                return Description.from_analysis({key: _plain(value) for key, value in node})
    return Description.from_markdown(text[:first_brace].rstrip("` \njson"))


def _walk(node: Any, depth: int) -> Iterator[_Pairs]:
    if depth > _MAX_DEPTH or not isinstance(node, list):
        return
    if isinstance(node, _Pairs):
        yield node
    for value in [v for _, v in node] if isinstance(node, _Pairs) else node[:_MAX_OBJECTS]:
        yield from _walk(value, depth + 1)


def _plain(value: Any) -> Any:
    if isinstance(value, _Pairs):
        return {key: _plain(part) for key, part in value}
    return [_plain(part) for part in value] if isinstance(value, list) else value


# -- everything else ----------------------------------------------------------


def _other_format(text: str, wanted: AnswerFormat) -> Parsed | None:
    """The asked-for format, not JSON, with white space, fences or prose around it."""
    if wanted.json_schema() is not None or wanted.key == "markdown":
        return None
    for line in text[:20_000].splitlines()[:200]:
        # Only a whole line counts: a part of one could end inside a number.
        strict = wanted.read(line.strip("` \t\"'"))
        if strict.report.outcome == "strict":
            report = replace(strict.report, outcome="tolerant", notes=("text around the answer",))
            return replace(strict, report=report)
    return None


# A pair counts only when something follows the number: at the very end of a text
# that broke off, 0.1 may be the beginning of 0.123.
_PAIR = re.compile(
    r"""(?<![A-Za-z_])["']?([A-Za-z][A-Za-z_]{2,31})["']?\s{0,8}[:=]\s{0,8}["']?"""
    r"""([-+]?\d{1,6}(?:\.\d{1,20})?)(?=["']?\s{0,8}[,;}\]\n])"""
)


def _pick_pairs(text: str, wanted: AnswerFormat) -> Parsed | None:
    """`name: number` pairs out of broken JSON; None when no channel is among them."""
    tally = Tally(wanted.channels)
    found = 0
    for match in _PAIR.finditer(text):
        index = find(match[1])
        if index is not None:
            tally.put(index, float(match[2]))
            found += 1
    if not found:
        return None
    tally.note("broken JSON, values picked out one by one", repair=True)
    if not text.rstrip().endswith("}"):
        tally.note("the text breaks off")
    words = _broken_words(text)
    return tally.parsed(words, "pairs")


def _broken_words(text: str) -> Description | None:
    """The analysis fields of a truncated two-key answer, if all four are whole."""
    found = {}
    for name in FIELDS:
        match = re.search(rf'"{name}"\s{{0,8}}:\s{{0,8}}("(?:[^"\\]|\\.)*")', text[:50_000])
        if match is None:
            return Description.from_markdown(text[: max(text.find("{"), 0)])
        try:
            found[name] = json.loads(match[1], strict=False)
        except ValueError:
            return None
    return Description(**found)
