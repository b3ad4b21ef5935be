"""Payloads that nobody can read, from the plant's own nodes and from strangers, while the plant runs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sparkplug.wire.datatype import Datatype
from sparkplug.wire.payload import TypedMetric, encode
from tests.integration.plant import running_plant
from tests.servers import StartMosquitto, StartRedis

pytestmark = pytest.mark.slow

ORDERS = 4
AGAIN_S = 5.0
GARBAGE = b"\xff\x07\x00 this is no protobuf"
NODE = "spBv1.0/acme-berlin"
SITE = "uns/v1/acme/berlin"
STRANGER = "acme-berlin/stranger"


def metric_of_a_device(name: str, datatype: Datatype, value: str | int) -> bytes:
    """A DDATA without `seq`, as somebody sends it who knows the topic and little else."""
    return encode(timestamp_ms=1, seq=None, metrics=[TypedMetric(name=name, datatype=datatype, value=value, at_ms=1)])


POISON: tuple[tuple[str, bytes, str, dict[str, str]], ...] = (
    (f"{NODE}/NDATA/machining", GARBAGE, "sparkplug.finding", {"finding": "payload-unreadable"}),
    (f"{NODE}/DDATA/packaging/line-1", GARBAGE, "sparkplug.finding", {"finding": "payload-unreadable"}),
    (f"{NODE}/NBIRTH/stranger", GARBAGE, "sparkplug.finding", {"finding": "payload-unreadable", "node": STRANGER}),
    (f"{NODE}/NSOMETHING/machining", b"", "sparkplug.finding", {"finding": "topic-invalid"}),
    (
        f"{NODE}/DDATA/machining/press-1",
        metric_of_a_device("Nobody/Knows", Datatype.INT64, 1),
        "sparkplug.finding",
        {"finding": "metric-unknown", "node": "acme-berlin/machining"},
    ),
    (
        f"{NODE}/DDATA/machining/press-1",
        metric_of_a_device("State", Datatype.INT64, 7),
        "translate.complaint",
        {"complaint": "wrong-type", "equipment": "acme/berlin/machining/press-1", "signal": "state"},
    ),
    (f"{SITE}/packaging/line-1/finished", b"{not json", "translate.complaint", {"complaint": "unreadable-document"}),
    (f"{SITE}/packaging/line-1/finished", b"[1, 2]", "translate.complaint", {"complaint": "unreadable-document"}),
    (f"{SITE}/packaging/line-1/finished", b'{"id": "x"}', "translate.complaint", {"complaint": "invalid-event"}),
    (f"{SITE}/packaging/line-7/finished", b"{}", "translate.complaint", {"complaint": "unknown-topic"}),
    (f"{SITE}/order/mo-1/ack", b"\x00", "document.unreadable", {}),
)


async def test_each_poison_is_named_in_the_log_and_nothing_else_is_affected(
    tmp_path: Path, start_mosquitto: StartMosquitto, start_redis: StartRedis
) -> None:
    async with running_plant(tmp_path, start_mosquitto(), start_redis(), seed=10) as plant:
        await plant.bridge.start()
        await plant.release_orders(ORDERS)
        await plant.until_happened(ORDERS + 6)
        for topic, payload, event, fields in POISON:
            before = len(plant.bridge.told(event, **fields))
            telling = asyncio.create_task(plant.bridge.until_told(event, times=before + 1, **fields))
            while not telling.done():  # again: what comes while a node is born anew is set aside for that reason
                await plant.send(topic, payload)
                await asyncio.wait([telling], timeout=AGAIN_S)
            await telling
        report = await plant.ended()
        dead = await plant.dead_letters()
    assert (report.lost, report.doubled, report.out_of_order) == (0, 0, 0)
    assert len(dead) == report.dead
