"""Cross-entropy, the number-token loss, and expected values at read-out.

    python scripts/experiments/losses.py --folder WORK [--faces 6400] [--seeds 0 1 2]

Two losses, each read by the likeliest value token and by the expected value over all of them,
the tokens written before being the likeliest in both.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from small_reader import arms, compare

if __name__ == "__main__":
    compare.main(
        __doc__ or "",
        {"tokens": arms.tokens, "number loss": arms.with_number_loss},
        ("values", "expected"),
    )
