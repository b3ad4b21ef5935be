"""`uns-bridge replay FILE... --broker URL`: recorded messages on a broker of one's own, in their order and pace."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from bridge.broker.errors import LinkLost
from bridge.broker.link import LinkDown, LinkSettings
from bridge.broker.paho import PahoLink
from bridge.commands.exit import OK, UNREACHABLE, WRONG, fail
from bridge.commands.simulate import read_broker, read_password
from bridge.commands.site import JsonOption, print_json
from bridge.recording.errors import RecordingError
from bridge.recording.play import Played, is_plants_own, play
from bridge.recording.reader import Advanced, Read, files_in, of_one_site, read
from bridge.recording.span import Lost

FilesArgument = Annotated[list[Path], typer.Argument(help="Recordings, or folders of them; in any order.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    published: int
    left_out: int
    gaps: list[Lost]


def command(
    files: FilesArgument,
    broker: Annotated[str, typer.Option(help="mqtt://user@host:port, or mqtts:// for TLS.")],
    speed: Annotated[float, typer.Option(min=0, help="How many times as fast; 0: without pauses.")] = 1.0,
    onto_the_plant: Annotated[
        bool, typer.Option("--onto-the-plant", help="Also where the recording comes from: it speaks for every node.")
    ] = False,
    password_env: Annotated[
        str | None, typer.Option(help="The name of the environment variable that holds the password.")
    ] = None,
    ca_file: Annotated[Path | None, typer.Option(help="The authority to trust, as PEM. For mqtts://.")] = None,
    json_output: JsonOption = False,
) -> None:
    """Publish recorded messages to a broker, in their order and at their pace.

    What a host said is left out. Exit 0 published, 2 wrong use or no recording, 3 the broker is not there.
    """
    try:
        password = read_password(password_env) if password_env else None
        link, paths = read_broker(broker, password, ca_file), files_in(files)
        if not onto_the_plant:
            _refuse_the_plant(link, paths)
        done = asyncio.run(_replay(paths, replace(link, client_id=f"{link.client_id}-replay"), speed))
    except (RecordingError, ValueError) as error:
        fail(error, WRONG)
    except LinkLost as error:
        fail(f"{link.host}:{link.port}: {error}", UNREACHABLE)
    if json_output:
        print_json(done)
    else:
        print(f"{done.published} messages published; {done.left_out} of hosts left out")
        tell_gaps(done.gaps)
    raise typer.Exit(OK)


def _refuse_the_plant(link: LinkSettings, paths: Sequence[Path]) -> None:
    servers = {server for each in of_one_site(paths) for server in each.servers}
    if is_plants_own(link.host, link.port, servers):
        raise ValueError(
            f"{link.host}:{link.port} is a broker of the plant that was recorded: what is running there would take old "
            "messages for new ones; name another, or say --onto-the-plant"
        )


async def _replay(paths: Sequence[Path], settings: LinkSettings, speed: float) -> _Done:
    link, played, gaps = PahoLink(settings, []), Played(), list[Lost]()
    running = asyncio.create_task(link.run(), name="link")
    try:
        if isinstance(event := await link.next_event(), LinkDown):
            raise LinkLost(event.reason)
        with progress(paths) as advanced:
            await play(_noting(read(paths, advanced), gaps), link, played, speed=speed)
    finally:
        running.cancel()
        await asyncio.wait([running])
    return _Done(published=played.published, left_out=played.left_out, gaps=gaps)


def _noting(recording: Iterator[Read], gaps: list[Lost]) -> Iterator[Read]:
    for each in recording:
        if isinstance(each, Lost):
            gaps.append(each)
        yield each


@contextmanager
def progress(paths: Sequence[Path]) -> Iterator[Advanced]:
    """A bar of the bytes that were read, on standard error where that is a terminal."""
    columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=sum(path.stat().st_size for path in paths))
        yield lambda count: bar.advance(task, count)


def tell_gaps(gaps: Sequence[Lost]) -> None:
    """What is missing in the recording."""
    for gap in gaps:
        inputs = "" if gap.inputs is None else f"{gap.inputs} inputs, "
        print(f"missing: {inputs}{gap.reason}")
