"""A discriminator as a rater of a project: its verdicts bear its own kind and name."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from semanticface.errors import BadInput
from semanticface.preference.candidates import Duel
from semanticface.preference.discriminator import Belief, Discriminator
from semanticface.preference.judged import Asked, Look, judged_of
from semanticface.preference.store.content import Project, Rater, answer_of
from semanticface.preference.store.database import Store
from semanticface.preference.store.files import kept_file
from semanticface.preference.store.questions import Question, open_questions
from semanticface.preference.store.verdicts import Click, record

EVEN = 0.02
"""Probability from one half within which it calls a pair a tie."""
_AT_ONCE = 64


def let_discriminate(
    store: Store, project: Project, rater: Rater, judge: Discriminator, look: Look | None = None,
    *, most: int | None = None,
) -> int:  # fmt: skip
    """Let a discriminator answer as raters do; returns how many verdicts it gave.

    It skips what it cannot look at: items without a picture.
    """
    if rater.kind != "discriminator":
        raise BadInput(f"the {rater.kind} '{rater.name}'", "a rater of kind discriminator")
    done = 0
    while most is None or done < most:
        few = _AT_ONCE if most is None else min(_AT_ONCE, most - done)
        asked = open_questions(store, project, rater.id, few)
        if not asked:
            break
        seen = [each for each in asked if each.picture is not None]
        clicks = dict(zip([each.id for each in seen], _clicks(store, seen, judge, look),
                          strict=True))  # fmt: skip
        for each in asked:
            record(store, rater.id, each.id, clicks.get(each.id, "skip"),
                   key=f"learnt-{each.id}")  # fmt: skip
        done += len(asked)
    return done


def _clicks(
    store: Store, asked: Sequence[Question], judge: Discriminator, look: Look | None
) -> list[Click]:
    if not asked:
        return []
    told = believed(judge, _as_asked(store, asked), look).probability
    return [_click(float(each)) for each in told]


def _click(left: float) -> Click:
    if math.isclose(left, 0.5, abs_tol=EVEN):
        return "tie"
    return "left" if left > 0.5 else "right"


def _as_asked(store: Store, asked: Sequence[Question]) -> Asked:
    from PIL import Image

    duels = [Duel(answer_of(store, each.left), answer_of(store, each.right), each.region)
             for each in asked]  # fmt: skip
    pictures = [Image.open(kept_file(store, str(each.picture))).convert("RGB") for each in asked]
    return Asked(tuple(duels), (math.nan,) * len(duels), ("",) * len(duels), tuple(pictures),
                 tuple(each.person for each in asked), 0)  # fmt: skip


def believed(judge: Discriminator, asked: Asked, look: Look | None = None) -> Belief:
    """What a discriminator thinks of pairs that nobody need have judged."""
    if not asked.duels:
        none = np.zeros(0)
        return Belief(none, none, np.zeros((len(judge.nets), 0)))
    return judge.believes(judged_of(asked, judge.kind, look))
