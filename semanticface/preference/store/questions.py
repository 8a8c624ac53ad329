"""Handing pairs to raters: each is asked of enough people, nobody twice by accident.

A question is a pair put to one rater with a side for each answer. It stays open until a
verdict stands, so a rater who comes back, reloads, or lost the network finds the same
question. Every so often a question is an attention check or an earlier pair again, sides
exchanged, to see whether the rater answers the same (`Rules`).
"""

from __future__ import annotations

import hashlib
import secrets
import time
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, exists, func, select

from semanticface.preference.store.content import Project
from semanticface.preference.store.database import Store
from semanticface.preference.store.rows import insert_once
from semanticface.preference.store.tables import ITEMS, PAIRS, QUESTIONS, RATERS, VERDICTS

_PATIENCE = 3600.0
"""Seconds after which an unanswered question of one rater is asked of another too."""
DECIDED = ("one", "other", "tie", "bad")
_RATER: Any = bindparam("rater")
# Statements are made once: making one costs more than SQLite's answer to it.
_STANDS = and_(VERDICTS.c.question_id == QUESTIONS.c.id, VERDICTS.c.withdrawn.is_(None))
_OPEN = (
    select(QUESTIONS.c.id, QUESTIONS.c.pair_id, QUESTIONS.c.number, QUESTIONS.c.turn,
           QUESTIONS.c.flipped, PAIRS.c.region, PAIRS.c.one_id, PAIRS.c.other_id,
           ITEMS.c.told, ITEMS.c.picture, ITEMS.c.sound, ITEMS.c.person, PAIRS.c.item_id)
    .join(PAIRS, PAIRS.c.id == QUESTIONS.c.pair_id)
    .join(ITEMS, ITEMS.c.id == PAIRS.c.item_id)
    .where(QUESTIONS.c.rater_id == _RATER, ~exists().where(_STANDS))
    .order_by(QUESTIONS.c.number)
)  # fmt: skip


class Question(NamedTuple):
    """A pair in front of one rater."""

    id: str
    pair_id: str
    number: int
    """Counts this rater's questions from 1."""
    turn: int
    """0, or 1 for a pair asked again."""
    region: str
    left: str
    """Key of the answer on the left."""
    right: str
    told: str
    picture: str | None
    sound: str | None
    person: int | None
    item_id: str


def open_questions(
    store: Store, project: Project, rater_id: str, count: int = 2
) -> tuple[Question, ...]:
    """The rater's open questions, oldest first; new ones are made up to `count`.

    Fewer come back when there is nothing left to ask.
    """
    with store.reading() as connection:
        waiting = _open(connection, rater_id)
    if len(waiting) < count:
        with store.writing() as connection:
            waiting = topped_up(connection, project, rater_id, count)
    return tuple(waiting[:count])


def topped_up(connection: Any, project: Project, rater_id: str, count: int) -> list[Question]:
    """The open questions within a transaction that writes, new ones made up to `count`."""
    waiting = _open(connection, rater_id)
    if len(waiting) >= count:
        return waiting[:count]
    person, made = _is_person(connection, rater_id), 0
    for _ in range(count - len(waiting)):
        made += _ask(connection, project, rater_id, person=person)
    return _open(connection, rater_id)[:count] if made else waiting[:count]


def _open(connection: Any, rater_id: str) -> list[Question]:
    return [_question(row) for row in connection.execute(_OPEN, {"rater": rater_id}).mappings()]


def _question(row: Any) -> Question:
    sides = (row["other_id"], row["one_id"]) if row["flipped"] else (row["one_id"], row["other_id"])
    return Question(row["id"], row["pair_id"], row["number"], row["turn"], row["region"], *sides,
                    row["told"], row["picture"], row["sound"], row["person"],
                    row["item_id"])  # fmt: skip


# -- what to ask next ---------------------------------------------------------


_LAST = select(func.max(QUESTIONS.c.number)).where(QUESTIONS.c.rater_id == _RATER)
_KIND = select(RATERS.c.kind).where(RATERS.c.id == _RATER)
_ASKED = (
    PAIRS.update().where(PAIRS.c.id == bindparam("pair")).values(asked=PAIRS.c.asked + 1)
)  # fmt: skip


def _ask(connection: Any, project: Project, rater_id: str, *, person: bool) -> int:
    """Make one more question; 0 where nothing is left or somebody was faster."""
    number = int(connection.execute(_LAST, {"rater": rater_id}).scalar() or 0) + 1
    pair_id, turn = _next(connection, project, rater_id, number, person=person)
    if pair_id is None:
        return 0
    made = insert_once(connection, QUESTIONS, {
        "id": secrets.token_hex(16), "rater_id": rater_id, "pair_id": pair_id, "number": number,
        "turn": turn, "flipped": _flipped(rater_id, pair_id, turn), "asked": time.time(),
    })  # fmt: skip
    if made and not turn and person:
        connection.execute(_ASKED, {"pair": pair_id})
    return made


def _flipped(rater_id: str, pair_id: str, turn: int) -> int:
    """Which side; nobody can tell it from the pair, and a second turn exchanges them."""
    first = hashlib.sha256(f"{rater_id}/{pair_id}".encode()).digest()[0] & 1
    return first ^ turn


def _is_person(connection: Any, rater_id: str) -> bool:
    return bool(connection.execute(_KIND, {"rater": rater_id}).scalar() == "human")


def _next(
    connection: Any, project: Project, rater_id: str, number: int, *, person: bool
) -> tuple[str | None, int]:
    rules = project.rules
    if rules.check_every and number % rules.check_every == min(3, rules.check_every - 1):
        check = _fresh(connection, project, rater_id, "check", person=person)
        if check is not None:
            return check, 0
    if rules.repeat_every and number % rules.repeat_every == 0:
        again = _earlier(connection, rater_id, number - rules.repeat_after)
        if again is not None:
            return again, 1
    return _fresh(connection, project, rater_id, "judge", person=person), 0


_SEEN = and_(QUESTIONS.c.rater_id == _RATER, QUESTIONS.c.pair_id == PAIRS.c.id)
_FRESH = (
    select(PAIRS.c.id)
    .where(PAIRS.c.project_id == bindparam("project"), PAIRS.c.purpose == bindparam("purpose"),
           ~exists().where(_SEEN))
    .order_by(PAIRS.c.asked, PAIRS.c.worth.desc(), PAIRS.c.place)
    .limit(1)
)  # fmt: skip
_WANTED = _FRESH.where(PAIRS.c.asked < bindparam("votes"))
_DECIDED = exists().where(_STANDS, VERDICTS.c.choice.in_(DECIDED))
_THINKING = and_(~exists().where(_STANDS), QUESTIONS.c.asked > bindparam("since"))
_SPOKEN_FOR = (
    select(func.count()).select_from(QUESTIONS)
    .join(RATERS, RATERS.c.id == QUESTIONS.c.rater_id)
    .where(QUESTIONS.c.pair_id == PAIRS.c.id, QUESTIONS.c.turn == 0,
           RATERS.c.kind == "human", _DECIDED | _THINKING)
    .scalar_subquery()
)  # fmt: skip
"""How many people decided a pair, or were asked lately and may still decide."""
_UNSPOKEN = _FRESH.where(bindparam("votes") > _SPOKEN_FOR)


def _fresh(
    connection: Any, project: Project, rater_id: str, purpose: str, *, person: bool
) -> str | None:
    """A pair this rater never saw: the least asked, then the most telling, then in order.

    Votes are people's: an oracle or a discriminator judges every pair, and takes none away.
    """
    told: dict[str, Any] = {"rater": rater_id, "project": project.id, "purpose": purpose}
    if purpose == "check" or not person:
        return _key(connection, _FRESH, told)
    told["votes"] = project.rules.votes
    since = time.time() - _PATIENCE
    return _key(connection, _WANTED, told) or _key(connection, _UNSPOKEN, told | {"since": since})


_AGAIN = QUESTIONS.alias()
_REPEATED = and_(_AGAIN.c.rater_id == _RATER, _AGAIN.c.pair_id == QUESTIONS.c.pair_id,
                 _AGAIN.c.turn == 1)  # fmt: skip
_EARLIER = (
    select(QUESTIONS.c.pair_id)
    .join(VERDICTS, VERDICTS.c.question_id == QUESTIONS.c.id)
    .join(PAIRS, PAIRS.c.id == QUESTIONS.c.pair_id)
    .where(QUESTIONS.c.rater_id == _RATER, QUESTIONS.c.number <= bindparam("before"),
           PAIRS.c.purpose == "judge", VERDICTS.c.withdrawn.is_(None),
           VERDICTS.c.choice.in_(("one", "other")), ~exists().where(_REPEATED))
    .order_by(QUESTIONS.c.number).limit(1)
)  # fmt: skip


def _earlier(connection: Any, rater_id: str, before: int) -> str | None:
    """The oldest pair that the rater decided and was not yet asked again."""
    return _key(connection, _EARLIER, {"rater": rater_id, "before": before})


def _key(connection: Any, query: Any, told: dict[str, Any]) -> str | None:
    found = connection.execute(query, told).scalar()
    return None if found is None else str(found)


_TIMES = (
    select(VERDICTS.c.seconds).join(QUESTIONS, QUESTIONS.c.id == VERDICTS.c.question_id)
    .where(QUESTIONS.c.rater_id == _RATER, VERDICTS.c.withdrawn.is_(None))
)  # fmt: skip


def progress_of(store: Store, rater_id: str) -> tuple[int, float | None]:
    """How many a rater answered, and the median seconds of it."""
    with store.reading() as connection:
        pace = [row[0] for row in connection.execute(_TIMES, {"rater": rater_id})]
    known = sorted(each for each in pace if each is not None)
    return len(pace), known[len(known) // 2] if known else None


_LEFT = select(func.count()).select_from(PAIRS).where(
    PAIRS.c.project_id == bindparam("project"), PAIRS.c.purpose == "judge",
    ~exists().where(_SEEN), PAIRS.c.asked < bindparam("votes"),
)  # fmt: skip


def left_of(store: Store, project: Project, rater_id: str) -> int:
    """Pairs that still want a vote and that this rater was not asked, and the open ones."""
    told = {"rater": rater_id, "project": project.id, "votes": project.rules.votes}
    with store.reading() as connection:
        left = int(connection.execute(_LEFT, told).scalar() or 0)
        return left + len(_open(connection, rater_id))
