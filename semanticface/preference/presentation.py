"""How an answer is shown to a judge: which part, from where, how large.

`focus` shows the whole face with the region clear and the rest dimmed towards the
background; `crop` shows the region alone, larger; `plain` shows the whole face and
only names the region. Several views stand side by side in one picture.

Both answers of a pair are drawn with the same person, look, camera and light.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.preference.regions import Values, region_of
from semanticface.render import camera as cameras
from semanticface.render.crop import region_weights
from semanticface.render.head import Head, load_head
from semanticface.render.picture import Picture, Renderer
from semanticface.rig import INDEX

Weights = NDArray[np.float32]
Mode = Literal["focus", "crop", "plain"]
MODES: tuple[Mode, ...] = get_args(Mode)
_COARSE = ("upper", "lower")
_LITTLE, _MUCH = 0.25, 0.65
"""Shares of a channel's greatest displacement: where a fine region begins and is fully there."""
_SOCKET = (1.5, 2.6)
"""Distance from an eye's centre, in radii, up to which skin is in `eyes`, and where it ends."""
_FAINT = 0.4
"""How much of the face's colour stays outside the focus: enough to see whose mouth it is."""
_KEPT = 8
_HEAD = slice(INDEX["headYaw"], INDEX["headRoll"] + 1)


@dataclass(frozen=True)
class Presentation:
    """What a project shows; part of every render's hash."""

    mode: Mode = "crop"
    """`crop` is what the simulated rater learns most from a second."""
    views: tuple[str, ...] = ("front",)
    size: int = 320
    """Pixels a side of each view."""
    look: str = "realistic"
    background: str = "gradient"
    antialias: bool = True
    head_still: bool = True
    """Leave the head's own turns out wherever the region is not the whole face."""
    fps: float = 30.0
    """Frames a second of a looping clip."""

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise BadInput(f"the presentation '{self.mode}'", f"one of {', '.join(MODES)}")
        if not self.views or len(self.views) > 4:
            raise BadInput(f"{len(self.views)} views", "one to four")
        for view in self.views:
            cameras.camera_of(view)
        object.__setattr__(self, "views", tuple(self.views))

    def as_json(self) -> str:
        """One line, the same for the same presentation."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Presentation:
        """Restore what `as_json` wrote."""
        try:
            held = json.loads(text)
            return cls(**{**held, "views": tuple(held["views"])})
        except (ValueError, TypeError, KeyError) as fault:
            raise BadInput(f"the presentation {text[:80]!r}", "what as_json wrote") from fault


def shown(values: Values, region: str, how: Presentation, *, person: int | None = None) -> Picture:
    """The picture of one frame [61] that a judge sees: its views side by side."""
    row = np.nan_to_num(np.asarray(values, np.float32))
    if how.head_still and region != "full":
        row[_HEAD] = 0
    painters = [_painter(region, how, view, person) for view in how.views]
    return np.concatenate([each.render(row) for each in painters], axis=1)


def digest(values: Values, times: NDArray[np.float64], region: str, how: Presentation,
           person: int | None, sound: str | None = None) -> str:  # fmt: skip
    """Hash of everything a render depends on but the version of the renderer."""
    told = hashlib.sha256(np.ascontiguousarray(values, "<f4").tobytes())
    told.update(np.ascontiguousarray(times, "<f8").tobytes())
    told.update(json.dumps([region, how.as_json(), person, sound, origin()]).encode())
    return told.hexdigest()


@lru_cache(maxsize=1)
def origin() -> str:
    """Hash of the head; with the package's version it says what drew a picture."""
    from semanticface import __version__
    from semanticface.render.head import ASSET

    return f"{__version__}/{hashlib.sha256(ASSET.read_bytes()).hexdigest()[:16]}"


class _Painters(threading.local):
    """Renderers of one thread; the last few are kept, for buffers are dear to make."""

    def __init__(self) -> None:
        self.kept: OrderedDict[tuple[object, ...], Renderer] = OrderedDict()


_painters = _Painters()


def _painter(region: str, how: Presentation, view: str, person: int | None) -> Renderer:
    key = (region if how.mode != "plain" else "full", how, view, person)
    kept = _painters.kept
    if key not in kept:
        kept[key] = _made(region, how, view, person)
        while len(kept) > _KEPT:
            kept.popitem(last=False)
    kept.move_to_end(key)
    return kept[key]


def _made(region: str, how: Presentation, view: str, person: int | None) -> Renderer:
    head = load_head()
    same = {"identity": person, "look": how.look, "size": how.size,
            "background": how.background, "antialias": how.antialias}  # fmt: skip
    if how.mode == "plain" or region == "full":
        return Renderer(head, view=view, **same)  # type: ignore[arg-type]
    if how.mode == "focus":
        focus = _FAINT + (1 - _FAINT) * weights_of(region)
        return Renderer(head, view=view, focus=focus, **same)  # type: ignore[arg-type]
    if region in _COARSE:
        return Renderer(head, view=view, crop=region, **same)  # type: ignore[arg-type]
    camera = _close_up(head, view, region, person, how.size)
    return Renderer(head, view=camera, **same)  # type: ignore[arg-type]


@lru_cache(maxsize=16)
def weights_of(region: str) -> Weights:
    """[V] of the shipped head: 1 in the region, 0 outside, smooth between.

    The halves are those of `render.crop`; a fine region is what its shapes move much,
    the eyes what lies around the eyeballs.
    """
    head = load_head()
    if region in ("full", *_COARSE):
        return region_weights(head, region)
    return _around_eyes(head) if region == "eyes" else _moved_by(head, region)


def _moved_by(head: Head, region: str) -> Weights:
    sizes = np.linalg.norm(head.shapes, axis=2)
    share = np.zeros(len(head.neutral))
    for index in region_of(region).channels:
        if index < len(sizes) and sizes[index].max() > 0:
            share = np.maximum(share, sizes[index] / sizes[index].max())
    return _smooth((share - _LITTLE) / (_MUCH - _LITTLE))


def _around_eyes(head: Head) -> Weights:
    near, far = _SOCKET
    weights = np.zeros(len(head.neutral), np.float32)
    for eye in head.eyes:
        away = np.linalg.norm(head.neutral - eye.centre, axis=1) / eye.radius
        weights = np.maximum(weights, _smooth((far - away) / (far - near)))
    return weights


def _smooth(t: NDArray[np.floating]) -> Weights:
    inside = np.clip(t, 0, 1)
    return np.asarray(inside * inside * (3 - 2 * inside), np.float32)


def _close_up(head: Head, view: str, region: str, person: int | None, size: int) -> cameras.Camera:
    """A camera that the region fills, with a margin of an eighth all around."""
    offset = 0 if person is None else head.identity_offset(person)
    points = (head.neutral + offset)[weights_of(region) > 0.5]
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    return cameras.frame(cameras.camera_of(view), middle + (points - middle) * 1.25, size, size)
