"""Verdicts of an oracle on the recordings of `training.speech_data`, as its commands leave them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from preferences import PLAIN

from semanticface.data.speech_samples import read_samples
from semanticface.preference.oracle import Oracle, Traits, let_judge
from semanticface.preference.speech_pairs import Filled, How, fill, truths_in
from semanticface.preference.speech_sampling import voice_of
from semanticface.preference.store import Store, open_store
from semanticface.preference.store.content import Project, Rules, add_project, add_rater
from semanticface.preference.store.preferred import Filter, write_preferences

PATIENT = Rules(check_every=0, repeat_every=0)
PERFECT = Traits(noise=0, lapse=0)


def filled(folder: Path, run: Path, data: Path, how: How) -> tuple[Store, Project, Filled]:
    """A project of pairs about the recordings that train."""
    store = open_store(folder, create=True)
    project = add_project(store, "speech", rules=PATIENT)
    samples = [each for each in read_samples(data) if each.split == "train"]
    told = fill(store, project, [("run", voice_of(run, temperature=1.0))], samples, how,
                folder / "media" / "answers")  # fmt: skip
    return store, project, told


def judged(store: Store, project: Project, data: Path) -> int:
    """Let an oracle that never errs judge every pair."""
    rater = add_rater(store, project.id, "oracle", "oracle", PERFECT.as_json())
    truths = truths_in(store, project, list(read_samples(data)))
    return let_judge(store, project, rater, Oracle(PERFECT), truths)


def write(folder: Path, run: Path, data: Path, how: How) -> Path:
    """Preferences at `folder`/preferences.jsonl, of a store whose media lie beside them."""
    store, project, _ = filled(folder, run, data, how)
    judged(store, project, data)
    write_preferences(store, project.id, folder / "preferences.jsonl", Filter(("oracle",)))
    store.close()
    return folder / "preferences.jsonl"


def flags(output: Path, start: Path, preferences: Path, **more: Any) -> list[str]:
    """Flags of a short alignment."""
    told = PLAIN | {"output_dir": output, "start": start, "preferences": preferences,
                    "media": preferences.parent / "media", "dtype": "float32"} | more  # fmt: skip
    return [word for key, value in told.items() for word in
            (f"--{key}", *map(str, value if isinstance(value, list) else [value]))]  # fmt: skip
