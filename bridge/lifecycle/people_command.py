"""`uns-bridge people`: who may propose, approve and take back versions of the rules."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bridge.commands.exit import WRONG, fail
from bridge.commands.site import JsonOption, print_json
from bridge.errors import ConfigError
from bridge.lifecycle.people import (
    Person,
    Role,
    new_token,
    read_people,
    remove_person,
    write_person,
)
from bridge.plant import PEOPLE_FILE
from bridge.settings.secret import hash_secret
from ruleset.problem import Problems, suggest

app = typer.Typer(help="Who may change the rules: list, add, secret, remove.", no_args_is_help=True)

PlantArgument = Annotated[Path, typer.Argument(help="The plant folder.")]
NameArgument = Annotated[str, typer.Argument(help="Their name: lower case, as in anna.meier.")]
TokenOption = Annotated[bool, typer.Option("--token", help="Make a secret and print it once, instead of asking.")]
RoleOption = Annotated[list[Role], typer.Option("--role", help="What they may do; may be said several times.")]


@app.command("list")
def list_people(plant: PlantArgument, json_output: JsonOption = False) -> None:
    """List the people and their roles."""
    people = sorted(load_people(plant).values(), key=lambda each: each.name)
    if json_output:
        print_json([{"name": each.name, "roles": sorted(each.roles)} for each in people])
        return
    table = Table("name", "roles")
    for each in people:
        table.add_row(each.name, ", ".join(sorted(each.roles)))
    Console().print(table if people else f"{plant / PEOPLE_FILE} has nobody; `uns-bridge people add` adds somebody")


@app.command("add")
def add(plant: PlantArgument, name: NameArgument, role: RoleOption, token: TokenOption = False) -> None:
    """Add somebody with a secret, or give somebody who is there other roles and another secret."""
    _write(plant, name, role, token)


@app.command("secret")
def secret(plant: PlantArgument, name: NameArgument, token: TokenOption = False) -> None:
    """Give somebody another secret."""
    _write(plant, name, None, token)


@app.command("remove")
def remove(plant: PlantArgument, name: NameArgument) -> None:
    """Take somebody out; what they did stays in the log."""
    try:
        load_people(plant)
        remove_person(plant / PEOPLE_FILE, name)
    except (ValueError, OSError) as error:
        fail(error, WRONG)


def _write(plant: Path, name: str, roles: list[Role] | None, token: bool) -> None:
    people = load_people(plant)
    if roles is None and name not in people:
        fail(f"{plant / PEOPLE_FILE} does not have {name}{suggest(name, people)}", WRONG)
    made = new_token() if token else None
    try:
        chosen = made or typer.prompt("Secret", hide_input=True, confirmation_prompt=True, err=True)
        write_person(plant / PEOPLE_FILE, name, roles, hash_secret(chosen))
    except typer.Abort:
        fail("no secret was given; --token makes one", WRONG)
    except (ValueError, OSError) as error:
        fail(error, WRONG)
    if made is not None:
        print(made)


def load_people(plant: Path) -> Mapping[str, Person]:
    """The people of a plant folder; ends the command where their file is wrong."""
    problems = Problems()
    if not plant.is_dir():
        fail(f"{plant}: there is no such folder; name the plant folder", WRONG)
    try:
        text = (plant / PEOPLE_FILE).read_text("utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{plant / PEOPLE_FILE} cannot be read: {error}", WRONG)
    people = read_people(PEOPLE_FILE, text, problems)
    if problems.all:
        fail(ConfigError(problems.all), WRONG)
    return people
