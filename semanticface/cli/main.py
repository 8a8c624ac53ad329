"""The `semanticface` command. Heavy imports stay inside the commands."""

from __future__ import annotations

import sys

import typer

from semanticface.cli.annotate import annotate
from semanticface.cli.arena import arena
from semanticface.cli.budget import budget
from semanticface.cli.calibrate import calibrate
from semanticface.cli.compare import compare
from semanticface.cli.convert import convert
from semanticface.cli.demo import demo
from semanticface.cli.describe import describe
from semanticface.cli.doctor import doctor
from semanticface.cli.gateway import gateway
from semanticface.cli.inspect import inspect
from semanticface.cli.label import label
from semanticface.cli.merge import merge
from semanticface.cli.parity import parity
from semanticface.cli.predict import predict
from semanticface.cli.rank import rank
from semanticface.cli.rank_answers import judge, sample
from semanticface.cli.rank_speech import speech
from semanticface.cli.receive import receive
from semanticface.cli.render import render
from semanticface.cli.rounds import rounds
from semanticface.cli.serve import serve
from semanticface.cli.smooth import smooth
from semanticface.cli.speak import speak
from semanticface.cli.speak_live import speak_live
from semanticface.cli.stream import stream
from semanticface.cli.synth import synth
from semanticface.cli.tokens import tokens
from semanticface.cli.validate import validate
from semanticface.errors import SemanticFaceError

app = typer.Typer(
    name="semanticface",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Faces into words and numbers: 52 ARKit shapes and 9 rotations over time.",
    epilog="Start with [bold]semanticface demo[/bold], then "
    "[bold]semanticface inspect YOUR_TAKE.csv[/bold]. "
    "Each command shows examples under --help.",
)
for command in (
    inspect, describe, convert, smooth, calibrate, validate, compare, render, speak, speak_live,
    tokens, synth, annotate, budget, predict, merge, arena, rounds, demo, doctor, serve, gateway,
    stream, receive, parity, label,
):  # fmt: skip
    app.command()(command)
for answering in (sample, judge, speech):
    rank.command()(answering)
app.add_typer(rank)

_INTERRUPTED = 130
"""Ctrl-C, as a shell counts it; what typer ends with."""


def main() -> None:
    """Run the command line: a fault of the input is one message and exit code 2."""
    try:
        app()
    except SemanticFaceError as error:
        _stop(str(error))
    except OSError as error:
        _stop(_plain(error))
    except SystemExit as ended:
        if ended.code == _INTERRUPTED:
            from semanticface.cli.console import err

            err().print("interrupted")
        raise


def _plain(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _stop(message: str) -> None:
    from semanticface.cli.console import fail

    fail(message)
    sys.exit(2)


if __name__ == "__main__":
    main()
