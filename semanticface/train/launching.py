"""How a recipe ends: a fault is one line and not a traceback, and so is an interrupt."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from semanticface.errors import SemanticFaceError

INTERRUPTED = 130
_GOES_ON = "the same command goes on from the last checkpoint, if one was saved"


@contextmanager
def as_script(again: str = _GOES_ON) -> Iterator[None]:
    """What a recipe does when it is run; `again` says what becomes of an interrupted one."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        yield
    except SemanticFaceError as fault:
        sys.exit(str(fault))
    except OSError as fault:  # a file that is not there, a disk that is full
        sys.exit(f"{fault.filename}: {fault.strerror}" if fault.filename else str(fault))
    except KeyboardInterrupt:
        logging.error("interrupted: %s", again)
        sys.exit(INTERRUPTED)
