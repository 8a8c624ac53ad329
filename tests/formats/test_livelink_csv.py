"""Live Link Face CSV: every file that calls itself one is read rightly or refused by cell."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semanticface.errors import BadInput, SemanticFaceError
from semanticface.formats import livelink_csv, livelink_rows
from semanticface.formats.livelink_csv import check, detect_mouth_pair, importer_faults, read, write
from semanticface.rig import COUNT, INDEX, NAMES
from semanticface.rig.clip import ClipMeta, FaceClip
from semanticface.rig.orders import LIVE_LINK_CSV
from tests.formats import takes

FOLDER = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
TAKES = ("S07-001.csv", "alex_rom_3.csv", "apfel.csv")


def errors(path):
    return [fault for fault in check(path) if fault.severity == "error"]


def edited(row, cell, to, frames=40):
    """A take's text with one cell changed; row 2 is the first frame."""
    lines = takes.text(takes.values(frames)).split("\n")
    cells = lines[row - 1].split(",")
    cells[cell] = to
    lines[row - 1] = ",".join(cells)
    return "\n".join(lines)


# -- the list of what files contain --------------------------------------------------


@pytest.mark.parametrize("spelling", ["BlendShapeCount", "BlendshapeCount", "blendshapecount"])
def test_both_count_spellings(tmp_path, spelling):
    header = ("Timecode", spelling, *LIVE_LINK_CSV.labels)
    path = takes.save(tmp_path, takes.text(takes.values(), header=header))
    assert not errors(path)
    assert read(path).present.all()


def test_mouth_pair_is_exchanged_and_the_clip_says_so(tmp_path):
    table = takes.values()
    path = takes.save(tmp_path, takes.text(table))
    clip, kept = read(path), read(path, exchange_mouth=False)
    as_labelled = table[:, takes.column("MouthLeft")].astype(np.float32)
    assert np.array_equal(clip.column("mouthRight"), as_labelled)
    assert np.array_equal(kept.column("mouthLeft"), as_labelled)
    assert clip.meta.conventions == ("mouth pair exchanged (Live Link CSV labels)",)
    assert kept.meta.conventions == ("mouth pair kept as labelled",)


def test_jaw_pair_has_its_own_switch(tmp_path):
    path = takes.save(tmp_path, takes.text(takes.values()))
    as_named, turned = read(path), read(path, exchange_jaw=True)
    assert np.array_equal(as_named.column("jawLeft"), turned.column("jawRight"))
    assert not np.array_equal(as_named.column("jawLeft"), turned.column("jawLeft"))
    assert "jaw pair exchanged (Live Link CSV labels)" in turned.meta.conventions


@pytest.mark.parametrize("left_first", [True, False])
def test_either_pair_order(tmp_path, left_first):
    labels, table = list(LIVE_LINK_CSV.labels), takes.values()
    expected = read(takes.save(tmp_path, takes.text(table)))
    order = np.arange(COUNT)
    if left_first:
        for one, other in (("JawRight", "JawLeft"), ("MouthRight", "MouthLeft")):
            i, j = labels.index(one), labels.index(other)
            order[[i, j]] = order[[j, i]]
    header = (*takes.HEADER[:2], *(labels[j] for j in order))
    again = read(takes.save(tmp_path, takes.text(table[:, order], header=header), "x.csv"))
    assert again.same_motion(expected)


@pytest.mark.parametrize("shape", ["camel", "right first", "upper"])
def test_right_first_and_camel_case_header(tmp_path, shape):
    table, order = takes.values(), np.arange(COUNT)
    expected = read(takes.save(tmp_path, takes.text(table)))
    if shape == "right first":
        order = np.array(sorted(order, key=lambda j: "Left" in LIVE_LINK_CSV.labels[j]))
    labels = [LIVE_LINK_CSV.labels[j] for j in order]
    if shape != "right first":
        labels = [
            label[0].lower() + label[1:] if shape == "camel" else label.upper() for label in labels
        ]
    header = ("timecode" if shape == "camel" else "Timecode", "BlendShapeCount", *labels)
    path = takes.save(tmp_path, takes.text(table[:, order], header=header), "x.csv")
    assert read(path).same_motion(expected)


def test_timecode_may_stand_in_any_column(tmp_path):
    lines = [line.split(",") for line in takes.text(takes.values(3)).split("\n")[:-1]]
    turned = "\n".join(",".join([*cells[2:], cells[1], cells[0]]) for cells in lines)
    expected = read(takes.save(tmp_path, takes.text(takes.values(3))))
    assert read(takes.save(tmp_path, turned, "x.csv")).same_motion(expected)


@pytest.mark.parametrize(("rate", "base"), [(59.904, 60), (29.98, 60), (29.97, 30)])
def test_59_904_and_29_98_fps(tmp_path, rate, base):
    stamps = takes.times(80, rate)
    path = takes.save(tmp_path, takes.text(takes.values(80), stamps, base=base))
    clip = read(path)
    assert (clip.meta.base, clip.meta.clock) == (base, "timecode")
    assert np.abs(clip.times - stamps).max() <= 0.5e-3 / base + 1e-9
    assert clip.rate == pytest.approx(rate, abs=1e-2)


def test_missing_sample_is_a_gap_and_a_warning(tmp_path):
    keep = np.arange(40) != 20
    path = takes.save(tmp_path, takes.text(takes.values()[keep], takes.times()[keep]))
    (gap,) = read(path).gaps()
    assert (gap.after, gap.missing) == (19, 1)
    (fault,) = check(path)
    assert (fault.row, fault.severity) == (22, "warning")
    assert "1 missing" in fault.found


def test_values_above_1_are_kept(tmp_path):
    path = takes.save(tmp_path, edited(5, 2, "1.0812345678"))
    assert read(path).column("eyeBlinkLeft")[3] == np.float32(1.0812345678)
    assert not errors(path)


def test_5e_8_floor_is_kept(tmp_path):
    table = takes.values()
    table[:, takes.column("TongueOut")] = 5e-8
    clip = read(takes.save(tmp_path, takes.text(table)))
    assert (clip.column("tongueOut") == np.float32(5e-8)).all()


def test_all_zero_columns_look_calibrated_unless_someone_knows(tmp_path):
    table = takes.values()
    table[:, :5] = 0
    content = takes.text(table)
    clip = read(takes.save(tmp_path, content))
    assert "5 blendshape columns are all zero" in clip.meta.notes["calibration"]
    assert clip.meta.calibrated is None
    assert clip.present.all()
    known = read(takes.save(tmp_path, content), calibrated=False)
    assert known.meta.calibrated is False
    assert "calibration" not in known.meta.notes


def test_zero_head_stays_zero_with_a_note(tmp_path):
    table = takes.values()
    table[:, 52:55] = 0
    clip = read(takes.save(tmp_path, takes.text(table)))
    assert clip.meta.notes["head"] == "all zero: head rotation was not streamed"
    assert (clip.values[:, 52:55] == 0).all()
    assert "head" not in read(takes.save(tmp_path, takes.text(takes.values()))).meta.notes


@pytest.mark.parametrize("hour", [24, 47, 123])
def test_hours_of_24_and_more(tmp_path, hour):
    stamps = takes.times(start=hour * 3600)
    clip = read(takes.save(tmp_path, takes.text(takes.values(), stamps)))
    assert np.abs(clip.times - stamps).max() < 1e-5


def test_semicolon_separator(tmp_path):
    lines = takes.text(takes.values()).split("\n")
    expected = read(takes.save(tmp_path, "\n".join(lines)))
    turned = [line[:8] + ";" + line[9:] if line[:2] == "12" else line for line in lines]
    path = takes.save(tmp_path, "\n".join(turned), "x.csv")
    assert path.read_text().count(";") == 40
    assert read(path).same_motion(expected)


@pytest.mark.parametrize("kind", ["bom", "crlf", "cr", "empty end", "no end", "all"])
def test_bom_crlf_empty_last_line(tmp_path, kind):
    content = takes.text(takes.values()).encode()
    expected = read(takes.save(tmp_path, content))
    if kind in ("crlf", "all"):
        content = content.replace(b"\n", b"\r\n")
    if kind == "cr":
        content = content.replace(b"\n", b"\r")
    if kind in ("bom", "all"):
        content = b"\xef\xbb\xbf" + content
    if kind in ("empty end", "all"):
        content += b"\n\n  \n"
    if kind == "no end":
        content = content.rstrip()
    path = takes.save(tmp_path, content, "x.csv")
    assert read(path).same_motion(expected)
    assert not check(path)


def test_short_row(tmp_path):
    lines = takes.text(takes.values()).split("\n")
    lines[9] = lines[9].rsplit(",", 3)[0]
    path = takes.save(tmp_path, "\n".join(lines))
    (fault,) = errors(path)
    assert (fault.row, fault.found) == (10, "60 cells")
    assert "63 as in the header" in fault.expected
    with pytest.raises(BadInput, match="row 10: found 60 cells, expected 63"):
        read(path)


@pytest.mark.parametrize(
    "cell", ["", "NaN", "nan", "inf", "-inf", "1e999", "0,5", "1_0", "0x1", "١"]
)
def test_empty_cell_and_nan_are_named_by_row_and_column(tmp_path, cell):
    path = takes.save(tmp_path, edited(7, 5, cell))
    (fault,) = errors(path)
    assert fault.row == 7
    assert fault.column == (None if "," in cell else "EyeLookOutLeft")
    with pytest.raises(BadInput, match="row 7") as caught:
        read(path)
    assert str(fault.as_error(path.name)) == str(caught.value)


def test_extra_emotion_columns_are_kept_and_reported(tmp_path):
    emotions = ["Joy", "Anger", "Fear", "Sadness", "Disgust", "Surprise", "Neutral"]
    table = np.hstack([takes.values(), np.round(np.random.default_rng(0).random((40, 7)), 10)])
    path = takes.save(tmp_path, takes.text(table, header=(*takes.HEADER, *emotions), count=68))
    clip = read(path)
    assert list(clip.extra) == emotions
    assert np.array_equal(clip.extra["Fear"], table[:, 63])
    assert clip.meta.notes["extra columns"] == emotions
    assert [fault.column for fault in check(path)] == emotions
    assert any("Joy" in line for line in write(clip, tmp_path / "Slate_8_Ann.csv"))
    assert write(clip, tmp_path / path.name, extras=True) == ()
    assert read(tmp_path / path.name) == clip


def test_an_extra_column_of_words_stays_text(tmp_path):
    lines = takes.text(takes.values(3)).split("\n")[:-1]
    lines = [
        line + cell for line, cell in zip(lines, (",Remark", ",good", ",0.5", ","), strict=True)
    ]
    clip = read(takes.save(tmp_path, "\n".join(lines)))
    assert clip.extra["Remark"].tolist() == ["good", "0.5", ""]
    assert any("Remark" in line for line in write(clip, tmp_path / "x.csv", extras=True))


def test_midnight_wrap(tmp_path):
    stamps = 86399.6 + np.arange(60) / 59.904
    path = takes.save(tmp_path, takes.text(takes.values(60), stamps % 86400))
    clip = read(path)
    assert np.abs(clip.times - stamps).max() < 1e-5
    write(clip, tmp_path / "x.csv")
    assert read(tmp_path / "x.csv").same_motion(clip)
    assert "\n24:00:00:" in (tmp_path / "x.csv").read_text()


@pytest.mark.parametrize("frames", [3, 40, 400])
@pytest.mark.parametrize("rate", [24.0, 29.98, 59.904])
def test_writer_output_is_accepted_by_the_importers_rules(tmp_path, frames, rate):
    path = tmp_path / "x.csv"
    clip = takes.clip(frames, rate=rate)
    write(clip, path)
    assert importer_faults(path) == []
    assert check(path) == [] or all(fault.row is None for fault in check(path))
    assert np.abs(read(path).times - clip.times).max() < 1e-4


# -- frames without a face -----------------------------------------------------------


def test_a_row_of_zero_count_is_nan_and_never_zero(tmp_path):
    lines = takes.text(takes.values()).split("\n")
    for i in (1, 2, 20, 40):
        lines[i] = lines[i].split(",")[0] + ",0"
    lines[21] = lines[21].split(",")[0] + ",0" + "," * 61
    path = takes.save(tmp_path, "\n".join(lines))
    clip = read(path)
    assert np.flatnonzero(~clip.tracked).tolist() == [0, 1, 19, 20, 39]
    assert np.isnan(clip.values[[0, 1, 19, 20, 39]]).all()
    assert clip.present.all()
    assert check(path) == []
    assert len(importer_faults(path)) == 5
    (told,) = write(clip, tmp_path / "gap.csv")
    assert told.startswith("5 frames without a face left out")
    assert read(tmp_path / "gap.csv").same_motion(clip[clip.tracked])
    assert write(clip, tmp_path / path.name, untracked="row") == ()
    assert read(tmp_path / path.name) == clip


def test_a_count_of_zero_beside_values_is_a_contradiction(tmp_path):
    path = takes.save(tmp_path, edited(4, 1, "0"))
    with pytest.raises(BadInput, match=r"row 4.*0 beside values"):
        read(path)


def test_an_odd_count_is_a_warning_that_the_clip_keeps(tmp_path):
    clip = read(takes.save(tmp_path, edited(4, 1, "52")))
    assert len(clip) == 40
    assert "'52'" in clip.meta.notes["warnings"][0]


def test_an_empty_line_in_the_middle_is_left_out_and_counted(tmp_path):
    lines = takes.text(takes.values()).split("\n")
    path = takes.save(tmp_path, "\n".join([*lines[:5], "", *lines[5:]]))
    clip = read(path)
    assert len(clip) == 40
    assert clip.meta.notes["warning count"] == 1
    assert check(path)[0].row == 6


# -- files that are something else -----------------------------------------------------


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty file"),
        (b"\n\n", "empty file"),
        (b"V,0,1234,1000,12:00:00:00.000,false\n", "frame_log.csv.*coefficients"),
        (b"Timecode;BlendShapeCount;JawOpen\n1;2;3\n", "';'.*commas"),
        ("Timecode,JawOpen\n".encode("utf-16"), "UTF-16.*UTF-8"),
        (b"time,JawOpen\n0,1\n", "Timecode"),
        (b"Timecode,BlendShapeCount,a,b\n", "no face channel"),
        (b"Timecode,BlendShapeCount,JawOpen,JawOpen\n", "each column once"),
        (b"Timecode,BlendShapeCount,JawOpen,jaw_open\n1:2:3:4,61,0,0", "one column for jawOpen"),
        (b"Timecode,BlendShapeCount,,JawOpen\n", "without a name"),
        (b"Timecode,BlendShapeCount,JawOpen\n", "no row below"),
        (b"Timecode,JawOpen," + b",".join(b"x%d" % i for i in range(600)), "at most 512"),
    ],
)
def test_other_files_are_refused_with_a_reason(tmp_path, content, told):
    path = takes.save(tmp_path, content)
    with pytest.raises(BadInput, match=told):
        read(path)
    if content.strip():
        assert [fault.severity for fault in check(path)] == ["error"]


def test_a_folder_points_to_take(tmp_path):
    with pytest.raises(BadInput, match=r"take\.read"):
        read(tmp_path)


def test_missing_channels_are_absent_and_not_zero(tmp_path):
    header = takes.HEADER[:-9]
    path = takes.save(tmp_path, takes.text(takes.values()[:, :52], header=header))
    clip = read(path)
    assert clip.absent == NAMES[52:]
    assert np.isnan(clip.values[:, 52:]).all()
    assert [fault.column for fault in check(path)] == list(NAMES[52:])


def test_check_lists_every_fault_from_top_to_bottom(tmp_path):
    lines = takes.text(takes.values()).split("\n")
    lines[3] = lines[3].replace("12:", "xx:", 1)
    lines[7] = "broken"
    cells = lines[9].split(",")
    cells[3], cells[8] = "", "abc"
    lines[9] = ",".join(cells)
    lines[20], lines[22] = lines[22], lines[20]
    path = takes.save(tmp_path, "\n".join(lines))
    faults = errors(path)
    assert [(fault.row, fault.column) for fault in faults] == [
        (4, "Timecode"), (8, "Timecode"), (8, None), (10, "EyeLookDownLeft"),
        (10, "EyeWideLeft"), (22, "Timecode"), (23, "Timecode"),
    ]  # fmt: skip
    with pytest.raises(BadInput, match="row 4, column Timecode"):
        read(path)


def test_negative_blendshapes_are_kept_and_told_once_a_column(tmp_path):
    table = takes.values()
    table[3:9, 4] *= -1
    path = takes.save(tmp_path, takes.text(table))
    (fault,) = check(path)
    assert (fault.row, fault.column, fault.severity) == (5, "EyeLookUpLeft", "warning")
    assert "6 negative values" in fault.found
    assert (read(path).column("eyeLookUpLeft")[3:9] < 0).all()


def test_a_frame_number_above_the_given_base_names_the_switch(tmp_path):
    path = takes.save(tmp_path, takes.text(takes.values()))
    with pytest.raises(BadInput, match=r"row 32.*below 30.*--base"):
        read(path, base=30)
    assert errors(path) == []


def test_a_short_take_says_which_base_was_assumed(tmp_path):
    path = takes.save(tmp_path, takes.text(takes.values(10)))
    clip = read(path)
    assert clip.meta.base == 30
    assert clip.meta.notes["timecode base"].startswith("30 assumed")
    assert "timecode base" not in read(path, base=60).meta.notes
    assert np.diff(read(path, base=60).times)[0] == pytest.approx(1 / 59.904, abs=1e-4)


# -- names -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("MySlate_3_iPhone.csv", ("MySlate", 3, "iPhone", None)),
        ("My_Slate_12_Ann_cal.csv", ("My_Slate", 12, "Ann", True)),
        ("S_1_Ann_raw.csv", ("S", 1, "Ann", False)),
        ("S_1_Ann_neutral.csv", ("S", 1, "Ann", False)),
        ("alex_rom_3.csv", (None, None, None, None)),
    ],
)
def test_the_name_tells_slate_take_subject_and_calibration(tmp_path, name, expected):
    meta = read(takes.save(tmp_path, takes.text(takes.values()), name)).meta
    assert (meta.slate, meta.take, meta.subject, meta.calibrated) == expected
    assert meta.source == name


# -- the mouth pair ----------------------------------------------------------------------


def lateral_clip(sign, witness="mouthSmile", frames=200):
    move = 0.3 * np.sin(np.linspace(0, 12, frames))
    values = np.zeros((frames, COUNT), np.float32)
    for name, signed in ((witness, move), ("mouth", sign * move)):
        values[:, INDEX[f"{name}Left"]] = np.maximum(signed, 0)
        values[:, INDEX[f"{name}Right"]] = np.maximum(-signed, 0)
    return FaceClip.of(values)


@pytest.mark.parametrize("witness", ["mouthSmile", "mouthStretch"])
@pytest.mark.parametrize(("sign", "told"), [(1, "own side"), (-1, "exchanged")])
def test_detector_reads_the_side_from_smile_or_stretch(witness, sign, told):
    verdict = detect_mouth_pair(lateral_clip(sign, witness))
    assert (verdict.verdict, verdict.witness, verdict.frames) == (told, witness, 200)


def test_detector_is_undecided_where_nothing_moves_or_little_was_seen():
    assert detect_mouth_pair(FaceClip.of(np.zeros((100, COUNT)))).verdict == "undecided"
    assert detect_mouth_pair(lateral_clip(1, frames=20)).verdict == "undecided"
    assert detect_mouth_pair(lateral_clip(1).select("brow")).frames == 0


# -- writing -----------------------------------------------------------------------------


def test_missing_channels_need_fill(tmp_path):
    clip = takes.clip(rate=60).select("mouth", "jaw")
    with pytest.raises(BadInput, match=r"eyeBlinkLeft.*more.*--fill 0"):
        write(clip, tmp_path / "x.csv")
    assert not (tmp_path / "x.csv").exists()
    (told,) = write(clip, tmp_path / "x.csv", fill=0)
    assert told.startswith("filled with 0: the channels eyeBlinkLeft")
    again = read(tmp_path / "x.csv")
    assert np.array_equal(again.column("jawOpen"), clip.column("jawOpen"))
    assert (again.column("eyeBlinkLeft") == 0).all()


def test_a_single_hole_needs_fill(tmp_path):
    values = takes.clip().values.copy()
    values[3, 17] = np.nan
    clip = takes.clip().with_values(values)
    with pytest.raises(BadInput, match=r"1 single values of jawOpen .first: frame 3"):
        write(clip, tmp_path / "x.csv")
    write(clip, tmp_path / "x.csv", fill=0.5)
    assert read(tmp_path / "x.csv").column("jawOpen")[3] == 0.5


def test_nothing_to_write_is_refused(tmp_path):
    empty = takes.clip().with_values(np.full((40, COUNT), np.nan))
    with pytest.raises(BadInput, match="none to write"):
        write(empty, tmp_path / "x.csv")
    with pytest.raises(BadInput, match="untracked"):
        write(takes.clip(), tmp_path / "x.csv", untracked="zero")


def test_a_long_take_is_written_whole(tmp_path):
    values = takes.clip(9000).values.copy()
    values[[0, 4095, 4096, 4097, 8999]] = np.nan
    clip = takes.clip(9000).with_values(values)
    write(clip, tmp_path / "x.csv", untracked="row")
    again = read(tmp_path / "x.csv")
    np.testing.assert_array_equal(again.values, clip.values)
    np.testing.assert_allclose(again.times, clip.times, atol=1e-4)
    assert np.flatnonzero(~again.tracked).tolist() == [0, 4095, 4096, 4097, 8999]
    write(clip, tmp_path / "y.csv")
    assert len(read(tmp_path / "y.csv")) == 8995


def test_mouth_labels_follow_what_the_clip_says(tmp_path):
    source = takes.save(tmp_path, takes.text(takes.values()))
    for options in ({}, {"exchange_mouth": False}, {"exchange_jaw": True}):
        write(read(source, **options), tmp_path / "x.csv")
        assert (tmp_path / "x.csv").read_bytes() == source.read_bytes()
    write(read(source), tmp_path / "x.csv", exchange_mouth=False)
    assert (tmp_path / "x.csv").read_bytes() != source.read_bytes()


def test_minus_zero_is_written_as_zero(tmp_path):
    write(takes.clip().with_values(np.full((40, COUNT), -0.0)), tmp_path / "x.csv")
    assert "-" not in (tmp_path / "x.csv").read_text()


def test_times_since_a_start_count_from_midnight(tmp_path):
    clip = FaceClip.of(takes.clip(90).values, rate=60, meta=ClipMeta())
    assert write(clip, tmp_path / "x.csv") == ()
    assert (tmp_path / "x.csv").read_text().split("\n")[1].startswith("00:00:00:00.000,61,")
    assert np.allclose(read(tmp_path / "x.csv").times, clip.times, atol=1e-9)


def test_rounded_times_and_odd_bases_are_told(tmp_path):
    clip = takes.clip(90, rate=47.123)
    (told,) = write(clip, tmp_path / "x.csv")
    assert "times rounded to 1/1000 frame" in told
    told = write(takes.clip(90, rate=24), tmp_path / "x.csv", base=24)
    assert any("base 24 will be taken for" in line for line in told)
    told = write(takes.clip(9, rate=60), tmp_path / "x.csv")
    assert any("base 30" in line for line in told)
    with pytest.raises(BadInput, match="Shift"):
        write(takes.clip().shifted(-1e6), tmp_path / "x.csv")
    with pytest.raises(BadInput, match="base=0"):
        write(takes.clip(), tmp_path / "x.csv", base=0)


def test_a_calibrated_clip_needs_its_name(tmp_path):
    clip = takes.clip(rate=60, calibrated=True)
    assert any("_cal.csv" in line for line in write(clip, tmp_path / "S_1_A.csv"))
    assert not any("_cal.csv" in line for line in write(clip, tmp_path / "S_1_A_cal.csv"))
    assert read(tmp_path / "S_1_A_cal.csv").meta.calibrated is True


finite = st.floats(width=32, allow_nan=False, allow_infinity=False)


@FOLDER
@given(st.data())
def test_any_numbers_read_back_to_the_bit(tmp_path, data):
    frames = data.draw(st.integers(1, 5))
    some = data.draw(st.lists(finite | st.floats(0, 1, width=32), min_size=8, max_size=8))
    rng = np.random.default_rng(data.draw(st.integers(0, 9)))
    values = rng.choice(np.array(some, np.float32), (frames, COUNT))
    values[data.draw(st.lists(st.integers(0, frames - 1), max_size=2))] = np.nan
    ticks = np.sort(data.draw(st.lists(st.integers(0, 10**9), min_size=frames, max_size=frames)))
    stamps = ticks // 60_000 + (ticks % 60_000) / 1000 / 60
    clip = FaceClip(values, stamps, np.ones(COUNT, bool), ClipMeta(base=60, clock="timecode"))
    path = tmp_path / "x.csv"
    assert all("taken for" in line for line in write(clip, path, base=60, untracked="row")) or (
        np.isnan(values).all()
    )
    again = read(path, base=60)
    assert again.same_motion(clip)
    write(again, path, base=60, untracked="row")
    assert read(path, base=60) == again


# -- fast and slow reading ---------------------------------------------------------------


def slowly(content):
    """Every row read alone: no row of `reader` can be usual in a header that is not."""
    head, _, body = content.partition(b"\n")
    header = livelink_rows.read_header(head)
    reader = livelink_rows._RowReader(header)
    rows = [reader.read(line, i) for i, line in enumerate(body.rstrip().split(b"\n"), start=2)]
    return [row for row in rows if row is not None], reader.faults


def same(content):
    table = livelink_rows.parse(content)
    rows, faults = slowly(content)
    nothing = [np.nan] * len(table.labels)
    expected = np.array([row.values or nothing for row in rows]).reshape(-1, len(table.labels))
    assert table.values.dtype == np.float32
    assert np.array_equal(table.values, expected.astype(np.float32), equal_nan=True)
    assert [*zip(table.whole, table.frames, strict=True)] == [row.stamp for row in rows]
    assert table.faults == faults


digits = st.integers(0, 10**11 - 1).map(lambda n: f"{n // 10**10}.{n % 10**10:010d}")
usual_cell = st.builds(str.__add__, st.sampled_from(["", "", "-"]), digits)
odd_cell = st.sampled_from(
    ["", "-", "--1.0000000000", "1-.0000000000", "1", "0.5", "1e-3", "+1.0000000000",
     "0.12345678901", "12.0000000000", "0.00000000-0", "0.000000000/", "0:0000000000", " 0.5",
     "nan"]
)  # fmt: skip


@given(st.lists(usual_cell, min_size=1, max_size=30))
def test_many_cells_at_once_are_the_doubles_that_float_gives(cells):
    """Columns that are no channel keep float64, so the digits can be compared exactly."""
    rows = "".join(f"12:34:56:00.000,61,0.0000000000,{cell}\n" for cell in cells)
    table = livelink_rows.parse(f"Timecode,BlendShapeCount,JawOpen,Joy\n{rows}".encode())
    assert table.values[:, 1].tolist() == [float(cell) for cell in cells]


@given(st.data())
def test_fast_and_slow_reading_agree_on_any_rows(data):
    labels = ["JawOpen", "MouthClose", "HeadYaw"]
    rows = []
    for _ in range(data.draw(st.integers(1, 12))):
        stamp = data.draw(st.sampled_from(
            ["12:34:56:07.890", "12:34:56;07.890", "1:2:3:4", "12:61:00:00.000", "1-:00:00:00.000"]
            + ["12:34:56:17.891"] * 8))  # fmt: skip
        count = data.draw(st.sampled_from(["61"] * 8 + ["3", "0", "-61", "6-1"]))
        cells = [data.draw(usual_cell if data.draw(st.booleans()) else usual_cell | odd_cell)
                 for _ in labels]  # fmt: skip
        whole = ",".join([stamp, count, *cells])
        rows.append(data.draw(st.sampled_from([whole] * 9 + [stamp + ",0", whole + ",", "", "-"])))
    rows[0] = "12:34:56:00.000,61,0.0000000000,-0.5000000000,1.0000000000"
    content = ",".join(["Timecode", "BlendShapeCount", *labels]) + "\n" + "\n".join(rows)
    same(content.encode())


@pytest.mark.parametrize("piece", [1, 700, 5000])
def test_reading_in_pieces_changes_nothing(monkeypatch, piece):
    content = edited(17, 9, "0.5").encode()
    whole = livelink_rows.parse(content)
    monkeypatch.setattr(livelink_rows, "_PIECE", piece)
    pieces = livelink_rows.parse(content)
    assert np.array_equal(pieces.values, whole.values)
    assert np.array_equal(pieces.lines, whole.lines)
    same(content)


# -- anything at all -----------------------------------------------------------------------


def standing(content):
    """All numbers that stand in the cells of a text, as float32."""
    cells = content.replace(b"\r", b"\n").replace(b"\n", b",").split(b",")
    numbers = set()
    for cell in cells:
        try:
            numbers.add(float(np.float32(float(cell.strip().strip(b'"').strip()))))
        except (ValueError, OverflowError):
            continue
    return numbers


def survives(path, content):
    path.write_bytes(content)
    try:
        clip = read(path)
    except SemanticFaceError:
        assert path.read_bytes() == content
        if content and not content.isspace():
            assert errors(path)
        return
    with np.errstate(over="ignore"):
        assert set(clip.values[~np.isnan(clip.values)].tolist()) <= standing(content)
    assert errors(path) == []
    importer_faults(path)


@FOLDER
@given(st.binary(max_size=300))
def test_random_bytes_never_break_the_reader(tmp_path, noise):
    survives(tmp_path / "x.csv", noise)
    survives(tmp_path / "x.csv", b"Timecode,BlendShapeCount,JawOpen\n" + noise)


@settings(FOLDER, max_examples=150)
@given(st.data())
def test_mutated_takes_never_break_the_reader_nor_make_numbers(tmp_path, data):
    content = bytearray(takes.text(takes.values(4)), "ascii")
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content) - 1))
        kind = data.draw(st.sampled_from(["set", "delete", "insert", "cut"]))
        if kind == "set":
            content[at] = data.draw(st.sampled_from(list(b',-.0129:;\n\r e\x00\xff"n')))
        elif kind == "delete":
            del content[at : at + data.draw(st.integers(1, 40))]
        elif kind == "insert":
            content[at:at] = data.draw(st.binary(min_size=1, max_size=4))
        else:
            del content[max(at, 40) :]
        if not content:
            break
    survives(tmp_path / "x.csv", bytes(content))


# -- real takes ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TAKES)
def test_a_real_take_comes_back_from_disk_bit_by_bit(shared, tmp_path, name):
    source = shared / "livelink" / name
    clip = read(source)
    assert write(clip, tmp_path / name, untracked="row") == ()
    assert read(tmp_path / name) == clip
    written, real = (tmp_path / name).read_bytes(), source.read_bytes()
    assert written.split(b"\n", 1)[1] == real.split(b"\n", 1)[1]


@pytest.mark.parametrize("name", TAKES)
def test_a_real_take_is_understood(shared, name):
    source = shared / "livelink" / name
    clip = read(source)
    assert errors(source) == []
    assert clip.rate == pytest.approx(29.98, abs=0.02)
    assert (clip.meta.base, clip.meta.calibrated) == (60, None)
    assert clip.meta.notes["head"] == livelink_csv.ZERO_HEAD
    assert {gap.missing for gap in clip.gaps()} == {1}
    verdict = detect_mouth_pair(clip)
    assert verdict.verdict == "own side"
    assert verdict.correlation > 0.8
    assert detect_mouth_pair(read(source, exchange_mouth=False)).verdict == "exchanged"


def test_a_real_take_with_a_lost_face(shared):
    clip = read(shared / "livelink" / "apfel.csv")
    assert (len(clip), int((~clip.tracked).sum())) == (1926, 35)
    assert np.isnan(clip.values[222]).all()


@pytest.mark.parametrize("name", TAKES)
def test_a_real_take_read_slowly_is_the_same(shared, name):
    same((shared / "livelink" / name).read_bytes())
