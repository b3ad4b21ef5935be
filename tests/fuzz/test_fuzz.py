"""The property that fuzzing tests at length, on what is known and on a few hundred inputs that are not."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.mutate import mutated
from tests.fuzz.target import FOUND, TOPICS, Sent, hold, pack, seeds, unpack

MESSAGES = st.lists(st.builds(Sent, st.integers(0, len(TOPICS) - 1), st.binary(max_size=200)), max_size=6)
SEEDS = seeds()


@given(MESSAGES)
def test_an_input_holds_the_messages_that_were_packed(messages: list[Sent]) -> None:
    assert unpack(pack(messages)) == messages


@pytest.mark.parametrize("number", range(len(SEEDS)))
def test_every_known_input_is_answered_and_costs_no_other_node_anything(number: int) -> None:
    hold(SEEDS[number])


@settings(deadline=None)  # `hold` has a limit of its own, of the processor's time
@given(MESSAGES)
def test_any_bytes_are_answered_and_cost_no_other_node_anything(messages: list[Sent]) -> None:
    hold(pack(messages))


@settings(deadline=None)
@given(st.sampled_from(SEEDS), st.integers(0, 2**32))
def test_any_change_to_a_known_input_is_answered_and_costs_no_other_node_anything(seed: bytes, chance: int) -> None:
    hold(mutated(seed, SEEDS, Random(chance)))


def test_the_same_chance_makes_the_same_input() -> None:
    assert mutated(SEEDS[0], SEEDS, Random(7)) == mutated(SEEDS[0], SEEDS, Random(7))


def test_what_was_found_is_among_the_known() -> None:
    assert {path.read_bytes() for path in FOUND.glob("*.bin")} <= set(SEEDS)
