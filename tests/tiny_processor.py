"""A multimodal processor of a real family, small enough to be made in a test.

A LLaVA processor: pictures of 32 x 32 in patches of 8 are 16 tokens, text is bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|>{% for p in m['content'] %}"
    "{% if p['type'] == 'image' %}<image>{% else %}{{ p['text'] }}{% endif %}"
    "{% endfor %}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
ROLES = ("<|system|>", "<|user|>", "<|assistant|>", "<|end|>")
PATCHES = 16


def save(folder: Path) -> Path:
    """Write the processor's files."""
    processor().save_pretrained(str(folder))
    return folder


def processor() -> Any:
    """The processor itself."""
    from tokenizers import Tokenizer, decoders, models
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import LlavaProcessor, PreTrainedTokenizerFast
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    letters = {letter: i for i, letter in enumerate(sorted(ByteLevel.alphabet()))}
    bytes_only = Tokenizer(models.BPE(vocab=letters, merges=[]))
    bytes_only.pre_tokenizer = ByteLevel(add_prefix_space=False)
    bytes_only.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bytes_only, eos_token="<|end|>", pad_token="<|pad|>",
        additional_special_tokens=["<image>", *ROLES],
    )  # fmt: skip
    square = {"height": 32, "width": 32}
    pictures = CLIPImageProcessorPil(size=square, crop_size=square, do_center_crop=False)
    return LlavaProcessor(
        image_processor=pictures, tokenizer=tokenizer, patch_size=8, chat_template=TEMPLATE,
        vision_feature_select_strategy="full", num_additional_image_tokens=0,
        image_token="<image>",
    )  # fmt: skip
