"""Whether people have said enough about a project for the work to go on.

A pair is *settled* where as many people as the project's rules ask for have decided it, or
where everybody invited has answered and somebody skipped: nobody is left to ask. A settled
pair that all of them skipped is *left out*. Fewer people than votes never settle a pair.
Inviting another person opens the pairs that still lack votes again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from semanticface.preference.store import Store
from semanticface.preference.store.content import Project, raters_of
from semanticface.preference.store.tables import PAIRS
from semanticface.preference.store.verdicts import heard


class Standing(NamedTuple):
    """How far people have come with a project."""

    pairs: int
    """To be judged; attention checks are not among them."""
    waiting: int
    """Not settled."""
    left_out: int
    """Settled without a single decision."""
    checks: int
    """Attention checks of the project."""
    people: int
    """Who may be asked."""

    @property
    def settled(self) -> int:
        """Pairs that wait for nobody."""
        return self.pairs - self.waiting


def standing(store: Store, project: Project) -> Standing:
    """See the module."""
    answers: dict[str, dict[str, bool]] = {}
    for each in heard(store, project.id):
        if each.kind == "human" and each.turn == 0:
            answers.setdefault(each.pair_id, {})[each.rater_id] = each.choice != "skip"
    live = frozenset(each.id for each in raters_of(store, project.id)
                     if each.kind == "human" and not each.revoked)  # fmt: skip
    with store.reading() as connection:
        query = PAIRS.select().where(PAIRS.c.project_id == project.id)
        rows = connection.execute(query).mappings().all()
    asked = [answers.get(row["id"], {}) for row in rows if row["purpose"] == "judge"]
    done = [each for each in asked if _settled(each, live, project.rules.votes)]
    left_out = sum(not any(each.values()) for each in done)
    return Standing(len(asked), len(asked) - len(done), left_out, len(rows) - len(asked), len(live))


def _settled(answers: Mapping[str, bool], live: frozenset[str], votes: int) -> bool:
    """`answers`: by rater, whether it was a decision and no skip."""
    if sum(answers.values()) >= votes:
        return True
    return live <= set(answers) and len(live | set(answers)) >= votes
