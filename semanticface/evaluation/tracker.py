"""MediaPipe's Face Landmarker as a source, run in its own environment.

MediaPipe needs a numpy that the project does not, so it lives in a folder of its own
(scripts/install_tracker.sh) and is spoken to through pipes, see `mediapipe_worker`.
While it reads one block of pictures the next is drawn or decoded; two blocks are in
memory at a time.

It has 51 of the 52 shapes (no tongueOut) and no rotations here: those channels are
absent. A picture without a face is a row of NaN.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.evaluation import mediapipe_worker
from semanticface.evaluation.fingerprints import file_sha256, fingerprint
from semanticface.evaluation.images import Show, meta_of, picture_facts, shows
from semanticface.evaluation.items import Item, Prediction
from semanticface.evaluation.mediapipe_worker import BLOCK, BLOCK_MARK, REPLY, REPLY_MARK
from semanticface.evaluation.specs import Progress, TrackerSpec
from semanticface.render.picture import Picture
from semanticface.rig import ORDERS, FaceClip

WORKER = Path(mediapipe_worker.__file__)
_MOST = 16  # pictures in a block: its answer fits into a pipe, so neither side can wait forever
_BLOCK_BYTES = 16 << 20
_OURS = ("PYTHONPATH", "PYTHONHOME")  # would bring our numpy into its environment
_INSTALL = "Make it with scripts/install_tracker.sh and name it by 'environment'."


class Scores(NamedTuple):
    """What the tracker says of one block."""

    names: tuple[str, ...]
    """Empty until a first face was found."""
    table: NDArray[np.float32]
    """[pictures, names], NaN without a face."""


class TrackerSource:
    """The Face Landmarker on the pictures of an item."""

    def __init__(self, spec: TrackerSpec) -> None:
        self.spec = spec
        self.name: str = spec.name
        self.kind: str = spec.kind

    def fingerprint(self, item: Item) -> str:
        """Of the pictures, the tracker's model and release, and how it is asked."""
        model = _installed(self.spec.environment).model
        return fingerprint({
            "spec": self.spec.settings("environment", "patience", "frames"),
            "model": file_sha256(model), "release": releases(self.spec.environment),
            "worker": file_sha256(WORKER), **picture_facts(self.spec, item),
        })  # fmt: skip

    def predict(
        self, item: Item, progress: Progress | None = None, *, work: Path | None = None
    ) -> list[Prediction]:
        """The scores of every picture; one prediction for each identity drawn."""
        found = shows(self.spec, item)
        total = sum(show.total for show in found)
        done, predictions = 0, []
        with Tracker(self.spec.environment, self.spec.patience) as tracker:
            for show in found:
                predictions.append(_followed(show, tracker, item, progress, done, total))
                done += show.total
        return predictions


def _followed(
    show: Show, tracker: Tracker, item: Item, progress: Progress | None, done: int, total: int
) -> Prediction:
    """One show through the tracker."""
    times: list[float] = []
    shown: list[bool] = []

    def pictures() -> Iterator[Picture]:
        for shot in show.shots():
            times.append(shot.time)
            shown.append(shot.picture is not None)
            if shot.picture is not None:
                yield shot.picture

    parts, names, read = [], tuple(ORDERS["mediapipe"].labels), 0
    for scores in tracker.follow(pictures()):
        names = scores.names or names
        parts.append(scores.table)
        read += len(scores.table)
        if progress is not None:
            progress(done + read, total)
    table = np.full((len(times), len(names)), np.nan)
    table[np.array(shown, np.bool_)] = _stacked(parts, len(names))
    clip = FaceClip.from_columns(
        names, table, times, meta_of(item, "MediaPipe Face Landmarker", "mediapipe")
    )
    notes = {
        **show.notes, "tracker": releases(tracker.environment), "pictures shown": read,
        "faces found": int(clip.tracked.sum()),
    }  # fmt: skip
    return Prediction(clip.mirrored() if show.mirrored else clip, notes=notes)


def _stacked(parts: list[NDArray[np.float32]], columns: int) -> NDArray[np.float64]:
    """All rows; blocks before the first face have no columns and are NaN."""
    wide = [part if part.shape[1] else np.full((len(part), columns), np.nan) for part in parts]
    return np.concatenate([np.zeros((0, columns)), *wide])


# -- the process ---------------------------------------------------------------------


class Installed(NamedTuple):
    """Where a tracker's environment has what."""

    python: Path
    model: Path


def _installed(environment: Path) -> Installed:
    found = Installed(environment / "bin" / "python", environment / "face_landmarker.task")
    if not all(path.is_file() for path in found):
        raise BadInput("no tracker", "bin/python and face_landmarker.task in it",
                       file=environment, hint=_INSTALL)  # fmt: skip
    return found


def releases(environment: Path) -> str:
    """`mediapipe-0.10.21`: what is installed there, by its metadata."""
    found = environment.glob("lib/python*/site-packages/mediapipe-*.dist-info")
    return ", ".join(sorted(path.name.removesuffix(".dist-info") for path in found)) or "unknown"


class Tracker:
    """A worker process: blocks of pictures in, scores out, in order."""

    def __init__(self, environment: Path, patience: float = 120.0) -> None:
        self.environment = environment
        self._patience = patience
        self._installed = _installed(environment)
        self._stuck = threading.Event()

    def __enter__(self) -> Self:
        python, model = self._installed
        self._told = tempfile.TemporaryFile()
        own = {name: value for name, value in os.environ.items() if name not in _OURS}
        self._process = subprocess.Popen(
            [python.absolute(), WORKER, model.absolute()], env=own,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._told,
        )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._into, self._out, self._told):
            with contextlib.suppress(BrokenPipeError):  # of what was still to be sent
                stream.close()

    @property
    def _into(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def _out(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    def follow(self, pictures: Iterable[Picture]) -> Iterator[Scores]:
        """Scores of all pictures, a block at a time; the next block is made meanwhile."""
        waiting = 0
        for block in blocks(pictures):
            self._send(block)
            if waiting:
                yield self._receive(waiting)
            waiting = len(block)
        if waiting:
            yield self._receive(waiting)

    def _send(self, block: NDArray[np.uint8]) -> None:
        with _Watch(self._process, self._patience, self._stuck):
            try:
                self._into.write(BLOCK.pack(BLOCK_MARK, *block.shape[:3]))
                self._into.write(block.data)
                self._into.flush()
            except BrokenPipeError:
                raise self._ended() from None

    def _receive(self, count: int) -> Scores:
        with _Watch(self._process, self._patience, self._stuck):
            mark, rows, columns, told = REPLY.unpack(self._exactly(REPLY.size))
            if mark != REPLY_MARK or rows != count or columns > 1000 or told > 1 << 16:
                raise BadInput(f"{rows} rows of {columns} scores", f"{count} rows",
                               file=WORKER.name)  # fmt: skip
            names = tuple(map(str, json.loads(self._exactly(told))))
            data = self._exactly(rows * columns * 4)
        return Scores(names, np.frombuffer(data, "<f4").reshape(rows, columns))

    def _exactly(self, size: int) -> bytes:
        data = self._out.read(size)
        if len(data) != size:
            raise self._ended()
        return data

    def _ended(self) -> BadInput:
        """Why the process is gone, with the end of what it said."""
        if self._stuck.is_set():
            found = f"no answer of the tracker in {self._patience:g} s"
            return BadInput(found, "scores", file=self.environment,
                            hint="Give it longer by 'patience'.")  # fmt: skip
        code = self._process.wait()
        self._told.seek(0)
        said = self._told.read().decode("utf-8", "replace")[-2000:]
        return BadInput(f"a tracker that ended with code {code}:\n{said}", "scores",
                        file=self.environment)  # fmt: skip


class _Watch:
    """Ends a process that lets one wait too long, so that reading from it returns."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: float, stuck: threading.Event):
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._process, self._stuck = process, stuck

    def _end(self) -> None:
        self._stuck.set()
        self._process.kill()

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()


def blocks(pictures: Iterable[Picture]) -> Iterator[NDArray[np.uint8]]:
    """Pictures of one size in a row as [N, H, W, 3], at most 16 and about 16 MiB."""
    held: list[Picture] = []
    for picture in pictures:
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
            raise BadInput(f"a picture {picture.dtype} {picture.shape}", "uint8 [H, W, 3]")
        full = len(held) == _MOST or (len(held) + 1) * picture.nbytes > _BLOCK_BYTES
        if held and (full or held[0].shape != picture.shape):
            yield np.stack(held)
            held = []
        held.append(picture)
    if held:
        yield np.stack(held)
