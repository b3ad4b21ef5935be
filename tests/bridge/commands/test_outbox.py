"""`uns-bridge outbox` on a real Redis, with and without a bridge that runs."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bridge.__main__ import app
from bridge.commands import outbox
from bridge.commands.site import answered as within
from bridge.core.act import read_act
from bridge.core.input import Acted, ActKind, FromPerson
from bridge.core.site import RUNS
from bridge.loop import AUDIT_HEAD
from bridge.plant import load_plant
from bridge.service import Service
from bridge.wiring import Outside, open_store
from state.audit import AuditLog, decode_head, verify
from state.entry import EntryState, decode
from state.record import Table
from tests.bridge.commands.floor import delivered, held_without_order, left_behind, plant_on
from tests.bridge.simulator.listener import running
from tests.bridge.site import Site
from tests.servers import Redis

WHY = ("--reason", "seen", "--by", "ada")


@pytest.fixture
def plant(tmp_path: Path, redis_server: Redis) -> Path:
    folder = plant_on(tmp_path, redis_server)
    left_behind(folder)
    return folder


def run(plant: Path, command: str, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["outbox", command, "--plant", str(plant), *arguments])


def answered(plant: Path, command: str, *arguments: str) -> Any:
    result = run(plant, command, *arguments, "--json")
    return json.loads(result.stdout)


def states(plant: Path) -> dict[str, str]:
    return {entry["key"]: entry["state"] for entry in answered(plant, "list")}


LEFT = {"scrap": "dead", "held": "held", "dead": "dead", "waits": "pending"}


def test_the_list_has_every_entry_and_can_be_narrowed(plant: Path) -> None:
    assert states(plant) == LEFT
    assert [entry["key"] for entry in answered(plant, "list", "--state", "dead")] == ["scrap", "dead"]
    assert [entry["key"] for entry in answered(plant, "list", "--lane", "mo-2")] == ["held"]
    assert [entry["key"] for entry in answered(plant, "list", "--limit", "1")] == ["waits"]
    assert run(plant, "list", "--state", "skipped").stdout == "no such entries\n"


def test_an_entry_that_stands_in_odoo_is_shown_with_the_address_of_its_record(plant: Path) -> None:
    delivered(load_plant(plant), "stands")
    shown = [json.loads(run(plant, "show", key).stdout)["in_odoo"] for key in ("stands", "held")]
    assert shown == ["http://127.0.0.1:1/web#id=7&model=mrp.workorder&view_type=form", None]


def test_an_entry_is_shown_with_its_content_and_its_history(plant: Path) -> None:
    shown = json.loads(run(plant, "show", "held").stdout)
    assert (shown["state"], shown["reason"], shown["body"]["do"]) == ("held", "above the tolerance", "workorder.start")
    assert [note["what"] for note in shown["history"]] == ["held: above the tolerance"]


def test_an_entry_that_is_not_there_is_said_to_be_none(plant: Path) -> None:
    result = run(plant, "show", "nothing")
    assert (result.exit_code, result.stderr) == (
        1,
        "there is no entry 'nothing'; `uns-bridge outbox list` shows what there is\n",
    )


@pytest.mark.parametrize(
    ("command", "key", "would"),
    [("release", "held", "pending"), ("skip", "dead", "skipped"), ("replay", "dead", "pending")],
)
def test_a_dry_run_says_what_would_be_and_changes_nothing(plant: Path, command: str, key: str, would: str) -> None:
    (said,) = answered(plant, command, key, "--dry-run", *WHY)
    assert (said["key"], said["would"], states(plant)) == (key, would, LEFT)
    assert asyncio.run(waiting(plant)) == 0


async def waiting(plant: Path) -> int:
    """How many acts wait for a bridge."""
    return len(await acts(plant))


async def acts(plant: Path) -> list[FromPerson]:
    """The acts that wait for a bridge."""
    store = open_store(load_plant(plant))
    try:
        return [read_act(each) for each in await store.acts()]
    finally:
        await store.close()


def test_what_does_not_fit_the_state_of_an_entry_is_said_and_changes_nothing(plant: Path) -> None:
    result = run(plant, "release", "dead", "nothing", *WHY, "--json")
    assert (result.exit_code, [one["would"] for one in json.loads(result.stdout)]) == (1, [None, None])
    assert asyncio.run(waiting(plant)) == 0


def test_a_replay_of_all_says_of_each_what_would_be_and_why_not(plant: Path) -> None:
    refused, dead = answered(plant, "replay", "--all", "--dry-run", *WHY)
    assert (refused["key"], refused["would"]) == ("scrap", None)
    assert refused["text"] == "what the rule saw was not kept with it; skip it, or let the event come again"
    assert (dead["key"], dead["would"], "Odoo could not be asked" in dead["text"]) == ("dead", "pending", True)


@pytest.mark.parametrize("name", ["mo-2", "WH/MO/2"])
def test_what_happened_while_no_order_ran_is_released_to_the_one_that_is_named(
    plant: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "ACT_WAIT_S", 0.1)
    held_without_order(load_plant(plant), "lost")
    (said,) = answered(plant, "release", "lost", "--order", name, *WHY)
    assert (said["would"], said["text"].partition(" (")[0]) == ("pending", "will be sent for mo-2")
    (act,) = asyncio.run(acts(plant))
    assert act == Acted(
        id=act.id, kind=ActKind.RELEASE, keys=("lost",), by="ada", reason="seen", corrected={"order": name}
    )


@pytest.mark.parametrize(
    ("key", "order", "why"),
    [
        ("lost", (), "no order ran for it; name the order that it belongs to, or skip it"),
        (
            "lost",
            ("--order", "mo-9"),
            "there is no order 'mo-9' that the bridge knows; `uns-bridge orders list` shows what there is",
        ),
        ("held", ("--order", "mo-2"), "it has an order; release it without naming one"),
    ],
)
def test_a_release_that_cannot_be_given_to_an_order_says_why(
    plant: Path, key: str, order: tuple[str, ...], why: str
) -> None:
    held_without_order(load_plant(plant), "lost")
    result = run(plant, "release", key, *order, *WHY, "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (1, [{"key": key, "would": None, "text": why}])
    assert asyncio.run(waiting(plant)) == 0


def test_causes_are_listed_and_one_of_them_can_be_acted_on(plant: Path) -> None:
    found = {one["text"]: one for one in answered(plant, "causes")}
    assert {text: (one["state"], one["count"], one["orders"]) for text, one in found.items()} == {
        "… is not mapped": ("dead", 1, ["mo-1"]),
        "above the tolerance": ("held", 1, ["mo-2"]),
        "no stock": ("dead", 1, ["mo-3"]),
    }
    (said,) = answered(plant, "skip", "--cause", found["no stock"]["cause"], "--dry-run", *WHY)
    assert (said["key"], said["would"]) == ("dead", "skipped")
    result = run(plant, "skip", "--cause", "nothing", *WHY)
    assert (result.exit_code, result.stderr) == (
        1,
        "there is no cause nothing; `uns-bridge outbox causes` lists them\n",
    )


def test_a_correction_names_its_values(plant: Path) -> None:
    (said,) = answered(plant, "correct", "dead", "work_order=wo-2", "--dry-run", *WHY)
    assert (said["would"], said["text"].startswith("as corrected")) == ("pending", True)
    result = run(plant, "correct", "dead", "work_order", *WHY)
    assert (result.exit_code, result.stderr) == (2, "'work_order' is not NAME=VALUE, such as quantity=4\n")


def test_without_a_bridge_the_act_is_kept_and_that_is_said(plant: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "ACT_WAIT_S", 0.1)
    result = run(plant, "skip", "dead", *WHY, "--json")
    assert (result.exit_code, [one["would"] for one in json.loads(result.stdout)]) == (3, ["skipped"])
    assert "the act is stored, but no bridge has done it" in result.stderr
    assert (asyncio.run(waiting(plant)), states(plant)) == (1, LEFT)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (WHY, "name keys, or a cause, or say --all\n"),
        (("held", "--all", *WHY), "name keys, or a cause, or say --all\n"),
        (("held", "--reason", " "), "--reason must say why\n"),
    ],
)
def test_wrong_use_is_said_in_a_sentence(plant: Path, arguments: tuple[str, ...], sentence: str) -> None:
    result = run(plant, "release", *arguments)
    assert (result.exit_code, result.stderr) == (2, sentence)


def test_a_folder_with_problems_is_wrong_use(tmp_path: Path) -> None:
    result = run(tmp_path / "nowhere", "list")
    assert (result.exit_code, "there is no such folder" in result.stderr) == (2, True)


def test_a_redis_that_does_not_answer_is_unreachable(plant: Path) -> None:
    file = plant / "bridge.yaml"
    lines = [
        line if "redis:" not in line else 'redis: {url: "redis://127.0.0.1:1/0"}'
        for line in file.read_text().split("\n")
    ]
    file.write_text("\n".join(lines))
    result = run(plant, "list")
    assert (result.exit_code, "127.0.0.1:1" in result.stderr) == (3, True)


async def test_a_dry_run_says_first_that_the_folder_is_not_what_the_bridge_runs(plant: Path) -> None:
    loaded = load_plant(plant)
    memory = Site(loaded)
    store = open_store(loaded)
    stop = asyncio.Event()
    outside = Outside(store=store, odoo=memory.odoo, link=memory.link, clock=memory.clock)
    async with running(Service(loaded, outside, stage_s=0.5).run(stop)):
        await within(lambda: store.read_one(RUNS.table, RUNS.id), 5)
        as_read = await beside("replay", plant)
        codes = plant / "codes.yaml"
        codes.write_text(codes.read_text() + "more: {S9: Scratch}\n")
        edited = await beside("replay", plant)
        stop.set()
    await store.close()
    stopped = await beside("replay", plant)
    said = (
        f"decided by {plant} as it is now, while the bridge runs what it read when it started: "
        "start it again before you go on, and it decides like this\n"
    )
    assert (as_read, edited, stopped) == ("", said, "")


async def beside(command: str, plant: Path) -> str:
    """What a dry run says in another process on its error output."""
    arguments = ("-m", "bridge", "outbox", command, "--plant", str(plant), "dead", "--dry-run", *WHY)
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=DEVNULL, stderr=PIPE)
    return (await asyncio.wait_for(process.communicate(), 20))[1].decode()


async def test_a_running_bridge_does_the_act_and_keeps_who_wanted_it(plant: Path) -> None:
    loaded = load_plant(plant)
    memory = Site(loaded)
    store = open_store(loaded)
    stop = asyncio.Event()
    outside = Outside(store=store, odoo=memory.odoo, link=memory.link, clock=memory.clock)
    bridge = asyncio.create_task(Service(loaded, outside, stage_s=0.5).run(stop))
    arguments = ("-m", "bridge", "outbox", "skip", "--plant", str(plant), "dead", *WHY)
    command = await asyncio.create_subprocess_exec(sys.executable, *arguments)
    ended = await asyncio.wait_for(command.wait(), 20)
    stop.set()
    await asyncio.wait_for(bridge, 5)
    done = decode((await store.read(Table.DONE))["dead"])
    kept = await store.read_one(AUDIT_HEAD.table, AUDIT_HEAD.id)
    await store.close()
    assert (ended, done.state, done.history[-1].by) == (0, EntryState.SKIPPED, "ada")
    assert verify(log := loaded.settings.data_dir / "audit.jsonl", known=decode_head(kept or b"")) == ()
    assert decode_head(kept or b"") == AuditLog(log).head
