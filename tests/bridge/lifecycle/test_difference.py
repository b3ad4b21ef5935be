"""Two versions that saw the same: what the one posts and the other does not."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bridge.lifecycle.difference import Change, Comparison, Difference, made_of
from ruleset.output import Alert, EngineOutput, Post, Unmet
from ruleset.trace.trace import Outcome, Trace
from ruleset.transaction import IdempotencyKey, OrderRef, Progress, Provenance, Scrap

LINE = "acme/berlin/packaging/line-1"
TRACE = Trace(rule="scrap", version="1", form="event", equipment=LINE, outcome=Outcome.POSTED, at_ms=5, decided_ms=5)


def provenance(version: str = "1", rule: str = "scrap") -> Provenance:
    return Provenance(rule=rule, version=version, topic="t")


def scrap(id: str, quantity: int, version: str = "1", at_ms: int = 5) -> Post:
    return Post(
        Scrap(
            key=IdempotencyKey(f"{LINE}/scrap/{id}"),
            equipment=LINE,
            at_ms=at_ms,
            provenance=provenance(version),
            order=OrderRef("mo-1"),
            quantity=Decimal(quantity),
            unit="pcs",
            reason="Foreign body",
        ),
        trace=TRACE,
    )


def progress(upto: int, order: str = "mo-1", at_ms: int = 9) -> Post:
    stream = f"{order}/{LINE}/good/0"
    return Post(
        Progress(
            key=IdempotencyKey(f"{stream}/{upto}"),
            equipment=LINE,
            at_ms=at_ms,
            provenance=provenance(rule="progress"),
            order=OrderRef(order),
            stream=stream,
            upto=Decimal(upto),
            unit="pcs",
        ),
        trace=TRACE,
    )


def compared(before: Iterable[EngineOutput], after: Iterable[EngineOutput]) -> Comparison:
    made = Comparison()
    made.before(made_of(before))
    made.after(made_of(after))
    return made


def difference(before: Iterable[EngineOutput], after: Iterable[EngineOutput]) -> Difference:
    return compared(before, after).difference()


def test_a_fact_that_only_one_version_posts_is_added_or_removed() -> None:
    found = difference([scrap("A", 1), scrap("B", 2)], [scrap("B", 2), scrap("C", 3)])
    assert [(each.change, each.either.fact[-1]) for each in found.differing] == [
        (Change.REMOVED, "A"),
        (Change.ADDED, "C"),
    ]
    assert found.agreed == 1


def test_a_fact_posted_with_other_content_is_changed_and_its_fields_are_named() -> None:
    found = difference([scrap("A", 1)], [scrap("A", 2, version="2")])
    assert [(each.change, each.fields) for each in found.differing] == [(Change.CHANGED, ("quantity",))]


def test_a_total_posted_more_often_on_the_way_is_the_same() -> None:
    often = [progress(10, at_ms=1), progress(20, at_ms=2), progress(25, at_ms=3)]
    found = difference(often, [progress(25, at_ms=4)])
    assert (found.differing, found.agreed, found.postings_before, found.postings_after) == ((), 1, 3, 1)
    other = difference(often, [progress(24)])
    assert [(each.change, each.fields) for each in other.differing] == [(Change.CHANGED, ("upto",))]


def test_a_posting_that_became_a_dead_letter_is_changed_and_says_so() -> None:
    refused = Unmet(
        key=IdempotencyKey(f"{LINE}/scrap/A"),
        action="production.scrap",
        equipment=LINE,
        order=OrderRef("mo-1"),
        at_ms=5,
        rule="scrap",
        provenance=provenance("2"),
        reason="scrap reason S99 is not in codes.yaml",
        trace=TRACE,
    )
    (each,) = difference([scrap("A", 1)], [refused]).differing
    assert (each.change, each.after is not None and each.after.refused) == (Change.CHANGED, refused.reason)
    assert "refused" in each.fields


def test_alerts_count_as_facts_and_sums_go_by_rule_and_by_order() -> None:
    alert = Alert(rule="gate", equipment=LINE, text="no disposition", at_ms=7, trace=TRACE)
    found = difference([scrap("A", 1), progress(5, "mo-2")], [alert, progress(6, "mo-2")])
    assert found.by_rule() == {
        ("scrap", Change.REMOVED): 1,
        ("gate", Change.ADDED): 1,
        ("progress", Change.CHANGED): 1,
    }
    assert found.by_order() == {("mo-1", Change.REMOVED): 1, ("", Change.ADDED): 1, ("mo-2", Change.CHANGED): 1}


def test_what_both_decided_alike_is_forgotten_and_totals_when_their_order_is_closed() -> None:
    both = [scrap("A", 1), progress(25), progress(7, "mo-2")]
    comparison = compared(both, both)
    assert comparison.facts.keys() == {f"total/mo-1/{LINE}/good/0", f"total/mo-2/{LINE}/good/0"}
    comparison.order_closed("mo-1")
    assert comparison.facts.keys() == {f"total/mo-2/{LINE}/good/0"}
    assert comparison.difference().agreed == 3


POSTS = st.lists(
    st.builds(scrap, st.sampled_from("ABCD"), st.integers(1, 3)), unique_by=lambda post: post.transaction.key
)


@given(POSTS, POSTS)
def test_every_fact_is_the_same_added_removed_or_changed(before: list[Post], after: list[Post]) -> None:
    found, back = difference(before, after), difference(after, before)
    facts = {post.transaction.key for post in (*before, *after)}
    assert found.agreed + len(found.differing) == len(facts)
    assert found.count(Change.ADDED) == back.count(Change.REMOVED)
    assert found.count(Change.CHANGED) == back.count(Change.CHANGED)
    assert difference(before, before).differing == ()


def test_a_fact_that_the_one_decides_twice_before_the_other_does_is_one_on_which_they_agree() -> None:
    comparison = Comparison()
    for decide in (comparison.before, comparison.before, comparison.after, comparison.after):
        decide(made_of([scrap("a", 2)]))
    assert (comparison.difference().differing, comparison.difference().agreed) == ((), 1)
    comparison.before(made_of([scrap("a", 3)]))
    assert [each.change for each in comparison.difference().differing] == [Change.CHANGED]
    assert comparison.difference().agreed == 0
    comparison.after(made_of([scrap("a", 3)]))
    assert (comparison.difference().differing, comparison.difference().agreed) == ((), 1)
