"""One examination: everything is asked, Odoo beside the rest, and everything found is told at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from bridge.broker.errors import LinkLost
from bridge.clock import Clock
from bridge.doctor.broker import examine_broker, examine_documents, examine_state, refusal, see_broker, see_documents
from bridge.doctor.clock import examine_clock
from bridge.doctor.finding import Finding, Place
from bridge.doctor.machine import examine_disk, examine_secrets, see_disk
from bridge.doctor.odoo import (
    examine_account,
    examine_connection,
    examine_login,
    examine_version,
    examine_way,
    failure,
    see_login,
    see_way,
)
from bridge.doctor.store import examine_store, place_of, see_store
from bridge.plant import Plant
from bridge.settings.broker import BrokerSettings
from bridge.wiring import DOCUMENTS, document_subscription, link_settings, new_core, odoo_connection, open_store
from odoo_adapter.client.api import OdooApi
from odoo_adapter.errors import OdooError
from odoo_adapter.rights import read_account
from sparkplug.topic import state_topic
from state.errors import StoreUnavailable

DOCTOR: Final = "doctor"
"""The name of our own MQTT session."""


async def examine(plant: Plant, clock: Clock) -> tuple[Finding, ...]:
    """Every check, in the order of a reader's interest."""
    here = [Place("plant", str(plant.folder)).ok("the folder is clean"), _rules(plant), *examine_secrets(plant)]
    here.append(examine_disk(plant.settings.data_dir, *see_disk(plant.settings.data_dir)))
    plant_side, odoo = await asyncio.gather(_plant_side(plant, clock), _odoo(plant, clock))
    return (*here, *plant_side, *odoo)


def _rules(plant: Plant) -> Finding:
    if plant.release is None:
        return Place("rules", "folder").ok("no version is live; the bridge runs the folder as it stands")
    who = f"by {plant.release.author}, approved by {plant.release.approved_by}"
    return Place("rules", plant.release.version).ok(f"this version is live, {who}")


async def _plant_side(plant: Plant, clock: Clock) -> list[Finding]:
    """Redis, and then the servers, since Redis knows whether a bridge runs."""
    found, leads = await _store(plant, clock)
    for place, broker in enumerate(plant.settings.brokers):
        found += await _broker(plant, broker, clock, leads, keeps_documents=place == 0)
    return found


async def _store(plant: Plant, clock: Clock) -> tuple[list[Finding], bool | None]:
    place, store = place_of(plant), open_store(plant)
    try:
        seen = await see_store(store, clock)
    except StoreUnavailable as error:
        mend = f"start Redis, or mend redis in {plant.folder}/bridge.yaml"
        return [place.unreachable(str(error), mend)], None
    finally:
        await store.close()
    accepts_weak = plant.settings.redis.accept_weak_durability
    found = [*examine_store(place, seen, accepts_weak=accepts_weak, now_ms=clock.now_ms())]
    limit_ms = plant.settings.limits.clock_off_ms
    return [*found, examine_clock(place, seen.reading, limit_ms)], seen.leader is not None


async def _broker(
    plant: Plant, broker: BrokerSettings, clock: Clock, leads: bool | None, *, keeps_documents: bool
) -> Sequence[Finding]:
    place, host = Place("broker", broker.address), new_core(plant).host
    topic, filters = state_topic(host.host_id), list(host.subscriptions)
    found: list[Finding] = []
    if keeps_documents:
        filters.append(document_subscription(plant).filter)
    try:
        seen = await see_broker(link_settings(plant, DOCTOR, broker, clean=True), topic, filters)
        found += examine_broker(place, seen, broker, now_ms=clock.now_ms())
        if not seen.refused:
            found.append(examine_state(place, host.host_id, seen.state, leads))
        if keeps_documents:
            is_unused = leads is False
            kept = await see_documents(link_settings(plant, DOCUMENTS, broker, clean=False)) if is_unused else None
            found.append(examine_documents(place, kept, leads))
    except LinkLost as error:
        found.append(refusal(place, error, broker))
    return found


async def _odoo(plant: Plant, clock: Clock) -> Sequence[Finding]:
    place, odoo = Place("odoo", plant.settings.odoo.url), OdooApi(odoo_connection(plant))
    found: list[Finding] = []
    try:
        found.append(examine_version(place, await odoo.version()))
        found += examine_connection(place, plant.settings.odoo)
        await _examine_odoo(plant, clock, place, odoo, found)
    except OdooError as error:
        found.append(place.wrong(str(error)) if found else failure(place, error))
    finally:
        await odoo.close()
    return found


async def _examine_odoo(plant: Plant, clock: Clock, place: Place, odoo: OdooApi, found: list[Finding]) -> None:
    """What a server of a known version has for us. Adds to `found` as it goes, so that an error hides nothing."""
    account, limit_ms = await read_account(odoo), plant.settings.limits.clock_off_ms
    company = odoo.connection.company
    found += examine_account(place, account, plant, company)
    if company not in account.companies:
        return
    login = await see_login(odoo, account, clock)
    found += examine_login(place, login, clock.now_ms())
    found.append(examine_clock(place, login.reading, limit_ms))
    way = await see_way(odoo, account, plant, clock)
    found += examine_way(place, way, plant.settings.odoo.hold_location)
    if way.reading is not None:
        found.append(examine_clock(Place("odoo", f"{plant.settings.odoo.url}, its database"), way.reading, limit_ms))
