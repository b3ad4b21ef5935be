"""Recordings read back: the files of one or several runs in their order, what they begin with, their inputs, and gaps.

A file that was not ended is read as far as it is whole; a chunk that is damaged is passed over. Either is a `Lost`, and
so is every file that is missing between two others.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias

import msgspec
from mcap.exceptions import McapError
from mcap.records import Attachment, Channel, Chunk, McapRecord, Message, Metadata
from mcap.stream_reader import StreamReader, breakup_chunk
from zstandard import ZstdError

from bridge.core.input import Input
from bridge.errors import ConfigError
from bridge.recording.about import About
from bridge.recording.codec import reader_of
from bridge.recording.errors import RecordingError, Unreadable
from bridge.recording.file import END, FORMAT, GAP, HEAD, STATE, TEXTS, channel_of
from bridge.recording.folder import SUFFIX
from bridge.recording.span import Lost, Snapshot, unpack

_NS_PER_MS: Final = 1_000_000
_LARGEST: Final = 1 << 30
"""Of one record of a file, so that a damaged length asks for no more memory."""
_ALL: Final = 1 << 62
NO_SIZES: Final[Mapping[Path, int]] = MappingProxyType({})
_DAMAGED: Final = (
    McapError,
    ValueError,
    KeyError,
    struct.error,
    zlib.error,
    ZstdError,
    msgspec.MsgspecError,
    ConfigError,
)

Advanced = Callable[[int], None]
"""Called with the bytes that were read since the last call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Began:
    """A file begins. `follows`: nothing is missing between it and what was read before.

    `part` 1 is the first file of a run, whose first input is `Started`. `snapshot` None: no bridge was running.
    """

    path: Path
    about: About
    run_ms: int
    part: int
    at_ms: int
    number: int
    snapshot: Snapshot | None
    follows: bool


@dataclass(frozen=True, slots=True)
class Recorded:
    """An input, and the time that it was for the core."""

    received_ms: int
    input: Input


Read: TypeAlias = Began | Recorded | Lost


@dataclass(slots=True, kw_only=True)
class _Head:
    """What is known of a file before its inputs are read."""

    path: Path
    told: Mapping[str, str]
    lost: Lost | None = None
    state: bytes | None = None
    texts: dict[str, str] = field(default_factory=dict)

    def number(self, name: str) -> int:
        return int(self.told[name])

    @property
    def place(self) -> tuple[int, int]:
        return self.number("run_ms"), self.number("part")

    @property
    def about(self) -> About:
        told = self.told
        return About(
            site=told["site"],
            host_id=told["host_id"],
            servers=tuple(told["servers"].split()),
            bridge=told["bridge"],
            plant=told["plant"],
            texts=self.texts,
        )


@dataclass(slots=True)
class _End:
    """How the file that was read last ended. `number` None: in the midst."""

    head: _Head
    number: int | None = None
    last_ms: int = 0


def files_in(paths: Iterable[Path]) -> tuple[Path, ...]:
    """The recordings that these name: files, and all that are in folders. Raises `Unreadable` where there is none."""
    found: list[Path] = []
    for path in paths:
        files = sorted(path.glob(f"*{SUFFIX}")) if path.is_dir() else [path]
        if not files:
            raise Unreadable(f"{path}: there is no recording in this folder; its files end with {SUFFIX}")
        found += files
    return tuple(dict.fromkeys(found))


def sizes_of(paths: Iterable[Path]) -> Mapping[Path, int]:
    """How long these files are now, for `read`. Raises `Unreadable`."""
    try:
        return {path: path.stat().st_size for path in paths}
    except OSError as error:
        raise Unreadable(f"{error.filename}: cannot be read: {error.strerror}") from error


def of_one_site(paths: Iterable[Path]) -> tuple[About, ...]:
    """What each file says of itself, in their order. Raises `RecordingError`, also where they are of several sites."""
    abouts = tuple(head.about for head in _in_order(paths))
    if len(sites := sorted({each.site for each in abouts})) > 1:
        raise RecordingError(f"these are recordings of several sites: {', '.join(sites)}; name those of one")
    return abouts


def read(
    paths: Iterable[Path], advanced: Advanced = lambda count: None, sizes: Mapping[Path, int] = NO_SIZES
) -> Iterator[Read]:
    """All of these files, in the order in which they were written. Raises `Unreadable` for a file that is none.

    Of a file in `sizes` so many bytes: one that a bridge is still writing is longer for who reads it later.
    """
    before: _End | None = None
    for head in _in_order(paths):
        lost = head.lost or _missing(before, head)
        if lost is not None:
            yield lost
        yield _began(head, follows=before is not None and lost is None)
        before = yield from _inputs(head, advanced, sizes.get(head.path, _ALL))
    if before is not None and before.number is None:
        yield _cut(before)


def _in_order(paths: Iterable[Path]) -> list[_Head]:
    return sorted((_read_head(path) for path in paths), key=lambda head: head.place)


def _began(head: _Head, *, follows: bool) -> Began:
    return Began(
        path=head.path,
        about=head.about,
        run_ms=head.number("run_ms"),
        part=head.number("part"),
        at_ms=head.number("at_ms"),
        number=head.number("commit"),
        snapshot=None if head.state is None else unpack(head.state),
        follows=follows,
    )


def _missing(before: _End | None, head: _Head) -> Lost | None:
    """What is not there between two files."""
    if before is None:
        return None
    if before.number is None:
        return _cut(before, head.number("at_ms"))
    (run_ms, part), (last_run_ms, last_part) = head.place, before.head.place
    follows = part == last_part + 1 if run_ms == last_run_ms else part == 1 and head.number("commit") == before.number
    if follows:
        return None
    reason = f"files are missing between {before.head.path.name} and {head.path.name}"
    return Lost(from_ms=before.last_ms, to_ms=head.number("at_ms"), inputs=None, reason=reason)


def _cut(end: _End, to_ms: int | None = None) -> Lost:
    reason = f"{end.head.path.name} ends in the midst, as after a crash"
    return Lost(from_ms=end.last_ms, to_ms=end.last_ms if to_ms is None else to_ms, inputs=None, reason=reason)


def _read_head(path: Path) -> _Head:
    """What stands before the inputs. Raises `Unreadable`."""
    head: _Head | None = None
    try:
        for record in _records(path):
            match record:
                case Metadata(name=name, metadata=told) if name == HEAD:
                    head = _Head(path=path, told=told)
                    if told["v"] != FORMAT:
                        raise Unreadable(f"{path}: it is of a newer bridge ({told['bridge']}); read it with that one")
                case Metadata(name=name, metadata=told) if head is not None and name == GAP:
                    head.lost = _gap(told)
                case Attachment(name=name, data=data) if head is not None and name == STATE:
                    head.state = data
                case Attachment(name=name, data=data) if head is not None and name.startswith(TEXTS):
                    head.texts[name.removeprefix(TEXTS)] = data.decode()
                case Chunk():
                    break
    except OSError as error:
        raise Unreadable(f"{path}: cannot be read: {error.strerror}") from error
    except _DAMAGED as error:
        raise Unreadable(f"{path}: it is no recording of uns-bridge: {error}") from error
    if head is None:
        raise Unreadable(f"{path}: it is no recording of uns-bridge; `uns-bridge record` or `run` make them")
    return head


def _gap(told: Mapping[str, str]) -> Lost:
    inputs = int(told["inputs"]) if told["inputs"] else None
    return Lost(from_ms=int(told["from_ms"]), to_ms=int(told["to_ms"]), inputs=inputs, reason=told["reason"])


def _records(path: Path, advanced: Advanced = lambda count: None, size: int = _ALL) -> Iterator[McapRecord]:
    """The records of a file, chunks as they are, as far as it goes, or as they are whole within this size."""
    with path.open("rb") as file:
        records = StreamReader(file, emit_chunks=True, record_size_limit=_LARGEST).records
        told = 0
        while True:
            try:
                record = next(records, None)
            except _DAMAGED:  # cut, or nothing tells where the next one begins
                return
            place = file.tell()
            if place > size:
                return
            advanced(place - told)
            told = place
            if record is None:
                return
            yield record


def _inputs(head: _Head, advanced: Advanced, size: int) -> Generator[Recorded | Lost, None, _End]:
    """The inputs of a file; returns how it ended."""
    end = _End(head, last_ms=head.number("at_ms"))
    damaged = ""
    readers: dict[int, Callable[[bytes], Input]] = {}
    for record in _records(head.path, advanced, size):
        if damaged and isinstance(record, Chunk | Metadata):  # else it is the end of a file that was cut
            yield Lost(from_ms=end.last_ms, to_ms=end.last_ms, inputs=None, reason=damaged)
            damaged = ""
        if isinstance(record, Metadata) and record.name == END:
            end.number = int(record.metadata["commit"])
        if not isinstance(record, Chunk):
            continue
        try:
            inputs = _in_chunk(record, readers)
        except _DAMAGED as error:
            damaged = f"{head.path.name} is damaged: {error}"
            continue
        yield from inputs
        end.last_ms = inputs[-1].received_ms if inputs else end.last_ms
    return end


def _in_chunk(chunk: Chunk, readers: dict[int, Callable[[bytes], Input]]) -> list[Recorded]:
    """All inputs of a chunk. `readers` are those of the channels so far, and get those that begin in it."""
    inputs: list[Recorded] = []
    for record in breakup_chunk(chunk, validate_crc=True):
        if isinstance(record, Channel):
            readers[record.id] = reader_of(channel_of(record.topic, record.metadata))
        elif isinstance(record, Message):
            inputs.append(Recorded(record.log_time // _NS_PER_MS, readers[record.channel_id](record.data)))
    return inputs
