"""Odoo: whether it answers, who we are there, each thing that we need, how postings go, and when the key ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from bridge.clock import Clock
from bridge.doctor.clock import Reading
from bridge.doctor.finding import Finding, Place
from bridge.doctor.key import ends_soon, told_end
from bridge.plant import Plant
from bridge.settings.odoo import InboxUse
from odoo_adapter.chosen import NO_INBOX
from odoo_adapter.client.api import OdooApi
from odoo_adapter.errors import OdooError, Refused
from odoo_adapter.look_first.production.completion import no_hold_location
from odoo_adapter.look_first.time.loss import no_loss_reason
from odoo_adapter.plan import PlanContext
from odoo_adapter.rights import Account, Need, is_administrator, key_expiry, needs, read_clock
from odoo_adapter.server import OdooServer
from odoo_adapter.survey.master import MasterData, read_master_data

_UNCLASSIFIED: Final = "unclassified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Who the key says that we are. `key_expires_ms` None: it has no end, or none that can be read."""

    account: Account
    administrator: bool
    needs: Sequence[Need]
    key_expires_ms: int | None
    reading: Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How postings go: `refusal` is what the inbox says where it cannot be used, `master` what is there without it."""

    refusal: Refused | None = None
    master: MasterData | None = None


async def see_login(odoo: OdooApi, account: Account, clock: Clock) -> Login:
    """Ask as the user of the key, in the plant's company. Raises an `OdooError`."""
    asked_ms = clock.now_ms()
    told = datetime.fromisoformat(await read_clock(odoo)).replace(tzinfo=UTC)
    answered_ms, told_ms = clock.now_ms(), int(told.timestamp() * 1000)
    return Login(
        account=account,
        administrator=await is_administrator(odoo),
        needs=await needs(odoo, account.id, account.login),
        key_expires_ms=await key_expiry(odoo, account.id),
        reading=Reading(asked_ms=asked_ms, answered_ms=answered_ms, told_ms=told_ms, step_ms=1000),
    )


async def see_way(odoo: OdooApi, account: Account, plant: Plant) -> Way:
    """Ask how postings would go. Raises an `OdooError` where that cannot be asked."""
    refusal: Refused | None = None
    if plant.settings.odoo.inbox is not InboxUse.NEVER:
        try:
            await OdooServer(odoo, PlanContext()).greet()
            return Way()
        except Refused as error:
            refusal = error
    if refusal is not None and (refusal.code != NO_INBOX or not plant.settings.odoo.may_look_first):
        return Way(refusal=refusal)
    return Way(master=await read_master_data(odoo, account))


def failure(place: Place, error: OdooError) -> Finding:
    """What is to be said where Odoo did not even tell its version."""
    if isinstance(error, Refused):
        return place.wrong(error.reason)
    return place.unreachable(str(error), "see whether it runs, and mend odoo.url in bridge.yaml")


def examine_account(place: Place, account: Account, plant: Plant) -> Iterator[Finding]:
    """The user and the company."""
    odoo, company = plant.settings.odoo, plant.assets.company
    yield place.ok(f"the database {odoo.database} takes the key; it is the user {account.login}'s")
    if account.login != odoo.user:
        mend = "mend odoo.user in bridge.yaml, or use that user's key"
        yield place.warning(f"the key is of {account.login}, bridge.yaml names {odoo.user}", mend)
    if company in account.companies:
        yield place.ok(f"the company is {company}, {account.companies[company]}")
    else:
        known = ", ".join(f"{id} ({name})" for id, name in sorted(account.companies.items()))
        mend = f"mend company in assets.yaml (the user may work in {known}), or allow it to the user in Odoo"
        yield place.wrong(f"the user {account.login} may not work in company {company}", mend)


def examine_login(place: Place, login: Login, now_ms: int) -> Iterator[Finding]:
    """What the user needs, one finding each, and the key's end."""
    if login.administrator:
        mend = "make an integration user of its own for the bridge"
        yield place.wrong(f"{login.account.login} is an administrator", mend)
    for need in login.needs:
        yield (
            place.wrong(need.lack, "docs/odoo.md names the groups") if need.lack else place.ok(f"the user {need.name}")
        )
    yield _key(place, login, now_ms)


def _key(place: Place, login: Login, now_ms: int) -> Finding:
    if login.key_expires_ms is None:
        return place.ok("the API key has no end that can be read")
    text = f"an API key of {login.account.login} {told_end(login.key_expires_ms, now_ms)}"
    if ends_soon(login.key_expires_ms, now_ms):
        return place.warning(text, "make a new one and put it where odoo.key names it; no restart is needed")
    return place.ok(text)


def examine_way(place: Place, way: Way, hold_location: str) -> Iterator[Finding]:
    """The inbox, or what posting without it needs."""
    if way.refusal is not None:
        yield place.wrong(way.refusal.reason)
    elif way.master is None:
        yield place.ok("the inbox is there, and of this version")
    else:
        yield place.ok("there is no inbox to use: postings look first (docs/delivery.md)")
        there = way.master.hold_locations.count(hold_location) == 1
        yield place.ok(f"hold location {hold_location}") if there else place.warning(no_hold_location(hold_location))
        known = _UNCLASSIFIED in way.master.losses
        yield place.ok("loss reason unclassified") if known else place.warning(no_loss_reason(_UNCLASSIFIED))
