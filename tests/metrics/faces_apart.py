"""Predictions and truths for metric tests."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from semanticface.rig import COUNT


def pair(frames=200, seed=0, holes=0.0):
    """A truth of slow waves and a prediction that follows it, [T, 61] each."""
    rng = np.random.default_rng(seed)
    phase, pace = rng.uniform(0, 6, COUNT), rng.uniform(1, 4, COUNT)
    height = rng.choice([0.0, 0.04, 0.3, 0.9], COUNT)
    clock = np.linspace(0, 6, frames)[:, np.newaxis]
    truth = height * (0.5 + 0.5 * np.sin(pace * clock + phase))
    truth[:, 52:] = truth[:, 52:] * 0.6 - 0.2
    pred = 0.8 * truth + 0.05 * rng.standard_normal(truth.shape) + 0.02
    pred[:, :52] = np.clip(pred[:, :52], 0, 1)
    for table in (truth, pred):
        table[rng.random(table.shape) < holes] = np.nan
    return pred.astype(np.float32), truth.astype(np.float32)


@st.composite
def pairs(draw, most=12):
    """Values on a grid of 1/64, so that what is constant is exactly so, with holes."""
    frames = draw(st.integers(2, most))
    grid = st.integers(-16, 72).map(lambda i: i / 64) | st.just(float("nan"))
    tables = hnp.arrays(np.float64, (2, frames, 6), elements=grid)
    seen = draw(tables)
    # six columns, spread over the face: hypothesis is slow at filling 61
    place = np.array([0, 7, 17, 24, 55, 58])
    full = np.zeros((2, frames, COUNT))
    full[:, :, place] = seen
    return full[0], full[1]
