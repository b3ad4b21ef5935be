"""The STATE document of a host application: JSON `{"online": ..., "timestamp": ...}`."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sparkplug.errors import PayloadError
from sparkplug.wire.payload import LAST_AT_MS


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
