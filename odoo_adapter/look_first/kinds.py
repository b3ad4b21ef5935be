"""What each kind of transaction does without the inbox."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from odoo_adapter.look_first.attempt import Attempt
from odoo_adapter.look_first.maintenance import apply_close, apply_maintenance, find_close, find_maintenance
from odoo_adapter.look_first.material.consume import apply_consumption, find_consumption
from odoo_adapter.look_first.material.name import apply_lot, find_lot
from odoo_adapter.look_first.note import apply_note, find_note
from odoo_adapter.look_first.production.completion import apply_completion, find_completion
from odoo_adapter.look_first.production.correction import apply_correction, find_correction
from odoo_adapter.look_first.production.progress import apply_progress, find_progress
from odoo_adapter.look_first.production.scrap import apply_scrap, find_scrap
from odoo_adapter.look_first.quality.inspection import (
    apply_inspection,
    apply_result,
    find_inspection,
    find_result,
)
from odoo_adapter.look_first.quality.transfer import apply_hold, apply_release, find_transfer
from odoo_adapter.look_first.time.capacity import apply_block, apply_unblock, find_block, find_unblock
from odoo_adapter.look_first.time.downtime import apply_downtime, apply_open, find_downtime, find_open
from odoo_adapter.look_first.time.work_order import (
    apply_finish,
    apply_pause,
    apply_start,
    find_finish,
    find_pause,
    find_start,
)
from odoo_adapter.odoo import Outcome, Receipt


@dataclass(frozen=True, slots=True)
class Kind:
    """`apply` carries out what is missing of it, and may raise any of the package's errors; `find` changes nothing."""

    apply: Callable[[Attempt], Awaitable[Outcome]]
    find: Callable[[Attempt], Awaitable[Receipt | None]]


KINDS: Final[Mapping[str, Kind]] = {
    "start": Kind(apply_start, find_start),
    "pause": Kind(apply_pause, find_pause),
    "finish": Kind(apply_finish, find_finish),
    "progress": Kind(apply_progress, find_progress),
    "complete": Kind(apply_completion, find_completion),
    "correct": Kind(apply_correction, find_correction),
    "scrap": Kind(apply_scrap, find_scrap),
    "consume": Kind(apply_consumption, find_consumption),
    "lot": Kind(apply_lot, find_lot),
    "downtime": Kind(apply_downtime, find_downtime),
    "downtime_open": Kind(apply_open, find_open),
    "block": Kind(apply_block, find_block),
    "unblock": Kind(apply_unblock, find_unblock),
    "note": Kind(apply_note, find_note),
    "hold": Kind(apply_hold, find_transfer),
    "release": Kind(apply_release, find_transfer),
    "inspection": Kind(apply_inspection, find_inspection),
    "result": Kind(apply_result, find_result),
    "maintenance": Kind(apply_maintenance, find_maintenance),
    "maintenance_close": Kind(apply_close, find_close),
}
