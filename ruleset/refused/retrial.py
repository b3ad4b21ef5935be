"""A retrial: a fact that a rule refused is decided again, by what the rule says now, from what it saw then.

Nothing else is asked: not what the equipment says now, nor what the rule remembers. The fact keeps its key, so it is
posted once, however often it is decided and whatever comes again of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import msgspec
from msgspec.structs import replace as replace_struct

from ruleset.cel import EvaluationFailed
from ruleset.equipment import Assets
from ruleset.form.alarm import Alarm
from ruleset.form.collect import Collect
from ruleset.form.count import Count
from ruleset.form.episode import Episode
from ruleset.form.moment import Moment, OnError, Template
from ruleset.form.occurrence import Occurrence
from ruleset.form.posting import Then, order_of, post
from ruleset.form.records import Form, rule_id
from ruleset.form.wait import Wait
from ruleset.output import Post, Saw, Unmet
from ruleset.rules import Instance, Rules
from ruleset.sample import Source
from ruleset.trace.outline import outlines
from ruleset.track.ending import Ending
from ruleset.transaction import IdempotencyKey, OrderRef, Provenance

SKIP: Final = "skip it, or let the event come again"


class RefusedFact(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter of a rule, as `Unmet.encode` wrote it. `saw` None: what the rule saw was not kept."""

    key: IdempotencyKey
    action: str
    equipment: str
    order: OrderRef | None
    at_ms: int
    rule: str
    provenance: Provenance
    reason: str
    saw: Saw | None = None


class Retrial:
    """Decides refused facts again, as this version of the rules does."""

    def __init__(self, rules: Rules, assets: Assets) -> None:
        self._assets = assets
        self._instances = {each.id: each for each in rules.instances}
        self._outlines = outlines(each.form for each in rules.instances)

    def decide(self, fact: RefusedFact, now_ms: int, corrected: Mapping[str, Any] | None = None) -> Post | Unmet | str:
        """What the rule answers now, under the fact's key; a sentence where it answers nothing that could be posted.

        `corrected` are values that a person puts in the place of those that the rule saw.
        """
        if fact.saw is None:
            return f"what the rule saw was not kept with it; {SKIP}"
        instance = self._instances.get(rule_id(fact.rule, fact.equipment))
        if instance is None:
            return f"there is no rule {fact.rule} at {fact.equipment} any more; {SKIP}"
        values = {**fact.saw.values, **(corrected or {})}
        moment = self._moment(instance, fact, fact.saw.running, values, now_ms)
        moment, then = _chosen(instance.form, moment)
        if isinstance(then, str):
            return then
        if isinstance(then, Template) or then.action != fact.action:
            return f"rule {fact.rule} does not post {fact.action} any more; {SKIP}"
        began = isinstance(instance.form, Episode)  # its order is the one that ran when it began
        order = fact.order if began else order_of(then, moment)
        saw = fact.saw
        answer = post(then, moment, saw.fact, order=order, event=saw.event or None, defaults=saw.defaults or None)
        assert isinstance(answer, Post | Unmet)
        return _under(fact.key, answer)

    def _moment(
        self, instance: Instance, fact: RefusedFact, running: str, values: dict[str, Any], now_ms: int
    ) -> Moment:
        return Moment(
            equipment=instance.equipment,
            rule=instance.rule,
            version=instance.version,
            codes=self._assets.codes,
            known={},
            running=running,
            source=Source(topic=fact.provenance.topic, seq=fact.provenance.seq),
            at_ms=fact.at_ms,
            now_ms=now_ms,
            extra=values,
            on_error=OnError.DEAD_LETTER,
            outline=self._outlines[id(instance.form)],
        )


def _chosen(form: Form, moment: Moment) -> tuple[Moment, Then | str]:
    """What the rule would do about the fact, and the moment with what deciding it added."""
    match form:
        case Occurrence() | Count():
            if form.when is not None and (answer := moment.holds(form.when)) is not True:
                return moment, _not_wanted(answer)
            return moment, form.posting
        case Wait():
            for branch in form.branches:
                if moment.holds(branch.when) is True:
                    return moment, branch.then
            return moment, f"no line of do fits what was known of it; {SKIP}"
        case Episode():
            moment, _, fits = form.classified(moment)
            return moment, form.posting if fits or not form.classes else f"no line of classify fits; {SKIP}"
        case Alarm() | Ending():
            return moment, form.posting
        case Collect():
            return moment, f"the rule counts now: the next total holds what was made; {SKIP}"


def _not_wanted(answer: bool | EvaluationFailed) -> str:
    if isinstance(answer, EvaluationFailed):
        return f"when: {answer.text}"
    return "the rule does not want it any more: its when is not true of it; skip it"


def _under(key: IdempotencyKey, answer: Post | Unmet) -> Post | Unmet:
    """The answer about the fact of this key: an order that is told otherwise now makes it no other fact."""
    if isinstance(answer, Unmet):
        return replace(answer, key=key, trace=replace_struct(answer.trace, key=key))
    transaction, trace = replace_struct(answer.transaction, key=key), replace_struct(answer.trace, key=key)
    return replace(answer, transaction=transaction, trace=trace)
