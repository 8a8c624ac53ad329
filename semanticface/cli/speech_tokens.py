"""`semanticface tokens --speech`: what a recording costs, by part of the cues and by answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from semanticface.cli.console import note, out

if TYPE_CHECKING:
    from semanticface.data.speech_cost import AnswerCost, Cost
    from semanticface.speech.stitching import Cut


def show(
    audio: Path, transcript: str | None, alignment: Path | None, count: Callable[[str], int],
    unit: str, cut: Cut, rate: float,
) -> None:  # fmt: skip
    """Three tables: cues by part, requests by set, answers by form."""
    from semanticface.cli.speak import heard_as_told, one_of, tell
    from semanticface.data.speech_cost import speech_costs
    from semanticface.speech.cues import Spoken
    from semanticface.speech.rules import animate

    one_of({"--transcript": transcript, "--alignment": alignment})
    heard = heard_as_told(audio, transcript, alignment, None)
    tell(heard)
    clip = animate(heard.timeline, heard.contours, rate=rate)
    found = speech_costs(Spoken(heard.timeline, heard.contours), clip, count, cut, rate)
    _table("cue", unit, found.parts)
    _table("request with cues", unit, found.requests)
    _answers(unit, found.answers)
    note(f"over {found.windows} windows of {cut.frames} frames every {cut.hop}, "
         f"{found.seconds:.2f} s at {rate:g} frames a second; sound is not counted: its tokens "
         "are the model's own affair")  # fmt: skip
    note("answers are those of the rules' mouth; stress and emphasis are what they add to the "
         "phones; shapes are a token a frame for models that have them")  # fmt: skip


def _table(what: str, unit: str, rows: Sequence[Cost]) -> None:
    from rich.table import Table

    table = Table(what, f"mean {unit} a window", "least", "most", f"{unit} a second", box=None)
    for row in rows:
        table.add_row(row.name, f"{row.mean:.1f}", str(row.least), str(row.most),
                      f"{row.second:.0f}")  # fmt: skip
    out().print(table)


def _answers(unit: str, rows: Sequence[AnswerCost]) -> None:
    from rich.table import Table

    table = Table("answer", f"mean {unit}", "least", "most", f"{unit} a second", "times fewer",
                  "mean error", "worst", box=None)  # fmt: skip
    for row in rows:
        cost = row.cost
        table.add_row(cost.name, f"{cost.mean:.1f}", str(cost.least), str(cost.most),
                      f"{cost.second:.0f}", f"{row.fewer:.1f}", f"{row.error:.4f}",
                      f"{row.worst:.3f}")  # fmt: skip
    out().print(table)
