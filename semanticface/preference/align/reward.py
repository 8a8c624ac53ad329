"""What GRPO is rewarded for: answers that a discriminator prefers to the start's own.

For an answer y to a face x, y0 the start's likeliest answer to it and R the regions,

    reward = mean over r in R of P(y wins over y0 in r)

by the discriminator: 0.5 where y says what the start says, above it where a rater would
rather have y. Outside r both are the start's, as in every regional pair. An answer that
cannot be read, or lacks numbers, would lose: 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.data.tasks import Task
from semanticface.errors import BadInput
from semanticface.preference.candidates import Candidate, Duel, regional_pair
from semanticface.preference.discriminator import Discriminator
from semanticface.preference.judged import Judged, Look, by_model, of_coefficients, of_renders

Values = NDArray[np.float32]


class Shown(NamedTuple):
    """A face that is answered."""

    picture: Any
    """A PIL image."""
    subject: str
    person: int | None
    before: Values
    """[61] the start's likeliest answer."""


@dataclass
class FaceReward:
    """TRL's reward function; rows name their face by its number under `face`."""

    judge: Discriminator
    task: Task
    faces: Sequence[Shown]
    regions: tuple[str, ...]
    look: Look | None = None
    """Reads the pictures for a discriminator of coefficients; the packaged model unless given."""
    unread: int = 0
    """Answers that got nothing because they could not be read."""
    __name__ = "preferred"

    def __post_init__(self) -> None:
        if not self.faces or not self.regions:
            raise BadInput(f"{len(self.faces)} faces and {len(self.regions)} regions", "one each")
        if self.judge.kind == "coefficients":
            look = self.look or by_model()
            self._looked = look([each.picture for each in self.faces])

    def __call__(
        self, prompts: Sequence[Any], completions: Sequence[Any], face: Sequence[int], **_: Any
    ) -> list[float]:
        """One reward an answer."""
        told = [self.task.read(_text(each)).values for each in completions]
        whole = [i for i, each in enumerate(told) if not np.isnan(each).any()]
        self.unread += len(told) - len(whole)
        rewards = np.zeros(len(told))
        if whole:
            rewards[whole] = self.preferred([told[i] for i in whole], [face[i] for i in whole])
        return [float(each) for each in rewards]

    def preferred(self, answers: Sequence[Values], faces: Sequence[int]) -> NDArray[np.float64]:
        """[N] the formula above for answers in numbers."""
        duels = [self._duel(answer, self.faces[face].before, region)
                 for answer, face in zip(answers, faces, strict=True)
                 for region in self.regions]  # fmt: skip
        places = np.repeat(np.asarray(faces, int), len(self.regions))
        told = self.judge.believes(self._judged(duels, places)).probability
        return np.asarray(told.reshape(len(answers), len(self.regions)).mean(axis=1))

    def _duel(self, answer: Values, before: Values, region: str) -> Duel:
        start = Candidate.of("start", before)
        return regional_pair(start, Candidate.of("answer", answer), start, region)

    def _judged(self, duels: Sequence[Duel], places: NDArray[np.int_]) -> Judged:
        shown = [self.faces[i] for i in places]
        unsaid, subjects = [np.nan] * len(duels), [each.subject for each in shown]
        if self.judge.kind == "coefficients":
            return of_coefficients(self._looked[places], duels, unsaid, subjects)
        return of_renders([each.picture for each in shown], duels, unsaid, subjects,
                          people=[each.person for each in shown])  # fmt: skip


def _text(completion: Any) -> str:
    return completion if isinstance(completion, str) else str(completion[0]["content"])
