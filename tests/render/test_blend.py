"""The renderer's way of posing gives what `head.pose` gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semanticface.errors import BadInput
from semanticface.render.blend import Poser, moves_of
from semanticface.render.head import load_head, pose
from semanticface.rig import COUNT


@pytest.mark.parametrize("seed", [None, 0, 3])
def test_the_same_vertices_as_the_matrix_product(seed):
    head = load_head()
    offset = None if seed is None else head.identity_offset(seed)
    poser, rng = Poser(head, offset), np.random.default_rng(5)
    for _ in range(10):
        row = np.r_[rng.uniform(0, 1.1, 52), rng.uniform(-0.4, 0.4, COUNT - 52)]
        row = (row * (rng.uniform(size=COUNT) < 0.6)).astype(np.float32)
        assert np.abs(poser(row) - pose(head, row, offset)).max() < 1e-7


def test_a_frame_leaves_nothing_behind_for_the_next():
    head = load_head()
    poser, still = Poser(head), np.zeros(COUNT, np.float32)
    poser(np.full(COUNT, 0.5, np.float32))
    assert (poser(still) == head.neutral).all()


def test_a_head_whose_neck_turns_too():
    head = replace(load_head(), turn=None)
    row = np.linspace(0, 0.6, COUNT, dtype=np.float32)
    assert np.abs(Poser(head)(row) - pose(head, row)).max() < 1e-7


def test_only_what_moves_is_kept():
    head = load_head()
    moves = moves_of(head.shapes)
    back = np.zeros_like(head.shapes)
    for shape in range(52):
        here = slice(moves.starts[shape], moves.starts[shape + 1])
        back[shape, moves.vertices[here]] = moves.offsets[here]
    assert (back == head.shapes).all()
    assert (moves.offsets != 0).any(1).all()


def test_numbers_that_are_missing_are_refused():
    with pytest.raises(BadInput, match="not finite"):
        Poser(load_head())(np.full(COUNT, np.nan, np.float32))
