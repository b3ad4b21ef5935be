"""A bridge that runs for months keeps no more than it was told to."""

from bridge.core.input import Started, Tick
from bridge.pipeline import Core, step
from bridge.plant import load_plant
from bridge.wiring import new_core
from tests.bridge import rig

NOW_MS = 1_700_000_000_000


def core_that_skipped_an_entry() -> Core:
    core = new_core(load_plant(rig.PLANT))
    step(core, Started(), NOW_MS)
    core.outbox.offer(key="k", lane="l", action="production.scrap", destination="odoo", body=b"1", now_ms=NOW_MS)
    core.outbox.act("skip", ["k"], by="ada", reason="a test", now_ms=NOW_MS)
    return core


def test_old_facts_are_forgotten_without_a_restart() -> None:
    core = core_that_skipped_an_entry()
    step(core, Tick(), NOW_MS + core.keys_kept_ms)
    before = tuple(core.outbox.done_keys())
    step(core, Tick(), NOW_MS + core.keys_kept_ms + 2 * 3_600_000)
    assert (before, tuple(core.outbox.done_keys())) == (("k",), ())
