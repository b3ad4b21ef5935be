"""The `odoo` of `bridge.yaml`: where Odoo is, who we are there, and how postings reach it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bridge.settings.secret import Secret
from bridge.settings.section import section_of
from ruleset.document import Node


class InboxUse(StrEnum):
    """Whether postings go through the inbox in Odoo."""

    REQUIRED = "required"
    PREFERRED = "preferred"
    """Where it is; without it the bridge looks at what stands before each step."""
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class OdooSettings:
    """One Odoo database seen as the integration user. The company stands in `assets.yaml`."""

    database: str
    user: str
    key: Secret
    url: str = "http://127.0.0.1:8069"
    timeout_ms: int = 30_000
    batch: int = 50
    """Transactions per call."""
    calls_per_second: int = 10
    """Batches that are posted per second at most."""
    poll_every_ms: int = 5_000
    inbox: InboxUse = InboxUse.REQUIRED
    server_limit_ms: int = 120_000
    """How long a call may go on at the server after we have gone: Odoo's `limit_time_real`."""
    hold_location: str = "Quality Hold"
    """Where goods on hold go, as Odoo names it; where there is an inbox, it knows its own."""

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
    key = section.secret("key")
    database, user = section.optional_text("database"), section.optional_text("user")
    url = section.url("url", "http://127.0.0.1:8069", ("http", "https"))
    timeout_ms = section.duration("timeout", 30_000, at_most_ms=600_000)
    batch = section.integer("batch", 50, at_least=1, at_most=500)
    calls_per_second = section.integer("calls_per_second", 10, at_least=1, at_most=1000)
    poll_every_ms = section.duration("poll_every", 5_000, at_least_ms=100)
    inbox = _inbox(section.get("inbox"))
    server_limit_ms = section.duration("server_limit", 120_000, at_least_ms=1_000, at_most_ms=3_600_000)
    hold_location = section.text("hold_location", "Quality Hold")
    if key is None or database is None or user is None:
        return None
    return OdooSettings(
        url=url.rstrip("/"),
        database=database,
        user=user,
        key=key,
        timeout_ms=timeout_ms,
        batch=batch,
        calls_per_second=calls_per_second,
        poll_every_ms=poll_every_ms,
        inbox=inbox,
        server_limit_ms=server_limit_ms,
        hold_location=hold_location,
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
