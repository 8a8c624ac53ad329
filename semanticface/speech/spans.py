"""A timeline as what the metrics ask for: spans of contacts, rounding, silence, visemes."""

from __future__ import annotations

from semanticface.metrics.speech import SpokenSpans
from semanticface.speech.phones import phone
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
