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


def main() -> None:
    """Rewrite the index."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unreleased", action="store_true")
    unreleased = parser.parse_args().unreleased
    before = committed()
    entries = yaml.safe_load(INDEX.read_text(encoding="utf-8")) if INDEX.exists() else []
    for entry in entries:
        text = (FOLDER / f"{entry['id']}.jinja").read_bytes()
        entry["sha256"] = hashlib.sha256(text).hexdigest()
        entry["rig"] = RIG_VERSION
        old = before.get(entry["id"])
        same = bool(old) and old["version"] == entry["version"]
        if same and old["sha256"] != entry["sha256"] and not unreleased:
            raise SystemExit(f"{entry['id']} changed: raise its version above {old['version']}")
    INDEX.write_text(yaml.safe_dump(entries, sort_keys=False, width=100), encoding="utf-8")


if __name__ == "__main__":
    main()
