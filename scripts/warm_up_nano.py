"""Teach the small model's vision tower to see faces, by regression on renders.

    python scripts/warm_up_nano.py draw --folder WORK --first 0 --stop 200    # as many as wanted
    python scripts/warm_up_nano.py draw --folder WORK --first 0 --stop 2 --side val
    python scripts/warm_up_nano.py train --folder WORK --minutes 45           # beside it
    python scripts/warm_up_nano.py train --folder WORK --minutes 90 --spoken 24    # goes on

With `--spoken` the language model learns too, from some of each batch's faces. Drawing and
training may run side by side: new chunks are taken in as they come. Both go on where they
stopped. WORK/tower then holds the model with its warmed tower; WORK/warm/state.pt is the
checkpoint and WORK/warm/looks.json how well held-out people were read along the way.
"""

from __future__ import annotations

import argparse
import logging
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

LOG = logging.getLogger("warm_up_nano")


def draw(options: argparse.Namespace) -> None:
    """Chunks first to stop that are not there yet."""
    from nano_build import views

    folder = options.folder / "cache"
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(options.first, options.stop):
        file = folder / f"{options.side}-{number:05d}.npz"
        if file.exists():
            continue
        if options.side == "train":
            made = views.chunk(number)
        else:
            plan = replace(views.plan_of(coverage=0.3), antialias=True)
            made = views.drawn(plan, options.side, number)
        np.savez(file.with_suffix(".part.npz"), **made._asdict())
        file.with_suffix(".part.npz").replace(file)
        LOG.info("%s drawn", file.name)


def train(options: argparse.Namespace) -> None:
    """Until the minutes are over."""
    import torch
    from nano_build import pool as pools
    from nano_build import warming

    from semanticface.train import nano

    torch.set_num_threads(1)
    pool, seen = pools.held(), pools.held()
    pool.grow(options.folder / "cache", "train")
    seen.grow(options.folder / "cache", "val")
    settings = warming.Settings(minutes=options.minutes, rate=options.rate, seed=options.seed,
                                spoken=options.spoken, batch=options.batch,
                                wild=options.wild, tame=options.tame)  # fmt: skip
    model = nano.build(options.folder / "untrained", "nano", seed=options.seed)
    run = warming.Warming(_loaded(model), settings, pool)
    place = options.folder / options.name
    if (place / "state.pt").exists():
        run.resume(place)
    looked = time.monotonic()
    while not run.over:
        losses = run.step()
        if run.progress.steps % 20 == 0:
            told = " ".join(f"{name} {each:.4f}" for name, each in losses.items())
            LOG.info("step %d %.0f s %s", run.progress.steps, run.progress.seconds, told)
        if time.monotonic() - looked > settings.look_every or run.over:
            LOG.info("look %s", run.look(seen))
            run.save(place)
            pool.grow(options.folder / "cache", "train")
            looked = time.monotonic()
    _keep(run, options)


def _keep(run: Any, options: argparse.Namespace) -> None:
    """The slow weights as a model's folder, with tokenizer and processor."""
    from semanticface.train import nano

    run.parts.load_state_dict(run.slow)
    place = nano.build(options.folder / "tower", "nano", seed=options.seed)
    run.model.save_pretrained(place)


def _loaded(folder: Path) -> Any:
    from transformers import Qwen3VLForConditionalGeneration

    return Qwen3VLForConditionalGeneration.from_pretrained(folder)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=("draw", "train"))
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--stop", type=int, default=200)
    parser.add_argument("--side", choices=("train", "val", "test"), default="train")
    parser.add_argument("--minutes", type=float, default=45.0)
    parser.add_argument("--rate", type=float, default=4e-3)
    parser.add_argument("--spoken", type=int, default=0)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--wild", type=float, default=0.7, help="share of faces without habits")
    parser.add_argument("--tame", type=float, default=0.93,
                        help="share of the time after which there are none of them")  # fmt: skip
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--name", default="warm", help="the folder of the checkpoints")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    {"draw": draw, "train": train}[options.what](options)


if __name__ == "__main__":
    main()
