"""`uns-bridge record PLANT --folder F`: the traffic of a plant's brokers, without running the bridge."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import structlog
import typer
from rich.console import Console

from bridge.broker.paho import PahoLink
from bridge.clock import SystemClock
from bridge.commands.exit import FAILED, OK, UNREACHABLE, WRONG, fail
from bridge.commands.simulate import read_length
from bridge.commands.site import JsonOption, print_json
from bridge.errors import ConfigError
from bridge.log import configure_logging, say
from bridge.plant import Plant, load_plant
from bridge.recording.about import about
from bridge.recording.folder import RecordingFolder, bounds_of
from bridge.recording.passive import PassiveHost
from bridge.recording.recorder import FileRecorder
from bridge.settings.recording import FOLDER, RecordingSettings

REACH_S: Final = 30.0
"""How long a broker may take to answer."""
LOOK_S: Final = 0.5

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    messages: int
    lost: int
    folder: str


class _Unreached(Exception):
    pass


def command(
    plant: Annotated[Path, typer.Argument(help="The plant folder: which brokers, groups and site.")],
    folder: Annotated[Path | None, typer.Option(help="Where the files go; else where the plant folder says.")] = None,
    length: Annotated[str | None, typer.Option("--for", help="How long, such as 60s or 8h; else until Ctrl-C.")] = None,
    json_output: JsonOption = False,
) -> None:
    """Record the traffic of a plant's brokers without running the bridge. Nothing is published.

    Exit 0 recorded, 1 some of it could not be written, 2 wrong use or a wrong folder, 3 no broker within 30 s.
    """
    configure_logging()
    try:
        loaded = load_plant(plant)
        wanted = loaded.settings.recording or RecordingSettings(folder=loaded.settings.data_dir / FOLDER)
        files = RecordingFolder(folder or wanted.folder, bounds_of(wanted), about(loaded), None)
        done = asyncio.run(_record(loaded, files, None if length is None else read_length(length)))
    except (ConfigError, ValueError) as error:
        fail(error, WRONG)
    except _Unreached as error:
        fail(error, UNREACHABLE)
    if json_output:
        print_json(done)
    else:
        print(f"{done.messages} messages in {done.folder}" + (f", {done.lost} inputs lost" if done.lost else ""))
    raise typer.Exit(FAILED if done.lost else OK)


async def _record(plant: Plant, files: RecordingFolder, length_s: float | None) -> _Done:
    stop, recorder = asyncio.Event(), FileRecorder(files, say)
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    host = PassiveHost(plant, PahoLink, recorder, SystemClock())
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(recorder.run(), name="recording"), tasks.create_task(host.run(), name="host")]
        reached = tasks.create_task(_stop_unreached(host, stop), name="reach")
        shown = tasks.create_task(_show(host), name="show")
        await _within(length_s, stop)
        shown.cancel()
        reached.cancel()
        running[1].cancel()
        await recorder.finish()
        running[0].cancel()
    if not host.reached.is_set():
        places = " nor ".join(broker.address for broker in plant.settings.brokers)
        raise _Unreached(f"no MQTT broker was reached at {places} (the last try: {host.reason})")
    return _Done(messages=host.heard, lost=recorder.lost, folder=str(files.path))


async def _show(host: PassiveHost) -> None:
    """A line that moves, on a terminal."""
    console = Console(stderr=True)
    with console.status("waiting for the broker") as status:
        while True:
            await asyncio.sleep(LOOK_S)
            if host.reached.is_set():
                status.update(f"{host.heard} messages; Ctrl-C ends the recording")


async def _stop_unreached(host: PassiveHost, stop: asyncio.Event) -> None:
    await _within(REACH_S, host.reached)
    if not host.reached.is_set():
        stop.set()


async def _within(seconds: float | None, event: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
