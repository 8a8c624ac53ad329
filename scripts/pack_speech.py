"""Pack a finished run of speech as the small model that comes with the package.

    python scripts/speech_corpus.py WORK/corpus --sentences 1000 --each 2 --seed 7 --speakers 12
    python scripts/rough_speech.py WORK/corpus WORK/rough --seed 7 --voices 0
    accelerate launch recipes/sft.py --config recipes/configs/audioface_nano.yaml --cues timed \\
        --data WORK/rough --output_dir WORK/first --max_steps 5000 --warmup_steps 100 \\
        --per_device_train_batch_size 32 --learning_rate 2e-3 --number_loss 0.5
    ... --model WORK/first/model --output_dir WORK/second --max_steps 2000 --learning_rate 1e-3 \\
        --number_loss 3 --warmup_steps 50
    python scripts/rough_speech.py WORK/corpus WORK/faces --seed 8 --voices 0.7
    ... --model WORK/second/model --data WORK/faces --output_dir WORK/run --max_steps 1300 \\
        --learning_rate 8e-4 --number_loss 3 --warmup_steps 30
    python scripts/pack_speech.py WORK/run --before 7000

`--before` is how many steps of 32 windows the model had learnt before the run. (The first run's
loss was held against the nearest shape, as commit 3447411 had it, the others' against the mouth.)
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
