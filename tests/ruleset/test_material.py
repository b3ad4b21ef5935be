"""A scale reports what it dosed: each event is a fact of its own, in the unit in which it was weighed."""

from __future__ import annotations

import re
from pathlib import Path

from tests.ruleset.floor import Floor

SCALE = "acme/berlin/mixing/scale-1"
_SECTION = (Path(__file__).parents[2] / "docs" / "rules.md").read_text().partition("### What a scale weighs")[2]
RULES = "\n".join(re.findall(r"^    (.*)$", _SECTION.partition("\n## ")[0], re.MULTILINE))
"""The example of docs/rules.md."""


def dosed(floor: Floor, id: str, net: float = 12_480.0, lot: str = "F-1") -> list[str]:
    return floor.happens("dosed", id, at=SCALE, order="mo-1", product="FLOUR", net=net, lot=lot)


def test_what_was_weighed_is_posted_in_grams_and_each_event_has_a_key_of_its_own() -> None:
    floor = Floor(RULES, at=SCALE)
    assert dosed(floor, "1") == ["consume mo-1 12480 g of FLOUR lot F-1"]
    assert dosed(floor, "2", net=20.0, lot="F-2") == ["consume mo-1 20 g of FLOUR lot F-2"]
    assert dosed(floor, "1") == ["consume mo-1 12480 g of FLOUR lot F-1"]
    keys = [transaction.key.removeprefix(f"{SCALE}:material.consume:") for transaction in floor.posted]
    assert keys == ["dosed:1", "dosed:2", "dosed:1"]


def test_an_empty_hopper_is_not_posted() -> None:
    assert dosed(Floor(RULES, at=SCALE), "1", net=0.0) == []


def test_a_lot_is_named_with_its_expiration_date_where_there_is_one() -> None:
    floor = Floor(RULES, at=SCALE)
    named = floor.happens("named", "1", at=SCALE, product="DOUGH", lot="D-1", good_until=1_796_000_000_000.0)
    assert named == ["lot D-1 of DOUGH until 1796000000000"]
    assert floor.happens("named", "2", at=SCALE, product="DOUGH", lot="D-2") == ["lot D-2 of DOUGH until None"]
