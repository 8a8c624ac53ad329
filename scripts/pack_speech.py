"""Pack a finished run of speech as the small model that comes with the package.

    python scripts/speech_corpus.py WORK/corpus --sentences 1000 --each 2 --seed 7 --speakers 12
    python scripts/rough_speech.py WORK/corpus WORK/rough --share 2 --seed 9 --voices 0.6 \\
        --decibels 0 40
    accelerate launch recipes/sft.py --config recipes/configs/audioface_nano.yaml --cues drafted \\
        --data WORK/rough --output_dir WORK/first --max_steps 6000 --warmup_steps 100 \\
        --per_device_train_batch_size 32 --learning_rate 2e-3 --number_loss 3 --save_steps 500
    ... --model WORK/first/checkpoint-3000 --output_dir WORK/second --max_steps 3200 \\
        --learning_rate 1.2e-3 --number_loss 6 --warmup_steps 50
    python scripts/rough_speech.py WORK/corpus WORK/strange --seed 11 --voices 0.8 --wrong 0.08 \\
        --decibels 5 60
    ... --model WORK/second/model --data WORK/strange --output_dir WORK/run --max_steps 900 \\
        --learning_rate 8e-4 --number_loss 6 --warmup_steps 20
    python scripts/pack_speech.py WORK/run --before 6200

`--before` is how many steps of 32 windows the model had learnt before the run. (The first run was
stopped at step 3000 and is of commit 2a601ad, by which the rest of a draft was added to every
answer; the others have the draft in the place of its nearest shape.)
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
