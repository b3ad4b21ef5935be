"""A recorded day through two versions of the rules: exactly what they would have posted differently, and why."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import dropwhile
from multiprocessing import active_children
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner, Result

from bench.recorded import START_MS, Days, inputs, record, write_plant
from bridge.__main__ import app
from bridge.commands.rules.difference import why
from bridge.core.input import HostConnected, Input, Started
from bridge.lifecycle.backtest import Backtest, backtest, compared
from bridge.lifecycle.book import VersionBook
from bridge.lifecycle.difference import Change
from bridge.lifecycle.history import Backtest as Attached
from bridge.lifecycle.people import Person, Role, write_person
from bridge.lifecycle.side import BATCH, decided, deciding
from bridge.plant import PEOPLE_FILE, Content, Plant, Release, content_of
from bridge.recording.about import about
from bridge.recording.errors import RecordingError
from bridge.recording.folder import Bounds, RecordingFolder
from bridge.recording.reader import files_in, read
from bridge.recording.rerun import postings, rerun
from bridge.recording.span import Mirror, Span
from bridge.settings.secret import hash_secret
from ruleset.trace.trace import Outcome, Trace

DAYS = Days(devices=5, days=0.1, every_ms=30_000)
BOUNDS = Bounds(max_file=10**8, max_total=10**9, max_age_ms=1_800_000)
HALF_MS = START_MS + round(DAYS.days * 86_400_000) // 2
SECRET = "annas long secret"


@dataclass(frozen=True, slots=True)
class Day:
    """A plant whose version is `before`, and the files of its recorded day."""

    plant: Plant
    files: tuple[Path, ...]
    posted_before: dict[str, bytes] = field(default_factory=dict)

    def changed(self, *edits: tuple[str, str], name: str = "after") -> Content:
        """Another version, in which these words of the files are others."""
        texts = dict(self.plant.content.texts)
        for before, after in edits:
            assert any(before in text for text in texts.values())
            texts = {file: text.replace(before, after) for file, text in texts.items()}
        return content_of(texts, Release(version=name, author="", approved_by=""))

    def tested(self, after: Content, files: Iterable[Path] | None = None) -> Backtest:
        """Both sides here: to begin a process takes longer than the day."""
        files = tuple(self.files if files is None else files)
        sides = self.plant, replace(self.plant, content=after)
        told = [decided(side, read(files)) for side in sides]
        return compared((self.plant.content, after), (told[0], told[1]))

    def posted(self, content: Content) -> Mapping[str, bytes]:
        """What a run with this content alone posts of facts that do not grow."""
        if content is self.plant.content and self.posted_before:
            return self.posted_before
        run = rerun(replace(self.plant, content=content), read(self.files), as_recorded=False)
        found = (each.entry for each in postings(run))
        return {
            entry.key: entry.body for entry in found if entry.action not in ("production.progress", "order.publish")
        }


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    home = tmp_path_factory.mktemp("day")
    plant = write_plant(home / "plant", DAYS.devices)
    record(plant, home / "recorded", DAYS)
    release = Release(version="before", author="", approved_by="")
    return Day(replace(plant, content=replace(plant.content, release=release)), files_in([home / "recorded"]))


def facts(found: Backtest, change: Change) -> set[str]:
    return {each.either.fact for each in found.difference.differing if each.change is change}


def test_a_version_that_says_the_same_posts_the_same(day: Day) -> None:
    found = day.tested(day.changed())
    assert found.difference.differing == ()
    assert found.difference.agreed > 20
    assert found.difference.postings_before == found.difference.postings_after > 500
    assert (found.before, found.after, found.from_ms, found.gaps, found.defects) == ("before", "after", START_MS, (), 0)


def test_longer_micro_stops_remove_exactly_the_stops_between_the_two_limits(day: Day) -> None:
    posted = [json.loads(body) for body in day.posted(day.plant.content).values()]
    stops = [each for each in posted if each.get("do") == "downtime.record"]
    short = {each["key"] for each in stops if each["ended_ms"] - each["started_ms"] < 300_000}

    found = day.tested(day.changed(("micro: 2m", "micro: 5m")))

    assert 0 < len(short) < len(stops)
    assert facts(found, Change.REMOVED) == short == {each.either.fact for each in found.difference.differing}


HIGHER = (("> 7.1", "> 8"),)
MICRO = ("micro: 2m", "micro: 1m")
LIMITS = ("> 7.1", "> 6.8"), ("< 5.5", "< 5")
OTHER_METRIC = (
    ("      spindle_rms: {metric: Spindle/RMS, type: number, unit: mm/s}\n", ""),
    ("Vibration/RMS", "Spindle/RMS"),
)
"""The metric tells nine tenths of the other."""


@pytest.mark.parametrize("edits", [(MICRO, *LIMITS), HIGHER, OTHER_METRIC])
def test_what_differs_is_what_two_runs_alone_post_differently(day: Day, edits: tuple[tuple[str, str], ...]) -> None:
    after = day.changed(*edits)
    before, alone = day.posted(day.plant.content), day.posted(after)

    found = day.tested(after)

    assert facts(found, Change.REMOVED) == before.keys() - alone.keys()
    assert facts(found, Change.ADDED) == alone.keys() - before.keys()
    assert found.difference.differing != ()


def test_when_a_total_is_posted_on_the_way_is_no_difference(day: Day) -> None:
    found = day.tested(day.changed(("every: 60s", "every: 10m"), (', or: "good >= 25"', "")))
    assert found.difference.differing == ()
    assert found.difference.postings_after < found.difference.postings_before / 5


def test_each_fact_that_differs_has_its_why(day: Day) -> None:
    found = day.tested(day.changed(("'unclassified'", "'setup'")))
    (changed, *_) = found.difference.differing
    assert {each.change for each in found.difference.differing} == {Change.CHANGED}
    assert changed.fields == ("loss",)
    assert isinstance(changed.why_before, Trace)
    assert isinstance(changed.why_after, Trace)
    assert "'unclassified'" in [check.text for check in changed.why_before.checks]
    assert "'setup'" in [check.text for check in changed.why_after.checks]


def test_a_fact_that_is_posted_no_more_says_what_the_rule_saw_instead(day: Day) -> None:
    found = day.tested(day.changed(*HIGHER))
    removed = [each for each in found.difference.differing if each.change is Change.REMOVED]
    assert len(removed) > 1
    for each in removed:
        assert isinstance(each.why_before, Trace)
        assert isinstance(each.why_after, Trace)
        (held,), (failed,) = each.why_before.checks[:1], each.why_after.checks[-1:]
        assert (held.text, held.answer) == ("vibration_rms > 7.1", True)
        assert (failed.text, failed.answer, failed.values) == ("vibration_rms > 8", False, held.values)


def test_a_fact_that_is_new_says_what_the_version_before_saw(day: Day) -> None:
    there, back = day.tested(day.changed(*HIGHER)), day.tested(day.changed(("micro: 2m", "micro: 1m")))
    assert [why(each, str).keys() for each in there.difference.differing] == [{"before", "after"}] * len(
        there.difference.differing
    )
    added = [each for each in back.difference.differing if each.change is Change.ADDED]
    assert len(added) > 1
    assert {each.why_before.outcome for each in added if isinstance(each.why_before, Trace)} == {Outcome.TOO_SHORT}
    assert why(added[0], lambda ms: "then")["before"].startswith("not posted: then it held, but too short: ")


def test_where_the_rule_is_gone_the_difference_says_so(day: Day) -> None:
    found = day.tested(day.changed(("- rule: spindle-vibration", "- rule: shaking")))
    removed = [each for each in found.difference.differing if each.change is Change.REMOVED]
    assert len(removed) > 1
    assert {why(each, str)["after"] for each in removed} == {
        f"not any more: no rule spindle-vibration looks at {each.either.equipment}" for each in removed
    }


def in_two_runs(day: Day, folder: Path) -> tuple[Path, ...]:
    """The day with a restart of the bridge in its midst."""
    whole = list(inputs(day.plant, DAYS))
    first = [each for each in whole if each[0] < HALF_MS]
    again: list[tuple[int, Input]] = [(HALF_MS, Started()), (HALF_MS, HostConnected())]
    second = [*again, *dropwhile(lambda each: each[0] < HALF_MS, whole)]
    number = 0
    for span in (first, second):
        files = RecordingFolder(folder, BOUNDS, about(day.plant), Mirror(number, {}))
        for at in range(0, len(span), 100):
            number += 1
            files.write([Span(number=number, inputs=span[at : at + 100], changes={})])
        files.finish()
    return files_in([folder])


def test_a_backtest_goes_on_over_a_restart_of_the_bridge(day: Day, tmp_path: Path) -> None:
    files, after = in_two_runs(day, tmp_path), day.changed(("micro: 2m", "micro: 5m"))
    found = day.tested(after, files)
    assert found.gaps == ()
    assert facts(found, Change.REMOVED) == facts(day.tested(after), Change.REMOVED)
    assert found.difference.count(Change.ADDED) == found.difference.count(Change.CHANGED) == 0


def test_what_is_missing_in_a_recording_is_said_and_is_no_difference(day: Day, tmp_path: Path) -> None:
    files = in_two_runs(day, tmp_path)
    found = day.tested(day.changed(), [*files[:1], *files[2:]])
    assert [gap.reason for gap in found.gaps] == [f"files are missing between {files[0].name} and {files[2].name}"]
    assert found.difference.differing == ()


# -- in two processes


def text_of(found: Backtest) -> bytes:
    return msgspec.json.encode(found)


def test_versions_in_processes_of_their_own_decide_the_same(day: Day) -> None:
    after, advanced = day.changed(("micro: 2m", "micro: 5m")), list[int]()
    found = backtest(day.plant, after, day.files, advanced.append)
    assert text_of(found) == text_of(day.tested(after))
    assert sum(advanced) == sum(path.stat().st_size for path in day.files)
    assert len(advanced) == found.inputs // BATCH + 1


def test_a_process_that_is_ended_from_outside_ends_the_backtest_with_a_sentence(day: Day) -> None:
    with deciding(day.plant, day.files, {}) as told:
        (process,) = active_children()
        process.kill()
        with pytest.raises(RecordingError, match="was ended from outside"):
            list(told)


def test_a_process_that_fails_by_itself_is_not_said_to_be_ended_from_outside(day: Day) -> None:
    unreadable = replace(day.plant.content, texts={**day.plant.content.texts, "codes.yaml": "units: ["})
    with (
        deciding(replace(day.plant, content=unreadable), day.files, {}) as told,
        pytest.raises(RecordingError, match="failed with exit code 1; what it said stands above"),
    ):
        list(told)


def test_a_recording_of_another_site_is_refused_in_the_process_too(day: Day) -> None:
    texts = {name: text.replace("site: bench", "site: other") for name, text in day.plant.content.texts.items()}
    other = content_of(texts, Release(version="other", author="", approved_by=""))
    with pytest.raises(RecordingError, match=r"it is of the site acme/bench, and the plant folder of acme/other"):
        backtest(replace(day.plant, content=other), other, day.files)


# -- the command


def run(*words: object, secret: str = SECRET) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], env={"UNS_BRIDGE_SECRET": secret, "COLUMNS": "200"})


@pytest.fixture
def folder(day: Day, tmp_path: Path) -> Path:
    """A plant folder that says of micro-stops something else than the recording."""
    plant = write_plant(tmp_path / "plant", DAYS.devices)
    rules = plant.folder / "rules" / "plant.yaml"
    rules.write_text(rules.read_text().replace("micro: 2m", "micro: 5m"))
    write_person(plant.folder / PEOPLE_FILE, "anna", [Role.AUTHOR], hash_secret(SECRET))
    return plant.folder


def test_the_command_compares_the_folder_with_the_recording_and_writes_a_page(
    day: Day, folder: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    done = run("rules", "backtest", folder, "--recording", day.files[0].parent, "--limit", 2, "--page", page)
    removed = day.tested(day.changed(("micro: 2m", "micro: 5m"))).difference.count(Change.REMOVED)
    assert done.exit_code == 1
    assert f"0 added, {removed} removed, 0 changed" in done.stdout
    assert "a micro-stop is shorter than 2m" in done.stdout
    assert f"and {removed - 2} more" in done.stdout
    html = page.read_text()
    assert html.count("downtime.record") >= removed
    assert "<script" not in html
    assert "href=" not in html


def test_the_result_is_attached_to_a_version_that_is_proposed(day: Day, folder: Path) -> None:
    words = ("rules", "backtest", folder, "--recording", day.files[0], "--attach", "--as", "anna", "--reason", "seen")
    unproposed = run(*words)
    book = VersionBook(folder)
    version = book.propose(Person(name="anna", roles=frozenset({Role.AUTHOR}), hash=""), "fewer stops", 3, START_MS)
    wrong = run(*words, secret="a wrong secret")
    attached = run(*words)
    kept = book.history().versions[version].backtest
    assert (unproposed.exit_code, wrong.exit_code, attached.exit_code) == (1, 2, 1)
    assert "propose it first" in unproposed.stderr
    assert isinstance(kept, Attached)
    assert (kept.added, kept.changed, kept.removed > 0) == (0, 0, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--attach",), "say who you are with --as"),
        (("--against", "abc"), "no version begins with abc"),
        (("--recording", "nowhere.mcap"), "nowhere.mcap: cannot be read"),
    ],
)
def test_wrong_use_is_told(day: Day, folder: Path, words: tuple[str, ...], told: str) -> None:
    done = run("rules", "backtest", folder, "--recording", day.files[0], *words)
    assert (done.exit_code, told in done.stderr) == (2, True)


@pytest.mark.slow
async def test_the_same_recording_and_versions_give_the_same_text_in_every_process(day: Day, folder: Path) -> None:
    texts = []
    for seed in ("1", "2"):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bridge", "rules", "backtest", str(folder), "--json"),
            *("--recording", str(day.files[0].parent), "--limit", "1000"),
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        told, _ = await process.communicate()
        assert process.returncode == 1
        texts.append(told)
    assert texts[0] == texts[1]
    assert json.loads(texts[0])["removed"] > 0
