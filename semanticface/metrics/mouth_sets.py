"""Which channels count as the mouth's: two sets in use, by name."""

from __future__ import annotations

from semanticface.errors import BadInput, did_you_mean
from semanticface.rig import CHANNELS, INDEX

_LIPS_AND_JAW = tuple(
    each.index for each in CHANNELS
    if each.region in ("mouth", "jaw") and each.name != "mouthClose"
)  # fmt: skip
_ALONG = tuple(INDEX[name] for name in ("noseSneerLeft", "noseSneerRight", "cheekPuff"))

MOUTH_29 = tuple(sorted((*_LIPS_AND_JAW, *_ALONG)))
"""All of the mouth and the jaw but mouthClose, with noseSneer and cheekPuff: LAM-A2E's set."""
MOUTH_31 = tuple(sorted((*MOUTH_29, INDEX["mouthClose"], INDEX["tongueOut"])))
"""The same with mouthClose, by which lips meet, and tongueOut. This project's choice."""
MOUTH_SETS = {"mouth-29": MOUTH_29, "mouth-31": MOUTH_31}


def mouth_set(name: str) -> tuple[int, ...]:
    """The channels of a set; an unknown name is an error."""
    if name not in MOUTH_SETS:
        raise BadInput(f"the mouth set '{name}'", f"one of {', '.join(MOUTH_SETS)}",
                       hint=did_you_mean(name, MOUTH_SETS))  # fmt: skip
    return MOUTH_SETS[name]
