"""A running plant: the model in real time, its edge nodes and its MES on a broker, and the ledger.

The plant goes on whatever becomes of the broker or the bridge: its nodes store, its MES queues.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from bridge.broker.link import LinkSettings
from bridge.clock import Clock
from bridge.simulator.edge_session import EdgeSession, LinkFactory, define_node
from bridge.simulator.happening import DocumentSent, FactHappened, Happening, MetricsChanged
from bridge.simulator.ledger import Ledger
from bridge.simulator.mes_session import MesSession
from bridge.simulator.plant_model import PlantModel
from bridge.simulator.reach import BrokerUnreached, Reach
from bridge.simulator.scenario import Scenario
from ruleset.sample import Plain
from sparkplug.fact import NodeId, Value

LONGEST_PAUSE_MS: Final = 1_000
"""The plant looks at the clock this often at least: it may be set."""
SHORTEST_PAUSE_MS: Final = 2
REACH_S: Final = 30.0
"""How long a plant that runs by itself tries to reach a broker: it may be starting."""


class Simulation:
    """One plant on one broker. `run` works until cancelled.

    `broker` says how to reach it; its `client_id` begins those of all sessions. `others` are further servers, where the
    edge nodes look for their host too. Releases of the orders in `foreign` are not this plant's: its MES does not see
    them. `resend_ms` and `data_dir`: see `bridge.simulator.edge_session` and `mes_session`.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        broker: LinkSettings,
        others: Sequence[LinkSettings] = (),
        link: LinkFactory,
        ledger: Ledger,
        clock: Clock,
        foreign: Collection[str] = (),
        resend_ms: int = 0,
        data_dir: Path | None = None,
    ) -> None:
        self.start_ms: Final = clock.now_ms()
        self._model = PlantModel(scenario, self.start_ms)
        self._ledger = ledger
        self._clock = clock
        self._foreign = frozenset(foreign)
        self._rest = asyncio.Event()
        self._told = asyncio.Event()
        self._mes = MesSession(
            site=scenario.site, broker=broker, link=link, received=self._receive, resend_s=resend_ms / 1000
        )
        self._edges = {
            node: EdgeSession(
                define_node(node, origins, primary_host=scenario.primary_host),
                broker=broker,
                others=others,
                link=link,
                clock=clock,
                resend_ms=resend_ms,
                data_dir=data_dir,
            )
            for node, origins in _by_node(self._model).items()
        }

    @property
    def releases(self) -> tuple[tuple[str, int], ...]:
        """(order, version) of every release that the MES has seen, each once."""
        return self._model.releases

    @property
    def late(self) -> frozenset[str]:
        """The ids of the documents that reached the broker late, because the MES or the broker was away."""
        return frozenset(self._mes.late)

    @property
    def is_at_rest(self) -> bool:
        """Whether no order and no incident is under way."""
        return self._model.is_at_rest

    @property
    def stored(self) -> int:
        """How many updates wait in the edge nodes for their primary host."""
        return sum(session.node.stored for session in self._edges.values())

    async def run(self) -> None:
        """Run the plant until cancelled; then every node says its death."""
        async with asyncio.TaskGroup() as tasks:
            for node, session in self._edges.items():
                tasks.create_task(session.run(), name=f"edge-{node}")
            tasks.create_task(self._mes.run(), name="mes")
            tasks.create_task(self._live(), name="plant")

    def wind_down(self) -> None:
        """Begin no further order; those begun are made and reported to their end."""
        self._model.wind_down()
        self._told.set()

    async def rest(self) -> None:
        """Wait until the plant is at rest and everything that the MES has to say is with the broker."""
        while not self._model.is_at_rest:
            self._rest.clear()
            await self._rest.wait()
        await self._mes.sent()

    def _receive(self, document: Mapping[str, Plain]) -> None:
        if document.get("order") not in self._foreign:
            self._model.receive(document, self._clock.now_ms())
            self._told.set()

    async def _live(self) -> None:
        while True:
            for happening in self._model.step(self._clock.now_ms()):
                await self._carry_out(happening)
            if self._model.is_at_rest:
                self._rest.set()
            await self._pause()

    async def _carry_out(self, happening: Happening) -> None:
        match happening:
            case MetricsChanged(source=source, values=values, at_ms=at_ms):
                await self._edges[source.node].report(source.device, values, at_ms)
            case DocumentSent(topic=topic, document=document):
                await self._mes.send(topic, document)
            case FactHappened(fact=fact):
                self._ledger.append(fact)

    async def _pause(self) -> None:
        """Wait until something is due, or was told to the plant."""
        due_ms = self._model.next_due_ms
        wait_ms = LONGEST_PAUSE_MS if due_ms is None else due_ms - self._clock.now_ms()
        await _within(min(LONGEST_PAUSE_MS, max(SHORTEST_PAUSE_MS, wait_ms)) / 1000, self._told.wait())
        self._told.clear()


async def simulate(
    scenario: Scenario,
    *,
    broker: LinkSettings,
    others: Sequence[LinkSettings] = (),
    link: LinkFactory,
    clock: Clock,
    ledger_path: Path | None,
    seconds: float,
    data_dir: Path | None = None,
    rest_s: float = 60.0,
    stop: asyncio.Event | None = None,
) -> Ledger:
    """Run a plant for so long, let it come to rest (at most `rest_s` more), and give its ledger, closed.

    `stop`, when set, ends the time at once. Cancelling ends everything; the ledger is closed then too. Raises
    `BrokerUnreached` where no session was made in time; one that is lost later is no reason to end.
    """
    ledger, reach, stop = Ledger(scenario.seed, ledger_path), Reach(link), stop or asyncio.Event()
    try:
        simulation = Simulation(
            scenario, broker=broker, others=others, link=reach.link, ledger=ledger, clock=clock, data_dir=data_dir
        )
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(simulation.run(), name="simulation")
            reaching = tasks.create_task(_stop_unreached(reach, stop), name="reach")
            await _within(seconds, stop.wait())
            if not stop.is_set():  # a short time may be over before the first try is
                await _within(REACH_S, reach.tried.wait())
            if reach.reached.is_set():
                simulation.wind_down()
                await _within(rest_s, simulation.rest())
            reaching.cancel()
            running.cancel()
    finally:
        ledger.close()
    if not reach.reached.is_set():
        places = " nor ".join(f"{each.host}:{each.port}" for each in (broker, *others))
        raise BrokerUnreached(
            f"no MQTT broker was reached at {places} (the last try: {reach.reason}); see whether it runs, "
            "and whether the address, the log-in and the certificate are right"
        )
    return ledger


async def _stop_unreached(reach: Reach, stop: asyncio.Event) -> None:
    await _within(REACH_S, reach.reached.wait())
    if not reach.reached.is_set():
        stop.set()


async def _within(seconds: float, work: Awaitable[object]) -> None:
    """Wait for it so long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await work


def _by_node(model: PlantModel) -> Mapping[NodeId, Mapping[str | None, Mapping[str, Value]]]:
    origins: dict[NodeId, dict[str | None, Mapping[str, Value]]] = defaultdict(dict)
    for source, metrics in model.metrics().items():
        origins[source.node][source.device] = metrics
    return origins
