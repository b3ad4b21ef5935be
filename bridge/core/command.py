"""What people want of edge nodes, decided by what the host knows of them, and what became of it. Called by the core.

A command goes out at most once: the reply is committed first, and the message, at QoS 0, follows. A bridge that ends
between the two has said "sent" of a command that never arrived, as a broker may lose it too; it never sends it twice.
"""

from __future__ import annotations

from typing import Final

import msgspec

from bridge.core.input import Notice, RebirthWanted, WriteWanted
from sparkplug.command import Awaited, Refusal
from sparkplug.fact import Output, RequestRebirth, RequestWrite
from sparkplug.host import HostApplication

KEPT: Final = 100
"""Replies that are remembered. Who asked waits for seconds only."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a command: sent, now or shortly before, or why not."""

    v: int = 1
    at_ms: int
    sent: bool
    text: str


class Commands:
    """The replies of a site, by the id of their act."""

    def __init__(self, host: HostApplication) -> None:
        self._host = host
        self._replies: dict[str, Reply] = {}
        self._changed: set[str] = set()

    def take(self, wanted: RebirthWanted | WriteWanted, now_ms: int) -> tuple[tuple[Output, ...], Notice]:
        """Decide. The outputs are the host's, the notice says what became of it."""
        outcome = self._decide(wanted, now_ms)
        outputs: tuple[Output, ...] = ()
        match outcome:
            case Refusal(reason):
                reply = Reply(at_ms=now_ms, sent=False, text=reason)
            case Awaited(node, since_ms):
                text = f"{node} was already asked for a rebirth {since_ms // 1000} s ago"
                reply = Reply(at_ms=now_ms, sent=True, text=text)
            case tuple():
                outputs = outcome
                reply = Reply(at_ms=now_ms, sent=True, text=self._sent(wanted, outputs))
        self._keep(wanted.id, reply)
        fields = {"act": wanted.id, "by": wanted.by, "reason": wanted.reason, **_told(wanted), "result": reply.text}
        if reply.sent:
            return outputs, Notice(level="info", name="command.sent", fields=fields)
        return outputs, Notice(level="info", name="command.refused", fields=fields)

    def reply(self, id: str) -> Reply | None:
        """What became of the command of this act, if it is among the latest."""
        return self._replies.get(id)

    def take_changed(self) -> frozenset[str]:
        """Ids of the acts whose reply changed since the last call."""
        changed = frozenset(self._changed)
        self._changed.clear()
        return changed

    def snapshot(self, id: str) -> bytes | None:
        """The stored form of a reply; None when it is forgotten."""
        reply = self._replies.get(id)
        return None if reply is None else msgspec.json.encode(reply)

    def restore(self, id: str, snapshot: bytes) -> None:
        """Take back what `snapshot` gave. Raises `msgspec.MsgspecError`."""
        self._replies[id] = msgspec.json.decode(snapshot, type=Reply)

    def _decide(self, wanted: RebirthWanted | WriteWanted, now_ms: int) -> tuple[Output, ...] | Awaited | Refusal:
        if now_ms > wanted.until_ms:
            late_ms = now_ms - wanted.until_ms
            return Refusal(f"it came {late_ms} ms after nobody waited for it any more; do the clocks agree?")
        match wanted:
            case RebirthWanted():
                return self._host.ask_rebirth(wanted.node, f"asked by {wanted.by}: {wanted.reason}", now_ms)
            case WriteWanted():
                return self._host.write(wanted.origin, wanted.metric, wanted.value, now_ms)

    def _sent(self, wanted: RebirthWanted | WriteWanted, outputs: tuple[Output, ...]) -> str:
        match wanted:
            case RebirthWanted(node=node):
                if any(isinstance(one, RequestRebirth) and one.node == node for one in outputs):
                    return f"{node} was asked for a rebirth"
                return f"{node} will be asked for a rebirth when its turn comes: many nodes wait"
            case WriteWanted(origin=origin, metric=metric, value=value):
                [datatype] = [one.datatype for one in outputs if isinstance(one, RequestWrite)]
                return f"{metric} of {origin} was written as the {datatype} {value}"

    def _keep(self, id: str, reply: Reply) -> None:
        self._replies[id] = reply
        self._changed.add(id)
        if len(self._replies) > KEPT:
            oldest = min(self._replies, key=lambda each: self._replies[each].at_ms)
            del self._replies[oldest]
            self._changed.add(oldest)


def _told(wanted: RebirthWanted | WriteWanted) -> dict[str, str]:
    match wanted:
        case RebirthWanted(node=node):
            return {"to": str(node)}
        case WriteWanted(origin=origin, metric=metric, value=value):
            return {"to": str(origin), "metric": metric, "value": value}
