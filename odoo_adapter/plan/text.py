"""What every plan says with the same words: names, references, moments, quantities and units, checked and settled."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from odoo_adapter.errors import Refused
from ruleset.transaction import Short, Transaction

_REFERENCE: Final = re.compile(r"(mo|wo)-[0-9]{1,9}")
LONGEST_NAME: Final = 200
LONGEST_TEXT: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanContext:
    """What the plant's folder says about postings.

    `units` names Odoo's unit of measure for each unit of the floor (empty: measured only, never posted);
    `over` is the share above an order's quantity that may be made; `short` is what becomes of a rest that a completion
    did not make, where the rule does not say; `losses` names the plant's own loss reason of a loss category;
    `inspector` is the login of who has inspections in their list ("": the bridge's own user).
    """

    units: Mapping[str, str] = field(default_factory=dict)
    over: Decimal = Decimal(0)
    short: Short = "close"
    losses: Mapping[str, str] = field(default_factory=dict)
    inspector: str = ""


def moment(at_ms: int) -> str:
    """A moment as Odoo wants it: naive UTC in whole seconds. Parts of a second are dropped."""
    try:
        at = datetime.fromtimestamp(at_ms // 1000, UTC)
    except (ValueError, OverflowError, OSError) as error:
        reason = f"{at_ms} ms is no moment between the years 1 and 9999: is the clock of what sent it right?"
        raise Refused("bad_time", reason) from error
    return at.replace(tzinfo=None).isoformat(" ")


def quantity(number: Decimal) -> str:
    """A plain decimal string without exponent and without needless zeros."""
    text = format(number.normalize(), "f")
    return "0" if text == "-0" else text


def interval(started_ms: int | None, ended_ms: int) -> tuple[str | None, str]:
    """Start and end in whole seconds. What is shorter than a second lasts one: Odoo drops the rest."""
    if started_ms is None:
        return None, moment(ended_ms)
    if ended_ms < started_ms:
        raise Refused("bad_interval", f"ends at {moment(ended_ms)}, before it starts at {moment(started_ms)}")
    return moment(started_ms), moment(max(ended_ms, started_ms // 1000 * 1000 + 1000))


def order_of(transaction: Transaction) -> str:
    """The reference of the order that it belongs to."""
    return reference(transaction.order or "", "mo")


def reference(text: str, kind: str) -> str:
    """A reference of that kind, `mo` or `wo`. Raises `Refused` for anything else."""
    if not _REFERENCE.fullmatch(text) or not text.startswith(kind):
        noun = "an order release" if kind == "mo" else "a work order"
        raise Refused("reference", f'"{clean(text, 50)}" is not the reference of {noun}, such as {kind}-42')
    return text


def unit_of(unit: str, context: PlanContext) -> str:
    """Odoo's name of a unit of the floor. Raises `Refused` where codes.yaml has none."""
    name = context.units.get(unit)
    if not name:
        raise Refused("unit", f'unit "{unit}" has no unit of Odoo in codes.yaml')
    return name


def positive(number: Decimal) -> str:
    """A quantity above zero, as text."""
    if not number.is_finite() or number <= 0:
        raise Refused("quantity", f"{number} is not a quantity above 0")
    return quantity(number)


def optional(text: str | None) -> str | None:
    """A name, where there is one."""
    return named(text) if text else None


def named(text: str, longest: int = LONGEST_NAME) -> str:
    """Text that names something: never shortened or mended, for it could then name something else."""
    if not text or clean(text, longest) != text:
        raise Refused("name", f'"{clean(text, 50)}" is empty, too long or has characters that Odoo cannot store')
    return text


def clean(text: str, longest: int) -> str:
    """Text that PostgreSQL can store: without NUL and lone surrogates, and not longer than this."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")[:longest]
