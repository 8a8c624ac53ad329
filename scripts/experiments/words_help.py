"""Does saying the face in words help its numbers? SemanticFace claims so.

    python scripts/experiments/words_help.py --folder WORK [--faces 6400] [--seeds 0 1 2]

Three arms, each shown the numbers of the same faces equally often: numbers alone (12 value
tokens), the rules' description and then the numbers, and the description as a task of its own
beside the numbers. Each is read by the likeliest token and by the expected value.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from small_reader import arms, compare

if __name__ == "__main__":
    compare.main(
        __doc__ or "",
        {"tokens": arms.tokens, "words first": arms.words_first, "words beside": arms.words_beside},
        ("values", "expected"),
    )
