"""The page of those who run a project: raters, agreement, ranking, export."""

from __future__ import annotations

import math
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from semanticface.preference.agreement import agreement, kappas, ranking, records
from semanticface.preference.arena.sessions import ADMIN, Admin, entered, from_our_page, let_in
from semanticface.preference.arena.tokens import DAY
from semanticface.preference.store.content import add_rater, raters_of, revoke
from semanticface.preference.store.exchange import export_project
from semanticface.preference.store.tables import PAIRS
from semanticface.preference.store.verdicts import Heard, heard

if TYPE_CHECKING:
    from semanticface.preference.arena.app import Arena

INVITED = 14 * DAY
_CHUNK = 256 * 1024


class NewRater(BaseModel):
    """Somebody to invite."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(min_length=1, max_length=80)


class Named(BaseModel):
    """A rater by key."""

    model_config = ConfigDict(extra="forbid", strict=True)

    rater: str = Field(max_length=64)


def invitation(arena: Arena, rater_id: str) -> str:
    """The path of a link that lets a rater in for two weeks."""
    return f"/i/{arena.keys.token('invite', rater_id, INVITED)}"


def add_admin(app: FastAPI, arena: Arena) -> None:
    """Put the admin's pages into the app; each needs the admin's session."""
    from semanticface.preference.arena.app import page

    @app.get("/admin/i/{token}")
    def enter(token: str, request: Request) -> Response:
        who = entered(arena, request, arena.keys.read("admin", token))
        return let_in(arena, ADMIN, arena.keys.token("manage", who, DAY), "/admin")

    @app.get("/admin")
    def home() -> Response:
        return Response(page("admin.html"), media_type="text/html")

    @app.get("/api/admin/summary")
    def told(session: Admin, kind: str = "human") -> dict[str, Any]:
        return {**summary(arena, kind), "csrf": arena.keys.csrf(session)}

    @app.post("/api/admin/raters")
    def invite(request: Request, new: NewRater, _: Admin) -> dict[str, str]:
        from_our_page(request, ADMIN)
        rater = add_rater(arena.store, arena.project.id, new.name)
        return {"name": rater.name, "link": invitation(arena, rater.id)}

    @app.post("/api/admin/revoke")
    def withdraw(request: Request, named: Named, _: Admin) -> dict[str, str]:
        from_our_page(request, ADMIN)
        revoke(arena.store, named.rater)
        return {"revoked": named.rater}

    @app.get("/api/admin/export")
    def export(_: Admin) -> Response:
        name = f'attachment; filename="{_plain(arena.project.id)}.jsonl"'
        return StreamingResponse(_exported(arena), media_type="application/jsonl",
                                 headers={"content-disposition": name})  # fmt: skip


def _exported(arena: Arena) -> Iterator[bytes]:
    """The export, written whole before the first byte goes out."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "project.jsonl"
        export_project(arena.store, arena.project.id, path)
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk


def _plain(name: str) -> str:
    """A project's name as a file name in a header."""
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in name)


def summary(arena: Arena, kind: str = "human") -> dict[str, Any]:
    """What the admin's page shows, of one kind of judges."""
    everything = heard(arena.store, arena.project.id)
    said = [each for each in everything if each.kind == kind]
    ranks = ranking(arena.store, said)
    regions = sorted({each.region for each in said})
    return {
        "project": arena.project.id, "question": arena.project.question, "kind": kind,
        "kinds": dict(Counter(each.kind for each in everything)), **_amounts(arena, said),
        "raters": _raters(arena, said, kind),
        "agreement": [
            {"region": name or "all", "pairs": told.pairs, "alpha": _number(told.alpha)}
            for name in (None, *regions)
            for told in [agreement(said, name)]
        ],
        "kappas": [each._asdict() | {"kappa": _number(each.kappa)} for each in kappas(said)],
        "ranking": {
            "note": ranks.note, "subjects": ranks.clusters,
            "ranks": [{**each._asdict(), "low": _number(each.low), "high": _number(each.high)}
                      for each in ranks.ranks],
        },
        "unkept": arena.renders.unkept,
    }  # fmt: skip


def _amounts(arena: Arena, said: list[Heard]) -> dict[str, int]:
    from sqlalchemy import func, select

    query = (
        select(func.count())
        .select_from(PAIRS)
        .where(PAIRS.c.project_id == arena.project.id, PAIRS.c.purpose == "judge")
    )
    with arena.store.reading() as connection:
        pairs = int(connection.execute(query).scalar() or 0)
    judged = len({each.pair_id for each in said if each.purpose == "judge"})
    return {"pairs": pairs, "judged": judged, "verdicts": len(said)}


def _raters(arena: Arena, said: list[Heard], kind: str) -> list[dict[str, Any]]:
    found = {each.rater_id: each for each in records(said)}
    rows = []
    for rater in raters_of(arena.store, arena.project.id):
        if rater.kind != kind:
            continue
        record = found.get(rater.id)
        told = {} if record is None else {**record._asdict(), "left": _number(record.left)}
        rows.append({"rater_id": rater.id, "name": rater.name, "revoked": rater.revoked, **told})
    return rows


def _number(value: float) -> float | None:
    """JSON has no NaN."""
    return value if math.isfinite(value) else None
