"""A served model is asked once a picture, whatever goes wrong on the way."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from semanticface.errors import BadInput
from semanticface.evaluation.endpoint import GIVE_UP, JOURNAL, EndpointSource
from semanticface.evaluation.items import Item, Prediction
from semanticface.evaluation.predictions import cached
from semanticface.evaluation.specs import EndpointSpec
from semanticface.language.answers import answer_format
from semanticface.language.describe import describe
from semanticface.render.picture import Renderer
from semanticface.rig import COUNT, INDEX, FaceClip
from tests.evaluation.model_server import ModelServer, serving

FRAMES = 12


def truth(frames: int = FRAMES) -> FaceClip:
    """Faces on the grid of three decimals, so that an answer can hold them exactly."""
    rng = np.random.default_rng(5)
    values = np.zeros((frames, COUNT))
    values[:, INDEX["jawOpen"]] = np.linspace(0, 0.9, frames)
    values[:, INDEX["mouthSmileLeft"]] = rng.random(frames)
    values[:, INDEX["mouthLeft"]] = rng.random(frames) / 2
    values[:, INDEX["headYaw"]] = rng.uniform(-0.5, 0.5, frames)
    return FaceClip.of(np.round(values, 3), 100 + np.arange(frames) / 30)


def texts(clip: FaceClip, key: str = "two-key") -> list[str]:
    writer = answer_format(key)
    return [writer.write(row, describe(row)) for row in clip.values]


def pictures(count: int = FRAMES) -> list[np.ndarray]:
    rng = np.random.default_rng(9)
    return [rng.integers(0, 255, (8, 10, 3), np.uint8) for _ in range(count)]


class Stage:
    """Picture files, a server that knows them, and the spec to ask it."""

    def __init__(self, folder: Path, server: ModelServer, clip: FaceClip) -> None:
        self.folder, self.server, self.clip = folder, server, clip
        self.item = Item("take", "ann", clip)

    def spec(self, **changes: object) -> EndpointSpec:
        quick = {"pause": 0.01, "timeout": 5.0, "concurrency": 3, "retries": 3}
        return EndpointSpec(**{
            "name": "ours", "url": self.server.url, "model": "face", "on": "frames",
            "frames": str(self.folder / "stills"), **quick, **changes,
        })  # fmt: skip

    def predict(self, **changes: object) -> Prediction:
        source = EndpointSource(self.spec(**changes))
        (found,) = source.predict(self.item, work=self.folder / "work")
        return found

    def asked_once(self, *but: int) -> bool:
        rest = [n for n in range(len(self.clip)) if n not in but]
        return [self.server.asked[n] for n in rest] == [1] * len(rest)


@pytest.fixture
def stage(tmp_path):
    clip = truth()
    shown = pictures()
    (tmp_path / "stills").mkdir()
    for number, picture in enumerate(shown):
        Image.fromarray(picture).save(tmp_path / "stills" / f"f{number}.png")
    with serving(shown, texts(clip)) as server:
        yield Stage(tmp_path, server, clip)


def test_good_answers_give_back_the_truth(stage):
    told = []
    source = EndpointSource(stage.spec())
    (found,) = source.predict(stage.item, lambda done, total: told.append((done, total)))
    np.testing.assert_array_equal(found.clip.times, stage.clip.times)
    np.testing.assert_allclose(found.clip.values, stage.clip.values, atol=1e-6)
    assert {report.outcome for report in found.reports} == {"strict"}
    assert list(found.texts) == stage.server.texts
    assert told == [(n, FRAMES) for n in range(1, FRAMES + 1)]
    assert stage.asked_once()
    assert stage.server.busiest <= 3
    assert found.notes["unanswered"] == 0 and found.notes["asked"] == FRAMES


def test_the_request_is_the_prompt_with_the_picture_in_its_place(stage):
    stage.predict(structured=True, max_tokens=77, temperature=0.25)
    body = stage.server.bodies[0]
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    kinds = [part["type"] for part in body["messages"][1]["content"]]
    assert kinds == ["text", "image_url"]
    assert "<image>" not in json.dumps(body)
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("face", 77, 0.25)
    schema = body["response_format"]["json_schema"]
    assert schema["schema"] == answer_format("two-key").json_schema()
    assert "response_format" not in EndpointSource(stage.spec()).request("data:")


def test_renders_of_the_truth_come_back_for_each_identity(tmp_path):
    clip = truth(3)
    shown = [Renderer(identity=who, size=32).render(row) for who in (0, 2) for row in clip.values]
    with serving(shown, texts(clip) * 2) as server:
        spec = EndpointSpec(name="ours", url=server.url, model="face", size=32, identities=(0, 2))
        found = EndpointSource(spec).predict(Item("take", None, clip))
        assert server.asked == dict.fromkeys(range(6), 1)
    assert [each.notes["identity"] for each in found] == [0, 2]
    for each in found:
        np.testing.assert_allclose(each.clip.values, clip.values, atol=1e-6)


def test_a_frame_without_a_face_is_not_asked_about():
    clip = truth(4)
    values = clip.values.copy()
    values[2] = np.nan
    clip = FaceClip.of(values, clip.times)
    seen = [clip.values[i] for i in (0, 1, 3)]
    shown = [Renderer(identity=0, size=32).render(row) for row in seen]
    with serving(shown, texts(FaceClip.of(np.array(seen)))) as server:
        spec = EndpointSpec(name="ours", url=server.url, model="face", size=32)
        (found,) = EndpointSource(spec).predict(Item("take", None, clip))
        assert sum(server.asked.values()) == 3
    np.testing.assert_allclose(found.clip.values, clip.values, atol=1e-6)
    assert found.reports[2].outcome == "failed" and "no picture" in found.reports[2].notes[0]
    assert found.notes["unanswered"] == 0


@pytest.mark.parametrize(
    "fault", ["429", "429 later", "500", "503", "broken", "page", "half", "silent", "chunks half"]
)
def test_a_fault_that_passes_is_repeated(stage, fault):
    stage.server.fault = lambda picture, before: fault if picture == 4 and before < 2 else ""
    found = stage.predict()
    np.testing.assert_allclose(found.clip.values, stage.clip.values, atol=1e-6)
    assert stage.server.asked[4] == 3 and stage.asked_once(4)
    assert found.notes["repeats"] == 2


def test_an_answer_in_chunks(stage):
    stage.server.fault = lambda picture, before: "chunks"
    found = stage.predict()
    np.testing.assert_allclose(found.clip.values, stage.clip.values, atol=1e-6)
    assert stage.asked_once()


@pytest.mark.parametrize("fault", ["hang", "drip"])
def test_no_answer_in_time_is_repeated(stage, fault):
    stage.server.fault = lambda picture, before: fault if picture == 4 and not before else ""
    begun = time.monotonic()
    found = stage.predict(timeout=0.5)
    assert time.monotonic() - begun < 10  # the fault itself would take 20 s or more
    np.testing.assert_allclose(found.clip.values, stage.clip.values, atol=1e-6)
    assert stage.server.asked[4] == 2 and stage.asked_once(4)


def test_a_frame_that_keeps_failing_is_missing_and_says_why(stage):
    stage.server.fault = lambda picture, before: "500" if picture == 7 else ""
    found = stage.predict()
    assert np.isnan(found.clip.values[7]).all()
    assert np.isfinite(np.delete(found.clip.values, 7, axis=0)).all()
    assert stage.server.asked[7] == 4
    assert found.reports[7].notes == ("no answer: HTTP 500, at the last of 4 tries",)
    assert found.reports[7].outcome == "failed" and found.texts[7] == ""
    assert found.notes["unanswered"] == 1


def test_the_deadline_ends_the_repeats(stage):
    stage.server.fault = lambda picture, before: "500" if picture == 7 else ""
    found = stage.predict(retries=1000, pause=0.2, deadline=1.0)
    assert np.isnan(found.clip.values[7]).all()
    assert 1 < stage.server.asked[7] < 12


def test_what_the_endpoint_refuses_is_not_repeated(stage):
    stage.server.fault = lambda picture, before: "400" if picture == 7 else ""
    found = stage.predict()
    assert stage.server.asked[7] == 1
    assert "HTTP 400: not now" in found.reports[7].notes[0]


def test_an_answer_that_was_cut_off_is_read_as_far_as_it_goes(stage):
    stage.server.fault = lambda picture, before: "cut" if picture == 3 else ""
    found = stage.predict()
    report = found.reports[3]
    assert report.outcome == "repaired" and "cut off at max_tokens" in report.notes
    missing = [INDEX[name] for name in report.missing]
    assert 0 < len(missing) < COUNT
    assert np.isnan(found.clip.values[3, missing]).all()
    kept = np.setdiff1d(np.arange(COUNT), missing)
    np.testing.assert_allclose(found.clip.values[3, kept], stage.clip.values[3, kept], atol=1e-6)
    assert stage.asked_once() and found.notes["cut off"] == 1


def test_a_wrong_key_ends_it_and_names_the_variable_only(stage, monkeypatch):
    stage.server.key = "right"
    monkeypatch.setenv("FACE_KEY", "wrong-secret")
    with pytest.raises(BadInput, match="FACE_KEY") as caught:
        stage.predict(api_key_env="FACE_KEY")
    assert "401" in str(caught.value) and "wrong-secret" not in str(caught.value)
    assert sum(stage.server.asked.values()) <= 2 * 3
    with pytest.raises(BadInput, match="api_key_env"):
        stage.predict()


def test_the_right_key_is_nowhere_on_disk(stage, monkeypatch):
    stage.server.key = "right-secret"
    monkeypatch.setenv("FACE_KEY", "right-secret")
    source = EndpointSource(stage.spec(api_key_env="FACE_KEY"))
    cached(source, stage.item, stage.folder / "kept")
    written = [path for path in (stage.folder / "kept").rglob("*") if path.is_file()]
    assert len(written) == 3
    assert not any(b"right-secret" in path.read_bytes() for path in written)
    before = source.fingerprint(stage.item)
    monkeypatch.setenv("FACE_KEY", "another")
    renamed = stage.spec(api_key_env="OTHER", name="other", concurrency=1)
    assert EndpointSource(renamed).fingerprint(stage.item) == before


def test_no_key_in_the_environment(stage, monkeypatch):
    monkeypatch.delenv("FACE_KEY", raising=False)
    with pytest.raises(BadInput, match="environment variable FACE_KEY"):
        stage.predict(api_key_env="FACE_KEY")
    assert not stage.server.asked


@pytest.mark.parametrize("fault", ["404", "redirect"])
def test_a_wrong_address_ends_it(stage, fault):
    stage.server.fault = lambda picture, before: fault
    with pytest.raises(BadInput, match="Check 'url' and 'model'"):
        stage.predict()


def test_an_endpoint_that_is_gone_ends_it(stage):
    stage.server.fault = lambda picture, before: "503"
    with pytest.raises(BadInput, match=f"{GIVE_UP} pictures in a row without an answer"):
        stage.predict(retries=0, concurrency=1)
    assert sum(stage.server.asked.values()) == GIVE_UP
    with pytest.raises(BadInput, match="broken connection"):
        stage.predict(retries=0, url="http://127.0.0.1:9/v1")


def test_the_same_picture_is_asked_about_once(stage):
    same = (stage.folder / "stills" / "f0.png").read_bytes()
    for number in (5, 6):
        (stage.folder / "stills" / f"f{number}.png").write_bytes(same)
    found = stage.predict()
    assert stage.server.asked[0] == 1 and stage.server.asked[5] == stage.server.asked[6] == 0
    np.testing.assert_array_equal(found.clip.values[5], found.clip.values[0])


def test_another_run_asks_what_is_missing_only(stage):
    stage.server.fault = lambda picture, before: "500" if picture == 7 else ""
    stage.predict()
    stage.server.fault = lambda picture, before: ""
    stage.server.asked.clear()
    found = stage.predict()
    assert stage.server.asked == {7: 1}
    assert np.isfinite(found.clip.values).all()
    assert found.notes["remembered"] == FRAMES - 1
    stage.predict(model="another")
    assert stage.asked_once(7)  # another model has to be asked about all of them


def test_a_journal_that_broke_off_keeps_its_whole_lines(stage):
    stage.predict()
    path = stage.folder / "work" / JOURNAL
    whole = path.read_bytes()
    last = whole.rindex(b"\n", 0, len(whole) - 1) + 1
    path.write_bytes(whole[: last + (len(whole) - last) // 2])
    stage.server.asked.clear()
    found = stage.predict()
    assert sum(stage.server.asked.values()) == 1
    assert found.notes["journal lines unreadable"] == 1
    np.testing.assert_allclose(found.clip.values, stage.clip.values, atol=1e-6)
    stage.server.asked.clear()
    stage.predict()
    assert not stage.server.asked  # what came after the broken line stands on one of its own


RUN = """
import sys
from pathlib import Path
from semanticface.evaluation.items import Item
from semanticface.evaluation.predictions import cached
from semanticface.evaluation.sources import source_of, spec_of
from semanticface.rig import load_npz
import json
spec, clip, folder = json.loads(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
cached(source_of(spec_of(spec)), Item("take", "ann", load_npz(clip)), folder)
"""


@pytest.mark.slow
def test_killed_in_the_middle_and_resumed(tmp_path):
    from semanticface.rig import save_npz

    count = 40
    clip, shown = truth(count), pictures(count)
    (tmp_path / "stills").mkdir()
    for number, picture in enumerate(shown):
        Image.fromarray(picture).save(tmp_path / "stills" / f"f{number}.png")
    save_npz(clip, tmp_path / "truth.npz")
    with serving(shown, texts(clip)) as server:
        server.delay = 0.1
        spec = EndpointSpec(name="ours", url=server.url, model="face", on="frames",
                            frames=str(tmp_path / "stills"), concurrency=3)  # fmt: skip
        told = spec.model_dump_json()
        run = subprocess.Popen(
            [sys.executable, "-c", RUN, told, tmp_path / "truth.npz", tmp_path / "kept"]
        )
        try:
            end = time.monotonic() + 60
            while sum(server.asked.values()) < 15 and time.monotonic() < end:
                assert run.poll() is None
                time.sleep(0.01)
            run.send_signal(signal.SIGKILL)
        finally:
            run.kill()
            run.wait()
        time.sleep(0.3)  # what was in flight comes to nothing
        first = server.asked.copy()
        journal = (tmp_path / "kept" / "ours" / JOURNAL).read_bytes().splitlines()
        answered = sum(first.values()) - len(journal)
        assert len(journal) >= 10 and answered <= 3  # nothing lost but what was in flight
        server.delay = 0.0
        (found,) = cached(EndpointSource(spec), Item("take", "ann", clip), tmp_path / "kept")
        np.testing.assert_allclose(found.clip.values, clip.values, atol=1e-6)
        assert set(server.asked) == set(range(count))
        twice = [n for n, times in server.asked.items() if times > 1]
        assert len(twice) <= 3 and all(server.asked[n] == 2 for n in twice)
        assert found.notes["remembered"] == len(journal)


def test_a_mouth_as_in_a_live_link_csv_is_exchanged(stage):
    found = stage.predict(exchange_mouth=True)
    right = found.clip.column("mouthRight")
    np.testing.assert_allclose(right, stage.clip.column("mouthLeft"), atol=1e-6)
    assert "mouth pair exchanged" in found.clip.meta.conventions[0]


def test_a_format_without_a_schema_cannot_be_structured(stage):
    with pytest.raises(BadInput, match="'structured' for the answer format 'codes'"):
        EndpointSource(stage.spec(answer_format="codes", structured=True))


@pytest.mark.parametrize("key", ["flat", "codes", "tokens"])
def test_other_answer_formats(stage, key):
    stage.server.texts = texts(stage.clip, key)
    found = stage.predict(answer_format=key)
    assert {report.outcome for report in found.reports} == {"strict"}
    np.testing.assert_allclose(found.clip.values, stage.clip.values, atol=0.006)


@pytest.mark.parametrize("url", ["ftp://host/v1", "http://u:p@host/v1", "http://host/v1?key=x"])
def test_an_address_holds_no_secret(url):
    with pytest.raises(ValueError, match="address"):
        EndpointSpec(name="ours", url=url, model="face")


def test_the_fingerprint_moves_with_what_matters(stage):
    base = EndpointSource(stage.spec()).fingerprint(stage.item)
    changes = [{"model": "b"}, {"temperature": 0.5}, {"answer_format": "flat"}, {"every": 2},
               {"max_tokens": 9}, {"structured": True}, {"url": "http://h/v1"},
               {"encoding": "jpeg"}, {"exchange_mouth": True}]  # fmt: skip
    moved = {EndpointSource(stage.spec(**each)).fingerprint(stage.item) for each in changes}
    assert len(moved) == len(changes) and base not in moved
    assert EndpointSource(stage.spec(timeout=1.0)).fingerprint(stage.item) == base
    Image.fromarray(pictures(1)[0][::-1]).save(stage.folder / "stills" / "f3.png")
    assert EndpointSource(stage.spec()).fingerprint(stage.item) != base
