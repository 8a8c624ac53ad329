"""From `--config FILE --key value ...` to dataclasses; a key nobody knows is an error."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_type_hints

from semanticface.errors import BadInput, did_you_mean, need
from semanticface.formats import json_lines
from semanticface.formats.yaml_file import load_yaml
from semanticface.speech.mouth_shapes import SHAPES
from semanticface.train.options import (
    NUMBERS,
    PROBED,
    DataOptions,
    LossOptions,
    ModelOptions,
    ProbeOptions,
)

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
    held: dict[str, Any] = {}
    if config is not None:
        held = read_config(config)
        _check_keys(held, known, config)
        _check_values(held, kinds, config)
        flags = ["--config", config, *flags]
    for flag in flags:
        if flag.startswith("--") and flag != "--config":
            _check_flag(flag, known, parser)
    made = tuple(parser.parse_args_and_config(flags))
    _check_epochs(made, {*held, *(flag.partition("=")[0].removeprefix("--") for flag in flags)})
    return made


def read_config(path: str | Path) -> dict[str, Any]:
    """A YAML file of one flat mapping."""
    held = load_yaml(path, "keys and values", max_bytes=_MAX_BYTES)
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


_SAID = {str: "text", int: "a whole number", float: "a number", bool: "true or false",
         type(None): "null"}  # fmt: skip


def _check_values(held: dict[str, Any], kinds: tuple[Any, ...], path: str) -> None:
    """YAML gives lists and mappings where a flag could only be text; texts are read as flags."""
    ours = {key: get_args(hint) or (hint,) for kind in kinds if kind.__bases__ == (object,)
            for key, hint in get_type_hints(kind).items()}  # fmt: skip
    for key, value in held.items():
        wanted = ours.get(key, (type(value),))
        whole = float in wanted and type(value) is int
        if not (isinstance(value, str) or type(value) in wanted or whole):
            raise BadInput(json_lines.shown(value), " or ".join(_SAID[each] for each in wanted),
                           file=path, column=key)  # fmt: skip


def _check_epochs(made: tuple[Any, ...], given: set[str]) -> None:
    """A number of steps would win over epochs, and nobody would hear of it."""
    steps = next((each.max_steps for each in made if hasattr(each, "max_steps")), 0)
    if "num_train_epochs" in given and steps > 0:
        raise BadInput(f"num_train_epochs beside max_steps {steps}", "one of them",
                       hint="max_steps: -1 trains for epochs.")  # fmt: skip


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
    _check_loss(made)
    if made.data.speech is None:
        _check_best(made)


def check_saving(training: Any) -> None:
    """What is saved and told, of SFT and of preferences alike."""
    if training.remove_unused_columns:
        raise BadInput("remove_unused_columns: true", "false: pictures would be dropped")
    if training.save_only_model:
        raise BadInput("save_only_model: true", "false: a run could not go on as it was")
    limit = training.save_total_limit
    if limit is not None and limit < 2:
        raise BadInput(
            f"save_total_limit: {limit}",
            "2 or more, or null",
            hint="With one, a run killed while it saves has nothing to go on from.",
        )
    _check_reports(training.report_to)


_REPORTERS = {"azure_ml": "azureml", "flyte": "flytekit"}
"""Modules of reporters whose names are other ones."""


def _check_reports(told: str | Sequence[str]) -> None:
    """Where figures are sent to, before anything is made; the trainer would ask at its start."""
    from importlib.util import find_spec

    from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK as KNOWN

    for name in [told] if isinstance(told, str) else told:
        if name in ("all", "none"):
            continue
        if name not in KNOWN:
            raise BadInput(f"report_to: {name}", f"one of {', '.join(sorted(KNOWN))}, none",
                           hint=did_you_mean(name, KNOWN))  # fmt: skip
        if name == "tensorboard":
            need("tensorboard", "train", "report_to: tensorboard")
        elif find_spec(_REPORTERS.get(name, name)) is None:
            raise BadInput(f"report_to: {name} without the package of that name", "it installed",
                           hint=f"pip install {name}, or report_to: tensorboard.")  # fmt: skip


def _check_loss(made: Settings) -> None:
    """What TRL computes from other numbers than the weighed ones."""
    training, loss = made.training, made.loss
    if loss.even and not loss.number_loss:
        return
    if training.loss_type != "nll" or training.label_smoothing_factor:
        raise BadInput(
            f"loss_type {training.loss_type} and label_smoothing_factor "
            f"{training.label_smoothing_factor:g} with weights or the number-token loss",
            "nll without smoothing",
        )


def _check_best(made: Settings) -> None:
    """A figure that no probe of the task has would make the last checkpoint the best."""
    by, task = made.probe.best_by, made.data.task
    lacking = [*(() if task.numbers else NUMBERS), *(() if task.described else ("words",))]
    if by in lacking:
        known = [each for each in PROBED if each not in lacking]
        raise BadInput(f"best_by: {by} for the stage '{task.stage}'", f"one of {', '.join(known)}")


def _check_speech(made: Settings) -> None:
    if made.data.speech is None:
        return
    if not made.loss.even:
        raise BadInput("weights of regions with speech", "none")
    if made.loss.number_loss and made.data.speech.form.form != SHAPES:
        raise BadInput(f"number_loss with speech in {made.data.speech.form.form}", "shapes")
