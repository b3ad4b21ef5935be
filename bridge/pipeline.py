"""The core: one pure step from an input to what must be committed and what must then be done.

    broker -> sparkplug.host -> translate -> ruleset.engine -> outbox -> (commit) -> delivery

`step` gives one input to the state machines of a site and returns the requests in the order in which they must happen;
`bridge.core.site` holds the machines and has what changed since. The shell (`bridge.service`) steps, commits
the changes and only then acts. Nothing here reads a clock or waits; where a batch begins and ends changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from bridge.core.input import (
    Acted,
    AnnounceHost,
    Claim,
    Command,
    FromDelivery,
    FromPlant,
    HostConnected,
    HostDisconnected,
    Input,
    MasterArrived,
    Notice,
    OrdersArrived,
    Outcomes,
    Promoted,
    RebirthWanted,
    ReconnectHost,
    Request,
    Send,
    Setback,
    Shadowed,
    ShowOrder,
    SparkplugMessage,
    Started,
    StoodStill,
    Tick,
    UnsDocument,
    WriteWanted,
)
from bridge.core.note import OrderNote
from bridge.core.order import Acknowledgement, BookOutput, OrderNotice, PublishOrder
from bridge.core.site import Core
from bridge.core.topic import acknowledged_order
from bridge.floor.floor import Decisions
from bridge.intervention.act import acted
from bridge.lifecycle.swap import credited, promote, shadow_begins
from bridge.master.notice import told
from bridge.plant import Content
from bridge.translate import Complaint
from ruleset.output import Alert, EngineOutput, Post, Remark, Retraction, Unmet
from ruleset.sample import Observation
from sparkplug.command import rebirth_command
from sparkplug.fact import (
    DataRead,
    DeviceOffline,
    DeviceOnline,
    Finding,
    NodeOffline,
    NodeOnline,
    Output,
    PublishState,
    Reconnect,
    RequestRebirth,
    RequestWrite,
)

ASK_TO_FORGET_EVERY_MS: Final = 1_000
"""Each machine says by itself when it really looks."""


def step(core: Core, entered: Input, now_ms: int) -> tuple[Request, ...]:
    """Let due timers fire, then take one input. The requests come in the order in which they must happen.

    At the start the input comes first: it decides how long restored timers wait for a fresh birth. So it does where the
    process stood still: what fell due meanwhile waits for what happened before.
    """
    if isinstance(entered, Started | StoodStill):
        return tuple(_take(core, entered, now_ms))
    if isinstance(entered, FromDelivery):  # an entry whose outcome was lost would stay in flight
        return (*_due(core, now_ms), *_take(core, entered, now_ms))
    return (*_due(core, now_ms), *_safely(core, _name_of(entered), entered, _take(core, entered, now_ms), now_ms))


def _due(core: Core, now_ms: int) -> Iterator[Request]:
    if now_ms >= core.forget_from_ms:
        _forget(core, now_ms)
    due_ms = core.next_timer_ms
    if due_ms is not None and due_ms <= now_ms:
        yield from _timers(core, now_ms)
    if core.witness is None:
        yield from core.alarm.due(now_ms)
        core.postings.traces.due(core.floor.engine.looks, now_ms)


def _timers(core: Core, now_ms: int) -> Iterator[Request]:
    yield from _sparkplug(core, core.host.due(now_ms), now_ms)
    yield from _decided(core, core.floor.due(now_ms), now_ms)
    for shadow in core.shadows:
        shadow.due(now_ms)
    yield from _booked(core, core.book.due(now_ms), now_ms)


def _forget(core: Core, now_ms: int) -> None:
    core.forget_from_ms = now_ms + ASK_TO_FORGET_EVERY_MS
    before_ms = now_ms - core.keys_kept_ms
    core.outbox.forget_before(before_ms)
    core.standings.forget_before(before_ms, core.book.is_open)
    core.book.forget_before(before_ms)
    core.live.forget(core.host.forget_before(before_ms))


def _safely(core: Core, name: str, taken: object, requests: Iterator[Request], now_ms: int) -> Iterator[Request]:
    """What is taken leads to requests. Where a defect of ours makes that fail, it is kept as a dead letter, and
    the bridge goes on: if it ended instead, a document that the broker keeps would end it again at each start."""
    try:
        yield from requests
    except Exception as error:
        yield from _set_aside(core, name, taken, error, now_ms)


def _set_aside(core: Core, name: str, taken: object, error: Exception, now_ms: int) -> Iterable[Request]:
    if core.witness is not None:
        core.witness.failed()
    return core.postings.set_aside(name, taken, error, now_ms)


def _name_of(entered: Input) -> str:
    match entered:
        case SparkplugMessage(topic=topic) | UnsDocument(topic=topic):
            return topic
        case _:
            return type(entered).__name__


def _take(core: Core, entered: Input, now_ms: int) -> Iterator[Request]:
    match entered:
        case Started():
            yield from _started(core, now_ms)
        case StoodStill():
            yield from _stood_still(core, now_ms)
        case Tick():
            pass
        case OrdersArrived():
            yield from _booked(core, core.book.read(entered.read, now_ms, core.postings.is_completing), now_ms)
            yield from _running(core, now_ms)
        case MasterArrived():
            yield from told(core.master.read(entered.read, now_ms))
        case Acted():
            yield from acted(core, entered, now_ms)
        case Promoted():
            yield from _promoted(core, entered.content, now_ms)
        case Shadowed():
            yield from shadow_begins(core, entered.content, now_ms)
            yield from _running(core, now_ms)
        case RebirthWanted() | WriteWanted():
            outputs, notice = core.commands.take(entered, now_ms)
            yield notice
            yield from _sparkplug(core, outputs, now_ms)
        case Claim() | Outcomes() | Setback():
            yield from _delivered(core, entered, now_ms)
        case HostConnected() | HostDisconnected() | SparkplugMessage() | UnsDocument():
            yield from _happened(core, entered, now_ms)


def _started(core: Core, now_ms: int) -> Iterator[Request]:
    core.outbox.started(now_ms)
    yield from _decided(core, core.floor.started(now_ms), now_ms)
    for shadow in core.shadows:
        shadow.started(core.floor, now_ms)
    yield from _running(core, now_ms)


def _stood_still(core: Core, now_ms: int) -> Iterator[Request]:
    core.floor.settler.stood_still(now_ms)
    for shadow in core.shadows:
        shadow.stood_still(now_ms)
    yield Notice(level="warning", name="bridge.stood_still", fields={})


def _promoted(core: Core, content: Content, now_ms: int) -> Iterator[Request]:
    """The rules change; what nodes said of metrics that nobody read before, only their births can tell."""
    yield from shadow_begins(core, None, now_ms)
    promotion = promote(core, content, now_ms)
    yield promotion.notice
    yield from _decided(core, promotion.decisions, now_ms)
    yield from _running(core, now_ms)
    for node in promotion.rebound:
        outputs = core.host.ask_rebirth(node, "other metrics of it are read now", now_ms)
        yield from _sparkplug(core, outputs if isinstance(outputs, tuple) else (), now_ms)


def _happened(core: Core, entered: FromPlant, now_ms: int) -> Iterator[Request]:
    match entered:
        case HostConnected():
            if not core.host.is_connected:
                _away(core, now_ms)
            yield from _sparkplug(
                core, core.host.connected(now_ms, will_ms=entered.will_ms, server=entered.server), now_ms
            )
        case HostDisconnected():
            outputs = core.host.disconnected(now_ms, server=entered.server)
            if not core.host.is_connected:  # else the equipment of the nodes that are stale now settles by itself
                _away(core, now_ms)
            yield from _sparkplug(core, outputs, now_ms)
        case SparkplugMessage():
            outputs = core.host.receive(
                entered.topic, entered.payload, retain=entered.retain, now_ms=now_ms, server=entered.server
            )
            yield from _sparkplug(core, outputs, now_ms)
        case UnsDocument():
            yield from _document(core, entered, now_ms)


def _away(core: Core, now_ms: int) -> None:
    core.floor.settler.away(now_ms)
    for shadow in core.shadows:
        shadow.away(now_ms)


def _delivered(core: Core, entered: FromDelivery, now_ms: int) -> Iterator[Request]:
    match entered:
        case Claim():
            claimed = core.outbox.claim(entered.destination, now_ms=now_ms, limit=entered.limit)
            if claimed:
                standings = {entry.lane: core.standings.of(entry.lane) for entry in claimed}
                yield Send(entered.destination, claimed, standings)
        case Outcomes():
            for outcome in entered.outcomes:
                yield from core.postings.resolve(outcome, now_ms)
        case Setback():
            yield from core.postings.postpone(entered, now_ms)


def _sparkplug(core: Core, outputs: Iterable[Output], now_ms: int) -> Iterator[Request]:
    for output in outputs:
        match output:
            case PublishState():
                yield AnnounceHost(output.server, output.at_ms)
            case Reconnect():
                yield Notice(
                    level="warning", name="host.reconnects", fields={"server": output.server, "reason": output.reason}
                )
                yield ReconnectHost(output.server, output.at_ms, output.after_ms)
            case RequestRebirth():
                topic, payload = rebirth_command(output.node, now_ms)
                yield Notice(
                    level="info", name="rebirth.asked", fields={"node": str(output.node), "reason": output.reason}
                )
                yield Command(topic, payload, output.server)
            case RequestWrite():
                yield Command(output.topic, output.payload, output.server)
            case Finding():
                yield Notice(
                    level="warning",
                    name="sparkplug.finding",
                    fields={
                        "node": str(output.node),
                        "finding": output.name,
                        "text": output.text,
                        "times": output.times,
                    },
                )
            case NodeOnline() | NodeOffline() | DeviceOnline() | DeviceOffline() | DataRead():
                core.live.note(output)
                yield from _observed(core, core.floor.translator.fact(output), now_ms)
                for shadow in core.shadows:
                    shadow.fact(output, now_ms)


def _document(core: Core, document: UnsDocument, now_ms: int) -> Iterator[Request]:
    order = acknowledged_order(core.postings.site, document.topic)
    if order is None:
        for shadow in core.shadows:
            shadow.document(document.topic, document.payload, now_ms)
        yield from _observed(core, core.floor.translator.document(document.topic, document.payload, now_ms), now_ms)
        return
    try:
        answer = msgspec.json.decode(document.payload, type=Acknowledgement)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        yield _unreadable(document.topic, str(error))
        return
    if answer.order != order:
        yield _unreadable(document.topic, f"the acknowledgement names the order {answer.order}")
        return
    yield from _booked(core, core.book.acknowledged(answer, now_ms), now_ms)
    yield from _running(core, now_ms)


def _running(core: Core, now_ms: int) -> Iterator[Request]:
    """The order book may show other orders at the work centers, or a floor look at it for the first time."""
    yield from _decided(core, core.floor.orders(core.book.records.values(), now_ms), now_ms)
    for shadow in core.shadows:
        shadow.orders(core.book.records.values(), now_ms)


def _observed(core: Core, translated: Iterable[Observation | Complaint], now_ms: int) -> Iterator[Request]:
    """Let the rules see all observations of one message together."""
    observations: list[Observation] = []
    for one in translated:
        if isinstance(one, Complaint):
            fields = {"equipment": one.equipment, "signal": one.signal, "complaint": one.name, "text": one.text}
            yield Notice(level="warning", name="translate.complaint", fields=fields)
        else:
            observations.append(one)
    core.live.take(observations, now_ms)
    yield from _decided(core, core.floor.take(observations, now_ms), now_ms)


def _decided(core: Core, decisions: Iterable[Decisions], now_ms: int) -> Iterator[Request]:
    for each in decisions:
        if not each.observations:
            yield from _posted(core, each.outputs, now_ms)
            continue
        name = each.observations[0].equipment
        if each.defect is not None:
            yield from _set_aside(core, name, each.observations, each.defect, now_ms)
        elif each.outputs:
            yield from _safely(core, name, each.observations, _posted(core, each.outputs, now_ms), now_ms)


def _posted(core: Core, outputs: Sequence[EngineOutput], now_ms: int) -> Iterator[Request]:
    for shadow in core.shadows:
        shadow.live(outputs)
    if core.witness is not None:
        core.witness.decided(outputs)
    for output in (credited(each, core.release) for each in outputs):
        match output:
            case Post():
                ran, telling = output.order_ran, output.telling
                yield from core.postings.post(
                    output.transaction, now_ms, order_ran=ran, telling=telling, trace=output.trace
                )
            case Unmet():
                yield from core.postings.refuse(output, now_ms)
            case Retraction():
                yield from core.postings.retract(output, now_ms)
            case Alert():
                core.postings.traces.keep(output.trace)
                fields = {"rule": output.rule, "equipment": output.equipment, "text": output.text}
                fields["key"] = output.trace.key
                yield Notice(level="alert", name="rule.alert", fields=fields)
            case Remark():
                yield Notice(
                    level="info",
                    name=f"rule.{output.name}",
                    fields={"equipment": output.equipment, "text": output.text},
                )


def _booked(core: Core, outputs: Iterable[BookOutput], now_ms: int) -> Iterator[Request]:
    for output in outputs:
        match output:
            case PublishOrder():
                core.postings.publish(output.record, now_ms)
                yield ShowOrder(output.record)
                if not output.record.is_open:
                    order = output.record.order
                    yield from _posted(core, core.floor.engine.order_closed(order, now_ms), now_ms)
                    for shadow in core.shadows:
                        shadow.order_closed(order, now_ms)
            case OrderNote():
                core.postings.note(output, now_ms)
            case OrderNotice():
                yield Notice(level="alert", name=output.name, fields={"order": output.order, "text": output.text})


def _unreadable(topic: str, text: str) -> Notice:
    return Notice(level="warning", name="document.unreadable", fields={"topic": topic, "text": text})
