"""From verdicts to training: chosen and rejected answers.

The same verdicts always give the same rows and the same manifest, byte for byte.

A pair counts when enough judges decided it and enough of them agree. Each judge has one
voice a pair: the second turn of a repeated pair, attention checks, skips and undone
verdicts have none. A tie is half a vote for each answer, `both bad` is a vote against
making anything of the pair.

Verdicts of people and of oracles or discriminators are never mixed unless `mixed` says so,
and then every row and the manifest tell how many of each there were.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from semanticface import __version__
from semanticface.errors import BadInput
from semanticface.formats import json_lines
from semanticface.formats.json_lines import shortest
from semanticface.preference.candidates import Candidate
from semanticface.preference.store.content import JUDGES, candidate_of
from semanticface.preference.store.database import Store, newest
from semanticface.preference.store.tables import ANSWERS, ITEMS
from semanticface.preference.store.verdicts import Heard, heard
from semanticface.rig import RIG_VERSION


@dataclass(frozen=True)
class Filter:
    """Which verdicts count."""

    judges: tuple[str, ...] = ("human",)
    """Kinds of judges: human, oracle, discriminator."""
    mixed: bool = False
    """Allow more than one kind."""
    least_votes: int = 1
    least_share: float = 0.6
    """Of a pair's votes that the winner must have."""
    without: tuple[str, ...] = ()
    """Names of raters to leave out."""

    def __post_init__(self) -> None:
        if not self.judges or set(self.judges) - set(JUDGES):
            raise BadInput(f"judges {self.judges}", f"some of {', '.join(JUDGES)}")
        if len(set(self.judges)) > 1 and not self.mixed:
            raise BadInput(f"verdicts of {' and '.join(self.judges)} together", "one kind of judge",
                           hint="If you mean it, say --mixed: every row will tell.")  # fmt: skip
        if not 0.5 < self.least_share <= 1 or self.least_votes < 1:
            raise BadInput(f"a share of {self.least_share} of {self.least_votes} votes",
                           "a share above 0.5 up to 1 of at least one vote")  # fmt: skip


class Vote(NamedTuple):
    """A pair with what its judges said."""

    pair: Heard
    """Any of its verdicts: it names the pair."""
    one: float
    other: float
    bad: int
    by: dict[str, int]
    """Verdicts by kind of judge."""

    @property
    def total(self) -> float:
        """All votes, `both bad` included."""
        return self.one + self.other + self.bad


def votes(verdicts: Iterable[Heard], rule: Filter) -> list[Vote]:
    """The votes of each judged pair, in the order of pair keys."""
    by_pair: dict[str, list[Heard]] = {}
    for each in verdicts:
        counted = each.purpose == "judge" and each.turn == 0 and each.choice != "skip"
        if counted and each.kind in rule.judges and each.rater not in rule.without:
            by_pair.setdefault(each.pair_id, []).append(each)
    return [_vote(by_pair[key]) for key in sorted(by_pair)]


def _vote(said: Sequence[Heard]) -> Vote:
    counts = Counter(each.choice for each in said)
    half = counts["tie"] / 2
    by = Counter(each.kind for each in said)
    return Vote(said[0], counts["one"] + half, counts["other"] + half, counts["bad"],
                dict(sorted(by.items())))  # fmt: skip


def _decided(vote: Vote, rule: Filter) -> bool:
    most = max(vote.one, vote.other)
    return vote.total >= rule.least_votes and most / vote.total >= rule.least_share


class Counted(NamedTuple):
    """The votes of a project by a rule."""

    rule: Filter
    judged: list[Vote]
    kept: list[Vote]
    """Those that were decided."""


def counted_votes(store: Store, project_id: str, rule: Filter) -> Counted:
    """Every judged pair, and which of them the rule keeps."""
    judged = votes(heard(store, project_id), rule)
    return Counted(rule, judged, [each for each in judged if _decided(each, rule)])


class Written(NamedTuple):
    """A set of preferences on the disk."""

    rows: int
    manifest: dict[str, Any]


def write_preferences(
    store: Store, project_id: str, path: str | PathLike[str], rule: Filter | None = None
) -> Written:
    """Chosen and rejected answers as JSON lines, and beside them `PATH.manifest.json`."""
    counted = counted_votes(store, project_id, rule or Filter())
    return written(path, _rows(store, counted.kept), manifest_of(project_id, counted))


def written(
    path: str | PathLike[str], rows: Sequence[Mapping[str, Any]], told: Mapping[str, Any]
) -> Written:
    """Rows as JSON lines, and what is told of them beside it, with the hash of the lines."""
    from semanticface.atomic import write_text

    count = json_lines.write_lines(path, rows)
    manifest = {**told, "sha256": hashlib.sha256(Path(path).read_bytes()).hexdigest()}
    write_text(f"{path}.manifest.json", json.dumps(manifest, indent=1, sort_keys=True) + "\n")
    return Written(count, manifest)


def _rows(store: Store, kept: Sequence[Vote]) -> list[dict[str, Any]]:
    answers, items = contents(store, kept)
    return [_row(each, answers, items[each.pair.item_id]) for each in kept]


def contents(store: Store, kept: Sequence[Vote]) -> tuple[dict[str, Candidate], dict[str, Any]]:
    """The answers and items of these pairs, by key."""
    wanted = {key for each in kept for key in (each.pair.one_id, each.pair.other_id)}
    about = {each.pair.item_id for each in kept}
    with store.reading() as connection:
        rows = connection.execute(ANSWERS.select()).mappings()
        answers = {row["id"]: candidate_of(row) for row in rows if row["id"] in wanted}
        rows = connection.execute(ITEMS.select()).mappings()
        return answers, {row["id"]: dict(row) for row in rows if row["id"] in about}


def _row(vote: Vote, answers: dict[str, Candidate], item: dict[str, Any]) -> dict[str, Any]:
    pair = vote.pair
    first = vote.one > vote.other
    chosen, rejected = (pair.one_id, pair.other_id) if first else (pair.other_id, pair.one_id)
    return {
        "pair": pair.pair_id, "item": item["name"], "subject": item["subject"],
        "told": item["told"], "picture": item["picture"], **speech_json(item),
        "region": pair.region,
        "chosen": answer_json(answers[chosen]), "rejected": answer_json(answers[rejected]),
        "votes": {"chosen": max(vote.one, vote.other), "rejected": min(vote.one, vote.other),
                  "bad": vote.bad},
        "judged_by": vote.by,
    }  # fmt: skip


def speech_json(item: Mapping[str, Any]) -> dict[str, Any]:
    """The stretch of a recording that an item is, where it is one."""
    return {} if item["speech"] is None else {"speech": json.loads(item["speech"])}


def answer_json(candidate: Candidate) -> dict[str, Any]:
    """An answer as it stands in a row."""
    frames = [[shortest(x) for x in row] for row in candidate.values]
    told: dict[str, Any] = {"source": candidate.source, "text": candidate.text}
    if candidate.still:
        return {**told, "values": frames[0]}
    return {**told, "frames": frames, "times": candidate.times.tolist()}


def manifest_of(project_id: str, counted: Counted) -> dict[str, Any]:
    """What is told of a set of preferences."""
    by = Counter[str]()
    for each in counted.judged:
        by.update(each.by)
    kept = counted.kept
    return {
        "project": project_id, "filter": asdict(counted.rule),
        "judged_by": dict(sorted(by.items())),
        "pairs_judged": len(counted.judged), "pairs_kept": len(kept),
        "pairs_left_out": len(counted.judged) - len(kept),
        "regions": dict(sorted(Counter(each.pair.region for each in kept).items())),
        "rig": RIG_VERSION, "schema": newest(), "semanticface": __version__,
    }  # fmt: skip
