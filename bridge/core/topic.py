"""Topics of the UNS documents: orders and master data down, acknowledgements and events up. See docs/contract."""

from __future__ import annotations

from typing import Final

from ruleset.assets import MASTER_LEVEL, REQUEST_LEVELS

UNS_PREFIX: Final = "uns/v1"


def order_topic(site: str, order: str) -> str:
    """Where the release of an order is retained. `site` is `enterprise/site`."""
    return f"{UNS_PREFIX}/{site}/order/{order}"


def master_prefix(site: str) -> str:
    """What all topics of Odoo's master data begin with."""
    return f"{UNS_PREFIX}/{site}/{MASTER_LEVEL}/"


def master_topic(site: str, kind: str, id: str) -> str:
    """Where one document of master data is retained."""
    return f"{master_prefix(site)}{kind}/{id}"


def request_prefix(site: str) -> str:
    """What the topics of all inspections that are asked for begin with."""
    return f"{UNS_PREFIX}/{site}/{REQUEST_LEVELS}/"


def acknowledged_order(site: str, topic: str) -> str | None:
    """The order whose acknowledgement this topic carries, or None for any other topic."""
    start, end = f"{UNS_PREFIX}/{site}/order/", "/ack"
    if not (topic.startswith(start) and topic.endswith(end)):
        return None
    order = topic[len(start) : -len(end)]
    return order if order and "/" not in order else None
