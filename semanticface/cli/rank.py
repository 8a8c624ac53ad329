"""`semanticface rank`: projects of pairs, their raters, and what comes of the verdicts."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from semanticface.cli.arena import Media, Where, Which

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from semanticface.data.records import Record
    from semanticface.preference.candidates import Candidate
    from semanticface.preference.pairing import Filled
    from semanticface.preference.store import Store
    from semanticface.preference.store.content import Project

rank = typer.Typer(
    name="rank", no_args_is_help=True, rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Pairs of faces to compare: make them, invite raters, use the verdicts.",
)  # fmt: skip

Regions = Annotated[
    str, typer.Option(help="upper, lower, full, brows, eyes, cheeks+nose, mouth, jaw: with commas.")
]


class ModeName(StrEnum):
    """How faces are shown."""

    focus = "focus"
    crop = "crop"
    plain = "plain"


class JudgeName(StrEnum):
    """Kinds of judges."""

    human = "human"
    oracle = "oracle"
    discriminator = "discriminator"


@rank.command()
def new(
    where: Where,
    project: Annotated[str, typer.Option("--project", help="Its name.")] = "faces",
    question: Annotated[
        str, typer.Option(help="What raters read.")
    ] = "Which face is nearer to the picture?",
    mode: Annotated[ModeName, typer.Option(help="Region clear, alone, or only named.")] =
        ModeName.crop,
    views: Annotated[str, typer.Option(help="front,three-quarter: one to four.")] = "front",
    size: Annotated[int, typer.Option(help="Pixels a side of each view.", min=64, max=1024)] = 384,
    look: Annotated[str, typer.Option(help="realistic, clay or toon.")] = "realistic",
    votes: Annotated[int, typer.Option(help="Raters for each pair.", min=1)] = 1,
    check_every: Annotated[int, typer.Option(help="Attention check; 0 for none.", min=0)] = 15,
    repeat_every: Annotated[int, typer.Option(help="Repeated pair; 0 for none.", min=0)] = 12,
    media: Media = None,
) -> None:  # fmt: skip
    """Make a project, and its store if there is none."""
    from semanticface.preference.presentation import Presentation
    from semanticface.preference.store import open_store
    from semanticface.preference.store.content import Rules, add_project

    how = Presentation(mode.value, tuple(views.split(",")), size, look)
    rules = Rules(votes, check_every, repeat_every)
    store = open_store(where, media=media, create=True)
    add_project(store, project, question=question, presentation=how, rules=rules)
    say(f"project {project} in {where}")


@rank.command()
def faults(
    where: Where,
    records: Annotated[Path, typer.Argument(help="Records with true numbers: a synth folder, "
                                            "a .jsonl or a manifest.", show_default=False)],
    project: Which = None,
    regions: Regions = "upper,lower",
    count: Annotated[int, typer.Option(help="Records at most.", min=1)] = 100,
    per_region: Annotated[int, typer.Option(help="Pairs of each region of a record.", min=1)] = 1,
    checks: Annotated[float, typer.Option(help="Share of records with a check.", min=0, max=1)] =
        0.1,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    media: Media = None,
) -> None:  # fmt: skip
    """Pairs of answers with known faults around the truth of each record."""
    from itertools import islice

    from semanticface.preference.pairing import from_truth

    store, chosen = opened(where, project, media)
    told = from_truth(store, chosen, islice(faces_in(records), count), regions=listed(regions),
                      per_region=per_region, check_share=checks, seed=seed)  # fmt: skip
    _tell(told)


@rank.command()
def clips(
    where: Where,
    one: Annotated[Path, typer.Argument(help="A clip in any format.", show_default=False)],
    other: Annotated[Path, typer.Argument(help="Another of the same face.", show_default=False)],
    names: Annotated[
        str, typer.Option(help="What the two are called, with a comma.")
    ] = "one,other",
    subject: Annotated[str, typer.Option(help="Who it is.")] = "somebody",
    movie: Annotated[
        Path | None, typer.Option(help="The film they are about: its frame at a pair's time is "
                                  "shown beside it.", show_default=False)
    ] = None,
    moving: Annotated[bool, typer.Option("--moving", help="Looping films, not stills.")] = False,
    sound: Annotated[
        Path | None, typer.Option(help="What is heard with --moving.", show_default=False)
    ] = None,
    project: Which = None,
    regions: Regions = "upper,lower",
    every: Annotated[
        float, typer.Option(help="Seconds between stills, or of a loop.", min=0.01)
    ] = 1.0,
    person: Annotated[int | None, typer.Option(help="Seed of the drawn person.")] = None,
    media: Media = None,
) -> None:  # fmt: skip
    """Pairs from two clips at the same times, such as a take and a tracker.

    Clips, film and sound begin together. Nobody knows the truth, so there are no attention
    checks; without --movie raters are asked which face looks more natural.
    """
    from semanticface.errors import BadInput
    from semanticface.formats import read
    from semanticface.preference.clip_pairs import Between, loops_of, stills_of

    called = listed(names)
    if len(called) != 2 or called[0] == called[1]:
        raise BadInput(f"--names {names}", "two different names with a comma between")
    if (moving and movie) or (sound and not moving):
        raise BadInput("--movie with --moving" if moving else "--sound without --moving",
                       "--movie FILE for stills, or --moving --sound FILE")  # fmt: skip
    store, chosen = opened(where, project, media)
    how = Between((called[0], called[1]), subject, every, listed(regions), person=person)
    if moving:
        told = loops_of(store, chosen, read(one), read(other), how, sound=sound)
    else:
        told = stills_of(store, chosen, read(one), read(other), how, movie=movie)
    _tell(told)
    say("no attention checks: of two clips nobody knows which is right")


@rank.command()
def invite(
    where: Where,
    names: Annotated[list[str], typer.Argument(help="One or several raters.", show_default=False)],
    url: Annotated[str, typer.Option(help="Where the arena is.")] = "http://127.0.0.1:8765",
    project: Which = None,
    media: Media = None,
) -> None:
    """Add raters and print their links; a link lets in for two weeks."""
    from semanticface.cli.console import out
    from semanticface.preference.arena.serving import invitation_link
    from semanticface.preference.arena.tokens import Keys
    from semanticface.preference.store.content import add_rater

    store, chosen = opened(where, project, media)
    keys = Keys.of(store.media)
    for name in names:
        rater = add_rater(store, chosen.id, name)
        link = invitation_link(keys, url.rstrip("/"), rater.id)
        out().print(f"{name}\t{link}", markup=False, soft_wrap=True)


@rank.command()
def oracle(
    where: Where,
    records: Annotated[Path, typer.Argument(help="The records, or recordings, that the pairs were "
                                            "made from.", show_default=False)],
    name: Annotated[str, typer.Option(help="What this oracle is called.")] = "oracle",
    noise: Annotated[float, typer.Option(help="0 never errs.", min=0)] = 0.6,
    bias: Annotated[float, typer.Option(help="Towards the left, in mm.")] = 0.0,
    lapse: Annotated[float, typer.Option(help="Share of random presses.", min=0, max=1)] = 0.02,
    most: Annotated[int | None, typer.Option(help="Verdicts at most.", min=1)] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    project: Which = None,
    media: Media = None,
) -> None:  # fmt: skip
    """Let a simulated rater judge. It stands for people, and its verdicts say `oracle`.

    Said again, it goes on with the pairs that this rater has not judged yet.
    """
    from semanticface.preference.oracle import Oracle, Traits, let_judge
    from semanticface.preference.store.content import known_rater
    from semanticface.preference.store.questions import progress_of

    store, chosen = opened(where, project, media)
    traits = Traits(noise=noise, bias=bias, lapse=lapse)
    rater = known_rater(store, chosen.id, name, "oracle", traits.as_json())
    before, _ = progress_of(store, rater.id)
    truths = _truths(store, chosen, records)
    judge = Oracle(traits, how=chosen.presentation, seed=seed, before=before)
    done = let_judge(store, chosen, rater, judge, truths, most=most)
    say(f"{done} simulated verdicts by {name}" + (f" after {before}" if before else ""))


@rank.command()
def draw(where: Where, project: Which = None, media: Media = None) -> None:
    """Draw every pair in advance, so that the first rater waits for nothing."""
    from semanticface.cli.console import track
    from semanticface.preference.renders import Renders
    from semanticface.preference.store.tables import PAIRS

    store, chosen = opened(where, project, media)
    with store.reading() as connection:
        query = PAIRS.select().where(PAIRS.c.project_id == chosen.id)
        rows = connection.execute(query).mappings().all()
    renders = Renders(store, chosen)
    wanted = [(row[key], row["region"]) for row in rows for key in ("one_id", "other_id")]
    digests = dict.fromkeys(renders.of_all(wanted))
    renders.soon(digests)
    for digest in track(digests, "drawing", len(digests)):
        renders.shown(digest)
    renders.close()
    say(f"{len(digests)} renders of {len(rows)} pairs")


@rank.command()
def report(
    where: Where,
    kind: Annotated[JudgeName, typer.Option("--judges", help="Whose verdicts.")] = JudgeName.human,
    project: Which = None,
    media: Media = None,
) -> None:
    """Ranking of the sources, agreement, and raters to look at."""
    from semanticface.cli.ranked import tell_report
    from semanticface.preference.store.verdicts import heard

    store, chosen = opened(where, project, media)
    said = [each for each in heard(store, chosen.id) if each.kind == kind.value]
    tell_report(store, said, kind.value)


@rank.command()
def preferences(
    where: Where,
    output: Annotated[Path, typer.Option("--output", "-o", help="JSON lines; its manifest lies "
                                         "beside.", show_default=False)],
    judges: Annotated[str, typer.Option(help="human, oracle, discriminator.")] = "human",
    mixed: Annotated[bool, typer.Option("--mixed", help="Allow several kinds of judges.")] = False,
    votes: Annotated[int, typer.Option(help="Least votes of a pair.", min=1)] = 1,
    share: Annotated[float, typer.Option(help="Of the votes for the winner, above 0.5 to 1.")] =
        0.6,
    without: Annotated[str, typer.Option(help="Raters to leave out, with commas.")] = "",
    whole: Annotated[
        bool, typer.Option("--whole", help="One row a face: the winners of its parts as one "
                           "answer, the losers as the other.")
    ] = False,
    parts: Annotated[
        str, typer.Option(help="With --whole: the regions put together, as mouth,jaw of speech.")
    ] = "upper,lower",
    project: Which = None,
    media: Media = None,
) -> None:  # fmt: skip
    """Chosen and rejected answers for training; the same store gives the same bytes."""
    from semanticface.preference.store.preferred import Filter, write_preferences
    from semanticface.preference.store.wholes import write_wholes

    rule = Filter(listed(judges), mixed, votes, share, listed(without) if without else ())
    store, chosen = opened(where, project, media)
    written = write_wholes(store, chosen.id, output, rule, listed(parts)) if whole else \
        write_preferences(store, chosen.id, output, rule)  # fmt: skip
    told = written.manifest
    by = ", ".join(f"{n} by {kind}" for kind, n in told["judged_by"].items()) or "none"
    say(f"{written.rows} preferences of {told['pairs_judged']} judged pairs "
         f"(verdicts: {by}) -> {output}")  # fmt: skip


@rank.command("export")
def export_(
    where: Where,
    output: Annotated[Path, typer.Option("--output", "-o", show_default=False)],
    project: Which = None,
    media: Media = None,
) -> None:
    """Everything of a project as JSON lines, pictures included."""
    from semanticface.preference.store.exchange import export_project

    store, chosen = opened(where, project, media)
    say(f"{export_project(store, chosen.id, output)} lines -> {output}")


@rank.command("import")
def import_(
    where: Where,
    source: Annotated[Path, typer.Argument(help="An export.", show_default=False)],
    media: Media = None,
) -> None:
    """Take in an export, whole or not at all; what is there already stays."""
    from semanticface.preference.store import open_store
    from semanticface.preference.store.exchange import import_project

    carried = import_project(open_store(where, media=media, create=True), source)
    for word, counts in (("new", carried.new), ("known", carried.known)):
        told = ", ".join(f"{count} {kind}" for kind, count in counts.items())
        say(f"{word}: {told or 'nothing'}")


@rank.command()
def upgrade(where: Where, media: Media = None) -> None:
    """Bring an older store to this version; an SQLite file is copied first."""
    from semanticface.preference.store import open_store
    from semanticface.preference.store.database import schema_of

    say(f"schema {schema_of(open_store(where, media=media, upgrade=True))}")


# -- parts --------------------------------------------------------------------


def opened(where: str, project: str | None, media: Path | None) -> tuple[Store, Project]:
    """A store and its project."""
    from semanticface.preference.store import open_store
    from semanticface.preference.store.content import project_of

    store = open_store(where, media=media)
    return store, project_of(store, project)


def listed(text: str) -> tuple[str, ...]:
    """What stands between commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def faces_in(path: Path) -> Iterator[Record]:
    """Records of a synth folder, a JSON lines file or a manifest."""
    from semanticface.data.manifest import Manifest, Synthetic, read_manifest
    from semanticface.data.records import read_records
    from semanticface.data.sources import records

    if path.is_dir():
        source = Synthetic(kind="synthetic", path=str(path.resolve()))
        return records(Manifest(sources=(source,), folder=Path()))
    if path.suffix in (".yaml", ".yml"):
        return records(read_manifest(path))
    return read_records(path)


def _truths(store: Store, project: Project, records: Path) -> dict[str, Candidate]:
    """What is true of each item: a face's numbers, or a recording's frames."""
    from semanticface.cli.rank_speech import is_speech
    from semanticface.data.speech_samples import read_samples
    from semanticface.preference.pairing import truths_of
    from semanticface.preference.speech_pairs import truths_in
    from semanticface.train.speech_rows import samples_file

    if is_speech(records):
        return truths_in(store, project, list(read_samples(samples_file(records))))
    return truths_of(project, (r for r in faces_in(records) if _whole(r.values)))


def _whole(values: NDArray[np.float32]) -> bool:
    return not bool((values != values).any())


def _tell(told: Filled) -> None:
    left = f"{told.alike} that look the same, {told.known} known before"
    say(f"{told.pairs} pairs and {told.checks} attention checks; left out: {left}, "
         f"{told.unmeasured} without whole numbers")  # fmt: skip


def say(text: str) -> None:
    """Tell the user."""
    from semanticface.cli.console import err

    err().print(text, markup=False)
