"""Small disks of their own for the store and the bridges, so that they can be full. Only root may mount them."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

SIZE: Final = 256 * 1024 * 1024
"""Bytes; a run needs a part of it."""
FILLER: Final = "fills-the-disk"


class Disk:
    """A mounted disk."""

    def __init__(self, folder: Path) -> None:
        self._filler = folder / FILLER

    async def full(self, lasts_s: float) -> None:
        """Leave no room for so long."""
        try:
            await asyncio.to_thread(_fill, self._filler)
            await asyncio.sleep(lasts_s)
        finally:
            self._filler.unlink(missing_ok=True)


@asynccontextmanager
async def open_disk(folder: Path) -> AsyncIterator[Disk | None]:
    """A disk in this folder, which is made; None where it may not be mounted. What is on it at the end is kept."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    if os.geteuid() != 0 or not await _run("mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=700", "tmpfs", str(folder)):
        yield None
        return
    try:
        yield Disk(folder)
    finally:
        kept = folder.with_name(f"{folder.name}.kept")
        shutil.copytree(folder, kept)
        await _run("umount", "--lazy", str(folder))
        shutil.copytree(kept, folder, dirs_exist_ok=True)
        shutil.rmtree(kept)


async def _run(*words: str) -> bool:
    """Whether a command of the system went well."""
    try:
        process = await asyncio.create_subprocess_exec(
            *words, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
    except FileNotFoundError:
        return False
    return await process.wait() == 0


def _fill(filler: Path) -> None:
    """Write in ever smaller pieces until not a byte fits."""
    with filler.open("wb", buffering=0) as file:
        piece = 1 << 20
        while piece:
            try:
                file.write(bytes(piece))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                piece //= 32
