"""A whole suite: from YAML to result, page and frames."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
import yaml
from conftest import REPOSITORY

from semanticface.errors import BadInput
from semanticface.evaluation.items import Item, Prediction
from semanticface.evaluation.result import Evaluation
from semanticface.evaluation.run import evaluate
from semanticface.evaluation.suite import items, load, suite_of
from semanticface.formats import read, write
from semanticface.motion.sequences import sample_clip

SUITES = sorted((REPOSITORY / "eval" / "suites").glob("*.yaml"))
GIVEN = {"data": "data", "pred": "pred", "tracker": ".tracker", "url": "http://127.0.0.1:1/v1",
         "model": "m"}  # fmt: skip
BASE = {
    "name": "planted",
    "rehearsals": {"count": 3, "seconds": 8, "seed": 3},
    "sources": [
        {"name": "late", "kind": "degraded", "noise": 0.02, "lag": 0.1, "dead": ["jawOpen"]},
        {"name": "fair", "kind": "degraded", "noise": 0.005},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def outcome():
    return evaluate(suite_of(BASE))


def test_every_shipped_suite_is_valid():
    assert len(SUITES) >= 5
    for path in SUITES:
        assert load(path, GIVEN).name == path.stem


def test_sources_and_baselines_have_figures_and_n(outcome):
    found = outcome.evaluation
    assert [s.name for s in found.sources] == [
        "late", "fair", "all zero", "mean of other takes", "previous frame",
    ]  # fmt: skip
    late = found.source("late")
    assert late.headline["lag"].value == pytest.approx(0.1, abs=0.01)
    assert late.headline["mae"].value > found.source("fair").headline["mae"].value
    assert late.at_best_lag["mae"].value < late.headline["mae"].value
    for source in found.sources:
        for name, figure in source.headline.items():
            assert figure.value is not None, name
            assert figure.n, name
    assert found.source("all zero").headline["skill_zero"].value == pytest.approx(0)


def test_planted_faults_stand_in_the_pairings(outcome):
    for pairing in outcome.evaluation.source("late").pairings:
        assert {"lag", "dead channel", "jitter"} <= {each.kind for each in pairing.findings}


def test_the_verdict_goes_with_the_interval(outcome):
    by_pair = {(c.one, c.other, c.metric): c for c in outcome.evaluation.comparisons}
    worse = by_pair["late", "fair", "mae"]
    assert worse.difference.low > 0
    assert "worse" in worse.verdict


def test_the_result_reads_back_as_it_was(outcome, tmp_path: Path):
    outcome.evaluation.save(tmp_path / "result.json")
    assert Evaluation.load(tmp_path / "result.json") == outcome.evaluation


def test_a_changed_result_is_refused(outcome, tmp_path: Path):
    path = tmp_path / "result.json"
    outcome.evaluation.save(path)
    held = json.loads(path.read_text())
    held["sources"][0]["headline"]["mae"]["value"] = "good"
    path.write_text(json.dumps(held))
    with pytest.raises(BadInput, match=r"sources\.0\.headline\.mae\.value"):
        Evaluation.load(path)


def test_the_published_schema_is_the_one_in_use():
    shipped = json.loads((REPOSITORY / "eval" / "result.schema.json").read_text())
    assert shipped == Evaluation.model_json_schema()


def test_an_interrupted_evaluation_goes_on(tmp_path: Path):
    suite = suite_of(BASE)
    first = evaluate(suite, tmp_path).evaluation
    kept = sorted((tmp_path / "predictions").rglob("*.npz"))
    assert len(kept) == 6
    stamps = {path: path.stat().st_mtime_ns for path in kept}
    kept[0].unlink()
    again = evaluate(suite, tmp_path).evaluation
    assert [s.headline for s in again.sources] == [s.headline for s in first.sources]
    fresh = [p for p in kept if p.stat().st_mtime_ns != stamps[p]]
    assert fresh == [kept[0]]


def test_one_missing_file_does_not_stop_the_rest(tmp_path: Path):
    for number in range(2):
        write(sample_clip(6, 30, seed=number), tmp_path / f"take{number}.npz")
    (tmp_path / "pred").mkdir()
    write(sample_clip(6, 30, seed=0), tmp_path / "pred" / "take0.npz")
    suite = suite_of({
        "name": "gap", "takes": [{"path": str(tmp_path / "*.npz")}],
        "sources": [{"name": "ours", "kind": "file", "path": str(tmp_path / "pred/{take}.npz")}],
    })  # fmt: skip
    source = evaluate(suite).evaluation.source("ours")
    assert [p.scored for p in source.pairings] == [True, False]
    assert source.pairings[1].findings[0].kind == "no prediction"


def test_subjects_are_the_clusters_where_asked():
    raw = {**BASE, "by": "subject"}
    assert {p.cluster for p in evaluate(suite_of(raw)).evaluation.source("fair").pairings} == {
        "rehearsal-0", "rehearsal-1", "rehearsal-2",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"sorces": []}, "sorces"),
        ({"sources": [BASE["sources"][0]] * 2}, "twice"),
        ({"rehearsals": None}, "no takes"),
        ({"label_free": True}, "label_free"),
        ({"comparisons": [{"one": "late", "other": "nobody"}]}, "nobody"),
        ({"comparisons": [{"one": "late", "other": "zero", "metric": "mea"}]}, "mea"),
        ({"sources": [{"name": "x", "kind": "degraded", "dead": ["jawopen"]}]}, "jawopen"),
    ],
)
def test_a_wrong_suite_names_its_key(change, match):
    with pytest.raises(BadInput, match=match):
        suite_of({**BASE, **change})


def test_a_name_without_a_value_is_asked_for(tmp_path: Path):
    path = tmp_path / "s.yaml"
    path.write_text(yaml.safe_dump({**BASE, "about": "{data}"}))
    with pytest.raises(BadInput, match="--data"):
        load(path)


@pytest.mark.slow
def test_the_command_leaves_result_frames_and_page(tmp_path: Path):
    suite = tmp_path / "small.yaml"
    suite.write_text(yaml.safe_dump(BASE))
    done = subprocess.run(
        [sys.executable, REPOSITORY / "eval" / "run.py", "--suite", suite, "--out", tmp_path / "o"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "worse" in done.stdout
    table = pyarrow.parquet.read_table(tmp_path / "o" / "frames.parquet")
    found = Evaluation.load(tmp_path / "o" / "result.json")
    assert table.num_rows == sum(p.frames for s in found.sources[:2] for p in s.pairings)
    mae = np.array([x for x in table["mae"].to_pylist() if x is not None])
    assert mae.mean() == pytest.approx(
        np.mean([found.source(n).headline["mae"].value for n in ("late", "fair")]), rel=0.05
    )
    page = (tmp_path / "o" / "index.html").read_text()
    assert all(word in page for word in ("dead channel", "jawOpen", "late"))


@pytest.mark.slow
def test_released_answers_are_judged_without_reference(shared: Path):
    suite = load(REPOSITORY / "eval" / "suites" / "released.yaml",
                 {"data": str(shared / "released_answers")})  # fmt: skip
    found = evaluate(suite).evaluation.source("SemanticFace")
    assert found.answers["tolerant"].value == 1
    assert found.headline["grid_share"].value == 1
    assert found.headline["zero_share"].value == pytest.approx(0.607, abs=0.001)
    assert found.answers["contradicted"].value == pytest.approx(8 / 147)
    assert "jitter" not in found.headline, "single pictures have no motion"


def test_the_shipped_livelink_suite_finds_predictions_of_any_suffix(tmp_path: Path):
    for folder in ("takes", "pred"):
        (tmp_path / folder).mkdir()
    for k, suffix in enumerate((".npz", ".csv", ".parquet")):
        take = tmp_path / "takes" / f"t{k}.csv"
        write(sample_clip(5, seed=k), take)
        write(read(take), tmp_path / "pred" / f"t{k}{suffix}")
    given = {"data": str(tmp_path / "takes"), "pred": str(tmp_path / "pred")}
    suite = load(SUITES[0].with_name("livelink.yaml"), given)
    found = evaluate(suite.model_copy(update={"geometry": False})).evaluation.source("predicted")
    assert [pairing.scored for pairing in found.pairings] == [True, True, True]


class Faces:
    """A source that was shown several faces of each take, one of them read badly."""

    kind = "faces"

    def __init__(self, name: str, order: tuple[int, ...]) -> None:
        self.name, self.order = name, order

    def fingerprint(self, item: Item) -> str:
        return self.name + item.take

    def predict(self, item, progress=None, *, work=None):
        clip = item.truth
        wrong = clip.with_values(clip.values + 0.2)
        return [Prediction(wrong if face else clip, (), (), {"identity": face})
                for face in self.order]  # fmt: skip


def test_faces_are_compared_each_with_its_own(monkeypatch):
    made = {"one": Faces("one", (0, 1)), "other": Faces("other", (1, 0))}
    monkeypatch.setattr("semanticface.evaluation.run.source_of", lambda spec: made[spec.name])
    sources = [{"name": name, "kind": "degraded"} for name in made]
    found = evaluate(suite_of({**BASE, "sources": sources})).evaluation
    (pair,) = [c for c in found.comparisons if (c.one, c.metric) == ("one", "mae")
               and c.other == "other"]  # fmt: skip
    assert pair.difference.value == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("name", ["zero", "mean", "previous", "all zero", "training mean"])
def test_names_of_baselines_are_theirs(name):
    with pytest.raises(BadInput, match="baseline"):
        suite_of({**BASE, "sources": [{"name": name, "kind": "degraded"}]})


def test_better_and_within_the_margin_are_said_together():
    comparisons = [{"one": "late", "other": "fair", "metric": "mae", "margin": 0.5}]
    found = evaluate(suite_of({**BASE, "comparisons": comparisons})).evaluation
    assert "worse than fair, though within the margin of 0.5" in found.comparisons[0].verdict


def test_a_source_of_one_convention_is_turned_in_every_take():
    sources = [{"name": "x", "kind": "degraded", "exchange_mouth": True}]
    long = {"count": 4, "seconds": 40, "seed": 3}
    suite = suite_of({**BASE, "rehearsals": long, "sources": sources})
    found = evaluate(suite).evaluation.source("x")
    actions = [[f.action for f in p.findings if f.kind == "mouth pair"] for p in found.pairings]
    assert actions == [["converted"]] * 4
    assert found.headline["mae"].value == pytest.approx(0, abs=1e-6)


def test_the_reference_stands_beside_what_is_read_against_it(outcome):
    assert {"jitter", "high_share"} <= set(outcome.evaluation.reference)
    coverage = outcome.evaluation.source("late").headline["coverage"]
    assert coverage.value == pytest.approx(1, abs=0.03)


def test_a_file_source_is_traced_to_its_bytes(tmp_path: Path):
    for folder in ("takes", "pred"):
        (tmp_path / folder).mkdir()
        write(sample_clip(5, seed=0), tmp_path / folder / "t.npz")
    found = evaluate(suite_of({
        "name": "x", "takes": [{"path": str(tmp_path / "takes" / "t.npz")}],
        "sources": [{"name": "s", "kind": "file", "path": str(tmp_path / "pred" / "{take}")}],
    })).evaluation.source("s").pairings[0]  # fmt: skip
    file = tmp_path / "pred" / "t.npz"
    assert found.input.path == str(file)
    assert found.input.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


def test_nothing_scored_is_a_failure(tmp_path: Path):
    for folder in ("takes", "pred"):
        (tmp_path / folder).mkdir()
    for k in range(2):
        write(sample_clip(3, seed=k), tmp_path / "takes" / f"t{k}.csv")
    run = subprocess.run(
        [sys.executable, REPOSITORY / "eval" / "run.py", "--suite", "livelink", "--data",
         tmp_path / "takes", "--pred", tmp_path / "pred", "--out", tmp_path / "out"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 1
    assert "no source could be scored" in run.stderr


@pytest.mark.parametrize("metric", ["jitter_ratio", "lve_root", "lip_gap_error"])
def test_sources_are_compared_in_movement_and_on_vertices_too(metric):
    comparisons = [{"one": "late", "other": "fair", "metric": metric}]
    short = {"count": 3, "seconds": 4, "seed": 3}
    suite = suite_of({**BASE, "rehearsals": short, "comparisons": comparisons})
    (found,) = evaluate(suite).evaluation.comparisons
    assert found.better == "lower"
    assert found.difference.value > 0
    assert found.difference.clusters == 3


def test_an_interrupt_is_one_line_and_the_same_command_goes_on(tmp_path: Path):
    file = tmp_path / "long.yaml"
    many = {**BASE, "rehearsals": {"count": 12, "seconds": 40, "seed": 3}, "geometry": True}
    file.write_text(yaml.safe_dump(many))
    listening = (  # background jobs are born deaf to interrupts, and so is what they start
        "import runpy, signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    command = [sys.executable, "-c", listening, str(REPOSITORY / "eval" / "run.py"),
               "--suite", str(file), "--out", str(tmp_path / "out")]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for _ in range(1200):
        if list((tmp_path / "out" / "predictions").rglob("*.npz")) or process.poll() is not None:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "goes on where it was" in said
    assert "Traceback" not in said
    assert list((tmp_path / "out" / "predictions").rglob("*.npz")), "what was done is kept"


def test_a_mean_of_other_clips_can_be_the_guess(tmp_path: Path):
    for k in range(2):
        clip = sample_clip(5, seed=90 + k)
        write(clip.with_values(np.full_like(clip.values, 0.25 * (k + 1))), tmp_path / f"m{k}.npz")
    suite = suite_of({**BASE, "training_mean": str(tmp_path / "*.npz")})
    found = evaluate(suite).evaluation
    guess = found.source("training mean")
    (take,) = {item.take for item in items(suite) if item.take.endswith("0")}
    (truth,) = [item.truth for item in items(suite) if item.take == take]
    shapes = truth.values[:, :52].astype(np.float64)
    expected = np.abs(shapes - 0.375).mean()
    assert guess.by_cluster[take]["mae"] == pytest.approx(expected, abs=1e-5)
