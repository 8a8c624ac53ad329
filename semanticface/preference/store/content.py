"""What goes into a store: projects, raters, items, answers, pairs.

Rows are known by what they hold, so adding the same thing twice adds it once.
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from semanticface.errors import BadInput, did_you_mean
from semanticface.formats.json_lines import shortest
from semanticface.preference.candidates import Candidate, Duel
from semanticface.preference.presentation import Presentation
from semanticface.preference.store.database import Store
from semanticface.preference.store.rows import insert_once, keyed, row_of
from semanticface.preference.store.tables import ANSWERS, ITEMS, PAIRS, PROJECTS, RATERS

Judge = Literal["human", "oracle", "discriminator"]
JUDGES: tuple[Judge, ...] = get_args(Judge)
Purpose = Literal["judge", "check"]
_LONGEST = 80
QUESTION = "Which face is nearer to the picture?"
"""Asked where nothing else is said and there is a picture."""


@dataclass(frozen=True)
class Rules:
    """How pairs are handed out; counts are of questions to one rater."""

    votes: int = 1
    """How many raters see each pair."""
    check_every: int = 15
    """One in so many questions is an attention check, if there are any; 0 for none."""
    repeat_every: int = 12
    """One in so many is asked again, sides exchanged; 0 for none."""
    repeat_after: int = 8
    """Least number of questions between the two."""

    def __post_init__(self) -> None:
        if self.votes < 1 or min(self.check_every, self.repeat_every, self.repeat_after) < 0:
            raise BadInput(f"{self}", "at least one vote and no negative count")


@dataclass(frozen=True)
class Project:
    """One thing to find out from raters."""

    id: str
    question: str
    presentation: Presentation
    rules: Rules


def question_about(project: Project, *, picture: str | None, sound: str | None) -> str:
    """What is asked about an item: of a picture or a sound only where there is one."""
    if project.question != QUESTION or picture is not None:
        return project.question
    return "Which face goes better with the sound?" if sound else "Which face looks more natural?"


@dataclass(frozen=True)
class Rater:
    """Somebody, or something, that judges."""

    id: str
    project_id: str
    name: str
    kind: Judge
    revoked: bool


class Item(NamedTuple):
    """What the answers are about: a picture, a line of speech."""

    name: str
    subject: str
    """Who it is: splits and intervals go by it."""
    told: str = ""
    """Words that a rater reads beside it, such as the script."""
    picture: str | None = None
    """Hash of a kept file; see `media.keep`."""
    sound: str | None = None
    person: int | None = None
    """Seed of the person that answers are drawn with."""
    speech: str | None = None
    """Which stretch of which recording it is; see `preference.recordings`."""


# -- projects and raters ------------------------------------------------------


def add_project(
    store: Store, name: str, *, question: str = QUESTION,
    presentation: Presentation | None = None, rules: Rules | None = None,
) -> Project:  # fmt: skip
    """A new project; a name in use is an error."""
    _plain_name(name, "a project")
    project = Project(name, question, presentation or Presentation(), rules or Rules())
    with store.writing() as connection:
        if row_of(connection, PROJECTS, name) is not None:
            raise BadInput(f"a project called '{name}'", "a name not in use")
        connection.execute(PROJECTS.insert().values(
            id=name, question=question, presentation=project.presentation.as_json(),
            rules=json.dumps(asdict(project.rules), sort_keys=True), created=time.time(),
        ))  # fmt: skip
    return project


def project_of(store: Store, name: str | None = None) -> Project:
    """The project called `name`; without a name, the only one there is."""
    with store.reading() as connection:
        rows = connection.execute(PROJECTS.select().order_by(PROJECTS.c.id)).mappings().all()
    names = [row["id"] for row in rows]
    wanted = names[0] if name is None and len(names) == 1 else name
    if wanted not in names:
        found = f"the project '{name}'" if name else f"{len(names)} projects"
        hint = did_you_mean(name or "", names) or "Choose with --project."
        raise BadInput(found, f"one of {', '.join(names) or 'those that were made'}", hint=hint)
    row = rows[names.index(wanted)]
    return Project(row["id"], row["question"], Presentation.from_json(row["presentation"]),
                   Rules(**json.loads(row["rules"])))  # fmt: skip


def add_rater(
    store: Store, project_id: str, name: str, kind: Judge = "human", about: str = ""
) -> Rater:
    """A rater of a project; `about` says of an oracle what it was made of."""
    _plain_name(name, "a rater")
    if kind not in JUDGES:
        raise BadInput(f"a rater of kind '{kind}'", f"one of {', '.join(JUDGES)}")
    rater = Rater(secrets.token_hex(16), project_id, name, kind, False)
    with store.writing() as connection:
        same = RATERS.select().where(RATERS.c.project_id == project_id, RATERS.c.name == name)
        if connection.execute(same).first() is not None:
            raise BadInput(f"a rater called '{name}' in {project_id}", "a name not in use")
        connection.execute(RATERS.insert().values(
            id=rater.id, project_id=project_id, name=name, kind=kind, about=about,
            created=time.time(),
        ))  # fmt: skip
    return rater


def known_rater(store: Store, project_id: str, name: str, kind: Judge, about: str = "") -> Rater:
    """The rater of this name, made if there is none; one of another kind or make is an error."""
    query = RATERS.select().where(RATERS.c.project_id == project_id, RATERS.c.name == name)
    with store.reading() as connection:
        row = connection.execute(query).mappings().first()
    if row is None:
        return add_rater(store, project_id, name, kind, about)
    if (row["kind"], row["about"]) != (kind, about):
        raise BadInput(f"a rater called '{name}' in {project_id} of kind {row['kind']} "
                       f"{row['about']}".rstrip(), f"kind {kind} {about}".rstrip(),
                       hint="Take another name, or the same settings as before.")  # fmt: skip
    return _rater(row)


def rater_of(store: Store, rater_id: str) -> Rater | None:
    """The rater with this key."""
    with store.reading() as connection:
        row = row_of(connection, RATERS, rater_id)
    return None if row is None else _rater(row)


def raters_of(store: Store, project_id: str) -> tuple[Rater, ...]:
    """All raters of a project, oldest first."""
    query = RATERS.select().where(RATERS.c.project_id == project_id).order_by(RATERS.c.created)
    with store.reading() as connection:
        return tuple(_rater(row) for row in connection.execute(query).mappings())


def revoke(store: Store, rater_id: str) -> None:
    """Let a rater in no more; what they said stays."""
    with store.writing() as connection:
        connection.execute(
            RATERS.update().where(RATERS.c.id == rater_id, RATERS.c.revoked.is_(None))
            .values(revoked=time.time())
        )  # fmt: skip


def _rater(row: Any) -> Rater:
    return Rater(row["id"], row["project_id"], row["name"], row["kind"], row["revoked"] is not None)


# -- items, answers, pairs ----------------------------------------------------


class Added(NamedTuple):
    """What adding pairs did."""

    pairs: int
    """New ones."""
    known: int
    """That the project had already."""


def add_pairs(
    store: Store, project_id: str, item: Item, duels: list[Duel], *, purpose: Purpose = "judge",
    expected: Literal["one", "other"] | None = None, worth: list[float] | None = None,
) -> Added:  # fmt: skip
    """Put pairs of one item into a project; a check says which answer must win.

    A pair whose answers differ outside its region is refused: nobody could say what was
    judged.
    """
    for duel in duels:
        if not duel.fair:
            raise BadInput(f"a pair for '{duel.region}' that differs elsewhere, or not at all",
                           "answers that differ in the region only",
                           hint="Make it with regional_pair.")  # fmt: skip
    if (purpose == "check") != (expected is not None):
        raise BadInput(f"expected={expected} for a pair to {purpose}",
                       "which answer must win, for checks only")  # fmt: skip
    new = 0
    with store.writing() as connection:
        item_id = _keep_item(connection, project_id, item)
        place = _last_place(connection, project_id)
        for number, duel in enumerate(duels):
            row = _pair_row(connection, project_id, item_id, duel, purpose, expected)
            row |= {"worth": worth[number] if worth else 0.0, "place": place + number + 1}
            new += insert_once(connection, PAIRS, row)
    return Added(new, len(duels) - new)


def _keep_item(connection: Any, project_id: str, item: Item) -> str:
    item_id = keyed(project_id, item.name)
    row = {"id": item_id, "project_id": project_id, **item._asdict()}
    if not insert_once(connection, ITEMS, row):
        held = dict(row_of(connection, ITEMS, item_id))
        if held != row:
            changed = next(key for key in row if held[key] != row[key])
            raise BadInput(f"an item '{item.name}' with another {changed}",
                           f"{held[changed]!r}, as it is in the store")  # fmt: skip
    return item_id


def _pair_row(
    connection: Any, project_id: str, item_id: str, duel: Duel, purpose: str, expected: str | None
) -> dict[str, Any]:
    one_id, other_id = (_keep_answer(connection, item_id, each) for each in (duel.one, duel.other))
    return {
        "id": keyed(project_id, duel.region, sorted((one_id, other_id)), purpose),
        "project_id": project_id, "item_id": item_id, "region": duel.region, "one_id": one_id,
        "other_id": other_id, "purpose": purpose, "expected": expected, "asked": 0,
    }  # fmt: skip


def _keep_answer(connection: Any, item_id: str, candidate: Candidate) -> str:
    answer_id = keyed(item_id, candidate.source, candidate.digest)
    insert_once(connection, ANSWERS, {
        "id": answer_id, "item_id": item_id, "source": candidate.source,
        "frames": json.dumps([[shortest(x) for x in row] for row in candidate.values]),
        "times": json.dumps(candidate.times.tolist()), "text": candidate.text,
    })  # fmt: skip
    return answer_id


def answer_of(store: Store, answer_id: str) -> Candidate:
    """An answer as it was put in, to the bit."""
    with store.reading() as connection:
        row = row_of(connection, ANSWERS, answer_id)
    if row is None:
        raise BadInput(f"no answer {answer_id}", "the key of one in the store")
    return candidate_of(row)


def candidate_of(row: Any) -> Candidate:
    """The answer that a row of ANSWERS holds."""
    values = np.array(json.loads(row["frames"]), np.float64).astype(np.float32)
    return Candidate(row["source"], values, np.array(json.loads(row["times"])), row["text"])


def _last_place(connection: Any, project_id: str) -> int:
    from sqlalchemy import func, select

    query = select(func.max(PAIRS.c.place)).where(PAIRS.c.project_id == project_id)
    return int(connection.execute(query).scalar() or 0)


def _plain_name(name: str, what: str) -> None:
    if not name.strip() or len(name) > _LONGEST or any(ord(c) < 32 for c in name):
        raise BadInput(f"{what} called {name[:_LONGEST]!r}", f"1 to {_LONGEST} plain characters")


def files_of(speech: str | None) -> tuple[str, ...]:
    """Hashes of the kept files that an item's stretch of speech stands on."""
    held = {} if speech is None else json.loads(speech)
    return tuple(held[key] for key in ("recording", "timeline") if held.get(key))
