"""The Odoo of the simulation: the simulator's database in this process, and what each process sees of it over HTTP.

The bridge's own client is used down to the exchange of a request and an answer; only the network is another. Odoo
carries out what arrives also when who sent it has died, or has given up waiting.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import msgspec

from odoo_adapter.client.api import OdooApi
from odoo_adapter.client.classify import Answer, classify
from odoo_adapter.client.connection import Connection
from odoo_adapter.client.line import Line
from odoo_adapter.seed import Planner
from odoo_adapter.simulator import rpc
from odoo_adapter.simulator.company import ADMINISTRATOR, BEHAVIOURS, INTEGRATION, furnish, mark_inbox
from odoo_adapter.simulator.errors import Fault, serialization_failure, user_error
from odoo_adapter.simulator.face import models
from odoo_adapter.simulator.http import DEFAULT_VERSION
from odoo_adapter.simulator.records.database import Database
from odoo_adapter.versions import Capabilities, capabilities
from tests.faults.machine import Machine, Universe

REFUSAL: Final = "The company's rules do not allow this."
TIMEOUT_S: Final = 4.0
SERVER_LIMIT_S: Final = 8.0
"""How long a call may go on at the server after who made it has gone."""


_Dump = tuple[dict[str, dict[int, dict[str, Any]]], dict[str, int]]
_PREPARED: Final[list[bytes]] = []
"""What a furnished database holds; the same for all schedules."""


class Gust:
    """The kinds of what goes wrong with one writing call."""

    BEFORE: Final = "timeout before the commit"
    AFTER: Final = "timeout after the commit"
    LATE: Final = "timeout, and carried out later"
    SERIALIZATION: Final = "serialization failure"
    REFUSED: Final = "refused"


@dataclass(slots=True)
class Temper:
    """What is wrong with Odoo now. Numbers of writing calls count down."""

    is_away: bool = False
    slow_s: float = 0.0
    gusts: Counter[str] = field(default_factory=Counter)

    def next_gust(self) -> str | None:
        """What strikes the next writing call; it is used up."""
        for gust, left in self.gusts.items():
            if left > 0:
                self.gusts[gust] -= 1
                return gust
        return None


class Desk:
    """One Odoo server."""

    def __init__(self, universe: Universe, chance: Random, note: Callable[[str], None]) -> None:
        self.universe = universe
        self.here = universe.machine("odoo")
        self.chance = chance
        self.note = note
        self.temper = Temper()
        self.database = Database(models(capabilities(DEFAULT_VERSION), ""), BEHAVIOURS, lambda: universe.now_ms)

    async def furnish(self, planner: Planner) -> None:
        """Fill the database with the company and the plant's master data: once, and then from a copy of that."""
        if not _PREPARED:
            furnish(self.database)
            await planner.prepare()
            _PREPARED.append(msgspec.json.encode(self.database.dump()))
        else:
            self.database.load(*msgspec.json.decode(_PREPARED[0], type=_Dump))
            mark_inbox(self.database)
            await planner.prepare()

    def api(self, machine: Machine, *, administrator: bool = False) -> OdooApi:
        """A connection of this process. The administrator's meets no faults."""
        return _Api(self, machine, administrator=administrator)

    def carry_out(self, user: int, path: str, body: Mapping[str, Any]) -> Answer:
        """One call, as one transaction."""
        if path == "/web/version":
            return Answer(200, {"version": f"{DEFAULT_VERSION}-simulator"}, is_json=True)
        model, method = path.split("/")[-2:]
        try:
            result = rpc.call(self.database, user, model, method, msgspec.json.decode(msgspec.json.encode(body)))
        except Fault as fault:
            return Answer(fault.status, fault.body(), is_json=True)
        return Answer(200, msgspec.json.decode(msgspec.json.encode(result)), is_json=True)


class Reader:
    """Reads for the comparison, at once and as the administrator: an `OdooReader`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def search_read(self, model: str, domain: Sequence[object], fields: Sequence[str]) -> list[dict[str, Any]]:
        body = {"domain": list(domain), "fields": list(fields)}
        answer = self._desk.carry_out(ADMINISTRATOR, f"/json/2/{model}/search_read", body)
        assert answer.status == 200, answer.body
        rows: list[dict[str, Any]] = answer.body
        return rows

    async def capabilities(self) -> Capabilities:
        return capabilities(DEFAULT_VERSION)


class _Api(OdooApi):
    def __init__(self, desk: Desk, machine: Machine, *, administrator: bool) -> None:
        connection = Connection(url="http://odoo", database="odoo", key=lambda: "key", timeout_s=TIMEOUT_S)
        super().__init__(connection)
        self._line = _Line(connection, desk, machine, administrator=administrator)


class _Line(Line):
    """The exchanges of one process with the server."""

    def __init__(self, connection: Connection, desk: Desk, machine: Machine, *, administrator: bool) -> None:
        super().__init__(connection)
        self._desk = desk
        self._machine = machine
        self._user = ADMINISTRATOR if administrator else INTEGRATION
        self._spared = administrator

    async def _exchange(
        self, verb: str, path: str, body: Mapping[str, object] | None, headers: Mapping[str, str], *, writes: bool
    ) -> Answer:
        desk, temper = self._desk, self._desk.temper
        if self._spared:
            return desk.carry_out(self._user, path, body or {})
        if temper.is_away:
            await asyncio.sleep(self._takes_s())
            return Answer(503, None)
        gust = temper.next_gust() if writes else None
        if gust:
            desk.note(f"odoo: {gust}: {path}")
        answer: asyncio.Future[Answer] = self._machine.create_future()
        delay_s = self._takes_s() + temper.slow_s
        if gust == Gust.LATE:
            delay_s += TIMEOUT_S + desk.chance.random() * (SERVER_LIMIT_S - 1)
        if gust != Gust.BEFORE:
            desk.here.call_later(delay_s, self._arrived, path, body or {}, answer, gust)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await answer
        except TimeoutError as error:
            raise classify(error, writes=writes) from error

    def _arrived(self, path: str, body: Mapping[str, object], answer: asyncio.Future[Answer], gust: str | None) -> None:
        told = self._fault(gust) or self._desk.carry_out(self._user, path, body)
        if gust != Gust.AFTER:
            self._machine.call_later(self._takes_s(), _answered, answer, told)

    def _fault(self, gust: str | None) -> Answer | None:
        match gust:
            case Gust.SERIALIZATION:
                fault = serialization_failure()
            case Gust.REFUSED:
                fault = user_error(REFUSAL)
            case _:
                return None
        return Answer(fault.status, fault.body(), is_json=True)

    def _takes_s(self) -> float:
        return 0.002 + self._desk.chance.random() * 0.02


def _answered(answer: asyncio.Future[Answer], told: Answer) -> None:
    if not answer.done():
        answer.set_result(told)
