"""Completions and corrections on the simulator of each version: the tests of a real Odoo."""

from __future__ import annotations

import pytest

from tests.live_odoo.test_completion import (
    master,
    mode,
    test_a_strict_bill_of_materials_takes_its_ratio_only,
    test_as_many_serial_numbers_as_pieces_are_asked_for,
    test_by_products_that_do_not_fit_are_refused,
    test_each_piece_gets_its_serial_number,
    test_goods_on_hold_leave_a_backorder_too,
    test_less_than_ordered_is_closed_or_leaves_a_backorder_and_by_products_are_what_came,
    test_one_piece_at_a_time_with_its_serial_number_goes_on_every_version,
)
from tests.live_odoo.test_correction import (
    test_a_correction_below_nothing_or_beyond_the_order_is_refused,
    test_a_correction_of_a_done_order_takes_pieces_apart_again,
    test_a_correction_of_what_was_counted_moves_the_total_and_later_totals_count_on_from_there,
    test_a_done_order_gets_no_more_pieces_and_the_refusal_says_what_to_do,
    test_a_done_order_has_no_more_taken_from_it_than_it_made,
    test_a_whole_quantity_that_a_person_wrote_beside_the_counts_stays,
    test_four_at_once_correct_once,
    test_goods_that_are_not_there_any_more_are_not_taken_apart,
)

__all__ = [
    "master",
    "mode",
    "test_a_correction_below_nothing_or_beyond_the_order_is_refused",
    "test_a_correction_of_a_done_order_takes_pieces_apart_again",
    "test_a_correction_of_what_was_counted_moves_the_total_and_later_totals_count_on_from_there",
    "test_a_done_order_gets_no_more_pieces_and_the_refusal_says_what_to_do",
    "test_a_done_order_has_no_more_taken_from_it_than_it_made",
    "test_a_strict_bill_of_materials_takes_its_ratio_only",
    "test_a_whole_quantity_that_a_person_wrote_beside_the_counts_stays",
    "test_as_many_serial_numbers_as_pieces_are_asked_for",
    "test_by_products_that_do_not_fit_are_refused",
    "test_each_piece_gets_its_serial_number",
    "test_four_at_once_correct_once",
    "test_goods_on_hold_leave_a_backorder_too",
    "test_goods_that_are_not_there_any_more_are_not_taken_apart",
    "test_less_than_ordered_is_closed_or_leaves_a_backorder_and_by_products_are_what_came",
    "test_one_piece_at_a_time_with_its_serial_number_goes_on_every_version",
]


@pytest.fixture(params=["17.0", "18.0", "19.0"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)
