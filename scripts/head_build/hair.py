"""Brow hairs, lashes and the field of the hair on the skull."""

from __future__ import annotations

import numpy as np
from head_build.parts import Part, compact, split_quads
from head_build.source import Array, Base, Index

_HAIR = (0.045, 0.028, 0.018)
_LASH = (0.012, 0.009, 0.008)
LASH_LENGTH = 0.45
"""Share of the helper cards' depth that is kept."""


def lashes(base: Base, rest: Array) -> Part:
    """Thin strips on the lid margins, from the helper's lash cards."""
    groups = ("helper-l-eyelashes-1", "helper-l-eyelashes-2", "helper-r-eyelashes-1",
              "helper-r-eyelashes-2")  # fmt: skip
    quads = np.concatenate([base.faces[name] for name in groups])
    used, local = compact(quads)
    triangles = split_quads(local, rest[used])
    return Part("lashes", used, None, triangles, np.tile(_LASH, (len(used), 1)))
