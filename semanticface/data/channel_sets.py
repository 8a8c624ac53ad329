"""Which channels a task asks for, by a name that fits into a setting and a manifest.

    channel_set("arkit-52")              # ARKit's own blendshapes, without the nine rotations
    channel_set("jawOpen, cheekPuff")    # whatever there is, by the channels' names

A data set that measures no rotations can only be learnt from by a task that asks for none.
"""

from __future__ import annotations

from semanticface.errors import BadInput, did_you_mean
from semanticface.metrics.mouth_sets import MOUTH_SETS
from semanticface.rig import COUNT, NAMES, find
from semanticface.rig.channels import BLENDSHAPES

ALL = "all-61"
CHANNEL_SETS: dict[str, tuple[int, ...]] = {
    ALL: tuple(range(COUNT)),
    "arkit-52": tuple(each.index for each in BLENDSHAPES),
    **MOUTH_SETS,
}


def channel_set(told: str) -> tuple[int, ...]:
    """Rising indices of a set by its name, or of channels by theirs with commas between."""
    if told.strip() in CHANNEL_SETS:
        return CHANNEL_SETS[told.strip()]
    names = [each.strip() for each in told.split(",") if each.strip()]
    known = [find(name) for name in names]
    for name, channel in zip(names, known, strict=True):
        if channel is None:
            few = (*CHANNEL_SETS, *NAMES)
            raise BadInput(f"channels '{name}'", f"one of {', '.join(CHANNEL_SETS)}, or channels' "
                           "names with commas between", hint=did_you_mean(name, few))  # fmt: skip
    indices = sorted(each for each in known if each is not None)
    if not indices or len(set(indices)) < len(indices):
        raise BadInput(f"channels '{told}'", "each channel once, one at least")
    return tuple(indices)


def set_name(channels: tuple[int, ...]) -> str:
    """What `channel_set` makes these channels of again."""
    known = next((name for name, held in CHANNEL_SETS.items() if held == channels), None)
    return known or ",".join(NAMES[i] for i in channels)
