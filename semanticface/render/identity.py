"""Who a head is: a seed, or coefficients of the asset's identity space.

A seed draws each coefficient from a normal distribution cut at two standard
deviations, so that no seed gives a caricature. The same seed gives the same person on
any machine.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semanticface.errors import BadInput

SPREAD = 0.9
"""Standard deviations of the sampled people that a seed's draw is scaled to."""
FARTHEST = 2.0
_STREAM = 0x5EED_FACE


def coefficients(who: int | ArrayLike | None, count: int) -> NDArray[np.float32]:
    """[count] numbers in standard deviations. None: the mean person."""
    if who is None:
        return np.zeros(count, np.float32)
    if isinstance(who, int | np.integer):
        return drawn(int(who), count)
    given = np.asarray(who, np.float32)
    if given.ndim != 1 or len(given) > count or not np.isfinite(given).all():
        raise BadInput(f"identity coefficients of shape {given.shape}",
                       f"a seed, or at most {count} finite numbers")  # fmt: skip
    return np.concatenate((given, np.zeros(count - len(given), np.float32)))


def drawn(seed: int, count: int) -> NDArray[np.float32]:
    """[count] coefficients of a seed, any integer; the first K of an endless draw."""
    rng = np.random.default_rng((_STREAM, seed % 2**63))
    return np.clip(rng.standard_normal(count) * SPREAD, -FARTHEST, FARTHEST).astype(np.float32)
