"""`uns-bridge rules test PLANT [NAME...] [-k TEXT]`: run the rule tests of a plant folder on a virtual clock."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from bridge.commands.exit import FAILED, OK, WRONG, fail, write
from bridge.errors import ConfigError
from bridge.plant import Plant, load_plant
from bridge.rule_tests.folder import load_tests, run_test
from ruleset.problem import Problem, suggest
from ruleset.testing.case import RuleTest
from ruleset.testing.coverage import Coverage
from ruleset.testing.verdict import Verdict, judge, told


@dataclass(slots=True, kw_only=True)
class _Result:
    """What became of all tests that were run. `coverage` None: it was not asked for."""

    verdicts: list[Verdict] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    coverage: Coverage | None = None
    unreached: tuple[Problem, ...] = ()

    @property
    def failed(self) -> list[Verdict]:
        return [each for each in self.verdicts if not each.passed]

    @property
    def percent(self) -> float:
        return 100 * self.coverage.share if self.coverage is not None else 100.0


def command(
    plant: Annotated[Path, typer.Argument(help="The plant folder.")],
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Only tests of these rules or test files, or of these names."),
    ] = None,
    text: Annotated[str, typer.Option("-k", metavar="TEXT", help="Only tests whose name has this text.")] = "",
    coverage: Annotated[bool, typer.Option("--coverage", help="Say what of the rules no test reached.")] = False,
    fail_under: Annotated[
        float | None,
        typer.Option(min=0, max=100, metavar="PERCENT", help="Fail where the tests reach less of the rules."),
    ] = None,
    junit_file: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", dir_okay=False, help="Write a JUnit report.")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines.")] = False,
) -> None:
    """Run the tests of the rules; exit 0 all passed, 1 some failed, 2 something in the folder is wrong."""
    try:
        loaded = load_plant(plant)
        tests = _chosen(load_tests(loaded), loaded, names or [], text)
    except ConfigError as error:
        fail(error, WRONG)
    result = _run(tests, loaded, watch=coverage or fail_under is not None)
    if junit_file is not None:
        from ruleset.testing.junit import junit  # it takes an XML library along, and hardly anybody asks for it

        write(junit_file, junit(result.verdicts, result.seconds))
    if json_output:
        print(json.dumps(_as_json(result), indent=2))
    else:
        print(*_lines(result), sep="\n")
    enough = fail_under is None or result.percent >= fail_under
    if not enough:
        short = f"the tests reach {result.percent:.1f} % of the rules, less than {fail_under:g} %"
        print(short, file=sys.stderr)
    raise typer.Exit(OK if enough and not result.failed else FAILED)


def _chosen(tests: tuple[RuleTest, ...], plant: Plant, names: Sequence[str], text: str) -> list[RuleTest]:
    """The tests to run. Raises `ConfigError` where nothing is left of them."""
    folder = str(plant.folder)
    if not tests:
        raise ConfigError((Problem(file=folder, text="no file rules/*_test.yaml has a test; see docs/rule-tests.md"),))
    unknown = []
    for name in names:
        if not any(_is_named(test, name) for test in tests):
            known = {rule for test in tests for rule in test.rules} | {test.name for test in tests}
            near = suggest(name, sorted(known | {test.file for test in tests}))
            unknown.append(Problem(file=folder, text=f'no test is of a rule or file "{name}", or has that name{near}'))
    if unknown:
        raise ConfigError(tuple(unknown))
    chosen = [test for test in tests if not names or any(_is_named(test, name) for name in names)]
    chosen = [test for test in chosen if text.casefold() in test.name.casefold()]
    if not chosen:
        raise ConfigError((Problem(file=folder, text=f'no test has "{text}" in its name'),))
    return chosen


def _is_named(test: RuleTest, name: str) -> bool:
    return name in (test.name, test.file, Path(test.file).name) or name in test.rules


def _run(tests: Sequence[RuleTest], plant: Plant, *, watch: bool) -> _Result:
    result = _Result(coverage=Coverage() if watch else None)
    rules = result.coverage.watch(plant.rules) if result.coverage is not None else plant.rules
    for test in tests:
        began = perf_counter()
        ran = run_test(test, plant, rules)
        result.verdicts.append(judge(test, ran, plant.assets.path))
        result.seconds[test.name] = perf_counter() - began
        if result.coverage is not None:
            result.coverage.note(ran.came)
    if result.coverage is not None:
        result.unreached = result.coverage.unreached(plant.rules, plant.rule_files)
    return result


def _lines(result: _Result) -> Iterator[str]:
    for verdict in result.failed:
        yield f"{verdict.test.place}: FAILED {verdict.test.name}"
        yield from (f"    {line}" for line in told(verdict))
        yield ""
    for problem in result.unreached:
        yield str(problem)
    if result.coverage is not None:
        reached = len(result.coverage.points) - len(result.unreached)
        yield f"{reached} of {len(result.coverage.points)} branches of the rules reached ({result.percent:.1f} %)"
    count, failed = len(result.verdicts), len(result.failed)
    took = f"in {sum(result.seconds.values()):.2f} s"
    yield f"{count} test{'s' if count > 1 else ''}, " + (
        f"{failed} failed, {took}" if failed else f"all passed, {took}"
    )


def _as_json(result: _Result) -> dict[str, object]:
    tests = [
        {
            "name": each.test.name,
            "file": each.test.file,
            "line": each.test.line,
            "passed": each.passed,
            "seconds": round(result.seconds[each.test.name], 4),
            "why": list(told(each)),
        }
        for each in result.verdicts
    ]
    told_coverage = (
        {
            "branches": len(result.coverage.points),
            "percent": round(result.percent, 1),
            "unreached": [
                {"file": each.file, "line": each.line, "column": each.column, "text": each.text}
                for each in result.unreached
            ],
        }
        if result.coverage is not None
        else None
    )
    return {
        "passed": len(result.verdicts) - len(result.failed),
        "failed": len(result.failed),
        "tests": tests,
        **({"coverage": told_coverage} if told_coverage else {}),
    }
