"""A mark on every reply: a hash of what the server says of its models at that moment.

A client that has asked once what is served (`identity`) sees by the mark when that is another
story: after a restart behind a proxy that hides it, or when an adapter was loaded in another's
place while the connection stood.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from semanticface.serve.guard import App, Message, Receive, Send
from semanticface.serve.identity import MARK

Telling = Callable[[], Awaitable[str]]


class Marked:
    """An ASGI layer that puts the mark into each reply's headers.

    It is taken when a request comes: that is when vLLM chooses the adapter that answers.
    """

    def __init__(self, app: App, telling: Telling) -> None:
        self.app, self.telling = app, telling

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        header = (MARK.lower().encode(), (await self.telling()).encode())

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), header]}
            await send(message)

        await self.app(scope, receive, marked)
