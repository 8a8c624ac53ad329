"""Vertex metrics: closed forms, a literal reading of the published formulas, invariances."""

import importlib
import math
import tracemalloc
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semanticface.errors import BadInput
from semanticface.metrics.geometry import (
    ROWS,
    Geometry,
    compare_clips,
    compare_vertices,
    head_frame,
    posed,
    still_vertices,
)
from semanticface.metrics.zones import Pairs, Zones, find_zones
from semanticface.motion.rehearsal import perform
from semanticface.render.head import load_head, pose, rotation_matrix
from semanticface.rig import COUNT, INDEX, FaceClip

HEAD = load_head()
ZONES = find_zones(HEAD)


def pairs(*both):
    return Pairs(*(np.array(each, np.int64) for each in zip(*both, strict=True)))


TOY = Zones(
    lips=np.array([0, 1]),
    upper_face=np.array([2, 3]),
    inner_lips=pairs((0, 1)),
    lids=(pairs((2, 3)), pairs((4, 5))),
    regions={"mouth": np.array([0, 1, 2]), "brow": np.array([5])},
    origin={},
)
"""Six vertices, one meaning each."""


def toy(rng, frames=20):
    return rng.normal(0, 0.01, (frames, 6, 3))


def published_lve(reference, predicted, lips):
    """Mean over frames of the largest squared distance, spelt out."""
    total = 0.0
    for y, p in zip(reference, predicted, strict=True):
        total += max(sum((y[v, i] - p[v, i]) ** 2 for i in range(3)) for v in lips)
    return total / len(reference)


def published_fdd(reference, predicted, neutral, upper):
    """Mean over vertices of the difference of two population deviations, spelt out."""
    total = 0.0
    for v in upper:
        spreads = []
        for motion in (reference, predicted):
            sizes = [sum((frame[v, i] - neutral[v, i]) ** 2 for i in range(3)) for frame in motion]
            mean = sum(sizes) / len(sizes)
            spreads.append(math.sqrt(sum((s - mean) ** 2 for s in sizes) / len(sizes)))
        total += spreads[0] - spreads[1]
    return total / len(upper)


def test_a_case_by_hand():
    """Two frames: lip vertex 0 off by (3, 4, 0) mm, then vertex 1 by 2 mm upwards."""
    neutral = np.zeros((6, 3))
    reference, predicted = np.zeros((2, 6, 3)), np.zeros((2, 6, 3))
    predicted[0, 0] = (0.003, 0.004, 0)
    predicted[1, 1] = (0, 0.002, 0)
    reference[:, 2] = [(0, 0, 0), (0, 0.006, 0)]
    result = compare_vertices(reference, predicted, TOY, neutral)
    assert result.lve_max_squared == pytest.approx((25 + 4) / 2)
    assert result.lve_root == pytest.approx(math.sqrt(14.5))
    assert result.lve_mean_max == pytest.approx((5 + 2) / 2)
    assert result.lip_gap_error == pytest.approx((4 + 2) / 2)
    assert result.lip_gap_bias == pytest.approx((4 - 2) / 2)
    assert result.fdd == pytest.approx(18 / 2)  # std of 0 and 36, one of two vertices
    assert result.fdd_distance == pytest.approx(3 / 2)
    assert result.aperture_error == pytest.approx((0 + 3) / 2)
    assert result.aperture_bias == pytest.approx(-1.5)
    assert result.region_error == pytest.approx({"mouth": (5 + 2 + 6) / 6, "brow": 0})
    assert result.over_time["lip_error"] == pytest.approx([5, 2])


@given(st.integers(0, 2**32 - 1), st.integers(2, 300))
def test_lve_and_fdd_are_those_published(seed, frames):
    rng = np.random.default_rng(seed)
    one, other, neutral = toy(rng, frames), toy(rng, frames), toy(rng, 1)[0]
    result = compare_vertices(one, other, TOY, neutral)
    assert result.lve_max_squared == pytest.approx(1e6 * published_lve(one, other, TOY.lips))
    assert result.fdd == pytest.approx(
        1e6 * published_fdd(one, other, neutral, TOY.upper_face), abs=1e-6
    )


def figures(result: Geometry):
    names = [row[0] for row in ROWS if row[0] != "region_error"]
    return {name: getattr(result, name) for name in names} | dict(result.region_error)


@given(st.integers(0, 2**32 - 1))
def test_the_order_of_vertices_and_frames_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    one, other, neutral = toy(rng), toy(rng), toy(rng, 1)[0]
    before = figures(compare_vertices(one, other, TOY, neutral))
    place = rng.permutation(6)
    moved = [np.empty_like(each) for each in (one, other, neutral)]
    for there, here in zip(moved, (one, other, neutral), strict=True):
        there[..., place, :] = here
    after = figures(compare_vertices(moved[0], moved[1], TOY.permuted(place), moved[2]))
    assert after == pytest.approx(before)
    time = rng.permutation(len(one))
    assert figures(compare_vertices(one[time], other[time], TOY, neutral)) == pytest.approx(before)


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_blocks_of_any_size_add_up(seed, sizes):
    rng = np.random.default_rng(seed)
    one, other, neutral = toy(rng, sum(sizes)), toy(rng, sum(sizes)), toy(rng, 1)[0]
    cuts = np.cumsum(sizes)[:-1]
    parts = compare_vertices(iter(np.split(one, cuts)), iter(np.split(other, cuts)), TOY, neutral)
    assert figures(parts) == pytest.approx(figures(compare_vertices(one, other, TOY, neutral)))


def test_what_does_not_fit_together_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(BadInput, match="the same in both"):
        compare_vertices(toy(rng, 20), toy(rng, 19), TOY, np.zeros((6, 3)))
    with pytest.raises(BadInput, match="no frame that both sources have"):
        compare_vertices(toy(rng, 0), toy(rng, 0), TOY, np.zeros((6, 3)))
    broken = toy(rng)
    broken[7, 3] = np.nan
    with pytest.raises(BadInput, match="row 7: found vertices that are not finite"):
        compare_vertices(toy(rng), broken, TOY, np.zeros((6, 3)))


# -- on the head --------------------------------------------------------------------------


def face(**weights):
    row = np.zeros(COUNT, np.float32)
    for name, value in weights.items():
        row[INDEX[name]] = value
    return row


def still(frames=4, **weights):
    return FaceClip.of(np.tile(face(**weights), (frames, 1)))


def gap(zones, head, **weights):
    return float(zones.inner_lips.gap(1000 * pose(head, face(**weights))[None].astype(float))[0])


def opening(zones, head, side, **weights):
    points = 1000 * pose(head, face(**weights))[None].astype(float)
    return float(zones.lids[side].gap(points)[0])


BARE = replace(HEAD, lips=None, paint={}, part=np.where(np.isin(HEAD.part, (1, 2)), HEAD.part, 0))
"""The same head that says nothing of its parts: teeth, lashes and tongue pass for skin."""


@pytest.mark.parametrize("head", [HEAD, BARE], ids=["described", "bare"])
def test_zones_do_what_their_names_say(head):
    zones = find_zones(head)
    assert abs(gap(zones, head)) < 1
    assert gap(zones, head, jawOpen=1) > 25
    assert abs(gap(zones, head, jawOpen=1, mouthClose=1)) < 1
    for side, name in enumerate(("Left", "Right")):
        assert 8 < opening(zones, head, side) < 15
        assert abs(opening(zones, head, side, **{f"eyeBlink{name}": 1})) < 1
        assert opening(zones, head, side, **{f"eyeWide{name}": 1}) > opening(zones, head, side) + 2
        other = "Right" if name == "Left" else "Left"
        assert opening(zones, head, side, **{f"eyeBlink{other}": 1}) == pytest.approx(
            opening(zones, head, side), abs=0.2
        )
    assert len(zones.lips) > 100 and all(len(each) > 50 for each in zones.regions.values())
    low, high = head.neutral[zones.lips].min(0), head.neutral[zones.lips].max(0)
    assert -0.1 < low[1] < high[1] < -0.045 and -0.035 < low[0] < -0.02
    assert head.neutral[zones.upper_face][:, 1].mean() > -0.02


def test_derived_gaps_agree_with_the_rig_s_own_rims():
    derived = find_zones(BARE)
    for jaw in (0, 0.3, 0.7, 1):
        assert gap(derived, HEAD, jawOpen=jaw) == pytest.approx(
            gap(ZONES, HEAD, jawOpen=jaw), abs=0.5
        )


def test_a_rig_without_lips_is_refused_and_one_without_lids_says_so():
    nothing = np.zeros_like(HEAD.shapes)
    with pytest.raises(BadInput, match="no lips on the rig"):
        find_zones(replace(BARE, shapes=nothing))
    shapes = HEAD.shapes.copy()
    shapes[[INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]] = 0
    zones = find_zones(replace(HEAD, shapes=shapes))
    assert zones.origin["lids"] == "not found"
    result = compare_clips(HEAD, still(), still(jawOpen=0.5), zones)
    assert math.isnan(result.aperture_error) and result.lip_gap_error > 10


def test_a_source_against_itself_is_zero_and_a_known_change_is_known():
    clip = perform(seed=3)
    same = figures(compare_clips(HEAD, clip, clip))
    assert set(same.values()) == {0}
    result = compare_clips(HEAD, still(), still(jawOpen=1))
    expected = np.linalg.norm(HEAD.shapes[INDEX["jawOpen"]][ZONES.lips], axis=1).max() * 1000
    assert result.lve_mean_max == pytest.approx(expected, rel=1e-4)
    assert result.lve_root == pytest.approx(expected, rel=1e-4)
    assert result.fdd == 0 and result.aperture_error == pytest.approx(0, abs=1e-4)
    assert result.lip_gap_bias == pytest.approx(
        gap(ZONES, HEAD, jawOpen=1) - gap(ZONES, HEAD), abs=0.01
    )


def test_clips_give_what_their_posed_vertices_give():
    one, other = perform(seed=1)[40:90], perform(seed=2)[40:90]
    whole = [np.concatenate(list(posed(HEAD, clip, 7))) for clip in (one, other)]
    assert whole[0].shape == (50, len(HEAD.neutral), 3)
    direct = figures(compare_vertices(*whole, ZONES, HEAD.neutral))
    assert figures(compare_clips(HEAD, one, other)) == pytest.approx(direct, rel=1e-4, abs=1e-4)


def test_turning_the_head_and_shifting_both_in_time_change_nothing():
    one, other = perform(seed=1)[40:90], perform(seed=2)[40:90]
    before = figures(compare_clips(HEAD, one, other))
    turned = np.array(other.values)
    turned[:, 52:55] += 0.4
    result = compare_clips(HEAD, one.shifted(7), other.with_values(turned).shifted(7))
    assert figures(result) == pytest.approx(before)


def test_rigid_motion_is_taken_out_of_vertices_from_elsewhere():
    rng = np.random.default_rng(0)
    points = np.stack([pose(HEAD, face(jawOpen=j)) for j in (0.1, 0.8)])
    turned = np.stack(
        [p @ rotation_matrix(*rng.normal(0, 0.5, 3)).T + rng.normal(0, 0.1, 3) for p in points]
    )
    back = head_frame(turned, HEAD.neutral, still_vertices(HEAD))
    assert np.abs(back - points).max() < 1e-6
    with pytest.raises(BadInput, match="at least three"):
        head_frame(turned, HEAD.neutral, np.array([1]))


def test_what_a_source_lacks_rests_in_both_and_is_listed():
    clip = perform(seed=1)
    other = clip.select(*(name for name in clip.names if name not in ("jawOpen", "headYaw")))
    result = compare_clips(HEAD, clip, other)
    assert result.left_out == ("jawOpen",)
    assert result.lve_max_squared == 0
    lost = int((~clip.tracked).sum())
    assert result.dropped == lost > 0 and result.frames == len(clip) - lost
    assert np.isnan(result.over_time["lip_error"]).sum() == lost
    assert any("jawOpen" in line for line in result.lines())


def test_clips_on_other_times_are_refused():
    clip = perform(seed=1)
    with pytest.raises(BadInput, match="Align and resample"):
        compare_clips(HEAD, clip, clip.shifted(0.1))
    with pytest.raises(BadInput, match="Align and resample"):
        compare_clips(HEAD, clip, clip[:-1])


def muted(clip):
    return clip.with_values(np.array(clip.values) * np.float32(0.5))


def killed(*names):
    def kill(clip):
        values = np.array(clip.values)
        values[:, [INDEX[name] for name in names]] *= 0
        return clip.with_values(values)

    return kill


@pytest.mark.parametrize(
    ("fault", "moved", "unmoved"),
    [
        (muted, {"lve_root", "fdd", "lip_gap_error", "aperture_error"}, set()),
        (killed("eyeBlinkLeft", "eyeBlinkRight"), {"aperture_error", "fdd"},
         {"lve_root", "lip_gap_error"}),
        (killed("jawOpen"), {"lve_root", "lip_gap_error"}, {"aperture_error", "fdd"}),
    ],
)  # fmt: skip
def test_planted_faults_move_their_metric_and_no_other(fault, moved, unmoved):
    clip = perform(seed=5)
    found = figures(compare_clips(HEAD, clip, fault(clip)))
    assert all(found[name] > 0.05 for name in moved)
    assert all(abs(found[name]) < 0.05 for name in unmoved)


@pytest.mark.slow
def test_memory_stays_bounded():
    """All vertices of 2,000 frames of both would take 430 MB in float32."""
    clip = FaceClip.of(np.tile(perform(seed=1).values[40:90], (40, 1)))
    tracemalloc.start()
    compare_clips(HEAD, clip, clip, ZONES)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 120e6


def test_lip_error_is_that_of_torchmetrics():
    """An implementation that nobody here wrote, on random vertices."""
    torch = pytest.importorskip("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = importlib.import_module("torchmetrics.functional.multimodal.lve")
    rng = np.random.default_rng(4)
    reference, predicted, neutral = toy(rng), toy(rng), rng.normal(0, 0.01, (6, 3))
    found = compare_vertices(reference, predicted, TOY, neutral)
    expected = theirs.lip_vertex_error(
        torch.from_numpy(predicted * 1000), torch.from_numpy(reference * 1000), TOY.lips.tolist()
    )
    assert found.lve_max_squared == pytest.approx(float(expected), rel=1e-9)
