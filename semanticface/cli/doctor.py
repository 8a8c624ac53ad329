"""`semanticface doctor`: what is installed and what each extra would add."""

from __future__ import annotations

import typer

WHAT_FOR = {
    "core": "",
    "formats": "Parquet, TextGrid, VMC, GLB, token counts",
    "render": "pictures, films and GLB of a head",
    "train": "fine-tuning with LoRA",
    "speech": "audio, alignment, phones",
    "transcribe": "Whisper, where no transcript is given",
    "serve": "HTTP client and gateway",
    "arena": "preference arena",
    "track": "face tracker for comparison",
    "dev": "tests, lint, types",
}


def doctor() -> None:
    """Show what is installed, what each extra adds, and whether prompts and rig agree.

    Exits with code 1 if the core itself is not whole.
    """
    from rich.table import Table

    from semanticface import __version__
    from semanticface.cli.console import out

    table = Table("", "package", "version", "what for", box=None, header_style="bold")
    wanted = _requirements()
    for extra, packages in wanted.items():
        absent = "[red]missing[/red]" if extra == "core" else "[dim]-[/dim]"
        for i, name in enumerate(packages):
            first = (extra, WHAT_FOR.get(extra, "")) if i == 0 else ("", "")
            table.add_row(first[0], name, _version(name) or absent, first[1])
    out().print(f"semanticface {__version__}, Python {_python()}")
    out().print(_rig_and_prompts())
    out().print(table)
    for extra, packages in wanted.items():
        if extra != "core" and not all(map(_version, packages)):
            about = WHAT_FOR.get(extra, extra)
            out().print(f"{about}: pip install 'semanticface[{extra}]'", markup=False)
    if not all(map(_version, wanted["core"])):
        raise typer.Exit(1)


def _requirements() -> dict[str, list[str]]:
    """Packages the installed metadata asks for, by extra; `core` comes first."""
    import re
    from importlib.metadata import requires

    found: dict[str, list[str]] = {"core": []}
    for line in requires("semanticface") or []:
        name = re.split(r"[\s<>=!~;\[]", line, maxsplit=1)[0]
        extra = re.search(r"extra == ['\"](\w+)['\"]", line)
        if name != "semanticface":
            found.setdefault(extra[1] if extra else "core", []).append(name)
    return found


def _version(package: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _python() -> str:
    import platform

    return f"{platform.python_version()} on {platform.system()} {platform.machine()}"


def _rig_and_prompts() -> str:
    from semanticface.language.prompts import prompts
    from semanticface.rig import COUNT, RIG_VERSION

    listed = ", ".join(f"{each.id} v{each.version}" for each in prompts().values())
    return f"rig {RIG_VERSION}: {COUNT} channels; prompts, hashes checked: {listed}"
