"""Acts of people: each has an id of its own, and comes out of the store as it went in."""

from __future__ import annotations

import msgspec
import pytest

from bridge.core.act import new_act, read_act
from bridge.core.input import Acted, ActKind
from state.store import Act


def test_an_act_comes_out_of_the_store_as_it_went_in() -> None:
    act = new_act(ActKind.SKIP, ("a", "b"), "ada", "made by hand")
    assert read_act(act) == Acted(id=act.id, kind=ActKind.SKIP, keys=("a", "b"), by="ada", reason="made by hand")


def test_the_same_wish_twice_is_two_acts() -> None:
    first, second = (new_act(ActKind.REPLAY, ("a",), "ada", "again") for _ in range(2))
    assert (first.id != second.id, first.body) == (True, second.body)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"kind":"delete","keys":[],"by":"","reason":""}'])
def test_what_is_no_act_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        read_act(Act(id="1", body=body))
