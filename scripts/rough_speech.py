"""Copies of recordings to learn from, in noise and with wrong words.

    python scripts/rough_speech.py CORPUS ROUGH
    accelerate launch recipes/sft.py --config recipes/configs/audioface_nano.yaml --data ROUGH

ROUGH/samples.jsonl has the samples of CORPUS and the copies; sounds of CORPUS stay there. See
semanticface/data/rough_speech.py.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from semanticface.cli.console import track
from semanticface.data.rough_speech import Roughness, roughen
from semanticface.data.speech_samples import read_samples
from semanticface.errors import SemanticFaceError
from semanticface.train.speech_rows import samples_file


def main() -> int:
    usual = Roughness()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path, help="a folder with samples.jsonl, or that file")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--share", type=float, default=usual.share,
                        help="copies of each that trains; below 1 not all have one")  # fmt: skip
    parser.add_argument("--wrong", type=float, default=usual.wrong,
                        help="of the copies: those told the words of another sample")  # fmt: skip
    parser.add_argument("--voices", type=float, default=usual.voices,
                        help="of the copies: those at another speed, as another voice")  # fmt: skip
    parser.add_argument("--decibels", type=float, nargs=2, default=usual.decibels,
                        metavar=("LEAST", "MOST"), help="speech over noise")  # fmt: skip
    parser.add_argument("--seed", type=int, default=0)
    told = parser.parse_args()
    how = Roughness(told.share, told.wrong, told.voices, tuple(told.decibels))
    try:
        samples = list(read_samples(samples_file(told.corpus)))
        made = roughen(samples, told.folder, how, seed=told.seed,
                       watched=lambda some: track(some, "copies", len(some)))  # fmt: skip
    except SemanticFaceError as fault:
        print(fault, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped before the list of samples was written; the same command makes it",
              file=sys.stderr)  # fmt: skip
        return 130
    print(f"{made.copies} copies beside {len(samples)} samples, {made.wrong} with wrong words, "
          f"{made.unplaced} without any word found -> {told.folder}")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
