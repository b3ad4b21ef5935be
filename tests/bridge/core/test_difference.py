"""The paths under which a planner and a MES read what changed in a release."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.difference import differences

PRESS = {"work_order": "wo-1", "sequence": 1, "work_center": "PRESS-1"}
PACK = {"work_order": "wo-2", "sequence": 2, "work_center": "PACK-1"}
RESIN = {"line": "move-1", "quantity": "0.5", "reserved": [{"lot": "R-1", "quantity": "0.5"}]}


@pytest.mark.parametrize(
    ("before", "after", "paths"),
    [
        ({"quantity": "1"}, {"quantity": "1"}, ()),
        ({"quantity": "1"}, {"quantity": "2"}, ("quantity",)),
        ({"due": None}, {"due": "2026-11-24T15:00:00Z", "priority": 1}, ("due", "priority")),
        ({"bom": {"code": "A", "content": "1"}}, {"bom": {"code": "A", "content": "2"}}, ("bom.content",)),
        ({"bom": {"code": "A"}}, {"bom": None}, ("bom",)),
        (
            {"operations": [PRESS, PACK]},
            {"operations": [{**PRESS, "work_center": "PRESS-2"}, PACK]},
            ("operations[wo-1].work_center",),
        ),
        ({"operations": [PRESS]}, {"operations": [PACK]}, ("operations[wo-2]", "operations[wo-1]")),
        ({"operations": [PRESS, PACK]}, {"operations": [PACK, PRESS]}, ("operations",)),
        (
            {"components": [RESIN]},
            {"components": [{**RESIN, "reserved": [{"lot": "R-2", "quantity": "0.5"}]}]},
            ("components[move-1].reserved",),
        ),
        ({"components": []}, {"components": [RESIN]}, ("components[move-1]",)),
        ({"lots": ["L-1"]}, {"lots": ["L-1", "L-2"]}, ("lots",)),
    ],
)
def test_what_changed_is_told_by_its_path(
    before: dict[str, object], after: dict[str, object], paths: tuple[str, ...]
) -> None:
    assert differences(before, after) == paths


value = st.integers(0, 2) | st.none() | st.lists(st.sampled_from([PRESS, PACK, RESIN, {}]), max_size=3)
document = st.dictionaries(st.sampled_from("abc"), value | st.dictionaries(st.sampled_from("ab"), value))


@given(document, document)
def test_only_equal_documents_have_no_differences(before: dict[str, object], after: dict[str, object]) -> None:
    assert (differences(before, after) == ()) == (before == after)
