"""Onsets, stillness, jaw and voice, visemes, on recordings that wait and break off:

    python scripts/experiments/speech_pauses.py corpus CORPUS --sentences 40
    python scripts/experiments/speech_pauses.py score CORPUS --runs small

`corpus` speaks sentences of the test side, which no model of the package has learnt from, in the
voices that the packaged model knows and in one that it does not, with pauses before, after and
between the words. `score` makes their mouths by the rules (told the true phones, told the words,
or hearing phones alone) and by runs (told the true phones), and prints a table with 95 % intervals
over sentences. The truth is synthetic: rules with a table and a timing of the speaker's own.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from speech_build.arms import always, by_rules, scored
from speech_build.cases import Case, plain
from speech_build.report import DRAWS, _joined, _sounds, crossed, told

from semanticface.data.sounds import cut
from semanticface.data.speech_corpus import build, sentences
from semanticface.data.speech_samples import read_samples
from semanticface.data.splits import DEFAULT
from semanticface.metrics.clusters import by_key
from semanticface.metrics.speech import (
    SpeechSums,
    nearest_visemes,
    speech_scores,
    viseme_confusion,
)
from semanticface.rig import FaceClip
from semanticface.speech.align import Aligner
from semanticface.speech.audio import RATE
from semanticface.speech.contours import contours
from semanticface.speech.cues import Spoken
from semanticface.speech.hear import PhoneLoop, hear
from semanticface.speech.spans import viseme_spans

KNOWN, NEW = ("flite:slt", "flite:rms", "flite:kal16"), "flite:awb"
SHOWN = (("mouth_mae", 4), ("onset_lag", 3), ("onset_spread", 3), ("silence_motion", 4),
         ("jaw_energy", 2), ("closure_rate", 2), ("teeth_rate", 2))  # fmt: skip
Mouth = Callable[[Case], FaceClip]


def corpus(folder: Path, count: int, draw: int, seed: int) -> None:
    """Sentences by a draw of their own, speakers by the seed of those that were learnt from."""
    texts = [each for each in sentences(20 * count, draw) if DEFAULT.side(each) == "test"][:count]
    built = build(folder, texts, seed=seed, voices=[*KNOWN, NEW], voices_each=4, held_out=[NEW],
                  pauses=True)  # fmt: skip
    print(f"{built.samples} samples of {len(texts)} sentences, {built.seconds:.0f} s; "
          f"left out: {len(built.refused)}")  # fmt: skip


def told_words(aligner: Aligner) -> Mouth:
    def mouth(case: Case) -> FaceClip:
        found = aligner.align([case.sound], case.take.sample.text)
        return by_rules(case._replace(spoken=Spoken(found, contours([case.sound]))))

    return mouth


def hearing(loop: PhoneLoop) -> Mouth:
    def mouth(case: Case) -> FaceClip:
        found = hear([case.sound], loop)
        return by_rules(case._replace(spoken=Spoken(found, contours([case.sound]))))

    return mouth


def by_run(place: str) -> Mouth:
    from semanticface.train.places import SMALL_RUN, small_run
    from semanticface.train.speaking import opened

    asked = opened(small_run(speech=True) if place == SMALL_RUN else Path(place))

    def mouth(case: Case) -> FaceClip:
        seconds = len(case.take.clip) / asked.task.rate
        samples = cut(case.sound, 0, max(seconds, len(case.sound) / RATE))
        return asked.clip(case.spoken, samples, seconds).clip

    return mouth


def score(place: Path, runs: list[str]) -> None:
    cases = [plain(each) for each in read_samples(place / "samples.jsonl")]
    mean = np.concatenate([case.take.clip.values for case in cases]).mean(axis=0)
    mouths: dict[str, Mouth] = {
        "the truth": lambda case: case.take.clip,
        "rules, true phones": by_rules, "rules, told the words": told_words(Aligner()),
        "rules, hearing alone": hearing(PhoneLoop()),
        **{f"{run}, true phones": by_run(run) for run in runs},
        "mean of these mouths": always(mean),
    }  # fmt: skip
    made = {name: [mouth(case) for case in cases] for name, mouth in mouths.items()}
    for title, new in (("voices of the packaged model's training", False), ("a new voice", True)):
        picked = [i for i, c in enumerate(cases) if (c.take.sample.subject == NEW) is new]
        table(title, [cases[i] for i in picked],
             {name: [clips[i] for i in picked] for name, clips in made.items()})  # fmt: skip


def table(title: str, cases: list[Case], made: dict[str, list[FaceClip]]) -> None:
    keys = [case.take.sample.sentence for case in cases]
    seconds = sum(case.take.clip.duration for case in cases)
    silent = sum(b - a for c in cases for a, b in c.take.spoken.timeline.silences(0.3))
    print(f"\n## {title}: {len(cases)} recordings of {len(set(keys))} sentences, {seconds:.0f} s, "
          f"{silent:.0f} s of it silence; {DRAWS} draws\n")  # fmt: skip
    print(f"| | {' | '.join(name for name, _ in SHOWN)} | own viseme |")
    print("|---" * (len(SHOWN) + 2) + "|")
    for name, clips in made.items():
        sums = by_key([scored(c, m) for c, m in zip(cases, clips, strict=True)], keys).sums
        cells = [told(crossed([sums], _of(each)), digits) for each, digits in SHOWN]
        print(f"| {name} | {' | '.join(cells)} | {visemes(cases, clips)} |", flush=True)
    first = next(iter(made))
    print(f"\n{int(sum(scored(c, m).onsets for c, m in zip(cases, made[first], strict=True)))} "
          f"onsets, {len(_sounds(cases))} sounds")  # fmt: skip
    confused(cases, made)


def _of(name: str) -> Callable[[Any], Any]:
    return lambda sums: getattr(speech_scores(SpeechSums(*sums)), name)


def visemes(cases: list[Case], clips: list[FaceClip]) -> str:
    """Share of sounds nearest to their own viseme."""
    truth, sounds = _joined([case.take.clip for case in cases]), _sounds(cases)
    seen = nearest_visemes(_joined(clips).values, truth.values, truth.times, sounds)
    hits = iter(float(s[0] == name) for s, name in zip(sounds, seen, strict=True))
    pairs = []
    for case in cases:
        own = [next(hits) for _ in viseme_spans(case.take.spoken.timeline)]
        pairs.append((np.float64(len(own)), np.float64(sum(own))))
    sums = by_key(pairs, [case.take.sample.sentence for case in cases]).sums
    return told(crossed([sums], lambda s: s[1] / s[0]), 2)


def _confusion(cases: list[Case], clips: list[FaceClip]) -> Any:
    truth = _joined([case.take.clip for case in cases])
    return viseme_confusion(_joined(clips).values, truth.values, truth.times, _sounds(cases))


def confused(cases: list[Case], made: dict[str, list[FaceClip]]) -> None:
    """Which viseme is mostly taken for which other."""
    print("\n| | mostly taken for another |\n|---|---|")
    for name, clips in made.items():
        found = _confusion(cases, clips)
        off = found.counts * (1 - np.eye(len(found.names), dtype=int))
        worst = np.argsort(-off.ravel())[:3]
        cells = [f"{found.names[i]} as {found.names[j]} ({off[i, j]} of {found.counts[i].sum()})"
                 for i, j in zip(*np.unravel_index(worst, off.shape), strict=True)]  # fmt: skip
        print(f"| {name} | {', '.join(cells)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("corpus", "score"))
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--sentences", type=int, default=40)
    parser.add_argument("--draw", type=int, default=11, help="which sentences")
    parser.add_argument("--seed", type=int, default=7, help="which speakers")
    parser.add_argument("--runs", nargs="*", default=["small"], help="runs of speech to score")
    asked = parser.parse_args()
    if asked.what == "corpus":
        corpus(asked.corpus, asked.sentences, asked.draw, asked.seed)
    else:
        score(asked.corpus, asked.runs)


if __name__ == "__main__":
    main()
