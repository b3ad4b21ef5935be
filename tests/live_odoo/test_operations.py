"""The bad days of the simulator on a real Odoo: the same tests, with broker, Redis and bridge as processes."""

from __future__ import annotations

import os

import pytest

from bridge.clock import SystemClock
from odoo_adapter.client.api import OdooApi
from odoo_adapter.seed import Planner
from tests.integration.test_operation_scenarios import (
    stores,
    test_a_planner_who_edits_the_order_meets_no_error_while_four_lines_report,
    test_a_site_that_is_cut_off_serves_the_releases_that_it_has_and_catches_up_in_order,
    test_dead_letters_of_one_cause_become_what_the_dry_run_says_also_those_that_stood_before_a_backup,
    test_killed_after_odoo_committed_and_before_it_knew_the_bridge_learns_that_it_was_posted,
    test_what_happens_while_odoo_is_away_over_a_change_of_shifts_is_posted_once_and_in_order,
    works,
)
from tests.odoo_adapter.situations import both_modes
from tests.scenarios.bridge import Clock
from tests.scenarios.factory import Ground

__all__ = [
    "stores",
    "test_a_planner_who_edits_the_order_meets_no_error_while_four_lines_report",
    "test_a_site_that_is_cut_off_serves_the_releases_that_it_has_and_catches_up_in_order",
    "test_dead_letters_of_one_cause_become_what_the_dry_run_says_also_those_that_stood_before_a_backup",
    "test_killed_after_odoo_committed_and_before_it_knew_the_bridge_learns_that_it_was_posted",
    "test_what_happens_while_odoo_is_away_over_a_change_of_shifts_is_posted_once_and_in_order",
    "way",
    "works",
]

way = both_modes


@pytest.fixture
def ground(admin: OdooApi, planner: Planner, fresh: str) -> Ground:
    """The server that the environment names."""
    return Ground(
        admin=admin,
        user=os.environ["UNS_BRIDGE_ODOO_USER"],
        key=os.environ["UNS_BRIDGE_ODOO_KEY"],
        clock=Clock(SystemClock().now_ms()),
        suffix=f"-{fresh}",
    )
