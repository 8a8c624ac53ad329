import dataclasses

import numpy as np
import pytest
from faces import clips
from hypothesis import given
from hypothesis import strategies as st

from semanticface.errors import BadInput
from semanticface.rig import (
    COUNT,
    INDEX,
    NAMES,
    ClipMeta,
    FaceClip,
    concatenate,
    into_range,
    load_npz,
    load_parquet,
    mirror,
    save_npz,
    save_parquet,
)


def ramp(frames: int = 5) -> FaceClip:
    return FaceClip.of(np.linspace(0, 1, frames * COUNT).reshape(frames, COUNT), rate=30)


@given(clips())
def test_mirroring_twice_gives_the_same_motion(clip):
    assert clip.mirrored().mirrored().same_motion(clip)


def test_mirroring_moves_left_to_right_and_turns_the_head():
    values = np.zeros((1, COUNT))
    values[0, [INDEX["mouthSmileLeft"], INDEX["headYaw"], INDEX["headPitch"]]] = 0.5, 0.2, 0.1
    values[0, INDEX["leftEyeYaw"]] = -0.07
    seen = FaceClip.of(values).mirrored()
    assert seen.column("mouthSmileRight")[0] == 0.5
    assert seen.column("mouthSmileLeft")[0] == 0
    assert seen.column("headYaw")[0] == np.float32(-0.2)
    assert seen.column("headPitch")[0] == np.float32(0.1)
    assert seen.column("rightEyeYaw")[0] == np.float32(0.07)
    assert seen.meta.conventions == ("mirrored",)


def test_mirroring_leaves_no_minus_zero():
    assert not np.signbit(mirror(np.zeros((2, COUNT)))).any()


@pytest.mark.parametrize(
    ("save", "load", "suffix"),
    [(save_npz, load_npz, "npz"), (save_parquet, load_parquet, "parquet")],
)
def test_saving_and_loading_loses_nothing(save, load, suffix, tmp_path):
    @given(clip=clips())
    def there_and_back(clip):
        save(clip, tmp_path / f"clip.{suffix}")
        assert load(tmp_path / f"clip.{suffix}") == clip

    there_and_back()


def test_a_damaged_npz_is_refused_by_name(tmp_path):
    path = tmp_path / "clip.npz"
    save_npz(ramp(), path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(BadInput, match=r"clip\.npz"):
        load_npz(path)
    path.write_text("hello")
    with pytest.raises(BadInput, match="an NPZ clip"):
        load_npz(path)


def test_an_npz_with_pickled_objects_is_not_run(tmp_path):
    path = tmp_path / "clip.npz"
    np.savez(path, names=np.array(NAMES, dtype=object), values=np.zeros((1, 61)), times=[0.0])
    with pytest.raises(BadInput, match="numpy cannot open"):
        load_npz(path)


@pytest.mark.parametrize("which", ["parquet", "text"])
def test_a_file_that_is_no_parquet_clip_says_what_it_lacks(which, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "clip.parquet"
    if which == "text":
        path.write_text("hello")
    else:
        pq.write_table(pa.table({"jawOpen": [0.5]}), path)
    with pytest.raises(BadInput, match="Parquet" if which == "text" else "'time'"):
        load_parquet(path)


def test_arrays_of_a_clip_cannot_be_written_to():
    clip = ramp()
    with pytest.raises(ValueError, match="read-only"):
        clip.values[0, 0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        clip.times = clip.times


def test_missing_stays_missing():
    values = np.zeros((3, COUNT))
    values[:, INDEX["tongueOut"]] = np.nan
    values[1] = np.nan
    clip = FaceClip.of(values)
    assert clip.absent == ("tongueOut",)
    assert clip.tracked.tolist() == [True, False, True]
    assert np.isnan(clip.mirrored().values[1]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"values": np.zeros((5, 60))}, "values of shape"),
        ({"times": np.arange(4.0)}, "times of shape"),
        ({"times": np.array([0, 1, 3, 2, 4.0])}, "row 3.*backwards"),
        ({"times": np.array([0, 1, np.nan, 3, 4])}, "row 2.*not a number"),
        ({"values": np.full((5, COUNT), np.inf)}, "column eyeBlinkLeft.*infinite"),
        ({"present": np.zeros(COUNT, bool)}, "marked absent"),
        ({"extra": {"joy": np.zeros(3)}}, r"column joy.*shape \(3,\)"),
    ],
)
def test_a_clip_that_makes_no_sense_cannot_be_made(change, message):
    with pytest.raises(BadInput, match=message):
        dataclasses.replace(ramp(), **change)


def test_rate_and_gaps_come_from_the_times_not_from_the_base():
    times = np.delete(np.arange(100) / 59.904, [40, 41])
    clip = FaceClip.of(np.zeros((98, COUNT)), times, meta=ClipMeta(base=60))
    assert clip.step == pytest.approx(1 / 59.904)
    assert clip.rate == pytest.approx(97 / (99 / 59.904))
    (gap,) = clip.gaps()
    assert (gap.after, gap.missing) == (39, 2)


def test_selecting_regions_makes_the_rest_absent():
    clip = ramp().select("brow", "jawOpen")
    assert set(clip.names) == {
        "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
        "jawOpen",
    }  # fmt: skip
    assert np.isnan(clip.column("mouthClose")).all()


@given(clips(extra=True), st.integers(0, 12))
def test_a_clip_cut_in_two_joins_to_the_same_clip(clip, at):
    parts = [part for part in (clip[:at], clip[at:]) if len(part)]
    assert concatenate(parts) == clip


def test_clips_that_do_not_belong_together_are_not_joined():
    clip = ramp()
    raw, cal = clip.with_meta(calibrated=False), clip.with_meta(calibrated=True)
    with pytest.raises(BadInput, match="different calibration"):
        concatenate([raw, cal], pause=0.1)
    with pytest.raises(BadInput, match="different channels"):
        concatenate([clip, clip.select("mouth")], pause=0.1)
    with pytest.raises(BadInput, match="backwards"):
        concatenate([clip, clip])
    joined = concatenate([clip, clip], pause=0.5)
    assert joined.times[len(clip)] - joined.times[len(clip) - 1] == pytest.approx(0.5)


def test_slices_keep_times_and_between_is_half_open():
    clip = ramp(10)
    assert clip.between(clip.times[2], clip.times[5]).times.tolist() == clip.times[2:5].tolist()
    with pytest.raises(TypeError, match=r"values\[i\]"):
        clip[3]


def test_columns_under_foreign_names_and_what_is_no_channel():
    clip = FaceClip.from_columns(["jawOpen", "EyeBlink_L", "joy"], [[0.1, 0.2, 0.3]], [0.0])
    assert set(clip.names) == {"jawOpen", "eyeBlinkLeft"}
    assert clip.extra["joy"].tolist() == [0.3]


def test_bringing_into_range_counts_what_it_moves():
    values = np.zeros(COUNT, np.float32)
    values[[0, 1, 2, INDEX["headYaw"]]] = 1.08, -0.01, np.nan, 2.0
    fixed = into_range(values)
    assert fixed.moved == 3
    assert np.isnan(fixed.values[2])
    assert fixed.values[:2].tolist() == [1, 0]


def test_meta_with_unknown_keys_is_refused():
    with pytest.raises(BadInput, match="clip meta"):
        ClipMeta.from_json('{"colour": "blue"}')


def test_clips_are_not_equal_to_other_things_and_not_hashable():
    assert ramp() != 3
    with pytest.raises(TypeError):
        hash(ramp())


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"meta": "{bad"}, "clip meta"),
        ({"meta": '{"conventions": 5}'}, "clip meta"),
        ({"values": np.full((1, COUNT), "x")}, "column values.*numbers"),
        ({"times": np.array(["2026-01-01"], "datetime64[s]")}, "column times.*numbers"),
        ({"rig": "arkit61/99"}, "rig arkit61/99"),
        ({"names": np.array("jawOpen")}, "a table of shape"),
        ({"values": np.zeros((COUNT, 1))}, "transposed"),
    ],
)
def test_an_npz_that_makes_no_sense_is_refused_by_name(arrays, message, tmp_path):
    path = tmp_path / "odd.npz"
    whole = {"names": np.array(NAMES), "values": np.zeros((1, COUNT)), "times": np.zeros(1)}
    np.savez(path, **{**whole, **arrays})
    with pytest.raises(BadInput, match=rf"odd\.npz.*{message}"):
        load_npz(path)


def test_an_npz_with_names_in_another_order_keeps_its_mask(tmp_path):
    order = np.arange(COUNT)[::-1]
    clip = ramp().select("brow")
    np.savez(
        tmp_path / "turned.npz", names=np.array(NAMES)[order], values=clip.values[:, order],
        times=clip.times, present=clip.present[order],
    )  # fmt: skip
    assert load_npz(tmp_path / "turned.npz").same_motion(clip)


def test_parquet_keeps_text_columns_and_refuses_text_for_a_channel(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "clip.parquet"
    pq.write_table(
        pa.table({"time": [0.0, 0.1], "jawOpen": [0.5, 0.6], "mood": ["ok", "so"]}), path
    )
    clip = load_parquet(path)
    assert clip.extra["mood"].tolist() == ["ok", "so"]
    save_npz(clip, tmp_path / "clip.npz")
    assert load_npz(tmp_path / "clip.npz") == clip
    pq.write_table(pa.table({"time": [0.0], "jawOpen": ["wide"]}), path)
    with pytest.raises(BadInput, match=r"clip\.parquet, column jawOpen.*numbers"):
        load_parquet(path)


def test_changing_the_source_array_does_not_change_the_clip():
    values = np.zeros((2, COUNT), np.float32)
    clip = FaceClip.of(values)
    part = clip[:1]
    values[0, 0] = 9
    assert clip.values[0, 0] == part.values[0, 0] == 0


def test_time_that_stands_still_has_no_step_and_no_gaps():
    still = FaceClip.of(np.zeros((5, COUNT)), [0, 0, 0, 0, 1])
    assert still.step == 1
    assert still.gaps() == ()
    assert np.isnan(FaceClip.of(np.zeros((3, COUNT)), [1, 1, 1]).step)


def test_joining_keeps_only_the_meta_that_agrees():
    one = ramp().with_meta(source="a", subject="anna", base=60)
    two = ramp().with_meta(source="b", subject="ben", base=60)
    meta = concatenate([one, two], pause=0.1).meta
    assert (meta.source, meta.subject, meta.base) == ("a + b", None, 60)
    with pytest.raises(BadInput, match="different conventions"):
        concatenate([one, two.with_meta(conventions=("mirrored",))], pause=0.1)
    with pytest.raises(BadInput, match="different clocks"):
        concatenate([one, two.with_meta(clock="timecode")], pause=0.1)


def test_a_transposed_table_is_not_reshaped():
    with pytest.raises(BadInput, match="transposed"):
        FaceClip.from_columns(["jawOpen", "mouthClose", "joy"], np.zeros((3, 4)), np.arange(4))
