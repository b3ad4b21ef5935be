"""All that a schedule is played on, and how its faults strike there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from bridge.plant import Plant
from ruleset.codes import UNITS
from tests.faults.day import plant_of
from tests.faults.desk import Desk, Gust
from tests.faults.fault import Fault, Kind, Schedule
from tests.faults.keeper import Server
from tests.faults.machine import Machine, Universe
from tests.faults.network import Broker
from tests.faults.process import UNHEARD_S, Bridge

GUSTS: Final = {
    Kind.ODOO_BEFORE: Gust.BEFORE,
    Kind.ODOO_AFTER: Gust.AFTER,
    Kind.ODOO_LATE: Gust.LATE,
    Kind.ODOO_SERIALIZATION: Gust.SERIALIZATION,
    Kind.ODOO_REFUSES: Gust.REFUSED,
}

LEAVE_UNHEARD: Final = (Kind.POWER_CUT, Kind.PAUSE)
"""Faults after which the broker may wait for a client that is gone."""
COUNTED_S: Final = 8.0
"""How long faults that count messages and calls have to meet them."""


@dataclass(slots=True)
class World:
    """One plant with its servers and its bridges. `events` is all that happened, a line each."""

    schedule: Schedule
    home: Path
    new_server: type[Server] = Server
    new_desk: type[Desk] = Desk
    universe: Universe = field(default_factory=Universe)
    events: list[str] = field(default_factory=list)
    plant: Machine = field(init=False)
    broker: Broker = field(init=False)
    server: Server = field(init=False)
    desk: Desk = field(init=False)
    bridges: dict[str, Bridge] = field(init=False)

    def __post_init__(self) -> None:
        universe, seed = self.universe, self.schedule.seed
        self.plant = universe.machine("plant")
        self.broker = Broker(universe, Random(f"broker {seed}"), self.note)
        self.server = self.new_server(universe, Random(f"store {seed}"), self.note, is_weak=self.has("weak"))
        self.server.fell_back = self.broker.account.fell_back
        self.desk = self.new_desk(universe, Random(f"odoo {seed}"), self.note)
        self.bridges = {name: self._bridge(name) for name in ("a", "b")[: 1 + self.has("standby")]}

    def has(self, trait: str) -> bool:
        """Whether the schedule has this trait."""
        return trait in self.schedule.traits

    @property
    def units(self) -> Mapping[str, str]:
        """The floor's units, as Odoo names them."""
        return self._plant.assets.codes.get(UNITS, {})

    def note(self, text: str) -> None:
        """Write down what happened."""
        self.events.append(f"{self.universe.now_s:10.4f} {text}")

    async def suffer(self) -> None:
        """Let all faults strike at their times, and be over."""
        now_s = self.universe.now_s
        for fault in self.schedule.faults:
            self.plant.call_at(now_s + fault.at_s, self._strike, fault)
        end_s = max((fault.at_s + fault.lasts_s for fault in self.schedule.faults), default=0.0)
        unheard = any(fault.kind in LEAVE_UNHEARD for fault in self.schedule.faults)
        await asyncio.sleep(end_s + (UNHEARD_S if unheard else COUNTED_S))
        self.calm()

    def calm(self) -> None:
        """What counts messages and calls ends too."""
        self.desk.temper.gusts.clear()
        self.broker.weather.lose.clear()
        self.broker.weather.double.clear()
        self.broker.weather.late_s.clear()
        self.server.trouble.fail_before = self.server.trouble.fail_after = 0

    def _bridge(self, name: str) -> Bridge:
        return Bridge(
            name,
            self._plant,
            self.home,
            universe=self.universe,
            server=self.server,
            broker=self.broker,
            desk=self.desk,
            note=self.note,
        )

    @property
    def _plant(self) -> Plant:
        return plant_of(self.home, weak=self.has("weak"), inbox=not self.has("look-first"))

    def _strike(self, fault: Fault) -> None:
        self.note(f"fault {fault}")
        match fault.kind:
            case Kind.KILL | Kind.POWER_CUT | Kind.PAUSE:
                self._strike_bridge(fault, self.bridges.get(fault.who, self.bridges["a"]))
            case Kind.CLOCK_BACK | Kind.CLOCK_AHEAD | Kind.LEAP_BACK | Kind.LEAP_AHEAD:
                self._strike_clock(fault, self.bridges.get(fault.who, self.bridges["a"]))
            case (
                Kind.STORE_AWAY
                | Kind.STORE_READ_ONLY
                | Kind.STORE_SLOW
                | Kind.COMMIT_LOST
                | Kind.ANSWER_LOST
                | Kind.FAIL_OVER
            ):
                self._strike_store(fault)
            case Kind.ODOO_AWAY:
                self.desk.temper.is_away = True
                self._later(fault, lambda: setattr(self.desk.temper, "is_away", False))
            case Kind.ODOO_SLOW:
                self.desk.temper.slow_s = fault.amount / 1000
                self._later(fault, lambda: setattr(self.desk.temper, "slow_s", 0.0))
            case _ if fault.kind in GUSTS:
                self.desk.temper.gusts[GUSTS[fault.kind]] += fault.amount
            case _:
                self._strike_network(fault)

    def _strike_bridge(self, fault: Fault, bridge: Bridge) -> None:
        match fault.kind:
            case Kind.KILL | Kind.POWER_CUT:
                unheard = fault.kind is Kind.POWER_CUT
                bridge.kill(after_turns=fault.amount, down_s=fault.lasts_s, unheard=unheard)
            case Kind.PAUSE:
                bridge.pause(fault.lasts_s)

    def _strike_clock(self, fault: Fault, bridge: Bridge) -> None:
        is_back = fault.kind in (Kind.CLOCK_BACK, Kind.LEAP_BACK)
        back_ms = fault.amount if is_back else -fault.amount
        bridge.set_back(back_ms)
        self._later(fault, lambda: bridge.set_back(-back_ms))

    def _strike_store(self, fault: Fault) -> None:
        trouble = self.server.trouble
        match fault.kind:
            case Kind.STORE_AWAY:
                trouble.is_away = True
                self._later(fault, lambda: setattr(trouble, "is_away", False))
            case Kind.STORE_READ_ONLY:
                trouble.is_read_only = True
                self._later(fault, lambda: setattr(trouble, "is_read_only", False))
            case Kind.STORE_SLOW:
                trouble.slow_s = fault.amount / 1000
                self._later(fault, lambda: setattr(trouble, "slow_s", 0.0))
            case Kind.COMMIT_LOST:
                trouble.fail_before += fault.amount
            case Kind.ANSWER_LOST:
                trouble.fail_after += fault.amount
            case Kind.FAIL_OVER:
                self.server.fail_over(fault.amount / 1000)

    def _strike_network(self, fault: Fault) -> None:
        broker, weather = self.broker, self.broker.weather
        match fault.kind:
            case Kind.CUT:
                broker.cut(fault.who)
            case Kind.HALF_OPEN:
                broker.silence(fault.who)
                self._later(fault, lambda: broker.cut(fault.who))
            case Kind.SLOW_LINK:
                weather.slow_s[fault.who] = fault.amount / 1000
                self._later(fault, lambda: weather.slow_s.pop(fault.who, None))
            case Kind.LATE:
                weather.late_s[fault.who] = fault.amount / 1000
            case Kind.LOSE:
                weather.lose[fault.who] += fault.amount
            case Kind.DOUBLE:
                weather.double[fault.who] += fault.amount
            case Kind.BROKER_RESTART | Kind.BROKER_FORGETS:
                broker.stop()
                if fault.kind is Kind.BROKER_FORGETS:
                    broker.forget()
                self._later(fault, broker.start)

    def _later(self, fault: Fault, end: Callable[[], object]) -> None:
        def ended() -> None:
            self.note(f"fault {fault.number} is over")
            end()

        self.plant.call_later(fault.lasts_s, ended)
