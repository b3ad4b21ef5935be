"""`make mutations`: takes one guard after the other out of a copy of the code, and demands that its test fails.

Exit code 1 where a guard can go without a test that notices, or a test fails with all guards in place. With
`--write` the table of docs/reliability.md is written instead.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.mutations.mutation import HEADING, MUTATIONS, PAGE, ROOT, Mutation, table

COPIED: Final = ("sparkplug", "ruleset", "state", "odoo_adapter", "bridge", "tests")
TIMEOUT_S: Final = 120
ERRORS: Final = Console(stderr=True, markup=False, highlight=False)
COMPARED: Final = re.compile(r" - (AssertionError|assert |Failed: DID NOT RAISE)")
"""What a test says that compared. One that breaks otherwise, or takes too long, proves nothing of the guard."""


def copy(into: Path) -> None:
    """A tree that tests run in: our code to be changed, and links to all else."""
    for entry in ROOT.iterdir():
        if entry.name in COPIED:
            shutil.copytree(entry, into / entry.name, ignore=shutil.ignore_patterns(".cache"))
        elif not entry.name.startswith("."):
            (into / entry.name).symlink_to(entry)


def run(tree: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    """Run these tests in this tree, until one fails."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=line", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S)


def noticed(tree: Path, mutation: Mutation) -> str:
    """The line of the test that failed without this guard; empty where none did, or not by what it compares."""
    file = tree / mutation.file
    file.write_text(mutation.applied())
    try:
        done = run(tree, mutation.test)
    except subprocess.TimeoutExpired:
        return ""
    finally:
        shutil.copy2(ROOT / mutation.file, file)
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    return failed[0] if done.returncode == 1 and failed and COMPARED.search(failed[0]) else ""


def check(tree: Path) -> int:
    """Try all mutations, and print what noticed each. Gives the exit code."""
    whole = run(tree, *dict.fromkeys(one.test for one in MUTATIONS))
    if whole.returncode:
        ERRORS.print(whole.stdout, "The tests fail with all guards in place: mend that first.", sep="\n")
        return 1
    shown, unnoticed = Table("without this guard", "in", "fails"), []
    for mutation in MUTATIONS:
        failed = noticed(tree, mutation)
        shown.add_row(mutation.removes, mutation.file, mutation.test_name if failed else "[red]nothing[/]")
        unnoticed += [] if failed else [mutation]
    Console().print(shown)
    for mutation in unnoticed:
        ERRORS.print(f"nothing notices that this is gone: {mutation.removes}; {mutation.test} should")
    return 1 if unnoticed else 0


def write() -> None:
    """Put the table into the page, in the place of the one that is there."""
    text = PAGE.read_text()
    start = text.index(HEADING)
    end = text.find("\n\n", start) + 1 or len(text)
    PAGE.write_text(text[:start] + table() + text[end:])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the table of docs/reliability.md, and try nothing")
    if parser.parse_args().write:
        write()
        return 0
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
        copy(Path(folder))
        return check(Path(folder))


if __name__ == "__main__":
    sys.exit(main())
