"""`Sequence`: puts the messages of one node back into the order of their `seq`. Called by `NodeSession` only.

A node counts all its messages, those of its devices too, from 0 to 255 and around. A message that comes early
waits until those before it have come, or until its time is up (`tck-id-operational-behavior-host-reordering-*`).
What waits is stored with each snapshot, so it is limited in bytes too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from sparkplug.message import SEQ_MODULUS, NodeBirth, Sequenced


class Sequence:
    """The `seq` expected next and the messages that wait for it: for `timeout_ms`, and `most_bytes` of them."""

    __slots__ = ("_most_bytes", "_timeout_ms", "_waiting", "expected", "last_digest")

    def __init__(
        self,
        timeout_ms: int,
        most_bytes: int,
        expected: int = 0,
        last_digest: int | None = None,
        waiting: Iterable[Sequenced] = (),
    ) -> None:
        self._timeout_ms = timeout_ms
        self._most_bytes = most_bytes
        self._waiting = {message.payload.seq or 0: message for message in waiting}  # by seq, in order of arrival
        self.expected = expected
        self.last_digest = last_digest

    @property
    def waiting(self) -> tuple[Sequenced, ...]:
        """The messages that came early, in order of arrival."""
        return tuple(self._waiting.values())

    @property
    def due_ms(self) -> int | None:
        """When the message that waits longest has waited long enough."""
        for message in self._waiting.values():
            return message.received_ms + self._timeout_ms
        return None

    @property
    def is_overfull(self) -> bool:
        """Whether more waits than may: the gap must be given up."""
        return sum(message.payload.size for message in self._waiting.values()) > self._most_bytes

    @property
    def missing(self) -> str:
        """The gap in words, for a person: `5` or `5 to 7`."""
        last = min(self._waiting, key=self._distance, default=self.expected) - 1
        last %= SEQ_MODULUS
        return str(self.expected) if last == self.expected else f"{self.expected} to {last}"

    def restart(self, seq: int, digest: int) -> None:
        """A birth with this `seq` begins the count anew. Release what waits before."""
        self._waiting.clear()
        self._advance(seq, digest)

    def is_repeat(self, seq: int, digest: int) -> bool:
        """Whether the message is the last one once more, or one that waits already."""
        waiting = self._waiting.get(seq)
        if waiting is not None:
            return waiting.payload.digest == digest
        return digest == self.last_digest and seq == (self.expected - 1) % SEQ_MODULUS

    def offer(self, seq: int, message: Sequenced) -> tuple[Sequenced, ...]:
        """Take a message with its `seq`; return those that are now in order. Another one must not wait with it."""
        if seq != self.expected:
            self._waiting[seq] = message
            return ()
        self._advance(seq, message.payload.digest)
        if not self._waiting:
            return (message,)
        ready = [message]
        while (following := self._waiting.pop(self.expected, None)) is not None:
            self._advance(self.expected, following.payload.digest)
            ready.append(following)
        return tuple(ready)

    def is_taken(self, seq: int) -> bool:
        """Whether a message with this `seq` waits already: the node counted all the way around, or counts wrongly."""
        return seq in self._waiting

    def give_up(self) -> tuple[Sequenced, ...]:
        """Release what waits, in the order of `seq`, and go on counting after the last of it."""
        released = sorted(self._waiting.items(), key=lambda item: self._distance(item[0]))
        self._waiting.clear()
        for seq, message in released:
            self._advance(seq, message.payload.digest)
        return tuple(message for _, message in released)

    def _distance(self, seq: int) -> int:
        return (seq - self.expected) % SEQ_MODULUS

    def _advance(self, seq: int, digest: int) -> None:
        self.expected = (seq + 1) % SEQ_MODULUS
        self.last_digest = digest


class Overtakers:
    """Messages that came before the birth of their node, and may have overtaken it. Kept as long and as many as wait
    for a `seq`, and not stored: after a restart of the host nodes are born anew."""

    __slots__ = ("_most_bytes", "_size", "_timeout_ms", "_waiting")

    def __init__(self, timeout_ms: int, most_bytes: int) -> None:
        self._timeout_ms = timeout_ms
        self._most_bytes = most_bytes
        self._waiting: deque[Sequenced] = deque()
        self._size = 0

    def keep(self, message: Sequenced) -> None:
        """Keep one more, and none longer than it may."""
        self._waiting.append(message)
        self._size += message.payload.size
        self._forget(message.received_ms)

    def take(self, birth: NodeBirth) -> tuple[Sequenced, ...]:
        """Those of the session that this birth begins, by the node's clock; the others are forgotten."""
        self._forget(birth.received_ms)
        sent_ms = birth.payload.timestamp_ms
        taken = tuple(
            each for each in self._waiting if sent_ms is not None and (each.payload.timestamp_ms or 0) >= sent_ms
        )
        self._waiting.clear()
        self._size = 0
        return taken

    def _forget(self, now_ms: int) -> None:
        while self._waiting and (
            self._size > self._most_bytes or now_ms - self._waiting[0].received_ms > self._timeout_ms
        ):
            self._size -= self._waiting.popleft().payload.size
