"""Every page can be read: by day and by night, on a desk and in a hand; and nothing foreign runs in it."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from bridge.core.input import Notice
from tests.bridge.console.desk import Console, hear_the_line
from tests.console_browser.conftest import Chromium, Tab

LONG = "acme/berlin/machining/press-1:production.scrap:" + "0123456789" * 12
HOSTILE = """<script>window.ran = 1</script>"><img src=/nowhere onerror="window.ran = 2">"""
PAGES = (
    "/",
    "/equipment",
    "/entries?state=dead",
    "/entries?state=skipped",
    f"/entry?key={LONG}",
    "/attention",
    "/orders",
    "/order?order=mo-1",
    "/nothing",
)

CONTRASTS = """() => {
  const channels = (color) => {
    const [r, g, b, a] = color.match(/[\\d.]+/g).map(Number);
    return [r, g, b, a === undefined ? 1 : a];
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((one, n) => one * a + under[n] * (1 - a));
  const light = (color) => color.map((one) => one / 255)
    .map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
    .reduce((sum, one, n) => sum + one * [0.2126, 0.7152, 0.0722][n], 0);
  const ground = (element) => {
    const chain = [];
    for (let one = element; one; one = one.parentElement) chain.unshift(getComputedStyle(one));
    return chain.reduce((under, style) => over(channels(style.backgroundColor), under), [255, 255, 255]);
  };
  const weak = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility({ checkVisibilityCSS: true })) continue;
    const style = getComputedStyle(element), under = ground(element);
    let ink = channels(style.color);
    for (let one = element; one; one = one.parentElement) ink[3] *= Number(getComputedStyle(one).opacity);
    const [dark, bright] = [light(over(ink, under)), light(under)].sort((one, two) => one - two);
    const ratio = (bright + 0.05) / (dark + 0.05);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.6 && Number(style.fontWeight) >= 600);
    if (ratio < (large ? 3 : 4.5)) weak.push(`${ratio.toFixed(2)}: ${texts.currentNode.data.trim()}`);
  }
  return weak;
}"""
"""Texts whose contrast is below what WCAG 2.2 asks for at level AA (1.4.3)."""

UNNAMED = """() => [...document.querySelectorAll("input:not([type=hidden]), button, a, meter")]
  .filter((one) => !(one.textContent.trim() || one.getAttribute("aria-label") || one.labels?.length))
  .map((one) => one.outerHTML)"""


async def busy(console: Console) -> None:
    """Something of everything that a page can show."""
    await hear_the_line(console)
    console.release_order("mo-1", "WH/MO/00001")
    console.dead(LONG, reason="no_stock: nothing of RESIN-A is left in WH/Stock", order="mo-1")
    console.held("k2")
    console.pending("k3")
    watch, now_ms = console.inside.watch, console.clock.now_ms()
    watch.session("host", up=True)
    watch.session("documents", up=False, reason="connection refused")
    watch.odoo_failed("post", "no answer in time", now_ms, refused=False)
    watch.posted("mo-1", {"qty_producing": 25.0}, now_ms)
    watch.notice(Notice(level="alert", name="entry.dead", fields={"key": LONG, "reason": "no_stock"}))
    await console.settle()


async def logged_in(chromium: Chromium, *, narrow: bool = False, scheme: Literal["light", "dark"] = "light") -> Tab:
    tab = await chromium.tab(narrow=narrow, scheme=scheme)
    await tab.log_in()
    return tab


async def found(tab: Tab, question: str) -> dict[str, Any]:
    """What the question finds, by page; pages without a find are left out."""
    answers = {}
    for path in PAGES:
        await tab.page.goto(path)
        if answer := await tab.page.evaluate(question):
            answers[path] = answer
    return answers


async def test_the_browser_complains_of_no_page(console: Console, tab: Tab) -> None:
    await busy(console)

    for path in PAGES[:-1]:
        await tab.page.goto(path)

    assert tab.complaints == []


async def test_hostile_texts_do_not_run_and_what_is_put_into_a_page_is_refused(console: Console, tab: Tab) -> None:
    console.dead(HOSTILE, reason=HOSTILE, order=HOSTILE)
    await tab.page.goto("/attention")
    await tab.shows(HOSTILE)
    assert await tab.page.evaluate("window.ran") is None
    assert tab.complaints == []

    await tab.page.evaluate(
        "text => { const it = document.createElement('script'); it.textContent = text; document.body.append(it); }",
        "window.ran = 3",
    )

    assert await tab.page.evaluate("window.ran") is None
    assert [("Content Security Policy" in complaint) for complaint in tab.complaints] == [True]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_has_contrast_enough(
    console: Console, chromium: Chromium, scheme: Literal["light", "dark"]
) -> None:
    await busy(console)

    assert await found(await logged_in(chromium, scheme=scheme), CONTRASTS) == {}


async def test_no_page_moves_sideways_in_a_hand(console: Console, chromium: Chromium) -> None:
    await busy(console)
    tab = await logged_in(chromium, narrow=True)

    wider = "() => Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth)"
    assert await found(tab, wider) == {}


async def test_the_reason_of_a_dead_letter_is_seen_in_a_hand(console: Console, chromium: Chromium) -> None:
    await busy(console)
    tab = await logged_in(chromium, narrow=True)
    await tab.page.goto("/attention")

    box = await tab.page.get_by_text("no_stock: nothing of RESIN-A").first.bounding_box()

    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390


async def test_causes_and_entries_stand_apart_in_a_hand(console: Console, chromium: Chromium) -> None:
    await busy(console)
    tab = await logged_in(chromium, narrow=True)
    await tab.page.goto("/attention")

    causes = await tab.page.locator("#causes .scroll").bounding_box()
    entries = await tab.page.locator("#list .scroll").bounding_box()

    assert causes is not None
    assert entries is not None
    assert entries["y"] - (causes["y"] + causes["height"]) >= 16


async def test_everything_that_can_be_used_has_a_name(console: Console, tab: Tab) -> None:
    await busy(console)

    assert await found(tab, UNNAMED) == {}


async def test_every_page_has_one_headline(console: Console, tab: Tab) -> None:
    await busy(console)

    several = "() => { const n = document.querySelectorAll('h1').length; return n === 1 ? null : n; }"
    assert await found(tab, several) == {}


async def test_who_wants_no_motion_gets_none(chromium: Chromium) -> None:
    moving = "getComputedStyle(document.querySelector('main')).transitionDuration"
    durations = []
    for still in (False, True):
        tab = await chromium.tab(still=still)
        await tab.page.goto("/login")
        durations.append(await tab.page.evaluate(moving))
    assert durations == ["0.2s", "0s"]
