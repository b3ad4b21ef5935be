"""`uns-bridge send` to a press over a real broker, through a bridge that runs."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bridge.broker.link import Publication
from bridge.commands import send
from bridge.core.act import new_id, store_act
from bridge.core.input import WriteWanted
from bridge.plant import load_plant
from bridge.wiring import open_store
from sparkplug.edge import Written
from sparkplug.fact import Origin, Value
from sparkplug.wire.payload import decode
from state.audit import verify
from tests.bridge.commands.floor import plant_on
from tests.bridge.commands.press import CLOCK, Floor, floor_on, run
from tests.integration.patience import until
from tests.servers import Mosquitto, Redis

pytestmark = pytest.mark.mosquitto


@pytest.fixture
def plant(tmp_path: Path, redis_server: Redis) -> Path:
    return plant_on(tmp_path, redis_server)


@pytest.fixture
async def floor(plant: Path, mosquitto: Mosquitto) -> AsyncIterator[Floor]:
    async with floor_on(plant, mosquitto) as floor:
        yield floor


def audit_of(floor: Floor) -> list[dict[str, Any]]:
    """The lines of the audit log, which is whole."""
    log = load_plant(floor.folder).settings.data_dir / "audit.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert not lines or verify(log) == ()
    return lines


@pytest.mark.spec("tck-id-topics-ncmd-topic")
@pytest.mark.spec("tck-id-topics-ncmd-mqtt")
@pytest.mark.spec("tck-id-topics-ncmd-timestamp")
@pytest.mark.spec("tck-id-topics-ncmd-payload")
@pytest.mark.spec("tck-id-topics-dcmd-topic")
@pytest.mark.spec("tck-id-topics-dcmd-mqtt")
@pytest.mark.spec("tck-id-topics-dcmd-timestamp")
@pytest.mark.spec("tck-id-topics-dcmd-payload")
@pytest.mark.spec("tck-id-payloads-ncmd-seq")
@pytest.mark.spec("tck-id-payloads-ncmd-qos")
@pytest.mark.spec("tck-id-payloads-ncmd-retain")
@pytest.mark.spec("tck-id-payloads-dcmd-seq")
@pytest.mark.spec("tck-id-payloads-dcmd-qos")
@pytest.mark.spec("tck-id-payloads-dcmd-retain")
@pytest.mark.parametrize(
    ("device", "metric", "text", "value", "named"),
    [
        (None, "Speed", "-5", -5, (None, 1)),
        (None, "Label", "night shift", "night shift", ("Label", None)),
        ("arm", "Force", "2.5", 2.5, (None, 2)),
        ("arm", "Steps", "[1, 65535]", (1, 65_535), (None, 3)),
        ("arm", "Due", "2026-11-23T10:00:00Z", 1_795_428_000_000, (None, 4)),
    ],
)
async def test_a_write_arrives_with_the_datatype_and_the_alias_of_the_birth(
    floor: Floor, device: str | None, metric: str, text: str, value: Value, named: tuple[str | None, int | None]
) -> None:
    target = floor.press.name if device is None else f"{floor.press.name}/{device}"
    told = await floor.command("send", "write", target, metric, text, "--yes", "--reason", "trial", "--by", "ada")
    await until(lambda: bool(floor.press.written), "the write is there", 5)
    [sent] = floor.commands()
    payload = decode(sent.payload)
    [written] = payload.metrics
    group, node = floor.press.node.node

    assert (told.exit_code, told.stdout.startswith(f"{metric} of {target} was written as the ")) == (0, True)
    assert floor.press.written == [Written(device=device, metric=metric, value=value)]
    verb, rest = ("NCMD", "") if device is None else ("DCMD", f"/{device}")
    assert (sent.topic, sent.qos, sent.retain) == (f"spBv1.0/{group}/{verb}/{node}{rest}", 0, False)
    assert (payload.seq, payload.timestamp_ms == written.at_ms) == (None, True)
    assert (written.name, written.alias) == named
    [line] = audit_of(floor)
    assert (line["kind"], line["by"], line["fields"]["value"]) == ("node.write", "ada", text)


async def test_a_rebirth_of_a_device_is_its_nodes_and_is_waited_for(floor: Floor) -> None:
    told = await floor.command("send", "rebirth", f"{floor.press.name}/arm", "--by", "ada")
    again = await floor.command("send", "rebirth", floor.press.name, "--json")

    assert (told.exit_code, told.stdout) == (0, f"{floor.press.name} was asked for a rebirth, and was born\n")
    answer = json.loads(again.stdout)
    assert (again.exit_code, answer["sent"]) == (1, False)
    assert "ago; ask again in" in answer["text"]
    assert [one.topic.split("/")[2] for one in floor.commands()] == ["NCMD"]
    assert [line["kind"] for line in audit_of(floor)] == ["node.rebirth", "node.rebirth"]


async def test_a_rebirth_that_the_host_asked_for_shortly_before_is_waited_for(floor: Floor) -> None:
    floor.press.is_deaf = True
    group, node = floor.press.node.node
    await floor.press.say(floor.press.node.leave(CLOCK.now_ms()))
    data = Publication(topic=f"spBv1.0/{group}/NDATA/{node}", payload=b"", qos=0, retain=False)
    await floor.press.link.publish(data)
    await until(lambda: bool(floor.commands()), "the host asks for the birth of one that speaks without", 5)
    command = asyncio.create_task(floor.command("send", "rebirth", floor.press.name))
    await until(lambda: bool(audit_of(floor)), "the bridge took the command", 5)
    floor.press.node.connected(CLOCK.now_ms())
    state = json.dumps({"online": True, "timestamp": CLOCK.now_ms()}).encode()
    await floor.press.say(floor.press.node.receive("spBv1.0/STATE/uns-bridge", state, CLOCK.now_ms()))
    told = await command

    assert told.exit_code == 0, told.stderr
    assert re.fullmatch(rf"{floor.press.name} was already asked for a rebirth \d s ago, and was born\n", told.stdout)
    assert len(floor.commands()) == 1


async def test_a_rebirth_that_is_not_obeyed_is_said(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send, "WAIT_S", 1.5)
    floor.press.is_deaf = True
    told = await floor.command("send", "rebirth", floor.press.name)

    assert told.exit_code == 1
    assert "was asked for a rebirth, but no birth came within 1.5 s; see `uns-bridge nodes" in told.stderr


@pytest.mark.parametrize(
    ("target", "metric", "value", "why"),
    [
        ("", "Sped", "5", "was born without a metric 'Sped'; did you mean 'Speed'?"),
        ("", "Speed", "5.5", "'5.5' is no Int32: an Int32 is a whole number from -2147483648 to 2147483647"),
        ("/arn", "Force", "5", "has no device 'arn'; did you mean 'arm'?"),
        ("2", "Speed", "5", "was ever heard of; did you mean"),
    ],
)
async def test_what_cannot_be_written_is_refused_before_anybody_is_asked(
    floor: Floor, target: str, metric: str, value: str, why: str
) -> None:
    told = await floor.command("send", "write", f"{floor.press.name}{target}", metric, value)

    assert (told.exit_code, why in told.stderr) == (1, True), told.stderr
    assert (floor.commands(), audit_of(floor)) == ([], [])


async def test_a_device_that_went_away_is_not_written(floor: Floor) -> None:
    await floor.press.say(floor.press.node.device_lost("arm", 1))

    async def is_gone() -> bool:
        view = await floor.view()
        return view is not None and view.devices == {"arm": False}

    await until(is_gone, "the arm is gone", 5)
    told = await floor.command("send", "write", f"{floor.press.name}/arm", "Force", "5", "--yes")

    assert (told.exit_code, told.stderr) == (1, f"the device {floor.press.name}/arm is offline\n")


async def test_the_bridge_itself_refuses_what_came_too_late_and_keeps_who_wanted_it(floor: Floor) -> None:
    group, node = floor.press.node.node
    wanted = WriteWanted(
        id=new_id(), origin=Origin(group, node, None), metric="Speed", value="5", by="ada", reason="", until_ms=1
    )
    reply = await send.ask_bridge(floor.store, wanted)

    assert (reply.sent, "after nobody waited for it any more" in reply.text) == (False, True)
    assert (floor.commands(), [line["by"] for line in audit_of(floor)]) == ([], ["ada"])


async def test_without_a_terminal_a_write_must_be_meant(floor: Floor) -> None:
    told = await floor.command("send", "write", floor.press.name, "Speed", "5")

    assert told.exit_code == 2
    assert told.stderr == "this writes to the plant, and there is no terminal to ask on; say --yes if it is meant\n"
    assert floor.commands() == []


@pytest.mark.parametrize("command", [("rebirth", "g/n"), ("write", "g/n", "Speed", "5", "--yes")])
def test_without_a_bridge_nothing_is_left_for_later(plant: Path, command: tuple[str, ...]) -> None:
    told = run(plant, "send", *command)

    assert told.exit_code == 3
    assert told.stderr == "no bridge runs on this site, so nothing can be sent; start it with `uns-bridge run`\n"
    assert asyncio.run(waiting(plant)) == 0


async def waiting(plant: Path) -> int:
    """How many acts wait for a bridge."""
    store = open_store(load_plant(plant))
    try:
        return len(await store.acts())
    finally:
        await store.close()


async def test_a_bridge_that_does_not_answer_is_said(plant: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send, "WAIT_S", 0.2)
    store = open_store(load_plant(plant))
    wanted = WriteWanted(
        id=new_id(), origin=Origin("g", "n", None), metric="Speed", value="5", by="ada", reason="", until_ms=1
    )
    with pytest.raises(Exception, match="3"):
        await send.ask_bridge(store, wanted)
    assert [store_act(wanted)] == list(await store.acts())
    await store.close()


@pytest.mark.parametrize("target", ["press", "g//arm", "g/press/arm/hand", "g/+"])
def test_what_is_no_node_and_no_device_is_wrong_use(plant: Path, target: str) -> None:
    told = run(plant, "send", "rebirth", target)

    assert (told.exit_code, told.stderr) == (
        2,
        f"{target!r} is no edge node and no device: write GROUP/NODE or GROUP/NODE/DEVICE\n",
    )
