"""The live view holds the present, bounded, and nothing that was stored while the bridge was away."""

from __future__ import annotations

from bridge.core.live import LiveView, Presence, Seen
from ruleset.sample import Event, Fresh, Sample, Source, Stale
from sparkplug.fact import NodeId, NodeOffline, NodeOnline

PRESS = "acme/berlin/machining/press-1"
SOURCE = Source(topic="spBv1.0/g/DDATA/n/press-1")


def sample(value: int, *, historical: bool = False) -> Sample:
    return Sample(equipment=PRESS, signal="good", value=value, at_ms=5, source=SOURCE, historical=historical)


def test_the_last_value_of_a_signal_takes_the_place_of_the_one_before() -> None:
    live = LiveView()

    live.take([sample(1), sample(2)], 10)
    live.take([sample(3)], 20)

    assert live.of(PRESS) == {"good": Seen(sample(3), 20)}


def test_what_was_stored_while_we_were_away_is_not_the_present() -> None:
    live = LiveView()

    live.take([sample(2), sample(1, historical=True)], 10)

    assert live.of(PRESS) == {"good": Seen(sample(2), 10)}


def test_an_event_is_remembered_like_a_value() -> None:
    live = LiveView()
    event = Event(equipment=PRESS, signal="scrap", id="7", fields={"qty": 2}, at_ms=5, source=SOURCE)

    live.take([event], 10)

    assert live.of(PRESS) == {"scrap": Seen(event, 10)}


def test_equipment_that_is_gone_is_gone_since_the_first_word_of_it() -> None:
    live = LiveView()

    live.take([Fresh(equipment=PRESS, at_ms=1)], 1)
    live.take([Stale(equipment=PRESS, at_ms=7, reason="NDEATH")], 7)
    live.take([Stale(equipment=PRESS, at_ms=9, reason="host disconnected")], 9)

    assert live.equipment == {PRESS: Presence(present=False, since_ms=7, reason="NDEATH")}


def test_a_node_that_is_born_again_is_there_since_its_birth() -> None:
    live, node = LiveView(), NodeId("g", "n")

    live.note(NodeOnline(node=node, at_ms=1))
    live.note(NodeOffline(node=node, at_ms=5, reason="NDEATH"))
    live.note(NodeOnline(node=node, at_ms=8))

    assert live.nodes == {node: Presence(present=True, since_ms=8)}
