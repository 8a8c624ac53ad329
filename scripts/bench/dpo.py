"""A step of DPO as `recipes/dpo.py` does it, against bare TRL on the same rows.

    python scripts/bench/dpo.py [--steps 6] [--batch 4]

Both take turns, step by step: the packaged small model with LoRA on its language model, the
same batches, collation included. Asked: at most 1.05 times.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from PIL import Image
from trl import DPOTrainer
from trl.trainer.dpo_trainer import DataCollatorForVisionPreference

from semanticface.data.collate import DecodeImages
from semanticface.data.images import ImageRef
from semanticface.motion.expressions import sample_frames
from semanticface.preference.align.options import AlignTraining, StartOptions
from semanticface.preference.align.rows import dataset
from semanticface.preference.align.trainer import loaded, start_of, trainer_of
from semanticface.preference.regions import region_of, with_region
from semanticface.train.adapters import lora_config
from semanticface.train.runs import Run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--batch", type=int, default=4)
    told = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start")
    with tempfile.TemporaryDirectory() as folder:
        ours, bare = _trainers(Path(folder), told.batch)
        seconds = _taken(ours, bare, told.steps, told.batch)
    for name, each in seconds.items():
        print(f"{name}: median {np.median(each):.3f} s a step of {told.batch} pairs")
    ratio = np.array(seconds["ours"]) / np.array(seconds["bare TRL"])
    print(f"ours / bare: median of {len(ratio)} neighbouring steps {np.median(ratio):.3f}, "
          f"{ratio.min():.3f} to {ratio.max():.3f}")  # fmt: skip


def _rows(folder: Path, count: int) -> tuple[dict[str, Any], ...]:
    task, rows = start_of(StartOptions(answer="tokens")).task, []
    faces = np.clip(sample_frames(2 * count, 3), -1, 1)
    for n in range(count):
        Image.fromarray(np.random.default_rng(n).integers(0, 255, (112, 112, 3), np.uint8)).save(
            folder / f"{n}.png"
        )
        region = ("upper", "lower")[n % 2]
        sides = (faces[2 * n], with_region(faces[2 * n], faces[2 * n + 1], region))
        said = [[{"role": "assistant", "content": [{"type": "text", "text": task.form.write(x)}]}]
                for x in sides]  # fmt: skip
        rows.append({"prompt": task.request(), "chosen": said[0], "rejected": said[1],
                     "images": [ImageRef(path=str(folder / f"{n}.png")).model_dump()],
                     "channels": sorted(region_of(region).channels)})  # fmt: skip
    return tuple(rows)


def _trainers(folder: Path, batch: int) -> tuple[Any, Any]:
    options = StartOptions(answer="tokens", dtype="float32")
    start, rows = start_of(options), _rows(folder, 4 * batch)
    training = AlignTraining(output_dir=str(folder / "run"), use_cpu=True, disable_tqdm=True)
    ours = trainer_of(start, loaded(start, options), options, training, rows, Run(folder / "run"))
    found = loaded(start, options)
    plain = tuple({k: v for k, v in row.items() if k != "channels"} for row in rows)
    bare = DPOTrainer(
        model=found.model, args=training, train_dataset=dataset(plain),
        processing_class=found.processor, peft_config=lora_config(options.plan, found.model),
        data_collator=DecodeImages(DataCollatorForVisionPreference(processor=found.processor)),
    )  # fmt: skip
    return ours, bare


def _taken(ours: Any, bare: Any, steps: int, batch: int) -> dict[str, list[float]]:
    """Seconds of each step, the two in turns; the first of both is not counted."""
    found: dict[str, list[float]] = {"ours": [], "bare TRL": []}
    for each in (ours, bare):
        each.create_optimizer()
        each.current_gradient_accumulation_steps = 1  # which train() would set
        each.model.train()
    for step in range(steps + 1):
        turns = (("ours", ours), ("bare TRL", bare))
        for name, trainer in turns if step % 2 else reversed(turns):
            begun = time.perf_counter()
            places = [(step * batch + i) % len(trainer.train_dataset) for i in range(batch)]
            batched = trainer.data_collator([trainer.train_dataset[i] for i in places])
            trainer.training_step(trainer.model, dict(batched))
            trainer.optimizer.step()
            trainer.optimizer.zero_grad()
            if step:
                found[name].append(time.perf_counter() - begun)
    return found


if __name__ == "__main__":
    main()
