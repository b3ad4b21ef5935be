"""Whatever happens to an edge node of our own, a host finds nothing wrong with it, and no update is lost uncounted."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from sparkplug.command import rebirth_command
from sparkplug.edge import Disconnect, EdgeOutput, Publish
from sparkplug.fact import DataRead, Finding, Output
from sparkplug.host import HostApplication
from sparkplug.wire.state import HostState, encode_state
from tests.sparkplug.edge_situation import STATE, press
from tests.sparkplug.situation import NODE

METRIC = {None: "speed", "arm": "force"}
BUFFER = 5
KINDS = st.sampled_from(
    ["node counts", "device counts", "device lost", "device found", "host online", "host offline", "cut", "rebirth"]
)
COURSES = st.lists(KINDS, min_size=20, max_size=60)


class Floor:
    """A node, and a host that hears all that arrives."""

    def __init__(self) -> None:
        self.edge = press(buffer_limit=BUFFER)
        self.host = HostApplication("berlin")
        self.host.connected(0, will_ms=0)
        self.heard: list[Output] = []
        self.now_ms = 1_000
        self.counted: dict[str | None, int] = {None: 100, "arm": 100}
        self.state = encode_state(HostState(False, 0))
        self.connect()

    def connect(self) -> None:
        self.will = self.edge.will(self.now_ms)
        self.arrive(self.edge.connected(self.now_ms))
        self.arrive(self.edge.receive(STATE, self.state, self.now_ms))

    def happen(self, event: str) -> None:
        self.now_ms += 1
        match event:
            case "node counts" | "device counts":
                device = "arm" if event.startswith("device") else None
                self.counted[device] += 1
                self.arrive(self.edge.update(device, {METRIC[device]: self.counted[device]}, self.now_ms))
            case "device lost":
                self.arrive(self.edge.device_lost("arm", self.now_ms))
            case "device found":
                self.arrive(self.edge.device_found("arm", self.now_ms))
            case "host online" | "host offline":
                self.state = encode_state(HostState(event == "host online", self.now_ms))
                self.arrive(self.edge.receive(STATE, self.state, self.now_ms))
            case "cut":
                self.edge.disconnected(self.now_ms)
                self.hear(*self.will)
                self.connect()
            case "rebirth":
                self.arrive(self.edge.receive(*rebirth_command(NODE, self.now_ms), self.now_ms))

    def arrive(self, outputs: Iterable[EdgeOutput]) -> None:
        for output in outputs:
            if isinstance(output, Publish):
                self.hear(output.topic, output.payload)
            elif isinstance(output, Disconnect):
                self.hear(*self.will)  # MQTT 5 publishes it at this end too
                self.edge.disconnected(self.now_ms)
                self.connect()

    def hear(self, topic: str, payload: bytes) -> None:
        self.heard += self.host.receive(topic, payload, retain=False, now_ms=self.now_ms)

    def data(self, device: str | None) -> list[object]:
        """The counts that the host read in data, in order."""
        reads = [fact for fact in self.heard if isinstance(fact, DataRead) and not fact.birth]
        return [one.value for fact in reads if fact.origin.device == device for one in fact.readings]


@given(COURSES)
def test_any_course_of_things_is_to_the_letter_and_loses_only_what_is_counted(events: list[str]) -> None:
    floor = Floor()
    for event in ["host online", *events]:
        floor.happen(event)

    assert [fact for fact in floor.heard if isinstance(fact, Finding)] == []
    node, device = floor.data(None), floor.data("arm")
    assert (node, device) == (sorted(set(node), key=str), sorted(set(device), key=str))
    made = sum(floor.counted.values()) - 200
    assert len(node) + len(device) + floor.edge.stored + floor.edge.dropped == made
    assert floor.edge.stored <= BUFFER


@given(COURSES)
def test_after_any_course_of_things_a_birth_shows_the_present(events: list[str]) -> None:
    floor = Floor()
    for event in [*events, "device found", "host online", "rebirth"]:
        floor.happen(event)

    births = [fact for fact in floor.heard if isinstance(fact, DataRead) and fact.birth][-2:]
    shown = {fact.origin.device: fact.readings[-1].value for fact in births}
    initial = {None: 10, "arm": 20}
    assert shown == {origin: initial[origin] if n == 100 else n for origin, n in floor.counted.items()}
