"""Commands that people want: sent or refused, once, with a reply that outlives the bridge."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.core.command import KEPT, Commands, Reply
from bridge.core.input import RebirthWanted, WriteWanted
from sparkplug.fact import Origin, RequestRebirth, RequestWrite
from sparkplug.host import HostApplication, HostSettings
from tests.sparkplug.situation import NODE, birth_bytes

WRITE = WriteWanted(
    id="w", origin=Origin("plant", "press", None), metric="speed", value="5", by="ada", reason="trial", until_ms=100
)
REBIRTH = RebirthWanted(id="r", node=NODE, by="ada", reason="trial", until_ms=100)


def commands(settings: HostSettings = HostSettings()) -> Commands:
    """Those of a host whose node, the press, is online."""
    host = HostApplication("host", settings)
    host.connected(0, will_ms=0)
    host.receive("spBv1.0/plant/NBIRTH/press", birth_bytes(), retain=False, now_ms=0)
    return Commands(host)


def test_a_write_is_sent_and_says_as_what() -> None:
    machine = commands()
    [request], notice = machine.take(WRITE, 10)
    reply = machine.reply("w")

    assert isinstance(request, RequestWrite)
    assert reply is not None
    assert (reply.sent, reply.text) == (True, "speed of plant/press was written as the Int32 5")
    assert (notice.name, notice.fields) == (
        "command.sent",
        {
            "act": "w",
            "by": "ada",
            "reason": "trial",
            "to": "plant/press",
            "metric": "speed",
            "value": "5",
            "result": reply.text,
        },
    )


def test_a_refusal_sends_nothing_and_says_why() -> None:
    machine = commands()
    outputs, notice = machine.take(replace(WRITE, value="fast"), 10)
    reply = machine.reply("w")

    assert reply is not None
    assert (outputs, notice.name, reply.sent) == ((), "command.refused", False)
    assert "'fast' is no Int32" in reply.text


def test_a_rebirth_names_who_wants_it() -> None:
    outputs, notice = commands().take(REBIRTH, 10)

    assert outputs == (RequestRebirth(NODE, "asked by ada: trial"),)
    assert notice.fields["result"] == "plant/press was asked for a rebirth"


def test_a_rebirth_that_the_host_asked_for_by_itself_is_not_asked_again_and_counts_as_sent() -> None:
    host = HostApplication("host")
    host.connected(0, will_ms=0)
    host.receive("spBv1.0/plant/NDATA/press", b"", retain=False, now_ms=10)
    machine = Commands(host)
    outputs, notice = machine.take(replace(REBIRTH, until_ms=9_999), 4_010)

    assert (outputs, notice.name) == ((), "command.sent")
    assert machine.reply("r") == Reply(
        at_ms=4_010, sent=True, text="plant/press was already asked for a rebirth 4 s ago"
    )


def test_a_rebirth_that_waits_its_turn_says_so() -> None:
    machine = commands(HostSettings(rebirth_burst=0))
    _, notice = machine.take(REBIRTH, 10)

    assert notice.fields["result"] == "plant/press will be asked for a rebirth when its turn comes: many nodes wait"


@pytest.mark.parametrize("wanted", [WRITE, REBIRTH])
def test_what_nobody_waits_for_any_more_is_not_sent(wanted: WriteWanted | RebirthWanted) -> None:
    machine = commands()

    assert machine.take(wanted, 100)[0] != ()
    assert machine.take(replace(wanted, id="late"), 101)[0] == ()
    reply = machine.reply("late")
    assert reply is not None
    assert reply.text == "it came 1 ms after nobody waited for it any more; do the clocks agree?"


def test_a_reply_is_stored_and_the_oldest_are_forgotten() -> None:
    machine = commands()
    for number in range(KEPT + 1):
        machine.take(replace(WRITE, id=str(number)), number)
    stored = {id: machine.snapshot(id) for id in machine.take_changed()}
    restored = commands()
    for id, snapshot in stored.items():
        if snapshot is not None:
            restored.restore(id, snapshot)

    assert [id for id, snapshot in stored.items() if snapshot is None] == ["0"]
    assert [restored.reply(str(number)) for number in range(KEPT + 1)] == [
        machine.reply(str(number)) for number in range(KEPT + 1)
    ]
    assert machine.take_changed() == frozenset()
