"""The user's own command as a server, to be talked to and killed."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx


@dataclass
class Server:
    """`semanticface arena STORE`, running."""

    store: Path
    port: int = 0
    more: tuple[str, ...] = ()
    links: dict[str, str] = field(default_factory=dict)

    def start(self) -> Server:
        """Start, and read the links that it prints."""
        command = [sys.executable, "-m", "semanticface.cli.main", "arena", str(self.store),
                   "--port", str(self.port), *self.more]  # fmt: skip
        self.process = subprocess.Popen(
            command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        assert self.process.stderr
        for line in self.process.stderr:
            name, _, rest = line.partition(" ")
            self.links[name] = rest.strip()
            if name == "admin":
                self.port = int(re.search(r":(\d+)/", rest)[1])
            if len(self.links) >= 2 + self._raters():
                break
        self._wait()
        return self

    def _raters(self) -> int:
        from semanticface.preference.store import open_store
        from semanticface.preference.store.content import project_of, raters_of

        store = open_store(self.store)
        people = [r for r in raters_of(store, project_of(store).id) if r.kind == "human"]
        store.close()
        return len([each for each in people if not each.revoked])

    def _wait(self) -> None:
        transport = httpx.HTTPTransport(retries=5)
        with httpx.Client(transport=transport, timeout=120) as client:
            assert client.get(f"{self.url}/healthz").status_code == 200

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def rater(self, name: str) -> Iterator[httpx.Client]:
        """A client who came by the invitation link."""
        with httpx.Client(base_url=self.url, timeout=120) as client:
            assert client.get(self.links[name].removeprefix(self.url)).status_code == 303
            client.headers["x-csrf"] = client.get("/api/state").json()["csrf"]
            yield client

    @contextmanager
    def admin(self) -> Iterator[httpx.Client]:
        """A client who came by the admin's link."""
        with httpx.Client(base_url=self.url, timeout=120) as client:
            assert client.get(self.links["admin"].removeprefix(self.url)).status_code == 303
            client.headers["x-csrf"] = client.get("/api/admin/summary").json()["csrf"]
            yield client

    def kill(self) -> None:
        """kill -9: nothing is tidied up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stderr.close()

    def stop(self) -> None:
        """Ctrl-C."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(20)
        self.process.stderr.close()
