"""Does the small model notice that there is no face? What tells best, and where to cut.

    python scripts/experiments/no_face.py CHUNK.npz ... [--run RUN] [--count 100] [--lost 0.02]
        [--photos FILE ...] [--portrait FILE --box X Y SIDE]

CHUNKs are those of `scripts/make_nano.py faces`, of people that the run was not trained on:
`pictures` [N, 112, 112, 3]. Half of the faces set each statistic's threshold, so that a share
of `lost` of them falls below it; the other half and the pictures without a face are judged by it.
Columns are shares refused, of faces and of each kind without one, and the area under the curve
(0.5: tells nothing, 1: parts them all). `plain` are faces as `semanticface render` draws them, a
look that the run has not learnt. PHOTOS are photographs without a face, of each the middle and five
squares anywhere; of a portrait 20 squares about the face's, a tenth to and fro. The last lines are
the threshold for `semanticface stream --least-confidence`, two in a hundred faces of the less sure
look, rounded down, and what it does.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter
from scipy.stats import rankdata

from semanticface.motion.expressions import sample_frames
from semanticface.render.picture import Renderer
from semanticface.serve.doubt import contradictions
from semanticface.train.one_pass import Reader
from semanticface.train.places import small_run
from semanticface.train.predictor import opened

SIDE, BATCH, PATCH = 112, 20, 14
Picture = np.ndarray
Draw = Callable[[np.random.Generator, Picture], Picture]


class Seen(NamedTuple):
    """What the model believes of some pictures, a row each."""

    values: np.ndarray
    confidence: np.ndarray
    entropy: np.ndarray
    """[N, 61] of the belief over the channel's values, in nats, as a share of the most."""


class Telling(Reader):
    """Keeps the entropies, which a read-out leaves out."""

    kept: list[list[float]] = []  # noqa: RUF012 - one reader a run of this script

    def _readout(self, logs: Any) -> Any:
        row = []
        for slot in range(len(self.task.form.channels)):
            belief = np.exp(logs[slot, self.filled.values[slot]].astype(np.float64))
            share = belief / belief.sum()
            row.append(-float((share * np.log(share + 1e-12)).sum()) / np.log(len(share)))
        self.kept.append(row)
        return super()._readout(logs)


def noise(rng: np.random.Generator, _: Picture) -> Picture:
    return rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8)


def clouds(rng: np.random.Generator, _: Picture) -> Picture:
    soft = gaussian_filter(rng.normal(size=(SIDE, SIDE, 3)), (8, 8, 0))
    return np.uint8(np.clip(128 + 60 * soft / soft.std(), 0, 255))


def flat(rng: np.random.Generator, _: Picture) -> Picture:
    return np.full((SIDE, SIDE, 3), rng.integers(0, 256, 3), np.uint8)


def gradient(rng: np.random.Generator, _: Picture) -> Picture:
    one, other = rng.integers(0, 256, (2, 3))
    part = np.linspace(0, 1, SIDE)[:, None]
    both = np.broadcast_to((one * (1 - part) + other * part)[:, None], (SIDE, SIDE, 3))
    return np.uint8(np.rot90(both, rng.integers(4)))


def shuffled(rng: np.random.Generator, face: Picture) -> Picture:
    count = SIDE // PATCH
    parts = face.reshape(count, PATCH, count, PATCH, 3).swapaxes(1, 2).reshape(-1, PATCH, PATCH, 3)
    parts = rng.permutation(parts).reshape(count, count, PATCH, PATCH, 3)
    return parts.swapaxes(1, 2).reshape(SIDE, SIDE, 3)


def background(rng: np.random.Generator, face: Picture) -> Picture:
    """A corner, as large as the whole."""
    size = SIDE // 5
    x, y = (rng.choice([0, SIDE - size]) for _ in range(2))
    corner = Image.fromarray(face).crop((x, y, x + size, y + size))
    return np.asarray(corner.resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def covered(rng: np.random.Generator, face: Picture) -> Picture:
    """An oval of one colour where the face is."""
    image = Image.fromarray(face)
    ImageDraw.Draw(image).ellipse((18, 8, SIDE - 18, SIDE - 8), tuple(rng.integers(0, 256, 3)))
    return np.asarray(image)


def upside_down(_: np.random.Generator, face: Picture) -> Picture:
    return np.ascontiguousarray(face[::-1])


KINDS: tuple[Draw, ...] = (noise, clouds, flat, gradient, shuffled, background, covered,
                           upside_down)  # fmt: skip


def plain(count: int) -> list[Picture]:
    """Faces of a look that nobody trained on."""
    renderer = Renderer(size=SIDE)
    return [
        np.asarray(renderer.render(each))[..., :3] for each in sample_frames(count, 3, coverage=0.3)
    ]


def squares(file: Path, rng: np.random.Generator, count: int = 5) -> list[Picture]:
    """The largest in the middle, and some of 40 to 90 % of it anywhere."""
    photo = Image.open(file).convert("RGB")
    (width, height), least = photo.size, min(photo.size)
    boxes = [((width - least) // 2, (height - least) // 2, least)]
    sizes = (least * rng.uniform(0.4, 0.9, count)).astype(int)
    boxes += [(rng.integers(width - size + 1), rng.integers(height - size + 1), size)
              for size in sizes]  # fmt: skip
    return [cut(photo, *map(int, box)) for box in boxes]


def portraits(
    file: Path, box: list[int], rng: np.random.Generator, count: int = 20
) -> list[Picture]:
    """The face's square, moved and scaled by up to a tenth."""
    photo, (x, y, side) = Image.open(file).convert("RGB"), box
    told = []
    for dx, dy, larger in rng.uniform(-0.1, 0.1, (count, 3)):
        size = side * (1 + larger)
        told.append(cut(photo, round(x + dx * side), round(y + dy * side), round(size)))
    return told


def cut(photo: Image.Image, x: int, y: int, size: int) -> Picture:
    box = (x, y, x + size, y + size)
    return np.asarray(photo.resize((SIDE, SIDE), Image.Resampling.LANCZOS, box))


def read(reader: Telling, pictures: list[Picture]) -> Seen:
    reader.kept.clear()
    images = [Image.fromarray(each) for each in pictures]
    found = [each for n in range(0, len(images), BATCH)
             for each in reader.readouts(images[n : n + BATCH])]  # fmt: skip
    return Seen(np.array([each.values for each in found]),
                np.array([each.confidence for each in found]), np.array(reader.kept))  # fmt: skip


def statistics(known: Seen) -> dict[str, Callable[[Seen], np.ndarray]]:
    """By name; the more, the more a face. `known` are the faces that thresholds are set by."""
    usual = known.values.mean(0)
    rows = np.concatenate([known.values, known.confidence], 1)
    centre, spread = rows.mean(0), rows.std(0) + 0.02

    def far(seen: Seen) -> np.ndarray:
        each = np.concatenate([seen.values, seen.confidence], 1)
        return -np.square((each - centre) / spread).mean(1)

    return {
        "mean confidence": lambda seen: seen.confidence.mean(1),
        "least sure tenth": lambda seen: np.quantile(seen.confidence, 0.1, axis=1),
        "entropy": lambda seen: -seen.entropy.mean(1),
        "contradictions": lambda seen: -np.array([contradictions(v) for v in seen.values], float),
        "from the mean face": lambda seen: -np.sqrt(np.square(seen.values - usual).mean(1)),
        "values and confidences": far,
    }


def auc(faces: np.ndarray, others: np.ndarray) -> float:
    """Chance that a face has more than a picture without one; ties count half."""
    ranks = rankdata(np.concatenate([faces, others]))[: len(faces)]
    return float((ranks.sum() - len(faces) * (len(faces) + 1) / 2) / len(faces) / len(others))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("chunks", type=Path, nargs="+")
    parser.add_argument("--run", default=str(small_run()))
    parser.add_argument("--count", type=int, default=100, help="faces for each half")
    parser.add_argument("--others", type=int, default=40, help="pictures of each kind without one")
    parser.add_argument("--photos", type=Path, nargs="*", default=[], help="without a face")
    parser.add_argument("--portrait", type=Path, help="a photograph of a face")
    parser.add_argument("--box", type=int, nargs=3, default=[147, 58, 150])
    parser.add_argument("--lost", type=float, default=0.02, help="share of faces to refuse")
    options = parser.parse_args()
    pool = np.concatenate([np.load(each)["pictures"] for each in options.chunks])
    chosen = list(pool[np.linspace(0, len(pool) - 1, 2 * options.count).astype(int)])
    model = opened(options.run, answer="slots")
    reader = Telling.of(model.model, model.processor, model.task)
    known, faces = (read(reader, chosen[n * options.count :][: options.count]) for n in (0, 1))
    rng = np.random.default_rng(0)
    others = {kind.__name__: read(reader, [kind(rng, chosen[options.count + n])
                                           for n in range(options.others)])
              for kind in KINDS}  # fmt: skip
    for file in options.photos:
        others[file.stem] = read(reader, squares(file, rng))
    if options.portrait:
        shown = read(reader, portraits(options.portrait, options.box, rng))
        means = shown.confidence.mean(1)
        print(
            f"portrait: {len(means)} squares, mean confidence {means.min():.3f} to "
            f"{means.max():.3f}, contradictions {[contradictions(v) for v in shown.values]}"
        )
    unlike = read(reader, plain(options.others))
    print(table(known, faces, {"plain": unlike, **others}, options.lost))
    print(chosen_cut(known, faces, unlike, others, options.lost))


def table(known: Seen, faces: Seen, others: dict[str, Seen], lost: float) -> str:
    lines = ["| statistic | AUC | threshold | faces | " + " | ".join(others) + " |",
             "|---" * (4 + len(others)) + "|"]  # fmt: skip
    for name, of in statistics(known).items():
        cut, told = float(np.quantile(of(known), lost)), {k: of(each) for k, each in others.items()}
        area = auc(of(faces), np.concatenate([v for k, v in told.items() if k != "plain"]))
        shares = [float((each < cut).mean()) for each in (of(faces), *told.values())]
        lines.append(f"| {name} | {area:.2f} | {cut:.3g} | "
                     + " | ".join(f"{each:.0%}" for each in shares) + " |")  # fmt: skip
    means = {"faces": faces, **others}
    lines.append("mean confidence: " + ", ".join(f"{k} {each.confidence.mean():.3f}"
                                                 for k, each in means.items()))  # fmt: skip
    return "\n".join(lines)


def chosen_cut(known: Seen, faces: Seen, unlike: Seen, others: dict[str, Seen], lost: float) -> str:
    least = min(np.quantile(each.confidence.mean(1), lost) for each in (known, unlike))
    cut = np.floor(least * 20 + 1e-9) / 20
    shares = {k: float((each.confidence.mean(1) < cut).mean())
              for k, each in {"faces": faces, "plain": unlike, **others}.items()}  # fmt: skip
    told = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
    return f"--least-confidence {cut:.2f} (2% quantile {least:.3f}) refuses: {told}"


if __name__ == "__main__":
    main()
