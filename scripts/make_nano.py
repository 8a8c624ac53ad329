"""Make the small model that comes with the package, from nothing but this package.

    python scripts/warm_up_nano.py draw --folder WORK --first 0 --stop 100
    python scripts/warm_up_nano.py draw --folder WORK --first 0 --stop 2 --side val
    python scripts/warm_up_nano.py draw --folder WORK --first 0 --stop 4 --side test
    python scripts/warm_up_nano.py train --folder WORK --minutes 57 --spoken 12
    python scripts/make_nano.py faces --folder WORK --first 60 --stop 80   # a data set of chunks
    python scripts/make_nano.py learn --folder WORK     # recipes/sft.py; again: goes on
    python scripts/make_nano.py write --folder WORK --minutes 8   # JSON, and words before it
    python scripts/make_nano.py pack --folder WORK      # into semanticface/train/assets/nano
    python scripts/make_nano.py score --folder WORK --tracker .tracker
    python scripts/make_nano.py ways --folder WORK --pictures 200 --free 50

`write --change OTHER/written/change.safetensors` begins with what an earlier model was taught.
Each step goes on where it was stopped, or does nothing that was done.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

LOG = logging.getLogger("make_nano")
ROOT = Path(__file__).resolve().parents[1]
ASSET = ROOT / "semanticface" / "train" / "assets" / "nano"


def faces(options: argparse.Namespace) -> None:
    """Chunks as a data set for the recipe."""
    from nano_build.faces import write_faces

    cache = options.folder / "cache"
    held_out = {side: sorted(int(file.stem[-5:]) for file in cache.glob(f"{side}-?????.npz"))
                for side in ("val", "test")}  # fmt: skip
    chunks = {"train": list(range(options.first, options.stop)), **held_out}
    made = write_faces(cache, options.folder / "faces", chunks)  # type: ignore[arg-type]
    LOG.info("%d faces of %s people", made.frames,
             {side: len(people) for side, people in made.identities.items()})  # fmt: skip


def learn(options: argparse.Namespace) -> None:
    """The recipe; what stands after `--` goes to it."""
    command = [
        sys.executable, "-m", "accelerate.commands.launch", "--num_processes", "1", "--cpu",
        "recipes/sft.py", "--config", "recipes/configs/nano_asset.yaml",
        "--model", str(options.folder.resolve() / "tower"),
        "--data", str(options.folder.resolve() / "faces"),
        "--output_dir", str(options.folder.resolve() / "run"), *options.rest,
    ]  # fmt: skip
    LOG.info("%s", " ".join(command))
    subprocess.run(command, cwd=ROOT, check=True)


def write(options: argparse.Namespace) -> None:
    """JSON, and words before it, taught to the result of the run, or to the tower's model."""
    from nano_build.writing import Settings, teach

    run, to = options.folder / "run" / "model", options.folder / "written"
    if (to / "lesson.json").is_file():
        LOG.info("%s is there", to)
        return
    began = run if run.is_dir() else options.folder / "tower"
    settings = Settings(options.minutes, options.count, options.rate, every=options.every)
    teach(began, to, options.folder / "cache", settings, options.change)


def pack(options: argparse.Namespace) -> None:
    """The finished run as the package's asset."""
    from nano_build.packing import pack_run

    written = options.folder / "written"
    size = pack_run(options.folder / "run", options.folder, options.to,
                    written if written.is_dir() else None)  # fmt: skip
    LOG.info("%s: %.1f MB", options.to, size / 1e6)


def score(options: argparse.Namespace) -> None:
    """The asset, guesses and a tracker on the test people."""
    from nano_build.report import report

    text, figures = report(options.folder / "cache", options.to, options.tracker, options.wide)
    (options.folder / "score.json").write_text(json.dumps(figures, indent=1))
    (options.folder / "score.md").write_text(text)
    LOG.info("%s", text)


def ways(options: argparse.Namespace) -> None:
    """Every way in which the asset answers, side by side."""
    from nano_build.ways import ways as table_of

    text, figures = table_of(options.folder / "cache", options.to, options.pictures, options.free)
    (options.folder / "ways.json").write_text(json.dumps(figures, indent=1))
    (options.folder / "ways.md").write_text(text + "\n")
    LOG.info("%s", text)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    steps = {"faces": faces, "learn": learn, "write": write, "pack": pack, "score": score,
             "ways": ways}  # fmt: skip
    parser.add_argument("what", choices=steps)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--first", type=int, default=0, help="of the chunks to learn from")
    parser.add_argument("--stop", type=int, default=20)
    parser.add_argument("--to", type=Path, default=ASSET)
    parser.add_argument("--tracker", type=Path, help="MediaPipe's environment")
    parser.add_argument("--wide", type=int, default=1, help="chunks drawn again for the tracker")
    parser.add_argument("--minutes", type=float, default=8.0, help="of the processor, for write")
    parser.add_argument("--count", type=int, default=2000, help="faces to learn to write from")
    parser.add_argument("--rate", type=float, default=1e-3, help="of learning to write")
    parser.add_argument("--every", type=int, default=2,
                        help="steps of writing to one for what it could do before")  # fmt: skip
    parser.add_argument("--change", type=Path, help="what an earlier lesson changed")
    parser.add_argument("--pictures", type=int, default=200, help="that every way answers")
    parser.add_argument("--free", type=int, default=50, help="of these without a grammar too")
    options, options.rest = parser.parse_known_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    steps[options.what](options)


if __name__ == "__main__":
    main()
