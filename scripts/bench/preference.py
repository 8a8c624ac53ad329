"""Speed of the preference parts: pairs drawn a minute, and pairs served to raters at once.

    python scripts/bench/preference.py [--pairs 1000] [--people 50] [--raters 20] [--seconds 20]

The server is `semanticface arena` as a user starts it, on SQLite; the raters are threads of
this process that fetch both pictures of every pair, as a page does, and answer at once.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx
import numpy as np

from semanticface.motion.expressions import sample_frames
from semanticface.preference.candidates import Candidate, regional_pair
from semanticface.preference.presentation import Presentation
from semanticface.preference.renders import Renders
from semanticface.preference.store import Store, open_store
from semanticface.preference.store.content import (
    Item,
    Project,
    Rules,
    add_pairs,
    add_project,
    add_rater,
)
from semanticface.preference.store.tables import PAIRS


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--raters", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=20)
    told = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start")
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "s", create=True)
        project = _filled(store, told.pairs, told.people, told.raters)
        seconds, busy = _drawn(store, project)
        names = [add_rater(store, project.id, f"rater {n}").name for n in range(told.raters)]
        store.close()
        print(f"{told.pairs} pairs of {told.people} people drawn in {seconds:.1f} s, "
              f"{busy:.1f} s of processor time")  # fmt: skip
        served, waits = _served(Path(folder) / "s", names, told.seconds)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"the server's processor time, its start included: {used.ru_utime + used.ru_stime:.1f} s")
    print(f"{served / told.seconds:.1f} pairs/s served to {told.raters} raters at once, verdict to "
          f"next question median {np.median(waits) * 1000:.0f} ms, "
          f"95th percentile {np.percentile(waits, 95) * 1000:.0f} ms")  # fmt: skip
    print(f"load {os.getloadavg()[0]:.1f} at the end")


def _filled(store: Store, pairs: int, people: int, raters: int) -> Project:
    how = Presentation("focus", size=320)  # as in docs/results.md
    project = add_project(store, "bench", presentation=how,
                          rules=Rules(votes=raters, check_every=0))  # fmt: skip
    values = sample_frames(3 * pairs, 7)
    for person in range(people):
        duels = []
        for n in range(person, pairs, people):
            base, one, other = (Candidate.of(f"s{k}", values[3 * n + k]) for k in range(3))
            duels.append(regional_pair(base, one, other, ("upper", "lower")[n % 2]))
        add_pairs(store, project.id, Item(f"i{person}", f"p{person}", person=person), duels)
    return project


def _drawn(store: Store, project: Project) -> tuple[float, float]:
    """Seconds, and seconds of processor time."""
    with store.reading() as connection:
        rows = connection.execute(PAIRS.select().order_by(PAIRS.c.item_id, PAIRS.c.region))
        wanted = [(k, row.region) for row in rows for k in (row.one_id, row.other_id)]
    renders = Renders(store, project)
    renders.shown(renders.of(*wanted[0]))  # compiled code is loaded
    begun, busy = time.perf_counter(), time.process_time()
    digests = renders.of_all(wanted)
    renders.soon(digests)
    for each in digests:
        renders.shown(each)
    renders.close()
    return time.perf_counter() - begun, time.process_time() - busy


def _served(folder: Path, names: list[str], seconds: float) -> tuple[int, list[float]]:
    command = [sys.executable, "-m", "semanticface.cli.main", "arena", str(folder), "--port", "0",
               "--rate", "1000"]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            links = {}
            for line in server.stderr or ():
                for name in names:
                    if line.startswith(f"{name} "):
                        links[name] = line.split()[-1]
                if len(links) == len(names):
                    break
            return _at_once(list(links.values()), seconds)
        finally:
            server.kill()


def _at_once(links: list[str], seconds: float) -> tuple[int, list[float]]:
    waits: list[list[float]] = [[] for _ in links]
    ready = threading.Barrier(len(links) + 1)
    end = [0.0]
    threads = [threading.Thread(target=_rate, args=(link, ready, end, waits[n], n))
               for n, link in enumerate(links)]  # fmt: skip
    for each in threads:
        each.start()
    end[0] = time.perf_counter() + 1e9
    ready.wait()
    end[0] = time.perf_counter() + seconds
    for each in threads:
        each.join()
    return sum(map(len, waits)), [wait for each in waits for wait in each]


def _rate(
    link: str, ready: threading.Barrier, end: list[float], waits: list[float], number: int
) -> None:
    base = "/".join(link.split("/")[:3])
    with httpx.Client(base_url=base, timeout=60) as client:
        client.get(link.removeprefix(base))
        state = client.get("/api/state").json()
        client.headers["x-csrf"] = state["csrf"]
        ready.wait()
        while state["questions"] and time.perf_counter() < end[0]:
            asked = state["questions"][0]
            for side in ("left", "right"):
                client.get(asked[side]).raise_for_status()
            body = {"question": asked["id"], "click": "left", "seconds": 1.0,
                    "key": f"bench-{number:03}-{len(waits):06}"}  # fmt: skip
            begun = time.perf_counter()
            answer = client.post("/api/verdicts", json=body)
            answer.raise_for_status()
            waits.append(time.perf_counter() - begun)
            state = answer.json()


if __name__ == "__main__":
    main()
