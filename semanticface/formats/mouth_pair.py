"""Which side MouthLeft means: the exchanged labels of Live Link Face's CSV.

In the UDP stream and on rigs MouthLeft moves the mouth to the subject's left,
the side of MouthSmileLeft. In CSV takes the two headers are the other way
round. Readers exchange the pair, writers exchange it back, and the clip's
conventions say what was done.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.rig.channels import INDEX
from semanticface.rig.clip import FaceClip

MOUTH_EXCHANGED = "mouth pair exchanged (Live Link CSV labels)"
MOUTH_KEPT = "mouth pair kept as labelled"
JAW_EXCHANGED = "jaw pair exchanged (Live Link CSV labels)"

MOUTH = (INDEX["mouthLeft"], INDEX["mouthRight"])
JAW = (INDEX["jawLeft"], INDEX["jawRight"])

_WITNESSES = ("mouthSmile", "mouthStretch")
_LEAST_FRAMES = 30
_LEAST_SPREAD = 0.005
_LEAST_CORRELATION = 0.5


class MouthVerdict(NamedTuple):
    """What the numbers say about the mouth pair of a clip as it stands."""

    verdict: Literal["own side", "exchanged", "undecided"]
    """`own side`: mouthLeft goes with the left corner, as on rigs."""
    correlation: float
    """Of left minus right, mouth against witness; NaN where one of them rests."""
    witness: str
    """The pair that shows the side: mouthSmile, else mouthStretch."""
    frames: int
    """Frames that were used."""


def detect_mouth_pair(clip: FaceClip) -> MouthVerdict:
    """Compare the sideways mouth with the sideways smile, or else stretch.

    A face that never moved its mouth sideways leaves the question undecided.
    """
    verdicts = [_ask(clip, witness) for witness in _WITNESSES]
    return next((each for each in verdicts if each.verdict != "undecided"), verdicts[0])


def exchange(order: NDArray[np.intp], pair: tuple[int, int]) -> NDArray[np.intp]:
    """The same list of channel indices with the two of `pair` in each other's place."""
    one, other = pair
    return np.where(order == one, other, np.where(order == other, one, order))


def _ask(clip: FaceClip, witness: str) -> MouthVerdict:
    mouth = _lateral(clip, "mouth")
    corner = _lateral(clip, witness)
    used = np.isfinite(mouth) & np.isfinite(corner)
    frames = int(used.sum())
    mouth, corner = mouth[used], corner[used]
    if frames < _LEAST_FRAMES or min(mouth.std(), corner.std()) < _LEAST_SPREAD:
        return MouthVerdict("undecided", float("nan"), witness, frames)
    correlation = float(np.corrcoef(mouth, corner)[0, 1])
    if abs(correlation) < _LEAST_CORRELATION:
        return MouthVerdict("undecided", correlation, witness, frames)
    side: Literal["own side", "exchanged"] = "own side" if correlation > 0 else "exchanged"
    return MouthVerdict(side, correlation, witness, frames)


def _lateral(clip: FaceClip, movement: str) -> NDArray[np.float64]:
    left = clip.column(f"{movement}Left").astype(np.float64)
    return np.asarray(left - clip.column(f"{movement}Right"))
