"""Verdicts as a learner takes them: what was looked at, two answers, who won.

A `Judged` holds N verdicts about stills. The input is what a model already reads from the
picture (its 61 values and how sure it is of each), or the picture itself; an answer is its
61 coefficients, or its render. Subjects stay beside every verdict, so that nobody is both
learnt from and tested on.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semanticface.errors import BadInput
from semanticface.preference.candidates import Candidate, Duel
from semanticface.preference.difference import SMALL
from semanticface.preference.presentation import Presentation, shown
from semanticface.preference.regions import REGIONS, region_of
from semanticface.preference.store.content import answer_of
from semanticface.preference.store.database import Store
from semanticface.preference.store.files import kept_file
from semanticface.preference.store.preferred import Filter, votes
from semanticface.preference.store.tables import ITEMS
from semanticface.preference.store.verdicts import heard
from semanticface.rig import COUNT

Kind = Literal["coefficients", "renders"]
KINDS: tuple[Kind, ...] = ("coefficients", "renders")
ORDER = tuple(REGIONS)
"""Regions by number."""
SIDE = 64
"""Pixels a side of pictures and renders that a learner sees."""
Array = NDArray[Any]
Look = Callable[[Sequence[Any]], Array]
"""From pictures to [N, F] numbers."""


@dataclass(frozen=True, eq=False)
class Judged:
    """N verdicts, or N pairs without one (then `won` is NaN)."""

    kind: Kind
    looked: Array
    """[N, F] float32 of the input, or its picture [N, SIDE, SIDE, 3] uint8."""
    one: Array
    """[N, 61] float32, or the render [N, SIDE, SIDE, 3] uint8."""
    other: Array
    region: NDArray[np.int64]
    """[N] place in ORDER."""
    won: NDArray[np.float64]
    """[N] 1 where the one won, 0 where the other did, between for ties and split votes."""
    subjects: NDArray[np.str_]
    """[N] who is in the picture."""

    def __len__(self) -> int:
        return len(self.won)

    def some(self, which: Array) -> Judged:
        """Part of them, by number or by mask."""
        return Judged(self.kind, self.looked[which], self.one[which], self.other[which],
                      self.region[which], self.won[which], self.subjects[which])  # fmt: skip

    def exchanged(self) -> Judged:
        """The same verdicts with both answers the other way round."""
        return replace(self, one=self.other, other=self.one, won=1 - self.won)


def of_coefficients(
    looked: Array, duels: Sequence[Duel], won: Sequence[float], subjects: Sequence[str]
) -> Judged:
    """Verdicts about coefficients; `looked` [N, F] is what is known of each input."""
    rows = [[_still(each) for each in (duel.one, duel.other)] for duel in duels]
    table = np.asarray(rows, np.float32).reshape(len(duels), 2, COUNT)
    return _judged("coefficients", np.asarray(looked, np.float32), table[:, 0], table[:, 1],
                   duels, won, subjects)  # fmt: skip


def of_renders(
    pictures: Sequence[Any], duels: Sequence[Duel], won: Sequence[float],
    subjects: Sequence[str], *, how: Presentation = SMALL, people: Sequence[int | None] = (),
) -> Judged:  # fmt: skip
    """Verdicts about renders; `pictures` are PIL images, `people` the drawn persons."""
    who = list(people) or [None] * len(duels)
    drawn = np.stack([
        [_small(Image.fromarray(shown(_still(each), duel.region, how, person=person)))
         for each in (duel.one, duel.other)]
        for duel, person in zip(duels, who, strict=True)
    ]) if duels else np.zeros((0, 2, SIDE, SIDE, 3), np.uint8)  # fmt: skip
    seen = [_small(each) for each in pictures]
    looked = np.stack(seen) if seen else np.zeros((0, SIDE, SIDE, 3), np.uint8)
    return _judged("renders", looked, drawn[:, 0], drawn[:, 1], duels, won, subjects)


def _judged(
    kind: Kind, looked: Array, one: Array, other: Array, duels: Sequence[Duel],
    won: Sequence[float], subjects: Sequence[str],
) -> Judged:  # fmt: skip
    if not len(looked) == len(duels) == len(won) == len(subjects):
        raise BadInput(f"{len(looked)} inputs, {len(duels)} pairs, {len(won)} verdicts and "
                       f"{len(subjects)} subjects", "one of each a pair")  # fmt: skip
    region = np.array([ORDER.index(region_of(each.region).name) for each in duels], np.int64)
    return Judged(kind, looked, one, other, region, np.asarray(won, np.float64),
                  np.asarray(subjects, np.str_))  # fmt: skip


def _still(candidate: Candidate) -> NDArray[np.float32]:
    if not candidate.still:
        raise BadInput(f"a clip of {len(candidate.values)} frames from '{candidate.source}'",
                       "stills: a discriminator has not learnt to watch")  # fmt: skip
    return np.asarray(candidate.drawable[0], np.float32)


def _small(picture: Any) -> NDArray[np.uint8]:
    resized = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return np.asarray(resized, np.uint8)


def kind_of(name: str) -> Kind:
    """The kind called `name`."""
    for kind in KINDS:
        if kind == name:
            return kind
    raise BadInput(f"the kind '{name}'", f"one of {', '.join(KINDS)}")


# -- from a store -------------------------------------------------------------


class Asked(NamedTuple):
    """Pairs of a store with what their judges said."""

    duels: tuple[Duel, ...]
    won: tuple[float, ...]
    subjects: tuple[str, ...]
    pictures: tuple[Any, ...]
    """PIL images."""
    people: tuple[int | None, ...]
    left_out: int
    """Pairs without a picture, or of clips: nothing that a discriminator could look at."""


def asked_of(store: Store, project_id: str, rule: Filter | None = None) -> Asked:
    """Every judged pair of a project; the share of votes says how it went."""
    said = votes(heard(store, project_id), rule or Filter())
    items = _items(store, project_id)
    rows: list[tuple[Any, ...]] = []
    left_out = 0
    for vote in said:
        item = items[vote.pair.item_id]
        sides = [answer_of(store, key) for key in (vote.pair.one_id, vote.pair.other_id)]
        if item["picture"] is None or not all(each.still for each in sides):
            left_out += 1
        elif vote.one + vote.other:
            share = vote.one / (vote.one + vote.other)
            rows.append((Duel(sides[0], sides[1], vote.pair.region), share, item["subject"],
                         _picture(store, item["picture"]), item["person"]))  # fmt: skip
    duels, won, subjects, pictures, people = zip(*rows, strict=True) if rows else ((),) * 5
    return Asked(duels, won, subjects, pictures, people, left_out)


def _items(store: Store, project_id: str) -> dict[str, Mapping[str, Any]]:
    with store.reading() as connection:
        query = ITEMS.select().where(ITEMS.c.project_id == project_id)
        return {row["id"]: dict(row) for row in connection.execute(query).mappings()}


def _picture(store: Store, digest: str) -> Any:
    return Image.open(io.BytesIO(kept_file(store, digest).read_bytes())).convert("RGB")


def judged_of(asked: Asked, kind: Kind, look: Look | None = None) -> Judged:
    """What a learner of this kind takes; `look` reads the pictures for coefficients."""
    if kind == "renders":
        return of_renders(asked.pictures, asked.duels, asked.won, asked.subjects,
                          people=asked.people)  # fmt: skip
    looked = (look or by_model())(asked.pictures)
    return of_coefficients(looked, asked.duels, asked.won, asked.subjects)


def by_model(run: str | None = None, batch: int = 32) -> Look:
    """Looks at pictures by a trained model (the packaged small one): values, then confidences.

    Missing values stand at 0 with a confidence of 0; a model that decodes has none to tell,
    and then all that it says counts as 1.
    """
    from semanticface.train.places import small_run
    from semanticface.train.predictor import opened

    predictor = opened(run or small_run())

    def look(pictures: Sequence[Any]) -> Array:
        rows = []
        for begin in range(0, len(pictures), batch):
            for face in predictor.faces(list(pictures[begin : begin + batch])):
                known = ~np.isnan(face.values)
                sure = known.astype(np.float32) if face.confidence is None else face.confidence
                rows.append(np.concatenate([np.nan_to_num(face.values), np.nan_to_num(sure)]))
        return np.asarray(rows, np.float32).reshape(len(pictures), 2 * COUNT)

    return look


# -- who is on which side -----------------------------------------------------


def held_out(subjects: Array, share: float, seed: int = 0) -> NDArray[np.bool_]:
    """Bool [N]: the verdicts whose subjects are held out; each subject is on one side.

    Subjects are ordered by a hash of seed and name, so the same ones are held out whoever
    else there is; at least one is, and at least one is not.
    """
    names = sorted(set(subjects.tolist()), key=lambda name: _hash(f"{seed}/{name}"))
    if len(names) < 2:
        raise BadInput(f"{len(names)} subject", "two or more: one side each")
    count = min(max(1, round(share * len(names))), len(names) - 1)
    return np.isin(subjects, names[:count])


def _hash(text: str) -> bytes:
    return sha256(text.encode()).digest()
