"""When a request is worth another try, and after how long."""

from __future__ import annotations

import email.utils
import random
import time

AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""Statuses of a server that may do better the next time."""
NEVER = frozenset({401, 403, 404, 405})
"""Statuses of a request that no repeat mends, whatever picture it holds."""
LONGEST_PAUSE = 60.0


def pause(attempt: int, first: float) -> float:
    """Seconds before try `attempt` + 2: doubled each time, half to one and a half of that.

    By chance, so that clients a fault has brought into step do not come back in step.
    """
    whole: float = min(first * 2.0**attempt, LONGEST_PAUSE)
    return whole * random.uniform(0.5, 1.5)


def retry_after(told: str | None) -> float | None:
    """Seconds that a server asks to wait, from its `Retry-After`: a number, or a date."""
    if told is None:
        return None
    if told.strip().isdecimal():
        return min(float(told), LONGEST_PAUSE)
    try:
        later = email.utils.parsedate_to_datetime(told).timestamp() - time.time()
    except ValueError:
        return None
    return min(max(later, 0.0), LONGEST_PAUSE)
