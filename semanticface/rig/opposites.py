"""Movements that no face makes together, and how far lips can close an open jaw."""

from __future__ import annotations

from semanticface.rig.channels import INDEX

OPPOSITES = (
    ("eyeLookInLeft", "eyeLookOutLeft"),
    ("eyeLookInRight", "eyeLookOutRight"),
    ("eyeLookUpLeft", "eyeLookDownLeft"),
    ("eyeLookUpRight", "eyeLookDownRight"),
    ("jawLeft", "jawRight"),
    ("mouthLeft", "mouthRight"),
)
TOGETHER = 0.1
"""Two opposite movements above this at once contradict each other."""
CLOSE_BEYOND_OPEN = 0.06
"""Real raw takes keep mouthClose below jawOpen plus this much."""

assert all(name in INDEX for pair in OPPOSITES for name in pair)
