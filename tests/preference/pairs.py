"""Small projects for tests."""

from __future__ import annotations

import numpy as np

from semanticface.preference.candidates import Candidate, Duel, regional_pair
from semanticface.preference.presentation import Presentation
from semanticface.preference.store.content import (
    Item,
    Project,
    Rules,
    add_pairs,
    add_project,
)
from semanticface.preference.store.database import Store
from semanticface.rig import COUNT, INDEX

QUIET = Rules(votes=2, check_every=0, repeat_every=0)
TINY = Presentation("focus", size=64, look="clay", background="plain", antialias=False)


def face(**channels: float) -> np.ndarray:
    values = np.zeros(COUNT, np.float32)
    for name, value in channels.items():
        values[INDEX[name]] = value
    return values


def lower_pair(strength: float, *, one: str = "base", other: str = "new") -> Duel:
    truth = Candidate.of("truth", face(jawOpen=0.5, browInnerUp=0.3))
    first = Candidate.of(one, face(jawOpen=0.1))
    second = Candidate.of(other, face(jawOpen=strength))
    return regional_pair(truth, first, second, "lower")


def fill(store: Store, pairs: int = 6, rules: Rules = QUIET, name: str = "faces") -> Project:
    """A project with one pair of the lower face for each of `pairs` items."""
    project = add_project(store, name, presentation=TINY, rules=rules)
    for number in range(pairs):
        item = Item(f"item {number}", f"subject {number % 3}", person=number)
        add_pairs(store, project.id, item, [lower_pair(0.3 + 0.6 * number / pairs)])
    return project
