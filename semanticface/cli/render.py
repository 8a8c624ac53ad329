"""`semanticface render`: a clip as a picture, a film or a GLB."""

from __future__ import annotations

from enum import Enum, StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from semanticface.cli.options import Clip, From, Jaw, Mouth, Rate, Which, load

if TYPE_CHECKING:
    from collections.abc import Iterable

    from semanticface.render.head import Head
    from semanticface.render.picture import Renderer
    from semanticface.rig import FaceClip

PICTURES = (".png", ".jpg", ".jpeg", ".webp")
FILMS = (".mp4", ".webm")


class LookName(StrEnum):
    """Looks."""

    realistic = "realistic"
    clay = "clay"
    toon = "toon"


class Part(Enum):
    """Parts of the face."""

    full = "full"
    upper = "upper"
    lower = "lower"


def render(
    clip_file: Clip,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="out.png, out.mp4, out.webm or out.glb.")
    ],
    identity: Annotated[
        int | None, typer.Option(help="A seed: another seed, another person.", min=0)
    ] = None,
    look: Annotated[LookName, typer.Option(help="How it is painted.")] = LookName.realistic,
    view: Annotated[
        str,
        typer.Option(help="front, left, right, three-quarter, or yaw,pitch in degrees: 30,-5"),
    ] = "front",
    crop: Annotated[Part, typer.Option(help="The whole face or a half.")] = Part.full,
    size: Annotated[str, typer.Option(help="Pixels: 512 or 1280x720.")] = "512",
    fps: Annotated[float, typer.Option(help="Film frames a second.", min=1, max=240)] = 30.0,
    audio: Annotated[
        Path | None, typer.Option(help="Sound of a film, any file PyAV reads.")
    ] = None,
    at: Annotated[
        float | None,
        typer.Option(help="Seconds from the start, for a picture; default: the liveliest frame."),
    ] = None,
    background: Annotated[
        str, typer.Option(help="plain, gradient, noise, or a colour: #30343a")
    ] = "gradient",
    rig: Annotated[
        Path | None, typer.Option(help="Another head: .npz, .glb or a folder of .obj files.")
    ] = None,
    antialias: Annotated[
        bool, typer.Option("--antialias/--fast", help="Four samples a pixel, or one.")
    ] = True,
    source_format: From = None,
    exchange_mouth: Mouth = None,
    exchange_jaw: Jaw = None,
    rate: Rate = None,
    which: Which = None,
) -> None:
    """Draw a clip: one frame as a picture, all of it as a film with sound, or a GLB.

    [bold]Examples[/bold]

    semanticface render take.csv -o face.png --at 2.5

    semanticface render take.csv -o face.mp4 --audio voice.wav --identity 3

    semanticface render take.csv -o judge.png --look clay --view three-quarter --size 768

    semanticface render take.csv -o brows.webm --crop upper --background plain

    semanticface render take.csv -o face.glb --identity 3      (for Blender or a viewer)
    """
    suffix = _checked_suffix(output, audio, at)
    clip = load(clip_file, source_format, exchange_mouth=exchange_mouth,
                exchange_jaw=exchange_jaw, rate=rate, which=which)  # fmt: skip
    _tell_absent(clip)
    head = None if rig is None else _rig(rig)
    if suffix == ".glb":
        _write_glb(clip, output, head, identity, look.value)
        return
    from semanticface.render.picture import Renderer

    renderer = Renderer(
        head, look=look.value, identity=identity, view=view, size=_size(size), crop=crop.value,
        background=background, antialias=antialias,
    )  # fmt: skip
    if suffix in PICTURES:
        _write_picture(clip, output, renderer, at)
    else:
        _write_film(clip, output, renderer, fps, audio)


def _checked_suffix(output: Path, audio: Path | None, at: float | None) -> str:
    """The suffix, after checks that need no clip: nobody waits to learn of a wrong name."""
    from semanticface.errors import BadInput

    suffix = output.suffix.lower()
    if suffix not in (*PICTURES, *FILMS, ".glb"):
        raise BadInput(f"the suffix '{output.suffix}'",
                       f"one of {', '.join((*PICTURES, *FILMS, '.glb'))}", file=output)  # fmt: skip
    if audio is not None and suffix not in FILMS:
        raise BadInput("--audio for a file without sound", f"{' or '.join(FILMS)}", file=output)
    if audio is not None and not audio.is_file():
        raise BadInput("no such file", "a sound file", file=audio, hint="Check --audio.")
    if at is not None and suffix not in PICTURES:
        raise BadInput("--at for a whole clip", "a picture, such as .png", file=output)
    if not output.resolve().parent.is_dir():
        raise BadInput("no such folder", "an existing one", file=output.parent)
    return suffix


def _size(text: str) -> int | tuple[int, int]:
    from semanticface.errors import BadInput

    try:
        numbers = [int(part) for part in text.lower().split("x")]
    except ValueError:
        numbers = []
    if len(numbers) == 1:
        return numbers[0]
    if len(numbers) == 2:
        return numbers[0], numbers[1]
    raise BadInput(f"the size '{text}'", "pixels, such as 512 or 1280x720", hint="Change --size.")


def _rig(path: Path) -> Head:
    from semanticface.cli.console import note
    from semanticface.render.rigs import load_rig

    head, report = load_rig(path)
    for line in report.lines():
        note(line)
    return head


def _tell_absent(clip: FaceClip) -> None:
    from semanticface.cli.console import note

    for text in clip.meta.conventions:
        note(f"read: {text}")
    if clip.absent:
        note(f"not in the clip, drawn at rest: {', '.join(clip.absent)}")


def _write_picture(clip: FaceClip, output: Path, renderer: Renderer, at: float | None) -> None:
    from PIL import Image

    from semanticface.atomic import whole_file
    from semanticface.cli.console import err
    from semanticface.render.timeline import face_at

    seconds = _liveliest(clip) if at is None else at
    picture = renderer.render(face_at(clip, seconds))
    with whole_file(output) as temporary:
        Image.fromarray(picture).save(temporary)
    err().print(f"{seconds:.3f} s -> {output}", markup=False)


def _liveliest(clip: FaceClip) -> float:
    """Seconds from the start of the frame whose shapes are farthest from rest."""
    import numpy as np

    from semanticface.render.timeline import faces

    values, good = faces(clip)
    strength = np.where(good, values[:, :52].sum(axis=1), -1)
    return float(clip.times[int(strength.argmax())] - clip.times[0])


def _write_film(
    clip: FaceClip, output: Path, renderer: Renderer, fps: float, audio: Path | None
) -> None:
    from semanticface.cli.console import err, note, track
    from semanticface.render.timeline import count, faces
    from semanticface.render.video import pictures, write_video

    _, good = faces(clip)
    frames: Iterable[Any] = track(pictures(clip, renderer, fps), "drawing", count(clip, fps))
    written = write_video(output, frames, fps, audio=audio)
    if lost := int((~good).sum()):
        note(f"{lost} of {len(clip)} frames without a face: the last one stands, dimmed")
    err().print(f"{written} frames, {written / fps:.2f} s -> {output}", markup=False)


def _write_glb(
    clip: FaceClip, output: Path, head: Head | None, identity: int | None, look: str
) -> None:
    from semanticface.cli.console import err
    from semanticface.render.export_gltf import export

    told = export(output, clip, head=head, identity=identity, look=look)
    err().print(
        f"{len(told.targets)} shapes, {told.keys} keys, {told.seconds:.2f} s, "
        f"{told.bytes / 1e6:.1f} MB -> {output}", markup=False,
    )  # fmt: skip
