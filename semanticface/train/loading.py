"""A model and its processor, from any folder or hub name, ready to be trained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from semanticface.data.speech_tasks import SpeechTask
from semanticface.errors import BadInput, need
from semanticface.train.processors import load_processor

DType = Literal["auto", "float32", "bfloat16", "float16"]
DTYPES: tuple[DType, ...] = ("auto", "float32", "bfloat16", "float16")


_BLOCK, _ROWS = 64, 32
"""Weights that share a scale, and rows that bitsandbytes' kernel for processors takes at once."""


class Loaded(NamedTuple):
    """A model with what prepares its input."""

    model: Any
    processor: Any


@dataclass(frozen=True)
class Source:
    """Which model, and how its weights are held."""

    path: str
    dtype: DType = "auto"
    quantised: bool = False
    """nf4 by bitsandbytes with double quantisation, computed in bfloat16."""
    attention: str | None = None
    """`sdpa`, `flash_attention_2` or `eager`; the library's choice unless given."""
    revision: str | None = None
    min_pixels: int | None = None
    max_pixels: int | None = None
    """Least and most pixels that a picture is scaled to, where the family scales by area."""

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise BadInput(f"dtype '{self.dtype}'", f"one of {', '.join(DTYPES)}")


def load(source: Source, speech: SpeechTask | None = None) -> Loaded:
    """The model in memory and its processor: of pictures, or of a task of speech."""
    if speech is not None:
        from semanticface.train.hearing import load_hearing

        return load_hearing(source, speech)
    return Loaded(load_model(source), processor_of(source))


def processor_of(source: Source) -> Any:
    """The processor by itself, with the bounds on pictures that `source` gives."""
    processor = load_processor(source.path, revision=source.revision)
    _scale(processor, source)
    return processor


def load_model(source: Source) -> Any:
    """The model itself, weights as `source` says, on the processor until a trainer moves it."""
    transformers = need("transformers", "train", "Loading a model")
    options = options_of(source)
    return held_by(transformers.AutoModelForImageTextToText, source, options, "reads pictures")


def options_of(source: Source) -> dict[str, Any]:
    """What `from_pretrained` is told."""
    options: dict[str, Any] = {"dtype": source.dtype}
    if source.revision is not None:
        options["revision"] = source.revision
    if source.attention is not None:
        options["attn_implementation"] = source.attention
    if source.quantised:
        options |= _nf4()
    return options


def _whole_blocks(model: Any) -> Any:
    """On processors with AVX512-BF16 bitsandbytes packs 4-bit weights anew for a fast kernel, and
    fails where a layer's sizes are no multiples of a block: such layers keep the plain one."""
    for each in model.modules():
        if getattr(each, "support_avx512bf16_for_cpu", False):
            whole = each.in_features % _BLOCK == 0 and each.out_features % _ROWS == 0
            each.support_avx512bf16_for_cpu = whole
    return model


def held_by(loader: Any, source: Source, options: dict[str, Any], does: str) -> Any:
    """What one of transformers' classes makes of a place; a fault says what the model must do."""
    try:
        with quiet():
            return _whole_blocks(loader.from_pretrained(source.path, **options))
    except (OSError, ValueError) as fault:
        told = str(fault).strip().splitlines()[0][:200]
        raise BadInput(
            f"no model that {does} ({told})",
            "a model's folder or its name on the hub",
            file=source.path,
        ) from fault


@contextmanager
def quiet() -> Iterator[None]:
    """No bars where nobody watches: in a log each of their strokes would stay."""
    import sys

    told = need("transformers", "train", "Loading a model").utils.logging
    if sys.stderr.isatty() or not told.is_progress_bar_enabled():
        yield
        return
    told.disable_progress_bar()
    try:
        yield
    finally:
        told.enable_progress_bar()


def _nf4() -> dict[str, Any]:
    transformers = need("transformers", "train", "Loading a model")
    need("bitsandbytes", "train", "Weights in nf4")
    import torch
    from accelerate import PartialState

    device = PartialState().device if torch.cuda.is_available() else "cpu"
    config = transformers.BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )  # fmt: skip
    return {"quantization_config": config, "device_map": {"": device}, "dtype": torch.bfloat16}


def _scale(processor: Any, source: Source) -> None:
    """Bounds on the area of a picture, for the families that have them."""
    if source.min_pixels is None and source.max_pixels is None:
        return
    pictures = processor.image_processor
    size = dict(getattr(pictures, "size", None) or {})
    if "shortest_edge" not in size or "longest_edge" not in size:
        raise BadInput("min_pixels or max_pixels", "neither: this family has a size of its own",
                       file=source.path)  # fmt: skip
    wanted = {"shortest_edge": source.min_pixels, "longest_edge": source.max_pixels}
    pictures.size = size | {key: value for key, value in wanted.items() if value is not None}


def model_folder(path: str | Path) -> Path | None:
    """The folder of a model that lies on this machine."""
    place = Path(path)
    return place if (place / "config.json").is_file() else None
