"""The time for which the bridge itself was away is no downtime of machines; what they stored of it keeps its times."""

from __future__ import annotations

from tests.bridge.floor.outage import GRACE_MS, Site, running
from tests.ruleset.floor import PRESS

AWAY_MS = 600_000


def away(*, at_ms: int = 100_000) -> Site:
    """A bridge that was killed while the press ran, and is started again after ten minutes."""
    site = running(at_ms=at_ms)
    site.now_ms += AWAY_MS
    site.restarts()
    return site


def test_a_machine_that_ran_before_and_runs_after_our_absence_has_no_stop() -> None:
    site = away()
    site.born(PRESS, state="RUN", fault="")
    site.after(GRACE_MS)
    site.says(PRESS, state="RUN")
    site.after(3_600_000)
    assert site.said == []


def test_a_machine_that_is_heard_again_only_after_the_grace_has_no_stop_either() -> None:
    site = away()
    site.after(2 * GRACE_MS)
    site.born(PRESS, state="RUN", fault="")
    site.after(3_600_000)
    assert site.said == []


def test_a_stop_within_our_absence_that_the_machine_stored_is_posted_with_its_own_times() -> None:
    site = away()
    site.born(PRESS, state="RUN", fault="")
    site.stored(300_000, PRESS, state="STOPPED")
    site.stored(420_000, PRESS, state="RUN")
    site.after(3_600_000)
    assert site.said == ["downtime PRESS-1 300..420 unclassified"]


def test_a_stop_that_outlasts_our_absence_ends_when_the_machine_says_so() -> None:
    site = away()
    site.born(PRESS, state="STOPPED", fault="E12")
    site.stored(300_000, PRESS, state="STOPPED", fault="E12")
    site.after(GRACE_MS)
    site.says(PRESS, state="RUN")
    site.after(3_600_000)
    assert site.said == ["downtime PRESS-1 300..730 breakdown"]


def test_a_host_that_goes_offline_by_itself_and_comes_back_makes_no_stop_of_a_machine_that_runs() -> None:
    site = running(at_ms=100_000)
    site.settler.away(site.now_ms)
    site.now_ms += AWAY_MS
    site.settler.away(site.now_ms)
    site.born(PRESS, state="RUN", fault="")
    site.after(3_600_000)
    assert site.said == []
