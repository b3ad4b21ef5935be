"""What people do with entries."""

from __future__ import annotations

import pytest

from state.entry import EntryState, Note
from state.intervention import UNKNOWN, Prediction
from tests.state.outbox_site import ODOO, Site


def test_acts_do_what_their_dry_run_says(site: Site) -> None:
    site.offer("dead", dead="no mapping")
    site.offer("held", hold="too many", lane="mo-2")
    site.offer("pending", lane="mo-3")
    site.offer("claimed", lane="mo-0", priority=1)
    site.offer("done", lane="mo-4", priority=0)
    site.deliver(site.claim(limit=1)[0])
    site.claim(limit=1)
    keys = ["dead", "held", "pending", "claimed", "done", "unknown", "dead"]
    before = site.states()
    would = {
        act: site.outbox.act(act, keys, by="ann", reason="r", now_ms=1, dry_run=True)
        for act in ("replay", "release", "skip")
    }
    assert site.states() == before
    assert {act: [(one.key, one.would) for one in found if one.would] for act, found in would.items()} == {
        "replay": [("dead", EntryState.PENDING)],
        "release": [("held", EntryState.PENDING)],
        "skip": [("dead", EntryState.SKIPPED), ("held", EntryState.SKIPPED), ("pending", EntryState.SKIPPED)],
    }
    assert would["replay"] == (
        Prediction("dead", EntryState.PENDING, "will be sent; was dead: no mapping"),
        Prediction("held", None, "only dead entries; this one is held: too many"),
        Prediction("pending", None, "only dead entries; this one is pending"),
        Prediction("claimed", None, "is being sent and may stand at its destination already; wait for its outcome"),
        Prediction("done", None, "delivered already"),
        Prediction("unknown", None, UNKNOWN),
    )
    assert site.outbox.act("skip", keys, by="ann", reason="r", now_ms=1) == would["skip"]
    assert site.states() == before | dict.fromkeys(("dead", "held", "pending"), EntryState.SKIPPED)


def test_a_skipped_entry_says_who_and_why(site: Site) -> None:
    site.offer("a", dead="no mapping")
    site.outbox.act("skip", ["a"], by="ann", reason="counted by hand", now_ms=9)
    done = site.done()["a"]
    assert (done.reason, done.history[-1]) == ("counted by hand", Note(9, "skip: counted by hand", "ann"))


def test_a_released_entry_says_who_let_it_go(site: Site) -> None:
    site.offer("a", hold="105 of 100")
    site.outbox.act("release", ["a"], by="eve", reason="counted twice", now_ms=1)
    (entry,) = site.outbox.claim(ODOO, now_ms=1, limit=1)
    assert entry.released_by == "eve"


def test_an_unknown_act_is_misuse(site: Site) -> None:
    with pytest.raises(ValueError, match="erase"):
        site.outbox.act("erase", [], by="ann", reason="", now_ms=0)
