"""Which cues help a small model of speech, on a synthetic corpus: trains, scores, tabulates.

    python scripts/speech_corpus.py CORPUS --sentences 300 --each 2 --seed 7
    python scripts/experiments/speech_cues.py run CORPUS OUT --steps 200 --seeds 3
    python scripts/experiments/speech_cues.py table CORPUS OUT        # everything
    python scripts/experiments/speech_cues.py overview CORPUS OUT     # a row an arm
    python scripts/experiments/speech_cues.py run CORPUS OUT2 --steps 1000 --seeds 1 --cues phones
    python scripts/experiments/speech_cues.py run CORPUS OUT --cues timed --windows 6/4 30/27
    python scripts/experiments/speech_cues.py run CORPUS OUT3 --real speech/samples.jsonl
    python scripts/experiments/speech_cues.py run CORPUS OUT4 --rough ROUGH/samples.jsonl
    python scripts/experiments/speech_cues.py run CORPUS OUT2 --seeds 0 --runs runs/audioface_nano

Each run is recipes/configs/audioface_nano.yaml with other cues, window or seed; every one is
scored on whole recordings: unseen sentences of known voices, an unseen voice, noise (cues
aligned anew on the noisy sound), and the transcript of another sentence (its phone times
stretched to this sound). The same command goes on with what was stopped: runs that OUT has are
not made again, and one that was being trained goes on from its last checkpoint (OUT/ARM has
them and log.jsonl) as if it had not been stopped. The truth is synthetic, but
for `--real`: samples of people (scripts/speech_samples.py), by sides of their sentences. Every
run is scored on those held out, and one more learns from the others too.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from speech_build.arms import always, by_rules, by_shapes, by_the_speaker, judged
from speech_build.cases import MANY, Case, conditions, kept, plain, read_take
from speech_build.learning import SAVE, Plan, train
from speech_build.overview import overview
from speech_build.report import table

from semanticface.atomic import write_text
from semanticface.data.sounds import cut
from semanticface.data.speech_samples import SpeechSample, read_samples
from semanticface.data.speech_tasks import SpeechTask
from semanticface.data.splits import DEFAULT
from semanticface.rig import FaceClip
from semanticface.speech.audio import RATE
from semanticface.speech.cues import SETS, cues_of
from semanticface.train.runs import read_journal


def plans(
    seeds: int, only: Sequence[str] = (), windows: Sequence[tuple[int, int]] = (), *,
    real: bool = False, rough: bool = False,
) -> Iterator[Plan]:  # fmt: skip
    """Seed by seed, so that a part of them is of use; windows in place of the usual ones."""
    wanted = only or tuple(SETS)
    for seed in range(seeds):
        if windows:
            yield from (Plan(cues, seed, *each) for cues in wanted for each in windows)
            continue
        yield from (Plan(cues, seed) for cues in wanted)
        if real:
            yield from (Plan(cues, seed, real=True) for cues in wanted)
        if rough:
            yield from (Plan(cues, seed, rough=True) for cues in wanted)


def by_model(loaded: Any, task: SpeechTask) -> Callable[[Case], FaceClip]:
    from semanticface.train.speaking import speaker

    return by_speaker(speaker(loaded.model, loaded.processor, task))


def by_speaker(asked: Any) -> Callable[[Case], FaceClip]:
    def mouth(case: Case) -> FaceClip:
        seconds = len(case.take.clip) / asked.task.rate
        samples = cut(case.sound, 0, max(seconds, len(case.sound) / RATE))
        return asked.clip(case.spoken, samples, seconds).clip

    return mouth


def run(corpus: Path, out: Path, asked: argparse.Namespace) -> None:
    out.mkdir(parents=True, exist_ok=True)
    journal = out / "scores.jsonl"
    done = {row["name"] for row in read_journal(journal)}
    clock = time.process_time()
    samples = list(read_samples(corpus / "samples.jsonl"))
    cases = kept(out / "cases.pickle", lambda: conditions(corpus))
    people = [] if asked.real is None else dealt(asked.real)
    if people:
        cases["real takes"] = [plain(each) for each in people if each.split == "test"][:MANY]
    told(f"{sum(map(len, cases.values()))} recordings to score", clock)
    rough = [] if asked.rough is None else list(read_samples(asked.rough))
    learnt = [read_take(s).clip.values for s in samples if s.split == "train"]
    mean = np.concatenate(learnt).mean(axis=0)  # NaN outside the mouth
    told("the training recordings are read", clock)
    for name, mouth in {
        "rules": by_rules,
        "rules with the speaker's own manner": lambda c: by_the_speaker(c, asked.corpus_seed),
        "truth as shapes": by_shapes, "mean of training": always(mean),
        "all zero": always(np.where(np.isnan(mean), np.nan, 0)),
    }.items():  # fmt: skip
        if name not in done:
            scores = judged(cases, mouth, out / "mouths" / f"{name}.npz")
            write(journal, {"name": name, "scores": scores})
    from semanticface.train.speaking import opened

    for folder in asked.runs:
        name = f"the run {folder.name}"
        if name not in done:
            scores = judged(cases, by_speaker(opened(folder)), out / "mouths" / f"{name}.npz")
            write(journal, {"name": name, "scores": scores})
    for plan in plans(asked.seeds, asked.cues, asked.windows, real=bool(people), rough=bool(rough)):
        if plan.name in done:
            continue
        from_ = (rough if plan.rough else samples) + people * plan.real
        learnt = train(plan, from_, out, asked.steps, save=asked.save_steps)
        told(f"{plan.name}: learnt in {learnt.seconds:.0f} s, now scored", clock)
        some = cases if plan.window == 15 else \
            {key: cases[key] for key in ("unseen sentence", "unseen voice")}  # fmt: skip
        scores = judged(
            some, by_model(learnt.loaded, learnt.task), out / "mouths" / f"{plan.name}.npz"
        )
        write(journal, {"name": plan.name, **plan._asdict(), "steps": asked.steps, "scores": scores,
                        "seconds": learnt.seconds})  # fmt: skip
        told(f"{plan.name}: scored", clock)


def dealt(place: Path) -> list[SpeechSample]:
    """Samples of people, each on a side by its sentence; those without phones are left out."""
    known = [each for each in read_samples(place) if each.alignment is not None]
    return [each.model_copy(update={"split": each.split or DEFAULT.side(each.sentence)})
            for each in known]  # fmt: skip


def write(journal: Path, row: dict[str, Any]) -> None:
    """One row more, whole or not at all, whoever else is writing."""
    with journal.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        rows = {each["name"]: each for each in (*read_journal(journal), row)}
        write_text(journal, "".join(json.dumps(each) + "\n" for each in rows.values()))


def window(text: str) -> tuple[int, int]:
    frames, _, hop = text.partition("/")
    return int(frames), int(hop)


def told(what: str, since: float) -> None:
    print(f"{what} ({time.process_time() - since:.0f} s of processor time)", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("run", "table", "overview"))
    parser.add_argument("places", type=Path, nargs=2, metavar=("CORPUS", "OUT"))
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--save-steps", type=int, default=SAVE, help="steps between checkpoints")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--corpus-seed", type=int, default=7)
    parser.add_argument("--cues", nargs="*", default=(), help=f"these alone, of {', '.join(SETS)}; "
                        "parts left out after one: articulation-stress")  # fmt: skip
    parser.add_argument("--windows", type=window, nargs="*", default=(), metavar="FRAMES/HOP",
                        help="in place of 15/12")  # fmt: skip
    parser.add_argument("--runs", type=Path, nargs="*", default=(), help="finished runs to score")
    parser.add_argument("--real", type=Path, help="samples.jsonl of recordings of people")
    parser.add_argument("--rough", type=Path, help="samples.jsonl with copies in noise")
    asked = parser.parse_args()
    for each in asked.cues:
        cues_of(each)  # before anything is made
    corpus, out = asked.places
    if asked.what == "overview":
        overview(out)
    elif asked.what == "table":
        table(out, kept(out / "cases.pickle", lambda: conditions(corpus)))
    else:
        run(corpus, out, asked)


if __name__ == "__main__":
    main()
