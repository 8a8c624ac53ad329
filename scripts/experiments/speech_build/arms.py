"""What makes a mouth of a recording without having been trained, and how mouths are scored."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from speech_build.cases import Case, Cases, owners

from semanticface.data.speech_corpus import manner_of, style_of
from semanticface.metrics.geometry import compare_clips
from semanticface.metrics.mouth_sets import MOUTH_31
from semanticface.metrics.speech import SpeechSums, speech_sums
from semanticface.metrics.zones import find_zones
from semanticface.render.head import load_head
from semanticface.rig import FaceClip
from semanticface.speech.mouth_shapes import ShapeForm
from semanticface.speech.rules import animate
from semanticface.speech.spans import spoken_spans


def scored(case: Case, clip: FaceClip) -> SpeechSums:
    """Against the truth, contacts where they truly are."""
    take, heard = case.take, case.take.spoken.contours
    loud = None if heard is None else heard.at(heard.loudness, take.clip.times)
    spans = spoken_spans(take.spoken.timeline)
    return speech_sums(clip.values[: len(take.clip)], take.clip.times, spans,
                       truth=take.clip.values, loudness=loud)  # fmt: skip


def by_rules(case: Case) -> FaceClip:
    told = animate(case.spoken.timeline, case.spoken.contours, rate=30)
    return _as_long(told, case)


def by_the_speaker(case: Case, seed: int) -> FaceClip:
    """The rules with the speaker's own style and manner, without the trembling: no model that
    does not know the sentence's own draw can be better but by luck."""
    sample = case.take.sample
    number = int(sample.sentence)
    manner = manner_of(sample.subject, seed, number)._replace(tremble=0.0)
    told = animate(case.spoken.timeline, case.spoken.contours, rate=30,
                   style=style_of(sample.subject, seed, number), manner=manner)  # fmt: skip
    return _as_long(told, case)


def by_shapes(case: Case) -> FaceClip:
    """The truth as the nearest shapes: what one token a frame can say."""
    form = ShapeForm()
    read = form.read(form.write(case.take.clip.values), len(case.take.clip))
    return _clip(case, read.values)


def always(row: np.ndarray) -> Callable[[Case], FaceClip]:
    return lambda case: _clip(case, np.repeat(row[None], len(case.take.clip), 0))


def _clip(case: Case, values: Any) -> FaceClip:
    return FaceClip(np.asarray(values, np.float32), case.take.clip.times, case.take.clip.present)


def _as_long(clip: FaceClip, case: Case) -> FaceClip:
    values = np.full_like(case.take.clip.values, np.nan)
    count = min(len(clip), len(values))
    values[:count], values[count:] = clip.values[:count], clip.values[count - 1]
    return _clip(case, values)


def judged(cases: Cases, mouth: Callable[[Case], FaceClip], keep: Path) -> dict[str, Any]:
    """Scores of every recording; the mouths themselves are kept for measures to come."""
    made = {name: [mouth(case) for case in some] for name, some in cases.items()}
    keep.parent.mkdir(exist_ok=True)
    mouths = {f"{name}/{i}": clip.values[:, list(MOUTH_31)].astype(np.float16)
              for name, clips in made.items() for i, clip in enumerate(clips)}  # fmt: skip
    np.savez_compressed(keep, allow_pickle=False, **mouths)
    return {name: [_row(*each) for each in zip(some, made[name], owners(some), strict=True)]
            for name, some in cases.items()}  # fmt: skip


def _row(case: Case, clip: FaceClip, owner: str) -> dict[str, Any]:
    lips = compare_clips(load_head(), case.take.clip, clip, _zones())
    return {"sentence": case.take.sample.sentence, "owner": owner, "sums": list(scored(case, clip)),
            "frames": lips.frames, "lve_mean_max": lips.lve_mean_max}  # fmt: skip


@functools.cache
def _zones() -> Any:
    return find_zones(load_head())
