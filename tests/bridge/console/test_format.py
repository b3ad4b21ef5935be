"""Values look on a page as people read them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge.console.format import age, clock_of, number, odoo_link, order_link, pretty, sample, skew, value
from ruleset.sample import Event, Plain, Sample, Source

SOURCE = Source(topic="t")


@pytest.mark.parametrize(
    ("raw", "text"),
    [(b"\xff", "ff"), (b"\x1b[2J", "1b 5b 32 4a"), (b'{"temp": 71.3}', '{"temp": 71.3}'), ("73 °C".encode(), "73 °C")],
)
def test_what_is_no_payload_is_shown_as_text_where_it_is_one(raw: bytes, text: str) -> None:
    assert sample(raw) == text


@pytest.mark.parametrize(
    ("ms", "text"), [(None, ""), (-40, "+0.0 s"), (40, "+0.0 s"), (-60, "-0.1 s"), (3_600_000, "+3600.0 s")]
)
def test_a_clock_that_is_right_is_neither_ahead_nor_behind(ms: int | None, text: str) -> None:
    assert skew(ms) == text


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (None, "–"),
        (-5, "0 s"),
        (59_999, "59 s"),
        (60_000, "1 min"),
        (3_600_000, "1 h"),
        (3_660_000, "1 h 1 min"),
        (48 * 3_600_000, "2 d"),
        (100 * 3_600_000, "4 d 4 h"),
    ],
)
def test_an_age_has_the_units_that_matter(ms: int | None, text: str) -> None:
    assert age(ms) == text


def test_a_moment_is_shown_as_the_plants_clocks_show_it() -> None:
    assert clock_of("Europe/Berlin")(1_700_000_000_000) == "14 Nov 23:13:20 CET"


@pytest.mark.parametrize(
    ("given", "text"), [(None, "–"), (Decimal("40.500"), "40.5"), (Decimal("0.0"), "0"), (100, "100"), (1e-3, "0.001")]
)
def test_a_quantity_has_no_superfluous_zeros(given: Decimal | int | float | None, text: str) -> None:
    assert number(given) == text


def test_a_value_and_an_event_are_short() -> None:
    sample = Sample(equipment="e", signal="s", value=3.14159265, at_ms=0, source=SOURCE)
    fields: dict[str, Plain] = {"qty": 2.0, "confirmed": True, "parts": [{}, {}], "lot": None}
    event = Event(equipment="e", signal="s", id="7", fields=fields, at_ms=0, source=SOURCE)

    assert (value(sample), value(event)) == ("3.14159", "qty 2, confirmed yes, parts (2)")


@pytest.mark.parametrize(
    ("url", "receipt", "link"),
    [
        (
            "https://odoo.example",
            {"model": "mrp.production", "id": 7},
            "https://odoo.example/web#id=7&model=mrp.production&view_type=form",
        ),
        ("https://odoo.example", {"model": "mqtt", "id": 0}, None),
        (
            "https://odoo.example",
            {"model": 'a."><b>', "id": 7},
            "https://odoo.example/web#id=7&model=a.%22%3E%3Cb%3E&view_type=form",
        ),
        ("javascript:alert(1)", {"model": "mrp.production", "id": 7}, None),
        ("https://odoo.example", {}, None),
        ("https://odoo.example", "no JSON", None),
    ],
)
def test_a_receipt_leads_to_the_record(url: str, receipt: object, link: str | None) -> None:
    assert odoo_link(url, receipt) == link


@pytest.mark.parametrize(
    ("order", "link"),
    [("mo-42", "https://odoo.example/web#id=42&model=mrp.production&view_type=form"), ("mo-x", None), ("", None)],
)
def test_an_order_leads_to_the_manufacturing_order(order: str, link: str | None) -> None:
    assert order_link("https://odoo.example", order) == link


def test_what_cannot_be_read_as_json_is_shown_as_it_is() -> None:
    assert (pretty("raw"), pretty({"a": 1})) == ("raw", '{\n  "a": 1\n}')
