"""How often rebirths are asked, and when sessions are due."""

from __future__ import annotations

from sparkplug.fact import NodeId
from sparkplug.pace import Backoff, Dues, Pacer

NODES = [NodeId("plant", f"n{i}") for i in range(5)]


def test_each_request_doubles_the_window_up_to_the_most() -> None:
    backoff = Backoff(10, 30)

    assert [at for at in range(200) if backoff.take(at)] == [0, 10, 30, 60, 90, 120, 150, 180]


def test_after_a_calm_time_the_window_is_short_again() -> None:
    backoff = Backoff(10, 1_000)
    assert [at for at in range(40) if backoff.take(at)] == [0, 10, 30]

    assert backoff.take(30 + 4 * 40)
    assert backoff.window_ms == 10


def test_a_clock_that_was_set_back_does_not_silence_the_requests() -> None:
    backoff = Backoff(10, 1_000)
    backoff.take(5_000)

    assert backoff.take(0)


def test_requests_beyond_the_burst_wait_for_tokens_in_order() -> None:
    pacer = Pacer(per_s=10, burst=2, jitter_ms=0)
    for node in NODES:
        pacer.ask(node, "why", 0)

    assert pacer.due(0) == ((NODES[0], "why"), (NODES[1], "why"))
    assert pacer.next_due_ms == 100
    assert pacer.due(99) == ()
    assert pacer.due(100) == ((NODES[2], "why"),)
    assert pacer.due(10_000) == ((NODES[3], "why"), (NODES[4], "why"))
    assert pacer.next_due_ms is None


def test_a_node_is_asked_once_and_not_at_all_when_it_is_forgotten() -> None:
    pacer = Pacer(per_s=10, burst=2, jitter_ms=0)
    pacer.ask(NODES[0], "first", 50)
    pacer.ask(NODES[0], "second", 10)
    pacer.ask(NODES[1], "first", 50)
    pacer.forget(NODES[1])

    assert pacer.next_due_ms == 50
    assert pacer.due(50) == ((NODES[0], "first"),)


def test_the_spread_depends_on_the_name_alone() -> None:
    dues = []
    for _ in range(2):
        pacer = Pacer(per_s=10, burst=2, jitter_ms=1_000)
        pacer.ask_spread(NODES[0], "why", 5_000)
        dues.append(pacer.next_due_ms)

    assert dues[0] == dues[1]
    assert dues[0] is not None
    assert 5_000 <= dues[0] <= 6_000


def test_what_is_due_comes_in_the_nodes_own_order_and_the_earliest_is_at_hand() -> None:
    dues = Dues()
    for node, due_ms in ((NODES[2], 30), (NODES[1], 20), (NODES[0], 30)):
        dues.note(node, due_ms)
    assert (dues.earliest_ms, dues.due(19), dues.due(30)) == (20, [], [NODES[0], NODES[1], NODES[2]])

    dues.note(NODES[1], None)
    dues.note(NODES[2], 40)
    assert (dues.earliest_ms, dues.due(30)) == (30, [NODES[0]])
