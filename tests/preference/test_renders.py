"""Renders by hash: drawn once, bounded, drawn again, and what a full disk does."""

from __future__ import annotations

import io
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from semanticface.errors import BadInput
from semanticface.preference.candidates import Candidate, Duel
from semanticface.preference.presentation import shown
from semanticface.preference.renders import NoRoom, Renders
from semanticface.preference.store import Store
from semanticface.preference.store.content import Item, Project, add_pairs
from semanticface.preference.store.files import keep_file
from semanticface.preference.store.tables import ANSWERS

from .pairs import TINY, face, fill


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """The system refuses to write beyond `size`, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def answers(store: Store) -> list[str]:
    with store.reading() as connection:
        query = ANSWERS.select().order_by(ANSWERS.c.source, ANSWERS.c.id)
        return [row.id for row in connection.execute(query)]


@pytest.fixture
def project(store: Store) -> Project:
    return fill(store, 3)


@pytest.fixture
def renders(store: Store, project: Project) -> Iterator[Renders]:
    made = Renders(store, project, threads=2)
    yield made
    made.close()


def files(store: Store) -> list[Path]:
    return sorted(store.media.glob("renders/??/*"))


def test_a_still_is_what_the_presentation_shows(store: Store, renders: Renders) -> None:
    key = answers(store)[-1]
    digest = renders.of(key, "lower")
    render = renders.shown(digest)
    assert render.type == "image/jpeg"
    seen = np.asarray(Image.open(io.BytesIO(render.data)))
    strongest = face(jawOpen=0.7, browInnerUp=0.3)
    persons = [shown(strongest, "lower", TINY, person=n) for n in range(3)]
    nearest = min(float(np.abs(seen.astype(int) - p).mean()) for p in persons)
    assert seen.shape == (64, 64, 3) and nearest < 12
    assert renders.of(key, "upper") != digest == renders.of(key, "lower")


def test_each_is_drawn_once_however_many_ask(store: Store, renders: Renders) -> None:
    digest = renders.of(answers(store)[0], "lower")
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.append(renders.shown(digest).data)) for _ in range(8)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(set(found)) == 1 and len(found) == 8
    (path,) = files(store)
    stamp = path.stat().st_ino
    assert renders.shown(digest).data == found[0] and path.stat().st_ino == stamp


def test_what_was_swept_away_is_drawn_again_the_same(store: Store, project: Project) -> None:
    renders = Renders(store, project, limit=0, threads=1)
    digests = renders.of_all((key, "lower") for key in answers(store))
    first = [renders.shown(each).data for each in digests]
    assert renders.sweep() == len(set(digests)) and files(store) == []
    assert [renders.shown(each).data for each in digests] == first
    renders.close()


def test_the_longest_unseen_go_first(store: Store, renders: Renders) -> None:
    digests = renders.of_all((key, "lower") for key in answers(store)[:3])
    sizes = [len(renders.shown(each).data) for each in digests]
    renders.shown(digests[0])  # seen again: now the youngest
    renders.limit = sizes[0] + sizes[2]
    assert renders.sweep() == 1
    assert {path.stem for path in files(store)} == {digests[0], digests[2]}


def test_drawing_ahead_fills_the_cache(store: Store, renders: Renders) -> None:
    digests = renders.of_all((key, "lower") for key in answers(store))
    renders.soon(digests)
    renders.close()  # waits for what was begun
    assert len(files(store)) >= 1


@pytest.mark.parametrize("digest", ["", "0" * 64, "../../../etc/passwd", "x" * 1000])
def test_an_unknown_hash_is_refused(renders: Renders, digest: str) -> None:
    with pytest.raises(BadInput):
        renders.shown(digest)


def test_on_a_full_disk_stills_are_shown_and_counted(store: Store, renders: Renders) -> None:
    digest = renders.of(answers(store)[0], "lower")
    renders.shown(renders.of(answers(store)[1], "lower"))  # the folder and the head are there
    with largest_file(200):
        assert renders.shown(digest).data[:2] == b"\xff\xd8"
    assert renders.unkept == 1 and len(files(store)) == 1
    renders.shown(digest)
    assert len(files(store)) == 2


def speech() -> bytes:
    stream = io.BytesIO()
    with av.open(stream, "w", format="wav") as container:
        track = container.add_stream("pcm_s16le", rate=16000, layout="mono")
        tone = (8000 * np.sin(np.arange(8000) * 0.2)).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
        frame.sample_rate = 16000
        container.mux(track.encode(frame))
        container.mux(track.encode(None))
    return stream.getvalue()


@pytest.fixture
def film(store: Store, project: Project) -> str:
    ramp = np.linspace(0, 1, 16)[:, None]
    one, other = (Candidate.of(n, ramp * face(jawOpen=v)) for n, v in (("clip a", 1), ("b", 0.5)))
    item = Item("spoken", "s", sound=keep_file(store, speech()))
    add_pairs(store, project.id, item, [Duel(one, other, "lower")])
    with store.reading() as connection:
        query = ANSWERS.select().where(ANSWERS.c.source == "clip a")
        return str(connection.execute(query).mappings().one()["id"])


def test_a_clip_is_a_film_with_its_sound(renders: Renders, film: str) -> None:
    render = renders.shown(renders.of(film, "lower"))
    assert render.type == "video/mp4"
    with av.open(io.BytesIO(render.data)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 16
        assert container.streams.audio


def test_a_film_on_a_full_disk_is_an_error_and_leaves_nothing(
    store: Store, renders: Renders, film: str
) -> None:
    digest = renders.of(film, "lower")
    with largest_file(200), pytest.raises(NoRoom, match="free some"):
        renders.shown(digest)
    assert files(store) == []
    assert renders.shown(digest).type == "video/mp4"
