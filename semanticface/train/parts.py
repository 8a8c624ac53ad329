"""Which modules of a model see, which translate, and which speak.

A multimodal language model has three parts: a vision tower, a projector that turns what
it saw into tokens, and a language model. Names differ between families; plain LoRA
targets such as `q_proj` would hit every tower at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from semanticface.errors import BadInput, did_you_mean

Part = Literal["vision", "projector", "language"]
PARTS: tuple[Part, ...] = ("vision", "projector", "language")


class Towers(NamedTuple):
    """Patterns of the module names of each part; the projector is asked before vision.

    Of a model that hears, `vision` is the tower that hears; a model of text alone has neither
    tower nor projector, and those plans leave it `frozen`.
    """

    vision: str
    projector: str
    language: str


_QWEN = Towers(r"model\.visual\.", r"model\.visual\.(?:merger|deepstack_merger_list)\.",
               r"model\.language_model\.")  # fmt: skip
_IDEFICS = Towers(r"model\.vision_model\.", r"model\.connector\.", r"model\.text_model\.")
_OMNI = Towers(r"model\.audio_tower\.", r"model\.audio_tower\.proj[12]?\b",
               r"model\.language_model\.")  # fmt: skip
_NONE = r"(?!)"
_TEXT = Towers(_NONE, _NONE, r"model\.")
FAMILIES: dict[str, Towers] = {
    "qwen2_vl": _QWEN,
    "qwen2_5_vl": _QWEN,
    "qwen3_vl": _QWEN,
    "idefics3": _IDEFICS,
    "smolvlm": _IDEFICS,
    "qwen2_audio": Towers(
        r"model\.audio_tower\.", r"model\.multi_modal_projector\.", r"model\.language_model\."
    ),
    "qwen2_5_omni_thinker": _OMNI,
    "qwen3_omni_moe_thinker": _OMNI,
    "qwen2": _TEXT,
    "qwen3": _TEXT,
    "llama": _TEXT,
    "llava": Towers(
        r"model\.vision_tower\.", r"model\.multi_modal_projector\.", r"model\.language_model\."
    ),
}


def towers(model: Any) -> Towers:
    """The patterns of a model's family."""
    family = model.config.model_type
    if family not in FAMILIES:
        raise BadInput(f"a model of the family '{family}'", f"one of {', '.join(FAMILIES)}",
                       hint=did_you_mean(family, FAMILIES))  # fmt: skip
    return FAMILIES[family]


def part_of(name: str, names: Towers) -> Part | None:
    """The part that a module or parameter belongs to; None for the output head."""
    for part in ("projector", "vision", "language"):
        if re.match(getattr(names, part), name):
            return part
    return None


def linear_modules(model: Any, part: Part) -> list[str]:
    """Names of a part's linear layers, quantised ones too."""
    import torch

    names = towers(model)
    return [
        name for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and part_of(name, names) == part
    ]  # fmt: skip


def whole_modules(model: Any, part: Part) -> list[str]:
    """The largest modules that lie in a part wholly and can be called by themselves."""
    import torch

    names = towers(model)
    found: list[str] = []

    def walk(module: Any, name: str) -> None:
        owned = [part_of(f"{name}.{inner}", names) for inner, _ in module.named_parameters()]
        if not owned:
            return
        callable_whole = not isinstance(module, torch.nn.ModuleList)
        inside = part_of(f"{name}.", names) == part and _below_root(name, names, part)
        if inside and callable_whole and all(each == part for each in owned):
            found.append(name)
            return
        for inner, child in module.named_children():
            walk(child, f"{name}.{inner}" if name else inner)

    walk(model, "")
    return found


def _below_root(name: str, names: Towers, part: Part) -> bool:
    """Not the tower itself: models read attributes of it, so that it cannot be wrapped."""
    inside = re.match(getattr(names, part), f"{name}.")
    return bool(inside) and (part == "projector" or len(f"{name}.") > len(inside[0]))  # type: ignore[index]


def parameters(model: Any, part: Part) -> Iterator[tuple[str, Any]]:
    """A part's parameters by name."""
    names = towers(model)
    return (pair for pair in model.named_parameters() if part_of(pair[0], names) == part)
