"""What a peer sends never ends the bridge."""

import pytest

from bridge.core.input import Notice, Started, UnsDocument
from bridge.pipeline import Core, step
from bridge.plant import load_plant
from bridge.wiring import new_core
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
