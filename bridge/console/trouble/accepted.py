"""What bridge.yaml accepts although it is not fit, and clocks that went apart since, shown as long as it is so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bridge.console.trouble import Level, Trouble
from bridge.doctor.clock import WRONG_MS, told_difference
from odoo_adapter.odoo import OdooInfo
from odoo_adapter.versions import is_known, nearest


def weak_store(weaknesses: Sequence[str]) -> Iterator[Trouble]:
    """A Redis that may forget."""
    if weaknesses:
        yield Trouble(
            level=Level.NOTE,
            title="Redis could lose what it confirmed",
            means="bridge.yaml accepts this (accept_weak_durability). After a power cut postings may be missing.",
            do="Fit for a trial only. For production mend what is named here.",
            detail="; ".join(weaknesses),
        )


def clocks_off(ahead: Mapping[str, int], limit_ms: int) -> Iterator[Trouble]:
    """Clocks that are far from ours. Beyond the limit nobody accepted it: it happened since the start."""
    off = {of: by for of, by in ahead.items() if abs(by) > min(WRONG_MS, limit_ms)}
    if not off:
        return
    is_accepted = all(abs(by) <= limit_ms for by in off.values())
    accepted = "bridge.yaml accepts this (limits.clock_off)."
    beyond = "It is more than bridge.yaml accepts (limits.clock_off): the next start would be refused."
    yield Trouble(
        level=Level.NOTE if is_accepted else Level.WARN,
        title="The clocks disagree",
        means=f"{accepted if is_accepted else beyond} Stops, shifts and lots may stand at the wrong time.",
        do="Let all machines take their time from the same source (chrony, systemd-timesyncd).",
        detail="; ".join(f"{of}'s {told_difference(by)}" for of, by in off.items()),
    )


def unknown_version(info: OdooInfo | None) -> Iterator[Trouble]:
    """An Odoo with which the bridge was never tried."""
    if info is not None and not is_known(info.version):
        yield Trouble(
            level=Level.NOTE,
            title="The bridge was never tried with this version of Odoo",
            means="bridge.yaml accepts this (odoo.accept_unknown_version). What Odoo does otherwise there is found out "
            "by posting: orders may be refused, or come out wrong.",
            do="Fit for a trial only. For production use a version of the bridge that knows this one.",
            detail=f"Odoo {info.version}, called as Odoo {nearest(info.version)}",
        )
