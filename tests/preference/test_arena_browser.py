"""The arena in a real Chromium: raters at once, reload, back, double click, lost network."""

from __future__ import annotations

import io
import re
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semanticface.preference.candidates import Candidate, Duel
from semanticface.preference.store import open_store
from semanticface.preference.store.content import (
    Item,
    Rules,
    add_pairs,
    add_project,
    add_rater,
    project_of,
)
from semanticface.preference.store.files import keep_file
from semanticface.preference.store.verdicts import Heard, heard

from .arena_server import Server
from .pairs import QUIET, TINY, face, fill, lower_pair

pytestmark = pytest.mark.slow
CHROMIUM = Path("/usr/bin/chromium")
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update",
        "--disable-sync"]  # fmt: skip
PATIENCE = 60_000
DESKTOP, PHONE = (1280, 800), (360, 640)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    assert CHROMIUM.exists(), "Chromium is missing: run scripts/test_packages.sh as root"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("browser") / "faces.store"
    store = open_store(folder, create=True)
    project = fill(store, 24, Rules(votes=9, check_every=0, repeat_every=0))
    for name in ("ann", "bob", "cat", "dan", "eve", "fay", "gus"):
        add_rater(store, project.id, name)
    add_pairs(store, project.id, Item("<i>odd</i>", "s", told="<img src=x onerror=alert(1)>"),
              [lower_pair(0.95)], worth=[2.0])  # fmt: skip
    store.close()
    started = Server(folder, more=("--rate", "200")).start()
    yield started
    started.stop()


class Page:
    """A rater's tab."""

    def __init__(self, browser: Any, server: Server, name: str, size: tuple[int, int]) -> None:
        self.server, self.name = server, name
        self.context = browser.new_context(viewport={"width": size[0], "height": size[1]})
        self.tab = self.context.new_page()
        self.tab.set_default_timeout(PATIENCE)
        self.faults: list[str] = []
        self.tab.on("pageerror", lambda fault: self.faults.append(str(fault)))
        self.tab.on("dialog", lambda dialog: self.faults.append(dialog.message))
        self.tab.goto(server.links[name])
        self.ready()

    def ready(self) -> None:
        """Wait until the question in front can be answered (and is no slip of a double click)."""
        self.tab.wait_for_selector("button.look:not([disabled])")
        self.tab.wait_for_timeout(300)

    def until(self, truth: str) -> None:
        """Wait until a script's expression is true (the page's own policy forbids eval)."""
        for _ in range(PATIENCE // 50):
            if self.tab.evaluate(truth):
                return
            self.tab.wait_for_timeout(50)
        raise AssertionError(f"never true: {truth}")

    def press(self, key: str) -> None:
        before = self.count
        self.tab.keyboard.press(key)
        self.until(f"document.getElementById('count').textContent != '{before}'")

    @property
    def count(self) -> str:
        return str(self.tab.inner_text("#count"))

    @property
    def live(self) -> str:
        return str(self.tab.inner_text("#live"))

    @property
    def pictures(self) -> list[str]:
        return [str(self.tab.get_attribute(f"#{side} img", "src")) for side in ("left", "right")]

    def settled(self) -> list[Heard]:
        """What the store has of this rater, once nothing waits in the page."""
        self.until("JSON.parse(localStorage['sf.waiting'] || '[]').length == 0")
        store = open_store(self.server.store)
        found = [e for e in heard(store, project_of(store).id) if e.rater == self.name]
        store.close()
        return sorted(found, key=lambda each: each.number)

    def close(self) -> None:
        self.context.close()
        assert self.faults == []


@pytest.fixture
def page(browser: Any, server: Server, request: pytest.FixtureRequest) -> Iterator[Page]:
    opened = Page(browser, server, *request.param)
    yield opened
    opened.close()


@pytest.mark.parametrize("page", [("ann", DESKTOP)], indirect=True)
def test_every_key_does_what_the_page_says(page: Page) -> None:
    assert page.tab.inner_text("#region") == "lower face: mouth, jaw, nose"
    assert page.tab.inner_text("#told") == "<img src=x onerror=alert(1)>"  # text, not markup
    for key in ("1", "ArrowRight", "3", "4", "s", "ArrowLeft", "2"):
        page.press(key)
        page.ready()
    clicks = [each.click for each in page.settled()]
    assert clicks == ["left", "right", "tie", "bad", "skip", "left", "right"]
    assert all(
        each.seconds and each.seconds < 60 for each in page.settled() if each.click != "skip"
    )
    page.tab.keyboard.press("u")
    page.until("document.getElementById('live').textContent.startsWith('Undone')")
    assert len(page.settled()) == 6
    page.ready()
    page.press("1")
    assert [each.click for each in page.settled()][-1] == "left"


@pytest.mark.parametrize("page", [("bob", PHONE)], indirect=True)
def test_a_phone_shows_all_without_scrolling_and_takes_taps(page: Page) -> None:
    tab = page.tab
    inside = tab.evaluate(
        "[...document.querySelectorAll('.media img, .choices button')].every(e => {"
        " const r = e.getBoundingClientRect();"
        " return r.width > 40 && r.top >= 0 && r.left >= 0 && r.bottom <= innerHeight + 1"
        " && r.right <= innerWidth + 1; })"
    )
    assert inside
    whole = tab.evaluate(
        "[...document.querySelectorAll('.media img')].map(e => e.clientWidth / e.clientHeight)"
    )
    assert all(abs(each - 1) < 0.03 for each in whole)  # nothing cut off
    sizes = tab.evaluate(
        "[...document.querySelectorAll('.choices button')].map(e => e.clientHeight)"
    )
    assert min(sizes) >= 40
    tab.click("button.look[data-click=right]")
    page.ready()
    tab.click(".choices [data-click=tie]")
    assert [each.click for each in page.settled()] == ["right", "tie"]


@pytest.mark.parametrize("page", [("cat", DESKTOP)], indirect=True)
def test_reload_back_and_another_tab_ask_the_same_question(page: Page) -> None:
    page.press("1")
    page.ready()
    before = page.pictures
    page.tab.reload()
    page.ready()
    assert page.pictures == before
    page.tab.goto(f"{page.server.url}/healthz")
    page.tab.go_back()
    page.ready()
    assert page.pictures == before
    second = page.context.new_page()
    second.goto(f"{page.server.url}/")
    second.wait_for_selector("button.look:not([disabled])", timeout=PATIENCE)
    assert [second.get_attribute(f"#{s} img", "src") for s in ("left", "right")] == before
    assert len(page.settled()) == 1


@pytest.mark.parametrize("page", [("dan", DESKTOP)], indirect=True)
def test_a_double_click_is_one_verdict(page: Page) -> None:
    page.tab.dblclick(".choices [data-click=left]")
    page.tab.wait_for_timeout(300)
    assert [each.click for each in page.settled()] == ["left"]
    page.ready()
    page.tab.evaluate(
        "for (let i = 0; i < 5; i++) document.querySelector('[data-click=left].main').click()"
    )
    page.tab.wait_for_timeout(300)
    said = page.settled()
    assert [each.click for each in said] == ["left", "left"]
    assert len({each.pair_id for each in said}) == 2


@pytest.mark.parametrize("page", [("eve", DESKTOP)], indirect=True)
def test_a_lost_network_loses_no_answer(page: Page) -> None:
    page.until("made.size >= 4")  # the next pair is there already
    page.context.set_offline(True)
    page.tab.keyboard.press("1")
    page.until("document.getElementById('live').textContent.includes('kept here')")
    page.ready()
    page.tab.keyboard.press("2")
    page.until("document.getElementById('live').textContent.includes('2 answers')")
    page.context.set_offline(False)
    said = page.settled()
    assert [each.click for each in said] == ["left", "right"]
    assert "kept here" not in page.live


@pytest.mark.parametrize("page", [("fay", DESKTOP)], indirect=True)
def test_a_killed_server_loses_no_answer(page: Page) -> None:
    page.server.kill()
    page.tab.keyboard.press("2")
    page.until("document.getElementById('live').textContent.includes('kept here')")
    page.tab.close()  # and the rater gives up
    page.server.start()
    page.tab = page.context.new_page()
    page.tab.set_default_timeout(PATIENCE)
    page.tab.goto(f"{page.server.url}/")
    page.ready()
    assert [each.click for each in page.settled()] == ["right"]


def test_two_raters_at_once_and_the_admin_sees_it(browser: Any, server: Server) -> None:
    gus, ann = (Page(browser, server, name, DESKTOP) for name in ("gus", "ann"))
    before = len(ann.settled())
    for _ in range(3):
        gus.tab.keyboard.press("1")
        ann.tab.keyboard.press("2")
        gus.ready()
        ann.ready()
    assert len(gus.settled()) == 3 and len(ann.settled()) == before + 3
    gus.close()
    ann.close()
    tab = browser.new_page()
    tab.set_default_timeout(PATIENCE)
    tab.goto(server.links["admin"])
    tab.wait_for_selector("#raters td")
    rows = tab.inner_text("#raters")
    assert re.search(r"gus\s+3\b", rows)
    tab.fill("#name", "<b>new</b>")
    tab.click("#invite button")
    tab.wait_for_selector("#link:not(:empty)")
    assert "<b>new</b>" in tab.inner_text("#raters") or "<b>new</b>" in tab.inner_text("#link")
    tab.close()


CONTRAST = """
() => {
  const lum = (c) => { const [r, g, b] = c.match(/[\\d.]+/g).slice(0, 3).map((v) => {
    v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = (e) => { for (; e; e = e.parentElement) {
    const c = getComputedStyle(e).backgroundColor;
    if (!/rgba\\(.*, 0\\)/.test(c) && c !== 'transparent') return c; } return 'rgb(255,255,255)'; };
  return [...document.querySelectorAll('h1, p, strong, figcaption, span, kbd, button, td, label')]
    .filter((e) => e.textContent.trim() && e.offsetParent && !e.closest(':disabled'))
    .map((e) => { const [a, b] = [lum(getComputedStyle(e).color), lum(behind(e))];
      return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); })
    .reduce((a, b) => Math.min(a, b), 99);
}
"""


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_text_can_be_read_in_both_schemes(browser: Any, server: Server, scheme: str) -> None:
    context = browser.new_context(color_scheme=scheme)
    tab = context.new_page()
    tab.goto(server.links["ann"])
    tab.wait_for_selector("button.look:not([disabled])", timeout=PATIENCE)
    assert tab.evaluate(CONTRAST) >= 4.5  # WCAG 2.2 AA for plain text
    tab.goto(server.links["admin"])
    tab.wait_for_selector("#raters td", timeout=PATIENCE)
    assert tab.evaluate(CONTRAST) >= 4.5
    context.close()


# -- clips with sound ---------------------------------------------------------


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A project of one spoken clip: two seconds of an opening jaw, and a tone."""
    folder = tmp_path_factory.mktemp("films") / "clips.store"
    store = open_store(folder, create=True)
    project = add_project(store, "clips", presentation=TINY, rules=QUIET)
    jaw = np.abs(np.sin(np.arange(24) / 4))[:, None]
    sides = [Candidate.of(name, jaw * face(jawOpen=much), rate=30.0)
             for name, much in (("one", 1.0), ("other", 0.3))]  # fmt: skip
    item = Item("spoken", "s", told="mama", sound=keep_file(store, tone(0.8)))
    add_pairs(store, project.id, item, [Duel(sides[0], sides[1], "lower")])
    add_rater(store, project.id, "ann")
    store.close()
    started = Server(folder).start()
    yield started
    started.stop()


def tone(seconds: float, rate: int = 16000) -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        wave_form = 8000 * np.sin(np.arange(int(seconds * rate)) * 0.2)
        file.writeframes(wave_form.astype("<i2").tobytes())
    return stream.getvalue()


def test_clips_loop_side_by_side_and_the_sound_is_one_sides(browser: Any, films: Server) -> None:
    page = Page(browser, films, "ann", DESKTOP)
    both = "[...document.querySelectorAll('button.look video')]"
    page.until(f"{both}.length == 2 && {both}.every(v => v.readyState >= 2 && !v.paused)")
    assert page.tab.evaluate(f"{both}.every(v => v.loop && v.muted && v.duration > 0.5)")
    # Played to the end and begun again: the time falls back while nothing was asked of it.
    page.tab.evaluate(
        f"window.fell = 0; {both}.forEach(v => {{ v.last = 0; "
        "v.ontimeupdate = () => { if (v.currentTime < v.last) window.fell += 1; "
        "v.last = v.currentTime; } })"
    )
    page.until("window.fell >= 2")
    assert page.tab.is_visible("#sound-key")
    page.tab.keyboard.press("m")
    page.until(f"!{both}[0].muted && {both}[1].muted")
    page.until(f"{both}[0].webkitAudioDecodedByteCount > 0")
    page.tab.keyboard.press("m")
    page.until(f"{both}.every(v => v.muted)")
    page.tab.keyboard.press("1")
    page.until("document.getElementById('count').textContent.startsWith('1')")
    assert [each.click for each in page.settled()] == ["left"]
    page.close()
