"""What an act of a person on outbox entries does, and what it would do: one decision, said or carried out.

A dead letter that a rule refused is decided anew: by the rules that are live now, from what the rule saw then, under
the same key. One that holds a transaction is sent as it is, or with the values that a person corrected.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec
from msgspec.structs import replace as replace_struct

from bridge.core.input import Acted, ActKind, Destination, Notice
from bridge.core.job import NEED_NOT_MET, unmet_reason
from bridge.core.posting import act_notice
from bridge.core.site import Core
from bridge.correction.gist import read_gist
from bridge.correction.given import given
from bridge.lifecycle.swap import credited
from ruleset.output import Post, Unmet
from ruleset.refused.retrial import RefusedFact
from ruleset.trace.trace import Trace
from ruleset.transaction import Transaction, decode
from state.entry import Entry, EntryState, FollowUp
from state.intervention import Prediction

FIXED: Final = frozenset({"do", "key", "equipment", "at_ms", "provenance", "order", "stream", "upto", "consent"})
"""What names a fact, or is a total: no correction changes it."""
_SENDS: Final = frozenset({ActKind.REPLAY, ActKind.CORRECT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """An act before anybody has it: what is wanted of which entries, by whom. `corrected` as in `Acted`."""

    kind: ActKind
    keys: tuple[str, ...]
    by: str = ""
    corrected: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is to be done to one entry. `told` None: what the outbox does by itself. `transaction` is what would be sent
    to Odoo, where something would be."""

    prediction: Prediction
    told: FollowUp | None = None
    trace: Trace | None = None
    transaction: Transaction | None = None


def steps(core: Core, wish: Wish, now_ms: int) -> tuple[Step, ...]:
    """What the act would do to each entry. Changes nothing."""
    predictions = core.outbox.act(wish.kind, wish.keys, by=wish.by, reason="", now_ms=now_ms, dry_run=True)
    return tuple(_step(core, wish, one, now_ms) for one in predictions)


def acted(core: Core, act: Acted, now_ms: int) -> Iterator[Notice]:
    """Do what a person asked for; what can't be done is said per entry."""
    for key in dict.fromkeys(act.keys):
        for step in steps(core, Wish(kind=act.kind, keys=(key,), by=act.by, corrected=act.corrected), now_ms):
            if step.told is not None:
                _decide(core, act, step, step.told, now_ms)
            elif step.prediction.would is not None:
                yield from core.postings.act(replace(act, keys=(key,)), now_ms)
                continue
            yield act_notice(act, step.prediction)


def _decide(core: Core, act: Acted, step: Step, told: FollowUp, now_ms: int) -> None:
    """Let the entry be what its fact was decided as now."""
    values = "".join(f" {name}={value}" for name, value in act.corrected.items())
    core.outbox.decide_anew(step.prediction.key, told, by=act.by, what=f"{act.kind}{values}: {act.reason}")
    if step.trace is not None:
        core.postings.traces.keep(step.trace)
    if step.transaction is not None:
        core.postings.publish_inspection(step.transaction, now_ms)


def correctable(entry: Entry) -> Mapping[str, str]:
    """What a person may correct of a dead letter: its values by their names, as they may write them."""
    if entry.state is not EntryState.DEAD or entry.destination != Destination.ODOO:
        return {}
    if (fact := _refused(entry)) is not None:
        values = {} if fact.saw is None else fact.saw.values
        return {name: _as_written(value) for name, value in sorted(values.items())}
    if entry.uncertain or entry.stream is not None:
        return {}
    try:
        told: dict[str, Any] = msgspec.to_builtins(decode(entry.body))
        names = [name for name in decode(entry.body).__struct_fields__ if name not in FIXED]
    except msgspec.MsgspecError:
        return {}
    return {name: _as_written(told.get(name)) for name in names}


def _as_written(value: object) -> str:
    return "" if value is None else value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _step(core: Core, wish: Wish, plain: Prediction, now_ms: int) -> Step:
    entry = core.outbox.entry(plain.key)
    if entry is not None and plain.would is not None and wish.kind is ActKind.RELEASE:
        return _released(core, wish, entry, plain, now_ms)
    if plain.would is None or entry is None or wish.kind not in _SENDS:
        return Step(prediction=plain)
    if entry.destination != Destination.ODOO:
        what = "a publication has no values to correct"
        return Step(prediction=plain if wish.kind is ActKind.REPLAY else Prediction(plain.key, None, what))
    if (fact := _refused(entry)) is not None:
        return _decided(core, wish, fact, now_ms)
    if (reason := unmet_reason(entry.body)) is not None:
        return Step(prediction=Prediction(plain.key, None, f"there is nothing to send: {reason}; {NEED_NOT_MET}"))
    if wish.kind is ActKind.CORRECT:
        return _corrected(core, wish, entry, now_ms)
    try:
        return Step(prediction=plain, transaction=decode(entry.body))
    except msgspec.MsgspecError:
        return Step(prediction=Prediction(plain.key, None, "it holds nothing that could be sent; skip it"))


def _released(core: Core, wish: Wish, entry: Entry, plain: Prediction, now_ms: int) -> Step:
    """A held entry is let go as it is; one of which nobody knew the order is given to the one that the wish names."""
    answer = given(entry, wish.corrected, core.book.records)
    if answer is None:
        return Step(prediction=plain)
    if isinstance(answer, str):
        return Step(prediction=Prediction(entry.key, None, answer))
    transaction = _signed(answer, wish)
    told = _told_as(core, entry, transaction, now_ms)
    would = EntryState.HELD if told.hold else EntryState.PENDING
    return Step(
        prediction=Prediction(entry.key, would, told.hold or f"will be sent for {transaction.order}"),
        told=told,
        transaction=transaction,
    )


def _refused(entry: Entry) -> RefusedFact | None:
    try:
        return msgspec.json.decode(entry.body, type=RefusedFact)
    except msgspec.MsgspecError:
        return None


def _decided(core: Core, wish: Wish, fact: RefusedFact, now_ms: int) -> Step:
    """A refused fact as the rules decide it now."""
    values = {name: _as_rules_see(text) for name, text in wish.corrected.items()}
    if fact.saw is not None and (unknown := values.keys() - fact.saw.values.keys()):
        known = ", ".join(sorted(fact.saw.values))
        return Step(prediction=Prediction(fact.key, None, f"the rule saw no {sorted(unknown)[0]}; it saw {known}"))
    answer = core.floor.retrial.decide(fact, now_ms, values)
    if isinstance(answer, str):
        return Step(prediction=Prediction(fact.key, None, answer))
    match credited(answer, core.release):
        case Post(transaction=transaction, order_ran=order_ran, telling=telling, trace=trace):
            transaction = _signed(transaction, wish)
            told = core.postings.follow_up_of(transaction, now_ms, order_ran=order_ran, telling=telling)
            text = f"rule {fact.rule} posts it now; was {fact.reason}"
            prediction = Prediction(fact.key, EntryState.PENDING, text)
            if told.hold:
                prediction = Prediction(fact.key, EntryState.HELD, f"rule {fact.rule} posts it now: {told.hold}")
            return Step(prediction=prediction, told=told, trace=trace, transaction=transaction)
        case Unmet() as unmet:
            told = core.postings.follow_up_of_refusal(unmet, now_ms)
            prediction = Prediction(fact.key, EntryState.DEAD, f"rule {fact.rule} still refuses it: {unmet.reason}")
            return Step(prediction=prediction, told=told, trace=unmet.trace)
    raise AssertionError("a retrial answers nothing else")


def _corrected(core: Core, wish: Wish, entry: Entry, now_ms: int) -> Step:
    """A transaction that Odoo declined, with other values."""
    if entry.uncertain or entry.stream is not None:
        why = "it may stand as it is" if entry.uncertain else "a total is what was counted: correct the order in Odoo"
        return Step(prediction=Prediction(entry.key, None, f"its values cannot be corrected: {why}"))
    answer = _with_values(entry.body, wish.corrected)
    if isinstance(answer, str):
        return Step(prediction=Prediction(entry.key, None, answer))
    transaction = _signed(answer, wish)
    told = _told_as(core, entry, transaction, now_ms)
    prediction = Prediction(
        entry.key, EntryState.HELD if told.hold else EntryState.PENDING, told.hold or "as corrected"
    )
    return Step(prediction=prediction, told=told, transaction=transaction)


def _told_as(core: Core, entry: Entry, transaction: Transaction, now_ms: int) -> FollowUp:
    """The transaction in the place of what the entry has: how its fact was told is as before."""
    gist = read_gist(entry.gist)
    if gist is None:
        return core.postings.follow_up_of(transaction, now_ms)
    return core.postings.follow_up_of(transaction, now_ms, order_ran=gist.order_ran, telling=gist.telling)


def _with_values(body: bytes, corrected: Mapping[str, str]) -> Transaction | str:
    """The stored transaction with these values, or what is wrong with them."""
    try:
        told: dict[str, Any] = msgspec.to_builtins(decode(body))
        names = [name for name in decode(body).__struct_fields__ if name not in FIXED]
    except msgspec.MsgspecError as error:
        return f"the stored transaction cannot be read: {error}"
    if unknown := sorted(corrected.keys() - set(names)):
        return f"{unknown[0]} cannot be corrected; these can: {', '.join(names)}"
    for name, text in corrected.items():
        for value in (text, _as_json(text)):
            try:
                decode(msgspec.json.encode({**told, name: value}))
            except msgspec.MsgspecError as error:
                wrong = str(error)
            else:
                told[name] = value
                break
        else:
            return f"{name}={text}: {wrong}"
    return decode(msgspec.json.encode(told))


def _signed(transaction: Transaction, wish: Wish) -> Transaction:
    """The transaction; its provenance then says who corrected what."""
    if not wish.corrected:
        return transaction
    provenance = replace_struct(transaction.provenance, corrected_by=wish.by, corrected=dict(wish.corrected))
    return replace_struct(transaction, provenance=provenance)


def _as_rules_see(text: str) -> Any:
    """A value as a person writes it: a number, true or false, else a text."""
    value = _as_json(text)
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _as_json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
