"""Build a synthetic speech corpus: python scripts/speech_corpus.py corpus --sentences 200

Needs flite (`bash scripts/apt.sh`). `--texts FILE` takes your own sentences,
one a line. See semanticface/data/speech_corpus.py.
"""

from __future__ import annotations

import argparse
import sys
from itertools import islice
from pathlib import Path

from semanticface.cli.console import track
from semanticface.data.speech_corpus import SAMPLES, build, films, sentences
from semanticface.data.speech_samples import read_samples
from semanticface.errors import SemanticFaceError


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sentences", type=int, default=100)
    parser.add_argument("--texts", type=Path, help="your own sentences, one a line")
    parser.add_argument("--voices", nargs="*", help="such as flite:slt flite:rms")
    parser.add_argument("--held-out", nargs="*", default=["flite:awb"], metavar="VOICE",
                        help="voices that training never hears; none given: no voice")  # fmt: skip
    parser.add_argument("--each", type=int, default=2, help="voices a sentence")
    parser.add_argument("--speakers", type=int, default=1,
                        help="of a voice, each with a mouth of its own")  # fmt: skip
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--accent", type=float, default=1.0,
                        help="departure from the rules, 0 for none")  # fmt: skip
    parser.add_argument("--pauses", action="store_true",
                        help="silence before, after and between the words")  # fmt: skip
    parser.add_argument("--films", type=int, default=0, metavar="COUNT",
                        help="film the first so many, an MP4 beside each clip")  # fmt: skip
    told = parser.parse_args()
    texts = sentences(told.sentences, told.seed)
    if told.texts:
        if not told.texts.is_file():
            parser.error(f"{told.texts}: no such file")
        texts = [each for each in told.texts.read_text().splitlines() if each.strip()]
    try:
        return made(told, texts)
    except SemanticFaceError as fault:
        print(fault, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped before the list of samples was written; the same command makes it",
              file=sys.stderr)  # fmt: skip
        return 130


def made(told: argparse.Namespace, texts: list[str]) -> int:
    built = build(told.folder, track(texts, "sentences", len(texts)), seed=told.seed,
                  voices=told.voices, voices_each=told.each, held_out=told.held_out,
                  accent=told.accent, pauses=told.pauses, speakers=told.speakers)  # fmt: skip
    for why in built.refused:
        print(f"left out: {why}")
    for note in built.notes:
        print(f"note: {note}")
    some = list(islice(read_samples(told.folder / SAMPLES), told.films))
    filmed = sum(1 for _ in track(films(some), "films", len(some)))
    print(f"{built.samples} samples, {built.seconds:.0f} s, {filmed} films -> {told.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
