"""A client that shows a model the face alone; without a face nobody is asked."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from semanticface.errors import BadInput
from semanticface.language.parsed import nothing
from semanticface.serve.client import Result
from semanticface.serve.live.loop import Asked
from semanticface.train.face_crop import Crop, cut_file


@dataclass
class Cropped:
    """Who answers, and what part of each picture is shown."""

    client: Asked
    crop: Crop

    async def ask(self, picture: bytes, at: float = 0.0) -> Result:
        """The face of what was cut out of the picture; an error where nothing could be."""
        begun = time.monotonic()
        try:
            cut = await asyncio.to_thread(cut_file, picture, self.crop)
        except BadInput as fault:
            empty = nothing(str(fault))
            return Result(at, empty.values, None, None, empty.report, "", "",
                          time.monotonic() - begun, 0, 0, 0, fault.found, True)  # fmt: skip
        return await self.client.ask(cut.picture, at)
