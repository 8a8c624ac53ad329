"""A vLLM server as a child process: found, started, waited for, stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Self

from semanticface.errors import BadInput, SemanticFaceError
from semanticface.serve import lifeline
from semanticface.serve.arguments import MODULE

FOLDER = ".vllm"
MISSING = (
    "vLLM wants an environment of its own, for it asks for exact versions:\n"
    "    python3 -m venv .vllm && .vllm/bin/pip install vllm semanticface\n"
    "    semanticface serve ... --python .vllm/bin/python\n"
    "Without a GPU, for trials: scripts/install_vllm_cpu.sh"
)
_STOP_SECONDS = lifeline.STOP_SECONDS
_LEAVING_SECONDS, _LEAVING_POLL = 10.0, 0.05
_POLL = 0.25
_LAST_PORT = 65_535


def vllm_python(given: Path | None = None) -> Path:
    """An interpreter that can import vLLM: the one given, `.vllm` here, or this one."""
    told = [given] if given is not None else [Path(FOLDER) / "bin" / "python", Path(sys.executable)]
    for each in told:
        if each.is_file() and _has_vllm(each):
            return each.absolute()
    raise SemanticFaceError(f"no vLLM in {', '.join(map(str, told))}. {MISSING}")


def _has_vllm(python: Path) -> bool:
    found = subprocess.run(
        [str(python), "-c", "import importlib.util; exit(not importlib.util.find_spec('vllm'))"],
        capture_output=True, check=False,
    )  # fmt: skip
    return found.returncode == 0


class Server:
    """A started server; leaving its `with` stops it and everything it started."""

    def __init__(
        self, python: Path, told: Sequence[str], environment: Mapping[str, str], *,
        log: Path | None = None,
    ) -> None:  # fmt: skip
        self.command = [str(python), "-m", MODULE, *told]
        self.url = _url(told)
        self._environment = {**os.environ, **environment}
        self._log = log
        self._stream: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, in a group of its own, so that its workers end with it, and it with us.

        At a port that is free: vLLM would share one with another server, each answering some.
        """
        refuse_taken(*_place(self.command))
        self._stream = self._log.open("ab") if self._log is not None else None
        self._process = lifeline.start(self.command, self._environment, self._stream)

    @property
    def pid(self) -> int | None:
        """Of the process that leads the session that all the others are in."""
        return self._process.pid if self._process is not None else None

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs or before it was started."""
        return self._process.poll() if self._process is not None else None

    def wait(self, seconds: float, tell: Callable[[float], None] | None = None) -> float:
        """Seconds until it answered for the first time; an error if it ends or takes longer."""
        begun = time.monotonic()
        while not healthy(self.url):
            gone = time.monotonic() - begun
            if self.code is not None:
                raise SemanticFaceError(f"vLLM ended with code {self.code}{self._last_words()}")
            if gone > seconds:
                raise SemanticFaceError(f"vLLM did not answer in {seconds:g} s{self._last_words()}")
            if tell is not None:
                tell(gone)
            time.sleep(_POLL)
        return time.monotonic() - begun

    def join(self) -> int:
        """Its exit code, once it has ended by itself."""
        if self._process is None:
            raise SemanticFaceError("a server that was not started has no end")
        return self._process.wait()

    def stop(self, *, kill: bool = False) -> None:
        """End it: asked first, then made to. With `kill` it is not asked."""
        if self._process is not None:
            try:
                if self._process.poll() is None and not kill:
                    self._signal(signal.SIGTERM)
                    with contextlib.suppress(subprocess.TimeoutExpired):  # made to, below
                        self._process.wait(_STOP_SECONDS)
            finally:  # also for somebody who cannot wait
                self._signal(signal.SIGKILL)
                self._process.wait()
                self._see_off()
                assert self._process.stdin is not None
                self._process.stdin.close()
                self._process = None
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _see_off(self) -> None:
        """Wait for all others: killed with their leader, they hold the port a moment longer."""
        last = time.monotonic() + _LEAVING_SECONDS
        while self._signal(0) and time.monotonic() < last:
            time.sleep(_LEAVING_POLL)

    def _signal(self, number: int) -> bool:
        """To the whole group: workers that outlive their parent would keep the memory. Whether
        anybody was there to hear it."""
        assert self._process is not None
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return False
        return True

    def _last_words(self) -> str:
        if self._log is None or not self._log.is_file():
            return "."
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        wrong = [line for line in lines if "Error" in line or "error:" in line]
        return ":\n" + "\n".join((wrong or lines)[-8:])


def healthy(url: str) -> bool:
    """Whether a server answers at `/health`."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"{url}/health", timeout=2) as reply:
            return bool(reply.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _place(told: Sequence[str]) -> tuple[str, int]:
    host, port = (told[told.index(flag) + 1] for flag in ("--host", "--port"))
    if not port.isdecimal() or int(port) > _LAST_PORT:
        raise BadInput(f"the port '{port}'", f"a number up to {_LAST_PORT}")
    return host, int(port)


def refuse_taken(host: str, port: int) -> None:
    """An error if nobody can listen there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
        except OSError as error:
            raise BadInput(f"{host}:{port}, which cannot be listened at ({error.strerror})",
                           "a free port", hint="Is another server running? --port takes another.",
                           ) from None  # fmt: skip


def _url(told: Sequence[str]) -> str:
    host, port = _place(told)
    shown = "127.0.0.1" if host in ("0.0.0.0", "") else host
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
