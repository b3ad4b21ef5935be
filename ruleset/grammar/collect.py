"""`collect` and `post`: the form of a rule that posts what a counter counts."""

from __future__ import annotations

from collections.abc import Mapping

from ruleset.cel import Kind, Scope
from ruleset.document import Node
from ruleset.equipment import Assets, Equipment, Role, Signal
from ruleset.form.collect import Collect
from ruleset.form.vocabulary import PROGRESS
from ruleset.grammar.expression import read_condition
from ruleset.grammar.posting import read_unit
from ruleset.grammar.scope import Names, units
from ruleset.problem import suggest


def read_collect(keys: Mapping[str, Node], equipment: Equipment, assets: Assets) -> Collect | None:
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
    order = equipment.order_signal
    found: set[str] = set()
    for each in node.items():
        name = each.text()
        if name == "order" and order is not None:
            found.add(order.name)
        elif name is not None and name not in signals:
            each.problem(f'unknown signal "{name}"{suggest(name, signals)}')
        elif name is not None:
            found.add(name)
    return frozenset(found)
