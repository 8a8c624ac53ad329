"""KeyframeFace's files: results with one keyframe a line, and the requests for them.

A result is `{"response": "{\\"Keyframe_one\\": {61 values}}"}`. The file has no
timing, so keyframes stand `seconds_per_keyframe` apart (1 unless given; the
public converter does the same and breaks after 59, this one does not). Its eye
pitch has the sign opposite to SemanticFace's: positive is up, so it is turned
around on the way in and out (`flip_eye_pitch`). Names are in Live Link CSV
order; the mouth pair is exchanged as there (`exchange_mouth`, inferred). All
three are recorded in the clip's conventions.

A request is a chat with the whole sequence of keyframe descriptions, the
background, the emotion, and which keyframe is asked for: a `Script`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from semanticface.errors import BadInput
from semanticface.formats import json_lines
from semanticface.formats.frames import not_carried
from semanticface.formats.json_lines import PathLike
from semanticface.formats.semanticface_jsonl import (
    Answer,
    answer_notes,
    answer_text,
    clip_of_answers,
    response,
)
from semanticface.language.parse import parse_keyframes
from semanticface.rig import INDEX, ClipMeta, FaceClip

_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_MOST = 999
SYSTEM = (
    "You animate faces. Give all 61 ARKit parameters of the one keyframe that is asked for: 52 "
    "blendshapes from 0 to 1, then 9 head and eye rotations from -1 to 1. Answer with strict "
    'JSON only, as {"Keyframe_x": {...}}.'
)


@dataclass(frozen=True)
class Script:
    """What a request says: the scene, every keyframe in words, the one asked for."""

    keyframes: tuple[str, ...]
    background: str
    emotion: str
    asked: int
    """Which keyframe is asked for, counted from 1."""
    system: str = SYSTEM


def read(
    path: PathLike,
    *,
    seconds_per_keyframe: float = 1.0,
    flip_eye_pitch: bool = True,
    exchange_mouth: bool = True,
) -> FaceClip:
    """Read results as a clip, every keyframe of every line, in the order of the file.

    The names the answers give themselves are in `meta.notes["keyframes"]`. An
    answer that cannot be read is a row of NaN.
    """
    if not seconds_per_keyframe > 0:
        raise BadInput(f"{seconds_per_keyframe:g} seconds a keyframe", "more than 0")
    parsed = [answer.parsed for answer in read_answers(path)]
    notes = {"keyframes": [each.keyframe for each in parsed]}
    meta = ClipMeta(Path(path).name, "keyframeface", notes=notes)
    clip = clip_of_answers(
        [each.values for each in parsed], 1 / seconds_per_keyframe, meta,
        exchange_mouth=exchange_mouth,
    )  # fmt: skip
    times = np.arange(len(clip), dtype=np.float64) * np.float64(seconds_per_keyframe)
    clip = replace(clip, times=times)
    if not flip_eye_pitch:
        return clip.with_meta(conventions=(*clip.meta.conventions, "eye pitch as given"))
    return _flipped(clip, "eye pitch turned around (KeyframeFace: positive is up)")


def read_answers(path: PathLike) -> list[Answer]:
    """Every keyframe of every line, with its own report; a line may hold several."""
    return [
        Answer(row, text, parsed, None, ())
        for row, held in json_lines.objects(path)
        for text in (response(held, path, row),)
        for parsed in parse_keyframes(text)
    ]


def write(
    clip: FaceClip,
    path: PathLike,
    *,
    decimals: int = 3,
    flip_eye_pitch: bool = True,
    exchange_mouth: bool = True,
) -> tuple[str, ...]:
    """Write a clip as results: each frame is a keyframe, named by its number in words."""
    given = _flipped(clip) if flip_eye_pitch else clip
    given = given.exchanged("mouthLeft", "mouthRight") if exchange_mouth else given
    records = (
        {"response": _keyframe(answer_text(row, "markdown", decimals, None, i), i)}
        for i, row in enumerate(given.values, start=1)
    )
    json_lines.write_lines(path, records)
    return (*answer_notes(clip, decimals), *not_carried(clip))


def read_scripts(path: PathLike) -> list[Script]:
    """Read a file of requests, one `Script` a line."""
    return [_script(held, path, row) for row, held in json_lines.objects(path)]


def write_scripts(scripts: Sequence[Script], path: PathLike) -> int:
    """Write requests, one a line; return how many."""
    return json_lines.write_lines(path, (request(script) for script in scripts))


def request(script: Script) -> dict[str, Any]:
    """A script as the chat that asks for one of its keyframes."""
    if not 1 <= script.asked <= len(script.keyframes):
        raise BadInput(f"keyframe {script.asked}", f"one of the {len(script.keyframes)}")
    listed = "\n".join(
        f"- Keyframe {title(i)}: {_one_line(text)}"
        for i, text in enumerate(script.keyframes, start=1)
    )
    user = (
        f"Keyframe Description Sequence:\n{listed}\n\n"
        f"Background: {_one_line(script.background)}\nEmotion: {_one_line(script.emotion)}\n\n"
        "Task Instruction: Generate the facial expression parameters for "
        f"Keyframe {title(script.asked)}."
    )
    roles = (("system", script.system), ("user", user))
    return {"messages": [{"role": role, "content": text} for role, text in roles]}


def in_words(number: int) -> str:
    """1 to 999 in words, as the keyframes are named: `twenty_one`."""
    if not 0 < number <= _MOST:
        raise BadInput(f"keyframe {number}", f"1 to {_MOST}")
    hundreds, rest = divmod(number, 100)
    words = [_ONES[hundreds], "hundred"] if hundreds else []
    if rest >= 20:
        words.append(_TENS[rest // 10])
        rest %= 10
    return "_".join([*words, _ONES[rest]] if rest else words)


def title(number: int) -> str:
    """1 to 999 as in `Keyframe Twenty-One`."""
    return "-".join(word.capitalize() for word in in_words(number).split("_"))


_NUMBERS = {in_words(i): i for i in range(1, _MOST + 1)}
_SECTIONS = re.compile(
    r"Keyframe Description Sequence:\s*\n(?P<keyframes>.*?)\n\s*\n"
    r"Background:[ \t]*(?P<background>[^\n]*)\nEmotion:[ \t]*(?P<emotion>[^\n]*)\n\s*\n"
    r".*?for Keyframe (?P<asked>[\w -]{1,60}?)\.?\s*\Z",
    re.DOTALL,
)
_LINE = re.compile(r"-\s*Keyframe ([\w -]{1,60}):\s*(.*)")


def _keyframe(text: str, number: int) -> str:
    return f'{{"Keyframe_{in_words(number)}": {text}}}' if text else ""


def _flipped(clip: FaceClip, convention: str = "") -> FaceClip:
    values = clip.values.copy()
    eyes = [INDEX["leftEyePitch"], INDEX["rightEyePitch"]]
    values[:, eyes] = 0 - values[:, eyes]  # not a bare minus, which makes -0.0
    return clip.with_values(values, convention)


def _one_line(text: str) -> str:
    if "\n" in text or "\r" in text:
        raise BadInput(f"a text of several lines ({json.dumps(text[:40])})", "one line")
    return text


def _script(held: dict[str, Any], path: PathLike, row: int) -> Script:
    texts: dict[str, str] = {}
    for each in json_lines.sequence(held.get("messages"), "messages", file=path, row=row):
        message = json_lines.mapping(each, "a message", file=path, row=row)
        role, content = message.get("role"), message.get("content")
        if isinstance(role, str) and isinstance(content, str):
            texts[role] = content
    found = _SECTIONS.search(texts.get("user", ""))
    if found is None:
        raise BadInput(
            "a request that is not KeyframeFace's",
            "'Keyframe Description Sequence:', 'Background:', 'Emotion:' and the one asked for",
            file=path, row=row,
        )  # fmt: skip
    return Script(
        _described(found["keyframes"], path, row), found["background"].strip(),
        found["emotion"].strip(), _number(found["asked"], path, row), texts.get("system", ""),
    )  # fmt: skip


def _described(text: str, path: PathLike, row: int) -> tuple[str, ...]:
    described: list[str] = []
    for line in text.splitlines():
        found = _LINE.fullmatch(line.strip())
        expected = f"'- Keyframe {title(len(described) + 1)}: ...'"
        if found is None or _number(found[1], path, row) != len(described) + 1:
            raise BadInput(f"the line {json.dumps(line[:40])}", expected, file=path, row=row)
        described.append(found[2])
    return tuple(described)


def _number(words: str, path: PathLike, row: int) -> int:
    """Which keyframe: words in any case and spacing, or digits."""
    key = "_".join(re.split(r"[\s_-]+", words.strip().lower()))
    if key.isdecimal() and 0 < int(key[:4]) <= _MOST:
        return int(key[:4])
    if key not in _NUMBERS:
        raise BadInput(f"the keyframe '{words}'", "a number in words", file=path, row=row)
    return _NUMBERS[key]
