"""Dead and held entries are decided in the browser: by mouse and by keyboard, and never before the dry run."""

from __future__ import annotations

from state.entry import EntryState
from tests.bridge.console.desk import Console
from tests.console_browser.conftest import Tab


def state_of(console: Console, key: str) -> EntryState | None:
    """None: it is done."""
    entry = console.inside.core.outbox.entry(key)
    return None if entry is None else entry.state


async def test_a_dead_letter_is_replayed_after_the_dry_run(console: Console, tab: Tab) -> None:
    console.dead("k1", reason="no_stock: nothing is left")
    await tab.page.goto("/entry?key=k1")
    await tab.page.get_by_role("link", name="Decide about it").click()
    await tab.page.get_by_label("Replay").check()
    await tab.page.get_by_label("Reason").fill("stock was booked in")
    await tab.page.get_by_role("button", name="Show what would happen").click()

    await tab.shows("will be sent; was dead: no_stock: nothing is left")
    assert state_of(console, "k1") is EntryState.DEAD
    await tab.page.get_by_role("button", name="Replay 1 entry").click()

    await tab.shows("Done: replay of 1 entry.")
    await tab.shows("Nothing waits for a person.")
    assert state_of(console, "k1") is EntryState.PENDING
    assert tab.complaints == []


async def test_a_held_posting_is_skipped_with_the_keyboard_alone(console: Console, tab: Tab) -> None:
    console.held("k1")
    await tab.page.goto("/attention")
    press = tab.page.keyboard.press
    await press("Tab")
    assert await tab.page.evaluate("document.activeElement.textContent") == "To the content"
    await press("Enter")
    await press("Tab")
    await press("Space")
    for _ in ("key", "lane", "what shall happen"):
        await press("Tab")
    await press("ArrowDown")
    await press("ArrowDown")
    for _ in ("all", "reason"):
        await press("Tab")
    await tab.page.keyboard.type("a wrong figure")
    await press("Enter")

    await tab.shows("Nothing has been done yet.")
    skip = tab.page.get_by_role("button", name="Skip 1 entry")
    for _ in range(20):
        if await skip.evaluate("button => button === document.activeElement"):
            break
        await press("Tab")
    await press("Enter")

    await tab.shows("Done: skip of 1 entry.")
    assert state_of(console, "k1") is None


async def test_a_form_that_lacks_something_is_not_sent(console: Console, tab: Tab) -> None:
    console.dead("k1")
    await tab.page.goto("/attention?key=k1")

    await tab.page.get_by_role("button", name="Show what would happen").click()

    invalid = await tab.page.eval_on_selector_all(":invalid:not(fieldset, form)", "found => found.map(one => one.name)")
    assert invalid == ["act", "act", "act", "reason"]
    assert tab.page.url.endswith("/attention?key=k1")
