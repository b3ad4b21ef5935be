"""One schedule from its first order until nothing moves any more, and the judgement of it."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections import Counter
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import structlog

from bridge.broker.link import LinkSettings
from bridge.core.act import store_act
from bridge.core.input import Acted, ActKind
from bridge.simulator.happening import Happening, MetricsChanged
from bridge.simulator.ledger import FactKind, Ledger
from bridge.simulator.plan import order_quantity
from bridge.simulator.simulation import Simulation
from odoo_adapter.seed import Planner
from state.entry import EntryState, decode
from state.record import Table
from tests.faults.account import counted
from tests.faults.books import Day as Truth
from tests.faults.books import Verdict, judge
from tests.faults.day import scenario_of
from tests.faults.desk import REFUSAL, Desk
from tests.faults.fault import Schedule
from tests.faults.keeper import Server
from tests.faults.machine import Machine, unheard
from tests.faults.world import World

RESEND_MS: Final = 30_000
"""What a node may have sent to a host that was no longer there: longer than a broker takes to notice that."""
QUIET_S: Final = 20.0
"""The schedule is over when nothing has moved for so long: longer than any rule of the plant waits."""
STANDBY_S: Final = 1.0
"""How long after the first bridge the second is started, so that it is the one that stands by."""
LOOK_S: Final = 2.0
FOR_A_PERSON: Final = (EntryState.DEAD, EntryState.HELD)
SENT_BY_ITSELF: Final = (EntryState.PENDING, EntryState.CLAIMED)
LIMIT_S: Final = 2400.0
"""Longest virtual time: a bridge catches up with a clock that was set back in twice the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a schedule ended. `events` is all that happened, a line each."""

    schedule: Schedule
    verdict: Verdict
    events: tuple[str, ...]
    virtual_s: float
    turns: int
    lives: int


def play(schedule: Schedule, home: Path, *, new_server: type[Server] = Server, new_desk: type[Desk] = Desk) -> Outcome:
    """Play a schedule to its end, with this store and this Odoo. What goes wrong in it is a part of the verdict."""
    with unheard():
        return _play(World(schedule, home, new_server, new_desk))


def _play(world: World) -> Outcome:
    schedule = world.schedule
    random.seed(schedule.seed)
    try:
        with _heard(world), counted(world.broker.account):
            day = Day(world)
            stuck = day.run()
            return Outcome(
                schedule=schedule,
                verdict=judge(world, day.books(stuck)),
                events=tuple(world.events),
                virtual_s=world.universe.now_s,
                turns=world.universe.turns,
                lives=sum(bridge.lives for bridge in world.bridges.values()),
            )
    finally:
        world.universe.close()
        for name in world.bridges:
            shutil.rmtree(world.home / name, ignore_errors=True)


class Watched(Simulation):
    """A plant of which is known what its sources said."""

    def __init__(self, *asked: Any, **named: Any) -> None:
        super().__init__(*asked, **named)
        self.said: list[MetricsChanged] = []

    async def _carry_out(self, happening: Happening) -> None:
        if isinstance(happening, MetricsChanged):
            self.said.append(happening)
        await super()._carry_out(happening)


class Day:
    """The plant's day."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._scenario = scenario_of(world.schedule.seed)
        self.ledger = Ledger(world.schedule.seed)
        self.orders: list[str] = []
        self.replayed: list[str] = []
        self._simulation: Watched | None = None

    def books(self, stuck: str) -> Truth:
        """What truly happened."""
        plant = self._simulation
        return Truth(
            facts=self.ledger.facts,
            orders=self.orders,
            releases=() if plant is None else plant.releases,
            replayed=self.replayed,
            late=frozenset() if plant is None else plant.late,
            scenario=self._scenario,
            said=() if plant is None else plant.said,
            stuck=stuck,
        )

    def run(self) -> str:
        """Let the day pass; why it did not come to its end, or nothing."""
        task = self._world.plant.create_task(self._pass(), name="day")
        try:
            self._world.universe.run(task, limit_s=LIMIT_S)
        except TimeoutError as error:
            return f"it never came to rest: {error}"
        failed = task.exception()
        return "" if failed is None else f"the day itself failed: {failed!r}"

    async def _pass(self) -> None:
        world = self._world
        planner = Planner(world.desk.api(world.plant, administrator=True))
        await world.desk.furnish(planner)
        self._simulation = Watched(
            self._scenario,
            broker=LinkSettings(host="", port=0, client_id="plant"),
            link=lambda *asked: world.broker.link(world.plant, *asked),
            ledger=self.ledger,
            clock=world.plant,
            resend_ms=RESEND_MS,
        )
        for place, bridge in enumerate(world.bridges.values()):
            world.plant.call_later(place * STANDBY_S, bridge.start)
        async with asyncio.TaskGroup() as tasks:
            plant = tasks.create_task(self._simulation.run())
            await asyncio.gather(world.suffer(), self._plan(planner))
            self._simulation.wind_down()
            await self._simulation.rest()
            world.note("the plant is at rest")
            await self._drained(self._simulation)
            if await self._replay():
                await self._drained(self._simulation)
            plant.cancel()

    async def _plan(self, planner: Planner) -> None:
        """Release orders one after the other; edit one now and then."""
        chance = Random(f"planner {self._scenario.seed}")
        for nth in range(1, self._scenario.orders.count + 1):
            quantity = order_quantity(self._scenario, nth)
            order = await planner.create_order(quantity, press=1 + nth % 2)
            self.orders.append(order)
            self._world.note(f"the planner releases {order} of {quantity}")
            self.ledger.add(
                FactKind.RELEASE,
                f"release:{order}",
                at_ms=self._world.plant.now_ms(),
                order=order,
                values={"quantity": str(quantity)},
            )
            await asyncio.sleep(self._scenario.orders.every_ms / 1000 * chance.uniform(0.5, 1.5))

    async def _replay(self) -> bool:
        """A person looks at the dead letters, and replays those that Odoo refused. Whether there were any."""
        entries = [decode(body) for body in (await self._world.server.read(Table.ENTRY)).values()]
        dead = [entry for entry in entries if entry.state is EntryState.DEAD and REFUSAL in entry.reason]
        refused = tuple(sorted(entry.key for entry in dead))
        if not refused:
            return False
        self._world.note(f"a person replays {', '.join(refused)}")
        act = Acted(id="act-1", kind=ActKind.REPLAY, keys=refused, by="Ana Weber", reason="Odoo takes it now")
        await self._world.server.submit(store_act(act))
        self.replayed = [entry.lane for entry in dead]
        return True

    async def _drained(self, simulation: Simulation) -> None:
        """Return when all is with the bridge, nothing waits there, and nothing has moved for a while."""
        server, last, since_s = self._world.server, None, 0.0
        while True:
            entries = [decode(body) for body in (await server.read(Table.ENTRY)).values()]
            counts = Counter(entry.state for entry in entries)
            done = len(await server.read(Table.DONE))
            now_s = self._world.universe.now_s
            if (standing := (counts, done, simulation.stored)) != last:
                last, since_s = standing, now_s
            stopped = {entry.lane for entry in entries if entry.state in FOR_A_PERSON}
            waiting = [entry for entry in entries if entry.state in SENT_BY_ITSELF and entry.lane not in stopped]
            if now_s - since_s >= QUIET_S and not waiting and not simulation.stored:
                return
            await asyncio.sleep(LOOK_S)


@contextmanager
def _heard(world: World) -> Iterator[None]:
    """Let what all processes log be events of this world."""

    def note(_: Any, level: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        loop = asyncio._get_running_loop()
        who = loop.name if isinstance(loop, Machine) else "?"
        name = event.pop("event")
        event.pop("exc_info", None)
        world.note(f"{who} {name} " + " ".join(f"{key}={value}" for key, value in sorted(event.items())))
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[note], cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.configure(**before)
