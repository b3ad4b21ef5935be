"""Every message lies in one bucket, and one that vanishes without a reason is told."""

from __future__ import annotations

from collections import Counter

from tests.faults.account import CUT, UNACCOUNTED, Account
from tests.faults.machine import Universe

TOPIC = "spBv1.0/acme/NDEATH/press"


def test_a_message_that_a_running_bridge_never_reads_is_unaccounted_for() -> None:
    universe = Universe()
    account = Account(universe)
    bridge, killed = universe.machine("a"), universe.machine("b")
    account.arrived(account.sent(bridge, TOPIC, b"1"))
    account.sent(bridge, TOPIC, b"2").became = CUT
    account.arrived(account.sent(killed, TOPIC, b"3"))
    killed.kill()
    account.arrived(account.sent(bridge, TOPIC, b"4"))
    account.read(bridge, TOPIC, b"4", "read: NDEATH", ())
    universe.now_s = 60.0
    assert account.buckets() == Counter(
        {
            f"{UNACCOUNTED}: {TOPIC} at 0.0000 s": 1,
            "sparkplug: its link had ended: no data": 1,
            "sparkplug: the bridge ended before it was read: no data": 1,
            "sparkplug: read: NDEATH": 1,
        }
    )


def test_what_was_read_in_a_commit_that_the_store_lost_is_gone_unless_who_read_it_commits_again() -> None:
    universe = Universe()
    account = Account(universe)
    bridge, killed = universe.machine("a"), universe.machine("b")
    for machine, number in ((killed, 1), (killed, 2), (bridge, 3)):
        payload = str(number).encode()
        account.arrived(account.sent(machine, TOPIC, payload))
        account.read(machine, TOPIC, payload, "read: NDEATH", ())
        account.committed(machine, number)
    account.fell_back(1)
    killed.kill()
    account.committed(bridge, 2)
    assert account.buckets() == Counter(
        {"sparkplug: read: NDEATH": 2, "sparkplug: its commit was lost with the store's last writes: no data": 1}
    )
