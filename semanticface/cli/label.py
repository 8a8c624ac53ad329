"""`semanticface label`: many pictures to one take, without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from semanticface.errors import BadInput


def label(
    pictures: Annotated[Path, typer.Argument(help="A folder of pictures, a frame each.")],
    run: Annotated[str, typer.Option("--run", "-r", help="A run's folder.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The take: .csv, .npz ...")],
    rate: Annotated[float, typer.Option(help="Frames a second of the take.")] = 30.0,
    kept: Annotated[
        Path | None,
        typer.Option(help="Folder for requests, answers and vLLM's log; else they are not kept."),
    ] = None,
    cpu: Annotated[bool, typer.Option("--cpu", help="On the processor, for trials.")] = False,
    base: Annotated[
        str | None, typer.Option(help="Where the run's base model lies now.", show_default=False)
    ] = None,
    python: Annotated[
        Path | None, typer.Option(help="Interpreter of the environment with vLLM.")
    ] = None,
) -> None:
    """Label a folder by `vllm run-batch`: one file of requests, one of answers, one take.

    [bold]semanticface label stills/ --run runs/smile -o take.npz[/bold]

    For millions of frames cut them into folders and give each to a job.
    """
    import tempfile
    from collections import Counter

    from semanticface.cli.console import note
    from semanticface.formats import write
    from semanticface.serve.arguments import Options
    from semanticface.serve.batch import read_answers, run_batch, write_requests
    from semanticface.serve.live.sources import folder_frames
    from semanticface.serve.server import vllm_python
    from semanticface.serve.target import target_of

    if not pictures.is_dir():
        raise BadInput("no such folder", "a folder of pictures", file=pictures)
    target = target_of(run, base=base)
    if not target.models:
        raise BadInput(f"the model {run}", "a run, whose manifest says how it is asked", file=run)
    task = target.models[target.main].task()
    frames = list(folder_frames(pictures, rate))
    options = Options(device="cpu" if cpu else "gpu", dtype="float32" if cpu else "auto")
    with tempfile.TemporaryDirectory() as name:
        place = kept or Path(name)
        place.mkdir(parents=True, exist_ok=True)
        asked, answered = place / "requests.jsonl", place / "answers.jsonl"
        write_requests(frames, task, target.main, asked)
        run_batch(vllm_python(python), target, options, asked, answered, log=place / "vllm.log")
        clip, reports = read_answers(answered, frames, task)
    write(clip, output)
    counts = Counter(each.outcome for each in reports)
    note(f"{len(frames)} pictures: " + ", ".join(f"{n} {how}" for how, n in counts.items()))
