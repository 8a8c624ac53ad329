"""The commands: from rendered faces to preferences, in a shell's words."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from semanticface.cli.main import app
from semanticface.data.plan import Plan
from semanticface.data.synth import make
from semanticface.errors import BadInput
from semanticface.preference.store import Store, open_store
from semanticface.preference.store.content import (
    add_rater,
    answer_of,
    project_of,
    question_about,
)
from semanticface.preference.store.files import kept_file
from semanticface.preference.store.questions import Question, open_questions
from semanticface.preference.store.verdicts import heard


def run(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synth") / "faces"
    make(Plan(8, 4, ("clay",), 48, 1, shard_frames=8), folder)
    return folder


@pytest.mark.slow
def test_a_round_with_an_oracle_from_the_shell(faces: Path, tmp_path: Path) -> None:
    where = tmp_path / "faces.store"
    run("rank", "new", where, "--size", 64, "--look", "clay", "--check-every", 5)
    told = run("rank", "faults", where, faces, "--checks", 1.0, "--per-region", 2)
    assert "attention checks" in told
    assert "simulated verdicts" in run("rank", "oracle", where, faces, "--noise", 0.2)
    some = ("rank", "oracle", where, faces, "--name", "few", "--most", 2)
    assert "2 simulated verdicts by few" in run(*some)
    assert "2 simulated verdicts by few after 2" in run(*some)
    with pytest.raises(BadInput, match="rater called 'few'"):
        run(*some, "--noise", 0.1)
    assert "of kind oracle" in run("rank", "report", where, "--judges", "oracle")
    assert "0 preferences" in run("rank", "preferences", where, "-o", tmp_path / "people.jsonl")
    run("rank", "preferences", where, "-o", tmp_path / "p.jsonl", "--judges", "oracle")
    rows = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text().splitlines()]
    assert rows and {each["region"] for each in rows} == {"upper", "lower"}
    assert {tuple(each["judged_by"]) for each in rows} == {("oracle",)}
    assert "/i/invite." in run("rank", "invite", where, "ann")
    assert "renders of" in run("rank", "draw", where)
    run("rank", "export", where, "-o", tmp_path / "x.jsonl")
    assert "new: 1 project" in run("rank", "import", tmp_path / "again", tmp_path / "x.jsonl")
    store = open_store(tmp_path / "again")
    assert {each.kind for each in heard(store, project_of(store).id)} == {"oracle"}
    checks = [e for e in heard(store, project_of(store).id) if e.purpose == "check"]
    assert checks and sum(e.choice == e.expected for e in checks) >= 0.8 * len(checks)
    store.close()


def test_two_clips_become_pairs(shared: Path, tmp_path: Path) -> None:
    where = tmp_path / "s"
    run("rank", "new", where, "--size", 64)
    takes = [shared / "livelink" / name for name in ("S07-001.csv", "alex_rom_3.csv")]
    told = run("rank", "clips", where, *takes, "--names", "a,b", "--every", 4, "--subject", "x")
    assert "pairs and 0 attention checks" in told and not told.startswith("0 pairs")
    assert "nobody knows which is right" in told


def a_take(path: Path, strength: float, seconds: float = 1.0) -> Path:
    """A jaw that opens and shuts, as a clip on disk."""
    from semanticface.rig import COUNT, INDEX, FaceClip, save_npz

    values = np.zeros((int(30 * seconds) + 1, COUNT), np.float32)
    values[:, INDEX["jawOpen"]] = strength * np.abs(np.sin(np.arange(len(values)) / 4 + 0.7))
    save_npz(FaceClip.of(values, np.arange(len(values)) / 30), path)
    return path


def questions(where: Path) -> tuple[Store, list[Question], list[str]]:
    """Everything that a person is asked, and the words it is asked in."""
    store = open_store(where)
    project = project_of(store)
    asked = open_questions(store, project, add_rater(store, project.id, "ann").id, 99)
    words = [question_about(project, picture=e.picture, sound=e.sound) for e in asked]
    return store, list(asked), words


def test_stills_of_two_clips_stand_beside_their_films_frame(tmp_path: Path) -> None:
    from movies import film
    from PIL import Image

    takes = [a_take(tmp_path / f"{name}.npz", much) for name, much in (("a", 0.9), ("b", 0.2))]
    film(tmp_path / "face.avi", 20)  # two thirds of a second; frame i is a grey of 8 i
    command = ("rank", "clips", *takes, "--names", "a,b", "--every", 0.3, "--regions", "lower")
    for name, more in (("seen", ("--movie", tmp_path / "face.avi")), ("bare", ())):
        run("rank", "new", tmp_path / name, "--size", 64)
        run(*command[:2], tmp_path / name, *command[2:], *more)
    store, asked, words = questions(tmp_path / "seen")
    assert set(words) == {"Which face is nearer to the picture?"}
    greys = sorted(
        np.asarray(Image.open(kept_file(store, str(each.picture))))[16, 28, 0] for each in asked
    )
    assert greys == pytest.approx([0, 72, 144], abs=12)  # at 0, 0.3 and 0.6 s
    store.close()
    store, asked, words = questions(tmp_path / "bare")
    assert len(asked) == 4 and {each.picture for each in asked} == {None}
    assert set(words) == {"Which face looks more natural?"}
    store.close()


def test_two_clips_become_loops_with_their_stretch_of_sound(tmp_path: Path) -> None:
    import wave

    takes = [a_take(tmp_path / f"{name}.npz", much) for name, much in (("a", 0.9), ("b", 0.2))]
    ramp = np.linspace(0, 20000, 16000).astype("<i2")  # a second, ever louder
    with wave.open(str(tmp_path / "voice.wav"), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(ramp.tobytes())
    run("rank", "new", tmp_path / "s", "--size", 64)
    clips = ("rank", "clips", tmp_path / "s", *takes, "--every", 0.5, "--regions", "lower")
    with pytest.raises(BadInput, match="without --moving"):
        run(*clips, "--sound", tmp_path / "voice.wav")
    assert "2 pairs" in run(*clips, "--moving", "--sound", tmp_path / "voice.wav")
    store, asked, words = questions(tmp_path / "s")
    assert set(words) == {"Which face goes better with the sound?"}
    loops = [answer_of(store, each.left) for each in asked]
    assert {len(each.times) for each in loops} == {16}  # half a second, both ends in it
    heard_at = []
    for each in asked:
        with wave.open(str(kept_file(store, str(each.sound)))) as file:
            assert file.getnframes() == 8000
            heard_at.append(np.frombuffer(file.readframes(8000), "<i2").mean())
    assert sorted(heard_at) == pytest.approx([5000, 15000], abs=400)
    store.close()


def test_a_servers_answers_become_pairs_in_the_words_that_it_speaks(tmp_path: Path) -> None:
    from stand_in import standing_in
    from training import face_data

    from semanticface.data.tasks import Task
    from semanticface.rig import CHANNELS

    faces = face_data(tmp_path / "faces", train=2, val=1)
    run("rank", "new", tmp_path / "s", "--size", 64)
    with standing_in(Task.of("codes", "coefficients")) as server:
        told = iter(np.linspace(0, 0.9, 9))  # a server's answers to one picture differ
        weights = np.array([each.unit == "weight" for each in CHANNELS], np.float32)
        server.face = lambda _: (weights * next(told)).astype(np.float32)
        said = run("rank", "sample", tmp_path / "s", faces, "--endpoint", server.url,
                   "--samples", 3, "--ask", 3)  # fmt: skip
    assert "3 pairs" in said and "0 answers that cannot be read, 3 less telling" in said
    store, asked, _ = questions(tmp_path / "s")
    sides = {answer_of(store, key).source for each in asked for key in (each.left, each.right)}
    assert sides >= {"face 1", "face 2"}
    store.close()


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_runs_answers_become_the_most_telling_pairs(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    pytest.importorskip("trl", reason="comes with the train extra")
    from training import face_data, tiny_model, train

    faces = face_data(tmp_path / "faces", train=6, val=2)
    start = train(tmp_path / "mine", tiny_model(tmp_path_factory), faces, max_steps=1)
    run("rank", "new", tmp_path / "s", "--size", 64)
    command = ("rank", "sample", tmp_path / "s", faces, "--run", start, "--count", 3,
               "--samples", 3, "--ask", 4)  # fmt: skip
    told = run(*command)
    assert "4 pairs, 1 attention checks" in told and "2 less telling" in told
    again = run(*command)
    assert "0 pairs" in again and "4 known before" in again
    (kept,) = (tmp_path / "s" / "media" / "answers").rglob("*.jsonl")
    assert len(kept.read_text().splitlines()) == 1 + 9  # asked once
    store, asked, _ = questions(tmp_path / "s")
    sources = {answer_of(store, each.left).source for each in asked}
    models = {each for each in sources if each != "truth" and not each.startswith("shift")}
    assert models and models <= {"mine 0", "mine 1", "mine 2"} and len(asked) == 5
    assert all(each.picture for each in asked)
    store.close()


def test_commands_tell_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="rank new"):
        run("rank", "report", tmp_path / "none")
    run("rank", "new", tmp_path / "s")
    with pytest.raises(BadInput, match="name not in use"):
        run("rank", "new", tmp_path / "s")
    with pytest.raises(BadInput, match="one of faces"):
        run("rank", "report", tmp_path / "s", "--project", "face")
    with pytest.raises(BadInput, match=r"above 0\.5"):
        run("rank", "preferences", tmp_path / "s", "-o", tmp_path / "p.jsonl", "--share", 0.5)
    assert "0.5<=" not in run("rank", "preferences", "--help")
    with pytest.raises(BadInput, match="--mixed"):
        run("rank", "preferences", tmp_path / "s", "-o", tmp_path / "p.jsonl",
            "--judges", "human,oracle")  # fmt: skip
