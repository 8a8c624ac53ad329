"""Run by vLLM's own interpreter: a small random model and adapters for it.

    python build_model.py FOLDER [SIZE]

Heads are 32 wide, the least that vLLM's attention for processors knows.

FOLDER/model, FOLDER/words (LoRA of the language model), FOLDER/eyes (of vision tower and
language model). LoRA's second matrix is drawn at random too: PEFT's zeros would change
nothing, and a server that ignores an adapter would go unnoticed.
"""

from __future__ import annotations

import sys
from pathlib import Path


SIZE = "served"


def main(folder: Path, size: str = SIZE) -> None:
    import torch
    from transformers import AutoModelForImageTextToText

    from semanticface.train import nano
    from semanticface.train.adapters import Plan, apply

    nano.SHAPES[SIZE] = nano.Shape(64, 2, 2, 1, 128, 32, 2, 2, 64, (0,))
    nano.build(folder / "model", size, seed=3)
    for name, plan in (("words", Plan(language="lora")),
                       ("eyes", Plan(language="lora", vision="lora", projector="lora"))):  # fmt: skip
        model = AutoModelForImageTextToText.from_pretrained(str(folder / "model"))
        torch.manual_seed(len(name))
        adapted = apply(plan, model)
        for key, weight in adapted.named_parameters():
            if "lora_B" in key:
                torch.nn.init.normal_(weight, std=0.3)
        adapted.save_pretrained(folder / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
