"""Sample people: phenotypes and local sliders, mixed as MakeHuman mixes its targets."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from head_build.source import Array, Base, Material

SEED = 20240521
PEOPLE = 1200
_AGES = {"child": 1 / 3, "young": 2 / 3, "old": 1.0}
_THREE = (0.0, 0.5, 1.0)
_MACRO = "mpfb2/targets/macrodetails"
# standard deviation of each part's sliders, which run from -1 to 1
_SLIDERS = {
    "head": 0.10, "forehead": 0.22, "eyebrows": 0.14, "eyes": 0.12, "nose": 0.22,
    "mouth": 0.18, "ears": 0.25, "chin": 0.22, "cheek": 0.25,
}  # fmt: skip
_LEFT_OUT = ("head-trans", "eye-push", "eye-trans", "mouth-dimples", "mouth-angles",
             "eyebrows-angle", "chin-cleft")  # fmt: skip


class People:
    """Draws of plausible heads as offsets of the base mesh."""

    def __init__(self, material: Material, base: Base, keep: Array) -> None:
        self._material = material
        self._count = len(base.vertices)
        self._keep = keep
        self._cache: dict[str, Array] = {}
        self._sliders = [
            (part, pair)
            for part, pairs in material.sliders().items()
            if part in _SLIDERS
            for pair in pairs
            if not any(word in pair[0] for word in _LEFT_OUT)
        ]

    def target(self, name: str) -> Array:
        """One target restricted to the vertices kept, flat [n*3] float32."""
        if name not in self._cache:
            whole = self._material.target(f"mpfb2/targets/{name}.target.gz", self._count)
            self._cache[name] = whole[self._keep].astype(np.float32).ravel()
        return self._cache[name]

    def sample(self, rng: np.random.Generator) -> Array:
        """Offsets [n*3] of one person from the base mesh."""
        total = np.zeros(len(self._keep) * 3)
        for name, weight in (*self._macro(rng), *self._local(rng)):
            total += weight * self.target(name)
        return total

    def _macro(self, rng: np.random.Generator) -> Iterator[tuple[str, float]]:
        age = _ends(rng.uniform(0.5, 0.66) if rng.random() < 0.5 else rng.uniform(0.66, 0.95),
                    dict(_AGES))  # fmt: skip
        gender = _ends(rng.beta(0.7, 0.7), {"male": 0.0, "female": 1.0})
        muscle = _ends(rng.beta(4, 4), _named("muscle"))
        weight = _ends(rng.beta(3, 3.5), _named("weight"))
        race = dict(zip(("african", "asian", "caucasian"), rng.dirichlet([0.7] * 3), strict=True))
        height = _ends(rng.beta(6, 6), {"minheight": 0.0, "maxheight": 1.0})
        shape = _ends(rng.beta(4, 4), {"idealproportions": 0.0, "uncommonproportions": 1.0})
        for a, wa in age.items():
            for g, wg in gender.items():
                for r, wr in race.items():
                    yield f"macrodetails/{r}-{g}-{a}", wa * wg * wr
                for m, wm in muscle.items():
                    for k, wk in weight.items():
                        w, body = wa * wg * wm * wk, f"{g}-{a}-{m}-{k}"
                        yield f"macrodetails/universal-{body}", w
                        for h, wh in height.items():
                            yield f"macrodetails/height/{body}-{h}", w * wh
                        for s, ws in shape.items():
                            yield f"macrodetails/proportions/{body}-{s}", w * ws

    def _local(self, rng: np.random.Generator) -> Iterator[tuple[str, float]]:
        """Sliders; the left and right of a pair move nearly together."""
        shared: dict[str, float] = {}
        for part, (low, high) in self._sliders:
            both = low.removeprefix("l-").removeprefix("r-")
            if both not in shared:
                shared[both] = float(np.clip(rng.normal(0, _SLIDERS[part]), -0.6, 0.6))
            value = shared[both]
            if both != low:
                value += float(rng.normal(0, 0.12 * _SLIDERS[part]))
            yield f"{part}/{high if value > 0 else low}", abs(value)


def _named(what: str) -> dict[str, float]:
    return dict(zip((f"min{what}", f"average{what}", f"max{what}"), _THREE, strict=True))


def _ends(value: float, anchors: dict[str, float]) -> dict[str, float]:
    """Linear interpolation weights of the anchors around a value."""
    names = list(anchors)
    at = np.array([anchors[name] for name in names])
    weights = [float(np.interp(value, at, np.eye(len(at))[i])) for i in range(len(at))]
    return {name: weight for name, weight in zip(names, weights, strict=True) if weight > 0}
