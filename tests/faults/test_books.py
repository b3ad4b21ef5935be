"""A fact that is missing is excused by the loss of what told it, and by no other loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bridge.broker.link import Publication
from bridge.simulator.ledger import ExpectedOutcome, Fact, FactKind
from sparkplug.wire.datatype import Datatype
from sparkplug.wire.payload import TypedMetric, encode
from tests.faults.account import FELL_BACK, LOST, counted
from tests.faults.books import Day as Truth
from tests.faults.books import Verdict, judge
from tests.faults.excuse import Excuses
from tests.faults.fault import Fault, Kind, Schedule
from tests.faults.machine import START_MS, unheard
from tests.faults.trial import Day
from tests.faults.world import World

AT_MS = START_MS + 3_333
PRESS = "acme/berlin/machining/press-1"
TOPIC = "spBv1.0/acme-berlin/DDATA/machining/press-1"
DOCUMENT = "uns/v1/acme/berlin/machining/press-1/work_started"
ON_SPARKPLUG = (FactKind.PROGRESS, FactKind.SCRAP, FactKind.DOWNTIME, FactKind.DISPOSITION)

SCRAP = Fact(
    kind=FactKind.SCRAP,
    id="scrap:of-nobody",
    at_ms=AT_MS,
    order="mo-1",
    equipment=PRESS,
    values={"quantity": "77", "reason": "S01", "lot": "L-mo-1"},
)
START = Fact(
    kind=FactKind.START,
    id="start:of-nobody",
    at_ms=AT_MS,
    order="mo-1",
    equipment=PRESS,
    values={"work_order": "wo-99"},
)


@dataclass(frozen=True, slots=True)
class Played:
    """A day on which messages vanished, at its end."""

    world: World
    truth: Truth

    def judged_with(self, fact: Fact) -> Verdict:
        """The judgement, had this happened too."""
        return judge(self.world, replace(self.truth, facts=[*self.truth.facts, fact]))

    def vanish(self, at_ms: int) -> None:
        """Let a message of a scrap of that moment have vanished."""
        metric = TypedMetric(name="Scrap/Number", datatype=Datatype.INT64, value=7, at_ms=at_ms)
        payload = encode(timestamp_ms=at_ms, seq=1, metrics=[metric])
        self.world.broker.account.sent(self.world.plant, TOPIC, payload).became = LOST


def on_a_lossy_day(test: Callable[[Played], None]) -> Callable[[Path], None]:
    """A test of such a day. The day is forgotten where nobody hears its unfinished tasks."""

    def play(tmp_path: Path) -> None:
        with unheard():
            _play(test, tmp_path)

    return play


def _play(test: Callable[[Played], None], home: Path) -> None:
    lose = Fault(number=1, kind=Kind.LOSE, at_s=1.827, lasts_s=2.1, amount=2, who="acme-bridge-host")
    world = World(Schedule(seed=973, traits=frozenset({"lossy"}), faults=(lose,)), home)
    try:
        with counted(world.broker.account):
            day = Day(world)
            stuck = day.run()
        test(Played(world, day.books(stuck)))
    finally:
        world.universe.close()


@on_a_lossy_day
def test_a_fact_that_is_missing_is_lost_although_messages_vanished_that_did_not_tell_it(played: Played) -> None:
    assert played.world.broker.lost
    assert judge(played.world, played.truth).is_clean
    played.vanish(AT_MS + 1)
    for fact, sentence in (
        (SCRAP, "lost: scrap of 77 of mo-1, lot L-mo-1: 1 not in Odoo"),
        (START, "lost: start of wo-99 of mo-1: it is missing, 0 postings"),
    ):
        verdict = played.judged_with(fact)
        assert (verdict.faults, verdict.lost, verdict.excused) == ((sentence,), 1, ())


@on_a_lossy_day
def test_a_fact_is_excused_by_the_message_that_told_it_and_vanished(played: Played) -> None:
    played.vanish(AT_MS)
    verdict = played.judged_with(SCRAP)
    assert verdict.faults == ()
    assert verdict.excused == (
        f"{TOPIC} at {played.world.universe.now_s:.4f} s: {LOST}: lost: scrap of 77 of mo-1, lot L-mo-1: 1 not in Odoo",
    )


@on_a_lossy_day
def test_a_fact_is_excused_by_the_document_that_told_it_unless_a_copy_is_kept(played: Played) -> None:
    told, account = b'{"id": "work_started-mo-1-wo-99"}', played.world.broker.account
    played.world.broker.lost.append(Publication(topic=DOCUMENT, payload=told, qos=1, retain=False))
    verdict = played.judged_with(START)
    assert verdict.faults == ()
    assert verdict.excused == (
        "work_started-mo-1-wo-99: forgotten by the broker: lost: start of wo-99 of mo-1: it is missing, 0 postings",
    )
    account.committed(played.world.plant, 10_000)
    account.acknowledged(played.world.plant, DOCUMENT, told)
    assert played.judged_with(START).lost == 1
    account.fell_back(9_999)
    assert played.judged_with(START).excused == (
        f"work_started-mo-1-wo-99: {FELL_BACK}: lost: start of wo-99 of mo-1: it is missing, 0 postings",
    )


@on_a_lossy_day
def test_what_tells_a_fact_is_among_what_was_read(played: Played) -> None:
    excuses = Excuses(played.world.broker, played.truth.scenario, played.truth.said, ())
    kept, _ = played.world.broker.account.moments()
    facts = [fact for fact in played.truth.facts if fact.kind in ON_SPARKPLUG]
    assert {fact.kind for fact in facts} == set(ON_SPARKPLUG)
    for fact in facts:
        assert fact.outcome is ExpectedOutcome.POSTED
        assert excuses.moments(fact)
        assert set(excuses.moments(fact)) <= kept
        assert excuses.reason(fact) == ""
