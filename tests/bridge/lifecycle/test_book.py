"""The life of a version: who may do what when, what becomes live, and that the log cannot be rewritten."""

from __future__ import annotations

import json
import shutil
from importlib.resources import files
from itertools import count
from pathlib import Path

import pytest

from bridge.errors import ConfigError
from bridge.lifecycle.book import LogBroken, Refused, VersionBook
from bridge.lifecycle.content import texts_of, version_of
from bridge.lifecycle.history import Standing, Step
from bridge.lifecycle.live import as_it_runs, load_live
from bridge.lifecycle.people import Person, Role
from bridge.plant import load_plant

DEMO = Path(str(files("bridge.demo") / "plant"))
ANNA = Person("anna", frozenset({Role.AUTHOR}), "")
BEN = Person("ben", frozenset({Role.AUTHOR, Role.APPROVER}), "")
OLGA = Person("olga", frozenset({Role.OPERATOR}), "")
NOW = count(1_000)


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    folder = tmp_path / "plant"
    shutil.copytree(DEMO, folder)
    return folder


@pytest.fixture
def book(plant: Path) -> VersionBook:
    return VersionBook(plant)


def edit(plant: Path, limit: str) -> None:
    """Another draft."""
    file = plant / "rules/production.yaml"
    file.write_text(file.read_text() + f"# limit {limit}\n")


def propose(book: VersionBook, who: Person = ANNA) -> str:
    return book.propose(who, "a better limit", 12, next(NOW))


def act(book: VersionBook, step: Step, version: str, who: Person = BEN) -> None:
    book.act(step, who, version, "looks right", next(NOW))


def released(book: VersionBook) -> str:
    version = propose(book)
    act(book, Step.APPROVE, version)
    act(book, Step.PROMOTE, version)
    return version


def test_a_version_becomes_live_once_a_second_person_approved_it(book: VersionBook, plant: Path) -> None:
    assert load_live(plant).release is None
    version = propose(book)
    with pytest.raises(Refused, match=f"{version} is proposed; what is promoted must be approved"):
        act(book, Step.PROMOTE, version)
    act(book, Step.APPROVE, version)
    act(book, Step.PROMOTE, version)
    release = load_live(plant).release
    assert release is not None
    assert (release.version, release.author, release.approved_by) == (version, "anna", "ben")


def test_nobody_approves_what_they_wrote(book: VersionBook) -> None:
    version = propose(book, BEN)
    with pytest.raises(Refused, match=f"ben wrote {version}; a second person must approve it"):
        act(book, Step.APPROVE, version)


def test_who_has_not_the_role_is_refused_and_nothing_is_written(book: VersionBook, plant: Path) -> None:
    with pytest.raises(Refused, match="olga is no author"):
        propose(book, OLGA)
    assert list((plant / "versions").iterdir()) == [plant / "versions/.lock"]
    version = propose(book)
    with pytest.raises(Refused, match="anna is no approver"):
        act(book, Step.APPROVE, version, ANNA)
    assert book.history().versions[version].standing is Standing.PROPOSED


def test_the_draft_can_be_edited_while_another_version_is_live(book: VersionBook, plant: Path) -> None:
    released(book)
    before = load_live(plant).rule_files
    edit(plant, "8")
    assert load_live(plant).rule_files == before
    assert load_plant(plant).rule_files != before


def test_one_step_takes_the_live_version_back_and_an_operator_may_take_it(book: VersionBook, plant: Path) -> None:
    first = released(book)
    edit(plant, "8")
    second = released(book)
    act(book, Step.ROLL_BACK, second, OLGA)
    history = book.history()
    assert (history.live, history.versions[second].standing) == (first, Standing.RETIRED)
    with pytest.raises(Refused, match=f"no version was live before {first}"):
        act(book, Step.ROLL_BACK, first, OLGA)
    act(book, Step.PROMOTE, second)
    assert book.history().live == second


def test_what_runs_in_shadow_is_one_version_and_never_the_live_one(book: VersionBook, plant: Path) -> None:
    first = released(book)
    with pytest.raises(Refused, match=f"{first} is live"):
        act(book, Step.SHADOW, first)
    edit(plant, "8")
    second = propose(book)
    act(book, Step.SHADOW, second, ANNA)
    assert book.history().shadow == second
    act(book, Step.APPROVE, second)
    act(book, Step.PROMOTE, second)
    assert (book.history().live, book.history().shadow) == (second, None)


def test_the_same_content_is_one_version_and_is_proposed_once(book: VersionBook) -> None:
    version = propose(book)
    with pytest.raises(Refused, match=f"{version} was proposed already, by anna; it is proposed"):
        propose(book, BEN)
    act(book, Step.REJECT, version)
    assert propose(book, BEN) == version
    assert book.history().versions[version].author == "ben"


def test_a_version_has_the_name_of_what_decides_whatever_its_tests_say(plant: Path) -> None:
    before = version_of(texts_of(plant))
    tests = plant / "rules/production_test.yaml"
    tests.write_text(tests.read_text() + "# another test\n")
    assert version_of(texts_of(plant)) == version_of(load_plant(plant).content.texts) == before
    edit(plant, "8")
    assert version_of(texts_of(plant)) != before


def test_an_act_without_a_reason_is_refused(book: VersionBook) -> None:
    with pytest.raises(Refused, match="the reason must say why"):
        book.propose(ANNA, "  ", 12, next(NOW))


def test_a_log_in_which_another_approver_was_written_is_refused(book: VersionBook, plant: Path) -> None:
    released(book)
    log = plant / "versions/audit.jsonl"
    log.write_text(log.read_text().replace('"by":"ben"', '"by":"eve"', 1))
    with pytest.raises(LogBroken, match="it was changed after it was written"):
        book.history()
    with pytest.raises(ConfigError, match="it was changed after it was written"):
        load_live(plant)


def test_a_kept_version_that_was_edited_does_not_run(book: VersionBook, plant: Path) -> None:
    version = released(book)
    file = plant / "versions" / version / "codes.yaml"
    file.write_text(file.read_text() + "\n# more\n")
    with pytest.raises(ConfigError, match=f"not those that were proposed as {version}"):
        load_live(plant)


def test_each_line_of_the_log_names_who_what_and_why(book: VersionBook, plant: Path) -> None:
    version = released(book)
    lines = [json.loads(line) for line in (plant / "versions/audit.jsonl").read_text().splitlines()]
    assert [(line["kind"], line["by"], line["fields"]) for line in lines] == [
        ("rules.proposed", "anna", {"version": version, "reason": "a better limit", "tests": 12}),
        ("rules.approved", "ben", {"version": version, "reason": "looks right"}),
        ("rules.promoted", "ben", {"version": version, "reason": "looks right"}),
    ]


def test_what_the_bridge_runs_decides_while_it_has_not_taken_up_the_live_version(
    plant: Path, book: VersionBook
) -> None:
    runs = released(book)
    edit(plant, "7")
    live = released(book)
    runs_it, said = as_it_runs(load_live(plant), runs)
    assert (runs_it.release and runs_it.release.version, "limit 7" in str(runs_it.rule_files)) == (runs, False)
    assert said == (
        f"decided by {runs}, which the bridge runs; it has not taken up {live}, which {plant} has: "
        "start it again if that lasts"
    )
    taken_up = load_live(plant)
    assert as_it_runs(taken_up, live) == (taken_up, "")


def test_where_what_runs_is_not_kept_the_folder_decides_and_that_is_said(plant: Path, book: VersionBook) -> None:
    folder = load_live(plant)
    as_it_is, said = as_it_runs(folder, "never released")
    assert (as_it_is, said.startswith(f"decided by {plant} as it is now, while the bridge runs what")) == (folder, True)
