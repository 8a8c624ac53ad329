"""The parts of the comparison page, each for itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from semanticface.evaluation.items import PairedFrames
from semanticface.evaluation.result import Comparison, Figure, Finding, Pairing, SourceResult
from semanticface.report import colour, forest, heat
from semanticface.report.agreement_plots import density
from semanticface.report.faces import APART, extreme_frames
from semanticface.report.measures import families, measure, places, written
from semanticface.report.noticed import noticed
from semanticface.report.traces import peaks_kept
from semanticface.rig import CHANNELS, COUNT, NAMES, REGIONS, FaceClip


def light(hex_colour: str) -> float:
    """OKLab lightness: the third of the cone responses' weights, written out anew."""
    srgb = np.array(colour.rgb(hex_colour)) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    long, medium, short = np.cbrt([
        linear @ (0.4122214708, 0.5363325363, 0.0514459929),
        linear @ (0.2119034982, 0.6806995451, 0.1073969566),
        linear @ (0.0883024619, 0.2817188376, 0.6299787005),
    ])  # fmt: skip
    return float(0.2104542553 * long + 0.793617785 * medium - 0.0040720468 * short)


@pytest.mark.parametrize("anchors", [colour.SEVERE, colour.BELOW, colour.ABOVE])
def test_scales_darken_evenly(anchors):
    lights = np.array([light(colour.shade(s, anchors)) for s in np.linspace(0, 1, 33)])
    steps = -np.diff(lights)
    assert (steps > 0).all()
    assert steps.max() < 2.2 * steps.min()


def test_ends_of_a_scale_are_its_anchors_and_beyond_is_cut():
    assert colour.shade(0) == colour.shade(-3) == colour.SEVERE[0]
    assert colour.shade(1) == colour.shade(9) == colour.SEVERE[-1]


@given(st.floats(0, 1), st.sampled_from([colour.SEVERE, colour.BELOW, colour.ABOVE]))
def test_numbers_can_be_read_on_every_colour(share, anchors):
    ground = colour.shade(share, anchors)
    a, b = (_luminance(c) for c in (ground, colour.ink_on(ground)))
    assert (max(a, b) + 0.05) / (min(a, b) + 0.05) >= 4.5


def _luminance(hex_colour: str) -> float:
    srgb = np.array(colour.rgb(hex_colour)) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


@given(
    hnp.arrays(np.float64, st.integers(1, 400), elements=st.floats(-1, 1)), st.integers(1, 60)
)  # fmt: skip
def test_thinned_curves_keep_every_peak(values, columns):
    kept = peaks_kept(values, columns)
    assert (np.diff(kept) > 0).all()
    assert kept[0] == 0 and kept[-1] == len(values) - 1
    assert values[kept].max() == values.max() and values[kept].min() == values.min()
    assert len(kept) <= max(2 * columns + 2, len(values) if len(values) <= 2 * columns else 0)
    size = -(-len(values) // columns)
    for start in range(0, len(values), size):
        part = kept[(kept >= start) & (kept < start + size)]
        assert values[part].max() == values[start : start + size].max()


def test_numbers_are_written_as_readers_expect():
    assert written(None, 3) == written(float("nan"), 3) == written(float("inf"), 3) == "\u2013"
    assert written(-0.5, 2) == "\u22120.50"
    assert written(-0.0001, 2) == written(0.0, 2) == "0.00"
    assert written(0.25, 2, sign=True) == "+0.25"
    assert written(12345.6, 0) == "12,346"
    assert places([0.031, None, 0.0]) == 4
    assert places([0.9]) == 3 and places([345.0]) == 0 and places([]) == 0
    assert written(0.00021, places([0.00021])) == "0.00021"


def test_every_metric_has_one_family_and_strangers_come_last():
    from semanticface.metrics.catalogue import CATALOGUE

    names = [row.name for row in CATALOGUE] + ["my own"]
    found = families(names)
    assert sorted(n for _, members in found for n in members) == sorted(names)
    assert "my own" in found[-1][1]
    assert measure("my own").better == "none"


def test_channels_of_all_regions_are_all_channels():
    together = [name for region in REGIONS for name in heat.channels_of(region)]
    assert sorted(together) == sorted(NAMES)


@pytest.mark.parametrize(
    ("metric", "best", "worse"),
    [("mae", 0.0, 0.1), ("pearson", 1.0, 0.2), ("bias", 0.0, -0.1), ("amplitude_ratio", 1.0, 0.4)],
)
def test_the_best_value_is_the_palest(metric, best, worse):
    scale = heat.scale_of(measure(metric), [0.1, -0.05, 0.02])
    assert light(scale.colour(best)) > light(scale.colour(worse))
    assert scale.colour(best) == colour.SEVERE[0]


def test_too_low_and_too_high_have_different_colours():
    scale = heat.scale_of(measure("bias"), [0.1, -0.1])
    red_of = [colour.rgb(scale.colour(x))[0] - colour.rgb(scale.colour(x))[2] for x in (-0.1, 0.1)]
    assert red_of[0] < 0 < red_of[1]


def comparison(value, low, high, metric="mae", **more) -> Comparison:
    return Comparison(
        one="a", other="b", metric=metric, better=measure(metric).better,
        difference=Figure(value=value, low=low, high=high, clusters=3), **more,
    )  # fmt: skip


def drawn(*comparisons: Comparison) -> list[forest.Told]:
    from types import SimpleNamespace

    asked = SimpleNamespace(comparisons=comparisons, clustered_by="take")
    return [row for each in forest.forests(asked) for row in each.rows]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("metric", "low", "high", "tone"),
    [
        ("mae", -0.2, -0.1, "good"), ("mae", 0.1, 0.2, "bad"), ("mae", -0.1, 0.1, "open"),
        ("pearson", 0.1, 0.2, "good"), ("pearson", -0.2, -0.1, "bad"), ("bias", 0.1, 0.2, "open"),
    ],
)  # fmt: skip
def test_the_tone_follows_the_side_of_zero(metric, low, high, tone):
    (row,) = drawn(comparison((low + high) / 2, low, high, metric))
    assert row.bar.tone == tone
    assert row.bar.low < row.bar.value < row.bar.high


def test_all_bars_lie_within_the_drawing_and_too_wide_ones_are_cut():
    rows = drawn(
        comparison(0.01, 0.005, 0.015, margin=0.02, equivalent=True),
        comparison(-0.02, -900.0, 900.0),
        comparison(None, None, None),
    )
    for row in rows:
        ends = [x for x in (row.bar.low, row.bar.value, row.bar.high) if x is not None]
        assert all(0 <= x <= forest.WIDTH for x in ends)
    assert [row.bar.cut_low for row in rows] == [False, True, False]
    assert rows[0].bar.margin is not None and rows[0].equivalence == "yes, ±0.02"
    assert rows[1].equivalence == "no margin set"
    assert rows[2].difference == "\u2013" and rows[2].interval == "no interval"


def test_findings_of_several_takes_become_one_line():
    def pairing(take: str, text: str, action="noted") -> Pairing:
        found = Finding(kind="lag", action=action, text=text)
        return Pairing(take=take, cluster=take, scored=action != "refused", findings=(found,))

    source = SourceResult(
        name="s", kind="files",
        pairings=(pairing("a", "80 ms late"), pairing("b", "80 ms late"),
                  pairing("c", "91 ms late"), pairing("d", "no overlap", "refused")),
    )  # fmt: skip
    told = noticed(source)
    assert told.scored == "3 of 4 takes scored"
    assert [notice.action for notice in told.notices] == ["refused", "noted"]  # severest first
    assert told.notices[1].texts == (("a and b", "80 ms late"), ("c", "91 ms late"))


def clip(values: np.ndarray, rate: float = 30.0) -> FaceClip:
    return FaceClip.of(values, rate=rate)


def test_the_worst_frames_are_the_planted_ones_a_second_apart():
    truth = np.zeros((300, COUNT), np.float32)
    truth[:, 0] = 0.5
    pred = truth + np.float32(0.01)
    for frame, error in ((40, 0.9), (41, 0.8), (150, 0.5), (260, 0.7)):
        pred[frame, 5] += error
    pred[200, :52] = truth[200, :52]
    pred[10] = np.nan
    found = extreme_frames([PairedFrames("s", "t", clip(pred), clip(truth))])
    assert [each.frame for each in found if not each.best] == [40, 260, 150]
    best = [each for each in found if each.best]
    assert best[0].frame == 200 and best[0].error == 0
    assert abs(best[0].frame - best[1].frame) / 30 >= APART


def test_a_density_shows_where_the_frames_are():
    from base64 import b64decode
    from io import BytesIO

    from PIL import Image

    uri = density(np.full(500, 0.95), np.full(500, 0.05), (0, 1), (0, 1), "#2f6fde")
    picture = np.asarray(Image.open(BytesIO(b64decode(uri.split(",")[1]))))
    rows, columns = np.nonzero(picture[..., 3])
    # right and at the bottom: x is large, y is small, and rows count downwards
    assert (rows / len(picture) > 0.9).all() and (columns / len(picture) > 0.9).all()
    assert tuple(picture[rows[0], columns[0], :3]) == (0x2F, 0x6F, 0xDE)


def test_rotations_stand_in_their_regions():
    assert {c.name for c in CHANNELS if c.region == "head"} == set(heat.channels_of("head"))
