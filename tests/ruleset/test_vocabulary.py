"""How a value of `with` becomes what its transaction holds."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ruleset.form.vocabulary import Lacking, Want, converted
from ruleset.sample import Plain
from ruleset.transaction import Answer, Byproduct


@pytest.mark.parametrize(
    ("want", "value", "held"),
    [
        (Want.NAMES, ["S-1", "S-2"], ("S-1", "S-2")),
        (Want.NAMES, ["S-1", ""], Lacking("it is not a list of names")),
        (Want.NAMES, "S-1", Lacking("it is not a list of names")),
        (
            Want.ANSWERS,
            [{"name": "Torque Nm", "value": 9.1}, {"name": "Visual", "value": "OK"}],
            (Answer(question="Torque Nm", value="9.1"), Answer(question="Visual", value="OK")),
        ),
        (Want.ANSWERS, "OK", Lacking("it is not a list")),
        (Want.ANSWERS, [{"value": 9.1}], Lacking("entry 1 has no name")),
        (
            Want.ANSWERS,
            [{"name": "Visual", "value": True}],
            Lacking("the value of Visual is neither a number nor text"),
        ),
        (Want.SHORT, "backorder", "backorder"),
        (Want.SHORT, "later", Lacking("it must be 'close' or 'backorder'")),
        (
            Want.BYPRODUCTS,
            [{"product": "SPRUE", "qty": 9.0, "unit": "pcs", "lot": "S-1"}],
            (Byproduct(product="SPRUE", quantity=Decimal(9), unit="pcs", lot="S-1"),),
        ),
        (Want.BYPRODUCTS, [{"product": "SPRUE", "qty": 9.0}], Lacking("the quantity of SPRUE has no unit")),
    ],
)
def test_a_value_is_what_its_parameter_wants_or_says_why_not(want: Want, value: Plain, held: object) -> None:
    assert converted(want, value) == held
