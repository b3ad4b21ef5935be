"""`uns-bridge simulate SCENARIO.yaml --broker URL`: a plant of Sparkplug edge nodes and a MES, from a script."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import ssl
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import unquote, urlsplit

import typer

from bridge.broker.link import LinkSettings
from bridge.broker.paho import PahoLink
from bridge.clock import SystemClock
from bridge.commands.exit import OK, UNREACHABLE, WRONG, fail
from bridge.log import configure_logging
from bridge.simulator.ledger import Ledger
from bridge.simulator.reach import BrokerUnreached
from bridge.simulator.scenario import Scenario
from bridge.simulator.scenario_file import load_scenario
from bridge.simulator.simulation import simulate
from ruleset.document import DURATION_UNITS_MS
from ruleset.errors import RuleError

PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
LONGEST_S: Final = 7 * 24 * 3600.0


def command(
    scenario: Annotated[Path, typer.Argument(help="What happens in the plant, as YAML.")],
    broker: Annotated[
        list[str],
        typer.Option(
            help="mqtt://user@host:port, or mqtts:// for TLS; user and port may be left out. "
            "Given again: further servers, where the edge nodes look for their host when it is offline."
        ),
    ],
    seconds: Annotated[str, typer.Option("--for", help="How long, such as 60s or 8h.")] = "60s",
    seed: Annotated[
        int | None, typer.Option(help="What chance draws from, instead of the scenario's own seed.")
    ] = None,
    ledger: Annotated[Path | None, typer.Option(help="Write what happened there, as JSON lines.")] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Where the edge nodes keep their bdSeq from run to run. Else each begins with 0."),
    ] = None,
    password_env: Annotated[
        str | None, typer.Option(help="The name of the environment variable that holds the password.")
    ] = None,
    ca_file: Annotated[
        Path | None, typer.Option(help="The authority to trust, as PEM, instead of the system's. For mqtts://.")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines.")] = False,
) -> None:
    """Run a simulated plant against a broker. It makes the orders that the bridge releases there.

    Exit 0 ran, 2 wrong use or a wrong scenario, 3 no broker is reached within 30 s.
    """
    configure_logging()
    try:
        plant = load_scenario(scenario)
        password = read_password(password_env) if password_env else None
        brokers = [read_broker(url, password, ca_file) for url in broker]
        length_s = read_length(seconds)
        plant = plant if seed is None else replace(plant, seed=seed)
        done = asyncio.run(_run(plant, brokers, ledger, data_dir, length_s))
    except (RuleError, ValueError, OSError) as error:
        fail(error, WRONG)
    except BrokerUnreached as error:
        fail(error, UNREACHABLE)
    _tell(done, json_output)
    raise typer.Exit(OK)


def read_password(name: str) -> str:
    """The password in this environment variable. Raises `ValueError` where there is none."""
    try:
        return os.environ[name]
    except KeyError:
        raise ValueError(f"there is no environment variable {name}") from None


def read_broker(url: str, password: str | None, ca_file: Path | None = None) -> LinkSettings:
    """Where `mqtt://[user@]host[:port]` leads. Raises `ValueError` for another form, a password in it, or a `ca_file`
    that has no certificate or nothing to check."""
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname or parts.path.strip("/"):
        raise ValueError(f"{url!r} is no broker; write mqtt://host:1883 or mqtts://host:8883")
    if parts.password is not None:
        raise ValueError("a password in the URL is seen by everybody on this machine; use --password-env")
    if ca_file is not None:
        _check_authority(ca_file, parts.scheme)
    return LinkSettings(
        host=parts.hostname,
        port=parts.port or PORTS[parts.scheme],
        client_id=f"uns-plant-{os.getpid()}",
        user=unquote(parts.username) if parts.username else None,
        password=(lambda: password) if password is not None else None,
        tls=parts.scheme == "mqtts",
        ca_file=None if ca_file is None else str(ca_file),
    )


def _check_authority(ca_file: Path, scheme: str) -> None:
    """Say at once what would otherwise be the reason for which no session is ever made."""
    if scheme != "mqtts":
        raise ValueError(f"--ca-file {ca_file}: only mqtts:// has certificates to check; write mqtts://host")
    try:
        ssl.create_default_context(cafile=ca_file)
    except FileNotFoundError:
        raise ValueError(f"--ca-file {ca_file}: there is no such file") from None
    except OSError as error:
        raise ValueError(f"--ca-file {ca_file}: no certificate in PEM form can be read there: {error}") from error


def read_length(text: str) -> float:
    """Seconds of `90s`, `5m` or `8h`. Raises `ValueError` for anything else, and for more than a week."""
    for unit in sorted(DURATION_UNITS_MS, key=len, reverse=True):
        number = text.removesuffix(unit)
        if number != text and number.isdecimal():
            length_s = int(number) * DURATION_UNITS_MS[unit] / 1000
            if 0 < length_s <= LONGEST_S:
                return length_s
    raise ValueError(f"{text!r} is no length; write 90s, 5m or 8h, at most a week")


async def _run(
    scenario: Scenario, brokers: list[LinkSettings], path: Path | None, data_dir: Path | None, length_s: float
) -> Ledger:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for stopping in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(stopping, stop.set)
    return await simulate(
        scenario,
        broker=brokers[0],
        others=brokers[1:],
        link=PahoLink,
        clock=SystemClock(),
        ledger_path=path,
        data_dir=data_dir,
        seconds=length_s,
        stop=stop,
    )


def _tell(ledger: Ledger, json_output: bool) -> None:
    kinds = Counter(fact.kind.value for fact in ledger.facts)
    if json_output:
        print(json.dumps({"seed": ledger.seed, "facts": len(ledger.facts), "kinds": dict(sorted(kinds.items()))}))
        return
    print(f"{len(ledger.facts)} facts, seed {ledger.seed}")
    for kind, count in sorted(kinds.items()):
        print(f"  {kind:<16}{count:>6}")
