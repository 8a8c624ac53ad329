"""What a synthetic set will hold, decided before anything is drawn.

Everything follows from the plan: how many people stand on which side, which shard shows
whom in which look, and the random stream of each shard. People are seeds; the side of a
seed is `splits.DEFAULT`'s for `synthetic-SEED`, so that no other plan puts the same
person on another side.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, Literal, NamedTuple

import numpy as np

from semanticface.data.splits import DEFAULT, SIDES, Side
from semanticface.errors import BadInput
from semanticface.render.look import LOOKS, look_of

Encoding = Literal["jpeg", "webp", "png"]
ENCODINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "jpeg": ("jpg", {"quality": 95, "subsampling": 0}),
    "webp": ("webp", {"quality": 92, "method": 2}),
    "png": ("png", {"compress_level": 4}),
}
"""Suffix, and what Pillow is told."""
_LARGEST = 1024
_SEEDS = 2**31


class Part(NamedTuple):
    """One shard to be made."""

    side: Side
    number: int
    first: int
    """Number of its first frame on that side."""
    frames: int

    @property
    def name(self) -> str:
        """Of its files."""
        return f"{self.side}-{self.number:05d}"


class Setting(NamedTuple):
    """Whom some neighbouring frames show, and how painted."""

    number: int
    identity: int
    look: str


@dataclass(frozen=True)
class Plan:
    """Everything that decides the bytes of a synthetic set."""

    frames: int = 1000
    identities: int = 100
    looks: tuple[str, ...] = ("realistic",)
    size: int = 112
    seed: int = 0
    antialias: bool = False
    encoding: Encoding = "jpeg"
    coverage: float = 0.3
    """Share of frames with a movement that life shows too seldom; see `motion.expressions`."""
    val: float = 0.1
    test: float = 0.1
    """Shares of the identities."""
    shard_frames: int = 1000
    setting_frames: int = 20
    """Most frames that show one person from one place in one light."""

    def __post_init__(self) -> None:
        if not 1 <= self.identities <= self.frames:
            raise BadInput(f"{self.identities} identities for {self.frames} frames",
                           "at least one, and a frame for each")  # fmt: skip
        if not 16 <= self.size <= _LARGEST:
            raise BadInput(f"a size of {self.size}", f"16 to {_LARGEST} pixels")
        if not 0 <= self.seed < 2**63:
            raise BadInput(f"the seed {self.seed}", "0 to 2^63 - 1")
        if not (self.val >= 0 and self.test >= 0 and self.val + self.test < 1):
            raise BadInput(f"val {self.val} and test {self.test}", "shares that leave some")
        if not 0 <= self.coverage <= 1:
            raise BadInput(f"coverage {self.coverage}", "a share from 0 to 1")
        if self.encoding not in ENCODINGS:
            raise BadInput(f"the encoding '{self.encoding}'", f"one of {', '.join(ENCODINGS)}")
        if self.shard_frames < 1 or self.setting_frames < 1:
            raise BadInput("no frame in a shard or a setting", "at least one")
        if not self.looks or len(set(self.looks)) != len(self.looks):
            raise BadInput(f"the looks {self.looks}", f"some of {', '.join(LOOKS)}, each once")
        for look in self.looks:
            look_of(look)

    def as_json(self) -> dict[str, Any]:
        """As it stands in files."""
        return asdict(self) | {"looks": list(self.looks)}

    @cached_property
    def people(self) -> dict[Side, tuple[int, ...]]:
        """Seeds on each side: those of a random walk whose own side still wants somebody."""
        wanted = self._wanted()
        found: dict[Side, list[int]] = {side: [] for side in SIDES}
        rng = np.random.default_rng((self.seed, 0xFACE))
        seen: set[int] = set()
        while any(len(found[side]) < wanted[side] for side in SIDES):
            who = int(rng.integers(_SEEDS))
            side = DEFAULT.side(subject(who))
            if who not in seen and len(found[side]) < wanted[side]:
                found[side].append(who)
            seen.add(who)
        return {side: tuple(listed) for side, listed in found.items()}

    def _wanted(self) -> dict[Side, int]:
        """People on each side; a side with a share has one at least, if there are enough."""
        test = max(round(self.identities * self.test), int(self.test > 0 and self.identities > 1))
        val = max(round(self.identities * self.val), int(self.val > 0 and self.identities > 2))
        return {"train": self.identities - val - test, "val": val, "test": test}

    def side_frames(self, side: Side) -> int:
        """Frames of a side, as its share of the people."""
        held = {each: self.frames * len(self.people[each]) // self.identities for each in SIDES}
        held["train"] += self.frames - sum(held.values())
        return held[side]

    def parts(self) -> list[Part]:
        """Every shard, in order."""
        return [
            Part(side, number, first, min(self.shard_frames, self.side_frames(side) - first))
            for side in SIDES
            for number, first in enumerate(range(0, self.side_frames(side), self.shard_frames))
        ]

    def setting(self, side: Side, frame: int) -> Setting:
        """Whom a side's frame number shows. People take turns, looks change at each turn."""
        people = self.people[side]
        lasting = max(1, min(self.setting_frames, self.side_frames(side) // len(people)))
        number = frame // lasting
        turn, place = divmod(number, len(people))
        return Setting(number, people[place], self.looks[(place + turn) % len(self.looks)])

    def stream(self, *names: object) -> int:
        """Seed of a random stream of its own."""
        text = "/".join(map(str, (self.seed, *names)))
        return int.from_bytes(sha256(text.encode()).digest()[:8], "big") >> 1


def subject(identity: int) -> str:
    """The subject's name of a rendered person."""
    return f"synthetic-{identity}"
