"""One host on several MQTT servers: a STATE for each, and every node where its newest birth came from."""

from __future__ import annotations

import pytest

from sparkplug.fact import DataRead, DeviceOffline, Finding, NodeOffline, NodeOnline, PublishState, RequestRebirth
from sparkplug.host import HostApplication, HostSettings
from sparkplug.wire.payload import encode
from sparkplug.wire.state import HostState, encode_state
from tests.sparkplug.situation import (
    ARM,
    NODE,
    SENT_MS,
    birth_bytes,
    data_bytes,
    death_bytes,
    device_birth_bytes,
    session_metrics,
)

HALL, CELLAR = "hall:1883", "cellar:1883"
STATE = "spBv1.0/STATE/berlin"
NBIRTH, NDATA, NDEATH = (f"spBv1.0/plant/{verb}/press" for verb in ("NBIRTH", "NDATA", "NDEATH"))
DBIRTH = "spBv1.0/plant/DBIRTH/press/arm"
SETTINGS = HostSettings(servers=(HALL, CELLAR), birth_grace_ms=0, rebirth_jitter_ms=0)


def on_both() -> HostApplication:
    """A host with a session on each server, whose wills are of 1000 and 2000 ms."""
    host = HostApplication("berlin", SETTINGS)
    host.connected(1_100, will_ms=1_000, server=HALL)
    host.connected(2_100, will_ms=2_000, server=CELLAR)
    return host


def in_the_hall() -> HostApplication:
    """The same, and the press and its arm were born in the hall."""
    host = on_both()
    host.receive(NBIRTH, birth_bytes(), retain=False, now_ms=3_000, server=HALL)
    host.receive(DBIRTH, device_birth_bytes(1), retain=False, now_ms=3_000, server=HALL)
    return host


def birth_sent(at_ms: int) -> bytes:
    return encode(timestamp_ms=at_ms, seq=0, metrics=session_metrics(0))


def home(host: HostApplication) -> tuple[str, str]:
    [view] = host.nodes()
    return view.server, view.phase


@pytest.mark.spec("tck-id-operational-behavior-host-application-multi-server-timestamp")
@pytest.mark.spec("tck-id-operational-behavior-primary-application-state-with-multiple-servers-state")
def test_each_server_has_a_state_with_the_timestamp_of_its_own_will() -> None:
    host = HostApplication("berlin", SETTINGS)

    assert host.connected(1_100, will_ms=1_000, server=HALL) == (PublishState(server=HALL, at_ms=1_000),)
    assert host.connected(2_100, will_ms=2_000, server=CELLAR) == (PublishState(server=CELLAR, at_ms=2_000),)


def test_a_false_death_is_answered_on_the_server_where_it_was_said() -> None:
    offline = encode_state(HostState(False, 9_000))

    assert on_both().receive(STATE, offline, retain=False, now_ms=9_000, server=CELLAR) == (
        PublishState(server=CELLAR, at_ms=2_000),
    )


def test_a_rebirth_is_asked_on_the_server_where_the_node_is_heard() -> None:
    text = "NodeData while the node is not born yet"

    assert on_both().receive(NDATA, data_bytes(1, 11), retain=False, now_ms=3_000, server=CELLAR) == (
        Finding(node=NODE, name="node-unborn", text=text),
        RequestRebirth(NODE, text, CELLAR),
    )


@pytest.mark.parametrize("later_ms", [0, 1])
def test_a_node_moves_with_a_birth_that_is_not_older(later_ms: int) -> None:
    host = in_the_hall()

    outputs = host.receive(NBIRTH, birth_sent(SENT_MS + later_ms), retain=False, now_ms=4_000, server=CELLAR)

    assert [type(output) for output in outputs] == [DeviceOffline, NodeOnline, DataRead]
    assert home(host) == (CELLAR, "online")


def test_an_older_birth_that_comes_late_from_another_server_is_not_taken() -> None:
    host = in_the_hall()
    text = f"NBIRTH on the server {CELLAR}, and the node is online on {HALL}"

    assert host.receive(NBIRTH, birth_sent(SENT_MS - 1), retain=False, now_ms=4_000, server=CELLAR) == (
        Finding(node=NODE, name="node-on-two-servers", text=text),
    )
    assert home(host) == (HALL, "online")


def test_the_death_that_a_node_left_where_it_lived_before_does_not_end_it() -> None:
    host = in_the_hall()
    host.receive(NBIRTH, birth_bytes(), retain=False, now_ms=4_000, server=CELLAR)

    assert host.receive(NDEATH, death_bytes(), retain=False, now_ms=5_000, server=HALL) == ()
    assert home(host) == (CELLAR, "online")
    assert host.receive(NDEATH, death_bytes(), retain=False, now_ms=6_000, server=CELLAR)[0] == NodeOffline(
        node=NODE, at_ms=6_000, reason="NDEATH"
    )


@pytest.mark.spec("tck-id-operational-behavior-primary-application-state-with-multiple-servers-single-server")
def test_data_of_an_online_node_from_another_server_is_a_finding_and_not_read() -> None:
    host = in_the_hall()
    text = f"NDATA on the server {CELLAR}, and the node is online on {HALL}"

    assert host.receive(NDATA, data_bytes(2, 11), retain=False, now_ms=4_000, server=CELLAR) == (
        Finding(node=NODE, name="node-on-two-servers", text=text),
    )


def test_a_node_whose_birth_elsewhere_was_missed_is_found_by_its_data() -> None:
    host = in_the_hall()
    host.receive(NDEATH, death_bytes(), retain=False, now_ms=4_000, server=HALL)
    text = "NodeData while the node is offline"

    assert host.receive(NDATA, data_bytes(2, 11), retain=False, now_ms=5_000, server=CELLAR)[1:] == (
        RequestRebirth(NODE, text, CELLAR),
    )
    assert home(host) == (CELLAR, "offline")


def test_the_loss_of_one_server_makes_only_its_own_nodes_stale() -> None:
    host = in_the_hall()

    assert host.disconnected(4_000, server=CELLAR) == ()
    assert host.disconnected(4_000, server=HALL) == (
        NodeOffline(node=NODE, at_ms=4_000, reason="host disconnected"),
        DeviceOffline(origin=ARM, at_ms=4_000, reason="host disconnected"),
    )
    assert host.connected(5_000, will_ms=4_900, server=CELLAR) == (PublishState(server=CELLAR, at_ms=4_900),)
    assert host.connected(5_000, will_ms=4_950, server=HALL) == (
        PublishState(server=HALL, at_ms=4_950),
        RequestRebirth(NODE, "the host was away", HALL),
    )


def test_where_a_node_lives_survives_a_restart_and_a_server_that_is_gone_gives_it_to_the_first() -> None:
    host = in_the_hall()
    host.receive(NBIRTH, birth_bytes(), retain=False, now_ms=4_000, server=CELLAR)
    homes = []
    for servers in ((HALL, CELLAR), (HALL,)):
        again = HostApplication("berlin", HostSettings(servers=servers))
        again.restore(NODE, host.snapshot(NODE))
        homes.append(home(again))

    assert homes == [(CELLAR, "stale"), (HALL, "stale")]
