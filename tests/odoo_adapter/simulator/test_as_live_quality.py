"""Quality and maintenance as they are tested on a real Odoo, on the simulator."""

from __future__ import annotations

from tests.live_odoo.test_maintenance import (
    mode,
    test_a_close_after_a_technician_closed_it_changes_nothing,
    test_a_close_ends_the_open_request_with_the_machines_times_once,
    test_a_close_of_what_was_never_asked_is_refused,
    test_after_a_technician_closed_it_the_next_is_a_new_request,
    test_an_unknown_team_is_refused_and_nothing_is_made,
    test_another_cause_is_a_request_of_its_own,
    test_equipment_that_nobody_knows_is_refused,
    test_it_is_for_a_team_and_a_day_where_the_rule_says_so,
    test_preventive_maintenance_is_read_while_it_is_planned,
    test_text_is_text_also_where_it_looks_like_markup,
    test_what_comes_again_while_a_request_is_open_is_a_note_on_it_once,
)
from tests.live_odoo.test_quality import (
    test_a_lot_in_stock_goes_on_hold_and_back_once_each,
    test_a_lot_of_which_a_part_is_reserved_stays_where_it_is,
    test_a_part_of_a_lot_goes_on_hold_and_a_part_of_that_comes_back,
    test_more_than_stands_in_stock_is_refused_as_a_whole,
    test_nothing_comes_back_where_nothing_is_on_hold,
)

__all__ = [
    "mode",
    "test_a_close_after_a_technician_closed_it_changes_nothing",
    "test_a_close_ends_the_open_request_with_the_machines_times_once",
    "test_a_close_of_what_was_never_asked_is_refused",
    "test_a_lot_in_stock_goes_on_hold_and_back_once_each",
    "test_a_lot_of_which_a_part_is_reserved_stays_where_it_is",
    "test_a_part_of_a_lot_goes_on_hold_and_a_part_of_that_comes_back",
    "test_after_a_technician_closed_it_the_next_is_a_new_request",
    "test_an_unknown_team_is_refused_and_nothing_is_made",
    "test_another_cause_is_a_request_of_its_own",
    "test_equipment_that_nobody_knows_is_refused",
    "test_it_is_for_a_team_and_a_day_where_the_rule_says_so",
    "test_more_than_stands_in_stock_is_refused_as_a_whole",
    "test_nothing_comes_back_where_nothing_is_on_hold",
    "test_preventive_maintenance_is_read_while_it_is_planned",
    "test_text_is_text_also_where_it_looks_like_markup",
    "test_what_comes_again_while_a_request_is_open_is_a_note_on_it_once",
]
