"""Copies in noise and with wrong words: what stays true, what is told, and that both differ."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from semanticface.data.rough_speech import Roughness, noisy, roughen
from semanticface.data.speech_corpus import build
from semanticface.data.speech_samples import read_samples, write_samples
from semanticface.data.speech_tasks import SpeechTask
from semanticface.errors import BadInput
from semanticface.rig import INDEX
from semanticface.speech.alignments import read_alignment
from semanticface.speech.audio import Recording

TEXTS = ["Bob moved five blue pumpkins.", "My brother reads maps before noon.",
         "Seven foxes jumped over the warm wall.", "Please pour the milk."]  # fmt: skip


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    assert shutil.which("flite"), "flite is missing; `make test` installs it, or: scripts/apt.sh"
    folder = tmp_path_factory.mktemp("corpus")
    build(folder, TEXTS, seed=4, voices=["flite:slt"], held_out=())
    told = [each.model_copy(update={"split": "test" if "milk" in each.text else "train"})
            for each in read_samples(folder / "samples.jsonl")]  # fmt: skip
    write_samples(folder / "samples.jsonl", told)
    return folder


def made(corpus, folder, **how):
    told = roughen(list(read_samples(corpus / "samples.jsonl")), folder, Roughness(**how), seed=3)
    return told, list(read_samples(folder / "samples.jsonl"))


def test_copies_in_noise_keep_the_truth_and_are_aligned_anew(corpus, tmp_path):
    told, samples = made(corpus, tmp_path / "rough", wrong=0.0, voices=0.0, decibels=(20.0, 20.0))
    assert (told.copies, told.wrong, told.unplaced) == (3, 0, 0)
    assert len(samples) == 7
    task = SpeechTask.of("shapes")
    by_id = {each.id: each for each in samples}
    for copy in samples[4:]:
        own = by_id[copy.id.removesuffix("-rough")]
        assert copy.split == "train" and "noise at 20 dB" in copy.source
        clean, heard = (Recording(each.audio).samples() for each in (own, copy))
        power = [float(np.square(each, dtype=np.float64).mean()) for each in
                 (clean, heard - clean)]  # fmt: skip
        assert 10 * np.log10(power[0] / power[1]) == pytest.approx(20, abs=0.3)
        assert task.take(copy).clip.same_motion(task.take(own).clip)
        phones = [[s.symbol for s in read_alignment(each.alignment).sounds]
                  for each in (own, copy)]  # fmt: skip
        assert len(set(phones[0]) & set(phones[1])) > len(set(phones[0])) / 2
        starts = [s.start for s in read_alignment(copy.alignment).sounds]
        assert starts != [s.start for s in read_alignment(own.alignment).sounds]


def test_wrong_words_last_as_long_as_the_sound_which_is_not_copied(corpus, tmp_path):
    told, samples = made(corpus, tmp_path / "wrong", wrong=1.0, voices=0.0)
    assert told.wrong == told.copies == 3
    for copy, own in zip(samples[4:], (s for s in samples if s.split == "train"), strict=False):
        assert Path(copy.audio).samefile(own.audio)
        found = read_alignment(copy.alignment)
        assert [w.text for w in found.words] != own.text.rstrip(".").split()
        assert found.seconds == pytest.approx(Recording(own.audio).samples().size / 16000, abs=0.02)


def test_another_speed_is_the_sounds_the_truths_and_the_cues(corpus, tmp_path):
    _, samples = made(corpus, tmp_path / "fast", wrong=0.0, voices=1.0, decibels=(40.0, 40.0))
    task, speeds = SpeechTask.of("shapes"), []
    for copy in samples[4:]:
        own = next(each for each in samples if each.id == copy.id.removesuffix("-rough"))
        sizes = [len(Recording(each.audio).samples()) for each in (own, copy)]
        speeds.append(sizes[0] / sizes[1])
        takes = [task.take(each) for each in (own, copy)]
        assert len(takes[1].clip) == pytest.approx(len(takes[0].clip) / speeds[-1], abs=1.1)
        assert f"{speeds[-1]:.2f} times as fast" in copy.source
        ends = [read_alignment(each.alignment).words[-1].end for each in (own, copy)]
        assert ends[0] / ends[1] == pytest.approx(speeds[-1], rel=0.05)
        jaws = [take.clip.values[:, INDEX["jawOpen"]] for take in takes]
        assert jaws[0].max() == pytest.approx(jaws[1].max(), abs=0.05)
        peaks = [jaw.argmax() / len(jaw) for jaw in jaws]
        assert peaks[0] == pytest.approx(peaks[1], abs=0.05)
    assert len({round(each, 3) for each in speeds}) == 3 and all(0.85 < s < 1.18 for s in speeds)


def test_the_same_seed_makes_the_same_and_a_share_is_a_share(corpus, tmp_path):
    made(corpus, tmp_path / "one")
    made(corpus, tmp_path / "two")
    files = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*.*"))
    assert files == sorted(p.relative_to(tmp_path / "two") for p in (tmp_path / "two").rglob("*.*"))
    assert any(path.suffix == ".wav" for path in files)
    for path in files:
        if path.suffix != ".jsonl":  # places are as far away in both, but named
            assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()
    few = [made(corpus, tmp_path / f"few{i}", share=share)[0].copies
           for i, share in enumerate((0.01, 1.0))]  # fmt: skip
    assert few == [0, 3]


def test_several_copies_of_a_sample_are_each_of_their_own_kind(corpus, tmp_path):
    _, once = made(corpus, tmp_path / "once", wrong=0.0, voices=0.5)
    told, samples = made(corpus, tmp_path / "more", share=2.5, wrong=0.0, voices=0.5)
    assert 6 <= told.copies <= 9
    assert len({each.id for each in samples}) == len(samples) == 4 + told.copies
    by_id = {each.id: each for each in samples}
    for copy in once[4:]:
        again, second = by_id[copy.id], by_id[f"{copy.id}-2"]
        assert again.source == copy.source != second.source
        sounds = [Recording(each.audio).samples() for each in (copy, again, second)]
        np.testing.assert_array_equal(sounds[0], sounds[1])
        assert not np.array_equal(sounds[1], sounds[2])


def test_what_cannot_be_made_is_said(corpus, tmp_path):
    samples = list(read_samples(corpus / "samples.jsonl"))
    with pytest.raises(BadInput, match="two at least"):
        roughen([each for each in samples if each.split == "test"], tmp_path)
    for how in (
        Roughness(share=0),
        Roughness(wrong=2),
        Roughness(voices=-1),
        Roughness(decibels=(30, 20)),
    ):
        with pytest.raises(BadInput, match="20 copies"):
            roughen(samples, tmp_path, how)
    with pytest.raises(BadInput, match="the samples themselves"):
        roughen(samples, corpus)
    assert list(read_samples(corpus / "samples.jsonl")) == samples
    silent = noisy(np.zeros(100, np.float32), np.ones(100, np.float32), 10)
    assert not silent.any()


def test_the_command_says_what_it_made(corpus, tmp_path):
    done = subprocess.run(
        [sys.executable, "scripts/rough_speech.py", corpus, tmp_path / "r", "--wrong", "1"],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "3 copies beside 4 samples, 3 with wrong words" in done.stdout
    other = subprocess.run(
        [sys.executable, "scripts/rough_speech.py", tmp_path, tmp_path / "r"],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert other.returncode == 2 and "no samples of speech" in other.stderr
