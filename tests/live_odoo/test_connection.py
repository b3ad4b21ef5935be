"""What the line and the server do to a call: a lost client, a short patience, a wrong key, a wrong database."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from odoo_adapter.client.api import OdooApi
from odoo_adapter.client.connection import Recorder
from odoo_adapter.errors import Refused, Unavailable, Uncertain
from odoo_adapter.odoo import Applied
from odoo_adapter.plan import Posting, plan
from odoo_adapter.server import OdooServer
from odoo_adapter.versions import KNOWN
from ruleset.transaction import Transaction
from tests.live_odoo.conftest import CONTEXT, connection
from tests.odoo_adapter.situations import Bench, complete, jobs, progress


async def test_the_check_tells_what_server_it_is(bench: Bench) -> None:
    info = await bench.odoo.check()
    assert info.version in KNOWN
    assert (info.mode, info.simulator, info.user) == ("inbox", False, os.environ["UNS_BRIDGE_ODOO_USER"])


async def test_a_client_killed_in_the_middle_of_its_call_resends_and_one_effect_stands(
    bench: Bench, admin: OdooApi
) -> None:
    order = await bench.order(10)
    transaction = complete(bench, order)
    posting = plan(transaction, CONTEXT)
    assert isinstance(posting, Posting)
    await send_and_vanish(posting, admin)
    (outcome,) = await bench.post([transaction])
    assert isinstance(outcome, Applied)
    notes = await admin.call(
        "mail.message",
        "search_count",
        writes=False,
        domain=[["res_id", "=", int(order[3:])], ["body", "ilike", transaction.key]],
    )
    assert notes == 1


async def test_a_call_without_answer_in_time_is_uncertain_and_is_repeated_safely(bench: Bench) -> None:
    transaction = complete(bench, await bench.order(10))
    async with line_that_goes_silent() as (url, silence):
        hasty = OdooServer(OdooApi(replace(connection("UNS_BRIDGE_ODOO_KEY"), url=url, timeout_s=5.0)), CONTEXT)
        assert await hasty.look_up(jobs(transaction)) == {}
        silence.set()
        with pytest.raises(Uncertain):
            await hasty.post(jobs(transaction))
        await hasty.close()
    (outcome,) = await bench.post([transaction])
    assert isinstance(outcome, Applied)


async def test_odoo_client_lib_posts_once_where_it_can_and_is_refused_where_it_cannot(
    bench: Bench, integration: OdooApi
) -> None:
    foreign = OdooServer(OdooApi(replace(connection("UNS_BRIDGE_ODOO_KEY"), client_lib=True)), CONTEXT)
    if not (await integration.capabilities()).json2:
        with pytest.raises(Refused, match="gives up a call of this version after 5 s"):
            await foreign.check()
    else:
        order = await bench.order(10)
        batch: list[Transaction] = [progress(bench, order, 4), complete(bench, order)]
        assert (await foreign.check()).mode == "inbox"
        posted = [*await foreign.post(jobs(*batch)), *await bench.post(batch)]
        assert [one.receipt.repeated for one in posted if isinstance(one, Applied)] == [False, False, True, True]
    await foreign.close()


async def test_a_key_that_was_renewed_in_its_file_is_taken_at_the_next_call(tmp_path: Path, bench: Bench) -> None:
    file = tmp_path / "key"
    file.write_text("a key that is over")
    odoo = OdooApi(replace(connection("UNS_BRIDGE_ODOO_KEY"), key=file.read_text))
    with pytest.raises(Unavailable, match="API key"):
        await odoo.call("res.users", "context_get", writes=False)
    file.write_text(os.environ["UNS_BRIDGE_ODOO_KEY"] + "\n")
    assert (await odoo.call("res.users", "context_get", writes=False))["uid"]
    await odoo.close()


async def test_a_company_by_its_name_is_the_one_with_its_id(bench: Bench, integration: OdooApi) -> None:
    (row,) = await integration.call("res.company", "read", writes=False, ids=[1], fields=["name"])
    named = OdooApi(replace(connection("UNS_BRIDGE_ODOO_KEY"), company=99, company_name=row["name"]))
    assert await named.call("mrp.production", "search", writes=False, domain=[], limit=1)
    assert named.connection.company == 1
    await named.close()


async def test_a_wrong_key_makes_no_dead_letters(bench: Bench, recorder: Recorder) -> None:
    stranger = OdooServer(OdooApi(replace(connection("UNS_BRIDGE_ODOO_KEY"), key=lambda: "wrong"), recorder), CONTEXT)
    with pytest.raises(Unavailable, match="API key") as caught:
        await stranger.post(jobs(progress(bench, "mo-1", 1)))
    await stranger.close()
    assert caught.value.retry_after_ms == 60_000


async def test_a_wrong_database_makes_no_dead_letters(bench: Bench, recorder: Recorder) -> None:
    lost = OdooServer(OdooApi(replace(connection("UNS_BRIDGE_ODOO_KEY"), database="nowhere"), recorder), CONTEXT)
    with pytest.raises(Unavailable, match="database is not usable"):
        await lost.post(jobs(progress(bench, "mo-1", 1)))
    await lost.close()


async def test_a_port_where_nobody_listens_is_unavailable(bench: Bench) -> None:
    nobody = OdooServer(OdooApi(replace(connection("UNS_BRIDGE_ODOO_KEY"), url="http://127.0.0.1:9")), CONTEXT)
    with pytest.raises(Unavailable, match="cannot be reached"):
        await nobody.post(jobs(progress(bench, "mo-1", 1)))
    await nobody.close()


async def test_a_user_without_the_inbox_is_told_who_mends_it(bench: Bench, recorder: Recorder) -> None:
    """An administrator is not in the inbox's group, and may read its list only as a manufacturing manager."""
    stranger = OdooServer(OdooApi(connection("UNS_BRIDGE_ODOO_ADMIN_KEY"), recorder), CONTEXT)
    with pytest.raises(Refused, match="odoo install"):
        await stranger.check()
    await stranger.close()


@asynccontextmanager
async def line_that_goes_silent() -> AsyncIterator[tuple[str, asyncio.Event]]:
    """A way to the server on which requests still arrive, but no answers any more once the event is set."""
    where = urlsplit(os.environ["UNS_BRIDGE_ODOO_URL"])
    silence = asyncio.Event()

    async def forward(source: asyncio.StreamReader, target: asyncio.StreamWriter, *, answers: bool) -> None:
        while read := await source.read(65536):
            if not (answers and silence.is_set()):
                target.write(read)
                await target.drain()
        target.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, out = await asyncio.open_connection(where.hostname, where.port or 80)
        await asyncio.gather(
            forward(reader, out, answers=False), forward(back, writer, answers=True), return_exceptions=True
        )

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", silence


async def action_id(admin: OdooApi) -> int:
    rows = await admin.call(
        "x_uns_transaction", "search_read", writes=False, domain=[["x_name", "=", "@inbox"]], fields=["x_res_id"]
    )
    return int(rows[0]["x_res_id"])


async def send_and_vanish(posting: Posting, admin: OdooApi) -> None:
    """Write the whole request, then cut the connection before any answer."""
    where = urlsplit(os.environ["UNS_BRIDGE_ODOO_URL"])
    database, user, key = (os.environ[f"UNS_BRIDGE_ODOO_{name}"] for name in ("DB", "USER", "KEY"))
    action = await action_id(admin)
    context = {
        "lang": "en_US",
        "tz": "UTC",
        "allowed_company_ids": [1],
        "active_model": "x_uns_transaction",
        "uns": {"mode": "each", "tx": [posting.request()]},
    }
    path, asked = "/json/2/ir.actions.server/run", {"ids": [action], "context": context}
    if not (await admin.capabilities()).json2:
        (uid,) = await admin.call("res.users", "search", writes=False, domain=[["login", "=", user]])
        call = [database, uid, key, "ir.actions.server", "run", [[action]], {"context": context}]
        asked = {"method": "call", "params": {"service": "object", "method": "execute_kw", "args": call}}
        path = "/jsonrpc"
    body = json.dumps(asked).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Type: application/json\r\n"
        f"Authorization: bearer {key}\r\nX-Odoo-Database: {database}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    _, writer = await asyncio.open_connection(where.hostname, where.port or 80)
    writer.write(head.encode() + body)
    await writer.drain()
    writer.transport.abort()
