"""When a channel moves enough in a recording to be worth correlating."""

from __future__ import annotations

ACTIVE_HIGH = 0.05
"""Its 95th percentile, of the magnitude for rotations, lies above this."""
ACTIVE_SPREAD = 0.01
"""Its standard deviation lies above this."""
