"""That the host is offline because the bridge can take no more: what it means, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bridge.console.trouble import Level, Trouble
from bridge.console.watch import Failure
from bridge.loop import Stall


def offline(stalls: Mapping[Stall, Failure], store: Failure | None) -> Iterator[Trouble]:
    """A trouble for each thing in the way. `store` is why the store takes no commits, while it takes none."""
    stalled = stalls.get(Stall.STORE)
    if store is not None:
        yield Trouble(
            level=Level.STOP,
            title="The host is offline: Redis takes no commits" if stalled else "Redis takes no commits",
            since_ms=stalled.since_ms if stalled else store.since_ms,
            means="Nothing is taken from the plant and nothing new is posted. Nothing that was committed is lost; "
            f"{'' if stalled else 'after a short while the host goes offline, '}edge nodes store and the broker keeps "
            "documents.",
            do="See whether Redis runs, has disk space and accepts writes. The bridge goes on by itself when it does; "
            "do not restart the bridge.",
            detail=store.reason,
        )
    elif stalled:
        yield Trouble(
            level=Level.WARN,
            title="The host comes back in a few seconds",
            since_ms=stalled.since_ms,
            means="Redis takes commits again. The host waits until that lasts; edge nodes store meanwhile.",
            do="Nothing. If this comes again and again, look at Redis: it fails now and then.",
            detail=f"before: {stalled.reason}",
        )
    if full := stalls.get(Stall.OUTBOX):
        yield Trouble(
            level=Level.STOP,
            title="The host is offline: the outbox is full",
            since_ms=full.since_ms,
            means="Too much waits to be posted, so nothing is taken from the plant: edge nodes store and the broker "
            "keeps documents. Nothing that was taken is lost, and what waits is posted in order.",
            do="Mend what keeps postings back: what is said of Odoo below, or many dead letters and held postings, "
            "which count too. The host comes back by itself when a fifth of the room is free; do not restart it.",
            detail=full.reason,
            link="/entries?state=pending",
        )
