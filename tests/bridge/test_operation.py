"""docs/operation.md and the names in the log are the same list."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path

from bridge.core.input import ActKind

ROOT = Path(__file__).parents[2]
LEVELS = {"info", "warning", "error"}
LOGS = {"log", "self._log"}
ELSEWHERE = ("simulator", "demo")
"""They log into other logs."""


def name_of(call: ast.Call, constants: Mapping[str, str]) -> str | None:
    """The name that a call logs, or that a notice has."""
    function = call.func
    if isinstance(function, ast.Attribute) and function.attr in LEVELS and ast.unparse(function.value) in LOGS:
        named = call.args[0] if call.args else None
    elif isinstance(function, ast.Name) and function.id in ("Notice", "OrderNotice"):
        named = next((each.value for each in call.keywords if each.arg == "name"), None)
    else:
        named = None
    if isinstance(named, ast.Name):
        return constants.get(named.id)
    return named.value if isinstance(named, ast.Constant) and isinstance(named.value, str) else None


def constants_of(module: ast.Module) -> dict[str, str]:
    """Texts that a module has names for."""
    texts: dict[str, str] = {}
    for each in module.body:
        match each:
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=str(text))):
                texts[name] = text
    return texts


def names_in_the_code() -> set[str]:
    files = [path for path in (ROOT / "bridge").rglob("*.py") if not set(path.parts) & set(ELSEWHERE)]
    names = {f"act.{kind}" for kind in ActKind}
    for module in (ast.parse(path.read_text()) for path in files):
        calls = [node for node in ast.walk(module) if isinstance(node, ast.Call)]
        names |= {name for call in calls if (name := name_of(call, constants_of(module)))}
    return names


def names_on_the_page() -> set[str]:
    text = (ROOT / "docs/operation.md").read_text().split("## Who did what")[0]
    cells = re.findall(r"^\| (`[^|]+) \|", text, re.M)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)} - {"rule.NAME"}


def test_the_page_names_all_that_is_logged_and_nothing_else() -> None:
    assert names_on_the_page() == names_in_the_code()
