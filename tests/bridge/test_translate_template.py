"""An event as an instance of a Sparkplug template."""

from __future__ import annotations

from dataclasses import replace

from bridge.translate import Complaint, ComplaintName, Translator
from ruleset.equipment import EventSignal, TemplateBinding
from ruleset.sample import Event
from sparkplug.fact import DataRead, Reading, Template, Value
from tests.bridge.test_translate import AT_MS, STATION, STATION_ORIGIN, complaints, demo_assets, ids

MEMBERS: dict[str, Value] = {"id": "d1", "at": AT_MS, "order": "mo-1", "lot": "L1", "status": "accept"}


def translator() -> Translator:
    """The demonstration's plant, whose dispositions are a template here."""
    assets = demo_assets()
    station = assets.equipment[STATION]
    signal = station.signals["disposition"]
    assert isinstance(signal, EventSignal)
    bound = replace(signal, binding=TemplateBinding("Disposition"))
    signals = {**station.signals, "disposition": bound}
    return Translator(replace(assets, equipment={**assets.equipment, STATION: replace(station, signals=signals)}))


def told(*, is_definition: bool = False, birth: bool = False, **changed: Value) -> DataRead:
    instance = Template(ref=None if is_definition else "D", is_definition=is_definition, members=MEMBERS | changed)
    reading = Reading(metric="Disposition", value=instance, at_ms=AT_MS)
    return DataRead(origin=STATION_ORIGIN, readings=(reading,), at_ms=AT_MS, seq=1, birth=birth)


def test_each_instance_is_an_event_once_and_a_birth_that_repeats_it_is_none() -> None:
    machine = translator()
    (event,) = machine.fact(told())
    assert isinstance(event, Event)
    assert (event.id, event.at_ms, event.fields) == ("d1", AT_MS, {"order": "mo-1", "lot": "L1", "status": "accept"})
    assert machine.fact(told(birth=True)) == ()
    outputs = machine.fact(told(id="d2", status="reject"))
    assert (ids(outputs), complaints(outputs)) == (["d2"], [])
    restored = translator()
    restored.restore(STATION, machine.snapshot(STATION))
    assert restored.fact(told(id="d2", status="reject", birth=True)) == ()


def test_a_definition_is_no_event() -> None:
    assert translator().fact(told(is_definition=True)) == ()


def test_an_instance_with_only_what_changed_is_a_complaint() -> None:
    instance = Template(ref="D", is_definition=False, members={"id": "d3", "status": "reject"})
    reading = Reading(metric="Disposition", value=instance, at_ms=AT_MS)
    (complaint,) = translator().fact(DataRead(origin=STATION_ORIGIN, readings=(reading,), at_ms=AT_MS, seq=1))
    assert isinstance(complaint, Complaint)
    assert (complaint.name, complaint.text) == (
        ComplaintName.INVALID_EVENT,
        "the template instance has no member at, order, lot",
    )


def test_what_is_no_template_is_a_complaint() -> None:
    reading = Reading(metric="Disposition", value="d1", at_ms=AT_MS)
    outputs = translator().fact(DataRead(origin=STATION_ORIGIN, readings=(reading,), at_ms=AT_MS, seq=1))
    assert complaints(outputs) == [(ComplaintName.INVALID_EVENT, 'expected a template instance, found the text "d1"')]
