"""Pairs from two clips of the same face, such as a take and a tracker.

    stills_of(store, project, one, other, ("take", "tracker"), subject="anna", movie="anna.mov")
    loops_of(store, project, one, other, ("take", "tracker"), subject="anna", sound="anna.wav")

Both clips, the film and the sound begin together: each counts its time from its own start.
Whose numbers are right is what the judges are asked, so there are no attention checks.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from semanticface.data.images import ImageRef, Pictures
from semanticface.data.sounds import Sounds
from semanticface.errors import BadInput
from semanticface.motion.resample import resample
from semanticface.preference.candidates import Candidate, regional_pair
from semanticface.preference.difference import LEAST, worth_asking
from semanticface.preference.pairing import Filled
from semanticface.preference.store.content import Item, Project, add_pairs
from semanticface.preference.store.database import Store
from semanticface.preference.store.files import keep_file
from semanticface.render.timeline import face_at
from semanticface.rig import FaceClip
from semanticface.speech.audio import as_wav

_QUALITY = 92


class Between(NamedTuple):
    """What both kinds of pairs have in common."""

    names: tuple[str, str]
    """What the two clips are called."""
    subject: str
    every: float = 1.0
    """Seconds between stills, or of a loop."""
    regions: Sequence[str] = ("upper", "lower")
    least: float = LEAST
    person: int | None = None


def stills_of(
    store: Store, project: Project, one: FaceClip, other: FaceClip, how: Between, *,
    movie: str | Path | None = None,
) -> Filled:  # fmt: skip
    """Both clips at the same moments; the film's frame of that moment is the picture."""
    first, second = one.from_zero(), other.from_zero()
    ends = [first.duration, second.duration, *([] if movie is None else [_last(movie)])]
    pictures, total = Pictures(), np.zeros(5, np.int64)
    for at in _moments(min(ends), how.every):
        try:
            faces = [
                Candidate.of(name, np.where(clip.present, face_at(clip, at), np.nan))
                for name, clip in zip(how.names, (first, second), strict=True)
            ]
        except BadInput:  # a tracker had lost the face at this time
            total[4] += 1
            continue
        item = Item(f"{how.subject} {at:.3f} s", how.subject, person=how.person)
        if movie is not None:
            item = item._replace(picture=_frame(store, pictures, movie, at))
        total[:4] += _added(store, project, item, faces, how)
    return Filled(*(int(n) for n in total))


def loops_of(
    store: Store, project: Project, one: FaceClip, other: FaceClip, how: Between, *,
    sound: str | Path | None = None,
) -> Filled:  # fmt: skip
    """Both clips in loops of `every` seconds, one after the other, each with its sound.

    A loop in which a clip has no face for a frame is left out: what would be shown there?
    """
    first, second = one.from_zero(), other.from_zero()
    sounds, total = Sounds(), np.zeros(5, np.int64)
    for begin, end in _spans(min(first.duration, second.duration), how.every):
        times = first.times[(first.times >= begin) & (first.times <= end)]
        tables = [resample(clip, times).values for clip in (first, second)]
        if len(times) < 2 or any(np.isnan(table).all(axis=1).any() for table in tables):
            total[4] += 1
            continue
        faces = [Candidate(name, table, times)
                 for name, table in zip(how.names, tables, strict=True)]  # fmt: skip
        item = Item(f"{how.subject} {begin:.3f} to {end:.3f} s", how.subject, person=how.person)
        if sound is not None:
            item = item._replace(sound=heard_in(store, sounds, sound, times[0], times[-1]))
        total[:4] += _added(store, project, item, faces, how)
    return Filled(*(int(n) for n in total))


def _moments(end: float, every: float) -> Iterator[float]:
    if every <= 0:
        raise BadInput(f"a pair every {every:g} s", "a time above 0")
    return (float(at) for at in np.arange(0, end + 1e-9, every))


def _spans(end: float, every: float) -> Iterator[tuple[float, float]]:
    """Whole stretches of `every` seconds; all of it where it is shorter than one."""
    starts = [at for at in _moments(end, every) if at + every <= end + 1e-6]
    return ((at, min(at + every, end)) for at in starts or [0.0])


def _added(
    store: Store, project: Project, item: Item, faces: Sequence[Candidate], how: Between
) -> tuple[int, int, int, int]:
    duels = [regional_pair(faces[0], faces[0], faces[1], name) for name in how.regions]
    sifted = worth_asking(duels, least=how.least, person=how.person)
    added = add_pairs(store, project.id, item, list(sifted.kept))
    return added.pairs, 0, sifted.alike + sifted.unfair, added.known


def _last(movie: str | Path) -> float:
    """Start of a film's last frame."""
    from semanticface.data.movies import stamps

    return stamps(str(movie))[-1]


def _frame(store: Store, pictures: Pictures, movie: str | Path, at: float) -> str:
    stream = io.BytesIO()
    frame = pictures.decode(ImageRef(movie=str(movie), time=at), f"the film at {at:.3f} s")
    frame.save(stream, "JPEG", quality=_QUALITY)
    return keep_file(store, stream.getvalue())


def heard_in(store: Store, sounds: Sounds, sound: str | Path, begin: float, end: float) -> str:
    """Keep a stretch of a recording, as raters hear it."""
    return keep_file(store, as_wav(sounds.span(str(sound), begin, end)))
