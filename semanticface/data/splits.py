"""Which records train and which judge: by subject, and forever.

The side of a subject is a hash of its name and a salt. It does not depend on the other
rows, so rows can be added without moving anybody, and two data sets that share people
agree. Names are compared without regard to case, spacing and the way letters are
composed: a person spelt twice must not stand on two sides.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal, NamedTuple

from semanticface.data.records import Record
from semanticface.errors import BadInput

Side = Literal["train", "val", "test"]
SIDES: tuple[Side, ...] = ("train", "val", "test")
SALT = "semanticface/1"


@dataclass(frozen=True)
class Shares:
    """How large each side is, in subjects; the rest trains."""

    val: float = 0.1
    test: float = 0.1
    salt: str = SALT

    def __post_init__(self) -> None:
        if not (self.val >= 0 and self.test >= 0 and self.val + self.test < 1):
            raise BadInput(f"val {self.val} and test {self.test}", "shares that leave some")

    def side(self, subject: str) -> Side:
        """The side of a subject. A larger share takes people in and lets nobody out."""
        place = _place(subject, self.salt)
        if place < self.test:
            return "test"
        return "val" if place >= 1 - self.val else "train"


DEFAULT = Shares()


def subject_key(name: str) -> str:
    """The name as it is compared."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _place(subject: str, salt: str) -> float:
    """0 to 1, evenly spread over subjects."""
    digest = sha256(f"{salt}\0{subject_key(subject)}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def on_side(records: Iterable[Record], side: Side, shares: Shares = DEFAULT) -> Iterator[Record]:
    """The records of one side, in order, one at a time."""
    if side not in SIDES:
        raise BadInput(f"the side '{side}'", f"one of {', '.join(SIDES)}")
    return (each for each in records if shares.side(each.subject) == side)


class Count(NamedTuple):
    """How much stands on a side."""

    records: int
    subjects: int


def check_disjoint(sides: dict[str, Iterable[Record]]) -> dict[str, Count]:
    """Counts of each side; a subject on two sides is an error that names both.

    Memory grows with the number of subjects, not of records.
    """
    seen: dict[str, tuple[str, str]] = {}
    counts: dict[str, Count] = {}
    for side, records in sides.items():
        rows = 0
        for record in records:
            rows += 1
            held = seen.setdefault(subject_key(record.subject), (side, record.id))
            if held[0] != side:
                raise BadInput(
                    f"subject '{record.subject}' in {held[0]} (record {held[1]}) and in {side}",
                    "each subject on one side", row=rows,
                    hint="Split by subject, with one salt for all sources.",
                )  # fmt: skip
        counts[side] = Count(rows, sum(1 for where, _ in seen.values() if where == side))
    return counts
