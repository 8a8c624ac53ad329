"""Starting the arena: a socket, the app, the links."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike
from typing import Any
from urllib.parse import urlsplit

from semanticface.errors import BadInput, need
from semanticface.preference.arena.tokens import DAY, Keys
from semanticface.preference.renders import LIMIT, Renders
from semanticface.preference.store.content import Project, project_of, raters_of
from semanticface.preference.store.database import Store, open_store

_ANY = ("0.0.0.0", "::")  # where to listen, no name that anybody types
_LOG = logging.getLogger("semanticface.arena")


@dataclass(frozen=True)
class Opened:
    """An arena that is ready to serve."""

    store: Store
    project: Project
    renders: Renders
    app: Any
    socket: socket.socket
    base: str
    """The URL that people open."""
    secure: bool
    keys: Keys

    @property
    def admin_link(self) -> str:
        """Lets the holder in as admin; good for a day."""
        return f"{self.base}/admin/i/{self.keys.token('admin', 'admin', DAY)}"

    def invitations(self) -> Iterator[tuple[str, str]]:
        """Name and link of every person who may rate; good for two weeks."""
        for rater in raters_of(self.store, self.project.id):
            if rater.kind == "human" and not rater.revoked:
                yield rater.name, invitation_link(self.keys, self.base, rater.id)

    def serve(self) -> None:
        """Serve until interrupted, then let go of everything."""
        uvicorn: Any = need("uvicorn", "arena", "The arena")
        config = uvicorn.Config(
            self.app, log_level="warning", access_log=False, server_header=False,
            timeout_keep_alive=20, limit_concurrency=512, lifespan="off", proxy_headers=False,
        )  # fmt: skip
        try:
            uvicorn.Server(config).run(sockets=[self.socket])
        finally:
            self.renders.close()
            self.store.close()
            self.socket.close()


def invitation_link(keys: Keys, base: str, rater_id: str) -> str:
    """A link that lets a rater in for two weeks."""
    return f"{base}/i/{keys.token('invite', rater_id, 14 * DAY)}"


def open_arena(
    where: str | PathLike[str], project: str | None = None, *,
    media: str | PathLike[str] | None = None, host: str = "127.0.0.1", port: int = 8765,
    public: str | None = None, cache: int = LIMIT, rate: float = 30.0,
) -> Opened:  # fmt: skip
    """Open a store and bind a socket; nothing is served yet."""
    need("fastapi", "arena", "The arena")
    from semanticface.preference.arena.app import LOCAL, create_app

    store = open_store(where, media=media)
    chosen = project_of(store, project)
    bound = _bound(host, port)
    base = _base(public, host, bound.getsockname()[1])
    secure = base.startswith("https://")
    named = {urlsplit(base).hostname or host, host}
    renders = Renders(store, chosen, limit=cache)
    app = create_app(store, chosen, hosts={*LOCAL, *named} - set(_ANY), secure=secure, rate=rate,
                     burst=4 * rate, renders=renders)  # fmt: skip
    return Opened(store, chosen, renders, app, bound, base, secure, Keys.of(store.media))


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        found = f"{host}:{port}, which cannot be listened on ({error.strerror})"
        hint = "Choose with --host and --port."
        raise BadInput(found, "a free address", hint=hint) from error
    return bound


def _base(public: str | None, host: str, port: int) -> str:
    if public is None:
        name = f"[{host}]" if ":" in host else host
        return f"http://{'127.0.0.1' if host in _ANY else name}:{port}"
    parts = urlsplit(public)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
        raise BadInput(f"--public {public}", "such as https://rate.example.org")
    return f"{parts.scheme}://{parts.netloc}"
