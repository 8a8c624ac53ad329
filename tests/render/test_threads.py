"""Drawing in threads: the same pictures in the same order, never far ahead, errors passed on."""

from __future__ import annotations

from itertools import count, islice

import numpy as np
import pytest

from semanticface.errors import BadInput
from semanticface.render.picture import Renderer
from semanticface.render.threads import render_all
from semanticface.rig import COUNT, INDEX


def faces(number: int) -> np.ndarray:
    rng = np.random.default_rng(number)
    values = np.zeros((number, COUNT), np.float32)
    values[:, :52] = rng.uniform(0, 1, (number, 52)) ** 3
    values[:, INDEX["headYaw"]] = rng.uniform(-0.4, 0.4, number)
    return values


@pytest.mark.parametrize("options", [{"look": "realistic", "identity": 4}, {"look": "toon"}])
def test_threads_give_the_pictures_of_one_thread_in_order(options):
    values = faces(40)
    renderer = Renderer(size=64, **options)
    alone = [renderer.render(each) for each in values]
    for threads in (1, 2, 3):
        together = list(render_all(renderer, values, threads))
        assert len(together) == len(alone)
        assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def test_a_twin_shares_the_head_and_nothing_that_is_written():
    renderer = Renderer(size=64)
    twin = renderer.twin()
    assert twin.head is renderer.head
    smile, rest = faces(2)
    expected = renderer.render(smile)
    twin.render(rest)
    assert np.array_equal(renderer.render(smile), expected)
    kept = renderer.mask().copy()
    twin.render(faces(3)[2])
    assert np.array_equal(renderer.mask(), kept)


def test_frames_without_end_are_read_only_a_little_ahead():
    taken = 0

    def endless():
        nonlocal taken
        for _ in count():
            taken += 1
            yield np.zeros(COUNT, np.float32)

    assert len(list(islice(render_all(Renderer(size=32), endless(), 2), 20))) == 20
    assert taken <= 20 + 2 * 4 + 1


def test_a_wrong_frame_stops_the_drawing_with_its_error():
    good = np.zeros(COUNT, np.float32)
    drawn = render_all(Renderer(size=32), [good, np.zeros(52), good], 2)
    assert next(drawn).shape == (32, 32, 3)
    with pytest.raises(BadInput, match="61"):
        list(drawn)


def test_no_threads_are_refused():
    with pytest.raises(BadInput, match="threads"):
        render_all(Renderer(size=32), [], 0)
