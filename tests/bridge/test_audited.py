"""What people do stands in the audit log: all of it, and docs/operation.md names each kind of line."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from bridge.core.act import audited
from bridge.core.input import Acted, ActKind, FromPerson, RebirthWanted, WriteWanted
from sparkplug.fact import NodeId, Origin
from state.audit import CUT_SHORT, LINES_GONE

ROOT = Path(__file__).parents[2]
OF_PEOPLE: tuple[FromPerson, ...] = (
    *(Acted(id="1", kind=kind, keys=("a",), by="ada", reason="why", corrected={"n": "1"}) for kind in ActKind),
    RebirthWanted(id="1", node=NodeId("plant", "press"), by="ada", reason="why", until_ms=9),
    WriteWanted(
        id="1", origin=Origin("plant", "press", "arm"), metric="m", value="1", by="ada", reason="why", until_ms=9
    ),
)
"""Each act of a person that the core takes."""


def kinds_in_the_code() -> set[str]:
    """The kinds of acts, and those that the shell writes by itself."""
    calls = (
        node
        for path in (ROOT / "bridge").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and path.parent.name != "recording"
    )
    own = {kind for call in calls for kind in written(call)}
    return own | {kind for each in OF_PEOPLE for kind, _ in audited(each)} | {CUT_SHORT, LINES_GONE}


def written(call: ast.Call) -> Iterator[str]:
    """The kind that a call writes: of `audit.append`, also in a thread, and of the console's `_record`."""
    texts = [each.value for each in call.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    names = [ast.unparse(each) for each in (call.func, *call.args)]
    if any(name.endswith("audit.append") for name in names) or names[0] == "_record":
        yield from texts[:1]


def kinds_on_the_page() -> set[str]:
    section = (ROOT / "docs/operation.md").read_text().split("## Who did what")[1].split("\n\n")[2]
    cells = re.findall(r"^\| (`[^|]+) \|", section, re.M)
    return {kind for cell in cells for kind in re.findall(r"`([^`]+)`", cell)} - {"kind"}


def test_each_act_of_a_person_is_audited_with_who_why_and_its_id() -> None:
    assert {type(each) for each in OF_PEOPLE} == set(get_args(FromPerson))
    for each in OF_PEOPLE:
        (line,) = audited(each)
        assert (line[1]["act"], line[1]["reason"]) == ("1", "why")


def test_the_page_names_each_kind_of_line_and_no_other() -> None:
    assert kinds_on_the_page() == kinds_in_the_code()
