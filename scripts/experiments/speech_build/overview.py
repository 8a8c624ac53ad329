"""One table of all conditions, what each cue adds, and the rules beside everything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from speech_build.report import Arm, arms, change, crossed, lips, score, sums_of, told

from semanticface.errors import BadInput

LADDER = {
    "audio": "the sound alone (`audio`)", "transcript": "+ transcript",
    "phones": "+ phones as text (`phones`)", "articulation": "+ articulation",
    "text": "articulation and loudness, no sound (`text`)",
    "timed": "transcript and a phone a frame (`timed`)",
    "unheard": "the same without the sound (`unheard`)",
    "drafted": "`timed` and the rules' draft (`drafted`)",
}  # fmt: skip
STEPS = (
    ("audio", "transcript", "transcript, beside the sound alone"),
    ("transcript", "phones", "phones as text, beside the transcript"),
    ("phones", "articulation", "articulation, beside phones as text"),
    ("articulation", "text", "loudness for the sound, beside articulation"),
    ("phones", "timed", "a phone a frame, beside phones as text"),
    ("audio", "timed", "a phone a frame, beside the sound alone"),
    ("timed", "unheard", "without the sound, beside with it"),
    ("timed", "drafted", "a draft, beside a phone a frame"),
)
BASES = {
    "rules": "rules", "rules with the speaker's own manner": "rules with the speaker's own table",
    "truth as shapes": "the truth, a shape a frame",
    "mean of training": "mean of the training mouths", "all zero": "all zero",
}  # fmt: skip
CLEAN = ("unseen sentence", "unseen voice")
_MAE = "mouth_mae"


def overview(out: Path) -> None:
    """Print the tables of an experiment whose arms differ in their cues and seeds alone."""
    found = arms(out)
    trained = _ladder(found)
    runs = [arm for arm in found if arm.name.startswith("the run ")]
    bases = {arm.name: arm for arm in found if arm.name in BASES}
    rows = [*((LADDER[cues], trained[cues]) for cues in LADDER if cues in trained),
            *((arm.name, arm) for arm in runs),
            *((name, bases[own]) for own, name in BASES.items() if own in bases)]  # fmt: skip
    conditions = list(dict.fromkeys(key for arm in found for key in arm.rows[0]["scores"]))
    _errors(rows, conditions)
    _changes(trained, [*rows[: -len(bases)]], bases.get("rules"), conditions)
    for condition in CLEAN:
        _mouth(rows, condition)


def _ladder(found: Sequence[Arm]) -> dict[str, Arm]:
    """Arms by their cues; those that are no rung are named, two on one rung refused."""
    trained: dict[str, Arm] = {}
    for arm in found:
        plan = arm.rows[0]
        if "cues" not in plan:
            continue
        usual = plan["window"] == 15 and not plan.get("rough") and not plan.get("real")
        if not usual or plan["cues"] not in LADDER:
            print(f"not shown here, but in `table`: {arm.name}")
        elif plan["cues"] in trained:
            other = trained[plan["cues"]].name
            raise BadInput(f"{arm.name} beside {other}", "one length of an arm",
                           hint="See `table`, or keep them in folders of their own.")  # fmt: skip
        else:
            trained[plan["cues"]] = arm
    return trained


def _errors(rows: Sequence[tuple[str, Arm]], conditions: Sequence[str]) -> None:
    _head("mouth MAE", "seeds", *conditions)
    for name, arm in rows:
        seeds = str(len(arm.rows)) if "cues" in arm.rows[0] else ""
        _line(name, seeds, *(_figure(arm, condition) for condition in conditions))


def _figure(arm: Arm, condition: str) -> str:
    some = arm.scores(condition)
    return told(crossed([sums_of(each) for each in some], score(_MAE)), 4) if some else ""


def _changes(
    trained: dict[str, Arm], rows: Iterable[tuple[str, Arm]], rules: Arm | None,
    conditions: Sequence[str],
) -> None:  # fmt: skip
    _head("change of MAE", *conditions)
    for one, other, name in STEPS:
        if one in trained and other in trained:
            _line(name, *(change(trained[one], trained[other], c) for c in conditions))
    for name, arm in rows:
        if rules is not None:
            _line(f"{name}, beside the rules", *(change(rules, arm, c) for c in conditions))


def _mouth(rows: Sequence[tuple[str, Arm]], condition: str) -> None:
    shown = ("closure_rate", "teeth_rate", "rounding_contrast", "jaw_energy")
    _head(condition, "MAE by seed", "closures", "teeth", "rounding contrast", "jaw and loudness",
          "lve_mean_max, mm")  # fmt: skip
    for name, arm in rows:
        some = arm.scores(condition)
        if not some:
            continue
        sums = [sums_of(each) for each in some]
        each = ", ".join(f"{_alone(one):.4f}" for one in sums) if len(sums) > 1 else ""
        cells = [told(crossed(sums, score(key)), 2) for key in shown]
        cells.append(told(crossed([lips(one) for one in some], lambda s: s[1] / s[0]), 2))
        _line(name, each, *cells)


def _alone(sums: Any) -> float:
    return float(np.ravel(crossed([sums], score(_MAE))[0])[0])


def _head(*cells: str) -> None:
    print()
    _line(*cells)
    print("|---" * len(cells) + "|")


def _line(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |")
