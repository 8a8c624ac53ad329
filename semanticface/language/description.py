"""The four fields in which a face is described, and their shapes in text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from semanticface.errors import BadInput

FIELDS = ("expression_category", "muscle_movements", "emotional_implication", "symmetry")
NOT_OBSERVABLE = "not clearly observable"
MOSTLY_SYMMETRIC = "mostly symmetric"


@dataclass(frozen=True)
class Description:
    """What a face does, in SemanticFace's four fields."""

    expression_category: str
    muscle_movements: str
    """Region by region, each part opened by the region's name and a colon."""
    emotional_implication: str
    """The feeling where muscles show one, otherwise `not clearly observable`."""
    symmetry: str
    """Notable differences between the sides, otherwise `mostly symmetric`."""

    def as_analysis(self) -> dict[str, str]:
        """The `analysis` object of a two-key answer."""
        return asdict(self)

    @classmethod
    def from_analysis(cls, analysis: Mapping[str, object]) -> Description:
        """Read an `analysis` object; fields may be strings, lists or maps of strings."""
        absent = [key for key in FIELDS if key not in analysis]
        if absent:
            raise BadInput(f"an analysis without {absent}", f"the fields {list(FIELDS)}")
        return cls(**{key: _flat(analysis[key]) for key in FIELDS})

    def as_text(self) -> str:
        """All four fields as running text, for reading claims out of it."""
        return "\n".join(asdict(self).values())

    def as_markdown(self) -> str:
        """The numbered list in which SemanticFace's released model answers."""
        titles = (
            "Facial Expression Category", "Detailed Facial Muscle Movements",
            "Emotional Implication", "Symmetry",
        )  # fmt: skip
        parts = zip(titles, asdict(self).values(), strict=True)
        return "\n".join(f"{i}. **{title}**: {text}" for i, (title, text) in enumerate(parts, 1))

    @classmethod
    def from_markdown(cls, text: str) -> Description | None:
        """Read a numbered list of four parts, with or without bold titles; else None."""
        parts = _NUMBERED.split(text)
        if len(parts) != 5:
            return None
        return cls(*(_TITLE.sub("", part.strip(), count=1).strip() for part in parts[1:]))


_NUMBERED = re.compile(r"(?m)^\s{0,3}[1-4][.)]\s+")
_TITLE = re.compile(r"^(?:\*\*)?[^:*\n]{1,60}(?:\*\*)?\s*:(?:\*\*)?")


def _flat(value: object) -> str:
    """A field's text, whatever nesting the model gave it."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_flat(part)}" for key, part in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(_flat(part) for part in value)
    return str(value)
