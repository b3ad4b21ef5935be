"""Odoo's values as documents have them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from odoo_adapter.plan import quantity

FORMAT: Final = "%Y-%m-%d %H:%M:%S"


def text(number: float) -> str:
    """A quantity as a decimal text."""
    return quantity(Decimal(repr(float(number))))


def iso(moment: str | bool) -> str | None:
    """Odoo's naive UTC string as ISO 8601 with its zone; Odoo's False is None."""
    if not isinstance(moment, str):
        return None
    return datetime.strptime(moment[:19], FORMAT).replace(tzinfo=UTC).isoformat().replace("+00:00", "Z")
