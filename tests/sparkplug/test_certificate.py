"""Births that a Sparkplug Aware broker keeps under `$sparkplug/certificates`: they tell how to read, and no more."""

from __future__ import annotations

import pytest

from sparkplug.fact import (
    DataRead,
    DeviceOnline,
    Finding,
    NodeOnline,
    Output,
    PublishState,
    Reading,
    RequestRebirth,
    Template,
)
from sparkplug.host import HostApplication, HostSettings
from sparkplug.host.roster import FORGET_NODES_EVERY_MS
from sparkplug.session import SessionSettings
from sparkplug.topic import CERTIFICATES
from sparkplug.wire.datatype import Datatype
from sparkplug.wire.payload import encode
from sparkplug.wire.sparkplug_b_pb2 import Payload
from tests.sparkplug.situation import (
    ARM,
    FORCE_ALIAS,
    NODE,
    PRESS,
    SENT_MS,
    SPEED_ALIAS,
    birth_bytes,
    birth_readings,
    data_bytes,
    death_bytes,
    declared,
    device_birth_bytes,
    device_death_bytes,
    force,
    session_metrics,
    speed,
)

NBIRTH, NDATA, NDEATH = (f"spBv1.0/plant/{verb}/press" for verb in ("NBIRTH", "NDATA", "NDEATH"))
DBIRTH, DDATA, DDEATH = (f"spBv1.0/plant/{verb}/press/arm" for verb in ("DBIRTH", "DDATA", "DDEATH"))
AT_ONCE = HostSettings(birth_grace_ms=0, rebirth_jitter_ms=0, certificates=True)
STALE = RequestRebirth(NODE, "stale")


def connected(settings: HostSettings = AT_ONCE) -> HostApplication:
    """A host that knows nobody yet."""
    host = HostApplication("berlin", settings)
    host.connected(1_000, will_ms=1_000)
    return host


def certify(host: HostApplication, topic: str, raw: bytes, now_ms: int = 1_100, server: str = "") -> tuple[Output, ...]:
    """A certificate comes, as the broker keeps it."""
    return host.receive(f"{CERTIFICATES}{topic}", raw, retain=True, now_ms=now_ms, server=server)


def hear(host: HostApplication, topic: str, raw: bytes, now_ms: int = 1_200, server: str = "") -> tuple[Output, ...]:
    return host.receive(topic, raw, retain=False, now_ms=now_ms, server=server)


def certified(settings: HostSettings = AT_ONCE) -> HostApplication:
    """A host that has the certificates of the node and its device, and heard neither."""
    host = connected(settings)
    certify(host, NBIRTH, birth_bytes())
    certify(host, DBIRTH, device_birth_bytes(1))
    host.take_changed()
    return host


def restarted(host: HostApplication, settings: HostSettings = AT_ONCE) -> HostApplication:
    again = HostApplication("berlin", settings)
    for view in host.nodes():
        again.restore(view.node, host.snapshot(view.node))
    return again


def read(value: int, seq: int | None) -> DataRead:
    return DataRead(origin=PRESS, readings=speed(value), at_ms=SENT_MS, seq=seq)


def read_of_device(value: int, seq: int) -> DataRead:
    return DataRead(origin=ARM, readings=force(value), at_ms=SENT_MS, seq=seq)


def birth_at(at_ms: int, alias: int) -> bytes:
    """An NBIRTH sent then, which gives `speed` this alias."""
    metrics = [*session_metrics(), declared("speed", Datatype.INT32, 10, alias)]
    return encode(timestamp_ms=at_ms, seq=0, metrics=metrics)


def names(outputs: tuple[Output, ...]) -> list[str]:
    return [output.name if isinstance(output, Finding) else type(output).__name__ for output in outputs]


# What is subscribed


def test_the_certificates_are_subscribed_of_the_groups_that_are_followed_and_after_all_else() -> None:
    state = "spBv1.0/STATE/berlin"

    assert connected().subscriptions == (state, "spBv1.0/#", "$sparkplug/certificates/spBv1.0/#")
    assert connected(HostSettings(groups=("body", "paint"), certificates=True)).subscriptions[-2:] == (
        "$sparkplug/certificates/spBv1.0/body/#",
        "$sparkplug/certificates/spBv1.0/paint/#",
    )


# What they tell, and what not


def test_a_certificate_says_of_nobody_that_it_is_online_and_asks_for_nothing() -> None:
    host = connected()

    assert certify(host, NBIRTH, birth_bytes()) == ()
    assert certify(host, DBIRTH, device_birth_bytes(1)) == ()
    [view] = host.nodes()
    assert (view.phase, view.seq, view.bd_seq, view.skew_ms, view.devices) == ("not born yet", None, None, None, {})
    assert (view.metrics, view.since_ms, view.seen_ms) == (4, 1_100, 0)
    assert host.next_due_ms is None


def test_data_before_the_birth_is_read_by_the_certificate_and_a_rebirth_is_asked_once() -> None:
    host = certified()

    assert hear(host, NDATA, data_bytes(7, 11), 1_200) == (read(11, 7), STALE)
    assert hear(host, DDATA, data_bytes(8, 21, FORCE_ALIAS), 1_300) == (read_of_device(21, 8),)
    assert hear(host, NDATA, data_bytes(20, 12), 1_400) == (read(12, 20),)
    [view] = host.nodes()
    assert (view.phase, view.since_ms, view.seq, view.findings) == ("stale", 1_200, 20, {})


def test_a_device_is_read_by_its_certificate_although_that_of_its_node_is_missing() -> None:
    host = connected()
    certify(host, DBIRTH, device_birth_bytes(1))

    assert hear(host, DDATA, data_bytes(8, 21, FORCE_ALIAS)) == (read_of_device(21, 8), STALE)


def test_data_without_a_certificate_is_left_out_as_ever() -> None:
    host = connected()
    certify(host, NBIRTH, birth_bytes())

    assert names(hear(host, DDATA, data_bytes(8, 21, FORCE_ALIAS))) == ["node-unborn", "RequestRebirth"]
    assert names(hear(host, NDATA, data_bytes(9, 11), 1_300)) == ["DataRead"]
    assert names(hear(host, DDATA, data_bytes(10, 21, FORCE_ALIAS), 1_400)) == ["device-unborn"]


def test_data_without_seq_is_read_by_the_certificate_and_asks_too() -> None:
    assert names(hear(certified(), NDATA, data_bytes(None, 11))) == ["DataRead", "seq-missing", "RequestRebirth"]


def test_an_instance_of_a_template_that_the_certificate_defines_is_read() -> None:
    host = connected()
    message = Payload()
    message.ParseFromString(birth_bytes())
    message.metrics.add(name="Motor", datatype=Datatype.TEMPLATE).template_value.is_definition = True
    certify(host, NBIRTH, message.SerializeToString())
    message = Payload(timestamp=SENT_MS, seq=7)
    message.metrics.add(name="Motor").template_value.template_ref = "Motor"

    motor = Reading(metric="Motor", value=Template(ref="Motor", is_definition=False, members={}), at_ms=SENT_MS)
    assert hear(host, NDATA, message.SerializeToString()) == (
        DataRead(origin=PRESS, readings=(motor,), at_ms=SENT_MS, seq=7),
        STALE,
    )


def test_a_birth_that_is_heard_takes_the_place_of_the_certificate() -> None:
    host = certified()

    assert hear(host, NBIRTH, birth_bytes()) == (
        NodeOnline(node=NODE, at_ms=SENT_MS),
        DataRead(origin=PRESS, readings=birth_readings(), at_ms=SENT_MS, seq=0, birth=True),
    )
    assert names(hear(host, DDATA, data_bytes(1, 21, FORCE_ALIAS), 1_300)) == ["device-unborn", "RequestRebirth"]
    assert hear(host, DBIRTH, device_birth_bytes(2), 1_400) == (
        DeviceOnline(origin=ARM, at_ms=SENT_MS),
        DataRead(origin=ARM, readings=force(20), at_ms=SENT_MS, seq=2, birth=True),
    )


@pytest.mark.parametrize("later", ["online", "offline", "stale"])
def test_what_a_birth_declared_that_was_heard_is_never_replaced(later: str) -> None:
    host = connected()
    hear(host, NBIRTH, birth_bytes())
    hear(host, DBIRTH, device_birth_bytes(1))
    if later == "offline":
        hear(host, NDEATH, death_bytes())
    if later == "stale":
        host = restarted(host)
    before = host.nodes()
    host.take_changed()

    assert certify(host, NBIRTH, birth_at(SENT_MS + 60_000, 77)) == ()
    assert certify(host, DBIRTH, device_birth_bytes(1, alias=78)) == ()
    assert (host.nodes(), host.take_changed()) == (before, frozenset())


def test_a_device_that_a_stale_node_never_told_of_is_read_by_its_certificate() -> None:
    host = connected()
    hear(host, NBIRTH, birth_bytes())
    host = restarted(host)
    certify(host, DBIRTH, device_birth_bytes(1))

    assert hear(host, DDATA, data_bytes(8, 21, FORCE_ALIAS)) == (read_of_device(21, 8),)


def test_a_death_ends_what_is_read_by_a_certificate() -> None:
    host = certified()
    hear(host, NDATA, data_bytes(7, 11))

    assert hear(host, NDEATH, death_bytes(), 1_300) == ()
    assert host.nodes()[0].phase == "offline"
    assert names(hear(host, NDATA, data_bytes(8, 12), 1_400)) == ["node-unborn"]
    assert names(hear(host, DDATA, data_bytes(9, 12), 1_500)) == []
    assert host.nodes()[0].findings["node-unborn"].count == 2


def test_a_device_that_died_is_not_read_by_its_certificate_any_more() -> None:
    host = certified()
    hear(host, NDATA, data_bytes(7, 11))

    assert hear(host, DDEATH, device_death_bytes(8), 1_300) == ()
    assert certify(host, DBIRTH, device_birth_bytes(1), 1_400) == ()
    assert names(hear(host, DDATA, data_bytes(9, 21, FORCE_ALIAS), 1_500)) == ["device-unborn"]


# Several of them


def test_of_two_certificates_the_one_that_the_node_sent_later_counts_wherever_it_is_kept() -> None:
    host = HostApplication("berlin", HostSettings(servers=("a", "b"), certificates=True))
    for server in ("a", "b"):
        host.connected(1_000, will_ms=1_000, server=server)
    certify(host, NBIRTH, birth_at(SENT_MS + 1, SPEED_ALIAS), server="b")
    certify(host, NBIRTH, birth_at(SENT_MS, 77), server="a")

    assert hear(host, NDATA, data_bytes(7, 11), server="a") == (
        read(11, 7),
        RequestRebirth(NODE, "stale", "a"),
    )


# Bounds and faults


def test_a_broken_certificate_is_a_finding_of_its_node_and_asks_for_nothing() -> None:
    host = connected()
    twice = declared("torque", Datatype.INT32, 1, SPEED_ALIAS)

    assert names(certify(host, NBIRTH, birth_bytes(None, 3, more=(twice,)))) == [
        "alias-repeated",
        "birth-seq-not-zero",
        "birth-bdseq-missing",
    ]
    assert certify(host, NBIRTH, b"\x0a\xff", 1_200) != ()
    assert list(host.nodes()[0].findings) == [
        "alias-repeated",
        "birth-seq-not-zero",
        "birth-bdseq-missing",
        "payload-unreadable",
    ]
    assert hear(host, NDATA, data_bytes(7, 11), 1_300) != ()
    assert host.nodes()[0].findings["alias-repeated"].count == 2, "the data was read by what the certificate tells"


def test_an_unreadable_certificate_of_a_node_never_heard_of_belongs_to_no_node() -> None:
    host = connected()

    assert names(certify(host, NBIRTH, b"\x0a\xff")) == ["payload-unreadable"]
    assert (host.nodes(), list(host.findings)) == ((), ["payload-unreadable"])


@pytest.mark.parametrize("topic", [NDATA, DDATA, NDEATH, "spBv1.0/STATE/berlin", "spBv1.0/plant/NBIRTH", "other", ""])
def test_what_is_no_certificate_of_a_birth_is_passed_over(topic: str) -> None:
    host = connected()

    assert certify(host, topic, birth_bytes()) == ()
    assert (host.nodes(), dict(host.findings)) == ((), {})


def test_the_limits_of_nodes_and_devices_hold_for_certificates() -> None:
    few = HostSettings(most_nodes=1, session=SessionSettings(most_devices=1), certificates=True)
    host = certified(few)

    assert names(certify(host, "spBv1.0/plant/NBIRTH/robot", birth_bytes())) == ["too-many-nodes"]
    assert names(certify(host, "spBv1.0/plant/DBIRTH/press/gripper", device_birth_bytes(1))) == ["too-many-devices"]
    assert [view.node for view in host.nodes()] == [NODE]


def test_a_node_known_by_certificates_only_is_not_asked_when_the_host_connects_and_is_forgotten_in_time() -> None:
    host = certified()
    host.disconnected(2_000)

    assert host.connected(3_000, will_ms=3_000) == (PublishState(at_ms=3_000),)
    assert host.forget_before(1_000) == ()
    assert host.forget_before(1_000 + FORGET_NODES_EVERY_MS) == (NODE,)


# What is stored


def test_certificates_survive_a_restart_and_are_still_no_birth() -> None:
    host = certified()
    again = restarted(host)
    again.connected(2_000, will_ms=2_000)

    assert again.nodes() == host.nodes()
    assert certify(again, NBIRTH, birth_at(SENT_MS + 1, 77), 2_100) == ()
    assert hear(again, DDATA, data_bytes(8, 21, FORCE_ALIAS), 2_200) == (read_of_device(21, 8), STALE)
    assert hear(again, NDATA, data_bytes(9, 11, 77), 2_300) == (read(11, 9),)


def test_what_is_read_by_a_certificate_is_gone_for_nobody_when_the_host_is_away() -> None:
    host = certified()
    hear(host, NDATA, data_bytes(7, 11))

    assert host.disconnected(2_000) == ()
