"""The running number of a metric group: which events are new, which are missing, which came before.

Numbers begin at 1; 0 says that there was no event yet. A number below the last one means that the device began
anew (a wrap, a reset): an epoch begins, and its events get ids of their own. Stored history (`is_historical`)
begins no epoch: it fills what was missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from bridge.translate.complaint import ComplaintName

MOST_RANGES: Final = 100
"""Ranges of missing numbers that are remembered; the oldest is forgotten beyond that."""


class Running(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is remembered of one group: the last number, its content's hash, and what is missing (from, to)."""

    number: int
    content: str
    epoch: int = 0
    missing: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a number means. `id` is the event's id where it is new; `wrong` a complaint's name and text."""

    memory: Running
    id: str | None = None
    wrong: tuple[ComplaintName, str] | None = None


def judge(memory: Running | None, number: int, content: str, *, historical: bool) -> Verdict:
    """Take the next number of a group. `content` is the hash of the event's fields."""
    if memory is None:
        before = (ComplaintName.EVENTS_BEFORE, f"first heard of at number {number}; earlier events are not known here")
        return Verdict(
            memory=Running(number=number, content=content),
            id=str(number) if number > 0 else None,
            wrong=before if number > 1 else None,
        )
    if number == memory.number:
        return _again(memory, content)
    if number > memory.number:
        return _onward(memory, memory.number + 1, number, content)
    if historical:
        return _filled(memory, number)
    return _onward(Running(number=0, content="", epoch=memory.epoch + 1), 1, number, content)


def _again(memory: Running, content: str) -> Verdict:
    if content == memory.content or memory.number == 0:
        return Verdict(memory=memory)
    text = f"number {memory.number} came again with other content; number every event anew"
    changed = msgspec.structs.replace(memory, content=content)
    return Verdict(memory=changed, wrong=(ComplaintName.EVENT_CHANGED, text))


def _onward(memory: Running, expected: int, number: int, content: str) -> Verdict:
    missing = memory.missing
    wrong = None
    if number > expected:
        missing = (*missing, (expected, number - 1))[-MOST_RANGES:]
        which = f"event {expected} is" if number == expected + 1 else f"events {expected} to {number - 1} are"
        wrong = (ComplaintName.EVENT_GAP, f"{which} missing before event {number}")
    onward = msgspec.structs.replace(memory, number=number, content=content, missing=missing)
    return Verdict(memory=onward, id=_id(memory.epoch, number) if number > 0 else None, wrong=wrong)


def _filled(memory: Running, number: int) -> Verdict:
    """History: an event that was missing, or one that was taken long ago."""
    for first, last in memory.missing:
        if first <= number <= last:
            rest = [each for each in ((first, number - 1), (number + 1, last)) if each[0] <= each[1]]
            others = [each for each in memory.missing if each != (first, last)]
            missing = tuple(sorted([*others, *rest]))
            return Verdict(memory=msgspec.structs.replace(memory, missing=missing), id=_id(memory.epoch, number))
    return Verdict(memory=memory)


def _id(epoch: int, number: int) -> str:
    return str(number) if epoch == 0 else f"{epoch}-{number}"
