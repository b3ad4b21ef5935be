"""`Roster`: the nodes that a host follows, each with its session. Called by `HostApplication` only.

It bounds how many there are, forgets who is gone for long, and knows who is due and whose snapshot changed.
"""

from __future__ import annotations

from typing import Final

from sparkplug.fact import NodeId
from sparkplug.pace import Dues
from sparkplug.session import NodeSession, Phase, SessionSettings

FORGET_NODES_EVERY_MS: Final = 3_600_000


class Roster:
    """`sessions` by node. Those that are `expected` have always room and are never forgotten."""

    def __init__(self, settings: SessionSettings, *, most: int, expected: frozenset[NodeId]) -> None:
        self.sessions: dict[NodeId, NodeSession] = {}
        self.dues = Dues()
        self._settings = settings
        self._most = most
        self._expected = expected
        self._changed: set[NodeId] = set()
        self._forget_from_ms = 0

    def expect(self, nodes: frozenset[NodeId]) -> None:
        """Expect these, and no others, from now on."""
        self._expected = nodes

    def has_room(self, node: NodeId) -> bool:
        """Whether a node that is not here yet may be followed."""
        return len(self.sessions) < self._most or node in self._expected

    def new(self, node: NodeId, server: str) -> NodeSession:
        """Follow a node of which nothing is known."""
        session = NodeSession(node, self._settings)
        session.server = server
        self.put(session)
        return session

    def put(self, session: NodeSession) -> None:
        """Follow a node that is known."""
        self.sessions[session.node] = session
        self.dues.note(session.node, session.next_due_ms)

    def note(self, session: NodeSession) -> None:
        """A session changed."""
        session.changed = False
        self._changed.add(session.node)
        self.dues.note(session.node, session.next_due_ms)

    def take_changed(self) -> frozenset[NodeId]:
        """The nodes whose snapshot changed, or that were forgotten, since the last call."""
        changed = frozenset(self._changed)
        self._changed.clear()
        return changed

    def forget_before(self, at_ms: int) -> tuple[NodeId, ...]:
        """Forget who is gone and silent since before this moment; return them. It works once an hour of `at_ms`."""
        if at_ms < self._forget_from_ms:
            return ()
        self._forget_from_ms = at_ms + FORGET_NODES_EVERY_MS
        lost = {node for node, session in self.sessions.items() if _is_lost(session, at_ms)}
        forgotten = tuple(sorted(lost - self._expected))
        for node in forgotten:
            del self.sessions[node]
            self.dues.note(node, None)
        self._changed.update(forgotten)
        return forgotten


def _is_lost(session: NodeSession, at_ms: int) -> bool:
    """Whether a node is gone and was silent since before this moment.

    When one that was online was last heard is not stored, so after a start it must have been asked for its birth first.
    """
    heard_ms, asked_ms = max(session.seen_ms, session.since_ms), session.backoff.asked_ms
    if session.phase is Phase.STALE:
        is_gone = asked_ms is not None and asked_ms > heard_ms
    else:
        is_gone = session.phase is not Phase.ONLINE
    return is_gone and heard_ms < at_ms
