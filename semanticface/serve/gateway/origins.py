"""Which web pages may ask: a browser says in `Origin` whose page it acts for.

A browser keeps the answer to a request from a foreign page (CORS), but lets any page open a
WebSocket and read along. So the gateway looks at `Origin` itself there. Who sends none is no
browser. The gateway's own pages, such as /docs, may always ask.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from semanticface.errors import BadInput

EVERY = "*"
_HERE = ("127.0.0.1", "localhost", "::1")


def origin(text: str) -> str:
    """An origin as browsers write it, or `*` for every one; other forms would never match."""
    parts = urlsplit(text)
    if text != EVERY and (not parts.netloc or text != f"{parts.scheme}://{parts.netloc}".lower()):
        raise BadInput(f"the origin '{text}'", f"https://HOST, https://HOST:PORT or {EVERY}",
                       hint="In lower case, without a path or a slash at its end.")  # fmt: skip
    return text


def foreign(told: str | None, host: str, allowed: Collection[str], *, keyless: bool) -> bool:
    """Whether a page of the origin `told` is kept from a WebSocket at `host`.

    A name that somebody else's DNS points to this computer would be a page's own host and ours.
    Keys keep such a page out; without keys, only this computer's own names count as ours.
    """
    if told is None or EVERY in allowed or told in allowed:
        return False
    parts = urlsplit(told)
    ours = parts.netloc != "" and parts.netloc == host.lower()
    return not ours or (keyless and parts.hostname not in _HERE)
