"""Models for speech: those that hear, and those that read what is said.

Of the Omni families the thinker alone is loaded: it hears and writes; the talker, which
speaks, has nothing to learn here. A task by cues alone also takes a model of text alone.
"""

from __future__ import annotations

from typing import Any

from semanticface.data.speech_tasks import SpeechTask
from semanticface.errors import BadInput, need
from semanticface.train.loading import Loaded, Source, held_by, options_of
from semanticface.train.processors import load_processor

THINKERS = {
    "qwen2_5_omni": "Qwen2_5OmniThinkerForConditionalGeneration",
    "qwen3_omni_moe": "Qwen3OmniMoeThinkerForConditionalGeneration",
}
"""Whole models and the class that loads the part of them that is trained."""
HEARING = ("qwen2_audio", *THINKERS, *(f"{each}_thinker" for each in THINKERS))


def load_hearing(source: Source, task: SpeechTask) -> Loaded:
    """The model of a speech task and what prepares its input: a processor or a tokenizer."""
    library = need("transformers", "train", "Loading a model")
    if source.min_pixels is not None or source.max_pixels is not None:
        raise BadInput("min_pixels or max_pixels with speech", "neither", file=source.path)
    family = family_of(source)
    options = options_of(source)
    if family in HEARING:
        loader = getattr(library, THINKERS.get(family, "AutoModelForMultimodalLM"))
        model = held_by(loader, source, options, "hears")
        return Loaded(model, load_processor(source.path, pictures=False))
    if task.audio:
        raise BadInput(f"a model of the family '{family}', which hears nothing",
                       f"one of {', '.join(HEARING)}", file=source.path,
                       hint="By cues alone: --cues text.")  # fmt: skip
    model = held_by(library.AutoModelForCausalLM, source, options, "writes")
    return Loaded(model, library.AutoTokenizer.from_pretrained(source.path))


def family_of(source: Source) -> str:
    """The `model_type` of a folder or hub name."""
    library = need("transformers", "train", "Loading a model")
    more = {} if source.revision is None else {"revision": source.revision}
    try:
        return str(library.AutoConfig.from_pretrained(source.path, **more).model_type)
    except (OSError, ValueError) as fault:
        told = str(fault).strip().splitlines()[0][:200]
        raise BadInput(f"no model ({told})", "a model's folder or its name on the hub",
                       file=source.path) from fault  # fmt: skip


def tokenizer_of(processor: Any) -> Any:
    """The tokenizer of a processor, which of a model of text is the processor itself."""
    return getattr(processor, "tokenizer", processor)
