"""Movies by time, and which row of numbers a frame gets."""

from __future__ import annotations

import numpy as np
import pytest
import yaml
from movies import FPS, film
from PIL import Image
from samples import faces

from semanticface.data.images import ImageRef, Pictures
from semanticface.data.manifest import read_manifest
from semanticface.data.movies import Movie, stamps
from semanticface.data.sources import Tally, records
from semanticface.errors import BadInput
from semanticface.formats.take import FrameLog, write_take
from semanticface.formats.timecode import format_times
from semanticface.rig import FaceClip

pytest.importorskip("av")


def shade(image: Image.Image) -> int:
    """The number that a frame of the test movie shows."""
    return round(np.asarray(image)[:, 16:].mean() / 8)


@pytest.mark.parametrize(("name", "codec"), [("a.mov", "mjpeg"), ("a.mp4", "libx264")])
def test_frames_by_time_in_any_order(tmp_path, name, codec):
    film(tmp_path / name, codec=codec)
    times = stamps(str(tmp_path / name))
    assert times == pytest.approx([i / FPS for i in range(20)], abs=1e-3)
    movie = Movie(str(tmp_path / name), 10_000)
    for i in (0, 1, 2, 9, 19, 3, 3, 0, 18):
        assert shade(movie.at(times[i])) == i
    assert shade(movie.at(times[5] + 0.02)) == 5  # shown until the next one starts
    for wrong in (-0.1, 1.0, 50.0):
        with pytest.raises(BadInput, match="time"):
            movie.at(wrong)


def test_a_frame_as_a_picture(tmp_path):
    film(tmp_path / "a.mov")
    ref = ImageRef(movie=str(tmp_path / "a.mov"), time=7 / FPS)
    pictures = Pictures()
    assert shade(pictures.decode(ref)) == 7
    left = np.asarray(pictures.decode(ref))[:, :10].mean()
    flipped = np.asarray(pictures.decode(ref.mirrored()))[:, -10:].mean()
    assert left == pytest.approx(flipped, abs=2)
    assert pictures.size(ref) == (32, 32)


def test_what_is_no_movie(tmp_path):
    (tmp_path / "a.mov").write_bytes(b"nothing of the kind")
    with pytest.raises(BadInput, match=r"record r, picture .*a\.mov"):
        Pictures().decode(ImageRef(movie=str(tmp_path / "a.mov"), time=0.0), "r")
    with pytest.raises(BadInput, match="no movie"):
        stamps(str(tmp_path / "b.mov"))
    film(tmp_path / "cut.mov")
    whole = (tmp_path / "cut.mov").read_bytes()
    (tmp_path / "cut.mov").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput):
        Pictures().decode(ImageRef(movie=str(tmp_path / "cut.mov"), time=0.0), "r")


def trimmed(whole, path, seconds: float):
    """The movie from `seconds` on as phones trim one: what is before is kept and not shown."""
    import av

    options = {"avoid_negative_ts": "disabled"}
    with av.open(str(whole)) as held, av.open(str(path), "w", options=options) as cut:
        stream = held.streams.video[0]
        kept = cut.add_stream_from_template(stream)
        for packet in held.demux(stream):
            if packet.dts is not None:
                packet.pts -= round(seconds / stream.time_base)
                packet.dts -= round(seconds / stream.time_base)
                packet.stream = kept
                cut.mux(packet)


def test_what_a_trimmed_movie_does_not_show_is_no_frame(tmp_path):
    film(tmp_path / "whole.mp4", codec="libx264")
    trimmed(tmp_path / "whole.mp4", tmp_path / "cut.mp4", 5 / FPS)
    times = stamps(str(tmp_path / "cut.mp4"))
    assert times == pytest.approx([i / FPS for i in range(15)], abs=1e-3)
    movie = Movie(str(tmp_path / "cut.mp4"), 10_000)
    assert [shade(movie.at(time)) for time in times] == list(range(5, 20))


def take(folder, rows: int = 40, rate: float = 60.0, log: FrameLog | None = None, lost=()):
    """A take of `rows` numbers whose row i is faces(rows)[i], with a movie beside."""
    values = faces(rows)
    values[list(lost)] = np.nan
    clip = FaceClip.of(values, 3600 + np.arange(rows) / rate)
    clip = clip.with_meta(subject="anna", slate="s", take=1, base=60, clock="timecode")
    write_take(folder, raw=clip, frame_log=log, untracked="gap")
    film(folder / "s_1_anna.mov")
    return values


def told(folder, tally=None, **source):
    path = folder.parent / "data.yaml"
    path.write_text(yaml.safe_dump({"sources": [
        {"kind": "take", "path": folder.name, "mirrored": False, "every": 0, **source}
    ]}))  # fmt: skip
    return list(records(read_manifest(path), tally))


def test_each_frame_gets_the_row_of_its_time(tmp_path):
    values = take(tmp_path / "t")
    found = told(tmp_path / "t")
    pictures = Pictures()
    assert len(found) == 20
    for i, record in enumerate(found):
        assert shade(pictures.decode(record.image, record.id)) == i
        assert np.allclose(record.values, values[2 * i], atol=1e-6)
        assert (record.subject, record.take, record.frame) == ("anna", "t", i)


def test_fewer_frames_and_a_mirrored_movie(tmp_path):
    take(tmp_path / "t")
    found = told(tmp_path / "t", every=0.1, mirrored=True)
    assert [each.frame for each in found] == [0, 3, 6, 9, 12, 15, 18]
    assert all(each.image.flip for each in found)


def test_an_offset_moves_the_rows(tmp_path):
    values = take(tmp_path / "t")
    tally = Tally()
    found = told(tmp_path / "t", tally, offset=0.1)
    assert np.allclose(found[0].values, values[6], atol=1e-6)
    assert len(found) == 17
    assert tally.passed_over["t: frames without numbers near in time"] == 3


def test_frames_without_a_face_are_counted_and_left_out(tmp_path):
    take(tmp_path / "t", lost=range(8, 13))
    tally = Tally()
    found = told(tmp_path / "t", tally)
    assert [each.frame for each in found] == [0, 1, 2, 3, *range(7, 20)]
    assert sum(tally.passed_over.values()) == 3


def test_a_frame_log_says_which_is_which(tmp_path):
    """The film starts five rows after the numbers; only the log knows."""
    clock = 1000.0
    kinds = ["V"] * 20 + ["B"] * 40
    at = [clock + 5 / 60 + i / FPS for i in range(20)] + [clock + i / 60 for i in range(40)]
    codes = format_times(3600 + np.array(at) - clock, 60)
    log = FrameLog(
        np.array(kinds), np.array([*range(20), *range(40)]),
        np.array([round(t * 1_000_000) for t in at]), np.full(60, 1_000_000),
        np.array(codes), np.zeros(60, bool),
    )  # fmt: skip
    values = take(tmp_path / "t", log=log)
    tally = Tally()
    found = told(tmp_path / "t", tally)
    assert np.allclose(found[0].values, values[5], atol=1e-6)
    assert np.allclose(found[10].values, values[25], atol=1e-6)
    film(tmp_path / "t" / "s_1_anna.mov", count=12)  # of other frames than the log counts
    assert tally.passed_over["t: frame logs that do not fit"] == 0
    assert np.allclose(told(tmp_path / "t", tally)[0].values, values[0], atol=1e-6)
    assert tally.passed_over["t: frame logs that do not fit"] == 1


def test_raw_is_never_given_for_calibrated(tmp_path):
    take(tmp_path / "t")
    with pytest.raises(BadInput, match="Say which: raw"):
        told(tmp_path / "t", which="cal")
    (tmp_path / "t" / "s_1_anna.mov").unlink()
    with pytest.raises(BadInput, match="without a movie"):
        told(tmp_path / "t")


def test_several_takes_in_a_folder(tmp_path):
    (tmp_path / "all").mkdir()
    take(tmp_path / "all" / "one")
    take(tmp_path / "all" / "two")
    found = told(tmp_path / "all", every=0.3)
    assert {each.take for each in found} == {"one", "two"}
    assert len({each.id for each in found}) == len(found) > 2
