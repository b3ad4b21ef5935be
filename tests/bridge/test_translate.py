from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.translate import Complaint, ComplaintName, Translator
from ruleset.assets import read_assets
from ruleset.codes import read_codes
from ruleset.equipment import Assets
from ruleset.problem import Problems
from ruleset.sample import Event, Fresh, Plain, Sample, Source, Stale
from sparkplug.fact import (
    DataRead,
    DataSet,
    DeviceOffline,
    DeviceOnline,
    Finding,
    NodeId,
    NodeOffline,
    NodeOnline,
    Origin,
    Reading,
    Value,
)

DEMO = Path(__file__).parents[2] / "bridge" / "demo" / "plant"
PRESS = "acme/berlin/machining/press-1"
STATION = "acme/berlin/quality/station-1"
PRESS_ORIGIN = Origin("acme-berlin", "machining", "press-1")
STATION_ORIGIN = Origin("acme-berlin", "quality", None)
DATA = Source(topic="spBv1.0/acme-berlin/DDATA/machining/press-1", seq=7)
AT_MS = 1_795_421_000_000


def demo_assets() -> Assets:
    problems = Problems()
    codes = read_codes("codes.yaml", (DEMO / "codes.yaml").read_text(), problems)
    assets = read_assets("assets.yaml", (DEMO / "assets.yaml").read_text(), codes, problems)
    assert assets is not None, problems.all
    return assets


def translator() -> Translator:
    return Translator(demo_assets())


def read(*metrics: tuple[str, Value], birth: bool = False, historical: bool = False) -> DataRead:
    readings = (Reading(metric=name, value=value, at_ms=AT_MS, historical=historical) for name, value in metrics)
    return DataRead(origin=PRESS_ORIGIN, readings=tuple(readings), at_ms=AT_MS, seq=7, birth=birth)


def scrap(
    number: Value, qty: Value = 1.0, *, birth: bool = False, historical: bool = False, reason: Value = "S01"
) -> DataRead:
    fields: tuple[tuple[str, Value], ...] = (
        ("Scrap/Number", number),
        ("Scrap/order", "mo-1"),
        ("Scrap/qty", qty),
        ("Scrap/reason", reason),
        ("Scrap/confirmed", True),
    )
    return read(*fields, birth=birth, historical=historical)


def decided(*rows: tuple[str, int | str, str | None], historical: bool = False) -> DataRead:
    dataset = DataSet(
        columns=("id", "at", "order", "lot", "status"),
        rows=tuple((id, at, "mo-1", "L1", status) for id, at, status in rows),
    )
    reading = Reading(metric="Dispositions", value=dataset, at_ms=AT_MS, historical=historical)
    return DataRead(origin=STATION_ORIGIN, readings=(reading,), at_ms=AT_MS, seq=1)


def ids(outputs: tuple[object, ...]) -> list[str]:
    return [each.id for each in outputs if isinstance(each, Event)]


def complaints(outputs: tuple[object, ...]) -> list[tuple[ComplaintName, str]]:
    return [(each.name, each.text) for each in outputs if isinstance(each, Complaint)]


def test_samples_come_in_payload_order_with_the_order_first() -> None:
    outputs = translator().fact(
        read(("State", "RUN"), ("Counters/Good", 41), ("Unbound", 1), ("Vibration/RMS", 3), ("Order", "mo-1"))
    )

    assert [(each.signal, each.value) for each in outputs if isinstance(each, Sample)] == [
        ("order", "mo-1"),
        ("state", "RUN"),
        ("good_count", 41),
        ("vibration_rms", 3.0),
    ]
    assert outputs[1] == Sample(equipment=PRESS, signal="state", value="RUN", at_ms=AT_MS, source=DATA)


def test_a_history_with_several_orders_keeps_each_moment_together() -> None:
    moments: list[tuple[int, str, Value]] = [
        (1, "Counters/Good", 5),
        (1, "Order", "mo-1"),
        (2, "Counters/Good", 6),
        (2, "Order", "mo-2"),
    ]
    readings = tuple(Reading(metric=name, value=value, at_ms=at, historical=True) for at, name, value in moments)
    outputs = translator().fact(DataRead(origin=PRESS_ORIGIN, readings=readings, at_ms=9, seq=1))

    assert [each.value for each in outputs if isinstance(each, Sample)] == ["mo-1", 5, "mo-2", 6]
    assert all(isinstance(each, Sample) and each.historical for each in outputs)


def test_null_is_a_sample_without_value_and_a_birth_says_so() -> None:
    (sample,) = translator().fact(read(("State", None), birth=True))

    source = Source(topic="spBv1.0/acme-berlin/DBIRTH/machining/press-1", seq=7)
    assert sample == Sample(equipment=PRESS, signal="state", value=None, at_ms=AT_MS, source=source, birth=True)


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        ("State", 5, 'metric "State": expected text, found the integer 5'),
        ("Counters/Good", 5.0, 'metric "Counters/Good": expected integer, found the number 5.0'),
        ("Counters/Good", True, 'metric "Counters/Good": expected integer, found true'),
        ("Vibration/RMS", "7.1", 'metric "Vibration/RMS": expected number, found the text "7.1"'),
        ("Vibration/RMS", float("nan"), 'metric "Vibration/RMS": expected number, found the number nan'),
        ("Vibration/RMS", 10**400, 'metric "Vibration/RMS": expected number, found a very large integer'),
        ("State", DataSet(columns=(), rows=()), 'metric "State": expected text, found a dataset'),
        ("State", ("a", "b"), 'metric "State": expected text, found a list'),
    ],
)
def test_a_value_of_the_wrong_type_is_a_complaint_and_no_sample(metric: str, value: Value, text: str) -> None:
    (complaint,) = translator().fact(read((metric, value)))

    assert isinstance(complaint, Complaint)
    assert (complaint.equipment, complaint.name, complaint.text) == (PRESS, ComplaintName.WRONG_TYPE, text)


def test_equipment_goes_stale_with_its_device_or_node_and_fresh_with_its_birth() -> None:
    machine = translator()
    node, press_2 = NodeId("acme-berlin", "machining"), "acme/berlin/machining/press-2"

    assert machine.fact(DeviceOffline(origin=PRESS_ORIGIN, at_ms=1, reason="DDEATH")) == (
        Stale(equipment=PRESS, at_ms=1, reason="DDEATH"),
    )
    assert machine.fact(NodeOffline(node=node, at_ms=2, reason="NDEATH")) == (
        Stale(equipment=PRESS, at_ms=2, reason="NDEATH"),
        Stale(equipment=press_2, at_ms=2, reason="NDEATH"),
    )
    assert machine.fact(NodeOnline(node=node, at_ms=3)) == ()
    assert machine.fact(DeviceOnline(origin=PRESS_ORIGIN, at_ms=4)) == (Fresh(equipment=PRESS, at_ms=4),)
    quality = NodeId("acme-berlin", "quality")
    assert machine.fact(NodeOnline(node=quality, at_ms=5)) == (Fresh(equipment=STATION, at_ms=5),)


def test_what_is_bound_to_nothing_gives_nothing() -> None:
    machine = translator()
    stranger = Origin("other", "node", None)
    readings = (Reading(metric="State", value="RUN", at_ms=1),)

    assert machine.fact(DataRead(origin=stranger, readings=readings, at_ms=1, seq=0)) == ()
    assert machine.fact(DeviceOnline(origin=stranger, at_ms=1)) == ()
    assert machine.fact(Finding(node=NodeId("a", "b"), name="x", text="y")) == ()
    assert machine.take_changed() == frozenset()


def test_a_group_is_one_event_with_its_running_number() -> None:
    machine = translator()
    machine.fact(scrap(0, birth=True))

    outputs = machine.fact(scrap(1, 2))

    fields: dict[str, Plain] = {"order": "mo-1", "qty": 2.0, "reason": "S01", "lot": None, "confirmed": True}
    assert outputs == (Event(equipment=PRESS, signal="scrap", id="1", fields=fields, at_ms=AT_MS, source=DATA),)


def test_events_come_after_the_samples_of_their_message() -> None:
    event = scrap(1)
    state = Reading(metric="State", value="RUN", at_ms=AT_MS)
    message = DataRead(origin=PRESS_ORIGIN, readings=(*event.readings, state), at_ms=AT_MS, seq=7)

    assert [type(each) for each in translator().fact(message)] == [Sample, Event]


def test_a_birth_repeats_the_last_event_without_effect_and_brings_one_that_was_missed() -> None:
    machine = translator()
    machine.fact(scrap(0, birth=True))
    machine.fact(scrap(1))

    assert machine.fact(scrap(1, birth=True)) == ()
    assert ids(machine.fact(scrap(2, birth=True))) == ["2"]
    assert ids(machine.fact(scrap(2))) == []


def test_a_gap_names_what_is_missing_and_history_fills_it() -> None:
    machine = translator()
    machine.fact(scrap(1))

    outputs = machine.fact(scrap(5, birth=True))
    assert complaints(outputs) == [(ComplaintName.EVENT_GAP, "events 2 to 4 are missing before event 5")]
    assert ids(outputs) == ["5"]

    late = machine.fact(scrap(3, historical=True))
    assert ids(late) == ["3"]
    assert [each.historical for each in late if isinstance(each, Event)] == [True]
    assert machine.fact(scrap(3, historical=True)) == ()
    assert ids(machine.fact(scrap(2, historical=True))) == ["2"]
    assert machine.fact(scrap(1, historical=True)) == ()
    assert ids(machine.fact(scrap(6))) == ["6"]


def test_a_number_that_begins_anew_is_an_epoch_with_ids_of_its_own() -> None:
    machine = translator()
    for number in (1, 2, 3):
        machine.fact(scrap(number))

    assert machine.fact(scrap(0, birth=True)) == ()
    assert ids(machine.fact(scrap(1, 9))) == ["1-1"]
    assert ids(machine.fact(scrap(2))) == ["1-2"]
    wrapped = machine.fact(scrap(1))
    assert (ids(wrapped), complaints(wrapped)) == (["2-1"], [])


def test_the_same_number_with_other_content_is_a_complaint_once() -> None:
    machine = translator()
    machine.fact(scrap(1, 1))

    text = "number 1 came again with other content; number every event anew"
    assert complaints(machine.fact(scrap(1, 2))) == [(ComplaintName.EVENT_CHANGED, text)]
    assert machine.fact(scrap(1, 2)) == ()


def test_a_number_that_is_high_when_first_heard_of_is_taken_and_said() -> None:
    outputs = translator().fact(scrap(17, birth=True))

    text = "first heard of at number 17; earlier events are not known here"
    assert complaints(outputs) == [(ComplaintName.EVENTS_BEFORE, text)]
    assert ids(outputs) == ["17"]


def test_an_event_that_is_wrong_names_every_field_and_a_birth_may_still_bring_it() -> None:
    machine = translator()
    machine.fact(scrap(1))

    outputs = machine.fact(scrap(2, "two", reason=None))
    text = 'event 2: qty: expected number, found the text "two"; reason is missing'
    assert complaints(outputs) == [(ComplaintName.INVALID_EVENT, text)]
    assert ids(machine.fact(scrap(2, birth=True))) == ["2"]


@pytest.mark.parametrize("number", [True, 1.0, "1", -1])
def test_a_running_number_that_is_none_is_a_complaint(number: Value) -> None:
    ((name, text),) = complaints(translator().fact(scrap(number)))

    assert name is ComplaintName.INVALID_EVENT
    assert text.startswith("the running number must be a whole number from 0, found ")


def test_fields_without_their_number_are_a_complaint() -> None:
    outputs = translator().fact(read(("Scrap/qty", 1.0)))

    text = "fields without the running number; publish all metrics of the group in one message"
    assert complaints(outputs) == [(ComplaintName.INVALID_EVENT, text)]


def test_one_message_may_carry_several_events_of_a_group() -> None:
    readings = [*scrap(1, historical=True).readings, *scrap(2, 5, historical=True).readings]
    outputs = translator().fact(DataRead(origin=PRESS_ORIGIN, readings=tuple(readings), at_ms=AT_MS, seq=7))

    assert [(each.id, each.fields["qty"]) for each in outputs if isinstance(each, Event)] == [("1", 1.0), ("2", 5.0)]


def test_new_rows_of_a_dataset_are_events_in_their_order() -> None:
    machine = translator()

    first = machine.fact(decided(("d1", AT_MS, "accept"), ("d2", "2026-11-23T10:00:00+01:00", "reject")))
    assert [(each.id, each.at_ms, each.fields["status"]) for each in first if isinstance(each, Event)] == [
        ("d1", AT_MS, "accept"),
        ("d2", 1_795_424_400_000, "reject"),
    ]
    assert machine.fact(decided(("d1", AT_MS, "accept"), ("d2", "2026-11-23T10:00:00+01:00", "reject"))) == ()
    assert ids(machine.fact(decided(("d1", AT_MS, "accept"), ("d3", AT_MS, "accept")))) == ["d3"]


def test_a_row_with_a_known_id_and_other_content_goes_on_as_the_same_fact() -> None:
    machine = translator()
    machine.fact(decided(("d1", AT_MS, "accept")))

    assert ids(machine.fact(decided(("d1", AT_MS, "reject")))) == ["d1"]


def test_rows_that_were_all_unknown_may_hide_a_gap() -> None:
    machine = translator()
    machine.fact(decided(("d1", AT_MS, "accept")))

    outputs = machine.fact(decided(("d8", AT_MS, "accept"), ("d9", AT_MS, "accept")))

    text = "none of the rows was seen before; rows between may be missing"
    assert complaints(outputs) == [(ComplaintName.EVENT_GAP, text)]
    assert ids(outputs) == ["d8", "d9"]


def test_a_wrong_row_is_said_once_and_the_others_are_taken() -> None:
    machine = translator()
    message = decided(("d1", "yesterday", None), ("d2", AT_MS, "accept"))

    outputs = machine.fact(message)

    text = 'row d1: at: expected ISO 8601 with a zone, or milliseconds, found the text "yesterday"; status is missing'
    assert complaints(outputs) == [(ComplaintName.INVALID_EVENT, text)]
    assert ids(outputs) == ["d2"]
    assert machine.fact(message) == ()


def test_a_dataset_without_its_columns_is_a_complaint() -> None:
    reading = Reading(metric="Dispositions", value=DataSet(columns=("id", "lot"), rows=()), at_ms=1)
    outputs = translator().fact(DataRead(origin=STATION_ORIGIN, readings=(reading,), at_ms=1, seq=1))

    assert complaints(outputs) == [(ComplaintName.INVALID_EVENT, "the DataSet has no column at, order, status")]


def test_many_rows_are_not_remembered_for_ever() -> None:
    machine = translator()
    for number in range(500):
        machine.fact(decided((f"d{number}", AT_MS, "accept"), (f"d{number + 1}", AT_MS, "accept")))

    assert len(machine.snapshot(STATION)) < 3_000


def test_what_was_seen_survives_a_restart() -> None:
    before = translator()
    before.fact(scrap(1))
    before.fact(scrap(4))
    before.fact(decided(("d1", AT_MS, "accept")))
    assert before.take_changed() == {PRESS, STATION}
    assert before.take_changed() == frozenset()

    after = translator()
    for equipment in (PRESS, STATION):
        after.restore(equipment, before.snapshot(equipment))

    assert after.fact(scrap(4, birth=True)) == ()
    assert ids(after.fact(scrap(2, historical=True))) == ["2"]
    assert after.fact(decided(("d1", AT_MS, "accept"))) == ()
    assert after.take_changed() == {PRESS}


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.booleans()), max_size=20))
def test_no_event_id_is_ever_given_twice(numbers: list[tuple[int, bool, bool]]) -> None:
    machine = translator()
    seen: list[str] = []
    for number, birth, historical in numbers:
        seen += ids(machine.fact(scrap(number, birth=birth, historical=historical)))

    assert len(seen) == len(set(seen))
