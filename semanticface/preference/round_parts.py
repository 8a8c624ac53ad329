"""What the steps of a round share: its faces, its store and projects, waiting for people."""

from __future__ import annotations

from hashlib import sha256
from heapq import nsmallest
from pathlib import Path
from typing import Any

import numpy as np

from semanticface.data.manifest import manifest_of
from semanticface.data.records import Record, for_training
from semanticface.data.sources import records
from semanticface.data.splits import DEFAULT
from semanticface.errors import BadInput
from semanticface.preference.rounds import Plan, Waiting, Work
from semanticface.preference.store import Store, open_store
from semanticface.preference.store.content import Project, Rules, add_project, project_of
from semanticface.preference.waiting import Standing, standing


def faces_of(plan: Plan, side: str, most: int, seed: int = 0) -> tuple[Record, ...]:
    """Faces of a side, those with the smallest hashes, by id; where an oracle says something
    of them, with whole numbers."""
    if not plan.data:
        raise BadInput("rounds without faces", "--data: a manifest, .jsonl or a synth folder")
    allowed = for_training(records(manifest_of(Path(plan.data).expanduser())),
                           without_consent=False)  # fmt: skip
    people = (plan.judge if side == "train" else plan.evaluator) == "human"
    some = (each for each in allowed if (each.split or DEFAULT.side(each.subject)) == side
            and (people or not np.isnan(each.values).any()))  # fmt: skip
    found = nsmallest(most, some, key=lambda r: sha256(f"{seed}/{r.id}".encode()).digest())
    if not found:
        raise BadInput(f"no face on the side '{side}'", "some, of other people than the rest",
                       file=plan.data)  # fmt: skip
    return tuple(sorted(found, key=lambda each: each.id))


def store_of(work: Work) -> Store:
    """All rounds' store."""
    return open_store(work.folder / "store", create=True)


def project_in(store: Store, work: Work, name: str = "round") -> Project:
    """This round's project of that name."""
    full = f"{name}-{work.round}"
    try:
        return project_of(store, full)
    except BadInput:
        return add_project(store, full, rules=Rules(votes=work.plan.votes))


def wait_for_people(store: Store, project: Project, work: Work) -> Standing:
    """Go on only where every pair of a project is settled; see `waiting`."""
    found = standing(store, project)
    if found.waiting:
        raise Waiting(_waits(found, project, work))
    return found


def _waits(found: Standing, project: Project, work: Work) -> str:
    place, votes = work.folder / "store", project.rules.votes
    told = [f"round {work.round} waits for people: {found.settled} of {found.pairs} pairs are "
            f"judged{f' by {votes} people each' if votes > 1 else ''}."]  # fmt: skip
    if found.people < votes:
        told.append(f"{found.people} of {votes} are invited: semanticface rank invite {place} NAME "
                    f"--project {project.id}")  # fmt: skip
    if project.rules.check_every and not found.checks:
        told.append("There are no attention checks: the numbers of no face are known.")
    told.append(f"semanticface arena {place} --project {project.id}, then the same command again.")
    return " ".join(told)


def task_of(work: Work) -> Any:
    """What is asked of the model and how it answers."""
    from semanticface.preference.align.options import StartOptions
    from semanticface.preference.align.trainer import start_of

    return start_of(StartOptions(start=work.plan.start, answer=work.plan.answer)).seen
