"""`semanticface demo`: the whole way of the data on a clip made here and now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from semanticface.report.page import Conversion, Moment
    from semanticface.rig import FaceClip

FILES = (
    "rehearsal_1_nobody.csv", "rehearsal.gesichter", "rehearsal.npz", "rehearsal.jsonl",
    "rehearsal_a2f.csv", "rehearsal_mediapipe.json", "rehearsal_lam.json",
)  # fmt: skip
KEYS = {"rehearsal_a2f.csv": "audio2face", "rehearsal_mediapipe.json": "mediapipe",
        "rehearsal_lam.json": "lam"}  # fmt: skip
MOMENTS = (("A lopsided smile", 1.8), ("Surprise", 3.5), ("A rounded vowel", 5.3),
           ("A look aside", 5.95), ("A wink", 6.75), ("Displeasure", 7.8))  # fmt: skip


def demo(
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for the files and the page.")
    ] = Path("semanticface-demo"),
    seed: Annotated[int, typer.Option(help="Another seed, another choice of words.")] = 0,
    faces: Annotated[
        int, typer.Option(help="Draw so many people and have the small model read them (needs "
                               "the extra train).", min=0)
    ] = 0,
    run: Annotated[
        Path | None, typer.Option(help="A run's folder, to show its curves.", show_default=False)
    ] = None,
    preference: Annotated[
        bool, typer.Option("--preference", help="One round of preferences instead (train, arena).")
    ] = False,
) -> None:  # fmt: skip
    """Make a clip from a formula, inspect it, describe it, convert it, and write a page to open.

    Needs nothing but the core install, no network and no data. With --faces the page begins
    with pictures that the packaged small model reads.
    """
    if preference:
        from semanticface.cli.demo_preference import preference_demo

        preference_demo(out, seed)
        return
    from semanticface.atomic import write_text
    from semanticface.cli.console import err, track
    from semanticface.cli.console import out as console
    from semanticface.formats import survey
    from semanticface.language.temporal import describe_clip
    from semanticface.language.token_cost import byte_counter, cost_table
    from semanticface.motion.rehearsal import perform
    from semanticface.report.page import clip_page

    out.mkdir(parents=True, exist_ok=True)
    first = seen_section(faces, seed, run) if faces else ""
    clip = perform(seed=seed)
    facts = survey.facts(clip)
    for label, text in facts:
        console().print(f"[bold]{label:<12}[/bold] ", end="")
        console().print(text, markup=False)
    words = [describe_clip(clip, language=each, seed=seed).text for each in ("en", "zh")]
    console().print(f"\n{words[0]}\n", markup=False)
    moments = [_moment(clip, title, seconds, seed) for title, seconds in MOMENTS]
    rows = [_there_and_back(clip, out / name) for name in track(FILES, "converting", len(FILES))]
    for row in rows:
        console().print(f"{row.file:<26}{row.verdict}", markup=False)
    costs = cost_table(clip.values[clip.tracked], byte_counter())
    page = clip_page(
        "A face in numbers and words", clip, facts=facts, words=words, moments=moments,
        conversions=rows, costs=costs, first=first,
    )  # fmt: skip
    write_text(out / "index.html", page)
    err().print(f"\nopen {out / 'index.html'}", markup=False)
    if not all(row.exact for row in rows):
        raise typer.Exit(1)


def seen_section(count: int, seed: int, run: Path | None) -> str:
    """People whom the small model never learnt from, what it says of them, and a run's curves."""
    import numpy as np
    from PIL import Image

    from semanticface.cli.console import out, track
    from semanticface.motion.expressions import sample_frames
    from semanticface.report.seen_faces import learnt, section, seen
    from semanticface.train.held_faces import held_faces
    from semanticface.train.places import small_run
    from semanticface.train.predictor import opened

    held = held_faces(count, seed)
    pictures = [Image.fromarray(each.picture) for each in held]
    told = opened(small_run()).faces(pictures)
    words = [each.words for each in opened(small_run(), answer="two-key").faces(pictures)]
    mean = sample_frames(2000, seed=seed, coverage=0.3).mean(0)
    pairs = track(zip(held, told, words, strict=True), "drawing", count)
    shown = [seen(face, answer.values, mean, own) for face, answer, own in pairs]
    errors = np.array([[each.error, each.guess] for each in shown]).mean(0)
    out().print(f"[bold]{count} people read[/bold] mean error {errors[0]:.3f}, "
                f"the average face's {errors[1]:.3f}\n")  # fmt: skip
    return section(shown, None if run is None else learnt(run), "The packaged small model")


def _moment(clip: FaceClip, title: str, seconds: float, seed: int) -> Moment:
    import numpy as np

    from semanticface.language.answers import answer_format
    from semanticface.language.describe import describe
    from semanticface.report.page import Moment, bars

    index = int(np.abs(clip.times - clip.times[0] - seconds).argmin())
    frame = clip.values[index]
    return Moment(
        index, seconds, title, describe(frame, seed=seed + index),
        describe(frame, seed=seed + index, language="zh"),
        answer_format("codes").write(frame), "", bars(frame),
    )  # fmt: skip


def _there_and_back(clip: FaceClip, path: Path) -> Conversion:
    """Write the clip, read it again, and compare what the format can hold."""
    import numpy as np

    from semanticface import formats
    from semanticface.formats.catalogue import accepts, by_key, for_writing
    from semanticface.report.page import Conversion

    chosen = by_key(KEYS[path.name]) if path.name in KEYS else for_writing(path)
    options = {"untracked": "row"} if accepts(chosen, "write", "untracked") else {}
    notes = formats.write(clip, path, chosen.key, **options)
    back = formats.read(path, chosen.key)
    held = clip.present & back.present
    same = len(back) == len(clip) and np.array_equal(
        back.values[:, held], clip.values[:, held], equal_nan=True
    )
    lost = int(clip.present.sum() - held.sum())
    verdict = "every value identical" if same else "DIFFERENT"
    verdict += f" in {int(held.sum())} channels, {lost} not held by the format" if lost else ""
    size = path.stat().st_size / 1024
    return Conversion(path.name, chosen.about, size, verdict, bool(same), notes)
