"""Every value that another maker's library can publish is read as its program gave it, in births and in data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sparkplug.fact import Reading
from sparkplug.finding import FindingName
from sparkplug.wire.datatype import Datatype
from tests.foreign.host import Host, host_on
from tests.foreign.nodes import DEVICE, MQTT_SPB_WRAPPER, PYSPARKPLUG, SPARKPLUG_CLIENT, Library, foreign_node
from tests.foreign.value import (
    ARRAYS,
    DATA_SET,
    DATA_SET_OF_LISTS,
    DEFINITION,
    INSTANCE,
    MOMENT,
    NULLS,
    SCALARS,
    Given,
    Json,
    spell,
    whole,
)
from tests.servers import Mosquitto

pytestmark = pytest.mark.slow

NO_TEXTS = Given(name="no texts", datatype=Datatype.STRING_ARRAY, value=("",), spelled=[])
"""pysparkplug writes an empty StringArray as it writes one that holds an empty text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repertoire:
    """What a program can give to a library: what is read of it, what is `lost`, and the findings that tell."""

    library: Library
    read: Sequence[Given]
    lost: Sequence[Given] = ()
    own: Sequence[Given] = ()
    findings: frozenset[str] = frozenset()


REPERTOIRES = (
    Repertoire(
        library=SPARKPLUG_CLIENT,
        read=[*SCALARS, MOMENT, *NULLS, DATA_SET, INSTANCE],
        lost=ARRAYS,  # it knows none of their datatypes, and publishes Unknown without a value
        own=[DEFINITION, whole("Node/Count", -1)],
        findings=frozenset({FindingName.VALUE_MISSING}),
    ),
    Repertoire(
        library=PYSPARKPLUG,
        read=[*SCALARS, MOMENT, *NULLS, *ARRAYS, NO_TEXTS],
        own=[whole("Node/Count", -1)],
    ),
    Repertoire(
        library=MQTT_SPB_WRAPPER,
        read=[*SCALARS, MOMENT, DATA_SET_OF_LISTS],
        findings=frozenset({FindingName.BIRTH_REBIRTH_MISSING}),  # its births call the command CMD/Node Control/Rebirth
    ),
)


def given(metrics: Iterable[Given], library: Library) -> dict[str, Json]:
    """What the host must read of them."""
    return {library.prefix + metric.name: spell(metric.value) for metric in metrics}


def values(readings: dict[str, Reading]) -> dict[str, Json]:
    """The values that were read, but for those that every node must have."""
    return {
        name: spell(reading.value)
        for name, reading in readings.items()
        if name != "bdSeq" and not name.endswith("Node Control/Rebirth")
    }


async def until_read(host: Host, library: Library, name: str, *, birth: bool) -> None:
    await host.until(lambda: library.prefix + name in host.readings(library.device, birth=birth))


@pytest.mark.parametrize("repertoire", REPERTOIRES, ids=lambda each: each.library.package)
async def test_all_that_a_library_can_carry_is_read_as_it_was_given(
    repertoire: Repertoire, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    library, metrics = repertoire.library, [*repertoire.lost, *repertoire.read]
    is_reborn = library is MQTT_SPB_WRAPPER  # it reports with births
    async with (
        host_on(mosquitto) as host,
        foreign_node(library, mosquitto, metrics, tmp_path / "log", node_metrics=repertoire.own) as node,
    ):
        await until_read(host, library, metrics[-1].name, birth=True)
        assert values(host.readings(library.device, birth=True)) == given(repertoire.read, library)
        if repertoire.own:
            assert values(host.readings(None, birth=True)) == given(repertoire.own, library)

        host.facts.clear()
        await node.report(*metrics)
        await until_read(host, library, metrics[-1].name, birth=is_reborn)
        assert values(host.readings(library.device, birth=is_reborn)) == given(repertoire.read, library)

        view = host.view
        assert view is not None
        assert (view.phase, frozenset(view.findings)) == ("online", repertoire.findings)


@pytest.mark.parametrize("compress", ["DEFLATE", "GZIP", None])
async def test_compressed_data_that_names_its_metrics_by_alias_is_read(
    compress: str | None, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    metrics = [replace(metric, alias=place) for place, metric in enumerate((*SCALARS, MOMENT, *NULLS, DATA_SET), 1)]
    async with (
        host_on(mosquitto) as host,
        foreign_node(SPARKPLUG_CLIENT, mosquitto, metrics, tmp_path / "log") as node,
    ):
        await until_read(host, SPARKPLUG_CLIENT, DATA_SET.name, birth=True)
        await node.report(*metrics, compress=compress)
        await until_read(host, SPARKPLUG_CLIENT, DATA_SET.name, birth=False)
        assert values(host.readings(DEVICE, birth=False)) == given(metrics, SPARKPLUG_CLIENT)
        assert host.findings() == {}


@pytest.mark.parametrize("library", [PYSPARKPLUG, SPARKPLUG_CLIENT], ids=lambda library: library.package)
async def test_data_of_the_past_is_told_from_the_present_and_a_quality_is_read(
    library: Library, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    qualities = library is SPARKPLUG_CLIENT  # the other has no properties; both send metadata, which nobody reads
    past = replace(whole("Count", 41), alias=7, historical=True, quality=192 if qualities else None)
    bad = replace(whole("Length", -3), alias=8, quality=0 if qualities else None)
    async with host_on(mosquitto) as host, foreign_node(library, mosquitto, [past, bad], tmp_path / "log") as node:
        await until_read(host, library, "Count", birth=True)
        await node.report(past, bad)
        await until_read(host, library, "Count", birth=False)

        readings = host.readings(DEVICE, birth=False)
        assert [(each.value, each.historical, each.quality) for each in readings.values()] == [
            (41, True, past.quality),
            (-3, False, bad.quality),
        ]
        assert host.findings() == {}


async def test_data_under_other_names_than_the_births_is_a_finding_and_the_births_values_stay(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    count = whole("Count", 41)
    async with (
        host_on(mosquitto) as host,
        foreign_node(MQTT_SPB_WRAPPER, mosquitto, [count], tmp_path / "log", plain=True) as node,
    ):
        await until_read(host, MQTT_SPB_WRAPPER, "Count", birth=True)
        await node.report(whole("Count", 42))
        await host.until(lambda: FindingName.METRIC_UNKNOWN in host.findings())
        await node.until_said("rebirth")  # the host asks for one, and so the value comes all the same
        await host.until(lambda: host.readings(None, birth=True)["DATA/Count"].value == 42)

        assert host.findings()[FindingName.METRIC_UNKNOWN] == "'Count' was not in the birth"
        assert host.readings(None, birth=False) == {}
