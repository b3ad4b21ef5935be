"""How values look on a page: ages, moments in the site's time, quantities, JSON. Pure; the templates' filters."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

import msgspec

from ruleset.sample import Event, Sample
from ruleset.trace.sentence import check_text, fact_texts, told_text
from ruleset.trace.trace import Trace
from sparkplug.errors import PayloadError
from sparkplug.finding import REQUIREMENT_OF, FindingName
from sparkplug.wire.explain import explain
from sparkplug.wire.scan import whole_fields

LONGEST_VALUE: Final = 120
LONGEST_EVENT: Final = 80
LONGEST_SAMPLE: Final = 300
_ID: Final = re.compile("[1-9][0-9]*")


def age(ms: int | None) -> str:
    """A length of time in the two units that matter: `4 s`, `3 min`, `2 h 10 min`, `3 d 4 h`."""
    if ms is None:
        return "–"
    seconds = max(0, ms) // 1000
    if seconds < 60:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes} min"
    hours = minutes // 60
    if hours < 48:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{hours // 24} d {hours % 24} h" if hours % 24 else f"{hours // 24} d"


def clock_of(timezone: str) -> Callable[[int | None], str]:
    """A moment as the site's clocks show it, with the zone: `23 Nov 10:30:25 CET`."""
    zone = ZoneInfo(timezone)

    def moment(at_ms: int | None) -> str:
        if at_ms is None:
            return "–"
        return datetime.fromtimestamp(at_ms / 1000, zone).strftime("%d %b %H:%M:%S %Z")

    return moment


def reasons(trace: Trace, timezone: str) -> tuple[str, ...]:
    """Why a rule answered so, a sentence each."""
    moment = clock_of(timezone)
    told = (told_text(name, each, moment) for name, each in trace.told.items())
    return (*fact_texts(trace, moment), *(check_text(each) for each in trace.checks), *told)


def iso(at_ms: int | None) -> str:
    """A moment for machines and tooltips: ISO 8601 in UTC."""
    return "" if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


def number(value: Decimal | int | float | None) -> str:
    """A quantity without superfluous zeros."""
    if value is None:
        return "–"
    text = f"{Decimal(str(value)):f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def value(observation: Sample | Event) -> str:
    """What a signal says, short."""
    if isinstance(observation, Event):
        fields = ", ".join(f"{name} {_plain(field)}" for name, field in observation.fields.items() if field is not None)
        return short(fields, LONGEST_EVENT) or f"#{observation.id}"
    if observation.value is None:
        return "unknown"
    if isinstance(observation.value, float):
        return f"{observation.value:.6g}"
    return short(str(observation.value)) or "(empty)"


def _plain(field: object) -> str:
    if isinstance(field, bool):
        return "yes" if field else "no"
    if isinstance(field, list):
        return f"({len(field)})"
    return f"{field:.6g}" if isinstance(field, float) else str(field)


def short(text: str, most: int = LONGEST_VALUE) -> str:
    """Not longer than a line."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def printable(text: str) -> str:
    """A text that cannot move a terminal's cursor."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def skew(skew_ms: int | None) -> str:
    """How far a node's clock is ahead of ours; the way of its messages is in it."""
    return "" if skew_ms is None else f"{round(skew_ms / 1000, 1) + 0:+.1f} s"  # -0.0 + 0 is 0.0


def requirement(finding: str) -> str:
    """The requirement of the standard that a finding is about, where it is about one."""
    return REQUIREMENT_OF.get(FindingName(finding), "a limit of the host")


def sample(raw: bytes) -> str:
    """The first bytes of a payload, as much as can be read of them; else as the text that they are, or in hex."""
    try:
        explained = explain(whole_fields(raw))
    except PayloadError:
        text = raw.decode(errors="replace")
        return short(text if text.isprintable() and "\ufffd" not in text else raw.hex(" "))
    said = [f"{one.name or f'#{one.alias}'} {json.dumps(one.value, ensure_ascii=False)}" for one in explained.metrics]
    seq = [] if explained.seq is None else [f"seq {explained.seq}"]
    return short(", ".join([*seq, *said]) or raw.hex(" "), LONGEST_SAMPLE)


def pretty(data: object) -> str:
    """Data as indented JSON; a text as it is."""
    if isinstance(data, str):
        return data
    return msgspec.json.format(msgspec.json.encode(data), indent=2).decode()


def odoo_link(url: str, receipt: object) -> str | None:
    """Where a browser finds the record of a receipt. Odoo 17 to 19 take this form: 18 and 19 rewrite it to theirs."""
    model, id = (receipt.get("model"), receipt.get("id")) if isinstance(receipt, Mapping) else (None, None)
    if not isinstance(model, str) or not isinstance(id, int) or "." not in model or id <= 0:
        return None
    if not url.startswith(("http://", "https://")):
        return None
    return f"{url}/web#id={id}&model={quote(model, safe='.')}&view_type=form"


def order_link(url: str, order: str) -> str | None:
    """Where a browser finds an order, by the bridge's id of it: the manufacturing order 42 of Odoo is `mo-42`."""
    number = order.removeprefix("mo-")
    return odoo_link(url, {"model": "mrp.production", "id": int(number)}) if _ID.fullmatch(number) else None
