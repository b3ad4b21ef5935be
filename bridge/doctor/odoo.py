"""Odoo: whether it answers, who we are there, each thing that we need, how postings go, and when the key ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from bridge.clock import Clock
from bridge.doctor.clock import Reading, from_odoo
from bridge.doctor.finding import Finding, Place
from bridge.doctor.key import ends_soon, told_end
from bridge.plant import Plant
from bridge.settings.odoo import InboxUse, OdooSettings, OdooTransport
from odoo_adapter.chosen import NO_INBOX
from odoo_adapter.client.api import OdooApi
from odoo_adapter.errors import OdooError, Refused
from odoo_adapter.look_first.production.completion import no_hold_location
from odoo_adapter.look_first.time.loss import no_loss_reason
from odoo_adapter.plan import PlanContext
from odoo_adapter.rights import (
    APPS,
    SWITCHES,
    Account,
    Need,
    Switch,
    is_administrator,
    key_expiry,
    needs,
    read_clock,
    switched_off,
)
from odoo_adapter.server import OdooServer
from odoo_adapter.survey.master import MasterData, read_master_data
from odoo_adapter.versions import is_known, nearest

_UNCLASSIFIED: Final = "unclassified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Who the key says that we are. `key_expires_ms` None: it has no end, or none that can be read."""

    account: Account
    administrator: bool
    needs: Sequence[Need]
    switched_off: Sequence[Switch] = ()
    key_expires_ms: int | None
    reading: Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How postings go.

    `hello` is what the inbox says of itself, and `reading` the database's clock in it; `refusal` what it says where it
    cannot be used; `master` what is there without it.
    """

    hello: Mapping[str, Any] = field(default_factory=dict)
    reading: Reading | None = None
    refusal: Refused | None = None
    master: MasterData | None = None


async def see_login(odoo: OdooApi, account: Account, clock: Clock) -> Login:
    """Ask as the user of the key, in the plant's company. Raises an `OdooError`."""
    asked_ms = clock.now_ms()
    told = await read_clock(odoo)
    reading = _reading(asked_ms, told, clock)
    return Login(
        account=account,
        administrator=await is_administrator(odoo),
        needs=await needs(odoo, account.id, account.login),
        switched_off=await switched_off(odoo, account.id),
        key_expires_ms=await key_expiry(odoo, account.id),
        reading=reading,
    )


def _reading(asked_ms: int, told: str, clock: Clock) -> Reading:
    """A clock of Odoo's, which writes whole seconds in UTC."""
    return Reading(asked_ms=asked_ms, answered_ms=clock.now_ms(), told_ms=from_odoo(told), step_ms=1000)


async def see_way(odoo: OdooApi, account: Account, plant: Plant, clock: Clock) -> Way:
    """Ask how postings would go. Raises an `OdooError` where that cannot be asked."""
    refusal: Refused | None = None
    if plant.settings.odoo.inbox is not InboxUse.NEVER:
        try:
            server = OdooServer(odoo, PlanContext())
            await server.greet()  # what it learns by the way would count as delay of the clock
            asked_ms = clock.now_ms()
            hello = await server.greet()
            return Way(hello=hello, reading=_reading(asked_ms, hello["db_time"], clock))
        except Refused as error:
            refusal = error
    if refusal is not None and (refusal.code != NO_INBOX or not plant.settings.odoo.may_look_first):
        return Way(refusal=refusal)
    return Way(master=await read_master_data(odoo, account))


def examine_version(place: Place, version: str) -> Finding:
    """One that the bridge never met is here only where bridge.yaml accepts it."""
    if is_known(version):
        return place.ok(f"it is Odoo {version}, a version that the bridge knows")
    return place.warning(
        f"it is Odoo {version}, with which the bridge was never tried; it is called as Odoo {nearest(version)}",
        "bridge.yaml accepts that (odoo.accept_unknown_version); use a version of the bridge that knows it",
    )


def failure(place: Place, error: OdooError) -> Finding:
    """What is to be said where Odoo did not even tell its version."""
    if isinstance(error, Refused):
        return place.wrong(error.reason)
    return place.unreachable(str(error), "see whether it runs, and mend odoo.url in bridge.yaml")


def examine_connection(place: Place, odoo: OdooSettings) -> Iterator[Finding]:
    """How the bridge gets there."""
    if odoo.is_unverified:
        mend = "name its authority in odoo.tls.ca_file, and remove `verify: false`"
        yield place.warning("its certificate is not verified: anybody on the way can take the key", mend)
    elif odoo.url.startswith("https:"):
        yield place.ok("its certificate is verified")
    elif urlsplit(odoo.url).hostname not in ("127.0.0.1", "localhost", "::1"):
        yield place.warning("the key goes to it without TLS", "let a proxy with TLS stand before Odoo")
    if odoo.proxy is not None:
        yield place.ok(f"the proxy {odoo.proxy.url} leads to it")
    if odoo.transport is OdooTransport.CLIENT_LIB:
        yield place.ok("odoo-client-lib makes the calls")


def examine_account(place: Place, account: Account, plant: Plant, company: int) -> Iterator[Finding]:
    """The user and the company."""
    odoo = plant.settings.odoo
    yield place.ok(f"the database {odoo.database} takes the key; it is the user {account.login}'s")
    if account.login != odoo.user:
        mend = "mend odoo.user in bridge.yaml, or use that user's key"
        yield place.warning(f"the key is of {account.login}, bridge.yaml names {odoo.user}", mend)
    if company in account.companies:
        yield place.ok(f"the company is {company}, {account.companies[company]}")
        if len(account.companies) > 1:
            mend = "make a user for each company, so that no posting can reach another one"
            yield place.warning(f"the user {account.login} may work in {len(account.companies)} companies", mend)
    else:
        known = ", ".join(f"{id} ({name})" for id, name in sorted(account.companies.items()))
        where = "assets.yaml" if odoo.company is None else "odoo in bridge.yaml"
        mend = f"mend company in {where} (the user may work in {known}), or allow it to the user in Odoo"
        yield place.wrong(f"the user {account.login} may not work in company {company}", mend)


def examine_login(place: Place, login: Login, now_ms: int) -> Iterator[Finding]:
    """What the user needs, one finding each, and the key's end."""
    if login.administrator:
        mend = "make an integration user of its own for the bridge"
        yield place.wrong(f"{login.account.login} is an administrator", mend)
    lacks = " ".join(need.lack for need in login.needs)
    yield from (place.ok(f"the app {app} is installed") for app in APPS.values() if f"the app {app}" not in lacks)
    for need in login.needs:
        mend = "" if "install the app" in need.lack else "docs/odoo.md names the groups"
        yield place.wrong(need.lack, mend) if need.lack else place.ok(f"the user {need.name}")
    yield from (place.warning(switch.lack, switch.mend) for switch in login.switched_off)
    if not login.switched_off:
        yield place.ok(f"{', '.join(switch.name for switch in SWITCHES.values())} are switched on")
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
        text = f"the inbox is there, and of this version: {way.hello['inbox']}, sha256 {way.hello['sha'][:12]}"
        yield place.ok(text)
    else:
        yield place.ok("there is no inbox to use: postings look first (docs/delivery.md)")
        there = way.master.hold_locations.count(hold_location) == 1
        yield place.ok(f"hold location {hold_location}") if there else place.warning(no_hold_location(hold_location))
        known = _UNCLASSIFIED in way.master.losses
        yield place.ok("loss reason unclassified") if known else place.warning(no_loss_reason(_UNCLASSIFIED))
