"""A version is promoted, or tried in shadow, while the plant works: nothing is posted twice, lost, or begun anew."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from bridge.core.input import (
    Destination,
    Notice,
    Promoted,
    Request,
    Shadowed,
    SparkplugMessage,
    Started,
    Tick,
    UnsDocument,
)
from bridge.core.site import restore, take_changes
from bridge.floor.content import why_restart
from bridge.lifecycle.difference import Change
from bridge.lifecycle.shadow import Shadow
from bridge.pipeline import step
from bridge.plant import COMPLETE, Content, Plant, Release, load_plant
from bridge.wiring import new_core
from ruleset.engine import Engine
from ruleset.output import EngineOutput
from ruleset.sample import Observation
from ruleset.transaction import Transaction, decode
from sparkplug.fact import NodeId, Value
from state.entry import EntryState
from state.record import RecordId, Table
from tests.bridge import rig
from tests.sparkplug.situation import birth_bytes

START_MS = 1_760_000_000_000
SETTLED_MS = START_MS + 60_000


def version(folder: Path, name: str, *edits: tuple[str, str]) -> Plant:
    """The demonstration plant with texts of its rules replaced, as it is released."""
    if not folder.exists():
        shutil.copytree(rig.PLANT, folder)
    for file in sorted((folder / "rules").glob("*.yaml")):
        text = file.read_text()
        for before, after in edits:
            text = text.replace(before, after)
        file.write_text(text)
    plant = load_plant(folder)
    release = Release(version=name, author="anna", approved_by="ben")
    return replace(plant, content=replace(plant.content, release=release))


@pytest.fixture
def first(tmp_path: Path) -> Plant:
    return version(tmp_path / "first", "aaa")


@pytest.fixture
def second(tmp_path: Path) -> Plant:
    """The start of the work order wo-2 is not posted."""
    edit = ("event: work_started\n", "event: work_started\n  when: \"work_started.work_order != 'wo-2'\"\n")
    return version(tmp_path / "second", "bbb", edit)


class Site:
    """A core whose commits are kept, so that it can start again."""

    def __init__(self, plant: Plant) -> None:
        self.records: dict[RecordId, bytes] = {}
        self.now_ms = START_MS
        self.core = new_core(plant)
        self.take(Started())
        self.now_ms = SETTLED_MS
        self.take(Tick())

    def take(self, entered: Started | Tick | SparkplugMessage | UnsDocument | Promoted | Shadowed) -> list[Request]:
        requests = list(step(self.core, entered, self.now_ms))
        for record, snapshot in take_changes(self.core).items():
            if snapshot is None:
                self.records.pop(record, None)
            else:
                self.records[record] = snapshot
        return requests

    def start_again(self, plant: Plant, shadow: Content | None = None) -> None:
        self.core = new_core(plant, shadow)
        restore(self.core, self.records)
        self.take(Started())
        self.now_ms += 60_000
        self.take(Tick())

    def start_work(self, id: str, work_order: str) -> None:
        self.now_ms += 1_000
        body = {"id": id, "at": SETTLED_MS, "order": rig.ORDER, "work_order": work_order}
        self.take(UnsDocument(f"{rig.SITE}/packaging/line-1/work_started", msgspec.json.encode(body)))

    @property
    def posted(self) -> list[Transaction]:
        return [decode(entry.body) for entry in self.core.outbox.entries() if entry.destination == Destination.ODOO]

    @property
    def ids(self) -> list[str]:
        return [each.key.rpartition(":")[2] for each in self.posted]


def test_each_posting_names_the_version_that_decided_it_and_who_approved_that(first: Plant, second: Plant) -> None:
    site = Site(first)
    site.start_work("s1", "wo-2")
    site.take(Promoted(second.content))
    site.start_work("s2", "wo-2")
    site.start_work("s3", "wo-3")
    assert [(each.key[-2:], each.provenance.release, each.provenance.approved_by) for each in site.posted] == [
        ("s1", "aaa", "ben"),
        ("s3", "bbb", "ben"),
    ]


def test_what_a_version_refused_names_that_version_too(tmp_path: Path) -> None:
    need = 'do: workorder.start\n  need: [{that: "work_started.work_order != \'wo-2\'", else: "not wo-2"}]\n'
    site = Site(version(tmp_path / "strict", "ddd", ("do: workorder.start\n", need)))
    site.start_work("s1", "wo-2")
    (entry,) = site.core.outbox.entries()
    body = msgspec.json.decode(entry.body)
    assert (entry.state, body["reason"]) == (EntryState.DEAD, "not wo-2")
    assert (body["provenance"]["release"], body["provenance"]["approved_by"]) == ("ddd", "ben")


def test_a_promoted_version_posts_no_fact_that_was_posted_before(first: Plant, second: Plant) -> None:
    site = Site(first)
    site.start_work("s1", "wo-1")
    site.take(Promoted(second.content))
    site.start_work("s1", "wo-1")
    site.take(Promoted(first.content))
    site.start_work("s1", "wo-1")
    assert site.ids == ["s1"]


def test_the_host_expects_the_nodes_of_the_version_that_is_live(first: Plant) -> None:
    site = Site(replace(first, settings=replace(first.settings, limits=replace(first.settings.limits, nodes=1))))
    moved = {
        path: replace(each, node="elsewhere") if path.endswith("/line-1") else each
        for path, each in first.assets.equipment.items()
    }
    site.take(Promoted(replace(first.content, assets=replace(first.assets, equipment=moved))))
    births = [NodeId("strangers", "robot"), NodeId("acme-berlin", "packaging"), NodeId("acme-berlin", "elsewhere")]
    for node in births:
        topic = f"spBv1.0/{node.group}/NBIRTH/{node.node}"
        site.take(SparkplugMessage(topic=topic, payload=birth_bytes(), retain=False))
    assert [site.core.host.knows(node) for node in births] == [True, False, True]


def test_a_promotion_is_told_with_who_approved_it(first: Plant, second: Plant) -> None:
    (notice,) = (one for one in Site(first).take(Promoted(second.content)) if isinstance(one, Notice))
    assert (notice.name, notice.fields) == (
        "rules.live",
        {"version": "bbb", "author": "anna", "approved_by": "ben", "before": "aaa"},
    )


async def test_counters_episodes_and_running_orders_go_on_over_a_promotion(tmp_path: Path, first: Plant) -> None:
    """The same plant with and without promotions to a version that says the same with other words."""
    other = version(tmp_path / "other", "ccc", ("micro: 1s", "micro: 900ms"), ("every: 5s", "every: 7s"))

    async def live(promoted: list[Plant]) -> list[str]:
        world = rig.new_world()
        bridge = rig.Bridge(world)
        await bridge.start()
        await bridge.poll_orders()
        told: tuple[dict[str, Value], ...] = (
            {"Order": rig.ORDER},
            {"Counters/Good": 1_010},
            {"State": "FAULT", "Fault": "E12"},
            {"Counters/Good": 1_017},
            {"State": "RUN", "Fault": ""},
            {"Counters/Good": 1_030},
        )
        for values in told:
            await bridge.update(values)
            for plant in promoted:
                await bridge.take(Promoted(plant.content))
            await bridge.wait(20_000)
        return [f"{each.kind} {each.key}" for each in world.odoo.effects]

    assert await live([]) == await live([other, first])


def test_a_site_that_starts_again_after_a_promotion_goes_on_as_one_that_did_not(first: Plant, second: Plant) -> None:
    site = Site(first)
    site.start_work("s1", "wo-1")
    site.take(Promoted(second.content))
    site.start_again(second)
    site.start_work("s1", "wo-1")
    site.start_work("s2", "wo-2")
    site.start_work("s3", "wo-3")
    assert site.ids == ["s1", "s3"]


def test_a_version_in_shadow_posts_nothing_and_tells_what_it_would_have_posted(first: Plant, second: Plant) -> None:
    site = Site(second)
    site.take(Shadowed(first.content))
    site.start_work("s1", "wo-1")
    site.start_work("s2", "wo-2")
    (shadow,) = site.core.shadows
    assert site.ids == ["s1"]
    assert [(each.change, each.either.fact[-2:]) for each in shadow.difference().differing] == [(Change.ADDED, "s2")]
    assert shadow.difference().agreed == 1


def test_a_shadow_goes_on_over_a_restart_and_leaves_nothing_when_it_ends(first: Plant, second: Plant) -> None:
    site = Site(second)
    site.take(Shadowed(first.content))
    site.start_work("s2", "wo-2")
    site.start_again(second, first.content)
    site.start_work("s3", "wo-2")
    (shadow,) = site.core.shadows
    assert [each.either.fact[-2:] for each in shadow.difference().differing] == ["s2", "s3"]
    (notice,) = (one for one in site.take(Shadowed(None)) if isinstance(one, Notice))
    assert (notice.name, notice.fields["differing"]) == ("rules.shadow_ended", 2)
    assert [id for id in site.records if id.table is Table.SHADOW] == []


def test_what_a_shadow_left_that_is_not_in_shadow_any_more_is_taken_away_at_the_start(
    first: Plant, second: Plant
) -> None:
    site = Site(second)
    site.take(Shadowed(first.content))
    site.start_work("s2", "wo-2")
    site.start_again(second)
    assert [id for id in site.records if id.table is Table.SHADOW] == []


def test_what_is_not_yet_committed_when_a_shadow_begins_or_a_version_is_promoted_is_committed_then(
    first: Plant, second: Plant
) -> None:
    def committed(*people: Promoted | Shadowed) -> set[RecordId]:
        core = Site(first).core
        body = {"id": "f1", "at": SETTLED_MS, "order": rig.ORDER, "qty": 5, "lot": "L1", "consumed": []}
        document = UnsDocument(f"{rig.SITE}/packaging/line-1/finished", msgspec.json.encode(body))
        tuple(step(core, document, SETTLED_MS))
        for each in people:
            tuple(step(core, each, SETTLED_MS))
        return {id for id in take_changes(core) if id.table in (Table.MEMORY, Table.SIGNAL)}

    assert committed()
    assert committed() == committed(Shadowed(second.content))
    assert committed() <= committed(Promoted(second.content))


def test_a_version_that_was_put_in_shadow_while_nothing_ran_begins_with_the_memory_of_the_live_one(
    first: Plant, second: Plant
) -> None:
    site = Site(second)
    site.start_work("s1", "wo-1")
    site.start_again(second, first.content)
    site.start_work("s1", "wo-1")
    (shadow,) = site.core.shadows
    assert (shadow.since_ms, shadow.difference().differing) == (SETTLED_MS + 1_000, ())
    site.start_again(second, first.content)
    assert [each.since_ms for each in site.core.shadows] == [SETTLED_MS + 1_000]


class _FailingEngine(Engine):
    def observe_all(self, observations: Sequence[Observation], now_ms: int) -> tuple[EngineOutput, ...]:
        raise KeyError("a defect")


def test_a_version_that_fails_in_shadow_harms_nobody(first: Plant, second: Plant) -> None:
    site = Site(first)
    shadow = Shadow(second.content, grace_ms=0)
    shadow._floor.engine = _FailingEngine(second.rules, second.assets)
    site.core.shadows.append(shadow)
    site.start_work("s1", "wo-1")
    assert (site.ids, shadow.defects) == (["s1"], 1)


def test_what_a_running_bridge_cannot_change_is_said(first: Plant) -> None:
    content = first.content
    same = tuple(replace(row, priority=row.priority + 1) for row in content.workflows)
    assert why_restart(content, replace(content, workflows=same)) is None
    company = replace(content, assets=replace(content.assets, company=2))
    assert why_restart(content, company) == "the company cannot change while the bridge runs"
    short = tuple(
        replace(row, short="backorder" if COMPLETE in row.actions else row.short) for row in content.workflows
    )
    assert why_restart(content, replace(company, workflows=short)) == (
        "the company and short of workflows.yaml cannot change while the bridge runs"
    )
