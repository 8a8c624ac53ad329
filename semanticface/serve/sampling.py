"""Several answers to each picture from a served model, for `preference.sampling.collect`.

A server draws by chance of its own, so answers are not the same another day; they are kept as
they come, and what is kept is never asked again.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from semanticface.data.tasks import Task
from semanticface.errors import BadInput, SemanticFaceError
from semanticface.preference.sampling import Sampler
from semanticface.serve.client import FaceClient, Frame, Result, Settings


def of_endpoint(
    url: str, model: str = "face", *, temperature: float, key: str = "", task: Task | None = None,
    concurrency: int = 8, settings: Settings | None = None,
) -> Sampler:  # fmt: skip
    """Draw from a server; a batch of which one answer failed is an error, and not kept."""
    if temperature <= 0:
        raise BadInput(f"a temperature of {temperature:g}", "one above 0")
    base = settings or Settings(concurrency=concurrency)

    def answers(pictures: Sequence[Any], seeds: Sequence[int | None]) -> list[str]:
        told = [""] * len(pictures)
        for drawn in (False, True):
            places = [i for i, seed in enumerate(seeds) if (seed is not None) == drawn]
            how = replace(base, temperature=temperature if drawn else 0.0)
            some = _asked(url, model, task, key, how, [pictures[i] for i in places])
            for place, text in zip(places, some, strict=True):
                told[place] = text
        return told

    return Sampler(f"{url} {model} t={temperature:g}", answers)


def served_task(url: str, model: str = "face", key: str = "") -> Task:
    """What a server says its model was trained to be asked, and how it answers."""

    async def ask() -> Task:
        async with FaceClient(url, model, None, key, way="text") as client:
            assert client.task is not None  # the client refuses a server that does not say
            return client.task

    return asyncio.run(ask())


def _asked(
    url: str, model: str, task: Task | None, key: str, how: Settings, pictures: Sequence[Any]
) -> list[str]:
    if not pictures:
        return []
    frames = [Frame(float(n), _png(each)) for n, each in enumerate(pictures)]

    async def ask() -> list[Result]:
        async with FaceClient(url, model, task, key, how, way="text") as client:
            return [each async for each in client.stream(frames)]

    results = asyncio.run(ask())
    lost = next((each for each in results if each.error), None)
    if lost is not None:
        raise SemanticFaceError(f"{url}: {lost.error}. Run again to go on.")
    return [each.text for each in results]


def _png(picture: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()
