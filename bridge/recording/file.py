"""One MCAP file of a recording, while it is written: what it begins with, then inputs in chunks.

What a chunk holds is in the file when it is flushed, and can be read there whatever becomes of the process. `finish`
adds the index that viewers want.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from mcap.writer import CompressionType, Writer

from bridge.core.input import Input
from bridge.recording.about import About
from bridge.recording.codec import SPARKPLUG, Channel, encode, payload_schema
from bridge.recording.span import Lost, Snapshot, pack

FORMAT: Final = "1"
HEAD: Final = "recording"
GAP: Final = "gap"
END: Final = "end"
"""Names of metadata records."""
STATE: Final = "state.msgpack.zlib"
TEXTS: Final = "plant/"
"""Names of attachments."""
MOST_CHANNELS: Final = 60_000
"""A file may have 65,535."""
_NS_PER_MS: Final = 1_000_000
_NUMBERS: Final = 1 << 32

OpenFile = Callable[[Path], IO[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What a file begins with. `run_ms` is when its process began to record, `part` its place among the files of that.

    `snapshot` None: it was recorded without a bridge. `lost` is what is missing before it.
    """

    about: About
    run_ms: int
    part: int
    at_ms: int
    number: int
    snapshot: Snapshot | None
    lost: Lost | None = None


class RecordingFile:
    """A file that is being written. After an `OSError` only `abandon` may be called."""

    def __init__(self, path: Path, beginning: Beginning, open_file: OpenFile) -> None:
        self.path = path
        self.began_ms = beginning.at_ms
        self._file = open_file(path)
        self._inputs = 0
        self._channels: dict[Channel, int] = {}
        try:
            self._writer = Writer(self._file, compression=CompressionType.ZSTD)
            self._begin(beginning)
        except BaseException:
            self.abandon()
            raise

    @property
    def size(self) -> int:
        """Bytes that are in chunks already."""
        return self._file.tell()

    @property
    def is_full(self) -> bool:
        """Whether it can take no more channels, or soon could not."""
        return len(self._channels) >= MOST_CHANNELS

    def add(self, at_ms: int, entered: Input) -> None:
        """Add an input that was received at this time."""
        channel, raw = encode(entered)
        id = self._channels.get(channel)
        if id is None:
            id = self._channels[channel] = self._register(channel)
        at_ns = at_ms * _NS_PER_MS
        self._writer.add_message(id, at_ns, raw, at_ns, self._inputs % _NUMBERS)
        self._inputs += 1

    def flush(self) -> None:
        """Let the operating system have all that was added."""
        self._writer.flush()  # type: ignore[no-untyped-call]

    def finish(self, number: int) -> None:
        """End it in good order, after this commit."""
        self._writer.add_metadata(END, {"commit": str(number), "inputs": str(self._inputs)})
        self._writer.finish()  # type: ignore[no-untyped-call]
        self._file.close()

    def abandon(self) -> None:
        """Leave it as it is; where it holds no chunk, there is nothing to keep."""
        with suppress(OSError):
            self._file.close()
        if not self._inputs:
            with suppress(OSError):
                self.path.unlink()

    def _begin(self, beginning: Beginning) -> None:
        about, at_ns = beginning.about, beginning.at_ms * _NS_PER_MS
        self._writer.start(library=f"uns-bridge {about.bridge}")
        self._writer.add_metadata(HEAD, _head(beginning))
        if beginning.lost is not None:
            self._writer.add_metadata(GAP, _gap(beginning.lost))
        if beginning.snapshot is not None:
            self._writer.add_attachment(at_ns, at_ns, STATE, "application/zlib", pack(beginning.snapshot))
        for name, text in about.texts.items():
            self._writer.add_attachment(at_ns, at_ns, TEXTS + name, "application/yaml", text.encode())
        self._payload = self._writer.register_schema("org.eclipse.tahu.protobuf.Payload", "protobuf", payload_schema())
        self._object = self._writer.register_schema("object", "jsonschema", b'{"type": "object"}')
        self._writer.flush()  # type: ignore[no-untyped-call]

    def _register(self, channel: Channel) -> int:
        schema, encoding = (self._object, "json") if channel.is_json else (self._payload, "protobuf")
        told = {"kind": channel.kind}
        if channel.kind == SPARKPLUG:
            told |= {"server": channel.server, "retain": json.dumps(channel.retain)}
        return self._writer.register_channel(channel.topic, encoding, schema, told)


def channel_of(topic: str, told: Mapping[str, str]) -> Channel:
    """The channel whose metadata this is. Raises `KeyError` where it is none of ours."""
    return Channel(topic, told["kind"], told.get("server", ""), told.get("retain") == "true")


def _head(beginning: Beginning) -> dict[str, str]:
    about = beginning.about
    return {
        "v": FORMAT,
        "site": about.site,
        "host_id": about.host_id,
        "servers": " ".join(about.servers),
        "bridge": about.bridge,
        "plant": about.plant,
        "run_ms": str(beginning.run_ms),
        "part": str(beginning.part),
        "at_ms": str(beginning.at_ms),
        "commit": str(beginning.number),
    }


def _gap(lost: Lost) -> dict[str, str]:
    inputs = "" if lost.inputs is None else str(lost.inputs)
    return {"from_ms": str(lost.from_ms), "to_ms": str(lost.to_ms), "inputs": inputs, "reason": lost.reason}
