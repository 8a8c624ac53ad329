"""Pack a finished run of speech as the small model that comes with the package.

    python scripts/speech_corpus.py WORK/faces --sentences 1000 --each 2 --seed 7
    python scripts/experiments/speech_cues.py run WORK/faces OUT --steps 2500 --seeds 1 --cues timed
    accelerate launch recipes/sft.py --config recipes/configs/audioface_nano.yaml --cues timed \\
        --model WORK/tower --data WORK/faces --output_dir WORK/run --max_steps 300 \\
        --learning_rate 4e-4                    # WORK/tower: the experiment's model and processor
    python scripts/pack_speech.py WORK/run --before 2500

`--before` is how many steps of 16 windows the model had learnt before the run.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from nano_build.packing import pack

from semanticface.train.manifest import read_manifest

TO = Path(__file__).resolve().parents[1] / "semanticface" / "train" / "assets" / "nano_speech"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument(
        "--before", type=int, default=0, help="steps of the model that it began with"
    )
    parser.add_argument("--to", type=Path, default=TO)
    told = parser.parse_args()
    manifest = read_manifest(told.run / "manifest.json") | {"before": {"steps": told.before}}
    size = pack(told.run, told.to, manifest)
    print(f"{told.to}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
