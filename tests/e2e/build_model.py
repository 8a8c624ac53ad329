"""Run by vLLM's own interpreter: a small random model and two runs' folders with adapters.

    python build_model.py FOLDER [SIZE]

FOLDER/model, FOLDER/words (LoRA of the language model), FOLDER/eyes (of the vision tower and
what follows it too), FOLDER/small (trained on smaller pictures). LoRA's second matrix is drawn
at random: PEFT's zeros would change nothing, and a server that ignores an adapter would go
unnoticed.

Heads are 32 wide, the least that vLLM's attention for processors knows.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

SIZE = "served"


def main(folder: Path, size: str = SIZE) -> None:
    from semanticface.train import nano
    from semanticface.train.adapters import Plan

    nano.SHAPES[SIZE] = nano.Shape(64, 2, 2, 1, 128, 32, 2, 2, 64, (0,))
    base = nano.build(folder / "model", size, seed=3)
    run(base, folder / "words", Plan(language="lora"))
    run(base, folder / "eyes", Plan(language="lora", vision="lora", projector="lora"))
    run(base, folder / "small", Plan(language="lora", vision="lora"), area=nano.PIXELS**2 // 4)


def run(base: Path, folder: Path, plan: object, area: int | None = None) -> None:
    """A finished run, its adapter at random; `area` in pixels bounds its pictures."""
    import torch
    from transformers import AutoModelForImageTextToText

    from semanticface.data.tasks import Task
    from semanticface.rig import RIG_VERSION
    from semanticface.train.adapters import apply
    from semanticface.train.loading import Source, processor_of
    from semanticface.train.manifest import base_digest, prompt_json, task_json
    from semanticface.train.seal import seal

    model = AutoModelForImageTextToText.from_pretrained(str(base))
    torch.manual_seed(len(folder.name))
    adapted = apply(plan, model)
    for key, weight in adapted.named_parameters():
        if "lora_B" in key:
            torch.nn.init.normal_(weight, std=0.3)
    adapted.save_pretrained(folder / "adapter")
    for file in base.iterdir():
        if file.name not in ("config.json", "model.safetensors", "generation_config.json"):
            shutil.copy(file, folder / "adapter")
    bounds = {"min_pixels": area, "max_pixels": area}
    if area is not None:
        source = Source(str(base), **bounds)
        processor_of(source).save_pretrained(folder / "adapter")
    seal(folder / "adapter")
    task = Task.of("tokens", "coefficients")
    held = {
        "semanticface": "run/1", "rig": RIG_VERSION, "config": {"dtype": "float32"} | bounds,
        "task": task_json(task), "prompt": prompt_json(task),
        "base": {"path": str(base), "sha256": base_digest(str(base), None)},
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(held))


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute(), *sys.argv[2:])
