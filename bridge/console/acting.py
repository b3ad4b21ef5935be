"""Dead letters and held entries: choose, see what would happen, then do it with a reason. And rebirths of edge nodes.

An act is written to the audit log first and then enters the core like every other input. What cannot be audited is not
done.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog
from aiohttp import web

from bridge.console.app import DESK, SESSION, Desk
from bridge.core.act import audited, new_id
from bridge.core.input import Acted, ActKind, FromPerson, RebirthWanted
from bridge.correction.given import ORDER, choice
from bridge.intervention.act import Wish, correctable, steps
from bridge.intervention.cause import causes
from bridge.intervention.foresight import foreseen, unasked
from bridge.loop import Entering
from sparkplug.fact import NodeId
from sparkplug.topic import is_level
from state.entry import EntryState
from state.intervention import Prediction

SHOWN: Final = 200
VALUE: Final = "value."
"""How the names of a form's fields begin that hold an entry's values."""
CAUSES_SHOWN: Final = 20
LONGEST_REASON: Final = 500
LOOK_UP_S: Final = 5.0
"""How long Odoo may take to say whether it has an entry."""
COMMIT_S: Final = 10.0
"""How long an act may take until it is durable, before the page says that it waits."""
NOT_STORED: Final = "The bridge has not stored it yet: Redis takes no commits. Look again before you repeat it."
SUITS: Final = {
    ActKind.REPLAY: (EntryState.DEAD,),
    ActKind.RELEASE: (EntryState.HELD,),
    ActKind.SKIP: (EntryState.DEAD, EntryState.HELD),
}
"""What "all" takes."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What a form asks for. `order` is what is released is given to, where it has none; `corrected` are the values of a
    correction that differ from the entry's."""

    kind: ActKind
    keys: tuple[str, ...]
    reason: str
    order: str
    corrected: Mapping[str, str]

    @property
    def values(self) -> Mapping[str, str]:
        return {ORDER: self.order} if self.order else self.corrected


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The form as far as it is filled in."""

    act: str
    keys: tuple[str, ...]
    all: bool
    cause: str
    reason: str
    order: str
    values: Mapping[str, str]


async def show(request: web.Request) -> web.StreamResponse:
    """The entries that wait for a person; the address may say which are chosen."""
    return _page(request, _form(request.query.items()))


async def check(request: web.Request) -> web.StreamResponse:
    """What the act would do to each entry. Changes nothing."""
    desk = request.app[DESK]
    form = _form((await request.post()).items())
    wish = _wish(form, desk)
    if isinstance(wish, str):
        return _page(request, form, wrong=wish, status=400)
    predictions = await _predict(desk, wish)
    doable = [one for one in predictions if one.would is not None]
    counts = Counter(one.would or "unchanged" for one in predictions)
    values: dict[str, Any] = {"wish": wish, "predictions": predictions, "doable": doable, "counts": counts}
    return desk.render(request, "check.html", still=True, **values)


async def act(request: web.Request) -> web.StreamResponse:
    """Do it."""
    desk, session = request.app[DESK], request[SESSION]
    form = _form((await request.post()).items())
    wish = _wish(form, desk)
    if isinstance(wish, str):
        return _page(request, form, wrong=wish, status=400)
    now_ms = desk.inside.now_ms
    acted = Acted(
        id=new_id(), kind=wish.kind, keys=wish.keys, by=session.name, reason=wish.reason, corrected=wish.values
    )
    if wrong := await _audit(desk, acted, now_ms):
        return _page(request, form, wrong=wrong, status=503)
    done = f"Done: {wish.kind} of {len(wish.keys)} {'entries' if len(wish.keys) > 1 else 'entry'}."
    session.said = done if await _is_stored(desk, acted, now_ms) else NOT_STORED
    raise web.HTTPSeeOther("/attention")


async def rebirth(request: web.Request) -> web.StreamResponse:
    """Ask an edge node for its births."""
    desk, session = request.app[DESK], request[SESSION]
    group, _, node = str((await request.post()).get("node", "")).partition("/")
    if not (is_level(group) and is_level(node)):
        raise web.HTTPBadRequest(text="this form names no edge node")
    now_ms = desk.inside.now_ms
    wanted = RebirthWanted(
        id=new_id(),
        node=NodeId(group, node),
        by=session.name,
        reason="in the console",
        until_ms=now_ms + round(COMMIT_S * 1000),
    )
    if wrong := await _audit(desk, wanted, now_ms):
        raise web.HTTPServiceUnavailable(text=wrong)
    is_stored = await _is_stored(desk, wanted, now_ms)
    reply = desk.inside.core.commands.reply(wanted.id)
    session.said = f"{'Done' if reply.sent else 'Not done'}: {reply.text}." if is_stored and reply else NOT_STORED
    raise web.HTTPSeeOther("/equipment")


async def _audit(desk: Desk, act: FromPerson, now_ms: int) -> str:
    """Write down who wants what; why that is not possible, "" where it is done."""
    try:
        await asyncio.to_thread(_write, desk, act, now_ms)
    except OSError as error:
        log.error("audit.not_written", reason=str(error), effect="the act was not done")
        return f"Not done: the audit log cannot be written ({error})."
    return ""


async def _is_stored(desk: Desk, act: FromPerson, now_ms: int) -> bool:
    """Let the core do it; whether that was durable in time."""
    durable = asyncio.Event()

    async def committed() -> None:
        durable.set()

    try:
        async with asyncio.timeout(COMMIT_S):
            await desk.inside.enter(Entering(input=act, at_ms=now_ms, committed=committed))
            await durable.wait()
    except TimeoutError:
        return False
    return True


def _page(request: web.Request, form: Form, *, wrong: str = "", status: int = 200) -> web.Response:
    """The causes, and the list with the form as it was: of one cause, if one is chosen; what is chosen first."""
    desk = request.app[DESK]
    core = desk.inside.core
    outbox = core.outbox
    waiting = [*outbox.entries(EntryState.DEAD), *outbox.entries(EntryState.HELD)]
    found = causes(waiting)
    chosen = next((one for one in found if one.id == form.cause), None)
    if chosen is not None:
        waiting = [one for one in waiting if one.key in frozenset(chosen.keys)]
    waiting.sort(key=lambda one: one.key not in form.keys)
    about = [one for one in waiting if one.key in form.keys] or waiting[:SHOWN]
    orders = choice(about, core.book.records, core.floor.assets.equipment)
    values = {"entries": waiting[:SHOWN], "count": len(waiting), "form": form, "wrong": wrong, "still": bool(wrong)}
    values |= {"causes": found[:CAUSES_SHOWN], "cause": chosen, "more_causes": len(found) - CAUSES_SHOWN}
    values["orders"] = orders
    return desk.render(request, "attention.html", status=status, **values)


def _form(fields: Iterable[tuple[str, object]]) -> Form:
    filled: dict[str, list[str]] = {}
    for name, text in fields:
        filled.setdefault(name, []).append(str(text))
    return Form(
        act=filled.get("act", [""])[0],
        keys=tuple(dict.fromkeys(filled.get("key", ()))),
        all="all" in filled,
        cause=filled.get("cause", [""])[0],
        reason=" ".join(filled.get("reason", [""])[0].split()),
        order=filled.get("order", [""])[0],
        values={name.removeprefix(VALUE): texts[0] for name, texts in filled.items() if name.startswith(VALUE)},
    )


def _wish(form: Form, desk: Desk) -> _Wish | str:
    """What the form asks for, or what is missing in it."""
    try:
        kind = ActKind(form.act)
    except ValueError:
        return "Choose what to do: replay, release or skip."
    keys = form.keys
    if form.all and kind is not ActKind.CORRECT:
        waiting = desk.inside.core.outbox.entries()
        chosen = {key for one in causes(waiting) if one.id == form.cause for key in one.keys} if form.cause else None
        suiting = (one.key for one in waiting if one.state in SUITS[kind])
        keys = tuple(key for key in suiting if chosen is None or key in chosen)
    if not keys:
        return "Choose at least one entry."
    if not form.reason:
        return "Say why: the reason is kept with the entry."
    if len(form.reason) > LONGEST_REASON or not form.reason.isprintable():
        return f"Write the reason in at most {LONGEST_REASON} printable characters."
    order = form.order if kind is ActKind.RELEASE else ""
    corrected = _corrected(form, desk) if kind is ActKind.CORRECT else {}
    if kind is ActKind.CORRECT and (len(keys) > 1 or not corrected):
        return "Change a value of one entry: nothing is corrected otherwise."
    return _Wish(kind=kind, keys=keys, reason=form.reason, order=order, corrected=corrected)


def _corrected(form: Form, desk: Desk) -> Mapping[str, str]:
    """The values that differ from those of the entry: of the others nothing is said."""
    entry = desk.inside.core.outbox.entry(form.keys[0])
    has = {} if entry is None else correctable(entry)
    return {name: text for name, text in form.values.items() if text != has.get(name, "")}


async def _predict(desk: Desk, wish: _Wish) -> tuple[Prediction, ...]:
    core = desk.inside.core
    decided = steps(core, Wish(kind=wish.kind, keys=wish.keys, corrected=wish.values), desk.inside.now_ms)
    try:
        async with asyncio.timeout(LOOK_UP_S):
            return await foreseen(core, desk.inside.outside.odoo, decided)
    except TimeoutError:
        return unasked(core, decided, f"it did not answer within {LOOK_UP_S:.0f} s")


def _write(desk: Desk, act: FromPerson, now_ms: int) -> None:
    for kind, fields in audited(act):
        desk.audit.append(kind, act.by, fields, now_ms)
