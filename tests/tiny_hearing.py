"""Random models that hear or read speech, one a family, small enough to train in a test.

Sound is cut to a second or so; text is the small audio model's bytes and pieces.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from semanticface.train import nano_audio

WIDTH, LAYERS, BANDS = 32, 2, 16
_VISION = ("<|image_pad|>", "<|video_pad|>", "<|vision_bos|>", "<|vision_eos|>")


def save(family: str, folder: Path, *, seed: int = 0) -> Path:
    """Write a model and what prepares its input; `family` is a key of FAMILIES."""
    import torch

    torch.manual_seed(seed)
    return FAMILIES[family](folder)


def qwen2_audio(folder: Path) -> Path:
    return nano_audio.build(folder, "test", seconds=1)


def qwen2_5_omni(folder: Path) -> Path:
    from transformers import (
        Qwen2_5OmniProcessor,
        Qwen2_5OmniThinkerConfig,
        Qwen2_5OmniThinkerForConditionalGeneration,
    )

    tokens = _tokenizer()
    rope = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10000.0}
    ids = {f"{kind}_token_index": getattr(tokens, f"{kind}_token_id") for kind in _KINDS}
    config = Qwen2_5OmniThinkerConfig(
        audio_config={**_tower(), "n_window": 25, "output_dim": WIDTH},
        vision_config={**_sight(), "window_size": 56, "fullatt_block_indexes": [0]},
        text_config={**_text(tokens), "rope_parameters": rope}, **ids, **_marks(tokens),
    )  # fmt: skip
    model = Qwen2_5OmniThinkerForConditionalGeneration(config)
    return _saved(model, _omni(Qwen2_5OmniProcessor, tokens), tokens, folder)


def qwen3_omni(folder: Path) -> Path:
    from transformers import (
        Qwen3OmniMoeProcessor,
        Qwen3OmniMoeThinkerConfig,
        Qwen3OmniMoeThinkerForConditionalGeneration,
    )

    tokens = _tokenizer()
    rope = {"rope_type": "default", "mrope_section": [2, 1, 1], "rope_theta": 10000.0,
            "mrope_interleaved": True}  # fmt: skip
    experts = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
    ids = {f"{kind}_token_id": getattr(tokens, f"{kind}_token_id") for kind in _KINDS}
    config = Qwen3OmniMoeThinkerConfig(
        audio_config={**_tower(), "n_window": 50, "n_window_infer": 100, "output_dim": WIDTH,
                      "downsample_hidden_size": 8},
        vision_config={**_sight(), "deepstack_visual_indexes": [0], "num_position_embeddings": 16},
        text_config={**_text(tokens), **experts, "rope_parameters": rope}, **ids, **_marks(tokens),
    )  # fmt: skip
    model = Qwen3OmniMoeThinkerForConditionalGeneration(config)
    return _saved(model, _omni(Qwen3OmniMoeProcessor, tokens), tokens, folder)


def qwen3(folder: Path) -> Path:
    from transformers import Qwen3Config, Qwen3ForCausalLM

    tokens = _tokenizer()
    model = Qwen3ForCausalLM(Qwen3Config(**_text(tokens), head_dim=8))
    return _saved(model, tokens, tokens, folder)


FAMILIES = {"qwen2_audio": qwen2_audio, "qwen2_5_omni": qwen2_5_omni, "qwen3_omni": qwen3_omni,
            "qwen3": qwen3}  # fmt: skip
_KINDS = ("audio", "image", "video")


def _tokenizer() -> Any:
    made = nano_audio.tokenizer()
    made.add_special_tokens({"additional_special_tokens": list(_VISION)})
    names = ("image_token", "video_token", "vision_bos_token", "vision_eos_token")
    named = dict(zip(names, _VISION, strict=True))
    named |= {"audio_token": nano_audio.SOUND, "audio_bos_token": nano_audio.SOUND_START,
              "audio_eos_token": nano_audio.SOUND_END}  # fmt: skip
    made._set_model_specific_special_tokens(named)
    return made


def _text(tokens: Any) -> dict[str, Any]:
    return {
        "vocab_size": len(tokens), "hidden_size": WIDTH, "intermediate_size": 64,
        "num_hidden_layers": LAYERS, "num_attention_heads": 4, "num_key_value_heads": 2,
        "max_position_embeddings": 4096, "eos_token_id": tokens.eos_token_id,
        "pad_token_id": tokens.pad_token_id, "bos_token_id": None,
    }  # fmt: skip


def _tower() -> dict[str, Any]:
    return {"num_mel_bins": BANDS, "d_model": 16, "encoder_layers": 1, "encoder_ffn_dim": 32,
            "encoder_attention_heads": 2, "max_source_positions": 100}  # fmt: skip


def _sight() -> dict[str, Any]:
    return {"depth": 1, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2,
            "out_hidden_size": WIDTH, "patch_size": 14}  # fmt: skip


def _marks(tokens: Any) -> dict[str, Any]:
    return {"audio_start_token_id": tokens.convert_tokens_to_ids(nano_audio.SOUND_START),
            "vision_start_token_id": tokens.convert_tokens_to_ids("<|vision_bos|>"),
            "user_token_id": tokens("user")["input_ids"][0]}  # fmt: skip


def _omni(kind: Any, tokens: Any) -> Any:
    from transformers import WhisperFeatureExtractor
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    from semanticface.train.processors import unused_video

    features = WhisperFeatureExtractor(feature_size=BANDS, chunk_length=2,
                                       return_attention_mask=True)  # fmt: skip
    return kind(image_processor=Qwen2VLImageProcessorPil(), video_processor=unused_video(),
                feature_extractor=features, tokenizer=tokens,
                chat_template=nano_audio.TEMPLATE)  # fmt: skip


def _saved(model: Any, processor: Any, tokens: Any, folder: Path) -> Path:
    ids = {"eos_token_id": tokens.eos_token_id, "pad_token_id": tokens.pad_token_id}
    model.generation_config.update(**ids)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
