"""Whether an answer can be one about a face: how sure the model was, and what it contradicts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semanticface.rig import INDEX
from semanticface.rig.opposites import CLOSE_BEYOND_OPEN, OPPOSITES, TOGETHER

Values = NDArray[np.float32]


def certainty(confidence: Values | None) -> float | None:
    """Mean over the channels of a read-out's confidence; None where nothing tells one."""
    if confidence is None:
        return None
    known = confidence[np.isfinite(confidence)]
    return float(known.mean()) if len(known) else None


def contradictions(values: Values) -> int:
    """Pairs of opposite muscles that are both on, and lips closed beyond the open jaw."""
    both = sum(bool(values[INDEX[one]] > TOGETHER and values[INDEX[other]] > TOGETHER)
               for one, other in OPPOSITES)  # fmt: skip
    excess = values[INDEX["mouthClose"]] - values[INDEX["jawOpen"]]
    return both + bool(excess > CLOSE_BEYOND_OPEN)
