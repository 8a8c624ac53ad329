"""The arena's web server: questions out, verdicts in.

    app = create_app(store, project, hosts=("127.0.0.1", "localhost"))

A rater comes by an invitation link, which sets a session cookie. Everything that changes
something needs that cookie, a JSON body, a header that only our own page knows, and an
Origin that is ours. No path of a request ever becomes a path of a file: pages come from a
fixed list, pictures by their hash.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from importlib import resources
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from semanticface.errors import BadInput, SemanticFaceError
from semanticface.preference.arena.guard import Bucket, Guard, TooLong
from semanticface.preference.arena.sessions import (
    RATER,
    Me,
    entered,
    from_our_page,
    let_in,
    session_in,
)
from semanticface.preference.arena.tokens import DAY, Keys
from semanticface.preference.regions import region_of
from semanticface.preference.renders import NoRoom, Renders
from semanticface.preference.store.content import Project, Rater, question_about
from semanticface.preference.store.database import Store, StoreBusy
from semanticface.preference.store.files import kept_file
from semanticface.preference.store.questions import Question, left_of, open_questions, progress_of
from semanticface.preference.store.verdicts import Conflict, may_see, record_and_ask, undo

LOCAL = ("127.0.0.1", "localhost", "[::1]")
_AHEAD = 3
"""Questions handed out at once: the one in front and the ones drawn meanwhile."""
_COUNT_EVERY = 5.0
"""Seconds for which the number of pairs left is remembered."""
_REMEMBERED = 20_000
"""Pictures of raters that the server knows to be theirs."""
_PAGES = {
    "arena.css": "text/css", "arena.js": "text/javascript", "admin.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}  # fmt: skip
_PICTURES = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n", "image/png"),
             (b"RIFF", "image/webp"))  # fmt: skip


class Verdict(BaseModel):
    """What the page sends for a click."""

    model_config = ConfigDict(extra="forbid", strict=True)

    question: str = Field(max_length=64)
    click: str = Field(max_length=16)
    key: str = Field(max_length=64)
    seconds: float | None = Field(default=None, ge=0, le=DAY, allow_inf_nan=False)


class Arena:
    """What the handlers share."""

    def __init__(self, store: Store, project: Project, renders: Renders, keys: Keys,
                 secure: bool) -> None:  # fmt: skip
        self.store, self.project, self.renders = store, project, renders
        self.keys, self.secure = keys, secure
        self.tries = Bucket(rate=0.5, burst=20)
        """Invitations tried, by address."""
        self._lefts: dict[str, tuple[int, int, float]] = {}
        self._handed: OrderedDict[tuple[str, str], None] = OrderedDict()

    def state(
        self, rater: Rater, session: str, waiting: Sequence[Question] | None = None
    ) -> dict[str, Any]:
        """Everything the page shows; nothing that tells the sources or the checks."""
        if waiting is None:
            waiting = open_questions(self.store, self.project, rater.id, _AHEAD)
        answered, pace = progress_of(self.store, rater.id)
        told = self._told(rater, waiting)
        return {
            "rater": rater.name, "question": self.project.question, "questions": told,
            "csrf": self.keys.csrf(session), "answered": answered,
            "left": max(len(waiting), self._left(rater, answered)), "pace": pace,
            "sides": len(self.project.presentation.views),
        }  # fmt: skip

    def _left(self, rater: Rater, answered: int) -> int:
        """Counted anew every few seconds, for it looks at every pair."""
        count, then, at = self._lefts.get(rater.id, (0, 0, -_COUNT_EVERY))
        now = time.monotonic()
        if now - at >= _COUNT_EVERY:
            count, then = left_of(self.store, self.project, rater.id), answered
            self._lefts[rater.id] = (count, then, now)
        return count - (answered - then)

    def handed(self, rater: Rater, digest: str) -> bool:
        """Whether this picture stood in a question that this server handed to the rater."""
        return (rater.id, digest) in self._handed

    def _hand(self, rater: Rater, digests: Iterable[str | None]) -> None:
        """Remember the last pictures handed out: asking the store for each is dear."""
        for each in digests:
            if each is not None:
                self._handed[rater.id, each] = None
        while len(self._handed) > _REMEMBERED:
            self._handed.popitem(last=False)

    def _told(self, rater: Rater, waiting: Iterable[Question]) -> list[dict[str, Any]]:
        asked = list(waiting)
        sides = [(key, each.region) for each in asked for key in (each.left, each.right)]
        digests = self.renders.of_all(sides)
        self.renders.soon(digests)
        self._hand(rater, [*digests, *(each.picture for each in asked)])
        return [_question(each, digests[2 * i], digests[2 * i + 1], self.project)
                for i, each in enumerate(asked)]  # fmt: skip


def _question(asked: Question, left: str, right: str, project: Project) -> dict[str, Any]:
    return {
        "question": question_about(project, picture=asked.picture, sound=asked.sound),
        "id": asked.id, "number": asked.number, "region": asked.region,
        "title": region_of(asked.region).title, "told": asked.told,
        "left": f"/media/render/{left}", "right": f"/media/render/{right}",
        "picture": None if asked.picture is None else f"/media/file/{asked.picture}",
    }  # fmt: skip


def create_app(
    store: Store, project: Project, *, hosts: Iterable[str] = LOCAL, secure: bool = False,
    rate: float = 30.0, burst: float = 120.0, renders: Renders | None = None,
) -> Guard:  # fmt: skip
    """The server of one project. `secure`: cookies over HTTPS only."""
    from semanticface.preference.arena.admin import add_admin

    drawn = renders or Renders(store, project)
    arena = Arena(store, project, drawn, Keys.of(store.media), secure)
    app = FastAPI(title="arena", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.arena = arena
    _add_faults(app)
    _add_pages(app, arena)
    _add_rating(app, arena)
    _add_media(app, arena)
    add_admin(app, arena)
    return Guard(app, hosts, rate, burst, lambda cookies: session_in(arena.keys, cookies))


# -- pages --------------------------------------------------------------------


def page(name: str) -> bytes:
    """A file of the package; `name` is one of ours, never a request's."""
    return resources.files(__package__).joinpath("static", name).read_bytes()


def _add_pages(app: FastAPI, arena: Arena) -> None:
    @app.get("/")
    def home() -> Response:
        return Response(page("arena.html"), media_type="text/html")

    @app.get("/static/{name}")
    def static(name: str) -> Response:
        if name not in _PAGES:
            raise HTTPException(404, "No such page.")
        return Response(page(name), media_type=_PAGES[name])

    @app.get("/i/{token}")
    def invited(token: str, request: Request) -> Response:
        who = entered(arena, request, arena.keys.read("invite", token))
        return let_in(arena, RATER, arena.keys.token("session", who, 30 * DAY), "/")

    @app.get("/healthz")
    def alive() -> dict[str, str]:
        return {"status": "ok"}


# -- rating -------------------------------------------------------------------


def _add_rating(app: FastAPI, arena: Arena) -> None:
    def state(
        request: Request, me: Rater, waiting: Sequence[Question] | None = None
    ) -> dict[str, Any]:
        return arena.state(me, request.cookies.get(RATER, ""), waiting)

    @app.get("/api/state")
    def current(request: Request, me: Me) -> dict[str, Any]:
        return state(request, me)

    @app.post("/api/verdicts")
    def give(request: Request, verdict: Verdict, me: Me) -> dict[str, Any]:
        from_our_page(request, RATER)
        given, waiting = record_and_ask(
            arena.store, arena.project, me.id, verdict.question, verdict.click, key=verdict.key,
            seconds=verdict.seconds, count=_AHEAD,
        )  # fmt: skip
        return {"kept": given.id, "repeated": given.repeated, **state(request, me, waiting)}

    @app.post("/api/undo")
    def take_back(request: Request, me: Me) -> dict[str, Any]:
        from_our_page(request, RATER)
        return {"opened": undo(arena.store, me.id), **state(request, me)}


# -- pictures -----------------------------------------------------------------


def _add_media(app: FastAPI, arena: Arena) -> None:
    @app.get("/media/render/{digest}")
    def render(digest: str, request: Request, me: Me) -> Response:
        if not (arena.handed(me, digest) or may_see(arena.store, me.id, render=digest)):
            raise HTTPException(404, "No such picture.")
        shown = arena.renders.shown(digest)
        return _ranged(request, shown.data, shown.type)

    @app.get("/media/file/{digest}")
    def file(digest: str, me: Me) -> Response:
        if not (arena.handed(me, digest) or may_see(arena.store, me.id, picture=digest)):
            raise HTTPException(404, "No such picture.")
        data = kept_file(arena.store, digest).read_bytes()
        kind = next((told for sign, told in _PICTURES if data.startswith(sign)), None)
        if kind is None:
            raise HTTPException(404, "No such picture.")
        return Response(data, media_type=kind, headers=_FOR_A_DAY)


_FOR_A_DAY = {"cache-control": f"private, max-age={DAY}, immutable"}


def _ranged(request: Request, data: bytes, kind: str) -> Response:
    """The bytes, or the range of them that a film player asks for."""
    headers = {**_FOR_A_DAY, "accept-ranges": "bytes"}
    asked = request.headers.get("range", "")
    first, dash, last = asked.removeprefix("bytes=").partition("-")
    if not (asked.startswith("bytes=") and dash and first.isdecimal()):
        return Response(data, media_type=kind, headers=headers)
    start = int(first)
    end = min(int(last), len(data) - 1) if last.isdecimal() else len(data) - 1
    if start > end:
        return Response(status_code=416, headers={"content-range": f"bytes */{len(data)}"})
    headers["content-range"] = f"bytes {start}-{end}/{len(data)}"
    return Response(data[start : end + 1], 206, headers, kind)


# -- faults -------------------------------------------------------------------


def _add_faults(app: FastAPI) -> None:
    """Every fault of a request is a status and one line; nothing of the inside shows."""
    statuses: dict[type[Exception], int] = {
        StoreBusy: 503, Conflict: 409, NoRoom: 507, BadInput: 400, SemanticFaceError: 400,
        TooLong: 413,
    }  # fmt: skip
    for kind, status in statuses.items():
        app.add_exception_handler(kind, _teller(status))
    app.add_exception_handler(RequestValidationError, _misformed)


def _misformed(_request: Request, fault: Exception) -> JSONResponse:
    """What is wrong with a body, without saying the body back: it may hold what JSON cannot."""
    first = fault.errors()[0] if isinstance(fault, RequestValidationError) else {}
    place = ".".join(str(part) for part in first.get("loc", ()))
    return JSONResponse(
        {"detail": f"{place[:80]}: {first.get('msg', 'not understood')}"[:300]}, 422
    )


def _teller(status: int) -> Any:
    def tell(_request: Request, fault: Exception) -> JSONResponse:
        headers = {"retry-after": "1"} if status == 503 else {}
        return JSONResponse({"detail": str(fault)[:300]}, status, headers)

    return tell
