"""Topics of order releases and their acknowledgements."""

from __future__ import annotations

import pytest

from bridge.core.topic import acknowledged_order, order_topic

SITE = "acme/berlin"


def test_an_order_is_acknowledged_below_the_topic_of_its_release() -> None:
    assert acknowledged_order(SITE, f"{order_topic(SITE, 'mo-1')}/ack") == "mo-1"


@pytest.mark.parametrize(
    "topic",
    [
        "uns/v1/acme/berlin/order/mo-1",
        "uns/v1/acme/berlin/order/ack",
        "uns/v1/acme/berlin/order//ack",
        "uns/v1/acme/berlin/order/a/b/ack",
        "uns/v1/acme/berlin/packaging/line-1/ack",
        "uns/v1/acme/hamburg/order/mo-1/ack",
        "",
    ],
)
def test_any_other_topic_is_no_acknowledgement(topic: str) -> None:
    assert acknowledged_order(SITE, topic) is None
