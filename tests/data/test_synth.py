"""Synthetic sets: the same bytes whatever happens on the way."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from samples import SMALL

from semanticface.data import synth
from semanticface.data.drawing import faces_of, renderer_of, samples_of
from semanticface.data.images import Pictures
from semanticface.data.manifest import manifest_of
from semanticface.data.plan import Plan, subject
from semanticface.data.shards import digest_of, read_made
from semanticface.data.sources import records
from semanticface.data.splits import DEFAULT, SIDES, check_disjoint
from semanticface.errors import BadInput
from semanticface.rig import INDEX


def contents(folder: Path) -> dict[str, str]:
    return {each.name: digest_of(each) for each in folder.iterdir() if each.name != ".lock"}


def test_what_is_made_is_what_was_asked(made):
    told = list(records(manifest_of(made)))
    assert len(told) == len({each.id for each in told}) == SMALL.frames
    assert len({each.identity for each in told}) == SMALL.identities
    assert {each.look for each in told} == set(SMALL.looks)
    counts = check_disjoint({side: [each for each in told if each.split == side] for side in SIDES})
    assert {side: each.subjects for side, each in counts.items()} == {
        "train": 4, "val": 1, "test": 1,
    }  # fmt: skip
    assert all(DEFAULT.side(each.subject) == each.split for each in told)
    assert not np.isnan([each.values for each in told]).any()


def test_the_pictures_are_of_the_numbers():
    """Each record's picture is what its own numbers give, and nothing but them changes it."""
    plan = replace(SMALL, frames=8, identities=1, encoding="png")
    (part,) = plan.parts()[:1]
    values = faces_of(plan, part).values
    drawn = list(samples_of(plan, part, values))
    renderer = renderer_of(plan, part, plan.setting(part.side, 0))
    for (record, data), face in zip(drawn, values, strict=True):
        assert np.array_equal(record.values, face)
        picture = np.asarray(Image.open(io.BytesIO(data)))
        assert np.array_equal(picture, renderer.render(face))
        assert not np.array_equal(picture, renderer.render(np.zeros(61)))


def test_heads_turn_and_cameras_do_not():
    """What a picture shows of a turn is in its numbers: the camera stands straight."""
    plan = replace(SMALL, frames=200, identities=20, shard_frames=200, setting_frames=5)
    (part,) = plan.parts()[:1]
    values = faces_of(plan, part).values
    turned = values[:, [INDEX["headYaw"], INDEX["headPitch"]]]
    assert (turned.std(axis=0) > (0.15, 0.08)).all()
    camera = renderer_of(plan, part, plan.setting(part.side, 0)).camera
    assert (camera.yaw, camera.pitch) == (0, 0)


def test_any_tool_unpacks_the_shards(made):
    for path in made.glob("*.tar"):
        lines = [json.loads(line) for line in path.with_suffix(".jsonl").read_text().splitlines()]
        with tarfile.open(path) as tar:
            members = tar.getmembers()
            assert len(members) == len(lines)
            for member, line in zip(members, lines, strict=True):
                assert member.offset_data == line["image"]["offset"]
                assert member.size == line["image"]["size"]
                assert member.name == f"{line['id']}.jpg"
                Image.open(io.BytesIO(tar.extractfile(member).read())).load()


def test_the_manifest_says_where_everything_is_from(made):
    told = read_made(made, deep=True)
    assert told.plan["seed"] == 0
    hashes = {f"{what}_sha256" for what in ("head", "sampler", "renderer", "settings")}
    assert set(told.origin) == {"semanticface", "rig", "numpy", "pillow", "numba"} | hashes
    assert told.frames == sum(each.frames for each in told.shards) == 24
    seeds = [set(each) for each in told.identities.values()]
    assert len(set.union(*seeds)) == sum(map(len, seeds)) == 6
    assert not list(made.glob(".receipts"))


@pytest.mark.slow
def test_the_number_of_workers_changes_no_byte(made, tmp_path):
    synth.make(SMALL, tmp_path / "two", workers=2)
    assert contents(tmp_path / "two") == contents(made)


def test_another_seed_is_another_set(made, tmp_path):
    plan = replace(SMALL, frames=6, shard_frames=6)
    one, two = (synth.make(replace(plan, seed=seed), tmp_path / str(seed)) for seed in (0, 1))
    assert not {each.sha256 for each in one.shards} & {each.sha256 for each in two.shards}
    assert not set(one.identities["train"]) & set(two.identities["train"])


def _spoil(folder: Path, name: str) -> None:
    with (folder / name).open("r+b") as stream:
        stream.seek(700)
        stream.write(b"spoilt")


def test_a_run_that_was_stopped_goes_on(made, tmp_path, monkeypatch, caplog):
    """Stopped after two shards; one of them and a half-written file are spoilt meanwhile."""
    folder = tmp_path / "faces"
    seen = []

    def stop(shard, fresh):
        seen.append(shard.name)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        synth.make(SMALL, folder, told=stop)
    assert not (folder / "manifest.json").exists()
    with pytest.raises(BadInput, match="Run the same semanticface synth again"):
        list(records(synthetic_at(folder)))
    (folder / ".train-00002.tar.abc.tar").write_bytes(b"half")
    _spoil(folder, f"{seen[0]}.tar")
    fresh = {}
    synth.make(SMALL, folder, told=lambda shard, new: fresh.update({shard.name: new}))
    assert fresh.pop(seen[1]) is False
    assert all(fresh.values())
    assert "other contents" in caplog.text
    assert contents(folder) == contents(made)


def synthetic_at(folder: Path):
    from semanticface.data.manifest import Manifest, Synthetic

    source = Synthetic(kind="synthetic", path=folder.name)
    return Manifest(sources=(source,), folder=folder.parent)


@pytest.mark.slow
def test_killed_in_the_middle_nothing_is_lost_and_nothing_doubled(tmp_path):
    command = [sys.executable, "-m", "semanticface.cli.main", "synth", str(tmp_path / "faces"),
               "--frames", "60", "--identities", "6", "--size", "32", "--shard", "4",
               "--workers", "2"]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    # A session of its own, so that its workers can be looked for afterwards.
    running = subprocess.Popen(command, env=environment, start_new_session=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    receipts = tmp_path / "faces" / ".receipts"
    until = time.monotonic() + 120
    while len(list(receipts.glob("*.json"))) < 3 and time.monotonic() < until:
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait()
    done = {each.stem for each in receipts.glob("*.json")}
    assert 3 <= len(done) < 16
    for _ in range(200):  # workers end with the process that started them
        if not _group_lives(running.pid):
            break
        time.sleep(0.05)
    assert not _group_lives(running.pid)
    told = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert "60 pictures in" in told.stderr
    plan = Plan(frames=60, identities=6, size=32, shard_frames=4)
    synth.make(plan, tmp_path / "once")
    assert contents(tmp_path / "faces") == contents(tmp_path / "once")
    ids = [each.id for each in records(manifest_of(tmp_path / "faces"))]
    assert len(ids) == len(set(ids)) == 60


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_what_was_tampered_with_or_lost_is_refused(tmp_path):
    plan = replace(SMALL, frames=6, shard_frames=2)
    folder = tmp_path / "faces"
    synth.make(plan, folder)
    _spoil(folder, "train-00000.tar")
    read_made(folder)  # sizes agree
    with pytest.raises(BadInput, match=r"train-00000\.tar has other contents"):
        read_made(folder, deep=True)
    with pytest.raises(BadInput, match="other contents"):
        synth.make(plan, folder)
    (folder / "train-00000.jsonl").write_text("")
    with pytest.raises(BadInput, match="0 bytes"):
        list(records(manifest_of(folder)))
    (folder / "train-00000.jsonl").unlink()
    with pytest.raises(BadInput, match="is missing"):
        list(records(manifest_of(folder)))


def test_a_folder_is_finished_only_by_the_plan_that_began_it(tmp_path):
    plan = replace(SMALL, frames=6, shard_frames=6)
    folder = tmp_path / "faces"
    synth.begin(plan, folder)
    with pytest.raises(BadInput, match="column seed: found seed 0 where this run has 5"):
        synth.make(replace(plan, seed=5), folder)
    held = json.loads((folder / "plan.json").read_text())
    held["origin"]["head_sha256"] = "0"
    (folder / "plan.json").write_text(json.dumps(held))
    with pytest.raises(BadInput, match="begun with other code"):
        synth.make(plan, folder)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("")
    with pytest.raises(BadInput, match=r"thesis\.txt"):
        synth.make(plan, tmp_path / "mine")


def test_two_at_once_are_refused(tmp_path):
    plan = replace(SMALL, frames=6, shard_frames=3)

    def second(shard, fresh):
        synth.make(plan, tmp_path / "faces")

    with pytest.raises(BadInput, match="another process at work"):
        synth.make(plan, tmp_path / "faces", told=second)


def test_a_full_disk_is_seen_before(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("U", (), {"free": 1000})())
    with pytest.raises(BadInput, match=r"0\.0 GB free"):
        synth.make(SMALL, tmp_path / "faces")


def test_the_estimate_is_near(made):
    assert synth.estimate(SMALL) == pytest.approx(read_made(made).bytes, rel=0.5)


@pytest.mark.parametrize("encoding", ["png", "webp"])
def test_other_files(tmp_path, encoding):
    plan = replace(SMALL, frames=2, identities=1, encoding=encoding)
    synth.make(plan, tmp_path / "faces")
    (one, _) = records(manifest_of(tmp_path / "faces"))
    assert Pictures().decode(one.image).size == (32, 32)
    with tarfile.open(tmp_path / "faces" / "train-00000.tar") as tar:
        assert tar.getnames()[0].endswith(f".{encoding}")


@given(st.integers(1, 300), st.integers(1, 60), st.integers(1, 3), st.integers(1, 50))
def test_every_plan_adds_up(frames, identities, looks, shard):
    names = ("realistic", "clay", "toon")[:looks]
    if identities > frames:
        with pytest.raises(BadInput, match="a frame for each"):
            Plan(frames=frames, identities=identities)
        return
    plan = Plan(frames=frames, identities=identities, looks=names, shard_frames=shard, seed=frames)
    parts = plan.parts()
    assert sum(part.frames for part in parts) == frames
    assert len({part.name for part in parts}) == len(parts)
    shown = {
        plan.setting(part.side, frame).identity
        for part in parts for frame in range(part.first, part.first + part.frames)
    }  # fmt: skip
    assert shown == {who for people in plan.people.values() for who in people}
    assert all(
        DEFAULT.side(subject(who)) == side for side, people in plan.people.items() for who in people
    )


@pytest.mark.parametrize(("change", "says"), [
    ({"looks": ("oil",)}, "the look 'oil'"), ({"looks": ()}, "each once"),
    ({"size": 8}, "16 to 1024"), ({"val": 0.6, "test": 0.5}, "leave some"),
    ({"coverage": 2.0}, "coverage"), ({"encoding": "gif"}, "gif"), ({"seed": -1}, "seed"),
    ({"shard_frames": 0}, "at least one"),
])  # fmt: skip
def test_a_plan_that_cannot_be(change, says):
    with pytest.raises(BadInput, match=says):
        replace(SMALL, **change)


def test_no_workers_make_nothing(tmp_path):
    with pytest.raises(BadInput, match="at least one"):
        synth.make(SMALL, tmp_path / "none", workers=0)


def test_a_plan_that_leaves_nobody_to_train_on_is_refused(tmp_path):
    plan = Plan(frames=10, identities=3, val=0.5, test=0.4)
    for made in (lambda: synth.make(plan, tmp_path / "f"), lambda: synth.estimate(plan)):
        with pytest.raises(BadInput, match="somebody left to train on"):
            made()
