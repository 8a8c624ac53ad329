"""MediaPipe's Face Landmarker as a process that reads pictures and tells scores.

    TRACKER/bin/python mediapipe_worker.py face_landmarker.task < pictures > scores

Runs by itself in the tracker's environment, so it imports nothing of this project.

Pictures come in blocks on standard input, each a `BLOCK` header (count, height,
width) and count x height x width x 3 bytes sRGB; the end of input ends the process.
Each block is answered on standard output by a `REPLY` header (count, columns, bytes
of names), the names as a JSON list, and count x columns float32, NaN in the row of a
picture without a face. Until a first face is found there are no columns. All
integers and floats are little-endian. Every picture is read on its own.
"""

from __future__ import annotations

import importlib
import json
import os
import struct
import sys
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

BLOCK = struct.Struct("<4sIII")
REPLY = struct.Struct("<4sIII")
BLOCK_MARK, REPLY_MARK = b"FACE", b"SCOR"


def main(model: str) -> None:
    """Answer blocks until the input ends."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not get between the scores
    mp = importlib.import_module("mediapipe")
    names: list[str] = []
    with _landmarker(mp, model) as reader:
        while (pictures := read_block(sys.stdin.buffer)) is not None:
            rows = [_scores(mp, reader, picture, names) for picture in pictures]
            write_reply(out, names, rows)


def read_block(stream: IO[bytes]) -> NDArray[np.uint8] | None:
    """Pictures [N, H, W, 3]; None at the end of the input."""
    head = stream.read(BLOCK.size)
    if not head:
        return None
    mark, count, height, width = BLOCK.unpack(head)
    data = stream.read(count * height * width * 3)
    if mark != BLOCK_MARK or len(data) != count * height * width * 3:
        raise ValueError("a block of pictures that breaks off")
    return np.frombuffer(data, np.uint8).reshape(count, height, width, 3)


def write_reply(stream: IO[bytes], names: list[str], rows: list[list[float] | None]) -> None:
    """The scores of one block."""
    told = json.dumps(names).encode()
    lost = [float("nan")] * len(names)
    scores = np.array([lost if row is None else row for row in rows], "<f4")
    stream.write(REPLY.pack(REPLY_MARK, len(rows), len(names), len(told)) + told)
    stream.write(scores.tobytes())
    stream.flush()


def _landmarker(mp: Any, model: str) -> Any:
    options = mp.tasks.vision.FaceLandmarkerOptions(
        base_options=mp.tasks.BaseOptions(model_asset_path=model),
        running_mode=mp.tasks.vision.RunningMode.IMAGE,
        output_face_blendshapes=True,
        num_faces=1,
    )
    return mp.tasks.vision.FaceLandmarker.create_from_options(options)


def _scores(
    mp: Any, reader: Any, picture: NDArray[np.uint8], names: list[str]
) -> list[float] | None:
    """Scores of the one face of a picture; the first face found fills the names."""
    image = mp.Image(mp.ImageFormat.SRGB, np.ascontiguousarray(picture))
    faces = reader.detect(image).face_blendshapes
    if not faces:
        return None
    if not names:
        names += [str(each.category_name) for each in faces[0]]
    return [float(each.score) for each in faces[0]]


if __name__ == "__main__":
    main(sys.argv[1])
