"""The rule tests of a plant folder: its files `rules/*_test.yaml`, read and run."""

from __future__ import annotations

from typing import Final

from bridge.errors import ConfigError
from bridge.plant import RULES_FOLDER, Plant
from bridge.rule_tests.site import SiteUnderTest
from ruleset.problem import Problem, Problems
from ruleset.rules import Rules
from ruleset.testing.case import RuleTest
from ruleset.testing.read import read_tests
from ruleset.testing.run import Ran, plant_of, run

TESTS: Final = "*_test.yaml"


def load_tests(plant: Plant) -> tuple[RuleTest, ...]:
    """All tests of a folder. Raises `ConfigError` with every problem of every test file."""
    problems = Problems()
    files: dict[str, str] = {}
    for path in sorted((plant.folder / RULES_FOLDER).glob(TESTS)):
        name = f"{RULES_FOLDER}/{path.name}"
        try:
            files[name] = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            problems.add(Problem(file=name, text="not UTF-8; save the file as UTF-8"))
        except OSError as error:
            problems.add(Problem(file=name, text=f"cannot be read: {error.strerror}"))
    tests = read_tests(files, plant.rules, plant.assets, problems)
    if len(problems):
        raise ConfigError(problems.all)
    return tests


def run_test(test: RuleTest, plant: Plant, rules: Rules) -> Ran:
    """What comes of a test. `rules` are those of the plant, perhaps watched."""
    own, assets = plant_of(test, rules, plant.assets)
    site = SiteUnderTest(own, assets, grace_ms=plant.settings.limits.stale_grace_ms)
    return run(test, assets, site)
