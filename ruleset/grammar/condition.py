"""`raise` and `episode`: the forms of a rule that follow a condition over the signals of an equipment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ruleset.cel import Expression, Kind
from ruleset.document import Node
from ruleset.equipment import Assets, Equipment, Role, Signal
from ruleset.form.alarm import Alarm
from ruleset.form.episode import Class, Episode
from ruleset.form.posting import Posting, reads_of
from ruleset.grammar.expression import check_reachable, names_of, read_condition, read_expression
from ruleset.grammar.posting import check_loss, read_once, read_posting, read_then
from ruleset.grammar.scope import Names, names_at, text_signals
from ruleset.problem import suggest

_ENDS: Final = {"downtime.open": ("downtime.close", "downtime.record"), "capacity.block": ("capacity.unblock",)}
"""What posts the end of what lasts."""


def read_alarm(keys: Mapping[str, Node], equipment: Equipment, assets: Assets) -> Alarm | None:
    names = names_at(keys, equipment, assets, {})
    when, for_ms = _read_lasting(keys["raise"], names, may_always_be=False)
    without = _read_without(keys["raise"].mapping(), equipment)
    clear, clear_for_ms = _read_lasting(keys["clear"], names) if "clear" in keys else (None, 0)
    once_ms = read_once(keys["once"]) if "once" in keys else None
    posting = read_then(keys, names, equipment, assets, names_of(when))
    if when is None or posting is None:
        return None
    return Alarm(
        when=when,
        for_ms=for_ms,
        without=without,
        clear=clear,
        clear_for_ms=clear_for_ms,
        once_ms=once_ms,
        fires_when_stale=_fires_when_stale(keys),
        posting=posting,
    )


def _read_lasting(node: Node, names: Names, *, may_always_be: bool = True) -> tuple[Expression | None, int]:
    own = {"when", "for"} if may_always_be else {"when", "for", "without"}
    keys = node.mapping(allowed=own, required={"when"})
    always = may_always_be or "without" in keys
    when = read_condition(keys["when"], names, may_always_be=always) if "when" in keys else None
    return when, (keys["for"].duration() or 0) if "for" in keys else 0


def _read_without(keys: Mapping[str, Node], equipment: Equipment) -> frozenset[str]:
    """Signals of which nothing may come meanwhile: a change of a value, or an event."""
    if "without" not in keys:
        return frozenset()
    if "for" not in keys:
        keys["without"].problem("say for how long nothing came: add `for`, such as `for: 5m`")
    found: set[str] = set()
    for node in keys["without"].items() if keys["without"].is_sequence else [keys["without"]]:
        name = node.text()
        if name is not None and name not in equipment.signals:
            node.problem(f'unknown signal "{name}"{suggest(name, equipment.signals)}')
        elif name is not None:
            found.add(name)
    return frozenset(found)


def _fires_when_stale(keys: Mapping[str, Node]) -> bool:
    return "stale" in keys and keys["stale"].choice(("suspend", "fire")) == "fire"


def read_episode(keys: Mapping[str, Node], equipment: Equipment, assets: Assets) -> Episode | None:
    live = names_at(keys, equipment, assets, {})
    texts = text_signals(equipment)
    over = {**texts, "started": Kind.NUMBER, "ended": Kind.NUMBER}
    own = keys["episode"].mapping(allowed={"open", "close", "merge_gaps"}, required={"open"})
    opens = read_condition(own["open"], live, may_always_be=False) if "open" in own else None
    closes = read_condition(own["close"], live) if "close" in own else None
    merge_ms = own["merge_gaps"].duration() if "merge_gaps" in own else 0
    micro_ms = keys["micro"].duration() if "micro" in keys else 0
    classes = (
        _read_classes(keys["classify"], names_at(keys, equipment, assets, over), assets) if "classify" in keys else ()
    )
    posting_names = names_at(keys, equipment, assets, {**over, **({"loss": Kind.TEXT} if "classify" in keys else {})})
    posting = read_then(keys, posting_names, equipment, assets, names_of(opens))
    at_open = _read_at_open(keys, equipment, assets, names_of(opens)) if "at_open" in keys else None
    if opens is None or posting is None:
        return None
    names = reads_of(posting).union(*((*each.when.names, *each.loss.names) for each in classes))
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


def _read_at_open(
    keys: Mapping[str, Node], equipment: Equipment, assets: Assets, reads: frozenset[str]
) -> Posting | None:
    """What is posted while the episode lasts, of which `do` posts the end."""
    own = keys["at_open"].mapping(allowed={"do", "with", "need"}, required={"do"})
    if "do" not in own:
        return None
    if "do" not in keys:
        keys["at_open"].problem("it lasts until what `do` posts; an alert ends nothing")
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
    return read_posting(own["do"], {**own, **order}, names_at(keys, equipment, assets, over), equipment, assets, reads)


def _state_signal(equipment: Equipment) -> str | None:
    for signal in equipment.signals.values():
        if isinstance(signal, Signal) and signal.role is Role.STATE:
            return signal.name
    return None
