"""A model that answers windows of speech, and its answers put together as a clip.

    speaker = Speaker(model, processor, task)
    spoken = speaker.clip(Spoken(timeline, contours), samples)
    spoken.clip, spoken.unread

Shapes are read in one pass, as the expectation over what the model believes; other forms are
decoded greedily and parsed. A window whose answer cannot be read, or in which the model fails,
leaves a gap, which is counted: nothing is put in its place. The sound of a long recording may
come in blocks (`clip_of`); only what the next windows hear is held.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.data.sounds import Passing
from semanticface.data.speech_tasks import SpeechTask
from semanticface.errors import BadInput, SemanticFaceError, need
from semanticface.rig import COUNT, ClipMeta, FaceClip
from semanticface.speech.audio import RATE, Samples
from semanticface.speech.cues import Spoken, Window
from semanticface.speech.mouth_shapes import Shaped, ShapeForm
from semanticface.speech.stitching import stitch
from semanticface.speech.timeline import Timeline
from semanticface.speech.window_answers import WindowForm, WindowRead, Written
from semanticface.train.hearing import load_hearing
from semanticface.train.loading import Loaded, Source
from semanticface.train.manifest import prompt_json, read_manifest, speech_of
from semanticface.train.predictor import base_of
from semanticface.train.runs import ADAPTER, Run
from semanticface.train.seal import check_seal
from semanticface.train.speech_collation import Asking, shape_ids

Values = NDArray[np.float32]
MOST_TOKENS = 1024
_HOPELESS = 16
"""Windows from the start in which a model may fail: after them it is not the windows."""


class Answered(NamedTuple):
    """One window's answer."""

    text: str
    read: WindowRead
    tokens: int
    """Decoded; 0 where the answer was read in one pass."""
    error: Exception | None = None
    """What went wrong in the model."""


class SpokenClip(NamedTuple):
    """A recording's mouth by a model."""

    clip: FaceClip
    answers: dict[Window, Answered]
    missing: int
    """Frames that no window gave; NaN in the clip."""

    @property
    def unread(self) -> list[str]:
        """Why windows could not be read, a line each."""
        return [f"{w.start:.2f} to {w.end:.2f} s: {a.read.why}" for w, a in self.answers.items()
                if a.read.values is None]  # fmt: skip


@dataclass
class Speaker:
    """A model, what prepares its input, and what it is asked."""

    model: Any
    processor: Any
    task: SpeechTask
    batch: int = 8
    most: int = MOST_TOKENS
    asking: Asking = field(init=False)

    def __post_init__(self) -> None:
        self.asking = Asking(self.processor, self.task)

    def clip(self, spoken: Spoken, samples: Samples, seconds: float | None = None) -> SpokenClip:
        """The mouth of a recording of at most minutes, held in memory."""
        length = len(samples) / RATE if seconds is None else seconds
        return self.clip_of(spoken, [samples], length)

    def clip_of(self, spoken: Spoken, blocks: Iterable[Samples], seconds: float) -> SpokenClip:
        """The mouth of a recording of any length by its blocks from the start."""
        frames = max(1, int(np.ceil(seconds * self.task.rate - 1e-6)))
        windows = self.task.cut.windows(frames, self.task.rate)
        answers = dict(zip(windows, self._answers(spoken, Passing(blocks), windows), strict=True))
        whole = {w: a.read.values for w, a in answers.items() if a.read.values is not None}
        told = stitch(whole, frames)
        present = np.zeros(COUNT, np.bool_)
        present[list(self.task.form.channels)] = True
        meta = ClipMeta(source="speech", notes={"made_by": "model", "rate": self.task.rate,
                                                "form": self.task.form.form})  # fmt: skip
        clip = FaceClip(told.values, np.arange(frames) / self.task.rate, present, meta)
        return SpokenClip(clip, answers, told.missing)

    def windows(
        self, spoken: Spoken, samples: Samples, windows: Sequence[Window]
    ) -> list[Answered]:
        """An answer for each window, in rising order; the samples begin at time zero."""
        return self._answers(spoken, Passing([samples]), windows)

    def _answers(
        self, spoken: Spoken, passing: Passing, windows: Sequence[Window]
    ) -> list[Answered]:
        found: list[Answered] = []
        for first in range(0, len(windows), self.batch):
            part = windows[first : first + self.batch]
            sounds = [passing.span(*self.task.heard(w)) if self.task.audio else None for w in part]
            found += self._tried(spoken, sounds, part)
            if len(found) >= min(_HOPELESS, len(windows)) and all(each.error for each in found):
                raise SemanticFaceError(f"no window could be answered: {found[0].read.why}")
        return found

    def _tried(
        self, spoken: Spoken, sounds: Sequence[Samples | None], windows: Sequence[Window]
    ) -> list[Answered]:
        """The answers of a batch; where it fails, each window alone, a gap for those that fail."""
        try:
            return self._batch(spoken, sounds, windows)
        except BadInput:
            raise
        except (RuntimeError, ValueError, ArithmeticError, LookupError) as error:
            if len(windows) == 1:
                why = f"the model failed: {' '.join(str(error).split())[:200]}"
                return [Answered("", WindowRead(None, why), 0, error)]
        return [self._tried(spoken, [sound], [window])[0]
                for sound, window in zip(sounds, windows, strict=True)]  # fmt: skip

    def _batch(
        self, spoken: Spoken, sounds: Sequence[Samples | None], windows: Sequence[Window]
    ) -> list[Answered]:
        import torch

        task = self.task
        prompts = [task.about(spoken, w) for w in windows]
        with torch.inference_mode():
            inputs = self.asking.requests(prompts, sounds)
            forms = [task.form_for(spoken, w) for w in windows]
            shaped = [each for each in forms if not isinstance(each, WindowForm)]
            if shaped:
                return self._believed(shaped, inputs, windows)
            return self._decoded(forms[0], inputs, windows)

    def _believed(
        self, forms: Sequence[Shaped], inputs: Any, windows: Sequence[Window]
    ) -> list[Answered]:
        """Slots after each request; the scores there, over the shapes alone."""
        import torch

        longest = max(w.frames for w in windows)
        slots, ids = self.asking.slots(longest), inputs["input_ids"]
        lengths = inputs["attention_mask"].sum(1)
        more = torch.full((len(ids), longest), self.asking.tokenizer.pad_token_id)
        ids = torch.cat([ids, more], 1)
        mask = torch.cat([inputs["attention_mask"], torch.zeros_like(more)], 1)
        places = lengths[:, None] + torch.arange(longest)
        ids.scatter_(1, places, torch.tensor(slots).expand(len(ids), -1))
        mask.scatter_(1, places, 1)
        told = {**inputs, "input_ids": ids, "attention_mask": mask}
        logits = self._scores(told)
        rows = logits[torch.arange(len(ids))[:, None], places][
            ..., shape_ids(self.asking.tokenizer)
        ]
        belief = rows.float().softmax(-1).double().numpy()
        return [self._shaped(form, each[: w.frames], w)
                for form, each, w in zip(forms, belief, windows, strict=True)]  # fmt: skip

    def _shaped(self, form: Shaped, belief: NDArray[np.float64], window: Window) -> Answered:
        """What is said of beliefs [frames, shapes]: their expectation."""
        text = "".join(f"<m{k}>" for k in belief.argmax(1))
        return Answered(text, WindowRead(form.believed(belief), ""), 0)

    def _scores(self, inputs: dict[str, Any]) -> Any:
        device = self.model.device
        moved = {key: each.to(device) for key, each in inputs.items()}
        return self.model(**moved).logits.cpu()

    def _decoded(self, form: Written, inputs: Any, windows: Sequence[Window]) -> list[Answered]:
        """One after another: sound of several lengths does not pad on the left everywhere."""
        if len(windows) > 1:
            raise BadInput(f"{len(windows)} windows decoded at once", "one", hint="Set batch to 1.")
        tokenizer = self.asking.tokenizer
        moved = {key: each.to(self.model.device) for key, each in inputs.items()}
        ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
        out = self._written({**moved, **ends, "max_new_tokens": self.most}, windows[0])
        fresh = out[0, inputs["input_ids"].shape[1] :]
        text = tokenizer.decode(fresh, skip_special_tokens=True)
        whole = bool((fresh == tokenizer.eos_token_id).any())
        read = form.read(text, windows[0].frames) if whole else WindowRead(None, "cut off")
        return [Answered(text, read, len(fresh))]

    def _written(self, asked: dict[str, Any], window: Window) -> Any:
        """The model's tokens, the likeliest ones."""
        return self.model.generate(**asked, do_sample=False)


def batch_of(task: SpeechTask) -> int:
    """How many windows are answered at once: what is decoded goes one after another."""
    return 16 if isinstance(task.form, ShapeForm) else 1


def speaker(model: Any, processor: Any, task: SpeechTask, most: int = MOST_TOKENS) -> Speaker:
    """A speaker that batches what can be batched."""
    return Speaker(model, processor, task, batch_of(task), most)


@dataclass
class ModelEar:
    """A model that hears alone, as the `Mouth` of `speech.live`."""

    speaker: Speaker

    def __post_init__(self) -> None:
        if self.speaker.task.cues:
            raise BadInput("a model that was trained with cues", "one trained with cues: audio",
                           hint="Live there is no transcript.")  # fmt: skip
        self(np.zeros(RATE, np.float32), self.speaker.task.rate)  # the first pass takes longest

    def __call__(self, samples: Samples, rate: float, start: float | None = None) -> Values:
        """Frames of a stretch of sound, at the model's own rate; what came before is not used."""
        if rate != self.speaker.task.rate:
            raise BadInput(f"{rate} frames a second", f"the model's {self.speaker.task.rate}")
        nothing = Spoken(Timeline((), seconds=len(samples) / RATE))
        return self.speaker.clip(nothing, samples).clip.values


def opened(folder: Path, base: str | None = None) -> Speaker:
    """The speaker of a finished run; `base` is where its base model lies now."""
    held, result = read_manifest(folder / "manifest.json"), Run(folder).result()
    check_seal(result)
    task = speech_of(held)
    if prompt_json(task) != held["prompt"]:
        hint = "Use the version of this package it was trained with."
        raise BadInput(f"another text of the prompt {task.prompt}", "the one it was trained with",
                       file=folder, hint=hint)  # fmt: skip
    loaded = _loaded(folder, base, held, task)
    device = "cuda" if torch_has_gpu() else "cpu"
    model = loaded.model.eval()
    if not getattr(model, "is_quantized", False):
        model = model.to(device)
    return speaker(model, loaded.processor, task)


def _loaded(folder: Path, base: str | None, held: dict[str, Any], task: SpeechTask) -> Loaded:
    result, dtype = Run(folder).result(), held["config"].get("dtype", "auto")
    if result.name != ADAPTER:
        return load_hearing(Source(str(result), dtype), task)
    peft = need("peft", "train", "Loading an adapter")
    quantised = bool(held["config"].get("quantised"))
    under = load_hearing(Source(base_of(folder, base), dtype, quantised), task)
    return Loaded(peft.PeftModel.from_pretrained(under.model, str(result)), under.processor)


def torch_has_gpu() -> bool:
    """Whether there is a device faster than the processor."""
    import torch

    return bool(torch.cuda.is_available())
