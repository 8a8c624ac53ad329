"""Make a table of mouth shapes: of your own recordings, or the one that comes along.

    python scripts/mouth_shapes.py RECORDINGS --own shapes.npz   # then recipes/sft.py --shapes
    python scripts/mouth_shapes.py CORPUS                        # the package's

`--own` clusters the mouths of the recordings that train (scripts/speech_samples.py), and says
how far those held out lie from their nearest shapes. Without it the phone times of a corpus
(scripts/speech_corpus.py) are said by as many new speakers by the rules, each with a style and a
manner of its own, and what their mouths did is clustered: no mouth of the corpus itself is used.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from scipy.cluster.vq import kmeans2

from semanticface.data.speech_corpus import manner_of, style_of
from semanticface.data.speech_samples import SpeechSample, read_samples
from semanticface.data.speech_tasks import SpeechTask
from semanticface.errors import BadInput, SemanticFaceError
from semanticface.metrics.mouth_sets import MOUTH_31
from semanticface.speech.alignments import read_alignment
from semanticface.speech.mouth_shapes import (
    COUNT_OF_SHAPES,
    TABLE,
    nearest,
    read_table,
    shapes,
    write_table,
)
from semanticface.speech.rules import animate
from semanticface.speech.timeline import Timeline
from semanticface.train.speech_rows import samples_file, side_of

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


def clustered(mouths: np.ndarray, count: int) -> np.ndarray:
    """Centres in hundredths; rest comes first, to the letter."""
    centres, _ = kmeans2(mouths, count, minit="++", seed=0, iter=20)
    table = np.rint(np.clip(centres, 0, 1) * 100).astype(np.uint8)
    rest = int(centres.sum(axis=1).argmin())
    table[[0, rest]] = table[[rest, 0]]
    table[0] = 0
    return table


def recorded(samples: list[SpeechSample]) -> np.ndarray:
    """The mouths of recordings, frames with a gap left out."""
    task = SpeechTask.of("shapes")
    held = [task.take(each).clip.values[:, list(MOUTH_31)] for each in samples]
    rows = np.concatenate(held or [np.zeros((0, len(MOUTH_31)))])
    return np.clip(rows[~np.isnan(rows).any(axis=1)], 0, 1)


def own(place: Path, to: Path) -> None:
    """A table of the mouths of recordings."""
    sides: dict[str, list[SpeechSample]] = {}
    for each in read_samples(samples_file(place)):
        sides.setdefault(side_of(each), []).append(each)
    learnt = recorded(sides.get("train", []))
    if len(learnt) < 10 * COUNT_OF_SHAPES:
        raise BadInput(f"{len(learnt)} frames that train, with all of mouth-31",
                       f"{10 * COUNT_OF_SHAPES} at least", file=place)  # fmt: skip
    write_table(clustered(learnt, COUNT_OF_SHAPES), to)
    for name, rows in (("trained", learnt), ("held out", recorded(sides.get("test", [])))):
        if len(rows):
            table = read_table(to)
            off = np.abs(shapes(table)[nearest(rows, table)] - rows).mean()
            common = np.abs(shapes()[nearest(rows)] - rows).mean()
            print(f"{name}: {len(rows)} frames, {off:.4f} from the nearest of these shapes, "
                  f"{common:.4f} from the package's, {np.abs(rows - learnt.mean(0)).mean():.4f} "
                  "from the mean mouth")  # fmt: skip
    print(f"{to}: take it with recipes/sft.py --shapes {to}")


def packaged(corpus: Path, utterances: int) -> None:
    """The table that comes along."""
    paths = sorted(corpus.rglob("*.TextGrid"))[:utterances]
    held = frames([t for t in map(read_alignment, paths) if isinstance(t, Timeline)])
    PLACE.parent.mkdir(exist_ok=True)
    write_table(clustered(held, COUNT_OF_SHAPES), PLACE)
    shapes.cache_clear()
    away = np.abs(shapes()[nearest(held)] - held).mean()
    print(f"{len(held)} frames of {len(paths)} speakers, {COUNT_OF_SHAPES} shapes, "
          f"mean error {away:.4f} of {np.abs(held).mean():.4f} -> {PLACE}")  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--own", type=Path, metavar="FILE", help="a table of the corpus' mouths")
    parser.add_argument("--utterances", type=int, default=120)
    told = parser.parse_args()
    try:
        if told.own:
            own(told.corpus, told.own)
        else:
            packaged(told.corpus, told.utterances)
    except SemanticFaceError as fault:
        print(fault, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
