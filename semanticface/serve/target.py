"""What `semanticface serve` was pointed at: a run's folder, or a model's folder or name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from semanticface.data.shards import digest_of
from semanticface.data.tasks import Task
from semanticface.errors import BadInput
from semanticface.rig import RIG_VERSION
from semanticface.serve.adapter import CONFIG, WEIGHTS, Adapter, read_adapter
from semanticface.serve.identity import Identity, identity_of

MANIFEST = "manifest.json"
BASE = "base"
_UNTOLD = "It is no run, and `semanticface serve --answer` did not say how it is asked"
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,63}")


@dataclass(frozen=True)
class Target:
    """A base model, what lies on it, and how each is asked."""

    model: str
    """Folder or hub name of the base model, or of a whole trained one."""
    name: str
    """Under which the model itself is served."""
    models: dict[str, Identity]
    """By served name; a model whose task nobody told is absent."""
    adapters: tuple[Adapter, ...] = ()
    slots: bool | None = None
    """Whether it has learnt the one-pass read-out; None where nobody said."""
    base: str = ""
    """Hash of the base model that a run was trained on, by its manifest."""
    unknown: dict[str, str] = field(default_factory=dict)
    """Why nobody knows how an adapter wants to be asked, by its name."""

    @property
    def main(self) -> str:
        """The name to ask for: the first adapter's, or the model's."""
        return self.adapters[0].name if self.adapters else self.name


def target_of(place: str, *, name: str = "face", task: Task | None = None, answer: str = "",
              adapters: Sequence[str] = ()) -> Target:  # fmt: skip
    """A target from a RUN or MODEL and from further adapters, each `NAME=FOLDER`. A model is asked
    as `task` says; of a run `answer` chooses among what it has learnt."""
    folder = Path(place).expanduser()
    if (folder / MANIFEST).is_file():
        target = _of_run(folder, name, answer or None)
    elif (folder / CONFIG).is_file():
        raise BadInput("an adapter", "a run, or the adapter's base model", file=folder,
                       hint=f"Serve BASE_MODEL --adapter {name}={place}")  # fmt: skip
    else:
        target = _of_model(place, folder, name, task)
    for told in adapters:
        target = _with(target, told)
    return target


def _of_run(folder: Path, name: str, answer: str | None = None) -> Target:
    from semanticface.train.manifest import prompt_of, read_manifest, task_of
    from semanticface.train.one_pass import SLOTS
    from semanticface.train.runs import MODEL, Run
    from semanticface.train.seal import SEAL

    held = read_manifest(folder / MANIFEST)
    if held["rig"] != RIG_VERSION:
        raise BadInput(f"a run of rig {held['rig']}", RIG_VERSION, file=folder / MANIFEST)
    task = task_of(held, answer)
    told, prompt = identity_of(task), prompt_of(held, task)
    if prompt is not None and told.request_sha256 != prompt["request_sha256"]:
        raise BadInput(
            f"a run trained on version {prompt['version']} of the prompt '{prompt['id']}'",
            "the same request as this installation makes",
            file=folder / MANIFEST, hint="Install the version of semanticface it was trained with.",
        )  # fmt: skip
    learnt = [held["task"], *held.get("also", [])]
    slots = any(each["answer"] == SLOTS for each in learnt)
    result, base = Run(folder).result(), str(held["base"]["sha256"])
    told = told._replace(weights=_hash(base, digest_of(result / SEAL)))
    if result.name == MODEL:
        return Target(str(result), name, {name: told}, slots=slots)
    adapter = read_adapter(name, result)
    return Target(held["base"]["path"], BASE, {name: told}, (adapter,), slots, base)


def _hash(*parts: str) -> str:
    return sha256(" ".join(parts).encode()).hexdigest()


def _of_model(place: str, folder: Path, name: str, task: Task | None) -> Target:
    if folder.is_dir() and not (folder / "config.json").is_file():
        raise BadInput(f"neither {MANIFEST} nor config.json", "a run's folder or a model's",
                       file=folder)  # fmt: skip
    if not folder.is_dir() and place.startswith(("/", ".", "~")):
        raise BadInput("no such folder", "a run's folder, a model's, or a hub name", file=place)
    told = {} if task is None else {name: identity_of(task)}
    unknown = {name: _UNTOLD} if task is None else {}
    return Target(str(folder) if folder.is_dir() else place, name, told, unknown=unknown)


def _with(target: Target, told: str) -> Target:
    """One adapter more: `NAME=RUN` or `NAME=FOLDER`."""
    name, separator, place = told.partition("=")
    if not separator or not _NAME.fullmatch(name) or not place:
        raise BadInput(f"--adapter {told}", "NAME=FOLDER", hint="For example smile=runs/smile")
    if name in (target.name, *(each.name for each in target.adapters)):
        raise BadInput(f"two models called '{name}'", "names of their own")
    folder = Path(place).expanduser()
    models, unknown = {}, {}
    if run_of(folder) is not None:
        models[name] = identity_at(name, folder, target.base)
    elif target.slots is None and target.name in target.models:  # told for whatever lies on it
        weights = _hash(target.base, digest_of(folder / WEIGHTS))
        models[name] = target.models[target.name]._replace(weights=weights)
    else:  # a run's own task says nothing about what else lies on its base
        unknown[name] = without_place(_alone(folder))
    adapter = read_adapter(name, _within(folder))
    return replace(target, models=target.models | models, unknown=target.unknown | unknown,
                   adapters=(*target.adapters, adapter))  # fmt: skip


def run_of(folder: Path) -> Path | None:
    """The run that a folder is, or whose adapter it is; None where it is neither."""
    from semanticface.train.runs import ADAPTER

    if (folder / MANIFEST).is_file():
        return folder
    beside = folder.resolve()
    known = beside.name == ADAPTER and (beside.parent / MANIFEST).is_file()
    return beside.parent if known else None


def identity_at(name: str, folder: Path, base: str = "", *, one_pass: bool = False) -> Identity:
    """What the adapter in a run was trained on; an error where no run tells, or it does not fit."""
    run = run_of(folder)
    if run is None:
        raise _alone(folder)
    target = _of_run(run, name)
    if not target.adapters:
        raise BadInput("a run that trained a whole model", "an adapter", file=folder)
    if base and target.base and target.base != base:
        raise BadInput("an adapter of another base model", "one of the served one",
                       file=folder, hint="Serve it by itself, at another port.")  # fmt: skip
    if one_pass and not target.slots:
        raise BadInput(
            "a run that has not learnt the one-pass read-out", "one that has", file=folder
        )
    return target.models[name]._replace(one_pass=one_pass)


def without_place(fault: BadInput) -> str:
    """What a server may tell everybody: no folder of its own."""
    return str(BadInput(fault.found, fault.expected, hint=fault.hint))


def _within(folder: Path) -> Path:
    """The adapter's own folder."""
    from semanticface.train.runs import Run

    return Run(folder).result() if (folder / MANIFEST).is_file() else folder


def _alone(folder: Path) -> BadInput:
    return BadInput(f"an adapter without {MANIFEST} beside it", "a run's folder, or its adapter's",
                    file=folder)  # fmt: skip
