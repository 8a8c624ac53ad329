"""The five steps of a round, on a store, a sampler and the DPO of `align`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from semanticface.data.records import Record
from semanticface.errors import BadInput
from semanticface.preference.candidates import sampled
from semanticface.preference.oracle import Oracle, Traits, let_judge
from semanticface.preference.pairing import add_checks, truths_of
from semanticface.preference.round_evaluation import Samplers, evaluate
from semanticface.preference.round_parts import (
    faces_of,
    project_in,
    store_of,
    task_of,
    wait_for_people,
)
from semanticface.preference.rounds import Do, Plan, Step, Work
from semanticface.preference.sampled_pairs import pool_of, put, telling
from semanticface.preference.sampling import Sample, Sampler, by_record, collect
from semanticface.preference.store.content import known_rater
from semanticface.preference.store.preferred import Filter, write_preferences


def steps(samplers: Samplers) -> dict[Step, Do]:
    """What `rounds.go` does; samplers come from a run's folder or from a server."""
    return {
        "sample": lambda work: _sample(work, samplers), "pair": _pair, "judge": _judge,
        "train": train, "evaluate": lambda work: evaluate(work, samplers),
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
    form = task_of(work).form
    pool = pool_of(
        ((faces[name], sampled(((f"round {work.round} {each.number}", each.text) for each in some),
                               form)) for name, some in by_record(_kept(work))),
        work.plan.regions, work.plan.per_region, [work.plan.seed, work.round],
    )  # fmt: skip
    counts = {"pairs": 0, "alike": pool.alike, "unread": pool.unread}
    if not pool.rows:
        raise BadInput(f"no pair that looks different ({counts})", "answers that differ",
                       hint="Raise temperature, samples or faces.")  # fmt: skip
    counts["pairs"] = sum(
        put(store, project, telling(pool.rows, work.plan.ask, work.plan.discriminator))
    )
    if work.plan.judge == "human":
        counts["checks"] = add_checks(store, project, list(faces.values()), work.plan.regions,
                                      counts["pairs"])  # fmt: skip
    store.close()
    return {**counts, "not_asked": len(pool.rows) - counts["pairs"]}


def _kept(work: Work) -> tuple[Sample, ...]:
    # Bytes: an answer may hold breaks that only text knows, such as U+2028.
    lines = _answers(work).read_bytes().splitlines()[1:]
    return tuple(Sample(**json.loads(line)) for line in lines)


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


def train(work: Work) -> dict[str, Any]:
    """The DPO of `align` on this round's preferences."""
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
