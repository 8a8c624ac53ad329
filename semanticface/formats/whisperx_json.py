"""WhisperX results: segments with words, each word with seconds where it was aligned.

    {"segments": [{"start": 0.1, "end": 2.0, "text": "...",
                   "words": [{"word": "Hello", "start": 0.1, "end": 0.4, "score": 0.9}]}]}

Words without times (numbers, for WhisperX) are told apart. faster-whisper and OpenAI's
`verbose_json` with word times have the same shape, at the top or inside segments.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from semanticface.errors import BadInput
from semanticface.formats import json_lines
from semanticface.formats.json_lines import PathLike
from semanticface.formats.textgrid import Interval


class WordTimes(NamedTuple):
    """The words of a file."""

    words: tuple[Interval, ...]
    scores: tuple[float | None, ...]
    """0 to 1 for each word, where the file has one."""
    untimed: tuple[str, ...]
    """Words without a time, in order."""
    text: str
    """All words, in the file's order."""
    language: str


def read_whisperx(path: PathLike) -> WordTimes:
    """Words with times, in order, and those without."""
    return words_of(json_lines.load(path), path)


def words_of(value: object, path: PathLike) -> WordTimes:
    """The same of a file's JSON."""
    held = json_lines.mapping(value, file=path)
    words = [json_lines.mapping(each, file=path) for each in _listed(held, path)]
    if not words:
        raise BadInput("no words", "segments with words", file=path,
                       hint="Ask for word times (WhisperX: align).")  # fmt: skip
    timed = [each for each in words if "start" in each and "end" in each]
    spans = tuple(_interval(each, row, path) for row, each in enumerate(timed, 1))
    scores = tuple(_score(each) for each in timed)
    without = tuple(_text(each) for each in words if not ("start" in each and "end" in each))
    text = " ".join(filter(None, map(_text, words)))
    return WordTimes(spans, scores, without, text, str(held.get("language", "")))


def _listed(held: dict[str, Any], path: PathLike) -> list[Any]:
    if "words" in held and "segments" not in held:
        return json_lines.sequence(held["words"], file=path)
    found: list[Any] = []
    for each in json_lines.sequence(held.get("segments"), "a list called segments", file=path):
        segment = json_lines.mapping(each, file=path)
        found += json_lines.sequence(segment.get("words", []), file=path)
    return found


def _interval(word: dict[str, Any], row: int, path: PathLike) -> Interval:
    start, end = (json_lines.number(word[key], file=path, row=row, column=key)
                  for key in ("start", "end"))  # fmt: skip
    if end < start:
        raise BadInput(f"'{_text(word)}' from {start} to {end}", "an end after the start",
                       file=path, row=row)  # fmt: skip
    return Interval(start, end, _text(word))


def _text(word: dict[str, Any]) -> str:
    return str(word.get("word", word.get("text", ""))).strip()


def _score(word: dict[str, Any]) -> float | None:
    value = word.get("score", word.get("probability"))
    return float(value) if isinstance(value, int | float) else None
