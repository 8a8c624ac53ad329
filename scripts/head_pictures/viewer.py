"""Open a GLB in three.js, in a headless Chromium, and take its picture.

three.js comes from npm's tarball (`npm pack three@0.160.0`); nothing of it is kept here.
"""

from __future__ import annotations

import functools
import http.server
import shutil
import subprocess
import tarfile
import threading
from pathlib import Path

VERSION = "0.160.0"
_PAGE = Path(__file__).parent / "viewer.html"
_WAIT = 20_000  # milliseconds of the page's own time


def photographed(glb: Path, out: Path, seconds: float, folder: Path) -> None:
    """Write `out`, a picture of the file's animation at a time, taken by another program."""
    _unpacked(folder)
    shutil.copy(glb, folder / "face.glb")
    shutil.copy(_PAGE, folder / "viewer.html")
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/viewer.html?at={seconds}"
        _check(_chromium(address, "--dump-dom"))
        _chromium(address, f"--screenshot={out.resolve()}")
        server.shutdown()


def _check(page: str) -> None:
    title = page.partition("<title>")[2].partition("</title>")[0]
    if title != "animations 1 targets 52":
        raise SystemExit(f"three.js says '{title}', expected one animation and 52 targets")


def _chromium(address: str, what: str) -> str:
    """What a headless Chromium prints; a renderer in software, so no GPU is needed."""
    return subprocess.run(
        ["chromium", "--headless=new", "--no-sandbox", "--use-angle=swiftshader",
         "--hide-scrollbars", "--enable-unsafe-swiftshader", f"--virtual-time-budget={_WAIT}",
         "--window-size=420,420", what, address],
        check=True, capture_output=True, text=True, timeout=180,
    ).stdout  # fmt: skip


def _unpacked(folder: Path) -> None:
    subprocess.run(["npm", "pack", f"three@{VERSION}"], cwd=folder, check=True, capture_output=True)
    with tarfile.open(folder / f"three-{VERSION}.tgz") as archive:
        archive.extractall(folder, filter="data")
    (folder / "package").rename(folder / "three")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""
