"""Random models of each family, some 0.1 M parameters, with processors that work offline.

Text is bytes and value tokens; pictures of 32 x 32 become 4 tokens or so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tiny_processor import ROLES, TEMPLATE
from tiny_processor import processor as llava_processor

WIDTH, LAYERS = 48, 2
_VISION = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
_SMOL = ("<fake_token_around_image>", "<global-img>", "<end_of_utterance>")
_VALUES = tuple(f"<v{n}>" for n in range(-150, 151))


def tokenizer(*more: str) -> Any:
    """Bytes, roles and value tokens."""
    made = llava_processor().tokenizer
    made.add_special_tokens({"additional_special_tokens": [*ROLES, "<image>", *more]})
    made.add_tokens(list(_VALUES))
    return made


def save(family: str, folder: Path, *, seed: int = 0) -> Path:
    """Write a model and its processor; `family` is a key of FAMILIES."""
    import torch

    torch.manual_seed(seed)
    processor, config = FAMILIES[family]()
    from transformers import AutoModelForImageTextToText

    model = AutoModelForImageTextToText.from_config(config)
    ids = {"eos_token_id": processor.tokenizer.eos_token_id,
           "pad_token_id": processor.tokenizer.pad_token_id}  # fmt: skip
    model.generation_config.update(**ids)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def _text(tokens: Any, **more: Any) -> dict[str, Any]:
    return {
        "vocab_size": len(tokens), "hidden_size": WIDTH, "intermediate_size": 96,
        "num_hidden_layers": LAYERS, "num_attention_heads": 4, "num_key_value_heads": 2,
        "max_position_embeddings": 4096, "eos_token_id": tokens.eos_token_id,
        "pad_token_id": tokens.pad_token_id, "bos_token_id": None, **more,
    }  # fmt: skip


def _qwen_template() -> str:
    return TEMPLATE.replace("<image>", "<|vision_start|><|image_pad|><|vision_end|>")


def _qwen(processor_class: Any, config_class: Any, vision: dict[str, Any], patch: int) -> Any:
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    from semanticface.train.processors import unused_video

    tokens = tokenizer(*_VISION)
    side = patch * 2
    pictures = Qwen2VLImageProcessorPil(
        patch_size=patch, merge_size=2, temporal_patch_size=2,
        size={"shortest_edge": side * side, "longest_edge": 4 * side * side},
    )  # fmt: skip
    processor = processor_class(
        image_processor=pictures,
        tokenizer=tokens,
        video_processor=unused_video(),
        chat_template=_qwen_template(),
    )
    ids = {name: tokens.convert_tokens_to_ids(token) for name, token in {
        "image_token_id": "<|image_pad|>", "video_token_id": "<|video_pad|>",
        "vision_start_token_id": "<|vision_start|>", "vision_end_token_id": "<|vision_end|>",
    }.items()}  # fmt: skip
    rope = {"rope_type": "default", "mrope_section": [2, 2, 2], "rope_theta": 10000.0}
    if "out_hidden_size" in vision and "deepstack_visual_indexes" in vision:
        rope["mrope_interleaved"] = True
    text = _text(tokens, rope_parameters=rope, head_dim=12)
    return processor, config_class(text_config=text, vision_config=vision,
                                   tie_word_embeddings=True, **ids)  # fmt: skip


def qwen3_vl() -> Any:
    from transformers import Qwen3VLConfig, Qwen3VLProcessor

    vision = {"depth": 2, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2,
              "patch_size": 16, "spatial_merge_size": 2, "temporal_patch_size": 2,
              "out_hidden_size": WIDTH, "num_position_embeddings": 16,
              "deepstack_visual_indexes": [0]}  # fmt: skip
    return _qwen(Qwen3VLProcessor, Qwen3VLConfig, vision, 16)


def qwen2_5_vl() -> Any:
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLProcessor

    vision = {
        "depth": 2,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_heads": 2,
        "patch_size": 14,
        "spatial_merge_size": 2,
        "temporal_patch_size": 2,
        "out_hidden_size": WIDTH,
        "window_size": 56,
        "fullatt_block_indexes": [1],
    }
    return _qwen(Qwen2_5_VLProcessor, Qwen2_5_VLConfig, vision, 14)


def smolvlm() -> Any:
    from transformers import SmolVLMConfig, SmolVLMProcessor
    from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil

    from semanticface.train.processors import unused_video

    tokens = tokenizer(*_SMOL)
    tokens.fake_image_token, tokens.global_image_token = _SMOL[:2]
    tokens.image_token, tokens.end_of_utterance_token = "<image>", _SMOL[2]
    pictures = SmolVLMImageProcessorPil(size={"longest_edge": 32}, do_image_splitting=False,
                                        max_image_size={"longest_edge": 32})  # fmt: skip
    processor = SmolVLMProcessor(
        image_processor=pictures,
        tokenizer=tokens,
        image_seq_len=4,
        video_processor=unused_video(),
        chat_template=TEMPLATE,
    )
    vision = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
              "num_attention_heads": 2, "image_size": 32, "patch_size": 8}  # fmt: skip
    text = {"model_type": "llama", **_text(tokens)}
    image = tokens.convert_tokens_to_ids("<image>")
    return processor, SmolVLMConfig(vision_config=vision, text_config=text, scale_factor=2,
                                    image_token_id=image, tie_word_embeddings=True,
                                    pad_token_id=tokens.pad_token_id)  # fmt: skip


FAMILIES = {"qwen3_vl": qwen3_vl, "qwen2_5_vl": qwen2_5_vl, "smolvlm": smolvlm}
