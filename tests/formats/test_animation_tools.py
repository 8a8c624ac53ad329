"""glTF, Blender, Unity, Azure: what these tools would see is what the clip holds."""

import base64
import json
import runpy
import struct
import sys
import types

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semanticface.errors import BadInput, SemanticFaceError
from semanticface.formats import azure, blender, gltf, unity_anim
from semanticface.formats.frames import SHAPES
from semanticface.formats.refused import REFUSED, refuse
from semanticface.rig import COUNT, INDEX, FaceClip

pygltflib = pytest.importorskip("pygltflib")
FEW = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@st.composite
def clips(draw, names=SHAPES, step=1 / 64, lost=False):
    """Clips on an even grid (exact in float32) of some channels; now and then a lost frame."""
    frames = draw(st.integers(1, 5))
    chosen = draw(st.lists(st.sampled_from(names), min_size=1, max_size=6, unique=True))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = np.full((frames, COUNT), np.nan, np.float32)
    for name in chosen:
        values[:, INDEX[name]] = rng.uniform(-0.2, 1.2, frames)
    if lost and frames > 2:
        values[1] = np.nan
    slots = np.cumsum([0, *draw(st.lists(st.integers(1, 3), min_size=frames, max_size=frames))])
    return FaceClip.of(values, slots[:frames] * step)


# -- glTF ---------------------------------------------------------------------


@FEW
@given(clip=clips(), start=st.sampled_from([0.0, 54321.125]))
def test_glb_keeps_the_motion(tmp_path, clip, start):
    moved = clip.shifted(start)
    gltf.write(moved, tmp_path / "a.glb")
    assert gltf.read(tmp_path / "a.glb").same_motion(moved)


def clip_of(frames=3, lost=()):
    values = np.linspace(0, 1, frames * COUNT).reshape(frames, COUNT).astype(np.float32)
    values[list(lost)] = np.nan
    return FaceClip.of(values, np.arange(frames) / 64)


def test_pygltflib_sees_the_52_targets(tmp_path):
    notes = gltf.write(clip_of(), tmp_path / "a.glb")
    assert any("headYaw" in note for note in notes)
    held = pygltflib.GLTF2().load(str(tmp_path / "a.glb"))
    assert held.meshes[0].extras["targetNames"] == list(SHAPES)
    assert len(held.meshes[0].primitives[0].targets) == 52
    sampler = held.animations[0].samplers[0]
    times, weights = held.accessors[sampler.input], held.accessors[sampler.output]
    assert times.min == [0.0] and times.max == [2 / 64] and weights.count == 3 * 52
    for view in held.bufferViews:
        assert view.byteOffset % 4 == 0
        assert view.byteOffset + view.byteLength <= held.buffers[0].byteLength
    view = held.bufferViews[weights.bufferView]
    raw = held.binary_blob()[view.byteOffset :][: view.byteLength]
    table = np.frombuffer(raw, "<f4").reshape(3, 52)
    assert np.array_equal(table, clip_of().values[:, :52])


def test_glb_never_fills_a_hole(tmp_path):
    notes = gltf.write(clip_of(4, lost=[1]), tmp_path / "a.glb")
    assert any("1 frames without a face" in note for note in notes)
    assert len(gltf.read(tmp_path / "a.glb")) == 3
    values = clip_of().values.copy()
    values[1, INDEX["jawOpen"]] = np.nan
    with pytest.raises(BadInput, match="row 1, column jawOpen"):
        gltf.write(FaceClip.of(values), tmp_path / "a.glb")
    with pytest.raises(BadInput, match="at the time of the one before"):
        gltf.write(FaceClip.of(np.zeros((2, COUNT)), [1.0, 1.0]), tmp_path / "a.glb")


def avatar(**changes):
    """A head and teeth as an avatar maker exports them, buffers as data URIs."""
    times = struct.pack("<2f", 0, 0.5)
    head = struct.pack("<6f", 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
    teeth = bytes([51, 255])
    data = times + head + teeth
    names = {"targetNames": ["jawOpen", "viseme_aa", "mouthSmile_L"]}
    held = {
        "asset": {"version": "2.0"},
        "buffers": [{"uri": "data:application/octet-stream;base64,"
                     + base64.b64encode(data).decode(), "byteLength": len(data)}],
        "bufferViews": [{"buffer": 0, "byteLength": 8},
                        {"buffer": 0, "byteOffset": 8, "byteLength": 24},
                        {"buffer": 0, "byteOffset": 32, "byteLength": 2}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 2, "type": "SCALAR"},
            {"bufferView": 1, "componentType": 5126, "count": 6, "type": "SCALAR"},
            {"bufferView": 2, "componentType": 5121, "normalized": True, "count": 2,
             "type": "SCALAR"}],
        "nodes": [{"mesh": 0, "name": "Head"}, {"mesh": 1, "name": "Teeth"}],
        "meshes": [{"name": "Wolf3D_Head", "extras": names, "primitives": []},
                   {"extras": {"targetNames": ["jawOpen"]}, "primitives": []}],
        "animations": [
            {"name": "walk", "channels": [{"sampler": 0, "target": {"node": 0, "path": "scale"}}],
             "samplers": [{"input": 0, "output": 1}]},
            {"name": "talk", "samplers": [{"input": 0, "output": 1},
                                          {"input": 0, "output": 2, "interpolation": "STEP"}],
             "channels": [{"sampler": 0, "target": {"node": 0, "path": "weights"}},
                          {"sampler": 1, "target": {"node": 1, "path": "weights"}}]}],
    }  # fmt: skip
    return held | changes


def test_an_avatar_of_several_meshes(tmp_path):
    path = tmp_path / "a.gltf"
    path.write_text(json.dumps(avatar()))
    clip = gltf.read(path)
    assert clip.names == ("jawOpen", "mouthSmileLeft")
    assert clip.times.tolist() == [0, 0.5]
    assert clip.column("jawOpen").tolist() == [np.float32(0.1), np.float32(0.4)]
    assert clip.extra["viseme_aa"].tolist() == pytest.approx([0.2, 0.5])
    assert "meshes differ in jawOpen: the first taken" in clip.meta.conventions
    assert any("STEP" in each for each in clip.meta.conventions)
    teeth = gltf.read(path, mesh="Teeth")
    assert teeth.column("jawOpen").tolist() == [np.float32(0.2), 1.0]
    with pytest.raises(BadInput, match="'Teeth'"):
        gltf.read(path, mesh="Teth")
    with pytest.raises(BadInput, match="no animation 'walk'"):
        gltf.read(path, animation="walk")


def test_buffers_beside_the_file_only(tmp_path):
    (tmp_path / "in").mkdir()
    held = avatar()
    data = base64.b64decode(held["buffers"][0]["uri"].split(",")[1])
    (tmp_path / "in" / "a b.bin").write_bytes(data)
    (tmp_path / "out.bin").write_bytes(data)
    path = tmp_path / "in" / "a.gltf"
    path.write_text(json.dumps(avatar(buffers=[{"uri": "a%20b.bin"}])))
    assert len(gltf.read(path)) == 2
    for uri in ("../out.bin", str(tmp_path / "out.bin"), "file:///etc/hostname", "no.bin", "a\0"):
        path.write_text(json.dumps(avatar(buffers=[{"uri": uri}])))
        with pytest.raises(BadInput, match="a file beside this one"):
            gltf.read(path)


JUNK = st.sampled_from(
    [None, True, -1, 99, 1e30, "x", [], {}, [1], {"a": 1}, 2**70, 0, "0", ["jawOpen"] * 3]
)


def places(node, path=()):
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


@settings(FEW, max_examples=200)
@given(data=st.data())
def test_a_broken_document_is_refused_in_words(tmp_path, data):
    held = avatar()
    path = data.draw(st.sampled_from(sorted(places(held), key=str)))
    inner = held
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = data.draw(JUNK)
    (tmp_path / "a.gltf").write_text(json.dumps(held))
    try:
        gltf.read(tmp_path / "a.gltf")
    except SemanticFaceError as fault:
        assert "a.gltf" in str(fault)


@settings(FEW, max_examples=100)
@given(at=st.integers(0, 3000), put=st.binary(max_size=4), cut=st.booleans())
def test_a_damaged_glb_is_refused_or_read(tmp_path, at, put, cut):
    gltf.write(clip_of(2), tmp_path / "a.glb")
    whole = (tmp_path / "a.glb").read_bytes()
    (tmp_path / "a.glb").write_bytes(whole[:at] + put + (b"" if cut else whole[at + len(put) :]))
    try:
        gltf.read(tmp_path / "a.glb")
    except SemanticFaceError as fault:
        assert "a.glb" in str(fault)


# -- Blender ------------------------------------------------------------------


class Block:
    """A shape key that remembers its keyframes."""

    def __init__(self, name):
        self.name, self.value, self.keys = name, 0.0, {}
        self.slider_min, self.slider_max = 0.0, 1.0

    def keyframe_insert(self, path, frame):
        assert path == "value"
        assert self.slider_min <= self.value <= self.slider_max  # Blender clamps to these
        self.keys[frame] = self.value


def run_in_blender(path, labels, monkeypatch, name=None):
    blocks = [Block(label) for label in labels]
    head = types.SimpleNamespace(
        data=types.SimpleNamespace(shape_keys=types.SimpleNamespace(key_blocks=blocks))
    )
    edit = types.SimpleNamespace(keyframe_new_interpolation_type="BEZIER")
    scene = types.SimpleNamespace(render=types.SimpleNamespace(fps=24, fps_base=1.0))
    bpy = types.ModuleType("bpy")
    bpy.data = types.SimpleNamespace(objects={name: head})
    bpy.context = types.SimpleNamespace(
        active_object=head, scene=scene, preferences=types.SimpleNamespace(edit=edit)
    )
    monkeypatch.setitem(sys.modules, "bpy", bpy)
    runpy.run_path(str(path), run_name="__main__")
    assert edit.keyframe_new_interpolation_type == "BEZIER"
    return {block.name: block for block in blocks}, scene


@pytest.mark.parametrize("labels", [SHAPES, tuple(f"{n[0].upper()}{n[1:]}" for n in SHAPES)])
def test_blender_keys_are_the_clip(tmp_path, monkeypatch, labels):
    values = clip_of(4, lost=[2]).values.copy()
    values[0, INDEX["jawOpen"]] = 1.25
    values[1, INDEX["browInnerUp"]] = np.nan
    clip = FaceClip.of(values, [7.0, 7.5, 7.75, 8.0])
    notes = blender.write(clip, tmp_path / "a.py", fps=30, object_name="Head's")
    blocks, scene = run_in_blender(tmp_path / "a.py", labels, monkeypatch, name="Head's")
    for label, name in zip(labels, SHAPES, strict=True):
        expected = {
            1 + (t - 7) * 30: v
            for t, v in zip(clip.times, clip.column(name), strict=True)
            if not np.isnan(v)
        }
        got = {frame: np.float32(value) for frame, value in blocks[label].keys.items()}
        assert got == pytest.approx(expected, abs=0)
    assert (scene.render.fps, scene.frame_start, scene.frame_end) == (30, 1, 31)
    assert any("headYaw" in note for note in notes) and any("start" in note for note in notes)


def test_blender_names_what_it_does_not_find(tmp_path, monkeypatch, capsys):
    blender.write(clip_of().select("jawOpen", "eyeBlinkLeft"), tmp_path / "a.py")
    blocks, _ = run_in_blender(tmp_path / "a.py", ["eyeBlink_L", "Basis"], monkeypatch)
    assert len(blocks["eyeBlink_L"].keys) == 3 and not blocks["Basis"].keys
    assert "no shape key for: jawOpen" in capsys.readouterr().out


# -- Unity --------------------------------------------------------------------


def test_unity_curves_are_the_clip_times_100(tmp_path):
    clip = clip_of(3, lost=[1])
    notes = unity_anim.write(clip, tmp_path / "a.anim", mesh_path="Head/Mesh", case="pascal")
    text = (tmp_path / "a.anim").read_text()
    held = yaml.safe_load(text.split("&7400000\n")[1])["AnimationClip"]
    curves = {each["attribute"]: each for each in held["m_FloatCurves"]}
    assert len(curves) == 52 and curves["blendShape.JawOpen"]["path"] == "Head/Mesh"
    keys = curves["blendShape.JawOpen"]["curve"]["m_Curve"]
    assert [key["time"] for key in keys] == [0, 2 / 64]
    expected = [float(clip.column("jawOpen")[i]) * 100 for i in (0, 2)]
    assert [key["value"] for key in keys] == pytest.approx(expected, rel=1e-6)
    assert "multiplied by 100" in notes[0]
    with pytest.raises(BadInput, match="plain name"):
        unity_anim.write(clip, tmp_path / "a.anim", name="a: b\nc")


# -- Azure --------------------------------------------------------------------


@FEW
@given(clip=clips((*SHAPES, "headRoll"), step=1 / 60), most=st.integers(1, 40))
def test_azure_keeps_the_motion(tmp_path, clip, most):
    azure.write(clip, tmp_path / "a.jsonl", frames_per_event=most)
    again = azure.read(tmp_path / "a.jsonl")
    assert np.array_equal(again.values, clip.values, equal_nan=True)
    np.testing.assert_allclose(again.times, clip.times, atol=1e-12)


def test_azure_events_in_their_own_shape(tmp_path):
    frame = [i / 100 for i in range(55)]
    events = [
        {"FrameIndex": 0, "BlendShapes": [frame, frame]},
        {"FrameIndex": 60, "BlendShapes": [frame]},
    ]
    for name, text in (
        ("a.json", json.dumps(events)),
        ("a.jsonl", "\n".join(json.dumps(each) for each in events)),
    ):
        (tmp_path / name).write_text(text)
        clip = azure.read(tmp_path / name)
        assert clip.times.tolist() == [0, 1 / 60, 1]
        assert clip.column("jawOpen")[0] == np.float32(0.17)
        assert clip.column("headRoll")[0] == np.float32(0.52)
        assert clip.absent == tuple(
            f"{part}{axis}" for part in ("head", "leftEye", "rightEye") for axis in ("Yaw", "Pitch")
        )


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ({"FrameIndex": 0, "BlendShapes": []}, "row 2: found FrameIndex 0 after frame 0"),
        ({"FrameIndex": 1.5, "BlendShapes": []}, "row 2, column FrameIndex: found 1.5"),
        ({"FrameIndex": 1, "BlendShapes": [[0] * 54]}, "row 2: found 54 numbers"),
        ({"FrameIndex": 1, "BlendShapes": [[0] * 54 + ["x"]]}, 'column rightEyeRoll: found "x"'),
        ({"FrameIndex": 1}, "row 2"),
        ([], "row 2"),
    ],
)
def test_azure_faults_name_the_row(tmp_path, second, words):
    first = {"FrameIndex": 0, "BlendShapes": [[0] * 55]}
    (tmp_path / "a.jsonl").write_text(f"{json.dumps(first)}\n{json.dumps(second)}\n")
    with pytest.raises(BadInput) as fault:
        azure.read(tmp_path / "a.jsonl")
    assert words in str(fault.value)


def test_azure_wants_sixty_frames(tmp_path):
    with pytest.raises(BadInput, match="Resample"):
        azure.write(FaceClip.of(np.zeros((3, COUNT)), rate=120), tmp_path / "a.jsonl")
    notes = " ".join(
        azure.write(FaceClip.of(np.zeros((3, COUNT)), [9, 9.018, 9.03]), tmp_path / "a.jsonl")
    )
    assert "1 sixtieths of a second have no frame" not in notes
    sparse = " ".join(azure.write(FaceClip.of(np.zeros((3, COUNT)), rate=30), tmp_path / "b.jsonl"))
    assert "2 sixtieths of a second have no frame" in sparse
    assert "times moved" in notes and "start at 9" in notes and "headYaw" in notes


# -- refused ------------------------------------------------------------------


def test_bvh_is_refused_with_the_reason():
    assert "blendshape" in REFUSED[".bvh"]
    with pytest.raises(BadInput, match="no place for blendshape weights"):
        refuse("take.BVH")
    refuse("take.csv")
