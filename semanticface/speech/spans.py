"""A timeline as what the metrics ask for: spans of contacts, rounding, silence, visemes."""

from __future__ import annotations

from semanticface.metrics.speech import SpokenSpans
from semanticface.speech.phones import Phone, phone
from semanticface.speech.timeline import Timeline

_SEEN_ROUND = ("clearly", "strongly")
_LEAST_SILENCE = 0.05


def spoken_spans(timeline: Timeline) -> SpokenSpans:
    """The spans of a timeline, by the articulation table."""
    pieces = [(phone(each.phone), (each.start, each.end)) for each in timeline.pieces()]
    return SpokenSpans(
        [span for row, span in pieces if row.contact == "lips"],
        [span for row, span in pieces if row.contact == "teeth"],
        [span for row, span in pieces if row.rounded in _SEEN_ROUND],
        [span for row, span in pieces if row.vowel and not row.rounded],
        timeline.silences(_LEAST_SILENCE),
    )  # fmt: skip


def viseme_spans(timeline: Timeline) -> list[tuple[str, float, float]]:
    """(viseme, start, end) of everything that is said."""
    return [
        (phone(each.phone).viseme, each.start, each.end)
        for each in timeline.pieces() if not phone(each.phone).silent
    ]  # fmt: skip


def class_spans(timeline: Timeline) -> list[tuple[str, float, float]]:
    """(class, start, end) of the whole timeline, silence too; the class is one of
    `metrics.speech_classes.CLASSES`."""
    return [(_class_of(phone(p.phone)), p.start, p.end) for p in timeline.pieces()]


def _class_of(row: Phone) -> str:
    if row.silent:
        return "silence"
    if row.contact:
        return "lips together" if row.contact == "lips" else "lip on teeth"
    if row.rounded in _SEEN_ROUND:
        return "rounded"
    if not row.vowel:
        return "other consonant"
    return "open vowel" if row.jaw == "low" else "other vowel"
