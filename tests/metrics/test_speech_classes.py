"""Errors by class of sound, against cases worked out by hand."""

import numpy as np
import pytest

from semanticface.errors import BadInput
from semanticface.metrics.clusters import by_key
from semanticface.metrics.speech_classes import CLASSES, class_errors, class_sums
from semanticface.metrics.statistics import cluster_bootstrap
from semanticface.rig import COUNT, INDEX
from semanticface.speech.phones import phones
from semanticface.speech.spans import class_spans
from semanticface.speech.timeline import Sound, Timeline

NAMES = ("a", "b", "never")
TIMES = np.arange(10) / 10
ONE = (INDEX["jawOpen"],)


def faces(jaw):
    values = np.zeros((10, COUNT))
    values[:, ONE[0]] = jaw
    return values


def test_a_frame_belongs_to_the_span_it_lies_in():
    spans = [("a", 0.0, 0.4), ("b", 0.4, 0.7), ("a", 0.7, 1.0)]
    pred = faces([0.1] * 4 + [0.5] * 3 + [0.3] * 3)
    found = class_errors(class_sums(pred, faces(0.0), TIMES, spans, NAMES, channels=ONE))
    assert found.mae[:2] == pytest.approx([(4 * 0.1 + 3 * 0.3) / 7, 0.5])
    assert found.mse[:2] == pytest.approx([(4 * 0.01 + 3 * 0.09) / 7, 0.25])
    assert np.isnan(found.mae[2])


def test_what_nobody_measured_does_not_count():
    truth = faces(0.0)
    truth[1] = np.nan
    sums = class_sums(faces(0.2), truth, TIMES, [("a", 0.0, 0.3)], NAMES, channels=ONE)
    assert sums.values[0] == 2
    assert class_errors(sums).mae[0] == pytest.approx(0.2)


def test_sums_give_intervals_by_sentence():
    rng = np.random.default_rng(0)
    several = [class_sums(faces(rng.random(10)), faces(0.0), TIMES,
                          [("a", 0.0, 0.5), ("b", 0.5, 1.0)], NAMES[:2], channels=ONE)
               for _ in range(12)]  # fmt: skip
    sums = by_key(several, [f"s{i // 2}" for i in range(12)]).sums
    found = cluster_bootstrap(sums, lambda each: class_errors(each).mae)
    assert (found.low < found.estimate).all()
    assert (found.estimate < found.high).all()


def test_other_classes_and_other_times_are_refused():
    with pytest.raises(BadInput, match="the class 'c'"):
        class_sums(faces(0), faces(0), TIMES, [("c", 0, 1)], NAMES)
    with pytest.raises(BadInput, match="one time grid"):
        class_sums(faces(0), faces(0), TIMES[:4], [], NAMES)


def test_every_phone_has_a_class_and_the_whole_time_is_covered():
    names = [name for name in phones() if name != "SIL"]
    sounds = tuple(Sound(name, 0.1 * i + 0.05, 0.1 * i + 0.15) for i, name in enumerate(names))
    found = class_spans(Timeline(sounds, seconds=10))
    assert {name for name, _, _ in found} == set(CLASSES)
    assert sum(end - start for _, start, end in found) == pytest.approx(10)
    by_phone = {name: told for (told, start, _), name in zip(found[1:], names, strict=False)}
    assert by_phone["B"] == "lips together"
    assert by_phone["V"] == "lip on teeth"
    assert by_phone["AA"] == "open vowel"
