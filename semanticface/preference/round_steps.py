"""The five steps of a round, on a store, a sampler and the DPO of `align`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from semanticface.data.records import Record
from semanticface.errors import BadInput
from semanticface.preference.candidates import Candidate, Duel, regional_pair, sampled
from semanticface.preference.difference import worth_asking
from semanticface.preference.oracle import Oracle, Traits, let_judge
from semanticface.preference.pairing import truths_of
from semanticface.preference.round_evaluation import Samplers, evaluate
from semanticface.preference.round_parts import (
    add_checks,
    asked_about,
    faces_of,
    item_of,
    project_in,
    store_of,
    task_of,
    wait_for_people,
)
from semanticface.preference.rounds import Do, Plan, Step, Work
from semanticface.preference.sampling import Sample, Sampler, by_record, collect
from semanticface.preference.selection import select
from semanticface.preference.store.content import add_pairs, known_rater
from semanticface.preference.store.preferred import Filter, write_preferences


def steps(samplers: Samplers) -> dict[Step, Do]:
    """What `rounds.go` does; samplers come from a run's folder or from a server."""
    return {
        "sample": lambda work: _sample(work, samplers), "pair": _pair, "judge": _judge,
        "train": _train, "evaluate": lambda work: evaluate(work, samplers),
    }  # fmt: skip


def _faces(work: Work) -> tuple[Record, ...]:
    """Of this round."""
    return faces_of(work.plan, "train", work.plan.faces, work.plan.seed + work.round)


# -- sample -------------------------------------------------------------------


def _sample(work: Work, samplers: Samplers) -> dict[str, Any]:
    faces = _faces(work)
    told = collect(samplers(work.before), faces, work.plan.samples,
                   _answers(work), seed=work.plan.seed + 1000 * work.round)  # fmt: skip
    return {"faces": len(faces), "answers": len(told)}


# -- pair ---------------------------------------------------------------------


def _pair(work: Work) -> dict[str, Any]:
    store = store_of(work)
    project = project_in(store, work)
    faces = {each.id: each for each in _faces(work)}
    form, pool = task_of(work).form, list[tuple[Duel, Record]]()
    counts = dict.fromkeys(("pairs", "alike", "unread"), 0)
    for name, some in by_record(_kept(work)):
        told = sampled(((f"round {work.round} {each.number}", each.text) for each in some), form)
        counts["unread"] += len(told.unread)
        sifted = worth_asking(_duels(told.candidates, work, name))
        counts["alike"] += sifted.alike + sifted.unfair
        pool += [(duel, faces[name]) for duel in sifted.kept]
    if not pool:
        raise BadInput(f"no pair that looks different ({counts})", "answers that differ",
                       hint="Raise temperature, samples or faces.")  # fmt: skip
    for duel, face, worth in _telling(work.plan, pool):
        add_pairs(store, project.id, item_of(store, face), [duel], worth=[worth])
        counts["pairs"] += 1
    if work.plan.judge == "human":
        counts["checks"] = add_checks(store, project, list(faces.values()), work.plan.regions,
                                      counts["pairs"])  # fmt: skip
    store.close()
    return {**counts, "not_asked": len(pool) - counts["pairs"]}


def _telling(
    plan: Plan, pool: Sequence[tuple[Duel, Record]]
) -> list[tuple[Duel, Record, float]]:  # fmt: skip
    """The pairs that are asked, the most telling first where not all are.

    Without a discriminator nobody has learnt anything yet, and channels and people that were
    asked about least come first.
    """
    if not plan.ask or len(pool) <= plan.ask:
        return [(duel, face, 0.0) for duel, face in pool]
    predicted = None
    if plan.discriminator:
        from semanticface.preference.discriminator import load
        from semanticface.preference.learned import believed

        predicted = believed(load(plan.discriminator), asked_about(pool)).members
    chosen = select([duel for duel, _ in pool], [face.subject for _, face in pool], plan.ask,
                    predicted=predicted)  # fmt: skip
    return [(*pool[each.place], each.worth) for each in chosen]


def _kept(work: Work) -> tuple[Sample, ...]:
    # Bytes: an answer may hold breaks that only text knows, such as U+2028.
    lines = _answers(work).read_bytes().splitlines()[1:]
    return tuple(Sample(**json.loads(line)) for line in lines)


def _duels(found: Sequence[Candidate], work: Work, name: str) -> list[Duel]:
    """For each region some pairs of drawn answers; the rest of the face is the likeliest's."""
    whole = [each for each in found if not each.missing]
    if len(whole) < 2:
        return []
    base, others = whole[0], whole[1:] if len(whole) > 2 else whole
    rng = np.random.default_rng([work.plan.seed, work.round, *sha256(name.encode()).digest()[:4]])
    duels = []
    for region in work.plan.regions:
        for _ in range(work.plan.per_region):
            one, other = rng.choice(len(others), 2, replace=False)
            duels.append(regional_pair(base, others[int(one)], others[int(other)], region))
    return duels


# -- judge --------------------------------------------------------------------


def _judge(work: Work) -> dict[str, Any]:
    store = store_of(work)
    project, plan, left_out = project_in(store, work), work.plan, 0
    if plan.judge == "human":
        left_out = wait_for_people(store, project, work).left_out
    elif plan.judge == "oracle":
        traits = Traits()
        rater = known_rater(store, project.id, "oracle", "oracle", traits.as_json())
        let_judge(store, project, rater, Oracle(traits, seed=plan.seed + work.round),
                  truths_of(project, _faces(work)))  # fmt: skip
    else:
        from semanticface.preference.discriminator import load
        from semanticface.preference.learned import let_discriminate

        rater = known_rater(store, project.id, "discriminator", "discriminator", plan.discriminator)
        let_discriminate(store, project, rater, load(plan.discriminator))
    written = write_preferences(store, project.id, work.place / "preferences.jsonl",
                                Filter((plan.judge,)))  # fmt: skip
    store.close()
    if not written.rows:
        raise BadInput(f"no pair that was decided ({left_out} skipped by all)", "one at least",
                       file=work.place, hint="Invite others to this round's project.")  # fmt: skip
    return {"judge": plan.judge, "preferences": written.rows, "left_out": left_out,
            "verdicts": sum(written.manifest["judged_by"].values())}  # fmt: skip


# -- train --------------------------------------------------------------------


def _train(work: Work) -> dict[str, Any]:
    from semanticface.preference.align.run import parse
    from semanticface.preference.align.whole import aligned
    from semanticface.train.runs import Run, read_journal

    run = Run(work.run)
    if not run.finished():
        aligned(parse(_flags(work)))
    probes = read_journal(run.probes)
    alarm = any("alarm" in row for row in read_journal(run.log))
    return {"run": str(work.run.relative_to(work.folder)), "collapsed": alarm,
            "probe": probes[-1] if probes else {}}  # fmt: skip


def _flags(work: Work) -> list[str]:
    told = {
        "preferences": work.place / "preferences.jsonl", "media": work.folder / "store" / "media",
        "output_dir": work.run, **work.plan.training,
    }  # fmt: skip
    if work.before:
        told["start"] = work.before
    if work.plan.answer and work.round == 1:
        told["answer"] = work.plan.answer
    return [word for key, value in told.items() for word in
            (f"--{key}", *map(str, value if isinstance(value, list) else [value]))]  # fmt: skip


# -- parts --------------------------------------------------------------------


def _answers(work: Work) -> Path:
    return work.place / "answers.jsonl"


def run_samplers(plan: Plan) -> Samplers:
    """Draw from runs' folders on this machine; the start's answer is chosen by the plan."""
    from semanticface.preference.sampling import of_run

    def sampler(place: str) -> Sampler:
        answer = plan.answer if place == plan.start else ""
        return of_run(place, temperature=plan.temperature, answer=answer)

    return sampler
