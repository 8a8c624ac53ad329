"""How fast speech becomes a mouth, how much memory hours of it take, how many tokens it costs.

    python scripts/bench/speech.py                              # speeds and characters
    python scripts/bench/speech.py --tokenizer tokenizer.json   # and tokens
    python scripts/bench/speech.py --tokenizer tokenizer.json --motion take.csv
    python scripts/bench/speech.py --hours 2                    # memory of a long recording
    python scripts/bench/speech.py --model                      # the small model, and live

The sound is LibriVox's 24.7 s of Sense and Sensibility (Debian: pocketsphinx-testdata), said
over and over. Speeds are times faster than real time, by processor time of one thread; the
wall clock stands beside them. Loading the acoustic model is left out.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from semanticface import formats
from semanticface.language.answers import FlatJson
from semanticface.language.token_cost import byte_counter, tokenizer_counter
from semanticface.metrics.mouth_sets import MOUTH_31
from semanticface.motion.resample import resample
from semanticface.rig import FaceClip
from semanticface.speech.align import Aligner
from semanticface.speech.audio import RATE, Recording, Samples, as_int16
from semanticface.speech.contours import contours
from semanticface.speech.cues import SETS, Spoken
from semanticface.speech.hear import hear
from semanticface.speech.mouth_shapes import ShapeForm
from semanticface.speech.rules import animate
from semanticface.speech.stitching import Cut
from semanticface.speech.timeline import Timeline
from semanticface.speech.window_answers import FORMS, WindowForm, reconstruction

LIBRIVOX = Path("/usr/share/pocketsphinx/test/data/librivox")
REPEATS = 6


def readings() -> tuple[list[Path], list[str]]:
    if not LIBRIVOX.is_dir():
        raise SystemExit("no LibriVox readings: apt-get install pocketsphinx-testdata")
    paths, texts = [], []
    for line in (LIBRIVOX / "transcription").read_text().splitlines():
        text, _, key = line.rpartition("(")
        paths.append(LIBRIVOX / f"{key.strip()[:-1]}.wav")
        texts.append(text.replace("<s>", "").replace("</s>", "").strip())
    return paths, texts


def blocks(samples: Samples) -> Iterator[Samples]:
    size = 10 * RATE
    for first in range(0, len(samples), size):
        yield samples[first : first + size]


def timed(what: str, seconds: float, against: str, work: Callable[[], Any]) -> Any:
    wall, own = time.perf_counter(), time.process_time()
    found = work()
    own, wall = time.process_time() - own, time.perf_counter() - wall
    print(f"| {what} | {seconds / own:.0f} | {seconds / wall:.0f} | {against} |")
    return found


def speeds() -> tuple[Timeline, Any, FaceClip]:
    paths, texts = readings()
    samples = np.concatenate([Recording(path).samples() for path in paths] * REPEATS)
    text = " ".join(texts * REPEATS)
    seconds = len(samples) / RATE
    aligner = Aligner()
    animate(Timeline((), seconds=0.1))  # the table is read once
    print(f"{seconds:.0f} s of speech, {len(text.split())} words\n")
    print("| what | times real time, processor | wall | wanted |\n|---|---|---|---|")
    heard = timed("loudness, pitch, voice", seconds, "", lambda: contours(blocks(samples)))
    timeline = timed("alignment, words and phones", seconds, "30",
                     lambda: aligner.align(blocks(samples), text))  # fmt: skip
    timed("phones without a transcript", seconds, "", lambda: hear(blocks(samples)))
    clip = timed("rule baseline, 30 fps", seconds, "200", lambda: animate(timeline, heard))
    timed("rule baseline, 60 fps", seconds, "200", lambda: animate(timeline, heard, rate=60))
    print(f"\n{len(timeline.words)} words placed, {len(timeline.faults)} faults")
    return timeline, heard, clip


def costs(timeline: Timeline, heard: Any, clip: FaceClip, tokenizer: Path | None) -> None:
    count = byte_counter() if tokenizer is None else tokenizer_counter(tokenizer)
    unit = "bytes" if tokenizer is None else "tokens"
    few = clip[slice(0, 720)]  # 24 s: every sentence once
    answers(few, tokenizer)
    spoken = Spoken(timeline, heard)
    windows = [Cut(n, n - 3).windows(len(few), 30.0) for n in (6, 15, 30)]
    print(f"\n| cues | {unit} a window of 6 frames | of 15 | of 30 |\n|---|---|---|---|")
    for name, cues in SETS.items():
        means = [np.mean([count(spoken.section(each, cues)) for each in some]) for some in windows]
        print(f"| {name} | {' | '.join(f'{mean:.0f}' for mean in means)} |")


def mouth_of(path: Path) -> FaceClip:
    """The first half minute of a clip at 30 frames a second, its mouth within 0 and 1."""
    held = resample(formats.read(path).from_zero(), np.arange(900) / 30)
    values = np.clip(held.values, 0, 1)
    return held.with_values(values)[slice(0, int((~np.isnan(values).all(1)).sum()))]


def answers(few: FaceClip, tokenizer: Path | None) -> None:
    """What answers cost for 30 frames a second of motion, and what they lose of it."""
    count = byte_counter() if tokenizer is None else tokenizer_counter(tokenizer)
    unit = "bytes" if tokenizer is None else "tokens"
    seconds = len(few) / 30
    frame = FlatJson(decimals=2, channels=MOUTH_31)
    single = sum(count(frame.write(np.nan_to_num(each))) for each in few.values) / seconds
    print(
        f"\n| answer | {unit} a second | times fewer | mean error | worst |\n|---|---|---|---|---|"
    )
    held = few.values[:, list(MOUTH_31)]
    off = np.abs(np.round(held, 2) - held)
    print(f"| one JSON object a frame, 2 decimals | {single:.0f} | 1 | {off.mean():.4f} | "
          f"{off.max():.3f} |")  # fmt: skip
    for cut in (Cut(15, 12), Cut(30, 27)):
        windows = cut.windows(len(few), 30.0)
        parts = [few.values[w.first : w.first + w.frames] for w in windows]
        for form in FORMS:
            told = WindowForm(form)
            cost = sum(count(told.write(part)) for part in parts) / seconds
            lost = reconstruction(told, parts)
            print(f"| {form}, {cut.frames} frames every {cut.hop} | {cost:.0f} | "
                  f"{single / cost:.1f} | {lost.mae:.4f} | {lost.worst:.3f} |")  # fmt: skip
        cost = sum(map(len, parts)) / seconds  # a token a frame, whatever the tokenizer
        lost = reconstruction(ShapeForm(), [np.nan_to_num(part) for part in parts])
        print(f"| shapes, {cut.frames} frames every {cut.hop} | {cost:.0f} tokens | "
              f"{single / cost:.1f} | {lost.mae:.4f} | {lost.worst:.3f} |")  # fmt: skip


def models() -> None:
    """Seconds of work a second of speech: the small model with random weights, and live."""
    import torch

    from semanticface.data.speech_tasks import SpeechTask
    from semanticface.speech.live import Ear, Live
    from semanticface.train.hearing import load_hearing
    from semanticface.train.loading import Source
    from semanticface.train.nano_audio import build
    from semanticface.train.speaking import ModelEar, speaker

    torch.set_num_threads(1)
    paths, texts = readings()
    samples = np.concatenate([Recording(path).samples() for path in paths])
    seconds = len(samples) / RATE
    spoken = Spoken(Aligner().align([samples], " ".join(texts)), contours([samples]))
    print(f"{seconds:.0f} s of speech, one thread\n\n| what | work a second of speech, processor | "
          "wall | wanted |\n|---|---|---|---|")  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        build(folder)
        for cues in ("audio", "articulation", "text"):
            task = SpeechTask.of("shapes", cues=cues)
            made = speaker(*load_hearing(Source(folder, "float32"), task), task)
            made.clip(spoken, samples[: 2 * RATE])
            _share(f"small model, {cues}", seconds, "1", lambda m=made: m.clip(spoken, samples))
        ears = speaker(*load_hearing(Source(folder, "float32"), _hearing()), _hearing())
        for name, mouth in (("rules", Ear()), ("small model", ModelEar(ears))):
            live = Live(mouth)
            _share(f"live, {name}", seconds, "1", lambda now=live: _spoken_into(now, samples))
            waited = live.hop + live.ahead
            print(f"slowest frame {live.delay:.2f} s after its moment, {waited:.1f} s "
                  "of it waiting")  # fmt: skip


def _spoken_into(live: Any, samples: Samples) -> None:
    """In blocks of 50 ms, as a microphone gives them."""
    size = RATE // 20
    for first in range(0, len(samples), size):
        list(live.push(samples[first : first + size]))


def _hearing() -> Any:
    from semanticface.data.speech_tasks import SpeechTask

    return SpeechTask.of("shapes", cues="audio")


def _share(what: str, seconds: float, against: str, work: Callable[[], Any]) -> None:
    wall, own = time.perf_counter(), time.process_time()
    work()
    own, wall = time.process_time() - own, time.perf_counter() - wall
    print(f"| {what} | {own / seconds:.3f} | {wall / seconds:.3f} | {against} |", flush=True)


def memory(hours: float) -> None:
    """Peak memory of a whole `speak` to a clip, of minutes and of hours, each in a process."""
    print("| length | peak memory | processor time | words placed |\n|---|---|---|---|")
    for seconds in (300.0, 3600 * hours):
        with tempfile.TemporaryDirectory() as folder:
            words = _long_file(Path(folder), seconds)
            told = subprocess.run([sys.executable, __file__, "--one", folder], check=True,
                                  capture_output=True, text=True).stdout.split()  # fmt: skip
        print(f"| {seconds / 60:.0f} min | {told[0]} MB | {told[1]} s | {told[2]} of {words} |",
              flush=True)  # fmt: skip


def _long_file(folder: Path, seconds: float) -> int:
    paths, texts = readings()
    samples = np.concatenate([Recording(path).samples() for path in paths])
    once = as_int16(samples)
    repeats = max(1, round(seconds * RATE / len(samples)))
    with wave.open(str(folder / "a.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        for _ in range(repeats):
            file.writeframes(once)
    (folder / "a.txt").write_text(" ".join(texts * repeats))
    return repeats * sum(len(text.split()) for text in texts)


def one(folder: Path) -> None:
    from semanticface.speech.listen import listen

    heard = listen(folder / "a.wav", (folder / "a.txt").read_text())
    clip = animate(heard.timeline, heard.contours)
    formats.write(clip, folder / "a.csv", fill=0.0)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{most:.0f} {time.process_time():.0f} {len(heard.timeline.words)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--motion", type=Path, nargs="*", default=[], metavar="CLIP",
                        help="answers for the first half minute of these alone")  # fmt: skip
    parser.add_argument("--tokenizer", type=Path, help="a tokenizer.json; bytes without it")
    parser.add_argument("--hours", type=float, help="measure memory instead of speed")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--model", action="store_true", help="the small model, and live")
    told = parser.parse_args()
    if told.model:
        models()
    elif told.one:
        one(told.one)
    elif told.hours:
        memory(told.hours)
    else:
        if not told.motion:
            costs(*speeds(), told.tokenizer)
        for path in told.motion:
            print(f"\n{path.stem}")
            answers(mouth_of(path), told.tokenizer)


if __name__ == "__main__":
    main()
