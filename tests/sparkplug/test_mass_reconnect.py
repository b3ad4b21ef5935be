"""500 nodes at once, in virtual time: the host's view is right within 30 s, and births are asked at a bounded rate."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest

from sparkplug.fact import NodeId, Output, RequestRebirth
from sparkplug.host import HostApplication, HostSettings
from tests.sparkplug.situation import birth_bytes, data_bytes, device_birth_bytes

NODES = [NodeId("plant", f"node-{number:03}") for number in range(500)]
ANSWER_MS = 300
"""From the command to the birth."""
WITHIN_MS = 30_000


def topic(verb: str, node: NodeId, device: str = "") -> str:
    return f"spBv1.0/{node.group}/{verb}/{node.node}{device}"


@dataclass(slots=True)
class Hall:
    """500 nodes with a device each, which answer a rebirth command; `asked` is when they were asked."""

    host: HostApplication
    now_ms: int = 0
    asked: list[tuple[int, NodeId]] = field(default_factory=list)
    answers: list[tuple[int, NodeId]] = field(default_factory=list)

    def bear(self, node: NodeId) -> None:
        self.take(self.host.receive(topic("NBIRTH", node), birth_bytes(), retain=False, now_ms=self.now_ms))
        device = topic("DBIRTH", node, "/arm")
        self.take(self.host.receive(device, device_birth_bytes(1), retain=False, now_ms=self.now_ms))

    def take(self, outputs: tuple[Output, ...]) -> None:
        for output in outputs:
            if isinstance(output, RequestRebirth):
                self.asked.append((self.now_ms, output.node))
                self.answers.append((self.now_ms + ANSWER_MS, output.node))

    def run(self, until_ms: int) -> None:
        """Let time pass; answer what is due."""
        while True:
            dues = [due_ms for due_ms in (self.host.next_due_ms, *(at_ms for at_ms, _ in self.answers[:1])) if due_ms]
            if not dues or min(dues) > until_ms:
                break
            self.now_ms = max(self.now_ms, min(dues))
            self.take(self.host.due(self.now_ms))
            while self.answers and self.answers[0][0] <= self.now_ms:
                self.bear(self.answers.pop(0)[1])
        self.now_ms = until_ms

    @property
    def phases(self) -> Counter[tuple[str, bool]]:
        return Counter((view.phase, all(view.devices.values())) for view in self.host.nodes())


def known_hall() -> Hall:
    """A host that was connected, knows all nodes, and lost its broker."""
    hall = Hall(HostApplication("berlin"))
    hall.host.connected(0, will_ms=0)
    for node in NODES:
        hall.bear(node)
    hall.take(hall.host.disconnected(1_000))
    return hall


def most_in_a_second(hall: Hall) -> int:
    times = [at_ms for at_ms, _ in hall.asked]
    return max(sum(at <= other < at + 1_000 for other in times) for at in times)


def test_nodes_that_wait_to_be_asked_are_all_online_within_30_s_at_a_bounded_rate() -> None:
    hall = known_hall()
    hall.now_ms = 2_000
    hall.take(hall.host.connected(2_000, will_ms=2_000))
    hall.run(2_000 + WITHIN_MS)
    settings = HostSettings()

    assert hall.phases == {("online", True): 500}
    assert Counter(node for _, node in hall.asked) == dict.fromkeys(NODES, 1)
    assert most_in_a_second(hall) <= settings.rebirth_burst + settings.rebirths_per_s


def test_nodes_that_are_born_by_themselves_at_once_are_not_asked_at_all() -> None:
    hall = known_hall()
    hall.now_ms = 2_000
    hall.take(hall.host.connected(2_000, will_ms=2_000))
    for node in NODES:
        hall.bear(node)
    hall.run(2_000 + WITHIN_MS)

    assert hall.phases == {("online", True): 500}
    assert hall.asked == []


@pytest.mark.parametrize("every_ms", [1_000, 5_000])
def test_nodes_that_go_on_sending_data_unasked_get_one_request_each_in_that_time(every_ms: int) -> None:
    hall = known_hall()
    hall.take(hall.host.connected(2_000, will_ms=2_000))
    for round_, at_ms in enumerate(range(2_000, 2_000 + WITHIN_MS, every_ms)):
        hall.run(at_ms)
        waiting = {view.node for view in hall.host.nodes() if view.phase != "online"}
        for node in waiting:
            data = data_bytes((round_ + 2) % 256, round_)
            hall.take(hall.host.receive(topic("NDATA", node), data, retain=False, now_ms=at_ms))
    hall.run(2_000 + WITHIN_MS)

    assert hall.phases == {("online", True): 500}
    assert max(Counter(node for _, node in hall.asked).values()) <= 2
    assert most_in_a_second(hall) <= 40


def test_a_node_that_never_answers_is_asked_rarely_and_holds_up_nobody() -> None:
    hall = known_hall()
    hall.take(hall.host.connected(2_000, will_ms=2_000))
    hall.run(2_000 + WITHIN_MS)
    deaf = NODES[0]
    hall.take(hall.host.receive(topic("NDATA", deaf), data_bytes(9, 1, alias=99), retain=False, now_ms=hall.now_ms))
    hall.run(hall.now_ms + 600_000)

    assert sum(node == deaf for _, node in hall.asked) == 2
