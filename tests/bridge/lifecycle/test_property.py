"""Whatever people do with versions that say the same, and whenever: the plant's postings are as if they had not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bridge.core.input import Promoted, Shadowed
from bridge.lifecycle.shadow import seen
from bridge.plant import Plant
from ruleset.sample import Plain
from sparkplug.fact import Value
from state.record import Table
from tests.bridge import rig
from tests.bridge.lifecycle.test_swap import version


@dataclass(frozen=True, slots=True)
class Told:
    """The line publishes this."""

    values: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Event:
    """The MES tells of something; the same id twice is the same thing."""

    kind: str
    id: int


@dataclass(frozen=True, slots=True)
class Passes:
    """Time passes."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Restart:
    """The process is killed and starts again with what is live and what is in shadow."""


@dataclass(frozen=True, slots=True)
class Promote:
    """The other version becomes live."""


@dataclass(frozen=True, slots=True)
class Shadow:
    """The version that is not live runs in shadow."""


@dataclass(frozen=True, slots=True)
class EndShadow:
    """It does not any more."""


Floor: TypeAlias = Told | Event | Passes | Restart
People: TypeAlias = Promote | Shadow | EndShadow
Happened: TypeAlias = Floor | People

COUNTS = st.integers(1_000, 1_080).map(lambda count: Told((("Counters/Good", count),)))
STATES = st.sampled_from([("RUN", ""), ("FAULT", "E12"), ("STOPPED", ""), ("FAULT", "E99")]).map(
    lambda each: Told((("State", each[0]), ("Fault", each[1])))
)
EVENTS = st.builds(Event, st.sampled_from(["work_started", "work_finished", "finished"]), st.integers(1, 3))
FLOOR: st.SearchStrategy[Floor] = st.one_of(
    COUNTS, STATES, EVENTS, st.sampled_from([Passes(3), Passes(40), Passes(600)]), st.just(Restart())
)
PEOPLE: st.SearchStrategy[People] = st.sampled_from([Promote(), Shadow(), EndShadow()])


@cache
def versions() -> tuple[Plant, Plant]:
    """The demonstration's rules, and the same in other words."""
    with TemporaryDirectory() as home:
        first = version(Path(home) / "first", "aaa")
        other = version(Path(home) / "other", "bbb", ("micro: 1s", "micro: 1000ms"), ("\n- rule:", "\n# so\n- rule:"))
    assert first.content.texts != other.content.texts
    return first, other


class Life:
    """A plant and its bridge, and the two versions of its rules."""

    def __init__(self) -> None:
        self.live, self.other = versions()
        self.world = rig.new_world()
        self.in_shadow: Plant | None = None
        self.bridge = rig.Bridge(self.world, plant=self.live)

    async def run(self, happened: Sequence[Happened]) -> list[str]:
        """What then stands in Odoo, and what is dead."""
        await self.bridge.start()
        await self.bridge.poll_orders()
        await self.bridge.update({"Order": rig.ORDER})
        for each in happened:
            await self._happens(each)
        await self.bridge.wait(3_600_000)
        dead = [f"{entry.state} {entry.key}" for entry in self.bridge.entries]
        return [f"{each.kind} {each.key}" for each in self.world.odoo.effects] + sorted(dead)

    async def _happens(self, each: Happened) -> None:
        match each:
            case Told():
                await self.bridge.update(dict(each.values))
            case Event():
                about: dict[str, Plain] = {"work_order": "wo-1"}
                if each.kind == "finished":
                    about = {"qty": 2, "lot": f"L{each.id}", "consumed": []}
                body = {"id": f"{each.kind}-{each.id}", "order": rig.ORDER, **about}
                await self.bridge.document(f"packaging/line-1/{each.kind}", body)
            case Passes():
                await self.bridge.wait(each.seconds * 1_000)
            case Restart():
                self.bridge.die()
                shadow = self.in_shadow.content if self.in_shadow is not None else None
                self.bridge = rig.Bridge(self.world, plant=self.live, shadow=shadow)
                await self.bridge.start()
            case Promote():
                self.live, self.other = self.other, self.live
                self.in_shadow = None
                await self.bridge.take(Promoted(self.live.content))
            case Shadow():
                self.in_shadow = self.other
                await self.bridge.take(Shadowed(self.other.content))
            case EndShadow():
                self.in_shadow = None
                await self.bridge.take(Shadowed(None))


def is_floor(each: Happened) -> bool:
    return not isinstance(each, Promote | Shadow | EndShadow)


@settings(max_examples=25, deadline=None)
@given(happened=st.lists(st.one_of(FLOOR, PEOPLE), max_size=14))
@example(happened=[Shadow(), Restart(), Told((("Counters/Good", 1_010),)), EndShadow()])
def test_what_people_do_with_versions_that_say_the_same_changes_no_posting(happened: list[Happened]) -> None:
    without = asyncio.run(Life().run([each for each in happened if is_floor(each)]))
    assert asyncio.run(Life().run(happened)) == without


@settings(max_examples=15, deadline=None)
@given(happened=st.lists(FLOOR, max_size=12), begins=st.integers(0, 12))
def test_a_version_in_shadow_that_says_the_same_differs_in_nothing_whatever_happens(
    happened: list[Floor], begins: int
) -> None:
    life = Life()
    asyncio.run(life.run([*happened[:begins], Shadow(), *happened[begins:]]))
    (shadow,) = life.bridge.shadows
    assert (shadow.difference().differing, shadow.defects) == ((), 0)
    stored = {id.id: record for id, record in life.world.records.items() if id.table is Table.SHADOW}
    found = seen(shadow.version, stored)
    assert found is not None
    assert found.difference == shadow.difference()
