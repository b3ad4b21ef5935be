"""What people decide reaches the core with their name and reason, and the audit log before that."""

from __future__ import annotations

import asyncio
import os
import re
from decimal import Decimal

import msgspec
import pytest

from bridge.console import acting
from bridge.core.input import HostConnected
from bridge.loop import Entering
from ruleset.transaction import Scrap, decode
from state.entry import EntryState
from state.errors import StoreUnavailable
from state.memory_store import FaultPoint
from state.record import Commit
from tests.bridge.console.desk import Console, hear_the_line


def act(kind: str, *keys: str, reason: str = "stock was counted") -> dict[str, str]:
    (key,) = keys or ("",)
    return {"act": kind, "key": key, "reason": reason}


async def test_what_waits_for_a_person_is_listed_with_its_reason(console: Console) -> None:
    await console.log_in()
    console.dead("k1", reason="no_stock")
    console.held("k2", reason="above the tolerance")
    console.pending("k3")

    page = await console.get("/attention")

    assert [shown in page for shown in ("k1", "no_stock", "k2", "above the tolerance", "k3")] == [
        True,
        True,
        True,
        True,
        False,
    ]


async def test_the_dry_run_says_what_would_happen_and_changes_nothing(console: Console) -> None:
    await console.log_in()
    console.dead("k1")

    answer = await console.post("/attention/check", act("replay", "k1"))

    page = await answer.text()
    assert "will be sent; was dead" in page
    assert "stock was counted" in page
    entry = console.inside.core.outbox.entry("k1")
    assert entry is not None
    assert entry.state is EntryState.DEAD


async def test_the_dry_run_says_what_stands_in_odoo_already(console: Console) -> None:
    await console.log_in()
    console.dead("k1")
    console.odoo.down = True

    answer = await console.post("/attention/check", act("replay", "k1"))

    assert "Odoo could not be asked" in await answer.text()


@pytest.mark.parametrize(
    ("kind", "key", "state"),
    [
        ("replay", "k1", EntryState.PENDING),
        ("skip", "k1", None),
        ("release", "k2", EntryState.PENDING),
        ("skip", "k2", None),
    ],
)
async def test_an_act_reaches_the_core_with_name_and_reason(
    console: Console, kind: str, key: str, state: EntryState | None
) -> None:
    await console.log_in("Ana")
    console.dead("k1")
    console.held("k2")

    answer = await console.post("/attention/act", act(kind, key))

    assert (answer.status, answer.headers["Location"]) == (303, "/attention")
    entry = console.inside.core.outbox.entry(key)
    assert (entry.state if entry is not None else None) is state
    story = await console.get(f"/entry?key={key}")
    assert f"{kind}: stock was counted" in story
    assert "by <b><bdi>Ana</bdi></b>" in story
    assert f"Done: {kind} of 1 entry." in story + await console.get("/attention")


async def test_an_act_is_in_the_audit_log(console: Console) -> None:
    await console.log_in("Ana")
    console.dead("k1")

    await console.post("/attention/act", act("skip", "k1"))

    last = msgspec.json.decode((console.folder / "audit.jsonl").read_bytes().splitlines()[-1])
    assert (last["kind"], last["by"], last["fields"]["key"]) == ("outbox.skip", "Ana", "k1")
    assert last["fields"]["reason"] == "stock was counted"


async def test_what_happened_while_no_order_ran_is_given_to_an_order_that_is_chosen(console: Console) -> None:
    await console.log_in("Ana")
    console.held_without_order("k1")
    console.release_order("mo-8", "WH/MO/8", work_center="PACK-1")
    console.release_order("mo-9", "WH/MO/9")
    (listed,) = re.findall(r'<select name="order">.*?</select>', await console.get("/attention"), re.DOTALL)
    assert re.findall(r'(?:label|value)="([^"]*)"', listed) == [
        "",
        "At this equipment",
        "mo-8",
        "Other open orders",
        "mo-9",
    ]

    checked = await (await console.post("/attention/check", {**act("release", "k1"), "order": "mo-8"})).text()
    assert "will be sent for mo-8" in checked
    assert '<input type="hidden" name="order" value="mo-8">' in checked
    answer = await console.post("/attention/act", {**act("release", "k1"), "order": "mo-8"})

    assert (answer.status, answer.headers["Location"]) == (303, "/attention")
    entry = console.inside.core.outbox.entry("k1")
    assert entry is not None
    assert (entry.state, entry.lane, decode(entry.body).order) == (EntryState.PENDING, "mo-8", "mo-8")
    last = msgspec.json.decode((console.folder / "audit.jsonl").read_bytes().splitlines()[-1])
    assert (last["kind"], last["by"], last["fields"]["values"]) == ("outbox.release", "Ana", '{"order":"mo-8"}')


async def test_an_order_is_asked_for_only_where_what_waits_has_none(console: Console) -> None:
    await console.log_in()
    console.release_order("mo-8", "WH/MO/8")
    console.held("k2")
    assert '<select name="order">' not in await console.get("/attention")


async def test_without_a_chosen_order_nothing_is_released_and_the_page_says_why(console: Console) -> None:
    await console.log_in()
    console.held_without_order("k1")
    page = await (await console.post("/attention/check", act("release", "k1"))).text()
    assert "no order ran for it; name the order that it belongs to, or skip it" in page
    assert "This changes nothing." in page


async def test_an_act_that_cannot_be_audited_is_not_done(console: Console) -> None:
    await console.log_in()
    console.dead("k1")
    (console.folder / "audit.jsonl").unlink()
    os.mkdir(console.folder / "audit.jsonl")

    answer = await console.post("/attention/act", act("skip", "k1"))

    assert answer.status == 503
    assert console.inside.core.outbox.entry("k1") is not None


async def ask_births(console: Console, node: str = "acme-berlin/packaging") -> str:
    """Press the button; what the next page says."""
    answer = await console.post("/equipment/rebirth", {"node": node})
    assert (answer.status, answer.headers.get("Location")) == (303, "/equipment"), await answer.text()
    return await console.get("/equipment")


async def test_a_node_is_asked_for_its_births_by_name_of_who_wants_them(console: Console) -> None:
    await console.log_in("Ana")
    await console.inside.enter(Entering(input=HostConnected(), at_ms=console.clock.now_ms()))
    await hear_the_line(console)

    page = await ask_births(console)

    assert "Done: acme-berlin/packaging was asked for a rebirth." in page
    last = msgspec.json.decode((console.folder / "audit.jsonl").read_bytes().splitlines()[-1])
    assert (last["kind"], last["by"], last["fields"]["node"]) == ("node.rebirth", "Ana", "acme-berlin/packaging")
    again = await ask_births(console)
    assert "Not done: a rebirth of acme-berlin/packaging was asked for 0 s ago; ask again in" in again


async def test_births_are_not_asked_for_where_the_host_is_away(console: Console) -> None:
    await console.log_in()
    await hear_the_line(console)

    assert "Not done: the bridge is not connected to the MQTT server" in await ask_births(console)


@pytest.mark.parametrize(
    ("fields", "csrf", "status"),
    [({"node": "a/b"}, "foreign", 403), ({"node": "a"}, None, 400), ({"node": "a/+"}, None, 400), ({}, None, 400)],
)
async def test_a_form_that_is_not_ours_or_names_no_node_asks_nobody(
    console: Console, fields: dict[str, str], csrf: str | None, status: int
) -> None:
    await console.log_in()

    answer = await console.post("/equipment/rebirth", fields, csrf=csrf)

    assert answer.status == status
    assert console.inside.core.commands.take_changed() == frozenset()


async def test_births_that_cannot_be_audited_are_not_asked_for(console: Console) -> None:
    await console.log_in()
    (console.folder / "audit.jsonl").unlink(missing_ok=True)
    os.mkdir(console.folder / "audit.jsonl")

    answer = await console.post("/equipment/rebirth", {"node": "a/b"})

    assert (answer.status, "the audit log cannot be written" in await answer.text()) == (503, True)
    assert console.inside.core.commands.take_changed() == frozenset()


@pytest.mark.parametrize("step", ["check", "act"])
@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"act": "replay", "key": "k1", "reason": " "}, "Say why"),
        ({"act": "replay", "key": "k1", "reason": "x" * 501}, "at most 500"),
        ({"act": "destroy", "key": "k1", "reason": "why"}, "Choose what to do"),
        ({"act": "replay", "reason": "why"}, "Choose at least one entry"),
    ],
)
async def test_a_form_that_lacks_something_says_what(
    console: Console, step: str, fields: dict[str, str], text: str
) -> None:
    await console.log_in()
    console.dead("k1")

    answer = await console.post(f"/attention/{step}", fields)

    assert answer.status == 400
    assert text in await answer.text()
    assert console.inside.core.outbox.depth() == {EntryState.DEAD: 1}


async def test_a_form_that_lacks_something_keeps_what_was_filled_in(console: Console) -> None:
    await console.log_in()
    console.dead("k1")

    answer = await console.post("/attention/check", {"act": "skip", "key": "k1", "reason": ""})

    page = await answer.text()
    assert re.search(r'value="k1"[^>]* checked', page)
    assert 'value="skip" checked' in page


async def test_an_entry_leads_to_its_decision_with_it_chosen(console: Console) -> None:
    await console.log_in()
    console.dead("k1")
    console.dead("k/2 ü")

    (link,) = re.findall(r'href="(/attention[?][^"]+)"', await console.get("/entry?key=k/2%20ü"))
    page = await console.get(link)

    chosen = re.findall(r'<input type="checkbox" name="key" value="([^"]+)"[^>]* checked', page)
    assert chosen == ["k/2 ü"]
    assert page.index('value="k/2 ü"') < page.index('value="k1"')


async def test_what_holds_no_transaction_is_not_offered_for_a_replay(console: Console) -> None:
    await console.log_in()
    console.inside.core.outbox.offer(
        key="k1", lane="mo-1", action="production.scrap", destination="odoo", body=b"{}", now_ms=0, dead="S99"
    )

    answer = await console.post("/attention/check", act("replay", "k1"))

    page = await answer.text()
    assert "it holds nothing that could be sent; skip it" in page
    assert "This changes nothing" in page


@pytest.mark.parametrize("step", ["check", "act"])
async def test_a_form_of_a_foreign_page_does_nothing(console: Console, step: str) -> None:
    await console.log_in()
    console.dead("k1")

    answer = await console.post(f"/attention/{step}", act("skip", "k1"), csrf="guessed")

    assert answer.status == 403
    assert console.inside.core.outbox.entry("k1") is not None


async def test_all_takes_what_the_act_can_be_done_to(console: Console) -> None:
    await console.log_in()
    console.dead("k1")
    console.held("k2")
    console.pending("k3")

    await console.post("/attention/act", {"act": "release", "all": "1", "reason": "the plan was wrong"})

    assert console.inside.core.outbox.depth() == {EntryState.DEAD: 1, EntryState.PENDING: 2}


async def test_while_the_store_takes_no_commits_the_page_does_not_say_that_it_is_done(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    await console.log_in()
    console.dead("k1")
    await console.settle()
    monkeypatch.setattr(acting, "COMMIT_S", 0.05)
    refused = asyncio.Event()

    def refuse(point: FaultPoint, commit: Commit) -> None:
        if not refused.is_set():
            raise StoreUnavailable("the disk is full")

    console.store.fault = refuse

    await console.post("/attention/act", act("skip", "k1"))
    page = await console.get("/attention")
    refused.set()

    assert "has not stored it yet" in page
    assert "Redis takes no commits" in await console.get("/")


async def test_a_value_of_a_dead_letter_is_corrected_shown_first_and_audited(console: Console) -> None:
    await console.log_in("Ana")
    console.dead("k1")
    assert 'name="value.quantity"' in await console.get("/entry?key=k1")
    corrected = {**act("correct", "k1"), "value.quantity": "7", "value.reason": "S04"}

    checked = await (await console.post("/attention/check", corrected)).text()
    assert "as corrected" in checked
    assert "<b><bdi>quantity</bdi></b> = <bdi>7</bdi>" in checked
    answer = await console.post("/attention/act", corrected)

    assert (answer.status, answer.headers["Location"]) == (303, "/attention")
    entry = console.inside.core.outbox.entry("k1")
    assert entry is not None
    sent = decode(entry.body)
    assert isinstance(sent, Scrap)
    assert (entry.state, sent.quantity, sent.provenance.corrected_by) == (EntryState.PENDING, Decimal(7), "Ana")
    last = msgspec.json.decode((console.folder / "audit.jsonl").read_bytes().splitlines()[-1])
    assert (last["kind"], last["by"]) == ("outbox.correct", "Ana")
    assert msgspec.json.decode(last["fields"]["values"])["quantity"] == "7"


async def test_a_correction_that_changes_nothing_is_sent_back(console: Console) -> None:
    await console.log_in()
    console.dead("k1")
    same = dict(re.findall(r'name="(value\.[^"]*)" value="([^"]*)"', await console.get("/entry?key=k1")))

    answer = await console.post("/attention/act", {**act("correct", "k1"), **same})

    assert answer.status == 400
    assert "nothing is corrected otherwise" in await answer.text()


async def test_what_is_held_or_waits_has_no_form_for_a_correction(console: Console) -> None:
    await console.log_in()
    console.held("k1")
    console.pending("k2")
    assert "value." not in await console.get("/entry?key=k1") + await console.get("/entry?key=k2")
