"""What raters said: kept the moment it is answered for, never changed, never dropped.

`record` returns only after the verdict is on the disk. The same click sent twice (a double
click, a retry after a lost network) is one verdict. Undoing withdraws a verdict and opens
its question again; the withdrawn one stays in the store with its time.
"""

from __future__ import annotations

import math
import time
from typing import Any, Literal, NamedTuple, get_args

from sqlalchemy import bindparam, select

from semanticface.errors import BadInput, SemanticFaceError
from semanticface.preference.store.content import Project
from semanticface.preference.store.database import Store
from semanticface.preference.store.questions import Question, topped_up
from semanticface.preference.store.rows import insert_once
from semanticface.preference.store.tables import ITEMS, PAIRS, QUESTIONS, RATERS, RENDERS, VERDICTS

Click = Literal["left", "right", "tie", "bad", "skip"]
CLICKS: tuple[Click, ...] = get_args(Click)
Choice = Literal["one", "other", "tie", "bad", "skip"]
_LONGEST_KEY = 64


class Conflict(SemanticFaceError):
    """The question has another verdict already, or this very one was withdrawn."""


class Given(NamedTuple):
    """A verdict as it stands in the store."""

    id: str
    choice: Choice
    repeated: bool
    """It was there already; nothing was written."""


def record(
    store: Store, rater_id: str, question_id: str, click: str, *, key: str,
    seconds: float | None = None,
) -> Given:  # fmt: skip
    """Keep a verdict. `key` names the click: sending it again changes nothing."""
    _check(click, key, seconds)
    with store.writing() as connection:
        return _recorded(connection, rater_id, question_id, click, key, seconds)


def record_and_ask(
    store: Store, project: Project, rater_id: str, question_id: str, click: str, *, key: str,
    seconds: float | None, count: int,
) -> tuple[Given, list[Question]]:  # fmt: skip
    """Keep a verdict and hand out what comes next, all in one transaction."""
    _check(click, key, seconds)
    with store.writing() as connection:
        given = _recorded(connection, rater_id, question_id, click, key, seconds)
        return given, topped_up(connection, project, rater_id, count)


def _check(click: str, key: str, seconds: float | None) -> None:
    if click not in CLICKS:
        raise BadInput(f"the verdict {click[:20]!r}", f"one of {', '.join(CLICKS)}")
    if not 8 <= len(key) <= _LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise BadInput(f"the key {key[:20]!r}", f"8 to {_LONGEST_KEY} printable characters")
    if seconds is not None and not (math.isfinite(seconds) and 0 <= seconds <= 86_400):
        raise BadInput(f"{seconds} seconds", "0 to 86,400")


def _recorded(
    connection: Any, rater_id: str, question_id: str, click: str, key: str, seconds: float | None
) -> Given:
    choice = _choice(click, _side(connection, rater_id, question_id))
    row = {"id": key, "question_id": question_id, "choice": choice, "seconds": seconds,
           "given": time.time(), "withdrawn": None}  # fmt: skip
    if insert_once(connection, VERDICTS, row):
        return Given(key, choice, False)
    return _standing(connection, key, question_id, choice)


_SIDE = select(QUESTIONS.c.flipped).where(
    QUESTIONS.c.id == bindparam("question"), QUESTIONS.c.rater_id == bindparam("rater")
)


def _side(connection: Any, rater_id: str, question_id: str) -> bool:
    told = {"question": question_id, "rater": rater_id}
    flipped = connection.execute(_SIDE, told).scalar()
    if flipped is None:
        raise BadInput("a question that is not yours", "one that you were asked")
    return bool(flipped)


def _choice(click: str, flipped: bool) -> Choice:
    chosen: dict[str, Choice] = {"tie": "tie", "bad": "bad", "skip": "skip"}
    if click in chosen:
        return chosen[click]
    return "one" if (click == "left") != flipped else "other"


def _standing(connection: Any, key: str, question_id: str, choice: Choice) -> Given:
    """What is in the way of a new verdict: the same one, or another."""
    query = VERDICTS.select().where(VERDICTS.c.id == key)
    same = connection.execute(query).mappings().first()
    if same is not None and same["withdrawn"] is not None:
        raise Conflict("this verdict was undone; the question waits for another")
    standing = connection.execute(VERDICTS.select().where(
        VERDICTS.c.question_id == question_id, VERDICTS.c.withdrawn.is_(None),
    )).mappings().first()  # fmt: skip
    if standing is None or (same is not None and same["question_id"] != question_id):
        raise BadInput("a key that was used for another question", "a fresh one")
    if standing["choice"] != choice:
        raise Conflict("this question has another verdict already: undo it first")
    return Given(standing["id"], standing["choice"], True)


def undo(store: Store, rater_id: str) -> str | None:
    """Withdraw the rater's last standing verdict; returns the question that is open again."""
    query = (
        select(VERDICTS.c.id, VERDICTS.c.question_id)
        .join(QUESTIONS, QUESTIONS.c.id == VERDICTS.c.question_id)
        .where(QUESTIONS.c.rater_id == rater_id, VERDICTS.c.withdrawn.is_(None))
        .order_by(VERDICTS.c.given.desc(), QUESTIONS.c.number.desc())
        .limit(1)
    )
    with store.writing() as connection:
        last = connection.execute(query).first()
        if last is None:
            return None
        connection.execute(
            VERDICTS.update().where(VERDICTS.c.id == last.id).values(withdrawn=time.time())
        )
        return str(last.question_id)


class Heard(NamedTuple):
    """A standing verdict with what it was about."""

    id: str
    rater_id: str
    rater: str
    kind: str
    pair_id: str
    item_id: str
    region: str
    one_id: str
    other_id: str
    purpose: str
    expected: str | None
    turn: int
    number: int
    flipped: bool
    choice: Choice
    seconds: float | None
    given: float

    @property
    def click(self) -> str:
        """The side that was pressed."""
        if self.choice not in ("one", "other"):
            return self.choice
        return "left" if (self.choice == "one") != self.flipped else "right"


def heard(store: Store, project_id: str) -> tuple[Heard, ...]:
    """Every standing verdict of a project, by rater and number."""
    query = (
        select(VERDICTS.c.id, QUESTIONS.c.rater_id, RATERS.c.name.label("rater"), RATERS.c.kind,
               QUESTIONS.c.pair_id, PAIRS.c.item_id, PAIRS.c.region, PAIRS.c.one_id,
               PAIRS.c.other_id, PAIRS.c.purpose, PAIRS.c.expected, QUESTIONS.c.turn,
               QUESTIONS.c.number, QUESTIONS.c.flipped, VERDICTS.c.choice, VERDICTS.c.seconds,
               VERDICTS.c.given)
        .join(QUESTIONS, QUESTIONS.c.id == VERDICTS.c.question_id)
        .join(PAIRS, PAIRS.c.id == QUESTIONS.c.pair_id)
        .join(RATERS, RATERS.c.id == QUESTIONS.c.rater_id)
        .where(PAIRS.c.project_id == project_id, VERDICTS.c.withdrawn.is_(None))
        .order_by(RATERS.c.name, QUESTIONS.c.number)
    )  # fmt: skip
    with store.reading() as connection:
        rows = connection.execute(query).mappings()
        return tuple(Heard(**{**row, "flipped": bool(row["flipped"])}) for row in rows)


def may_see(
    store: Store, rater_id: str, *, render: str | None = None, picture: str | None = None
) -> bool:
    """Whether a render or an input picture belongs to a question of this rater."""
    query = select(QUESTIONS.c.id).join(PAIRS, PAIRS.c.id == QUESTIONS.c.pair_id)
    if picture is not None:
        query = query.join(ITEMS, ITEMS.c.id == PAIRS.c.item_id).where(ITEMS.c.picture == picture)
    else:
        shown = (PAIRS.c.one_id == RENDERS.c.answer_id) | (PAIRS.c.other_id == RENDERS.c.answer_id)
        query = query.join(RENDERS, shown).where(RENDERS.c.hash == render)
    query = query.where(QUESTIONS.c.rater_id == rater_id).limit(1)
    with store.reading() as connection:
        return connection.execute(query).first() is not None
