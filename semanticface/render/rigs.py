"""The user's own rig as a `Head`, and a report of what it can do.

A folder of OBJ files (a neutral and its shapes), a GLB or glTF with morph targets, or an
.npz of this project. Names may be Apple's, Unreal's, ICT-FaceKit's and the others that
`rig.orders` knows; ICT's halves of browInnerUp and cheekPuff are summed. The rig must
stand upright: +y up, the face towards +z. Units are guessed from the size and can be
given. Separate round bodies behind the lids are taken for eyeballs and turned in code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput, did_you_mean
from semanticface.render.eyeballs import find_eyeballs
from semanticface.render.head import PARTS, SHAPES, Eye, Floats, Head, load_head, turn_weights
from semanticface.render.rig_glb import read_glb
from semanticface.render.rig_obj import Doubles, RawRig, read_obj_folder
from semanticface.rig import BLENDSHAPES, INDEX
from semanticface.rig.orders import find

_IDENTITY = re.compile(r"^identity[ _-]?\d+$", re.IGNORECASE)
_SPLIT = ("browInnerUp", "cheekPuff")
_SIZES = (0.13, 0.75)
"""Plausible heights of a face, head or bust, metres."""
_UNITS = {1.0: "metres", 0.1: "decimetres", 0.01: "centimetres", 0.001: "millimetres"}
_MASKS = ("lips", "brows", "cheeks", "lids", "hair", "iris", "pupil", "sclera", "inside", "nose",
          "ears")  # fmt: skip
_STILL = 1e-5
_EYE_MOVES = 0.0008
"""A rig whose eyeLook shapes move the eyeball by more, in metres, turns its eyes itself."""


@dataclass(frozen=True)
class RigReport:
    """What a rig has, lacks, and what was not understood."""

    source: str
    has: tuple[str, ...]
    missing: tuple[str, ...]
    summed: dict[str, tuple[str, ...]]
    """Channels put together from several shapes of the rig."""
    unknown: tuple[str, ...]
    """Names of shapes that are no channel."""
    warnings: tuple[str, ...]
    scale: float
    """Metres of one unit of the file."""
    eyeballs: str
    """`turned in code`, `moved by the rig's own shapes` or `none found`."""
    vertices: int
    triangles: int

    def lines(self) -> list[str]:
        """For a person to read."""
        shown = [
            f"{self.source}: {self.vertices} vertices, {self.triangles} triangles",
            f"channels: {len(self.has)} of {SHAPES}",
            f"eyeballs: {self.eyeballs}",
        ]
        if self.missing:
            shown.append(f"missing: {', '.join(self.missing)}")
        shown += [f"{name} = {' + '.join(parts)}" for name, parts in self.summed.items()]
        for name in self.unknown:
            shown.append(f"not understood: {name}. {did_you_mean(name, INDEX)}".rstrip(". ") + ".")
        return shown + [f"warning: {each}" for each in self.warnings]


def load_rig(
    path: str | PathLike[str], *, metres_per_unit: float | None = None
) -> tuple[Head, RigReport]:
    """Read a rig. `metres_per_unit` overrides the guess from the size of the mesh."""
    place = Path(path)
    if not place.exists():
        raise BadInput(
            "no such file or folder", "a folder of OBJ, a .glb, .gltf or .npz", file=place
        )
    if place.suffix.lower() == ".npz":
        head = load_head(place)
        return head, _report_of(head, place)
    return _assembled(_raw(place), place, metres_per_unit)


def _raw(place: Path) -> RawRig:
    if place.is_dir():
        return read_obj_folder(place)
    if place.suffix.lower() in (".glb", ".gltf"):
        return read_glb(place)
    raise BadInput(f"a file '{place.name}'", "a folder of OBJ, a .glb, .gltf or .npz", file=place)


def _report_of(head: Head, place: Path) -> RigReport:
    has, missing = _present(head.has)
    turned = all(len(eye.vertices) for eye in head.eyes)
    return RigReport(place.name, has, missing, {}, (), (), 1.0,
                     "turned in code" if turned else "none found",
                     len(head.neutral), len(head.triangles))  # fmt: skip


def _present(has: NDArray[np.bool_]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    names = [each.name for each in BLENDSHAPES]
    return (tuple(name for name in names if has[INDEX[name]]),
            tuple(name for name in names if not has[INDEX[name]]))  # fmt: skip


def _assembled(raw: RawRig, place: Path, unit: float | None) -> tuple[Head, RigReport]:
    channels, unknown, people = _matched(raw, place)
    if not channels:
        raise BadInput(f"no known channel among {sorted(raw.shapes)[:6]}",
                       "shapes named like jawOpen or eyeBlink_L", file=place)  # fmt: skip
    scale = unit if unit is not None else _guess_unit(raw.neutral, place)
    shapes = np.zeros((SHAPES, *raw.neutral.shape), np.float32)
    for name, sources in channels.items():
        shapes[INDEX[name]] = sum(raw.shapes[each] for each in sources) * scale
    has = np.abs(shapes).max((1, 2)) > _STILL
    warnings = [*raw.warnings, *_warnings(channels, has)]
    neutral = (raw.neutral * scale).astype(np.float32)
    neutral, eyes, eyeballs, more = _seated(neutral, raw, shapes)
    identity = np.array([raw.shapes[name] * scale for name in people], np.float32)
    head = _head(place, raw, neutral, shapes, has, identity, eyes)
    present, missing = _present(has)
    summed = {name: sources for name, sources in channels.items() if len(sources) > 1}
    return head, RigReport(place.name, present, missing, summed, unknown, (*warnings, *more), scale,
                           eyeballs, len(neutral), len(raw.triangles))  # fmt: skip


def _matched(
    raw: RawRig, place: Path
) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...], list[str]]:
    """Shapes of each channel, names not understood, names of identity shapes."""
    channels: dict[str, tuple[str, ...]] = {}
    unknown: list[str] = []
    people: list[str] = []
    for label in raw.shapes:
        index = find(label.replace(" ", "_").replace("-", "_"))
        if index is not None and index < SHAPES:
            name = BLENDSHAPES[index].name
            channels[name] = (*channels.get(name, ()), label)
        elif _IDENTITY.match(label):
            people.append(label)
        else:
            unknown.append(label)
    for name, sources in channels.items():
        if len(sources) > (2 if name in _SPLIT else 1) or _whole_and_half(name, sources):
            raise BadInput(f"{' and '.join(sources)} for {name}", "one shape a channel", file=place)
    return channels, tuple(unknown), people


def _whole_and_half(name: str, sources: tuple[str, ...]) -> bool:
    return name in _SPLIT and len(sources) == 2 and not all(map(_is_half, sources))


def _warnings(channels: dict[str, tuple[str, ...]], has: NDArray[np.bool_]) -> list[str]:
    found = [f"{name} is there but moves nothing" for name in channels if not has[INDEX[name]]]
    lonely = [channels[name][0] for name in _SPLIT if len(channels.get(name, ())) == 1]
    return found + [f"{label} without its other half" for label in lonely if _is_half(label)]


def _is_half(label: str) -> bool:
    return label.lower()[-2:] in ("_l", "_r")


def _guess_unit(points: Doubles, place: Path) -> float:
    height = float(np.ptp(points[:, 1]))
    for unit in _UNITS:
        if _SIZES[0] <= height * unit <= _SIZES[1]:
            return unit
    raise BadInput(f"a mesh {height:.4g} units high", "a head in metres, centimetres, millimetres",
                   file=place, hint="Give metres_per_unit, and +y must be up.")  # fmt: skip


def _seated(
    neutral: Floats, raw: RawRig, shapes: Floats
) -> tuple[Floats, tuple[Eye, Eye], str, list[str]]:
    """Move the midpoint of the eyes to the origin, and find the eyeballs."""
    places = _lid_places(neutral, shapes)
    if places is None:
        middle = np.array([0, neutral[:, 1].max() - 0.10, 0], np.float32)
        blind = _empty((0.03, 0, 0)), _empty((-0.03, 0, 0))
        note = "no eyeBlink shapes: the eyes' place is guessed 0.10 m below the top"
        return neutral - middle, blind, "none found", [note]
    balls = find_eyeballs(neutral, raw.triangles, places)
    centres = [
        ball.centre if ball is not None else place
        for ball, place in zip(balls, places, strict=True)
    ]
    middle = np.asarray((centres[0] + centres[1]) / 2, np.float32)
    own = _moves_itself(shapes, balls)
    eyes = [
        Eye(np.asarray(centre - middle, np.float32), 0.0 if ball is None else ball.radius,
            np.zeros(0, np.int32) if ball is None or own else ball.vertices)
        for ball, centre in zip(balls, centres, strict=True)
    ]  # fmt: skip
    found = all(ball is not None for ball in balls)
    text = "moved by the rig's own shapes" if own else "turned in code" if found else "none found"
    return neutral - middle, (eyes[0], eyes[1]), text, []


def _empty(centre: tuple[float, float, float]) -> Eye:
    return Eye(np.asarray(centre, np.float32), 0.0, np.zeros(0, np.int32))


def _lid_places(neutral: Floats, shapes: Floats) -> list[Floats] | None:
    """Where each eye's lids lie: the centre of what its blink moves."""
    found = []
    for name in ("eyeBlinkLeft", "eyeBlinkRight"):
        energy = (shapes[INDEX[name]].astype(np.float64) ** 2).sum(1)
        if energy.sum() <= 0:
            return None
        found.append(np.asarray(energy @ neutral / energy.sum(), np.float32))
    return found


def _moves_itself(shapes: Floats, balls: tuple[object, ...]) -> bool:
    looks = [INDEX[name] for name in INDEX if name.startswith("eyeLook")]
    vertices = [ball.vertices for ball in balls if hasattr(ball, "vertices")]
    if not vertices:
        return False
    moved = np.abs(shapes[looks][:, np.concatenate(vertices)])
    return bool(moved.max() > _EYE_MOVES)


def _head(
    place: Path, raw: RawRig, neutral: Floats, shapes: Floats, has: NDArray[np.bool_],
    identity: Floats, eyes: tuple[Eye, Eye],
) -> Head:  # fmt: skip
    count = len(neutral)
    plain = Head(
        name=place.stem,
        neutral=neutral,
        shapes=shapes,
        has=has,
        identity=identity.reshape(-1, count, 3),
        triangles=raw.triangles,
        part=np.zeros(count, np.uint8),
        albedo=np.tile(np.array((0.56, 0.33, 0.235), np.float32), (count, 1)),
        paint={name: np.zeros(count, np.float32) for name in _MASKS},
        eyes=eyes,
        turn=turn_weights(neutral) if neutral[:, 1].min() < -0.17 else None,
    )
    if raw.colour is not None:
        plain = replace(plain, albedo=raw.colour.astype(np.float32))
    for side, eye in zip(("left", "right"), eyes, strict=True):
        _paint_eye(plain, side, eye)
    return plain


def _paint_eye(head: Head, side: str, eye: Eye) -> None:
    """Iris, pupil and white by the angle from straight ahead."""
    if not len(eye.vertices):
        return
    head.part[eye.vertices] = PARTS.index(f"eye_{side}")
    spoke = head.neutral[eye.vertices] - eye.centre
    arc = np.arctan2(np.hypot(spoke[:, 0], spoke[:, 1]), spoke[:, 2]) * eye.radius
    share = 0.42 * eye.radius
    pupil, iris = arc < 0.4 * share, (arc >= 0.4 * share) & (arc < share)
    for name, mask in (("pupil", pupil), ("iris", iris), ("sclera", arc >= share)):
        head.paint[name][eye.vertices] = mask
    colours = ((pupil, 0.004), (iris, (0.10, 0.055, 0.028)), (arc >= share, (0.78, 0.74, 0.71)))
    for mask, colour in colours:
        head.albedo[eye.vertices[mask]] = colour
