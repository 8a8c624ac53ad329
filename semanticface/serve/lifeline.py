"""A command that ends with whoever started it, however that one ends.

Who is killed (SIGKILL, out of memory) can stop nobody any more, and vLLM would go on holding its
port and its memory. So the command is started by this file as a program. It leads a session of
its own, its input is a pipe to which nobody writes, and when that breaks (at the latest when who
holds the other end is gone) it ends everybody in its group: what the command has started, too.
PR_SET_PDEATHSIG would reach one process, on Linux, and be sent when a thread ends.

Only the standard library: the program does not even import this package.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import IO

STOP_SECONDS = 20.0
"""From the word to end until it is made to."""


def start(
    command: Sequence[str], environment: Mapping[str, str], log: IO[bytes] | None = None
) -> subprocess.Popen[bytes]:
    """Start it; `stdin` of what is returned is the line: closed, the command ends.

    The exit code is the command's, or 128 and the number of the signal that ended it.
    """
    return subprocess.Popen(
        [sys.executable, "-I", "-S", __file__, *command], env=dict(environment),
        stdin=subprocess.PIPE, stdout=log, stderr=None if log is None else subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip


def _main(command: list[str]) -> int:
    """The program: the command's exit code, once it has ended."""
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(each, lambda *_: None)  # for the group: the command's to heed
    cut = threading.Event()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as child:
        threading.Thread(target=_watch, args=(cut,), daemon=True).start()
        code = child.wait()
    if cut.is_set():
        os.killpg(0, signal.SIGKILL)  # whom the command has left behind, and this process
    return code if code >= 0 else 128 - code


def _watch(cut: threading.Event) -> None:
    os.read(sys.stdin.fileno(), 1)
    cut.set()
    os.killpg(0, signal.SIGTERM)
    time.sleep(STOP_SECONDS)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
