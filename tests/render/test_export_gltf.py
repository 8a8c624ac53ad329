"""GLB: the file says what the head does, number for number."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest

from semanticface import formats
from semanticface.motion.rehearsal import perform
from semanticface.render.export_gltf import JOINTS, export
from semanticface.render.head import load_head, pose
from semanticface.rig import BLENDSHAPES, COUNT, INDEX, FaceClip

pytest.importorskip("pygltflib")

_KIND = {5121: "<u1", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDE = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}


class Glb:
    """A reader of its own, so that the writer is not checked by itself."""

    def __init__(self, path):
        raw = path.read_bytes()
        length = struct.unpack_from("<I", raw, 12)[0]
        self.root = json.loads(raw[20 : 20 + length])
        self.blob = raw[28 + length :]
        assert struct.unpack_from("<I", raw, 8)[0] == len(raw)

    def view(self, index, kind, count):
        view = self.root["bufferViews"][index]
        assert view["byteOffset"] % 4 == 0
        return np.frombuffer(self.blob, kind, count, view["byteOffset"])

    def array(self, index):
        accessor = self.root["accessors"][index]
        wide, count = _WIDE[accessor["type"]], accessor["count"]
        if "sparse" not in accessor:
            flat = self.view(accessor["bufferView"], _KIND[accessor["componentType"]], count * wide)
            return flat.reshape(count, wide)
        sparse, out = accessor["sparse"], np.zeros((count, wide), np.float32)
        where = self.view(sparse["indices"]["bufferView"],
                          _KIND[sparse["indices"]["componentType"]], sparse["count"])  # fmt: skip
        assert (np.diff(where.astype(int)) > 0).all()
        values = self.view(sparse["values"]["bufferView"], "<f4", sparse["count"] * wide)
        out[where] = values.reshape(-1, wide)
        return out


def turned(quaternion):
    x, y, z, w = quaternion
    return np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip


def played(glb, frame):
    """Vertices of the animated mesh at a key, as a viewer computes them."""
    primitive = glb.root["meshes"][0]["primitives"][0]
    points = glb.array(primitive["attributes"]["POSITION"]).astype(float)
    nodes = glb.root["nodes"]
    rotations, weights = {}, np.zeros(52)
    animation = glb.root["animations"][0]
    for channel in animation["channels"]:
        output = glb.array(animation["samplers"][channel["sampler"]]["output"])
        if channel["target"]["path"] == "weights":
            weights = output.reshape(-1, 52)[frame]
        else:
            rotations[channel["target"]["node"]] = output[frame]
    for weight, target in zip(weights, primitive["targets"], strict=True):
        if weight:
            points = points + weight * glb.array(target["POSITION"])
    joints = glb.array(primitive["attributes"]["JOINTS_0"])
    shares = glb.array(primitive["attributes"]["WEIGHTS_0"])
    world = {}
    for joint, parent in ((0, None), (1, 0), (2, 1), (3, 1)):
        own = np.eye(4)
        own[:3, :3] = turned(rotations.get(joint, (0, 0, 0, 1)))
        own[:3, 3] = nodes[joint]["translation"]
        world[joint] = own if parent is None else world[parent] @ own
    binds = glb.array(glb.root["skins"][0]["inverseBindMatrices"]).reshape(4, 4, 4)
    matrices = np.array([world[j] @ binds[j].T for j in range(4)])
    ones = np.concatenate([points, np.ones((len(points), 1))], axis=1)
    each = np.einsum("jab,vb->vja", matrices, ones)[..., :3]
    return (shares[..., None] * np.take_along_axis(each, joints[..., None].astype(int), 1)).sum(1)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("glb") / "face.glb"
    rng = np.random.default_rng(3)
    values = np.zeros((6, COUNT), np.float32)
    values[:, :52] = rng.uniform(0, 1, (6, 52)) ** 3
    values[:, INDEX["headYaw"]] = np.linspace(-0.5, 0.5, 6)
    values[:, INDEX["headPitch"]] = 0.2
    values[:, INDEX["headRoll"]] = np.linspace(0.3, 0, 6)
    values[:, INDEX["leftEyeYaw"]] = np.linspace(-0.4, 0.3, 6)
    values[:, INDEX["rightEyePitch"]] = 0.25
    clip = FaceClip.of(values, rate=30)
    return export(path, clip, identity=3), Glb(path), clip, path


def test_names_keys_and_paths(written):
    told, glb, clip, path = written
    assert list(told.targets) == [each.name for each in BLENDSHAPES]
    assert glb.root["meshes"][0]["extras"]["targetNames"] == list(told.targets)
    assert told.keys == len(clip)
    assert told.seconds == pytest.approx(clip.duration)
    assert told.animated == ("weights", *(f"{name} rotation" for name in JOINTS[1:]))
    assert told.bytes == path.stat().st_size < 6e6


def test_a_viewer_sees_what_pose_computes(written):
    _, glb, clip, _ = written
    head = load_head()
    offset = head.identity_offset(3)
    for frame in range(len(clip)):
        expected = pose(head, clip.values[frame], offset)
        assert np.abs(played(glb, frame) - expected).max() < 2e-5  # 0.02 mm


def test_bounds_and_weights_are_as_gltf_wants(written):
    _, glb, _, _ = written
    for index, accessor in enumerate(glb.root["accessors"]):
        if "min" in accessor:
            rows = glb.array(index)
            assert np.allclose(rows.min(0), accessor["min"], atol=1e-6)
            assert np.allclose(rows.max(0), accessor["max"], atol=1e-6)
    for primitive in glb.root["meshes"][0]["primitives"]:
        shares = glb.array(primitive["attributes"]["WEIGHTS_0"])
        assert np.allclose(shares.sum(1), 1, atol=1e-5)
        assert glb.array(primitive["indices"]).max() < len(shares)
        assert "min" in glb.root["accessors"][primitive["attributes"]["POSITION"]]
        normals = glb.array(primitive["attributes"]["NORMAL"])
        assert np.allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-3)


def test_the_clip_comes_back_through_the_readers(written):
    _, _, clip, path = written
    back = formats.read(path)
    assert np.allclose(back.values[:, :52], clip.values[:, :52], atol=1e-6)
    assert np.allclose(back.times, clip.times, atol=1e-6)


def test_a_head_alone_and_a_clip_with_a_lost_face(tmp_path):
    assert export(tmp_path / "head.glb").keys == 0
    source = perform()
    told = export(tmp_path / "face.glb", source)
    assert told.keys == int(source.tracked.sum())
    assert "EyeLeft rotation" in told.animated
    assert "Head rotation" not in told.animated  # it never turns
