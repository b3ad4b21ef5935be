"""Which order runs at equipment of which neither a signal nor an event says so: the one released to its work center.

Of each equipment that wants it (`ReleaseBinding`) it knows which orders the order book shows there, and tells when
that changed: the only one runs; of several nobody knows which, so none does. What it tells is kept back, ordered and
given to the rules like the documents of a MES. Pure; part of the floor. Why: docs/adr/0009-what-is-released-runs.md
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from bridge.core.topic import order_topic
from bridge.orders.record import OrderRecord
from ruleset.equipment import RUNS, Assets, ReleaseBinding, ReleasedAs
from ruleset.output import Remark, RemarkName
from ruleset.sample import Event, Source

ID: Final = "released/"
FINISHED: Final = frozenset({"done", "cancel"})
"""States of a work order in Odoo of which nothing more is made."""
UNDER_WAY: Final = "progress"


class _Shown(msgspec.Struct, frozen=True, kw_only=True):
    """The orders that may run at an equipment, as they were told last. A record of its own."""

    v: int = 1
    orders: tuple[str, ...]


class _Follower(NamedTuple):
    """An equipment whose running order is the one released to its work center."""

    signal: str
    work_center: str
    released: ReleasedAs


class Released:
    """Of all equipment of a site, as one version of the plant's content has it."""

    def __init__(self, assets: Assets) -> None:
        self._site = assets.path
        self._followers: dict[str, _Follower] = {}
        for path, equipment in assets.equipment.items():
            signal = equipment.order_signal
            if signal is not None and isinstance(signal.binding, ReleaseBinding):
                self._followers[path] = _Follower(signal.name, equipment.work_center or "", signal.binding.released)
        self._shown: dict[str, tuple[str, ...]] = {}
        self._changed: set[str] = set()

    def take(self, records: Iterable[OrderRecord], now_ms: int) -> Iterator[Event | Remark]:
        """What changed since the last call, now that the order book holds these."""
        if not self._followers:
            return
        candidates = _candidates(records)
        for path, follower in self._followers.items():
            orders = tuple(sorted(candidates[follower.released, follower.work_center]))
            if self._shown.get(path) == orders:
                continue
            self._shown[path] = orders
            self._changed.add(f"{ID}{path}")
            if len(orders) > 1:
                yield _ambiguous(path, follower, orders)
            yield self._runs(path, follower.signal, orders[0] if len(orders) == 1 else "", now_ms)

    def _runs(self, path: str, signal: str, order: str, now_ms: int) -> Event:
        source = Source(topic=order_topic(self._site, order or "none"))
        return Event(equipment=path, signal=signal, id=order, fields={RUNS: order}, at_ms=now_ms, source=source)

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all records."""
        return frozenset(f"{ID}{path}" for path in self._shown)

    def take_changed(self) -> frozenset[str]:
        """Ids of the records that changed since the last call."""
        changed = frozenset(self._changed)
        self._changed.clear()
        return changed

    def snapshot(self, id: str) -> bytes | None:
        """The stored form of one record; None when it is gone."""
        orders = self._shown.get(id.removeprefix(ID))
        return None if orders is None else msgspec.json.encode(_Shown(orders=orders))

    def restore(self, id: str, snapshot: bytes) -> None:
        """Take back what `snapshot` gave. That of equipment which follows no releases any more is dropped."""
        path = id.removeprefix(ID)
        if path in self._followers:
            self._shown[path] = msgspec.json.decode(snapshot, type=_Shown).orders
        else:
            self._changed.add(id)

    @staticmethod
    def owns(id: str) -> bool:
        """Whether a memory record is of this."""
        return id.startswith(ID)


def _candidates(records: Iterable[OrderRecord]) -> Mapping[tuple[ReleasedAs, str], set[str]]:
    """The open orders that may run at each work center."""
    found: dict[tuple[ReleasedAs, str], set[str]] = defaultdict(set)
    for record in records:
        if not record.is_open:
            continue
        for operation in record.document.get("operations", ()):
            state, center = record.work.get(operation["work_order"], ""), operation["work_center"]
            if state == UNDER_WAY:
                found[ReleasedAs.STARTED, center].add(record.order)
            if state not in FINISHED and record.is_accepted:
                found[ReleasedAs.ACCEPTED, center].add(record.order)
    return found


def _ambiguous(path: str, follower: _Follower, orders: tuple[str, ...]) -> Remark:
    text = (
        f"{' and '.join(orders)} are {follower.released} at {follower.work_center}: "
        "nobody knows which of them runs, so none does"
    )
    return Remark(name=RemarkName.ORDER_AMBIGUOUS, equipment=path, text=text)
