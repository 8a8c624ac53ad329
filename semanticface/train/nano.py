"""A Qwen3-VL small enough for a package and for two cores.

    build(Path("nano"), "nano")        # random weights, tokenizer and processor files

The folder is what transformers and vLLM load by path: `AutoModelForImageTextToText` and
`train.processors.load_processor` (or `AutoProcessor` where torchvision is). A picture of
112 pixels is 14 x 14 patches of 8, merged by twos to 49 tokens.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, NamedTuple

from semanticface.errors import BadInput, did_you_mean, need
from semanticface.train.nano_tokenizer import (
    END,
    IMAGE,
    PAD,
    VIDEO,
    VISION_END,
    VISION_START,
    tokenizer,
)

Size = Literal["test", "nano"]
PIXELS, PATCH, MERGE = 112, 8, 2
"""Side of a square picture, side of a patch, patches a side that become one token."""
_MEAN = (0.5, 0.5, 0.5)
_ROUND = 64
"""The vocabulary is filled up to a multiple of this, as matrix products like it."""


class Shape(NamedTuple):
    """Widths and depths; heads of the language model are 32 wide (two of 16 in `test`)."""

    hidden: int
    layers: int
    heads: int
    groups: int
    """Key and value heads."""
    inner: int
    seen: int
    """Width of the vision tower."""
    depth: int
    seen_heads: int
    seen_inner: int
    deep: tuple[int, ...]
    """Blocks of the tower whose output also enters the language model's first layers."""


SHAPES: dict[str, Shape] = {
    "test": Shape(48, 2, 3, 1, 96, 32, 2, 2, 64, (0,)),
    "nano": Shape(256, 8, 8, 4, 768, 192, 8, 6, 576, (3, 5)),
}


def config(size: Size = "nano") -> Any:
    """The `Qwen3VLConfig` of a size; token ids are those of `nano_tokenizer`."""
    return _config(_shape(size), tokenizer())


def build(folder: str | Path, size: Size = "nano", seed: int = 0) -> Path:
    """Write a model with random weights, its tokenizer and its processor's files."""
    torch = need("torch", "train", "Building the small model")
    library = need("transformers", "train", "Building the small model")
    text = tokenizer()
    settings = _config(_shape(size), text)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = library.Qwen3VLForConditionalGeneration(settings)
    place = Path(folder)
    model.save_pretrained(place)
    text.save_pretrained(place)
    _save_processor(place)
    return place


def _shape(size: str) -> Shape:
    if size not in SHAPES:
        raise BadInput(f"the size '{size}'", f"one of {', '.join(SHAPES)}",
                       hint=did_you_mean(size, SHAPES))  # fmt: skip
    return SHAPES[size]


def _config(shape: Shape, text: Any) -> Any:
    library = need("transformers", "train", "Building the small model")
    ids = {name: text.convert_tokens_to_ids(token) for name, token in (
        ("image_token_id", IMAGE), ("video_token_id", VIDEO),
        ("vision_start_token_id", VISION_START), ("vision_end_token_id", VISION_END),
    )}  # fmt: skip
    ends = {"pad_token_id": text.convert_tokens_to_ids(PAD),
            "eos_token_id": text.convert_tokens_to_ids(END), "bos_token_id": None}  # fmt: skip
    return library.Qwen3VLConfig(
        text_config=_language(shape, len(text)) | ends, vision_config=_vision(shape),
        tie_word_embeddings=True, **ids, **ends,
    )  # fmt: skip


def _language(shape: Shape, words: int) -> dict[str, Any]:
    head = shape.hidden // shape.heads
    # Turns of time, height and width interleave over half a head's width.
    across = head // 6
    return {
        "vocab_size": -(-words // _ROUND) * _ROUND, "hidden_size": shape.hidden,
        "intermediate_size": shape.inner, "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads, "num_key_value_heads": shape.groups,
        "head_dim": head, "max_position_embeddings": 4096, "tie_word_embeddings": True,
        "rope_parameters": {
            "rope_type": "default", "rope_theta": 10_000.0, "mrope_interleaved": True,
            "mrope_section": [head // 2 - 2 * across, across, across],
        },
    }  # fmt: skip


def _vision(shape: Shape) -> dict[str, Any]:
    return {
        "depth": shape.depth, "hidden_size": shape.seen, "num_heads": shape.seen_heads,
        "intermediate_size": shape.seen_inner, "patch_size": PATCH,
        "spatial_merge_size": MERGE, "temporal_patch_size": 2, "out_hidden_size": shape.hidden,
        "num_position_embeddings": (PIXELS // PATCH) ** 2,
        "deepstack_visual_indexes": list(shape.deep),
    }  # fmt: skip


def _save_processor(place: Path) -> None:
    """Files of the picture and video parts, as the library itself would write them."""
    area = PIXELS * PIXELS
    part = {
        "size": {"shortest_edge": area, "longest_edge": area}, "patch_size": PATCH,
        "merge_size": MERGE, "temporal_patch_size": 2, "image_mean": _MEAN, "image_std": _MEAN,
        "do_resize": True, "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True,
        "do_convert_rgb": True, "resample": 3, "processor_class": "Qwen3VLProcessor",
    }  # fmt: skip
    _write(place / "preprocessor_config.json",
           part | {"image_processor_type": "Qwen2VLImageProcessor"})  # fmt: skip
    _write(place / "video_preprocessor_config.json",
           part | {"video_processor_type": "Qwen3VLVideoProcessor"})  # fmt: skip


def _write(file: Path, held: dict[str, Any]) -> None:
    file.write_text(json.dumps(held, indent=2) + "\n", encoding="utf-8")
