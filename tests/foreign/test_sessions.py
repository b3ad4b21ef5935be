"""Sessions of other makers' nodes: rebirths, writes, deaths, and what they are after the line was cut."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sparkplug.finding import FindingName
from sparkplug.wire.datatype import SIGNED_BITS, Datatype
from tests.bridge.broker.proxy import proxy_to
from tests.foreign.host import host_on
from tests.foreign.nodes import LIBRARIES, MQTT_SPB_WRAPPER, PYSPARKPLUG, SPARKPLUG_CLIENT, Library, foreign_node
from tests.foreign.value import ARRAYS, MOMENT, NULLS, SCALARS, Given, Json, spell, whole
from tests.integration.patience import until
from tests.servers import Mosquitto

pytestmark = pytest.mark.slow

COUNT = whole("Count", 41)
Written = tuple[str, str, Json]
by_package = pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.package)


def is_cut_short(metric: Given) -> bool:
    """Whether pysparkplug takes only another form: a negative number cut to the 8 or 16 bits of its datatype."""
    narrow = SIGNED_BITS.get(metric.datatype, 64) < 32
    return narrow and isinstance(metric.value, int) and metric.value < 0


WRITES: dict[str, list[Given]] = {
    SPARKPLUG_CLIENT.package: [
        each for each in (*SCALARS, MOMENT, *NULLS) if each.datatype is not Datatype.UINT32
    ],  # it looks for a UInt32 in the field of a UInt64, and finds nothing
    PYSPARKPLUG.package: [each for each in (*SCALARS, MOMENT, *NULLS, *ARRAYS) if not is_cut_short(each)],
    MQTT_SPB_WRAPPER.package: [*SCALARS, MOMENT, *NULLS],
}


def seen(commands: Iterable[dict[str, Any]]) -> list[Written]:
    """Name, datatype and value of each write, as the node's program saw them."""
    metrics = [metric for command in commands for metric in command["metrics"]]
    return [(one["name"], str(one["type"]).upper().replace("_", ""), one.get("value")) for one in metrics]


def written(metrics: Iterable[Given]) -> list[Written]:
    return [(one.name, one.datatype.word.upper(), spell(one.value)) for one in metrics]


@by_package
async def test_writes_arrive_with_the_type_and_the_value_that_were_sent(
    library: Library, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    metrics = WRITES[library.package]
    async with host_on(mosquitto) as host, foreign_node(library, mosquitto, [COUNT], tmp_path / "log") as node:
        await host.until_phase("online")
        for device in {None, library.device}:
            for metric in metrics:
                await host.write(device, metric.name, metric.datatype, metric.value)
            commands = await node.until_arrived(len(metrics))
            assert seen(commands) == written(metrics)
            assert {command["device"] for command in commands} == {device}
            node.forget()


async def test_a_uint32_is_written_to_sparkplug_client_in_vain(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with (
        host_on(mosquitto) as host,
        foreign_node(SPARKPLUG_CLIENT, mosquitto, [COUNT], tmp_path / "log") as node,
    ):
        await host.until_phase("online")
        await host.write(None, "Target", Datatype.UINT32, 250)
        await host.write(None, "Target", Datatype.INT64, 250)
        assert seen(await node.until_arrived(2)) == [("Target", "UINT32", None), ("Target", "INT64", "250")]


async def test_a_negative_int8_ends_the_network_thread_of_pysparkplug_and_an_int32_does_not(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    async with host_on(mosquitto) as host, foreign_node(PYSPARKPLUG, mosquitto, [COUNT], log) as node:
        await host.until_phase("online")
        await host.write(None, "Offset", Datatype.INT32, -3)
        assert seen(await node.until_arrived(1)) == [("Offset", "INT32", "-3")]
        await host.write(None, "Offset", Datatype.INT8, -3)
        await until(lambda: "OverflowError: Int8 overflow with value 4294967293" in log.read_text(), "its end", 20)


@by_package
async def test_a_rebirth_that_is_asked_for_is_answered_where_the_library_can(
    library: Library, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with host_on(mosquitto) as host, foreign_node(library, mosquitto, [COUNT], tmp_path / "log") as node:
        await host.until_phase("online")
        await host.ask_rebirth()
        await node.until_said("rebirth")
        await node.report(whole("Count", 42))
        await host.until(lambda: 42 in host.values_of(library.prefix + "Count"))

        reported = library is MQTT_SPB_WRAPPER  # that was a birth too
        assert host.births() == {PYSPARKPLUG.package: 1}.get(library.package, 2) + reported
        assert host.view is not None
        assert host.view.phase == "online"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """The `bdSeq` of a library's births: the first, after the line was cut, and of the process that is started next."""

    library: Library
    bd_seqs: tuple[int, int, int]


COUNTINGS = (
    Counting(library=SPARKPLUG_CLIENT, bd_seqs=(0, 0, 0)),  # the standard wants another after each connect
    Counting(library=PYSPARKPLUG, bd_seqs=(0, 1, 0)),
    Counting(library=MQTT_SPB_WRAPPER, bd_seqs=(1, 1, 1)),  # and its wills have the one before
)


@pytest.mark.parametrize("counting", COUNTINGS, ids=lambda each: each.library.package)
async def test_a_node_that_is_cut_off_or_killed_dies_and_comes_back(
    counting: Counting, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    library, bd_seqs = counting.library, []
    async with host_on(mosquitto, strict_deaths=library.deaths_match) as host, proxy_to(mosquitto.port) as line:
        async with foreign_node(library, mosquitto, [COUNT], tmp_path / "log", port=line.port) as node:
            await host.until_phase("online")
            bd_seqs.append(host.bd_seq)
            line.cut()
            await host.until_phase("offline")
            await host.until_phase("online")
            bd_seqs.append(host.bd_seq)
            await node.kill()
            await host.until_phase("offline")
        async with foreign_node(library, mosquitto, [whole("Count", 43)], tmp_path / "log"):
            await host.until(lambda: host.values_of(library.prefix + "Count")[-1] == 43)
            await host.until_phase("online")
            bd_seqs.append(host.bd_seq)
    assert tuple(bd_seqs) == counting.bd_seqs
    assert (FindingName.DEATH_BDSEQ_MISMATCH in host.findings()) is not library.deaths_match
