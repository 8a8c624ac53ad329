import math

import numpy as np
import pytest

from semanticface.errors import BadInput
from semanticface.language.intensity import DEFAULT, Bins, IntensityBins


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (0.0, None), (0.0999, None), (0.1, "slight"), (0.29, "slight"), (0.3, "moderate"),
        (0.59, "moderate"), (0.6, "strong"), (0.7, "strong"), (0.85, "extreme"), (1.08, "extreme"),
        (float("nan"), None), (-0.4, None),
    ],
)  # fmt: skip
def test_a_lower_edge_belongs_to_its_bin(value, word):
    assert DEFAULT.weights.word(value) == word


def test_the_grid_of_tenths_survives_float32():
    tenths = np.arange(11, dtype=np.float32) * np.float32(0.1)
    assert DEFAULT.weights.levels(tenths).tolist() == [0, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4]


def test_rotations_are_told_in_degrees_and_kept_in_radians():
    assert DEFAULT.head.word(math.radians(4.9)) is None
    assert DEFAULT.head.word(math.radians(12)) == "moderate"
    assert DEFAULT.eyes.word(math.radians(20)) == "strong"


def test_ranges_of_words_and_of_levels_that_the_bins_lack():
    assert DEFAULT.weights.range_of("moderate") == (0.3, 0.6)
    assert DEFAULT.weights.range_of("strong", "extreme") == (0.6, math.inf)
    two = IntensityBins((0.2, 0.5), ("slight", "strong"))
    assert two.range_of("moderate") == (0.2, 0.5)
    assert two.range_of("extreme") == (0.5, math.inf)


@pytest.mark.parametrize(
    ("edges", "words", "hint"),
    [
        ((0.1, 0.3), ("slight",), "one lower edge per word"),
        ((0.3, 0.1), ("slight", "strong"), "rise"),
        ((0.0, 0.1), ("slight", "strong"), "positive"),
        ((0.1, 0.3), ("slight", "strnog"), "Did you mean 'strong'"),
        ((0.1, 0.3), ("strong", "slight"), "weakest first"),
    ],
)
def test_bins_that_make_no_sense_are_refused(edges, words, hint):
    with pytest.raises(BadInput, match=hint):
        IntensityBins(edges, words)


def test_the_three_scales_speak_the_same_words():
    with pytest.raises(BadInput, match="same level names"):
        Bins(weights=IntensityBins((0.1,), ("slight",)))
