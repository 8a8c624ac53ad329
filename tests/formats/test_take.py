"""Take folders: what the app saved beside the numbers, and what does not fit together."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semanticface.errors import BadInput, SemanticFaceError
from semanticface.formats import livelink_csv, timecode
from semanticface.formats.take import (
    MIRRORED,
    FrameLog,
    TakeInfo,
    Timestamp,
    read,
    read_take,
    write,
    write_take,
)
from semanticface.rig import COUNT
from tests.formats import takes

INFO = TakeInfo(
    version=1, slate="MySlate", take=3, subject="Ann", date="2024-01-31T10:00:00Z", frames=39,
    calibrated=False, app_version="1.3.1", device_model="iPhone13,3",
    start_timecode="12:34:56:00", end_timecode="12:34:56:39",
    start_timestamp=Timestamp(123_456, 1_000_000), end_timestamp=Timestamp(789_012, 1_000_000),
    video_target_frame_rate=60, other={"slateNotes": "läuft"},
)  # fmt: skip


def log_of(clip, dropped=True):
    """A frame log whose B and V rows carry the clip's timecodes."""
    stamps = timecode.format_times(clip.times, clip.meta.base)
    count = len(stamps)
    kinds = ["V", "B"] * count + ["A"]
    return FrameLog(
        np.array(kinds), np.array([*np.repeat(np.arange(count), 2), 0]),
        np.arange(2 * count + 1) * 16_683, np.full(2 * count + 1, 1_000_000),
        np.array([*np.repeat(stamps, 2), stamps[0]]),
        np.arange(2 * count + 1) % 7 == 0 if dropped else None,
    )  # fmt: skip


@pytest.fixture
def clip(tmp_path):
    """A take as it was read from a CSV, so that its times are exact."""
    path = takes.save(tmp_path, takes.text(takes.values()), "MySlate_3_Ann.csv")
    return livelink_csv.read(path, calibrated=False)


@pytest.fixture
def folder(tmp_path, clip):
    """A raw take as the app saves it."""
    place = tmp_path / "20240131_MySlate_3"
    assert write_take(place, raw=clip, info=INFO, frame_log=log_of(clip)) == ()
    return place


def edit(folder, **changes):
    path = folder / "take.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_take_reads_back_whole(folder, clip):
    take = read_take(folder)
    assert take.info == INFO
    assert take.raw == clip
    assert (take.cal, take.neutral, take.movie, take.video, take.audio) == (None,) * 5
    for got, expected in zip(take.frame_log, log_of(clip), strict=True):
        assert np.array_equal(got, expected)
    assert take.notes == ()
    assert sorted(path.name for path in folder.iterdir()) == [
        "MySlate_3_Ann.csv", "frame_log.csv", "take.json",
    ]  # fmt: skip


def test_take_json_has_the_apps_keys(folder):
    raw = json.loads((folder / "take.json").read_text())
    assert raw["startTimestamp"] == {"value": 123_456, "timescale": 1_000_000}
    assert (raw["appVersion"], raw["videoTargetFrameRate"], raw["frames"]) == ("1.3.1", 60, 39)


def test_a_calibrated_take_has_three_tables_and_pools_none(tmp_path, clip):
    cal = clip.with_values(np.maximum(clip.values - np.float32(0.1), 0))
    cal, neutral = cal.with_meta(calibrated=True), clip[:1]
    place = tmp_path / "20240131_MySlate_3"
    info = replace(INFO, calibrated=None, frames=None)
    write_take(place, raw=clip, cal=cal, neutral=neutral, info=info)
    assert sorted(path.stem for path in place.glob("*.csv")) == [
        "MySlate_3_Ann_cal", "MySlate_3_Ann_neutral", "MySlate_3_Ann_raw",
    ]  # fmt: skip
    take = read_take(place)
    assert (take.info.calibrated, take.info.frames) == (True, 39)
    assert take.cal.same_motion(cal)
    assert take.raw.same_motion(clip)
    assert [each.meta.calibrated for each in (take.raw, take.cal, take.neutral)] == [
        False, True, False,
    ]  # fmt: skip
    auto = read(place)
    assert auto.same_motion(clip)
    assert auto.meta.notes["take"] == "raw read; cal and neutral also there: which='cal'"
    assert read(place, which="cal").same_motion(cal)
    assert "take" not in read(place, which="cal").meta.notes


def test_the_raw_and_the_calibrated_may_not_change_places(tmp_path, clip):
    with pytest.raises(BadInput, match="kept apart"):
        write_take(tmp_path / "t", cal=clip)
    with pytest.raises(BadInput, match="kept apart"):
        write_take(tmp_path / "t", raw=clip.with_meta(calibrated=True))
    with pytest.raises(BadInput, match="calibrated=True beside raw"):
        write_take(tmp_path / "t", raw=clip, info=replace(INFO, calibrated=True))
    assert not (tmp_path / "t").exists()


def test_frames_equal_rows_minus_one_or_it_is_noted(folder):
    edit(folder, frames=12)
    (note,) = read_take(folder).notes
    assert "counts 12 frames, the CSV has 40 rows" in note
    assert read(folder).meta.notes["take notes"] == [note]


def test_a_calibration_that_the_files_contradict_is_noted(tmp_path, folder):
    edit(folder, calibrated=True)
    take = read_take(folder)
    assert take.raw is None
    assert take.cal.meta.calibrated is True
    assert "take.json says so" in take.notes[0]
    (folder / "MySlate_3_Ann.csv").rename(folder / "MySlate_3_Ann_raw.csv")
    assert "says calibrated, the files are raw" in read_take(folder).notes[0]


def test_without_take_json_nobody_knows_the_calibration(folder):
    (folder / "take.json").unlink()
    take = read_take(folder)
    assert take.raw.meta.calibrated is None
    assert take.raw.meta.slate == "MySlate"
    assert "no take.json" in take.notes[0]


def test_a_frame_log_that_disagrees_is_noted(folder, clip):
    from semanticface.formats.take_metadata import frame_log_text

    path = folder / "frame_log.csv"
    path.write_text(frame_log_text(log_of(clip.shifted(0.5))))
    assert "up to 30.000 frames off" in read_take(folder).notes[0]
    path.write_text(frame_log_text(log_of(clip[:30])))
    assert "30 B rows, the CSV 40" in read_take(folder).notes[0]


def test_an_older_log_has_no_dropped_field(tmp_path, clip):
    write_take(tmp_path / "t", raw=clip, frame_log=log_of(clip, dropped=False))
    log = read_take(tmp_path / "t").frame_log
    assert log.dropped is None
    assert log.seconds[2] == 2 * 16_683 / 1_000_000


def test_the_movie_and_its_metadata_come_with_a_warning(folder):
    (folder / "MySlate_3_Ann.mov").write_bytes(b"")
    (folder / "video_metadata.json").write_text(
        '{"FrameRate": 59.94, "Dimensions": {"Width": 720, "Height": 1280}, "Orientation": 3}'
    )
    (folder / "audio_metadata.json").write_text('{"SampleRate": 16000}')
    take = read_take(folder)
    assert take.movie == folder / "MySlate_3_Ann.mov"
    assert take.notes == (MIRRORED,)
    assert (take.video.frame_rate, take.video.orientation) == (59.94, "landscape left")
    assert take.audio["SampleRate"] == 16_000


def test_a_metahuman_animator_take_is_explained(tmp_path):
    (tmp_path / "depth_data.bin").write_bytes(b"")
    (tmp_path / "frame_log.csv").write_text("D,0,1,1000,12:00:00:00.000,false\n")
    with pytest.raises(BadInput, match=r"MetaHuman Animator take.*no blendshapes.*ARKit mode"):
        read(tmp_path)


def test_a_frame_log_is_no_table_of_coefficients(folder):
    with pytest.raises(BadInput, match=r"frame_log\.csv.*the coefficients"):
        livelink_csv.read(folder / "frame_log.csv")
    (folder / "MySlate_3_Ann.csv").unlink()
    with pytest.raises(BadInput, match=r"no CSV with coefficients.*frame_log\.csv holds times"):
        read_take(folder)


def test_two_raw_tables_are_told_apart_by_take_json_or_refused(folder):
    other = folder / "Another_1_Bob.csv"
    other.write_bytes((folder / "MySlate_3_Ann.csv").read_bytes())
    assert read_take(folder).raw.meta.source == "MySlate_3_Ann.csv"
    edit(folder, slate="Third")
    with pytest.raises(BadInput, match=r"several raw tables: Another_1_Bob\.csv"):
        read_take(folder)


@pytest.mark.parametrize("which", ["cal", "neutral", "both"])
def test_a_variant_that_is_not_there_names_the_switch(folder, which):
    with pytest.raises(BadInput, match=r"--which|raw, cal or neutral"):
        read(folder, which=which)


def test_a_neutral_face_alone_is_not_chosen_by_itself(tmp_path, clip):
    write_take(tmp_path / "t", neutral=clip)
    with pytest.raises(BadInput, match="a take with neutral, expected raw or cal"):
        read(tmp_path / "t")
    assert len(read(tmp_path / "t", which="neutral")) == 40


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"take": "three"}, r"take\.json, column take: found 'three', expected int"),
        ({"calibrated": 1}, "calibrated: found 1, expected bool"),
        ({"frames": True}, "frames: found True, expected int"),
        ({"startTimestamp": 5}, "startTimestamp.*value, timescale"),
        ({"endTimestamp": {"value": 1, "timescale": 0}}, "endTimestamp"),
    ],
)
def test_a_wrong_type_in_take_json_names_the_key(folder, changes, told):
    edit(folder, **changes)
    with pytest.raises(BadInput, match=told):
        read_take(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "[" * 100_000, '"\udcff"'])
def test_broken_json_is_refused(folder, content):
    (folder / "take.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(BadInput, match=r"take\.json"):
        read_take(folder)


@pytest.mark.parametrize(
    "line", ["X,0,1,1000,12:00:00:00", "V,0,1", "V,a,1,1,x", "V,0,1,0,x", "V,0,1,1,x,perhaps",
             "V,0,1,1,12:00:00:00.000\nV,0,1,1,12:00:00:00.000,true", "V,²,1,1,x"]
)  # fmt: skip
def test_a_broken_log_is_refused(folder, line):
    (folder / "frame_log.csv").write_text(line + "\n", encoding="utf-8")
    with pytest.raises(BadInput, match=r"frame_log\.csv"):
        read_take(folder)


def test_a_folder_that_is_there_is_never_written_into(folder, clip):
    with pytest.raises(BadInput, match="already there"):
        write_take(folder, raw=clip)
    with pytest.raises(BadInput, match="raw=, cal= or neutral="):
        write_take(folder.parent / "new")
    with pytest.raises(BadInput, match="a file name"):
        write_take(folder.parent / "new", raw=clip, info=TakeInfo(slate="../etc"))
    with pytest.raises(BadInput, match="--fill"):
        write_take(folder.parent / "new", raw=clip.select("mouth"))
    assert not [path for path in folder.parent.iterdir() if "new" in path.name]


def test_one_clip_makes_a_take(tmp_path, clip):
    assert write(clip, tmp_path / "raw/") == ()
    assert read_take(tmp_path / "raw").raw.same_motion(clip)
    write(clip.with_meta(calibrated=True), tmp_path / "cal")
    assert read(tmp_path / "cal").meta.calibrated is True


def test_frames_without_a_face_keep_the_count(tmp_path, clip):
    values = clip.values.copy()
    values[3:6] = np.nan
    lost = clip.with_values(values)
    assert write_take(tmp_path / "t", raw=lost, frame_log=log_of(lost)) == ()
    take = read_take(tmp_path / "t")
    assert take.raw.same_motion(lost)
    assert take.notes == ()
    assert len(take.raw) == 40
    assert take.raw.values.shape == (40, COUNT)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(json_=st.binary(max_size=60), log=st.binary(max_size=60), video=st.binary(max_size=60))
def test_noise_in_the_small_files_never_breaks_the_reader(folder, json_, log, video):
    for name, content in (
        ("take.json", json_),
        ("frame_log.csv", log),
        ("video_metadata.json", video),
    ):
        (folder / name).write_bytes(content)
        try:
            read_take(folder)
        except SemanticFaceError:
            (folder / name).unlink()


def test_a_real_table_in_a_take_folder(shared, tmp_path):
    real = livelink_csv.read(shared / "livelink" / "apfel.csv")
    assert write_take(tmp_path / "t", raw=real) == ()
    assert read(tmp_path / "t").same_motion(real)
