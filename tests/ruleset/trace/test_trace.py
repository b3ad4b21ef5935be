"""Why a rule answered as it did, and why it did not."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from ruleset.cel import CelError, EvaluationFailed, Kind, Scope, as_cel
from ruleset.form.records import rule_id
from ruleset.output import Alert, Post, Unmet
from ruleset.trace.sentence import check_text, headline, one_line
from ruleset.trace.trace import Check, Outcome, Trace, decode, encode
from tests.ruleset.floor import LINE, PRESS, START_MS, Floor

RULES = """
- rule: vibration
  assets: "machining/*"
  raise: {when: "vibration_rms > 7.1", for: 30s}
  clear: {when: "vibration_rms < 5.5"}
  do: maintenance.request
  with: {title: "'Vibration ' + string(vibration_rms) + ' on ' + asset.name"}
- rule: stop
  assets: "machining/*"
  episode: {open: "state == 'STOPPED'", close: "state == 'RUN'"}
  micro: 2m
  classify:
    - {when: "episode.fault in codes.fault_reason", loss: "codes.fault_reason[episode.fault]"}
    - {when: "true", loss: "'unclassified'"}
  do: downtime.record
  with: {start: started, end: ended, loss: loss}
- rule: scrap
  assets: "machining/*"
  event: scrap
  order: scrap.order
  when: scrap.confirmed
  need:
    - {that: "scrap.reason in codes.scrap_reason", else: "{scrap.reason} is not mapped"}
  do: production.scrap
  with: {quantity: scrap.qty, reason: "codes.scrap_reason[scrap.reason]"}
- rule: progress
  assets: "packaging/*"
  order: running
  collect: {good: {delta: good_count}}
  post: {every: 60s, or: "good >= 25"}
  do: production.progress
  with: {quantity: good}
- rule: complete
  assets: "packaging/*"
  event: finished
  order: finished.order
  wait: {for: disposition, match: "disposition.order == finished.order", at_most: 4h}
  do:
    - {when: "disposition.status == 'accept'", post: production.complete, with: {quantity: finished.qty}}
    - {when: timed_out, alert: "no disposition for {finished.order}"}
"""


def at(ms: int) -> str:
    """Seconds since the start, as the sentences show moments here."""
    return f"{(ms - START_MS) / 1000:g} s"


def floor(at: str = PRESS) -> Floor:
    return Floor(RULES, at=at)


def traces(plant: Floor) -> list[Trace]:
    return [each.trace for each in plant.outputs if isinstance(each, Post | Unmet | Alert)]


def look(plant: Floor, rule: str, outcome: Outcome) -> Trace:
    found = {each.outcome: each for each in plant.engine.looks.of(rule_id(rule, plant.at))}
    assert outcome in found, list(found)
    return found[outcome]


def answered(checks: Iterable[Check]) -> list[tuple[str, object]]:
    return [(each.place, each.answer) for each in checks]


def test_a_posting_says_what_held_since_when_and_who_told_it() -> None:
    plant = floor()
    plant.says(vibration_rms=8.0)
    plant.after(40_000)
    (trace,) = traces(plant)
    assert answered(trace.checks) == [("raise", True), ("with title", "Vibration 8 on press-1")]
    assert trace.facts == {"for_ms": 30_000, "since_ms": START_MS}
    assert (trace.told["vibration_rms"].at_ms, trace.told["vibration_rms"].seq) == (START_MS, 0)
    assert trace.key == f"{PRESS}:maintenance.request:-:vibration:{START_MS}"
    assert decode(encode(trace)) == trace


def test_a_rule_that_did_not_fire_says_the_value_and_what_it_asks_for() -> None:
    plant = floor()
    plant.says(vibration_rms=6.9)
    assert one_line(look(plant, "vibration", Outcome.FALSE), at) == (
        "raise `vibration_rms > 7.1` was false: vibration_rms = 6.9; raise needs 30s"
    )


def test_what_held_too_short_is_a_look_of_its_own_beside_the_last_that_was_false() -> None:
    plant = floor()
    plant.says(vibration_rms=6.0)
    plant.after(1_000)
    plant.says(vibration_rms=8.0)
    assert look(plant, "vibration", Outcome.WAITS).facts["due_ms"] == START_MS + 31_000
    plant.after(9_000)
    plant.says(vibration_rms=6.5)
    short = look(plant, "vibration", Outcome.TOO_SHORT)
    assert (headline(short, at), short.facts["since_ms"]) == ("10 s it held, but too short", START_MS + 1_000)
    assert look(plant, "vibration", Outcome.FALSE).checks[-1].values == {"vibration_rms": 6.0}


ENDING = """
- rule: per-order
  assets: "machining/*"
  track: {made: {delta: good_count, per: order}}
  at_end_of: order
  alert: "{period} is over"
"""


def test_an_order_that_runs_lasts_and_one_that_does_not_is_no_period() -> None:
    plant = Floor(ENDING, at=PRESS)
    plant.says(order="")
    assert look(plant, "per-order", Outcome.FALSE).facts == {}
    plant.says(order="mo-1")
    lasts = look(plant, "per-order", Outcome.LASTS)
    assert headline(lasts, at) == "0 s it lasts, and is told when it is over"
    assert lasts.facts["started_ms"] == START_MS


def test_a_value_that_is_not_known_leaves_a_rule_undecided() -> None:
    plant = floor()
    plant.says(vibration_rms=6.0)
    plant.says(vibration_rms=None)
    undecided = look(plant, "vibration", Outcome.UNDECIDED)
    assert check_text(undecided.checks[-1]) == (
        "raise `vibration_rms > 7.1` has no answer (vibration_rms is not known)"
    )


def test_a_stop_says_the_line_of_classify_that_decided() -> None:
    plant = floor()
    plant.says(state="STOPPED", fault="E12")
    plant.after(180_000)
    plant.says(state="RUN")
    (trace,) = traces(plant)
    places = [place for place, _ in answered(trace.checks)]
    assert places == ["open", "close", "classify 1", "classify 1 loss", "with start", "with end", "with loss"]
    assert (trace.facts["started_ms"], trace.facts["ended_ms"]) == (START_MS, START_MS + 180_000)


def test_a_micro_stop_was_too_short() -> None:
    plant = floor()
    plant.says(state="STOPPED")
    plant.after(60_000)
    plant.says(state="RUN")
    assert look(plant, "stop", Outcome.TOO_SHORT).facts["ended_ms"] == START_MS + 60_000


def test_a_dead_letter_of_a_need_says_the_need_and_the_event() -> None:
    plant = floor()
    plant.happens("scrap", "7", order="mo-1", qty=2, reason="S99", confirmed=True)
    (trace,) = traces(plant)
    assert (trace.outcome, trace.reason) == (Outcome.REFUSED, "S99 is not mapped")
    assert ("need 1", False) in answered(trace.checks)
    assert trace.told["scrap.reason"].topic == "uns/scrap"


def test_a_total_says_from_where_to_where_and_because_of_what() -> None:
    plant = floor(LINE)
    plant.says(order="mo-1", good_count=0)
    plant.says(good_count=5)
    plant.after(61_000)
    (trace,) = traces(plant)
    assert (trace.facts["made_before"], trace.facts["made"], trace.facts["reading"]) == (0, 5, 5)
    assert trace.facts["because"] == "the time of `every` is over"


def test_a_gate_says_which_disposition_decided_and_a_wait_without_one_is_an_alert_with_its_why() -> None:
    plant = floor(LINE)
    plant.happens("finished", "F1", order="mo-1", lot="L1", qty=5, consumed=[])
    plant.after(1_000)
    plant.happens("disposition", "D1", at="acme/berlin/quality/station-1", order="mo-1", lot="L1", status="accept")
    plant.happens("finished", "F2", order="mo-2", lot="L1", qty=5, consumed=[])
    plant.after(5 * 3_600_000)
    completed, alert = traces(plant)
    assert (completed.facts["decided_by"]["id"], completed.told["disposition.status"].at_ms) == ("D1", START_MS + 1_000)
    assert completed.told["finished.qty"].at_ms == START_MS
    assert (alert.outcome, alert.reason) == (Outcome.ALERTED, "no disposition for mo-2")


SAID = st.one_of(
    st.tuples(st.just("says"), st.sampled_from(["vibration_rms"]), st.sampled_from([5.0, 6.9, 7.5, 9.0, None])),
    st.tuples(st.just("says"), st.just("state"), st.sampled_from(["RUN", "STOPPED", None])),
    st.tuples(st.just("scrap"), st.sampled_from(["S01", "S99"]), st.booleans()),
    st.tuples(st.just("after"), st.just(""), st.sampled_from([1_000, 31_000, 130_000])),
    st.tuples(st.just("restart"), st.just(""), st.just(0)),
)


@given(st.lists(SAID, max_size=25))
@settings(max_examples=60, deadline=None)
def test_whatever_happens_each_answer_has_a_trace_whose_checks_hold_over_its_values_and_no_key_is_posted_twice(
    said: list[tuple[str, str, float | str | bool | None]],
) -> None:
    plant = floor()
    for number, (what, name, value) in enumerate(said):
        match what:
            case "says":
                plant.observes(plant.samples(plant.at, plant.now_ms, {name: value}))
            case "scrap":
                plant.happens("scrap", str(number), order="mo-1", qty=2, reason=name, confirmed=bool(value))
            case "after":
                plant.after(int(value or 0))
            case _:
                plant.restarts()
                plant.comes_back()
    posts = [each for each in plant.outputs if isinstance(each, Post)]
    assert [each.trace.key for each in posts] == [each.transaction.key for each in posts]
    assert len({each.transaction.key for each in posts}) == len(posts)
    every = [each for rule in ("vibration", "stop", "scrap") for each in plant.engine.looks.of(rule_id(rule, PRESS))]
    for trace in (*traces(plant), *every):
        assert decode(encode(trace)) == trace
        assert [again(each) for each in trace.checks] == [(each.answer, each.failure) for each in trace.checks]


def again(check: Check) -> tuple[object, str]:
    """The answer of a check's text over its values."""
    kinds = {
        "vibration_rms": Kind.NUMBER,
        "started": Kind.NUMBER,
        "ended": Kind.NUMBER,
        "scrap.qty": Kind.NUMBER,
        "scrap.confirmed": Kind.BOOLEAN,
        "codes.scrap_reason": Kind.TABLE,
        "codes.fault_reason": Kind.TABLE,
    }
    texts = ("state", "asset.name", "loss", "scrap.reason", "scrap.order", "episode.fault")
    expression = Scope({**kinds, **dict.fromkeys(texts, Kind.TEXT)}).compile(check.text)
    assert not isinstance(expression, CelError), expression
    answer = expression.evaluate({name: as_cel(value) for name, value in check.values.items()})
    return (None, answer.text) if isinstance(answer, EvaluationFailed) else (answer, "")
