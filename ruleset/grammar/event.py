"""`event`, alone, with `count` or with `wait`: the forms of a rule that begin with an occurrence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ruleset.cel import Kind
from ruleset.document import Node
from ruleset.equipment import Assets, Equipment, EventSignal
from ruleset.form.count import Count
from ruleset.form.moment import Template
from ruleset.form.occurrence import Occurrence
from ruleset.form.posting import Posting
from ruleset.form.wait import Branch, Wait
from ruleset.grammar.expression import check_reachable, names_of, read_condition, read_template
from ruleset.grammar.posting import read_once, read_posting, read_then
from ruleset.grammar.scope import Names, event_kinds, names_at
from ruleset.grammar.selection import event_signal
from ruleset.problem import suggest

_REPEATED: Final = ("maintenance.request", "quality.request")
"""What may be left out when it was posted a short time ago."""


def read_occurrence(keys: Mapping[str, Node], equipment: Equipment, assets: Assets) -> Occurrence | None:
    signal = _own_event(keys, equipment)
    if signal is None:
        return None
    names = names_at(keys, equipment, assets, event_kinds(signal))
    when = read_condition(keys["when"], names) if "when" in keys else None
    posting = read_then(keys, names, equipment, assets, names_of(when))
    once_ms = _read_interval(keys) if "once" in keys else None
    if posting is None:
        return None
    return Occurrence(event=signal.name, when=when, once_ms=once_ms, posting=posting)


def _read_interval(keys: Mapping[str, Node]) -> int | None:
    """`once` of a rule on each occurrence, where what comes in between is not lost by it."""
    if "do" in keys and keys["do"].raw.value not in _REPEATED:
        keys["once"].problem(
            f"what happens within that time would be lost; `once` goes with {' or '.join((*_REPEATED, 'alert'))}"
        )
    return keys["once"].duration(at_least_ms=1)


def read_count(keys: Mapping[str, Node], equipment: Equipment, assets: Assets) -> Count | None:
    signal = _own_event(keys, equipment)
    if signal is None:
        return None
    fields = event_kinds(signal)
    names = names_at(keys, equipment, assets, {**fields, "counted": Kind.TEXT})
    when = read_condition(keys["when"], names) if "when" in keys else None
    required = {"at_least", "within"}
    count = keys["count"].mapping(allowed={*required, "by"}, required=required)
    at_least = count["at_least"].integer(at_least=1) if "at_least" in count else None
    within_ms = count["within"].duration(at_least_ms=1) if "within" in count else None
    by: list[str] = []
    for each in count["by"].items() if "by" in count else []:
        name = each.text()
        if name is not None and name not in fields:
            each.problem(f'"{name}" is no field of this event{suggest(name, fields)}')
        elif name is not None:
            by.append(name)
    once_ms = read_once(keys["once"]) if "once" in keys else None
    posting = read_then(keys, names, equipment, assets, names_of(when) | frozenset(by))
    if posting is None or at_least is None or within_ms is None:
        return None
    return Count(
        event=signal.name,
        when=when,
        by=tuple(by),
        at_least=at_least,
        within_ms=within_ms,
        once_ms=once_ms,
        posting=posting,
        while_open="once" in keys and once_ms is None,
    )


def read_wait(keys: Mapping[str, Node], equipment: Equipment, assets: Assets) -> Wait | None:
    signal = _own_event(keys, equipment)
    required = {"for", "match", "at_most"}
    wait = keys["wait"].mapping(allowed=required, required=required)
    awaited = event_signal(assets, wait["for"].text() or "") if "for" in wait else None
    if signal is None or awaited is None or "match" not in wait or "at_most" not in wait:
        return None
    own, both = event_kinds(signal), {**event_kinds(signal), **event_kinds(awaited)}
    when = read_condition(keys["when"], names_at(keys, equipment, assets, own)) if "when" in keys else None
    match = read_condition(wait["match"], names_at(keys, equipment, assets, both))
    at_most_ms = wait["at_most"].duration(at_least_ms=1)
    names = names_at(keys, equipment, assets, {**both, "timed_out": Kind.BOOLEAN})
    lines = keys["do"].items()
    branches = [_read_branch(each, keys, names, equipment, assets) for each in lines]
    decided = [(node.mapping()["when"], each.when) for node, each in zip(lines, branches, strict=True) if each]
    check_reachable((node, when) for node, when in decided if "timed_out" not in when.names)
    if match is None or at_most_ms is None or not branches:
        return None
    return Wait(
        event=signal.name,
        awaited=awaited.name,
        when=when,
        match=match,
        at_most_ms=at_most_ms,
        branches=tuple(each for each in branches if each is not None),
    )


def _read_branch(
    node: Node, keys: Mapping[str, Node], names: Names, equipment: Equipment, assets: Assets
) -> Branch | None:
    own = node.mapping(allowed={"when", "post", "with", "need", "alert"}, required={"when"})
    when = read_condition(own["when"], names) if "when" in own else None
    if ("post" in own) == ("alert" in own):
        node.problem("each line of `do` either posts or alerts: give it `post` or `alert`")
        return None
    then: Posting | Template | None
    if "post" in own:
        order = {"order": keys["order"]} if "order" in keys else {}
        then = read_posting(own["post"], {**own, **order}, names, equipment, assets, names_of(when))
    else:
        then = read_template(own["alert"], names)
    return Branch(when=when, then=then) if when is not None and then is not None else None


def _own_event(keys: Mapping[str, Node], equipment: Equipment) -> EventSignal | None:
    signal = equipment.signals.get(str(keys["event"].raw.value))
    return signal if isinstance(signal, EventSignal) else None
