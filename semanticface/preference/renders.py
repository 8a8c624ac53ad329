"""Pictures and looping films of answers, by content hash, in a cache of bounded size.

    renders = Renders(store, project)
    digest = renders.of(answer_id, region)      # known at once, drawn when wanted
    shown = renders.shown(digest)               # bytes and their type

A hash covers the numbers, the region, the presentation, the person, the sound and the
renderer's version. The table `renders` says what a hash is drawn from, so the cache may
be emptied at any time: what is gone is drawn again. The oldest files go first.

On a full disk a still is drawn and shown all the same, only not kept (`unkept` counts);
a film cannot be made and is an error that leaves nothing half-written.
"""

from __future__ import annotations

import errno
import io
import os
import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image
from sqlalchemy import select

from semanticface.atomic import write_bytes
from semanticface.errors import BadInput, SemanticFaceError
from semanticface.preference.candidates import Candidate
from semanticface.preference.presentation import Presentation, digest, shown
from semanticface.preference.store.content import Project, candidate_of
from semanticface.preference.store.database import Store
from semanticface.preference.store.files import kept_file
from semanticface.preference.store.rows import insert_once
from semanticface.preference.store.tables import ANSWERS, ITEMS, RENDERS
from semanticface.rig import FaceClip

LIMIT = 2 * 2**30
"""Bytes of renders that are kept, unless told otherwise."""
_TYPES = {".jpg": "image/jpeg", ".mp4": "video/mp4"}
_HEX = set("0123456789abcdef")
_QUALITY = 92
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SWEEP_EVERY = 64


class NoRoom(SemanticFaceError):
    """A render could not be written: the disk is full."""


class Render(NamedTuple):
    """Something to look at."""

    data: bytes
    type: str


class _Recipe(NamedTuple):
    candidate: Candidate
    region: str
    how: Presentation
    person: int | None
    sound: Path | None


class Renders:
    """The renders of one project."""

    def __init__(
        self, store: Store, project: Project, *, limit: int = LIMIT, threads: int | None = None
    ) -> None:
        self._store, self._how, self.limit = store, project.presentation, limit
        self._folder = store.media / "renders"
        self._pool = ThreadPoolExecutor(threads or os.cpu_count() or 1, "draw")
        self._known: dict[tuple[str, str], str] = {}
        self._working: dict[str, Future[Render]] = {}
        self._lock = threading.Lock()
        self._written = 0
        self.unkept = 0
        """Stills that were shown but found no room on the disk."""

    def of(self, answer_id: str, region: str) -> str:
        """The hash of an answer's render, kept in the store; nothing is drawn yet."""
        return self.of_all([(answer_id, region)])[0]

    def of_all(self, wanted: Iterable[tuple[str, str]]) -> list[str]:
        """The hashes of many answers, in one go."""
        asked = list(wanted)
        fresh = [each for each in dict.fromkeys(asked) if each not in self._known]
        if fresh:
            self._register(fresh)
        return [self._known[each] for each in asked]

    def shown(self, digest: str) -> Render:
        """The render with this hash: from the cache, or drawn now; each only once at a time."""
        if len(digest) != 64 or set(digest) - _HEX:  # it becomes a file's name
            raise BadInput(f"the hash {digest[:64]!r}", "64 hexadecimal digits")
        return self._kept(digest) or self._drawing(digest).result()

    def soon(self, digests: Iterable[str]) -> None:
        """Draw these in the background, so that nobody waits for them later."""
        for each in digests:
            if self._path(each) is None:
                self._drawing(each)

    def close(self) -> None:
        """Stop drawing; what was not begun is dropped."""
        self._pool.shutdown(cancel_futures=True)

    # -- knowing ------------------------------------------------------------------

    def _register(self, fresh: list[tuple[str, str]]) -> None:
        with self._store.reading() as connection:
            rows = {key: _answer_row(connection, key) for key in {key for key, _ in fresh}}
        found = {(key, region): self._digest(rows[key], region) for key, region in fresh}
        with self._store.reading() as connection:
            query = select(RENDERS.c.hash).where(RENDERS.c.hash.in_(found.values()))
            there = set(connection.execute(query).scalars())
        new = {place: value for place, value in found.items() if value not in there}
        if new:
            self._insert(new)
        self._known |= found

    def _insert(self, new: dict[tuple[str, str], str]) -> None:
        with self._store.writing() as connection:
            for (key, region), value in new.items():
                insert_once(connection, RENDERS, {
                    "hash": value, "answer_id": key, "region": region,
                    "presentation": self._how.as_json(), "made": time.time(),
                })  # fmt: skip

    def _digest(self, row: Any, region: str) -> str:
        candidate = candidate_of(row)
        sound = None if candidate.still else row["sound"]
        return digest(candidate.values, candidate.times, region, self._how, row["person"], sound)

    def _recipe(self, digest: str) -> _Recipe:
        with self._store.reading() as connection:
            query = RENDERS.select().where(RENDERS.c.hash == digest)
            found = connection.execute(query).mappings().first()
            if found is None:
                raise BadInput(f"no render {digest[:64]!r}", "the hash of one")
            row = _answer_row(connection, found["answer_id"])
        sound = None if row["sound"] is None else kept_file(self._store, row["sound"])
        how = Presentation.from_json(found["presentation"])
        return _Recipe(candidate_of(row), found["region"], how, row["person"], sound)

    # -- keeping ------------------------------------------------------------------

    def _path(self, digest: str) -> Path | None:
        for suffix in _TYPES:
            path = self._folder / digest[:2] / f"{digest}{suffix}"
            if path.exists():
                return path
        return None

    def _kept(self, digest: str) -> Render | None:
        path = self._path(digest)
        if path is None:
            return None
        try:
            data = path.read_bytes()
            os.utime(path)  # seen lately: the last to go
        except FileNotFoundError:  # swept away between the two
            return None
        return Render(data, _TYPES[path.suffix])

    def _drawing(self, digest: str) -> Future[Render]:
        with self._lock:
            if digest in self._working:
                return self._working[digest]
            future = self._working[digest] = self._pool.submit(self._draw, digest)
        future.add_done_callback(lambda _: self._working.pop(digest, None))
        return future

    def _draw(self, digest: str) -> Render:
        kept = self._kept(digest)
        if kept is not None:
            return kept
        recipe = self._recipe(digest)
        made = self._still(digest, recipe) if recipe.candidate.still else self._film(digest, recipe)
        self._written += 1
        if self._written % _SWEEP_EVERY == 0:
            self.sweep()
        return made

    def _still(self, digest: str, recipe: _Recipe) -> Render:
        row = recipe.candidate.drawable[0]
        picture = shown(row, recipe.region, recipe.how, person=recipe.person)
        stream = io.BytesIO()
        Image.fromarray(picture).save(stream, "JPEG", quality=_QUALITY, subsampling=0)
        try:
            write_bytes(self._place(digest, ".jpg"), stream.getvalue())
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            self.unkept += 1
        return Render(stream.getvalue(), _TYPES[".jpg"])

    def _film(self, digest: str, recipe: _Recipe) -> Render:
        from semanticface.render.timeline import moments
        from semanticface.render.video import write_video

        clip = FaceClip.of(recipe.candidate.values, recipe.candidate.times)
        frames = (
            shown(each.values, recipe.region, recipe.how, person=recipe.person)
            for each in moments(clip, recipe.how.fps)
        )
        try:
            path = self._place(digest, ".mp4")
            write_video(path, frames, recipe.how.fps, audio=recipe.sound)
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            raise NoRoom("no room on the disk for a film; free some and try again") from error
        return Render(path.read_bytes(), _TYPES[".mp4"])

    def _place(self, digest: str, suffix: str) -> Path:
        folder = self._folder / digest[:2]
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{digest}{suffix}"

    def sweep(self) -> int:
        """Remove the renders longest unseen until the rest fits the limit; returns how many."""
        files = [(path.stat(), path) for path in self._folder.glob("??/*.*")]
        total = sum(told.st_size for told, _ in files)
        gone = 0
        for told, path in sorted(files, key=lambda each: each[0].st_mtime):
            if total <= self.limit:
                break
            path.unlink(missing_ok=True)
            total, gone = total - told.st_size, gone + 1
        return gone


def _answer_row(connection: Any, answer_id: str) -> dict[str, Any]:
    """An answer with the person and sound of its item."""
    query = (
        ANSWERS.select().with_only_columns(ANSWERS, ITEMS.c.person, ITEMS.c.sound)
        .join(ITEMS, ITEMS.c.id == ANSWERS.c.item_id).where(ANSWERS.c.id == answer_id)
    )  # fmt: skip
    row = connection.execute(query).mappings().first()
    if row is None:
        raise BadInput(f"no answer {answer_id[:64]!r}", "the key of one")
    return dict(row)
