"""The small model's tokenizer: bytes, word pieces of this project's own texts, added tokens.

Any text can be written, for every byte is a token. Digits stand alone, so that a number
costs its digits; each channel's label is one token, and so is each value token of the
`tokens` answer format. Value tokens are not special: they stay when an answer is decoded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from semanticface.errors import need
from semanticface.language.answers import FORMATS, ValueTokens, answer_format
from semanticface.language.describe import describe_frames
from semanticface.language.prompts import image_messages
from semanticface.motion.expressions import sample_frames
from semanticface.rig import CHANNELS

PAD, START, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
VISION_START, VISION_END = "<|vision_start|>", "<|vision_end|>"
IMAGE, VIDEO = "<|image_pad|>", "<|video_pad|>"
SPECIAL = (PAD, START, END, VISION_START, VISION_END, IMAGE, VIDEO)
"""Special tokens in the order of their ids; the names are those of Qwen3-VL."""

TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}"
    "{{ '<|vision_start|><|image_pad|><|vision_end|>' }}"
    "{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}"
    "{{ '<|im_end|>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
_PIECES = 1000
"""Bytes and word pieces; with labels, value tokens and special ones below 1,500."""
_FACES = 2000
_PROMPTS = ("image/semanticface", "image/describe")


def tokenizer() -> Any:
    """The tokenizer as transformers takes it; the same each time it is made."""
    library = need("transformers", "train", "Building the small model's tokenizer")
    from tokenizers import AddedToken

    made = _pieces()
    made.add_special_tokens(list(SPECIAL))
    added = [*ValueTokens().vocabulary(), *(channel.label for channel in CHANNELS)]
    made.add_tokens([AddedToken(each, normalized=False) for each in added])
    return library.PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token=PAD, eos_token=END, chat_template=TEMPLATE,
        padding_side="right", clean_up_tokenization_spaces=False, model_max_length=4096,
    )  # fmt: skip


def value_ids(tokenizer: Any) -> tuple[int, ...]:
    """Ids of the value tokens by rising value."""
    return tuple(tokenizer.convert_tokens_to_ids(list(ValueTokens().vocabulary())))


def _pieces() -> Any:
    """Byte-pair pieces of descriptions, prompts and labels."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True),
         pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )  # fmt: skip
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_PIECES, show_progress=False, min_frequency=2,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )  # fmt: skip
    made.train_from_iterator(_texts(), trainer)
    return made


def _texts() -> Iterator[str]:
    """What the model will read and write, values and labels aside."""
    for told in describe_frames(sample_frames(_FACES, seed=0, coverage=0.3)):
        yield str(told.as_analysis())
        yield told.as_markdown()
    for key in _PROMPTS:
        for name in FORMATS:
            for message in image_messages(answer_format(name), key):
                yield message["content"]
