"""Make the pictures and the film of the head that README shows, into docs/images.

    python scripts/make_head_pictures.py [channels emotions people talk viewer]

`talk` needs flite (Debian package), `viewer` needs chromium and npm.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))

from head_pictures.talk import spoken, talking
from head_pictures.viewer import photographed

from semanticface.motion.sequences import sample_clip
from semanticface.render.export_gltf import export
from semanticface.render.picture import Picture, Renderer
from semanticface.render.sheet import contact_sheet
from semanticface.render.video import film
from semanticface.rig import BLENDSHAPES, COUNT, INDEX

IMAGES = Path(__file__).parent.parent / "docs" / "images"
LARGEST = 300_000
PEOPLE = (0, 2, 5, 9)
SENTENCE = "Hello. I am a face made of sixty one numbers. Watch my lips, and tell me what you see."
_WITH = {"mouthClose": {"jawOpen": 1.0}, "tongueOut": {"jawOpen": 0.3}}
"""Channels that show nothing alone, and what they are shown with."""
EMOTIONS = {
    "neutral": {},
    "joy": {"mouthSmile": 0.85, "cheekSquint": 0.7, "eyeSquint": 0.35, "mouthUpperUp": 0.25,
            "jawOpen": 0.12, "mouthDimple": 0.2},
    "surprise": {"browInnerUp": 0.8, "browOuterUp": 0.7, "eyeWide": 0.8, "jawOpen": 0.45},
    "anger": {"browDown": 0.8, "noseSneer": 0.4, "mouthPress": 0.5, "eyeSquint": 0.4,
              "mouthShrugLower": 0.2},
    "sadness": {"browInnerUp": 0.8, "mouthFrown": 0.7, "mouthShrugLower": 0.35,
                "eyeLookDown": 0.25, "eyeBlink": 0.15},
    "fear": {"browInnerUp": 0.7, "browOuterUp": 0.35, "browDown": 0.2, "eyeWide": 0.9,
             "mouthStretch": 0.6, "jawOpen": 0.2},
    "disgust": {"noseSneer": 0.9, "mouthUpperUp": 0.5, "browDown": 0.5, "eyeSquint": 0.4,
                "mouthFrown": 0.3},
    "contempt": {"mouthSmileLeft": 0.6, "mouthDimpleLeft": 0.5, "cheekSquintLeft": 0.3,
                 "eyeBlink": 0.12},
    "wink": {"eyeBlinkRight": 0.95, "mouthSmileRight": 0.5, "cheekSquintRight": 0.6,
             "mouthSmileLeft": 0.25},
    "pucker": {"mouthPucker": 0.9, "mouthFunnel": 0.2},
    "wide open": {"jawOpen": 1.0, "mouthUpperUp": 0.3, "mouthLowerDown": 0.2, "eyeSquint": 0.3},
    "tongue": {"jawOpen": 0.45, "tongueOut": 1.0, "eyeSquint": 0.2},
}  # fmt: skip


def face(weights: dict[str, float]) -> NDArray[np.float32]:
    """Values [61]; a name without its side means both."""
    values = np.zeros(COUNT, np.float32)
    for name, weight in weights.items():
        for full in (name, f"{name}Left", f"{name}Right"):
            if full in INDEX:
                values[INDEX[full]] = weight
    return values


def save(picture: Picture, name: str, colours: int = 256) -> None:
    """Write a picture of few colours, small enough for a page."""
    path = IMAGES / name
    image = Image.fromarray(picture)
    if path.suffix == ".png":
        image.quantize(colours).save(path, optimize=True)
    else:
        image.save(path, quality=82, optimize=True)
    if path.stat().st_size > LARGEST:
        raise SystemExit(f"{path}: {path.stat().st_size} bytes, at most {LARGEST}")


def channels() -> None:
    """All 52 channels at weight 1 on four people, the half of the face that each moves."""
    for half in ("upper", "lower"):
        renderers = [Renderer(identity=who, size=(104, 84), crop=half) for who in PEOPLE]
        pictures, labels = [], []
        for each in [channel for channel in BLENDSHAPES if channel.half == half]:
            others = _WITH.get(each.name, {})
            values = face({each.name: 1.0, **others})
            pictures += [renderer.render(values) for renderer in renderers]
            labels += [each.name + "".join(f" + {name}" for name in others)] * len(renderers)
        save(contact_sheet(pictures, labels, columns=12), f"channels-{half}.jpg")


def emotions() -> None:
    """Twelve expressions, painted, in clay and as a cartoon."""
    pictures, labels = [], []
    for look, view, who in (("realistic", "front", 0), ("realistic", "three-quarter", 2),
                            ("clay", "front", 5), ("toon", "front", 9)):  # fmt: skip
        renderer = Renderer(look=look, view=view, identity=who, size=132)
        pictures += [renderer.render(face(weights)) for weights in EMOTIONS.values()]
        labels += list(EMOTIONS)
    save(contact_sheet(pictures, labels, columns=12), "emotions.png")


def people() -> None:
    """Eight people with six expressions each."""
    shown = ("neutral", "joy", "surprise", "anger", "sadness", "disgust")
    pictures = [
        renderer.render(face(EMOTIONS[name]))
        for renderer in (Renderer(identity=who, size=128) for who in range(8))
        for name in shown
    ]
    save(contact_sheet(pictures, list(shown) * 8, columns=12), "people.jpg")


def talk() -> None:
    """A film of a spoken sentence with its sound."""
    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder) / "voice.wav"
        phones = spoken(SENTENCE, sound)
        clip = talking(phones, sample_clip(phones[-1].end + 1, 60, seed=4))
        path = IMAGES / "talk.mp4"
        film(clip, path, Renderer(identity=4, size=192), fps=30, audio=sound)
    if path.stat().st_size > LARGEST:
        raise SystemExit(f"{path}: {path.stat().st_size} bytes, at most {LARGEST}")
    wanted = ("m", "ey", "f", "ow", "w", "ch")
    moments = [next(p for p in phones if p.name == name) for name in wanted]
    renderer = Renderer(identity=4, size=144)
    at = [np.searchsorted(clip.times, (p.start + p.end) / 2) for p in moments]
    labels = [f"{p.name}, {p.start:.2f} s" for p in moments]
    save(contact_sheet([renderer.render(clip.values[i]) for i in at], labels), "talk.png")


def viewer() -> None:
    """The GLB of a talking face, seen by three.js."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        phones = spoken(SENTENCE, folder / "voice.wav")
        clip = talking(phones, sample_clip(phones[-1].end + 1, 60, seed=4))
        export(folder / "talk.glb", clip, identity=4)
        vowel = next(p for p in phones if p.name == "aa")
        seconds = (vowel.start + vowel.end) / 2
        shot = folder / "shot.png"
        photographed(folder / "talk.glb", shot, seconds, folder)
        theirs = np.asarray(Image.open(shot).convert("RGB"))[:420, :420]
    ours = Renderer(identity=4, size=420).render(clip.values[int(seconds * 60)])
    sheet = contact_sheet([ours, theirs], [f"semanticface, {seconds:.2f} s", "three.js, the GLB"])
    save(sheet, "viewer.jpg")


SHOWS: dict[str, Callable[[], None]] = {
    "channels": channels, "emotions": emotions, "people": people, "talk": talk, "viewer": viewer,
}  # fmt: skip


def main() -> None:
    """Make what is named, by default everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shows", nargs="*", metavar="show", help=", ".join(SHOWS))
    wanted = parser.parse_args().shows or list(SHOWS)
    if unknown := [name for name in wanted if name not in SHOWS]:
        parser.error(f"no show named {', '.join(unknown)}; there are {', '.join(SHOWS)}")
    for name in wanted:
        SHOWS[name]()


if __name__ == "__main__":
    main()
