"""What real Odoos answered, met again by today's adapter: the same requests, the same outcomes."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from decimal import Decimal

import pytest

from odoo_adapter.client.api import OdooApi
from odoo_adapter.errors import Refused, Unavailable
from odoo_adapter.odoo import OdooInfo
from odoo_adapter.plan import PlanContext
from odoo_adapter.server import OdooServer
from tests.odoo_adapter.replay import Exchange, recording, replayed
from tests.odoo_adapter.situations import SUITE, Bench, jobs, progress

UNITS = PlanContext(units={"pcs": "Units", "kg": "kg", "g": "g", "l": "L"}, over=Decimal("0.05"))


def bench(odoo: OdooServer, exchanges: Sequence[Exchange]) -> Bench:
    """The orders and the fresh word of the recorded run."""
    text = str([one["body"] for one in exchanges])
    orders: Iterator[str] = iter(dict.fromkeys(re.findall(r"mo-[0-9]+", text)) or ["mo-1"])
    fresh = re.search(r"/([0-9a-f]{10})'", text)
    word = str(fresh.group(1)) if fresh else "nothing"

    async def order(quantity: float) -> str:
        return next(orders)

    return Bench(odoo=odoo, order=order, fresh=word)


every_version = pytest.mark.parametrize("version", ["17", "18", "19"])


@every_version
@pytest.mark.parametrize("case", SUITE, ids=lambda case: case.__name__)
async def test_the_suite_passes_on_what_was_recorded(case: Callable[[Bench], Awaitable[None]], version: str) -> None:
    exchanges = recording(case.__name__, version)
    async with replayed(exchanges, version) as connection:
        odoo = OdooServer(OdooApi(connection), UNITS)
        await case(bench(odoo, exchanges))
        await odoo.close()


@every_version
async def test_the_check_finds_all_rights(version: str) -> None:
    async with replayed(recording("check", version)) as connection:
        odoo = OdooServer(OdooApi(connection), UNITS)
        info = await odoo.check()
        await odoo.close()
    assert info == OdooInfo(
        version=f"{version}.0",
        mode="inbox",
        simulator=False,
        database="recorded",
        company=1,
        user="uns-bridge",
        key_expires_ms=info.key_expires_ms,
    )
    assert (info.key_expires_ms is None) == (version == "17")


async def test_a_missing_right_is_told_in_a_sentence() -> None:
    exchanges = [dict(one) for one in recording("check")]
    for one in exchanges:
        if one["path"] == "/json/2/stock.scrap/has_access":
            one["answer"] = False
        if one["path"] == "/json/2/res.users/read":
            one["answer"] = [{"id": 5, "email": False}]
    unasked = ("apikeys/search_read", "maintenance.equipment/search")
    kept = [one for one in exchanges if not one["path"].endswith(unasked)]
    async with replayed(kept) as connection:
        odoo = OdooServer(OdooApi(connection), UNITS)
        with pytest.raises(Refused) as caught:
            await odoo.check()
        await odoo.close()
    assert caught.value.reason == (
        "the user uns-bridge may not create stock.scrap; "
        "the user uns-bridge has no e-mail address, which maintenance requests need"
    )


@every_version
async def test_an_open_order_is_read_as_a_document(version: str) -> None:
    async with replayed(recording("an_open_order", version), version) as connection:
        odoo = OdooServer(OdooApi(connection), UNITS)
        read = await odoo.read_orders("")
        await odoo.close()
    (order,) = read.orders
    operations = order.document["operations"]
    assert isinstance(operations, list)
    assert isinstance(operations[0], dict)
    assert order.document["quantity"] == "10"
    assert operations[0]["work_center"] == "PRESS-1"
    assert read.cursor.startswith("2026-")


@every_version
async def test_a_wrong_key_and_a_wrong_database_make_no_dead_letters(version: str) -> None:
    for name, sentence, pause_ms in (
        ("wrong_key", "API key", 60_000),
        ("wrong_database", "database is not usable", None),
    ):
        async with replayed(recording(name, version), version) as connection:
            odoo = OdooServer(OdooApi(connection), UNITS)
            with pytest.raises(Unavailable, match=sentence) as caught:
                await odoo.post(jobs(progress(bench(odoo, []), "mo-1", 1)))
            await odoo.close()
        assert caught.value.retry_after_ms == pause_ms


@every_version
async def test_a_user_outside_the_group_is_told_what_to_run(version: str) -> None:
    async with replayed(recording("outside_the_group", version)) as connection:
        odoo = OdooServer(OdooApi(connection), UNITS)
        with pytest.raises(Refused, match="odoo install"):
            await odoo.check()
        await odoo.close()
