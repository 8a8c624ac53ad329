"""`semanticface speak`: a recording of speech to a talking face, by rules or by a model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from semanticface.rig import FaceClip
    from semanticface.speech.listen import Heard
    from semanticface.speech.transcribe import Recogniser

FILMS = (".mp4", ".webm")
_SHOWN = 12


def speak(
    audio: Annotated[Path, typer.Argument(help="Any sound or film file.", show_default=False)],
    output: Annotated[
        str,
        typer.Option("--output", "-o", help="A clip (.csv, .npz, .glb ...), a film (.mp4, .webm), "
                     "or udp://HOST:PORT to play it to Live Link."),
    ],
    transcript: Annotated[
        str | None, typer.Option(help="What is said in English: a text file, or the words.")
    ] = None,
    transcribe: Annotated[
        str | None,
        typer.Option(metavar="tiny.en|FOLDER|URL", help="Have a model write the transcript, in "
                     "English: Whisper offline (extra 'transcribe'), a faster-whisper or "
                     "transformers folder, or an OpenAI-compatible endpoint."),
    ] = None,
    transcriber: Annotated[str, typer.Option(help="Name of an endpoint's model.")] = "whisper-1",
    api_key_env: Annotated[
        str | None,
        typer.Option(help="Environment variable with the endpoint's key.", show_default=False),
    ] = None,
    alignment: Annotated[
        Path | None,
        typer.Option(help="Ready words and phones: .TextGrid, .ctm, .srt, WhisperX .json."),
    ] = None,
    lexicon: Annotated[
        Path | None, typer.Option(help="Your own pronunciations: hello  HH AH0 L OW1 a line.")
    ] = None,
    save_alignment: Annotated[
        Path | None, typer.Option(help="Write words and phones (.TextGrid), phones (.ctm) or "
                     "words (.srt).")
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(help="A run of speech (recipes/sft.py): its model moves the mouth; 'small' is "
                     "the one that comes along."),
    ] = None,
    fps: Annotated[
        float, typer.Option(help="Frames a second; a run has its own.", min=1, max=240)
    ] = 30.0,
    lively: Annotated[
        bool, typer.Option("--lively", help="Add blinks, gaze and head motion, marked as added.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of what --lively adds.", min=0)] = 0,
    identity: Annotated[int | None, typer.Option(help="A film's person.", min=0)] = None,
    size: Annotated[int, typer.Option(help="A film's pixels.", min=64, max=2160)] = 512,
) -> None:  # fmt: skip
    """Turn speech into a moving mouth: phones to mouth shapes, by rules or by a trained model.

    With a transcript the words are aligned with the sound; without one the phones are heard,
    which is less exact.

    [bold]Examples[/bold]

    semanticface speak voice.wav --transcript "Bob put the pumpkin in the box." -o face.mp4

    semanticface speak interview.mp4 --transcript said.txt -o face.csv --save-alignment a.TextGrid

    semanticface speak voice.wav --alignment mfa.TextGrid -o face.glb --lively

    semanticface speak voice.wav -o udp://192.168.1.20:11111

    semanticface speak voice.wav --transcript said.txt --run small -o face.mp4
    """
    from semanticface.cli.console import err
    from semanticface.speech.rules import animate, enliven

    _check(output, transcript, transcribe, alignment, save_alignment, run)
    if transcribe is not None:
        key = _key(api_key_env)
        transcript = _transcribed(audio, transcribe, transcriber, key)
    heard = heard_as_told(audio, transcript, alignment, lexicon)
    tell(heard)
    if save_alignment is not None:
        from semanticface.speech.alignments import write_alignment

        write_alignment(heard.timeline, save_alignment)
    if run is None:
        clip = animate(heard.timeline, heard.contours, rate=fps)
    else:
        clip = _by_model(run, heard, audio)
        film = Path(output).suffix.lower() in FILMS
        if not film and abs(clip.rate - fps) > 0.01:
            err().print(f"note: the run answers at {clip.rate:g} frames a second; --fps is of the "
                        "rules and of films", markup=False)  # fmt: skip
    clip = enliven(clip, seed=seed) if lively else clip
    _write(clip, heard, audio, output, fps=fps, identity=identity, size=size)


def _check(
    output: str, transcript: str | None, transcribe: str | None, alignment: Path | None,
    save_alignment: Path | None, run: Path | None,
) -> None:  # fmt: skip
    """What can be wrong before anybody has waited."""
    from semanticface.errors import BadInput
    from semanticface.formats.catalogue import for_writing
    from semanticface.speech.alignments import written_as
    from semanticface.train.places import SMALL_RUN

    one_of({"--transcript": transcript, "--transcribe": transcribe, "--alignment": alignment})
    places = [] if save_alignment is None else [save_alignment]
    if save_alignment is not None:
        written_as(save_alignment)
    if output.startswith("udp://"):
        _address(output)
    else:
        places.append(Path(output))
        if Path(output).suffix.lower() not in FILMS:
            try:
                for_writing(output)
            except BadInput as fault:
                hint = f"Or a film, {' or '.join(FILMS)}, or udp://HOST:PORT."
                raise BadInput(fault.found, fault.expected, file=output, hint=hint) from None
    for each in places:
        if not each.absolute().parent.is_dir():
            raise BadInput("no such folder", "one to write into", file=each.parent)
    if run is not None and str(run) != SMALL_RUN and not (run / "manifest.json").is_file():
        raise BadInput("no finished run", f"a folder of recipes/sft.py, or {SMALL_RUN}", file=run)


def one_of(given: Mapping[str, object]) -> None:
    """An error where words come from two sides."""
    from semanticface.errors import BadInput

    named = [name for name, value in given.items() if value is not None]
    if len(named) > 1:
        raise BadInput(" and ".join(named), "one of them", hint="Each brings its own words.")


def _address(output: str) -> tuple[str, int]:
    from urllib.parse import urlsplit

    from semanticface.errors import BadInput
    from semanticface.formats.livelink_stream import PORT

    try:
        parts = urlsplit(output)
        host, port = parts.hostname, parts.port or PORT
    except ValueError:
        host, port = None, 0
    if not host:
        raise BadInput(f"the target '{output}'", "udp://HOST:PORT", hint="Change --output.")
    return host, port


def _key(variable: str | None) -> str:
    import os

    from semanticface.errors import BadInput

    key = os.environ.get(variable, "").strip() if variable else ""
    if variable and not key:
        raise BadInput(f"no key in the environment variable {variable}", "the endpoint's key",
                       hint="Change --api-key-env.")  # fmt: skip
    return key


def _transcribed(audio: Path, model: str, name: str, key: str) -> str | None:
    from semanticface.cli.console import note
    from semanticface.speech.audio import Recording
    from semanticface.speech.transcribe import transcribe
    from semanticface.speech.words import tokens

    text = transcribe(Recording(audio).blocks(), _recogniser(model, name, key))
    note(f"heard by {model}: {text or 'nothing'}")
    return text if tokens(text) else None


def _recogniser(model: str, name: str, key: str) -> Recogniser:
    if model.startswith(("http://", "https://")):
        from semanticface.serve.transcription import Transcriber

        return Transcriber(model, name, key)
    from semanticface.speech.transcribe import whisper
    from semanticface.train.recognising import is_model, recogniser

    return recogniser(Path(model)) if is_model(Path(model)) else whisper(model)


def heard_as_told(
    audio: Path, transcript: str | None, alignment: Path | None, lexicon: Path | None
) -> Heard:
    """A recording with what is known of its words."""
    from semanticface.speech.alignments import WordsOnly, read_alignment
    from semanticface.speech.lexicon import read_lexicon
    from semanticface.speech.listen import listen
    from semanticface.speech.words import transcript_of

    own = None if lexicon is None else read_lexicon(lexicon)
    if alignment is not None:
        found = read_alignment(alignment)
        if not isinstance(found, WordsOnly):
            return listen(audio, alignment=found)
        return listen(audio, found.transcript, lexicon=own)
    told = None if transcript is None else transcript_of(transcript)
    return listen(audio, told, lexicon=own)


def tell(heard: Heard) -> None:
    """What a person should know of a recording, and what was found in it."""
    import math

    from semanticface.cli.console import err, note

    lines = heard.notes()
    for line in lines[:_SHOWN]:
        err().print(f"note: {line}", markup=False)
    if len(lines) > _SHOWN:
        err().print(f"note: and {len(lines) - _SHOWN} more of this kind", markup=False)
    timeline = heard.timeline
    score = "" if math.isnan(timeline.score) else f", score {timeline.score:.0f} a frame"
    note(f"{timeline.seconds:.2f} s, {len(timeline.words)} words, {len(timeline.sounds)} phones "
         f"by {timeline.source}{score}")  # fmt: skip


def _by_model(run: Path, heard: Heard, audio: Path) -> FaceClip:
    """The mouth by a run's model; what could not be read is told and stays empty."""
    from semanticface.cli.console import err
    from semanticface.speech.audio import Recording
    from semanticface.speech.cues import Spoken
    from semanticface.train.places import SMALL_RUN, small_run
    from semanticface.train.speaking import opened

    speaker = opened(small_run(speech=True) if str(run) == SMALL_RUN else run)
    if speaker.task.cues and not heard.timeline.words:
        err().print("note: the model was trained with words and there are none: give a transcript",
                    markup=False)  # fmt: skip
    made = speaker.clip_of(Spoken(heard.timeline, heard.contours), Recording(audio).blocks(),
                           heard.report.seconds)  # fmt: skip
    unread = made.unread
    for line in unread[:_SHOWN]:
        err().print(f"note: {line}", markup=False)
    if unread:
        err().print(f"note: {len(unread)} of {len(made.answers)} windows were not answered",
                    markup=False)  # fmt: skip
    if made.missing:
        err().print(f"note: {made.missing} of {len(made.clip)} frames have no answer", markup=False)
    return made.clip


def _write(
    clip: FaceClip, heard: Heard, audio: Path, output: str, *, fps: float, identity: int | None,
    size: int,
) -> None:  # fmt: skip
    from semanticface import formats
    from semanticface.cli.console import err, note
    from semanticface.formats.catalogue import accepts, for_writing
    from semanticface.speech.rules import ADDED

    if output.startswith("udp://"):
        from semanticface.formats.livelink_stream import send

        count = send(clip, *_address(output), fill=0.0)
        err().print(f"{count} frames -> {output}", markup=False)
        return
    if Path(output).suffix.lower() in FILMS:
        _film(clip, heard, audio, Path(output), fps=fps, identity=identity, size=size)
        return
    options: dict[str, Any] = {}
    if accepts(for_writing(output), "write", "fill"):
        options["fill"] = 0.0  # the rest of the face is at rest, and the format must say so
    for text in formats.write(clip, output, **options):
        note(f"wrote: {text}")
    if clip.meta.notes.get(ADDED) and Path(output).suffix.lower() != ".npz":
        err().print(f"note: {Path(output).suffix} does not keep which channels were added: only "
                    ".npz does, and an evaluation must know", markup=False)  # fmt: skip
    err().print(f"{len(clip)} frames, {clip.duration:.2f} s -> {output}", markup=False)


def _film(
    clip: FaceClip, heard: Heard, audio: Path, output: Path, *, fps: float,
    identity: int | None, size: int,
) -> None:  # fmt: skip
    from semanticface.cli.console import err, track
    from semanticface.render.picture import Renderer
    from semanticface.render.timeline import count
    from semanticface.render.video import pictures, write_video
    from semanticface.speech.audio import SILENT_PEAK

    renderer = Renderer(identity=identity, size=size)
    frames = track(pictures(clip, renderer, fps), "drawing", count(clip, fps))
    report = heard.report
    sound = audio if report.peak >= SILENT_PEAK else None
    damaged = bool(report.broke or report.not_finite)
    written = write_video(output, frames, fps, audio=sound, damaged=damaged)
    err().print(f"{written} frames, {written / fps:.2f} s -> {output}", markup=False)
