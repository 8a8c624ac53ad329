"""`semanticface serve`: a trained model behind an OpenAI-compatible address."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from semanticface.errors import BadInput, SemanticFaceError

if TYPE_CHECKING:
    from semanticface.data.tasks import Task
    from semanticface.serve.server import Server


def serve(
    model: Annotated[
        str,
        typer.Argument(
            help="A run's folder, `small` for the packaged one, a model's folder, or a hub name."
        ),
    ],
    name: Annotated[str, typer.Option(help="Name to ask for.")] = "face",
    adapter: Annotated[
        list[str] | None, typer.Option(help="One adapter more, NAME=FOLDER. May be repeated.")
    ] = None,
    answer: Annotated[
        str, typer.Option(help="Answer format of a MODEL; of a run another that it has learnt.")
    ] = "",
    base: Annotated[
        str | None, typer.Option(help="Where a run's base model lies now.", show_default=False)
    ] = None,
    stage: Annotated[str, typer.Option(help="Stage of a MODEL's task.")] = "describe+coefficients",
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen at.")] = 8000,
    api_key_env: Annotated[
        str, typer.Option(help="Environment variable that holds the key clients must send.")
    ] = "",
    cpu: Annotated[bool, typer.Option("--cpu", help="Serve on the processor, for trials.")] = False,
    dtype: Annotated[str, typer.Option(help="auto, bfloat16, float16 or float32.")] = "auto",
    max_len: Annotated[int, typer.Option(help="Tokens of prompt and answer together.")] = 4096,
    max_seqs: Annotated[int, typer.Option(help="Answers at once; 0 lets vLLM choose.")] = 0,
    tensor_parallel: Annotated[int, typer.Option(help="GPUs a copy is spread over.")] = 1,
    data_parallel: Annotated[int, typer.Option(help="Copies behind this address.")] = 1,
    gpu_memory: Annotated[float, typer.Option(help="Share of a GPU's memory; 0: vLLM's.")] = 0.0,
    ngram: Annotated[int, typer.Option(help="Tokens to guess from the prompt's key names.")] = 0,
    hot: Annotated[
        bool, typer.Option("--hot", help="Adapters may come and go at run time.")
    ] = False,
    one_pass: Annotated[
        bool, typer.Option("--one-pass", help="61 values from one prefill instead of text.")
    ] = False,
    python: Annotated[
        Path | None, typer.Option(help="Interpreter of the environment with vLLM.")
    ] = None,
    extra: Annotated[
        list[str] | None, typer.Option(help="Passed on to vLLM, word by word. May be repeated.")
    ] = None,
    patience: Annotated[float, typer.Option(help="Seconds to wait for it to answer.")] = 900.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would start.")] = False,
) -> None:
    """Start vLLM for a trained model, wait until it answers, stop it on Ctrl-C.

    [bold]semanticface serve runs/smile[/bold]
    [bold]semanticface serve runs/smile --answer flat[/bold]
    [bold]semanticface serve small --one-pass --cpu[/bold]
    [bold]semanticface serve runs/smile --adapter stern=runs/stern --port 8001[/bold]
    [bold]semanticface serve Qwen/Qwen3-VL-4B-Instruct --answer two-key[/bold]
    """
    from semanticface.serve.arguments import Options, arguments, environment
    from semanticface.serve.server import Server, vllm_python
    from semanticface.serve.target import target_of
    from semanticface.train.places import run_folder

    model = str(run_folder(model))
    task = None if (Path(model) / "manifest.json").is_file() else _task(answer, stage)
    target = target_of(model, name=name, task=task, answer=answer, adapters=adapter or (),
                       base=base)  # fmt: skip
    options = Options(
        host, port, "cpu" if cpu else "gpu", "float32" if cpu and dtype == "auto" else dtype,
        max_len, max_seqs or None, tensor_parallel=tensor_parallel, data_parallel=data_parallel,
        gpu_memory=gpu_memory or None, ngram=ngram, hot=hot, one_pass=one_pass,
        extra=tuple(extra or ()),
    )  # fmt: skip
    told = arguments(target, options)
    if dry_run:
        typer.echo(shlex.join(["vllm", "serve", *told]))
        return
    started = Server(vllm_python(python), told, environment(target, options, _key(api_key_env)))
    _run(started, target.main, patience)


def _run(server: Server, name: str, patience: float) -> None:
    """Until it ends or somebody ends it."""
    from semanticface.cli.console import note
    from semanticface.cli.ending import as_ctrl_c

    note(shlex.join(server.command))
    try:
        with as_ctrl_c(), server:
            seconds = server.wait(patience)
            note(f"answers after {seconds:.0f} s: {server.url}/v1, model '{name}'")
            code = server.join()
            raise SemanticFaceError(f"vLLM ended with code {code}")
    except KeyboardInterrupt:
        note("stopped")


def _task(answer: str, stage: str) -> Task | None:
    from semanticface.data.tasks import STAGES, Task

    if not answer:
        return None
    chosen = next((each for each in STAGES if each == stage), None)
    if chosen is None:
        raise BadInput(f"--stage {stage}", f"one of {', '.join(STAGES)}")
    return Task.of(answer, chosen)


def _key(variable: str) -> str | None:
    """The key is read from the environment, so that it stands in no process list."""
    if not variable:
        return None
    key = os.environ.get(variable, "")
    if not key:
        raise BadInput("no key", "one for clients to send",
                       hint=f"Put it into the environment variable {variable}.")  # fmt: skip
    return key
