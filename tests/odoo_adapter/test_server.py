"""What `OdooServer` makes of an inbox that misbehaves. How it behaves is tested on recordings and on a real Odoo."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from odoo_adapter.client.api import OdooApi
from odoo_adapter.client.connection import Connection
from odoo_adapter.errors import OdooError, Refused, Uncertain
from odoo_adapter.inbox.action import ACTIONS, LIGHT, WHOLE, inbox_hash
from odoo_adapter.inbox.install import MODEL
from odoo_adapter.odoo import Applied, Declined, Passed
from odoo_adapter.plan import PlanContext
from odoo_adapter.server import INBOX_VERSION, OdooServer
from ruleset.transaction import Transaction
from tests.odoo_adapter.situations import Bench, complete, disposition, progress

Body = dict[str, Any]
Run = Callable[[Body], tuple[int, object]]
UNITS = PlanContext(units={"pcs": "Units", "kg": "kg", "g": "g"})
NUMBERS = {WHOLE: 484, LIGHT: 485}
MARKER = [{"x_name": one.marker, "x_res_id": NUMBERS[one], "x_hash": inbox_hash()} for one in ACTIONS]


@asynccontextmanager
async def inbox(run: Run, marker: tuple[int, object] = (200, MARKER)) -> AsyncIterator[Bench]:
    async def answer(request: web.Request) -> web.Response:
        body = await request.json()
        status, result = marker if request.path.endswith("search_read") else run(body["context"]["uns"])
        return web.json_response(result, status=status)

    async def version(request: web.Request) -> web.Response:
        return web.json_response({"version": "19.0"})

    application = web.Application()
    application.router.add_get("/web/version", version)
    application.router.add_post("/{tail:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    odoo = OdooServer(OdooApi(Connection(url=f"http://{host}:{port}", database="d", key=lambda: "k")), UNITS)

    async def order(quantity: float) -> str:
        return "mo-1"

    try:
        yield Bench(odoo=odoo, order=order, fresh="server")
    finally:
        await odoo.close()
        await runner.cleanup()


def done(request: Body) -> tuple[int, object]:
    results = [{"key": tx["key"], "status": "done", "result": {"model": "m", "id": 1}} for tx in request["tx"]]
    return 200, {"inbox": INBOX_VERSION, "results": results}


async def test_one_transaction_that_breaks_the_whole_call_is_found_and_declined() -> None:
    sizes: list[int] = []

    def run(request: Body) -> tuple[int, object]:
        sizes.append(len(request["tx"]))
        if any(tx["kind"] == "progress" for tx in request["tx"]):
            return 500, {"name": "builtins.ValueError", "message": "KeyError('x')"}
        return done(request)

    async with inbox(run) as bench:
        batch: list[Transaction] = [
            disposition(bench, "mo-1"),
            progress(bench, "mo-2", 1),
            disposition(bench, "mo-2"),
            disposition(bench, "mo-3"),
        ]
        first, broken, passed, last = await bench.post(batch)
    assert (isinstance(first, Applied), isinstance(last, Applied)) == (True, True)
    assert broken == Declined(key=batch[1].key, code="ValueError", reason="KeyError('x')")
    assert passed == Passed(key=batch[2].key)
    assert sizes == [4, 1, 1, 1]


async def test_a_lane_refused_in_one_call_waits_in_the_next_call_of_the_batch() -> None:
    def run(request: Body) -> tuple[int, object]:
        answer = done(request)
        for one in answer[1]["results"]:  # type: ignore[index]
            if one["key"].endswith("complete/mo-1/1/server"):
                one.update(status="refused", code="no_stock", message="R-1")
        return answer

    async with inbox(run) as bench:
        batch = [complete(bench, f"mo-{number % 12 + 1}", name=f"/{number + 1}") for number in range(13)]
        outcomes = await bench.post(batch)
    assert outcomes[0] == Declined(key=batch[0].key, code="no_stock", reason="R-1")
    assert outcomes[12] == Passed(key=batch[12].key)
    assert all(isinstance(one, Applied) for one in outcomes[1:12])


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"inbox": INBOX_VERSION, "results": []}, Uncertain),
        ({"inbox": INBOX_VERSION}, Uncertain),
        ({"inbox": 3, "results": []}, Refused),
        (False, Refused),
    ],
    ids=str,
)
async def test_an_answer_that_does_not_fit_is_never_taken_for_success(answer: object, error: type[OdooError]) -> None:
    async with inbox(lambda request: (200, answer)) as bench:
        with pytest.raises(error):
            await bench.post([progress(bench, "mo-1", 1)])


@pytest.mark.parametrize(
    ("marker", "code"),
    [
        ((200, []), "not_installed"),
        ((404, {"name": "werkzeug.exceptions.NotFound", "message": "the model does not exist"}), "no_inbox"),
        ((500, {"name": "odoo.exceptions.UserError", "message": f"Object {MODEL} doesn't exist"}), "no_inbox"),
        ((500, {"name": "builtins.ValueError", "message": "Invalid field 'x_hash'"}), "not_installed"),
        ((403, {"name": "odoo.exceptions.AccessError", "message": "No."}), "not_installed"),
        ((200, [{**row, "x_hash": "0" * 64} for row in MARKER]), "inbox_version"),
    ],
    ids=str,
)
async def test_an_inbox_that_is_not_ready_is_refused_with_what_to_run(marker: tuple[int, object], code: str) -> None:
    async with inbox(done, marker) as bench:
        with pytest.raises(Refused, match="uns-bridge odoo install PLANT") as caught:
            await bench.post([progress(bench, "mo-1", 1)])
    assert caught.value.code == code
