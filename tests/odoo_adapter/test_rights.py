"""When the integration user's key ends, as far as Odoo tells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from odoo_adapter.client.api import OdooApi
from odoo_adapter.client.connection import Connection
from odoo_adapter.rights import key_expiry

TODAY = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
SOON, LATER, OVER = TODAY + timedelta(days=5), TODAY + timedelta(days=80), TODAY - timedelta(days=1)


async def told(ends: list[datetime | None]) -> int | None:
    """What is said of a user who has keys with these ends."""

    async def answer(request: web.Request) -> web.Response:
        if request.method == "GET":
            return web.json_response({"version": "19.0"})
        return web.json_response([{"id": 1, "expiration_date": str(end) if end else False} for end in ends])

    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    odoo = OdooApi(Connection(url=f"http://127.0.0.1:{runner.addresses[0][1]}", database="plant", key=lambda: "k"))
    try:
        return await key_expiry(odoo, 6)
    finally:
        await odoo.close()
        await runner.cleanup()


@pytest.mark.parametrize(
    ("ends", "first"),
    [
        ([LATER], LATER),
        ([LATER, SOON], SOON),
        ([None, SOON], SOON),
        ([OVER, LATER], LATER),
        ([None], None),
        ([OVER], None),
        ([], None),
    ],
    ids=["one", "old and new", "one has no end", "one is over", "no end", "all are over", "none"],
)
async def test_the_first_end_counts_since_nobody_is_told_which_key_is_in_use(
    ends: list[datetime | None], first: datetime | None
) -> None:
    expected = None if first is None else int(first.replace(tzinfo=UTC).timestamp() * 1000)
    assert await told(ends) == expected
