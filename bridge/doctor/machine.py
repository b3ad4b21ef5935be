"""This machine: the plant folder, its secrets, and the disk of `data_dir`."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bridge.doctor.finding import Finding, Place
from bridge.errors import SecretMissing
from bridge.plant import Plant
from bridge.settings.secret import Secret

FEW_BYTES: Final = 1_000_000_000
TOO_FEW_BYTES: Final = 100_000_000
"""Less is not even room for the next part of the audit log."""


def examine_secrets(plant: Plant) -> Iterator[Finding]:
    """Every secret that bridge.yaml names: whether it is there, and who else may read it."""
    settings = plant.settings
    named = [("odoo.key", settings.odoo.key), ("redis.secret", settings.redis.secret)]
    if settings.odoo.proxy is not None:
        named.append(("odoo.proxy.secret", settings.odoo.proxy.secret))
    named += [("broker.secret", broker.secret) for broker in settings.brokers]
    for name, secret in named:
        if secret is not None:
            yield _secret(Place("secret", name), secret)


def _secret(place: Place, secret: Secret) -> Finding:
    try:
        secret.reveal()
    except SecretMissing as error:
        return place.wrong(str(error))
    if secret.file is not None and secret.file.stat().st_mode & stat.S_IROTH:
        return place.warning(f"everybody on this machine may read {secret.file}", f"chmod o-r {secret.file}")
    return place.ok("is there")


def see_disk(data_dir: Path) -> tuple[int, bool]:
    """Free bytes where `data_dir` is or will be, and whether we may write there."""
    there = next(path for path in (data_dir, *data_dir.absolute().parents) if path.exists())
    return shutil.disk_usage(there).free, os.access(there, os.W_OK)


def examine_disk(data_dir: Path, free: int, writable: bool) -> Finding:
    """Room for the audit log and recordings."""
    place = Place("disk", str(data_dir))
    if not writable:
        return place.wrong("cannot be written", "let the bridge's user write there, or name another data_dir")
    text = f"{free / 1e9:.1f} GB are free"
    if free < TOO_FEW_BYTES:
        return place.wrong(text, "make room: what cannot be audited is not done")
    return place.warning(text, "make room") if free < FEW_BYTES else place.ok(text)
