"""A store keeps what it was given: schema, locks, duplicates, exports."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from semanticface.errors import BadInput
from semanticface.preference.candidates import Candidate, Duel
from semanticface.preference.store import Store, StoreBusy, open_store
from semanticface.preference.store.content import (
    Item,
    Project,
    Rules,
    add_pairs,
    add_project,
    add_rater,
    answer_of,
    known_rater,
    project_of,
    rater_of,
    raters_of,
    revoke,
)
from semanticface.preference.store.database import Store as _Store
from semanticface.preference.store.database import _engine, migrate_to, newest, schema_of
from semanticface.preference.store.exchange import export_project, import_project
from semanticface.preference.store.files import keep_file, kept_file
from semanticface.preference.store.preferred import (
    Filter,
    write_preferences,
)
from semanticface.preference.store.questions import left_of, open_questions, progress_of
from semanticface.preference.store.tables import META, PAIRS, QUESTIONS, VERDICTS
from semanticface.preference.store.verdicts import Conflict, heard, record, undo
from semanticface.preference.store.wholes import write_wholes

from .pairs import QUIET, face, fill, lower_pair


def judge(store: Store, rater_id: str, choice: str, count: int = 99) -> int:
    """Answer questions so that `choice` (one or other) is what stands."""
    project = project_of(store)
    for number in range(count):
        questions = open_questions(store, project, rater_id, 1)
        if not questions:
            return number
        asked = questions[0]
        with store.reading() as connection:
            query = PAIRS.select().where(PAIRS.c.id == asked.pair_id)
            pair = connection.execute(query).mappings().one()
        left = "one" if pair["one_id"] == asked.left else "other"
        click = (
            choice if choice in ("tie", "bad", "skip") else "left" if left == choice else "right"
        )
        record(store, rater_id, asked.id, click, key=f"{rater_id[:8]}-{asked.number:06}")
    return count


# -- schema -------------------------------------------------------------------


def test_the_migrations_make_the_tables_that_the_code_reads(store: Store) -> None:
    assert schema_of(store) == newest()
    with store.reading() as connection:
        seen = inspect(connection)
        for table in META.sorted_tables:
            columns = {each["name"]: each["nullable"] for each in seen.get_columns(table.name)}
            wanted = {c.name: bool(c.nullable) for c in table.c}
            assert {k: v for k, v in columns.items() if k not in table.primary_key.c} == {
                k: v for k, v in wanted.items() if k not in table.primary_key.c
            }
            assert {each["name"] for each in seen.get_indexes(table.name)} >= {
                each.name for each in table.indexes
            }


def older(folder: Path, revision: str = "0001") -> None:
    (folder / "media").mkdir(parents=True)
    old = _Store(_engine(f"sqlite:///{folder / 'store.sqlite'}", 1), folder / "media")
    migrate_to(old, revision)
    add_project(old, "faces")
    old.close()


def test_an_older_schema_is_refused_until_it_is_asked_for_and_copied_first(tmp_path: Path) -> None:
    folder = tmp_path / "old"
    older(folder)
    with pytest.raises(BadInput, match=r"older schema 0001.*rank upgrade"):
        open_store(folder)
    opened = open_store(folder, upgrade=True)
    assert schema_of(opened) == newest() and project_of(opened).id == "faces"
    opened.close()
    copy = sqlite3.connect(folder / "store.schema-0001.sqlite")
    assert copy.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
    assert copy.execute("SELECT id FROM projects").fetchone() == ("faces",)
    copy.close()


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    open_store(tmp_path / "s", create=True).close()
    file = sqlite3.connect(tmp_path / "s" / "store.sqlite")
    with file:
        file.execute("UPDATE alembic_version SET version_num = '9999'")
    file.close()
    with pytest.raises(BadInput, match="newer semanticface"):
        open_store(tmp_path / "s", upgrade=True)


def test_no_store_is_made_by_accident(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no store here"):
        open_store(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()
    with pytest.raises(BadInput, match="--media"):
        open_store("postgresql+psycopg://nobody@/x")


def test_sqlite_is_durable(store: Store) -> None:
    with store.reading() as connection:
        read = {name: connection.execute(text(f"PRAGMA {name}")).scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys")}  # fmt: skip
    assert read == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


# -- locks and races ----------------------------------------------------------


def test_a_locked_store_says_so_and_changes_nothing(tmp_path: Path) -> None:
    opened = open_store(tmp_path / "s", create=True, wait=0.2)
    project = fill(opened, 2)
    rater = add_rater(opened, project.id, "ann")
    asked = open_questions(opened, project, rater.id, 1)[0]
    other = sqlite3.connect(tmp_path / "s" / "store.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy, match="try again"):
        record(opened, rater.id, asked.id, "left", key="click-0001")
    assert open_questions(opened, project, rater.id, 1) == (asked,)  # readers are not held up
    other.execute("ROLLBACK")
    other.close()
    assert not record(opened, rater.id, asked.id, "left", key="click-0001").repeated
    opened.close()


def test_many_raters_at_once_get_each_pair_as_often_as_asked(store: Store) -> None:
    project = fill(store, 12)
    raters = [add_rater(store, project.id, f"rater {i}").id for i in range(4)]
    faults: list[BaseException] = []

    def work(rater_id: str) -> None:
        try:
            judge(store, rater_id, "one")
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(each,)) for each in raters]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not faults
    said = heard(store, project.id)
    per_pair = {key: sum(each.pair_id == key for each in said) for key in {e.pair_id for e in said}}
    assert len(per_pair) == 12 and set(per_pair.values()) == {2}


def test_threads_take_turns_and_none_is_turned_away_while_others_write(tmp_path: Path) -> None:
    opened = open_store(tmp_path / "s", create=True, wait=2.0)
    project = fill(opened, 1)
    inside, most, faults = [0], [0], []

    def work(number: int) -> None:
        try:
            for turn in range(5):
                with opened.writing() as connection:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                    connection.execute(PAIRS.update().values(asked=number * 10 + turn))
                    time.sleep(0.002)
                    inside[0] -= 1
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not faults and most[0] == 1 and project.id
    opened.close()


def test_a_thread_that_never_lets_go_is_told_of_and_a_fault_lets_go(tmp_path: Path) -> None:
    opened = open_store(tmp_path / "s", create=True, wait=0.1)
    told: list[BaseException] = []

    def work() -> None:
        try:
            with opened.writing():
                pass
        except StoreBusy as fault:
            told.append(fault)

    with opened.writing():
        waiting = threading.Thread(target=work)
        waiting.start()
        waiting.join()
    assert len(told) == 1
    with pytest.raises(ZeroDivisionError), opened.writing():
        _ = 1 / 0
    with opened.writing():  # free again
        pass
    opened.close()


# -- questions and verdicts ---------------------------------------------------


def test_a_question_waits_until_it_is_answered(store: Store) -> None:
    project = fill(store, 3)
    rater = add_rater(store, project.id, "ann")
    first = open_questions(store, project, rater.id, 2)
    assert first == open_questions(store, project, rater.id, 2) and len(first) == 2
    record(store, rater.id, first[0].id, "tie", key="click-0001", seconds=1.5)
    second = open_questions(store, project, rater.id, 2)
    assert second[0] == first[1] and second[1] not in first
    assert progress_of(store, rater.id) == (1, 1.5) and left_of(store, project, rater.id) == 2
    judge(store, rater.id, "one")
    assert open_questions(store, project, rater.id) == ()


def test_a_pair_that_somebody_left_open_is_asked_of_another_after_an_hour(store: Store) -> None:
    project = fill(store, 1, Rules(votes=1, check_every=0, repeat_every=0))
    gone, here = (add_rater(store, project.id, name) for name in ("gone", "here"))
    assert open_questions(store, project, gone.id)
    assert not open_questions(store, project, here.id)
    with store.writing() as connection:
        connection.execute(QUESTIONS.update().values(asked=QUESTIONS.c.asked - 4000))
    assert len(open_questions(store, project, here.id)) == 1


def test_an_oracle_takes_no_votes_from_people(store: Store) -> None:
    project = fill(store, 3, Rules(votes=1, check_every=0, repeat_every=0))
    machine = add_rater(store, project.id, "machine", "oracle")
    other = add_rater(store, project.id, "other", "oracle")
    assert judge(store, machine.id, "one") == judge(store, other.id, "one") == 3
    assert judge(store, add_rater(store, project.id, "ann").id, "one") == 3
    assert judge(store, add_rater(store, project.id, "bob").id, "one") == 0


def test_the_same_click_twice_is_one_verdict_and_another_is_a_conflict(store: Store) -> None:
    project = fill(store, 2)
    rater = add_rater(store, project.id, "ann")
    asked = open_questions(store, project, rater.id, 1)[0]
    first = record(store, rater.id, asked.id, "left", key="click-0001")
    again = record(store, rater.id, asked.id, "left", key="click-0001")
    assert again.repeated and again.choice == first.choice
    assert record(store, rater.id, asked.id, "left", key="click-0002").id == "click-0001"
    with pytest.raises(Conflict, match="another verdict"):
        record(store, rater.id, asked.id, "right", key="click-0003")
    assert len(heard(store, project.id)) == 1


def test_undo_opens_the_question_and_keeps_what_was_said(store: Store) -> None:
    project = fill(store, 3)
    rater = add_rater(store, project.id, "ann")
    assert undo(store, rater.id) is None
    asked = open_questions(store, project, rater.id, 1)[0]
    record(store, rater.id, asked.id, "left", key="click-0001")
    assert undo(store, rater.id) == asked.id
    assert open_questions(store, project, rater.id, 1)[0].id == asked.id
    with pytest.raises(Conflict, match="was undone"):  # a late retry of the undone click
        record(store, rater.id, asked.id, "left", key="click-0001")
    record(store, rater.id, asked.id, "right", key="click-0002")
    said = heard(store, project.id)
    assert [each.click for each in said] == ["right"]
    with store.reading() as connection:
        assert len(connection.execute(VERDICTS.select()).all()) == 2


def test_sides_are_blinded_and_what_stands_is_about_answers(store: Store) -> None:
    project = fill(store, 40)
    rater = add_rater(store, project.id, "ann")
    judge(store, rater.id, "one")
    said = heard(store, project.id)
    assert {each.choice for each in said} == {"one"}
    assert 8 < sum(each.click == "left" for each in said) < 32


def test_repeats_come_later_with_the_sides_exchanged(store: Store) -> None:
    project = fill(store, 30, Rules(votes=1, check_every=0, repeat_every=5, repeat_after=4))
    rater = add_rater(store, project.id, "ann")
    judge(store, rater.id, "one")
    said = heard(store, project.id)
    again = [each for each in said if each.turn == 1]
    assert len(again) >= 5
    for each in again:
        first = next(e for e in said if e.pair_id == each.pair_id and e.turn == 0)
        assert each.number - first.number >= 4 and each.flipped != first.flipped


def test_checks_are_mixed_in(store: Store) -> None:
    project = fill(store, 20, Rules(votes=1, check_every=6, repeat_every=0))
    for number in range(3):
        add_pairs(store, project.id, Item(f"check {number}", "s"),
                  [lower_pair(1.0, other=f"wrong {number}")], purpose="check",
                  expected="one")  # fmt: skip
    rater = add_rater(store, project.id, "ann")
    judge(store, rater.id, "one")
    checks = [each for each in heard(store, project.id) if each.purpose == "check"]
    assert len(checks) == 3 and all(each.choice == each.expected for each in checks)


@pytest.mark.parametrize(("click", "key", "seconds"), [
    ("both", "click-0001", None), ("left", "short", None), ("left", "x" * 65, None),
    ("left", "click-0001", float("nan")), ("left", "click-0001", -1.0), ("left", "clîck-0001", 1.0),
])  # fmt: skip
def test_a_verdict_that_makes_no_sense_is_refused(
    store: Store, click: str, key: str, seconds: float | None
) -> None:
    project = fill(store, 1)
    rater = add_rater(store, project.id, "ann")
    asked = open_questions(store, project, rater.id, 1)[0]
    with pytest.raises(BadInput):
        record(store, rater.id, asked.id, click, key=key, seconds=seconds)


def test_nobody_answers_for_somebody_else(store: Store) -> None:
    project = fill(store, 2)
    ann, bob = (add_rater(store, project.id, name) for name in ("ann", "bob"))
    asked = open_questions(store, project, ann.id, 1)[0]
    with pytest.raises(BadInput, match="not yours"):
        record(store, bob.id, asked.id, "left", key="click-0001")


# -- content ------------------------------------------------------------------


def test_answers_come_back_to_the_bit(store: Store) -> None:
    project = add_project(store, "faces")
    values = np.random.default_rng(1).random((3, 61)).astype(np.float32)
    values[1, 7] = np.nan
    one, other = (
        Candidate.of(name, v, rate=30) for name, v in (("a", values), ("b", values * 0.5))
    )
    add_pairs(store, project.id, Item("i", "s"), [Duel(one, other, "full")])
    rater = add_rater(store, project.id, "ann")
    asked = open_questions(store, project, rater.id, 1)[0]
    back = {each.source: each for each in (answer_of(store, k) for k in (asked.left, asked.right))}
    assert back["a"].values.tobytes() == one.values.tobytes()
    assert np.array_equal(back["a"].times, one.times)


def test_the_same_pair_is_added_once_and_an_item_does_not_change(store: Store) -> None:
    project = fill(store, 1)
    same = Item("item 0", "subject 0", person=0)
    assert add_pairs(store, project.id, same, [lower_pair(0.3)]) == (0, 1)
    assert add_pairs(store, project.id, same, [lower_pair(0.9)]) == (1, 0)
    with pytest.raises(BadInput, match="another subject"):
        add_pairs(store, project.id, same._replace(subject="else"), [lower_pair(0.3)])


def test_an_unfair_pair_is_refused(store: Store) -> None:
    project = fill(store, 1)
    one, other = (Candidate.of("x", face(jawOpen=v, browInnerUp=v)) for v in (0.2, 0.4))
    with pytest.raises(BadInput, match="differs elsewhere"):
        add_pairs(store, project.id, Item("i", "s"), [Duel(one, other, "lower")])
    with pytest.raises(BadInput, match="for checks only"):
        add_pairs(store, project.id, Item("i", "s"), [lower_pair(0.4)], purpose="check")


def test_raters_have_one_name_and_can_be_revoked(store: Store) -> None:
    project = fill(store, 1)
    ann = add_rater(store, project.id, "ann")
    with pytest.raises(BadInput, match="a name not in use"):
        add_rater(store, project.id, "ann", "oracle")
    revoke(store, ann.id)
    assert rater_of(store, ann.id).revoked and raters_of(store, project.id)[0].revoked
    for bad in ("", "  ", "a\nb", "x" * 81):
        with pytest.raises(BadInput):
            add_rater(store, project.id, bad)


def test_an_oracle_of_the_same_make_goes_on_and_another_is_refused(store: Store) -> None:
    project = fill(store, 2)
    first = known_rater(store, project.id, "oracle", "oracle", "traits")
    assert known_rater(store, project.id, "oracle", "oracle", "traits") == first
    for kind, about in (("oracle", "others"), ("human", "traits")):
        with pytest.raises(BadInput, match="of kind oracle traits"):
            known_rater(store, project.id, "oracle", kind, about)


def test_files_are_found_by_hash_and_nothing_else(store: Store) -> None:
    digest = keep_file(store, b"picture")
    assert kept_file(store, digest).read_bytes() == b"picture"
    for bad in ("../../etc/passwd", digest.upper(), digest[:-1], digest + "/x", ""):
        with pytest.raises(BadInput):
            kept_file(store, bad)


# -- out and in ---------------------------------------------------------------


def told(store: Store, tmp_path: Path, name: str) -> bytes:
    export_project(store, "faces", tmp_path / name)
    return (tmp_path / name).read_bytes()


def test_a_project_travels_whole_and_back_again(store: Store, tmp_path: Path) -> None:
    project = fill(store, 5)
    digest = keep_file(store, b"a picture")
    add_pairs(store, project.id, Item("seen", "s", picture=digest), [lower_pair(0.5)])
    ann = add_rater(store, project.id, "ann")
    judge(store, ann.id, "one", 3)
    undo(store, ann.id)
    first = told(store, tmp_path, "a.jsonl")
    other = open_store(tmp_path / "b", create=True)
    carried = import_project(other, tmp_path / "a.jsonl")
    assert carried.new["verdict"] == 3 and carried.known == {}
    assert told(other, tmp_path, "b.jsonl") == first
    assert kept_file(other, digest).read_bytes() == b"a picture"
    again = import_project(other, tmp_path / "a.jsonl")
    assert again.new == {} and again.known["pair"] == 6
    assert open_questions(other, project, ann.id)  # and the work goes on there
    other.close()


def test_a_later_undo_arrives_and_a_contradiction_does_not(store: Store, tmp_path: Path) -> None:
    project = fill(store, 2)
    ann = add_rater(store, project.id, "ann")
    judge(store, ann.id, "one", 1)
    told(store, tmp_path, "a.jsonl")
    other = open_store(tmp_path / "b", create=True)
    import_project(other, tmp_path / "a.jsonl")
    undo(store, ann.id)
    after = told(store, tmp_path, "a2.jsonl")
    import_project(other, tmp_path / "a2.jsonl")
    assert told(other, tmp_path, "b.jsonl") == after
    (tmp_path / "bad.jsonl").write_bytes(after.replace(b'"choice": "one"', b'"choice": "tie"'))
    with pytest.raises(BadInput, match=r"bad.jsonl, row \d+: found another choice"):
        import_project(other, tmp_path / "bad.jsonl")
    assert told(other, tmp_path, "b.jsonl") == after
    other.close()


@pytest.mark.parametrize("damage", [
    lambda rows: rows[1:], lambda rows: [rows[0].replace("0003", "0002"), *rows[1:]],
    lambda rows: [*rows, '{"table": "users", "id": "x"}'],
    lambda rows: [*rows, '{"table": "verdict", "id": "x"}'],
    lambda rows: [*rows, '{"table": "file", "id": "../../x", "data": ""}'],
    lambda rows: [*rows, json.dumps({"table": "file", "id": "a" * 64, "data": "QUJD"})],
    lambda rows: [r for r in rows if '"table": "answer"' not in r],
    lambda rows: [r.replace('"frames": "[[', '"frames": "[[true, ') for r in rows],
])  # fmt: skip
def test_a_damaged_export_is_refused_whole(store: Store, tmp_path: Path, damage: object) -> None:
    fill(store, 2)
    rows = told(store, tmp_path, "a.jsonl").decode().splitlines()
    (tmp_path / "bad.jsonl").write_text("\n".join(damage(rows)) + "\n")
    other = open_store(tmp_path / "b", create=True)
    with pytest.raises(BadInput, match=r"bad\.jsonl|64 hexadecimal"):
        import_project(other, tmp_path / "bad.jsonl")
    with pytest.raises(BadInput):
        project_of(other)
    other.close()


# -- preferences --------------------------------------------------------------


def test_preferences_are_rebuilt_byte_for_byte(store: Store, tmp_path: Path) -> None:
    project = fill(store, 6)
    ann, bob = (add_rater(store, project.id, name) for name in ("ann", "bob"))
    judge(store, ann.id, "one")
    judge(store, bob.id, "other", 2)
    judge(store, bob.id, "one")
    first = write_preferences(store, project.id, tmp_path / "a.jsonl")
    assert first.rows == 4 and first.manifest["pairs_left_out"] == 2
    told(store, tmp_path, "x.jsonl")
    other = open_store(tmp_path / "b", create=True)
    import_project(other, tmp_path / "x.jsonl")
    second = write_preferences(other, project.id, tmp_path / "b.jsonl")
    other.close()
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    assert first.manifest == second.manifest
    row = json.loads((tmp_path / "a.jsonl").read_text().splitlines()[0])
    assert row["chosen"]["source"] == "base" and row["rejected"]["source"] == "new"
    assert row["judged_by"] == {"human": 2} and len(row["chosen"]["values"]) == 61


def test_people_and_oracles_are_never_mixed_in_silence(store: Store, tmp_path: Path) -> None:
    project = fill(store, 4)
    ann = add_rater(store, project.id, "ann")
    machine = add_rater(store, project.id, "machine", "oracle")
    judge(store, ann.id, "one")
    judge(store, machine.id, "other")
    people = write_preferences(store, project.id, tmp_path / "p.jsonl")
    assert people.manifest["judged_by"] == {"human": 4} and people.rows == 4
    with pytest.raises(BadInput, match="--mixed"):
        Filter(judges=("human", "oracle"))
    both = Filter(judges=("human", "oracle"), mixed=True)
    mixed = write_preferences(store, project.id, tmp_path / "m.jsonl", both)
    assert mixed.rows == 0 and mixed.manifest["judged_by"] == {"human": 4, "oracle": 4}
    alone = Filter(judges=("oracle",))
    rows = write_preferences(store, project.id, tmp_path / "o.jsonl", alone)
    assert rows.rows == 4 and rows.manifest["judged_by"] == {"oracle": 4}


def test_ties_skips_and_left_out_raters_do_not_decide(store: Store, tmp_path: Path) -> None:
    project = fill(store, 4)
    ann, bob = (add_rater(store, project.id, name) for name in ("ann", "bob"))
    judge(store, ann.id, "tie")
    judge(store, bob.id, "one", 2)
    judge(store, bob.id, "skip", 1)
    judge(store, bob.id, "bad", 1)
    path = tmp_path / "a.jsonl"
    assert write_preferences(store, project.id, path).rows == 2  # 1.5 of 2 votes
    assert write_preferences(store, project.id, path, Filter(without=("ann",))).rows == 2
    assert write_preferences(store, project.id, path, Filter(without=("bob",))).rows == 0
    assert write_preferences(store, project.id, path, Filter(least_share=0.8)).rows == 0


def judged_halves(store: Store, picture: str | None = None) -> Project:
    """One item: `a` won above, `b` below; and one that was judged above only."""
    project = add_project(store, "faces", rules=QUIET)
    base = Candidate.of("base", face(headYaw=0.2))
    up, low = (Candidate.of(n, face(**c)) for n, c in (
        ("a", {"browInnerUp": 0.7, "jawOpen": 0.1}), ("b", {"browInnerUp": 0.1, "jawOpen": 0.6}),
    ))  # fmt: skip
    for name, regions in (("half", ("upper",)), ("i", ("upper", "lower"))):
        for region in regions:
            duel = Duel(base.with_region_of(up, region), base.with_region_of(low, region), region)
            add_pairs(store, project.id, Item(name, "s", picture=picture), [duel])
    rater = add_rater(store, project.id, "ann")
    for _ in range(3):
        asked = open_questions(store, project, rater.id, 1)[0]
        wanted = "a" if asked.region == "upper" else "b"
        click = "left" if answer_of(store, asked.left).source == wanted else "right"
        record(store, rater.id, asked.id, click, key=f"click-{asked.number:04}")
    return project


def test_winners_of_both_halves_become_one_answer(store: Store, tmp_path: Path) -> None:
    project = judged_halves(store)
    written = write_wholes(store, project.id, tmp_path / "w.jsonl")
    assert written.rows == 1 and written.manifest["whole"] == ["upper", "lower"]
    (row,) = (json.loads(line) for line in (tmp_path / "w.jsonl").read_text().splitlines())
    assert row["item"] == "i" and row["region"] == "full" and row["judged_by"] == {"human": 2}
    assert row["winners"] == {"upper": "a", "lower": "b"}
    assert row["losers"] == {"upper": "b", "lower": "a"}
    for key, up, low in (("chosen", 0.7, 0.6), ("rejected", 0.1, 0.1)):
        values = np.array(row[key]["values"], np.float32)
        assert np.array_equal(values, face(browInnerUp=up, jawOpen=low, headYaw=0.2))
    first = (tmp_path / "w.jsonl").read_bytes()
    write_wholes(store, project.id, tmp_path / "again.jsonl")
    assert (tmp_path / "again.jsonl").read_bytes() == first


def test_recombined_rows_are_what_the_alignment_takes(store: Store, tmp_path: Path) -> None:
    """From verdicts by way of the command to the rows that DPO is handed."""
    pytest.importorskip("trl", reason="comes with the train extra")
    from typer.testing import CliRunner

    from semanticface.cli.main import app
    from semanticface.data.tasks import Task
    from semanticface.preference.align.options import PairOptions
    from semanticface.preference.align.rows import read_pairs
    from semanticface.rig import COUNT

    judged_halves(store, keep_file(store, b"\x89PNG\r\n a picture"))
    path, task = tmp_path / "whole.jsonl", Task.of("tokens", stage="coefficients")
    command = ["rank", "preferences", str(store.media.parent), "-o", str(path), "--whole"]
    told = CliRunner().invoke(app, command)
    assert told.exit_code == 0, told.output
    pairs = read_pairs(PairOptions(preferences=str(path), media=str(store.media)), task)
    (row,) = pairs.rows
    assert pairs.left_out == {} and row["channels"] == list(range(COUNT))
    for key, up, low in (("chosen", 0.7, 0.6), ("rejected", 0.1, 0.1)):
        read = task.read(row[key][0]["content"][0]["text"]).values
        assert read == pytest.approx(face(browInnerUp=up, jawOpen=low, headYaw=0.2), abs=0.02)


# -- PostgreSQL ---------------------------------------------------------------


def _question_of(store: Store, verdict: str) -> str:
    with store.reading() as connection:
        query = VERDICTS.select().where(VERDICTS.c.id == verdict)
        return str(connection.execute(query).mappings().one()["question_id"])


@pytest.mark.slow
def test_the_same_work_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    opened = open_store(postgres_url, media=tmp_path / "media", create=True)
    project = fill(opened, 8, Rules(votes=2, check_every=0, repeat_every=4, repeat_after=2))
    raters = [add_rater(opened, project.id, f"rater {i}").id for i in range(3)]
    threads = [threading.Thread(target=judge, args=(opened, each, "one")) for each in raters]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    everything = heard(opened, project.id)
    again = record(opened, everything[0].rater_id, _question_of(opened, everything[0].id),
                   everything[0].click, key=everything[0].id)  # fmt: skip
    assert again.repeated and len(heard(opened, project.id)) == len(everything)
    said = [each for each in everything if each.turn == 0]
    per_pair = {key: sum(e.pair_id == key for e in said) for key in {e.pair_id for e in said}}
    assert len(per_pair) == 8 and min(per_pair.values()) >= 2  # a race may ask once too often
    first = told(opened, tmp_path, "a.jsonl")
    sqlite = open_store(tmp_path / "b", create=True)
    import_project(sqlite, tmp_path / "a.jsonl")
    assert told(sqlite, tmp_path, "b.jsonl") == first
    with pytest.raises(IntegrityError), opened.writing() as connection:
        connection.execute(text("UPDATE questions SET pair_id = 'nothing'"))
    sqlite.close()
    opened.close()
