"""What the package raises.

SparkplugError
  PayloadError     a peer sent bytes that cannot be read as a whole; count it, keep one copy, skip it
  ValueUnreadable  one metric's value does not fit its datatype; the other metrics of the message are good
  SnapshotError    a stored snapshot is of an unknown version or damaged

`HostApplication.receive` and `EdgeNode.receive` raise none of them for what a peer did: they answer with findings.
"""


class SparkplugError(Exception):
    """Base of what `sparkplug` raises."""


class PayloadError(SparkplugError):
    """A peer sent bytes that cannot be read."""


class ValueUnreadable(SparkplugError):
    """The value of one metric does not fit its datatype."""


class SnapshotError(SparkplugError):
    """A snapshot cannot be read: an unknown version, or not a snapshot."""
