"""Write, read, and find the same clip: formats that carry every number."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semanticface.errors import BadInput, SemanticFaceError
from semanticface.formats import audio2face, jsonl_clip, lam_json, mediapipe
from semanticface.formats.frames import SHAPES
from semanticface.rig import COUNT, INDEX, NAMES, ORDERS, ClipMeta, FaceClip

MEDIAPIPE = tuple(name for name in SHAPES if name != "tongueOut")
FEW = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@st.composite
def clips(draw, names=NAMES, min_frames=0, holes=True):
    """Clips of up to 6 frames with some channels, awkward float32 values and gaps."""
    chosen = draw(st.lists(st.sampled_from(names), min_size=1, max_size=8, unique=True))
    frames = draw(st.integers(min_frames, 6))
    number = st.floats(-2, 2, width=32) | st.sampled_from([0.1, 1e-8, 1.0000001, -0.0, 1e-45])
    cell = number | st.just(float("nan")) if holes else number
    values = np.full((frames, COUNT), np.nan, dtype=np.float32)
    for name in chosen:
        values[:, INDEX[name]] = draw(st.lists(cell, min_size=frames, max_size=frames))
    steps = draw(st.lists(st.floats(1e-3, 5), min_size=frames, max_size=frames))
    present = np.zeros(COUNT, dtype=bool)
    present[[INDEX[name] for name in chosen]] = True
    start = draw(st.sampled_from([0.0, 1 / 3, 54321.123456789]))
    return FaceClip(values, start + np.cumsum(steps), present)


@FEW
@given(clip=clips())
def test_own_jsonl_keeps_everything(tmp_path, clip):
    meta = ClipMeta("a.csv", "x", "Ann", "slate", 3, 60, "timecode", True, ("one",), {"k": [1]})
    extra = {"Emotion": np.linspace(0, 1, len(clip)), "word": np.array(["ä"] * len(clip))}
    full = FaceClip(clip.values, clip.times, clip.present, meta, extra)
    assert jsonl_clip.write(full, tmp_path / "c.jsonl") == ()
    again = jsonl_clip.read(tmp_path / "c.jsonl")
    assert again.same_motion(full)
    assert again.meta == meta
    if len(clip):
        assert again == full


@FEW
@given(clip=clips())
@pytest.mark.parametrize("tool", [audio2face, lam_json], ids=["audio2face", "lam"])
def test_other_tools_text_keeps_the_motion(tmp_path, tool, clip):
    tool.write(clip, tmp_path / "c.txt")
    assert tool.read(tmp_path / "c.txt").same_motion(clip)


@FEW
@given(clip=clips(MEDIAPIPE, holes=False, min_frames=1), layout=st.booleans(), name=st.booleans())
def test_mediapipe_keeps_the_motion(tmp_path, clip, layout, name):
    path = tmp_path / ("c.jsonl" if name else "c.json")
    mediapipe.write(clip, path, layout="python" if layout else "javascript")
    assert mediapipe.read(path).same_motion(clip)


READERS = [
    pytest.param(jsonl_clip.read, ".jsonl", id="own"),
    pytest.param(lam_json.read, ".json", id="lam"),
    pytest.param(audio2face.read, ".csv", id="audio2face"),
    pytest.param(mediapipe.read, ".json", id="mediapipe"),
    pytest.param(mediapipe.read, ".jsonl", id="mediapipe-lines"),
]
PIECES = [
    '{"semanticface": "clip/1", "rig": "arkit61/1", "names": ["jawOpen"]}', '"time": 1', "[", "]",
    "{", "}", "0.5", "null", "NaN", "1e999", "true", ",", ":", '"names"', '"frames"', '"weights"',
    '"faceBlendshapes"', '"categories"', '"jawOpen"', "timeCode", "blendShapes.JawOpen", "\n",
    '"metadata"', '"', "-", "9" * 400, "\0", "é", '{"a": 1, "a": 2}', "[[[[[[", "1_0",
]  # fmt: skip


@FEW
@pytest.mark.parametrize(("read", "suffix"), READERS)
@given(pieces=st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=25))
def test_any_text_is_read_or_refused_in_words(tmp_path, read, suffix, pieces):
    path = tmp_path / f"c{suffix}"
    path.write_text("".join(pieces), encoding="utf-8", errors="replace", newline="")
    try:
        clip = read(path)
    except SemanticFaceError as fault:
        assert path.name in str(fault)
    else:
        assert isinstance(clip, FaceClip)


@FEW
@pytest.mark.parametrize(("read", "suffix"), READERS)
@given(data=st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(tmp_path, read, suffix, data):
    path = tmp_path / f"c{suffix}"
    path.write_bytes(data)
    try:
        read(path)
    except SemanticFaceError as fault:
        assert path.name in str(fault)


@FEW
@pytest.mark.parametrize("tool", [audio2face, lam_json, jsonl_clip, mediapipe])
@given(data=st.data())
def test_a_damaged_file_never_gains_a_value(tmp_path, tool, data):
    values = np.full((3, COUNT), np.nan, dtype=np.float32)
    values[:, INDEX["jawOpen"]] = [0.25, 0.5, 0.75]
    path = tmp_path / "c.json"
    tool.write(FaceClip.of(values), path)
    whole = path.read_text()
    cut = data.draw(st.integers(0, len(whole)))
    path.write_text(whole[:cut])
    try:
        clip = tool.read(path)
    except SemanticFaceError:
        return
    held = clip.values[~np.isnan(clip.values)].tolist()
    if tool is audio2face:  # a CSV cut inside its last number cannot be told from a shorter one
        held = held[:-1]
    assert set(held) <= {0.25, 0.5, 0.75}


@pytest.mark.parametrize(("read", "suffix"), READERS)
def test_deep_nesting_and_size_are_bounded(tmp_path, read, suffix):
    path = tmp_path / f"c{suffix}"
    path.write_text("[" * 200_000)
    with pytest.raises(BadInput):
        read(path)


def test_size_limit_says_how_to_raise_it(tmp_path):
    path = tmp_path / "c.csv"
    path.write_text("timeCode\n" + "0\n" * 100)
    with pytest.raises(BadInput, match="max_bytes"):
        audio2face.read(path, max_bytes=50)


# -- Audio2Face ---------------------------------------------------------------

A2F = (
    ",timeCode,blendShapes.MouthClose,blendShapes.JawOpen,blendShapes.EyeBlinkLeft,joy,note\n"
    "0,0.0,0.1,0.2,0.3,0.9,hi\n"
    "1,0.033333,0.11,,0.31,0.8,there\n"
)


def test_audio2face_in_its_own_shape(tmp_path):
    (tmp_path / "a.csv").write_text(A2F)
    clip = audio2face.read(tmp_path / "a.csv")
    assert clip.names == ("eyeBlinkLeft", "jawOpen", "mouthClose")
    assert clip.times.tolist() == [0.0, 0.033333]
    assert clip.column("mouthClose").tolist() == [np.float32(0.1), np.float32(0.11)]
    assert np.isnan(clip.column("jawOpen")[1])
    assert clip.extra["joy"].tolist() == [0.9, 0.8]
    assert clip.extra["note"].tolist() == ["hi", "there"]
    assert set(clip.extra) == {"joy", "note"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("0.31", "abc"), "row 3, column blendShapes.EyeBlinkLeft: found 'abc'"),
        (("0.31", "nan"), "found 'nan'"),
        (("0.31", "1_0"), "found '1_0'"),
        (("0.033333", ""), "row 3, column timeCode"),
        (("0.033333", "-1"), "row 3: found the time -1 after 0"),
        (("1,0.033333", "0.033333"), "row 3: found 6 cells"),
        (("timeCode", "when"), "0 columns called timeCode"),
        (("MouthClose", "JawOpen"), "'blendShapes.JawOpen' twice"),
        (("MouthClose", "jaw_open"), "for one channel"),
    ],
)
def test_audio2face_faults_have_a_place(tmp_path, change, words):
    (tmp_path / "a.csv").write_text(A2F.replace(*change))
    with pytest.raises(BadInput) as fault:
        audio2face.read(tmp_path / "a.csv")
    assert words in str(fault.value)


def test_audio2face_start(tmp_path):
    clip = FaceClip.of(np.zeros((2, COUNT)), [100.5, 101.0], meta=ClipMeta(clock="timecode"))
    kept = audio2face.write(clip, tmp_path / "k.csv")
    zero = audio2face.write(clip, tmp_path / "z.csv", start="zero")
    assert audio2face.read(tmp_path / "k.csv", clock="timecode").times.tolist() == [100.5, 101.0]
    assert audio2face.read(tmp_path / "z.csv").times.tolist() == [0.0, 0.5]
    assert any("start=zero" in note for note in kept)
    assert any("dropped" in note for note in zero)
    assert any("rotations" in line for line in (tmp_path / "z.csv").read_text().splitlines()[:1])


TAKES = Path(__file__).parents[2].parent / "shared" / "data" / "livelink"


@pytest.mark.skipif(
    not TAKES.is_dir(), reason="real takes are not beside the checkout (../shared/data)"
)
def test_a_real_take_survives_audio2face(tmp_path):
    from semanticface.formats import livelink_csv

    take = livelink_csv.read(TAKES / "apfel.csv")
    audio2face.write(take, tmp_path / "a.csv")
    again = audio2face.read(tmp_path / "a.csv", clock="timecode")
    assert again.same_motion(take) and again.meta.clock == take.meta.clock


# -- LAM and BEAT -------------------------------------------------------------


def lam_file(path, text):
    path.write_text(text)
    return path


def test_beat_in_its_own_shape(tmp_path):
    path = lam_file(
        tmp_path / "b.json",
        '{"names": ["browDownLeft", "jawOpen", "mystery"], "frames": ['
        '{"weights": [0.1, 0.2, 3], "time": 0.0, "rotation": []},'
        '{"weights": [0.3, 0.4, 4], "time": 0.01667, "rotation": [1, 2, 3]}]}',
    )
    clip = lam_json.read(path)
    assert clip.names == ("jawOpen", "browDownLeft")
    assert clip.times.tolist() == [0.0, 0.01667]
    assert clip.extra["mystery"].tolist() == [3, 4]
    assert clip.extra["rotation.2"][1] == 3 and np.isnan(clip.extra["rotation.2"][0])


def test_lam_times_from_the_rate(tmp_path):
    text = '{"names": ["jawOpen"], "metadata": {"fps": 25}, "frames": [{"weights": [0]}]}'
    two = text.replace('{"weights": [0]}', '{"weights": [0]}, {"weights": [1]}')
    path = lam_file(tmp_path / "l.json", two)
    assert lam_json.read(path).times.tolist() == [0, 0.04]
    assert lam_json.read(path, rate=50).times.tolist() == [0, 0.02]
    with pytest.raises(BadInput, match="rate"):
        lam_json.read(lam_file(path, two.replace('"fps": 25', '"x": 1')))


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ('{"weights": [1, 2], "time": 1}', "row 2: found 2 weights, expected 1"),
        ('{"weights": [true], "time": 1}', "row 2: found true"),
        ('{"weights": [NaN], "time": 1}', "found NaN"),
        ('{"weights": ["0"], "time": 1}', "row 2"),
        ('{"weights": [0], "time": -1}', "row 2: found the time -1 after 0"),
        ('{"weights": [0], "time": 1, "time": 2}', "'time' twice"),
    ],
)
def test_lam_faults_name_the_frame(tmp_path, frame, words):
    first = '{"weights": [0], "time": 0}'
    path = lam_file(tmp_path / "l.json", f'{{"names": ["jawOpen"], "frames": [{first}, {frame}]}}')
    with pytest.raises(BadInput) as fault:
        lam_json.read(path)
    assert words in str(fault.value)


# -- MediaPipe ----------------------------------------------------------------

PYTHON = (
    '[{"timestamp_ms": 0, "face_blendshapes": [[{"index": 0, "score": 0.001, "category_name":'
    ' "_neutral", "display_name": ""}, {"index": 25, "score": 0.5, "category_name": "jawOpen",'
    ' "display_name": ""}]], "facial_transformation_matrixes": [[1, 0]]},'
    ' {"timestamp_ms": 33, "face_blendshapes": []}]'
)
SCRIPT = (
    '{"timestampMs": 7, "faceBlendshapes": [{"categories": [{"index": 25, "score": 0.25,'
    ' "categoryName": "jawOpen", "displayName": ""}], "headIndex": -1}]}\n'
    '{"timestampMs": 40, "faceBlendshapes": []}\n'
)


def test_mediapipe_python_shape(tmp_path):
    (tmp_path / "m.json").write_text(PYTHON)
    clip = mediapipe.read(tmp_path / "m.json")
    assert clip.times.tolist() == [0, 0.033]
    assert clip.column("jawOpen")[0] == 0.5
    assert clip.tracked.tolist() == [True, False]
    assert clip.extra["_neutral"][0] == 0.001
    assert "tongueOut" in clip.absent and "headYaw" in clip.absent
    assert clip.meta.conventions == ("facial transformation matrix not read",)


def test_mediapipe_javascript_shape_and_rate(tmp_path):
    (tmp_path / "m.jsonl").write_text(SCRIPT)
    clip = mediapipe.read(tmp_path / "m.jsonl")
    assert clip.times.tolist() == [0.007, 0.04]
    assert clip.column("jawOpen")[0] == 0.25
    assert mediapipe.read(tmp_path / "m.jsonl", rate=10).times.tolist() == [0, 0.1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('"timestampMs": 40', '"x": 40'), "row 2: found a result without a time"),
        (('"timestampMs": 40', '"timestampMs": 4'), "row 2: found the time"),
        (("0.25", "true"), "row 1, column jawOpen: found true"),
        (("0.25", "Infinity"), "row 1: found Infinity"),
        (("faceBlendshapes", "faceLandmarks"), "output_face_blendshapes"),
        (("}\n{", "}\n[]\n{"), "row 2"),
    ],
)
def test_mediapipe_faults_name_the_row(tmp_path, change, words):
    (tmp_path / "m.jsonl").write_text(SCRIPT.replace(*change))
    with pytest.raises(BadInput) as fault:
        mediapipe.read(tmp_path / "m.jsonl")
    assert words in str(fault.value)


def test_mediapipe_says_what_it_cannot_hold(tmp_path):
    notes = mediapipe.write(FaceClip.of(np.zeros((1, COUNT))), tmp_path / "m.json")
    assert "tongueOut" in notes[0] and "headYaw" in notes[0]
    labels = [label for label in ORDERS["mediapipe"].labels if label != "_neutral"]
    assert set(mediapipe.read(tmp_path / "m.json").names) == set(labels)


# -- own JSON lines -----------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"time": 1, "values": [0, 0]}', "row 3: found 2 values, expected 1"),
        ('{"time": null, "values": [0]}', "row 3, column time: found null"),
        ('{"time": -1, "values": [0]}', "row 3: found the time -1"),
        ('{"time": 1, "values": [NaN]}', "row 3: found NaN"),
        ('{"time": 1, "values": [1e39]}', "row 3, column jawOpen"),
        ("broken", "row 3: found no JSON"),
    ],
)
def test_own_faults_name_the_row(tmp_path, line, words):
    head = '{"semanticface": "clip/1", "rig": "arkit61/1", "names": ["jawOpen"]}'
    (tmp_path / "c.jsonl").write_text(f'{head}\n{{"time": 0, "values": [0.5]}}\n{line}\n')
    with pytest.raises(BadInput) as fault:
        jsonl_clip.read(tmp_path / "c.jsonl")
    assert words in str(fault.value)
