"""The face finder's asset, from MediaPipe's own wheel and from renders.

    .tracker/bin/python scripts/build_blazeface.py weights   # scripts/install_tracker.sh makes it
    .venv/bin/python scripts/build_blazeface.py frame        # after weights; two minutes

`weights` reads the network that MediaPipe 0.10.21 carries
(modules/face_detection/face_detection_short_range.tflite, Apache-2.0, float16) and writes it
under names of our own: `assets/blazeface/weights.npz`. `frame` draws training people far and
near, finds their faces, and fits where the six points say that `nano_view.face_camera` would
cut: `assets/blazeface/frame.json`. Everything is seeded; the same inputs give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np

ASSET = Path(__file__).resolve().parents[1] / "semanticface" / "train" / "assets" / "blazeface"
MODEL = "modules/face_detection/face_detection_short_range.tflite"
SHA256 = "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8"
_CONV, _DEPTHWISE, _DEQUANTIZE = 3, 4, 6
_FLOAT16 = 1
_FACES, _SEED, _SIZE = 400, 20261122, 288
_NEAREST, _FARTHEST = 0.85, 4.0
_ALMOST = 1e-3
"""Ridge: six points have twelve coordinates, four of which their middle and size fix."""


class Table:
    """A table of a FlatBuffers file, its fields by number as TFLite's schema counts them."""

    def __init__(self, data: bytearray, at: int) -> None:
        self._table = importlib.import_module("flatbuffers.table").Table(data, at)

    def _field(self, number: int) -> int:
        return int(self._table.Offset(4 + 2 * number))

    def tables(self, number: int) -> list[Table]:
        at = self._field(number)
        first = self._table.Vector(at)
        return [Table(self._table.Bytes, self._table.Indirect(first + 4 * i))
                for i in range(self._table.VectorLen(at))]  # fmt: skip

    def array(self, number: int, dtype: Any) -> np.ndarray:
        at = self._field(number)
        if not at:
            return np.zeros(0, dtype)
        count, size = self._table.VectorLen(at), np.dtype(dtype).itemsize
        first = self._table.Vector(at)
        return np.frombuffer(bytes(self._table.Bytes[first : first + count * size]), dtype)

    def number(self, number: int, kind: str) -> int:
        kinds = importlib.import_module("flatbuffers.number_types")
        at = self._field(number)
        return int(self._table.Get(getattr(kinds, kind), at + self._table.Pos)) if at else 0


def weights() -> None:
    mediapipe = Path(str(importlib.import_module("mediapipe").__file__)).parent
    data = bytearray((mediapipe / MODEL).read_bytes())
    found = hashlib.sha256(data).hexdigest()
    if found != SHA256:
        raise SystemExit(f"{MODEL} has sha256 {found}, expected {SHA256}: MediaPipe 0.10.21's")
    model = Table(data, int.from_bytes(data[:4], "little"))
    ASSET.mkdir(parents=True, exist_ok=True)
    np.savez(ASSET / "weights.npz", **_named(_layers(model)))


def _layers(model: Table) -> list[tuple[np.ndarray, np.ndarray]]:
    """Kernel and bias of each convolution, in the order in which they are run."""
    codes = [max(each.number(0, "Int8Flags"), each.number(3, "Int32Flags"))
             for each in model.tables(1)]  # fmt: skip
    graph, buffers = model.tables(2)[0], model.tables(4)
    tensors, operators = graph.tables(0), graph.tables(3)

    def kind(operator: Table) -> int:
        return codes[operator.number(0, "Uint32Flags")]

    stored = {int(each.array(2, np.int32)[0]): int(each.array(1, np.int32)[0])
              for each in operators if kind(each) == _DEQUANTIZE}  # fmt: skip

    def held(number: int) -> np.ndarray:
        tensor = tensors[stored[number]]
        assert tensor.number(1, "Int8Flags") == _FLOAT16
        flat = buffers[tensor.number(2, "Uint32Flags")].array(0, np.uint8).view(np.float16)
        return flat.reshape(tensor.array(0, np.int32))

    convolutions = [each for each in operators if kind(each) in (_CONV, _DEPTHWISE)]
    inputs = [each.array(1, np.int32).tolist() for each in convolutions]
    return [(held(kernel), held(bias)) for _, kernel, bias in inputs]


def _named(layers: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, np.ndarray]:
    """First, blocks, heads; a convolution's kernel is [out, y, x, in] and becomes [y, x, in, out]
    or, of a single cell, [in, out]."""
    made = {"first": layers[0][0].transpose(1, 2, 3, 0), "first_bias": layers[0][1]}
    for n in range(16):
        (depth, bias), (point, after) = layers[1 + 2 * n : 3 + 2 * n]
        made |= {f"depth{n}": depth[0], f"depth_bias{n}": bias}
        made |= {f"point{n}": point[:, 0, 0].T, f"point_bias{n}": after}
    heads = ("fine_score", "coarse_score", "fine_rows", "coarse_rows")
    for name, (kernel, bias) in zip(heads, layers[33:], strict=True):
        made |= {name: kernel[:, 0, 0].T, f"{name}_bias": bias}
    return {name: np.ascontiguousarray(each) for name, each in made.items()}


def frame() -> None:
    from face_finder_build.far_faces import far_faces

    from semanticface.train import blazeface, face_crop

    shown = list(far_faces("train", _FACES, _SIZE, _SEED, _NEAREST, _FARTHEST))
    # The second look is where the first one's fit says, so there are two fits.
    _write([(first[0], true) for picture, true in shown if (first := blazeface.faces(picture))])
    face_crop.frame.cache_clear()
    _write([(found, true) for picture, true in shown if (found := face_crop.face_in(picture))])


def _write(pairs: list[tuple[Any, Any]]) -> None:
    """Fit and keep where the square lies, from faces that were found and true squares."""
    from semanticface.train import face_crop

    x = np.array([face_crop.features(found) for found, _ in pairs])
    y = np.array([_wanted(face_crop.place_of(found), true) for found, true in pairs])
    fit = np.linalg.solve(x.T @ x + _ALMOST * len(x) * np.eye(x.shape[1]), x.T @ y)
    told = {"faces": len(pairs), "of": _FACES, "seed": _SEED,
            "spread": np.round((y - x @ fit).std(0) / y[:, 2].mean(), 4).tolist(),
            "frame": np.round(fit, 5).tolist()}  # fmt: skip
    (ASSET / "frame.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def _wanted(place: Any, true: Any) -> list[float]:
    """Middle and side of a square, seen from the middle of the points in units of their size."""
    x, y = true.left + true.side / 2 - place.left, true.top + true.side / 2 - place.top
    return [x / place.side, y / place.side, true.side / place.side]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=["weights", "frame"])
    {"weights": weights, "frame": frame}[parser.parse_args().what]()
