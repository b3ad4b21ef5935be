"""The STATE document of a host application: JSON `{"online": ..., "timestamp": ...}`.

Sparkplug 2.2 had the bare words `ONLINE` and `OFFLINE` under the topic `STATE/<host>` instead.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from sparkplug.errors import PayloadError
from sparkplug.fact import LAST_AT_MS

LEGACY_WORDS: Final = {True: b"ONLINE", False: b"OFFLINE"}
"""The payloads of Sparkplug 2.2, by whether the host is online."""


@dataclass(frozen=True, slots=True)
class HostState:
    """What a host says of itself. Its birth has the timestamp of the will of the same session."""

    online: bool
    timestamp_ms: int


def encode_state(state: HostState) -> bytes:
    """The document of `tck-id-host-topic-phid-birth-payload` and `-death-payload`."""
    return json.dumps({"online": state.online, "timestamp": state.timestamp_ms}).encode()


def decode_state(raw: bytes) -> HostState:
    """Read a STATE document. A byte order mark, other keys and whole numbers written as floats are tolerated.

    Raises `PayloadError` for anything else, also for the bare words of Sparkplug 2.2.
    """
    if raw in LEGACY_WORDS.values():
        raise PayloadError(
            f"the STATE document is the bare {raw.decode()} of Sparkplug 2.2, which belongs under STATE/<host>"
        )
    try:
        document = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise PayloadError(f"the STATE document is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise PayloadError("the STATE document is not a JSON object")
    online, stamp = document.get("online"), document.get("timestamp")
    if not isinstance(online, bool):
        raise PayloadError(f"the STATE document's online is {online!r}, not true or false")
    if isinstance(stamp, bool) or not isinstance(stamp, int | float) or not 0 <= stamp <= LAST_AT_MS:
        raise PayloadError(f"the STATE document's timestamp is {stamp!r}, not milliseconds")
    if stamp != int(stamp):
        raise PayloadError(f"the STATE document's timestamp {stamp!r} is not whole")
    return HostState(online, int(stamp))


def decode_legacy_state(raw: bytes) -> bool:
    """Whether a host of Sparkplug 2.2 says that it is online. Raises `PayloadError`."""
    for online, word in LEGACY_WORDS.items():
        if raw.strip() == word:
            return online
    raise PayloadError(f"a STATE of Sparkplug 2.2 is ONLINE or OFFLINE, not {raw[:40]!r}")
