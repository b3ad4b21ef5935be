"""What the bridge asks of an Odoo server. Implementations: `odoo_adapter.server.OdooServer` over HTTP, and
`odoo_adapter.memory.MemoryOdoo` for crash tests."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Protocol, TypeAlias

from ruleset.sample import Plain
from ruleset.transaction import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The Odoo records that hold a transaction's effect. `repeated` tells that it had been applied before."""

    model: str
    id: int
    details: Mapping[str, Plain]
    repeated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The transaction stands in Odoo, once."""

    key: str
    receipt: Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """Odoo, or our check before it, declined this transaction; it changed nothing."""

    key: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """Not tried, because of what became of an earlier transaction of the batch, or is to become of it first."""

    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A person decides: what is to be posted must be looked at first (a component that the order has not, an expired
    lot, one on hold); or, where there is no inbox, something else than was expected stands in Odoo, and nothing tells
    whether it is ours.

    This call changed nothing. What a person releases goes on from what stands then.
    """

    key: str
    reason: str


Outcome: TypeAlias = Applied | Declined | Passed | Held


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the bridge's own postings left on an order: where there is no inbox, the only memory of them.

    `quantity` is what the order's quantity was after the last of them, in the order's unit (None: nothing is known
    yet); `streams` is the last total applied of each stream, in the unit of the floor that `units` names for it.
    `corrected` is what corrections added to what was counted, in the order's unit. `consumed` is what was recorded of
    each component (default code) and lot ("": it has none), in the unit of the component's move.
    """

    quantity: Decimal | None = None
    streams: Mapping[str, Decimal] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    corrected: Decimal = Decimal(0)
    consumed: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A transaction to post, with what the bridge knows that Odoo may not.

    `uncertain`: an earlier attempt may have been carried out, but no call of it runs any more. `by_calls`: that attempt
    may have been made without the inbox. `released`: a person let it go after it was held, so it goes on from what
    stands in Odoo now.
    """

    transaction: Transaction
    standing: Standing = Standing()
    uncertain: bool = False
    by_calls: bool = False
    released: bool = False


INBOX: Final = "inbox"
LOOK_FIRST: Final = "look-first"


@dataclass(frozen=True, slots=True, kw_only=True)
class OdooInfo:
    """Which server this is and how postings happen there: through the `inbox`, or without it by looking first.

    `simulator` says that it is no real one. `key_expires_ms` is when the last API key of the user runs out (None:
    never, or not readable).
    """

    version: str
    mode: str
    simulator: bool
    database: str
    company: int
    user: str
    key_expires_ms: int | None = None


DELETED: Final = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRead:
    """One manufacturing order as Odoo holds it now.

    `document` is the content of the release without version and dates of publication: product, quantity,
    unit, operations, components, due date (see docs/contract/order-release.schema.json). `state` is Odoo's:
    confirmed, progress, to_close, done, cancel; or `DELETED`, and then there is no document. `moved` names members
    that making the order moves by itself, such as `components[move-81].lots`: to differ there alone is no change.
    `work` is the state of its work orders in Odoo (`ready`, `progress`, `done` ...), by their references.
    """

    order: str
    name: str
    state: str
    document: Mapping[str, Plain]
    moved: frozenset[str] = frozenset()
    work: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersRead:
    """Orders that may have changed since the cursor, and the cursor to ask with next time."""

    orders: tuple[OrderRead, ...]
    cursor: str


class Odoo(Protocol):
    """One Odoo database seen as one company's integration user.

    Every method raises `Unavailable`, `Uncertain` or `Refused` (for the call as a whole, such as an expired key).
    """

    async def check(self) -> OdooInfo:
        """Ask what the server is and whether the user may do all that is needed; `Refused` says what is missing."""
        ...

    async def post(self, batch: Sequence[Job]) -> Sequence[Outcome]:
        """Apply the transactions in order, each exactly once however often it is sent; their outcomes, in order."""
        ...

    async def look_up(self, jobs: Sequence[Job]) -> Mapping[str, Receipt]:
        """The receipts, by key, of those jobs whose effect surely stands in Odoo. Changes nothing."""
        ...

    async def foresee(self, jobs: Sequence[Job]) -> Mapping[str, Outcome]:
        """What `post` would answer, by key, as far as reading tells: those that stand, and those that would be declined
        or held. Nothing was found against the others; what Odoo checks while it writes shows only then. It changes
        nothing.
        """
        ...

    async def read_orders(self, cursor: str, known: Collection[str] = ()) -> OrdersRead:
        """Released orders changed since `cursor`. Nothing is missed between two calls.

        With "" all that are open, and what became of those `known` that are not: done, cancelled or deleted.
        """
        ...

    async def close(self) -> None:
        """Close connections."""
        ...
