"""The five steps of a round of a run of speech: `rounds.go` does them as it does those of pictures.

Recordings stand where faces stand: those of the side `train` are answered, those of `val`
compared with the very first start, by an oracle, in the stretches and regions of the plan.
Verdicts come from an oracle with the truth or from people; a discriminator knows stills only.
"""

from __future__ import annotations

import json
from hashlib import sha256
from heapq import nsmallest
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semanticface.data.speech_samples import SpeechSample
from semanticface.data.speech_tasks import SpeechTask, Take
from semanticface.errors import BadInput
from semanticface.preference.oracle import Oracle, Traits, let_judge
from semanticface.preference.regions import region_of
from semanticface.preference.round_parts import project_in, store_of, wait_for_people
from semanticface.preference.round_steps import train
from semanticface.preference.rounds import Do, Plan, Step, Work
from semanticface.preference.speech_pairs import How, fill, sampled_in, truths_in
from semanticface.preference.speech_sampling import Voice, voice_of
from semanticface.preference.store.content import known_rater
from semanticface.preference.store.preferred import Filter, write_preferences
from semanticface.preference.waiting import standing

Values = NDArray[np.float32]


def speech_steps(plan: Plan) -> dict[Step, Do]:
    """What `rounds.go` does with a run of speech."""
    if plan.discriminator or plan.ask:
        raise BadInput("a discriminator, or the most telling pairs, of speech", "neither",
                       hint="A discriminator knows stills only.")  # fmt: skip
    if plan.evaluator != "oracle":
        raise BadInput("rounds of speech evaluated by people", "an oracle with the truth",
                       hint="--evaluated-by oracle")  # fmt: skip
    return {"sample": _sample, "pair": _pair, "judge": _judge, "train": train,
            "evaluate": _evaluate}  # fmt: skip


def recordings_of(plan: Plan, side: str, most: int, seed: int = 0) -> tuple[SpeechSample, ...]:
    """Recordings of a side, those with the smallest hashes, by id."""
    from semanticface.train.options import DataOptions
    from semanticface.train.speech_rows import allowed_samples, side_of

    if not plan.data:
        raise BadInput("rounds without recordings", "--data: a corpus of speech")
    allowed = allowed_samples(DataOptions(stage="speech"), Path(plan.data).expanduser())
    some = (each for each in allowed if side_of(each) == side)
    found = nsmallest(most, some, key=lambda r: sha256(f"{seed}/{r.id}".encode()).digest())
    if not found:
        raise BadInput(f"no recording on the side '{side}'", "some, of other sentences",
                       file=plan.data)  # fmt: skip
    return tuple(sorted(found, key=lambda each: each.id))


def _how(plan: Plan, task: SpeechTask, number: int) -> How:
    return How(plan.samples, (), _regions(plan, task), plan.per_region, plan.windows,
               seed=plan.seed + number)  # fmt: skip


def _regions(plan: Plan, task: SpeechTask) -> tuple[str, ...]:
    """Those of the plan that a mouth has a part in."""
    mouth = set(task.form.channels)
    found = tuple(each for each in plan.regions if mouth & set(region_of(each).channels))
    if not found:
        raise BadInput(f"regions {', '.join(plan.regions)}", "lower, mouth, jaw or full")
    return found


def _voice(work: Work) -> Voice:
    return voice_of(work.before, temperature=work.plan.temperature)


def _asked(work: Work) -> tuple[SpeechSample, ...]:
    plan = work.plan
    return recordings_of(plan, "train", plan.faces, plan.seed + work.round)


# -- sample, pair, judge ------------------------------------------------------


def _sample(work: Work) -> dict[str, Any]:
    voice, name = _voice(work), f"round {work.round}"
    how = _how(work.plan, voice.task, work.round)
    told = sampled_in(work.place / "answers", name, voice, _asked(work), how)
    answers = [each for some in told.answers for each in some]
    return {"recordings": len(told.recordings), "answers": len(answers),
            "unread": sum(each.unread for each in answers)}  # fmt: skip


def _pair(work: Work) -> dict[str, Any]:
    voice, store = _voice(work), store_of(work)
    how = _how(work.plan, voice.task, work.round)
    project = project_in(store, work)
    told = fill(store, project, [(f"round {work.round}", voice)], _asked(work), how,
                work.place / "answers")  # fmt: skip
    pairs = standing(store, project).pairs
    store.close()
    if not pairs:
        raise BadInput(f"no pair that looks different ({told.alike} alike, {told.unread} unread)",
                       "answers that differ", hint="Raise temperature or samples.")  # fmt: skip
    return {"pairs": pairs, "alike": told.alike, "unread": told.unread}


def _judge(work: Work) -> dict[str, Any]:
    store, plan, left_out = store_of(work), work.plan, 0
    project = project_in(store, work)
    if plan.judge == "human":
        left_out = wait_for_people(store, project, work).left_out
    else:
        traits = Traits()
        rater = known_rater(store, project.id, "oracle", "oracle", traits.as_json())
        let_judge(store, project, rater, Oracle(traits, seed=plan.seed + work.round),
                  truths_in(store, project, _asked(work)))  # fmt: skip
    written = write_preferences(store, project.id, work.place / "preferences.jsonl",
                                Filter((plan.judge,)))  # fmt: skip
    store.close()
    if not written.rows:
        raise BadInput(f"no pair that was decided ({left_out} skipped by all)", "one at least",
                       file=work.place)  # fmt: skip
    return {"judge": plan.judge, "preferences": written.rows, "left_out": left_out,
            "verdicts": sum(written.manifest["judged_by"].values())}  # fmt: skip


# -- evaluate -----------------------------------------------------------------


def _evaluate(work: Work) -> dict[str, Any]:
    from semanticface.preference.align.speech_watch import clip_wins

    plan, task = work.plan, _voice(work).task
    takes = [task.take(each) for each in recordings_of(plan, "val", plan.held_out)]
    mine, first = (_clips(work, name, place, takes)
                   for name, place in (("mine", str(work.run)), ("first", plan.start)))  # fmt: skip
    found = clip_wins(mine, first, takes, task, _regions(plan, task))
    if not found.duels:
        raise BadInput("recordings held out without a whole window", "truth of all channels",
                       file=plan.data)  # fmt: skip
    errors = {name: _error(some, takes) for name, some in (("mae", mine), ("mae_start", first))}
    return {"preference": found.rate, "duels": found.duels, "by": "oracle", **errors}


def _clips(work: Work, name: str, place: str, takes: list[Take]) -> list[Values]:
    """What a run makes of the recordings, from the disk where it was asked before."""
    from semanticface.speech.audio import Recording
    from semanticface.train.places import run_folder
    from semanticface.train.speaking import opened

    kept, names = work.place / f"held_out_{name}.npz", [each.sample.id for each in takes]
    if kept.is_file():
        with np.load(kept) as held:
            if json.loads(str(held["names"])) == names:
                return [held[f"arr_{i}"] for i in range(len(takes))]
    speaker = opened(run_folder(place))
    made = [speaker.clip(take.spoken, Recording(take.sample.audio).samples(),
                         len(take.clip) / speaker.task.rate).clip.values
            for take in takes]  # fmt: skip
    np.savez_compressed(kept, *made, names=np.array(json.dumps(names)))
    return made


def _error(told: list[Values], takes: list[Take]) -> float | None:
    """Mean absolute error over what both have."""
    gaps = np.concatenate([np.abs(each - take.clip.values).ravel()
                           for each, take in zip(told, takes, strict=True)])  # fmt: skip
    known = gaps[~np.isnan(gaps)]
    return float(known.mean()) if len(known) else None
