"""What is wrong with a file of model answers, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from semanticface.formats import keyframe_jsonl, semanticface_jsonl
from semanticface.formats.fault import Fault
from semanticface.language.parsed import ParseReport


def answer_faults(path: Path, key: str) -> list[Fault]:
    """Faults of a SemanticFace or KeyframeFace results file."""
    module = {"semanticface": semanticface_jsonl, "keyframeface": keyframe_jsonl}[key]
    return [
        fault
        for answer in module.read_answers(path)
        for fault in _of_report(answer.row, answer.parsed.report)
    ]


def _of_report(row: int, report: ParseReport) -> Iterator[Fault]:
    if report.outcome == "failed":
        why = "; ".join(report.notes) or "no coefficient in it"
        yield Fault(row, "response", f"an unreadable answer ({why})", "61 coefficients", "error")
        return
    for names, found in (
        (report.missing, "no value"), (report.not_finite, "a value that is not finite"),
        (report.duplicate, "two different values"), (report.out_of_range, "a value out of range"),
    ):  # fmt: skip
        for name in names:
            yield Fault(row, name, found, "one value in range", "warning")
    if report.extra:
        yield Fault(row, None, f"names {list(report.extra)}", "face channels only", "warning")
    if report.notes:
        told = "; ".join(report.notes)
        yield Fault(row, None, f"a {report.outcome} reading: {told}", "a strict answer", "warning")
