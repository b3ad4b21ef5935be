"""The first page names the worst first, and says what it means and what to do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.console.app import verdict
from bridge.console.diagnosis import Facts, diagnose, facts
from bridge.console.facts import NodeLine
from bridge.console.trouble import Level, Trouble
from bridge.console.watch import Failure, OdooView, SessionView, StoreView, Told
from bridge.core.input import Notice
from bridge.intervention.alarm import Overdue
from bridge.loop import Stall
from bridge.orders.record import Answer, OrderRecord, Status
from odoo_adapter.odoo import OdooInfo
from sparkplug.fact import ONLY_SERVER, NodeId
from sparkplug.snapshot import NodeView
from state.entry import Entry, EntryState
from tests.bridge.console.desk import Console
from tests.counted import steps_of

NOW = 1_000_000_000
DAY = 86_400_000
INFO = OdooInfo(version="19.0", mode="inbox", simulator=False, database="prod", company=1, user="uns")
DOWN = Failure(since_ms=NOW - 60_000, last_ms=NOW - 1_000, reason="connection refused")


def well() -> Facts:
    """A plant at rest."""
    up = SessionView(up=True, since_ms=0)
    return Facts(
        now_ms=NOW,
        began_ms=0,
        grace_ms=30_000,
        servers=(ONLY_SERVER,),
        sessions={"host": up, "documents": up, "orders": up},
        store=StoreView(number=7, commit_ms=NOW),
        stalls={},
        odoo=OdooView(info=INFO, answered_ms=NOW - 2_000),
        rules=None,
        odoo_url="https://odoo.example",
        odoo_unverified=False,
        clock_off_ms=60_000,
        clocks={},
        depth={},
        oldest_pending_ms=None,
        oldest={},
        nodes=(node("online"),),
        answers={Answer.ACCEPTED: (order("mo-1"),)},
    )


def node(phase: str, *, since_ms: int | None = NOW - 9_000, devices: dict[str, bool] | None = None) -> NodeLine:
    view = NodeView(
        node=NodeId("g", "press"),
        server=ONLY_SERVER,
        phase=phase,
        since_ms=NOW - 9_000,
        seen_ms=NOW,
        bd_seq=1,
        seq=5,
        skew_ms=0,
        metrics=3,
        devices=devices or {},
        findings={},
    )
    return NodeLine(view=view, since_ms=since_ms, reason="NDEATH")


def order(name: str, *, reason: str = "", answered_ms: int | None = None) -> OrderRecord:
    return OrderRecord(
        order=name,
        name=f"WH/{name}",
        version=1,
        status=Status.RELEASED,
        document={},
        published_ms=NOW - 70_000,
        answered_ms=answered_ms,
        answer_reason=reason,
    )


def dead(reason: str, changed_ms: int) -> Entry:
    return Entry(
        key="k1",
        number=1,
        lane="mo-1",
        action="production.scrap",
        destination="odoo",
        state=EntryState.DEAD,
        priority=50,
        body=b"{}",
        content_hash="",
        created_ms=changed_ms,
        changed_ms=changed_ms,
        reason=reason,
    )


def titles(seen: Facts) -> list[tuple[Level, str]]:
    return [(trouble.level, trouble.title) for trouble in diagnose(seen)]


def test_a_plant_at_rest_has_no_trouble() -> None:
    assert diagnose(well()) == ()


def test_odoo_away_stops_and_names_what_waits() -> None:
    seen = replace(well(), odoo=OdooView(failures={"post": DOWN}), depth={EntryState.PENDING: 12})

    (trouble,) = diagnose(seen)

    assert (trouble.level, trouble.title, trouble.since_ms) == (Level.STOP, "Odoo cannot be reached", NOW - 60_000)
    assert "12 postings wait" in trouble.means
    assert "https://odoo.example" in trouble.do


def test_odoo_that_refuses_is_told_apart_from_odoo_away() -> None:
    refusing = replace(DOWN, refused=True, reason="not_installed: the inbox is not installed")
    seen = replace(well(), odoo=OdooView(failures={"check": refusing}))

    assert titles(seen) == [(Level.STOP, "Odoo answers, but does not let the bridge work")]


def test_odoo_that_answers_again_is_no_stop_although_the_next_try_is_to_come() -> None:
    seen = replace(well(), odoo=OdooView(answered_ms=NOW, failures={"post": DOWN}))

    assert titles(seen) == [(Level.NOTE, "Odoo answers again; posting begins at the next try")]


@pytest.mark.parametrize(
    ("in_days", "expected"),
    [
        (30, []),
        (3, [(Level.WARN, "The API key for Odoo expires soon")]),
        (-1, [(Level.STOP, "The API key for Odoo has expired")]),
    ],
)
def test_the_end_of_the_key_is_announced(in_days: int, expected: list[tuple[Level, str]]) -> None:
    info = replace(INFO, key_expires_ms=NOW + in_days * DAY)

    assert titles(replace(well(), odoo=OdooView(info=info))) == expected


def test_a_store_that_takes_no_commits_comes_before_everything_else() -> None:
    store = StoreView(failure=DOWN)
    seen = replace(well(), store=store, depth={EntryState.DEAD: 1}, odoo=OdooView(failures={"post": DOWN}))

    assert [trouble.title for trouble in diagnose(seen)] == [
        "Redis takes no commits",
        "Odoo cannot be reached",
        "1 dead letter",
    ]


def test_a_session_that_is_down_stops_and_hides_the_nodes_that_it_explains() -> None:
    down = SessionView(up=False, since_ms=NOW - 20_000, reason="connection refused")
    seen = replace(well(), sessions={"host": down}, nodes=(node("offline"),))

    assert titles(seen) == [(Level.STOP, "No connection to the MQTT broker (Sparkplug)")]


def test_the_host_that_left_because_nothing_can_be_committed_is_no_trouble_of_the_broker() -> None:
    left = SessionView(up=False, since_ms=NOW - 20_000, reason="dropped")
    seen = replace(well(), sessions={"host": left}, store=StoreView(failure=DOWN))

    assert titles(seen) == [(Level.STOP, "Redis takes no commits")]


def test_a_session_that_is_only_starting_is_no_trouble() -> None:
    seen = replace(well(), sessions={"host": SessionView(up=False, since_ms=NOW - 1_000)})

    assert diagnose(seen) == ()


def test_a_node_that_is_gone_is_named_with_its_reason() -> None:
    (trouble,) = diagnose(replace(well(), nodes=(node("offline"),)))

    assert (trouble.level, trouble.title, trouble.detail) == (
        Level.WARN,
        "g/press is not fully there",
        "g/press: offline (NDEATH)",
    )


def test_a_device_that_is_gone_is_named_although_its_node_is_there() -> None:
    (trouble,) = diagnose(replace(well(), nodes=(node("online", devices={"a": True, "b": False}),)))

    assert trouble.detail == "g/press: online, without b (NDEATH)"


def test_a_broker_that_is_away_is_one_trouble_and_not_one_per_session() -> None:
    down = SessionView(up=False, since_ms=NOW - 60_000, reason="connection refused")
    later = replace(down, since_ms=NOW - 50_000)
    seen = replace(well(), sessions={"host": later, "documents": down, "orders": later})

    (trouble,) = diagnose(seen)

    assert (trouble.level, trouble.title, trouble.since_ms, trouble.detail) == (
        Level.STOP,
        "No connection to the MQTT broker",
        NOW - 60_000,
        "connection refused",
    )


def on_two_servers() -> Facts:
    """A plant at rest whose press lives on the second of two MQTT servers."""
    up, press = SessionView(up=True, since_ms=0), node("online")
    there = replace(press, view=replace(press.view, server="mqtt-b:1883"))
    sessions = {"host": up, "documents": up, "host2": up}
    return replace(well(), servers=("mqtt-a:1883", "mqtt-b:1883"), sessions=sessions, nodes=(there,))


def test_one_of_several_servers_is_named_as_bridge_yaml_does_and_explains_its_nodes() -> None:
    seen, down = on_two_servers(), SessionView(up=False, since_ms=NOW - 20_000, reason="connection refused")
    gone = tuple(replace(one, view=replace(one.view, phase="stale")) for one in seen.nodes)

    (trouble,) = diagnose(replace(seen, sessions={**seen.sessions, "host2": down}, nodes=gone))

    assert (trouble.level, trouble.title) == (
        Level.WARN,
        "No connection to the MQTT broker mqtt-b:1883 (Sparkplug)",
    )
    assert trouble.means.startswith("The bridge hears nothing of the edge nodes on this server, one of those under")


def test_a_node_on_a_server_that_is_there_is_told_although_another_server_is_away() -> None:
    seen, down = on_two_servers(), SessionView(up=False, since_ms=NOW - 20_000, reason="connection refused")
    gone = tuple(replace(one, view=replace(one.view, phase="offline")) for one in seen.nodes)

    assert titles(replace(seen, sessions={**seen.sessions, "host": down}, nodes=gone)) == [
        (Level.WARN, "No connection to the MQTT broker mqtt-a:1883 (Sparkplug)"),
        (Level.WARN, "g/press is not fully there"),
    ]


def test_where_no_server_is_there_the_bridge_hears_of_no_node() -> None:
    seen, down = on_two_servers(), SessionView(up=False, since_ms=NOW - 20_000, reason="connection refused")

    assert titles(replace(seen, sessions={**seen.sessions, "host": down, "host2": down})) == [
        (Level.STOP, "No connection to the MQTT broker mqtt-a:1883 (Sparkplug)"),
        (Level.STOP, "No connection to the MQTT broker mqtt-b:1883 (Sparkplug)"),
    ]
    assert titles(replace(seen, sessions=dict.fromkeys(seen.sessions, down))) == [
        (Level.STOP, "No connection to any MQTT broker")
    ]


def test_every_session_that_is_down_says_what_that_means() -> None:
    down = SessionView(up=False, since_ms=NOW - 20_000, reason="connection refused")
    for name in ("host", "documents", "orders", "state"):
        (trouble,) = diagnose(replace(well(), sessions={name: down}))
        assert trouble.means


def test_an_odoo_that_leaves_a_call_waiting_is_said_before_the_call_is_given_up() -> None:
    short, long = {"post": NOW - 9_000}, {"post": NOW - 11_000, "orders": NOW - 1_000}

    assert titles(replace(well(), odoo=OdooView(info=INFO, asked_ms=short))) == []
    (trouble,) = diagnose(replace(well(), odoo=OdooView(info=INFO, asked_ms=long)))
    assert (trouble.level, trouble.title, trouble.since_ms) == (Level.WARN, "Odoo is slow to answer", NOW - 11_000)


def test_the_oldest_dead_letter_gives_its_reason_and_its_age() -> None:
    oldest = {EntryState.DEAD: dead("no_stock: nothing is left", NOW - 5_000)}

    (trouble,) = diagnose(replace(well(), depth={EntryState.DEAD: 2}, oldest=oldest))

    assert (trouble.since_ms, trouble.detail) == (NOW - 5_000, "no_stock: nothing is left")


def test_a_refused_order_is_named_with_the_reason_of_the_mes() -> None:
    refused = order("mo-7", reason="unknown tool", answered_ms=NOW - 8_000)

    (trouble,) = diagnose(replace(well(), answers={Answer.REFUSED: (refused,)}))

    assert (trouble.title, trouble.since_ms, trouble.detail) == (
        "The MES refused 1 order",
        NOW - 8_000,
        "WH/mo-7: unknown tool",
    )


def test_nodes_of_before_the_start_are_waited_for() -> None:
    seen = replace(well(), began_ms=NOW - 1_000, nodes=(node("stale", since_ms=None),))

    assert titles(seen) == [(Level.NOTE, "g/press is not fully there")]


def test_what_waits_for_people_is_counted() -> None:
    seen = replace(
        well(), depth={EntryState.DEAD: 2, EntryState.HELD: 1}, answers={Answer.UNANSWERED: (order("mo-1"),)}
    )

    assert titles(seen) == [
        (Level.WARN, "2 dead letters"),
        (Level.WARN, "1 posting is held for a decision"),
        (Level.WARN, "The MES did not acknowledge 1 order"),
    ]


def test_what_waits_too_long_for_people_is_red_and_the_other_is_not() -> None:
    overdue = Overdue(limit="limits.held", tell="", entries=1, oldest_ms=1)
    seen = replace(well(), depth={EntryState.DEAD: 2, EntryState.HELD: 1}, overdue=(overdue,))

    assert titles(seen) == [
        (Level.STOP, "1 posting is held for a decision: too many, or for too long"),
        (Level.WARN, "2 dead letters"),
    ]


async def test_the_facts_are_read_without_a_look_at_every_entry(console: Console) -> None:
    def steps_with(entries: int) -> int:
        for number in range(entries):
            console.dead(f"dead-{number}")
            console.held(f"held-{number}")
        return steps_of(lambda: facts(console.inside))

    assert steps_with(3) == steps_with(300)


def test_postings_that_wait_although_odoo_answers_are_found() -> None:
    seen = replace(well(), depth={EntryState.PENDING: 1}, oldest_pending_ms=NOW - 600_000)

    assert titles(seen) == [(Level.WARN, "Postings wait although Odoo answers")]


@pytest.mark.parametrize(
    ("levels", "word"),
    [((), "ok"), ((Level.NOTE,), "ok"), ((Level.WARN, Level.NOTE), "warn"), ((Level.STOP, Level.WARN), "stop")],
)
def test_the_verdict_is_the_worst_that_a_person_must_see(levels: tuple[Level, ...], word: str) -> None:
    troubles = tuple(Trouble(level=level, title="", means="", do="") for level in levels)

    assert verdict(troubles) == word


def test_a_certificate_that_is_not_verified_is_told_as_long_as_it_is_so() -> None:
    (trouble,) = diagnose(replace(well(), odoo_unverified=True))
    assert (trouble.level, trouble.title) == (Level.WARN, "Odoo's certificate is not verified")
    assert "odoo.tls.ca_file" in trouble.do


def test_versions_that_are_not_what_runs_are_a_trouble_with_a_way_to_their_page() -> None:
    fields: dict[str, str | int | float | None] = {
        "reason": "audit.jsonl:2: it was changed",
        "effect": "4f0c stays live",
    }
    told = Told(NOW - 5_000, Notice(level="alert", name="rules.not_taken_up", fields=fields))
    (trouble,) = diagnose(replace(well(), rules=told))
    assert (trouble.level, trouble.since_ms, trouble.means) == (Level.WARN, NOW - 5_000, "4f0c stays live.")
    assert (trouble.detail, trouble.link) == ("audit.jsonl:2: it was changed", "/rules")


@pytest.mark.parametrize(
    ("stalls", "store", "title", "level"),
    [
        ({Stall.OUTBOX: DOWN}, None, "The host is offline: the outbox is full", Level.STOP),
        ({Stall.STORE: DOWN}, DOWN, "The host is offline: Redis takes no commits", Level.STOP),
        ({}, DOWN, "Redis takes no commits", Level.STOP),
        ({Stall.STORE: DOWN}, None, "The host comes back in a few seconds", Level.WARN),
    ],
)
def test_that_the_host_is_offline_by_itself_comes_first_and_is_no_trouble_of_the_broker(
    stalls: dict[Stall, Failure], store: Failure | None, title: str, level: Level
) -> None:
    away = SessionView(up=False, since_ms=NOW - 60_000, reason="dropped")
    seen = well()
    seen = replace(
        seen, stalls=stalls, store=replace(seen.store, failure=store), sessions={**seen.sessions, "host": away}
    )
    (trouble,) = diagnose(seen)
    assert (trouble.title, trouble.level, trouble.since_ms) == (title, level, NOW - 60_000)


def test_an_odoo_that_is_away_tells_how_much_waits_and_for_how_long() -> None:
    seen = replace(
        well(),
        odoo=OdooView(info=INFO, failures={"post": DOWN}),
        depth={EntryState.PENDING: 12},
        oldest_pending_ms=NOW - 2 * 3_600_000,
    )
    (trouble,) = diagnose(seen)
    assert (trouble.title, trouble.since_ms) == ("Odoo cannot be reached", NOW - 60_000)
    assert "12 postings wait (the oldest for 2 h), in order" in trouble.means
