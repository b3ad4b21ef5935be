"""What bridge.yaml accepts although it is not fit is on the first page as long as it is so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.console.diagnosis import diagnose
from bridge.console.watch import StoreView
from tests.bridge.console.test_diagnosis import well


@pytest.mark.parametrize(
    ("store", "told"),
    [
        (
            StoreView(weaknesses=("the server keeps no append-only file",)),
            [("Redis could lose what it confirmed", "the server keeps no append-only file")],
        ),
        (
            StoreView(clock_ahead_ms=-61_000),
            [("The clocks disagree", "Redis: its clock is 61.0 s behind ours")],
        ),
        (StoreView(clock_ahead_ms=59_000), []),
    ],
    ids=["weak", "clock", "within the limit"],
)
def test_what_is_accepted_is_a_note_with_its_setting(store: StoreView, told: list[tuple[str, str]]) -> None:
    found = diagnose(replace(well(), store=store))
    assert [(each.title, each.detail) for each in found] == told
    assert all(each.means.startswith("bridge.yaml accepts this (") for each in found)
