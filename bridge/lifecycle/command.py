"""`uns-bridge rules propose|approve|reject|shadow|end-shadow|promote|rollback|versions|forget-live`: the life of a
version.

Each act names who acts (`--as`) and asks for their secret, or takes it from `UNS_BRIDGE_SECRET`. A running bridge sees
the change by itself within seconds.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer
from rich.console import Console
from rich.table import Column, Table

from bridge.clock import SystemClock
from bridge.commands.exit import FAILED, WRONG, fail
from bridge.commands.rules import difference
from bridge.commands.site import JsonOption, ask, print_json
from bridge.core.site import IN_FORCE
from bridge.errors import ConfigError
from bridge.lifecycle.book import LogBroken, Refused, VersionBook
from bridge.lifecycle.content import texts_of, version_of
from bridge.lifecycle.history import Backtest, History, InForce, Step, Version
from bridge.lifecycle.people import NotKnown, Person, Role, identify
from bridge.lifecycle.people_command import load_people
from bridge.plant import PEOPLE_FILE, Plant, load_plant
from bridge.rule_tests.folder import load_tests, run_test
from bridge.wiring import open_audit
from ruleset.problem import suggest
from ruleset.testing.verdict import judge
from state.audit import Field
from state.record import Commit
from state.store import Store

SECRET_VARIABLE: Final = "UNS_BRIDGE_SECRET"

WhoOption = Annotated[str, typer.Option("--as", help=f"Your name in {PEOPLE_FILE}.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept in the log.")]
PlantArgument = Annotated[Path, typer.Argument(help="The plant folder.")]
VersionArgument = Annotated[str, typer.Argument(help="The version, or the beginning of its name.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to `uns-bridge rules`."""
    app.command("propose")(propose)
    app.command("approve")(approve)
    for name, step, help in (
        ("reject", Step.REJECT, "Refuse a version that was proposed."),
        ("shadow", Step.SHADOW, "Let a version run beside the live one: it decides, and posts nothing."),
        ("end-shadow", Step.END_SHADOW, "End the run of a version in shadow."),
        ("promote", Step.PROMOTE, "Make an approved version the live one."),
    ):
        app.command(name, help=help)(_command(step))
    app.command("rollback")(rollback)
    app.command("versions")(versions)
    app.command("forget-live")(forget_live)
    app.command("difference")(difference.command)


def propose(plant: PlantArgument, who: WhoOption, reason: ReasonOption) -> None:
    """Make a version of the folder as it stands: it must be clean and its rule tests must pass. Prints its name."""
    person = identified(plant, who)
    try:
        tests = _tested(load_plant(plant))
        print(VersionBook(plant).propose(person, reason, tests, SystemClock().now_ms()))
    except (ConfigError, Refused, LogBroken, OSError) as error:
        fail(error, FAILED if isinstance(error, Refused) else WRONG)


def approve(
    plant: PlantArgument,
    version: VersionArgument,
    who: WhoOption,
    reason: ReasonOption,
    without_backtest: Annotated[
        bool, typer.Option("--without-backtest", help="Approve although nobody has seen what it would have posted.")
    ] = False,
) -> None:
    """Approve a version that somebody else proposed."""
    book, history = opened(plant)
    name = named(history, version)
    if history.versions[name].backtest is None and not without_backtest:
        fail(
            f"nobody has seen what {name} would have posted: run `uns-bridge rules backtest {plant} --version {name}` "
            "on a recording, or say --without-backtest",
            FAILED,
        )
    _act(plant, book, Step.APPROVE, name, who, reason, {"without_backtest": without_backtest})


def rollback(plant: PlantArgument, who: WhoOption, reason: ReasonOption) -> None:
    """Take the live version back: the one that was live before it is live again."""
    book, history = opened(plant)
    if history.live is None:
        fail("no version is live: the folder runs as it stands", FAILED)
    _act(plant, book, Step.ROLL_BACK, history.live, who, reason, {"to": history.before_live})


def versions(plant: PlantArgument, json_output: JsonOption = False) -> None:
    """List the versions, the latest last, and whether the folder is one of them."""
    _, history = opened(plant)
    try:
        draft = version_of(texts_of(plant))
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{plant} cannot be read: {error}; `uns-bridge check {plant}` says where", WRONG)
    if json_output:
        each = [_as_json(one, history) for one in history.versions.values()]
        print_json({"live": history.live, "shadow": history.shadow, "folder": draft, "versions": each})
        return
    version = Column("version", no_wrap=True)
    table = Table(version, "stands", "author", "proposed (UTC)", "tests", "backtest", "decided by", "reason")
    for one in history.versions.values():
        moment = datetime.fromtimestamp(one.proposed_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
        shadow = ", in shadow" if history.shadow == one.version else ""
        backtest = _told(one.backtest)
        table.add_row(
            one.version, one.standing + shadow, one.author, moment, str(one.tests), backtest, one.decided_by, one.reason
        )
    if history.versions:
        Console().print(table)
    print(_about_folder(history, draft))


def forget_live(plant: PlantArgument, who: WhoOption, reason: ReasonOption) -> None:
    """Let the bridge, which must be stopped, begin anew with the versions as they are now.

    For a plant whose versions are lost for good: a bridge does not start on less than it ran.
    """
    person = identified(plant, who)
    if not person.may(Role.APPROVER):
        fail(f"{who} is no {Role.APPROVER}; `uns-bridge people list` shows who is", FAILED)
    if not reason.strip():
        fail("the reason must say why", FAILED)
    forgotten = ask(plant, lambda opened, store: _forget_live(opened, store, person, reason))
    live = opened(plant)[1].live or "the folder as it stands"
    print(f"forgotten that {forgotten.version} was live; the bridge begins with {live}")


async def _forget_live(plant: Plant, store: Store, person: Person, reason: str) -> InForce:
    lease = await store.acquire(f"forget-live by {person.name}", plant.settings.redis.lease_ms)
    if lease is None:
        fail("a bridge runs on this site; stop it, and its standby, first", FAILED)
    try:
        stored = await store.load()
        if (known := stored.records.get(IN_FORCE)) is None:
            fail("the store knows of no version that was live", FAILED)
        forgotten = msgspec.json.decode(known, type=InForce)
        fields: dict[str, Field] = {"version": forgotten.version, "line": forgotten.line, "reason": reason}
        open_audit(plant).append("rules.live_forgotten", person.name, fields, SystemClock().now_ms())
        await store.commit(lease, Commit(number=stored.number + 1, puts={IN_FORCE: None}))
        return forgotten
    finally:
        await store.release(lease)


def _about_folder(history: History, draft: str) -> str:
    if history.live is None:
        return "no version is live: the bridge runs the folder as it stands"
    if history.live == draft:
        return "the folder is the live version"
    known = history.versions.get(draft)
    return f"the folder is {draft}, {known.standing}" if known else "the folder is a draft; nobody has proposed it"


def _command(step: Step) -> Any:
    def command(plant: PlantArgument, version: VersionArgument, who: WhoOption, reason: ReasonOption) -> None:
        book, history = opened(plant)
        _act(plant, book, step, named(history, version), who, reason, {})

    return command


def _act(
    plant: Path, book: VersionBook, step: Step, version: str, who: str, reason: str, fields: dict[str, Any]
) -> None:
    person = identified(plant, who)
    try:
        book.act(step, person, version, reason, SystemClock().now_ms(), fields)
        after = book.history()
    except (Refused, LogBroken, OSError) as error:
        fail(error, FAILED if isinstance(error, Refused) else WRONG)
    print(f"{version}: {after.versions[version].standing}; live is {after.live or 'the folder as it stands'}")


def _tested(plant: Plant) -> int:
    """How many rule tests there are, all of which pass. Raises `Refused` and `ConfigError`."""
    tests = load_tests(plant)
    verdicts = [judge(test, run_test(test, plant, plant.rules), plant.assets.path) for test in tests]
    if failed := [verdict.test for verdict in verdicts if not verdict.passed]:
        names = "\n".join(f"{test.place}: {test.name}" for test in failed)
        raise Refused(f"{names}\n{len(failed)} of {len(tests)} rule tests fail; `uns-bridge rules test` says why")
    if not tests:
        raise Refused("the folder has no rule test; docs/rule-tests.md tells how one is written")
    return len(tests)


def identified(plant: Path, who: str) -> Person:
    people = load_people(plant)
    try:
        secret = os.environ.get(SECRET_VARIABLE) or typer.prompt(f"Secret of {who}", hide_input=True, err=True)
    except typer.Abort:
        fail(f"no secret was given; programs give theirs in {SECRET_VARIABLE}", WRONG)
    try:
        return identify(people, who, secret)
    except NotKnown as error:
        fail(error, WRONG)


def opened(plant: Path) -> tuple[VersionBook, History]:
    if not plant.is_dir():
        fail(f"{plant}: there is no such folder; name the plant folder", WRONG)
    book = VersionBook(plant)
    try:
        return book, book.history()
    except (LogBroken, OSError) as error:
        fail(error, WRONG)


def named(history: History, beginning: str) -> str:
    """The one version whose name begins so."""
    found = [name for name in history.versions if name.startswith(beginning)]
    if not found:
        hint = suggest(beginning, history.versions) or "; `uns-bridge rules versions` lists them"
        fail(f"no version begins with {beginning}{hint}", WRONG)
    if len(found) > 1:
        fail(f"{beginning} is the beginning of {' and of '.join(found)}; give more of it", WRONG)
    return found[0]


def _told(backtest: Backtest | None) -> str:
    return "" if backtest is None else f"+{backtest.added} -{backtest.removed} ~{backtest.changed}"


def _as_json(one: Version, history: History) -> dict[str, Any]:
    return {**asdict(one), "in_shadow": history.shadow == one.version}
