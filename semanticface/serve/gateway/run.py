"""The gateway on uvicorn, with bounds on connections that say nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from semanticface.errors import need
from semanticface.serve.gateway.app import Limits
from semanticface.serve.gateway.limits import HEADER_SECONDS, impatient

if TYPE_CHECKING:
    from fastapi import FastAPI

_MOST_HEADER = 16 << 10


def http_server(app: FastAPI, host: str, port: int, limits: Limits, *, quiet: bool = False,
                header_seconds: float = HEADER_SECONDS) -> Any:  # fmt: skip
    """A uvicorn server that is ready to `run()`; its log has no headers, so no keys."""
    uvicorn = need("uvicorn", "serve", "The gateway")
    from uvicorn.protocols.http.h11_impl import H11Protocol

    config = uvicorn.Config(
        app, host=host, port=port, http=impatient(H11Protocol, header_seconds), lifespan="on",
        log_level="warning" if quiet else "info", access_log=False, server_header=False,
        h11_max_incomplete_event_size=_MOST_HEADER, timeout_keep_alive=15,
        limit_concurrency=1024, ws_max_size=limits.most_bytes + (limits.most_bytes >> 1),
        timeout_graceful_shutdown=10,
    )  # fmt: skip
    return uvicorn.Server(config)
