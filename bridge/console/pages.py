"""The pages that only show: overview, equipment, entries, orders, rules."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from bridge.console import facts
from bridge.console.app import DESK
from bridge.console.diagnosis import SLOW_MS, diagnose
from bridge.console.diagnosis import facts as diagnosed
from bridge.console.format import odoo_link, order_link, reasons
from bridge.console.watch import SessionView, kind_and_place
from bridge.intervention.act import correctable
from bridge.lifecycle.book import LogBroken, VersionBook
from bridge.lifecycle.content import texts_of, version_of
from bridge.lifecycle.difference import Change
from bridge.lifecycle.history import History
from bridge.trace.reading import why
from state.entry import Entry, EntryState
from state.errors import StoreUnavailable

PAGE: Final = 50
DONE_STATES: Final = (EntryState.DELIVERED, EntryState.SKIPPED)
ALERTS_SHOWN: Final = 12
ORDERS_SHOWN: Final = 100
FACTS_SHOWN: Final = 50


async def overview(request: web.Request) -> web.StreamResponse:
    """What is wrong, and how everything is."""
    desk = request.app[DESK]
    inside, watch = desk.inside, desk.inside.watch
    seen = diagnosed(inside)
    told = [one for one in reversed(watch.notices) if one.notice.level == "alert"]
    return desk.render(
        request,
        "overview.html",
        troubles=diagnose(seen),
        seen=seen,
        watch=watch,
        alerts=told[:ALERTS_SHOWN],
        states=[(state, seen.depth.get(state, 0)) for state in EntryState if state not in DONE_STATES],
        slow_ms=SLOW_MS,
        circuit=inside.core.outbox.circuit("odoo"),
        redis=inside.plant.settings.redis,
        brokers=[
            (broker, _sessions(place, watch.sessions)) for place, broker in enumerate(inside.plant.settings.brokers, 1)
        ],
        nodes_well=sum(line.is_well for line in seen.nodes),
    )


async def equipment(request: web.Request) -> web.StreamResponse:
    """The nodes, what is done against the standard, and the last values of all equipment."""
    desk = request.app[DESK]
    return desk.render(
        request,
        "equipment.html",
        nodes=facts.nodes(desk.inside),
        findings=facts.findings(desk.inside),
        equipment=facts.equipment(desk.inside),
    )


async def entries(request: web.Request) -> web.StreamResponse:
    """The entries of one state, the latest first."""
    desk = request.app[DESK]
    state = _state(request.query.get("state", ""))
    lane = request.query.get("lane", "").strip()
    page = max(1, int(page)) if (page := request.query.get("page", "1")).isascii() and page.isdigit() else 1
    unreadable = ""
    try:
        found = await _found(desk.inside, state, lane, limit=page * PAGE + 1)
    except StoreUnavailable as error:
        found, unreadable = (), str(error)
    values: dict[str, Any] = {
        "state": state,
        "lane": lane,
        "page": page,
        "unreadable": unreadable,
        "states": list(EntryState),
    }
    depth = _depth(desk.inside, lane)
    shown = found[(page - 1) * PAGE : page * PAGE]
    return desk.render(request, "entries.html", entries=shown, more=len(found) > page * PAGE, depth=depth, **values)


async def entry(request: web.Request) -> web.StreamResponse:
    """One entry's story, from the message to the record."""
    desk = request.app[DESK]
    key = request.query.get("key", "")
    try:
        one = await facts.entry(desk.inside, key)
        found = await why(desk.inside.outside.store, key)
    except StoreUnavailable as error:
        raise web.HTTPServiceUnavailable(text=f"the store cannot be read: {error}") from error
    if one is None:
        raise web.HTTPNotFound(text="there is no such entry; it may be done and forgotten")
    body, receipt = facts.as_data(one.body), facts.as_data(one.receipt)
    return desk.render(
        request,
        "entry.html",
        entry=one,
        body=body,
        fact=facts.origin(body),
        sendable=facts.is_sendable(one),
        refused_by_rule=facts.REFUSED_BY_RULE,
        receipt=receipt,
        why=() if found.trace is None else reasons(found.trace, desk.inside.core.floor.assets.timezone),
        link=odoo_link(desk.inside.plant.settings.odoo.url, receipt),
        simulator=_is_simulator(desk.inside),
        values=correctable(one),
        stopper=desk.inside.core.outbox.waiting.waits_for(key),
    )


async def orders(request: web.Request) -> web.StreamResponse:
    """All orders with their answers and quantities."""
    desk = request.app[DESK]
    lines = facts.orders(desk.inside)
    return desk.render(request, "orders.html", orders=lines[:ORDERS_SHOWN], count=len(lines))


async def order(request: web.Request) -> web.StreamResponse:
    """One order: its document, and what was posted for it."""
    desk = request.app[DESK]
    name = request.query.get("order", "")
    line = next((one for one in facts.orders(desk.inside) if one.record.order == name), None)
    if line is None:
        raise web.HTTPNotFound(text="there is no such order")
    live = [one for one in desk.inside.core.outbox.entries() if one.lane == name]
    totals = desk.inside.core.outbox.stream_totals(f"{name}/")
    link = None if _is_simulator(desk.inside) else order_link(desk.inside.plant.settings.odoo.url, name)
    return desk.render(request, "order.html", line=line, entries=live, totals=totals, link=link)


async def rules(request: web.Request) -> web.StreamResponse:
    """The versions of the rules: what is live, what runs in shadow, and what became of all."""
    desk = request.app[DESK]
    folder, core = desk.inside.plant.folder, desk.inside.core
    history, broken = History(), ""
    try:
        history = await asyncio.to_thread(VersionBook(folder).history)
        draft = version_of(await asyncio.to_thread(texts_of, folder))
    except (LogBroken, OSError, UnicodeDecodeError) as error:
        broken, draft = str(error), ""
    shadow = core.shadows[0] if core.shadows else None
    values: dict[str, Any] = {
        "history": history,
        "broken": broken,
        "draft": draft,
        "release": core.release,
        "shadow": shadow,
        "difference": None if shadow is None else shadow.difference(),
        "changes": list(Change),
        "shown": FACTS_SHOWN,
    }
    return desk.render(request, "rules.html", **values)


def _is_simulator(inside: facts.Inside) -> bool:
    """Whether Odoo said that it is none: then there are no pages to open."""
    info = inside.watch.odoo.info
    return info is not None and info.simulator


def _sessions(place: int, sessions: Mapping[str, SessionView]) -> Mapping[str, SessionView]:
    """The sessions on the server of this place in bridge.yaml, by what they are for."""
    named = {kind_and_place(name): session for name, session in sessions.items()}
    return {kind: session for (kind, at), session in named.items() if at == place}


async def _found(inside: facts.Inside, state: EntryState, lane: str, *, limit: int) -> tuple[Entry, ...]:
    if state in DONE_STATES:
        return await facts.done(inside, state, lane, limit=limit)
    live = [one for one in inside.core.outbox.entries(state) if not lane or one.lane == lane]
    if state not in (EntryState.PENDING, EntryState.CLAIMED):
        live.reverse()
    return tuple(live[:limit])


def _depth(inside: facts.Inside, lane: str) -> Mapping[EntryState, int]:
    """How many are in each state, of those that are not done."""
    if not lane:
        return inside.core.outbox.depth()
    return Counter(one.state for one in inside.core.outbox.entries() if one.lane == lane)


def _state(word: str) -> EntryState:
    try:
        return EntryState(word)
    except ValueError:
        return EntryState.PENDING
