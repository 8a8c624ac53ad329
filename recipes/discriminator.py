"""Teach a judge from verdicts: which of two answers would be preferred, and how surely.

    python recipes/discriminator.py --store faces.store --out judge
    python recipes/discriminator.py --store faces.store --judges oracle --kind renders --out judge

Subjects for the test are never learnt from. Leaves the judge, `marks.json` and a learning curve.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, field
from typing import Any

from semanticface.preference.discriminator import Lesson


@dataclass
class Options:
    """Which verdicts, and what becomes of them."""

    store: str = field(default="", metadata={"help": "A store's folder or database URL."})
    media: str | None = field(default=None, metadata={"help": "Its pictures, beside a URL."})
    project: str | None = field(default=None, metadata={"help": "If the store has several."})
    judges: str = field(default="human", metadata={"help": "human, oracle or discriminator."})
    kind: str = field(default="coefficients", metadata={"help": "coefficients or renders."})
    looks_by: str | None = field(default=None, metadata={"help": "A run that reads the pictures."})
    tested_on: float = field(default=0.25, metadata={"help": "Share of subjects for the test."})
    curve: list[int] = field(
        default_factory=lambda: [50, 100, 300, 1000, 3000, 5000],
        metadata={"help": "Numbers of verdicts for the learning curve."},
    )
    out: str = field(default="judge", metadata={"help": "Where the judge goes."})


def main(options: Options, lesson: Lesson) -> None:
    """Verdicts, split, lesson, test, curve, save."""
    from semanticface.atomic import write_text
    from semanticface.preference.discriminator import as_json, curve, marks, teach
    from semanticface.preference.judged import asked_of, by_model, held_out, judged_of, kind_of
    from semanticface.preference.store import open_store
    from semanticface.preference.store.content import project_of
    from semanticface.preference.store.preferred import Filter

    store = open_store(options.store, media=options.media)
    asked = asked_of(store, project_of(store, options.project).id, Filter((options.judges,)))
    kind = kind_of(options.kind)
    look = by_model(options.looks_by) if kind == "coefficients" else None
    pairs = judged_of(asked, kind, look)
    aside = held_out(pairs.subjects, options.tested_on, lesson.seed)
    learnt, tested = pairs.some(~aside), pairs.some(aside)

    judge = teach(learnt, lesson)
    points = curve(learnt, tested, tuple(options.curve), lesson)
    told: dict[str, Any] = {
        "judged_by": options.judges, "left_out": asked.left_out, "lesson": asdict(lesson),
        "test": as_json(marks(judge, tested)),
        "curve": [{"learnt_from": each.verdicts, **as_json(each.marks)} for each in points],
    }  # fmt: skip
    write_text(judge.save(options.out) / "marks.json", json.dumps(told, indent=1) + "\n")
    for each in points:
        found = each.marks.accuracy
        logging.info("%5d verdicts: %.3f [%.3f, %.3f]", each.verdicts, found.estimate, found.low,
                     found.high)  # fmt: skip
    found = told["test"]
    logging.info("%s: right in %.1f %% of %d verdicts (%s) of other subjects", options.out,
                 100 * found["accuracy"], found["verdicts"], options.judges)  # fmt: skip


if __name__ == "__main__":
    from semanticface.train.launching import as_script
    from semanticface.train.parsing import told as parsed

    with as_script("nothing was saved, the same command begins anew"):
        main(*parsed((Options, Lesson), about=__doc__ or ""))
