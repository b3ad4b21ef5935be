"""`HostApplication`: all nodes of a site as one Sparkplug host application. Called by the bridge's pipeline.

It routes each message to its node's session, keeps this host's own STATE right, and paces the rebirths that the
sessions ask for. The shell owns the clock and the MQTT sessions, one per server; `HostPresence` is their STATE.

A node lives on the server where its newest birth came from, by the births' own timestamps. While it is online there,
what comes from another server is not its own; once it is not, whatever it sends tells where it lives now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, assert_never

from sparkplug.command import Awaited, Refusal, did_you_mean, write
from sparkplug.errors import PayloadError
from sparkplug.fact import ONLY_SERVER, NodeId, NodeOnline, Origin, Output, PublishState, RequestRebirth
from sparkplug.finding import FindingName, Findings, Problem, Tally
from sparkplug.host.roster import Roster
from sparkplug.message import DeviceBirth, Message, NodeBirth, NodeDeath, read_message
from sparkplug.pace import Pacer
from sparkplug.presence import DeclaredOffline, HostPresence, StateWatch
from sparkplug.session import NodeSession, Phase, SessionSettings
from sparkplug.snapshot import NodeView, restore, store, store_findings, stored_findings, view
from sparkplug.topic import (
    CERTIFICATES,
    NAMESPACE,
    DeviceTopic,
    DeviceVerb,
    InvalidTopic,
    NodeTopic,
    NodeVerb,
    StateTopic,
    parse_certificate,
    parse_topic,
    state_topic,
)

HOST_LEFT: Final = "host disconnected"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSettings:
    """Which groups the host follows (empty: all) on which servers, how patient it is, how fast it asks for rebirths.

    `certificates`: it also reads the births that a Sparkplug Aware broker keeps, and so the data of nodes whose own
    birth it has not heard yet.

    After a connect, nodes that were known before have `birth_grace_ms` to be born by themselves; then they are
    asked, spread over `rebirth_jitter_ms` and at most `rebirths_per_s`. Nodes that are `expected` are always followed
    and never forgotten; of others only so many that there are `most_nodes`.
    """

    groups: tuple[str, ...] = ()
    servers: tuple[str, ...] = (ONLY_SERVER,)
    declared_offline: DeclaredOffline = DeclaredOffline.REPUBLISH
    session: SessionSettings = field(default_factory=SessionSettings)
    birth_grace_ms: int = 1_000
    rebirth_jitter_ms: int = 1_000
    rebirths_per_s: int = 20
    rebirth_burst: int = 20
    most_nodes: int = 5_000
    expected: frozenset[NodeId] = frozenset()
    certificates: bool = False


class HostApplication:
    """The state of one host application. Each method returns the outputs in the order in which they must happen."""

    def __init__(self, host_id: str, settings: HostSettings = HostSettings()) -> None:
        self.host_id = host_id
        self._settings = settings
        self._servers = {server: StateWatch(server, host_id, settings.declared_offline) for server in settings.servers}
        self._nodes = Roster(settings.session, most=settings.most_nodes, expected=settings.expected)
        self._strangers_changed = False
        self._pacer = Pacer(
            per_s=settings.rebirths_per_s, burst=settings.rebirth_burst, jitter_ms=settings.rebirth_jitter_ms
        )
        self._strangers = Findings(settings.session.finding_window_ms)

    # Our own MQTT sessions

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """The topic filters, our own STATE first (`tck-id-host-topic-phid-birth-sub-required`)."""
        followed = [f"{NAMESPACE}/{group}/#" for group in self._settings.groups] or [f"{NAMESPACE}/#"]
        certified = [f"{CERTIFICATES}{each}" for each in followed] if self._settings.certificates else []
        return state_topic(self.host_id), *followed, *certified

    def presence(self, server: str = ONLY_SERVER) -> HostPresence:
        """What our sessions on a server say of us, each later than what was heard there when we were last: nodes pass
        over a STATE that is earlier than the one before, also where a clock was set back and the broker forgot that."""
        presence = HostPresence(self.host_id)
        heard = (session for session in self._nodes.sessions.values() if session.server == server)
        presence.outlive(max((max(session.seen_ms, session.since_ms) for session in heard), default=0))
        return presence

    @property
    def is_connected(self) -> bool:
        """Whether we have a session on any server."""
        return any(server.will_ms is not None for server in self._servers.values())

    def connected(self, now_ms: int, *, will_ms: int, server: str = ONLY_SERVER) -> tuple[Output, ...]:
        """Our session on a server is up and subscribed. Every node that was heard there is asked for its births.

        `will_ms` is the timestamp of the session's will.
        """
        self._servers[server].will_ms = will_ms
        for node, session in self._nodes.sessions.items():
            if session.server == server and session.phase is not Phase.ONLINE and not session.is_hearsay:
                self._pacer.ask_spread(node, "the host was away", now_ms + self._settings.birth_grace_ms)
        return (PublishState(server=server, at_ms=will_ms), *self._paced(now_ms))

    def disconnected(self, now_ms: int, *, server: str = ONLY_SERVER) -> tuple[Output, ...]:
        """Our session on a server is down: nothing is known of the nodes that live there."""
        self._servers[server].will_ms = None
        outputs: list[Output] = []
        for node in sorted(node for node, session in self._nodes.sessions.items() if session.server == server):
            session = self._nodes.sessions[node]
            self._pacer.forget(node)
            outputs += self._routed(session, session.host_left(now_ms, HOST_LEFT), now_ms)
        return tuple(outputs)

    # Messages and time

    def receive(
        self, topic: str, payload: bytes, *, retain: bool, now_ms: int, server: str = ONLY_SERVER
    ) -> tuple[Output, ...]:
        """Take one message, in order of arrival. Never raises for what a peer did."""
        parsed = parse_topic(topic)
        match parsed:
            case None:
                birth = parse_certificate(topic)
                return self._certificate(server, birth, payload, now_ms) if birth is not None else ()
            case NodeTopic(verb=NodeVerb.COMMAND) | DeviceTopic(verb=DeviceVerb.COMMAND):
                return ()
            case StateTopic(host_id):
                return self._state(server, payload, retain, now_ms) if host_id == self.host_id else ()
            case InvalidTopic(node, reason):
                return self._strange(node, [Problem(FindingName.TOPIC_INVALID, reason)], payload, now_ms)
            case NodeTopic() | DeviceTopic():
                return (*self._message(server, parsed, payload, retain, now_ms), *self._paced(now_ms))
            case _:
                assert_never(parsed)

    def due(self, now_ms: int) -> tuple[Output, ...]:
        """Take the passing of time."""
        outputs: list[Output] = []
        for node in self._nodes.dues.due(now_ms):
            session = self._nodes.sessions[node]
            outputs += self._routed(session, session.due(now_ms), now_ms)
        return (*outputs, *self._paced(now_ms))

    @property
    def next_due_ms(self) -> int | None:
        """When `due` has something to do, if nothing else happens before."""
        node_ms, asked_ms = self._nodes.dues.earliest_ms, self._pacer.next_due_ms
        if node_ms is None or asked_ms is None:
            return asked_ms if node_ms is None else node_ms
        return min(node_ms, asked_ms)

    # What people want

    def expect(self, nodes: frozenset[NodeId]) -> None:
        """These nodes, and no others, are `expected` from now on."""
        self._nodes.expect(nodes)

    def ask_rebirth(self, node: NodeId, reason: str, now_ms: int) -> tuple[Output, ...] | Awaited | Refusal:
        """Ask a node for its births, as soon as the pace of all rebirths allows.

        Not within the first window after the last request, however it came about: the birth of one that is not online
        is `Awaited`, and one that is online has to wait. One that was never heard of may have been born before we came,
        and is asked wherever we are.
        """
        if node not in self._nodes.sessions and self.is_connected:
            there = [server for server, ours in self._servers.items() if ours.will_ms is not None]
            return tuple(RequestRebirth(node, reason, server) for server in there)
        session = self._reachable(node)
        if isinstance(session, Refusal):
            return session
        asked_ms, pause_ms = session.backoff.asked_ms, self._settings.session.rebirth_window_ms
        if asked_ms is not None and 0 <= (since_ms := now_ms - asked_ms) < pause_ms:
            if session.phase is not Phase.ONLINE:
                return Awaited(node, since_ms)
            seconds = since_ms // 1000, -(-(pause_ms - since_ms) // 1000)
            return Refusal(f"a rebirth of {node} was asked for {seconds[0]} s ago; ask again in {seconds[1]} s")
        session.backoff.begin_anew()
        self._pacer.forget(node)  # it may wait for later
        self._pacer.ask(node, reason, now_ms)
        return self._paced(now_ms)

    def write(self, origin: Origin, metric: str, text: str, now_ms: int) -> tuple[Output, ...] | Refusal:
        """Write a metric of a node or device: `text` by the datatype of its birth. Nothing is remembered of it."""
        session = self._reachable(origin.node_id)
        if isinstance(session, Refusal):
            return session
        written = write(session, origin.device, metric, text, now_ms)
        return written if isinstance(written, Refusal) else (written,)

    def _reachable(self, node: NodeId) -> NodeSession | Refusal:
        session = self._nodes.sessions.get(node)
        if session is None:
            known = did_you_mean(str(node), map(str, self._nodes.sessions))
            return Refusal(f"no edge node {str(node)!r} was ever heard of{known}")
        if self._servers[session.server].will_ms is None:
            return Refusal(f"the bridge is not connected to the MQTT server where {node} lives")
        return session

    # What is stored and shown

    def take_changed(self) -> frozenset[NodeId]:
        """The nodes whose snapshot changed since the last call. A `seq` that went on as it should is no change."""
        return self._nodes.take_changed()

    def snapshot(self, node: NodeId) -> bytes:
        """The stored form of a node that it `knows`."""
        return store(self._nodes.sessions[node])

    def knows(self, node: NodeId) -> bool:
        """Whether a node was heard of and is not forgotten."""
        return node in self._nodes.sessions

    def restore(self, node: NodeId, snapshot: bytes) -> None:
        """Take up a node where a snapshot left it, as stale; `connected` asks for its rebirth.

        Raises `SnapshotError`.
        """
        session = restore(node, snapshot, self._settings.session)
        if session.server not in self._servers:  # it is no longer among the settings; where the node is will be seen
            session.server = self._settings.servers[0]
        self._nodes.put(session)

    def forget_before(self, at_ms: int) -> tuple[NodeId, ...]:
        """Forget nodes that are gone and silent since before this moment, unless they are expected; return them.

        Call it often: it works once an hour of `at_ms`.
        """
        forgotten = self._nodes.forget_before(at_ms)
        for node in forgotten:
            self._pacer.forget(node)
        return forgotten

    def nodes(self) -> tuple[NodeView, ...]:
        """What is believed of each node, in order."""
        return tuple(view(self._nodes.sessions[node]) for node in sorted(self._nodes.sessions))

    @property
    def findings(self) -> Mapping[str, Tally]:
        """What is wrong with messages that belong to no node, or to one that was never heard of otherwise."""
        return dict(self._strangers.tallies)

    def take_changed_findings(self) -> bytes | None:
        """The stored form of `findings`, where one was told since the last call."""
        changed, self._strangers_changed = self._strangers_changed, False
        return store_findings(self._strangers.tallies) if changed else None

    def restore_findings(self, stored: bytes) -> None:
        """Go on counting from where `findings` were stored. Raises `SnapshotError`."""
        self._strangers.tallies = stored_findings(stored)

    # Inside

    def _message(
        self, server: str, topic: NodeTopic | DeviceTopic, raw: bytes, retain: bool, now_ms: int
    ) -> tuple[Output, ...]:
        session = self._nodes.sessions.get(topic.node)
        if session is None and not self._nodes.has_room(topic.node):
            return self._beyond(topic, raw, now_ms)
        if retain:
            problem = Problem(FindingName.MESSAGE_RETAINED, f"a retained {topic.verb} tells the past")
            return self._objected(session or self._nodes.new(topic.node, server), problem, raw, now_ms)
        try:
            message = read_message(topic, raw, now_ms)
        except PayloadError as error:
            return self._unreadable(session, topic, error, raw, now_ms)
        if message is None or (session is None and isinstance(message, NodeDeath)):
            return ()
        session = session or self._nodes.new(topic.node, server)
        if session.server != server and not self._moved(session, server, message):
            if isinstance(message, NodeDeath):  # the will that it left where it lived before
                return ()
            text = f"{topic.verb} on the server {server}, and the node is online on {session.server}"
            return self._objected(session, Problem(FindingName.NODE_ON_TWO_SERVERS, text), raw, now_ms)
        return self._routed(session, session.receive(message, now_ms=now_ms), now_ms)

    def _certificate(self, server: str, topic: NodeTopic | DeviceTopic, raw: bytes, now_ms: int) -> tuple[Output, ...]:
        """A birth as the broker keeps it. A node that was never heard lives where its first certificate is."""
        session = self._nodes.sessions.get(topic.node)
        if session is None and not self._nodes.has_room(topic.node):
            return self._beyond(topic, raw, now_ms)
        if session is not None and not session.lacks_birth(topic.device if isinstance(topic, DeviceTopic) else None):
            return ()
        try:
            birth = read_message(topic, raw, now_ms)
        except PayloadError as error:
            return self._unreadable(session, topic, error, raw, now_ms)
        assert isinstance(birth, NodeBirth | DeviceBirth)
        session = session or self._nodes.new(topic.node, server)
        return self._routed(session, session.learn(birth), now_ms)

    def _beyond(self, topic: NodeTopic | DeviceTopic, raw: bytes, now_ms: int) -> tuple[Output, ...]:
        text = f"{topic.verb} of {topic.node}, beyond the {len(self._nodes.sessions)} edge nodes of the site"
        return self._strange(topic.node, [Problem(FindingName.TOO_MANY_NODES, text)], raw, now_ms)

    def _unreadable(
        self, session: NodeSession | None, topic: NodeTopic | DeviceTopic, error: PayloadError, raw: bytes, now_ms: int
    ) -> tuple[Output, ...]:
        if session is None:
            problem = Problem(FindingName.PAYLOAD_UNREADABLE, f"{topic.verb} of {topic.node}: {error}")
            return self._strange(topic.node, [problem], raw, now_ms)
        return self._objected(session, Problem(FindingName.PAYLOAD_UNREADABLE, f"{topic.verb}: {error}"), raw, now_ms)

    def _moved(self, session: NodeSession, server: str, message: Message) -> bool:
        """Whether a message from another server tells that the node lives there now."""
        if session.phase is not Phase.ONLINE:
            moved = not isinstance(message, NodeDeath)
        else:
            at_ms = message.payload.timestamp_ms or message.received_ms
            moved = isinstance(message, NodeBirth) and at_ms >= (session.birth_ms or 0)
        if moved:
            session.server = server
            session.changed = True
        return moved

    def _routed(self, session: NodeSession, outputs: tuple[Output, ...], now_ms: int) -> tuple[Output, ...]:
        """Take back what a session asks of the pacer, and note what it changed."""
        node = session.node
        if session.changed:
            self._nodes.note(session)
        if len(outputs) == 1 and not isinstance(outputs[0], RequestRebirth | NodeOnline):
            return outputs
        passed: list[Output] = []
        for output in outputs:
            if isinstance(output, NodeOnline):
                self._pacer.forget(node)
            if isinstance(output, RequestRebirth):
                if self._servers[session.server].will_ms is not None:
                    self._pacer.ask(node, output.reason, max(now_ms, output.not_before_ms))
            else:
                passed.append(output)
        return tuple(passed)

    def _paced(self, now_ms: int) -> tuple[Output, ...]:
        """The rebirth requests whose time has come."""
        requests: list[Output] = []
        for node, reason in self._pacer.due(now_ms):
            session = self._nodes.sessions[node]
            session.backoff.take(now_ms)
            self._nodes.note(session)
            requests.append(RequestRebirth(node, reason, session.server))
        return tuple(requests)

    def _state(self, server: str, raw: bytes, retain: bool, now_ms: int) -> tuple[Output, ...]:
        answers, problems = self._servers[server].answer(raw, retain=retain, now_ms=now_ms)
        return (*self._strange(NodeId("STATE", self.host_id), problems, raw, now_ms), *answers)

    def _strange(self, node: NodeId, problems: list[Problem], raw: bytes, now_ms: int) -> tuple[Output, ...]:
        """What is wrong with a message that belongs to no session."""
        told = tuple(self._strangers.note(node, problems, raw, now_ms))
        self._strangers_changed |= bool(told)
        return told

    def _objected(self, session: NodeSession, problem: Problem, raw: bytes, now_ms: int) -> tuple[Output, ...]:
        return self._routed(session, session.object_to(problem, raw, now_ms), now_ms)
