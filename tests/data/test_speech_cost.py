"""What windows of speech cost: parts by hand, and sums that hang together."""

from __future__ import annotations

import pytest

from semanticface.data.speech_cost import EACH_FRAME, speech_costs
from semanticface.data.speech_tasks import SpeechTask
from semanticface.speech.cues import CUES, SETS, Spoken
from semanticface.speech.rules import animate
from semanticface.speech.stitching import Cut
from semanticface.speech.timeline import Sound, Timeline, Word

MAPLE = Timeline(
    (Sound("M", 0.0, 0.2, None, 0), Sound("EY", 0.2, 0.5, 1, 0), Sound("P", 0.5, 0.6, None, 0),
     Sound("AH", 0.6, 0.8, 0, 0), Sound("L", 0.8, 1.0, None, 0)),
    (Word("maple", 0.0, 1.0),), 2.0,
)  # fmt: skip


def words(text: str) -> int:
    return len(text.split())


@pytest.fixture(scope="module")
def costs():
    return speech_costs(Spoken(MAPLE), animate(MAPLE), words, Cut(15, 15))


def test_parts_are_counted_each_alone(costs):
    assert (costs.windows, costs.seconds) == (4, 2.0)
    parts = {each.name: each for each in costs.parts}
    assert list(parts) == list(CUES)
    # frames 0 to 14: "phones: 0-5 M | 6-14 EY"; 15 to 29: P, AH, L; silence after
    assert (parts["phones"].most, parts["phones"].least) == (9, 0)
    assert parts["phones"].mean == (6 + 9) / 4
    assert parts["phones"].second == pytest.approx(15 / 2.0)
    assert parts["stress"].second == 0  # a digit makes no word longer
    assert parts["voice"].second == 0  # nothing was measured
    assert parts["frames"].mean == 1 + 15 + 2 * 6


def test_a_mark_costs_what_it_adds_to_the_phones():
    told = speech_costs(Spoken(MAPLE), animate(MAPLE), len, Cut(15, 15))
    parts = {each.name: each for each in told.parts}
    assert (parts["stress"].most, parts["stress"].second) == (1, 1.0)  # EY1, then AH0
    assert parts["emphasis"].most == 0


def test_requests_hold_their_cues_and_the_same_text_around_them(costs):
    requests = {each.name: each for each in costs.requests}
    assert list(requests) == list(SETS)
    spoken, cut = Spoken(MAPLE), Cut(15, 15)
    task = SpeechTask.of("codes", cues="phones")
    window = cut.windows(60, 30.0)[0]
    told = task.asked(spoken.section(window, task.cues), window.frames)
    whole = sum(words(p.get("text", "")) for each in told for p in each["content"])
    assert requests["phones"].most >= whole >= requests["phones"].least
    assert requests["articulation"].mean > requests["phones"].mean > requests["audio"].mean


def test_answers_stand_beside_a_json_object_a_frame():
    told = speech_costs(Spoken(MAPLE), animate(MAPLE), len, Cut(15, 12))
    answers = {each.cost.name: each for each in told.answers}
    assert list(answers) == [EACH_FRAME, "frames", "keys", "codes", "shapes"]
    assert answers[EACH_FRAME].cost.second == pytest.approx(30 * answers[EACH_FRAME].cost.mean)
    assert answers["codes"].fewer > answers["frames"].fewer > 1
    assert answers["codes"].worst <= 0.035 + 1e-6
    assert answers["shapes"].cost.most == 15
