"""A served model in the place of one in memory: what `predict --endpoint` asks."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semanticface.data.tasks import Task
from semanticface.errors import SemanticFaceError
from semanticface.language.parsed import Parsed
from semanticface.serve.client import FaceClient, Frame, Result, Settings
from semanticface.serve.identity import Identity
from semanticface.serve.journal import Journal
from semanticface.train.decoding import Completion
from semanticface.train.predictor import Face

_FIRST = 15.0
"""Seconds in which a server must answer for the first time: none may have been started."""


@dataclass
class RemotePredictor:
    """Answers pictures as `train.predictor.Predictor` does, by asking a server."""

    url: str
    model: str = "face"
    key: str = field(default="", repr=False)
    journal: Path | None = None
    """Keeps answers as they come, also of a batch that the server did not live to finish."""
    most: int = 2048
    task: Task | None = None
    deadline: float = 600.0
    """Seconds for one picture: a server that goes away is waited for so long."""

    def __post_init__(self) -> None:
        self._kept = Journal(self.journal)

    @property
    def origin(self) -> str:
        """Of the model's name and what the server says it is: another answers otherwise."""
        told = [self.model, *map(str, asyncio.run(self._told()))]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    async def _told(self) -> Identity:
        async with self._client(deadline=min(self.deadline, _FIRST)) as client:
            assert client.identity is not None
            return client.identity

    def _client(self, concurrency: int = 8, deadline: float | None = None) -> FaceClient:
        settings = Settings(
            concurrency=concurrency, max_tokens=self.most, deadline=deadline or self.deadline
        )
        return FaceClient(self.url, self.model, self.task, self.key, settings)

    def faces(self, pictures: Sequence[Any]) -> list[Face]:
        """One face for each picture, asked side by side."""
        frames = [Frame(float(n), _png(each)) for n, each in enumerate(pictures)]
        results = asyncio.run(self._results(frames))
        lost = next((each for each in results if each.error and not each.lasting), None)
        if lost is not None:
            raise SemanticFaceError(f"{self.url}: {lost.error}. Run again to go on.")
        return [_face(each) for each in results]

    async def _results(self, frames: list[Frame]) -> list[Result]:
        with self._kept as kept:
            async with self._client(len(frames)) as client:
                return [each async for each in client.stream(frames, kept)]


def _png(picture: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _face(result: Result) -> Face:
    parsed = Parsed(result.values, result.description, result.report)
    said = Completion(result.text, result.written, result.finish != "length", result.tries)
    return Face(result.values, result.description, parsed, said, result.confidence, result.error)
