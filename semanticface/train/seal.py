"""A list of the hashes of a folder's files, written last: what was saved is whole or it is not.

A folder without its list was never finished; one whose files differ from it was changed
or cut short. Both are refused, with the file's name.
"""

from __future__ import annotations

import json
from pathlib import Path

from semanticface.atomic import write_text
from semanticface.data.shards import digest_of
from semanticface.errors import BadInput
from semanticface.formats import json_lines

SEAL = "hashes.json"
SCHEMA = "sealed/1"


def seal(folder: Path) -> None:
    """Write the list; every file below the folder is in it."""
    files = {name: digest_of(folder / name) for name in _names(folder)}
    write_text(
        folder / SEAL, json.dumps({"semanticface": SCHEMA, "sha256": files}, indent=1) + "\n"
    )


def sealed(folder: Path) -> bool:
    """Whether the folder was finished; its files are not looked at."""
    return (folder / SEAL).is_file()


def check_seal(folder: Path) -> None:
    """An error that names the first file that is missing, new or different."""
    if not sealed(folder):
        raise BadInput(f"no {SEAL}", "a folder that was saved to its end", file=folder)
    path = folder / SEAL
    held = json_lines.mapping(json_lines.load(path), file=path)
    if held.get("semanticface") != SCHEMA or not isinstance(held.get("sha256"), dict):
        raise BadInput(f"{json_lines.shown(held.get('semanticface'))}", f"'{SCHEMA}'", file=path)
    listed, there = held["sha256"], _names(folder)
    for name in sorted({*listed, *there}):
        if name not in there:
            raise BadInput(f"no {name}", "every file of the list", file=folder)
        if name not in listed:
            raise BadInput(f"{name}, which the list does not know", "no other file", file=folder,
                           hint="Take it out; only what was saved is loaded.")  # fmt: skip
        if digest_of(folder / name) != listed[name]:
            raise BadInput(
                f"{name} with other contents than were saved",
                "the same bytes",
                file=folder,
                hint="Copy the folder again, or train it again.",
            )


def _names(folder: Path) -> list[str]:
    return sorted(
        each.relative_to(folder).as_posix()
        for each in folder.rglob("*") if each.is_file() and each.name != SEAL
    )  # fmt: skip
