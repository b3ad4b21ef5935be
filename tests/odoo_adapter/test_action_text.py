"""The server action's text keeps to what Odoo's `safe_eval` accepts, and the documents name the text that was run."""

from __future__ import annotations

import ast
import builtins
import dis
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import pytest

from odoo_adapter.inbox.action import ACTIONS, LIGHT, WHOLE, Action, action_for, action_text, inbox_hash, kinds_of

FORBIDDEN_SYNTAX = (
    ast.With,
    ast.AsyncWith,
    ast.AsyncFor,
    ast.AsyncFunctionDef,
    ast.Await,
    ast.Import,
    ast.ImportFrom,
    ast.ClassDef,
    ast.Global,
    ast.Nonlocal,
    ast.AnnAssign,
    ast.Match,
    ast.Starred,
    ast.YieldFrom,
    ast.MatMult,
)
FORBIDDEN_OPCODES = {
    "STORE_ATTR",
    "DELETE_ATTR",
    "STORE_GLOBAL",
    "DELETE_GLOBAL",
    "DELETE_SUBSCR",
    "IMPORT_NAME",
    "IMPORT_FROM",
    "IMPORT_STAR",
    "LOAD_BUILD_CLASS",
    "MAKE_CELL",
    "LOAD_CLOSURE",
    "LOAD_DEREF",
    "STORE_DEREF",
    "LOAD_CLASSDEREF",
    "BEFORE_WITH",
    "SETUP_WITH",
    "UNPACK_EX",
    "LIST_TO_TUPLE",
    "CALL_INTRINSIC_2",
    "SETUP_ANNOTATIONS",
}
GIVEN = {"env", "model", "record", "records", "UserError", "datetime", "dateutil", "time", "timezone", "float_compare"}
"""Names that Odoo puts into a server action. `json` is not among them."""

ALLOWED_BUILTINS = {
    "Exception",
    "abs",
    "all",
    "any",
    "bool",
    "bytes",
    "chr",
    "dict",
    "divmod",
    "enumerate",
    "filter",
} | {
    *("float", "int", "isinstance", "len", "list", "map", "max", "min", "ord", "range", "repr", "round", "set"),
    *("sorted", "str", "sum", "tuple", "zip"),
}


def codes(code: CodeType) -> Iterator[CodeType]:
    """The code object and all in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


def compiled(action: Action) -> list[CodeType]:
    return list(codes(compile(action_text(action), "action", "exec")))


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_it_uses_no_forbidden_syntax(action: Action) -> None:
    tree = ast.parse(action_text(action))
    assert [ast.dump(node)[:80] for node in ast.walk(tree) if isinstance(node, FORBIDDEN_SYNTAX)] == []
    assert ast.get_docstring(tree) is None


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_it_uses_no_forbidden_opcode_and_no_closure(action: Action) -> None:
    used = {one.opname for code in compiled(action) for one in dis.get_instructions(code)}
    assert used & FORBIDDEN_OPCODES == set()
    assert [code.co_name for code in compiled(action) if code.co_freevars or code.co_cellvars] == []


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_it_touches_no_name_with_two_underscores(action: Action) -> None:
    assert [name for code in compiled(action) for name in code.co_names if "__" in name] == []


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_it_uses_only_names_that_odoo_gives(action: Action) -> None:
    defined = {one.argval for one in dis.get_instructions(compiled(action)[0]) if one.opname == "STORE_NAME"}
    read = {
        one.argval
        for code in compiled(action)
        for one in dis.get_instructions(code)
        if one.opname in ("LOAD_NAME", "LOAD_GLOBAL")
    }
    assert read - defined - GIVEN - ALLOWED_BUILTINS == set()
    assert set(dir(builtins)) >= ALLOWED_BUILTINS


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_no_part_takes_a_name_that_another_has(action: Action) -> None:
    """All parts share one namespace: the later definition would silently be the earlier one's too."""
    names = [node.name for node in ast.parse(action_text(action)).body if isinstance(node, ast.FunctionDef)]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_a_payload_never_becomes_a_model_a_field_or_a_method(action: Action) -> None:
    """Only literals index the environment, and the SQL is written out, with parameters beside it."""
    tree = ast.parse(action_text(action))
    models = [node for node in ast.walk(tree) if isinstance(node, ast.Subscript) and is_environment(node.value)]
    assert {ast.unparse(node.slice) for node in models if not isinstance(node.slice, ast.Constant)} == {"model"}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "cr.execute"]
    assert calls
    assert all(isinstance(call.args[0], ast.Constant) for call in calls)
    finds = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "find"]
    assert all(isinstance(call.args[0], ast.Constant) for call in finds)


def is_environment(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("E", "env")


def test_they_stay_small_because_odoo_compiles_one_at_every_call() -> None:
    assert len(action_text(LIGHT).encode()) < 32_000
    assert len(action_text(WHOLE).encode()) < 72_000


def test_what_happens_often_goes_to_the_short_one_and_all_else_to_the_whole_one() -> None:
    assert kinds_of(LIGHT) < kinds_of(WHOLE)
    assert action_for([]) == action_for(["progress", "start", "downtime"]) == LIGHT
    assert action_for(["complete"]) == action_for(["progress", "consume"]) == WHOLE


def test_the_text_that_was_run_on_a_real_odoo_is_the_text_that_is_shipped() -> None:
    """Whoever changes the text runs `make test-odoo` and writes the new hash into docs/verified.md."""
    page = (Path(__file__).parents[2] / "docs" / "verified.md").read_text()
    assert inbox_hash() in page
