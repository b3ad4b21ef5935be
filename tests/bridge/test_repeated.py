"""An event that comes again, by whatever way, is one fact; events of one number under two names are two."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bridge.core.input import UnsDocument
from odoo_adapter.odoo import OrderRead
from ruleset.engine import Engine
from ruleset.output import Post
from ruleset.rules import compile_rules
from ruleset.sample import Event, Plain, Source
from state.entry import EntryState
from tests.bridge import rig
from tests.ruleset.floor import ASSETS, PRESS, START_MS, plant

SCRAP = """\
      work_finished: *work_finished
      scrap:
        document: scrap
        fields: {qty: {type: number, unit: pcs}, reason: text}
      finished:
"""
RULE = """\
- rule: scrap
  assets: "packaging/*"
  event: scrap
  order: running
  when: scrap.qty > 0
  do: production.scrap
  with: {quantity: scrap.qty, reason: scrap.reason}
"""
REWORK = """\
      rework:
        group: Rework
        number: Number
        fields: {order: text, qty: {type: number, unit: pcs}, reason: text}
      work_started: {document: work_started"""
TWO_RULES = """
- {rule: scrap, assets: "machining/*", event: scrap, order: scrap.order, do: production.scrap,
   with: {quantity: scrap.qty, reason: scrap.reason}}
- {rule: rework, assets: "machining/*", event: rework, order: rework.order, do: production.scrap,
   with: {quantity: rework.qty, reason: rework.reason}}
"""


def plant_that_scraps(folder: Path) -> Path:
    """The demonstration's plant, where a document scraps pieces of the order that runs."""
    made = folder / "plant"
    shutil.copytree(rig.PLANT, made)
    assets = made / "assets.yaml"
    text = assets.read_text()
    assert "      work_finished: *work_finished\n      finished:\n" in text
    assets.write_text(text.replace("      work_finished: *work_finished\n      finished:\n", SCRAP))
    for file in (made / "rules").glob("*.yaml"):
        file.unlink()
    (made / "rules" / "scrap.yaml").write_text(RULE)
    return made


@dataclass(slots=True)
class Line:
    """A packaging line with two orders, and one document of it."""

    world: rig.World
    bridge: rig.Bridge

    async def run(self, order: str) -> None:
        await self.bridge.update({"Order": order})
        await self.bridge.wait(1_000)

    async def scrap(self, at_ms: int, quantity: int) -> None:
        body = {"id": "s1", "at": at_ms, "qty": quantity, "reason": "S01"}
        await self.bridge.take(UnsDocument(f"{rig.SITE}/packaging/line-1/scrap", msgspec.json.encode(body)))
        await self.bridge.wait(1_000)

    @property
    def scrapped(self) -> list[str]:
        return [effect.key for effect in self.world.odoo.effects if effect.kind == "scrap"]


async def line_in(folder: Path) -> Line:
    world = rig.new_world()
    world.odoo.put_order(
        OrderRead(order="mo-2", name="WH/MO/2", state="confirmed", document={"quantity": "100", "unit": "Units"})
    )
    bridge = rig.Bridge(world, plant=plant_that_scraps(folder))
    await bridge.start()
    await bridge.poll_orders()
    await bridge.wait(60_000)
    return Line(world, bridge)


async def test_a_document_delivered_again_while_another_order_runs_posts_nothing(tmp_path: Path) -> None:
    line = await line_in(tmp_path)
    await line.run("mo-1")
    at_ms = line.world.now_ms
    await line.scrap(at_ms, 2)
    await line.run("mo-2")
    await line.scrap(at_ms, 2)
    assert (line.scrapped, line.bridge.entries) == (["acme/berlin/packaging/line-1:production.scrap:scrap:s1"], ())


async def test_a_document_that_retracts_what_was_posted_before_a_restart_is_for_a_person_once(tmp_path: Path) -> None:
    line = await line_in(tmp_path)
    await line.run("mo-1")
    at_ms = line.world.now_ms
    await line.scrap(at_ms, 4)
    line.bridge.die()
    line.bridge = rig.Bridge(line.world, plant=tmp_path / "plant")
    await line.bridge.start()
    await line.bridge.wait(60_000)
    await line.scrap(at_ms, 0)
    await line.scrap(at_ms, 0)
    key = "acme/berlin/packaging/line-1:production.scrap:scrap:s1"
    (entry,) = line.bridge.entries
    assert (line.scrapped, entry.key, entry.action, entry.state) == (
        [key],
        f"correction:1:{key}",
        "fact.changed",
        EntryState.DEAD,
    )
    assert entry.reason == (
        "the fact was posted, and its source retracted it: quantity was 4 and is 0; correct it in Odoo where that is "
        "right, then skip this"
    )


def told_as(signal: str) -> Event:
    fields: dict[str, Plain] = {"order": "mo-1", "qty": 1, "reason": "S01"}
    return Event(equipment=PRESS, signal=signal, id="1", fields=fields, at_ms=START_MS, source=Source(topic="t"))


def test_two_running_numbers_of_one_equipment_are_two_facts() -> None:
    assets = plant(ASSETS.replace("      work_started: {document: work_started", REWORK))
    rules, problems = compile_rules({"rules/a.yaml": TWO_RULES}, assets)
    assert rules is not None, problems
    engine = Engine(rules, assets)
    posted = [
        output.transaction.key
        for signal in ("scrap", "rework")
        for output in engine.observe_all([told_as(signal)], START_MS)
        if isinstance(output, Post)
    ]
    assert posted == [f"{PRESS}:production.scrap:{signal}:1" for signal in ("scrap", "rework")]
