"""Acts of people: each has an id of its own, and comes out of the store as it went in."""

from __future__ import annotations

import msgspec
import pytest

from bridge.core.act import audited, new_act, read_act, store_act
from bridge.core.input import Acted, ActKind, FromPerson, RebirthWanted, WriteWanted
from sparkplug.fact import NodeId, Origin
from state.store import Act

REBIRTH = RebirthWanted(id="1", node=NodeId("plant", "press"), by="ada", reason="new PLC", until_ms=9)
WRITE = WriteWanted(
    id="2", origin=Origin("plant", "press", "arm"), metric="force", value="-5", by="ada", reason="", until_ms=9
)


def test_an_act_comes_out_of_the_store_as_it_went_in() -> None:
    act = new_act(ActKind.SKIP, ("a", "b"), "ada", "made by hand")
    assert read_act(act) == Acted(id=act.id, kind=ActKind.SKIP, keys=("a", "b"), by="ada", reason="made by hand")


@pytest.mark.parametrize("wanted", [REBIRTH, WRITE])
def test_what_is_wanted_of_a_node_comes_out_of_the_store_as_it_went_in(wanted: FromPerson) -> None:
    assert read_act(store_act(wanted)) == wanted


def test_the_audit_log_says_who_wants_what_of_which_node() -> None:
    assert [*audited(REBIRTH), *audited(WRITE)] == [
        ("node.rebirth", {"act": "1", "reason": "new PLC", "node": "plant/press"}),
        ("node.write", {"act": "2", "reason": "", "to": "plant/press/arm", "metric": "force", "value": "-5"}),
    ]


def test_the_same_wish_twice_is_two_acts() -> None:
    first, second = (new_act(ActKind.REPLAY, ("a",), "ada", "again") for _ in range(2))
    assert (first.id != second.id, first.body) == (True, second.body)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"kind":"delete","keys":[],"by":"","reason":""}', b'{"kind":"write"}'])
def test_what_is_no_act_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        read_act(Act(id="1", body=body))
