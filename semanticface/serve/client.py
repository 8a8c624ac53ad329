"""Asking a served model about many pictures: fast, in order, nothing lost or asked twice.

    async with FaceClient("http://127.0.0.1:8000", "face") as client:
        result = await client.ask(picture_bytes)
        async for result in client.stream(frames):
            ...

Before the first question the server is asked what its model was trained to answer; a
request or rig other than this installation's is refused. Faults that pass (a broken
connection, 429, 5xx) are tried again after growing pauses until a picture's deadline, so a
server may be restarted under a running job. A picture that has no answer is a result with
`error` and 61 NaN. With a journal, answers survive the death of either side.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from semanticface.data.tasks import Task
from semanticface.errors import BadInput, need
from semanticface.language.description import Description
from semanticface.language.parsed import ParseReport, nothing
from semanticface.rig import COUNT, ClipMeta, FaceClip
from semanticface.serve.ask import Way, answer_of, way_of
from semanticface.serve.identity import PATH, Identity
from semanticface.serve.journal import Answered, Journal
from semanticface.serve.known import Known
from semanticface.serve.retry import AGAIN, NEVER, pause, retry_after

_SPARE = 4
T = TypeVar("T")


class Frame(NamedTuple):
    """One picture of a series."""

    time: float
    picture: bytes
    """A PNG, JPEG or WebP file as it is."""


class Result(NamedTuple):
    """What came back for one picture."""

    time: float
    values: NDArray[np.float32]
    """[61]; NaN where the answer gives no number."""
    confidence: NDArray[np.float32] | None
    """[61], with the one-pass read-out only."""
    description: Description | None
    report: ParseReport
    text: str
    finish: str
    """`stop`, or `length` for an answer that was cut off."""
    seconds: float
    """From the first try to the answer; 0 for one that the journal held."""
    asked: int
    """Tokens of the request."""
    written: int
    """Tokens of the answer."""
    tries: int
    error: str = ""
    """Why there is no answer."""
    lasting: bool = False
    """Whether it is the picture that was refused: asked again, it would be again."""


@dataclass(frozen=True)
class Settings:
    """How hard a client tries."""

    concurrency: int = 8
    timeout: float = 120.0
    """Seconds for one try."""
    deadline: float = 600.0
    """Seconds for one picture with all its tries."""
    pause: float = 0.5
    """Seconds before the second try; later ones grow."""
    patience: int = 32
    """Pictures in a row without an answer after which nobody is taken to be there."""
    temperature: float = 0.0
    max_tokens: int = 2048
    constrained: bool = True
    """Send the answer's grammar; needs a server that is vLLM."""
    likeliest: int = 20
    """Tokens a position that `prompt-logprobs` is told of; more needs --max-logprobs."""
    same: bool = False
    """Refuse other weights, too, where the server turns into another: all answers are one's."""


class _Again(Exception):
    def __init__(self, why: str, after: float | None = None) -> None:
        self.why, self.after = why, after
        super().__init__(why)


class _Never(Exception):
    """No answer to this picture: in the time there was, or (`lasting`) however often asked."""

    def __init__(self, why: str, lasting: bool = False) -> None:
        self.lasting = lasting
        super().__init__(why)


@dataclass
class FaceClient:
    """Asks one model of one server."""

    url: str
    """With or without `/v1`."""
    model: str = "face"
    task: Task | None = None
    """How it is asked; the server's own word unless given."""
    key: str = field(default="", repr=False)
    settings: Settings = field(default_factory=Settings)
    way: str = "auto"
    """`text`, `one-pass`, `prompt-logprobs`, or `auto`: one-pass where that is served."""
    check: bool = True
    """Refuse a server that does not say what its model was trained on, or says other things."""
    identity: Identity | None = field(default=None, init=False)
    repeats: int = field(default=0, init=False)

    async def __aenter__(self) -> Self:
        library = need("httpx", "serve", "Asking a served model")
        self.url = self.url.rstrip("/").removesuffix("/v1")
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        # A few more than are asked at once: who asks for its health must not wait for an answer.
        limits = library.Limits(max_connections=self.settings.concurrency + _SPARE)
        self._http = library.AsyncClient(
            base_url=self.url, headers=headers, limits=limits, trust_env=False,
            timeout=self.settings.timeout, follow_redirects=False,
        )  # fmt: skip
        self._library: ModuleType = library
        self._room = asyncio.Semaphore(self.settings.concurrency)
        try:
            await self._meet()
        except BaseException:
            await self._http.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def _meet(self) -> None:
        """Learn what the model was trained on, and choose how to ask it."""
        self._known = Known(self.url, self.model, self.settings.same)
        if self.check:
            self.task = self._known.first(await self._told(), self.task)
            self.identity = self._known.identity
        if self.task is None:
            raise BadInput("no task", "one, where the server's word is not asked for")
        one_pass = self.identity is not None and self.identity.one_pass
        chosen = ("one-pass" if one_pass else "text") if self.way == "auto" else self.way
        self._way: Way = way_of(chosen, self.task, self.model, self.settings)
        self._asked_sha256 = self._request_hash()

    async def _told(self) -> Any:
        end = time.monotonic() + self.settings.deadline
        try:
            return (await self._persist("GET", PATH, None, end))[0]
        except _Never as fault:
            if not fault.lasting:
                raise BadInput(f"no answer ({fault})", "a server that runs", file=self.url,
                               hint="Start one: semanticface serve RUN") from None  # fmt: skip
            raise BadInput(
                f"a server that does not say what it was trained on ({fault})",
                "one that `semanticface serve` started", file=self.url,
                hint="With check=False and a task of your own it is asked all the same.",
            ) from None  # fmt: skip

    async def alive(self) -> bool:
        """Whether the server answers, within two seconds."""
        try:
            async with asyncio.timeout(2.0):
                reply = await self._http.get("/health")
        except (TimeoutError, self._library.HTTPError):
            return False
        return bool(reply.status_code == 200)

    # -- one picture -----------------------------------------------------------

    async def ask(self, picture: bytes, at: float = 0.0) -> Result:
        """The answer to one picture."""
        begun = time.monotonic()
        try:
            answer, tries, seconds = await self._answer(picture)
        except _Never as fault:
            return self._unanswered(at, fault, time.monotonic() - begun)
        return self._result(at, answer, seconds, tries)

    async def _answer(self, picture: bytes) -> tuple[Answered, int, float]:
        """The answer, how often it was asked for, and seconds from the first try."""
        async with self._room:
            begun = time.monotonic()  # waiting for room does not count
            end = begun + self.settings.deadline
            body = self._way.body(picture)
            held, tries = await self._persist("POST", self._way.path, body, end)
            again = _shaped(self._way.past_cache, held, body)
            if again is not None:
                held, more = await self._persist("POST", self._way.path, again, end)
                tries += more
            seconds = time.monotonic() - begun
        return _shaped(self._way.answered, held), tries, seconds

    async def _persist(
        self, method: str, path: str, body: dict[str, Any] | None, end: float
    ) -> tuple[Any, int]:
        """The reply's JSON and how often it took, tried until `end`."""
        attempt = 0
        while True:
            try:
                return await self._once(method, path, body, end), attempt + 1
            except _Again as fault:
                wait = pause(min(attempt, 6), self.settings.pause)
                if fault.after is not None:  # not sooner than told, nor all at one moment
                    wait = fault.after + pause(0, self.settings.pause)
                if time.monotonic() + wait >= end:
                    raise _Never(f"{fault.why}, at the last of {attempt + 1} tries") from None
            self.repeats += 1
            attempt += 1
            await asyncio.sleep(wait)

    async def _once(self, method: str, path: str, body: dict[str, Any] | None, end: float) -> Any:
        seconds = min(self.settings.timeout, max(end - time.monotonic(), 0.001))
        opened = False

        async def seen(event: str, _: Any) -> None:
            nonlocal opened
            opened = opened or event.startswith("connection.connect_")

        try:
            async with asyncio.timeout(seconds):
                reply = await self._http.request(method, path, json=body,
                                                 extensions={"trace": seen})  # fmt: skip
        except TimeoutError:
            raise _Again(f"no whole answer in {seconds:.3g} s") from None
        except self._library.HTTPError as fault:
            raise _Again(f"a broken connection ({type(fault).__name__}: {fault})") from None
        held = self._judged(reply, path)
        if path != PATH and self._known.stranger(reply.headers, opened=opened):
            await self._recognise(reply.headers, end)
        return held

    async def _recognise(self, headers: Mapping[str, str], end: float) -> None:
        """An error if the server is not one that may answer in the place of the first."""
        try:
            reply = await self._once("GET", PATH, None, end)
        except _Never as fault:
            raise BadInput(f"a server that no longer says what it serves ({fault})",
                           "the one that it was at first", file=self.url) from None  # fmt: skip
        assert self.task is not None
        self._known.again(reply, self.task)
        self.identity = self._known.identity
        self._asked_sha256 = self._request_hash()
        if self._known.stranger(headers, opened=False):
            raise _Again("an answer of another server than the one that says what it serves")

    def _judged(self, reply: Any, path: str) -> Any:
        if reply.status_code == 200:
            try:
                return reply.json()
            except ValueError:
                raise _Again(f"a reply that is no JSON ({len(reply.content)} bytes)") from None
        why = f"HTTP {reply.status_code}: {self._plain(reply.text[:300])}"
        if reply.status_code in AGAIN:
            raise _Again(why, retry_after(reply.headers.get("Retry-After")))
        if (reply.status_code in NEVER and path != PATH) or reply.status_code in (401, 403):
            hint = (
                "Check the key." if reply.status_code in (401, 403) else "Check address and model."
            )
            raise BadInput(why, "an answer", file=self.url, hint=hint)
        raise _Never(why, lasting=True)

    def _plain(self, text: str) -> str:
        """Without the key, should a server repeat it."""
        return text.replace(self.key, "***") if self.key else text

    # -- many pictures -----------------------------------------------------------

    async def stream(
        self, frames: Iterable[Frame] | AsyncIterator[Frame], journal: Journal | None = None
    ) -> AsyncGenerator[Result, None]:
        """Results in the order of the frames; at most `2 * concurrency` are held at once.

        With a journal they are those of one job: another model is refused, as by `same`.
        """
        self._known.same = self._known.same or journal is not None
        waiting: list[asyncio.Task[Result]] = []
        silent = 0
        try:
            async for frame in _each(frames):
                waiting.append(asyncio.create_task(self._journalled(frame, journal)))
                await asyncio.sleep(0)
                if len(waiting) >= 2 * self.settings.concurrency:
                    result = await waiting.pop(0)
                    silent = self._counted(result, silent)
                    yield result
            while waiting:
                result = await waiting.pop(0)
                silent = self._counted(result, silent)
                yield result
        finally:
            for each in waiting:
                each.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    def _counted(self, result: Result, silent: int) -> int:
        silent = silent + 1 if result.error else 0
        if silent >= self.settings.patience:
            raise BadInput(
                f"{silent} pictures in a row without an answer ({result.error})",
                "a server that answers", file=self.url,
                hint="With a journal, answers are kept: run again once it is back.",
            )  # fmt: skip
        return silent

    async def _journalled(self, frame: Frame, journal: Journal | None) -> Result:
        key = self.journal_key(frame.picture)
        held = None if journal is None else journal.get(key)
        if held is not None:
            return self._result(frame.time, held, 0.0, 0)
        begun = time.monotonic()
        try:
            answer, tries, seconds = await self._answer(frame.picture)
        except _Never as fault:
            return self._unanswered(frame.time, fault, time.monotonic() - begun)
        if journal is not None:
            journal.add(key, answer)
        return self._result(frame.time, answer, seconds, tries)

    def journal_key(self, picture: bytes) -> str:
        """Of the picture and everything else that an answer depends on."""
        found = self._asked_sha256.copy()
        found.update(picture)
        return str(found.hexdigest())

    def _request_hash(self) -> Any:
        told = [self.model, self._way.path, self._way.body(b"")]
        if self.identity is not None and self.identity.weights:
            told.append(self.identity.weights)  # another training under the same name
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode() + b"\n")

    # -- results -----------------------------------------------------------------

    def _result(self, at: float, answer: Answered, seconds: float, tries: int) -> Result:
        read = answer_of(self._way, answer)
        return Result(at, read.values, read.confidence, read.description, read.report, answer.text,
                      answer.finish, seconds, answer.asked, answer.written, tries)  # fmt: skip

    def _unanswered(self, at: float, fault: _Never, seconds: float) -> Result:
        empty = nothing(f"no answer: {fault}")
        return Result(at, empty.values, None, None, empty.report, "", "", seconds, 0, 0, 0,
                      str(fault), fault.lasting)  # fmt: skip


def _shaped(read: Callable[..., T], *reply: Any) -> T:
    """What is read of a reply; one of another shape is no answer, and no end of everything."""
    try:
        return read(*reply)
    except BadInput as fault:
        raise _Never(str(fault)) from None


async def _each(frames: Iterable[Frame] | AsyncIterator[Frame]) -> AsyncIterator[Frame]:
    if isinstance(frames, AsyncIterator):
        async for frame in frames:
            yield frame
    else:
        for frame in frames:
            yield frame


class Predicted(NamedTuple):
    """A clip and what was said about each of its frames."""

    clip: FaceClip
    results: list[Result]


async def predict(
    client: FaceClient, frames: Iterable[Frame], journal: Path | None = None, source: str = ""
) -> Predicted:
    """All frames as a clip; with a `journal` file another run asks only what is missing."""
    with Journal(journal) as kept:
        one_job = None if journal is None else kept
        results = [each async for each in client.stream(frames, one_job)]
    rows = np.array([each.values for each in results], np.float32).reshape(len(results), COUNT)
    meta = ClipMeta(source=source or client.model, format="endpoint")
    clip = FaceClip.of(rows, np.array([each.time for each in results]), meta=meta)
    return Predicted(clip, results)
