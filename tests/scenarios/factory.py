"""A whole plant in the words of its floor: machines, a MES, a laboratory, a planner, the bridge and its Odoo."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import msgspec

from bridge.core.input import Acted, ActKind, UnsDocument
from bridge.correction.given import ORDER
from bridge.plant import Plant, load_plant
from bridge.settings.odoo import InboxUse
from bridge.simulator.edge_session import define_node
from bridge.wiring import open_odoo
from odoo_adapter.client.api import OdooApi
from ruleset.sample import Plain
from sparkplug.edge import EdgeNode
from sparkplug.fact import NodeId, Value
from state.entry import EntryState
from tests.scenarios.bridge import Bridge, Clock
from tests.scenarios.cable import Cable
from tests.scenarios.office import Office
from tests.scenarios.planner import Planner
from tests.scenarios.rules import Rules

FOLDER: Final = Path(__file__).parent / "plant"
TOWN: Final = "hamburg"
"""The site's name, its group's, and a part of its host id: another plant of the same folder has another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """An Odoo on which plants can be opened: an administrator's connection, and the bridge's own user in one company.

    `suffix` is a word behind all codes, which no earlier run used.
    """

    admin: OdooApi
    user: str
    key: str
    clock: Clock
    suffix: str

    @property
    def company(self) -> int:
        return self.admin.connection.company


@dataclass(slots=True, kw_only=True)
class Machine:
    """A device of an edge node."""

    node: EdgeNode
    device: str
    bridge: Bridge
    clock: Clock
    count: int = 0
    unheard: list[tuple[dict[str, Value], int]] = field(default_factory=list)
    """What it said while its node was cut off."""

    async def becomes(self, state: str, *, fault: str = "") -> None:
        await self._says({"State": state, "Fault": fault})

    async def breaks_down(self, *, minutes: int) -> None:
        """It stands still with a fault, and runs again for a while."""
        await self.becomes("FAULT", fault="E12")
        await self.bridge.wait(minutes * 60_000)
        await self.becomes("RUN")
        await self.bridge.wait(10 * 60_000)

    async def runs(self, order: str) -> None:
        """The operator puts this order on."""
        await self._says({"Order": order, "Counters/Good": self.count})

    async def makes(self, pieces: int) -> None:
        self.count += pieces
        await self._says({"Counters/Good": self.count})

    async def starts_counting_at(self, count: int) -> None:
        """Its controller was started again."""
        self.count = count
        await self._says({"Counters/Good": self.count})

    async def vibrates(self, mm_per_s: float) -> None:
        await self._says({"Vibration": mm_per_s})

    async def is_cut_off(self) -> None:
        """Its node loses its line, and stores what is said."""
        await self.bridge.hear(self.node.leave(self.clock.now_ms()))

    async def is_back(self) -> None:
        """Its node is born, and sends what it stored."""
        self.node.will(self.clock.now_ms())
        await self.bridge.hear(self.node.connected(self.clock.now_ms()))

    async def sends_its_history_again(self) -> None:
        """Its node loses its line before it knows what arrived of what it had stored."""
        await self.is_cut_off()
        for values, at_ms in self.unheard:
            self.node.update(self.device, values, at_ms)
        await self.is_back()

    async def _says(self, values: dict[str, Value]) -> None:
        if not self.node.is_online:
            self.unheard.append((values, self.clock.now_ms()))
        await self.bridge.hear(self.node.update(self.device, values, self.clock.now_ms()))


@dataclass(slots=True, kw_only=True)
class Mes:
    """Whoever sends documents: the MES, the scale of the reactor, and the laboratory. Each document has its own id."""

    bridge: Bridge
    clock: Clock
    site: str
    suffix: str
    sent: list[UnsDocument] = field(default_factory=list)

    async def answers(self, order: str, *, version: int, status: str, reason: str = "") -> None:
        body = {"id": f"ack-{len(self.sent)}", "order": order, "version": version, "status": status}
        await self._sends(f"order/{order}/ack", {**body, "reason": reason, "by": "MES"})

    async def starts(self, order: str, work_order: str, *, press: int = 1) -> None:
        await self.says(f"pressing/press-{press}/work_started", order=order, work_order=work_order)

    async def ends(self, order: str, work_order: str, *, press: int = 1) -> None:
        await self.says(f"pressing/press-{press}/work_finished", order=order, work_order=work_order)

    async def finishes(
        self,
        order: str,
        quantity: float,
        *,
        lot: str,
        consumed: dict[tuple[str, str], float] | None = None,
        byproducts: dict[tuple[str, str], float] | None = None,
    ) -> None:
        """The packing line is through with an order. What it used is in kilograms, what came along in pieces."""
        used = [self._amount(*what, quantity, "kg") for what, quantity in (consumed or {}).items()]
        came = [self._amount(*what, quantity, "pcs") for what, quantity in (byproducts or {}).items()]
        said = {"order": order, "qty": quantity, "lot": lot, "consumed": used, "byproducts": came}
        await self.says("packing/line-1/finished", **said)

    async def scraps(self, order: str, quantity: float, reason: str, *, lot: str | None = None) -> None:
        more = {} if lot is None else {"lot": lot}
        await self.says("pressing/press-1/scrap", order=order, qty=quantity, reason=reason, **more)

    async def miscounted(self, order: str, quantity: float, *, of: str, reason: str) -> None:
        await self.says("packing/line-1/miscounted", order=order, qty=quantity, of=of, reason=reason)

    async def weighs(self, order: str, product: str, lot: str, *, grams: float) -> None:
        named = {"lot": lot} if lot else {}
        said = {"order": order, "product": product + self.suffix, "net": grams, **named}
        await self.says("mixing/reactor-1/weighed", **said)

    async def empties(self, order: str, lot: str, *, kilograms: float) -> None:
        await self.says("mixing/reactor-1/finished", order=order, lot=lot, net=kilograms)

    async def decides(self, order: str, lot: str, status: str) -> None:
        """The laboratory says `accept` or `reject`."""
        await self.says("quality/laboratory/disposition", order=order, lot=lot, status=status)

    async def checks(self, name: str, result: str, *, press: int = 1) -> None:
        """A check of a piece at a press: `pass` or `fail`."""
        await self.says(f"pressing/press-{press}/quality", check=name, result=result)

    def checked(self, name: str) -> list[str]:
        """The ids of all such checks."""
        sent = (msgspec.json.decode(each.payload) for each in self.sent)
        return [str(body["id"]) for body in sent if body.get("check") == name]

    async def repeats_itself(self) -> None:
        """The last document comes a second time."""
        await self.bridge.take(self.sent[-1])

    async def says(self, path: str, **body: object) -> None:
        await self._sends(path, {"id": f"{path}-{len(self.sent)}", **body})

    async def _sends(self, path: str, body: dict[str, object]) -> None:
        payload = msgspec.json.encode({"at": self.clock.now_ms(), **body})
        self.sent.append(UnsDocument(f"uns/v1/{self.site}/{path}", payload))
        await self.bridge.take(self.sent[-1])

    def _amount(self, product: str, lot: str, quantity: float, unit: str) -> dict[str, object]:
        named = {} if not lot else {"lot": lot}
        return {"product": product + self.suffix, "qty": quantity, "unit": unit, **named}


@dataclass(slots=True, kw_only=True)
class Factory:
    """A plant that runs. Who did something in it also lets the bridge notice."""

    bridge: Bridge
    clock: Clock
    planner: Planner
    mes: Mes
    rules: Rules
    odoo: Office
    cable: Cable
    presses: tuple[Machine, ...]
    mill: Machine
    cell: Machine
    lines: tuple[Machine, ...]

    async def releases(self, quantity: float, product: str = "HOUSING") -> str:
        """The planner confirms an order, and it goes to the floor."""
        order = await self.planner.order(product, quantity)
        await self.bridge.poll()
        return order

    async def passes(self, *, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        await self.bridge.wait(round(((hours * 60 + minutes) * 60 + seconds) * 1000))

    async def supervisor_releases(self, reason: str = "seen and agreed", *, order: str = "") -> None:
        """A person looks at all that is held, and lets it go; for this order, where nobody knew which it belongs to."""
        values = {ORDER: order} if order else {}
        keys = tuple(entry.key for entry in self.bridge.entries if entry.state is EntryState.HELD)
        act = Acted(
            id=f"act-{self.clock.now_ms()}",
            kind=ActKind.RELEASE,
            keys=keys,
            by="Ana Weber",
            reason=reason,
            corrected=values,
        )
        await self.bridge.take(act)

    def knows(self, order: str) -> bool:
        """Whether the bridge has heard of this order."""
        return self.bridge.knows(order)

    def on_the_namespace(self, order: str) -> dict[str, Plain]:
        """The retained document of an order."""
        return self.bridge.namespace.retained[f"uns/v1/{self.mes.site}/order/{order}"]

    def posted(self, action: str) -> int:
        """How many postings of this kind stand in Odoo."""
        return self.bridge.posted.count(action)

    @property
    def alerts(self) -> list[str]:
        """What people were alerted of, by name and text."""
        alerts = [one for one in self.bridge.notices if one.level == "alert"]
        return [f"{one.name}: {one.fields.get('text') or one.fields.get('reason')}" for one in alerts]

    @property
    def remarks(self) -> list[str]:
        """What rules remarked, by name and text."""
        told = [one for one in self.bridge.notices if one.level == "info" and one.name.startswith("rule.")]
        return [f"{one.name.removeprefix('rule.')}: {one.fields['text']}" for one in told]

    @property
    def held(self) -> list[tuple[str, str]]:
        """What waits for a person: action and reason."""
        return self._in_state(EntryState.HELD)

    @property
    def dead(self) -> list[tuple[str, str]]:
        """What was refused: action and reason."""
        return self._in_state(EntryState.DEAD)

    @property
    def is_done(self) -> bool:
        """Whether nothing waits, is held or dead."""
        return not self.bridge.entries

    def _in_state(self, state: EntryState) -> list[tuple[str, str]]:
        return [(entry.action, entry.reason) for entry in self.bridge.entries if entry.state is state]


@asynccontextmanager
async def opened(ground: Ground, mode: str, folder: Path, town: str = TOWN) -> AsyncIterator[Factory]:
    """A plant with its master data in Odoo and its bridge running, which posts in this way (`inbox`, `look-first`)."""
    clock, suffix = ground.clock, ground.suffix
    began_ms, town = clock.now_ms(), town + suffix.lower()
    planner = Planner(odoo=ground.admin, suffix=suffix, town=town)
    await planner.prepare()
    plant = plant_in(folder / town, ground, mode, town)
    odoo = Cable(open_odoo(plant))
    pressing, packing = edge_nodes(town)
    bridge = Bridge(plant, odoo=odoo, clock=clock, nodes=(pressing, packing), product_suffix=suffix)
    try:
        await bridge.start()
        yield Factory(
            bridge=bridge,
            clock=clock,
            planner=planner,
            mes=Mes(bridge=bridge, clock=clock, site=plant.assets.path, suffix=suffix),
            rules=Rules(folder=plant.folder, bridge=bridge, clock=clock),
            odoo=Office(odoo=ground.admin, suffix=suffix, began_ms=began_ms),
            cable=odoo,
            presses=tuple(_machine(pressing, f"press-{n}", bridge, clock) for n in (1, 2)),
            cell=_machine(packing, "cell-1", bridge, clock),
            mill=_machine(pressing, "mill-1", bridge, clock),
            lines=tuple(_machine(packing, f"line-{n}", bridge, clock) for n in (1, 2, 3, 4)),
        )
    finally:
        await odoo.close()


def plant_in(folder: Path, ground: Ground, mode: str, town: str) -> Plant:
    """The plant's folder as it is for this Odoo and this town."""
    shutil.copytree(FOLDER, folder)
    (folder / "key").write_text(ground.key)
    for file in folder.rglob("*.yaml"):
        text = file.read_text().replace(TOWN, town).replace("company: 1", f"company: {ground.company}")
        text = text.replace('PRESS-{n}"', f'PRESS-{{n}}{ground.suffix}"').replace('MILL-1"', f'MILL-1{ground.suffix}"')
        file.write_text(text.replace('CELL-1"', f'CELL-1{ground.suffix}"'))
    plant = load_plant(folder)
    at = ground.admin.connection
    odoo = replace(
        plant.settings.odoo,
        url=at.url,
        database=at.database,
        user=ground.user,
        inbox=InboxUse.REQUIRED if mode == "inbox" else InboxUse.NEVER,
    )
    return replace(plant, settings=replace(plant.settings, odoo=odoo))


def edge_nodes(town: str, *, primary_host: str | None = None) -> tuple[EdgeNode, EdgeNode]:
    """The node of the presses and the mill, and that of the lines and the cell."""
    press: dict[str, Value] = {"State": "RUN", "Fault": "", "Vibration": 2.0}
    line: dict[str, Value] = {"Order": "", "Counters/Good": 0}
    cell: dict[str, Value] = {"Counters/Good": 0}
    return (
        define_node(
            NodeId(town, "pressing"), dict.fromkeys(("press-1", "press-2", "mill-1"), press), primary_host=primary_host
        ),
        define_node(
            NodeId(town, "packing"),
            {**{f"line-{n}": line for n in (1, 2, 3, 4)}, "cell-1": cell},
            primary_host=primary_host,
        ),
    )


def _machine(node: EdgeNode, device: str, bridge: Bridge, clock: Clock) -> Machine:
    return Machine(node=node, device=device, bridge=bridge, clock=clock)
