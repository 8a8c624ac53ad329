"""`semanticface doctor`: what is installed and what each extra would add."""

from __future__ import annotations

import typer

EXTRAS: dict[str, tuple[str, tuple[str, ...]]] = {
    "formats": (
        "Parquet, TextGrid, VMC, GLB, token counts",
        ("pyarrow", "praatio", "python-osc", "pygltflib", "tokenizers"),
    ),
    "train": (
        "fine-tuning with LoRA",
        ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "bitsandbytes"),
    ),
    "speech": ("audio, alignment, phones", ("librosa", "soundfile", "pocketsphinx", "praatio")),
    "serve": ("HTTP client and gateway", ("httpx", "fastapi", "uvicorn", "python-osc")),
    "arena": ("preference arena", ("fastapi", "sqlalchemy", "alembic", "krippendorff")),
    "track": ("face tracker for comparison", ("ai-edge-litert", "av")),
    "dev": ("tests, lint, types", ("pytest", "hypothesis", "ruff", "mypy", "import-linter")),
}  # fmt: skip
CORE = ("numpy", "pydantic", "jinja2", "pyyaml", "typer", "rich", "pillow")


def doctor() -> None:
    """Show what is installed, what each extra adds, and whether prompts and rig agree.

    Exits with code 1 if the core itself is not whole.
    """
    from rich.table import Table

    from semanticface import __version__
    from semanticface.cli.console import out

    table = Table("", "package", "version", "what for", box=None, header_style="bold")
    broken = [name for name in CORE if not _version(name)]
    for name in CORE:
        table.add_row("core", name, _version(name) or "[red]missing[/red]", "")
    for extra, (what_for, packages) in EXTRAS.items():
        for i, name in enumerate(packages):
            shown = _version(name) or "[dim]-[/dim]"
            table.add_row(extra if i == 0 else "", name, shown, what_for if i == 0 else "")
    out().print(f"semanticface {__version__}, Python {_python()}")
    out().print(_rig_and_prompts())
    out().print(table)
    for extra, (what_for, packages) in EXTRAS.items():
        if not all(map(_version, packages)):
            out().print(f"{what_for}: pip install 'semanticface[{extra}]'", markup=False)
    if broken:
        raise typer.Exit(1)


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
