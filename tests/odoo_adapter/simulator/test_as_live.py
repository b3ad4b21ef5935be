"""What is tested on a real Odoo, on the simulator: the same tests, with the fixtures of this folder."""

from __future__ import annotations

from tests.live_odoo.test_kinds import (
    test_a_completion_keeps_its_genealogy_and_its_actual_consumption,
    test_a_hold_keeps_the_goods_out_of_stock,
    test_a_lot_without_stock_is_refused_and_leaves_nothing_behind,
    test_it_refuses,
    test_once_twice_and_four_times_at_once_is_one_effect,
    test_scrap_of_the_order_is_no_consumption_of_its_completion,
    test_scrap_of_the_order_stays_scrap_when_the_order_goes_on_hold,
    test_scrap_of_unfinished_pieces_never_touches_stock,
    test_starting_work_leaves_the_quantity_alone_and_finishing_keeps_the_machines_times,
)
from tests.live_odoo.test_orders import (
    test_an_order_is_read_when_released_changed_completed_and_taken_back,
)
from tests.live_odoo.test_people import (
    test_a_cancelled_work_order_is_neither_started_nor_finished,
    test_a_finish_after_the_orders_completion_stands_and_brings_the_machines_times,
    test_an_order_started_by_hand_still_counts_what_the_floor_counted,
    test_more_than_the_tolerance_is_posted_once_a_person_released_it,
    test_more_than_the_tolerance_is_put_on_hold_once_a_person_released_it,
    test_what_a_person_started_and_finished_stays_as_the_person_left_it,
)
from tests.live_odoo.test_suite import mode, test_it_behaves_as_every_odoo

__all__ = [
    "mode",
    "test_a_cancelled_work_order_is_neither_started_nor_finished",
    "test_a_completion_keeps_its_genealogy_and_its_actual_consumption",
    "test_a_finish_after_the_orders_completion_stands_and_brings_the_machines_times",
    "test_a_hold_keeps_the_goods_out_of_stock",
    "test_a_lot_without_stock_is_refused_and_leaves_nothing_behind",
    "test_an_order_is_read_when_released_changed_completed_and_taken_back",
    "test_an_order_started_by_hand_still_counts_what_the_floor_counted",
    "test_it_behaves_as_every_odoo",
    "test_it_refuses",
    "test_more_than_the_tolerance_is_posted_once_a_person_released_it",
    "test_more_than_the_tolerance_is_put_on_hold_once_a_person_released_it",
    "test_once_twice_and_four_times_at_once_is_one_effect",
    "test_scrap_of_the_order_is_no_consumption_of_its_completion",
    "test_scrap_of_the_order_stays_scrap_when_the_order_goes_on_hold",
    "test_scrap_of_unfinished_pieces_never_touches_stock",
    "test_starting_work_leaves_the_quantity_alone_and_finishing_keeps_the_machines_times",
    "test_what_a_person_started_and_finished_stays_as_the_person_left_it",
]
