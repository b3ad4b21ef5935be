"""Why nobody could know a fact any more: the loss of a message that told this very fact, and of no other.

A document tells a fact by its id, a message of an edge node by the moments of the values in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import msgspec

from bridge.simulator.happening import MetricsChanged
from bridge.simulator.ledger import Fact, FactKind
from bridge.simulator.scenario import Scenario, Source
from bridge.simulator.vibration import RAISED_AFTER_MS
from sparkplug.fact import DataSet, Origin
from state.entry import Entry, EntryState
from tests.faults.account import Moment

if TYPE_CHECKING:
    from tests.faults.network import Broker

COUNT: Final = "Counters/Good"
DISPOSITIONS: Final = "Dispositions"
ORDER: Final = "Order"
SCRAP: Final = "Scrap/Number"
VIBRATION: Final = "Vibration/RMS"
FORGOTTEN: Final = "forgotten by the broker"
NO_STOCK: Final = "no_stock"
DECIDED: Final = (FactKind.DISPOSITION, FactKind.COMPLETION)
"""Facts that hang on a decision of quality, which every later one repeats."""


class Excuses:
    """What a schedule has lost, asked once it is over. `said` is all that the plant's sources told, in order."""

    def __init__(
        self, broker: Broker, scenario: Scenario, said: Sequence[MetricsChanged], entries: Sequence[Entry]
    ) -> None:
        self._stations = {f"{scenario.site}/{one.equipment}": one.source for one in scenario.stations}
        self._quality = scenario.quality.source
        self._said = said
        self._kept, self._gone = broker.account.moments()
        self._documents = lost_documents(broker)
        self._checks = [msgspec.json.decode(payload) for topic, payload in broker.told if topic.endswith("/quality")]
        self._held = {entry.lane.rpartition(":")[2]: entry for entry in entries if entry.state is EntryState.HELD}
        self._short = {
            entry.key.rpartition(":production.scrap:")[0] for entry in entries if entry.reason.startswith(NO_STOCK)
        }

    def reason(self, fact: Fact) -> str:
        """Why it is no fault that this fact is missing, and which message's loss it is; nothing where it is one."""
        if (held := self._held.get(fact.order or fact.equipment or "")) is not None:
            return f"held for a person ({held.reason})"
        if fact.kind is FactKind.SCRAP and fact.equipment in self._short:
            return "a dead letter: there was no stock left to scrap"
        document = next((id for id in self.documents_of(fact) if id in self._documents), "")
        if document:
            return f"{document}: {self._documents[document]}"
        moments = self.moments(fact)
        if fact.kind in DECIDED and any(moment in self._kept for moment in moments):
            return ""
        return next((self._gone[moment] for moment in moments if moment in self._gone), "")

    def moments(self, fact: Fact) -> list[Moment]:
        """When the values were told that it takes to know this fact."""
        source = self._quality if fact.kind in DECIDED else self._stations.get(fact.equipment or "")
        if source is None:
            return []
        origin = Origin(source.node.group, source.node.node, source.device)
        return [Moment(origin, metric, at_ms) for metric, at_ms in _told(fact, self._said_by(source))]

    def _said_by(self, source: Source) -> list[MetricsChanged]:
        return [one for one in self._said if one.source == source]

    def documents_of(self, fact: Fact) -> list[str]:
        """The ids of the documents that it takes to know this fact."""
        match fact.kind:
            case FactKind.START:
                return [f"work_started-{fact.order}-{fact.values['work_order']}"]
            case FactKind.FINISH:
                return [f"work_finished-{fact.order}-{fact.values['work_order']}"]
            case FactKind.ACKNOWLEDGEMENT:
                return [f"ack-{fact.order}-{fact.values['version']}"]
            case FactKind.COMPLETION:
                return [f"finished-{fact.order}"]
            case FactKind.MAINTENANCE:
                title = str(fact.values["title"])
                failed = (one for one in self._checks if one["result"] == "fail")
                return [str(one["id"]) for one in failed if title.endswith(f" of {one['check']} ")]
            case _:
                return []


def lost_documents(broker: Broker) -> dict[str, str]:
    """The ids of the documents of which no bridge has a copy that is kept, with what became of them."""
    forgotten = {_id(one.payload): FORGOTTEN for one in broker.lost if one.topic.startswith("uns/")}
    kept, undone = broker.account.documents()
    lost = {**forgotten, **{_id(one.payload): one.became for one in undone}}
    return {id: became for id, became in lost.items() if id not in {_id(one.payload) for one in kept}}


def _id(payload: bytes) -> str:
    """The id of a document of the MES; a release has none."""
    return str(msgspec.json.decode(payload).get("id", "")) if payload else ""


def _told(fact: Fact, said: Sequence[MetricsChanged]) -> Iterator[tuple[str, int]]:
    """The metrics that tell a fact, and when."""
    match fact.kind:
        case FactKind.DISPOSITION | FactKind.COMPLETION:
            id = f"disposition-{fact.order}"
            for one in said:
                table = one.values.get(DISPOSITIONS)
                if isinstance(table, DataSet) and any(row[0] == id for row in table.rows):
                    yield DISPOSITIONS, one.at_ms
        case FactKind.SCRAP:
            yield SCRAP, fact.at_ms
        case FactKind.DOWNTIME:
            first_ms, last_ms = int(str(fact.values["started_ms"])), int(str(fact.values["ended_ms"]))
            yield from _between(first_ms, last_ms, ("State", "Fault"), said)
        case FactKind.MAINTENANCE:
            yield from _between(fact.at_ms - RAISED_AFTER_MS, fact.at_ms, (VIBRATION,), said)
        case FactKind.PROGRESS:
            yield from _counted(fact, said)
        case _:
            return


def _between(
    first_ms: int, last_ms: int, metrics: Sequence[str], said: Sequence[MetricsChanged]
) -> Iterator[tuple[str, int]]:
    for one in said:
        if first_ms <= one.at_ms <= last_ms:
            yield from ((metric, one.at_ms) for metric in metrics if metric in one.values)


def _counted(fact: Fact, said: Sequence[MetricsChanged]) -> Iterator[tuple[str, int]]:
    """When its order came and went, and the counts around a reset between: later counts make up for all others."""
    turns = [one for one in said if ORDER in one.values]
    for loaded, unloaded in pairwise(turns):
        if loaded.values[ORDER] == fact.order:
            yield from ((ORDER, one.at_ms) for one in (loaded, unloaded))
            counts = [one for one in said if COUNT in one.values and loaded.at_ms <= one.at_ms <= unloaded.at_ms]
            for before, after in pairwise(counts):
                if _count(after) < _count(before):
                    yield from ((COUNT, one.at_ms) for one in (before, after))


def _count(one: MetricsChanged) -> int:
    return int(str(one.values[COUNT]))
