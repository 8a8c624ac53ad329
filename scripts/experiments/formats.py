"""Error against tokens per frame: the same numbers in different formats.

    python scripts/experiments/formats.py --folder WORK [--faces 6400] [--seeds 0 1 2]

Value tokens one after the other, all in one pass at the channels' names, short codes, and JSON.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from small_reader import arms, compare

if __name__ == "__main__":
    compare.main(
        __doc__ or "",
        {"tokens": arms.tokens, "slots": arms.slots, "codes": arms.text("codes"),
         "flat": arms.text("flat")},
    )  # fmt: skip
