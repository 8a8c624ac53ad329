"""Pictures are decoded here, when a batch is put together, and nowhere before.

    trainer = SFTTrainer(..., data_collator=DecodeImages(vision_collator))

wraps any collator that takes rows with `images`: the references in the rows become
pictures, the rows go on, and the pictures are forgotten with the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from semanticface.data.augment import Pixels
from semanticface.data.images import Pictures, image_of

Row = Mapping[str, Any]


@dataclass
class DecodeImages:
    """Decodes each row's picture references, then hands the rows to `collate`."""

    collate: Callable[[list[dict[str, Any]]], Any]
    pictures: Pictures = field(default_factory=Pictures)
    pixels: Pixels | None = None
    """Changes to the pixels; a row's number under `augment` seeds them, without one none."""

    def __call__(self, rows: Sequence[Row]) -> Any:
        """One batch."""
        return self.collate([self.decoded(row) for row in rows])

    def decoded(self, row: Row) -> dict[str, Any]:
        """The row with its pictures and without what only tables need."""
        name = str(row.get("record", ""))
        images = [self.pictures.decode(image_of(ref), name) for ref in row["images"]]
        seed = row.get("augment")
        if self.pixels is not None and seed is not None:
            images = [self.pixels.apply(image, (seed, i)) for i, image in enumerate(images)]
        rest = {key: value for key, value in row.items() if key not in ("record", "augment")}
        messages = {key: _without_gaps(rest[key]) for key in ("prompt", "completion", "messages")
                    if isinstance(rest.get(key), list)}  # fmt: skip
        return {**rest, **messages, "images": images}


def _without_gaps(messages: list[Any]) -> list[Any]:
    """Messages without the nulls that a table puts where one part has a key another lacks."""
    return [
        {**message, "content": [_given(part) for part in message["content"]]}
        if isinstance(message.get("content"), list)
        else message
        for message in messages
    ]


def _given(part: Any) -> Any:
    return {key: value for key, value in part.items() if value is not None}
