"""One attempt at one transaction: what is asked, what is known of it, and how its outcome is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from odoo_adapter.look_first.steps import Steps
from odoo_adapter.odoo import Applied, Held, Job, Receipt
from odoo_adapter.plan import Posting
from ruleset.sample import Plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A transaction as it was planned, with what the bridge knows of it, and the calls to carry it out."""

    steps: Steps
    posting: Posting
    job: Job
    hold_location: str

    @property
    def key(self) -> str:
        return self.posting.key

    @property
    def p(self) -> Mapping[str, Plain]:
        return self.posting.p

    def text(self, name: str) -> str:
        """A member of the posting as text; "" where it is not given."""
        value = self.p.get(name)
        return "" if value is None else str(value)

    @property
    def cause(self) -> str:
        """Who caused it, as notes and descriptions end."""
        return f" ({self.posting.by})" if self.posting.by else ""

    def applied(self, receipt: Receipt) -> Applied:
        return Applied(key=self.key, receipt=receipt)

    def held(self, reason: str) -> Held:
        return Held(key=self.key, reason=reason)


def receipt(model: str, id: int, *, repeated: bool = False, **details: Plain) -> Receipt:
    """What stands in Odoo."""
    return Receipt(model=model, id=id, details=details, repeated=repeated)
