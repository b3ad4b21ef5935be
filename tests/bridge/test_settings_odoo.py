"""`odoo` in bridge.yaml: the way to it, its pace, who makes the calls, and what of that does not go together."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.settings import read_settings
from bridge.settings.odoo import OdooProxySettings, OdooSettings, OdooTlsSettings, OdooTransport
from ruleset.problem import Problems

HTTPS = "url: 'https://odoo.plant'"


def read(folder: Path, more: str) -> tuple[OdooSettings | None, list[str]]:
    """The section with these keys more, and what is wrong in it."""
    problems = Problems()
    text = f"odoo: {{database: prod, user: bridge, key: {{env: UNS_TEST_KEY}}, {more}}}\n"
    settings = read_settings("bridge.yaml", text, folder, problems)
    return settings.odoo if settings else None, [problem.text for problem in problems.all]


def test_what_is_not_said_is_the_usual_way(tmp_path: Path) -> None:
    odoo, problems = read(tmp_path, "timeout: 20s")
    assert (odoo is not None, problems) == (True, [])
    assert odoo is not None
    assert (odoo.company, odoo.tls, odoo.proxy, odoo.transport) == (None, OdooTlsSettings(), None, OdooTransport.HTTP)
    assert (odoo.connect_timeout_ms, odoo.read_timeout_ms, odoo.timeout_ms) == (5_000, 20_000, 20_000)
    assert (odoo.most_calls_per_second, odoo.most_calls_at_once, odoo.is_unverified) == (None, 4, False)


def test_all_of_it_can_be_said(tmp_path: Path) -> None:
    for name in ("ca.crt", "bridge.crt", "bridge.key"):
        (tmp_path / name).touch()
    more = "tls: {ca_file: ca.crt, cert_file: bridge.crt, key_file: bridge.key}, company: 'ACME Berlin', "
    more += "most_calls_per_second: 20, most_calls_at_once: 1, connect_timeout: 2s, read_timeout: 9s, "
    more += "proxy: {url: 'http://proxy:3128', user: bridge, secret: {env: UNS_PROXY}}"
    odoo, problems = read(tmp_path, f"{HTTPS}, {more}")
    assert (odoo is not None, problems) == (True, [])
    assert odoo is not None
    assert odoo.tls == OdooTlsSettings(
        ca_file=tmp_path / "ca.crt", cert_file=tmp_path / "bridge.crt", key_file=tmp_path / "bridge.key"
    )
    assert isinstance(odoo.proxy, OdooProxySettings)
    assert (odoo.proxy.url, odoo.proxy.user, str(odoo.proxy.secret)) == ("http://proxy:3128", "bridge", "***")
    assert (odoo.company, odoo.most_calls_per_second, odoo.most_calls_at_once) == ("ACME Berlin", 20, 1)
    assert (odoo.connect_timeout_ms, odoo.read_timeout_ms) == (2_000, 9_000)


def test_verification_ends_only_where_that_is_said(tmp_path: Path) -> None:
    odoo, problems = read(tmp_path, f"{HTTPS}, tls: {{verify: false}}")
    assert (odoo is not None and odoo.is_unverified, problems) == (True, [])


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("tls: {verify: false}", "TLS is set but the url does not begin with https://; mend one of the two"),
        (f"{HTTPS}, tls: {{ca_file: no.crt}}", "there is no file {folder}/no.crt"),
        (f"{HTTPS}, tls: {{cert_file: a.crt}}", "cert_file and key_file are needed together"),
        (
            f"{HTTPS}, tls: {{verify: false, ca_file: a.crt}}",
            "a ca_file is given but verify is false; remove one of the two",
        ),
        ("proxy: {url: 'http://proxy:3128', user: u}", "user and secret of the proxy are needed together"),
        (
            "proxy: {url: 'http://u:p@proxy:3128'}",
            "a URL must not hold a password; name it under its own key as {{file: PATH}} or {{env: NAME}}",
        ),
        ("company: ''", "company must not be empty"),
        ("company: 0", "0 is too small: at least 1"),
        ("most_calls_per_second: 0", "0 is too small: at least 1"),
        ("transport: xmlrpc", '"xmlrpc" is no transport; write http or client-lib'),
        (
            "transport: client-lib, inbox: preferred",
            "after odoo-client-lib lost an answer only the inbox tells what was posted: use inbox: required",
        ),
        ("transport: client-lib, timeout: 90s", "odoo-client-lib gives up after 60 s: make timeout no longer"),
        (
            "transport: client-lib, proxy: {url: 'http://proxy:3128'}",
            "odoo-client-lib takes no proxy; remove it, or write transport: http",
        ),
    ],
)
def test_what_does_not_go_together_is_told(more: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.crt").touch()
    _, problems = read(tmp_path, more)
    assert problems == [said.format(folder=tmp_path)]
