"""Write the hashes of all prompt files into prompts/index.yaml.

Run it after adding a prompt, or after changing one and raising its version:

    python scripts/index_prompts.py

It refuses to change the hash of a prompt whose version stayed the same, unless
`--unreleased` says that nobody can have trained with it yet.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
from pathlib import Path

import yaml

from semanticface.rig import RIG_VERSION

FOLDER = Path(__file__).resolve().parents[1] / "prompts"
INDEX = FOLDER / "index.yaml"


def committed() -> dict[str, dict[str, object]]:
    """The index as it stands in the last commit."""
    shown = subprocess.run(
        ["git", "show", "HEAD:prompts/index.yaml"],
        check=False,
        capture_output=True,
        text=True,
        cwd=FOLDER,
    )
    entries = yaml.safe_load(shown.stdout) if shown.returncode == 0 else []
    return {entry["id"]: entry for entry in entries or []}


def unlisted(entries: list[dict[str, object]]) -> list[str]:
    """Prompt files that no entry names."""
    files = {
        path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.rglob("*.jinja")
    }
    return sorted(files - {str(entry["id"]) for entry in entries})


def refresh(entry: dict[str, object], old: dict[str, object] | None, unreleased: bool) -> None:
    """Give an entry its file's hash; a change needs a higher version."""
    text = (FOLDER / f"{entry['id']}.jinja").read_bytes()
    entry["sha256"] = hashlib.sha256(text).hexdigest()
    entry["rig"] = RIG_VERSION
    if old is None or unreleased:
        return
    changed = any(old[key] != entry[key] for key in ("sha256", "rig"))
    if changed and int(str(entry["version"])) <= int(str(old["version"])):
        raise SystemExit(f"{entry['id']} changed: raise its version above {old['version']}")


def main() -> None:
    """Rewrite the index; new files get an entry with version 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unreleased", action="store_true")
    unreleased = parser.parse_args().unreleased
    before = committed()
    entries = yaml.safe_load(INDEX.read_text(encoding="utf-8")) if INDEX.exists() else []
    for name in unlisted(entries):
        entries.append({"id": name, "version": 1, "rig": "", "sha256": "", "about": "say it here"})
    for entry in entries:
        refresh(entry, before.get(entry["id"]), unreleased)
    INDEX.write_text(yaml.safe_dump(entries, sort_keys=False, width=100), encoding="utf-8")


if __name__ == "__main__":
    main()
