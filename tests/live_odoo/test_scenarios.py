"""The scenarios of the simulator on a real Odoo: the same tests. What happens, happened in the last twelve hours.

But for the nights when clocks change and the day without Odoo, which are a year ahead: Odoo takes the times of
machines as they come.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from odoo_adapter.client.api import OdooApi
from odoo_adapter.seed import Planner
from tests.live_odoo.second_company import Second, second_company
from tests.scenarios.bridge import Clock
from tests.scenarios.factory import Ground
from tests.scenarios.test_companies import (
    test_a_bridge_that_is_told_of_the_other_companys_order_changes_nothing_there,
    test_dead_letters_of_one_company_do_not_delay_the_other,
    test_each_plant_posts_to_its_own_company_only,
)
from tests.scenarios.test_equipment import (
    test_a_press_that_is_broken_for_half_an_hour_is_blocked_in_planning_until_it_runs_again,
    test_a_short_stop_is_totalled_and_long_ones_are_time_records_with_their_losses_that_do_not_overlap,
    test_a_stop_over_a_restart_a_shifts_end_and_the_night_when_clocks_change_is_one_in_its_true_length,
    test_vibration_that_crosses_its_threshold_forty_times_is_one_request_until_it_cleared_and_was_closed,
)
from tests.scenarios.test_material import (
    test_a_batch_leads_to_its_raw_lots_and_its_rework_and_each_of_them_to_its_batches,
    test_a_lot_on_hold_is_held_with_the_reason_and_is_taken_from_there_once_approved,
    test_a_substitute_is_held_with_the_reason_and_is_an_additional_component_once_approved,
    test_an_expired_lot_is_held_with_the_reason_and_is_used_once_approved,
    test_grams_of_what_is_counted_in_pieces_are_refused_and_nothing_is_consumed,
    test_less_than_ordered_with_a_by_product_closes_the_order_with_what_really_came,
    test_what_the_scale_says_in_grams_is_consumed_to_the_gram_of_an_order_in_kilograms,
)
from tests.scenarios.test_orders import (
    test_a_confirmed_order_is_on_the_namespace_and_the_planner_reads_that_the_mes_accepted_it,
    test_an_order_that_the_mes_does_not_answer_is_alerted_and_resent_only_as_the_same_version,
    test_an_order_that_the_mes_refuses_shows_its_reason_to_the_planner,
)
from tests.scenarios.test_outage import (
    test_eight_hours_without_odoo_over_a_shifts_end_are_alerted_and_made_up_for_in_order,
)
from tests.scenarios.test_production import (
    test_a_correction_of_what_runs_lowers_the_count_and_counting_goes_on_from_there,
    test_a_counter_that_goes_over_the_top_adds_only_real_pieces,
    test_a_counter_that_is_reset_adds_only_real_pieces_and_the_jump_is_listed,
    test_a_document_that_comes_twice_and_a_birth_with_the_same_count_post_nothing,
    test_a_late_correction_of_a_finished_order_is_a_movement_of_its_own_that_names_what_it_corrects,
    test_a_planner_who_edits_the_order_while_four_lines_report_meets_no_error_and_nothing_is_lost,
    test_a_thousand_pieces_counted_one_by_one_are_few_postings_whose_sum_is_exact,
    test_after_a_restart_nodes_that_go_on_with_aliases_are_asked_for_one_birth_each_and_nothing_is_lost,
    test_history_that_a_node_sends_twice_and_a_document_that_the_mes_repeats_are_posted_once,
    test_more_than_the_tolerance_is_held_until_a_supervisor_releases_it,
    test_pieces_of_a_cell_without_a_terminal_belong_to_the_order_that_is_started_there,
    test_scrap_is_posted_once_from_its_lot_with_its_reason,
    test_scrap_with_a_reason_that_nobody_mapped_is_a_dead_letter_and_changes_nothing,
    test_what_is_made_and_broken_while_no_order_runs_waits_until_a_person_says_for_which,
)
from tests.scenarios.test_quality import (
    test_a_disposition_that_is_missing_for_four_hours_is_alerted_and_still_decides_when_it_comes,
    test_a_finished_order_waits_for_the_laboratory_and_its_goods_are_in_stock_once_accepted,
    test_rejected_goods_are_in_the_hold_location_and_available_to_nobody,
    test_three_failures_of_one_check_are_one_request_that_names_them_and_a_fourth_is_a_note_on_it,
)
from tests.scenarios.test_versions import (
    test_a_local_change_of_a_rule_is_approved_by_a_second_person_and_rolled_back_and_each_posting_names_both,
)
from tests.scenarios.ways import both_ways, other_plant, plant

__all__ = [
    "both_ways",
    "other_plant",
    "plant",
    "test_a_batch_leads_to_its_raw_lots_and_its_rework_and_each_of_them_to_its_batches",
    "test_a_bridge_that_is_told_of_the_other_companys_order_changes_nothing_there",
    "test_a_confirmed_order_is_on_the_namespace_and_the_planner_reads_that_the_mes_accepted_it",
    "test_a_correction_of_what_runs_lowers_the_count_and_counting_goes_on_from_there",
    "test_a_counter_that_goes_over_the_top_adds_only_real_pieces",
    "test_a_counter_that_is_reset_adds_only_real_pieces_and_the_jump_is_listed",
    "test_a_disposition_that_is_missing_for_four_hours_is_alerted_and_still_decides_when_it_comes",
    "test_a_document_that_comes_twice_and_a_birth_with_the_same_count_post_nothing",
    "test_a_finished_order_waits_for_the_laboratory_and_its_goods_are_in_stock_once_accepted",
    "test_a_late_correction_of_a_finished_order_is_a_movement_of_its_own_that_names_what_it_corrects",
    "test_a_local_change_of_a_rule_is_approved_by_a_second_person_and_rolled_back_and_each_posting_names_both",
    "test_a_lot_on_hold_is_held_with_the_reason_and_is_taken_from_there_once_approved",
    "test_a_planner_who_edits_the_order_while_four_lines_report_meets_no_error_and_nothing_is_lost",
    "test_a_press_that_is_broken_for_half_an_hour_is_blocked_in_planning_until_it_runs_again",
    "test_a_short_stop_is_totalled_and_long_ones_are_time_records_with_their_losses_that_do_not_overlap",
    "test_a_stop_over_a_restart_a_shifts_end_and_the_night_when_clocks_change_is_one_in_its_true_length",
    "test_a_substitute_is_held_with_the_reason_and_is_an_additional_component_once_approved",
    "test_a_thousand_pieces_counted_one_by_one_are_few_postings_whose_sum_is_exact",
    "test_after_a_restart_nodes_that_go_on_with_aliases_are_asked_for_one_birth_each_and_nothing_is_lost",
    "test_an_expired_lot_is_held_with_the_reason_and_is_used_once_approved",
    "test_an_order_that_the_mes_does_not_answer_is_alerted_and_resent_only_as_the_same_version",
    "test_an_order_that_the_mes_refuses_shows_its_reason_to_the_planner",
    "test_dead_letters_of_one_company_do_not_delay_the_other",
    "test_each_plant_posts_to_its_own_company_only",
    "test_eight_hours_without_odoo_over_a_shifts_end_are_alerted_and_made_up_for_in_order",
    "test_grams_of_what_is_counted_in_pieces_are_refused_and_nothing_is_consumed",
    "test_history_that_a_node_sends_twice_and_a_document_that_the_mes_repeats_are_posted_once",
    "test_less_than_ordered_with_a_by_product_closes_the_order_with_what_really_came",
    "test_more_than_the_tolerance_is_held_until_a_supervisor_releases_it",
    "test_pieces_of_a_cell_without_a_terminal_belong_to_the_order_that_is_started_there",
    "test_rejected_goods_are_in_the_hold_location_and_available_to_nobody",
    "test_scrap_is_posted_once_from_its_lot_with_its_reason",
    "test_scrap_with_a_reason_that_nobody_mapped_is_a_dead_letter_and_changes_nothing",
    "test_three_failures_of_one_check_are_one_request_that_names_them_and_a_fourth_is_a_note_on_it",
    "test_vibration_that_crosses_its_threshold_forty_times_is_one_request_until_it_cleared_and_was_closed",
    "test_what_is_made_and_broken_while_no_order_runs_waits_until_a_person_says_for_which",
    "test_what_the_scale_says_in_grams_is_consumed_to_the_gram_of_an_order_in_kilograms",
]

HOURS_AGO = 12
MADE: list[Second] = []
"""The second company, made once per run."""


@pytest.fixture
def ground(admin: OdooApi, planner: Planner, fresh: str) -> Ground:
    """The server that the environment names, with the inbox and what a plant without it makes by hand."""
    began_s = (int(time.time()) // 60 - HOURS_AGO * 60) * 60
    return Ground(
        admin=admin,
        user=os.environ["UNS_BRIDGE_ODOO_USER"],
        key=os.environ["UNS_BRIDGE_ODOO_KEY"],
        clock=Clock(began_s * 1000),
        suffix=f"-{fresh}",
    )


@pytest.fixture
async def second_ground(ground: Ground) -> AsyncIterator[Ground]:
    """The same server, the other company."""
    if not MADE:
        MADE.append(await second_company(ground.admin, like=ground.user))
    (second,) = MADE
    admin = OdooApi(replace(ground.admin.connection, company=second.company))
    yield replace(ground, admin=admin, user=second.user, key=second.key)
    await admin.close()
