"""Completion, and completion into the hold location: it cannot be repeated, and is not taken back.

Marking a done order done again erases the genealogy of its lot (seen on 17 to 19), so the state is read right before.
Everything that can be refused is checked by reads before the first write.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from odoo_adapter.errors import OdooError, Refused, Uncertain
from odoo_adapter.look_first import lot as lots
from odoo_adapter.look_first.attempt import Attempt, receipt
from odoo_adapter.look_first.lot import Lot, read_lot
from odoo_adapter.look_first.material.expiry import expired_lots
from odoo_adapter.look_first.note import said, say
from odoo_adapter.look_first.order import MODEL, Order, read_order
from odoo_adapter.look_first.production.byproduct import (
    Byproducts,
    byproduct_differences,
    read_byproducts,
    write_byproducts,
)
from odoo_adapter.look_first.production.consumption import (
    Consumption,
    Use,
    differences,
    plan_uses,
    read_consumption,
    write_uses,
)
from odoo_adapter.look_first.steps import Steps
from odoo_adapter.look_first.unit import converted
from odoo_adapter.odoo import Applied, Held, Outcome, Receipt
from ruleset.sample import Plain

_DONE: Final = {"skip_consumption": True, "skip_backorder": True, "skip_expired": True, "skip_redirection": True}
_REST: Final = re.compile(r", rest (mo-[0-9]+) by ")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Goal:
    """What the order is to be when it is done.

    `hold` 0: the goods go where the order sends them. `leaves`: what was not made becomes an order of its own.
    """

    quantity: Decimal
    lots: tuple[Lot, ...]
    consumption: Consumption
    byproducts: Byproducts
    hold: int
    leaves: bool


async def apply_completion(one: Attempt) -> Outcome:
    order = await read_order(one.steps, one.text("order"))
    if found := await _noted(one, order):
        return one.applied(found)
    if order.state == "done" and one.job.uncertain:
        return await _look_at_done(one, order)
    order.check_open()
    goal = await _goal(one, order)
    order.check_limit(goal.quantity, goal.consumption.units[order.unit], one.p)
    uses = await plan_uses(one, order, goal.consumption, goal.quantity)
    if (doubts := await expired_lots(one, goal.consumption.listed)) and not one.p.get("consent"):
        return one.held("; ".join(doubts) + ": release it to post it all the same")
    try:
        done = await _carry_out(one, order, goal, uses)
    except Refused as error:
        if not one.steps.wrote:
            raise
        raise Refused(error.code, f"{error.reason}; {await _put_back(one, order)}") from error
    if wrong := await _unlike(one, done, goal):
        code, reason = wrong
        raise Refused(code, f"{reason}; the order is done all the same: mend it in Odoo, then skip this posting")
    rest = await _backorder(one.steps, done) if goal.leaves else ""
    return one.applied(await _sign(one, done, rest))


async def find_completion(one: Attempt) -> Receipt | None:
    order = await read_order(one.steps, one.text("order"))
    if found := await _noted(one, order):
        return found
    if order.state != "done" or not one.job.uncertain:
        return None
    goal = await _goal(one, order)
    if await _unlike(one, order, goal):
        return None
    return _receipt(one, order, await _backorder(one.steps, order) if goal.leaves else "", repeated=True)


async def _noted(one: Attempt, order: Order) -> Receipt | None:
    """The receipt, if the last step left its note. Raises `Refused` where that says another quantity."""
    note = await said(one.steps, order.id, one.key, f"UNS bridge: {_did(one)}")
    if not note:
        return None
    rest = _REST.search(note)
    if f"{_did(one)} {one.text('qty')}{f', rest {rest[1]}' if rest else ''} by " not in note:
        raise Refused("conflict", f"posted before with other content: {note}")
    return _receipt(one, order, rest[1] if rest else "", repeated=True)


async def _look_at_done(one: Attempt, order: Order) -> Applied | Held:
    """After an attempt that may have got so far: the rest of ours, or somebody else's work."""
    goal = await _goal(one, order)
    wrong = await _unlike(one, order, goal)
    if wrong is None:
        rest = await _backorder(one.steps, order) if goal.leaves else ""
        return one.applied(replace(await _sign(one, order, rest), repeated=True))
    return one.held(
        f"{order.name} is done already, but not as posted ({wrong[1]}): somebody completed it; "
        "correct it in Odoo where it is wrong, and skip this posting"
    )


async def _goal(one: Attempt, order: Order) -> _Goal:
    consumption = await read_consumption(one, order)
    unit = consumption.units[order.unit]
    quantity = consumption.units.positive(one.text("qty"), one.text("uom"), unit)
    short = order.state == "done" or (quantity < order.wanted and not unit.same(quantity, order.wanted))
    return _Goal(
        quantity=quantity,
        lots=await _finished_lots(one, order, quantity, consumption),
        consumption=consumption,
        byproducts=await read_byproducts(one, order),
        hold=await hold_location(one) if one.p.get("hold") else 0,
        leaves=one.p.get("short") == "backorder" and short,
    )


async def _finished_lots(one: Attempt, order: Order, quantity: Decimal, consumption: Consumption) -> tuple[Lot, ...]:
    """The lot or the serial numbers of what is made. Raises `Refused` where they do not fit product and quantity."""
    product, serials = consumption.products[order.product], one.p.get("serials")
    names = [str(name) for name in serials] if isinstance(serials, list) else [one.text("lot")]
    if isinstance(serials, list) and not product.serial:
        raise Refused("serials", f"{product.name} has no serial numbers")
    if not product.tracked:
        return ()
    if product.serial and (names := [name for name in names if name]):
        units = consumption.units
        pieces = converted(quantity, units[order.unit], units[product.unit])
        if pieces != len(names):
            raise Refused("serials", f"{len(names)} serial numbers for {pieces} {units[product.unit].name}")
        if len(names) > 1 and not one.steps.can.finished_lot_many:
            mend = "complete one piece after the other, each leaving a backorder, or install the inbox"
            raise Refused("serials", f"this Odoo takes one serial number per order: {mend}")
    named = names or [""]
    return tuple([await read_lot(one.steps, product.id, product.name, name, may_be_new=True) for name in named])


async def hold_location(one: Attempt) -> int:
    """Raises `Refused` where the place that the settings name is not there."""
    row = await one.steps.only("stock.location", called(one.hold_location), ["id"], no_hold_location(one.hold_location))
    return int(row["id"])


def called(name: str) -> list[object]:
    """The condition that a location is an internal one of this name, whole or last part."""
    return ["|", ["complete_name", "=", name], ["name", "=", name], ["usage", "=", "internal"]]


def no_hold_location(name: str) -> str:
    """What is to be said where no place, or several, have the name that the settings give."""
    return f'hold location "{name}": create it in Odoo beside the stock, or name another in `odoo.hold_location`'


async def _carry_out(one: Attempt, order: Order, goal: _Goal, uses: Sequence[Use]) -> Order:
    """The order as it is done. Raises `Refused` where it is not, whatever Odoo's button answered."""
    steps = one.steps
    values: dict[str, object] = {"qty_producing": float(goal.quantity)}
    if goal.lots:
        values |= _lot_value(steps, [await lots.ensure(steps, lot) for lot in goal.lots])
    if goal.hold:
        await _send_to(steps, order, goal.hold)
    await steps.write(MODEL, [order.id], values)
    await steps.act(MODEL, "set_qty_producing", [order.id])
    await write_uses(steps, uses)
    await write_byproducts(steps, goal.byproducts, goal.quantity)
    now = await read_order(steps, one.text("order"))
    if now.state == "done":
        raise Uncertain(f"{order.name} was completed by somebody else at the same moment")
    now.check_open()
    if now.wanted != order.wanted:  # nothing is done yet; the ratio, the tolerance and what is left are another now
        raise Uncertain(f"somebody changed what {order.name} is to make at the same moment")
    context = {**_DONE, "mo_ids_to_backorder": [order.id]} if goal.leaves else _DONE
    await steps.act(MODEL, "button_mark_done", [order.id], context=context)
    done = await read_order(steps, one.text("order"))
    if done.state != "done":
        raise Refused("verify_state", f"{done.name} is {done.state} after it was marked as done")
    return done


async def _send_to(steps: Steps, order: Order, place: int) -> None:
    """Let the goods go there. Odoo moves along what was scrapped of the order: that is put back."""
    await steps.write(MODEL, [order.id], {"location_dest_id": place})
    scraps = await steps.search(
        "stock.scrap", [["production_id", "=", order.id], ["state", "=", "done"]], ["move_ids", "scrap_location_id"]
    )
    home = {move: row["scrap_location_id"][0] for row in scraps for move in row["move_ids"]}
    for row in await steps.read("stock.move", home, ["location_dest_id"]):
        if row["location_dest_id"][0] != home[row["id"]]:
            await steps.write("stock.move", [row["id"]], {"location_dest_id": home[row["id"]]})
    finished = await steps.read("stock.move", order.finished, ["product_id", "state"])
    own = [row["id"] for row in finished if row["product_id"][0] == order.product]
    moving = [row["id"] for row in finished if row["id"] in own and row["state"] not in ("done", "cancel")]
    if moving:
        await steps.write("stock.move", moving, {"location_dest_id": place})


def _lot_value(steps: Steps, ids: Sequence[int]) -> dict[str, object]:
    many = steps.can.finished_lot_many
    return {steps.can.finished_lots_field: [[6, 0, list(ids)]] if many else (ids[0] if ids else False)}


async def _put_back(one: Attempt, order: Order) -> str:
    """Undo what a refused completion wrote on the order, as well as it can be undone; says what came of it.

    What an earlier attempt wrote, whose answer was lost, cannot be told from what a planner did.
    """
    steps = one.steps
    try:
        now = await read_order(steps, f"mo-{order.id}")
        if now.state not in ("done", "cancel"):
            values = {"qty_producing": float(order.counted), **_lot_value(steps, order.lots)}
            await steps.write(MODEL, [order.id], values)
            if now.destination != order.destination:
                await _send_to(steps, order, order.destination)
    except OdooError as error:
        return f"quantity, lot and place that were written stay on {order.name} ({error})"
    found = "this attempt found them, perhaps written by an earlier one" if one.job.uncertain else "before"
    return f"quantity, lot and place of {order.name} are as {found}; its components may be picked"


async def _unlike(one: Attempt, order: Order, goal: _Goal) -> tuple[str, str] | None:
    """How a done order differs from the goal: a code and a sentence."""
    if order.state != "done" or not goal.consumption.units[order.unit].same(order.made, goal.quantity):
        return "verify_state", f"{order.name} is {order.state} with {order.made}"
    if goal.lots:
        names = [row["name"] for row in await one.steps.read(lots.MODEL, order.lots, ["name"])]
        if sorted(names) != sorted(lot.name for lot in goal.lots):
            return "verify_lot", f"the lot is {', '.join(names)}"
    if wrong := await byproduct_differences(one.steps, order, goal.byproducts):
        return wrong
    return await differences(one, order, goal.consumption, goal.hold)


async def _backorder(steps: Steps, order: Order) -> str:
    """The order that Odoo made of what was not made: the next one of its group."""
    group = steps.can.backorder_group_field
    (own,) = await steps.read(MODEL, [order.id], [group])
    same = [[group, "=", own[group][0] if own[group] else 0], ["product_id", "=", order.product]]
    later = await steps.search(MODEL, [*same, ["id", ">", order.id]], ["name"])
    return f"mo-{later[0]['id']}" if later else ""


async def _sign(one: Attempt, order: Order, rest: str) -> Receipt:
    """The last steps: the device's time, and the note that says that all is done."""
    try:
        await one.steps.write(MODEL, [order.id], {"date_finished": one.text("at")})
        left = f", rest {rest}" if rest else ""
        await say(one, order.id, f"UNS bridge: {_did(one)}", f" {one.text('qty')}{left}")
    except Refused as error:
        stands = f"{order.name} is done as posted, without its time or its note: skip this posting"
        raise Refused(error.code, f"{error.reason}; {stands}") from error
    return _receipt(one, order, rest)


def _did(one: Attempt) -> str:
    return "put on hold" if one.p.get("hold") else "completed with"


def _receipt(one: Attempt, order: Order, rest: str, *, repeated: bool = False) -> Receipt:
    lot, hold = one.p.get("lot"), bool(one.p.get("hold"))
    more: dict[str, Plain] = {"orders": [f"mo-{order.id}"], "backorder": rest or None}
    return receipt(MODEL, order.id, repeated=repeated, qty=float(order.made), lot=lot, hold=hold, **more)
