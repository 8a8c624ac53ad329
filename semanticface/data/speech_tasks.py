"""The task of giving the mouth of a stretch of speech: beside `tasks.Task`, for sound and cues.

    task = SpeechTask.of("codes", cues="articulation")
    for row in task.examples(sample): ...            # prompt, completion, audio span, window
    clip, missing = task.assemble(take, answers)     # answers by window, stitched
    task.score(take, window, completion).reward

**Reward.** With E the mean absolute error over the mouth set and A the same over values of
0.1 or more in the truth (E where there are none), and C the share of the window's contacts
(lips at p, b, m; teeth at f, v) that are made (1 where there are none):

    reward = exp(-2 (E + A)) * (0.6 + 0.4 C)         0 where the answer cannot be read

It is this project's own.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface import formats
from semanticface.data.speech_samples import SpeechSample
from semanticface.errors import BadInput, did_you_mean
from semanticface.language.prompts import load_prompt
from semanticface.metrics.events import closed_spans
from semanticface.metrics.mouth_sets import mouth_set
from semanticface.metrics.speech import touches
from semanticface.motion.resample import resample
from semanticface.rig import CHANNELS, COUNT, NAMES, ClipMeta, FaceClip
from semanticface.speech.alignments import WordsOnly, read_alignment
from semanticface.speech.audio import Recording
from semanticface.speech.contours import contours
from semanticface.speech.cues import SETS, Cue, Spoken, Window, cues_of, needs_sound
from semanticface.speech.mouth_shapes import SHAPES, BesideDraft, Shaped, ShapeForm
from semanticface.speech.rules import spoken_only
from semanticface.speech.stitching import Cut, stitch
from semanticface.speech.timeline import Timeline
from semanticface.speech.window_answers import FORMS, WindowForm, WindowRead

Message = dict[str, Any]
PROMPT, SHAPES_PROMPT = "speech/window", "speech/shapes"
_ACTIVE = 0.1


class Take(NamedTuple):
    """A sample read from its files."""

    sample: SpeechSample
    spoken: Spoken
    clip: FaceClip
    """The truth at the task's rate, without anything that was added to it."""


class Span(NamedTuple):
    """Seconds of a recording."""

    start: float
    end: float


class SpeechScore(NamedTuple):
    """A completion beside the truth."""

    readable: bool
    why: str
    mae: float
    active_mae: float
    contacts: float
    """Share of the window's contacts that are made; NaN without any."""
    reward: float


@dataclass(frozen=True)
class SpeechTask:
    """How a stretch of speech is asked about and how an answer stands in text."""

    form: WindowForm | ShapeForm = field(default_factory=WindowForm)
    cut: Cut = field(default_factory=Cut)
    rate: float = 30.0
    cues: tuple[Cue, ...] = SETS["articulation"]
    audio: bool = True
    """Whether the sound goes with the request; else the cues must do."""
    prompt: str = PROMPT
    margin: float = 0.25
    """Seconds of sound on each side of a window that go with it: a mouth is ahead of its sound."""

    def __post_init__(self) -> None:
        if not self.audio and not self.cues:
            raise BadInput("neither sound nor cues", "one of them", hint="Choose cues, or audio.")
        if not (0 <= self.margin <= 5 and 1 <= self.rate <= 240):
            raise BadInput(f"a margin of {self.margin} s at {self.rate} frames a second",
                           "0 to 5 s, and 1 to 240 frames a second")  # fmt: skip

    @classmethod
    def of(
        cls, form: str = "codes", *, cues: str = "articulation", channels: str = "mouth-31",
        frames: int = 15, hop: int = 12, rate: float = 30.0, tolerance: float = 0.03,
        margin: float = 0.25, prompt: str | None = None, shapes: str = "",
    ) -> SpeechTask:  # fmt: skip
        """A task by names; `text` asks by cues alone, every other set sends the sound too.

        `cues` may leave parts out of a set: `articulation-stress-mouth`. `shapes` is a table of
        one's own for that form, by `mouth_shapes.read_table`.
        """
        asked = prompt or (SHAPES_PROMPT if form == SHAPES else PROMPT)
        return cls(_form(form, channels, tolerance, shapes), Cut(frames, hop), rate, cues_of(cues),
                   audio=needs_sound(cues), prompt=asked, margin=margin)  # fmt: skip

    # -- the example ---------------------------------------------------------------

    def take(self, sample: SpeechSample) -> Take:
        """A sample's files, the clip at the task's rate from the sound's beginning on."""
        recording = Recording(sample.audio)
        heard = contours(recording.blocks())
        timeline = timeline_of(sample.alignment, recording.report.seconds)
        clip = spoken_only(formats.read(sample.clip))
        frames = 1 + int(np.floor(clip.times[-1] * self.rate + 1e-3))
        return Take(sample, Spoken(timeline, heard), resample(clip, np.arange(frames) / self.rate))

    def windows(self, take: Take) -> list[Window]:
        """The windows of a take."""
        return self.cut.windows(len(take.clip), self.rate)

    def request(self, take: Take, window: Window) -> list[Message]:
        """The messages before the answer: parts of text and the place of the sound."""
        return self.about(take.spoken, window)

    def about(self, spoken: Spoken, window: Window) -> list[Message]:
        """The same of what is known of a recording."""
        return self.asked(spoken.section(window, self.cues, self.form), window.frames)

    def asked(self, section: str, frames: int) -> list[Message]:
        """The same for a section of cues."""
        told = load_prompt(self.prompt).messages(
            audio=self.audio, cued=bool(self.cues), form=self.form.form,
            names=[NAMES[i] for i in self.form.channels], codes=_legend(self.form.channels),
            count=frames, rate=f"{self.rate:g}", section=section,
        )  # fmt: skip
        return [{"role": each["role"], "content": _parts(each["content"])} for each in told]

    def form_for(self, spoken: Spoken, window: Window) -> WindowForm | Shaped:
        """The form of a window's answer: shapes are told beside the draft, where one is shown."""
        if isinstance(self.form, ShapeForm) and "draft" in self.cues and spoken.timeline.sounds:
            return self.form.beside(spoken.drafted(window))
        return self.form

    def target(self, take: Take, window: Window) -> str:
        """The text to learn."""
        return self.form_for(take.spoken, window).write(_of(take, window))

    def example(self, take: Take, window: Window) -> dict[str, Any]:
        """A row for supervised fine-tuning; `audio` is a place and a span of seconds."""
        answer = {"type": "text", "text": self.target(take, window)}
        row: dict[str, Any] = {
            "prompt": self.request(take, window),
            "completion": [{"role": "assistant", "content": [answer]}],
            "record": f"{take.sample.id}@{window.first}",
        }
        if self.audio:
            row["audio"] = {"path": take.sample.audio} | self.heard(window)._asdict()
        form = self.form_for(take.spoken, window)
        if not isinstance(form, WindowForm):
            row["mouth"] = packed(_of(take, window)[:, list(self.form.channels)])
        if isinstance(form, BesideDraft):
            row["draft"] = {"places": form.places.tolist(), "left": packed(form.left)}
        return row

    def heard(self, window: Window) -> Span:
        """The seconds of sound that go with a window; before 0 and after the end it is silent."""
        return Span(window.start - self.margin, window.end + self.margin)

    def examples(self, sample: SpeechSample) -> Iterator[dict[str, Any]]:
        """A row for each window of a sample whose truth has no gap."""
        return self.rows(self.take(sample))

    def rows(self, take: Take) -> Iterator[dict[str, Any]]:
        """The same of a take."""
        known = [window for window in self.windows(take) if self.whole(take, window)]
        if not known:
            hint = "Name channels that there are, as mouth-29."
            raise BadInput("no window without a gap", "some with every channel in every frame",
                           file=take.sample.clip, hint=hint)  # fmt: skip
        for window in known:
            yield self.example(take, window)

    def whole(self, take: Take, window: Window) -> bool:
        """Whether the truth has a value of every channel in every frame of a window."""
        return not np.isnan(_of(take, window)[:, list(self.form.channels)]).any()

    # -- the answer ----------------------------------------------------------------

    def read(self, spoken: Spoken, window: Window, completion: str) -> WindowRead:
        """What a completion says of a window."""
        return self.form_for(spoken, window).read(completion, window.frames)

    def assemble(self, take: Take, answers: Mapping[Window, str]) -> tuple[FaceClip, int]:
        """Answers as one clip, and how many frames none of them gave."""
        read = {window: self.read(take.spoken, window, text).values
                for window, text in answers.items()}  # fmt: skip
        whole = {window: values for window, values in read.items() if values is not None}
        told = stitch(whole, len(take.clip))
        present = np.zeros(COUNT, np.bool_)
        present[list(self.form.channels)] = True
        meta = ClipMeta(source=take.sample.id, notes={"form": self.form.form})
        return FaceClip(told.values, take.clip.times, present, meta), told.missing

    def score(self, take: Take, window: Window, completion: str) -> SpeechScore:
        """An answer's worth, in parts and as the reward."""
        return self.worth(take, window, self.read(take.spoken, window, completion))

    def worth(self, take: Take, window: Window, read: WindowRead) -> SpeechScore:
        """The same of an answer that has been read."""
        if read.values is None:
            return SpeechScore(False, read.why, math.nan, math.nan, math.nan, 0.0)
        columns = list(self.form.channels)
        frames = slice(window.first, window.first + window.frames)
        truth = take.clip.values[frames][:, columns]
        error = np.abs(read.values[:, columns] - truth)
        active = error[truth >= _ACTIVE - 1e-6]
        mae = float(np.nanmean(error))
        active_mae = float(np.nanmean(active)) if len(active) else mae
        made = contacts_made(read.values, take, window)
        kept = 1.0 if math.isnan(made) else made
        reward = math.exp(-2 * (mae + active_mae)) * (0.6 + 0.4 * kept)
        return SpeechScore(True, "", mae, active_mae, made, reward)

    def reward(self, take: Take, window: Window, completion: str) -> float:
        """One number from 0 to 1; see the formula above."""
        return self.score(take, window, completion).reward


def _of(take: Take, window: Window) -> NDArray[np.float32]:
    """[N, 61] of the truth."""
    return take.clip.values[window.first : window.first + window.frames]


def packed(mouth: NDArray[np.floating[Any]]) -> str:
    """Values as text: half precision, base64."""
    return base64.b64encode(np.asarray(mouth, "<f2").tobytes()).decode()


def unpacked(text: str, channels: int) -> NDArray[np.float32]:
    """Rows of channels, as they were to 0.0005."""
    held = np.frombuffer(base64.b64decode(text), "<f2")
    return held.reshape(-1, channels).astype(np.float32)


def _form(form: str, channels: str, tolerance: float, own: str) -> WindowForm | ShapeForm:
    if form == SHAPES:
        if channels != "mouth-31":
            raise BadInput(f"shapes of {channels}", "mouth-31: the table has no other")
        return ShapeForm(own=own)
    if own:
        raise BadInput(f"a table of shapes with {form}", "shapes")
    if form not in FORMS:
        raise BadInput(f"the form '{form}'", f"one of {', '.join((*FORMS, SHAPES))}",
                       hint=did_you_mean(form, (*FORMS, SHAPES)))  # fmt: skip
    return WindowForm(form, mouth_set(channels), tolerance)


def timeline_of(alignment: str | None, seconds: float) -> Timeline:
    """What is said when, by a sample's alignment; nothing that is known where it has none."""
    if alignment is None:
        return Timeline((), seconds=seconds)
    found = read_alignment(alignment)
    if isinstance(found, WordsOnly):
        raise BadInput("words without phones", "an alignment with phones", file=alignment,
                       hint="Make one: semanticface speak ... --save-alignment.")  # fmt: skip
    return found


def contacts_made(values: NDArray[np.float32], take: Take, window: Window) -> float:
    """Share of the contacts wholly inside a window that are made; NaN without any."""
    times = (window.first + np.arange(window.frames)) / window.rate
    lips, teeth = (
        [(s, e) for s, e in take.spoken.timeline.contacts(kind)
         if s >= window.start and e <= window.end] for kind in ("lips", "teeth")
    )  # fmt: skip
    face = np.nan_to_num(values.astype(np.float64))
    made = [*closed_spans(face, np.array(lips).reshape(-1, 2), times),
            *(touches(face, times, span) for span in teeth)]  # fmt: skip
    known = [each for each in made if not math.isnan(each)]
    return float(np.mean(known)) if known else math.nan


def _legend(channels: tuple[int, ...]) -> str:
    return ", ".join(f"{CHANNELS[i].code} {CHANNELS[i].name}" for i in channels)


def _parts(text: str) -> list[dict[str, str]]:
    """A message's text with `<audio>` in it, as parts."""
    parts: list[dict[str, str]] = []
    for i, piece in enumerate(text.split("<audio>")):
        if i:
            parts.append({"type": "audio"})
        if piece.strip():
            parts.append({"type": "text", "text": piece.strip("\n")})
    return parts
