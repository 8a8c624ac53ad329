"""`semanticface validate`: every fault of a file, with its place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from semanticface.cli.options import From

if TYPE_CHECKING:
    from semanticface.formats.fault import Fault


def validate(
    files: Annotated[list[Path], typer.Argument(help="Takes, take folders, answers, clips.")],
    source_format: From = None,
    unreal: Annotated[
        bool, typer.Option("--unreal", help="Check also what Unreal's importer insists on (CSV).")
    ] = False,
    most: Annotated[int, typer.Option(help="Show at most so many faults a file.", min=1)] = 40,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a fault.")] = False,
) -> None:
    """Explain everything that is wrong with a file: row, column, found, expected.

    Errors keep a file from being read and give exit code 2. Warnings (values out of range,
    opposite movements together) do not.

    [bold]Examples[/bold]

    semanticface validate take.csv --unreal

    semanticface validate answers.jsonl --json | jq .

    semanticface validate takes/*.csv
    """
    errors = 0
    for path in files:
        faults = find_faults(path, source_format, unreal=unreal)
        _show(path, faults, most, as_json)
        errors += sum(fault.severity == "error" for fault in faults)
    if errors:
        raise typer.Exit(2)


def find_faults(path: Path, key: str | None = None, *, unreal: bool = False) -> list[Fault]:
    """All faults of one file, in file order."""
    from semanticface import formats
    from semanticface.errors import BadInput, MissingExtra
    from semanticface.formats import livelink_csv
    from semanticface.formats.catalogue import by_key
    from semanticface.formats.fault import Fault
    from semanticface.formats.plausibility import implausible

    try:
        chosen = by_key(key) if key else formats.recognise(path)
    except BadInput as error:
        return [_as_fault(error)]
    if unreal and chosen.key != "livelink-csv":
        raise BadInput(
            f"--unreal for a file of format '{chosen.key}'", "a Live Link CSV", file=path,
            hint="Only those go through Unreal's importer.",
        )  # fmt: skip
    faults: list[Fault] = []
    if chosen.key == "livelink-csv":
        faults += livelink_csv.check(path)
        faults += livelink_csv.importer_faults(path) if unreal else []
    if chosen.key in ("semanticface", "keyframeface"):
        faults += _answer_faults(path, chosen.key)
    if not any(fault.severity == "error" for fault in faults):
        try:
            faults += implausible(formats.read(path, chosen.key))
        except BadInput as error:
            faults.append(_as_fault(error))
        except MissingExtra as error:
            faults.append(Fault(None, None, "a file that cannot be read here", str(error), "error"))
    return faults


def _as_fault(error: Any) -> Fault:
    from semanticface.formats.fault import Fault

    expected = f"{error.expected}. {error.hint}" if error.hint else error.expected
    return Fault(error.row, error.column, error.found, expected, "error")


def _answer_faults(path: Path, key: str) -> list[Fault]:
    """What each row's answer lacks; a row without any value is an error."""
    from semanticface.formats.answer_faults import answer_faults

    return answer_faults(path, key)


def _show(path: Path, faults: list[Fault], most: int, as_json: bool) -> None:
    import json

    from semanticface.cli.console import out

    if as_json:
        for fault in faults:
            out().print(
                json.dumps({"file": str(path), **fault._asdict()}, ensure_ascii=False),
                markup=False, soft_wrap=True,
            )  # fmt: skip
        return
    if not faults:
        out().print(f"{path}: nothing wrong", markup=False, soft_wrap=True)
        return
    colours = {"error": "red", "warning": "yellow"}
    for fault in faults[:most]:
        out().print(f"[{colours[fault.severity]}]{fault.severity:<7}[/] ", end="")
        out().print(str(fault.as_error(path)), markup=False, soft_wrap=True)
    if len(faults) > most:
        out().print(f"and {len(faults) - most} more (--most)", markup=False)
