"""`HostPresence`: this host's STATE on one MQTT server. Used by the shell that owns the session there.

Each server has its own, with its own timestamps: the birth of a session has the timestamp of that session's will
(`tck-id-operational-behavior-host-application-multi-server-timestamp`). All are published at QoS 1 and retained.
"""

from __future__ import annotations

from sparkplug.topic import state_topic
from sparkplug.wire.state import HostState, encode_state


class HostPresence:
    """The will, the birth and the death of a host on one server, each as topic and payload."""

    def __init__(self, host_id: str) -> None:
        self.topic = state_topic(host_id)
        self._will_ms: int | None = None

    @property
    def will_ms(self) -> int:
        """The timestamp of the last will. Raises `ValueError` before the first."""
        if self._will_ms is None:
            raise ValueError("a birth needs the will of its session first")
        return self._will_ms

    def will(self, now_ms: int) -> tuple[str, bytes]:
        """STATE offline, to be left as the will of a CONNECT that is made now."""
        self._will_ms = now_ms
        return self.topic, encode_state(HostState(False, now_ms))

    def birth(self) -> tuple[str, bytes]:
        """STATE online, with the timestamp of the last will. Raises `ValueError` before the first."""
        return self.topic, encode_state(HostState(True, self.will_ms))

    def death(self, now_ms: int) -> tuple[str, bytes]:
        """STATE offline, to be published before a DISCONNECT that is made now."""
        return self.topic, encode_state(HostState(False, now_ms))
