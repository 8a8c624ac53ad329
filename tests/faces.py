"""Hypothesis strategies for frames and clips of faces."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from semanticface.rig import CHANNELS, COUNT, ClipMeta, FaceClip

LOW = np.array([channel.low for channel in CHANNELS], np.float32)
HIGH = np.array([channel.high for channel in CHANNELS], np.float32)


@st.composite
def frames(draw: st.DrawFn, decimals: int | None = None) -> np.ndarray:
    """Values [61] in range; on the grid of `decimals` if given. Many are zero."""
    unit = draw(hnp.arrays(np.float64, COUNT, elements=st.floats(0, 1, width=32)))
    quiet = draw(hnp.arrays(np.bool_, COUNT))
    values = np.where(quiet, 0, LOW + unit * (HIGH - LOW))
    if decimals is not None:
        step = 10**decimals
        values = np.clip(np.rint(values * step), np.ceil(LOW * step), np.floor(HIGH * step)) / step
    return values.astype(np.float32)


@st.composite
def clips(draw: st.DrawFn, *, holes: bool = True, extra: bool = True, most: int = 12) -> FaceClip:
    """Clips of a few frames; with `holes`, lost frames and absent channels."""
    count = draw(st.integers(1, most))
    values = draw(hnp.arrays(np.float32, (count, COUNT), elements=st.floats(0, 1.25, width=32)))
    steps = draw(hnp.arrays(np.float64, count, elements=st.floats(0.001, 2.0)))
    present = np.ones(COUNT, np.bool_)
    if holes:
        present = draw(hnp.arrays(np.bool_, COUNT))
        values = np.where(present, values, np.float32(np.nan))
        values[draw(hnp.arrays(np.bool_, count))] = np.nan
    meta = draw(
        st.builds(
            ClipMeta,
            source=st.text(max_size=8),
            subject=st.none() | st.text(max_size=5),
            base=st.sampled_from([None, 30, 60]),
            calibrated=st.sampled_from([None, True, False]),
            conventions=st.lists(st.text(max_size=6), max_size=2).map(tuple),
            notes=st.dictionaries(
                st.text(max_size=4), st.integers() | st.text(max_size=4), max_size=2
            ),
        )
    )
    columns = {"happiness": np.linspace(0, 1, count)} if extra and draw(st.booleans()) else {}
    return FaceClip(values, np.cumsum(steps), present, meta, columns)
