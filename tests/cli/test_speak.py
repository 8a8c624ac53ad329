"""`semanticface speak`, run as a user runs it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import wave
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import pytest

from semanticface import formats
from semanticface.cli import main as cli
from semanticface.formats.livelink_stream import Receiver
from semanticface.metrics.events import lip_gap
from semanticface.speech.alignments import read_alignment
from semanticface.speech.audio import RATE, as_wav
from semanticface.speech.voices import Voice, say

TEXT = "Bob put the pumpkin in the van."


class Run(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def voice(tmp_path_factory) -> Path:
    assert shutil.which("flite"), "flite is missing; `make test` installs it, or: scripts/apt.sh"
    path = tmp_path_factory.mktemp("voice") / "bob.wav"
    say(TEXT, Voice("flite:slt"), path)
    return path


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)

    def command(*arguments: object) -> Run:
        monkeypatch.setattr(sys, "argv", ["semanticface", "speak", *map(str, arguments)])
        try:
            cli.main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = capsys.readouterr()
        return Run(code, captured.out, captured.err)

    return command


def test_a_transcript_becomes_a_clip_and_an_alignment(run, voice, tmp_path):
    done = run(voice, "--transcript", TEXT, "-o", "a.npz", "--save-alignment", "a.TextGrid")
    assert done.code == 0, done.err
    assert "7 words" in done.err
    clip, timeline = formats.read("a.npz"), read_alignment("a.TextGrid")
    gap = lip_gap(np.nan_to_num(clip.values))
    contacts = timeline.contacts("lips")
    assert len(contacts) == 6  # b b p p m p
    for start, end in contacts:
        assert gap[(clip.times >= start - 0.02) & (clip.times <= end + 0.02)].min() <= 0.03
    again = run(voice, "--alignment", "a.TextGrid", "-o", "b.npz")
    assert again.code == 0, again.err
    assert np.abs(np.nan_to_num(formats.read("b.npz").values - clip.values)).max() < 1e-5


def test_a_live_link_csv_for_other_programs(run, voice):
    (Path("said.txt")).write_text(TEXT)
    done = run(voice, "--transcript", "said.txt", "-o", "a.csv", "--lively", "--fps", "60")
    assert done.code == 0, done.err
    clip = formats.read("a.csv")
    assert clip.rate == pytest.approx(60, rel=0.02)
    assert clip.column("eyeBlinkLeft").max() > 0
    assert "which channels were added" in done.err
    kept = run(voice, "--transcript", "said.txt", "-o", "a.npz", "--lively")
    assert "which channels were added" not in kept.err
    assert formats.read("a.npz").meta.notes["added"]
    plain = run(voice, "--transcript", "said.txt", "-o", "a.csv")
    assert "which channels were added" not in plain.err


def loudness(path: Path) -> np.ndarray:
    """Of a film's or a file's sound on its own clock, in decibels, every 10 ms."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        late = float((stream.start_time or 0) * stream.time_base)
        parts = [frame.to_ndarray().reshape(-1) for frame in container.decode(stream)]
        rate = stream.rate
    samples = np.concatenate([np.zeros(max(0, round(late * rate))), *parts])
    samples = samples / (32768 if np.abs(samples).max() > 2 else 1)
    step = rate // 100
    power = np.square(samples[: len(samples) // step * step].reshape(-1, step)).mean(axis=1)
    return 10 * np.log10(power + 1e-6)


def steps_behind(film: Path, sound: Path) -> int:
    """By how many steps of 10 ms the film's sound is later: where their loudness goes together."""
    ours, theirs = loudness(film), loudness(sound)
    size = min(len(ours), len(theirs)) - 60
    there = theirs[30 : 30 + size]

    def alike(lag: int) -> float:
        return float(np.corrcoef(ours[30 + lag : 30 + lag + size], there)[0, 1])

    return max(range(-30, 31), key=alike)


@pytest.mark.slow
def test_a_film_has_the_sound_in_step(run, voice):
    done = run(voice, "--transcript", TEXT, "-o", "a.mp4", "--size", "64", "--fps", "24")
    assert done.code == 0, done.err
    assert abs(steps_behind(Path("a.mp4"), voice)) <= 1
    with av.open("a.mp4") as film, wave.open(str(voice)) as sound:
        seconds = sound.getnframes() / sound.getframerate()
        picture, heard = film.streams.video[0], film.streams.audio[0]
        assert abs(float(picture.duration * picture.time_base) - seconds) < 2 / 24
        assert abs(float(heard.duration * heard.time_base) - seconds) < 3 / 24


def test_a_shifted_sound_would_be_noticed(voice, tmp_path):
    with wave.open(str(voice)) as sound:
        rate, raw = sound.getframerate(), sound.readframes(sound.getnframes())
    with wave.open(str(tmp_path / "late.wav"), "wb") as late:
        late.setnchannels(1), late.setsampwidth(2), late.setframerate(rate)
        late.writeframes(bytes(2 * round(0.08 * rate)) + raw)
    assert steps_behind(tmp_path / "late.wav", voice) == 8


@pytest.mark.slow
def test_a_film_of_a_file_that_breaks_off_has_the_sound_up_to_there(run, voice, tmp_path):
    with av.open(str(voice)) as given, av.open("a.mp3", "w") as made:
        stream = made.add_stream("mp3", rate=given.streams.audio[0].rate)
        for frame in given.decode(audio=0):
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    whole = Path("a.mp3").read_bytes()
    half = len(whole) // 2
    Path("b.mp3").write_bytes(whole[:half] + np.random.default_rng(0).bytes(half))
    done = run("b.mp3", "--transcript", TEXT, "-o", "b.mp4", "--size", "64")
    assert done.code == 0, done.err
    assert "breaks off" in done.err
    with av.open("b.mp4") as film:
        heard = film.streams.audio[0]
        assert 0.5 < float(heard.duration * heard.time_base) < 2


@pytest.mark.slow
def test_a_film_of_sound_with_samples_that_are_no_numbers(run, voice):
    from scipy.io import wavfile

    rate, samples = wavfile.read(voice)
    samples = (samples / 32768).astype(np.float32)
    samples[9000:9400] = np.nan
    wavfile.write("nan.wav", rate, samples)
    done = run("nan.wav", "--transcript", TEXT, "-o", "n.mp4", "--size", "64")
    assert done.code == 0, done.err
    assert "400 of" in done.err
    assert "RuntimeWarning" not in done.err
    assert abs(steps_behind(Path("n.mp4"), voice)) <= 1


def test_without_a_transcript_phones_are_heard(run, voice):
    done = run(voice, "-o", "a.npz")
    assert done.code == 0, done.err
    assert "phones alone" in done.err
    assert formats.read("a.npz").column("jawOpen").max() > 0.1


def test_live_to_a_receiver(run, voice):
    with Receiver("127.0.0.1", 0) as receiver:
        done = run(voice, "-o", f"udp://127.0.0.1:{receiver.address[1]}", "--fps", "5")
        assert done.code == 0, done.err
        assert receiver.receive(timeout=2.0) is not None


def test_the_transcript_of_another_recording_is_told_and_the_rest_kept(run, voice):
    done = run(voice, "--transcript", "Nobody whistled so loudly at seven oceans", "-o", "a.npz")
    assert done.code == 0
    assert "probably of another recording" in done.err
    assert len(formats.read("a.npz"))


@pytest.mark.parametrize(("arguments", "message"), [
    (("nothing.wav", "-o", "a.npz"), "no such file"),
    (("VOICE", "-o", "a.xyz"), "the suffix '.xyz'"),
    (("VOICE", "-o", "a.npz", "--transcript", "gone.txt"), "gone.txt: found no such file"),
    (("VOICE", "-o", "a.npz", "--transcript", "..."), "without a word"),
    (("VOICE", "-o", "a.npz", "--transcript", "x", "--alignment", "a.TextGrid"), "one of them"),
    (("VOICE", "-o", "a.npz", "--alignment", "a.eaf"), "the suffix '.eaf'"),
    (("VOICE", "-o", "a.xyz"), "Or a film, .mp4 or .webm, or udp://HOST:PORT"),
    (("VOICE", "-o", "gone/a.npz"), "gone: found no such folder"),
    (("VOICE", "-o", "a.npz", "--transcript", "gone.md"), "gone.md: found no such file"),
    (("VOICE", "-o", "a.npz", "--transcript", "texts/gone"), "found no such file"),
    (("VOICE", "-o", "a.npz", "--run", "gone"), "gone: found no finished run"),
    (("VOICE", "-o", "a.npz", "--save-alignment", "a.eaf"), "expected .TextGrid, .ctm or .srt"),
    (("VOICE", "-o", "udp://"), "udp://HOST:PORT"),
    (("broken.wav", "-o", "a.npz"), "cannot be read as sound"),
    (("VOICE", "-o", "a.npz", "--lexicon", "own.dict", "--transcript", "x"), "the symbol 'QX'"),
])  # fmt: skip
def test_bad_input_is_one_message(run, voice, arguments, message):
    Path("broken.wav").write_bytes(b"RIFF\x00\x00\x00\x00nonsense")
    Path("own.dict").write_text("bob B QX B\n")
    done = run(*(voice if each == "VOICE" else each for each in arguments))
    assert done.code == 2
    assert message in " ".join(done.err.split())
    assert "Traceback" not in done.err


def test_what_cannot_be_written_is_told_before_anything_is_heard(run, voice, monkeypatch):
    def never(*arguments, **more):
        raise AssertionError("the recording was read")

    monkeypatch.setattr("semanticface.speech.listen.listen", never)
    for more in (("-o", "a.xyz"), ("-o", "gone/a.npz"), ("-o", "a.npz", "--run", "gone"),
                 ("-o", "a.npz", "--save-alignment", "a.eaf")):  # fmt: skip
        assert run(voice, "--transcript", TEXT, *more).code == 2


def test_a_tone_moves_nothing_and_that_is_said(run, tmp_path):
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(3 * RATE) / RATE).astype(np.float32)
    (tmp_path / "tone.wav").write_bytes(as_wav(tone))
    done = run("tone.wav", "-o", "a.npz")
    assert done.code == 0
    assert "no phone is heard: the mouth stays still" in done.err
    told = run("tone.wav", "--transcript", TEXT, "-o", "b.npz")
    assert "the phones heard there move the mouth" not in told.err
    for name in ("a.npz", "b.npz"):
        assert not np.nan_to_num(formats.read(name).values).any()


def test_a_runs_own_rate_is_told_where_another_is_asked_for(run, voice):
    done = run(voice, "--transcript", TEXT, "--run", "small", "--fps", "60", "-o", "a.npz")
    assert done.code == 0, done.err
    assert "the run answers at 30 frames a second" in done.err
    assert formats.read("a.npz").rate == pytest.approx(30)


def test_whisper_is_asked_for_by_name_or_folder(run, voice):
    Path("model").mkdir()
    done = run(voice, "--transcribe", "model", "-o", "a.npz")
    assert done.code == 2
    told = " ".join(done.err.split())
    assert "semanticface[transcribe]" in told or "no model.bin in 'model'" in told
    both = run(voice, "--transcribe", "tiny.en", "--transcript", TEXT, "-o", "a.npz")
    assert "--transcript and --transcribe" in both.err


def test_your_own_lexicon_is_used(run, voice):
    Path("own.dict").write_text("bobb B AA1 B\n")
    done = run(voice, "--transcript", TEXT.replace("Bob", "Bobb"), "--lexicon", "own.dict", "-o",
               "a.npz", "--save-alignment", "a.TextGrid")  # fmt: skip
    assert done.code == 0, done.err
    assert [(s.symbol, s.stress) for s in read_alignment("a.TextGrid").sounds][:3] == [
        ("B", None), ("AA", 1), ("B", None)]  # fmt: skip


def test_what_a_recording_costs_is_told_by_part_of_its_cues(voice, monkeypatch, capsys, tmp_path):
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))

    def command(*more):
        told = ["semanticface", "tokens", "-t", str(tmp_path), "--speech", str(voice), *more]
        monkeypatch.setattr(sys, "argv", told)
        try:
            cli.main()
        except SystemExit as stop:
            return int(stop.code or 0), capsys.readouterr()
        return 0, capsys.readouterr()

    code, shown = command("--transcript", TEXT)
    assert code == 0, shown.err
    rows = {line.split()[0]: line.split()[1:] for line in shown.out.splitlines() if line.strip()}
    assert {"words", "phones", "stress", "mouth", "frames", "articulation", "codes"} <= set(rows)
    assert float(rows["mouth"][0]) > float(rows["words"][0]) > 0
    assert "a second" in shown.out and "sound is not counted" in shown.err
    code, shown = command("--transcript", TEXT, "--alignment", "a.TextGrid")
    assert code == 2 and "one of them" in shown.err


def test_a_live_source_without_a_sound_is_an_error(tmp_path):
    for held in (b"", b"\0"):
        done = subprocess.run(
            [Path(sys.executable).with_name("semanticface"), "speak-live", "-", "-o", "a.csv"],
            input=held, capture_output=True, cwd=tmp_path, check=False,
        )  # fmt: skip
        assert done.returncode == 2
        assert b"no sound at all" in done.stderr and b"Traceback" not in done.stderr
