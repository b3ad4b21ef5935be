"""What reading a recording raises.

RecordingError          a file cannot be used as what it was named for; the text says which and why
  Unreadable            it is no recording, or one of a newer bridge
  Differs               run again, it does not do what the bridge did that recorded it
"""

from __future__ import annotations


class RecordingError(Exception):
    """A recording cannot be used. The text names the file and what to do."""


class Unreadable(RecordingError):
    """This is no recording of ours, or one of a newer bridge."""


class Differs(RecordingError):
    """The recorded outcomes are not those of what this bridge and this plant folder decide."""
