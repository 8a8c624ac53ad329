"""The user's own rigs, written here from a piece of the shipped head."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from head_mesh import face

from semanticface.errors import BadInput
from semanticface.render.head import ASSET, PARTS, load_head, pose
from semanticface.render.rigs import load_rig
from semanticface.rig import BLENDSHAPES, INDEX
from semanticface.rig.orders import ICT_FACEKIT


@dataclass
class Piece:
    """The face without back of the head, in metres."""

    points: np.ndarray
    triangles: np.ndarray
    shapes: dict[str, np.ndarray]
    eyes: np.ndarray
    """[n] bool."""


@pytest.fixture(scope="module")
def piece() -> Piece:
    head = load_head()
    near = np.linalg.norm(head.neutral - [0, -0.035, 0.01], axis=1) < 0.075
    wanted = (head.part == 0) & near | np.isin(head.part, [1, 2])
    triangles = head.triangles[wanted[head.triangles].all(1)]
    used, triangles = np.unique(triangles, return_inverse=True)
    shapes = {each.name: head.shapes[each.index][used] for each in BLENDSHAPES}
    eyes = np.isin(head.part[used], [1, 2])
    return Piece(head.neutral[used], triangles.reshape(-1, 3), shapes, eyes)


def _obj(path: Path, points: np.ndarray, triangles: np.ndarray | None = None) -> None:
    lines = ["# test"] + [f"v {x:.7g} {y:.7g} {z:.7g}" for x, y, z in points]
    if triangles is not None:
        lines += [f"f {a}/1/1 {b}/1/1 {c}/1/1" for a, b, c in triangles + 1]
    path.write_text("\n".join(lines) + "\n")


def _ict_folder(folder: Path, piece: Piece) -> None:
    """As ICT-FaceKit ships it: centimetres, away from the origin, halves, no tongue."""
    place = np.array([0.4, 2.0, -1.0])
    points = piece.points * 100 + place
    _obj(folder / "generic_neutral_mesh.obj", points, piece.triangles)
    for label, index in zip(ICT_FACEKIT.labels, ICT_FACEKIT.channels, strict=True):
        name = BLENDSHAPES[index].name
        offset = piece.shapes[name] * 100
        if name in ("browInnerUp", "cheekPuff"):
            share = np.clip(0.5 + piece.points[:, 0] / 0.01, 0, 1)
            offset = offset * (share if label.endswith("_L") else 1 - share)[:, None]
        _obj(folder / f"{label}.obj", points + offset)


def test_an_ict_folder_loads_with_halves_summed_and_the_tongue_missing(tmp_path, piece):
    _ict_folder(tmp_path, piece)
    head, report = load_rig(tmp_path)
    assert report.missing == ("tongueOut",) and len(report.has) == 51
    assert report.summed == {
        "browInnerUp": ("browInnerUp_L", "browInnerUp_R"),
        "cheekPuff": ("cheekPuff_L", "cheekPuff_R"),
    }
    assert report.scale == 0.01 and report.unknown == () and report.warnings == ()
    assert report.eyeballs == "turned in code"
    assert not head.has[INDEX["tongueOut"]] and head.has.sum() == 51
    for each in BLENDSHAPES[:-1]:
        assert np.abs(head.shapes[each.index] - piece.shapes[each.name]).max() < 1e-6, each.name
    assert np.abs(head.neutral - piece.points).max() < 0.0015  # the origin is between the eyes


def test_eyeballs_of_a_rig_turn_in_code(tmp_path, piece):
    _ict_folder(tmp_path, piece)
    head, _ = load_rig(tmp_path)
    truth = load_head()
    for eye, own in zip(head.eyes, truth.eyes, strict=True):
        assert len(eye.vertices) == len(own.vertices)
        assert np.abs(eye.centre - own.centre).max() < 0.0015
        assert eye.radius == pytest.approx(own.radius, rel=0.05)
    iris = (head.paint["iris"] > 0) & (head.part == PARTS.index("eye_left"))
    moved = pose(head, face(eyeLookOutLeft=1)) - head.neutral
    assert moved[iris, 0].mean() > 0.004
    assert np.abs(moved[head.part == PARTS.index("eye_right")]).max() == 0


def test_a_count_that_differs_names_the_file(tmp_path, piece):
    _obj(tmp_path / "neutral.obj", piece.points, piece.triangles)
    _obj(tmp_path / "jawOpen.obj", piece.points[:-3])
    with pytest.raises(BadInput, match=r"jawOpen\.obj.*as in neutral\.obj"):
        load_rig(tmp_path)


def test_names_not_understood_are_listed_with_the_nearest(tmp_path, piece):
    _obj(tmp_path / "neutral.obj", piece.points, piece.triangles)
    for name in ("jawOpen", "jawOpenn", "sneeze", "mouthClose"):
        offset = piece.shapes["jawOpen"] if name != "mouthClose" else 0
        _obj(tmp_path / f"{name}.obj", piece.points + offset)
    _, report = load_rig(tmp_path)
    assert report.unknown == ("jawOpenn", "sneeze")
    text = "\n".join(report.lines())
    assert "not understood: jawOpenn. Did you mean 'jawOpen'?" in text
    assert "mouthClose is there but moves nothing" in text
    assert "channels: 1 of 52" in text
    assert "the eyes' place is guessed" in text


def test_folders_that_are_no_rig_are_refused(tmp_path, piece):
    with pytest.raises(BadInput, match=r"no \.obj file"):
        load_rig(tmp_path)
    _obj(tmp_path / "jawOpen.obj", piece.points, piece.triangles)
    with pytest.raises(BadInput, match="none as the neutral face"):
        load_rig(tmp_path)
    _obj(tmp_path / "neutral.obj", piece.points, piece.triangles)
    _obj(tmp_path / "JawOpen_.obj", piece.points)
    with pytest.raises(BadInput, match="one shape a channel"):
        load_rig(tmp_path)
    with pytest.raises(BadInput, match="no such file"):
        load_rig(tmp_path / "absent")


@pytest.mark.parametrize(
    ("text", "message"),
    [("v 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "row 1"),
     ("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n", "row 4"), ("v 0 0 x\n", "three numbers"),
     ("hello\n", "no vertices"),
     ("v 0 0 0\nv 1 0 0\nv 0 1 0\n", "without polygons")],
)  # fmt: skip
def test_broken_obj_files_name_their_row(tmp_path, text, message):
    (tmp_path / "neutral.obj").write_text(text)
    with pytest.raises(BadInput, match=message):
        load_rig(tmp_path)


def test_a_size_that_is_no_head_asks_for_the_unit(tmp_path, piece):
    _obj(tmp_path / "neutral.obj", piece.points * 50000, piece.triangles)
    _obj(tmp_path / "jawOpen.obj", (piece.points + piece.shapes["jawOpen"]) * 50000)
    with pytest.raises(BadInput, match="metres_per_unit"):
        load_rig(tmp_path)
    head, report = load_rig(tmp_path, metres_per_unit=1 / 50000)
    assert report.scale == 1 / 50000
    assert np.abs(head.shapes[INDEX["jawOpen"]] - piece.shapes["jawOpen"]).max() < 1e-5


def test_identity_shapes_of_a_folder_become_identity(tmp_path, piece):
    _obj(tmp_path / "neutral.obj", piece.points, piece.triangles)
    _obj(tmp_path / "jawOpen.obj", piece.points + piece.shapes["jawOpen"])
    for number in range(3):
        _obj(tmp_path / f"identity{number:03d}.obj", piece.points * (1 + 0.01 * (number + 1)))
    head, report = load_rig(tmp_path)
    assert head.identity.shape == (3, len(piece.points), 3) and report.unknown == ()
    assert head.identity_offset([0, 1]).shape == head.neutral.shape


def _glb(path: Path, piece: Piece, *, names: list[str], eyes_move: bool = False) -> None:
    """Face and eyeballs as two meshes below a node that is moved and scaled; sparse targets."""
    library = pytest.importorskip("pygltflib")
    blob = bytearray()
    document = library.GLTF2(asset=library.Asset(version="2.0"))

    def view(array: np.ndarray) -> int:
        data = array.tobytes()
        document.bufferViews.append(
            library.BufferView(buffer=0, byteOffset=len(blob), byteLength=len(data))
        )
        blob.extend(data + b"\0" * (-len(data) % 4))
        return len(document.bufferViews) - 1

    def accessor(array: np.ndarray, kind: str, component: int) -> int:
        document.accessors.append(
            library.Accessor(
                bufferView=view(array), componentType=component, count=len(array), type=kind
            )
        )
        return len(document.accessors) - 1

    def sparse(array: np.ndarray) -> int:
        moved = np.flatnonzero(np.abs(array).max(1) > 0).astype(np.uint32)
        document.accessors.append(library.Accessor(
            componentType=5126, count=len(array), type="VEC3",
            sparse=library.Sparse(
                count=len(moved),
                indices=library.AccessorSparseIndices(bufferView=view(moved), componentType=5125),
                values=library.AccessorSparseValues(bufferView=view(array[moved])),
            ) if len(moved) else None,
        ))  # fmt: skip
        return len(document.accessors) - 1

    for label, mask in (("Face", ~piece.eyes), ("Eyes", piece.eyes)):
        number = np.cumsum(mask) - 1
        own = number[piece.triangles[mask[piece.triangles].all(1)]]
        points = (piece.points[mask] / 2).astype(np.float32)
        targets = []
        for name in names:
            offset = (piece.shapes[name][mask] / 2).astype(np.float32)
            if label == "Eyes" and eyes_move and name.startswith("eyeLookOut"):
                offset = offset + np.float32(0.002)
            targets.append({"POSITION": sparse(offset)})
        primitive = library.Primitive(
            attributes=library.Attributes(POSITION=accessor(points, "VEC3", 5126)),
            indices=accessor(own.astype(np.uint16).ravel(), "SCALAR", 5123),
            targets=targets,
        )
        mesh = library.Mesh(name=label, primitives=[primitive], extras={"targetNames": names})
        document.meshes.append(mesh)
        document.nodes.append(library.Node(mesh=len(document.meshes) - 1))
    document.nodes.append(
        library.Node(children=[0, 1], scale=[2, 2, 2], translation=[0.1, 1.6, 0.2])
    )
    document.scenes.append(library.Scene(nodes=[2]))
    document.scene = 0
    document.buffers.append(library.Buffer(byteLength=len(blob)))
    document.set_binary_blob(bytes(blob))
    document.save_binary(str(path))


def test_a_glb_loads_with_its_nodes_placed_and_sparse_targets_filled(tmp_path, piece):
    names = [each.name for each in BLENDSHAPES]
    _glb(tmp_path / "rig.glb", piece, names=names)
    head, report = load_rig(tmp_path / "rig.glb")
    # the piece has no tongue, so its target is there but moves nothing
    assert report.missing == ("tongueOut",) and report.scale == 1.0
    assert report.warnings == ("tongueOut is there but moves nothing",)
    assert report.eyeballs == "turned in code"
    order = np.r_[np.flatnonzero(~piece.eyes), np.flatnonzero(piece.eyes)]
    assert np.abs(head.shapes[INDEX["jawOpen"]] - piece.shapes["jawOpen"][order]).max() < 1e-6
    assert np.abs(head.neutral - piece.points[order]).max() < 0.0015
    assert np.isfinite(pose(head, face(jawOpen=1, eyeLookInLeft=1, headYaw=0.3))).all()


def test_a_glb_whose_shapes_move_the_eyes_is_not_turned_twice(tmp_path, piece):
    names = ["eyeBlinkLeft", "eyeBlinkRight", "eyeLookOutLeft", "wiggle"]
    piece.shapes["wiggle"] = piece.shapes["jawOpen"]
    _glb(tmp_path / "rig.glb", piece, names=names, eyes_move=True)
    del piece.shapes["wiggle"]
    head, report = load_rig(tmp_path / "rig.glb")
    assert report.eyeballs == "moved by the rig's own shapes"
    assert report.unknown == ("wiggle",)
    moved = pose(head, face(eyeLookOutLeft=1)) - head.neutral
    assert np.abs(moved - head.shapes[INDEX["eyeLookOutLeft"]]).max() < 1e-6


def test_files_that_are_no_rig_are_refused(tmp_path):
    pytest.importorskip("pygltflib")
    for content in (b"glTF nonsense", b"", b"glT", b"x" * 40):
        (tmp_path / "broken.glb").write_bytes(content)
        with pytest.raises(BadInput, match="does not open"):
            load_rig(tmp_path / "broken.glb")
    (tmp_path / "face.fbx").write_bytes(b"")
    with pytest.raises(BadInput, match=r"face\.fbx"):
        load_rig(tmp_path / "face.fbx")


def test_the_shipped_npz_is_a_rig_too(tmp_path):
    copy = tmp_path / "mine.npz"
    copy.write_bytes(ASSET.read_bytes())
    head, report = load_rig(copy)
    assert head.name == "mine" and report.missing == () and report.eyeballs == "turned in code"
    assert report.lines()[0].startswith("mine.npz: ")
