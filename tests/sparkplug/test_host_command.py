"""What people want of the host: rebirths at its pace, writes where the node lives."""

from __future__ import annotations

from sparkplug.command import Awaited, Refusal
from sparkplug.fact import NodeId, Origin, RequestRebirth, RequestWrite
from sparkplug.host import HostApplication, HostSettings
from sparkplug.wire.datatype import Datatype
from sparkplug.wire.payload import decode
from tests.sparkplug.situation import NODE, PRESS, birth_bytes, declared

NBIRTH = "spBv1.0/plant/NBIRTH/press"


def with_press(settings: HostSettings = HostSettings()) -> HostApplication:
    """A host, and the press online at 0 ms."""
    host = HostApplication("host", settings)
    host.connected(0, will_ms=0)
    host.receive(NBIRTH, birth_bytes(), retain=False, now_ms=0)
    return host


def test_a_rebirth_that_a_person_wants_is_asked_at_once() -> None:
    assert with_press().ask_rebirth(NODE, "seen", 10) == (RequestRebirth(NODE, "seen"),)


def test_a_rebirth_is_not_asked_twice_within_its_window() -> None:
    host = with_press()
    host.ask_rebirth(NODE, "seen", 10)

    again = host.ask_rebirth(NODE, "seen", 4_010)

    assert again == Refusal("a rebirth of plant/press was asked for 4 s ago; ask again in 6 s")
    assert host.ask_rebirth(NODE, "seen", 10_010) == (RequestRebirth(NODE, "seen"),)


def test_a_node_that_the_host_itself_asked_shortly_before_has_its_birth_awaited() -> None:
    host = HostApplication("host")
    host.connected(0, will_ms=0)
    host.receive("spBv1.0/plant/NDATA/press", b"", retain=False, now_ms=10)

    assert host.ask_rebirth(NODE, "seen", 3_010) == Awaited(NODE, 3_000)
    host.receive(NBIRTH, birth_bytes(), retain=False, now_ms=3_020)
    assert host.ask_rebirth(NODE, "seen", 3_030) == Refusal(
        "a rebirth of plant/press was asked for 3 s ago; ask again in 7 s"
    )


def test_pauses_that_grew_without_an_answer_do_not_hold_a_person_up() -> None:
    host = with_press()
    for at_ms in (0, 10_000, 30_000, 70_000):  # data before any birth, each time as soon as it may be asked again
        host.receive("spBv1.0/plant/NBIRTH/mute", b"\xff", retain=False, now_ms=at_ms)
        host.receive("spBv1.0/plant/NDATA/mute", b"", retain=False, now_ms=at_ms)

    assert host.ask_rebirth(NodeId("plant", "mute"), "mended", 80_000) == (
        RequestRebirth(NodeId("plant", "mute"), "mended"),
    )


def test_a_rebirth_waits_its_turn_where_many_are_asked() -> None:
    host = with_press(HostSettings(rebirths_per_s=1, rebirth_burst=1))
    other = NodeId("plant", "mill")
    host.receive("spBv1.0/plant/NBIRTH/mill", birth_bytes(), retain=False, now_ms=0)
    host.ask_rebirth(NODE, "seen", 10)

    assert host.ask_rebirth(other, "seen", 10) == ()
    assert host.due(1_010) == (RequestRebirth(other, "seen"),)


def test_a_command_goes_to_the_server_where_the_node_lives() -> None:
    host = HostApplication("host", HostSettings(servers=("a", "b")))
    for server in ("a", "b"):
        host.connected(0, will_ms=0, server=server)
    host.receive(NBIRTH, birth_bytes(), retain=False, now_ms=0, server="b")

    (request,) = host.write(PRESS, "speed", "5", 10)  # type: ignore[misc]

    assert isinstance(request, RequestWrite)
    assert (request.server, request.datatype, request.topic) == ("b", "Int32", "spBv1.0/plant/NCMD/press")


def test_a_metric_in_a_folder_is_written_by_its_whole_name_only() -> None:
    host = HostApplication("host")
    host.connected(0, will_ms=0)
    birth = birth_bytes(more=(declared("CMD/Target", Datatype.INT32, 0),))
    host.receive(NBIRTH, birth, retain=False, now_ms=0)

    written = host.write(PRESS, "CMD/Target", "5", 10)

    assert not isinstance(written, Refusal)
    (request,) = written
    assert isinstance(request, RequestWrite)
    assert [metric.name for metric in decode(request.payload).metrics] == ["CMD/Target"]
    assert host.write(PRESS, "Target", "5", 10) == Refusal(
        "plant/press was born without a metric 'Target'; did you mean 'CMD/Target'?"
    )


def test_nothing_is_sent_while_the_host_is_not_connected() -> None:
    host = with_press()
    host.disconnected(10)
    refusal = Refusal("the bridge is not connected to the MQTT server where plant/press lives")

    assert (host.ask_rebirth(NODE, "seen", 20), host.write(PRESS, "speed", "5", 20)) == (refusal, refusal)


def test_a_node_that_was_never_heard_of_is_asked_on_every_server_but_not_written() -> None:
    host = HostApplication("host", HostSettings(servers=("a", "b", "c")))
    host.connected(0, will_ms=0, server="a")
    host.connected(0, will_ms=0, server="c")
    host.receive(NBIRTH, birth_bytes(), retain=False, now_ms=0, server="a")
    other = NodeId("plant", "pres")

    assert host.ask_rebirth(other, "seen", 10) == (
        RequestRebirth(other, "seen", "a"),
        RequestRebirth(other, "seen", "c"),
    )
    assert host.write(Origin("plant", "pres", None), "speed", "5", 10) == Refusal(
        "no edge node 'plant/pres' was ever heard of; did you mean 'plant/press'?"
    )
    assert host.nodes()[0].node == NODE
    assert len(host.nodes()) == 1


def test_nobody_is_asked_while_the_host_has_no_session() -> None:
    assert HostApplication("host").ask_rebirth(NODE, "seen", 10) == Refusal(
        "no edge node 'plant/press' was ever heard of"
    )
