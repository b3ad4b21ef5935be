"""The simulated inbox and the shipped text say the same: kinds by action, version, refusal codes, and late totals."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import odoo_adapter.simulator.inbox
from odoo_adapter.client.api import OdooApi
from odoo_adapter.inbox.action import ACTIONS, LIGHT, WHOLE, Action, action_text, kinds_of
from odoo_adapter.inbox.install import MODEL
from odoo_adapter.simulator.inbox.kinds import KINDS
from odoo_adapter.simulator.inbox.protocol import INBOX_VERSION
from tests.live_odoo.test_totals import (
    test_a_late_total_adds_nothing_where_the_completed_quantity_covers_all_totals,
    test_a_person_who_released_more_for_the_completion_released_it_for_late_totals,
    test_a_total_goes_on_from_what_was_applied_without_the_inbox,
    test_counts_and_corrections_go_on_from_what_stood_where_a_planner_changes_what_is_ordered,
    test_the_tolerance_of_an_order_does_not_let_more_be_counted_than_it_was_completed_with,
    test_what_a_person_added_before_the_completion_is_not_added_to_late_totals,
)

__all__ = [
    "test_a_late_total_adds_nothing_where_the_completed_quantity_covers_all_totals",
    "test_a_person_who_released_more_for_the_completion_released_it_for_late_totals",
    "test_a_total_goes_on_from_what_was_applied_without_the_inbox",
    "test_counts_and_corrections_go_on_from_what_stood_where_a_planner_changes_what_is_ordered",
    "test_the_tolerance_of_an_order_does_not_let_more_be_counted_than_it_was_completed_with",
    "test_what_a_person_added_before_the_completion_is_not_added_to_late_totals",
]

VERIFIED_BY_TEXT = {
    *("verify_state", "verify_consume", "verify_hold", "verify_genealogy", "verify_wo", "verify_lot"),
    "verify_backorder",
}
"""What the text checks of Odoo's own work afterwards; here that work is ours."""

OF_THE_CALL = {"bad_request"}
"""Raised or answered for the request as a whole, not refused by an effect."""


def test_it_has_the_texts_version_and_kinds() -> None:
    (version,) = re.findall(r"^INBOX_VERSION = (\d+)$", action_text(WHOLE), re.MULTILINE)
    assert (INBOX_VERSION, frozenset(KINDS)) == (int(version), kinds_of(WHOLE))


def test_it_refuses_with_the_texts_codes() -> None:
    texts = set(re.findall(r"refuse\('(\w+)'", action_text(WHOLE))) | {"ambiguous", "missing"}
    (folder,) = odoo_adapter.simulator.inbox.__path__
    sources = "".join(path.read_text("utf-8") for path in sorted(Path(folder).glob("*.py")))
    ours = set(re.findall(r'Refusal\(\s*"(\w+)"', sources)) | {"ambiguous"}
    assert ours == texts - VERIFIED_BY_TEXT - OF_THE_CALL


async def answer(odoo: OdooApi, action: Action, request: Mapping[str, object]) -> Any:
    """What the action says to a request."""
    named = [["x_name", "=", action.marker]]
    (row,) = await odoo.call(MODEL, "search_read", writes=False, domain=named, fields=["x_res_id"])
    context = {"uns": request}
    return await odoo.call("ir.actions.server", "run", writes=True, ids=[row["x_res_id"]], context=context)


async def test_each_action_tells_the_kinds_of_its_text(integration: OdooApi) -> None:
    told = [(await answer(integration, action, {"op": "hello"}))["kinds"] for action in ACTIONS]
    assert told == [sorted(kinds_of(action)) for action in ACTIONS]


async def test_the_light_action_takes_no_completion(integration: OdooApi) -> None:
    transaction = {"key": "one", "kind": "complete", "hash": "h", "lane": "mo-1", "p": {"order": "mo-1"}}
    said = await answer(integration, LIGHT, {"mode": "each", "tx": [transaction]})
    refusal = {"key": "one", "status": "refused", "code": "bad_request", "message": "not a transaction of this inbox"}
    assert said["results"] == [refusal]
