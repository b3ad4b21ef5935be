"""`uns-bridge rules pack list|show|add`: rules that are ready to use, for a plant folder to take."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.commands.exit import FAILED, OK, WRONG, fail
from bridge.errors import ConfigError
from bridge.lifecycle.content import texts_of
from bridge.plant import RULES_FOLDER, content_of, load_plant
from bridge.rule_pack.pack import Ready, fitted, fitted_tests, pack
from bridge.rule_tests.folder import run_test
from ruleset.problem import Problems, suggest
from ruleset.testing.read import read_tests
from ruleset.testing.verdict import judge

app = typer.Typer(help="Rules that are ready to use: list, show, add.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="One of `uns-bridge rules pack list`.")]
Json = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]


@app.command("list")
def list_command(json_output: Json = False) -> None:
    """List what is ready, and what each is for."""
    if json_output:
        print(json.dumps([_as_json(each) for each in pack().values()], indent=2))
        return
    width = max(map(len, pack()))
    for each in pack().values():
        print(f"{each.name:{width}}  {each.about}")


@app.command()
def show(
    name: Name,
    tests: Annotated[bool, typer.Option("--tests", help="Its tests instead.")] = False,
    json_output: Json = False,
) -> None:
    """Print a template as it would be added, and what it needs of a plant."""
    ready = _find(name)
    if json_output:
        print(json.dumps({**_as_json(ready), "text": ready.text, "tests": ready.tests}, indent=2))
    elif tests:
        print(ready.tests, end="")
    else:
        print(ready.text, *(f"# needs {line}" for line in ready.needs.lines()), sep="\n")


@app.command()
def add(
    name: Name,
    plant: Annotated[Path, typer.Argument(help="The plant folder.")],
    assets: Annotated[
        str, typer.Option(metavar="PATTERN", help='For which equipment, as `assets` of a rule: "machining/*".')
    ] = "*",
    signal: Annotated[
        list[str] | None,
        typer.Option(metavar="PARAMETER=SIGNAL", help="What a signal is called here: count=parts_ok."),
    ] = None,
) -> None:
    """Copy a template and its tests into the plant's rules, for equipment that has what it needs, and run the tests.

    Exit 0 added; 1 added, but some of its tests fail here; 2 not added, since something is wrong or lacking.
    """
    ready = _find(name)
    signals = _signals(ready, signal or [])
    file, test_file = f"{RULES_FOLDER}/{name}.yaml", f"{RULES_FOLDER}/{name}_test.yaml"
    if not plant.is_dir():
        fail(f"{plant}: there is no such folder; name the plant folder, which holds assets.yaml and codes.yaml", WRONG)
    for each in (file, test_file):
        if (plant / each).exists():
            fail(f"{plant / each}: is there already, and is not written over", WRONG)
    text = fitted(ready, assets, signals)
    try:
        content = content_of({**texts_of(plant), file: text})
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{plant}: cannot be read: {error}", WRONG)
    except ConfigError as error:
        needs = [f"    {line}" for line in ready.needs.lines()]
        named = [f"where a signal has another name here: --signal {each}=NAME" for each in ready.signals]
        fail("\n".join((str(error), f"nothing was written; {name} needs", *needs, *named)), WRONG)
    added = {each.name for each in content.rules.rules if each.file == file}
    instances = [each for each in content.rules.instances if each.rule in added]
    _write(plant / file, text)
    _write(plant / test_file, fitted_tests(ready, signals, content.assets, instances))
    paths = dict.fromkeys(each.equipment.path.removeprefix(f"{content.assets.path}/") for each in instances)
    print(f"{file} and {test_file} are written, for {', '.join(paths)}")
    raise typer.Exit(_try(plant, test_file))


def _find(name: str) -> Ready:
    if name not in pack():
        fail(f'nothing in the pack is called "{name}"{suggest(name, pack())}', WRONG)
    return pack()[name]


def _signals(ready: Ready, given: list[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for each in given:
        parameter, _, name = each.partition("=")
        if parameter not in ready.signals or not name:
            known = ", ".join(f"{parameter}={own}" for parameter, own in ready.signals.items()) or "none"
            fail(f"--signal {each}: expected PARAMETER=SIGNAL; {ready.name} has {known}", WRONG)
        found[parameter] = name
    return found


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, "utf-8")
    except OSError as error:
        fail(f"{file}: cannot be written: {error.strerror}", WRONG)


def _try(folder: Path, test_file: str) -> int:
    """Run the tests that were added, which may speak of what is otherwise in this plant."""
    try:
        plant = load_plant(folder)
    except ConfigError as error:
        print(f"{error}\nmend that, then try the tests with `uns-bridge rules test`")
        return FAILED
    problems = Problems()
    tests = read_tests({test_file: (folder / test_file).read_text("utf-8")}, plant.rules, plant.assets, problems)
    if len(problems):
        print(*problems.all, f"write into {test_file} what is so in this plant", sep="\n")
        return FAILED
    failed = [each for each in tests if not judge(each, run_test(each, plant, plant.rules), plant.assets.path).passed]
    for each in failed:
        print(f"{each.place}: fails here: {each.name}")
    if failed:
        print(f"{len(failed)} of {len(tests)} tests fail: write into {test_file} what is so in this plant")
        return FAILED
    print(f"its {len(tests)} tests pass")
    return OK


def _as_json(ready: Ready) -> dict[str, Any]:
    parameters = {
        each.name: {"type": each.type.value, "default": str(each.default.raw.value) if each.default else None}
        for each in ready.parameters
    }
    return {
        "name": ready.name,
        "about": ready.about,
        "parameters": parameters,
        "needs": list(ready.needs.lines()),
    }
