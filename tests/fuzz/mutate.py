"""Makes new inputs of known ones, knowing what a payload is made of: fields are dropped, doubled, swapped, made odd."""

from __future__ import annotations

import zlib
from random import Random
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError

from sparkplug.wire.payload import COMPRESSED_UUID
from sparkplug.wire.sparkplug_b_pb2 import Payload as Message
from tests.fuzz.target import TOPICS, Sent, pack, unpack

_NUMBERS: Final = (0, 1, 2, 3, 7, 16, 19, 34, 127, 128, 255, 256, 2**31, 2**32 - 1, 2**53 + 1, 2**63, 2**64 - 1)
_REALS: Final = (0.0, -0.0, 1.5, float("nan"), float("inf"), -float("inf"), 1e308, 5e-324)
_TEXTS: Final = ("", "a", "bdSeq", "speed", "Quality", "algorithm", "GZIP", COMPRESSED_UUID, "é\0\n\u202e", "x" * 300)
_BYTES: Final = (b"", b"\0", b"\xff" * 7, b"\xff\xff\xff\x7f", b"ab\0cd", b"\x08\0\0\0\xaa")
_MOST_CHANGES: Final = 6


def mutated(data: bytes, seeds: list[bytes], random: Random) -> bytes:
    """Another input."""
    messages = unpack(data) or [Sent(1, b"")]
    for _ in range(random.randint(1, _MOST_CHANGES)):
        place = random.randrange(len(messages))
        match random.randrange(10):
            case 0:
                messages.insert(place, messages[random.randrange(len(messages))])
            case 1 if len(messages) > 1:
                del messages[place]
            case 2:
                messages[place] = messages[place]._replace(topic=random.randrange(len(TOPICS)))
            case 3 if seeds:
                messages[place:place] = unpack(random.choice(seeds))[:2]
            case 4 | 5:
                messages[place] = messages[place]._replace(payload=_bytes_changed(messages[place].payload, random))
            case _:
                messages[place] = messages[place]._replace(payload=_fields_changed(messages[place].payload, random))
    return pack(messages[:8])


def _bytes_changed(payload: bytes, random: Random) -> bytes:
    changed = bytearray(payload)
    at = random.randrange(len(changed) + 1)
    match random.randrange(5):
        case 0:
            del changed[at:]
        case 1 if changed:
            changed[at % len(changed)] ^= 1 << random.randrange(8)
        case 2:
            changed[at:at] = random.randbytes(random.randint(1, 8))
        case 3:
            changed[at:at] = changed[: random.randint(0, 64)]
        case _:
            del changed[at : at + random.randint(1, 8)]
    return bytes(changed)


def _fields_changed(payload: bytes, random: Random) -> bytes:
    """The payload with one field of one of its messages changed; now and then it is compressed."""
    try:
        message = Message.FromString(payload)
    except DecodeError:
        return _bytes_changed(payload, random)
    if random.random() < 0.03:
        message = Message(uuid=COMPRESSED_UUID, body=zlib.compress(payload))
    inside = message
    while (deeper := _messages(inside)) and random.random() < 0.75:
        inside = random.choice(deeper)
    _change(inside, random.choice(inside.DESCRIPTOR.fields), random)
    written = message.SerializePartialToString()
    return written.replace(b"speed", b"spe\xff\xfe") if random.random() < 0.02 else written


def _messages(message: Any) -> list[Any]:
    """The messages that it holds."""
    held: list[Any] = []
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            held.extend(value if field.is_repeated else [value])
    return [each for each in held if each.DESCRIPTOR.fields]


def _change(message: Any, field: FieldDescriptor, random: Random) -> None:
    if random.random() < 0.25:
        message.ClearField(field.name)
        return
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        _grow(message, field, random)
    elif field.is_repeated:
        values = getattr(message, field.name)
        values.insert(random.randint(0, len(values)), _value(field, random))
    else:
        setattr(message, field.name, _value(field, random))


def _grow(message: Any, field: FieldDescriptor, random: Random) -> None:
    """One more message there; mostly a copy of one that is there."""
    held = getattr(message, field.name)
    if not field.is_repeated:
        held.SetInParent()
        return
    added = held.add()
    if len(held) > 1 and random.random() < 0.7:
        added.CopyFrom(random.choice(list(held)[:-1]))


def _value(field: FieldDescriptor, random: Random) -> Any:
    match field.type:
        case FieldDescriptor.TYPE_BOOL:
            return random.random() < 0.5
        case FieldDescriptor.TYPE_FLOAT | FieldDescriptor.TYPE_DOUBLE:
            return random.choice(_REALS)
        case FieldDescriptor.TYPE_STRING:
            return random.choice(_TEXTS)
        case FieldDescriptor.TYPE_BYTES:
            return random.choice(_BYTES)
        case FieldDescriptor.TYPE_UINT32:
            return random.choice(_NUMBERS) & 0xFFFF_FFFF
        case _:
            return random.choice(_NUMBERS)
