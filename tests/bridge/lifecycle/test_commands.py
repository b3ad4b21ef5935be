"""The commands of a version's life: who is let through, what is printed, and which code they end with."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import msgspec
import pytest
from argon2 import PasswordHasher
from typer.testing import CliRunner, Result

from bridge.__main__ import app
from bridge.core.input import Shadowed, Started, Tick, UnsDocument
from bridge.core.site import restore, take_changes
from bridge.lifecycle.book import VersionBook
from bridge.lifecycle.live import load_live, load_version
from bridge.lifecycle.people import Role, write_person
from bridge.pipeline import step
from bridge.plant import PEOPLE_FILE, Plant, load_plant
from bridge.wiring import new_core, open_store
from state.audit import log_files, read_lines
from state.record import Commit
from tests.bridge.commands.floor import plant_on
from tests.servers import Redis

SECRETS = {"anna": "annas long secret", "ben": "bens long secret", "olga": "olgas long secret"}
ROLES = {"anna": [Role.AUTHOR], "ben": [Role.AUTHOR, Role.APPROVER], "olga": [Role.OPERATOR]}
QUICK = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
HASHES = {name: QUICK.hash(secret) for name, secret in SECRETS.items()}
STARTED = "event: work_started\n"
START_MS = 1_700_000_000_000
WHY = ("--reason", "as agreed")
TEST = """\
- test: a work order that starts on the floor is started
  rule: work-started
  asset: packaging/line-1
  events: [{at: 1m, work_started: {order: mo-1, work_order: wo-1}}]
  expect: [{do: workorder.start, order: mo-1, work_order: wo-1, at: 1m}]
"""


@pytest.fixture
def plant(tmp_path: Path, redis_server: Redis) -> Path:
    folder = plant_on(tmp_path, redis_server)
    for file in folder.glob("rules/*_test.yaml"):
        file.unlink()
    (folder / "rules" / "start_test.yaml").write_text(TEST)
    for name, roles in ROLES.items():
        write_person(folder / PEOPLE_FILE, name, roles, HASHES[name])
    return folder


def run(*arguments: str | Path, secret: str | None = None) -> Result:
    env = {"UNS_BRIDGE_SECRET": secret, "COLUMNS": "200"}
    return CliRunner().invoke(app, list(map(str, arguments)), env=env)


def rules(command: str, plant: Path, *arguments: str, by: str, secret: str | None = None) -> Result:
    return run("rules", command, plant, *arguments, "--as", by, *WHY, secret=secret or SECRETS[by])


def proposed(plant: Path, by: str = "anna") -> str:
    result = rules("propose", plant, by=by)
    assert result.exit_code == 0, result.stderr
    return result.stdout.strip()


def released(plant: Path) -> str:
    version = proposed(plant)
    assert rules("approve", plant, version, "--without-backtest", by="ben").exit_code == 0
    assert rules("promote", plant, version, by="ben").exit_code == 0
    return version


def edit(plant: Path, before: str = STARTED, after: str = f"{STARTED}  when: 'true'\n") -> None:
    file = plant / "rules" / "production.yaml"
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))


def told(result: Result) -> tuple[int, str]:
    """How a command ended, and what it said of why."""
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stderr.strip()


def test_a_version_goes_from_the_draft_to_live_and_back_in_six_commands(plant: Path) -> None:
    first = released(plant)
    edit(plant)
    second = released(plant)
    listed = json.loads(run("rules", "versions", plant, "--json").stdout)
    assert (listed["live"], listed["folder"]) == (second, second)
    assert [(each["version"], each["standing"], each["author"], each["decided_by"]) for each in listed["versions"]] == [
        (first, "retired", "anna", "ben"),
        (second, "live", "anna", "ben"),
    ]
    result = rules("rollback", plant, by="olga")
    assert (result.exit_code, result.stdout) == (0, f"{second}: retired; live is {first}\n")
    listing = run("rules", "versions", plant).stdout
    assert f"the folder is {second}, retired" in listing
    assert "as agreed" in listing


def test_the_beginning_of_a_name_will_do(plant: Path) -> None:
    version = proposed(plant)
    result = rules("shadow", plant, version[:4], by="anna")
    assert (result.exit_code, result.stdout) == (
        0,
        f"{version}: proposed; live is the folder as it stands\n",
    )
    assert rules("end-shadow", plant, version[:4], by="anna").exit_code == 0


def test_a_wrong_secret_is_refused_and_nobody_is_told_whether_the_name_was_right(plant: Path) -> None:
    wrong = told(rules("propose", plant, by="anna", secret="somebody else's"))
    unknown = told(run("rules", "propose", plant, "--as", "ana", *WHY, secret="annas long secret"))
    assert wrong == (2, "anna is not known with this secret; `uns-bridge people list` shows the names")
    assert unknown == (2, "ana is not known with this secret; `uns-bridge people list` shows the names")
    assert not (plant / "versions").exists()


def test_without_a_secret_the_command_says_how_to_give_one(plant: Path) -> None:
    code, text = told(run("rules", "propose", plant, "--as", "anna", *WHY))
    assert (code, text.splitlines()[-1]) == (2, "no secret was given; programs give theirs in UNS_BRIDGE_SECRET")


def test_who_has_not_the_role_is_refused(plant: Path) -> None:
    version = proposed(plant)
    assert told(rules("approve", plant, version, "--without-backtest", by="anna")) == (
        1,
        "anna is no approver; `uns-bridge people list` shows who is",
    )


def test_nobody_approves_their_own_version(plant: Path) -> None:
    version = proposed(plant, by="ben")
    assert told(rules("approve", plant, version, "--without-backtest", by="ben")) == (
        1,
        f"ben wrote {version}; a second person must approve it",
    )


def test_what_nobody_has_tried_on_a_recording_is_approved_only_knowingly(plant: Path) -> None:
    version = proposed(plant)
    code, text = told(rules("approve", plant, version, by="ben"))
    assert (code, text.partition(":")[0]) == (1, f"nobody has seen what {version} would have posted")
    assert rules("approve", plant, version, "--without-backtest", by="ben").exit_code == 0
    (line,) = [each for each in log_of(plant) if each["kind"] == "rules.approved"]
    assert line["fields"] == {"version": version, "reason": "as agreed", "without_backtest": True}


def test_an_unknown_version_gets_a_suggestion_and_an_ambiguous_one_all_that_it_may_be(plant: Path) -> None:
    first = proposed(plant)
    mistyped = f"{first[:-1]}x"
    assert told(rules("reject", plant, mistyped, by="ben")) == (
        2,
        f'no version begins with {mistyped}; did you mean "{first}"?',
    )
    edit(plant)
    second = proposed(plant)
    assert told(rules("reject", plant, "", by="ben")) == (
        2,
        f" is the beginning of {first} and of {second}; give more of it".strip(),
    )


def test_a_folder_without_rule_tests_is_not_proposed(plant: Path) -> None:
    for file in plant.glob("rules/*_test.yaml"):
        file.unlink()
    assert told(rules("propose", plant, by="anna")) == (
        1,
        "the folder has no rule test; docs/rule-tests.md tells how one is written",
    )


def test_a_folder_whose_rule_tests_fail_is_not_proposed(plant: Path) -> None:
    edit(plant, STARTED, f"{STARTED}  when: work_started.work_order != 'wo-1'\n")
    code, text = told(rules("propose", plant, by="anna"))
    assert (code, "rule tests fail; `uns-bridge rules test` says why" in text) == (1, True)


def test_a_folder_that_is_not_clean_is_not_proposed(plant: Path) -> None:
    edit(plant, "do: workorder.start", "do: workorder.begin")
    code, text = told(rules("propose", plant, by="anna"))
    assert (code, text.partition(":")[0]) == (2, "rules/production.yaml")


def test_a_log_that_somebody_changed_stops_every_command(plant: Path) -> None:
    version = released(plant)
    log = plant / "versions" / "audit.jsonl"
    log.write_text(log.read_text().replace('"by":"ben"', '"by":"eve"', 1))
    for result in (
        rules("promote", plant, version, by="ben"),
        rules("rollback", plant, by="olga"),
        run("rules", "versions", plant),
        run("rules", "difference", plant),
    ):
        code, text = told(result)
        assert (code, "it was changed after it was written" in text) == (2, True)


def test_a_version_whose_texts_somebody_changed_is_not_promoted_and_can_be_taken_from_git(plant: Path) -> None:
    version = proposed(plant)
    assert rules("approve", plant, version, "--without-backtest", by="ben").exit_code == 0
    file = plant / "versions" / version / "codes.yaml"
    text = file.read_bytes()
    file.write_bytes(b"\xff")
    code, said = told(rules("promote", plant, version, by="ben"))
    assert (code, f"its files are not those that were proposed as {version}" in said) == (2, True)
    file.write_bytes(text)
    assert rules("promote", plant, version, by="ben").exit_code == 0


def test_where_nobody_is_live_nothing_is_rolled_back(plant: Path) -> None:
    assert told(rules("rollback", plant, by="olga")) == (1, "no version is live: the folder runs as it stands")
    first = released(plant)
    assert told(rules("rollback", plant, by="olga")) == (1, f"no version was live before {first}")


def test_an_empty_reason_is_refused(plant: Path) -> None:
    result = run("rules", "propose", plant, "--as", "anna", "--reason", " ", secret=SECRETS["anna"])
    assert told(result) == (1, "the reason must say why")


def test_a_folder_that_is_not_there_is_said_by_every_command(tmp_path: Path) -> None:
    nowhere = tmp_path / "plnat"
    for result in (run("rules", "versions", nowhere), run("people", "list", nowhere)):
        assert told(result) == (2, f"{nowhere}: there is no such folder; name the plant folder")


def test_secrets_are_neither_printed_nor_kept(plant: Path) -> None:
    version = proposed(plant)
    results = [
        rules("approve", plant, version, "--without-backtest", by="ben"),
        rules("promote", plant, version, by="anna"),
        rules("promote", plant, version, by="ben"),
        run("rules", "versions", plant),
        run("people", "list", plant),
        run("people", "list", plant, "--json"),
    ]
    texts = [each.output for each in results] + [
        file.read_text() for file in plant.rglob("*") if file.is_file() and file.suffix != ".secret"
    ]
    assert [secret for secret in SECRETS.values() if any(secret in text for text in texts)] == []
    assert [hash for hash in HASHES.values() if any(hash in each.output for each in results)] == []


def test_people_are_added_listed_given_another_secret_and_removed(plant: Path) -> None:
    added = run("people", "add", plant, "build-server", "--role", "author", "--token")
    token = added.stdout.strip()
    assert (added.exit_code, len(token)) == (0, 32), added.stderr
    assert proposed_with(plant, "build-server", token) == 0
    edit(plant)
    renewed = run("people", "secret", plant, "build-server", "--token").stdout.strip()
    assert (proposed_with(plant, "build-server", token), proposed_with(plant, "build-server", renewed)) == (2, 0)
    assert run("people", "remove", plant, "build-server").exit_code == 0
    listed = json.loads(run("people", "list", plant, "--json").stdout)
    assert listed == [{"name": name, "roles": sorted(roles)} for name, roles in ROLES.items()]


def test_names_of_people_that_are_mistyped_get_suggestions(plant: Path) -> None:
    for command in (("remove", "ann"), ("secret", "ann", "--token")):
        name, *options = command[1:]
        said = told(run("people", command[0], plant, name, *options))
        assert said == (2, f'{plant / PEOPLE_FILE} does not have ann; did you mean "anna"?')


def test_a_person_without_a_secret_or_with_a_bad_name_is_not_added(plant: Path) -> None:
    code, text = told(run("people", "add", plant, "zoe", "--role", "author"))
    assert (code, text.splitlines()[-1]) == (2, "no secret was given; --token makes one")
    code, text = told(run("people", "add", plant, "Zoe Z", "--role", "author", "--token"))
    assert (code, text.partition(":")[0]) == (2, '"Zoe Z" cannot be a name')


def test_a_file_of_people_that_is_wrong_is_said_with_its_place(plant: Path) -> None:
    file = plant / PEOPLE_FILE
    file.write_text(file.read_text().replace("approver", "aprover"))
    code, text = told(run("people", "list", plant))
    assert (code, text) == (2, 'people.yaml:7:5: "aprover" is not possible here; did you mean "approver"?')


def test_what_a_version_in_shadow_finds_is_told_by_rule_order_and_fact(plant: Path) -> None:
    edit(plant, STARTED, f"{STARTED}  when: work_started.work_order != 'wo-2'\n")
    assert told(run("rules", "difference", plant)) == (
        2,
        "no version runs in shadow; `uns-bridge rules shadow` lets one",
    )
    version = proposed(plant)
    assert rules("shadow", plant, version, by="anna").exit_code == 0
    code, text = told(run("rules", "difference", plant))
    assert (code, "no bridge has run it yet" in text) == (2, True)
    edit(plant, "  when: work_started.work_order != 'wo-2'\n", "")
    asyncio.run(shadowed(load_plant(plant), load_version(plant, VersionBook(plant).history(), version)))
    data = json.loads((result := run("rules", "difference", plant, "--json")).stdout)
    assert result.exit_code == 1
    counts = {name: data[name] for name in ("version", "live", "agreed", "added", "removed", "changed", "postings")}
    assert counts == {
        "version": version,
        "live": None,
        "agreed": 1,
        "added": 0,
        "removed": 1,
        "changed": 0,
        "postings": {"before": 2, "after": 1},
    }
    (fact,) = data["facts"]
    assert (fact["change"], fact["rule"], fact["before"]["content"]["work_order"], fact["after"]) == (
        "removed",
        "work-started",
        "wo-2",
        None,
    )
    shown = run("rules", "difference", plant).stdout
    assert "1 facts agreed, 0 added, 1 removed, 0 changed" in shown
    assert "work_order wo-2" in shown
    assert "work_order wo-2" not in (less := run("rules", "difference", plant, "--limit", "0").stdout)
    assert "and 1 more; --limit says how many are told" in less


async def shadowed(live: Plant, other: Plant) -> None:
    """A bridge ran one version beside the other, while two work orders were started."""
    core, now_ms = new_core(live), START_MS
    step(core, Started(), now_ms)
    step(core, Tick(), now_ms := now_ms + 1_000_000)
    step(core, Shadowed(other.content), now_ms)
    for number in ("1", "2"):
        document = {"id": number, "at": "2023-11-14T22:30:00Z", "order": "mo-1", "work_order": f"wo-{number}"}
        topic = f"uns/v1/{live.assets.path}/packaging/line-1/work_started"
        step(core, UnsDocument(topic, msgspec.json.encode(document)), now_ms)
    store = open_store(live)
    lease = await store.acquire("gone", 1_000)
    assert lease is not None
    await store.commit(lease, Commit(number=1, puts=take_changes(core)))
    await store.release(lease)
    await store.close()


def proposed_with(plant: Path, name: str, secret: str) -> int:
    return run("rules", "propose", plant, "--as", name, *WHY, secret=secret).exit_code


def log_of(plant: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (plant / "versions" / "audit.jsonl").read_text().splitlines()]


async def run_once(plant: Path) -> None:
    """What a bridge commits that starts on the folder as it is now."""
    live, store = load_live(plant), open_store(load_live(plant))
    core, stored = new_core(live), await store.load()
    restore(core, stored.records)
    step(core, Started(), START_MS)
    lease = await store.acquire("gone", 1_000)
    assert lease is not None
    await store.commit(lease, Commit(number=stored.number + 1, puts=take_changes(core)))
    await store.release(lease)
    await store.close()


def test_a_bridge_whose_versions_are_lost_starts_again_when_an_approver_says_so_and_why(plant: Path) -> None:
    version = released(plant)
    asyncio.run(run_once(plant))
    shutil.rmtree(plant / "versions")
    result = rules("forget-live", plant, by="ben")
    assert (result.exit_code, result.stdout) == (
        0,
        f"forgotten that {version} was live; the bridge begins with the folder as it stands\n",
    )
    (line,) = read_lines(*log_files(plant / "data" / "audit.jsonl"))
    assert (line.kind, line.by) == ("rules.live_forgotten", "ben")
    assert line.fields == {"version": version, "line": 3, "reason": "as agreed"}
    assert told(rules("forget-live", plant, by="ben")) == (1, "the store knows of no version that was live")


def test_what_was_live_is_forgotten_by_approvers_only_with_a_reason_and_while_no_bridge_runs(plant: Path) -> None:
    released(plant)
    asyncio.run(run_once(plant))
    assert told(rules("forget-live", plant, by="anna")) == (
        1,
        "anna is no approver; `uns-bridge people list` shows who is",
    )
    silent = run("rules", "forget-live", plant, "--as", "ben", "--reason", " ", secret=SECRETS["ben"])
    assert told(silent) == (1, "the reason must say why")

    async def lead() -> None:
        store = open_store(load_live(plant))
        assert await store.acquire("a bridge that runs", 60_000) is not None
        await store.close()

    asyncio.run(lead())
    assert told(rules("forget-live", plant, by="ben")) == (
        1,
        "a bridge runs on this site; stop it, and its standby, first",
    )
    assert not (plant / "data" / "audit.jsonl").exists()
