"""The way to Odoo: whom we trust on it, the certificate that we show, and a proxy that wants to know who asks."""

from __future__ import annotations

import asyncio
import logging
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from aiohttp import web

from odoo_adapter.client.api import OdooApi
from odoo_adapter.client.connection import Connection
from odoo_adapter.client.route import Proxy, Tls
from odoo_adapter.errors import OdooError, Unavailable
from tests.certificate import Tls as Certificates
from tests.certificate import make_tls


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_tls(tmp_path_factory.mktemp("tls"))


@asynccontextmanager
async def serving(context: ssl.SSLContext | None = None) -> AsyncIterator[Connection]:
    """A server of 19 that answers every call with the headers that it saw."""

    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"version": "19.0"} if request.method == "GET" else dict(request.headers))

    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    scheme = "http" if context is None else "https"
    yield Connection(
        url=f"{scheme}://127.0.0.1:{runner.addresses[0][1]}", database="plant", key=lambda: "k-1", timeout_s=5.0
    )
    await runner.cleanup()


async def asked(connection: Connection) -> dict[str, str] | OdooError:
    """What the server saw of us, or the failure."""
    odoo = OdooApi(connection)
    try:
        seen: dict[str, str] = await odoo.call("res.users", "write", writes=True, ids=[1])
        return seen
    except OdooError as error:
        return error
    finally:
        await odoo.close()


def serving_context(certificates: Certificates, *, asks: bool = False) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.cert_file, certificates.key_file)
    if asks:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificates.ca_file)
    return context


async def test_only_a_named_authority_is_trusted_or_whoever_answers_where_that_is_said(
    certificates: Certificates,
) -> None:
    async with serving(serving_context(certificates)) as connection:
        stranger = await asked(connection)
        trusted = await asked(replace(connection, tls=Tls(ca_file=certificates.ca_file)))
        unverified = await asked(replace(connection, tls=Tls(verify=False)))
    assert isinstance(stranger, Unavailable)
    assert "odoo.tls.ca_file" in str(stranger)
    assert isinstance(trusted, dict)
    assert isinstance(unverified, dict)


async def test_a_server_that_asks_for_a_certificate_gets_ours(certificates: Certificates) -> None:
    known = Tls(ca_file=certificates.ca_file, cert_file=certificates.cert_file, key_file=certificates.key_file)
    async with serving(serving_context(certificates, asks=True)) as connection:
        with_ours = await asked(replace(connection, tls=known))
        without = await asked(replace(connection, tls=Tls(ca_file=certificates.ca_file)))
    assert isinstance(with_ours, dict)
    assert isinstance(without, OdooError)


@pytest.mark.parametrize("wrong", ["missing", "text", "another key"])
async def test_a_tls_file_that_cannot_be_used_is_named(wrong: str, certificates: Certificates, tmp_path: Path) -> None:
    text = tmp_path / "text.crt"
    text.write_text("no certificate")
    tls = {
        "missing": Tls(ca_file=tmp_path / "missing.crt"),
        "text": Tls(ca_file=text),
        "another key": Tls(cert_file=certificates.cert_file, key_file=certificates.ca_file),
    }[wrong]
    told = await asked(Connection(url="https://127.0.0.1:9", database="plant", key=lambda: "k", tls=tls))
    assert isinstance(told, Unavailable)
    assert str(tls.ca_file or tls.cert_file) in str(told)


async def test_the_logs_of_a_server_show_who_we_are() -> None:
    async with serving() as connection:
        seen = await asked(connection)
    assert isinstance(seen, dict)
    assert seen["User-Agent"].startswith("uns-bridge")


@dataclass(slots=True)
class ProxyServer:
    """An HTTP proxy that leads those on who say the password; `seen` is how it was asked."""

    credentials: str
    port: int = 0
    seen: list[str] = field(default_factory=list)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        verb, target, _ = head.split(" ", 2)
        self.seen.append(verb)
        if f"Proxy-Authorization: Basic {self.credentials}" not in head:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            return
        host, _, port = target.removeprefix("http://").partition("/")[0].partition(":")
        back, out = await asyncio.open_connection(host, int(port))
        if verb == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            out.write(head.encode())
        await asyncio.gather(_lead(reader, out), _lead(back, writer))


async def _lead(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while read := await source.read(65536):
        target.write(read)
    target.close()


@asynccontextmanager
async def proxy() -> AsyncIterator[ProxyServer]:
    proxy = ProxyServer(b64encode(b"bridge:pass-word").decode())
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    async with server:
        proxy.port = server.sockets[0].getsockname()[1]
        yield proxy


@pytest.mark.parametrize("is_tls", [False, True], ids=["http", "https"])
async def test_a_proxy_leads_on_who_says_the_password_and_nothing_shows_it(
    is_tls: bool, certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    context = serving_context(certificates) if is_tls else None
    async with serving(context) as plain, proxy() as server:
        way = Proxy(url=f"http://127.0.0.1:{server.port}", user="bridge", password=lambda: "pass-word\n")
        over = replace(plain, proxy=way, tls=Tls(ca_file=certificates.ca_file))
        passed = await asked(over)
        declined = await asked(replace(over, proxy=replace(way, password=lambda: "secret-2")))
        gone = await asked(replace(over, proxy=replace(way, url="http://127.0.0.1:9")))
    assert isinstance(passed, dict)
    assert server.seen[0] == ("CONNECT" if is_tls else "GET")
    assert isinstance(declined, Unavailable)
    assert declined.retry_after_ms == 60_000
    assert "odoo.proxy" in str(declined)
    assert isinstance(gone, Unavailable)
    for hidden in ("pass-word", "secret-2", server.credentials):
        assert hidden not in f"{declined} {gone} {caplog.text}"


async def test_a_proxys_password_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    way = Proxy(url="http://127.0.0.1:9", user="bridge", password=(tmp_path / "missing").read_text)
    told = await asked(Connection(url="http://127.0.0.1:9", database="plant", key=lambda: "k", proxy=way))
    assert str(told) == "the proxy's password cannot be read: No such file or directory"
