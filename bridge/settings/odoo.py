"""The `odoo` of `bridge.yaml`: where Odoo is, who we are there, and how postings reach it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from bridge.settings.secret import Secret
from bridge.settings.section import Section, section_of
from bridge.settings.wake import WakeSettings, read_wake
from ruleset.document import Node

CLIENT_LIB_LIMIT_MS: Final = 60_000
"""odoo-client-lib waits no longer, whatever is set."""


class InboxUse(StrEnum):
    """Whether postings go through the inbox in Odoo."""

    REQUIRED = "required"
    PREFERRED = "preferred"
    """Where it is; without it the bridge looks at what stands before each step."""
    NEVER = "never"


class OdooTransport(StrEnum):
    """Who makes the calls."""

    HTTP = "http"
    """The bridge itself."""
    CLIENT_LIB = "client-lib"
    """Odoo's own library, where it can do so without harm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OdooTlsSettings:
    """Whom the bridge trusts at an `https` address, and the certificate that it shows itself."""

    verify: bool = True
    """False trusts whoever answers; it is told wherever the bridge tells of Odoo."""
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OdooProxySettings:
    """An HTTP proxy between the bridge and Odoo."""

    url: str
    user: str | None = None
    secret: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OdooSettings:
    """One Odoo database seen as the integration user."""

    database: str
    user: str
    key: Secret
    url: str = "http://127.0.0.1:8069"
    company: int | str | None = None
    """By its id or its name; None: the one of `assets.yaml`."""
    tls: OdooTlsSettings = OdooTlsSettings()
    proxy: OdooProxySettings | None = None
    transport: OdooTransport = OdooTransport.HTTP
    connect_timeout_ms: int = 5_000
    read_timeout_ms: int = 30_000
    """How long a call may be silent: `timeout_ms`, unless less is said."""
    timeout_ms: int = 30_000
    """How long a call may take in all."""
    most_calls_per_second: int | None = None
    """Of whatever the bridge asks; None: as often as Odoo answers."""
    most_calls_at_once: int = 4
    batch: int = 50
    """Transactions per call."""
    calls_per_second: int = 10
    """Batches that are posted per second at most."""
    poll_every_ms: int = 5_000
    reconcile_every_ms: int = 900_000
    """How often all open orders are read, changed or not."""
    wake: WakeSettings | None = None
    """Where Odoo may say that an order changed."""
    order_notes: bool = True
    """Whether planners read on an order that it was released, accepted, refused or not answered."""
    inbox: InboxUse = InboxUse.REQUIRED
    server_limit_ms: int = 120_000
    """How long a call may go on at the server after we have gone: Odoo's `limit_time_real`."""
    hold_location: str = "Quality Hold"
    """Where goods on hold go, as Odoo names it; where there is an inbox, it knows its own."""
    accept_unknown_version: bool = False
    """Post also to an Odoo of a version with which the bridge was never tried, as to the nearest older one."""
    inspector: str = ""
    """The login of who has inspections in their list; "": the bridge's own user."""

    @property
    def is_unverified(self) -> bool:
        """Whether anybody on the way could pose as this Odoo although TLS is used."""
        return not self.tls.verify

    @property
    def may_look_first(self) -> bool:
        """Whether there may be no inbox that remembers what was posted."""
        return self.inbox is not InboxUse.REQUIRED

    @property
    def look_after_ms(self) -> int:
        """How long after a claim its attempt may still be carried out, where nothing remembers that: two calls that
        get no answer in time, and then what the server goes on with."""
        return 2 * self.timeout_ms + self.server_limit_ms if self.may_look_first else 0


def read_odoo(node: Node, folder: Path) -> OdooSettings | None:
    """Read the section; None where something that has no default is wrong."""
    section = section_of(node, OdooSettings, folder, required={"database", "user", "key"})
    key, company = section.secret("key"), _company(section.get("company"))
    database, user = section.optional_text("database"), section.optional_text("user")
    url = section.url("url", "http://127.0.0.1:8069", ("http", "https"))
    tls = _tls(section.get("tls"), folder, is_https=url.startswith("https:"))
    proxy = _proxy(section.get("proxy"), folder)
    timeout_ms = section.duration("timeout", 30_000, at_most_ms=600_000)
    connect_timeout_ms = section.duration("connect_timeout", 5_000, at_most_ms=600_000)
    read_timeout_ms = section.duration("read_timeout", timeout_ms, at_most_ms=600_000)
    per_second = section.get("most_calls_per_second")
    most_calls_per_second = section.integer("most_calls_per_second", 0, at_least=1, at_most=1000) if per_second else 0
    most_calls_at_once = section.integer("most_calls_at_once", 4, at_least=1, at_most=100)
    batch = section.integer("batch", 50, at_least=1, at_most=500)
    calls_per_second = section.integer("calls_per_second", 10, at_least=1, at_most=1000)
    poll_every_ms = section.duration("poll_every", 5_000, at_least_ms=100)
    inbox = _inbox(section.get("inbox"))
    transport = _transport(section, inbox, timeout_ms)
    server_limit_ms = section.duration("server_limit", 120_000, at_least_ms=1_000, at_most_ms=3_600_000)
    hold_location = section.text("hold_location", "Quality Hold")
    if key is None or database is None or user is None:
        return None
    return OdooSettings(
        url=url.rstrip("/"),
        database=database,
        user=user,
        key=key,
        company=company,
        tls=tls,
        proxy=proxy,
        transport=transport,
        connect_timeout_ms=connect_timeout_ms,
        read_timeout_ms=read_timeout_ms,
        timeout_ms=timeout_ms,
        most_calls_per_second=most_calls_per_second or None,
        most_calls_at_once=most_calls_at_once,
        batch=batch,
        calls_per_second=calls_per_second,
        poll_every_ms=poll_every_ms,
        reconcile_every_ms=section.duration("reconcile_every", 900_000, at_least_ms=1_000, at_most_ms=86_400_000),
        wake=read_wake(section.get("wake"), folder),
        order_notes=section.boolean("order_notes", True),
        inbox=inbox,
        server_limit_ms=server_limit_ms,
        hold_location=hold_location,
        accept_unknown_version=section.boolean("accept_unknown_version", False),
        inspector=section.text("inspector", ""),
    )


def _inbox(node: Node | None) -> InboxUse:
    word = node.text() if node is not None else None
    if node is None or word is None:
        return InboxUse.REQUIRED
    try:
        return InboxUse(word)
    except ValueError:
        node.problem(f'"{word}" is no way to use the inbox; write {", ".join(InboxUse)}')
        return InboxUse.REQUIRED


def _company(node: Node | None) -> int | str | None:
    """A number is an id, a text a name."""
    if node is None:
        return None
    if not node.is_text:
        return node.integer(at_least=1)
    word = node.text()
    if word is not None and not word.strip():
        node.problem("company must not be empty")
    return word


def _tls(node: Node | None, folder: Path, *, is_https: bool) -> OdooTlsSettings:
    if node is None:
        return OdooTlsSettings()
    section = section_of(node, OdooTlsSettings, folder)
    if not is_https:
        node.problem("TLS is set but the url does not begin with https://; mend one of the two")
    ca_file, cert_file, key_file = (_file(section, name) for name in ("ca_file", "cert_file", "key_file"))
    verify = section.boolean("verify", True)
    if not verify and (given := section.get("ca_file")) is not None:
        given.problem("a ca_file is given but verify is false; remove one of the two")
    if (cert_file is None) != (key_file is None) and (given := section.get("cert_file") or section.get("key_file")):
        given.problem("cert_file and key_file are needed together")
    return OdooTlsSettings(verify=verify, ca_file=ca_file, cert_file=cert_file, key_file=key_file)


def _file(section: Section, key: str) -> Path | None:
    path, node = section.path(key), section.get(key)
    if path is not None and node is not None and not path.is_file():
        node.problem(f"there is no file {path}")
    return path


def _proxy(node: Node | None, folder: Path) -> OdooProxySettings | None:
    if node is None:
        return None
    section = section_of(node, OdooProxySettings, folder, required={"url"})
    url, user, secret = section.url("url", "", ("http",)), section.optional_text("user"), section.secret("secret")
    if (user is None) != (secret is None) and (given := section.get("user") or section.get("secret")):
        given.problem("user and secret of the proxy are needed together")
    return OdooProxySettings(url=url, user=user, secret=secret)


def _transport(section: Section, inbox: InboxUse, timeout_ms: int) -> OdooTransport:
    """What odoo-client-lib cannot do is a problem here, so that nothing is begun that it would do by halves."""
    node = section.get("transport")
    word = node.text() if node is not None else None
    if node is None or word is None:
        return OdooTransport.HTTP
    if word not in list(OdooTransport):
        node.problem(f'"{word}" is no transport; write {" or ".join(OdooTransport)}')
        return OdooTransport.HTTP
    if word == OdooTransport.CLIENT_LIB:
        if find_spec("odoolib") is None:
            node.problem("odoo-client-lib is not installed: install uns-odoo-bridge[client-lib]")
        if inbox is not InboxUse.REQUIRED:
            node.problem(
                "after odoo-client-lib lost an answer only the inbox tells what was posted: use inbox: required"
            )
        if timeout_ms > CLIENT_LIB_LIMIT_MS:
            node.problem("odoo-client-lib gives up after 60 s: make timeout no longer")
        for key in ("tls", "proxy", "connect_timeout", "read_timeout"):
            if (given := section.get(key)) is not None:
                given.problem(f"odoo-client-lib takes no {key}; remove it, or write transport: http")
    return OdooTransport(word)
