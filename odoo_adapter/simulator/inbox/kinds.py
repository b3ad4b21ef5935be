"""What each kind of transaction does, as the inbox's action has it on a real Odoo. `KINDS` names them.

An effect gets the database, the payload `p`, the key and what caused it, and answers the result; it raises
`Refusal` with the inbox's code, or Odoo's own fault.
"""

from __future__ import annotations

from typing import Final

from odoo_adapter.simulator.inbox import (
    capacity,
    completion,
    correction,
    downtime,
    material,
    progress,
    quality,
    record,
    scrap_order,
    work_order,
)
from odoo_adapter.simulator.inbox.payload import Effect

KINDS: Final[dict[str, Effect]] = {
    **progress.KINDS,
    **completion.KINDS,
    **correction.KINDS,
    **material.KINDS,
    **scrap_order.KINDS,
    **downtime.KINDS,
    **capacity.KINDS,
    **record.KINDS,
    **quality.KINDS,
    **work_order.KINDS,
}
