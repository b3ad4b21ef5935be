"""Pages follow the bridge by themselves, keep what a person has begun, and say when they have lost it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from bridge.console.events import Streams
from bridge.console.server import make_app
from bridge.demo.servers import free_ports
from tests.bridge.console.desk import Console
from tests.console_browser.conftest import Tab


@asynccontextmanager
async def served(console: Console, port: int) -> AsyncIterator[None]:
    """The same console on a port of its own, which is gone at the end."""
    runner = web.AppRunner(make_app(console.desk, Streams(pause_s=0)), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield
    finally:
        await runner.cleanup()


async def mark(tab: Tab) -> None:
    """Leave something in the page that loading it anew would remove."""
    await tab.page.evaluate("window.marked = true")


async def is_marked(tab: Tab) -> bool:
    marked: bool = await tab.page.evaluate("window.marked === true")
    return marked


async def test_what_happens_is_shown_without_loading_the_page_anew(console: Console, tab: Tab) -> None:
    await tab.shows("All is well")
    await mark(tab)

    console.dead("k1", reason="no_stock: nothing is left")
    await console.settle()

    await tab.page.get_by_role("heading", level=1, name="1 dead letter").wait_for()
    await tab.shows("no_stock: nothing is left")
    assert await tab.page.get_by_role("link", name="Dead and held 1").count() == 1
    assert await tab.page.locator("html").get_attribute("data-verdict") == "warn"
    assert await is_marked(tab)


async def test_ages_go_on_without_loading_the_page_anew(console: Console, tab: Tab) -> None:
    console.dead("k1")
    await tab.page.goto("/attention")
    await tab.shows("0 s")
    await mark(tab)

    console.clock.at_ms += 185_000
    console.inside.watch.touch()

    await tab.shows("3 min")
    assert await is_marked(tab)


async def test_choices_a_reason_and_the_focus_outlive_a_change(console: Console, tab: Tab) -> None:
    console.dead("k1")
    console.dead("k2")
    await tab.page.goto("/attention?key=k2")
    await tab.page.get_by_label("Choose k2").uncheck()
    await tab.page.get_by_label("Skip").check()
    await tab.page.get_by_label("Reason").fill("counted by hand")
    await tab.page.get_by_label("Choose k1").check()

    console.held("k3")
    await console.settle()

    await tab.page.get_by_label("Choose k3").wait_for()
    chosen = [await tab.page.get_by_label(f"Choose {key}").is_checked() for key in ("k1", "k2", "k3")]
    assert chosen == [True, False, False]
    assert await tab.page.get_by_label("Skip").is_checked()
    assert await tab.page.get_by_label("Reason").input_value() == "counted by hand"
    assert await tab.page.evaluate("document.activeElement.value") == "k1"


async def test_a_page_that_lost_the_bridge_says_so_and_goes_on_when_it_is_back(console: Console, tab: Tab) -> None:
    lost = tab.page.get_by_text("This page has lost the bridge")
    (port,) = free_ports(1)
    async with served(console, port):
        await tab.page.goto(f"http://127.0.0.1:{port}/")
        await tab.shows("All is well")
        await mark(tab)
    await lost.wait_for()

    console.dead("k1")
    async with served(console, port):
        await lost.wait_for(state="hidden")
        await tab.shows("1 dead letter")
        assert await is_marked(tab)


async def test_when_the_session_is_over_the_page_becomes_the_log_in(console: Console, tab: Tab) -> None:
    console.clock.at_ms += 13 * 3_600_000
    console.inside.watch.touch()

    await tab.page.wait_for_url("**/login")
