"""`semanticface predict`: coefficients from pictures, by a trained model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from semanticface.serve.remote import RemotePredictor
    from semanticface.train.face_crop import Crop
    from semanticface.train.predictions import Asked, Outcome
    from semanticface.train.shots import Shot


def predict(
    places: Annotated[
        list[Path] | None,
        typer.Argument(help="Pictures, folders of them, movies.", show_default=False),
    ] = None,
    run: Annotated[
        str | None,
        typer.Option("--run", "-r", help="A run's folder, or a model's folder or name; `small`, "
                     "the model that comes along, unless given.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="A folder for the answers; run again to go on.",
                     show_default=False),
    ] = None,
    stage: Annotated[
        str | None,
        typer.Option(help="One that a run has learnt; of a model any.", show_default=False),
    ] = None,
    answer: Annotated[
        str | None,
        typer.Option("--format", "--answer", help="Answer format: one that a run has learnt, its "
                     "first unless given; of a model any.", show_default=False),
    ] = None,
    channels: Annotated[
        str | None,
        typer.Option(help="Of a model, or of a server's: arkit-52, mouth-31, mouth-29, or names "
                     "with commas; all 61 unless given. A run has those that it has learnt.",
                     show_default=False),
    ] = None,
    base: Annotated[
        str | None, typer.Option(help="Where the run's base model lies now.", show_default=False)
    ] = None,
    endpoint: Annotated[
        str | None,
        typer.Option(help="Ask a server that `semanticface serve` started.", show_default=False),
    ] = None,
    served: Annotated[str, typer.Option(help="Name of the model there.")] = "face",
    api_key_env: Annotated[
        str | None,
        typer.Option(help="Environment variable with the server's key.", show_default=False),
    ] = None,
    at_once: Annotated[
        int, typer.Option(help="Pictures with the server at the same time.", min=1)
    ] = 32,
    crop: Annotated[
        str | None,
        typer.Option(help="What part is shown: the largest face, as `face`; `none` for all; or "
                     "LEFT,TOP,SIDE in pixels. `face` for the small model, else `none`.",
                     show_default=False),
    ] = None,
    every: Annotated[float, typer.Option(help="Seconds between a movie's pictures.", min=0)] = 0.0,
    camera: Annotated[
        int | None, typer.Option(help="Number of a webcam.", min=0, show_default=False)
    ] = None,
    seconds: Annotated[float, typer.Option(help="How long to record the webcam.", min=0.1)] = 5.0,
    overlay: Annotated[
        bool, typer.Option("--overlay", help="Film the pictures beside the predicted face.")
    ] = False,
    batch: Annotated[
        int, typer.Option(help="Pictures that a model here answers side by side.", min=1)
    ] = 8,
    tokens: Annotated[int, typer.Option(help="Most tokens of an answer.", min=1)] = 2048,
) -> None:  # fmt: skip
    """Say the 61 coefficients of the face in each picture.

    One picture without --out: the answer as JSON. Otherwise a folder with JSON, CSV, a clip
    and a list of what failed. Answers are kept as they come: the same command goes on.

    [bold]Examples[/bold]

    semanticface predict face.png

    semanticface predict party.jpg --crop 120,40,300

    semanticface predict movie.mp4 --run runs/nano --out answers --every 0.1 --overlay

    semanticface predict photos --run Qwen/Qwen3-VL-4B-Instruct --format two-key --out answers

    semanticface predict photos --endpoint http://127.0.0.1:8000 --out answers

    semanticface predict --camera 0 --seconds 10 --out me --overlay
    """
    from semanticface.errors import BadInput
    from semanticface.train.face_crop import FACE, NONE, crop_of
    from semanticface.train.places import SMALL_RUN, run_folder
    from semanticface.train.predictor import opened
    from semanticface.train.shots import record, shots

    given = list(places or [])
    if bool(given) == (camera is not None):
        raise BadInput("pictures and a camera" if given else "no picture",
                       "pictures, folders, movies, or --camera")  # fmt: skip
    if out is None and (len(given) != 1 or overlay or camera is not None):
        raise BadInput("no folder for the answers", "--out FOLDER")
    small = run is None or str(run) == SMALL_RUN
    cutting = crop_of(crop or (FACE if small and endpoint is None else NONE))
    found = shots(given, every) if given else record(camera or 0, seconds, _folder(out) / "camera")
    if out is None and len(found) != 1:
        raise BadInput(f"{len(found)} pictures", "--out FOLDER for more than one")
    if endpoint is not None:
        if run is not None or base is not None:
            raise BadInput("--endpoint with --run or --base", "one or the other")
        predictor: Asked = _remote(
            endpoint, served, api_key_env, out, _task(stage, answer, channels), at_once
        )
    else:
        predictor = opened(run_folder(str(run or "")), answer=answer, stage=stage, base=base,
                           channels=channels)  # fmt: skip
    predictor.most = tokens
    if out is None:
        _say(predictor, found, cutting)
    else:
        source = ", ".join(map(str, given)) or "camera"
        _fill(predictor, found, out, batch, overlay, source, cutting)


def _remote(
    url: str, served: str, variable: str | None, out: Path | None, task: Any, at_once: int
) -> RemotePredictor:
    import os

    from semanticface.serve.remote import RemotePredictor

    key = os.environ.get(variable, "") if variable else ""
    journal = None if out is None else out / "endpoint.jsonl"
    return RemotePredictor(url, served, key, journal, task=task, at_once=at_once)


def _folder(out: Path | None) -> Path:
    assert out is not None
    return out


def _task(stage: str | None, answer: str | None, channels: str | None = None) -> Any:
    from semanticface.data.channel_sets import ALL
    from semanticface.data.tasks import STAGES, Task
    from semanticface.errors import BadInput, did_you_mean

    if stage is None and answer is None and channels is None:
        return None
    chosen = next((each for each in STAGES if each == (stage or "describe+coefficients")), None)
    if chosen is None:
        raise BadInput(f"the stage '{stage}'", f"one of {', '.join(STAGES)}",
                       hint=did_you_mean(str(stage), STAGES))  # fmt: skip
    return Task.of(answer or "two-key", chosen, channels=channels or ALL)


def _say(predictor: Asked, found: list[Shot], crop: Crop) -> None:
    """The answer to one picture, on stdout."""
    import json
    import tempfile

    from semanticface.errors import SemanticFaceError
    from semanticface.train.predictions import Predictions, face_json
    from semanticface.train.predictions import predict as answer

    with tempfile.TemporaryDirectory() as folder:
        kept = Predictions.begun(Path(folder), predictor.origin)
        outcome = answer(predictor, found, kept, batch=1, crop=crop)
    if outcome.failed:
        raise SemanticFaceError(next(iter(outcome.failed.values())))
    typer.echo(json.dumps(face_json(outcome.answers[0]), ensure_ascii=False))


def _fill(
    predictor: Asked, found: list[Shot], out: Path, batch: int, film: bool, source: str, crop: Crop
) -> None:
    """Answers to all pictures, in a folder."""
    import time

    from semanticface.cli.console import err
    from semanticface.cli.watch import watching
    from semanticface.train.predictions import Predictions, write_out
    from semanticface.train.predictions import predict as answer

    begun = time.perf_counter()
    kept = Predictions.begun(out, predictor.origin)
    with watching() as tell:
        told = None if tell is None else lambda done, of: tell("looking", done, of)
        outcome = answer(predictor, found, kept, batch=batch, told=told, crop=crop)
    took = time.perf_counter() - begun
    counts = write_out(outcome, out, source)
    if film and outcome.answers:
        _film(outcome, found, out / "overlay.mp4")
    pace = f", {outcome.asked / took:.1f} pictures/s" if outcome.asked else ""
    read = ", ".join(f"{count} {how}" for how, count in sorted(counts.items()))
    read = f" ({read})" if read else ""
    err().print(f"{len(outcome.answers)} answers{read}, {outcome.asked} of them new{pace}, "
                f"{len(outcome.failed)} failed -> {out}", markup=False)  # fmt: skip
    for name, why in list(outcome.failed.items())[:10]:
        err().print(f"  {name}: {why}", markup=False)
    if outcome.failed:
        raise typer.Exit(1)


def _film(outcome: Outcome, found: list[Shot], path: Path) -> None:
    """At the movie's own mean rate; ten pictures a second for files."""
    from semanticface.render.video import write_video
    from semanticface.train.predictions import clip_of, overlay

    clip = clip_of(outcome.answers, "")
    timed = len(clip) > 1 and not clip.meta.conventions
    rate = (len(clip) - 1) / float(clip.times[-1] - clip.times[0]) if timed else 10.0
    write_video(path, overlay(outcome, found), min(rate, 60.0))
