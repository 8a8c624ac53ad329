"""The gateway as a FastAPI application.

    POST /v1/face      a picture: {"image": base64}, or the file itself as the body;
                       speech: {"audio": base64, "transcript": text}; {"script": text}
    POST /v1/faces     up to 64 pictures
    WS   /v1/stream    pictures in, faces out, the newest picture first when it is late
    GET  /metrics      for Prometheus
    GET  /healthz      whether the model behind answers

It speaks to one model through `FaceClient`. Nothing in a request is ever fetched; errors
say what was wrong with the request and nothing about the inside; keys are in no log.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import Body, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.security import HTTPBearer
from pydantic import ValidationError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from semanticface import __version__
from semanticface.errors import BadInput, SemanticFaceError
from semanticface.serve.client import FaceClient, Result
from semanticface.serve.doubt import certainty
from semanticface.serve.gateway import speech
from semanticface.serve.gateway.keys import Client, Doorkeeper, bearer, read_keys
from semanticface.serve.gateway.limits import STRANGER, Bounded
from semanticface.serve.gateway.metrics import TYPE, Metrics
from semanticface.serve.gateway.origins import foreign, origin
from semanticface.serve.gateway.pictures import checked, from_base64
from semanticface.serve.gateway.wire import (
    ErrorReply,
    Face,
    FaceOrFault,
    FaceRequest,
    FacesReply,
    FacesRequest,
    Fault,
    ScriptRequest,
    SpeechRequest,
    Spoken,
    face_of,
    fault,
)
from semanticface.train.face_crop import Crop, Cut, Whole, cut_file

log = logging.getLogger("semanticface.gateway")
_SILENT = "the model does not answer just now"
FILES = ("image/png", "image/jpeg", "image/webp")
REQUESTS: dict[str, type[FaceRequest | SpeechRequest | ScriptRequest]] = {
    "image": FaceRequest, "audio": SpeechRequest, "script": ScriptRequest,
}  # fmt: skip
"""By the key that only they have."""


@dataclass(frozen=True)
class Limits:
    """What a client may send."""

    most_bytes: int = 8 << 20
    most_pixels: int = 16_000_000
    body_seconds: float = 20.0
    """From the headers to the last byte of the body."""
    streams: int = 64
    """Open WebSocket streams."""
    speech_seconds: float = 120.0
    """Of a recording or a spoken script."""
    listeners: int = 2
    """Recordings listened to at once."""
    waiting: int = 256
    """Pictures and recordings that are held at once, those with the model among them."""
    least_confidence: float = 0.0
    """Mean over the channels below which a picture is refused, where the model tells one."""


class Refused(SemanticFaceError):
    """A request that is answered with an error."""

    def __init__(self, status: int, message: str, after: float | None = None) -> None:
        self.status, self.after = status, after
        super().__init__(message)


class Desk:
    """What all routes share: the client, the keys, the counts."""

    def __init__(
        self, client: FaceClient, door: Doorkeeper, limits: Limits, voice: str = "",
        origins: Collection[str] = (), crop: Crop | None = None,
    ) -> None:  # fmt: skip
        self.crop: Crop = Whole() if crop is None else crop
        self.client, self.door, self.limits, self.voice = client, door, limits, voice
        self.origins = tuple(origin(each) for each in origins)
        self.metrics = Metrics()
        self._listening = asyncio.Semaphore(limits.listeners)
        self._held = 0

    def stranger(self, scope: Any) -> bool:
        """Whether a question comes without one of our keys; said before its body is read."""
        if self.door.open or scope["method"] != "POST" or not scope["path"].startswith("/v1/"):
            return False
        return self.door.known(bearer(Headers(scope=scope).get("authorization", ""))) is None

    def foreign(self, headers: Headers) -> bool:
        """Whether another site's page wants to open a WebSocket."""
        return foreign(headers.get("origin"), headers.get("host", ""), self.origins,
                       keyless=self.door.open)  # fmt: skip

    def admit(self, key: str, pictures: int = 1) -> Client | None:
        """Who asks; an error for a stranger, and for one who has asked too much."""
        if self.door.open:
            return None
        who = self.door.known(key)
        if who is None:
            raise Refused(401, STRANGER)
        wait = self.door.wait(who, pictures)
        if wait > 0:
            raise Refused(429, f"more than {who.per_minute} pictures a minute, a second of speech "
                          "counted as one", wait)  # fmt: skip
        return who

    def _charge(self, who: Client | None, seconds: float) -> None:
        """Speech counts as a picture a second; one was counted when it was admitted."""
        if who is not None:
            self.door.owe(who, max(0, math.ceil(seconds) - 1))

    @contextmanager
    def _room(self) -> Iterator[None]:
        """Work that is begun; more than can be done soon is refused instead of piled up."""
        if self._held >= self.limits.waiting:
            raise Refused(503, "too many are waiting already", 5.0)
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1

    async def face(self, picture: bytes) -> Face:
        """A face, or what is wrong with the picture, or that nobody answers."""
        with self._room():
            try:
                await asyncio.to_thread(checked, picture, self.limits.most_pixels)
            except BadInput as error:
                raise Refused(422, str(error)) from None
            cut = await self._cut(picture)
            result = await self._asked(cut.picture)
        unsure = self._unsure(result)
        outcome = "unanswered" if result.error else "unsure" if unsure else result.report.outcome
        self.metrics.face(outcome, result.seconds, result.asked, result.written)
        face = face_of(self._answered(result), self.client.model, cut.told)
        if unsure:
            raise Refused(422, unsure)
        return face

    def _unsure(self, result: Result) -> str:
        """Why this is taken for a picture without a face; empty if it is not."""
        sure, least = certainty(result.confidence), self.limits.least_confidence
        if sure is None or sure >= least:
            return ""
        return f"no face that the model is sure of: confidence {sure:.2f}, {least:g} at least"

    async def _cut(self, picture: bytes) -> Cut:
        """The part that the model is shown; hints about flags are not for whoever asks."""
        try:
            return await asyncio.to_thread(cut_file, picture, self.crop)
        except BadInput as error:
            raise Refused(422, f"found {error.found}, expected {error.expected}") from None

    async def _asked(self, picture: bytes) -> Result:
        try:
            return await self.client.ask(picture)
        except SemanticFaceError as error:  # another key or model there, or no answer of its kind
            log.warning("no answer from the model: %s", error)
            raise Refused(503, _SILENT, 5.0) from None

    async def speech(self, asked: SpeechRequest | ScriptRequest, who: Client | None) -> Spoken:
        """The mouth of a recording or of a script, made here; or what is wrong with it."""
        with self._room():
            async with self._listening:
                return await self._spoken(asked, who)

    async def _spoken(self, asked: SpeechRequest | ScriptRequest, who: Client | None) -> Spoken:
        try:
            if isinstance(asked, SpeechRequest):
                return await self._heard(asked, who)
            made = await asyncio.to_thread(self._said, asked)
        except BadInput as error:
            raise Refused(422, str(error)) from None
        except SemanticFaceError as error:  # a part that is not installed
            log.warning("speech: %s", error)
            raise Refused(422, "this gateway was set up without what speech needs") from None
        self._charge(who, made.meta.seconds)
        return made

    async def _heard(self, asked: SpeechRequest, who: Client | None) -> Spoken:
        most = self.limits.speech_seconds
        sound = await asyncio.to_thread(speech.measured, speech.sound_of(asked.audio), most)
        self._charge(who, sound.seconds)
        return await asyncio.to_thread(speech.heard, sound, asked.transcript, asked.fps)

    def _said(self, asked: ScriptRequest) -> Spoken:
        if not self.voice:
            raise BadInput("a script", "a picture, or audio", hint="Without a voice a script has "
                           "no times; this gateway was started without --voice.")  # fmt: skip
        return speech.said(asked.script, self.voice, asked.fps, self.limits.speech_seconds)

    def _answered(self, result: Result) -> Result:
        if result.error:
            log.warning("no answer from the model: %s", result.error)
            if result.lasting:
                raise Refused(502, "the model's server refuses this picture")
            raise Refused(503, _SILENT, 5.0)
        if result.report.outcome == "failed":
            raise Refused(502, "the model's answer could not be read as a face")
        return result


def create_app(
    client: FaceClient, keys: Path | None = None, limits: Limits | None = None, voice: str = "",
    origins: Collection[str] = (), crop: Crop | None = None,
) -> FastAPI:  # fmt: skip
    """The application; without `keys` anybody may ask, without `voice` no scripts are taken,
    without `origins` no other site's pages, and with `crop` the model is shown a part."""
    door = Doorkeeper(read_keys(keys) if keys is not None else [])
    desk = Desk(client, door, limits or Limits(), voice, origins, crop)

    @asynccontextmanager
    async def life(app: Any) -> AsyncIterator[None]:
        async with client:
            yield

    app = FastAPI(
        title="semanticface", version=__version__, lifespan=life,
        description="A picture of a face, or speech, in; ARKit coefficients, and words, out.",
    )  # fmt: skip
    _errors(app, desk)
    _faces(app, desk)
    _watching(app, desk)
    from semanticface.serve.gateway.stream import add_stream  # it needs the desk defined here

    add_stream(app, desk)
    app.add_middleware(
        Bounded, most_bytes=desk.limits.most_bytes, seconds=desk.limits.body_seconds,
        stranger=desk.stranger, refused=lambda status: desk.metrics.request("other", status),
    )  # fmt: skip
    if desk.origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=desk.origins, allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type"], expose_headers=["Retry-After"],
        )  # fmt: skip
    return app


def _errors(app: FastAPI, desk: Desk) -> None:
    def reply(status: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
        return JSONResponse(fault(status, message), status, headers)

    @app.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> JSONResponse:
        told = {} if error.after is None else {"Retry-After": str(max(1, round(error.after + 0.5)))}
        if error.status == 401:
            told["WWW-Authenticate"] = "Bearer"
        return reply(error.status, str(error), told)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])[:80]
        return reply(422, f"{place}: {first['msg']}"[:300])

    @app.exception_handler(HTTPException)
    async def other(request: Request, error: HTTPException) -> JSONResponse:
        return reply(error.status_code, str(error.detail)[:300], dict(error.headers or {}))

    @app.middleware("http")
    async def counted(request: Request, call_next: Any) -> Any:
        answer = await call_next(request)
        route = request.scope.get("route")
        desk.metrics.request(getattr(route, "path", "other"), answer.status_code)
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer


def _faces(app: FastAPI, desk: Desk) -> None:
    told: dict[int | str, dict[str, Any]] = {
        code: {"model": ErrorReply} for code in (400, 401, 408, 413, 415, 422, 429, 502, 503)
    }
    files = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in FILES}
    shapes = {name: each.model_json_schema() for name, each in REQUESTS.items()}
    examples = {name: {"value": each["examples"][0]} for name, each in shapes.items()
                if name != "script" or desk.voice}  # fmt: skip
    asked = {"requestBody": {"required": True, "content": {"application/json": {
        "schema": {"anyOf": [*shapes.values()]}, "examples": examples}, **files}}}  # fmt: skip

    # Without keys the schema must not speak of any, so they are no plain parameter.
    bearer = [] if desk.door.open else [Depends(HTTPBearer(auto_error=False))]
    if desk.door.open:
        del told[401]

    @app.post("/v1/face", response_model=Face | Spoken, responses=told, dependencies=bearer,
              openapi_extra=asked, summary="A picture, or speech, to numbers")  # fmt: skip
    async def face(request: Request) -> Face | Spoken:
        who = desk.admit(_key(request))
        asked = await _asked(request)
        return await (desk.face(asked) if isinstance(asked, bytes) else desk.speech(asked, who))

    @app.post("/v1/faces", response_model=FacesReply, responses=told, dependencies=bearer,
              summary="Some pictures, in order")  # fmt: skip
    async def faces(request: Request, body: Annotated[FacesRequest, Body()]) -> FacesReply:
        desk.admit(_key(request), len(body.images))
        found = await asyncio.gather(*(_one(desk, image) for image in body.images))
        return FacesReply(faces=list(found))


def _key(request: Request) -> str:
    return bearer(request.headers.get("authorization", ""))


async def _one(desk: Desk, image: str) -> FaceOrFault:
    try:
        return FaceOrFault(face=await desk.face(_bytes(image)))
    except Refused as error:
        return FaceOrFault(error=Fault(code=error.status, message=str(error)))


async def _asked(request: Request) -> bytes | SpeechRequest | ScriptRequest:
    """A picture, whichever of the two ways it was sent, or speech."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body: bytes = await request.body()
    if kind in FILES:
        return body
    if kind != "application/json":
        raise Refused(415, f"a body of type '{kind[:60]}', expected application/json or {FILES[0]}")
    try:
        held = _shape(body).model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "body"
        raise Refused(422, f"{place}: {first['msg']}"[:300]) from None
    return _bytes(held.image) if isinstance(held, FaceRequest) else held


def _shape(body: bytes) -> type[FaceRequest | SpeechRequest | ScriptRequest]:
    """Which request it is, by the key that only it has."""
    try:
        held = json.loads(body)
    except (ValueError, RecursionError):
        held = None
    found = [shape for key, shape in REQUESTS.items() if isinstance(held, dict) and key in held]
    return found[0] if found else FaceRequest


def _bytes(image: str) -> bytes:
    try:
        return from_base64(image)
    except BadInput as error:
        raise Refused(422, str(error)) from None


def _watching(app: FastAPI, desk: Desk) -> None:
    @app.get("/metrics", response_class=PlainTextResponse, summary="Counts for Prometheus")
    async def metrics() -> PlainTextResponse:
        return PlainTextResponse(desk.metrics.text(), media_type=TYPE)

    @app.get(
        "/healthz", responses={503: {"model": ErrorReply}}, summary="Whether the model answers"
    )
    async def healthz() -> JSONResponse:
        if await desk.client.alive():
            return JSONResponse({"status": "ok", "model": desk.client.model})
        return JSONResponse(fault(503, "the model does not answer"), 503)
