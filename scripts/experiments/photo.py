"""A real photograph, far from what the small model learnt: what it says beside MediaPipe.

    python scripts/experiments/photo.py PHOTO --box X Y SIDE --tracker .tracker [--out FILE.png]

PHOTO is any picture; the figures in docs/nano.md are for scikit-image's `astronaut.png` (NASA,
public domain) with the box 147 58 150. Nobody knows the photograph's coefficients, so this
shows agreement with a tracker and not truth: Pearson's r over the 51 shapes of one face.
Nothing is drawn at random, so there is no seed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from nano_build.report import read
from nano_build.scoring import tracked
from PIL import Image
from rich.console import Console

from semanticface.render.picture import Renderer
from semanticface.rig import BLENDSHAPES
from semanticface.train.nano import PIXELS
from semanticface.train.nano_view import face_camera
from semanticface.train.places import small_run
from semanticface.train.predictor import opened


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("photo", type=Path)
    parser.add_argument("--box", type=int, nargs=3, default=(147, 58, 150))
    parser.add_argument("--tracker", type=Path, required=True)
    parser.add_argument("--run", type=Path, help="the packaged model unless given")
    parser.add_argument("--out", type=Path, help="crop and predicted face side by side")
    options = parser.parse_args()
    photo = Image.open(options.photo).convert("RGB")
    x, y, side = options.box
    face = photo.resize((PIXELS, PIXELS), Image.Resampling.LANCZOS, (x, y, x + side, y + side))
    told = read(opened(options.run or small_run()), np.asarray(face)[None])
    seen = tracked(options.tracker, np.asarray(photo)[None])[0]
    _tell(told.decoded[0], told.one_pass[0], seen)
    if options.out:
        _draw(face, told.one_pass[0], seen, options.out)


def _tell(decoded: np.ndarray, once: np.ndarray, seen: np.ndarray) -> None:
    console = Console(width=90)
    for each in BLENDSHAPES:
        i = each.index
        if max(decoded[i], once[i], np.nan_to_num(seen[i])) >= 0.1:
            console.print(f"{each.name:22} decoded {decoded[i]:.2f}  one pass {once[i]:.2f}  "
                          f"MediaPipe {seen[i]:.2f}")  # fmt: skip
    known = ~np.isnan(seen)
    for name, told in (("decoded", decoded), ("one pass", once)):
        r = np.corrcoef(told[known], seen[known])[0, 1]
        off = np.abs(told - seen)[known].mean()
        console.print(f"{name}: r with MediaPipe over {known.sum()} shapes {r:.2f}, "
                      f"mean difference {off:.3f}")  # fmt: skip


def _draw(face: Image.Image, told: np.ndarray, seen: np.ndarray, out: Path) -> None:
    size = 2 * PIXELS
    renderer = Renderer(view=face_camera(size), size=size)
    drawn = [renderer.render(np.nan_to_num(each)) for each in (told, seen)]
    Image.fromarray(np.concatenate([np.asarray(face.resize((size, size))), *drawn], 1)).save(out)


if __name__ == "__main__":
    main()
