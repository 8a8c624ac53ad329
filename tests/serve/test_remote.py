"""`predict --endpoint`: a served model answers files as one in memory would."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from pictures import png
from PIL import Image
from stand_in import standing_in

from semanticface.data.images import ImageRef
from semanticface.data.tasks import Task
from semanticface.errors import BadInput, SemanticFaceError
from semanticface.language.answer_format import ANSWER_ORDER
from semanticface.rig import CHANNELS, COUNT
from semanticface.serve.client import FaceClient
from semanticface.serve.identity import Served, identity_of, to_json
from semanticface.serve.remote import RemotePredictor
from semanticface.train.decoding import Completion
from semanticface.train.predictions import Predictions, predict
from semanticface.train.predictor import Face
from semanticface.train.shots import Shot, shots

LABELS = [CHANNELS[i].label for i in ANSWER_ORDER]


def seen(picture: bytes) -> np.ndarray:
    """By its pixels: a picture is encoded anew on its way."""
    import io

    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))
    face = np.zeros(COUNT, np.float32)
    face[:3] = np.round(pixels[0, 0] / 255, 2)
    return face


@pytest.fixture
def server():
    with standing_in(Task.of("flat", "coefficients")) as started:
        started.face = seen
        yield started


def images(count: int):
    import io

    return [Image.open(io.BytesIO(png(n, (32, 32)))) for n in range(count)]


def test_faces_come_in_order_and_are_asked_once(server, tmp_path):
    asked = RemotePredictor(server.url, journal=tmp_path / "kept.jsonl")
    for _ in range(2):
        found = list(asked.each(images(5)))
        for n, face in enumerate(found):
            np.testing.assert_allclose(face.values, seen(png(n, (32, 32))), atol=1e-6)
            assert face.parsed.report.outcome == "strict" and face.completion.whole
    assert set(server.asked.values()) == {1}
    assert asked.origin == RemotePredictor(server.url).origin


def test_a_server_without_an_answer_ends_it(server):
    server.fault = lambda number, before: "503"
    with pytest.raises(SemanticFaceError, match="Run again"):
        list(RemotePredictor(server.url, deadline=0.2).each(images(1)))


def test_one_client_keeps_many_pictures_with_the_server(server, monkeypatch):
    """The slowest of some holds no other up, and the server is met once for the whole job."""
    met = []
    meet = FaceClient._meet
    monkeypatch.setattr(FaceClient, "_meet", lambda self: met.append(self) or meet(self))
    server.delay = 0.05
    asked, taken = RemotePredictor(server.url, at_once=4), []

    def pictures():
        for n, each in enumerate(images(24)):
            taken.append(n)
            yield each

    for n, face in enumerate(asked.each(pictures(), batch=1)):
        np.testing.assert_allclose(face.values, seen(png(n, (32, 32))), atol=1e-6)
        assert len(taken) <= n + 2 * 4 + 1  # no more pictures in memory than are asked about
    assert n == 23 and 1 < server.busiest <= 4
    assert len(met) == 2  # once to learn what it is, before the folder of answers is opened


CHANGES = [{"weights": "b"}, {"prompt": "image/names"}, {"request_sha256": "0" * 64},
           {"rig": "arkit99/1"}, {"one_pass": True}]  # fmt: skip


@pytest.mark.parametrize("marking", [True, False])
@pytest.mark.parametrize("changes", CHANGES)
def test_a_server_that_comes_back_as_another_model_is_refused(server, tmp_path, changes, marking):
    server.marking = marking
    before = identity_of(server.task)
    after = to_json(Served({"face": before._replace(**changes)}))

    def restarted(number, tries):
        if number == 3 and not tries:
            server.identity = after
            return "drop"
        return ""

    server.fault = restarted
    found = []
    with pytest.raises(BadInput, match=r"another|arkit99"):
        asked = RemotePredictor(server.url, at_once=1, journal=tmp_path / "j")
        found.extend(asked.each(images(6)))
    assert len(found) == 3
    assert len((tmp_path / "j").read_text().splitlines()) == 3  # nothing of the other model


def test_a_server_that_changes_between_two_looks_is_refused(server):
    asked = RemotePredictor(server.url)
    assert asked.origin
    server.identity = to_json(Served({"face": identity_of(server.task)._replace(weights="b")}))
    with pytest.raises(BadInput, match="weights changed"):
        list(asked.each(images(1)))
    assert not server.asked


def test_a_server_that_comes_back_as_itself_goes_on(server):
    server.fault = lambda number, before: "drop" if number % 3 == 0 and not before else ""
    assert len(list(RemotePredictor(server.url).each(images(7)))) == 7


def test_a_picture_that_the_server_refuses_stops_no_other(server, tmp_path):
    for n in range(3):
        (tmp_path / f"{n}.png").write_bytes(png(n, (32, 32)))
    found = shots([tmp_path / f"{n}.png" for n in range(3)])
    server.fault = lambda number, before: "400" if number == 1 else ""
    asked = RemotePredictor(server.url, journal=tmp_path / "kept.jsonl")
    kept = Predictions.begun(tmp_path / "out", asked.origin)
    outcome = predict(asked, found, kept, batch=2)
    assert len(outcome.answers) == 2
    assert "HTTP 400" in outcome.failed[str(tmp_path / "1.png")]
    server.fault = lambda number, before: ""
    again = predict(asked, found, Predictions.begun(tmp_path / "out", asked.origin), batch=2)
    assert len(again.answers) == 3 and again.asked == 1 and not again.failed


def test_an_answer_may_hold_any_kind_of_line_break(tmp_path):
    kept = Predictions.begun(tmp_path, "x")
    text = "one\u2028two\x85three"
    face = Face(np.zeros(COUNT, np.float32), None, None, Completion(text, 3, True, 1))
    kept.add("key", Shot("a.png", None, ImageRef(path="a.png"), ""), face, 2048)
    assert Predictions.begun(tmp_path, "x").held["key"].text == text


def test_the_command_writes_what_it_was_told(server, tmp_path):
    for n in range(3):
        (tmp_path / f"{n}.png").write_bytes(png(n, (32, 32)))
    told = [sys.executable, "-m", "semanticface.cli.main", "predict",
            *(str(tmp_path / f"{n}.png") for n in range(3)), "--endpoint", server.url,
            "--out", str(tmp_path / "out")]  # fmt: skip
    for _ in range(2):
        done = subprocess.run(told, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    faces = json.loads((tmp_path / "out" / "faces.json").read_text())
    assert len(faces) == 3
    held = faces[str(tmp_path / "1.png")]["arkit"]
    expected = seen(png(1, (32, 32)))[list(ANSWER_ORDER)]
    np.testing.assert_allclose([held[label] for label in LABELS], expected, atol=1e-6)
    assert set(server.asked.values()) == {1}
