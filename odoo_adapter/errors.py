"""What the package raises. Every transport failure and every Odoo fault becomes one of the three, in `classify.py`.

OdooError
  Unavailable   nothing was written; retry, not before `retry_after_ms`
    KeyRefused    for want of a valid API key; retry as soon as there is another one
  Uncertain     something may have been written; ask again with the same keys
  Refused       understood and declined; `reason` is for people
"""

from __future__ import annotations

from collections.abc import Callable


class OdooError(Exception):
    """Base of what `odoo_adapter` raises. Its text never holds a key, a password or a traceback."""


class Unavailable(OdooError):
    """Odoo could not be reached or was not able to work; nothing was written."""

    def __init__(self, reason: str, retry_after_ms: int | None = None) -> None:
        super().__init__(reason)
        self.retry_after_ms = retry_after_ms


class KeyRefused(Unavailable):
    """Odoo does not accept the API key, or it cannot be read. `is_replaced` asks whether there is another one now."""

    def __init__(self, reason: str, retry_after_ms: int) -> None:
        super().__init__(reason, retry_after_ms)
        self.is_replaced: Callable[[], bool] = lambda: False


class Uncertain(OdooError):
    """The call may have been carried out: the answer was lost."""


class Refused(OdooError):
    """Odoo understood and declined. `code` is one of ours (`no_stock`, `order_state`, ...) or Odoo's error class."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason
