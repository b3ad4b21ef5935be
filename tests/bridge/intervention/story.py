"""A shift whose scrap had a code that codes.yaml did not have, and what a person does about the dead letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import msgspec

from bridge.core.input import Acted, ActKind, Claim, Destination, Input, Notice, Outcomes, Promoted, Send, UnsDocument
from bridge.core.job import read_job
from bridge.core.site import Core
from bridge.intervention.act import Step, Wish, steps
from bridge.intervention.foresight import foreseen
from bridge.pipeline import step
from bridge.plant import Content, content_of, load_plant
from bridge.wiring import new_core
from odoo_adapter.odoo import Odoo
from state.entry import Entry, EntryState
from state.intervention import Prediction
from tests.bridge.rig import PLANT, SITE

NOW_MS = 1_795_400_000_000
REASON = "S77"
"""What the presses say and codes.yaml does not know yet."""
MAPPED = f"{REASON}: Flash"


def content(*codes: str) -> Content:
    """The demonstration's content, in which scrap comes as documents, with these scrap reasons added."""
    texts = {
        str(file.relative_to(PLANT)): file.read_text()
        for file in sorted(PLANT.rglob("*.yaml"))
        if file.name != "bridge.yaml" and not file.name.endswith("_test.yaml")
    }
    texts["assets.yaml"] = texts["assets.yaml"].replace(
        "        group: Scrap\n        number: Number\n", "        document: scrap\n"
    )
    lines = "".join(f"  {code}\n" for code in codes)
    texts["codes.yaml"] = texts["codes.yaml"].replace("scrap_reason:\n", f"scrap_reason:\n{lines}")
    return content_of(texts)


@dataclass
class Site:
    """The core of a bridge, and an Odoo that it posts to."""

    odoo: Odoo
    core: Core = field(init=False)
    now_ms: int = NOW_MS
    notices: list[Notice] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.core = new_core(replace(load_plant(PLANT), content=content()))

    def take(self, *entering: Input) -> list[Send]:
        sends: list[Send] = []
        for entered in entering:
            self.now_ms += 1
            for request in step(self.core, entered, self.now_ms):
                if isinstance(request, Send):
                    sends.append(request)
                elif isinstance(request, Notice):
                    self.notices.append(request)
        return sends

    def scrapped(self, id: str, *, order: str | None = "mo-1", reason: str = REASON, qty: float = 1) -> str:
        """The press tells of scrap; the key of the fact."""
        body = {"id": id, "at": self.now_ms, "order": order, "qty": qty, "reason": reason, "confirmed": True}
        self.take(UnsDocument(f"{SITE}/machining/press-1/scrap", msgspec.json.encode(body)))
        return f"acme/berlin/machining/press-1:production.scrap:scrap:{id}"

    def promoted(self, *codes: str) -> None:
        """Another version of the content is live."""
        self.take(Promoted(content(*codes)))

    def states(self) -> Mapping[EntryState, int]:
        return self.core.outbox.depth()

    def steps(self, kind: ActKind = ActKind.REPLAY, **corrected: str) -> tuple[Step, ...]:
        return steps(self.core, Wish(kind=kind, keys=self.dead(), by="ada", corrected=corrected), self.now_ms)

    async def foreseen(self, kind: ActKind = ActKind.REPLAY, **corrected: str) -> tuple[Prediction, ...]:
        """The dry run."""
        return await foreseen(self.core, self.odoo, self.steps(kind, **corrected))

    def act(self, kind: ActKind = ActKind.REPLAY, **corrected: str) -> None:
        """The run."""
        self.take(Acted(id="a1", kind=kind, keys=self.dead(), by="ada", reason="mapped now", corrected=corrected))

    async def drain(self) -> Mapping[str, EntryState]:
        """Deliver until nothing is left to send; what became of each entry that was tried."""
        became: dict[str, EntryState] = {}
        while sends := self.take(Claim(Destination.ODOO, 50)):
            for send in sends:
                jobs = [read_job(one, send.standings[one.lane]) for one in send.entries]
                self.take(Outcomes(tuple(await self.odoo.post(jobs))))
                became |= {one.key: self.state(one.key) for one in send.entries}
        return became

    def state(self, key: str) -> EntryState:
        entry = self.core.outbox.entry(key)
        return EntryState.DELIVERED if entry is None else entry.state

    def entry(self, key: str) -> Entry:
        entry = self.core.outbox.entry(key)
        assert entry is not None
        return entry

    def dead(self) -> tuple[str, ...]:
        return tuple(one.key for one in self.core.outbox.entries(EntryState.DEAD))


def counted(predictions: Iterable[Prediction]) -> Mapping[EntryState | None, int]:
    """How many would be what."""
    return Counter(one.would for one in predictions)


async def posted_before(odoo: Odoo, site: Site, keys: Iterable[str]) -> None:
    """Odoo has these facts already, as the rules decide them now: another bridge's store knew them."""
    wanted = frozenset(keys)
    for each in site.steps():
        if each.prediction.key in wanted and each.told is not None:
            entry = msgspec.structs.replace(site.entry(each.prediction.key), body=each.told.body)
            await odoo.post([read_job(entry, site.core.standings.of(entry.lane))])


async def check_what_was_foreseen(site: Site, count: int, there: int, *, order: str = "mo-1", of: str = "") -> None:
    """So many dead letters after a wrong mapping: when it is mended, all but two are posted, `there` of them stand
    already, one still fails; the run does exactly what the dry run said."""
    keys = [site.scrapped(f"{of}{nth}", order=order) for nth in range(count - 1)]
    lost = site.scrapped(f"{of}lost", order=order, reason="S99")
    assert site.states() == {EntryState.DEAD: count}
    site.promoted(MAPPED)
    await posted_before(site.odoo, site, keys[:there])
    before = site.states()
    said = await site.foreseen()
    assert site.states() == before
    assert counted(said) == {
        EntryState.PENDING: count - 1 - there,
        EntryState.DELIVERED: there,
        EntryState.DEAD: 1,
    }
    site.act()
    await site.drain()
    assert {one.key: site.state(one.key) for one in said} == {
        one.key: EntryState.DEAD if one.key == lost else EntryState.DELIVERED for one in said
    }
    repeated = [one for one in site.notices if one.name == "entry.delivered" and one.fields["repeated"]]
    assert (
        {one.fields["key"] for one in repeated}
        == {one.key for one in said if one.would is EntryState.DELIVERED}
        == set(keys[:there])
    )
