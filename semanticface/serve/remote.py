"""A served model in the place of one in memory: what `predict --endpoint` asks.

One client for the whole job keeps `at_once` pictures with the server; answers come in the order
of the pictures. Pictures are read and packed in a thread of their own meanwhile. The server must
stay the model that it was at first: its word is taken when a job begins and again with each new
connection, for one that was started again may be another model.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from semanticface.data.tasks import Task
from semanticface.errors import SemanticFaceError
from semanticface.language.parsed import Parsed
from semanticface.serve.client import FaceClient, Frame, Result, Settings
from semanticface.serve.identity import Identity, refuse_another
from semanticface.serve.journal import Journal
from semanticface.train.decoding import Completion
from semanticface.train.predictor import Face

_FIRST = 15.0
"""Seconds in which a server must answer for the first time: none may have been started."""
_PACKED = 1
"""Of PNG, 0 to 9: more takes three times as long and saves a tenth."""


@dataclass
class RemotePredictor:
    """Answers pictures as `train.predictor.Predictor` does, by asking a server."""

    url: str
    model: str = "face"
    key: str = field(default="", repr=False)
    journal: Path | None = None
    """Keeps answers as they come, also those that the server did not live to finish in order."""
    most: int = 2048
    task: Task | None = None
    deadline: float = 600.0
    """Seconds for one picture: a server that goes away is waited for so long."""
    at_once: int = 32
    """Pictures with the server at the same time."""

    @property
    def origin(self) -> str:
        """Of the model's name and what the server says it is: another answers otherwise."""
        told = [self.model, *map(str, self._first)]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    @cached_property
    def _first(self) -> Identity:
        """What the server said it was when it was asked first."""
        return asyncio.run(self._told())

    async def _told(self) -> Identity:
        async with self._client(min(self.deadline, _FIRST)) as client:
            assert client.identity is not None
            return client.identity

    def _client(self, deadline: float) -> FaceClient:
        settings = Settings(
            concurrency=self.at_once, max_tokens=self.most, deadline=deadline, same=True
        )
        return FaceClient(self.url, self.model, self.task, self.key, settings)

    def each(self, pictures: Iterable[Any], batch: int = 0) -> Iterator[Face]:
        """One face for each picture, in their order. `batch` is for models in memory."""
        first = self._first
        with asyncio.Runner() as runner, Journal(self.journal) as kept:
            results = self._results(pictures, kept, first)
            try:
                while (result := runner.run(_next(results))) is not None:
                    if result.error and not result.lasting:
                        raise SemanticFaceError(f"{self.url}: {result.error}. Run again to go on.")
                    yield _face(result)
            finally:
                runner.run(results.aclose())

    async def _results(
        self, pictures: Iterable[Any], kept: Journal, first: Identity
    ) -> AsyncGenerator[Result, None]:
        async with self._client(self.deadline) as client:
            assert client.identity is not None
            refuse_another(client.identity, first, self.url)
            async with aclosing(
                client.stream(_frames(pictures), kept if self.journal else None)
            ) as results:
                async for each in results:
                    yield each


async def _next(results: AsyncIterator[Result]) -> Result | None:
    return await anext(results, None)


async def _frames(pictures: Iterable[Any]) -> AsyncIterator[Frame]:
    """Read and packed off the loop: what takes a picture 0.1 s would hold all answers up."""
    packed = (_png(each) for each in pictures)
    number = 0
    while (picture := await asyncio.to_thread(next, packed, None)) is not None:
        yield Frame(float(number), picture)
        number += 1


def _png(picture: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=_PACKED)
    return buffer.getvalue()


def _face(result: Result) -> Face:
    parsed = Parsed(result.values, result.description, result.report)
    said = Completion(result.text, result.written, result.finish != "length", result.tries)
    return Face(result.values, result.description, parsed, said, result.confidence, result.error)
