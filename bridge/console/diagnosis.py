"""What is wrong, since when, what it means, and what to do: the first thing on the first page. A pure function."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from bridge.console.facts import Inside, NodeLine, nodes
from bridge.console.format import age
from bridge.console.trouble import Level, Trouble
from bridge.console.trouble.accepted import clocks_off, unknown_version, weak_store
from bridge.console.trouble.offline import offline
from bridge.console.watch import Failure, OdooView, SessionView, StoreView, Told, kind_and_place
from bridge.doctor.key import ends_soon
from bridge.intervention.alarm import DECIDE, Overdue
from bridge.loop import Stall
from bridge.orders.record import Answer, OrderRecord
from bridge.wiring import servers
from state.entry import Entry, EntryState

STARTING_MS: Final = 5_000
"""How long a session may take to come up before that is a trouble."""
SLOW_MS: Final = 10_000
"""How long Odoo may take to answer before that is a trouble; a call is given up much later."""
LATE_MS: Final = 300_000
"""Postings that wait longer although Odoo answers wait for something that a person should look at."""


TOO_MUCH: Final = ": too many, or for too long"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the diagnosis is made from."""

    now_ms: int
    began_ms: int
    grace_ms: int
    servers: tuple[str, ...]
    """The MQTT servers as the host names them, in the order of bridge.yaml."""
    sessions: Mapping[str, SessionView]
    store: StoreView
    stalls: Mapping[Stall, Failure]
    odoo: OdooView
    rules: Told | None
    odoo_url: str
    odoo_unverified: bool
    clock_off_ms: int
    clocks: Mapping[str, int]
    """The servers' clocks that are ahead of ours (below 0: behind), and by how much."""
    depth: Mapping[EntryState, int]
    oldest_pending_ms: int | None
    oldest: Mapping[EntryState, Entry]
    nodes: tuple[NodeLine, ...]
    answers: Mapping[Answer, tuple[OrderRecord, ...]]
    overdue: tuple[Overdue, ...] = ()

    @property
    def waiting(self) -> int:
        return self.depth.get(EntryState.PENDING, 0) + self.depth.get(EntryState.CLAIMED, 0)


def facts(inside: Inside) -> Facts:
    """Read them now."""
    core, settings = inside.core, inside.plant.settings
    oldest = {state: one for state in EntryState if (one := core.outbox.waiting.oldest(state)) is not None}
    open_orders = [record for record in core.book.records.values() if record.is_open]
    answers = {answer: tuple(one for one in open_orders if one.answer is answer) for answer in Answer}
    return Facts(
        now_ms=inside.now_ms,
        began_ms=inside.watch.began_ms,
        grace_ms=settings.limits.stale_grace_ms,
        servers=tuple(servers(inside.plant)),
        sessions=inside.watch.sessions,
        store=inside.watch.store,
        stalls=inside.watch.stalls,
        odoo=inside.watch.odoo,
        rules=inside.watch.rules,
        odoo_url=settings.odoo.url,
        odoo_unverified=settings.odoo.is_unverified,
        clock_off_ms=settings.limits.clock_off_ms,
        clocks=dict(inside.watch.clocks),
        depth=core.outbox.depth(),
        oldest_pending_ms=core.outbox.waiting.oldest_pending_ms,
        oldest=oldest,
        nodes=nodes(inside),
        answers=answers,
        overdue=core.alarm.overdue,
    )


def diagnose(seen: Facts) -> tuple[Trouble, ...]:
    """Everything that is wrong, the worst first."""
    found = [*_store(seen), *_sessions(seen), *_odoo(seen), *_nodes(seen), *_entries(seen), *_orders(seen)]
    found += [*_rules(seen), *unknown_version(seen.odoo.info)]
    return tuple(sorted(found, key=lambda trouble: trouble.level))


def _store(seen: Facts) -> Iterator[Trouble]:
    yield from offline(seen.stalls, seen.store.failure)
    yield from weak_store(seen.store.weaknesses)
    yield from clocks_off(seen.clocks, seen.clock_off_ms)


_SESSIONS: Final = {
    "host": (
        Level.STOP,
        "Sparkplug",
        "The bridge hears nothing of edge nodes. Counters are cumulative, so pieces made meanwhile are posted "
        "afterwards; nodes with this primary host store their data.",
    ),
    "documents": (
        Level.STOP,
        "documents",
        "Events of the MES do not arrive and orders cannot be published. The broker keeps the documents until the "
        "bridge is back.",
    ),
    "orders": (
        Level.WARN,
        "the bridge's own edge node",
        "Sparkplug readers do not see the list of orders. JSON readers do.",
    ),
    "state": (
        Level.WARN,
        "STATE of Sparkplug 2.2",
        "Edge nodes of Sparkplug 2.2 do not see that the bridge is there, and store, or never start.",
    ),
}
_HOST_ON_ONE_OF_SEVERAL: Final = (
    "The bridge hears nothing of the edge nodes on this server, one of those under broker in bridge.yaml; nodes on the "
    "others are followed. Nodes that know several servers go to where the bridge is; of those that stay, counters are "
    "cumulative, so pieces made meanwhile are posted afterwards."
)
"""The host's meaning while it is connected to another server."""


def _sessions(seen: Facts) -> Iterator[Trouble]:
    down = {name: session for name, session in seen.sessions.items() if _is_down(name, session, seen)}
    if len(down) > 1 and len(down) == len(seen.sessions):
        yield _no_session(
            Level.STOP,
            f"No connection to {'the MQTT broker' if len(seen.servers) == 1 else 'any MQTT broker'}",
            "The bridge hears nothing of edge nodes and of the MES, and orders cannot be published. Counters are "
            "cumulative, so pieces made meanwhile are posted afterwards; nodes with this primary host store.",
            *down.values(),
        )
        return
    for name, session in down.items():
        kind, place = kind_and_place(name)
        level, what, means = _SESSIONS[kind]
        if kind == "host" and any(other.up for each, other in seen.sessions.items() if _is_host(each)):
            level, means = Level.WARN, _HOST_ON_ONE_OF_SEVERAL
        server = f" {seen.servers[place - 1]}" if len(seen.servers) > 1 else ""
        yield _no_session(level, f"No connection to the MQTT broker{server} ({what})", means, session)


def _is_host(session: str) -> bool:
    return kind_and_place(session)[0] == "host"


def _is_down(name: str, session: SessionView, seen: Facts) -> bool:
    if _is_host(name) and (seen.stalls or seen.store.failure is not None):
        return False  # we left by ourselves, so that nodes store
    is_starting = not session.reason and seen.now_ms - session.since_ms < STARTING_MS
    return not session.up and not is_starting


def _no_session(level: Level, title: str, means: str, *sessions: SessionView) -> Trouble:
    return Trouble(
        level=level,
        title=title,
        since_ms=min(session.since_ms for session in sessions),
        means=means,
        do="See whether the broker runs and can be reached from this machine, and whether log-in and certificate "
        "are still valid. The bridge connects again by itself.",
        detail="; ".join(dict.fromkeys(session.reason for session in sessions if session.reason)),
    )


def _odoo(seen: Facts) -> Iterator[Trouble]:
    failure, info = seen.odoo.failure, seen.odoo.info
    waits_since_ms = seen.odoo.waits_since_ms
    if failure is not None:
        yield _odoo_trouble(seen, failure)
    elif waits_since_ms is not None and seen.now_ms - waits_since_ms > SLOW_MS:
        yield Trouble(
            level=Level.WARN,
            title="Odoo is slow to answer",
            since_ms=waits_since_ms,
            means=f"Production goes on and nothing is lost: {_waits(seen)}, in order.",
            do="Wait a minute. If it stays so, ask who runs Odoo whether it is overloaded or hangs.",
        )
    if info is not None and info.key_expires_ms is not None and ends_soon(info.key_expires_ms, seen.now_ms):
        expired = info.key_expires_ms <= seen.now_ms
        yield Trouble(
            level=Level.STOP if expired else Level.WARN,
            title="The API key for Odoo has expired" if expired else "The API key for Odoo expires soon",
            since_ms=info.key_expires_ms if expired else None,
            means="Without a valid key nothing is posted; postings wait in order and none is lost.",
            do=f"Make a new API key for the user {info.user} in Odoo and put it where bridge.yaml names it "
            "(odoo.key). It is taken without a restart.",
        )
    if seen.odoo_unverified:
        yield Trouble(
            level=Level.WARN,
            title="Odoo's certificate is not verified",
            means="Postings go on. Anybody on the way to Odoo can read them, take the API key and answer in its place.",
            do="Name the authority that signed the certificate in bridge.yaml (odoo.tls.ca_file), and remove "
            "`verify: false` there.",
        )
    if info is not None and info.simulator:
        yield Trouble(
            level=Level.NOTE,
            title="This is the Odoo simulator, not an Odoo",
            means="Postings are shown as in Odoo, but no real stock or order changes.",
            do="Nothing. For production, name the real server in bridge.yaml (odoo.url).",
        )


def _odoo_trouble(seen: Facts, failure: Failure) -> Trouble:
    waits = _waits(seen)
    if failure.refused:
        return Trouble(
            level=Level.STOP,
            title="Odoo answers, but does not let the bridge work",
            since_ms=failure.since_ms,
            means=f"Production goes on and nothing is lost: {waits}, in order.",
            do="Give the text below to the administrator of Odoo. When it is mended, posting goes on by itself.",
            detail=failure.reason,
        )
    if seen.odoo.answered_ms is not None and seen.odoo.answered_ms > failure.last_ms:
        return Trouble(
            level=Level.NOTE,
            title="Odoo answers again; posting begins at the next try",
            since_ms=seen.odoo.answered_ms,
            means=f"{waits}, in order. They drain by themselves.",
            do="Nothing.",
            detail=f"before: {failure.reason}",
        )
    return Trouble(
        level=Level.STOP,
        title="Odoo cannot be reached",
        since_ms=failure.since_ms,
        means=f"Production goes on and nothing is lost: {waits}, in order; each is sent once when Odoo answers. "
        "New orders and changes of orders do not arrive meanwhile.",
        do=f"Open {seen.odoo_url} in a browser. If it does not open either, call who runs Odoo. "
        "Do not enter the waiting quantities by hand: they would then be counted twice.",
        detail=failure.reason,
    )


def _waits(seen: Facts) -> str:
    waits = "1 posting waits" if seen.waiting == 1 else f"{seen.waiting or 'no'} postings wait"
    oldest_ms = seen.oldest_pending_ms
    return waits if oldest_ms is None else f"{waits} (the oldest for {age(seen.now_ms - oldest_ms)})"


def _nodes(seen: Facts) -> Iterator[Trouble]:
    places = {kind_and_place(name)[1] for name, one in seen.sessions.items() if _is_host(name) and not one.up}
    unheard = {seen.servers[place - 1] for place in places}
    gone = [line for line in seen.nodes if not line.is_well and line.view.server not in unheard]
    if not gone:
        return
    starting = seen.now_ms - seen.began_ms < seen.grace_ms and all(line.since_ms is None for line in gone)
    since = [line.since_ms for line in gone if line.since_ms is not None]
    yield Trouble(
        level=Level.NOTE if starting else Level.WARN,
        title=f"{_names([line.name for line in gone])} {'are' if len(gone) > 1 else 'is'} not fully there",
        since_ms=min(since, default=None),
        means="What is shown of this equipment is old. Counters go on where they stood when it is back; stops may be "
        "posted with the time at which it fell silent.",
        do="Wait for the births: the bridge started just now and has asked for them."
        if starting
        else "See whether the edge node (gateway or PLC) has power and network. It is taken up by itself at its birth.",
        detail="; ".join(f"{line.name}: {_state_of(line)}" for line in gone[:5]),
        link="/equipment",
    )


def _state_of(line: NodeLine) -> str:
    devices = f", without {', '.join(line.lost_devices)}" if line.lost_devices else ""
    return f"{line.view.phase}{devices}{f' ({line.reason})' if line.reason else ''}"


_DECIDE: Final = {
    EntryState.DEAD: (
        ("1 dead letter", "{} dead letters"),
        "Odoo, or a rule, declined these facts. They are not in Odoo. Other orders go on.",
        "Read the cause, mend it, then replay what it stopped; or skip it with a reason.",
    ),
    EntryState.HELD: (
        ("1 posting is held for a decision", "{} postings are held for a decision"),
        "A limit was passed, such as more pieces than planned. Nothing is posted until a person agrees.",
        "Release it if the figure is right; skip it with a reason if it is not.",
    ),
}


def _entries(seen: Facts) -> Iterator[Trouble]:
    passed = {one.limit for one in seen.overdue}
    for state, ((single, several), means, do) in _DECIDE.items():
        undecided = DECIDE[state] in passed
        if count := seen.depth.get(state, 0):
            yield Trouble(
                level=Level.STOP if undecided else Level.WARN,
                title=f"{single if count == 1 else several.format(count)}{TOO_MUCH if undecided else ''}",
                since_ms=seen.oldest[state].changed_ms if state in seen.oldest else None,
                means=means,
                do=do,
                detail=seen.oldest[state].reason if state in seen.oldest else "",
                link="/attention",
            )
    for one in seen.overdue:
        if one.limit not in DECIDE.values():
            yield Trouble(
                level=Level.STOP,
                title=f"The workflow {one.limit} is late",
                since_ms=one.oldest_ms,
                means=f"workflows.yaml says that {one.tell} is told then. Entries that are late: {one.entries}.",
                do=f"Tell {one.tell}, and see what the oldest waits for.",
                link="/attention",
            )
    oldest = seen.oldest_pending_ms
    if oldest is not None and seen.odoo.failure is None and seen.now_ms - oldest > LATE_MS:
        yield Trouble(
            level=Level.WARN,
            title="Postings wait although Odoo answers",
            since_ms=oldest,
            means="Most often an earlier entry of the same order is dead or held, and the order must be kept.",
            do="Open the oldest: its page says what it waits for.",
            link="/entries?state=pending",
        )


def _orders(seen: Facts) -> Iterator[Trouble]:
    refused, silent = seen.answers.get(Answer.REFUSED, ()), seen.answers.get(Answer.UNANSWERED, ())
    if refused:
        yield Trouble(
            level=Level.WARN,
            title=f"The MES refused {_orders_of(refused)}",
            since_ms=min((one.answered_ms for one in refused if one.answered_ms is not None), default=None),
            means="What Odoo planned is not accepted on the floor.",
            do="Tell the planner the MES's reason.",
            detail="; ".join(f"{one.name}: {one.answer_reason}" for one in refused[:5]),
            link="/orders",
        )
    if silent:
        yield Trouble(
            level=Level.WARN,
            title=f"The MES did not acknowledge {_orders_of(silent)}",
            since_ms=min(one.published_ms for one in silent),
            means="The order stands on the broker, but it is not known whether the MES has taken it.",
            do="See whether the MES runs and is subscribed to the order topics.",
            link="/orders",
        )


def _rules(seen: Facts) -> Iterator[Trouble]:
    if seen.rules is not None:
        fields = seen.rules.notice.fields
        yield Trouble(
            level=Level.WARN,
            title="What people released is not what runs",
            since_ms=seen.rules.at_ms,
            means=f"{fields['effect']}.",
            do="Start the bridge again, or take the versions' files from git: the page of the rules says which.",
            detail=str(fields["reason"]),
            link="/rules",
        )


def _orders_of(records: tuple[OrderRecord, ...]) -> str:
    return f"{len(records)} {'orders' if len(records) > 1 else 'order'}"


def _names(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:3])} and {len(names) - 3} more"
