"""Making a synthetic set: many processes, stopped and resumed at will.

    make(Plan(frames=100_000, identities=2_000), Path("faces"), workers=8)

The plan is written down first. Each shard is one job, made whole or not at all, and its
receipt (sizes and hashes) is the last thing written: a shard with a receipt whose files
still match it is done, anything else is made again. When all are done the receipts
become `manifest.json`. The bytes follow from the plan alone, whatever the number of
workers and however often the work was interrupted.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from hashlib import sha256
from importlib import metadata, resources
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from semanticface import __version__
from semanticface.atomic import write_text
from semanticface.data.drawing import faces_of, make_part, samples_of
from semanticface.data.plan import Part, Plan
from semanticface.data.shards import MANIFEST, SCHEMA, Made, Shard, digest_of, read_made
from semanticface.errors import BadInput, SemanticFaceError
from semanticface.formats import json_lines
from semanticface.render.head import ASSET
from semanticface.rig import RIG_VERSION

_LOG = logging.getLogger(__name__)
PLAN = "plan.json"
_RECEIPTS = ".receipts"
_LOCK = ".lock"
_SAMPLER = ("expressions.py", "anatomy.py", "repertoire.py", "tables/repertoire.yaml")
_DRAWN_FOR_ESTIMATE = 8
_PER_FRAME = 512 + 256
"""A tar member's header and, on average, what its data is padded by."""
_SPARE = 1.05

Told = Callable[[Shard, bool], None]
"""Hears of a shard, and whether this run made it."""


class Resumed(NamedTuple):
    """What a run found done, and what it found spoilt."""

    done: tuple[Shard, ...]
    spoilt: tuple[str, ...]
    """Receipts whose files no longer match, in words."""


def origin() -> dict[str, str]:
    """Everything beside the plan that the bytes depend on."""
    here = resources.files("semanticface")
    drawing = sorted(
        each.name for each in here.joinpath("render").iterdir() if each.name.endswith(".py")
    )
    libraries = {name: metadata.version(name) for name in ("numpy", "pillow", "numba")}
    return {
        "semanticface": __version__,
        "rig": RIG_VERSION,
        "head_sha256": digest_of(ASSET),
        "sampler_sha256": _sources("motion", _SAMPLER),
        "renderer_sha256": _sources("render", drawing),
        "settings_sha256": _sources("data", ("drawing.py", "plan.py")),
        **libraries,
    }


def _sources(package: str, names: list[str] | tuple[str, ...]) -> str:
    """One hash over the sources that decide what is drawn."""
    folder = resources.files("semanticface").joinpath(package)
    digest = sha256()
    for name in names:
        digest.update(f"{name}\0".encode() + folder.joinpath(name).read_bytes())
    return digest.hexdigest()


def estimate(plan: Plan) -> int:
    """Bytes that the finished set will take, from a few frames of it."""
    _somebody_trains(plan)
    part = plan.parts()[0]._replace(frames=min(_DRAWN_FOR_ESTIMATE, plan.parts()[0].frames))
    drawn = list(samples_of(plan, part, faces_of(plan, part).values))
    pictures = sum(len(data) for _, data in drawn)
    lines = sum(len(json_lines.dump(record.as_json())) + 60 for record, _ in drawn)
    return int(plan.frames * ((pictures + lines) / len(drawn) + _PER_FRAME))


def make(plan: Plan, folder: Path, *, workers: int = 1, told: Told | None = None) -> Made:
    """Make the set, or what is left of it; `told` hears of every shard, old ones too."""
    if workers < 1:
        raise BadInput(f"{workers} workers", "at least one")
    begin(plan, folder)
    with _alone(folder):
        found = resume(plan, folder)
        finished = {shard.name: shard for shard in found.done}
        for shard in found.done:
            _tell(told, shard, fresh=False)
        for fault in found.spoilt:
            _LOG.warning("%s: made again", fault)
        left = [part for part in plan.parts() if part.name not in finished]
        for shard in _made(plan, left, folder, workers):
            write_text(folder / _RECEIPTS / f"{shard.name}.json", shard.model_dump_json())
            finished[shard.name] = shard
            _tell(told, shard, fresh=True)
        return _finish(plan, folder, [finished[part.name] for part in plan.parts()])


def begin(plan: Plan, folder: Path) -> None:
    """Write the plan into a new folder, or see that a begun one has the same."""
    _somebody_trains(plan)
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {"plan": plan.as_json(), "origin": origin()}
    path = folder / PLAN
    if not path.is_file():
        strangers = [each.name for each in folder.iterdir() if each.name != _LOCK]
        if strangers:
            raise BadInput(f"'{sorted(strangers)[0]}' and no {PLAN}", "a new or a begun folder",
                           file=folder)  # fmt: skip
        _room_for(plan, folder)
        write_text(path, json.dumps(wanted, indent=1) + "\n")
        return
    held = json_lines.mapping(json_lines.load(path), file=path)
    for block, expected in wanted.items():
        _same(json_lines.mapping(held.get(block), file=path), expected, block, path)


def _somebody_trains(plan: Plan) -> None:
    if not plan.people["train"]:
        raise BadInput(f"{plan.identities} identities with val {plan.val:g} and test {plan.test:g}",
                       "somebody left to train on", hint="Take more identities.")  # fmt: skip


def _same(held: dict[str, Any], wanted: dict[str, Any], block: str, path: Path) -> None:
    for key in sorted(set(held) | set(wanted)):
        if held.get(key) != wanted.get(key):
            what = "another plan" if block == "plan" else "other code"
            raise BadInput(
                f"{key} {json_lines.shown(held.get(key))} where this run has "
                f"{json_lines.shown(wanted.get(key))}", "the folder's own", file=path, column=key,
                hint=f"The folder was begun with {what}: choose a new folder.",
            )  # fmt: skip


def _room_for(plan: Plan, folder: Path) -> None:
    needed, free = estimate(plan), shutil.disk_usage(folder).free
    if needed * _SPARE > free:
        raise BadInput(f"{free / 1e9:.1f} GB free", f"about {needed / 1e9:.1f} GB", file=folder,
                       hint="Ask for fewer frames, a smaller size, or jpeg.")  # fmt: skip


def resume(plan: Plan, folder: Path) -> Resumed:
    """What is already done; everything half-done is removed."""
    receipts = folder / _RECEIPTS
    receipts.mkdir(exist_ok=True)
    for name in (folder, receipts):
        for half in name.glob(".*.*"):
            if half.is_file():  # what a killed process left of a file it was writing
                half.unlink()
    if (folder / MANIFEST).is_file():
        return Resumed(tuple(read_made(folder, deep=True).shards), ())
    done, spoilt = [], []
    for part in plan.parts():
        receipt = receipts / f"{part.name}.json"
        if not receipt.is_file():
            continue
        shard = _receipt(receipt)
        fault = shard.fault(folder) if shard else f"{receipt.name} is broken"
        if shard is None or fault:
            spoilt.append(fault)
        else:
            done.append(shard)
    return Resumed(tuple(done), tuple(spoilt))


def _receipt(path: Path) -> Shard | None:
    try:
        return Shard.model_validate_json(path.read_bytes())
    except ValidationError:
        return None


def _tell(told: Told | None, shard: Shard, *, fresh: bool) -> None:
    if told is not None:
        told(shard, fresh)


def _made(plan: Plan, parts: list[Part], folder: Path, workers: int) -> Iterator[Shard]:
    """Shards as they are finished, in whatever order."""
    if workers == 1 or len(parts) < 2:
        yield from (make_part(plan, part, folder) for part in parts)
        return
    first = plan.parts()[0]._replace(frames=1)
    list(samples_of(plan, first, faces_of(plan, first).values))  # compiled once, not by each
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(parts)), context, _live_with_parent)
    try:
        jobs: list[Future[Shard]] = [pool.submit(make_part, plan, part, folder) for part in parts]
        for job in as_completed(jobs):
            yield job.result()
    except BrokenProcessPool as fault:
        raise SemanticFaceError(
            f"a worker process died ({fault}). Run the same command again: finished shards stay."
        ) from fault
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _live_with_parent() -> None:
    """End this worker with the process that started it, however that ended."""
    import multiprocessing
    import os
    import threading
    from multiprocessing.connection import wait

    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def follow() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _finish(plan: Plan, folder: Path, shards: list[Shard]) -> Made:
    """Turn receipts into the manifest."""
    made = Made(
        semanticface=SCHEMA, plan=plan.as_json(), origin=origin(),
        identities={side: list(people) for side, people in plan.people.items()},
        frames=sum(each.frames for each in shards), moved=sum(each.moved for each in shards),
        bytes=sum(each.bytes + each.index_bytes for each in shards), shards=shards,
    )  # fmt: skip
    write_text(folder / MANIFEST, made.model_dump_json(indent=1) + "\n")
    shutil.rmtree(folder / _RECEIPTS)
    return made


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Refuse to work where another process is at work; the lock goes with its holder."""
    import fcntl

    with (folder / _LOCK).open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BadInput("another process at work on it", "one at a time", file=folder) from None
        yield
