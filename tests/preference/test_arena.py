"""The arena as a server: what it tells, what it keeps through a kill, what it refuses."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from semanticface.preference.arena.guard import MOST_BYTES, Bucket, Guard
from semanticface.preference.arena.sessions import session_in
from semanticface.preference.arena.tokens import DAY, Keys
from semanticface.preference.store import open_store
from semanticface.preference.store.content import (
    Item,
    Rules,
    add_pairs,
    add_rater,
    project_of,
)
from semanticface.preference.store.files import keep_file
from semanticface.preference.store.verdicts import heard

from .arena_server import Server
from .pairs import fill, lower_pair

PICTURE = bytes.fromhex("89504e470d0a1a0a") + b"rest of a picture"


def prepare(
    folder: Path, pairs: int = 12, votes: int = 2, people: tuple[str, ...] = ("ann", "bob")
) -> None:
    store = open_store(folder, create=True)
    project = fill(store, pairs, Rules(votes=votes, check_every=0, repeat_every=0))
    item = Item("seen", "s", told="<b>Say</b> hello", picture=keep_file(store, PICTURE), person=1)
    add_pairs(store, project.id, item, [lower_pair(0.9)], worth=[1.0])
    keep_file(store, b"\x89PNG\r\n somebody else's picture")
    for name in people:
        add_rater(store, project.id, name)
    store.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("arena") / "faces.store"
    prepare(folder, 60)
    started = Server(folder).start()
    yield started
    started.stop()


def said(folder: Path) -> list[Any]:
    store = open_store(folder)
    found = list(heard(store, project_of(store).id))
    store.close()
    return found


def give(client: httpx.Client, click: str, key: str, question: str | None = None) -> httpx.Response:
    asked = question or client.get("/api/state").json()["questions"][0]["id"]
    body = {"question": asked, "click": click, "key": key, "seconds": 1.25}
    return client.post("/api/verdicts", json=body)


# -- rating -------------------------------------------------------------------


def test_a_rater_gets_questions_pictures_and_nothing_that_tells(server: Server) -> None:
    with server.rater("ann") as ann:
        state = ann.get("/api/state")
        told = state.json()
        first = told["questions"][0]
        assert first["title"] == "lower face: mouth, jaw, nose" and len(told["questions"]) == 3
        assert set(first) == {"id", "number", "question", "region", "title", "told", "left",
                              "right", "picture"}  # fmt: skip
        for word in ("base", "new", "source", "expected", "purpose", "turn", "flipped", "subject"):
            assert f'"{word}' not in state.text
        for side in ("left", "right"):
            shown = ann.get(first[side])
            assert (
                shown.headers["content-type"] == "image/jpeg" and shown.content[:2] == b"\xff\xd8"
            )
        asked = {bool(each["picture"]): each["question"] for each in told["questions"]}
        assert asked == {True: "Which face is nearer to the picture?",
                         False: "Which face looks more natural?"}  # fmt: skip
        seen = next(each for each in told["questions"] if each["picture"])
        assert ann.get(seen["picture"]).content == PICTURE


def test_a_verdict_is_kept_once_and_can_be_undone(server: Server) -> None:
    with server.rater("bob") as bob:
        before = bob.get("/api/state").json()
        asked = before["questions"][0]["id"]
        first = give(bob, "left", "bob-click-1").json()
        assert not first["repeated"] and first["answered"] == before["answered"] + 1
        assert first["questions"][0]["id"] == before["questions"][1]["id"]
        assert give(bob, "left", "bob-click-1", asked).json()["repeated"]
        other = give(bob, "right", "bob-click-2", asked)
        assert other.status_code == 409 and "undo" in other.json()["detail"]
        undone = bob.post("/api/undo", json={}).json()
        assert undone["opened"] == asked == undone["questions"][0]["id"]
        assert give(bob, "left", "bob-click-1", asked).status_code == 409
        assert give(bob, "right", "bob-click-3", asked).status_code == 200


def test_the_whole_project_can_be_judged_by_two_at_once(tmp_path: Path) -> None:
    prepare(tmp_path / "s", pairs=8)
    server = Server(tmp_path / "s").start()
    faults: list[object] = []

    def work(name: str) -> None:
        with server.rater(name) as client:
            for number in range(50):
                questions = client.get("/api/state").json()["questions"]
                if not questions:
                    return
                answer = give(client, "tie", f"{name}-click-{number}", questions[0]["id"])
                if answer.status_code != 200:
                    faults.append(answer.text)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("ann", "bob")]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    server.stop()
    assert not faults and len(said(tmp_path / "s")) == 18


@pytest.mark.slow
def test_no_verdict_that_was_answered_for_is_lost_by_kill_9(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    prepare(folder, pairs=60)
    server = Server(folder)
    kept: list[tuple[str, str]] = []
    asked: dict[str, str] = {}
    for round_ in range(2):
        server.start()
        goal = len(kept) + 6
        stop = threading.Thread(target=_kill_in_the_midst, args=(server, kept, goal))
        with server.rater("ann") as ann:
            stop.start()
            try:
                for number in range(10_000):
                    question = ann.get("/api/state").json()["questions"][0]["id"]
                    key = f"click-{round_}-{number:05}"
                    asked[key] = question
                    if give(ann, "left", key, question).status_code == 200:
                        kept.append((key, question))
            except httpx.TransportError:
                pass
        stop.join()
        stored = {each.id for each in said(folder)}
        assert {key for key, _ in kept} <= stored  # what was answered for is there
    store = open_store(folder)
    open_now = {each.id for each in _open(store)}
    store.close()
    there = {each.id for each in said(folder)}
    for key, question in asked.items():  # every question has a verdict or is still open
        assert key in there or question in open_now or _answered(asked, question, there)
    assert len(kept) >= 12


def _kill_in_the_midst(server: Server, kept: list[tuple[str, str]], goal: int) -> None:
    """Kill the server while answers go on coming."""
    while len(kept) < goal:
        time.sleep(0.002)
    server.kill()


def _open(store: Any) -> Any:
    from semanticface.preference.store.content import raters_of
    from semanticface.preference.store.questions import open_questions

    project = project_of(store)
    ann = next(each for each in raters_of(store, project.id) if each.name == "ann")
    return open_questions(store, project, ann.id, 3)


def _answered(asked: dict[str, str], question: str, there: set[str]) -> bool:
    return any(other == question and key in there for key, other in asked.items())


# -- admin --------------------------------------------------------------------


def test_the_admin_sees_results_invites_and_revokes(server: Server) -> None:
    with server.admin() as admin:
        told = admin.get("/api/admin/summary").json()
        assert told["pairs"] == 61 and {each["name"] for each in told["raters"]} >= {"ann", "bob"}
        made = admin.post("/api/admin/raters", json={"name": "eve"})
        assert made.status_code == 200
        with httpx.Client(base_url=server.url, timeout=30) as eve:
            assert eve.get(made.json()["link"]).status_code == 303
            assert eve.get("/api/state").status_code == 200
            row = next(e for e in admin.get("/api/admin/summary").json()["raters"]
                       if e["name"] == "eve")  # fmt: skip
            assert (
                admin.post("/api/admin/revoke", json={"rater": row["rater_id"]}).status_code == 200
            )
            assert eve.get("/api/state").status_code == 403
        export = admin.get("/api/admin/export")
        assert export.text.splitlines()[0].startswith('{"table": "header"')
        assert 'filename="faces.jsonl"' in export.headers["content-disposition"]
        assert admin.post("/api/admin/raters", json={"name": "eve"}).status_code == 400


def test_a_rater_is_no_admin_and_an_admin_no_rater(server: Server) -> None:
    with server.rater("ann") as ann:
        for path in ("/api/admin/summary", "/api/admin/export"):
            assert ann.get(path).status_code == 401
        assert ann.post("/api/admin/raters", json={"name": "x"}).status_code == 401
        cookie = ann.cookies["sf_rater"]
        ann.cookies.set("sf_admin", cookie)
        assert ann.get("/api/admin/summary").status_code == 401
    with server.admin() as admin:
        assert admin.get("/api/state").status_code == 401


# -- hostile ------------------------------------------------------------------


@pytest.mark.parametrize("path", [
    "/media/file/../../secret", "/media/file/..%2f..%2fsecret", "/media/render/%2e%2e%2fsecret",
    "/media/file/" + "0" * 64, "/media/render/" + "a" * 64, "/static/../app.py",
    "/static/..%2fapp.py", "/static/arena.html%00.css", "/static//etc/passwd", "/media/file/",
    "/media/file/%00", "/i/../../secret", "/store.sqlite", "/media/secret", "/docs",
    "/openapi.json", "/media/render/" + "A" * 5000,
])  # fmt: skip
def test_no_path_leads_to_a_file(server: Server, path: str) -> None:
    with server.rater("ann") as ann:
        raw = ann.build_request("GET", "/")
        raw.url = raw.url.copy_with(raw_path=path.encode())
        answer = ann.send(raw)
        assert answer.status_code in (403, 404, 400, 414), answer.status_code
        assert b"SQLite" not in answer.content and b"Traceback" not in answer.content


def test_a_picture_of_others_is_not_shown(server: Server) -> None:
    import hashlib

    other = hashlib.sha256(b"\x89PNG\r\n somebody else's picture").hexdigest()
    with server.rater("ann") as ann:
        assert ann.get(f"/media/file/{other}").status_code == 404
        mine = next(q for q in ann.get("/api/state").json()["questions"])["left"]
    with httpx.Client(base_url=server.url) as nobody:
        assert nobody.get(mine).status_code == 401


@pytest.mark.parametrize("spoil", [
    lambda t: t[:-1] + ("0" if t[-1] != "0" else "1"), lambda t: t.replace("invite", "session"),
    lambda t: t.replace("invite", "admin"), lambda t: re.sub(r"\.(\d+)\.", ".99999999999.", t),
    lambda t: "", lambda t: "....", lambda t: "%F0%9F%98%80" + t, lambda t: t + t,
    lambda t: "a" * 3000,
])  # fmt: skip
def test_a_forged_link_lets_nobody_in(server: Server, spoil: Any) -> None:
    token = server.links["ann"].rpartition("/")[2]
    with httpx.Client(base_url=server.url) as client:
        for way in ("/i/", "/admin/i/"):
            assert client.get(way + spoil(token)).status_code in (403, 404, 429)
            assert not client.cookies


def test_trying_many_links_is_slowed_down(server: Server) -> None:
    with httpx.Client(base_url=server.url) as client:
        codes = [
            client.get(f"/i/invite.{n:032x}.9999999999.{n:032x}").status_code for n in range(40)
        ]
    assert codes[-1] == 429 and set(codes) <= {403, 429}
    with server.rater("ann") as ann:  # who has a link is not held up by that
        assert ann.get("/api/state").status_code == 200


def test_another_site_can_cause_nothing(server: Server) -> None:
    with server.rater("ann") as ann:
        token = ann.headers.pop("x-csrf")
        asked = ann.get("/api/state").json()["questions"][0]["id"]
        body = {"question": asked, "click": "left", "key": "hostile-0001", "seconds": 1}
        assert ann.post("/api/verdicts", json=body).status_code == 403
        headers = {"x-csrf": token}
        evil = {**headers, "origin": "https://evil.example"}
        assert ann.post("/api/verdicts", json=body, headers=evil).status_code == 403
        form = {**headers, "content-type": "text/plain"}
        assert ann.post("/api/undo", content="{}", headers=form).status_code == 415
        assert ann.get("/api/state").json()["questions"][0]["id"] == asked
        with server.rater("bob") as bob:  # somebody else's proof is none
            theirs = {"x-csrf": bob.headers["x-csrf"]}
            assert ann.post("/api/undo", json={}, headers=theirs).status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "localhost@x", "[::"]
)
def test_a_name_that_is_not_ours_is_not_served(server: Server, host: str) -> None:
    with httpx.Client(base_url=server.url) as client:
        answer = client.get("/", headers={"host": host})
        assert answer.status_code in (400, 421)
        ours = client.get("/", headers={"host": f"localhost:{server.port}"})
        assert ours.status_code == 200
        policy = ours.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert ours.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("body", [
    "[]", "null", '{"question": 1}', "{", '{"question": "x", "click": "left", "key": "abcdefghi"}',
    '{"question": "x", "click": "<script>", "key": "abcdefghi"}', "NaN", "[" * 9000,
    '{"question": "x", "click": "left", "key": "abcdefghi", "seconds": 1e999}',
    '{"question": "x", "click": "left", "key": "abcdefghi", "admin": true}',
    "\u0000", '{"question": "' + "x" * 10_000 + '", "click": "left", "key": "abcdefghi"}',
])  # fmt: skip
def test_nonsense_is_refused_in_one_line(server: Server, body: str) -> None:
    with server.rater("ann") as ann:
        kind = {"content-type": "application/json"}
        answer = ann.post("/api/verdicts", content=body.encode(), headers=kind)
        assert answer.status_code in (400, 422) and len(answer.content) < 40_000
        assert "Traceback" not in answer.text and "semanticface/" not in answer.text


def test_long_bodies_are_cut_off_said_or_unsaid(server: Server) -> None:
    with server.rater("ann") as ann:
        assert _refused(ann, b" " * (MOST_BYTES + 1))
    with server.rater("ann") as ann:
        assert _refused(ann, (b" " * 4096 for _ in range(8)))
        assert ann.get("/api/state").status_code == 200


def _refused(client: httpx.Client, body: Any) -> bool:
    """Told so, or the line was cut before all of it was sent."""
    kind = {"content-type": "application/json"}
    try:
        answer = client.post("/api/verdicts", content=body, headers=kind)
    except httpx.TransportError:
        return True
    return answer.status_code in (400, 413)


def test_a_hasty_client_is_told_to_wait(tmp_path: Path) -> None:
    prepare(tmp_path / "s", pairs=2)
    server = Server(tmp_path / "s", more=("--rate", "2")).start()
    with server.rater("ann") as ann, server.rater("bob") as bob:
        answers = [ann.get("/api/state") for _ in range(20)]
        assert answers[-1].status_code == 429 and answers[-1].headers["retry-after"]
        assert bob.get("/api/state").status_code == 200
    server.stop()


def passed(guard: Guard, cookies: list[str], address: str = "192.0.2.1") -> int:
    """How many requests with these Cookie headers come through."""

    async def ask(cookie: str) -> int:
        told: list[Any] = []

        async def send(message: Any) -> None:
            told.append(message)

        headers = [(b"host", b"127.0.0.1"), (b"cookie", cookie.encode())]
        await guard({"type": "http", "headers": headers, "client": (address, 1)}, None, send)
        return int(told[0]["status"])

    return sum(asyncio.run(ask(each)) == 200 for each in cookies)


def test_a_cookie_that_is_not_ours_buys_no_further_requests() -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    keys = Keys(b"secret" * 6)
    guard = Guard(app, ["127.0.0.1"], 1e-6, 3, lambda held: session_in(keys, held))
    forged = Keys(b"another" * 5).token("session", "ann", DAY)
    assert passed(guard, [f"x={n}" for n in range(50)]) == 3
    assert passed(guard, [f"sf_rater={forged}", "sf_rater=", "sf_rater=session.ann.9.x"] * 3) == 0
    sessions = [keys.token("session", "ann", DAY + n) for n in range(50)]
    assert passed(guard, [f"y=1; sf_rater={each}; z" for each in sessions]) == 3  # one person
    assert passed(guard, [f"sf_admin={keys.token('manage', 'admin', DAY)}"] * 5) == 3
    assert passed(guard, [f"sf_admin={keys.token('admin', 'admin', DAY)}"] * 5) == 0  # a link
    assert passed(guard, [""] * 5, "192.0.2.2") == 3


def test_what_a_rater_reads_is_text_and_never_markup(server: Server) -> None:
    with server.rater("ann") as ann:
        told = next(e for e in ann.get("/api/state").json()["questions"] if e["picture"])["told"]
        assert told == "<b>Say</b> hello"
        for name in ("arena.js", "admin.js"):
            script = ann.get(f"/static/{name}").text
            assert (
                "innerHTML" not in script
                and "eval(" not in script
                and "http:" not in (script.replace("http://www.w3.org/2000/svg", ""))
            )


def test_a_locked_store_is_told_and_the_verdict_arrives_later(tmp_path: Path) -> None:
    import sqlite3

    prepare(tmp_path / "s", pairs=2)
    server = Server(tmp_path / "s").start()
    with server.rater("ann") as ann:
        asked = ann.get("/api/state").json()["questions"][0]["id"]
        lock = sqlite3.connect(tmp_path / "s" / "store.sqlite", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        held = give(ann, "left", "click-0001", asked)
        assert held.status_code == 503 and held.headers["retry-after"] == "1"
        lock.execute("ROLLBACK")
        lock.close()
        assert give(ann, "left", "click-0001", asked).status_code == 200
    server.stop()


# -- parts --------------------------------------------------------------------


def test_tokens_end_and_differ_by_kind_and_secret(tmp_path: Path) -> None:
    keys = Keys.of(tmp_path)
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert Keys.of(tmp_path) == keys and len(keys.secret) == 32
    assert [each.name for each in tmp_path.iterdir()] == ["secret"]
    token = keys.token("invite", "abc", DAY)
    assert keys.read("invite", token) == "abc"
    assert keys.read("session", token) is None
    assert keys.read("invite", keys.token("invite", "abc", -1)) is None
    assert Keys(b"other" * 8).read("invite", token) is None


def test_buckets_fill_again_and_forget_the_oldest() -> None:
    bucket = Bucket(rate=2, burst=3, most=2)
    assert [bucket.take("a", 0) for _ in range(3)] == [0, 0, 0]
    assert bucket.take("a", 0) == pytest.approx(0.5)
    assert bucket.take("a", 0.6) == 0 and bucket.take("b", 0.6) == 0 and bucket.take("c", 0.6) == 0
    assert bucket.take("a", 0.6) == 0  # forgotten, so as good as new
