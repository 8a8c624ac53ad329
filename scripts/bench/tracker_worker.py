"""Run MediaPipe's Face Landmarker on pictures; started by tracker_loop.py.

    TRACKER/bin/python tracker_worker.py MODEL PICTURES.npy SCORES.npz

Pictures are uint8 [N, H, W, 3] sRGB, each read on its own (no smoothing over time).
Scores: `names` [52], `scores` [N, 52] float32 with NaN rows where no face was found.
Runs in the tracker's environment, so it imports nothing of this project.
"""

from __future__ import annotations

import sys

import mediapipe as mp
import numpy as np


def landmarker(model: str) -> object:
    options = mp.tasks.vision.FaceLandmarkerOptions(
        base_options=mp.tasks.BaseOptions(model_asset_path=model),
        running_mode=mp.tasks.vision.RunningMode.IMAGE,
        output_face_blendshapes=True,
        num_faces=1,
    )
    return mp.tasks.vision.FaceLandmarker.create_from_options(options)


def main(model: str, pictures: str, out: str) -> None:
    names: list[str] = []
    rows: list[list[float] | None] = []
    with landmarker(model) as reader:
        for picture in np.load(pictures, mmap_mode="r"):
            image = mp.Image(mp.ImageFormat.SRGB, np.ascontiguousarray(picture))
            faces = reader.detect(image).face_blendshapes
            names = names or ([each.category_name for each in faces[0]] if faces else [])
            rows.append([each.score for each in faces[0]] if faces else None)
    lost = [np.nan] * max(len(names), 1)
    scores = np.array([lost if row is None else row for row in rows], np.float32)
    np.savez(out, names=np.array(names, dtype=str), scores=scores)


if __name__ == "__main__":
    main(*sys.argv[1:])
