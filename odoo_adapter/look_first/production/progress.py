"""Progress: the order's quantity becomes what it was after our last posting, and what was counted since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from odoo_adapter.errors import Refused, Uncertain
from odoo_adapter.look_first.attempt import Attempt, receipt
from odoo_adapter.look_first.note import say
from odoo_adapter.look_first.order import MODEL, Order, read_order, write_counted
from odoo_adapter.look_first.unit import Unit, Units, read_units
from odoo_adapter.odoo import Outcome, Receipt
from odoo_adapter.plan import quantity
from ruleset.sample import Plain


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """What stood after our last posting, what this one adds, and what stands now; all in the order's unit. `counted` is
    what all streams counted with this one, and what corrected them: nobody else's pieces are in it."""

    before: Decimal
    added: Decimal
    found: Decimal
    unit: Unit

    counted: Decimal

    @property
    def after(self) -> Decimal:
        return self.before + self.added

    @property
    def stands(self) -> bool:
        return self.unit.same(self.found, self.after)

    def starts_at_before(self, order: Order) -> bool:
        """Whether nobody else counted. Where nothing was, Odoo fills in the whole quantity when a work order starts."""
        filled_in = not self.before and self.unit.same(self.found, order.wanted)
        return filled_in or self.unit.same(self.found, self.before)


async def apply_progress(one: Attempt) -> Outcome:
    order = await read_order(one.steps, one.text("order"))
    order.check_open(("draft", "cancel"))
    change = await _change(one, order)
    if not change.added or (one.job.uncertain and change.stands):
        await _say_consent(one, order, change)
        return one.applied(_receipt(order, change, repeated=True))
    if order.state == "done":
        return one.applied(_covered(order, change))
    if not change.starts_at_before(order):
        return one.held(_somebody(one, order, change))
    order.check_limit(change.after, change.unit, one.p)
    await write_counted(one.steps, order.id, change.after)
    now = await read_order(one.steps, one.text("order"))
    if not change.unit.same(now.counted, change.after):
        raise Uncertain(f"{order.name} shows {now.counted}, right after {change.after} was written")
    await _say_consent(one, order, change)
    return one.applied(_receipt(order, change))


async def find_progress(one: Attempt) -> Receipt | None:
    order = await read_order(one.steps, one.text("order"))
    change = await _change(one, order)
    stands = not change.added or (one.job.uncertain and change.stands)
    return _receipt(order, change, repeated=True) if stands else None


async def _change(one: Attempt, order: Order) -> _Change:
    unit_name, standing = one.text("uom"), one.job.standing
    bases = known_totals(one)
    units = await read_units(one.steps, [order.unit], [unit_name, *(name for _, name in bases.values())])
    unit = units[order.unit]
    others = sum_of({stream: base for stream, base in bases.items() if stream != one.text("stream")}, units, unit)
    old = standing.streams.get(one.text("stream"), Decimal(0))
    new = max(old, Decimal(one.text("upto")))
    return _Change(
        before=order.counted if one.job.released else standing.quantity or Decimal(0),
        added=units.quantity(new, unit_name, unit) - units.quantity(old, unit_name, unit),
        found=order.counted,
        unit=unit,
        counted=others + units.quantity(new, unit_name, unit) + standing.corrected,
    )


def known_totals(one: Attempt) -> Mapping[str, tuple[str, str]]:
    """The total of each stream of the order that stands as far as we know, with the name of its unit in Odoo."""
    bases = one.p.get("bases")
    pairs = bases.items() if isinstance(bases, dict) else ()
    return {stream: (str(base[0]), str(base[1])) for stream, base in pairs if isinstance(base, list)}


def sum_of(totals: Mapping[str, tuple[str, str]], units: Units, into: Unit) -> Decimal:
    """All of these together."""
    return sum((units.quantity(total, name, into) for total, name in totals.values()), Decimal(0))


def _receipt(order: Order, change: _Change, *, repeated: bool = False, **more: Plain) -> Receipt:
    counted = float(change.after)
    return receipt(MODEL, order.id, repeated=repeated, added=float(change.added), qty_producing=counted, **more)


def _covered(order: Order, change: _Change) -> Receipt:
    """A done order's quantity stays; it may well hold what was counted before it was done. Raises `Refused` if not."""
    if change.counted > order.made and not change.unit.same(change.counted, order.made):
        done, counted = float(order.made), float(change.counted)
        raise Refused("order_state", f"{order.name} is done with {done}, and {counted} were counted")
    return receipt(MODEL, order.id, added=0, covered=True, qty_producing=float(order.made))


def _somebody(one: Attempt, order: Order, change: _Change) -> str:
    expected = quantity(change.before)
    if one.job.uncertain:
        expected += f" or {quantity(change.after)}"
    after = change.found + change.added
    beyond = f", although {quantity(after)} are too many" if order.is_beyond(after, change.unit, one.p) else ""
    return (
        f"{order.name} shows {quantity(change.found)} {change.unit.name}, expected {expected}: somebody changed it; "
        f"release to add the {quantity(change.added)} to what stands{beyond}, or skip"
    )


async def _say_consent(one: Attempt, order: Order, change: _Change) -> None:
    """Who released more than the tolerance stands on the order."""
    if one.p.get("consent") and change.added:
        made = f"UNS bridge: {quantity(change.after)} of {quantity(order.wanted)} {change.unit.name} made"
        await say(one, order.id, made, "")
