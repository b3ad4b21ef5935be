"""What became of each version of the rules: the log of what people did, folded into where every version stands.

    proposed -> approved -> (shadow) -> live -> retired
            \\-> rejected                 \\-> taken back, by one step, to the version that was live before

The log is the truth, and there is no other: `versions/audit.jsonl`, whose lines are chained by their hashes. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal

import msgspec

from bridge.lifecycle.people import Person, Role
from ruleset.problem import suggest
from state.audit import Head, Line


class Step(StrEnum):
    """What people do with a version; the kind of its line in the log."""

    PROPOSE = "rules.proposed"
    BACKTEST = "rules.backtested"
    APPROVE = "rules.approved"
    REJECT = "rules.rejected"
    SHADOW = "rules.shadowed"
    END_SHADOW = "rules.shadow_ended"
    PROMOTE = "rules.promoted"
    ROLL_BACK = "rules.rolled_back"


class Standing(StrEnum):
    """Where a version stands."""

    PROPOSED = "proposed"
    REJECTED = "rejected"
    APPROVED = "approved"
    LIVE = "live"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """What a backtest of a version found, against the version that was live then ("" for none)."""

    against: str
    added: int
    removed: int
    changed: int
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version: who wrote it and why, how many of its tests passed, and what others found and decided."""

    version: str
    author: str
    reason: str
    proposed_ms: int
    tests: int
    standing: Standing = Standing.PROPOSED
    backtest: Backtest | None = None
    decided_by: str = ""
    decided_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All versions by name, in the order of their proposals; `lives` were live one after the other, the last is, since
    `live_since_ms`, by the line `live_since` of the log."""

    versions: dict[str, Version] = field(default_factory=dict)
    lives: tuple[str, ...] = ()
    live_since_ms: int | None = None
    live_since: Head | None = None
    shadow: str | None = None

    @property
    def live(self) -> str | None:
        return self.lives[-1] if self.lives else None

    @property
    def before_live(self) -> str | None:
        """What a rollback brings back."""
        return self.lives[-2] if len(self.lives) > 1 else None


class InForce(msgspec.Struct, frozen=True, kw_only=True):
    """What a bridge ran last: a version, and the line of the log that made it live. A record of the site."""

    version: str
    line: int
    hash: str
    v: Literal[1] = 1


_WHO: dict[Step, tuple[Role, ...]] = {
    Step.PROPOSE: (Role.AUTHOR,),
    Step.BACKTEST: (Role.AUTHOR, Role.APPROVER),
    Step.APPROVE: (Role.APPROVER,),
    Step.REJECT: (Role.APPROVER,),
    Step.SHADOW: (Role.AUTHOR, Role.APPROVER),
    Step.END_SHADOW: (Role.AUTHOR, Role.APPROVER),
    Step.PROMOTE: (Role.APPROVER,),
    Step.ROLL_BACK: (Role.APPROVER, Role.OPERATOR),
}
"""Who may take a step. An operator may take back at night what somebody promoted."""


def fold(lines: Iterable[Line]) -> History:
    """Where every version stands after these lines. Lines that are no steps are the log's own remarks."""
    history = History()
    for line in lines:
        if line.kind in tuple(Step):
            history = _after(history, Step(line.kind), line)
    return history


def objection(history: History, step: Step, version: str, who: Person) -> str | None:
    """Why this person may not take this step with this version now; None when they may."""
    if not who.may(*_WHO[step]):
        roles = " or ".join(_WHO[step])
        return f"{who.name} is no {roles}; `uns-bridge people list` shows who is"
    known = history.versions.get(version)
    if step is Step.PROPOSE:
        if known is None or known.standing is Standing.REJECTED:
            return None
        return f"{version} was proposed already, by {known.author}; it is {known.standing}"
    if known is None:
        return f"there is no version {version}{suggest(version, history.versions)}; propose it first"
    return _objection_to(history, step, known, who)


def _objection_to(history: History, step: Step, known: Version, who: Person) -> str | None:
    version, standing = known.version, known.standing
    match step:
        case Step.PROPOSE | Step.BACKTEST:
            return None
        case Step.APPROVE | Step.REJECT:
            if standing is not Standing.PROPOSED:
                return f"{version} is {standing} already"
            if step is Step.APPROVE and known.author == who.name:
                return f"{who.name} wrote {version}; a second person must approve it"
            return None
        case Step.SHADOW:
            if standing in (Standing.LIVE, Standing.REJECTED):
                return f"{version} is {standing}; what is proposed, approved or retired can run in shadow"
            return f"{version} runs in shadow already" if history.shadow == version else None
        case Step.END_SHADOW:
            return None if history.shadow == version else f"{version} does not run in shadow"
        case Step.PROMOTE:
            if standing not in (Standing.APPROVED, Standing.RETIRED):
                return f"{version} is {standing}; what is promoted must be approved"
            return None
        case Step.ROLL_BACK:
            if history.live != version:
                return f"{version} is not live"
            return None if history.before_live is not None else f"no version was live before {version}"


def _after(history: History, step: Step, line: Line) -> History:
    version = str(line.fields.get("version", ""))
    if step is Step.PROPOSE:
        new = Version(
            version=version,
            author=line.by,
            reason=str(line.fields.get("reason", "")),
            proposed_ms=line.at_ms,
            tests=int(line.fields.get("tests") or 0),
        )
        rest = {name: each for name, each in history.versions.items() if name != version}
        return replace(history, versions={**rest, version: new})
    known = history.versions.get(version)
    if known is None:
        return history
    match step:
        case Step.BACKTEST:
            return _with(history, replace(known, backtest=_backtest(line)))
        case Step.APPROVE:
            return _with(history, replace(known, standing=Standing.APPROVED, decided_by=line.by, decided_ms=line.at_ms))
        case Step.REJECT:
            rejected = replace(known, standing=Standing.REJECTED, decided_by=line.by, decided_ms=line.at_ms)
            after = _with(history, rejected)
            return replace(after, shadow=None) if history.shadow == version else after
        case Step.SHADOW:
            return replace(history, shadow=version)
        case Step.END_SHADOW:
            return replace(history, shadow=None)
        case Step.PROMOTE:
            return _live(history, (*history.lives, version), line)
        case Step.ROLL_BACK:
            return _live(history, history.lives[:-1], line)


def _live(history: History, lives: tuple[str, ...], line: Line) -> History:
    """The last of `lives` is live now. A shadow was compared with what was live before, and ends."""
    after, live = history, lives[-1]
    if history.live is not None:
        after = _with(after, replace(after.versions[history.live], standing=Standing.RETIRED))
    after = _with(after, replace(after.versions[live], standing=Standing.LIVE))
    since = Head(line.number, line.hash)
    return replace(after, lives=lives, live_since_ms=line.at_ms, live_since=since, shadow=None)


def _with(history: History, changed: Version) -> History:
    return replace(history, versions={**history.versions, changed.version: changed})


def _backtest(line: Line) -> Backtest:
    counts = {name: int(line.fields.get(name) or 0) for name in ("added", "removed", "changed")}
    return Backtest(against=str(line.fields.get("against", "")), at_ms=line.at_ms, **counts)
