"""Inspections as they are tested on a real Odoo, on the simulator with each list that it can have."""

from __future__ import annotations

import pytest

from odoo_adapter.simulator.model import QUALITY
from tests.live_odoo.test_inspections import (
    mode,
    test_a_result_ends_it_by_its_status_and_one_that_decides_nothing_is_written_down,
    test_a_result_without_a_request_is_a_note,
    test_a_value_that_answers_no_question_is_refused_where_there_are_questions,
    test_an_inspection_is_asked_for_once_where_quality_people_look_until_its_result,
    test_measured_values_answer_the_questions_of_the_test_and_a_pass_that_they_contradict_waits,
    test_only_an_odoo_that_keeps_inspections_needs_the_right_to_them,
    test_only_the_inspection_of_that_name_order_and_lot_ends,
    test_what_a_person_decided_before_the_result_stays,
)

__all__ = [
    "mode",
    "quality",
    "test_a_result_ends_it_by_its_status_and_one_that_decides_nothing_is_written_down",
    "test_a_result_without_a_request_is_a_note",
    "test_a_value_that_answers_no_question_is_refused_where_there_are_questions",
    "test_an_inspection_is_asked_for_once_where_quality_people_look_until_its_result",
    "test_measured_values_answer_the_questions_of_the_test_and_a_pass_that_they_contradict_waits",
    "test_only_an_odoo_that_keeps_inspections_needs_the_right_to_them",
    "test_only_the_inspection_of_that_name_order_and_lot_ends",
    "test_what_a_person_decided_before_the_result_stays",
]


@pytest.fixture(params=[*QUALITY], ids=lambda quality: quality or "activities")
def quality(request: pytest.FixtureRequest) -> str:
    kept: str = request.param
    return kept
