"""`uns-bridge odoo install|check|uninstall PLANT`: the inbox in Odoo, and the rights of the integration user.

The administrator's key is never an argument and never stands in the plant folder: a file named by `--admin-key-file`,
or the environment variable UNS_BRIDGE_ODOO_ADMIN_KEY.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer

from bridge.commands.exit import FAILED, OK, UNREACHABLE, WRONG, fail
from bridge.errors import ConfigError
from bridge.plant import Plant, load_plant
from bridge.settings.secret import Secret
from bridge.wiring import odoo_connection, open_odoo
from odoo_adapter.client.api import OdooApi
from odoo_adapter.client.connection import Connection
from odoo_adapter.errors import OdooError, Refused
from odoo_adapter.inbox.install import Installed
from odoo_adapter.inbox.install import install as install_inbox
from odoo_adapter.inbox.install import uninstall as uninstall_inbox
from odoo_adapter.odoo import INBOX, LOOK_FIRST, OdooInfo
from odoo_adapter.rights import Switch, read_account, switched_off

ADMIN_KEY: Final = "UNS_BRIDGE_ODOO_ADMIN_KEY"
ADMIN_USER: Final = "UNS_BRIDGE_ODOO_ADMIN_USER"
Answer = TypeVar("Answer")

_WAYS: Final = {
    INBOX: "the inbox is of this version",
    LOOK_FIRST: "postings go without the inbox (docs/delivery.md says what that means)",
}

_UNVERIFIED: Final = (
    "Odoo's certificate is NOT verified (odoo.tls.verify is false): anybody on the way can take the key"
)

app = typer.Typer(help="The inbox in Odoo and the integration user's rights.", no_args_is_help=True)

PlantArgument = Annotated[Path, typer.Argument(help="The plant folder.")]
KeyOption = Annotated[Path | None, typer.Option("--admin-key-file", help=f"Instead of {ADMIN_KEY}.")]
UserOption = Annotated[
    str, typer.Option("--admin-user", envvar=ADMIN_USER, help="The administrator's login; Odoo before 19 asks for it.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of lines.")]


async def install(connection: Connection, login: str) -> Installed:
    """Install or upgrade the inbox with an administrator's connection and let the integration user use it."""
    return await _with(connection, lambda odoo: install_inbox(odoo, [login]))


async def uninstall(connection: Connection, *, drop_history: bool) -> tuple[str, ...]:
    """Take the inbox out of Odoo; the list of postings stays unless `drop_history`."""
    return await _with(connection, lambda odoo: uninstall_inbox(odoo, drop_history=drop_history))


async def check(plant: Plant) -> tuple[OdooInfo, Sequence[Switch]]:
    """Ask Odoo all that the bridge asks at its start, and which settings are off."""
    api = OdooApi(odoo_connection(plant))
    odoo = open_odoo(plant, api)
    try:
        return await odoo.check(), await switched_off(api, (await read_account(api)).id)
    finally:
        await odoo.close()


def exit_code(error: OdooError) -> int:
    """3 where Odoo could not be asked, 1 where it answered that something is missing."""
    return FAILED if isinstance(error, Refused) else UNREACHABLE


@app.command("install")
def install_command(
    plant: PlantArgument,
    admin_user: UserOption = "admin",
    admin_key_file: KeyOption = None,
    json_output: JsonOption = False,
) -> None:
    """Install or upgrade the inbox, as an administrator. Repeating it changes nothing."""
    loaded = _load(plant)
    done = _run(install(_admin(loaded, admin_user, admin_key_file), loaded.settings.odoo.user))
    _tell(json_output, list(done.log), {"actions": list(done.actions), "group": done.group, "sha256": done.sha})


@app.command("uninstall")
def uninstall_command(
    plant: PlantArgument,
    admin_user: UserOption = "admin",
    admin_key_file: KeyOption = None,
    drop_history: Annotated[bool, typer.Option(help="Remove what was posted from Odoo's list, too.")] = False,
    json_output: JsonOption = False,
) -> None:
    """Remove the inbox, as an administrator. Without the list of postings nothing protects against repeating them."""
    loaded = _load(plant)
    log = _run(uninstall(_admin(loaded, admin_user, admin_key_file), drop_history=drop_history))
    _tell(json_output, list(log), {})


@app.command("check")
def check_command(plant: PlantArgument, json_output: JsonOption = False) -> None:
    """Check version, inbox and rights as the integration user. Exit 0 all is there, 1 not, 3 unreachable."""
    loaded = _load(plant)
    info, off = _run(check(loaded))
    expires = info.key_expires_ms and datetime.fromtimestamp(info.key_expires_ms / 1000, UTC)
    lines = [
        f"Odoo {info.version}{' (simulator)' if info.simulator else ''}, database {info.database}",
        f"user {info.user}, company {info.company}: all rights are there; {_WAYS[info.mode]}",
        *([_UNVERIFIED] if loaded.settings.odoo.is_unverified else []),
        *(f"{switch.lack}; {switch.mend}" for switch in off),
        f"an API key of the user runs out on {expires:%Y-%m-%d}" if expires else "the end of the key is not known",
    ]
    _tell(
        json_output,
        lines,
        {
            "version": info.version,
            "mode": info.mode,
            "simulator": info.simulator,
            "database": info.database,
            "company": info.company,
            "user": info.user,
            "switched_off": [switch.name for switch in off],
            "key_expires": expires.isoformat() if expires else None,
        },
    )


def _admin(plant: Plant, user: str, key_file: Path | None) -> Connection:
    odoo = plant.settings.odoo
    secret = Secret(
        place=odoo.key.place, file=key_file, environment=None if key_file else ADMIN_KEY
    )  # the place is only told when it is missing
    patient_s = max(60.0, odoo.timeout_ms / 1000)
    return replace(
        odoo_connection(plant),
        user=user,
        key=secret.reveal,
        read_timeout_s=patient_s,
        timeout_s=patient_s,
        client_lib=False,
    )


def _load(folder: Path) -> Plant:
    try:
        return load_plant(folder)
    except ConfigError as error:
        fail(error, WRONG)


def _run(work: Awaitable[Answer]) -> Answer:
    async def awaited() -> Answer:
        return await work

    try:
        return asyncio.run(awaited())
    except OdooError as error:
        fail(error, exit_code(error))


def _tell(json_output: bool, lines: list[str], facts: dict[str, object]) -> None:
    if json_output:
        print(json.dumps({**facts, "log": lines}, indent=2))
    else:
        print("\n".join(lines))
    raise typer.Exit(OK)


async def _with(connection: Connection, work: Callable[[OdooApi], Awaitable[Answer]]) -> Answer:
    odoo = OdooApi(connection)
    try:
        return await work(odoo)
    finally:
        await odoo.close()
