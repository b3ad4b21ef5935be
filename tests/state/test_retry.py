"""Pauses grow to a limit, and a destination that had a setback is asked with care."""

from __future__ import annotations

import pytest

from state.retry import Circuit, RetryPolicy

POLICY = RetryPolicy(base_ms=1000, cap_ms=60_000, spread=0)


@pytest.mark.parametrize(("attempts", "delay_ms"), [(1, 1000), (2, 2000), (6, 32_000), (7, 60_000), (10_000, 60_000)])
def test_pauses_double_up_to_the_cap(attempts: int, delay_ms: int) -> None:
    assert POLICY.delay_ms(attempts, "key") == delay_ms


def test_pauses_are_spread_and_the_same_each_time() -> None:
    policy = RetryPolicy(base_ms=1000, spread=0.2)
    delays = [policy.delay_ms(1, f"key-{n}") for n in range(50)]
    assert delays == [policy.delay_ms(1, f"key-{n}") for n in range(50)]
    assert 800 <= min(delays) < max(delays) <= 1000


def test_after_a_setback_there_is_a_pause_and_then_one_probe() -> None:
    circuit = Circuit().failed("odoo", POLICY, 0, None)
    assert [circuit.room(50, in_flight, now_ms) for in_flight, now_ms in ((0, 999), (0, 1000), (1, 1000))] == [0, 1, 0]


def test_each_further_setback_makes_the_pause_longer() -> None:
    circuit = Circuit().failed("odoo", POLICY, 0, None).failed("odoo", POLICY, 1000, None)
    assert circuit.open_until_ms == 3000


def test_the_servers_own_pause_is_kept() -> None:
    assert Circuit().failed("odoo", POLICY, 0, 30_000).open_until_ms == 30_000


def test_answers_let_batches_grow_until_there_is_no_limit() -> None:
    circuit = Circuit().failed("odoo", POLICY, 0, None)
    rooms = []
    while circuit != Circuit():
        circuit = circuit.answered(in_flight=1).answered(in_flight=0)
        rooms.append(circuit.room(50, 0, 1000))
    assert rooms == [2, 4, 8, 16, 32, 50]
