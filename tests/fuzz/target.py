"""What fuzzing holds true: whatever a peer sends is answered with outputs, soon, and costs no other node anything.

An input is a row of messages after the good births of two nodes: for each a byte that chooses the topic, two with
the payload's length, and the payload. What is cut short is taken as far as it goes.
"""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

from sparkplug.errors import PayloadError
from sparkplug.fact import DataRead, NodeId
from sparkplug.host import HostApplication
from sparkplug.topic import state_topic
from sparkplug.wire.explain import explain
from sparkplug.wire.payload import encode
from tests.sparkplug.situation import SENT_MS, birth_bytes, data_bytes

CORPUS: Final = Path(__file__).parents[1] / "sparkplug" / "corpus"
FOUND: Final = Path(__file__).parent / "found"
HOST: Final = "hostA"
TOPICS: Final = (
    "spBv1.0/H/NBIRTH/n",
    "spBv1.0/H/NDATA/n",
    "spBv1.0/H/NDEATH/n",
    "spBv1.0/H/DBIRTH/n/d",
    "spBv1.0/H/DDATA/n/d",
    "spBv1.0/H/DDEATH/n/d",
    "spBv1.0/H/NCMD/n",
    "spBv1.0/H/DCMD/n/d",
    state_topic(HOST),
    "spBv1.0/H/NFOO/n",
)
BYSTANDER: Final = NodeId("H", "bystander")
LONGEST_S: Final = 2.0
"""Of the processor, for one input: eight messages that each inflate to the most that is read take one."""
_LENGTH_BYTES: Final = 2
_MOST_BYTES: Final = (1 << 8 * _LENGTH_BYTES) - 1


class Sent(NamedTuple):
    """One message of an input."""

    topic: int
    payload: bytes


def pack(messages: list[Sent]) -> bytes:
    """The input that holds these messages. Payloads are cut to what two bytes can count."""
    return b"".join(
        bytes([message.topic % len(TOPICS)])
        + len(message.payload[:_MOST_BYTES]).to_bytes(_LENGTH_BYTES, "big")
        + message.payload[:_MOST_BYTES]
        for message in messages
    )


def unpack(data: bytes) -> list[Sent]:
    """The messages of an input."""
    messages, at = [], 0
    while at < len(data):
        start = at + 1 + _LENGTH_BYTES
        size = int.from_bytes(data[at + 1 : start], "big")
        messages.append(Sent(data[at] % len(TOPICS), data[start : start + size]))
        at = start + size
    return messages


def seeds() -> list[bytes]:
    """An input for each file of the corpus that fits, and what fuzzing found before."""
    index: dict[str, Any] = json.loads((CORPUS / "index.json").read_text())
    verbs = {topic.split("/")[2]: number for number, topic in enumerate(TOPICS)}
    files = [
        pack([Sent(verbs.get(([*entry["topic"].split("/"), "", "", ""])[2], 1), (CORPUS / entry["file"]).read_bytes())])
        for entry in index["files"]
        if entry["size"] <= _MOST_BYTES
    ]
    return [*files, *(path.read_bytes() for path in sorted(FOUND.glob("*.bin")))]


def hold(data: bytes) -> None:
    """Send an input to a host. Raises whatever must not happen."""
    host = _host()
    begun_s = time.process_time()
    for now_ms, message in enumerate(unpack(data), SENT_MS):
        outputs = host.receive(TOPICS[message.topic], message.payload, retain=False, now_ms=now_ms)
        assert isinstance(outputs, tuple)
        with contextlib.suppress(PayloadError):
            explain(message.payload)
    host.due(SENT_MS + 60_000)
    took_s = time.process_time() - begun_s
    assert took_s < LONGEST_S, f"{took_s:.1f} s"
    _restored(host)
    _bystander_is_read(host)


def _host() -> HostApplication:
    host = HostApplication(HOST)
    host.connected(1, will_ms=1)
    for node in ("n", BYSTANDER.node):
        host.receive(f"spBv1.0/H/NBIRTH/{node}", birth_bytes(), retain=False, now_ms=SENT_MS)
    host.receive("spBv1.0/H/DBIRTH/n/d", encode(timestamp_ms=SENT_MS, seq=1, metrics=[]), retain=False, now_ms=SENT_MS)
    return host


def _restored(host: HostApplication) -> None:
    """What was stored is read again, and is stored the same but for the session, which is stale then."""
    for node in sorted(host.take_changed()):
        again = HostApplication(HOST)
        again.restore(node, host.snapshot(node))
        assert [view.node for view in again.nodes()] == [node]


def _bystander_is_read(host: HostApplication) -> None:
    outputs = host.receive(f"spBv1.0/H/NDATA/{BYSTANDER.node}", data_bytes(1, 11), retain=False, now_ms=SENT_MS + 1)
    [read] = [output for output in outputs if isinstance(output, DataRead)]
    assert [(reading.metric, reading.value) for reading in read.readings] == [("speed", 11)]
