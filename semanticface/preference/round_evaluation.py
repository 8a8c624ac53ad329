"""A round's result against the very first start, on faces held out, region by region.

The likeliest answers of both are kept beside the round, and then compared

* by an oracle with the truth, in plain millimetres; or
* by people (`Plan.evaluator`), who are asked in a project of their own, `held-out-N`. Pairs
  that look the same count half for each and are not asked; pairs that everybody skipped are
  left out. Where the truth is known too the oracle's figures stand beside theirs, under names
  of their own.

No verdict of these comparisons is ever learnt from.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.atomic import write_text
from semanticface.data.images import Pictures
from semanticface.data.records import Record
from semanticface.errors import BadInput
from semanticface.preference.candidates import Candidate, Duel, regional_pair, sampled
from semanticface.preference.difference import worth_asking
from semanticface.preference.pairing import add_checks, item_of
from semanticface.preference.round_parts import (
    faces_of,
    project_in,
    store_of,
    task_of,
    wait_for_people,
)
from semanticface.preference.rounds import Plan, Work
from semanticface.preference.sampled_pairs import asked_about
from semanticface.preference.sampling import Sampler
from semanticface.preference.store.content import add_pairs
from semanticface.preference.store.preferred import Filter, votes
from semanticface.preference.store.verdicts import heard

Samplers = Callable[[str], Sampler]
"""From a run's folder (or nothing, for the packaged one) to what draws from it."""
Values = NDArray[np.float32]
_ACTIVE = 0.1


class Sides(NamedTuple):
    """Likeliest answers [N, 61] to the faces held out."""

    mine: Values
    first: Values
    """Of the very first start."""
    faces: tuple[Record, ...]

    def duels(self, regions: Sequence[str]) -> list[tuple[Duel, Record]]:
        """The round's answer against the start's in each region; answers with holes have none."""
        found = []
        for mine, first, face in zip(*self, strict=True):
            if not np.isnan([mine, first]).any():
                start, made = Candidate.of("start", first), Candidate.of("round", mine)
                found += [(regional_pair(start, made, start, each), face) for each in regions]
        return found


def evaluate(work: Work, samplers: Samplers) -> dict[str, Any]:
    """How often the round's answers are preferred to the first start's, and by whom."""
    plan, sides = work.plan, _sides(work, samplers)
    told = _by_people(work, sides) if plan.evaluator == "human" else {}
    known = _by_truth(plan, sides)
    if not told and "preference" not in known:
        raise BadInput("faces held out without known numbers",
                       "whole truth: an oracle judges them", file=plan.data,
                       hint="Or let people: --evaluated-by human")  # fmt: skip
    told = {**known, **told, **({"oracle": known.get("preference")} if told else {})}
    if plan.discriminator:
        told["believed"] = _believed(plan, sides)
    return told


def _by_truth(plan: Plan, sides: Sides) -> dict[str, Any]:
    from semanticface.preference.align.watch import wins

    truth = np.stack([each.values for each in sides.faces])
    if np.isnan(truth).any():
        return {}
    found = wins(sides.mine, sides.first, truth, tuple(plan.regions))
    moving = np.abs(truth) >= _ACTIVE
    return {"preference": found.rate, "duels": found.duels, "by": "oracle",
            "active_mae": _mean(np.abs(sides.mine - truth)[moving]),
            "active_mae_start": _mean(np.abs(sides.first - truth)[moving])}  # fmt: skip


def _by_people(work: Work, sides: Sides) -> dict[str, Any]:
    """Asks, waits, and counts the votes for the round's answer, which is put in as the one.

    What looks the same, or was called both bad by all, counts half; what everybody skipped
    is left out.
    """
    store = store_of(work)
    project, asked, left_out = project_in(store, work, "held-out"), 0, 0
    for duel, face in sides.duels(work.plan.regions):
        kept = worth_asking([duel], person=face.identity).kept
        add_pairs(store, project.id, item_of(store, face), list(kept))
        asked += len(kept)
    if asked:
        add_checks(store, project, sides.faces, work.plan.regions, asked)
        left_out = wait_for_people(store, project, work).left_out
    said = votes(heard(store, project.id), Filter(("human",)))
    store.close()
    shares = [each.one / (each.one + each.other) if each.one + each.other else 0.5
              for each in said]  # fmt: skip
    duels = len(sides.faces) * len(work.plan.regions) - left_out
    if not duels:
        raise BadInput(f"{left_out} pairs held out, skipped by all", "one at least that is decided",
                       hint=f"Invite others to {project.id}.")  # fmt: skip
    won = sum(shares) + 0.5 * (duels - len(shares))
    return {"preference": won / duels, "duels": duels, "asked": asked, "left_out": left_out,
            "by": "human"}  # fmt: skip


def _sides(work: Work, samplers: Samplers) -> Sides:
    """The answers, from the disk where they were asked for before."""
    plan = work.plan
    faces = faces_of(plan, "val", plan.held_out)
    kept, names = work.place / "held_out.json", [each.id for each in faces]
    if kept.is_file():
        held = json.loads(kept.read_text(encoding="utf-8"))
        if held["faces"] == names:
            mine, first = (np.array(held[key], np.float32) for key in ("mine", "first"))
            return Sides(mine, first, faces)
    mine, first = (
        _likeliest(samplers(place), faces, work) for place in (str(work.run), plan.start)
    )
    sides = Sides(mine, first, faces)
    told = {"faces": names, "mine": sides.mine.tolist(), "first": sides.first.tolist()}
    write_text(kept, json.dumps(told) + "\n")
    return sides


class Compared(NamedTuple):
    """A face held out, and the likeliest answers of the first start and of a round."""

    face: Record
    before: Values
    after: Values
    errors: tuple[float, float]
    """Mean absolute error where the truth is active, before and after."""


def compared(plan: Plan, folder: Any, samplers: Samplers, number: int = 1) -> list[Compared]:
    """Answers to the faces held out, side by side."""
    sides = _sides(Work(plan, folder, number), samplers)
    found = []
    for mine, first, face in zip(*sides, strict=True):
        active = np.abs(face.values) >= _ACTIVE
        errors = [float(np.abs(row - face.values)[active].mean()) for row in (first, mine)]
        found.append(Compared(face, first, mine, (errors[0], errors[1])))
    return found


def _likeliest(sampler: Sampler, faces: Sequence[Record], work: Work, batch: int = 16) -> Values:
    pictures, form, rows = Pictures(), task_of(work).form, []
    for begin in range(0, len(faces), batch):
        shown = [pictures.decode(each.image, each.id) for each in faces[begin : begin + batch]]
        for text in sampler.answers(shown, [None] * len(shown)):
            told = sampled([("x", text)], form).candidates
            rows.append(told[0].values[0] if told else np.full(len(faces[0].values), np.nan))
    return np.asarray(rows, np.float32)


def _believed(plan: Plan, sides: Sides) -> float:
    """Share of the same duels that the discriminator gives the round; even ones count half."""
    from semanticface.preference.discriminator import load
    from semanticface.preference.learned import believed

    rows = sides.duels(plan.regions)
    differ = [row for row in rows if row[0].fair]
    told = believed(load(plan.discriminator), asked_about(differ)).probability
    return float((np.sum(told > 0.5) + 0.5 * (len(rows) - len(differ))) / max(len(rows), 1))


def _mean(numbers: NDArray[np.floating]) -> float | None:
    known = numbers[~np.isnan(numbers)]
    return float(known.mean()) if len(known) else None
