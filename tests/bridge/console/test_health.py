"""What looks on hears without a log-in whether the bridge lives and can take, and nothing of the plant."""

from __future__ import annotations

from bridge.console.trouble.health import LIVE, READY
from bridge.loop import Stall
from tests.bridge.console.desk import Console


async def told(console: Console, path: str) -> tuple[int, object]:
    """The status, and what is told."""
    async with console.browser.get(path, allow_redirects=False) as answer:
        return answer.status, await answer.json()


async def test_a_leader_that_takes_is_well(console: Console) -> None:
    assert [await told(console, path) for path in (LIVE, READY)] == [(200, {"role": "leader"})] * 2


async def test_a_full_outbox_is_told_in_a_sentence_until_there_is_room_and_the_bridge_lives_meanwhile(
    console: Console,
) -> None:
    console.inside.watch.stalled(Stall.OUTBOX, "4711 entries are not done, the limit is 4000")
    full = await told(console, READY), await told(console, LIVE)
    console.inside.watch.recovered(Stall.OUTBOX)

    reason = "The host is offline: the outbox is full."
    assert full == ((503, {"role": "leader", "reason": reason}), (200, {"role": "leader"}))
    assert await told(console, READY) == (200, {"role": "leader"})


async def test_a_store_that_is_away_is_told_before_the_host_goes_offline_and_without_what_redis_said(
    console: Console,
) -> None:
    watch = console.inside.watch
    watch.store_failed("redis://10.0.0.7:6379 refuses: READONLY", console.clock.now_ms())
    soon = await told(console, READY)
    watch.stalled(Stall.STORE, "redis://10.0.0.7:6379 refuses: READONLY")
    offline = await told(console, READY)
    watch.committed(8)
    calming = await told(console, READY)

    assert [soon, offline, calming] == [
        (503, {"role": "leader", "reason": reason})
        for reason in (
            "Redis takes no commits.",
            "The host is offline: Redis takes no commits.",
            "The host comes back in a few seconds.",
        )
    ]


async def test_what_only_looks_like_a_health_page_needs_a_log_in(console: Console) -> None:
    async with console.browser.get("/healthy", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/login")
