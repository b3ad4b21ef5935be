"""What the console keeps of what others cause has a bound."""

from __future__ import annotations

from bridge.console.session import MOST_ADDRESSES, MOST_SESSIONS, Attempts, Sessions
from bridge.console.watch import NOTICES_KEPT, ORDERS_KEPT, Watch
from bridge.core.input import Notice
from tests.bridge.site import ManualClock


def test_attempts_of_ever_new_addresses_are_not_remembered_without_end() -> None:
    attempts = Attempts()
    waits = [attempts.wait_ms(f"address-{number}", 0) for number in range(MOST_ADDRESSES + 50)]
    assert waits[0] == 0
    assert waits[-1] > 0
    assert attempts.addresses == MOST_ADDRESSES


def test_the_oldest_session_gives_way() -> None:
    sessions = Sessions()
    first, second, *_ = [sessions.open("ana", 0) for _ in range(MOST_SESSIONS + 1)]
    assert sessions.find(first, 1) is None
    assert sessions.find(second, 1) is not None
    assert len(sessions.all) == MOST_SESSIONS


def test_the_latest_notices_and_orders_are_kept() -> None:
    watch = Watch(ManualClock())
    for number in range(NOTICES_KEPT + 1):
        watch.notice(Notice(level="warning", name="x", fields={"number": number}))
    for number in range(ORDERS_KEPT + 1):
        watch.posted(f"mo-{number}", {"qty": 1}, 0)
    assert [len(watch.notices), watch.notices[0].notice.fields["number"]] == [NOTICES_KEPT, 1]
    assert [len(watch.odoo.quantities), "mo-0" in watch.odoo.quantities] == [ORDERS_KEPT, False]
