"""Records that are damaged, or of a later version, stop the start with a sentence: nothing is overwritten."""

import msgspec
import pytest

from bridge.core.site import STRANGERS_ID, restore, take_changes
from bridge.plant import load_plant
from bridge.wiring import new_core
from state.errors import RecordUnreadable, StateError
from state.record import RecordId, Table
from tests.bridge import rig

LATER = (
    b'{"v":2,"record":{},"kept":[],"order":"mo-1","name":"","version":1,"status":"","content_hash":"",'
    b'"document":{},"published_ms":1}'
)
DAMAGED = b"\xff"


@pytest.mark.parametrize("body", [LATER, DAMAGED], ids=["later", "damaged"])
@pytest.mark.parametrize(
    "record",
    [
        RecordId(Table.SIGNAL, "acme/berlin/packaging/line-1"),
        RecordId(Table.MEMORY, "settling/1"),
        RecordId(Table.MEMORY, "equipment/acme/berlin/packaging/line-1"),
        RecordId(Table.MEMORY, "rule/progress/acme/berlin/packaging/line-1"),
        RecordId(Table.ORDER, "mo-1"),
        RecordId(Table.NODE, "acme-berlin/packaging"),
        RecordId(Table.META, STRANGERS_ID),
    ],
)
def test_a_record_that_cannot_be_read_is_named_and_stays(record: RecordId, body: bytes) -> None:
    core = new_core(load_plant(rig.PLANT))
    with pytest.raises(RecordUnreadable, match=record.id):
        restore(core, {record: body})
    assert take_changes(core) == {}


@pytest.mark.parametrize("body", [msgspec.msgpack.encode({"v": 2}), DAMAGED], ids=["later", "damaged"])
@pytest.mark.parametrize("table", [Table.ENTRY, Table.KEY])
def test_a_record_of_the_outbox_that_cannot_be_read_ends_the_start_in_words(table: Table, body: bytes) -> None:
    with pytest.raises(StateError, match="bring the store back from a backup"):
        restore(new_core(load_plant(rig.PLANT)), {RecordId(table, "key:x"): body})
