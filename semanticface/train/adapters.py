"""What is trained: each part of the model frozen, by LoRA, or fully.

    plan = Plan(vision="frozen", projector="lora", language="lora", rank=16)
    model = apply(plan, model)

With LoRA anywhere the model becomes a PEFT model: LoRA layers by their full names, and
the parts trained fully as `modules_to_save`, so that one adapter folder holds all that
was learnt. Without LoRA the model stays what it is and parameters are switched on or off.

LoRA: W + (alpha / rank) B A (Hu et al. 2021). DoRA also learns the length of each column
(Liu et al. 2024). QLoRA keeps W in nf4 and learns in bfloat16 (Dettmers et al. 2023).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from semanticface.errors import BadInput, need
from semanticface.train.parts import PARTS, Part, linear_modules, parameters, whole_modules

How = Literal["frozen", "lora", "full"]
HOWS: tuple[How, ...] = ("frozen", "lora", "full")


@dataclass(frozen=True)
class Plan:
    """How each part is trained."""

    vision: How = "frozen"
    projector: How = "frozen"
    language: How = "lora"
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    dora: bool = False
    quantised: bool = False
    """Whether the frozen weights are held in nf4."""

    def __post_init__(self) -> None:
        for part in PARTS:
            if self.how(part) not in HOWS:
                raise BadInput(f"{part}: {self.how(part)}", f"one of {', '.join(HOWS)}")
        if all(self.how(part) == "frozen" for part in PARTS):
            raise BadInput("every part frozen", "one to train at least")
        if self.quantised and "full" in map(self.how, PARTS):
            raise BadInput("a part trained fully in a quantised model", "lora or frozen")
        if self.dora and not self.adapted:
            raise BadInput("dora without a part by lora", "one such part at least")
        if self.rank < 1 or self.alpha < 1:
            raise BadInput(f"rank {self.rank} and alpha {self.alpha}", "numbers above zero")

    def how(self, part: Part) -> How:
        """How a part is trained."""
        chosen: How = getattr(self, part)
        return chosen

    @property
    def adapted(self) -> bool:
        """Whether LoRA is used at all."""
        return any(self.how(part) == "lora" for part in PARTS)


def apply(plan: Plan, model: Any) -> Any:
    """The model made ready to be trained; a PEFT model where the plan uses LoRA."""
    if plan.adapted:
        peft = need("peft", "train", "Training with LoRA")
        if plan.quantised:
            model = peft.prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
        return peft.get_peft_model(model, lora_config(plan, model))
    model.requires_grad_(False)
    for part in PARTS:
        if plan.how(part) == "full":
            for _, parameter in parameters(model, part):
                parameter.requires_grad_(True)
    if plan.language == "full":  # the output head speaks too; often it is the embedding itself
        model.get_output_embeddings().requires_grad_(True)
    return model


def lora_config(plan: Plan, model: Any) -> Any:
    """PEFT's configuration: a regular expression over full names, so that no tower is hit
    that the plan leaves alone."""
    peft = need("peft", "train", "Training with LoRA")
    chosen = [
        name for part in PARTS if plan.how(part) == "lora" for name in linear_modules(model, part)
    ]
    if not chosen:
        raise BadInput("no linear layer in the parts that LoRA trains", "one at least")
    tied = bool(getattr(model.config, "tie_word_embeddings", False))
    whole = [
        name for part in PARTS if plan.how(part) == "full" for name in whole_modules(model, part)
        if not (tied and name.endswith("embed_tokens"))  # its copy would leave the head behind
    ]  # fmt: skip
    return peft.LoraConfig(
        r=plan.rank, lora_alpha=plan.alpha, lora_dropout=plan.dropout, use_dora=plan.dora,
        target_modules=pattern_of(chosen), modules_to_save=whole or None, bias="none",
    )  # fmt: skip


def pattern_of(names: list[str]) -> str:
    """One pattern for these names; the numbers of layers become `\\d+`.

    A number at the end stays: in `mlp.0` and `mlp.2` it tells the layers from what is between.
    """
    forms = sorted({re.sub(r"\\\.\d+(?=\\\.)", r"\\.\\d+", re.escape(name)) for name in names})
    return "(?:" + "|".join(forms) + ")"


def trainable(model: Any) -> dict[str, Any]:
    """Parameters that learn, by name."""
    return {name: each for name, each in model.named_parameters() if each.requires_grad}


def groups(model: Any) -> dict[str, list[str]]:
    """Names of the learning parameters by part: what must move in a first step."""
    from semanticface.train.parts import part_of, towers

    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    names = towers(base)
    found: dict[str, list[str]] = {}
    for name in trainable(model):
        plain = name.removeprefix("base_model.model.")
        found.setdefault(part_of(plain, names) or "head", []).append(name)
    return found
