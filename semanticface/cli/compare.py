"""`semanticface compare`: which of several sources is nearer to a reference, and how surely."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from semanticface.cli.options import From

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.table import Table

    from semanticface.evaluation.result import Evaluation, Figure, SourceResult

_SHOWN = (
    "coverage", "mae", "active_mae", "pearson", "ccc", "f1_10", "amplitude_ratio", "skill_mean",
    "blink_f1", "closure_f1", "lag", "jitter_ratio", "mouth_mae", "closure_rate", "teeth_rate",
    "rounding_rate", "rounding_contrast", "jaw_energy", "onset_lag", "silence_motion",
    "viseme_accuracy",
)  # fmt: skip
_SOUNDS = (".wav", ".flac", ".mp3", ".m4a", ".ogg", ".mp4", ".mov")


def compare(
    clips: Annotated[
        list[Path],
        typer.Argument(metavar="A B [C...]", help="Clips, or folders with one file for each take."),
    ],
    against: Annotated[
        Path | None,
        typer.Option(
            help="The reference: a clip, a take folder or a folder of takes. "
            "Without it, A is the reference of all others.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for the page, the JSON and the frames.")
    ] = Path("comparison"),
    by: Annotated[str, typer.Option(metavar="take|subject", help="What counts as one.")] = "take",
    margin: Annotated[
        float | None,
        typer.Option(help="Difference in MAE that does not matter: tests equivalence.", min=1e-9),
    ] = None,
    source_format: From = None,
    rate: Annotated[
        float | None, typer.Option(help="Frames a second, for files without times.", min=0.001)
    ] = None,
    resamples: Annotated[int, typer.Option(help="Of the bootstrap over takes.", min=100)] = 1000,
    within: Annotated[
        float, typer.Option(help="Seconds of the lag search, either way.", min=0.02, max=60.0)
    ] = 0.5,
    alignment: Annotated[
        Path | None,
        typer.Option(
            help="Phones of what is said, from the reference's first frame: .TextGrid, "
            ".ctm, or a folder with one for each take. The mouth is judged by them.",
            show_default=False,
        ),
    ] = None,
    audio: Annotated[
        Path | None,
        typer.Option(
            help="The sound of it, or a folder: the jaw is held beside its loudness.",
            show_default=False,
        ),
    ] = None,
    geometry: Annotated[
        bool, typer.Option("--geometry", help="Vertex errors too; slower.")
    ] = False,
    page: Annotated[bool, typer.Option(help="Write the HTML page.")] = True,
    mix_calibration: Annotated[
        bool, typer.Option("--mix-calibration", help="Compare calibrated with raw all the same.")
    ] = False,
    any_subject: Annotated[
        bool, typer.Option("--any-subject", help="Compare different people all the same.")
    ] = False,
    same_start: Annotated[
        bool, typer.Option("--same-start", help="Clips begin together, whatever their clocks say.")
    ] = False,
    keep_mouth: Annotated[
        bool, typer.Option("--keep-mouth", help="Leave an exchanged mouth pair as it is.")
    ] = False,
    keep_mirrored: Annotated[
        bool, typer.Option("--keep-mirrored", help="Leave a mirrored face as it is.")
    ] = False,
    keep_units: Annotated[
        bool, typer.Option("--keep-units", help="Leave percent and degrees as they are.")
    ] = False,
) -> None:
    """Compare sources of coefficients with a reference: table, page, JSON.

    Clips are brought to one clock and one rate; a lag is searched and told; exchanged mouth
    pairs, mirrored faces and foreign units are put right and named. Pairings that make no
    sense (calibrated with raw, no common time, different people) are refused with the switch
    that overrides it. All zero, the mean and the previous frame stand beside every source.

    [bold]Examples[/bold]

    semanticface compare take.csv tracker.json ours.npz

    semanticface compare ours/ tracker/ --against takes/ --by subject --margin 0.005

    semanticface compare take_cal.csv take.csv --mix-calibration

    semanticface compare truth.csv guess.csv --alignment said.TextGrid --audio voice.wav
    """
    import sys

    from semanticface.cli.console import err, note
    from semanticface.cli.console import out as results
    from semanticface.cli.watch import watching
    from semanticface.evaluation.run import evaluate
    from semanticface.evaluation.suite import suite_of
    from semanticface.report.evaluation_folder import write

    switches = {
        "mix_calibration": mix_calibration, "any_subject": any_subject, "same_start": same_start,
        "keep_mouth": keep_mouth, "keep_mirrored": keep_mirrored, "keep_units": keep_units,
        "within": within,
    }  # fmt: skip
    options = {} if rate is None else {"rate": rate}
    raw = as_suite(clips, against, source_format, options)
    spoken = _spoken(alignment, audio)
    raw["takes"] = [{**take, **spoken(Path(take["path"]).stem)} for take in raw["takes"]]
    asked = {**raw, "by": by, "resamples": resamples, "geometry": geometry, "switches": switches}
    suite = suite_of(asked)
    if margin is not None:
        suite = suite_of({**asked, "comparisons": _with_margin(suite, margin)})
    with watching() as progress:
        outcome = evaluate(suite, command=" ".join(sys.argv), progress=progress)
    show(outcome.evaluation)
    written = write(outcome, out, page=page)
    for why in written.missing:
        note(why)
    for path in written.files:
        err().print(f"[dim]wrote[/dim] {path}")
    given = [each for each in outcome.evaluation.sources if not each.baseline]
    if not any(pairing.scored for source in given for pairing in source.pairings):
        results().print("[red]nothing could be compared[/red]")
        raise typer.Exit(2)


# -- what to compare -------------------------------------------------------------------


def as_suite(
    clips: list[Path], against: Path | None, key: str | None, options: dict[str, Any]
) -> dict[str, Any]:
    """The suite that the command line means."""
    from semanticface.errors import BadInput

    if against is None:
        if len(clips) < 2:
            raise BadInput("one clip", "a reference and at least one other", hint="Or --against.")
        against, clips = clips[0], clips[1:]
    for path in (against, *clips):
        if not path.exists():
            raise BadInput("no such file", "a clip or a folder of clips", file=path)
    sources = []
    for name, path in zip(_names(clips), clips, strict=True):
        plain = str(path).replace("{", "{{").replace("}", "}}")
        pattern = f"{plain}/{{take}}" if _is_folder_of_takes(path) else plain
        sources.append({"name": name, "kind": "file", "path": pattern, "format": key,
                        "options": options})  # fmt: skip
    many = _is_folder_of_takes(against)
    takes = (
        [{"path": str(path)} for path in _clip_files(against)] if many else [{"path": str(against)}]
    )
    return {"name": f"against {against.name}", "takes": takes, "sources": sources,
            "truth": f"{against.name} (a reference, not truth)"}  # fmt: skip


def _spoken(alignment: Path | None, audio: Path | None) -> Callable[[str], dict[str, str]]:
    """What a take's alignment and sound are, by its name; a folder may lack some."""
    from semanticface.errors import BadInput

    given = {"alignment": alignment, "sound": audio}
    for path in given.values():
        if path is not None and not path.exists():
            raise BadInput("no such file", "an alignment or a sound, or a folder of them",
                           file=path)  # fmt: skip
    if audio is not None and alignment is None:
        raise BadInput("--audio alone", "--alignment too", hint="It says when somebody speaks.")

    def of_take(name: str) -> dict[str, str]:
        found = {key: path if path is None or path.is_file() else _own(path, key, name)
                 for key, path in given.items()}  # fmt: skip
        return {key: str(path) for key, path in found.items() if path is not None}

    return of_take


def _own(folder: Path, key: str, take: str) -> Path | None:
    """The file of a folder that is called like a take."""
    ready = (".textgrid", ".ctm") if key == "alignment" else _SOUNDS
    return next((path for path in sorted(folder.iterdir())
                 if path.stem == take and path.suffix.lower() in ready), None)  # fmt: skip


def _is_folder_of_takes(path: Path) -> bool:
    return path.is_dir() and not (path / "take.json").is_file() and not list(path.glob("*.mov"))


def _clip_files(folder: Path) -> list[Path]:
    from semanticface.errors import BadInput
    from semanticface.formats.catalogue import CATALOGUE

    known = {suffix for each in CATALOGUE if each.reads for suffix in each.suffixes}
    found = sorted(p for p in folder.iterdir() if p.suffix in known or (p / "take.json").is_file())
    if not found:
        raise BadInput("no clip", f"files ending in {', '.join(sorted(known))}", file=folder)
    return found


def _names(paths: list[Path]) -> list[str]:
    """Short names, told apart by as many of their folders as they need."""
    from semanticface.evaluation.suite import BASELINES

    names = [path.stem or path.name for path in paths]
    for depth in range(2, 2 + max(len(path.resolve().parts) for path in paths)):
        unclear = {name for name in names if names.count(name) > 1 or name in BASELINES}
        if not unclear:
            break
        names = [
            "/".join((*path.resolve().parts[-depth:-1], path.stem or path.name))
            if name in unclear else name
            for name, path in zip(names, paths, strict=True)
        ]  # fmt: skip
    return names


def _with_margin(suite: Any, margin: float) -> list[dict[str, Any]]:
    names = [source.name for source in suite.sources]
    pairs = [
        (one, other) for i, one in enumerate(names) for other in (*names[i + 1 :], "zero", "mean")
    ]
    also = [(one, other) for i, one in enumerate(names) for other in names[i + 1 :]]
    return [
        *({"one": a, "other": b, "metric": "mae", "margin": margin} for a, b in pairs),
        *({"one": a, "other": b, "metric": "pearson"} for a, b in also),
    ]


# -- telling ---------------------------------------------------------------------------


def show(evaluation: Evaluation) -> None:
    """Findings, the headline with intervals, and the verdicts."""
    from rich.markup import escape

    from semanticface.cli.console import out

    for source in evaluation.sources:
        for line in _findings(source):
            out().print(line)
    out().print(_table(evaluation))
    for comparison in evaluation.comparisons:
        out().print(escape(comparison.verdict))


def _findings(source: SourceResult) -> list[str]:
    """A line for each finding; where takes differ in numbers only, the first take's words."""
    import re

    from rich.markup import escape

    told: dict[tuple[str, str, str, str], dict[str, str]] = {}
    for pairing in source.pairings:
        for each in pairing.findings:
            same = (each.action, each.kind, each.flag, re.sub(r"[\d.]+", "#", each.text))
            told.setdefault(same, {}).setdefault(pairing.take, each.text)
    colours = {"refused": "red", "converted": "yellow", "overridden": "yellow", "noted": "cyan"}
    lines = []
    for (action, kind, flag, _), texts in told.items():
        take, *others = texts
        spread = _spread(list(texts.values()))
        lines.append(
            f"[{colours[action]}]{action}[/] [bold]{kind}[/] {escape(source.name)}, "
            f"{escape(', '.join((take, *others)))}: {escape(spread)}"
            + (f" [dim]({flag})[/]" if flag else "")
        )
    return lines


def _spread(texts: list[str]) -> str:
    """Sentences that differ in numbers only as one: each number from the least to the most."""
    import re

    number = r"(?<![\w.])[-+]?\d+(?:\.\d+)?"
    several = [re.findall(number, text) for text in texts]
    if len({len(each) for each in several}) > 1:
        return texts[0]
    ranges = iter([
        low if low == high else f"{low} to {high}"
        for column in zip(*several, strict=True)
        for low, high in [(min(column, key=float), max(column, key=float))]
    ])  # fmt: skip
    return re.sub(number, lambda _: next(ranges), texts[0])


def _table(evaluation: Evaluation) -> Table:
    from rich.markup import escape
    from rich.table import Table

    from semanticface.metrics.catalogue import metric

    arrows = {"lower": "↓", "higher": "↑", "one": "to 1", "zero": "to 0", "reference": "as ref."}
    taken = len({p.cluster for s in evaluation.sources for p in s.pairings if p.scored})
    several = "" if taken == 1 else "s"
    table = Table(
        title=f"{taken} {evaluation.clustered_by}{several}, "
        f"{len(evaluation.active)} active channels",
        header_style="bold",
        caption=f"brackets: {evaluation.settings.get('level', 0.95):.0%} interval over "
        f"{evaluation.clustered_by}s, never over frames",
    )
    table.add_column("metric")
    table.add_column("better")
    for source in evaluation.sources:
        style = "dim" if source.baseline else ""
        table.add_column(escape(source.name), justify="right", style=style)
    for name, figures in _rows(evaluation):
        better = "" if name == "whole" else arrows.get(metric(name).better, "")
        table.add_row(name, better, *map(_cell, figures))
    return table


def _rows(evaluation: Evaluation) -> Iterator[tuple[str, list[Figure | None]]]:
    """The headline metrics asked for most, or all where there is no reference; then answers."""
    found = dict.fromkeys(name for source in evaluation.sources for name in source.headline)
    shown = [name for name in _SHOWN if name in found] or list(found)
    for name in shown:
        yield name, [source.headline.get(name) for source in evaluation.sources]
    for name in dict.fromkeys(name for source in evaluation.sources for name in source.answers):
        yield name, [source.answers.get(name) for source in evaluation.sources]


def _cell(figure: Figure | None) -> str:
    if figure is None or figure.value is None:
        return "-"
    if figure.low is None or figure.high is None:
        return f"{figure.value:z.3f}"
    return f"{figure.value:z.3f} \\[{figure.low:z.3f}, {figure.high:z.3f}]"
