"""`uns-bridge decode FILE|-`: what a Sparkplug payload holds, and what is wrong with it. It asks nobody anything."""

from __future__ import annotations

import binascii
import json
import re
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bridge.clock import SystemClock
from bridge.commands.exit import FAILED, OK, WRONG, fail
from bridge.console.format import age, printable, short
from sparkplug.errors import PayloadError
from sparkplug.fact import LAST_AT_MS
from sparkplug.topic import (
    CERTIFICATES,
    NAMESPACE,
    DeviceTopic,
    DeviceVerb,
    InvalidTopic,
    NodeTopic,
    NodeVerb,
    StateTopic,
    parse_topic,
)
from sparkplug.wire.explain import Explained, ExplainedMetric, explain
from sparkplug.wire.plain import EXACT
from sparkplug.wire.state import LEGACY_WORDS, decode_legacy_state, decode_state

_HEX: Final = re.compile(rb"(0x)?([0-9a-fA-F]{2}[\s:]*)+")
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/\s]+={0,2}\s*")
_STATE: Final = "STATE"
_LATE_MS: Final = 1_000

TopicOption = Annotated[str | None, typer.Option(help="The topic it came on: tells births from data, and STATE.")]


def command(
    file: Annotated[str, typer.Argument(help="A payload's file: raw, hex or Base64; - is standard input.")],
    topic: TopicOption = None,
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """Print one payload; exit 1 when something is wrong with it."""
    kind = _kind(topic)
    raw = _read(file)
    try:
        told = _state(raw, topic) if kind == _STATE or (kind is None and _is_state(raw)) else explain(raw, _verb(kind))
    except PayloadError as error:
        if json_output:
            _print_json({"topic": topic, "bytes": len(raw), "error": str(error)})
            raise typer.Exit(FAILED) from error
        fail(error, FAILED)
    head: dict[str, Any] = {"topic": topic, "message": kind, "bytes": len(raw)}
    if json_output:
        _print_json(head | (asdict(told) if isinstance(told, Explained) else told))
    elif isinstance(told, Explained):
        _tell(head, told)
    else:
        print(f"STATE: the host is {'online' if told['online'] else 'offline'}, {_moment(told['timestamp_ms'])}")
    raise typer.Exit(FAILED if isinstance(told, Explained) and told.faults else OK)


def plain_bytes(told: bytes) -> bytes:
    """The payload itself, also where it is told in hex or Base64. No payload of Sparkplug looks like either: each
    begins with a byte that is no text, and a STATE with a brace."""
    if _HEX.fullmatch(told.strip()):
        return bytes.fromhex(re.sub(rb"^0x|[\s:]", b"", told.strip()).decode())
    if len(told.strip()) > len("OFFLINE") and _BASE64.fullmatch(told):
        try:
            return binascii.a2b_base64(b"".join(told.split()), strict_mode=True)
        except binascii.Error:
            return told
    return told


def _read(file: str) -> bytes:
    try:
        told = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}", WRONG)
    return plain_bytes(told)


def _kind(topic: str | None) -> str | None:
    """The message type of a topic, or `STATE`. A topic that is none of Sparkplug's is wrong use."""
    if topic is None:
        return None
    match parse_topic(topic.removeprefix(CERTIFICATES)):
        case NodeTopic(verb=verb):
            return verb
        case DeviceTopic(verb=verb):
            return verb
        case StateTopic():
            return _STATE
        case None if topic.startswith(f"{_STATE}/"):
            return _STATE
        case InvalidTopic(reason=reason):
            wrong = reason
        case None:
            wrong = f"{topic!r} is no topic of Sparkplug; it begins with spBv1.0/ or STATE/"
    return fail(f"--topic: {wrong}", WRONG)


def _verb(kind: str | None) -> NodeVerb | DeviceVerb | None:
    if kind is None:
        return None
    return NodeVerb(kind) if kind.startswith("N") else DeviceVerb(kind)


def _is_state(raw: bytes) -> bool:
    return raw in LEGACY_WORDS.values() or (raw[:16].lstrip(b"\xef\xbb\xbf \n\t")[:1] == b"{" and b'"online"' in raw)


def _state(raw: bytes, topic: str | None) -> dict[str, Any]:
    """A STATE; one of Sparkplug 2.2 has no timestamp."""
    if raw in LEGACY_WORDS.values() and not (topic or "").startswith(NAMESPACE):
        return {"online": decode_legacy_state(raw), "timestamp_ms": None}
    state = decode_state(raw)
    return {"online": state.online, "timestamp_ms": state.timestamp_ms}


def _tell(head: dict[str, Any], told: Explained) -> None:
    parts = [
        head["message"] or "payload",
        f"{head['bytes']} bytes" + (", compressed" if told.compressed else ""),
        "no seq" if told.seq is None else f"seq {told.seq}",
        _moment(told.timestamp_ms),
        *([f"uuid {told.uuid}"] if told.uuid else []),
    ]
    print("  ".join(parts))
    if told.metrics:
        table = Table("metric", "type", "value", "flags", "time (UTC)", box=None)
        for metric in told.metrics:
            table.add_row(*(escape(cell) for cell in _row(metric, told)))
        Console(width=None if sys.stdout.isatty() else 160).print(table)
    for fault in told.faults:
        print(f"wrong: {fault.place}: {fault.text}")


def _row(metric: ExplainedMetric, told: Explained) -> tuple[str, ...]:
    alias = "" if metric.alias is None else f"#{metric.alias}"
    flags = {"null": metric.is_null, "historical": metric.historical, "transient": metric.transient}
    more = {**metric.properties, **metric.metadata}
    return (
        printable(" ".join(part for part in (metric.name, alias) if part)) or "(no name)",
        metric.datatype or "(in the birth)",
        _value(metric),
        " ".join([*(flag for flag, is_set in flags.items() if is_set), _value_text(more) if more else ""]).strip(),
        "" if metric.timestamp_ms in (None, told.timestamp_ms) else _moment(metric.timestamp_ms),
    )


def _value(metric: ExplainedMetric) -> str:
    if metric.value is None:
        return "null" if metric.is_null else "?"
    if metric.datatype == "DateTime" and isinstance(metric.value, int):
        return f"{metric.value} ({_moment(metric.value)})"
    return _value_text(metric.value)


def _value_text(value: object) -> str:
    return short(printable(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _moment(at_ms: int | None) -> str:
    """A moment and how long ago it was."""
    if at_ms is None:
        return "no timestamp"
    if at_ms > LAST_AT_MS:
        return f"{at_ms} ms"
    past_ms = SystemClock().now_ms() - at_ms
    when = datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    return f"{when} ({age(past_ms)} ago)" if past_ms >= -_LATE_MS else f"{when} (in {age(-past_ms)})"


def _print_json(told: dict[str, Any]) -> None:
    print(json.dumps(_exact(told), indent=2, ensure_ascii=False, allow_nan=False))


def _exact(told: Any) -> Any:
    """Aliases and timestamps too are the text of their digits where a browser's number would not be exact."""
    match told:
        case dict():
            return {name: _exact(each) for name, each in told.items()}
        case list() | tuple():
            return [_exact(each) for each in told]
        case int() if abs(told) > EXACT:
            return str(told)
        case _:
            return told
