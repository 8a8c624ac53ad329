"""Carry out an evaluation suite.

    python eval/run.py --suite livelink --data TAKES --pred PREDICTIONS
    python eval/run.py --suite my_suite.yaml --set tracker=.tracker --out results/

A suite names takes, sources and comparisons (`eval/suites/*.yaml`; a path works too).
`{data}`, `{pred}` and whatever `--set` names are filled in. Predictions are kept under
the output folder and used again only while nothing they rest on has changed, so an
interrupted evaluation goes on where it was. Leaves `result.json` (schema:
`eval/result.schema.json`), `frames.parquet` and `index.html`.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

SUITES = Path(__file__).resolve().parent / "suites"


def main() -> None:
    """Load the suite, evaluate, write, show."""
    options = _arguments()
    from semanticface.cli.compare import show
    from semanticface.cli.watch import watching
    from semanticface.errors import SemanticFaceError
    from semanticface.evaluation.run import evaluate
    from semanticface.evaluation.suite import load
    from semanticface.report.evaluation_folder import write

    given = dict(pair.split("=", 1) for pair in options.set)
    given |= {name: value for name in ("data", "pred") if (value := getattr(options, name))}
    try:
        suite = load(_place(options.suite), given)
        out = options.out or Path("results") / suite.name
        command = "python " + shlex.join(sys.argv)
        with watching() as progress:
            outcome = evaluate(suite, out, command=command, refresh=options.refresh,
                               progress=progress)  # fmt: skip
        show(outcome.evaluation)
        written = write(outcome, out, channels=suite.chosen_channels)
    except SemanticFaceError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; the same command goes on where it was\n")
        sys.exit(130)
    given = [source for source in outcome.evaluation.sources if not source.baseline]
    scored = any(pairing.scored for source in given for pairing in source.pairings)
    for line in (*written.missing, *(f"wrote {path}" for path in written.files)):
        sys.stderr.write(f"{line}\n")
    if not (scored or suite.label_free):
        sys.exit("error: no source could be scored on any take")


def _place(suite: str) -> Path:
    return Path(suite) if Path(suite).is_file() else SUITES / f"{suite.removesuffix('.yaml')}.yaml"


def _arguments() -> argparse.Namespace:
    known = ", ".join(sorted(path.stem for path in SUITES.glob("*.yaml")))
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--suite", required=True, help=f"one of {known}, or a YAML file")
    parser.add_argument("--data", help="fills {data}: where the takes are")
    parser.add_argument("--pred", help="fills {pred}: where predictions are")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                        help="fills {NAME}")  # fmt: skip
    parser.add_argument("--out", type=Path, help="folder for results (results/NAME)")
    parser.add_argument("--refresh", action="store_true", help="predict anew whatever is kept")
    options = parser.parse_args()
    if not _place(options.suite).is_file():
        parser.error(f"no suite '{options.suite}'; there are {known}")
    if any("=" not in pair for pair in options.set):
        parser.error("--set takes NAME=VALUE")
    return options


if __name__ == "__main__":
    main()
