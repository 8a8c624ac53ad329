"""Make the table of mouth shapes: python scripts/mouth_shapes.py CORPUS

Takes the phone times of a corpus (scripts/speech_corpus.py), lets as many new speakers say
them by the rules, each with a style and a manner of its own, and clusters what their mouths
did. No mouth of the corpus itself is used.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy.cluster.vq import kmeans2

from semanticface.data.speech_corpus import manner_of, style_of
from semanticface.metrics.mouth_sets import MOUTH_31
from semanticface.rig import NAMES
from semanticface.speech.alignments import read_alignment
from semanticface.speech.mouth_shapes import TABLE
from semanticface.speech.rules import animate
from semanticface.speech.timeline import Timeline

PLACE = Path(__file__).resolve().parents[1] / "semanticface" / "speech" / TABLE
SEED = 9000
"""Far from any corpus' own: the accents are drawn by it."""


def frames(timelines: list[Timeline]) -> np.ndarray:
    made = []
    for number, timeline in enumerate(timelines):
        style = style_of(f"speaker {number}", SEED, number)
        manner = manner_of(f"speaker {number}", SEED + number, number)
        made.append(animate(timeline, style=style, manner=manner).values[:, list(MOUTH_31)])
    return np.concatenate(made)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--shapes", type=int, default=256)
    parser.add_argument("--utterances", type=int, default=120)
    told = parser.parse_args()
    paths = sorted(told.corpus.rglob("*.TextGrid"))[: told.utterances]
    held = frames([t for t in map(read_alignment, paths) if isinstance(t, Timeline)])
    centres, owner = kmeans2(held, told.shapes, minit="++", seed=0, iter=20)
    table = np.rint(centres * 100).astype(np.uint8)
    rest = int(centres.sum(axis=1).argmin())
    table[[0, rest]] = table[[rest, 0]]
    table[0] = 0  # rest comes first, to the letter
    PLACE.parent.mkdir(exist_ok=True)
    np.savez_compressed(PLACE, hundredths=table, channels=[NAMES[i] for i in MOUTH_31])
    away = np.abs(centres[owner] - held).mean()
    print(f"{len(held)} frames of {len(paths)} speakers, {told.shapes} shapes, "
          f"mean error {away:.4f} of {np.abs(held).mean():.4f} -> {PLACE}")  # fmt: skip


if __name__ == "__main__":
    main()
