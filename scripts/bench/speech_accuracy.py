"""How exactly phones are found, in clean and bad sound, and whether a wrong transcript is told.

    python scripts/bench/speech_accuracy.py --sentences 12

flite speaks (exact phone times); its sound is aligned as it is, with white noise, and as a
telephone would carry it. Intervals are percentile bootstraps over sentences.
"""

from __future__ import annotations

import argparse
import difflib
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from semanticface.data.speech_corpus import sentences
from semanticface.metrics.statistics import cluster_bootstrap
from semanticface.speech.align import Aligner
from semanticface.speech.audio import Recording, Samples
from semanticface.speech.timeline import Timeline
from semanticface.speech.voices import Voice, installed, say


class Spoken(NamedTuple):
    sentence: int
    text: str
    samples: Samples
    truth: Timeline


def utterances(count: int) -> list[Spoken]:
    found = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.wav"
        for number, text in enumerate(sentences(count, seed=7)):
            for name in installed():
                truth = say(text, Voice(name), path)
                found.append(Spoken(number, text, Recording(path).samples(), truth))
    return found


def noisy(samples: Samples, decibels: float, seed: int) -> Samples:
    noise = np.random.default_rng(seed).standard_normal(len(samples)).astype(np.float32)
    level = np.sqrt(np.mean(np.square(samples))) / 10 ** (decibels / 20)
    return samples + level * noise


def telephone(samples: Samples) -> Samples:
    """Nothing above 4 kHz, as a file of 8 kHz has it."""
    spectrum = np.fft.rfft(samples)
    spectrum[len(spectrum) // 2 :] = 0
    return np.fft.irfft(spectrum, len(samples)).astype(np.float32)


def errors(found: Timeline, truth: Timeline) -> np.ndarray:
    """Seconds between the starts of the phones that both have in order."""
    ours, theirs = ([s.symbol for s in each.sounds] for each in (found, truth))
    blocks = difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks()
    return np.array([found.sounds[i + k].start - truth.sounds[j + k].start
                     for i, j, n in blocks for k in range(n)])  # fmt: skip


def share(hits: np.ndarray, total: np.ndarray) -> str:
    """hits / total with its 95 % interval over sentences."""
    if (hits == total).all():
        return f"{100 * hits.sum() / total.sum():.1f} %"
    told = cluster_bootstrap((hits, total), lambda s: s[0] / s[1], method="percentile")
    return f"{100 * told.estimate:.1f} % ({100 * told.low:.1f} to {100 * told.high:.1f})"


def row(name: str, said: list[Spoken], sounds: list[Samples], aligner: Aligner) -> None:
    count = 1 + max(each.sentence for each in said)
    near, wide, phones, placed, words = (np.zeros(count) for _ in range(5))
    every = []
    for each, samples in zip(said, sounds, strict=True):
        found = aligner.align([samples], each.text)
        off = np.abs(errors(found, each.truth))
        every.append(off)
        near[each.sentence] += (off <= 0.0201).sum()
        wide[each.sentence] += (off <= 0.0501).sum()
        phones[each.sentence] += len(each.truth.sounds)
        placed[each.sentence] += len(found.words)
        words[each.sentence] += len(each.text.split())
    median = 1000 * np.median(np.concatenate(every))
    print(f"| {name} | {share(placed, words)} | {median:.0f} ms | {share(near, phones)} | "
          f"{share(wide, phones)} |", flush=True)  # fmt: skip


def wrong(said: list[Spoken], aligner: Aligner) -> None:
    """Each utterance with its own transcript and with that of the next sentence."""
    told = {"own": 0, "next": 0}
    texts = {each.sentence: each.text for each in said}
    for each in said:
        for name, text in (("own", each.text), ("next", texts[(each.sentence + 1) % len(texts)])):
            found = aligner.align([each.samples], text)
            told[name] += any("another recording" in fault.why for fault in found.faults)
    print(f"\ntold as another recording's: {told['next']} of {len(said)} wrong transcripts, "
          f"{told['own']} of {len(said)} right ones")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sentences", type=int, default=12)
    said = utterances(parser.parse_args().sentences)
    aligner = Aligner()
    print(f"{len(said)} utterances, {sum(len(each.truth.sounds) for each in said)} phones\n")
    print("| sound | words placed | median error | within 20 ms | within 50 ms |")
    print("|---|---|---|---|---|")
    clean = [each.samples for each in said]
    row("clean", said, clean, aligner)
    for decibels in (20, 10, 0):
        sounds = [noisy(samples, decibels, i) for i, samples in enumerate(clean)]
        row(f"white noise, {decibels} dB", said, sounds, aligner)
    row("nothing above 4 kHz", said, [telephone(samples) for samples in clean], aligner)
    wrong(said, aligner)


if __name__ == "__main__":
    main()
