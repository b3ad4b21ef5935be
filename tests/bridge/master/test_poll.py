"""The poller of master data: what is new goes to the namespace, what is gone leaves it, and a failure loses nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import msgspec
from structlog.testing import capture_logs

from bridge.core.input import MasterArrived
from bridge.loop import Entering
from bridge.master.book import KindRecord
from bridge.master.poll import MasterPoller
from bridge.master.reading import Reading
from odoo_adapter.errors import KeyRefused, Unavailable
from odoo_adapter.survey.document import Kind
from ruleset.sample import Plain
from tests.bridge.master.reader import SITE, Namespace, read_once
from tests.bridge.simulator.listener import running
from tests.bridge.site import ManualClock

TOPIC = "uns/v1/acme/berlin/master/product"


@dataclass(slots=True)
class Products:
    """A source with products alone. `failures` are raised first."""

    codes: dict[int, str]
    failures: list[Unavailable] = field(default_factory=list)

    async def read(self) -> Reading:
        if self.failures:
            raise self.failures.pop()
        documents: dict[int, dict[str, Plain]] = {id: {"code": code} for id, code in self.codes.items()}
        return Reading(documents={Kind.PRODUCT: documents}, differences=("no kg",))


async def test_a_first_reading_is_published_as_a_whole_and_the_next_ones_only_what_changed() -> None:
    source, namespace, entered = Products({1: "A", 2: "B", 3: "C"}), Namespace(), asyncio.Queue[Entering](1)
    known: dict[str, KindRecord] = {}
    poller = MasterPoller(
        source, entered.put, ManualClock(), site=SITE, known=lambda: known, publish=namespace.publish, every_ms=1
    )
    async with running(poller.run()):
        first = (await entered.get()).input
        assert namespace.log == [f"{TOPIC}/1", f"{TOPIC}/2", f"{TOPIC}/3"]
        assert isinstance(first, MasterArrived)
        known["product"] = KindRecord(hashes=dict(first.read.hashes["product"]))
        source.codes = {1: "A", 2: "B2"}
        while (await entered.get()).input == first:
            pass
    assert {topic: msgspec.json.decode(payload) for topic, payload in namespace.retained.items()} == {
        f"{TOPIC}/1": {"kind": "product", "id": 1, "code": "A"},
        f"{TOPIC}/2": {"kind": "product", "id": 2, "code": "B2"},
    }
    assert f"{TOPIC}/1" not in namespace.log[3:]


async def test_what_went_while_the_bridge_was_away_is_taken_from_the_namespace() -> None:
    namespace = Namespace(retained={f"{TOPIC}/7": b"{}"})
    known = {"product": KindRecord(hashes={"7": "h"})}

    read = await read_once(Products({1: "A"}), namespace, known)

    assert list(namespace.retained) == [f"{TOPIC}/1"]
    assert (list(read.hashes["product"]), read.differences) == (["1"], ("no kg",))


async def test_a_reading_is_remembered_once_it_is_published_and_an_odoo_that_is_away_is_asked_again() -> None:
    namespace, source = Namespace(lost=3), Products({1: "A", 2: "B"}, [Unavailable("away")])
    with capture_logs() as logs:
        await read_once(source, namespace)
    assert list(namespace.retained) == [f"{TOPIC}/1", f"{TOPIC}/2"]
    assert [(line["event"], line["reason"]) for line in logs] == [("master.unreadable", "away")]


async def test_after_a_refused_key_it_is_read_as_soon_as_there_is_another_one() -> None:
    refused = KeyRefused("invalid key", 3_600_000)
    refused.is_replaced = lambda: True
    entered = asyncio.Queue[Entering](1)
    source = Products({1: "A"}, [refused])
    poller = MasterPoller(
        source, entered.put, ManualClock(), site=SITE, known=dict, publish=None, every_ms=3_600_000, link_pause_s=0
    )
    async with running(poller.run()):
        async with asyncio.timeout(5):
            read = (await entered.get()).input
    assert isinstance(read, MasterArrived)


async def test_without_a_namespace_it_is_only_read() -> None:
    assert list((await read_once(Products({1: "A"}), None)).hashes["product"]) == ["1"]
