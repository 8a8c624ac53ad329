"""Recordings beside their coefficients: takes, CSV, BEAT's JSON, and what does not fit."""

import json
import shutil

import numpy as np
import pytest

from semanticface import formats
from semanticface.data.speech_samples import read_samples
from semanticface.data.speech_sources import Origin, gather
from semanticface.data.speech_tasks import SpeechTask
from semanticface.errors import BadInput
from semanticface.formats.take import FrameLog, write_take
from semanticface.formats.timecode import format_times
from semanticface.render.video import write_video
from semanticface.rig import NAMES, FaceClip
from semanticface.speech.alignments import read_alignment, write_alignment
from semanticface.speech.rules import animate
from semanticface.speech.timeline import Timeline
from semanticface.speech.voices import Voice, say

TEXT = "Bob put five pumpkins from the farm above the blue wooden shop."


@pytest.fixture(scope="module")
def spoken(tmp_path_factory) -> tuple:
    """A voice, its exact phones and a mouth at 60 frames a second."""
    assert shutil.which("flite"), "flite is missing; `make test` installs it, or: scripts/apt.sh"
    path = tmp_path_factory.mktemp("voice") / "bob.wav"
    timeline = say(TEXT, Voice("flite:slt"), path)
    clip = animate(timeline, rate=60)
    whole = np.nan_to_num(clip.values)
    return path, timeline, FaceClip.of(whole, clip.times)


def beat(clip: FaceClip) -> str:
    """As BEAT writes it: 51 shapes, no tongue."""
    names = [name for name in NAMES[:52] if name != "tongueOut"]
    columns = [NAMES.index(name) for name in names]
    frames = [{"weights": row[columns].tolist(), "time": float(t), "rotation": []}
              for row, t in zip(clip.values.astype(float), clip.times, strict=True)]  # fmt: skip
    return json.dumps({"names": names, "frames": frames})


def test_sound_with_a_csv_is_aligned_by_its_text(spoken, tmp_path):
    voice, timeline, clip = spoken
    shutil.copy(voice, tmp_path / "a.wav")
    (tmp_path / "a.txt").write_text(TEXT)
    formats.write(clip.shifted(3600).with_meta(clock="timecode", base=60), tmp_path / "a.csv",
                  "livelink-csv")  # fmt: skip
    found = gather(tmp_path, tmp_path / "out", Origin(subject="anna", consent="given"))
    assert (found.samples, found.aligned, found.refused, found.notes) == (1, 1, [], [])
    (sample,) = read_samples(tmp_path / "out" / "samples.jsonl")
    assert (sample.id, sample.subject, sample.consent) == ("a", "anna", "given")
    assert len(read_alignment(sample.alignment).words) == 12
    take = SpeechTask.of("codes").take(sample)
    told = animate(timeline, rate=30).values
    rows = min(len(told), len(take.clip))
    assert np.nanmax(np.abs(take.clip.values[:rows] - told[:rows])) < 0.02
    assert len(list(SpeechTask.of("codes").examples(sample))) > 5


def test_beat_has_no_tongue_and_asks_for_the_smaller_set(spoken, tmp_path):
    voice, timeline, clip = spoken
    shutil.copy(voice, tmp_path / "1_a_1.wav")
    (tmp_path / "1_a_1.json").write_text(beat(clip))
    write_alignment(timeline, tmp_path / "1_a_1.TextGrid")
    gather(tmp_path, tmp_path / "out")
    (sample,) = read_samples(tmp_path / "out" / "samples.jsonl")
    with pytest.raises(BadInput, match="mouth-29"):
        list(SpeechTask.of("codes").examples(sample))
    assert list(SpeechTask.of("codes", channels="mouth-29").examples(sample))


def test_a_take_goes_by_its_movie(spoken, tmp_path):
    """The film begins 0.25 s after the numbers; only the log knows."""
    voice, _, clip = spoken
    early = 15
    values = np.concatenate([np.zeros((early, 61), np.float32), clip.values])
    numbers = FaceClip.of(values, 3600 + np.arange(len(values)) / 60)
    frames = len(clip) // 2
    write_take(tmp_path / "s_1", raw=numbers.with_meta(
        subject="anna", slate="s", take=1, base=60, clock="timecode"),
        frame_log=_log(frames, len(values), early / 60))  # fmt: skip
    grey = (np.full((64, 64, 3), 8 * (i % 20), np.uint8) for i in range(frames))
    write_video(tmp_path / "s_1" / "s_1_anna.mp4", grey, 30, audio=voice)
    found = gather(tmp_path, tmp_path / "out")
    assert found.without_phones == 1
    (sample,) = read_samples(tmp_path / "out" / "samples.jsonl")
    assert sample.subject == "anna"
    take = SpeechTask.of("codes", cues="audio").take(sample)
    rows = slice(0, frames - 2)
    assert np.allclose(take.clip.values[rows], clip.values[::2][rows], atol=2e-3)


def _log(frames: int, rows: int, late: float) -> FrameLog:
    at = np.array([late + i / 30 for i in range(frames)] + [i / 60 for i in range(rows)])
    return FrameLog(
        np.array(["V"] * frames + ["B"] * rows), np.array([*range(frames), *range(rows)]),
        np.round((at + 1000) * 1_000_000).astype(int), np.full(frames + rows, 1_000_000),
        np.array(format_times(3600 + at, 60)), np.zeros(frames + rows, bool),
    )  # fmt: skip


def test_a_mouth_that_began_earlier_than_its_sound_is_told(spoken, tmp_path):
    voice, timeline, clip = spoken
    shutil.copy(voice, tmp_path / "a.wav")
    write_alignment(timeline, tmp_path / "a.TextGrid")
    formats.write(clip, tmp_path / "a.npz")
    found = gather(tmp_path, tmp_path / "out", Origin(offset=0.3))
    assert any("300 ms late" in note and "offset" in note for note in found.notes)


def test_what_cannot_be_used_is_left_out_with_its_reason(spoken, tmp_path):
    voice, _, clip = spoken
    for name in ("good", "alone", "other"):
        shutil.copy(voice, tmp_path / f"{name}.wav")
    formats.write(clip, tmp_path / "good.npz")
    formats.write(clip, tmp_path / "other.npz")
    (tmp_path / "other.txt").write_text(
        "Elephants never travelled quietly through Argentina again."
    )
    (tmp_path / "broken.wav").write_bytes(b"no sound")
    formats.write(clip, tmp_path / "broken.npz")
    found = gather(tmp_path, tmp_path / "out")
    assert found.samples == 1
    told = "\n".join(found.refused)
    assert "alone.wav: found none beside it" in told
    assert "probably of another recording" in told
    assert "broken.wav" in told
    (tmp_path / "nothing").mkdir()
    with pytest.raises(BadInput, match="no recording that can be used"):
        gather(tmp_path / "nothing", tmp_path / "out")


def test_windows_with_a_lost_face_are_not_learnt(spoken, tmp_path):
    voice, timeline, clip = spoken
    shutil.copy(voice, tmp_path / "a.wav")
    write_alignment(timeline, tmp_path / "a.TextGrid")
    values = clip.values.copy()
    values[60:90] = np.nan
    formats.write(clip.with_values(values), tmp_path / "a.npz")
    gather(tmp_path, tmp_path / "out")
    (sample,) = read_samples(tmp_path / "out" / "samples.jsonl")
    task = SpeechTask.of("codes")
    take = task.take(sample)
    assert 0 < len(list(task.examples(sample))) < len(task.windows(take))
    assert isinstance(read_alignment(sample.alignment), Timeline)
