"""The house rules that no linter knows: sizes, names, and that the commands and the dependencies are as told."""

from __future__ import annotations

import ast
import configparser
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("sparkplug", "ruleset", "state", "odoo_adapter", "bridge")
LONGEST_MODULE = 400
MOST_MODULES = 14
FORBIDDEN_NAMES = {"utils.py", "util.py", "helpers.py", "helper.py", "common.py", "misc.py"}


def is_generated(path: Path) -> bool:
    return path.stem.endswith("_pb2")


def modules(*folders: str) -> list[Path]:
    """The Python files of our packages or tests, without generated ones."""
    return sorted(path for name in folders for path in (ROOT / name).rglob("*.py") if not is_generated(path))


def setup_cfg() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def test_modules_stay_under_400_lines() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in modules(*PACKAGES, "tests")}
    assert {name: length for name, length in lengths.items() if length >= LONGEST_MODULE} == {}


def test_a_folder_has_at_most_fourteen_modules() -> None:
    counts: dict[str, int] = {}
    for path in modules(*PACKAGES):
        if path.name != "__init__.py":
            folder = str(path.parent.relative_to(ROOT))
            counts[folder] = counts.get(folder, 0) + 1
    assert {folder: count for folder, count in counts.items() if count > MOST_MODULES} == {}


def test_modules_are_named_for_what_they_own() -> None:
    assert [path for path in modules(*PACKAGES, "tests") if path.name in FORBIDDEN_NAMES] == []


def test_every_module_says_what_it_is() -> None:
    assert [
        str(path.relative_to(ROOT))
        for path in modules(*PACKAGES)
        if ast.get_docstring(ast.parse(path.read_text())) is None
    ] == []


def test_the_version_is_in_one_place() -> None:
    version = setup_cfg()["metadata"]["version"]
    pattern = re.compile(rf"""["']{re.escape(version)}["']""")
    assert [path for path in modules(*PACKAGES) if pattern.search(path.read_text())] == []


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "compose/README.md"])
def test_the_make_commands_that_a_page_names_exist(page: str) -> None:
    text = (ROOT / page).read_text()
    named = set(re.findall(r"(?:^|[`\s])make ([a-z][a-z-]*)", "\n".join(re.findall(r"`[^`]+`|^ {4}.*$", text, re.M))))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert named - targets == set()


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_the_links_of_the_pages_lead_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "compose/README.md", *(ROOT / "docs").rglob("*.md")]
    broken = []
    for page in pages:
        for link in re.findall(r"\]\((?![a-z]+:)([^)\s#]*)(?:#([^)\s]+))?\)", page.read_text()):
            target = page.parent / link[0] if link[0] else page
            if not target.exists() or (link[1] and link[1] not in anchors(target)):
                broken.append((str(page.relative_to(ROOT)), "#".join(link)))
    assert broken == []


def test_make_help_lists_the_commands() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    commands = [
        "help",
        "demo",
        "chaos",
        "test",
        "check",
        "lint",
        "fuzz",
        "faults",
        "mutations",
        "outage",
        "test-browser",
        "test-burst",
        "test-odoo",
        "bench",
        "bench-odoo",
        "bench-tables",
    ]
    assert re.findall(r"make ([a-z-]+) ", listed) == commands


def test_the_command_is_the_one_that_is_promised() -> None:
    scripts = setup_cfg()["options.entry_points"]["console_scripts"].split("\n")
    assert [line for line in scripts if line] == ["uns-bridge = bridge.__main__:main"]


def imported(paths: list[Path]) -> set[str]:
    """The top-level names that modules import from outside of the standard library and of ours."""
    names: set[str] = set()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(".".join(node.module.split(".")[:2]) if node.module.startswith("ruamel") else node.module)
    names = {name if name.startswith("ruamel") else name.split(".")[0] for name in names}
    return names - set(sys.stdlib_module_names) - {*PACKAGES, "bench", "tests"}


def declared(*sections: str) -> set[str]:
    """The distributions that setup.cfg asks for."""
    parser = setup_cfg()
    texts = [parser["options"]["install_requires"], *(parser["options.extras_require"][name] for name in sections)]
    lines = [line for text in texts for line in text.split("\n") if line]
    return {re.split(r"[\[<>=~! ]", line)[0].lower().replace("_", "-") for line in lines}


def distributions(names: set[str]) -> set[str]:
    """The distributions that bring these names; a name nobody brings stays as it is."""
    known = {**packages_distributions(), "ruamel.yaml": ["ruamel.yaml"], "google": ["protobuf"]}
    return {known.get(name, [name])[0].lower().replace("_", "-") for name in names}


def test_what_the_packages_import_is_declared() -> None:
    assert distributions(imported(modules(*PACKAGES))) - declared("demo", "client-lib") == set()


def test_what_the_tests_import_is_declared() -> None:
    """But for the drivers of other makers' edge nodes, which run in environments of their own."""
    ours = [path for path in modules("tests") if ROOT / "tests" / "foreign" / "drivers" not in path.parents]
    assert distributions(imported(ours)) - declared("demo", "test", "browser") == set()


def test_only_the_demo_and_the_foreign_client_import_what_only_they_install() -> None:
    own = {ROOT / "odoo_adapter" / "client" / "client_lib.py"}
    outside = [path for path in modules(*PACKAGES) if ROOT / "bridge" / "demo" not in path.parents and path not in own]
    assert distributions(imported(outside)) - declared() == set()


def test_nothing_is_declared_that_nobody_imports() -> None:
    assert declared() - distributions(imported(modules(*PACKAGES))) == set()


def test_the_constraints_name_every_distribution_that_is_declared() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in lines if "==" in line}
    assert declared("demo", "test", "browser") - pinned == set()
