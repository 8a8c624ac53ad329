"""Round after round: sample, pair, judge, train, evaluate, until judges and learner part.

    ROUNDS/plan.json           what the rounds were begun with; another plan is refused
    ROUNDS/ledger.jsonl        a line for each step that came to its end
    ROUNDS/store/              every pair and verdict; a project for each round
    ROUNDS/round-N/answers.jsonl, preferences.jsonl, run/
    ROUNDS/best.json           the round with the best held-out preference so far

Each step reads what the one before left on the disk and is written to the ledger when it is
done. Killed anywhere, the same call goes on: a step that was not noted is done again, and
doing it again changes nothing (answers are kept one by one, pairs and verdicts are known by
what they hold, training goes on from its checkpoint).

**When it stops.** A round's result answers faces held out; `preference` is the share of
regional duels against the very first start that an oracle with the truth, or people, give it, and
`believed` the share that the discriminator gives it. Preference falling while belief rises
is oracle drift (SuperFace saw it from round 3): the model has learnt to please its judge.
Then, or when preference falls without a discriminator to blame, the rounds end, and the best
round is what counts. With tolerance t and p_n the preference of round n, the start against
itself being round 0 with p_0 = believed_0 = 1/2:

    drift      p_n < max(p_0 .. p_n-1) - t  and  believed_n > believed_n-1
    no gain    p_n < max(p_0 .. p_n-1) - t  otherwise
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, NamedTuple

from semanticface.atomic import write_text
from semanticface.errors import BadInput, SemanticFaceError
from semanticface.formats import json_lines
from semanticface.train.runs import append, read_journal

Step = Literal["sample", "pair", "judge", "train", "evaluate"]
STEPS: tuple[Step, ...] = ("sample", "pair", "judge", "train", "evaluate")
Verdict = Literal["go on", "drift", "no gain"]
Judge = Literal["human", "oracle", "discriminator"]


class Waiting(SemanticFaceError):
    """People have not judged enough yet; nothing is wrong, and the same call goes on."""


@dataclass(frozen=True)
class Plan:
    """What all rounds have in common."""

    start: str = ""
    """A run's folder; the packaged small one unless given."""
    answer: str = ""
    data: str = ""
    """Faces: those of the side `train` are sampled, those of `val` evaluated."""
    judge: Judge = "oracle"
    discriminator: str = ""
    """Its folder: judges, if it is the judge, and is watched for drift."""
    rounds: int = 3
    faces: int = 100
    """Faces sampled in a round."""
    held_out: int = 32
    samples: int = 4
    temperature: float = 1.0
    regions: tuple[str, ...] = ("upper", "lower")
    per_region: int = 1
    """Pairs of a face in each region."""
    windows: int = 4
    """Of a run of speech: its windows in a stretch that is judged."""
    ask: int = 0
    """Pairs asked in a round, the most telling ones by `selection`; 0 for all."""
    votes: int = 1
    """People who judge each pair."""
    evaluated_by: Literal["", "human", "oracle"] = ""
    """Who compares a round with the start; people where people judge, an oracle else."""
    tolerance: float = 0.02
    seed: int = 0
    training: dict[str, Any] = field(default_factory=dict)
    """Keys of recipes/dpo.py."""

    @property
    def evaluator(self) -> Literal["human", "oracle"]:
        """Who compares a round with the start."""
        return self.evaluated_by or ("human" if self.judge == "human" else "oracle")

    def __post_init__(self) -> None:
        if self.ask < 0:
            raise BadInput(f"ask: {self.ask}", "0 for all, or how many")
        if min(self.rounds, self.faces, self.held_out, self.per_region, self.votes) < 1:
            raise BadInput(f"{self.rounds} rounds of {self.faces} faces, {self.held_out} held out",
                           "one at least of each")  # fmt: skip
        if self.judge == "discriminator" and not self.discriminator:
            raise BadInput("a discriminator as judge without a folder", "--discriminator FOLDER")
        if self.samples < 2 or self.temperature <= 0 or self.tolerance < 0:
            raise BadInput(f"{self.samples} samples at temperature {self.temperature:g}",
                           "two or more, above 0")  # fmt: skip


class Row(NamedTuple):
    """A line of the ledger."""

    round: int
    step: Step
    told: dict[str, Any]


class Work(NamedTuple):
    """What a step works on."""

    plan: Plan
    folder: Path
    """Of all rounds."""
    round: int

    @property
    def place(self) -> Path:
        """Of this round."""
        return self.folder / f"round-{self.round}"

    @property
    def run(self) -> Path:
        """Where this round's result lies."""
        return self.place / "run"

    @property
    def before(self) -> str:
        """The run that this round starts from."""
        if self.round == 1:
            return self.plan.start
        return str(self.folder / f"round-{self.round - 1}" / "run")


Do = Callable[[Work], dict[str, Any]]
"""Does a step, or does it again; what is told stands in the ledger."""


class Outcome(NamedTuple):
    """How the rounds ended."""

    why: Literal["done", "drift", "no gain"]
    best: int
    """The round; 0 where none was better than the start."""
    rows: tuple[Row, ...]


def go(folder: str | Path, plan: Plan, steps: dict[Step, Do]) -> Outcome:
    """Do every step that the ledger does not have yet."""
    place = Path(folder)
    _begin(place, plan)
    while True:
        rows = ledger(place)
        history = evaluated(rows)
        verdict = verdict_of(history, plan.tolerance)
        if history:
            write_text(place / "best.json", json.dumps(_best(place, history), indent=1) + "\n")
        if verdict != "go on" or len(history) == plan.rounds:
            return Outcome("done" if verdict == "go on" else verdict, best_of(history), rows)
        number, step = _next(rows)
        told = steps[step](Work(plan, place, number))
        append(place / "ledger.jsonl", {"round": number, "step": step, "told": told})


def _begin(place: Path, plan: Plan) -> None:
    place.mkdir(parents=True, exist_ok=True)
    file = place / "plan.json"
    told = json.loads(json.dumps(asdict(plan)))
    if not file.is_file():
        write_text(file, json.dumps(told, indent=1) + "\n")
        return
    held = {**asdict(Plan()), **json_lines.mapping(json_lines.load(file), file=file)}
    changed = [key for key in told if key != "rounds" and held.get(key) != told[key]]
    if changed:
        key = changed[0]
        raise BadInput(f"{key} {told[key]!r} where it was {held.get(key)!r}",
                       "the plan that these rounds were begun with", file=file,
                       hint="Another folder for another plan; rounds may change.")  # fmt: skip
    write_text(file, json.dumps(told, indent=1) + "\n")


def plan_of(folder: str | Path) -> Plan:
    """The plan of rounds that were begun."""
    held = dict(json_lines.mapping(json_lines.load(Path(folder) / "plan.json"), file=folder))
    known = {each.name for each in fields(Plan)}
    return Plan(**{**{k: v for k, v in held.items() if k in known},
                   "regions": tuple(held["regions"])})  # fmt: skip


def ledger(folder: str | Path) -> tuple[Row, ...]:
    """Every step that came to its end, in order; a line cut short never counted."""
    path = Path(folder) / "ledger.jsonl"
    rows = read_journal(path)
    if path.is_file() and not path.read_bytes().endswith(b"\n") and path.stat().st_size:
        write_text(path, "".join(json.dumps(row) + "\n" for row in rows))
    return tuple(Row(row["round"], row["step"], row["told"]) for row in rows)


def _next(rows: Sequence[Row]) -> tuple[int, Step]:
    if not rows:
        return 1, STEPS[0]
    last = rows[-1]
    place = STEPS.index(last.step) + 1
    return (last.round, STEPS[place]) if place < len(STEPS) else (last.round + 1, STEPS[0])


# -- drift --------------------------------------------------------------------


class Evaluated(NamedTuple):
    """How good a round's result is, against the first start."""

    round: int
    preference: float
    """Held-out share of duels won, by an oracle or by people."""
    believed: float | None
    """The same by the discriminator; None without one."""


def evaluated(rows: Sequence[Row]) -> tuple[Evaluated, ...]:
    """Of every round that was evaluated."""
    return tuple(
        Evaluated(row.round, float(row.told["preference"]), row.told.get("believed"))
        for row in rows if row.step == "evaluate"
    )  # fmt: skip


START = Evaluated(0, 0.5, 0.5)
"""The start against itself, by whomever."""


def verdict_of(history: Sequence[Evaluated], tolerance: float) -> Verdict:
    """Whether to go on after the last round; see the module."""
    if not history:
        return "go on"
    *earlier, last = (START, *history)
    before = earlier[-1]
    if last.preference >= max(each.preference for each in earlier) - tolerance:
        return "go on"
    rising = last.believed is not None and before.believed is not None \
        and last.believed > before.believed  # fmt: skip
    return "drift" if rising else "no gain"


def best_of(history: Sequence[Evaluated]) -> int:
    """The round with the most preference, the first of equals; 0 if the start was better."""
    if not history:
        return 0
    best = max(history, key=lambda each: (each.preference, -each.round))
    return best.round if best.preference > 0.5 else 0


def _best(place: Path, history: Sequence[Evaluated]) -> dict[str, Any]:
    number = best_of(history)
    return {"round": number, "run": str(Path(f"round-{number}") / "run") if number else None,
            "preference": {each.round: each.preference for each in history}}  # fmt: skip
