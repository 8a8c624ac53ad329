"""Tables of a folder of scores: intervals over sentences (an unseen voice's: over its speakers,
where there are some) and seeds, differences, classes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from speech_build.cases import Case, Cases, owners

from semanticface.metrics.clusters import by_key, joined, mapped
from semanticface.metrics.mouth_sets import MOUTH_31
from semanticface.metrics.speech import SpeechSums, speech_scores, viseme_confusion
from semanticface.metrics.speech_classes import CLASSES, ClassSums, class_errors, class_sums
from semanticface.metrics.statistics import cluster_bootstrap
from semanticface.metrics.temporal import jitter_ratio, middle
from semanticface.rig import COUNT, FaceClip
from semanticface.speech.spans import class_spans, viseme_spans

SHOWN = (("mouth_mae", 4), ("mouth_mse", 5), ("closure_rate", 2), ("teeth_rate", 2),
         ("rounding_rate", 2), ("rounding_contrast", 2), ("jaw_energy", 2))  # fmt: skip
DRAWS = 2000
Statistic = Callable[[Any], Any]


class Arm(NamedTuple):
    """What was trained alike, a row a seed; or a baseline, one row."""

    name: str
    rows: list[dict[str, Any]]

    def scores(self, condition: str) -> list[list[dict[str, Any]]]:
        """Of the seeds that were scored under a condition."""
        return [row["scores"][condition] for row in self.rows if condition in row["scores"]]


def arms(out: Path) -> list[Arm]:
    """The journal's runs, seeds of one plan together."""
    held: dict[str, list[dict[str, Any]]] = {}
    for line in (out / "scores.jsonl").read_text().splitlines():
        row = json.loads(line)
        alike = row["name"].partition(", seed ")[0]
        held.setdefault(f"{alike}, {row['steps']} steps" if "cues" in row else alike, []).append(
            row
        )
    return [Arm(name, rows) for name, rows in held.items()]


def table(out: Path, cases: Cases) -> None:
    """Print everything."""
    found = arms(out)
    for condition in dict.fromkeys(key for arm in found for key in arm.rows[0]["scores"]):
        _scores(condition, found)
        _differences(condition, found)
        _against_rules(condition, found)
    for condition in ("unseen sentence", "unseen voice"):
        _classes(condition, found, cases[condition], out)
        _shapes(condition, found, cases[condition], out)


def by_seed(one: Arm, other: Arm, condition: str) -> list[tuple[Any, Any]]:
    """Scores of both with the same seed; what has none stands beside every seed of the other."""
    rows = [arm.rows for arm in (one, other)]
    free = ["seed" not in each[0] for each in rows]
    pairs = [(a, b) for a in rows[0] for b in rows[1] if any(free) or a["seed"] == b["seed"]]
    held = [tuple(row["scores"].get(condition) for row in pair) for pair in pairs]
    return [(a, b) for a, b in held if a and b]


# -- intervals ---------------------------------------------------------------------


def crossed(seeds: Sequence[Any], statistic: Statistic, seed: int = 0) -> tuple[Any, Any, Any]:
    """(estimate, low, high), 95 %: seeds and sentences drawn again, each by itself.

    `seeds` are sums with sentences leading, the same in all. With one seed: BCa over
    sentences. Three seeds are few: what they show is at best how far seeds are apart.
    """
    if len(seeds) == 1:
        found = cluster_bootstrap(seeds[0], statistic)
        return found.estimate, found.low, found.high
    whole = joined(np.stack, list(seeds))
    first = whole
    while isinstance(first, tuple):
        first = first[0]
    rng, (count, sentences) = np.random.default_rng(seed), first.shape[:2]
    over = rng.multinomial(count, [1 / count] * count, DRAWS)
    within = rng.multinomial(sentences, [1 / sentences] * sentences, DRAWS)
    drawn = statistic(mapped(lambda a: np.einsum("bs,bk,sk...->b...", over, within, a), whole))
    told = statistic(mapped(lambda a: a.sum(axis=(0, 1))[None], whole))[0]
    low, high = np.nanpercentile(drawn, (2.5, 97.5), axis=0)
    return told, low, high


def sums_of(scores: list[dict[str, Any]]) -> Any:
    """Sums of recordings, those of one owner together."""
    return _by_owner([SpeechSums(*e["sums"]) for e in scores], scores)


def lips(scores: list[dict[str, Any]]) -> Any:
    """The same of the lips' vertices: frames, and millimetres."""
    pairs = [(np.float64(e["frames"]), np.float64(e["frames"] * e["lve_mean_max"])) for e in scores]
    return _by_owner(pairs, scores)


def _by_owner(sums: Sequence[Any], scores: list[dict[str, Any]]) -> Any:
    return by_key(sums, [e.get("owner", e["sentence"]) for e in scores]).sums


def score(name: str) -> Statistic:
    """A figure of sums."""
    return lambda sums: getattr(speech_scores(sums), name)


def told(found: tuple[Any, Any, Any], digits: int) -> str:
    """An estimate with its interval."""
    middle_, low, high = (float(np.ravel(each)[0]) for each in found)
    return f"{middle_:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def change(one: Arm, other: Arm, condition: str) -> str:
    """The second's MAE less the first's, recording by recording; empty where they share none."""
    pairs = [(sums_of(a), sums_of(b)) for a, b in by_seed(one, other, condition)]
    mae = score("mouth_mae")
    return told(crossed(pairs, lambda two: mae(two[1]) - mae(two[0])), 4) if pairs else ""


# -- tables ------------------------------------------------------------------------


def _scores(condition: str, found: list[Arm]) -> None:
    print(f"\n## {condition}\n\n| | " + " | ".join(name for name, _ in SHOWN)
          + " | lve_mean_max, mm | MAE by seed |")  # fmt: skip
    print("|---" * (len(SHOWN) + 3) + "|")
    for arm in found:
        seeds = arm.scores(condition)
        if not seeds:
            continue
        sums = [sums_of(each) for each in seeds]
        parts = [told(crossed(sums, score(name)), digits) for name, digits in SHOWN]
        parts.append(told(crossed([lips(each) for each in seeds], lambda s: s[1] / s[0]), 2))
        each = [float(score("mouth_mae")(mapped(lambda a: a.sum(0)[None], s))[0]) for s in sums]
        parts.append(", ".join(f"{value:.4f}" for value in each) if len(each) > 1 else "")
        print(f"| {arm.name} | {' | '.join(parts)} |")


def _differences(condition: str, found: list[Arm]) -> None:
    """Of each arm from the one before and from the first, seed by seed, sentence by sentence."""
    trained = [arm for arm in found if "cues" in arm.rows[0] and arm.scores(condition)]
    if not trained:
        return
    for one, other in (*pairwise(trained), *((trained[0], each) for each in trained[2:])):
        count = len(by_seed(one, other, condition))
        if count:
            print(f"{other.name} less {one.name}, {count} seeds: MAE "
                  f"{change(one, other, condition)}")  # fmt: skip


def _against_rules(condition: str, found: list[Arm]) -> None:
    """Of each arm from the rules, sentence by sentence."""
    rules = next((arm for arm in found if arm.name == "rules"), None)
    if rules is None:
        return
    for arm in found:
        if arm is not rules and (off := change(rules, arm, condition)):
            print(f"{arm.name} less the rules: MAE {off}")


def _classes(condition: str, found: list[Arm], cases: list[Case], out: Path) -> None:
    print(f"\n## mouth MAE by class of sound, {condition}\n\n| | {' | '.join(CLASSES)} |")
    print("|---" * (len(CLASSES) + 1) + "|")
    for arm in found:
        seeds = [_by_class(mouths, cases) for mouths in _mouths(arm, condition, out)]
        if seeds:
            middle_, low, high = crossed(seeds, lambda sums: class_errors(sums).mae)
            cells = [f"{m:.4f} [{a:.4f}, {b:.4f}]"
                     for m, a, b in zip(middle_, low, high, strict=True)]  # fmt: skip
            print(f"| {arm.name} ({len(seeds)} seeds) | {' | '.join(cells)} |")


def _by_class(mouths: list[FaceClip], cases: list[Case]) -> ClassSums:
    sums = [class_sums(mouth.values, case.take.clip.values, case.take.clip.times,
                       class_spans(case.take.spoken.timeline), CLASSES)
            for mouth, case in zip(mouths, cases, strict=True)]  # fmt: skip
    told: ClassSums = by_key(sums, owners(cases)).sums
    return told


def _shapes(condition: str, found: list[Arm], cases: list[Case], out: Path) -> None:
    """Visemes against the truth's means over all recordings, and how lively the mouth is."""
    print(f"\n## visemes and liveliness, {condition}\n\n| | nearest to its own viseme | mostly "
          "taken for another | jitter, times the truth's |\n|---|---|---|---|")  # fmt: skip
    truth = _joined([case.take.clip for case in cases])
    sounds = _sounds(cases)
    for arm in found:
        rows = []
        for mouths in _mouths(arm, condition, out):
            mixed = viseme_confusion(_joined(mouths).values, truth.values, truth.times, sounds)
            off = mixed.counts * (1 - np.eye(len(mixed.names), dtype=int))
            said, seen = np.unravel_index(int(off.argmax()), off.shape)
            shaken = np.mean([middle(jitter_ratio(mouth, case.take.clip))
                              for mouth, case in zip(mouths, cases, strict=True)])  # fmt: skip
            rows.append((mixed.accuracy, f"{mixed.names[said]} as {mixed.names[seen]} "
                         f"({off[said, seen]} of {mixed.counts[said].sum()})", shaken))  # fmt: skip
        if rows:
            accuracy = ", ".join(f"{row[0]:.2f}" for row in rows)
            print(f"| {arm.name} | {accuracy} | {rows[0][1]} | "
                  f"{', '.join(f'{row[2]:.2f}' for row in rows)} |")  # fmt: skip
    print(f"\n{len(sounds)} sounds")


def _mouths(arm: Arm, condition: str, out: Path) -> list[list[FaceClip]]:
    """The kept mouths of each seed that has them."""
    held = []
    for row in arm.rows:
        place = out / "mouths" / f"{row['name']}.npz"
        if place.exists() and condition in row["scores"]:
            with np.load(place) as file:
                held.append([_clip(file[f"{condition}/{i}"])
                             for i in range(len(row["scores"][condition]))])  # fmt: skip
    return held


def _clip(mouth: Any) -> FaceClip:
    values = np.full((len(mouth), COUNT), np.nan, np.float32)
    values[:, list(MOUTH_31)] = mouth
    return FaceClip(values, np.arange(len(mouth)) / 30, ~np.isnan(values).all(0))


_APART = 1.0
"""Seconds between recordings that are looked at as one."""


def _joined(clips: Sequence[FaceClip]) -> FaceClip:
    starts = _starts(clips)
    times = np.concatenate([clip.times + start for clip, start in zip(clips, starts, strict=True)])
    return FaceClip(np.concatenate([clip.values for clip in clips]), times, clips[0].present)


def _sounds(cases: list[Case]) -> list[tuple[str, float, float]]:
    starts = _starts([case.take.clip for case in cases])
    return [(name, start + a, start + b) for case, start in zip(cases, starts, strict=True)
            for name, a, b in viseme_spans(case.take.spoken.timeline)]  # fmt: skip


def _starts(clips: Sequence[FaceClip]) -> list[float]:
    return np.concatenate([[0.0], np.cumsum([c.times[-1] + _APART for c in clips])[:-1]]).tolist()
