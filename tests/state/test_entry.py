"""Entries are stored with their version and read back as they were."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from state.entry import HISTORY_LENGTH, Entry, EntryState, FollowUp, Note, decode, encode

PROGRESS = Entry(
    key="production.progress:mo-42/line-1/good/0:25",
    number=7,
    lane="mo-42",
    action="production.progress",
    destination="odoo",
    priority=60,
    body=b"\x00\xff",
    content_hash="abc",
    state=EntryState.CLAIMED,
    created_ms=1,
    changed_ms=2,
    stream="mo-42/line-1/good/0",
    upto=Decimal("25.50"),
    receipt=b"{}",
    follow_up=FollowUp(body=b"x", content_hash="d", at_ms=3, lane="mo-42", priority=60),
    history=(Note(1, "accepted"), Note(2, "released: checked", "ann")),
)


def test_an_entry_is_read_back_as_it_was() -> None:
    assert decode(encode(PROGRESS)) == PROGRESS


def test_the_stored_form_names_its_version() -> None:
    assert msgspec.msgpack.decode(encode(PROGRESS))["v"] == 1


@pytest.mark.parametrize("stored", [b"", b"\x80", encode(PROGRESS).replace(b"\xa1v\x01", b"\xa1v\x02")])
def test_anything_else_is_refused(stored: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(stored)


def test_a_long_history_keeps_its_first_note_and_the_latest() -> None:
    entry = PROGRESS
    for at_ms in range(100):
        entry = msgspec.structs.replace(entry, history=entry.noted(at_ms, f"postponed: {at_ms}"))
    assert len(entry.history) == HISTORY_LENGTH
    assert (entry.history[0], entry.history[-1]) == (Note(1, "accepted"), Note(99, "postponed: 99"))


def test_the_same_note_again_takes_the_place_of_the_last_one() -> None:
    history = PROGRESS.noted(9, "released: checked", "ann")
    assert history == (Note(1, "accepted"), Note(9, "released: checked", "ann"))
