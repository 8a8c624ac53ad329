"""From `--config FILE --key value ...` to dataclasses; a key nobody knows is an error."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from semanticface.errors import BadInput, did_you_mean, need
from semanticface.formats import json_lines
from semanticface.train.options import DataOptions, LossOptions, ModelOptions, ProbeOptions

_MAX_BYTES = 2**20


class Settings(NamedTuple):
    """All that a run is told."""

    model: ModelOptions
    data: DataOptions
    loss: LossOptions
    probe: ProbeOptions
    training: Any
    """A `TrainingOptions`, which is TRL's SFTConfig with other defaults."""


def parse(
    arguments: Sequence[str] | None = None, about: str = "", small: Path | None = None
) -> Settings:
    """Settings from a YAML file and flags; flags win.

    `small` is the file for the small model, taken where neither file nor model is given.
    """
    kinds = (ModelOptions, DataOptions, LossOptions, ProbeOptions, training_options())
    made = Settings(*told(kinds, arguments, about, small, unless="--model"))
    _check_training(made)
    return made


def told(
    kinds: tuple[Any, ...], arguments: Sequence[str] | None = None, about: str = "",
    small: Path | None = None, *, unless: str = "",
) -> tuple[Any, ...]:  # fmt: skip
    """One object of each dataclass in `kinds`, from a YAML file and flags; flags win.

    `small` is the file that is taken where neither a file nor the flag `unless` is given.
    """
    parser = _parser(kinds, about)
    given = list(arguments) if arguments is not None else None
    if given is None:
        import sys

        given = sys.argv[1:]
    config, flags = _split(given)
    if config is None and not any(flag.partition("=")[0] == unless for flag in flags):
        config = None if small is None else str(small)
    known = sorted({action.dest for action in parser._actions} - {"help"})
    if config is not None:
        _check_keys(read_config(config), known, config)
        flags = ["--config", config, *flags]
    for flag in flags:
        if flag.startswith("--") and flag != "--config":
            _check_flag(flag, known, parser)
    return tuple(parser.parse_args_and_config(flags))


def read_config(path: str | Path) -> dict[str, Any]:
    """A YAML file of one flat mapping."""
    import yaml

    text = json_lines.read_text(path, max_bytes=_MAX_BYTES)
    try:
        held = yaml.safe_load(text)
    except yaml.YAMLError as fault:
        raise BadInput(f"no YAML ({str(fault)[:120]})", "keys and values", file=path) from None
    if not isinstance(held, dict):
        raise BadInput(f"{type(held).__name__}", "keys and values", file=path)
    return held


def training_options() -> Any:
    """The class of the training keys; TRL takes seconds to import."""
    need("trl", "train", "Training")
    from semanticface.train.training import TrainingOptions

    return TrainingOptions


def _parser(kinds: tuple[Any, ...], about: str) -> Any:
    from trl import TrlParser

    return TrlParser(kinds, description=about, allow_abbrev=False)


def _split(given: list[str]) -> tuple[str | None, list[str]]:
    """The config file, in either spelling of the flag, and everything else."""
    rest: list[str] = []
    config = None
    words = iter(given)
    for word in words:
        if word == "--config":
            config = next(words, None)
            if config is None:
                raise BadInput("--config without a file", "--config FILE.yaml")
        elif word.startswith("--config="):
            config = word.partition("=")[2]
        else:
            rest.append(word)
    return config, rest


def _check_keys(held: dict[str, Any], known: list[str], path: str) -> None:
    for key in held:
        if key not in known:
            hint = ("Nothing that changes a result hides in the environment." if key == "env"
                    else did_you_mean(str(key), known))  # fmt: skip
            raise BadInput(f"the key '{key}'", "one that is known", file=path, column=str(key),
                           hint=hint)  # fmt: skip


def _check_flag(flag: str, known: list[str], parser: Any) -> None:
    name = flag.partition("=")[0]
    if name not in parser._option_string_actions:
        raise BadInput(f"the flag '{name}'", "one that is known",
                       hint=did_you_mean(name, [f"--{key}" for key in known]))  # fmt: skip


def _check_training(made: Settings) -> None:
    """What would lose a result in silence is refused."""
    training = made.training
    check_saving(training)
    if training.packing or training.padding_free:
        raise BadInput("packing or padding_free", "neither: TRL cannot pack pictures")
    _ = made.model.plan, made.data.speech or made.data.task
    _check_speech(made)


def check_saving(training: Any) -> None:
    """Of SFT and of preferences alike."""
    if training.remove_unused_columns:
        raise BadInput("remove_unused_columns: true", "false: pictures would be dropped")
    limit = training.save_total_limit
    if limit is not None and limit < 2:
        raise BadInput(
            f"save_total_limit: {limit}",
            "2 or more, or null",
            hint="With one, a run killed while it saves has nothing to go on from.",
        )


def _check_speech(made: Settings) -> None:
    if made.data.speech is None:
        return
    if not made.loss.even or made.loss.number_loss:
        raise BadInput("weights of regions or the number-token loss with speech", "neither")
