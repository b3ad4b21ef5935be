"""The figures as tables for people, in Markdown, and their places in docs/benchmark.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Final

from bench.figures import Made, OdooFigures, OfSize, PathFigures
from bench.latency import Latency
from bench.odoo import Rate
from bench.path import BRIDGE, LINKS, Cost
from bench.process import BenchError
from bench.stages import ASIDE, RECORDING, Line

DEAREST: Final = 5


def path_tables(found: PathFigures) -> dict[str, str]:
    """The tables of `bench path`, by the names of their places."""
    sizes = found.sizes
    return {
        "path-made": made(found.made),
        "costs": _joined(costs(one.devices, one.costs) for one in sizes),
        "stages": _joined(stages(one.devices, one.stages) for one in sizes),
        "dearest": dearest(sizes),
        "latencies": _joined(latencies(one.devices, one.latencies) for one in sizes),
    }


def odoo_tables(found: OdooFigures) -> dict[str, str]:
    """The tables of `bench odoo`, by the names of their places."""
    return {"odoo-made": made(found.made), "postings": postings(found)}


def written(page: str, tables: Mapping[str, str]) -> str:
    """The page with these tables between their marks. Raises `BenchError` for one that has no place there."""
    for name, table in tables.items():
        opened, closed = f"<!-- bench: {name} -->", f"<!-- end: {name} -->"
        before, is_opened, rest = page.partition(opened)
        _, is_closed, after = rest.partition(closed)
        if not is_opened or not is_closed:
            raise BenchError(f"the page has no place for {name!r}: a line {opened} and below it a line {closed}")
        page = f"{before}{opened}\n\n{table}\n\n{closed}{after}"
    return page


def made(found: Made) -> str:
    """When, of what and on what."""
    return (
        f"Measured on {found.date} at commit `{found.commit}`, on {found.machine}; {found.programs}. "
        f"Load averages before the run: {found.load}. It took {found.took_s / 60:.0f} minutes."
    )


def costs(devices: int, found: Mapping[str, Sequence[Cost]]) -> str:
    """CPU per message, and how often that of the bridge is of each other: the ratio of the same round."""
    bridge = found[BRIDGE]
    rows: list[tuple[str, ...]] = []
    for name, rounds in found.items():
        pairs = list(zip(bridge, rounds, strict=True))
        rows.append(
            (
                name,
                _spread([one.data_us for one in rounds]),
                _spread([ours.data_us / theirs.data_us for ours, theirs in pairs], 1),
                _spread([one.document_us for one in rounds]),
                _spread([ours.document_us / theirs.document_us for ours, theirs in pairs], 1),
                f"{max(one.data_per_s for one in rounds):.0f}",
                f"{median(one.rss_mb for one in rounds):.0f}",
            )
        )
    heads = ("", "us per DDATA", "bridge / it", "us per document", "bridge / it", "DDATA/s, most", "RSS MB")
    return _table(f"{devices} devices, {len(bridge)} rounds; min / median / max", heads, rows)


def stages(devices: int, lines: Sequence[Line]) -> str:
    """Where the bridge's microseconds go."""
    rows: list[tuple[str, ...]] = [(line.stage, f"{line.least_us:.1f}", f"{line.median_us:.1f}") for line in lines]
    whole = [line for line in lines if line.stage not in ASIDE]
    sums = (sum(line.least_us for line in whole), sum(line.median_us for line in whole))
    rows.append(("all stages", *(f"{each:.1f}" for each in sums)))
    for line in lines:
        if line.stage == RECORDING:  # the same batch's: a machine that is busy makes both dearer
            shares = (line.least_us / sums[0], line.median_us / sums[1])
            rows.append(("recording / all stages", *(f"{each:.3f}" for each in shares)))
    return _table(f"{devices} devices, us per DDATA in batches of 500", ("stage", "least batch", "median batch"), rows)


def dearest(sizes: Sequence[OfSize]) -> str:
    """The most expensive stages of each size, the links among them."""
    columns: list[list[str]] = []
    for size in sizes:
        shares = {line.stage: line.median_us for line in size.stages if line.stage not in ASIDE}
        if LINKS in size.costs:
            shares["links"] = median(one.data_us for one in size.costs[LINKS])
        first = sorted(shares.items(), key=lambda each: -each[1])[:DEAREST]
        columns.append([f"{stage}, {us:.0f} us" for stage, us in first])
    rows = [(f"{place}", *row) for place, row in enumerate(zip(*columns, strict=True), 1)]
    heads = ("", *(f"{size.devices} devices" for size in sizes))
    return _table("the most expensive stages, us per DDATA at the median", heads, rows)


def latencies(devices: int, found: Sequence[Latency]) -> str:
    """Publishing to commit, at each rate."""
    rows = [
        (
            f"{one.asked_per_s}",
            f"{one.per_s:.0f}",
            "cut off" if one.cut else "yes" if one.sustained else "no",
            *(f"{each:.0f}" for each in (one.p50_ms, one.p90_ms, one.p99_ms, one.most_ms)),
            f"{one.cpu_us:.0f}",
            f"{one.batch:.0f}",
        )
        for one in found
    ]
    heads = ("asked/s", "published/s", "sustained", "p50 ms", "p90", "p99", "most", "us per DDATA", "per commit")
    return _table(f"{devices} devices, from publishing to the durable commit", heads, rows)


def postings(found: OdooFigures) -> str:
    """Postings a second."""
    rows = [_posting(one) for one in found.rates]
    where = f"the Odoo simulator ({found.server}), not Odoo" if found.simulator else f"Odoo {found.server}"
    heads = ("kind", "way", "postings/s", "calls per posting", "the bridge's us per posting", "its share of the time")
    return _table(f"on {where}", heads, rows)


def _posting(one: Rate) -> tuple[str, ...]:
    return (one.kind, one.way, f"{one.per_s:.0f}", f"{one.calls:.2f}", f"{one.own_us:.0f}", f"{one.own_share:.0%}")


def _joined(tables: Iterable[str]) -> str:
    return "\n\n".join(tables)


def _spread(values: Sequence[float], digits: int = 0) -> str:
    return " / ".join(f"{value:.{digits}f}" for value in (min(values), median(values), max(values)))


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[place]) for row in (heads, *rows)) for place in range(len(heads))]

    def line(row: Sequence[str]) -> str:
        return "| " + " | ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)) + " |"

    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join((f"**{title}**", "", line(heads), rule, *map(line, rows)))
