"""The folder of a run.

    RUN/manifest.json     versions, settings, hashes of data, prompt and base model
    RUN/config.yaml       the settings, to be used with --config again
    RUN/log.jsonl         loss and the like, by step
    RUN/probes.jsonl      figures on faces held out, by step
    RUN/curves.png        both, drawn
    RUN/data/             the records that are trained on
    RUN/checkpoint-N/     to go on from, each sealed when it was whole
    RUN/best/             weights of the best probe so far
    RUN/adapter/ or RUN/model/   the result, sealed

The same command begins a run or goes on with it. A run whose settings, data or prompt
changed is not gone on with, and what changed is said.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semanticface.atomic import write_text
from semanticface.errors import BadInput
from semanticface.train.adapters import Plan
from semanticface.train.manifest import Manifest, other_versions, read_manifest, refuse_change
from semanticface.train.options import SPEECH
from semanticface.train.seal import check_seal, sealed

_LOG = logging.getLogger(__name__)
ADAPTER, MODEL, BEST = "adapter", "model", "best"
_LOCK = ".lock"
_OURS: dict[Path, int] = {}
"""Locks that this process holds. They are the kernel's and go with their holder, killed or not."""


@dataclass(frozen=True)
class Run:
    """One run's folder."""

    folder: Path

    @property
    def manifest(self) -> Path:
        """Its manifest."""
        return self.folder / "manifest.json"

    @property
    def log(self) -> Path:
        """Losses by step."""
        return self.folder / "log.jsonl"

    @property
    def probes(self) -> Path:
        """Probes by step."""
        return self.folder / "probes.jsonl"

    @property
    def best(self) -> Path:
        """Weights of the best probe."""
        return self.folder / BEST

    @property
    def fresh_best(self) -> Path:
        """The next best's weights, until they take the place of the old ones."""
        return self.folder / f"{BEST}.new"

    @property
    def data(self) -> Path:
        """Its records."""
        return self.folder / "data"

    def result_folder(self, plan: Plan) -> Path:
        """Where the result will lie: an adapter's folder or a whole model's."""
        return self.folder / (ADAPTER if plan.adapted else MODEL)

    def alone(self) -> None:
        """Refuse a folder in which another process is at work; ours until this one ends."""
        import fcntl

        place = self.folder.resolve() / _LOCK
        if place in _OURS:
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        held = os.open(place, os.O_CREAT | os.O_RDWR, 0o644)
        try:
            fcntl.lockf(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(held)
            raise BadInput("another process at work in it", "one at a time", file=self.folder,
                           hint="Wait for it, or choose another output_dir.") from None  # fmt: skip
        _OURS[place] = held

    def refuse_finished(self) -> None:
        """An error if there is nothing left to do."""
        if self.finished():
            raise BadInput("a finished run", "a new folder", file=self.folder,
                           hint="Choose another output_dir.")  # fmt: skip

    def result(self) -> Path:
        """The finished weights: an adapter or a whole model."""
        for name in (ADAPTER, MODEL):
            if sealed(self.folder / name):
                return self.folder / name
        raise BadInput(
            f"neither a finished {ADAPTER} nor {MODEL}",
            "a run that came to its end",
            file=self.folder,
            hint="Run the same command again to go on with it.",
        )

    def finished(self) -> bool:
        """Whether it came to its end."""
        return any(sealed(self.folder / name) for name in (ADAPTER, MODEL))

    def begin(self, manifest: Manifest, config: dict[str, Any]) -> Path | None:
        """Begin, or find the checkpoint to go on from; on the main process alone."""
        self.refuse_finished()
        if self.manifest.is_file():
            held = read_manifest(self.manifest)
            refuse_change(held, manifest, self.manifest)
            for changed in other_versions(held, manifest):
                _LOG.warning("%s; the run goes on", changed)
        checkpoint = self.last_checkpoint()
        step = int(checkpoint.name.rpartition("-")[2]) if checkpoint else 0
        for journal in (self.log, self.probes):
            cut_after(journal, step)
        if checkpoint is None:
            shutil.rmtree(self.best, ignore_errors=True)
        elif not self.best.is_dir() and sealed(self.fresh_best):  # killed between two names
            self.fresh_best.rename(self.best)
        import yaml

        self.folder.mkdir(parents=True, exist_ok=True)
        write_text(self.folder / "config.yaml", yaml.safe_dump(config, sort_keys=False))
        write_text(self.manifest, json.dumps(manifest, indent=1) + "\n")
        return checkpoint

    def last_checkpoint(self) -> Path | None:
        """The newest checkpoint; what a killed process left of a newer one is removed.

        One that was saved to its end and is not as it was saved is refused and stays: only
        its owner knows what it is worth.
        """
        for folder in sorted(self._checkpoints(), key=_step, reverse=True):
            if sealed(folder):
                _check(folder)
                return folder
            shutil.rmtree(folder)
        return None

    def _checkpoints(self) -> list[Path]:
        """Folders of checkpoints; copies under names of their own are none."""
        found = self.folder.glob("checkpoint-*")
        return [each for each in found if each.name.removeprefix("checkpoint-").isdecimal()]


def _step(folder: Path) -> int:
    return int(folder.name.rpartition("-")[2])


def _check(checkpoint: Path) -> None:
    try:
        check_seal(checkpoint)
    except BadInput as fault:
        raise BadInput(
            fault.found, fault.expected, file=checkpoint,
            hint="Mend it, or take the folder away to go on from the checkpoint before it.",
        ) from None  # fmt: skip


def append(journal: Path, row: dict[str, Any]) -> None:
    """One line more."""
    with journal.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(row) + "\n")


def read_journal(journal: Path) -> list[dict[str, Any]]:
    """All lines; the last one may have been cut short when a process was killed."""
    if not journal.is_file():
        return []
    rows = []
    lines = journal.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        try:
            rows.append(json.loads(line))
        except ValueError:
            if number < len(lines):
                raise BadInput("a broken line", "JSON", file=journal, row=number) from None
    return rows


def cut_after(journal: Path, step: int) -> None:
    """Forget what was written after a step, for it will be done again."""
    if journal.is_file():
        kept = [row for row in read_journal(journal) if row["step"] <= step]
        write_text(journal, "".join(json.dumps(row) + "\n" for row in kept))


def report(run: Run, result: Path) -> str:
    """What came out, in a few lines."""
    probes = read_journal(run.probes)
    lines = [f"{result}: {probes[-1]['step']} steps, {len(probes)} probes"]
    for row in probes[-1:]:
        known = {k: v for k, v in row.items() if isinstance(v, float) and k != "step"}
        lines.append("last probe: " + ", ".join(f"{key} {v:.3g}" for key, v in known.items()))
    lines.append(f"curves: {run.folder / 'curves.png'}")
    task = read_manifest(run.manifest)["task"] if run.manifest.is_file() else {}
    command = "speak SOUND" if task.get("stage") == SPEECH else "predict PICTURE"
    lines.append(f"use it: semanticface {command} --run {run.folder}")
    return "\n".join(lines)
