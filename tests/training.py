"""What the tests of training share: a few faces on disk, settings, the recipe as a module."""

from __future__ import annotations

import fcntl
import importlib.util
import json
import os
import sys
import wave
from pathlib import Path
from typing import Any

import numpy as np
from samples import faces, picture, record

REPOSITORY = Path(__file__).resolve().parents[1]
SFT = REPOSITORY / "recipes" / "sft.py"


def recipe(name: str = "sft") -> Any:
    """A recipe as a module, from its file."""
    spec = importlib.util.spec_from_file_location(
        f"recipe_{name}", REPOSITORY / "recipes" / f"{name}.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look their fields' types up
    spec.loader.exec_module(module)
    return module


def tiny_model(factory: Any) -> Path:
    """The small model in its size for tests, built once by all workers together."""
    from semanticface.train import nano

    own = factory.getbasetemp()  # of this worker; of this run where there are no workers
    root = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    with (root / "tiny.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = root / "tiny-model"
        if not (folder / "preprocessor_config.json").is_file():
            nano.build(folder, "test", seed=0)
    return folder


def face_data(folder: Path, train: int = 12, val: int = 2, size: int = 48) -> Path:
    """Faces of as many people, pictures beside them; the same bytes each time."""
    from semanticface.data.records import write_records

    (folder / "pictures").mkdir(parents=True)
    made = []
    for i, values in enumerate(faces(train + val, seed=5)):
        path = folder / "pictures" / f"{i:03d}.png"
        picture(size, size, seed=i).save(path)
        side = "train" if i < train else "val"
        made.append(record(np.clip(values, -1, 1), id=f"r{i:03d}", image=str(path),
                           subject=f"s{i}", split=side))  # fmt: skip
    write_records(folder / "faces.jsonl", made)
    return folder / "faces.jsonl"


def speech_data(folder: Path) -> Path:
    """Two seconds of a buzzing voice, said to be two sentences: one to train on, one held out."""
    from semanticface.data.speech_samples import SpeechSample, write_samples
    from semanticface.rig import save_npz
    from semanticface.speech.alignments import write_alignment
    from semanticface.speech.rules import animate
    from semanticface.speech.timeline import Sound, Timeline, Word

    rng = np.random.default_rng(3)
    samples = []
    for name, side, symbols in (("one", "train", "M AA P"), ("two", "val", "B OW F")):
        sounds = tuple(Sound(each, 0.2 + 0.3 * i, 0.5 + 0.3 * i, word=0)
                       for i, each in enumerate(symbols.split()))  # fmt: skip
        timeline = Timeline(sounds, (Word(name, 0.2, 1.1),), 1.2)
        clock = np.arange(round(1.2 * 16_000)) / 16_000
        sound = 0.2 * np.sign(np.sin(2 * np.pi * 120 * clock)) * rng.uniform(0.5, 1, len(clock))
        _write_wav(folder / f"{name}.wav", sound)
        write_alignment(timeline, folder / f"{name}.TextGrid")
        save_npz(animate(timeline), folder / f"{name}.npz")
        samples.append(SpeechSample(
            id=name, audio=f"{name}.wav", clip=f"{name}.npz", alignment=f"{name}.TextGrid",
            text=name, sentence=name, subject="buzz", split=side, consent="synthetic",
        ))  # fmt: skip
    write_samples(folder / "samples.jsonl", samples)
    return folder / "samples.jsonl"


def _write_wav(path: Path, samples: np.ndarray) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes((samples * 32767).astype("<i2").tobytes())


PLAIN = {
    "vision": "full", "projector": "full", "language": "full", "stage": "coefficients",
    "answer": "tokens", "max_steps": 4, "save_steps": 2, "logging_steps": 1, "warmup_steps": 0,
    "learning_rate": 1e-3, "lr_scheduler_type": "constant", "per_device_train_batch_size": 4,
    "probe_steps": 0, "probe_rows": 2, "disable_tqdm": "true", "use_cpu": "true",
}  # fmt: skip
LORA = {"vision": "frozen", "projector": "lora", "language": "lora", "rank": 4, "alpha": 8}


def flags(output: Path, model: Path, data: Path, **more: object) -> list[str]:
    """Flags of a short run."""
    told = PLAIN | {"output_dir": output, "model": model, "data": data} | more
    return [word for key, value in told.items() for word in (f"--{key}", str(value))]


def train(output: Path, model: Path, data: Path, **more: object) -> Path:
    """A run by the recipe, in this process."""
    module = recipe()
    module.main(module.parse(flags(output, model, data, **more)))
    return output


def losses(run: Path) -> list[float]:
    """Loss by step."""
    return [json.loads(line)["loss"] for line in (run / "log.jsonl").read_text().splitlines()]


def weights(run: Path, name: str = "model") -> dict[str, Any]:
    """A result's tensors."""
    from safetensors.torch import load_file

    file = "adapter_model.safetensors" if name == "adapter" else "model.safetensors"
    return load_file(run / name / file)
