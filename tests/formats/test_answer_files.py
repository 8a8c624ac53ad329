"""SemanticFace and KeyframeFace files: every answer keeps its place, nothing is filled in."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semanticface.errors import BadInput
from semanticface.formats import keyframe_jsonl, semanticface_jsonl
from semanticface.formats.keyframe_jsonl import Script
from semanticface.language.description import Description
from semanticface.rig import COUNT, INDEX, NAMES, ROTATIONS, FaceClip

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "released_answers"
FEW = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
WORDS = Description("smile", "Eyes: open", "not clearly observable", "mostly symmetric")


@st.composite
def rounded_clips(draw):
    """Clips of three decimals in range, now and then without a channel or a frame."""
    frames = draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = rng.integers(0, 1001, (frames, COUNT)).astype(np.float32) / np.float32(1000)
    values[:, [each.index for each in ROTATIONS]] -= np.float32(0.5)
    values = np.round(values.astype(np.float64), 3).astype(np.float32) + np.float32(0)
    if draw(st.booleans()):
        values[draw(st.integers(0, frames - 1))] = np.nan
    if draw(st.booleans()):
        values[0, draw(st.integers(0, COUNT - 1))] = np.nan
    return FaceClip(values, np.arange(frames), np.ones(COUNT, bool))


def same_values(one, other):
    return np.array_equal(one.values, other.values, equal_nan=True)


@FEW
@given(
    clip=rounded_clips(),
    layout=st.sampled_from(["two-key", "markdown"]),
    told=st.booleans(),
    exchange=st.booleans(),
)
def test_semanticface_files_come_back(tmp_path, clip, layout, told, exchange):
    path = tmp_path / "r.jsonl"
    words = [WORDS] * len(clip) if told else []
    semanticface_jsonl.write(clip, path, layout=layout, descriptions=words, exchange_mouth=exchange)
    again = semanticface_jsonl.read(path, exchange_mouth=exchange)
    assert same_values(again, clip)
    assert again.times.tolist() == clip.times.tolist()
    tracked = clip.tracked
    for answer, here in zip(semanticface_jsonl.read_answers(path), tracked, strict=True):
        assert (answer.parsed.description == WORDS) is bool(told and here)


@FEW
@given(clip=rounded_clips(), flip=st.booleans(), exchange=st.booleans())
def test_keyframe_files_come_back(tmp_path, clip, flip, exchange):
    path = tmp_path / "k.jsonl"
    options = {"flip_eye_pitch": flip, "exchange_mouth": exchange}
    keyframe_jsonl.write(clip, path, **options)
    assert same_values(keyframe_jsonl.read(path, **options), clip)


def line(response, **more):
    return json.dumps({"response": response, **more}) + "\n"


def full(**changes):
    values = {name[0].upper() + name[1:]: 0.5 for name in NAMES} | changes
    return json.dumps(values)


def test_an_unreadable_answer_keeps_its_place(tmp_path):
    path = tmp_path / "r.jsonl"
    whole = full()
    path.write_text(
        line(whole, images=[{"path": "a.jpg"}]) + line("no numbers here") + line(whole[:300])
        + line(full(JawOpen=0.25))
    )  # fmt: skip
    clip = semanticface_jsonl.read(path, rate=2)
    assert clip.times.tolist() == [0, 0.5, 1, 1.5]
    assert clip.tracked.tolist() == [True, False, True, True]
    assert clip.column("jawOpen").tolist()[3] == 0.25
    assert np.isnan(clip.values[2]).sum() > 40
    assert clip.meta.notes["outcomes"]["failed"] == 1
    assert semanticface_jsonl.read_answers(path)[0].image == "a.jpg"
    assert any("no timing" in each for each in clip.meta.conventions)


def test_the_mouth_pair_is_exchanged_and_told(tmp_path):
    path = tmp_path / "r.jsonl"
    path.write_text(line(full(MouthLeft=0.9, MouthRight=0.1)))
    clip = semanticface_jsonl.read(path)
    assert clip.column("mouthRight")[0] == np.float32(0.9)
    assert any("inferred" in each for each in clip.meta.conventions)
    plain = semanticface_jsonl.read(path, exchange_mouth=False)
    assert plain.column("mouthLeft")[0] == np.float32(0.9)


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (b"\xff\xfe\x00\n", "row 2: found bytes that are not UTF-8"),
        (b"garbage\n", "row 2: found no JSON"),
        (b'{"respons": "x"}\n', "row 2"),
        (b'{"response": 3}\n', "row 2: found 3"),
        (b"[" * 100_000 + b"\n", "row 2: found JSON nested too deep"),
    ],
)
@pytest.mark.parametrize("module", [semanticface_jsonl, keyframe_jsonl])
def test_garbage_names_its_row(tmp_path, module, second, words):
    path = tmp_path / "r.jsonl"
    path.write_bytes(line(full()).encode() + second)
    with pytest.raises(BadInput) as fault:
        module.read(path)
    assert words in str(fault.value)


def test_a_value_out_of_range_is_not_written(tmp_path):
    values = np.zeros((2, COUNT), np.float32)
    values[1, INDEX["jawOpen"]] = 1.08
    with pytest.raises(BadInput, match="row 2"):
        semanticface_jsonl.write(FaceClip.of(values), tmp_path / "r.jsonl")


def test_what_answers_lose_is_said(tmp_path):
    clip = FaceClip.of(np.full((2, COUNT), 0.12345), rate=30)
    notes = " ".join(semanticface_jsonl.write(clip, tmp_path / "r.jsonl"))
    assert "rounded to 3 decimals" in notes
    assert "times left out" in notes
    with pytest.raises(BadInput, match="1 images"):
        semanticface_jsonl.write(clip, tmp_path / "r.jsonl", images=["one.jpg"])


def test_seventy_keyframes_and_the_pitch(tmp_path):
    path = tmp_path / "k.jsonl"
    path.write_text(
        "".join(
            line(json.dumps({f"Keyframe_{keyframe_jsonl.in_words(i)}": {"LeftEyePitch": 0.2}}))
            for i in range(1, 71)
        )
    )
    clip = keyframe_jsonl.read(path, seconds_per_keyframe=0.5)
    assert len(clip) == 70 and clip.times[-1] == 34.5
    assert clip.column("leftEyePitch")[0] == np.float32(-0.2)
    assert clip.meta.notes["keyframes"][69] == "Keyframe_seventy"
    assert any("eye pitch" in each for each in clip.meta.conventions)


TEXT = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12)


@FEW
@given(frames=st.lists(TEXT, min_size=1, max_size=25), scene=TEXT, mood=TEXT, data=st.data())
def test_requests_come_back(tmp_path, frames, scene, mood, data):
    asked = data.draw(st.integers(1, len(frames)))
    script = Script(tuple(frames), scene, mood, asked)
    keyframe_jsonl.write_scripts([script], tmp_path / "s.jsonl")
    assert keyframe_jsonl.read_scripts(tmp_path / "s.jsonl") == [script]


def test_number_words():
    assert [keyframe_jsonl.in_words(i) for i in (1, 12, 20, 21, 100, 342)] == [
        "one", "twelve", "twenty", "twenty_one", "one_hundred", "three_hundred_forty_two",
    ]  # fmt: skip
    assert keyframe_jsonl.title(21) == "Twenty-One"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("Emotion:", "Mood:"), "not KeyframeFace's"),
        (("- Keyframe Two", "- Keyframe Three"), "expected '- Keyframe Two: ...'"),
        (("for Keyframe One", "for Keyframe Umpteen"), "the keyframe 'Umpteen'"),
    ],
)
def test_broken_requests_say_what_is_missing(tmp_path, change, words):
    record = json.dumps(keyframe_jsonl.request(Script(("a", "b"), "scene", "mood", 1)))
    (tmp_path / "s.jsonl").write_text(record.replace(*change) + "\n")
    with pytest.raises(BadInput) as fault:
        keyframe_jsonl.read_scripts(tmp_path / "s.jsonl")
    assert words in str(fault.value) and "row 1" in str(fault.value)


needs_real = pytest.mark.skipif(
    not REAL.is_dir(), reason="released answers are not beside the checkout (../shared/data)"
)


@needs_real
def test_released_semanticface_answers():
    path = REAL / "semanticface_example_result.jsonl"
    answers = semanticface_jsonl.read_answers(path)
    assert len(answers) == 8
    assert {each.parsed.report.outcome for each in answers} == {"tolerant"}
    assert all(each.image and each.parsed.description for each in answers)
    clip = semanticface_jsonl.read(path)
    assert not np.isnan(clip.values).any()
    shown = json.loads(answers[0].text[answers[0].text.index("{") :])
    assert clip.column("mouthSmileLeft")[0] == np.float32(shown["MouthSmileLeft"])


@needs_real
def test_released_keyframes():
    clip = keyframe_jsonl.read(REAL / "keyframeface_example_result.jsonl")
    assert clip.meta.notes["keyframes"] == ["Keyframe_one", "Keyframe_two"]
    # the face looks down in the first: eyeLookDown and a downward pitch agree
    assert clip.column("eyeLookDownLeft")[0] > 0 and clip.column("leftEyePitch")[0] > 0
    scripts = keyframe_jsonl.read_scripts(REAL / "keyframeface_example.jsonl")
    assert [each.asked for each in scripts] == [1, 2]
    assert len(scripts[0].keyframes) == 2 and scripts[0].emotion.startswith("Anxiety")
    lines = (REAL / "keyframeface_example.jsonl").read_text().splitlines()
    records = [json.loads(each) for each in lines if each.strip()]
    assert [keyframe_jsonl.request(each) for each in scripts] == records
