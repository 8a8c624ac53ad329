"""What a run was made of: written before the first step, compared before it goes on."""

from __future__ import annotations

import json
import math
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from semanticface import __version__
from semanticface.data.channel_sets import ALL, set_name
from semanticface.data.shards import digest_of
from semanticface.data.speech_tasks import SpeechTask
from semanticface.data.tasks import Task
from semanticface.errors import BadInput
from semanticface.formats import json_lines
from semanticface.language.prompts import load_prompt
from semanticface.rig import RIG_VERSION
from semanticface.speech.cues import name_of
from semanticface.speech.mouth_shapes import ShapeForm
from semanticface.speech.rules import mark
from semanticface.train.one_pass import SLOTS, Slots, task_named
from semanticface.train.options import (
    SPEECH,
    SPOKEN,
    DataOptions,
    LossOptions,
    ModelOptions,
    ProbeOptions,
    as_flat,
)
from semanticface.train.parsing import Settings
from semanticface.train.rows import Sides, contents
from semanticface.train.speech_rows import SpeechSides

SCHEMA = "run/1"
_LIBRARIES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "numpy", "pillow",
              "bitsandbytes", "ntloss", "llguidance")  # fmt: skip
_FREE = (
    "output_dir",
    "run_name",
    "report_to",
    "disable_tqdm",
    "resume_from_checkpoint",
    "do_train",
    "do_eval",
    "do_predict",
    "local_rank",
    "project",
    "trackio_space_id",
)
_FREE_STARTS = ("logging_", "log_", "save_", "dataloader_", "hub_", "push_to_hub", "eval_", "_")
_CUTS = ("dataloader_drop_last",)
"""Which rows are trained on, whatever its name begins with; where it is not so, nothing is said."""
_COMPARED = ("config", "training", "task", "also", "prompt", "base", "data", "rig", "processes")
_PLACES = ("cache", "model", "data")
_WITH_TASK = ("channels",)
"""Settings that the manifest's `task` tells in full, whatever their default is."""
_SAME_RULES = 5e-4
"""Of the means of `speech.rules.mark`."""
_WEIGHTS = ("*.safetensors", "*.bin", "*.gguf")
Manifest = dict[str, Any]


def manifest_of(settings: Settings, base: str, sides: Sides | SpeechSides, data: Path,
                commit: str | None, processes: int) -> Manifest:  # fmt: skip
    """Everything that a result depends on, as it stands in `manifest.json`."""
    ours = as_flat(settings.model, settings.data, settings.loss, settings.probe)
    return {
        "semanticface": SCHEMA,
        "version": __version__,
        "rig": RIG_VERSION,
        "processes": processes,
        "config": {k: v for k, v in ours.items() if k not in (*_PLACES, *_WITH_TASK)},
        "training": training_of(settings.training),
        **_asked(settings),
        "base": {"path": base, "sha256": base_digest(base, commit)},
        "data": {
            "path": str(data.resolve()), "records": len(sides.train),
            "sha256": sides.train.digest(), "held_out": [each.id for each in sides.probe],
            **({"contents": contents(*sides[:2])} if isinstance(sides, Sides) else {}),
        },
        "clamped": dict(sides.clamped) if isinstance(sides, Sides) else {},
        "versions": versions(),
    }  # fmt: skip


def _asked(settings: Settings) -> Manifest:
    speech = settings.data.speech
    if speech is not None:
        return {"task": speech_json(speech), "also": [], "prompt": prompt_json(speech)}
    return {"task": task_json(settings.data.task),
            "also": [task_json(each) for each in settings.data.tasks[1:]],
            "prompt": prompt_json(settings.data.task),
            "also_prompts": [prompt_json(each) for each in settings.data.tasks[1:]]}  # fmt: skip


def speech_json(task: SpeechTask) -> dict[str, Any]:
    """What `speech_of` makes a task of speech of again."""
    cues = name_of(task.cues, audio=task.audio)
    told = {
        "stage": SPEECH, "answer": task.form.form, "cues": cues, "frames": task.cut.frames,
        "hop": task.cut.hop, "rate": task.rate, "margin": task.margin, "prompt": task.prompt,
    }  # fmt: skip
    if isinstance(task.form, ShapeForm) and task.form.own:
        told["shapes"] = task.form.own
    if "draft" in task.cues:
        told["draft"] = mark()
    channels = set_name(task.form.channels)
    return told if channels == SPOKEN else told | {"channels": channels}


def speech_of(held: Manifest) -> SpeechTask:
    """The task of speech that a run was trained on; another run is an error."""
    told = dict(held["task"])
    if told.pop("stage") != SPEECH:
        raise BadInput(f"a run of the stage '{held['task']['stage']}'", SPEECH,
                       hint="Pictures: semanticface predict.")  # fmt: skip
    now = mark()
    if not np.allclose(told.pop("draft", now), now, atol=_SAME_RULES):
        raise BadInput("other rules of the mouth", "those whose drafts the run was shown",
                       hint="Use the version of this package it was trained with.")  # fmt: skip
    return SpeechTask.of(told.pop("answer"), **told)


def versions() -> dict[str, str]:
    """Of the libraries that are installed."""
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def training_of(training: Any) -> dict[str, Any]:
    """Training keys that change a result, as plain JSON."""
    held = json.loads(json.dumps(training.to_dict(), default=str))
    return {
        key: value for key, value in sorted(held.items())
        if (bool(value) if key in _CUTS else key not in _FREE and not key.startswith(_FREE_STARTS))
        and value is not None
        and not (isinstance(value, float) and math.isnan(value))
    }  # fmt: skip


def task_json(task: Task) -> dict[str, Any]:
    """What `task_of` makes a task of again."""
    numbers = getattr(task.form, "numbers", task.form)
    key = SLOTS if isinstance(task.form, Slots) else task.form.key
    told = {"stage": task.stage, "answer": key, "decimals": numbers.decimals,
            "prompt": task.prompt, "language": task.language, "seed": task.seed}  # fmt: skip
    channels = set_name(task.form.channels)
    return told if channels == ALL else told | {"channels": channels}


def task_of(held: Manifest, answer: str | None = None, stage: str | None = None) -> Task:
    """What a run was trained to answer: its first task, or the first of that answer and stage."""
    if held["task"]["stage"] == SPEECH:
        raise BadInput("a run of speech", "one of pictures",
                       hint="Speech: semanticface speak SOUND --run FOLDER.")  # fmt: skip
    learnt = [held["task"], *held.get("also", [])]
    told = next((each for each in learnt if answer in (None, each["answer"])
                 and stage in (None, each["stage"])), None)  # fmt: skip
    if told is None:
        raise BadInput(
            f"a question ({'/'.join(filter(None, (stage, answer)))}) that this run has not learnt",
            "one of " + ", ".join(f"{each['stage']}/{each['answer']}" for each in learnt),
        )
    return task_named(
        told["answer"],
        told["stage"],
        prompt=told["prompt"],
        decimals=told["decimals"],
        language=told["language"],
        seed=told["seed"],
        channels=told.get("channels", ALL),
    )


def prompt_of(held: Manifest, task: Task) -> dict[str, Any] | None:
    """What `prompt_json` told when a run began to learn a task; None of runs that did not say."""
    learnt = [held["task"], *held.get("also", [])]
    prompts = [held["prompt"], *held.get("also_prompts", [])]
    place = learnt.index(task_json(task))
    return dict(prompts[place]) if place < len(prompts) else None


def prompt_json(task: Task | SpeechTask) -> dict[str, Any]:
    """Which prompt, and a hash of its text as this task asks it (of speech, without its cues)."""
    prompt = load_prompt(task.prompt)
    told = task.asked("", task.cut.frames) if isinstance(task, SpeechTask) else task.request()
    asked = json.dumps(told, ensure_ascii=False)
    return {"id": prompt.id, "version": prompt.version, "file_sha256": prompt.sha256,
            "request_sha256": sha256(asked.encode()).hexdigest()}  # fmt: skip


def base_digest(base: str, commit: str | None) -> str:
    """Of a folder: its configuration and weights. Of a hub name: its commit."""
    folder = Path(base)
    if not folder.is_dir():
        if commit is None:
            raise BadInput(
                f"the model {base} without a commit", "a folder, or a hub name", file=base
            )
        return f"commit {commit}"
    digest = sha256()
    files = [folder / "config.json", *(f for glob in _WEIGHTS for f in sorted(folder.glob(glob)))]
    for file in files:
        if file.is_file():
            digest.update(f"{file.name} {digest_of(file)}\n".encode())
    return digest.hexdigest()


def read_manifest(path: Path) -> Manifest:
    """A run's manifest."""
    if not path.is_file():
        raise BadInput(f"no {path.name}", "the folder of a run", file=path.parent)
    held = json_lines.mapping(json_lines.load(path), file=path)
    if held.get("semanticface") != SCHEMA:
        raise BadInput(json_lines.shown(held.get("semanticface")), f"'{SCHEMA}'", file=path)
    return dict(held)


def refuse_change(held: Manifest, wanted: Manifest, path: Path) -> None:
    """An error that lists what this run has other than the one it would go on with."""
    before = _as_now(held, wanted)
    changed = [
        line for part in _COMPARED for line in _differences(before.get(part), wanted[part], part)
    ]
    if not changed:
        return
    listed = "; ".join(changed[:8]) + (f"; and {len(changed) - 8} more" if len(changed) > 8 else "")
    raise BadInput(f"{listed}", "what the run was begun with", file=path,
                   hint="Choose another output_dir, or take the change back.")  # fmt: skip


def _as_now(held: Manifest, wanted: Manifest) -> Manifest:
    """What an earlier version wrote: settings that it did not have yet were at their defaults,
    and pictures that it did not look into are taken as they are."""
    plain = as_flat(ModelOptions(), DataOptions(), LossOptions(), ProbeOptions())
    new = {key: value for key, value in plain.items() if key in wanted["config"]}
    known = {k: v for k, v in held.get("config", {}).items() if k not in _WITH_TASK}
    looked = {key: wanted["data"][key] for key in ("contents",) if key in wanted["data"]}
    return {**held, "config": new | known, "data": looked | held.get("data", {})}


def other_versions(held: Manifest, wanted: Manifest) -> list[str]:
    """Libraries that are others than when a run was begun: it goes on, perhaps not bit by bit."""
    before, now = ({"semanticface": each.get("version"), **each.get("versions", {})}
                   for each in (held, wanted))  # fmt: skip
    return _differences(before, now, "versions")


def _differences(held: Any, wanted: Any, name: str) -> list[str]:
    if isinstance(held, dict) and isinstance(wanted, dict):
        keys = [key for key in sorted({*held, *wanted}) if key != "path"]
        return [
            line
            for key in keys
            for line in _differences(held.get(key), wanted.get(key), f"{name}.{key}")
        ]
    if json.dumps(held, sort_keys=True) == json.dumps(wanted, sort_keys=True):
        return []
    return [f"{name} {_short(wanted)} where it was {_short(held)}"]


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
