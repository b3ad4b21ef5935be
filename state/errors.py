"""What the package raises.

StateError
  StoreUnavailable   the store did not answer or would not write; repeat the same call
  Fenced             another process holds the site's lease; stop
  OutOfStep          the store's commit number is not what this process believes; load again
"""


class StateError(Exception):
    """Base of what `state` raises."""


class StoreUnavailable(StateError):
    """The store did not answer or refused to write. A commit may have happened; the same commit is safe to repeat."""


class Fenced(StateError):
    """Another process holds the lease of this site."""


class OutOfStep(StateError):
    """The store's commit number is not the one this process expects."""
