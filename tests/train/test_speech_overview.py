"""The tables of the cue experiment from scores that were kept."""

from __future__ import annotations

import json
import lzma
import sys
from pathlib import Path

import numpy as np
import pytest

from semanticface.errors import BadInput

pytest.importorskip("transformers", reason="comes with the train extra")

REPOSITORY = Path(__file__).resolve().parents[2]
KEPT = REPOSITORY / "docs" / "measured" / "speech-cues-36.jsonl.xz"
CONDITIONS = ("unseen sentence", "unseen voice")


@pytest.fixture(scope="module")
def report():
    folder = str(REPOSITORY / "scripts" / "experiments")
    sys.path.insert(0, folder)
    import speech_build.overview as module
    import speech_build.report

    module.tables = speech_build.report

    yield module
    sys.path.remove(folder)


@pytest.fixture
def out(tmp_path):
    """A few recordings of the rules and of two arms; one seed of one arm is away."""
    with lzma.open(KEPT, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    some = [row for row in rows if row["name"] == "rules" or row.get("cues") in ("audio", "timed")]
    some = [row for row in some if row["name"] != "timed, 15 frames, seed 1"]
    for row in some:
        row["scores"] = {key: row["scores"][key][:6] for key in CONDITIONS}
    (tmp_path / "scores.jsonl").write_text("".join(json.dumps(row) + "\n" for row in some))
    return tmp_path


def test_rows_in_the_ladders_order_and_changes_seed_by_seed(report, out, capsys):
    report.overview(out)
    told = capsys.readouterr().out
    tables = [part.splitlines() for part in told.strip().split("\n\n")]
    assert [line.split("|")[1].strip() for line in tables[0]] == [
        "mouth MAE", "---", report.LADDER["audio"], report.LADDER["timed"], "rules",
    ]  # fmt: skip
    assert [line.split("|")[2].strip() for line in tables[0][2:]] == ["3", "2", ""]
    errors = {line.split("|")[1].strip(): _first(line, 3) for line in tables[0][2:]}
    changes = {line.split("|")[1].strip(): _first(line, 2) for line in tables[1][2:]}
    off = changes["a phone a frame, beside the sound alone"]
    assert off == pytest.approx(_mean(report, out, (0, 2)), abs=2e-4)
    timed, rules = errors[report.LADDER["timed"]], errors["rules"]
    beside = changes[f"{report.LADDER['timed']}, beside the rules"]
    assert beside == pytest.approx(timed - rules, abs=2e-4)
    assert [table[0].split("|")[1].strip() for table in tables[2:]] == list(CONDITIONS)


def test_what_is_no_rung_is_named_and_two_on_one_are_refused(report, out, capsys):
    rows = [json.loads(line) for line in (out / "scores.jsonl").read_text().splitlines()]
    real = [row | {"name": "timed with real takes, 15 frames, seed 0", "real": True}
            for row in rows if row["name"] == "timed, 15 frames, seed 0"]  # fmt: skip
    longer = [row | {"steps": 9} for row in rows if row["name"] == "audio, 15 frames, seed 0"]
    (out / "scores.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows + real))
    report.overview(out)
    assert "not shown here, but in `table`: timed with real takes" in capsys.readouterr().out
    (out / "scores.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows + longer))
    with pytest.raises(BadInput, match="one length of an arm"):
        report.overview(out)


def test_without_the_rules_nothing_is_held_against_them(report, out, capsys):
    found = report.arms(out)
    report.tables._against_rules(CONDITIONS[0], found)
    assert len(capsys.readouterr().out.splitlines()) == 2
    report.tables._against_rules(CONDITIONS[0], [arm for arm in found if arm.name != "rules"])
    assert capsys.readouterr().out == ""


def _first(line, cell):
    return float(line.split("|")[cell].split()[0])


def _mean(report, out, seeds):
    """The change by hand, of the seeds that both have."""
    held = {(row["cues"], row["seed"]): row["scores"][CONDITIONS[0]]
            for row in map(json.loads, (out / "scores.jsonl").read_text().splitlines())
            if "cues" in row}  # fmt: skip
    mae = {key: float(np.sum([e["sums"][1] for e in rows]) / np.sum([e["sums"][0] for e in rows]))
           for key, rows in held.items()}  # fmt: skip
    return np.mean([mae["timed", seed] - mae["audio", seed] for seed in seeds])
