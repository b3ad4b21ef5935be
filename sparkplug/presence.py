"""This host's STATE on one MQTT server: what it says there, and what it answers to what others say.

`HostPresence` is used by the shell that owns the session, `StateWatch` by `HostApplication`. Each server has its own,
with its own timestamps: the birth of a session has the timestamp of that session's will
(`tck-id-operational-behavior-host-application-multi-server-timestamp`). All are published at QoS 1 and retained.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from sparkplug.errors import PayloadError
from sparkplug.fact import PublishState, Reconnect
from sparkplug.finding import FindingName, Problem, Told
from sparkplug.pace import Backoff
from sparkplug.topic import state_topic
from sparkplug.wire.state import HostState, decode_state, encode_state

RECONNECT_MS: Final = 10_000  # between two reconnects because of a false death, doubled up to:
RECONNECT_MOST_MS: Final = 600_000


class HostPresence:
    """The will, the birth and the death of a host on one server, each as topic and payload."""

    def __init__(self, host_id: str) -> None:
        self.topic = state_topic(host_id)
        self._will_ms: int | None = None
        self._after_ms = 0

    @property
    def will_ms(self) -> int:
        """The timestamp of the last will. Raises `ValueError` before the first."""
        if self._will_ms is None:
            raise ValueError("a birth needs the will of its session first")
        return self._will_ms

    def outlive(self, after_ms: int) -> None:
        """The next will is later than this: nodes pass over a STATE that is older than the last one."""
        self._after_ms = max(self._after_ms, after_ms)

    def will(self, now_ms: int) -> tuple[str, bytes]:
        """STATE offline, to be left as the will of a CONNECT that is made now."""
        self._will_ms = max(now_ms, self._after_ms + 1)
        self.outlive(self._will_ms)
        return self.topic, encode_state(HostState(False, self._will_ms))

    def birth(self) -> tuple[str, bytes]:
        """STATE online, with the timestamp of the last will. Raises `ValueError` before the first."""
        return self.topic, encode_state(HostState(True, self.will_ms))

    def death(self, now_ms: int) -> tuple[str, bytes]:
        """STATE offline, to be published before a DISCONNECT that is made now. The next will is later, also where the
        clock is set back meanwhile."""
        self.outlive(now_ms)
        return self.topic, encode_state(HostState(False, max(now_ms, self._will_ms or 0)))


class DeclaredOffline(StrEnum):
    """What a host does that is told it were offline, by another's STATE or by an old one."""

    REPUBLISH = "republish"  # its birth, with the will's timestamp (Sparkplug 3.0)
    RECONNECT = "reconnect"  # with a new will, so that its birth is newer than the false death (the draft of 4.0)


class StateWatch:
    """Our session on one server, and what stands under our id there. `will_ms` None: there is no session."""

    def __init__(self, server: str, host_id: str, declared_offline: DeclaredOffline) -> None:
        self.will_ms: int | None = None
        self._server = server
        self._host_id = host_id
        self._declared_offline = declared_offline
        self._reconnects = Backoff(RECONNECT_MS, RECONNECT_MOST_MS)
        self._died_ms = 0  # the latest death that nodes may have heard; a will of ours may stand in its place since

    def answer(self, raw: bytes, *, retain: bool, now_ms: int) -> Told:
        """A STATE under our own id. While we are online nothing else may stand there
        (`tck-id-message-flow-hid-sparkplug-state-message-delivered`)."""
        if self.will_ms is None:
            return [], []
        birth = PublishState(server=self._server, at_ms=self.will_ms)
        try:
            state = decode_state(raw)
        except PayloadError as error:
            return [birth], [Problem(FindingName.STATE_UNREADABLE, str(error))]
        if not state.online:
            self._died_ms = max(self._died_ms, state.timestamp_ms)
            if retain and self._died_ms > self.will_ms:  # unpaced: the next will is later, so this is once a death
                reason = f"the last STATE is of {self._died_ms}, later than our clock: nodes pass over an earlier one"
                return [self._later(self._died_ms, reason)], []
            if retain or self._declared_offline is DeclaredOffline.REPUBLISH:
                return [birth], []  # a retained one is from before this session, whose birth is under way
            if not self._reconnects.take(now_ms):
                return [birth], []
            reason = f"STATE said at {state.timestamp_ms} that {self._host_id} were offline"
            return [self._later(0, reason)], []
        if state.timestamp_ms > self.will_ms and not retain:
            text = f"another host says {self._host_id} is online since {state.timestamp_ms}"
            return [], [Problem(FindingName.HOST_ID_SHARED, text)]
        return [], []

    def _later(self, after_ms: int, reason: str) -> Reconnect:
        assert self.will_ms is not None
        return Reconnect(server=self._server, at_ms=self.will_ms, after_ms=after_ms, reason=reason)
