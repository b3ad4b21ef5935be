"""What the package raises.

StateError
  StoreUnavailable   the store did not answer or would not write; repeat the same call
    WrongServer        what answers keeps nothing: give another address
  Fenced             another process holds the site's lease; stop
  OutOfStep          the store's commit number is not what this process believes: it fell back, or another one went on
  RecordUnreadable   a record is damaged, or of a later version of the bridge; nothing was changed
"""


class StateError(Exception):
    """Base of what `state` raises."""


class StoreUnavailable(StateError):
    """The store did not answer or refused to write. A commit may have happened; the same commit is safe to repeat."""


class WrongServer(StoreUnavailable):
    """What answers is no server that keeps keys, and will not become one."""


class Fenced(StateError):
    """Another process holds the lease of this site."""


class OutOfStep(StateError):
    """The store's commit number, `stored`, is not the one this process expects."""

    def __init__(self, text: str, stored: int) -> None:
        super().__init__(text)
        self.stored = stored


class RecordUnreadable(StateError):
    """A stored record is damaged, or was written by a later version of the bridge."""

    def __init__(self, record: str, reason: str) -> None:
        super().__init__(
            f"the stored record {record} cannot be read: {reason}; nothing was changed. Run the version of the bridge "
            "that wrote it, or bring the store back from a backup"
        )
