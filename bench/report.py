"""The figures as tables for people, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from bench.latency import Latency
from bench.odoo import Report
from bench.path import BRIDGE, Cost
from bench.stages import Line


def costs(devices: int, found: Mapping[str, Sequence[Cost]]) -> str:
    """CPU per message, and how often that of the bridge is of each other: the ratio of the same round."""
    bridge = found[BRIDGE]
    rows = []
    for name, rounds in found.items():
        ratios = [ours.data_us / theirs.data_us for ours, theirs in zip(bridge, rounds, strict=True)]
        rows.append(
            (
                name,
                _spread([one.data_us for one in rounds]),
                _spread(ratios, 1),
                _spread([one.document_us for one in rounds]),
                f"{max(one.data_per_s for one in rounds):.0f}",
                f"{median(one.rss_mb for one in rounds):.0f}",
            )
        )
    heads = ("", "us per DDATA", "bridge / it", "us per document", "DDATA/s, most", "RSS MB")
    return _table(f"{devices} devices, {len(bridge)} rounds; min / median / max", heads, rows)


def stages(devices: int, lines: Sequence[Line]) -> str:
    """Where the bridge's microseconds go."""
    rows = [(line.stage, f"{line.least_us:.1f}", f"{line.median_us:.1f}") for line in lines]
    return _table(f"{devices} devices, us per DDATA in batches of 500", ("stage", "least batch", "median batch"), rows)


def latencies(devices: int, found: Sequence[Latency]) -> str:
    """Publishing to commit, at each rate."""
    rows = [
        (
            f"{one.asked_per_s}",
            f"{one.per_s:.0f}",
            "yes" if one.sustained else "no",
            *(f"{each:.0f}" for each in (one.p50_ms, one.p90_ms, one.p99_ms, one.most_ms)),
            f"{one.cpu_us:.0f}",
            f"{one.batch:.0f}",
        )
        for one in found
    ]
    heads = ("asked/s", "published/s", "sustained", "p50 ms", "p90", "p99", "most", "us per DDATA", "per commit")
    return _table(f"{devices} devices, from publishing to the durable commit", heads, rows)


def postings(found: Report) -> str:
    """Postings a second."""
    rows = [(one.kind, one.way, f"{one.per_s:.0f}", f"{one.calls:.2f}") for one in found.rates]
    where = "the Odoo SIMULATOR, not Odoo" if found.simulator else f"Odoo {found.server}"
    return _table(f"on {where}", ("kind", "way", "postings/s", "calls per posting"), rows)


def _spread(values: Sequence[float], digits: int = 0) -> str:
    return " / ".join(f"{value:.{digits}f}" for value in (min(values), median(values), max(values)))


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[place]) for row in (heads, *rows)) for place in range(len(heads))]

    def line(row: Sequence[str]) -> str:
        return "| " + " | ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)) + " |"

    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join(("", f"**{title}**", "", line(heads), rule, *map(line, rows)))
