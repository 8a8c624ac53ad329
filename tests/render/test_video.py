"""Films: frame count, length and sound are as asked, and a broken one is never left behind."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from semanticface.errors import BadInput
from semanticface.motion.rehearsal import perform
from semanticface.render.picture import Renderer
from semanticface.render.timeline import count, face_at, moments
from semanticface.render.video import film, read_sound, write_video
from semanticface.rig import COUNT, INDEX, FaceClip

av = pytest.importorskip("av")


def clip(frames: int = 31, rate: float = 30.0) -> FaceClip:
    values = np.zeros((frames, COUNT), np.float32)
    values[:, INDEX["jawOpen"]] = np.linspace(0, 1, frames)
    return FaceClip.of(values, rate=rate)


def sound(path: Path, seconds: float, beep: tuple[float, float], rate: int = 16000) -> Path:
    """Silence with a beep from one time to another."""
    t = np.arange(round(seconds * rate)) / rate
    wave_form = np.sin(2 * np.pi * 440 * t) * ((t >= beep[0]) & (t < beep[1])) * 12000
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(wave_form.astype("<i2").tobytes())
    return path


def decoded(path: Path) -> tuple[list[np.ndarray], list[float]]:
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return [frame.to_ndarray(format="rgb24") for frame in frames], [float(f.time) for f in frames]


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_a_film_has_its_frames_and_its_sound_in_step(tmp_path, suffix):
    path = tmp_path / f"face{suffix}"
    voice = sound(tmp_path / "voice.wav", 3.0, (0.5, 0.7))
    renderer = Renderer(size=64, antialias=False)
    assert film(clip(), path, renderer, fps=25, audio=voice) == 26
    pictures, times = decoded(path)
    assert len(pictures) == 26
    assert np.allclose(np.diff(times), 0.04, atol=2e-3)
    first = renderer.render(np.zeros(COUNT, np.float32)).astype(int)
    assert np.abs(pictures[0].astype(int) - first).mean() < 6
    heard = read_sound(path, 48000)[0]
    loud = np.flatnonzero(np.abs(heard) > 0.1) / 48000
    assert abs(loud[0] - 0.5) < 0.05
    assert abs(loud[-1] - 0.7) < 0.05
    assert abs(len(heard) / 48000 - 26 / 25) < 0.08  # cut where the pictures end
    assert list(tmp_path.glob(".*")) == []


def test_films_are_the_same_every_time(tmp_path):
    renderer = Renderer(size=64, antialias=False)
    for name in ("a.mp4", "b.mp4"):
        film(clip(11), tmp_path / name, renderer, fps=30)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_clips_are_read_by_time_whatever_their_rate():
    for rate in (59.904, 29.98, 24.0):
        source = clip(round(rate * 2) + 1, rate)
        at_30 = list(moments(source, 30))
        assert len(at_30) == count(source, 30)
        jaw = [moment.values[INDEX["jawOpen"]] for moment in at_30]
        expected = np.arange(len(jaw)) / 30 / source.duration
        assert np.abs(jaw - expected).max() < 1e-4


def test_a_lost_face_is_the_last_good_one_and_a_long_gap_is_held():
    values = np.zeros((10, COUNT), np.float32)
    values[:, INDEX["jawOpen"]] = np.arange(10) / 10
    values[0] = values[4:6] = np.nan
    found = list(moments(FaceClip.of(values, rate=10), 10))
    assert [moment.lost for moment in found] == [i in (0, 4, 5) for i in range(10)]
    jaw = [round(float(moment.values[INDEX["jawOpen"]]), 3) for moment in found]
    assert jaw == [0.1, 0.1, 0.2, 0.3, 0.3, 0.3, 0.6, 0.7, 0.8, 0.9]
    gap = FaceClip.of(values[[1, 9]], times=[0.0, 1.0])
    assert next(m for i, m in enumerate(moments(gap, 10)) if i == 5).values.max() < 0.2


def test_lost_faces_are_dimmed_in_the_film(tmp_path):
    values = np.zeros((20, COUNT), np.float32)
    values[10:] = np.nan
    values[19] = 0
    film(FaceClip.of(values, rate=10), tmp_path / "lost.mp4", Renderer(size=64), fps=10)
    pictures, _ = decoded(tmp_path / "lost.mp4")
    assert pictures[14].std() < 0.75 * pictures[5].std()


def test_channels_that_are_absent_rest():
    part = clip().select("jaw", "mouth")
    assert not np.isnan(face_at(part, 0.5)).any()
    assert face_at(part, 1.0)[INDEX["jawOpen"]] == 1


def test_a_still_of_a_lost_face_is_an_error():
    values = np.zeros((10, COUNT), np.float32)
    values[5] = np.nan
    with pytest.raises(BadInput, match="nearest"):
        face_at(FaceClip.of(values, rate=10), 0.5)
    with pytest.raises(BadInput, match="0 to"):
        face_at(FaceClip.of(values, rate=10), 9.0)
    with pytest.raises(BadInput):
        face_at(FaceClip.of(values[[5, 5]], rate=10), 0.0)


@pytest.mark.parametrize(("name", "make"), [
    ("no such file", lambda folder: folder / "absent.wav"),
    ("silent", lambda folder: sound(folder / "quiet.wav", 1, (5, 6))),
    ("cannot be read", lambda folder: (folder / "text.wav").write_text("not sound")
     and folder / "text.wav"),
])  # fmt: skip
def test_sound_that_is_none(tmp_path, name, make):
    with pytest.raises(BadInput, match=name):
        film(clip(3), tmp_path / "face.mp4", Renderer(size=64), audio=make(tmp_path))
    assert not (tmp_path / "face.mp4").exists()


def test_a_film_without_a_sound_track_is_no_sound(tmp_path):
    film(clip(3), tmp_path / "mute.mp4", Renderer(size=64))
    with pytest.raises(BadInput, match="no sound track"):
        read_sound(tmp_path / "mute.mp4", 48000)


def test_other_faults_are_named(tmp_path, monkeypatch):
    picture = np.zeros((64, 64, 3), np.uint8)
    with pytest.raises(BadInput, match="suffix"):
        write_video(tmp_path / "face.avi", [picture], 30)
    with pytest.raises(BadInput, match="even"):
        write_video(tmp_path / "face.mp4", [picture[:63]], 30)
    with pytest.raises(BadInput, match="no frames"):
        write_video(tmp_path / "face.mp4", [], 30)

    def missing(*_):
        raise ValueError

    monkeypatch.setattr(av, "Codec", missing)
    with pytest.raises(BadInput, match=r"libx264.*webm"):
        write_video(tmp_path / "face.mp4", [picture], 30)
    assert list(tmp_path.iterdir()) == []


def test_a_stop_in_the_middle_leaves_no_file_and_spares_the_old_one(tmp_path):
    path = tmp_path / "face.mp4"
    path.write_bytes(b"an older film")

    def frames():
        for k in range(5):
            if k == 3:
                raise KeyboardInterrupt
            yield np.zeros((64, 64, 3), np.uint8)

    with pytest.raises(KeyboardInterrupt):
        write_video(path, frames(), 30)
    assert path.read_bytes() == b"an older film"
    assert [each.name for each in tmp_path.iterdir()] == ["face.mp4"]


def test_a_performance_becomes_a_film(tmp_path):
    written = film(perform()[:60], tmp_path / "face.mp4", Renderer(size=64, antialias=False))
    assert written == 60
