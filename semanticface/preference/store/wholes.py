"""The winners of a face's regions put together into one full answer, and its losers into another.

The rows are those of `preferred`, of the region `full`: `recipes/dpo.py` takes them, all of an
answer's coefficients counting. Chosen is what judges liked best in every region, rejected what
they liked least; what no region holds (the head's own turns) is the same in both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, NamedTuple

from semanticface.errors import BadInput
from semanticface.preference.candidates import Candidate
from semanticface.preference.regions import recombined
from semanticface.preference.store.database import Store
from semanticface.preference.store.preferred import (
    Filter,
    Vote,
    Written,
    answer_json,
    contents,
    counted_votes,
    manifest_of,
    speech_json,
    written,
)
from semanticface.preference.store.rows import keyed

HALVES = ("upper", "lower")


class Whole(NamedTuple):
    """Full answers to one item, put together from what its regions' judges said."""

    item: Mapping[str, Any]
    """Its row."""
    chosen: Candidate
    rejected: Candidate
    winners: dict[str, str]
    """Region: source of its winner."""
    losers: dict[str, str]
    pairs: tuple[Vote, ...]
    """That this comes from."""


def wholes(
    store: Store, project_id: str, kept: Sequence[Vote], regions: Sequence[str] = HALVES
) -> tuple[Whole, ...]:
    """One for each item that was decided in all these regions, by the items' names.

    A region's winner has the most votes less votes against over all its pairs, its loser the
    least; between equals the key decides.
    """
    answers, items = contents(store, kept)
    found = []
    for item_id in sorted(items, key=lambda key: str(items[key]["name"])):
        mine = [each for each in kept
                if each.pair.item_id == item_id and each.pair.region in regions]  # fmt: skip
        if {each.pair.region for each in mine} == set(regions):
            found.append(_whole(items[item_id], mine, regions, answers))
    return tuple(found)


def write_wholes(
    store: Store, project_id: str, path: str | PathLike[str], rule: Filter | None = None,
    regions: Sequence[str] = HALVES,
) -> Written:  # fmt: skip
    """Full answers as JSON lines, and beside them `PATH.manifest.json`."""
    counted = counted_votes(store, project_id, rule or Filter())
    found = wholes(store, project_id, counted.kept, regions)
    told = {**manifest_of(project_id, counted), "whole": list(regions)}
    return written(path, [_row(project_id, each) for each in found], told)


def _whole(
    item: Mapping[str, Any], mine: Sequence[Vote], regions: Sequence[str],
    answers: Mapping[str, Candidate],
) -> Whole:  # fmt: skip
    ranked = {name: _ranked(mine, name) for name in regions}
    best = {name: answers[keys[0]] for name, keys in ranked.items()}
    worst = {name: answers[keys[-1]] for name, keys in ranked.items()}
    base = next(iter(best.values()))
    if len({each.times.tobytes() for each in (*best.values(), *worst.values())}) > 1:
        raise BadInput(f"answers to '{item['name']}' at other times", "the same times in all")
    chosen, rejected = (
        Candidate("recombined", recombined(base.values, {n: e.values for n, e in parts.items()}),
                  base.times) for parts in (best, worst)
    )  # fmt: skip
    winners, losers = ({n: e.source for n, e in parts.items()} for parts in (best, worst))
    return Whole(item, chosen, rejected, winners, losers, tuple(mine))


def _ranked(mine: Sequence[Vote], region: str) -> list[str]:
    """Keys of a region's answers, the best first."""
    net = Counter[str]()
    for each in mine:
        if each.pair.region == region:
            net[each.pair.one_id] += round(2 * (each.one - each.other))
            net[each.pair.other_id] += round(2 * (each.other - each.one))
    return sorted(net, key=lambda key: (-net[key], key))


def _row(project_id: str, whole: Whole) -> dict[str, Any]:
    item, pairs = whole.item, whole.pairs
    by = Counter[str]()
    for each in pairs:
        by.update(each.by)
    return {
        "pair": keyed(project_id, item["name"], "whole", sorted(e.pair.pair_id for e in pairs)),
        "item": item["name"], "subject": item["subject"], "told": item["told"],
        "picture": item["picture"], **speech_json(item), "region": "full",
        "chosen": answer_json(whole.chosen), "rejected": answer_json(whole.rejected),
        "winners": whole.winners, "losers": whole.losers,
        "votes": {"chosen": sum(max(e.one, e.other) for e in pairs),
                  "rejected": sum(min(e.one, e.other) for e in pairs),
                  "bad": sum(e.bad for e in pairs)},
        "judged_by": dict(sorted(by.items())),
    }  # fmt: skip
