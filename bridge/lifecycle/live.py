"""The plant as it is to run: the version that is live, or the folder as it stands where no version ever was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bridge.errors import ConfigError, StartRefused
from bridge.floor.content import why_restart
from bridge.lifecycle.book import LogBroken, VersionBook
from bridge.lifecycle.content import VERSIONS_FOLDER, texts_of, version_of
from bridge.lifecycle.history import History, InForce
from bridge.lifecycle.people import read_people
from bridge.plant import PEOPLE_FILE, Content, Plant, Release, load_plant
from ruleset.problem import Problem, Problems


def load_live(folder: Path) -> Plant:
    """Read the live version. Raises `ConfigError`, also where the versions were tampered with."""
    book = VersionBook(folder)
    try:
        history = book.history()
        return load_version(folder, history, history.live) if history.live else load_plant(folder)
    except (LogBroken, OSError) as error:
        raise ConfigError((Problem(file=str(folder), text=str(error)),)) from error


def live_now(plant: Plant) -> Plant:
    """The plant with the version that is live by now, for a bridge that stood by since it read the plant; as it was,
    where that is the same or none ever was live. Raises `StartRefused` where only a start can take it, `ConfigError`.
    """
    book = VersionBook(plant.folder)
    try:
        history = book.history()
        if history.live is None or (plant.release is not None and plant.release.version == history.live):
            return plant
        content = load_version(plant.folder, history, history.live).content
    except (LogBroken, OSError) as error:
        raise StartRefused(str(error)) from error
    if (reason := why_restart(plant.content, content)) is not None:
        text = f"{history.live} became live while this bridge stood by, and {reason}: start it again"
        raise StartRefused(text)
    return replace(plant, content=content)


def as_it_runs(plant: Plant, runs: str) -> tuple[Plant, str]:
    """The plant with the content of this name, by which a bridge decides, and a sentence where the folder has another.

    What was never released is kept nowhere: then the plant stays as it is.
    """
    has = version_of(plant.content.texts)
    if runs == has:
        return plant, ""
    try:
        history = VersionBook(plant.folder).history()
        if runs in history.versions:
            said = f"decided by {runs}, which the bridge runs; it has not taken up {has}, which {plant.folder} has"
            content = load_version(plant.folder, history, runs).content
            return replace(plant, content=content), f"{said}: start it again if that lasts"
    except (LogBroken, ConfigError, OSError):
        pass  # the same as for one that is not kept
    return plant, (
        f"decided by {plant.folder} as it is now, while the bridge runs what it read when it started: "
        "start it again before you go on, and it decides like this"
    )


def refuse_left_behind(folder: Path, known: InForce | None) -> None:
    """Raises `StartRefused` where the versions of the folder are gone, or older than what a bridge of the site ran."""
    try:
        VersionBook(folder).history(known)
    except (LogBroken, OSError) as error:
        raise StartRefused(str(error)) from error


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
    since = history.live_since if version == history.live else None
    release = Release(version=version, author=known.author, approved_by=known.decided_by, since=since)
    return replace(plant, content=replace(plant.content, release=release))


def check_life(folder: Path) -> tuple[tuple[Problem, ...], tuple[str, ...]]:
    """What is wrong with the people and the versions of a folder that can be read, and what may be a mistake."""
    problems, notes = Problems(), []
    try:
        if (file := folder / PEOPLE_FILE).exists():
            read_people(PEOPLE_FILE, file.read_text("utf-8-sig"), problems)
    except (OSError, UnicodeDecodeError) as error:
        problems.add(Problem(file=PEOPLE_FILE, text=f"cannot be read: {error}"))
    try:
        history = VersionBook(folder).history()
        for version in filter(None, (history.live, history.shadow)):
            load_version(folder, history, version)
        if history.live is not None and history.live != version_of(texts_of(folder)):
            live = f"{history.live} is live, and the folder differs from it"
            notes.append(f"{live}; `uns-bridge rules versions` says more")
    except (LogBroken, OSError) as error:
        problems.add(Problem(file=VERSIONS_FOLDER, text=str(error)))
    except ConfigError as error:
        problems.extend(replace(each, file=f"{VERSIONS_FOLDER}: {each.file}") for each in error.problems)
    return problems.all, tuple(notes)
