"""Loss reasons of work centers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from odoo_adapter.errors import Refused
from odoo_adapter.look_first.attempt import Attempt
from odoo_adapter.look_first.steps import Steps

TIMES: Final = "mrp.workcenter.productivity"
LOSSES: Final = "mrp.workcenter.productivity.loss"

_LOSS: Final[Mapping[str, str]] = {
    "material_availability": "mrp.block_reason0",
    "breakdown": "mrp.block_reason1",
    "setup": "mrp.block_reason2",
    "reduced_speed": "mrp.block_reason4",
    "defect": "mrp.block_reason5",
    "productive": "mrp.block_reason7",
    "unclassified": "uns_bridge.loss_unclassified",
}
"""Odoo's loss reasons by external id: their names are translated."""


async def loss_reasons(steps: Steps) -> dict[str, int]:
    """The ids of the reasons of those loss categories that have one."""
    rows = await steps.search(LOSSES, [], ["name"])
    named = await steps.external_ids(LOSSES, [row["id"] for row in rows])
    found: dict[str, int] = {}
    for row in rows:
        for loss, external in _LOSS.items():
            if named[row["id"]] == external or (loss == "unclassified" and row["name"] == "Unclassified"):
                found.setdefault(loss, int(row["id"]))
    return found


async def loss_reason(steps: Steps, loss: str) -> int:
    """The id of a loss category's reason. Raises `Refused` where it is not there."""
    found = await loss_reasons(steps)
    if loss not in found:
        raise Refused("missing", no_loss_reason(loss))
    return found[loss]


def no_loss_reason(loss: str) -> str:
    """What is to be said of a loss category without a reason in Odoo."""
    mend = ': create one named "Unclassified" in Odoo' if loss == "unclassified" else " of Odoo is not there"
    return f"loss reason {loss}{mend}"


@dataclass(frozen=True, slots=True)
class Reason:
    """A loss reason of Odoo."""

    id: int
    name: str


async def reason_of(one: Attempt) -> Reason:
    """The reason of the posting's loss: the plant's own by its name, else that of the category. Raises `Refused`."""
    name = one.text("reason")
    if not name:
        (row,) = await one.steps.read(LOSSES, [await loss_reason(one.steps, one.text("loss"))], ["name"])
        return Reason(row["id"], row["name"])
    rows = await one.steps.search(LOSSES, [["name", "=", name]], ["name"])
    if len(rows) != 1:
        raise Refused("ambiguous" if rows else "missing", f"loss reason {name}")
    return Reason(rows[0]["id"], rows[0]["name"])
