"""What a peer sends never ends the bridge."""

from base64 import b64decode
from dataclasses import fields, replace

import msgspec
import pytest

from bridge.core.input import Notice, Started, Tick, UnsDocument
from bridge.core.job import unmet_reason
from bridge.core.site import Core
from bridge.pipeline import step
from bridge.plant import load_plant
from bridge.translate import Complaint, Translator
from bridge.wiring import new_core
from ruleset.form.memory import OccurrenceMemory
from ruleset.form.moment import Moment
from ruleset.form.occurrence import Occurrence
from ruleset.output import EngineOutput
from ruleset.sample import Event, Observation
from state.entry import EntryState
from tests.bridge import rig

NOW_MS = 1_700_000_000_000
ACK = f"{rig.SITE}/order/{rig.ORDER}/ack"


def started_core() -> Core:
    core = new_core(load_plant(rig.PLANT))
    step(core, Started(), NOW_MS)
    return core


@pytest.mark.parametrize(
    "payload",
    [
        b'{"id":"a1","order":"mo-1\xff","version":1,"status":"accepted"}',
        b'{"id":"a1","order":"mo-1","version":1,"status":"accepted","more":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=["no UTF-8", "nested too deep"],
)
def test_an_acknowledgement_that_cannot_be_decoded_is_named(payload: bytes) -> None:
    (notice,) = step(started_core(), UnsDocument(ACK, payload), NOW_MS)
    assert isinstance(notice, Notice)
    assert (notice.level, notice.name, notice.fields["topic"]) == ("warning", "document.unreadable", ACK)


class _Failing(Occurrence):
    """A form with a defect: it cannot take events that say so."""

    def happened(self, memory: OccurrenceMemory | None, event: Event, moment: Moment) -> tuple[EngineOutput, ...]:
        if event.fields.get("work_order") == "poison":
            raise ZeroDivisionError("division by zero")
        return super().happened(memory, event, moment)


def started(id: str, work_order: str) -> UnsDocument:
    body = {"id": id, "at": NOW_MS, "order": rig.ORDER, "work_order": work_order}
    return UnsDocument(f"{rig.SITE}/packaging/line-1/work_started", msgspec.json.encode(body))


def test_an_event_that_a_rule_fails_on_is_a_dead_letter_and_the_others_are_posted() -> None:
    plant = load_plant(rig.PLANT)
    instances = [
        replace(each, form=_Failing(**{one.name: getattr(each.form, one.name) for one in fields(each.form)}))
        if each.rule == "work-started" and isinstance(each.form, Occurrence)
        else each
        for each in plant.rules.instances
    ]
    rules = replace(plant.rules, instances=tuple(instances))
    core = new_core(replace(plant, content=replace(plant.content, rules=rules)))
    step(core, Started(), NOW_MS)
    for document in (started("s1", "wo-1"), started("s2", "poison"), started("s3", "wo-3")):
        step(core, document, NOW_MS)
    step(core, Tick(), NOW_MS + 60_000)
    assert [(entry.key.rpartition(":")[2], entry.state) for entry in core.outbox.entries()] == [
        ("s1", EntryState.PENDING),
        ("s2", EntryState.DEAD),
        ("s3", EntryState.PENDING),
    ]


class _FailingTranslator(Translator):
    def document(self, topic: str, payload: bytes, now_ms: int) -> tuple[Observation | Complaint, ...]:
        if b"poison" in payload:
            raise KeyError("poison")
        return super().document(topic, payload, now_ms)


def core_that_cannot_translate() -> Core:
    plant = load_plant(rig.PLANT)
    core = new_core(plant)
    core.floor.translator = _FailingTranslator(plant.assets)
    return core


def test_a_document_that_the_bridge_cannot_take_is_set_aside_once_and_kept() -> None:
    core = core_that_cannot_translate()
    step(core, Started(), NOW_MS)
    poison = started("s2", "poison")
    said = [list(step(core, document, NOW_MS)) for document in (poison, poison, started("s3", "wo"))]
    assert [[one.name for one in each if isinstance(one, Notice)] for each in said] == [["input.set_aside"], [], []]
    (entry,) = core.outbox.entries()
    body = msgspec.json.decode(entry.body)
    assert (entry.state, b64decode(body["told"]["payload"])) == (EntryState.DEAD, poison.payload)


def test_a_dead_letter_of_what_was_set_aside_shows_its_reason() -> None:
    core = core_that_cannot_translate()
    step(core, Started(), NOW_MS)
    step(core, started("s2", "poison"), NOW_MS)
    (entry,) = core.outbox.entries()
    assert (unmet_reason(entry.body) or "").startswith("a defect of the bridge, please report it: KeyError at test_")
