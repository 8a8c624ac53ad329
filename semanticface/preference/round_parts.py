"""What the steps of a round share: its faces, its store and projects, waiting for people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from hashlib import sha256
from heapq import nsmallest
from pathlib import Path
from typing import Any

import numpy as np

from semanticface.data.images import Limits, Pictures, encoded
from semanticface.data.manifest import manifest_of
from semanticface.data.records import Record, for_training
from semanticface.data.sources import records
from semanticface.data.splits import DEFAULT
from semanticface.errors import BadInput
from semanticface.preference.candidates import Candidate, Duel
from semanticface.preference.judged import Asked
from semanticface.preference.pairing import add_check
from semanticface.preference.rounds import Plan, Waiting, Work
from semanticface.preference.store import Store, open_store
from semanticface.preference.store.content import Item, Project, Rules, add_project, project_of
from semanticface.preference.store.files import keep_file
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


def item_of(store: Store, record: Record) -> Item:
    """A face as an item; its picture goes into the store."""
    picture = keep_file(store, encoded(record.image, Limits()))
    return Item(record.id, record.subject, picture=picture, person=record.identity)


def add_checks(
    store: Store, project: Project, faces: Sequence[Record], regions: Sequence[str], pairs: int
) -> int:
    """Attention checks for so many pairs, from faces whose numbers are known; how many there are.

    Called again it adds nothing.
    """
    every = project.rules.check_every
    wanted, there = (1 + pairs // every if every and pairs else 0), 0
    for number, face in enumerate(each for each in faces if not np.isnan(each.values).any()):
        if there >= wanted:
            break
        truth = Candidate.of("truth", face.values)
        region = regions[number % len(regions)]
        there += sum(add_check(store, project, item_of(store, face), truth, region))
    return there


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


def asked_about(pool: Sequence[tuple[Duel, Record]]) -> Asked:
    """Pairs that nobody judged, as a discriminator looks at them."""
    pictures = Pictures()
    shown: dict[str, Any] = {}
    for _, face in pool:
        if face.id not in shown:
            shown[face.id] = pictures.decode(face.image, face.id)
    return Asked(tuple(duel for duel, _ in pool), (math.nan,) * len(pool),
                 tuple(face.subject for _, face in pool),
                 tuple(shown[face.id] for _, face in pool),
                 tuple(face.identity for _, face in pool), 0)  # fmt: skip


def task_of(work: Work) -> Any:
    """What is asked of the model and how it answers."""
    from semanticface.preference.align.options import StartOptions
    from semanticface.preference.align.trainer import start_of

    return start_of(StartOptions(start=work.plan.start, answer=work.plan.answer)).task
