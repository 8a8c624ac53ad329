"""The run of an alignment: parsed, begun or gone on with, and finished.

The folder is one that `train.runs` describes, so `semanticface predict --run` and a next
alignment take it; `pairs.json` says what was learnt from and what was left out.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, fields
from hashlib import sha256
from heapq import nsmallest
from pathlib import Path
from typing import Any, NamedTuple

from semanticface import __version__
from semanticface.atomic import write_text
from semanticface.data.manifest import manifest_of
from semanticface.data.records import Record, for_training
from semanticface.data.sources import records
from semanticface.data.speech_samples import SpeechSample
from semanticface.data.splits import DEFAULT
from semanticface.errors import BadInput
from semanticface.preference.align.options import (
    AlignTraining,
    PairOptions,
    StartOptions,
    WatchOptions,
)
from semanticface.preference.align.rows import Lengths, Pairs, lengths, read_pairs
from semanticface.preference.align.trainer import Start, start_of
from semanticface.rig import RIG_VERSION
from semanticface.train.hearing import tokenizer_of
from semanticface.train.manifest import (
    SCHEMA,
    Manifest,
    base_digest,
    prompt_json,
    read_manifest,
    speech_json,
    task_json,
    training_of,
    versions,
)
from semanticface.train.options import SPEECH, DataOptions, as_flat
from semanticface.train.parsing import check_saving, told
from semanticface.train.runs import ADAPTER, Run, read_journal
from semanticface.train.speech_rows import allowed_samples, side_of

_PLACES = ("start", "base", "preferences", "media", "data", "discriminator")


class Settings(NamedTuple):
    """All that an alignment is told."""

    start: StartOptions
    pairs: PairOptions
    watch: WatchOptions
    training: AlignTraining


def parse(
    arguments: Sequence[str] | None = None, about: str = "", small: Path | None = None
) -> Settings:
    """Settings from a YAML file and flags; flags win."""
    kinds = (StartOptions, PairOptions, WatchOptions, AlignTraining)
    made = Settings(*told(kinds, arguments, about, small, unless="--start"))
    training = made.training
    check_saving(training)
    if training.max_length is not None:
        raise BadInput(f"max_length: {training.max_length}",
                       "none: answers would be cut in silence")  # fmt: skip
    if training.precompute_ref_log_probs:
        raise BadInput("precompute_ref_log_probs: true", "false: TRL cannot with pictures")
    _ = made.start.plan
    return made


class Begun(NamedTuple):
    """What an alignment stands on."""

    run: Run
    start: Start
    pairs: Pairs
    held: tuple[Record, ...] | tuple[SpeechSample, ...]
    """Faces, or recordings, held out for probes."""
    checkpoint: str | None


def begin(settings: Settings) -> Begun:
    """Find start, preferences and faces; write the manifest, or hold it against the old one."""
    start = start_of(settings.start)
    pairs = read_pairs(settings.pairs, start.task)
    most = settings.watch.probe_rows
    held = faces_of(settings.watch, "val", most) if start.heard is None else \
        recordings_of(settings.watch, "val", most)  # fmt: skip
    run = Run(Path(settings.training.output_dir))
    learnt = {"records": len(pairs.rows), "sha256": pairs.sha256}
    checkpoint = entered(run, settings, start, learnt, held)
    return Begun(run, start, pairs, held, checkpoint)


def entered(
    run: Run, settings: Sequence[Any], start: Start, learnt: dict[str, Any],
    held: Sequence[Record | SpeechSample],
) -> str | None:  # fmt: skip
    """Begin a run's folder or go on with it; the checkpoint to go on from.

    `settings` are option dataclasses, TRL's last; `learnt` says what is learnt from.
    """
    from accelerate import PartialState

    state = PartialState()
    with state.main_process_first():
        if state.is_main_process:
            run.alone()
            data = {**learnt, "held_out": [each.id for each in held], "start": _sealed(start)}
            manifest = _manifest(settings, start, data, state.num_processes)
            checkpoint = run.begin(manifest, config_of(settings))
        else:
            checkpoint = run.last_checkpoint()
    return None if checkpoint is None else str(checkpoint)


def note_pairs(run: Run, pairs: Pairs, tokenizer: Any) -> Lengths:
    """Write `pairs.json`: counts, judges, reasons, lengths."""
    found = lengths(pairs.rows, tokenizer_of(tokenizer))
    longer = None if math.isnan(found.longer) else found.longer
    told = {
        "pairs": len(pairs.rows), "left_out": pairs.left_out, "judged_by": pairs.judged_by,
        "tokens": {"chosen": found.chosen, "rejected": found.rejected, "chosen_longer": longer},
        "lopsided": found.lopsided,
    }  # fmt: skip
    write_text(run.folder / "pairs.json", json.dumps(told, indent=1) + "\n")
    return found


def result_folder(run: Run) -> Path:
    """An alignment always ends in an adapter."""
    return run.folder / ADAPTER


def faces_of(options: WatchOptions, side: str, most: int) -> tuple[Record, ...]:
    """Of a side, those whose ids have the smallest hashes."""
    if not options.data:
        return ()
    allowed = for_training(records(manifest_of(Path(options.data).expanduser())),
                           without_consent=options.without_consent)  # fmt: skip
    some = (each for each in allowed if (each.split or DEFAULT.side(each.subject)) == side)
    held = nsmallest(most, some, key=lambda each: sha256(each.id.encode()).digest())
    if not held:
        raise BadInput(f"no record on the side '{side}'", "some subjects there", file=options.data)
    return tuple(sorted(held, key=lambda each: each.id))


def recordings_of(options: WatchOptions, side: str, most: int) -> tuple[SpeechSample, ...]:
    """Recordings of a side, those whose ids have the smallest hashes."""
    if not options.data:
        return ()
    data = DataOptions(stage=SPEECH, data=options.data, without_consent=options.without_consent)
    some = (each for each in allowed_samples(data, Path(options.data).expanduser())
            if side_of(each) == side)  # fmt: skip
    held = nsmallest(most, some, key=lambda each: sha256(each.id.encode()).digest())
    if not held:
        raise BadInput(f"no recording on the side '{side}'", "some sentences there",
                       file=options.data)  # fmt: skip
    return tuple(sorted(held, key=lambda each: each.id))


def _manifest(
    settings: Sequence[Any], start: Start, data: dict[str, Any], processes: int
) -> Manifest:
    ours = as_flat(*settings[:-1])
    before = start.manifest["config"]
    config = {**ours, "dtype": ours["dtype"] or before.get("dtype", "auto")}
    known = start.manifest["base"]["sha256"]
    digest = known if start.adapted else base_digest(start.base, None)
    return {
        "semanticface": SCHEMA, "version": __version__, "rig": RIG_VERSION, "processes": processes,
        "config": {key: value for key, value in config.items() if key not in _PLACES},
        "training": training_of(settings[-1]), "task": _asked(start), "also": [],
        "prompt": prompt_json(start.task), "base": {"path": start.base, "sha256": digest},
        "data": data, "versions": versions(),
    }  # fmt: skip


def _asked(start: Start) -> dict[str, Any]:
    return task_json(start.seen) if start.heard is None else speech_json(start.heard)


def _sealed(start: Start) -> str:
    return sha256((start.result / "hashes.json").read_bytes()).hexdigest()


def config_of(settings: Sequence[Any]) -> dict[str, Any]:
    """Every key that differs from its default, to be used with `--config` again."""
    *options, training = settings
    ours = as_flat(*options)
    plain = as_flat(*(type(each)() for each in options))
    changed = {key: value for key, value in ours.items() if value != plain[key]}
    given = asdict(training)
    for each in fields(training):
        value = getattr(given[each.name], "value", given[each.name])
        default = each.default_factory() if callable(each.default_factory) else each.default
        if value != default and isinstance(value, str | int | float | bool | list):
            changed[each.name] = value
    return changed


def report(run: Run, result: Path) -> str:
    """What came out, in a few lines."""
    probes = read_journal(run.probes)
    lines = [f"{result}"]
    which, kept = _kept(run, probes)
    for name, row in (("before", probes[0] if probes else {}), (which, kept)):
        keys = ("wins", "active_mae", "mae", "activity", "contradictory")
        known = [f"{key} {row[key]:.3g}" for key in keys if row.get(key) is not None]
        if known:
            lines.append(f"{name} (step {row['step']}): {', '.join(known)}")
    if which == "last":
        lines.append("kept: the last weights, for no probe measured which were the best")
    if any("alarm" in row for row in read_journal(run.log)):
        lines.append("ALARM: chosen answers collapsed; see log.jsonl")
    stage = read_manifest(run.manifest)["task"]["stage"]
    command = "speak SOUND" if stage == SPEECH else "predict PICTURE"
    lines.append(f"use it: semanticface {command} --run {run.folder}")
    return "\n".join(lines)


def _kept(run: Run, probes: Sequence[dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """The probe whose weights are the result: the best one, or the last where none is known."""
    options = WatchOptions(best_by=json.loads(run.manifest.read_text("utf-8"))["config"]["best_by"])
    known = [row for row in probes if row["step"] and row.get(options.best_by) is not None]
    if not known:
        return "last", probes[-1] if probes else {}
    sign = 1 if options.more_is_better else -1
    return "best", max(known, key=lambda row: sign * row[options.best_by])
