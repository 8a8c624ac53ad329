"""When rounds go on: enough votes, skips that nobody can make good, attention checks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from samples import record as face_record

from semanticface.preference.pairing import add_checks
from semanticface.preference.round_parts import project_in, wait_for_people
from semanticface.preference.rounds import Plan, Waiting, Work
from semanticface.preference.store import Store
from semanticface.preference.store.content import Item, Project, add_pairs, add_rater, revoke
from semanticface.preference.store.questions import open_questions
from semanticface.preference.store.verdicts import heard, record
from semanticface.preference.waiting import Standing

from .pairs import face, lower_pair


def begun(store: Store, votes: int = 1, pairs: int = 3) -> tuple[Work, Project]:
    work = Work(Plan(judge="human", votes=votes), Path("r"), 1)
    project = project_in(store, work)
    for number in range(pairs):
        add_pairs(store, project.id, Item(f"i{number}", "s"), [lower_pair(0.5 + 0.1 * number)])
    return work, project


def click(store: Store, project: Project, rater: str, *clicks: str) -> None:
    for each in clicks:
        asked = open_questions(store, project, rater, 1)[0]
        record(store, rater, asked.id, each, key=f"key-{asked.id}")


def test_a_skip_of_the_only_person_does_not_hold_the_round(store: Store) -> None:
    work, project = begun(store)
    ann = add_rater(store, project.id, "ann").id
    click(store, project, ann, "left", "skip")
    with pytest.raises(Waiting, match="2 of 3 pairs"):
        wait_for_people(store, project, work)
    click(store, project, ann, "right")
    assert wait_for_people(store, project, work) == Standing(3, 0, 1, 0, 1)


def test_a_skipped_pair_is_asked_of_another_who_is_invited(store: Store) -> None:
    work, project = begun(store, pairs=1)
    ann, bob = (add_rater(store, project.id, name).id for name in ("ann", "bob"))
    click(store, project, ann, "skip")
    with pytest.raises(Waiting, match="0 of 1 pairs"):
        wait_for_people(store, project, work)
    click(store, project, bob, "left")
    assert wait_for_people(store, project, work).left_out == 0


def test_who_was_sent_away_is_not_waited_for(store: Store) -> None:
    work, project = begun(store, pairs=1)
    ann, bob = (add_rater(store, project.id, name).id for name in ("ann", "bob"))
    click(store, project, ann, "skip")
    revoke(store, bob)
    assert wait_for_people(store, project, work).left_out == 1


def test_as_many_people_as_asked_for_are_waited_for(store: Store) -> None:
    work, project = begun(store, votes=2)
    ann = add_rater(store, project.id, "ann").id
    click(store, project, ann, *["left"] * 3)
    with pytest.raises(Waiting, match=r"0 of 3 .* 2 people each\. 1 of 2 are invited.*rank invite"):
        wait_for_people(store, project, work)
    bob = add_rater(store, project.id, "bob").id
    click(store, project, bob, "left", "skip", "right")
    assert wait_for_people(store, project, work) == Standing(3, 0, 0, 0, 2)


def test_people_are_asked_about_known_faces_to_see_whether_they_look(store: Store) -> None:
    work, project = begun(store)
    hole = face()
    hole[3] = np.nan
    faces = [face_record(hole, id="i0", subject="s"), face_record(face(), id="known", subject="s"),
             face_record(face(), id="more", subject="s")]  # fmt: skip
    ann = add_rater(store, project.id, "ann").id
    with pytest.raises(Waiting, match="no attention checks"):
        wait_for_people(store, project, work)
    assert add_checks(store, project, faces[:1], ("lower",), 3) == 0
    assert [add_checks(store, project, faces, ("lower",), 3) for _ in range(2)] == [1, 1]
    click(store, project, ann, *["left"] * 4)
    checks = [each for each in heard(store, project.id) if each.purpose == "check"]
    assert len(checks) == 1 and checks[0].expected == "one"
    assert wait_for_people(store, project, work) == Standing(3, 0, 0, 1, 1)
    assert add_checks(store, project, [*faces, *faces[1:]], ("lower",), 0) == 0
