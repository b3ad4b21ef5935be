"""Rounds of a demonstration under chaos, added up."""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.demo.run import Outcome


@dataclass(slots=True)
class Total:
    """Of several rounds. `broken` are the seeds of those that came to no comparison, `unclean` of those with a
    difference."""

    rounds: int = 0
    kills: int = 0
    abuses: int = 0
    facts: int = 0
    postings: int = 0
    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    not_promised: int = 0
    unclean: list[int] = field(default_factory=list)
    broken: list[int] = field(default_factory=list)

    def add(self, seed: int, outcome: Outcome | None) -> None:
        """Add a round; None: it came to no comparison."""
        self.rounds += 1
        if outcome is None:
            self.broken.append(seed)
            return
        report = outcome.report
        self.kills += outcome.kills
        self.abuses += len(outcome.abuses)
        self.facts += report.facts
        self.postings += report.postings
        self.lost += report.lost
        self.doubled += report.doubled
        self.out_of_order += report.out_of_order
        self.not_promised += len(report.not_promised)
        if not report.is_clean:
            self.unclean.append(seed)

    @property
    def is_clean(self) -> bool:
        return not (self.unclean or self.broken)

    @property
    def lines(self) -> tuple[str, ...]:
        """The sum; the last line is the verdict."""
        failed = sorted((*self.unclean, *self.broken))
        return (
            f"{self.rounds} rounds, {self.abuses} abuses, {self.facts} facts on the floor, {self.postings} postings",
            *([f"not promised and not counted: {self.not_promised}"] if self.not_promised else []),
            *([f"failed: the rounds of seed {', '.join(map(str, failed))}"] if failed else []),
            f"kills {self.kills}, lost {self.lost}, doubled {self.doubled}, out of order {self.out_of_order}",
        )
