"""Who trains and who judges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import record, smile

from semanticface.data.splits import SIDES, Shares, check_disjoint, on_side
from semanticface.errors import BadInput


def people(*names: str) -> list:
    return [record(smile(), id=f"{name}-{i}", subject=name) for i, name in enumerate(names)]


def test_sides_have_their_shares():
    shares = Shares(val=0.2, test=0.1)
    counts = dict.fromkeys(SIDES, 0)
    for i in range(4000):
        counts[shares.side(f"person {i}")] += 1
    assert counts["test"] == pytest.approx(400, abs=60)
    assert counts["val"] == pytest.approx(800, abs=80)


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=20))
def test_a_subject_stays_where_it_is_whatever_rows_come(names):
    before = {name: Shares().side(name) for name in names}
    rows = people("someone", *(name for name in names if name.strip()), "else")
    for side in SIDES:
        for each in on_side(rows, side):
            assert before.get(each.subject, side) == side


def test_larger_shares_take_people_in_and_let_nobody_out():
    names = [f"p{i}" for i in range(500)]
    small, large = Shares(0.1, 0.1), Shares(0.2, 0.3)
    for name in names:
        if small.side(name) != "train":
            assert large.side(name) == small.side(name)


def test_another_salt_is_another_split():
    names = [f"p{i}" for i in range(200)]
    assert [Shares(salt="a").side(n) for n in names] != [Shares(salt="b").side(n) for n in names]
    assert Shares().side("synthetic-7") == Shares().side("synthetic-7")


@pytest.mark.parametrize("other", ["anna", " ANNA ", "ＡＮＮＡ"])
def test_one_person_spelt_twice_is_one_person(other):
    assert Shares().side("Anna") == Shares().side(other)
    with pytest.raises(BadInput, match=r"in train .* and in test") as caught:
        check_disjoint({"train": people("bert", "Anna"), "test": people(other)})
    assert caught.value.row == 1


def test_disjoint_sides_are_counted():
    counts = check_disjoint({"train": people("a", "a", "b"), "test": people("c")})
    assert counts == {"train": (3, 2), "test": (1, 1)}


def test_splitting_then_checking_holds():
    rows = people(*(f"s{i % 40}" for i in range(200)))
    counts = check_disjoint({side: on_side(rows, side) for side in SIDES})
    assert sum(each.records for each in counts.values()) == 200


def test_shares_must_leave_some_to_train():
    with pytest.raises(BadInput, match="leave some"):
        Shares(0.5, 0.5)
    with pytest.raises(BadInput, match="the side 'dev'"):
        on_side([], "dev")
