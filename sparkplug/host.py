"""`HostApplication`: all nodes of a site as one Sparkplug host application. Called by the bridge's pipeline.

It routes each message to its node's session, keeps this host's own STATE right, and paces the rebirths that the
sessions ask for. The shell owns the MQTT session and the clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, assert_never

from sparkplug.errors import PayloadError
from sparkplug.fact import Finding, NodeId, NodeOnline, Output, PublishState, RequestRebirth
from sparkplug.finding import FindingName, Problem
from sparkplug.message import NodeDeath, device_message, node_message
from sparkplug.pace import Pacer
from sparkplug.session import NodeSession, Phase, SessionSettings
from sparkplug.snapshot import restore, store
from sparkplug.topic import (
    NAMESPACE,
    DeviceTopic,
    DeviceVerb,
    InvalidTopic,
    NodeTopic,
    NodeVerb,
    StateTopic,
    parse_topic,
    state_topic,
)
from sparkplug.wire.payload import decode
from sparkplug.wire.state import HostState, decode_state, encode_state

HOST_LEFT: Final = "host disconnected"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSettings:
    """Which groups the host follows (empty: all), how patient it is, and how fast it asks for rebirths.

    After a connect, nodes that were known before have `birth_grace_ms` to be born by themselves; then they are
    asked, spread over `rebirth_jitter_ms` and at most `rebirths_per_s`.
    """

    groups: tuple[str, ...] = ()
    session: SessionSettings = field(default_factory=SessionSettings)
    birth_grace_ms: int = 1_000
    rebirth_jitter_ms: int = 1_000
    rebirths_per_s: int = 20
    rebirth_burst: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """What the host believes of a node, for a list. `devices` tells which are there; `findings` how often what."""

    node: NodeId
    phase: str
    bd_seq: int | None
    seen_ms: int
    metrics: int
    devices: Mapping[str, bool]
    findings: Mapping[str, int]


class HostApplication:
    """The state of one host application. Each method returns the outputs in the order in which they must happen."""

    def __init__(self, host_id: str, settings: HostSettings = HostSettings()) -> None:
        self.host_id = host_id
        self._settings = settings
        self._state_topic = state_topic(host_id)
        self._sessions: dict[NodeId, NodeSession] = {}
        self._dues: dict[NodeId, int] = {}
        self._changed: set[NodeId] = set()
        self._pacer = Pacer(
            per_s=settings.rebirths_per_s, burst=settings.rebirth_burst, jitter_ms=settings.rebirth_jitter_ms
        )
        self._will_ms: int | None = None
        self._connected = False

    # Our own MQTT session

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """The topic filters, our own STATE first (`tck-id-host-topic-phid-birth-sub-required`)."""
        groups = self._settings.groups
        return self._state_topic, *([f"{NAMESPACE}/{group}/#" for group in groups] or [f"{NAMESPACE}/#"])

    def will(self, now_ms: int) -> tuple[str, bytes]:
        """STATE offline, to be left as the will (QoS 1, retained) of a CONNECT that is made now."""
        self._will_ms = now_ms
        return self._state_topic, encode_state(HostState(False, now_ms))

    def online_state(self) -> tuple[str, bytes]:
        """STATE online (QoS 1, retained), with the timestamp of the last will. Raises `ValueError` before that."""
        return self._state_topic, encode_state(HostState(True, self._session_ms()))

    def offline_state(self, now_ms: int) -> tuple[str, bytes]:
        """STATE offline (QoS 1, retained), to be published before a clean DISCONNECT. We do not answer its echo."""
        self._connected = False
        return self._state_topic, encode_state(HostState(False, now_ms))

    def connected(self, now_ms: int) -> tuple[Output, ...]:
        """Our MQTT session is up and subscribed. Every node known before is asked for one rebirth, in time."""
        self._connected = True
        self._will_ms = now_ms if self._will_ms is None else self._will_ms
        for node, session in self._sessions.items():
            if session.phase is not Phase.ONLINE:
                self._pacer.ask_spread(node, "the host was away", now_ms + self._settings.birth_grace_ms)
        return (self._our_state(), *self._paced(now_ms))

    def disconnected(self, now_ms: int) -> tuple[Output, ...]:
        """Our MQTT session is down: nothing is known of any node."""
        self._connected = False
        self._pacer.forget_all()
        outputs: list[Output] = []
        for node in sorted(self._sessions):
            outputs += self._routed(self._sessions[node], self._sessions[node].host_left(now_ms, HOST_LEFT), now_ms)
        return tuple(outputs)

    # Messages and time

    def receive(self, topic: str, payload: bytes, *, retain: bool, now_ms: int) -> tuple[Output, ...]:
        """Take one message, in order of arrival. Never raises for what a peer did."""
        parsed = parse_topic(topic)
        match parsed:
            case None | NodeTopic(verb=NodeVerb.COMMAND) | DeviceTopic(verb=DeviceVerb.COMMAND):
                return ()
            case StateTopic(host_id):
                return self._state(payload, retain) if host_id == self.host_id else ()
            case InvalidTopic(node, reason):
                return (Finding(node=node, name=FindingName.TOPIC_INVALID.value, text=reason),)
            case NodeTopic() | DeviceTopic():
                return (*self._message(parsed, payload, retain, now_ms), *self._paced(now_ms))
            case _:
                assert_never(parsed)

    def due(self, now_ms: int) -> tuple[Output, ...]:
        """Take the passing of time."""
        outputs: list[Output] = []
        for node in sorted(node for node, due_ms in self._dues.items() if due_ms <= now_ms):
            session = self._sessions[node]
            outputs += self._routed(session, session.due(now_ms), now_ms)
        return (*outputs, *self._paced(now_ms))

    @property
    def next_due_ms(self) -> int | None:
        """When `due` has something to do, if nothing else happens before."""
        dues = [*self._dues.values()]
        if self._connected and self._pacer.next_due_ms is not None:
            dues.append(self._pacer.next_due_ms)
        return min(dues, default=None)

    # What is stored and shown

    def take_changed(self) -> frozenset[NodeId]:
        """The nodes whose snapshot changed since the last call. A `seq` that went on as it should is no change."""
        changed = frozenset(self._changed)
        self._changed.clear()
        return changed

    def snapshot(self, node: NodeId) -> bytes:
        """The stored form of a node that `take_changed` or `nodes` named."""
        return store(self._sessions[node])

    def restore(self, node: NodeId, snapshot: bytes) -> None:
        """Take up a node where a snapshot left it, as stale; `connected` asks for its rebirth.

        Raises `SnapshotError`.
        """
        self._keep(restore(node, snapshot, self._settings.session))

    def nodes(self) -> tuple[NodeView, ...]:
        """What is believed of each node, in order."""
        return tuple(_view(self._sessions[node]) for node in sorted(self._sessions))

    # Inside

    def _message(self, topic: NodeTopic | DeviceTopic, raw: bytes, retain: bool, now_ms: int) -> tuple[Output, ...]:
        session = self._sessions.get(topic.node)
        if retain:
            text = f"a retained {topic.verb} tells the past"
            session = session or self._keep(NodeSession(topic.node, self._settings.session))
            return self._routed(session, session.object_to(Problem(FindingName.MESSAGE_RETAINED, text), now_ms), now_ms)
        try:
            payload = decode(raw)
        except PayloadError as error:
            problem = Problem(FindingName.PAYLOAD_UNREADABLE, f"{topic.verb}: {error}")
            if session is None:
                return (Finding(node=topic.node, name=problem.name.value, text=problem.text),)
            return self._routed(session, session.object_to(problem, now_ms), now_ms)
        if isinstance(topic, NodeTopic):
            message = node_message(topic.verb, payload, now_ms)
        else:
            message = device_message(topic.verb, topic.device, payload, now_ms)
        if message is None or (session is None and isinstance(message, NodeDeath)):
            return ()
        session = session or self._keep(NodeSession(topic.node, self._settings.session))
        return self._routed(session, session.receive(message, now_ms=now_ms), now_ms)

    def _routed(self, session: NodeSession, outputs: tuple[Output, ...], now_ms: int) -> tuple[Output, ...]:
        """Take back what a session asks of the pacer, and note what it changed."""
        node = session.node
        if session.changed:
            session.changed = False
            self._changed.add(node)
            self._note_due(session)
        if len(outputs) == 1 and not isinstance(outputs[0], RequestRebirth | NodeOnline):
            return outputs
        passed: list[Output] = []
        for output in outputs:
            if isinstance(output, NodeOnline):
                self._pacer.forget(node)
            if isinstance(output, RequestRebirth):
                if self._connected:
                    self._pacer.ask(node, output.reason, now_ms)
            else:
                passed.append(output)
        return tuple(passed)

    def _paced(self, now_ms: int) -> tuple[Output, ...]:
        """The rebirth requests whose time has come."""
        requests: list[Output] = []
        if self._connected:
            for node, reason in self._pacer.due(now_ms):
                self._sessions[node].backoff.take(now_ms)
                self._changed.add(node)
                requests.append(RequestRebirth(node, reason))
        return tuple(requests)

    def _state(self, raw: bytes, retain: bool) -> tuple[Output, ...]:
        """A STATE under our own id. While we are online nothing else may stand there
        (`tck-id-message-flow-hid-sparkplug-state-message-delivered`)."""
        if not self._connected:
            return ()
        ourselves = NodeId("STATE", self.host_id)
        try:
            state = decode_state(raw)
        except PayloadError as error:
            return Finding(node=ourselves, name=FindingName.STATE_UNREADABLE.value, text=str(error)), self._our_state()
        if not state.online:
            return (self._our_state(),)
        if state.timestamp_ms > self._session_ms() and not retain:
            text = f"another host says {self.host_id} is online since {state.timestamp_ms}"
            return (Finding(node=ourselves, name=FindingName.HOST_ID_SHARED.value, text=text),)
        return ()

    def _our_state(self) -> PublishState:
        return PublishState(online=True, at_ms=self._session_ms())

    def _session_ms(self) -> int:
        if self._will_ms is None:
            raise ValueError("a STATE needs the will of its session first")
        return self._will_ms

    def _keep(self, session: NodeSession) -> NodeSession:
        self._sessions[session.node] = session
        self._note_due(session)
        return session

    def _note_due(self, session: NodeSession) -> None:
        due_ms = session.next_due_ms
        if due_ms is None:
            self._dues.pop(session.node, None)
        else:
            self._dues[session.node] = due_ms


def _view(session: NodeSession) -> NodeView:
    return NodeView(
        node=session.node,
        phase=session.phase.value,
        bd_seq=session.bd_seq,
        seen_ms=session.seen_ms,
        metrics=len(session.catalog.declared) + sum(len(d.catalog.declared) for d in session.devices.values()),
        devices={name: device.born for name, device in session.devices.items()},
        findings=dict(session.findings),
    )
