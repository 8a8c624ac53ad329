"""A Qwen2-Audio of 0.7 M parameters that hears a second of speech and says the mouth.

    build(Path("nano-audio"), "nano")     # random weights, tokenizer and feature extractor

The folder is what `AutoModelForMultimodalLM` and `AutoProcessor` load by path. Whole seconds
of sound are as many hundred frames of 40 log-mel bands; the tower makes 25 tokens of each.
Its tokenizer has a token for each frame of a window, each phone and each shape of the mouth.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from semanticface.data.speech_corpus import sentences
from semanticface.errors import BadInput, did_you_mean, need
from semanticface.speech.cues import SILENT, articulation
from semanticface.speech.mouth_shapes import vocabulary
from semanticface.speech.phones import symbols

Size = Literal["test", "nano"]
PAD, START, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
SOUND, SOUND_START, SOUND_END = "<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>"
SPECIAL = (PAD, START, END, SOUND, SOUND_START, SOUND_END)
"""Special tokens by id; the names are those of Qwen2-Audio."""
MOST_FRAMES = 90
BANDS = 40
_PIECES, _SENTENCES, _ROUND = 700, 400, 64

TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}{% if part['type'] == 'audio' %}"
    "{{ '<|audio_bos|><|AUDIO|><|audio_eos|>' }}{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}{{ '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


class Shape(NamedTuple):
    """Widths and depths."""

    hidden: int
    layers: int
    heads: int
    inner: int
    heard: int
    """Width of the tower."""
    depth: int
    heard_heads: int
    heard_inner: int


SHAPES = {"test": Shape(32, 2, 2, 64, 16, 1, 2, 32),
          "nano": Shape(96, 3, 3, 288, 64, 2, 2, 192)}  # fmt: skip


def frame_tokens(count: int) -> tuple[str, ...]:
    """The tokens at which a window's frames are read."""
    if count > MOST_FRAMES:
        raise BadInput(f"a window of {count} frames", f"{MOST_FRAMES} at most")
    return tuple(f"<t{i}>" for i in range(count))


def build(folder: str | Path, size: Size = "nano", *, seconds: int = 1, seed: int = 0) -> Path:
    """Write a model with random weights and its processor; `seconds` are those it can hear."""
    torch = need("torch", "train", "Building the small audio model")
    library = need("transformers", "train", "Building the small audio model")
    text = tokenizer()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = library.Qwen2AudioForConditionalGeneration(_config(_shape(size), text, seconds))
    places = model.model.audio_tower.embed_positions
    places.weight.data.copy_(torch.tensor(_sinusoids(*places.weight.shape)))
    ends = {"eos_token_id": text.eos_token_id, "pad_token_id": text.pad_token_id}
    model.generation_config.update(**ends)
    place = Path(folder)
    model.save_pretrained(place)
    features = library.WhisperFeatureExtractor(feature_size=BANDS, chunk_length=seconds)
    library.Qwen2AudioProcessor(features, text, chat_template=TEMPLATE).save_pretrained(place)
    return place


def _shape(size: str) -> Shape:
    if size not in SHAPES:
        raise BadInput(f"the size '{size}'", f"one of {', '.join(SHAPES)}",
                       hint=did_you_mean(size, SHAPES))  # fmt: skip
    return SHAPES[size]


def _config(shape: Shape, text: Any, seconds: int) -> Any:
    library = need("transformers", "train", "Building the small audio model")
    language = {
        "model_type": "qwen2", "vocab_size": -(-len(text) // _ROUND) * _ROUND,
        "hidden_size": shape.hidden, "intermediate_size": shape.inner,
        "num_hidden_layers": shape.layers, "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.heads, "max_position_embeddings": 4096,
        "bos_token_id": None, "eos_token_id": text.eos_token_id, "pad_token_id": text.pad_token_id,
    }  # fmt: skip
    tower = {
        "num_mel_bins": BANDS, "d_model": shape.heard, "encoder_layers": shape.depth,
        "encoder_attention_heads": shape.heard_heads, "encoder_ffn_dim": shape.heard_inner,
        "max_source_positions": 50 * seconds,
    }  # fmt: skip
    return library.Qwen2AudioConfig(
        audio_config=tower, text_config=language,
        audio_token_index=text.convert_tokens_to_ids(SOUND),
    )  # fmt: skip


def _sinusoids(length: int, width: int) -> list[list[float]]:
    """Positions as Whisper's encoder has them: sines, then cosines."""
    half = width // 2
    rates = [math.exp(-math.log(10_000) * i / (half - 1)) for i in range(half)]
    return [[f(t * r) for f in (math.sin, math.cos) for r in rates] for t in range(length)]


def tokenizer() -> Any:
    """Bytes and pieces of cues, a token for each frame of a window and each mouth shape."""
    library = need("transformers", "train", "Building the small audio model's tokenizer")
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_PIECES, show_progress=False, min_frequency=2,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )  # fmt: skip
    made.train_from_iterator(_texts(), trainer)
    made.add_special_tokens(list(SPECIAL))
    added = [*frame_tokens(MOST_FRAMES), *vocabulary()]
    made.add_tokens([AddedToken(each, normalized=False) for each in added])
    # One token a phone, its space included, so that a frame's phone stands at a known place.
    made.add_tokens([AddedToken(each, normalized=False, single_word=True, lstrip=True)
                     for each in (*symbols(), SILENT)])  # fmt: skip
    return library.PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token=PAD, eos_token=END, chat_template=TEMPLATE,
        padding_side="right", clean_up_tokenization_spaces=False, model_max_length=4096,
    )  # fmt: skip


def _texts() -> Iterator[str]:
    """What cues look like: sentences, spans of frames with phones, phones in words."""
    for sentence in sentences(_SENTENCES, seed=0):
        yield "words: " + " ".join(f"*{word}*" for word in sentence.rstrip(".?").split())
    for i, symbol in enumerate(symbols()):
        told = f"{symbol} {articulation(symbol)}"
        yield from [f"mouth: {told}; {told}"] * 10
        yield f"phones: {i} {symbol}1 | {i} {symbol} | {i} {symbol}! | {i} {symbol}0 | {i} {symbol}"
    for i in range(MOST_FRAMES):  # numbers of frames as one piece each
        yield from [f"pause: {i}-{i}, {i}-{i}"] * 40
