"""The plant as it is to run: the version that is live, or the folder as it stands where no version ever was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bridge.errors import ConfigError
from bridge.lifecycle.book import LogBroken, VersionBook
from bridge.lifecycle.history import History
from bridge.plant import Content, Plant, Release, load_plant
from ruleset.problem import Problem


def load_live(folder: Path) -> Plant:
    """Read the live version. Raises `ConfigError`, also where the versions were tampered with."""
    book = VersionBook(folder)
    try:
        history = book.history()
        return load_version(folder, history, history.live) if history.live else load_plant(folder)
    except (LogBroken, OSError) as error:
        raise ConfigError((Problem(file=str(folder), text=str(error)),)) from error


def shadow_of(folder: Path) -> Content | None:
    """The version in shadow, if any. One that cannot be read is none: it must not keep the live one from starting."""
    book = VersionBook(folder)
    try:
        history = book.history()
        return load_version(folder, history, history.shadow).content if history.shadow else None
    except (LogBroken, ConfigError, OSError):
        return None  # `VersionWatch` says why


def load_version(folder: Path, history: History, version: str) -> Plant:
    """Read a version that was proposed. Raises `ConfigError`, `LogBroken` and `OSError`."""
    known = history.versions[version]
    plant = load_plant(folder, VersionBook(folder).folder(version))
    release = Release(version=version, author=known.author, approved_by=known.decided_by)
    return replace(plant, content=replace(plant.content, release=release))
