"""A bridge that runs for months keeps no more than it was told to."""

from dataclasses import replace

from bridge.core.input import OrdersArrived, SparkplugMessage, Started, Tick
from bridge.core.site import Core, take_changes
from bridge.pipeline import step
from bridge.plant import load_plant
from bridge.wiring import new_core
from odoo_adapter.odoo import OrderRead, OrdersRead
from sparkplug.fact import NodeId
from state.record import RecordId, Table
from tests.bridge import rig
from tests.sparkplug.situation import birth_bytes, death_bytes

NOW_MS = 1_700_000_000_000


def core_that_skipped_an_entry() -> Core:
    core = new_core(load_plant(rig.PLANT))
    step(core, Started(), NOW_MS)
    core.outbox.offer(key="k", lane="l", action="production.scrap", destination="odoo", body=b"1", now_ms=NOW_MS)
    core.outbox.act("skip", ["k"], by="ada", reason="a test", now_ms=NOW_MS)
    return core


def test_old_facts_are_forgotten_without_a_restart() -> None:
    core = core_that_skipped_an_entry()
    step(core, Tick(), NOW_MS + core.keys_kept_ms)
    before = tuple(core.outbox.done_keys())
    step(core, Tick(), NOW_MS + core.keys_kept_ms + 2 * 3_600_000)
    assert (before, tuple(core.outbox.done_keys())) == (("k",), ())


def test_an_order_that_ended_long_ago_is_forgotten_and_an_open_one_never() -> None:
    core = new_core(load_plant(rig.PLANT))
    orders = tuple(
        OrderRead(order=order, name=order, state="confirmed", document={"quantity": "1"}) for order in ("mo-1", "mo-2")
    )
    ended = replace(orders[0], state="done")
    for read in (orders, (ended,)):
        step(core, OrdersArrived(OrdersRead(orders=read, cursor="1")), NOW_MS)
    take_changes(core)

    step(core, Tick(), NOW_MS + core.keys_kept_ms)
    assert set(core.book.records) == {"mo-1", "mo-2"}
    step(core, Tick(), NOW_MS + core.keys_kept_ms + 2 * 3_600_000)
    assert (set(core.book.records), take_changes(core)[RecordId(Table.ORDER, "mo-1")]) == ({"mo-2"}, None)


def test_the_record_of_a_node_that_died_long_ago_and_that_no_asset_names_goes() -> None:
    core = new_core(load_plant(rig.PLANT))
    (bound, *_), stray = sorted(core.floor.translator.nodes), NodeId("somebody", "else")
    for node in (bound, stray):
        for verb, payload in (("NBIRTH", birth_bytes()), ("NDEATH", death_bytes())):
            message = SparkplugMessage(topic=f"spBv1.0/{node.group}/{verb}/{node.node}", payload=payload, retain=False)
            step(core, message, NOW_MS)
    take_changes(core)

    step(core, Tick(), NOW_MS + core.keys_kept_ms + 2 * 3_600_000)

    gone = {record: change for record, change in take_changes(core).items() if record.table is Table.NODE}
    assert gone == {RecordId(Table.NODE, str(stray)): None}
    assert set(core.live.nodes) == {bound}
