"""The six forms of a rule, each read from its keys for one kind of equipment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from ruleset.cel import Expression, Kind, Scope
from ruleset.document import Node
from ruleset.equipment import Assets, Equipment, EventSignal, Role, Signal
from ruleset.form.alarm import Alarm
from ruleset.form.collect import Collect
from ruleset.form.count import Count
from ruleset.form.episode import Class, Episode
from ruleset.form.moment import Template
from ruleset.form.occurrence import Occurrence
from ruleset.form.posting import Posting
from ruleset.form.records import Form
from ruleset.form.vocabulary import PROGRESS
from ruleset.form.wait import Branch, Wait
from ruleset.grammar.expression import check_reachable, read_condition, read_expression, read_template
from ruleset.grammar.posting import check_loss, read_posting, read_unit
from ruleset.grammar.scope import Names, event_kinds, names_at, text_signals, units
from ruleset.grammar.selection import event_signal, order_signal
from ruleset.problem import suggest

Keys: TypeAlias = Mapping[str, Node]

WHILE_OPEN: Final = "while_open"
_ENDS: Final = {"downtime.open": ("downtime.close", "downtime.record"), "capacity.block": ("capacity.unblock",)}
"""What posts the end of what lasts."""
_POSTING: Final = frozenset({"do", "with", "need", "order"})


@dataclass(frozen=True, slots=True)
class Reader:
    """How one form is read: the keys that it may and must have besides `rule` and `assets`."""

    allowed: frozenset[str]
    required: frozenset[str]
    read: Callable[[Keys, Equipment, Assets], Form | None]


def _own_event(keys: Keys, equipment: Equipment) -> EventSignal | None:
    signal = equipment.signals.get(str(keys["event"].raw.value))
    return signal if isinstance(signal, EventSignal) else None


def _names(expression: Expression | None) -> frozenset[str]:
    return expression.names if expression is not None else frozenset()


def read_occurrence(keys: Keys, equipment: Equipment, assets: Assets) -> Occurrence | None:
    signal = _own_event(keys, equipment)
    if signal is None:
        return None
    names = names_at(equipment, assets, event_kinds(signal))
    when = read_condition(keys["when"], names) if "when" in keys else None
    posting = read_posting(keys["do"], keys, names, equipment, assets, _names(when))
    return Occurrence(event=signal.name, when=when, posting=posting) if posting is not None else None


def read_count(keys: Keys, equipment: Equipment, assets: Assets) -> Count | None:
    signal = _own_event(keys, equipment)
    if signal is None:
        return None
    fields = event_kinds(signal)
    names = names_at(equipment, assets, {**fields, "counted": Kind.TEXT})
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
    once_ms = _read_once(keys["once"]) if "once" in keys else None
    posting = read_posting(keys["do"], keys, names, equipment, assets, _names(when) | frozenset(by))
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


def read_wait(keys: Keys, equipment: Equipment, assets: Assets) -> Wait | None:
    signal = _own_event(keys, equipment)
    required = {"for", "match", "at_most"}
    wait = keys["wait"].mapping(allowed=required, required=required)
    awaited = event_signal(assets, wait["for"].text() or "") if "for" in wait else None
    if signal is None or awaited is None or "match" not in wait or "at_most" not in wait:
        return None
    own, both = event_kinds(signal), {**event_kinds(signal), **event_kinds(awaited)}
    when = read_condition(keys["when"], names_at(equipment, assets, own)) if "when" in keys else None
    match = read_condition(wait["match"], names_at(equipment, assets, both))
    at_most_ms = wait["at_most"].duration(at_least_ms=1)
    names = names_at(equipment, assets, {**both, "timed_out": Kind.BOOLEAN})
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


def _read_branch(node: Node, keys: Keys, names: Names, equipment: Equipment, assets: Assets) -> Branch | None:
    own = node.mapping(allowed={"when", "post", "with", "need", "alert"}, required={"when"})
    when = read_condition(own["when"], names) if "when" in own else None
    if ("post" in own) == ("alert" in own):
        node.problem("each line of `do` either posts or alerts: give it `post` or `alert`")
        return None
    then: Posting | Template | None
    if "post" in own:
        order = {"order": keys["order"]} if "order" in keys else {}
        then = read_posting(own["post"], {**own, **order}, names, equipment, assets, _names(when))
    else:
        then = read_template(own["alert"], names)
    return Branch(when=when, then=then) if when is not None and then is not None else None


def read_alarm(keys: Keys, equipment: Equipment, assets: Assets) -> Alarm | None:
    names = names_at(equipment, assets, {})
    when, for_ms = _read_lasting(keys["raise"], names, may_always_be=False)
    clear, clear_for_ms = _read_lasting(keys["clear"], names) if "clear" in keys else (None, 0)
    once_ms = _read_once(keys["once"]) if "once" in keys else None
    posting = read_posting(keys["do"], keys, names, equipment, assets, _names(when))
    if when is None or posting is None:
        return None
    return Alarm(
        when=when,
        for_ms=for_ms,
        clear=clear,
        clear_for_ms=clear_for_ms,
        once_ms=once_ms,
        fires_when_stale=_fires_when_stale(keys),
        posting=posting,
    )


def _read_once(node: Node) -> int | None:
    """`while_open` is None; else a duration."""
    text = node.scalar() or ""
    if text == WHILE_OPEN:
        return None
    if not text[:1].isdigit() and not text.startswith("param."):
        node.problem(f'expected {WHILE_OPEN} or a duration such as 24h, found "{text}"')
        return None
    return node.duration()


def _read_lasting(node: Node, names: Names, *, may_always_be: bool = True) -> tuple[Expression | None, int]:
    keys = node.mapping(allowed={"when", "for"}, required={"when"})
    when = read_condition(keys["when"], names, may_always_be=may_always_be) if "when" in keys else None
    return when, (keys["for"].duration() or 0) if "for" in keys else 0


def _fires_when_stale(keys: Keys) -> bool:
    return "stale" in keys and keys["stale"].choice(("suspend", "fire")) == "fire"


def read_episode(keys: Keys, equipment: Equipment, assets: Assets) -> Episode | None:
    live = names_at(equipment, assets, {})
    texts = text_signals(equipment)
    over = {**texts, "started": Kind.NUMBER, "ended": Kind.NUMBER}
    own = keys["episode"].mapping(allowed={"open", "close", "merge_gaps"}, required={"open"})
    opens = read_condition(own["open"], live, may_always_be=False) if "open" in own else None
    closes = read_condition(own["close"], live) if "close" in own else None
    merge_ms = own["merge_gaps"].duration() if "merge_gaps" in own else 0
    micro_ms = keys["micro"].duration() if "micro" in keys else 0
    classes = _read_classes(keys["classify"], names_at(equipment, assets, over), assets) if "classify" in keys else ()
    posting_names = names_at(equipment, assets, {**over, **({"loss": Kind.TEXT} if "classify" in keys else {})})
    posting = read_posting(keys["do"], keys, posting_names, equipment, assets, _names(opens))
    at_open = _read_at_open(keys, equipment, assets, _names(opens)) if "at_open" in keys else None
    if opens is None or posting is None:
        return None
    names = posting.reads.union(*(each.when.names | each.loss.names for each in classes))
    names |= at_open.reads if at_open is not None else frozenset()
    return Episode(
        open=opens,
        close=closes,
        merge_ms=merge_ms or 0,
        micro_ms=micro_ms or 0,
        classes=classes,
        texts=tuple(sorted(name.removeprefix("episode.") for name in names if name in texts)),
        state=_state_signal(equipment),
        fires_when_stale=_fires_when_stale(keys),
        posting=posting,
        at_open=at_open,
    )


def _read_classes(node: Node, names: Names, assets: Assets) -> tuple[Class, ...]:
    classes: list[Class] = []
    lines: list[tuple[Node, Expression]] = []
    for line in node.items():
        each = line.mapping(allowed={"when", "loss"}, required={"when", "loss"})
        when = read_condition(each["when"], names) if "when" in each else None
        loss = read_expression(each["loss"], names, (Kind.TEXT,), "a loss") if "loss" in each else None
        if loss is not None:
            check_loss(each["loss"], loss, assets)
        if when is not None:
            lines.append((each["when"], when))
        if when is not None and loss is not None:
            classes.append(Class(when, loss))
    check_reachable(lines)
    return tuple(classes)


def _read_at_open(keys: Keys, equipment: Equipment, assets: Assets, reads: frozenset[str]) -> Posting | None:
    """What is posted while the episode lasts, of which `do` posts the end."""
    own = keys["at_open"].mapping(allowed={"do", "with", "need"}, required={"do"})
    if "do" not in own:
        return None
    name, end = own["do"].text(), keys["do"].text()
    ends = _ENDS.get(name or "")
    if ends is None:
        own["do"].problem(f'"{name}" does not last; at_open posts {" or ".join(_ENDS)}')
        return None
    if end not in ends:
        keys["do"].problem(f'"{end}" does not end what at_open posts; {name} is ended by {" or ".join(ends)}')
        return None
    over = {**text_signals(equipment), "started": Kind.NUMBER, "loss": Kind.TEXT}
    order = {"order": keys["order"]} if "order" in keys else {}
    return read_posting(own["do"], {**own, **order}, names_at(equipment, assets, over), equipment, assets, reads)


def _state_signal(equipment: Equipment) -> str | None:
    for signal in equipment.signals.values():
        if isinstance(signal, Signal) and signal.role is Role.STATE:
            return signal.name
    return None


def read_collect(keys: Keys, equipment: Equipment, assets: Assets) -> Collect | None:
    measures = _read_measures(keys["collect"], equipment)
    if keys["order"].text() != "running":
        keys["order"].problem("pieces are counted for the order that runs: write `order: running`")
    if keys["do"].text() != PROGRESS:
        keys["do"].problem(f'"{keys["do"].raw.value}" is not possible here; collect posts {PROGRESS}')
        return None
    with_keys = keys["with"].mapping(allowed={"quantity", "unit"}, required={"quantity"})
    quantity = with_keys["quantity"].text() if "quantity" in with_keys else None
    if quantity is not None and quantity not in measures:
        with_keys["quantity"].problem(f'"{quantity}" is not collected here{suggest(quantity, measures)}')
    post = keys["post"].mapping(allowed={"every", "or", "and_when_changes"})
    if not {"every", "or"} & post.keys():
        keys["post"].problem("nothing says when to post: add `every` (such as 60s) or `or` (such as good >= 25)")
    every_ms = post["every"].duration(at_least_ms=1) if "every" in post else None
    enough = read_condition(post["or"], _measured(measures, equipment, assets)) if "or" in post else None
    flush_on = _read_changes(post["and_when_changes"], equipment) if "and_when_changes" in post else frozenset()
    posted = measures.get(quantity or "")
    if not posted:
        return None
    unit, factor = read_unit(keys["with"], {posted: with_keys["quantity"]}, posted, equipment, assets)
    return Collect(
        measures=measures,
        posted=posted,
        unit=unit or "",
        factor=factor,
        every_ms=every_ms,
        enough=enough,
        flush_on=flush_on,
    )


def _measured(measures: Mapping[str, str], equipment: Equipment, assets: Assets) -> Names:
    """What is collected, under the names that the rule gives it."""
    known = units(equipment)
    own = {name: known[signal] for name, signal in measures.items() if signal in known}
    return Names(Scope(dict.fromkeys(measures, Kind.NUMBER)), own, assets.codes, assets.measures)


def _read_measures(node: Node, equipment: Equipment) -> dict[str, str]:
    counters = {
        each.name for each in equipment.signals.values() if isinstance(each, Signal) and each.role is Role.COUNTER
    }
    measures: dict[str, str] = {}
    for name, each in node.mapping().items():
        keys = each.mapping(allowed={"delta"}, required={"delta"})
        signal = keys["delta"].text() if "delta" in keys else None
        if signal is not None and signal not in counters:
            keys["delta"].problem(f'"{signal}" is no signal with the role counter{suggest(signal, counters)}')
        measures[name] = signal if signal in counters and signal is not None else ""
    return measures


def _read_changes(node: Node, equipment: Equipment) -> frozenset[str]:
    """Signals whose change posts what is there; `order` is the running order, whatever its signal is called."""
    signals = {each.name for each in equipment.signals.values() if isinstance(each, Signal)}
    order = order_signal(equipment)
    found: set[str] = set()
    for each in node.items():
        name = each.text()
        if name == "order" and order is not None:
            found.add(order)
        elif name is not None and name not in signals:
            each.problem(f'unknown signal "{name}"{suggest(name, signals)}')
        elif name is not None:
            found.add(name)
    return frozenset(found)


_EVENT: Final = frozenset({"event", "when"})
_CONDITION: Final = _POSTING | {"stale"}

READERS: Final[Mapping[str, Reader]] = {
    "collect": Reader(
        frozenset({"collect", "post", "order", "do", "with"}),
        frozenset({"collect", "post", "order", "do", "with"}),
        read_collect,
    ),
    "episode": Reader(_CONDITION | {"episode", "micro", "classify", "at_open"}, frozenset({"do"}), read_episode),
    "raise": Reader(_CONDITION | {"raise", "clear", "once"}, frozenset({"do"}), read_alarm),
    "count": Reader(_EVENT | _POSTING | {"count", "once"}, frozenset({"do", "event"}), read_count),
    "wait": Reader(_EVENT | {"wait", "do", "order"}, frozenset({"do", "event"}), read_wait),
    "event": Reader(_EVENT | _POSTING, frozenset({"do"}), read_occurrence),
}
"""By the key that tells the form; the first that a rule has counts."""
