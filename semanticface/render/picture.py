"""Pictures of a face: from 61 values to uint8 [H, W, 3].

    picture = render_frame(values)                       # sRGB, front, realistic
    renderer = Renderer(identity=3, look="clay", view="three-quarter", size=512)
    for frame in clip.values:
        picture = renderer.render(frame)

A `Renderer` owns its buffers and gives the same bytes for the same inputs. One
renderer belongs to one thread; the loops release Python's lock, so several
renderers in several threads run side by side (`threads.render_all` does that).
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semanticface.errors import BadInput, did_you_mean
from semanticface.render import camera as cameras
from semanticface.render.background import background_of
from semanticface.render.blend import Poser
from semanticface.render.camera import Camera
from semanticface.render.coat import Coat, closed, coat, openness
from semanticface.render.crop import CROPS, framing_points, region_weights
from semanticface.render.curve import before_shoulder, response_curve, shown
from semanticface.render.head import load_head
from semanticface.render.layout import FEATURE, REGION, SCRATCH
from semanticface.render.look import Look, look_of
from semanticface.render.raster import draw, filed, folds, vertex_normals
from semanticface.render.shade import BATCH, Scene, shade
from semanticface.render.toon import shade_toon
from semanticface.rig import COUNT

if TYPE_CHECKING:
    from semanticface.render.head import Head

Floats = NDArray[np.float32]
Picture = NDArray[np.uint8]
Identity = int | Sequence[float] | NDArray[np.floating] | None

_LARGEST = 4096
_FOCUS_FLOOR = 0.22


class Renderer:
    """A head, a look and a point of view, ready to be drawn again and again."""

    def __init__(
        self,
        head: Head | None = None,
        *,
        look: str | Look = "realistic",
        identity: Identity = None,
        seed: int | None = None,
        view: str | Camera | tuple[float, float] = "front",
        size: int | tuple[int, int] = 256,
        crop: str = "full",
        focus: Literal["upper", "lower"] | Floats | None = None,
        background: str | Floats = "gradient",
        antialias: bool = True,
        grain: float | None = None,
    ) -> None:
        """Prepare everything that does not change from frame to frame.

        `identity`: a seed or coefficients of a face shape; None is the mean face.
        `seed`: colours of the person, by default those of the identity's seed.
        `size`: pixels, one number for a square or (width, height).
        `crop`: `full`, or only the `upper` or `lower` face with soft edges.
        `focus`: the whole face, with the other half dimmed; or weights [V], 1 in focus.
        `antialias`: four samples a pixel instead of one.
        """
        self.head = head or load_head()
        self.width, self.height = _size(size)
        self._samples = 2 if antialias else 1
        self.offset = None if identity is None else self.head.identity_offset(identity)
        chosen = identity if isinstance(identity, int | np.integer) else 0
        self.look = look_of(look, int(chosen) if seed is None else seed, grain=grain)
        self.camera = self._placed(view, _crop(crop))
        self._prepare(crop, focus, background)

    def render(self, values: ArrayLike) -> Picture:
        """The face with these 61 values, as a new picture [H, W, 3], sRGB."""
        return self.draw(self._pose(_values(values)))

    def draw(self, vertices: Floats) -> Picture:
        """The head with these vertices [V, 3], metres, as a new picture."""
        head, scene = self.head, self._scene
        cameras.project(vertices, *self._view, scene.screen)
        vertex_normals(vertices, head.triangles, self._normals)
        if self.look.folds > 0:
            folds(vertices, self._skin, self._normals, self._rest, self._sums, self._fold)
        filed(self._normals, self._fold, scene.table)
        draw(scene.screen, head.triangles, self._closed, self._near, self._seen)
        picture = self._blank.copy()
        paint = shade_toon if self.look.style == "toon" else shade
        paint(scene, self._near, self._seen, self._samples, self._background, self._film, picture)
        return picture

    def twin(self) -> Renderer:
        """A renderer of the same pictures with buffers of its own, for another thread."""
        return deepcopy(self, {id(self.head): self.head})

    def mask(self) -> NDArray[np.int32]:
        """[H, W] part index + 1 of the last picture (0 is background), first sample of a pixel."""
        seen = self.surface()
        part = self.head.part[self.head.triangles[np.maximum(seen - 1, 0), 0]].astype(np.int32)
        return np.where(seen > 0, part + 1, 0).astype(np.int32)

    def surface(self) -> NDArray[np.int32]:
        """[H, W] number of the triangle of the last picture + 1 (0 is background), first sample."""
        seen: NDArray[np.int32] = np.abs(self._seen[:: self._samples, :: self._samples])
        return seen

    def _placed(self, view: str | Camera | tuple[float, float], crop: str) -> Camera:
        camera = cameras.camera_of(view)
        if isinstance(view, Camera):
            return view
        shown = framing_points(self.head, self.offset, crop)
        return cameras.frame(camera, shown, self.width, self.height)

    def _grain(self) -> float:
        """Skin texture that this picture can show: none where a pixel covers a pore (1 mm)."""
        pixel = self.camera.distance / self.camera.focal(self.width, self.height)
        return self.look.grain * float(np.clip(1.6 - pixel / 0.0006, 0, 1))

    def _prepare(self, crop: str, focus: str | Floats | None, background: str | Floats) -> None:
        """Buffers and tables; nothing is made anew while drawing but the picture itself."""
        head, count = self.head, len(self.head.neutral)
        width, height = self.width * self._samples, self.height * self._samples
        self._near = np.zeros((height, width), np.float32)
        self._seen = np.zeros((height, width), np.int32)
        self._film = np.zeros((self.width * self.height, 4), np.float32)
        self._view = _view(self.camera, width, height)
        behind = _background(background, self.width, self.height, self.look.seed)
        self._background = before_shoulder(behind).reshape(-1, 3)
        self._blank = shown(self._background).reshape(self.height, self.width, 3)
        self._pose = Poser(head, self.offset)
        region = _weights(head, crop, focus)
        painted = coat(head, self.look, _openness_of(head), region)
        self._closed = closed(head, painted.kinds)
        self._scene = self._scene_of(painted, 0.0 if focus is None else _FOCUS_FLOOR)
        self._skin = head.triangles[painted.kinds <= FEATURE]
        self._normals = np.zeros((count, 3), np.float32)
        self._sums = np.zeros((count, 4), np.float32)
        self._fold = np.zeros(count, np.float32)
        self._rest = _folds_at_rest(self._pose, head, self._skin)

    def _scene_of(self, painted: Coat, floor: float) -> Scene:
        axes, lights = self.camera.axes, self.look.lights
        partial = bool((painted.columns[:, REGION] < 1).any())
        settings = (self._view[3], self.look.folds, floor, self._grain(), float(partial))
        shining = (lights.lamps(axes).ravel(), lights.room(axes).ravel(), axes[2])
        return Scene(
            screen=np.zeros((len(painted.columns), 3), np.float32),
            triangles=self.head.triangles,
            kinds=painted.kinds,
            table=painted.columns,
            finish=painted.finish,
            eye=painted.eye,
            grain=painted.grain,
            accents=painted.accents,
            lights=np.concatenate(shining).astype(np.float32),
            settings=np.array(settings, np.float32),
            curve=response_curve(),
            scratch=np.zeros(SCRATCH, np.float32),
            batch=np.zeros(BATCH, np.float32),
        )


def render_frame(values: ArrayLike, **options: object) -> Picture:
    """One picture of 61 values; the options are those of `Renderer`.

    The last few renderers are kept, so calling this in a loop is as fast as using one.
    """
    try:
        renderer = _renderer(**options)
    except TypeError as error:
        if "unhashable" not in str(error):
            raise
        renderer = Renderer(**options)  # type: ignore[arg-type]  # checked there
    return renderer.render(values)


@lru_cache(maxsize=8)
def _renderer(**options: object) -> Renderer:
    return Renderer(**options)  # type: ignore[arg-type]  # the same options, only kept


def dimmed(picture: Picture, share: float = 0.45) -> Picture:
    """The picture faded towards mid grey: what is shown while the face is lost."""
    return np.asarray(picture * (1 - share) + 96 * share, dtype=np.uint8)


_baked: list[tuple[Head, Floats]] = []


def _openness_of(head: Head) -> Floats:
    """The baked shadow of a head; those of the last four heads are kept."""
    for known, baked in _baked:
        if known is head:
            return baked
    _baked.append((head, openness(head)))
    del _baked[:-4]
    return _baked[-1][1]


def _folds_at_rest(posed: Poser, head: Head, skin: NDArray[np.int32]) -> Floats:
    vertices = posed(np.zeros(COUNT, np.float32))
    normals, fold = np.empty_like(vertices), np.zeros(len(vertices), np.float32)
    vertex_normals(vertices, head.triangles, normals)
    nothing, sums = np.zeros_like(fold), np.zeros((len(fold), 4), np.float32)
    folds(vertices, skin, normals, nothing, sums, fold)
    return fold


def _view(camera: Camera, width: int, height: int) -> tuple[Floats, Floats, np.float32, np.float32,
                                                            np.float32, np.float32]:  # fmt: skip
    return (
        camera.axes, np.array(camera.target, np.float32), np.float32(camera.distance),
        np.float32(camera.focal(width, height)), np.float32(0.5 * width), np.float32(0.5 * height),
    )  # fmt: skip


def _background(given: str | Floats, width: int, height: int, seed: int) -> Floats:
    if isinstance(given, str):
        return background_of(given, width, height, seed)
    array = np.ascontiguousarray(given, np.float32)
    if array.shape != (height, width, 3):
        raise BadInput(f"a background of shape {array.shape}", f"({height}, {width}, 3)")
    return array


def _values(values: ArrayLike) -> Floats:
    array = np.ascontiguousarray(values, dtype=np.float32)
    if array.shape != (61,):
        raise BadInput(f"values of shape {array.shape}", "(61,), one frame in table order")
    return array


def _weights(head: Head, crop: str, focus: str | Floats | None) -> Floats:
    """[V] how strongly each vertex is shown."""
    if focus is None:
        return region_weights(head, crop)
    if not isinstance(focus, str):
        return _given(head, focus)
    if focus not in ("upper", "lower"):
        raise BadInput(f"the focus '{focus}'", "upper, lower or a weight a vertex")
    return region_weights(head, focus)


def _given(head: Head, weights: Floats) -> Floats:
    array = np.asarray(weights, np.float32)
    if array.shape != head.neutral.shape[:1]:
        raise BadInput(f"a focus of shape {array.shape}", f"({len(head.neutral)},), a vertex each")
    return array


def _crop(name: str) -> str:
    if name not in CROPS:
        raise BadInput(f"the crop '{name}'", f"one of {', '.join(CROPS)}",
                       hint=did_you_mean(name, CROPS))  # fmt: skip
    return name


def _size(size: int | tuple[int, int]) -> tuple[int, int]:
    width, height = (size, size) if isinstance(size, int) else size
    if not (16 <= width <= _LARGEST and 16 <= height <= _LARGEST):
        raise BadInput(f"a picture of {width} x {height}", f"16 to {_LARGEST} pixels a side")
    return int(width), int(height)
