"""What is read of an order on real Odoos, on the simulator as each version: the same tests."""

from __future__ import annotations

import pytest

from tests.live_odoo.test_released import (
    floor,
    test_a_backorder_says_what_it_goes_on_with_and_its_predecessor_has_another_name,
    test_a_bill_that_changed_before_the_confirmation_is_what_is_released,
    test_a_release_says_all_that_the_floor_needs,
    test_another_lot_that_is_reserved_shows_with_its_quantity,
    test_by_products_and_the_lot_to_make_are_said,
    test_making_the_order_changes_nothing_but_what_is_named,
    test_the_content_of_a_bill_of_materials_is_its_version_whoever_saved_it,
    test_what_became_of_known_orders_is_read_with_all_that_are_open,
)

__all__ = [
    "floor",
    "test_a_backorder_says_what_it_goes_on_with_and_its_predecessor_has_another_name",
    "test_a_bill_that_changed_before_the_confirmation_is_what_is_released",
    "test_a_release_says_all_that_the_floor_needs",
    "test_another_lot_that_is_reserved_shows_with_its_quantity",
    "test_by_products_and_the_lot_to_make_are_said",
    "test_making_the_order_changes_nothing_but_what_is_named",
    "test_the_content_of_a_bill_of_materials_is_its_version_whoever_saved_it",
    "test_what_became_of_known_orders_is_read_with_all_that_are_open",
]


@pytest.fixture(params=["17.0", "18.0", "19.0"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)
