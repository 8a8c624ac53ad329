"""Other people: 1,000 pictures of 10, 100 or 1,000 of them.

    python scripts/experiments/identities.py --folder WORK [--faces 3200] [--seeds 0 1 2]

The reader learns from as many pictures each time, every one of them in its own pose and light,
and is held against 50 people whom neither it nor the tower saw. The tower is the packaged one
in all arms: it has seen thousands of people, so this is about the language model and its
projector alone.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from small_reader import arms, compare

if __name__ == "__main__":
    compare.main(
        __doc__ or "",
        {f"people {count}": arms.of_people(count) for count in (10, 100, 1000)},
    )
