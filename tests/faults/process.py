"""A bridge as an operator runs it: a process that a supervisor starts again, with its own machine, clock and files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from bridge.errors import StartRefused
from bridge.leadership.retained import MARK_FILE
from bridge.plant import Plant
from bridge.service import Service
from bridge.wiring import Outside, open_odoo
from state.errors import Fenced, OutOfStep, StoreUnavailable
from tests.faults.desk import Desk
from tests.faults.keeper import Server, Wire
from tests.faults.machine import Machine, Phase, Universe
from tests.faults.network import Broker

EXPECTED: Final = (Fenced, OutOfStep, StoreUnavailable)
"""What may end a bridge: another has taken over, or the store."""
STARTED_AGAIN_S: Final = 2.0
"""How long the supervisor waits after the bridge ended by itself."""
UNHEARD_S: Final = 22.5
"""One and a half keepalives, after which a broker takes a silent client for gone."""


class Bridge:
    """One of the bridges of the site."""

    def __init__(
        self,
        name: str,
        plant: Plant,
        home: Path,
        *,
        universe: Universe,
        server: Server,
        broker: Broker,
        desk: Desk,
        note: Callable[[str], None],
    ) -> None:
        self.lives = 0
        self._name = name
        self._plant = replace(plant, settings=replace(plant.settings, data_dir=home / name))
        self._universe = universe
        self._server = server
        self._broker = broker
        self._desk = desk
        self._note = note
        self._supervisor = universe.machine(f"supervisor-{name}")
        self._machine: Machine | None = None
        self._set_back_ms = 0
        self._stop = asyncio.Event()

    @property
    def is_running(self) -> bool:
        """Whether there is a process, be it paused or waiting for the lease."""
        return self._machine is not None

    def start(self) -> None:
        """Start the process, unless it runs."""
        if self._machine is not None:
            return
        self.lives += 1
        self._machine = machine = self._universe.machine(f"{self._name}{self.lives}")
        machine.set_back_ms = self._set_back_ms
        self._note(f"{machine.name} starts")
        outside = Outside(
            store=Wire(self._server, machine, self._broker.account.committed),
            odoo=open_odoo(self._plant, self._desk.api(machine)),
            link=partial(self._broker.link, machine),
            clock=machine,
        )
        self._stop = asyncio.Event()
        task = machine.create_task(Service(self._plant, outside).run(self._stop), name="service")
        task.add_done_callback(partial(self._ended, machine))

    def kill(self, *, after_turns: int, down_s: float, unheard: bool) -> None:
        """End the process between two of its awaits. `unheard`: with its machine, so that its links stay half open."""
        machine = self._machine
        if machine is not None and machine.phase is not Phase.DEAD:
            machine.kill_after(max(1, after_turns), partial(self._killed, machine, down_s, unheard))
            machine.call_soon(lambda: None)

    def pause(self, lasts_s: float) -> None:
        """Let the process stand still for so long; its links are given up when they were silent for too long."""
        machine = self._machine
        if machine is not None and machine.phase is Phase.RUNS:
            machine.pause()
            self._supervisor.call_later(lasts_s, machine.go_on)
            if lasts_s > UNHEARD_S:
                self._supervisor.call_later(UNHEARD_S, self._broker.vanish, machine)

    def set_back(self, ms: int) -> None:
        """Set the machine's clock back; ahead, where it is less than 0."""
        self._set_back_ms += ms
        if self._machine is not None:
            self._machine.set_back_ms = self._set_back_ms

    def _killed(self, machine: Machine, down_s: float, unheard: bool) -> None:
        self._note(f"{machine.name} is killed")
        machine.kill()
        self._machine = None
        self._supervisor.call_later(UNHEARD_S if unheard else 0.0, self._broker.vanish, machine)
        self._supervisor.call_later(down_s, self.start)

    def _ended(self, machine: Machine, task: asyncio.Task[None]) -> None:
        """It ended by itself."""
        error = task.exception()
        self._note(f"{machine.name} ended: {type(error).__name__}: {error}")
        if isinstance(error, StartRefused) and self._server.lost_commits:
            self._go_on_from_what_is_there()
        elif not isinstance(error, EXPECTED):
            self._universe.defects.append(f"{machine.name} ended with {error!r}")
        machine.kill()
        self._machine = None
        self._broker.vanish(machine)
        self._supervisor.call_later(STARTED_AGAIN_S, self.start)

    def _go_on_from_what_is_there(self) -> None:
        """The store lost what it had confirmed, and nobody has newer data: a person does what the refusal says."""
        mark = self._plant.settings.data_dir / MARK_FILE
        self._note(f"a person removes {mark.name}")
        mark.unlink()
