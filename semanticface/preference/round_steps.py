"""The five steps of a round, on a store, a sampler and the DPO of `align`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from hashlib import sha256
from heapq import nsmallest
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.data.images import Limits, Pictures, encoded
from semanticface.data.manifest import manifest_of
from semanticface.data.records import Record, for_training
from semanticface.data.sources import records
from semanticface.data.splits import DEFAULT
from semanticface.errors import BadInput
from semanticface.preference.candidates import Candidate, Duel, regional_pair, sampled
from semanticface.preference.difference import worth_asking
from semanticface.preference.oracle import Oracle, Traits, let_judge
from semanticface.preference.pairing import truths_of
from semanticface.preference.rounds import Do, Plan, Step, Waiting, Work
from semanticface.preference.sampling import Sample, Sampler, by_record, collect
from semanticface.preference.store import Store, open_store
from semanticface.preference.store.content import (
    Item,
    Project,
    Rater,
    Rules,
    add_pairs,
    add_project,
    add_rater,
    project_of,
    raters_of,
)
from semanticface.preference.store.files import keep_file
from semanticface.preference.store.preferred import Filter, write_preferences
from semanticface.preference.store.verdicts import heard

Samplers = Callable[[str], Sampler]
"""From a run's folder (or nothing, for the packaged one) to what draws from it."""


def steps(samplers: Samplers) -> dict[Step, Do]:
    """What `rounds.go` does; samplers come from a run's folder or from a server."""
    return {
        "sample": lambda work: _sample(work, samplers), "pair": _pair, "judge": _judge,
        "train": _train, "evaluate": lambda work: _evaluate(work, samplers),
    }  # fmt: skip


def faces_of(plan: Plan, side: str, most: int, seed: int = 0) -> tuple[Record, ...]:
    """Faces of a side with whole numbers, those with the smallest hashes, by id."""
    if not plan.data:
        raise BadInput("rounds without faces", "--data: a manifest, .jsonl or a synth folder")
    allowed = for_training(records(manifest_of(Path(plan.data).expanduser())),
                           without_consent=False)  # fmt: skip
    some = (each for each in allowed if (each.split or DEFAULT.side(each.subject)) == side
            and (plan.judge == "human" or not np.isnan(each.values).any()))  # fmt: skip
    found = nsmallest(most, some, key=lambda r: sha256(f"{seed}/{r.id}".encode()).digest())
    if not found:
        raise BadInput(f"no face on the side '{side}'", "some, of other people than the rest",
                       file=plan.data)  # fmt: skip
    return tuple(sorted(found, key=lambda each: each.id))


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
    store = _store(work)
    project = _project(store, work)
    faces = {each.id: each for each in _faces(work)}
    form = _task(work).form
    counts = dict.fromkeys(("pairs", "alike", "unread"), 0)
    for name, some in by_record(_kept(work)):
        told = sampled(((f"round {work.round} {each.number}", each.text) for each in some), form)
        counts["unread"] += len(told.unread)
        sifted = worth_asking(_duels(told.candidates, work, name))
        counts["alike"] += sifted.alike + sifted.unfair
        add_pairs(store, project.id, _item(store, faces[name]), list(sifted.kept))
        counts["pairs"] += len(sifted.kept)
    store.close()
    if not counts["pairs"]:
        raise BadInput(f"no pair that looks different ({counts})", "answers that differ",
                       hint="Raise temperature, samples or faces.")  # fmt: skip
    return counts


def _kept(work: Work) -> tuple[Sample, ...]:
    lines = _answers(work).read_text(encoding="utf-8").splitlines()[1:]
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


def _item(store: Store, record: Record) -> Item:
    picture = keep_file(store, encoded(record.image, Limits()))
    return Item(record.id, record.subject, picture=picture, person=record.identity)


# -- judge --------------------------------------------------------------------


def _judge(work: Work) -> dict[str, Any]:
    store = _store(work)
    project, plan = _project(store, work), work.plan
    if plan.judge == "human":
        _wait_for_people(store, project, work)
    elif plan.judge == "oracle":
        traits = Traits()
        rater = _rater(store, project, "oracle", traits.as_json())
        let_judge(store, project, rater, Oracle(traits, seed=plan.seed + work.round),
                  truths_of(project, _faces(work)))  # fmt: skip
    else:
        from semanticface.preference.discriminator import load
        from semanticface.preference.learned import let_discriminate

        rater = _rater(store, project, "discriminator", plan.discriminator)
        let_discriminate(store, project, rater, load(plan.discriminator))
    written = write_preferences(store, project.id, work.place / "preferences.jsonl",
                                Filter((plan.judge,)))  # fmt: skip
    store.close()
    if not written.rows:
        raise BadInput("no pair that was decided", "one at least", file=work.place)
    return {"judge": plan.judge, "preferences": written.rows,
            "verdicts": sum(written.manifest["judged_by"].values())}  # fmt: skip


def _wait_for_people(store: Store, project: Project, work: Work) -> None:
    from semanticface.preference.store.tables import PAIRS

    decided = {
        each.pair_id
        for each in heard(store, project.id)
        if (each.kind, each.purpose) == ("human", "judge") and each.choice != "skip"
    }
    with store.reading() as connection:
        rows = connection.execute(PAIRS.select().where(PAIRS.c.project_id == project.id)).all()
    if len(decided) < len(rows):
        raise Waiting(f"round {work.round} waits for people: {len(decided)} of {len(rows)} pairs "
                      f"are judged. semanticface arena {work.folder / 'store'} --project "
                      f"{project.id}, then the same command again.")  # fmt: skip


def _rater(store: Store, project: Project, kind: Any, about: str) -> Rater:
    for each in raters_of(store, project.id):
        if each.name == kind:
            return each
    return add_rater(store, project.id, kind, kind, about)


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


# -- evaluate -----------------------------------------------------------------


def _evaluate(work: Work, samplers: Samplers) -> dict[str, Any]:
    """Likeliest answers of this round and of the very first start to faces held out."""
    from semanticface.preference.align.watch import wins

    plan = work.plan
    faces = faces_of(plan, "val", plan.held_out)
    if any(np.isnan(each.values).any() for each in faces):
        raise BadInput("faces held out without known numbers",
                       "whole truth: an oracle judges them", file=plan.data)  # fmt: skip
    mine, first = (
        _likeliest(samplers(place), faces, work) for place in (str(work.run), plan.start)
    )
    truth = np.stack([each.values for each in faces])
    found = wins(mine, first, truth, tuple(plan.regions))
    moving = np.abs(truth) >= 0.1
    told = {"preference": found.rate, "duels": found.duels, "by": "oracle",
            "active_mae": _mean(np.abs(mine - truth)[moving]),
            "active_mae_start": _mean(np.abs(first - truth)[moving])}  # fmt: skip
    if plan.discriminator:
        told["believed"] = _believed(plan, mine, first, faces)
    return told


class Compared(NamedTuple):
    """A face held out, and the likeliest answers of the first start and of a round."""

    face: Record
    before: NDArray[np.float32]
    after: NDArray[np.float32]
    errors: tuple[float, float]
    """Mean absolute error where the truth is active, before and after."""


def compared(plan: Plan, folder: Path, samplers: Samplers, number: int = 1) -> list[Compared]:
    """Answers to the faces held out, side by side."""
    work, faces = Work(plan, folder, number), faces_of(plan, "val", plan.held_out)
    first, mine = (
        _likeliest(samplers(place), faces, work) for place in (plan.start, str(work.run))
    )
    found = []
    for face, *rows in zip(faces, first, mine, strict=True):
        active = np.abs(face.values) >= 0.1
        errors = [float(np.abs(row - face.values)[active].mean()) for row in rows]
        found.append(Compared(face, rows[0], rows[1], (errors[0], errors[1])))
    return found


def _likeliest(
    sampler: Sampler, faces: Sequence[Record], work: Work, batch: int = 16
) -> NDArray[np.float32]:
    pictures, form, rows = Pictures(), _task(work).form, []
    for begin in range(0, len(faces), batch):
        shown = [pictures.decode(each.image, each.id) for each in faces[begin : begin + batch]]
        for text in sampler.answers(shown, [None] * len(shown)):
            told = sampled([("x", text)], form).candidates
            rows.append(told[0].values[0] if told else np.full(len(faces[0].values), np.nan))
    return np.asarray(rows, np.float32)


def _believed(
    plan: Plan, mine: NDArray[np.float32], first: NDArray[np.float32], faces: Sequence[Record]
) -> float:
    """Share of the same duels that the discriminator gives the round; even ones count half."""
    from semanticface.preference.discriminator import load
    from semanticface.preference.judged import Asked
    from semanticface.preference.learned import believed

    pictures, rows = Pictures(), []
    for one, other, face in zip(mine, first, faces, strict=True):
        if np.isnan(one).any() or np.isnan(other).any():
            continue
        sides = [Candidate.of(name, each) for name, each in (("round", one), ("start", other))]
        shown = pictures.decode(face.image, face.id)
        rows += [(regional_pair(sides[1], sides[0], sides[1], region), shown, face)
                 for region in plan.regions]  # fmt: skip
    differ = [row for row in rows if row[0].fair]
    asked = Asked(tuple(r[0] for r in differ), (math.nan,) * len(differ),
                  tuple(r[2].subject for r in differ), tuple(r[1] for r in differ),
                  tuple(r[2].identity for r in differ), 0)  # fmt: skip
    told = believed(load(plan.discriminator), asked).probability
    return float((np.sum(told > 0.5) + 0.5 * (len(rows) - len(differ))) / max(len(rows), 1))


def _mean(numbers: NDArray[np.floating]) -> float | None:
    known = numbers[~np.isnan(numbers)]
    return float(known.mean()) if len(known) else None


# -- parts --------------------------------------------------------------------


def _answers(work: Work) -> Path:
    return work.place / "answers.jsonl"


def _store(work: Work) -> Store:
    return open_store(work.folder / "store", create=True)


def _project(store: Store, work: Work) -> Project:
    name = f"round-{work.round}"
    try:
        return project_of(store, name)
    except BadInput:
        return add_project(store, name, rules=Rules(votes=work.plan.votes))


def _task(work: Work) -> Any:
    from semanticface.preference.align.options import StartOptions
    from semanticface.preference.align.trainer import start_of

    return start_of(StartOptions(start=work.plan.start, answer=work.plan.answer)).task


def run_samplers(plan: Plan) -> Samplers:
    """Draw from runs' folders on this machine; the start's answer is chosen by the plan."""
    from semanticface.preference.sampling import of_run

    def sampler(place: str) -> Sampler:
        answer = plan.answer if place == plan.start else ""
        return of_run(place, temperature=plan.temperature, answer=answer)

    return sampler
