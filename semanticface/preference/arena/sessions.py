"""Whose request it is, and whether our own page sent it."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from fastapi import Depends, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from semanticface.preference.arena.tokens import DAY, Keys
from semanticface.preference.store.content import Rater, rater_of

if TYPE_CHECKING:
    from semanticface.preference.arena.app import Arena

RATER, ADMIN = "sf_rater", "sf_admin"
_LASTS = {RATER: 30 * DAY, ADMIN: DAY}


def rater_in(request: Request) -> Rater:
    """The rater whose session this is."""
    arena: Arena = request.app.state.arena
    who = arena.keys.read("session", request.cookies.get(RATER, ""))
    rater = None if who is None else rater_of(arena.store, who)
    if rater is None or rater.project_id != arena.project.id:
        raise HTTPException(401, "Open your invitation link.")
    if rater.revoked:
        raise HTTPException(403, "Your invitation was withdrawn.")
    return rater


def session_in(keys: Keys, cookies: str) -> str | None:
    """Whose session a Cookie header holds, by its signature alone; None if we signed none.

    A rater's key, however many sessions of it there are, or the admin.
    """
    held = dict(part.strip().partition("=")[::2] for part in cookies.split(";"))
    rater = keys.read("session", held.get(RATER, ""))
    return rater if rater is not None else keys.read("manage", held.get(ADMIN, ""))


def from_our_page(request: Request, cookie: str) -> None:
    """Refuse a change that another site could have caused."""
    arena: Arena = request.app.state.arena
    session = request.cookies.get(cookie, "")
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise HTTPException(415, "Send JSON.")
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise HTTPException(403, "This came from another site.")
    sent = request.headers.get("x-csrf", "").encode()
    if not hmac.compare_digest(sent, arena.keys.csrf(session).encode()):
        raise HTTPException(403, "Load the page again.")


def admin_in(request: Request) -> str:
    """The admin's session."""
    arena: Arena = request.app.state.arena
    session = request.cookies.get(ADMIN, "")
    if arena.keys.read("manage", session) is None:
        raise HTTPException(401, "Open the admin's link that the server printed.")
    return session


Admin = Annotated[str, Depends(admin_in)]
Me = Annotated[Rater, Depends(rater_in)]


def entered(arena: Arena, request: Request, who: str | None) -> str:
    """Whom a link lets in; an address that tries many links has to wait."""
    address = request.client.host if request.client else "nobody"
    if who is None:
        wait = arena.tries.take(address)
        if wait:
            raise HTTPException(429, "Too many tries.", {"retry-after": str(int(wait) + 1)})
        raise HTTPException(403, "This link is not valid, or no longer.")
    return who


def let_in(arena: Arena, cookie: str, session: str, to: str) -> Response:
    """Set a cookie that scripts and other sites do not get, and go to the page."""
    answer = RedirectResponse(to, 303)
    answer.set_cookie(cookie, session, max_age=_LASTS[cookie], httponly=True, samesite="lax",
                      secure=arena.secure, path="/")  # fmt: skip
    answer.headers["cache-control"] = "no-store"
    return answer
