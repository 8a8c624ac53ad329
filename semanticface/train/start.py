"""The start of a run: its data on disk, its manifest compared, its last checkpoint found.

One process does the work and the others wait for it; then all read the same files.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, NamedTuple

from semanticface.data.budget import measure
from semanticface.errors import need
from semanticface.train.manifest import manifest_of
from semanticface.train.options import as_flat
from semanticface.train.parsing import Settings
from semanticface.train.places import data_place
from semanticface.train.processors import load_processor
from semanticface.train.rows import Sides, opened_sides, shown_records, sides
from semanticface.train.runs import Run
from semanticface.train.speech_rows import SpeechSides, opened_speech, speech_sides


class Begun(NamedTuple):
    """What a run stands on."""

    run: Run
    sides: Sides | SpeechSides
    checkpoint: str | None
    """Where to go on from."""


def begin(settings: Settings, base: str, commit: str | None) -> Begun:
    """Make data and folder ready, or find that a begun run can be gone on with."""
    from accelerate import PartialState

    state = PartialState()
    run = Run(Path(settings.training.output_dir))
    with state.main_process_first():
        if state.is_main_process:
            checkpoint = _prepare(settings, base, commit, run, state.num_processes)
        else:
            checkpoint = run.last_checkpoint()
        speech = settings.data.speech is not None
        held = opened_speech(run.data) if speech else opened_sides(run.data)
    return Begun(run, held, None if checkpoint is None else str(checkpoint))


def _prepare(
    settings: Settings, base: str, commit: str | None, run: Run, processes: int
) -> Path | None:  # fmt: skip
    place = data_place(settings.data)
    run.refuse_finished()
    run.alone()
    if settings.data.speech is not None:
        some = speech_sides(settings.data, place, run.data, settings.probe.probe_rows)
        manifest = manifest_of(settings, base, some, place, commit, processes)
        return run.begin(manifest, config_of(settings))
    held = sides(settings.data, place, run.data, settings.probe.probe_rows)
    most = settings.training.max_length
    if most is not None:
        processor = load_processor(base)
        for task in settings.data.tasks:
            shown = shown_records(held.train, settings.data)
            measure(shown, task, processor, max_length=most).refuse_clipped()
    manifest = manifest_of(settings, base, held, place, commit, processes)
    return run.begin(manifest, config_of(settings))


def config_of(settings: Settings) -> dict[str, Any]:
    """Every key that differs from its default, to be used with `--config` again."""
    from semanticface.train.parsing import training_options

    ours = as_flat(settings.model, settings.data, settings.loss, settings.probe)
    plain = as_flat(*(type(each)() for each in settings[:4]))
    # Not by making one with its defaults: that would set up this process's devices anew.
    theirs = {each.name: each.default for each in fields(training_options())}
    given = asdict(settings.training)
    told = {key: value for key, value in ours.items() if value != plain[key]}
    changed = {k: value for k, value in given.items() if k in theirs and value != theirs[k]}
    return told | {
        key: getattr(value, "value", value)  # some are enumerations
        for key, value in changed.items() if isinstance(value, str | int | float | bool)
    }  # fmt: skip


def commit_of(base: str, revision: str | None) -> str | None:
    """The commit behind a hub name; None for a folder."""
    if Path(base).is_dir():
        return None
    hub = need("huggingface_hub", "train", "A model from the hub")
    return str(hub.HfApi().model_info(base, revision=revision).sha)
