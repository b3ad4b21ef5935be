"""The order of `seq`."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from sparkplug.message import NodeData
from sparkplug.sequence import Sequence
from tests.sparkplug.situation import node_data


def message(seq: int, at_ms: int = 0) -> NodeData:
    return node_data(seq, seq, now_ms=at_ms)


def test_messages_in_order_pass_and_wrap() -> None:
    sequence = Sequence(2_000, 1_000, expected=255)

    assert sequence.offer(255, message(255)) == (message(255),)
    assert sequence.offer(0, message(0)) == (message(0),)
    assert sequence.expected == 1


def test_no_message_waits_longer_than_the_timeout() -> None:
    sequence = Sequence(2_000, 1_000, expected=1)
    sequence.offer(5, message(5, at_ms=100))
    sequence.offer(3, message(3, at_ms=900))

    assert sequence.due_ms == 2_100
    assert sequence.missing == "1 to 2"
    assert sequence.waiting == (message(5, at_ms=100), message(3, at_ms=900))


def test_what_waits_is_counted_in_the_bytes_that_it_has_when_inflated() -> None:
    small, large = message(3), msgspec.structs.replace(message(5).payload, inflated=990)
    sequence = Sequence(2_000, 1_000, expected=1)

    overfull = [sequence.is_overfull]
    for seq, early in ((5, NodeData(large, 0)), (3, small)):
        sequence.offer(seq, early)
        overfull.append(sequence.is_overfull)
    assert overfull == [False, False, True]
    assert sequence.give_up() == (small, NodeData(large, 0))


def test_giving_up_releases_in_order_of_seq_and_counts_on_from_there() -> None:
    sequence = Sequence(2_000, 1_000, expected=254)
    for seq in (1, 255, 0):
        sequence.offer(seq, message(seq))

    assert sequence.give_up() == (message(255), message(0), message(1))
    assert (sequence.expected, sequence.due_ms) == (2, None)


def test_a_repeat_is_the_last_message_or_one_that_waits() -> None:
    sequence = Sequence(2_000, 1_000, expected=1)
    sequence.offer(1, message(1))
    sequence.offer(3, message(3))
    digest = {seq: message(seq).payload.digest for seq in (1, 3)}

    assert sequence.is_repeat(1, digest[1])
    assert sequence.is_repeat(3, digest[3])
    assert not sequence.is_repeat(1, digest[3])
    assert not sequence.is_repeat(3, digest[1])


@given(start=st.integers(0, 255), order=st.permutations(range(40)))
def test_any_permutation_comes_out_in_order(start: int, order: list[int]) -> None:
    sequence = Sequence(2_000, 10_000, expected=start)
    seqs = [(start + i) % 256 for i in range(40)]

    released = [out.payload.seq for i in order for out in sequence.offer(seqs[i], message(seqs[i]))]

    assert released == seqs
