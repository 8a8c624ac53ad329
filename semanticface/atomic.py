"""Files that are whole or absent, never half-written."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it into place on success.

    On any exception, Ctrl-C included, the temporary file goes and an older
    `path` stays as it was. Links are followed; a device or a pipe is written to
    once everything is ready.
    """
    import shutil  # these two bring much along, and most starts of the program write nothing
    import tempfile

    target = Path(path).resolve()
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder", str(target.parent))
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a folder", str(target))
    special = target.exists() and not target.is_file()  # a device or a pipe
    folder = tempfile.gettempdir() if special else target.parent
    # named before it is made: a Ctrl-C between the two would leave a file that nobody knows of
    temporary = Path(folder, f".{target.name}.{os.urandom(6).hex()}{target.suffix}")
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        yield temporary
        if special:
            with temporary.open("rb") as whole, target.open("wb") as out:
                shutil.copyfileobj(whole, out)
        else:
            mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
            temporary.chmod(mode)
            temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write UTF-8 text with LF line ends, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Write bytes, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_bytes(data)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
