"""Loops that numba compiles to machine code, once, into a cache beside the source.

One place decides how: float32 throughout, no reordering of sums (the same inputs
give the same bytes on every machine of a kind), the lock released so that several
renderers can work in threads, and division by zero giving infinity as in numpy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from semanticface.errors import need

_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(function: _Function) -> _Function:
    """The same function as machine code; other compiled functions may call it.

    Compiled functions only fill arrays they are given. They make none, so numba's
    reference counting, which would cost more than the shading, is left out.
    """
    return _jit(function, {})


def inlined(function: _Function) -> _Function:
    """The same, copied into every compiled function that calls it.

    For what runs once for each sample: passing arrays to a call costs more than the
    little such a function does.
    """
    return _jit(function, {"forceinline": True})


def _jit(function: _Function, more: dict[str, bool]) -> _Function:
    numba = need("numba", "render", "Drawing a face")
    options = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False, **more}
    return cast("_Function", numba.njit(**options)(function))
