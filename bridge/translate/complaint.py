"""Complaints: what a peer sent that does not fit `assets.yaml`. They are shown and counted; nothing is guessed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ComplaintName(StrEnum):
    """The closed list of what can be wrong."""

    WRONG_TYPE = "wrong-type"
    """A metric's value is not of its signal's type; the sample is left out."""
    INVALID_EVENT = "invalid-event"
    """An event lacks a field, or one is of the wrong type; the event is left out."""
    EVENT_GAP = "event-gap"
    """Events were made that did not arrive."""
    EVENT_CHANGED = "event-changed"
    """A running number came again with other content; the event is left out."""
    EVENTS_BEFORE = "events-before"
    """A running number was above 1 when it was first heard of; what was before is not known here."""
    UNKNOWN_TOPIC = "unknown-topic"
    """A document's topic names no equipment, or no document of it."""
    UNREADABLE = "unreadable-document"
    """A document is not a JSON object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """One thing that was left out or is missing, and why. `text` is for people."""

    equipment: str
    signal: str
    name: ComplaintName
    text: str
