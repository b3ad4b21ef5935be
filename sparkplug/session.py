"""`NodeSession`: one edge node and its devices, as the host application sees them. Called by `HostApplication`.

The life of a session: NBIRTH brings it online and declares the metrics; NDATA, DBIRTH, DDATA and DDEATH follow in
the order of `seq`; the NDEATH with the birth's `bdSeq` ends it. What breaks this (a gap that stays open, data
before its birth, an alias that no birth declared) ends in a finding and a request for a rebirth, never in an
exception and never in a guess.

A session is *stale* while it cannot be sure: after a lost gap, after an outage of the host, after a restart. Its
aliases are still known, so data goes on being read, in the order in which it comes, until the next birth.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum
from statistics import median_low
from typing import Final

from sparkplug.catalog import EMPTY, Catalog, declare, template_definitions
from sparkplug.device import Devices
from sparkplug.fact import (
    ONLY_SERVER,
    DataRead,
    NodeId,
    NodeOffline,
    NodeOnline,
    Origin,
    Output,
    RequestRebirth,
)
from sparkplug.finding import ASKS_REBIRTH, FindingName, Findings, Problem, Told
from sparkplug.message import (
    DeviceBirth,
    DeviceData,
    DeviceDeath,
    Message,
    NodeBirth,
    NodeData,
    NodeDeath,
    Sequenced,
    bd_seq_of,
    birth_problems,
    seq_of,
)
from sparkplug.pace import Backoff
from sparkplug.sequence import Overtakers, Sequence
from sparkplug.wire.payload import Payload

SKEW_SAMPLES: Final = 15  # an odd number, whose median a few messages that were held up do not move


class Phase(Enum):
    """What the host knows of a node."""

    UNBORN = "not born yet"
    ONLINE = "online"
    STALE = "stale"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """How patient a session is, and how much it holds: bytes of messages that came early, and devices.

    `strict_deaths`: an NDEATH whose `bdSeq` is not the birth's is ignored, as the standard has it. Some
    publishers count wrongly; for their sake it may be taken as a death, and a rebirth asked to make sure.
    A kind of finding is told once per `finding_window_ms`, then with how often it came meanwhile.
    """

    reorder_timeout_ms: int = 2_000
    rebirth_window_ms: int = 10_000
    rebirth_window_most_ms: int = 600_000
    device_rebirth_ms: int = 30_000
    finding_window_ms: int = 600_000
    most_waiting_bytes: int = 1_000_000
    most_devices: int = 1_000
    strict_deaths: bool = True


class NodeSession:
    """The session of one node. Each method returns the outputs in the order in which they must happen."""

    def __init__(self, node: NodeId, settings: SessionSettings) -> None:
        self.node = node
        self.server = ONLY_SERVER  # the MQTT server where it lives; the host decides it
        self.phase = Phase.UNBORN
        self.since_ms = 0  # since when it is in this phase
        self.announced = False  # the next stage believes the node online
        self.bd_seq: int | None = None
        self.catalog = EMPTY
        self.certified_ms: int | None = None  # no birth was heard; the catalog is that of a certificate of this time
        self.definitions: dict[str, dict[str, int]] = {}
        self.devices = Devices(node, most=settings.most_devices, reborn_ms=settings.device_rebirth_ms)
        self.sequence = Sequence(settings.reorder_timeout_ms, settings.most_waiting_bytes)
        self.backoff = Backoff(settings.rebirth_window_ms, settings.rebirth_window_most_ms)
        self.findings = Findings(settings.finding_window_ms)
        self.seen_ms = 0
        self.birth_ms: int | None = None  # when the last birth was sent, by the node's clock
        self.skews_ms: deque[int] = deque(maxlen=SKEW_SAMPLES)
        self.changed = False  # more than `seq` and `seen_ms`; the host stores the session and takes it back
        self.ahead: dict[str, DeviceBirth] = {}  # births of devices that came while the node's own was missed
        self._overtakers = Overtakers(settings.reorder_timeout_ms, settings.most_waiting_bytes)
        self._settings = settings

    @property
    def next_due_ms(self) -> int | None:
        """When `due` has something to do."""
        return min((due for due in (self.sequence.due_ms, self.devices.reborn_due_ms) if due is not None), default=None)

    @property
    def skew_ms(self) -> int | None:
        """How far the node's clock is ahead of ours: the median over its last messages, their way included."""
        return median_low(self.skews_ms) if self.skews_ms else None

    def receive(self, message: Message, *, now_ms: int) -> tuple[Output, ...]:
        """Take one message of this node, in order of arrival.

        Never raises for what the node did wrong: a broken session ends in `RequestRebirth`.
        """
        self.seen_ms = now_ms
        match message:
            case NodeBirth():
                self._compare_clocks(message.payload, now_ms)
                return tuple(self._born(message, now_ms))
            case NodeDeath():  # a will is as old as its session: it tells nothing of the clock
                return tuple(self._died(message, now_ms))
            case NodeData() | DeviceBirth() | DeviceData() | DeviceDeath():
                self._compare_clocks(message.payload, now_ms)
                return tuple(self._sequenced(message, now_ms))

    @property
    def is_hearsay(self) -> bool:
        """Whether nothing is known of the node but certificates, as a broker keeps them of nodes long gone, too."""
        return self.phase is Phase.UNBORN and (self.certified_ms is not None or bool(self.devices.known))

    def lacks_birth(self, device: str | None) -> bool:
        """Whether no birth of the node or of this device was heard by which its data could be read."""
        if self.phase not in (Phase.UNBORN, Phase.STALE):
            return False
        if device is not None:
            return self.devices.lack_birth(device)
        return self.certified_ms is not None or not self.catalog.declared

    def learn(self, birth: NodeBirth | DeviceBirth) -> tuple[Output, ...]:
        """Take a certificate of one that `lacks_birth`: it tells how to read what the node sends, and no more.

        The newest counts. What is wrong with it is told; a rebirth is not asked: nobody knows whether the node lives.
        """
        problems: list[Problem] = []
        if isinstance(birth, DeviceBirth):
            problems = self.devices.learn(birth, self.catalog)
        elif (at_ms := birth.payload.timestamp_ms or birth.received_ms) > (self.certified_ms or 0):
            self.certified_ms = at_ms
            self.definitions = template_definitions(birth.payload)
            self.catalog, problems = declare(birth.payload)
            problems += birth_problems(birth.payload)
        self.since_ms = self.since_ms or birth.received_ms
        self.changed = True
        return tuple(self.findings.note(self.node, problems, birth.payload.raw, birth.received_ms))

    def due(self, now_ms: int) -> tuple[Output, ...]:
        """Take the passing of time. One that comes too early or too late returns `()`."""
        outputs: list[Output] = []
        if self.sequence.due_ms is not None and self.sequence.due_ms <= now_ms:
            outputs += self._lose_gap(now_ms)
        if self.devices.reborn_due_ms is not None and self.devices.reborn_due_ms <= now_ms:
            outputs += self._told(self.devices.lose_not_reborn(now_ms), now_ms)
        return tuple(outputs)

    def host_left(self, now_ms: int, reason: str) -> tuple[Output, ...]:
        """The host's own session ended: from now on nothing is known of the node."""
        outputs = self._release(now_ms)
        if self.phase is Phase.ONLINE:
            self._enter(Phase.STALE, now_ms)
        return (*outputs, *self._end(now_ms, reason))

    def object_to(self, problem: Problem, raw: bytes, now_ms: int) -> tuple[Output, ...]:
        """Something is wrong with a message of the bytes `raw` that never became one of this session."""
        return tuple(self._found([problem], now_ms, raw))

    def _enter(self, phase: Phase, now_ms: int) -> None:
        if phase is not self.phase:
            self.phase, self.since_ms = phase, now_ms

    def _compare_clocks(self, payload: Payload, now_ms: int) -> None:
        """What a node kept while it was away may bear the time when it was kept, and does not count."""
        if payload.timestamp_ms is not None and not (payload.metrics and payload.metrics[0].historical):
            self.skews_ms.append(payload.timestamp_ms - now_ms)

    # The node

    def _born(self, birth: NodeBirth, now_ms: int) -> list[Output]:
        """NBIRTH. Any `seq` is accepted; 0 is right (`tck-id-topics-nbirth-seq-num`)."""
        payload = birth.payload
        outputs = self._release(now_ms)
        bd_seq = bd_seq_of(payload)
        if bd_seq != self.bd_seq:
            outputs += self.devices.end(now_ms, "the node began a new session")
        self.devices.await_births(now_ms)
        self._enter(Phase.ONLINE, now_ms)
        self.announced = True
        self.changed = True
        self.bd_seq = bd_seq
        self.certified_ms = None
        self.birth_ms = payload.timestamp_ms
        self.sequence.restart(seq_of(payload) or 0, payload.digest)
        self.definitions = template_definitions(payload)
        self.catalog, problems = declare(payload)
        readings, unread = self.catalog.read(payload, now_ms, self.definitions)
        at_ms = payload.timestamp_ms or now_ms
        return [
            *outputs,
            NodeOnline(node=self.node, at_ms=at_ms),
            DataRead(origin=self._origin(None), readings=readings, at_ms=at_ms, seq=payload.seq, birth=True),
            *self._found([*birth_problems(payload), *problems, *unread], now_ms, payload.raw),
            *self._overtaken(birth, now_ms),
        ]

    def _note_ahead(self, birth: DeviceBirth) -> None:
        """One that does not follow on what was read before may have overtaken its node's."""
        follows = not self.ahead and seq_of(birth.payload) == self.sequence.expected
        size = birth.payload.size + sum(each.payload.size for each in self.ahead.values())
        if not follows and size <= self._settings.most_waiting_bytes:
            self.ahead[birth.device], self.changed = birth, True

    def _overtaken(self, birth: NodeBirth, now_ms: int) -> list[Output]:
        """What overtook the birth of the node: by its clock they are of this session, and come once."""
        ahead, self.ahead = self.ahead, {}
        birth_ms = birth.payload.timestamp_ms or now_ms
        births = [each for each in ahead.values() if (each.payload.timestamp_ms or 0) >= birth_ms]
        of_this = (*births, *self._overtakers.take(birth))
        return [output for message in of_this for output in self._sequenced(message, now_ms)]

    def _died(self, death: NodeDeath, now_ms: int) -> list[Output]:
        """NDEATH. It counts from the host's own now on, and only for the session whose `bdSeq` it carries.

        A stale session may have missed births, so any death ends it.
        """
        if self.phase in (Phase.UNBORN, Phase.OFFLINE):
            return []
        problem = self._death_problem(bd_seq_of(death.payload))
        mismatch = problem is not None and problem.name is FindingName.DEATH_BDSEQ_MISMATCH
        found = self._found([problem], now_ms, death.payload.raw) if problem is not None else []
        if mismatch and self._settings.strict_deaths:
            return found
        outputs = self._release(now_ms)
        self._enter(Phase.OFFLINE, now_ms)
        self.certified_ms = None
        outputs += self._end(now_ms, "NDEATH")
        self.devices.await_births(now_ms)
        return [*outputs, *found, *(self._ask_rebirth("a death of another session", now_ms) if mismatch else [])]

    def _death_problem(self, bd_seq: int | None) -> Problem | None:
        """What is wrong with a death of this `bdSeq` (`tck-id-payloads-ndeath-bdseq`)."""
        if bd_seq is None:
            return Problem(FindingName.DEATH_BDSEQ_MISSING, "NDEATH without bdSeq")
        if self.phase is Phase.STALE or self.bd_seq is None or bd_seq == self.bd_seq:
            return None
        return Problem(FindingName.DEATH_BDSEQ_MISMATCH, f"NDEATH with bdSeq {bd_seq}, the birth had {self.bd_seq}")

    def _end(self, now_ms: int, reason: str) -> list[Output]:
        """Tell the next stage, once, that the node and its devices are gone."""
        node = [NodeOffline(node=self.node, at_ms=now_ms, reason=reason)] if self.announced else []
        self.announced = False
        self.changed = True
        return [*node, *self.devices.end(now_ms, reason)]

    # Order

    def _sequenced(self, message: Sequenced, now_ms: int) -> list[Output]:
        """A message that has its place in the node's `seq`, and is read when it is its turn."""
        if self.phase is not Phase.ONLINE and isinstance(message, DeviceBirth):
            self._note_ahead(message)
        if self.phase in (Phase.UNBORN, Phase.OFFLINE):
            if not self._is_certified(message):
                if not isinstance(message, DeviceBirth):
                    self._overtakers.keep(message)
                text = f"{type(message).__name__} while the node is {self.phase.value}"
                return self._found([Problem(FindingName.NODE_UNBORN, text)], now_ms, message.payload.raw)
            self._enter(Phase.STALE, now_ms)  # it lives, and its birth was missed
            self.changed = True
        seq = seq_of(message.payload)
        if seq is None:
            missing = Problem(FindingName.SEQ_MISSING, f"{type(message).__name__} with seq {message.payload.seq}")
            asked = self._ask_rebirth("stale", now_ms) if self.phase is Phase.STALE else []
            return [*self._read(message, now_ms), *self._found([missing], now_ms, message.payload.raw), *asked]
        if self.sequence.is_repeat(seq, message.payload.digest):
            repeated = Problem(FindingName.MESSAGE_REPEATED, f"seq {seq} came twice")
            return self._found([repeated], now_ms, message.payload.raw)
        outputs = self._lose_gap(now_ms) if self.sequence.is_taken(seq) else []
        ready = self.sequence.offer(seq, message)
        self.changed |= len(ready) != 1  # it waits, or others waited for it
        for turn in ready:
            outputs += self._read(turn, now_ms)
        if not ready and self.sequence.is_overfull:
            outputs += self._lose_gap(now_ms)
        if self.phase is Phase.STALE:
            outputs += self._release(now_ms)
            outputs += self._ask_rebirth("stale", now_ms)
        return outputs

    def _is_certified(self, message: Sequenced) -> bool:
        """Whether a certificate tells how to read the messages of its sender."""
        if isinstance(message, DeviceData | DeviceDeath):
            return self.devices.catalog(message.device) is not None
        return self.certified_ms is not None

    def _release(self, now_ms: int) -> list[Output]:
        """Read what waits, without what it waits for."""
        released = self.sequence.give_up()
        self.changed |= bool(released)
        return [output for message in released for output in self._read(message, now_ms)]

    def _lose_gap(self, now_ms: int) -> list[Output]:
        """What is missing is waited for no more (`tck-id-operational-behavior-host-reordering-rebirth`).

        The node is stale before what waited is read: what it sends again as history belongs before that.
        Soon after another request this one waits: a node that says nothing more would otherwise stay stale for ever.
        """
        why = "is late, and too much waits for it" if self.sequence.is_overfull else "never came"
        text = f"seq {self.sequence.missing} {why}"
        if self.phase is not Phase.ONLINE:
            return self._release(now_ms)
        self._enter(Phase.STALE, now_ms)
        return [
            *self._end(now_ms, text),
            *self._release(now_ms),
            *self._found([Problem(FindingName.SEQ_GAP, text)], now_ms),
            *(self._ask_rebirth(text, now_ms) or [RequestRebirth(self.node, text, self.server, self.backoff.next_ms)]),
        ]

    def _read(self, message: Sequenced, now_ms: int) -> list[Output]:
        """A message whose turn has come."""
        match message:
            case NodeData():
                return self._read_data(self.catalog, self._origin(None), message, now_ms)
            case DeviceBirth():
                return self._told(self.devices.bear(message, self.catalog, self.definitions), now_ms, message)
            case DeviceData():
                catalog = self.devices.catalog(message.device)
                if catalog is None:
                    return self._found([self.devices.unborn(message)], now_ms, message.payload.raw)
                return self._read_data(catalog, self._origin(message.device), message, now_ms)
            case DeviceDeath():
                return self._told(self.devices.lose(message), now_ms, message)

    def _read_data(self, catalog: Catalog, origin: Origin, message: NodeData | DeviceData, now_ms: int) -> list[Output]:
        payload = message.payload
        readings, problems = catalog.read(payload, message.received_ms, self.definitions)
        outputs: list[Output] = []
        if readings:
            at_ms = payload.timestamp_ms or message.received_ms
            outputs.append(DataRead(origin=origin, readings=readings, at_ms=at_ms, seq=payload.seq))
        return outputs if not problems else [*outputs, *self._found(problems, now_ms, payload.raw)]

    # Findings and requests

    def _told(self, told: Told, now_ms: int, message: Sequenced | None = None) -> list[Output]:
        """What became of devices, by a message or because none came."""
        outputs, problems = told
        self.changed |= bool(outputs) or not problems  # what is set aside changes nothing
        return [*outputs, *self._found(problems, now_ms, message.payload.raw if message is not None else b"")]

    def _found(self, problems: list[Problem], now_ms: int, raw: bytes = b"") -> list[Output]:
        """Count what is wrong with the payload `raw`, tell it, and ask for a rebirth where one can mend it."""
        if not problems:
            return []
        told = self.findings.note(self.node, problems, raw, now_ms)
        self.changed |= bool(told)
        reasons = [problem.text for problem in problems if problem.name in ASKS_REBIRTH]
        return [*told, *(self._ask_rebirth(reasons[0], now_ms) if reasons else [])]

    def _ask_rebirth(self, reason: str, now_ms: int) -> list[Output]:
        """At most one request per window: a birth that is itself broken must not be asked for in a circle.

        Without a birth nothing is read, so one that comes too early waits for the end of the window: a node that says
        nothing more until then would otherwise stay unread for ever.
        """
        if not self.backoff.take(now_ms):
            waits = RequestRebirth(self.node, reason, self.server, self.backoff.next_ms)
            return [waits] if self.phase in (Phase.UNBORN, Phase.OFFLINE) else []
        self.changed = True
        return [RequestRebirth(self.node, reason, self.server)]

    def _origin(self, device: str | None) -> Origin:
        return Origin(self.node.group, self.node.node, device)
