"""Pair recordings with coefficients, to train on: python scripts/speech_samples.py MINE speech

MINE holds Live Link Face takes with their movies, or sound files with coefficients of the same
name beside them (CSV, BEAT or LAM JSON, NPZ), and where there are any, TextGrids or texts of
that name. See semanticface/data/speech_sources.py.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from semanticface.data.speech_sources import Origin, gather
from semanticface.errors import SemanticFaceError


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--subject", default="", help="who speaks; else the folder's name")
    parser.add_argument("--licence")
    parser.add_argument("--consent", choices=("given", "synthetic", "refused", "unknown"),
                        default="unknown")  # fmt: skip
    parser.add_argument("--which", choices=("raw", "cal"), default="raw", help="of a take")
    parser.add_argument("--offset", type=float, default=0.0,
                        help="seconds by which the coefficients begin after the sound")  # fmt: skip
    told = parser.parse_args()
    origin = Origin(told.subject, told.licence, told.consent, told.which, told.offset)
    try:
        found = gather(told.source, told.folder, origin)
    except SemanticFaceError as fault:
        print(fault, file=sys.stderr)
        return 2
    for line in (*found.notes, *(f"left out: {why}" for why in found.refused)):
        print(line)
    print(f"{found.samples} samples, {found.seconds:.0f} s, {found.aligned} with phones -> "
          f"{told.folder}")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
