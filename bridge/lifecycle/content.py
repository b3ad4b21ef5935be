"""What a version of the rules is: the texts of a plant folder that decide what is posted, named by their hash.

`bridge.yaml` is not among them: it says where servers are, and differs between machines that run the same rules.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final

from bridge.plant import ASSETS_FILE, CODES_FILE, RULES_FOLDER, TESTS_END, WORKFLOWS_FILE

VERSIONS_FOLDER: Final = "versions"
_HASH_LENGTH: Final = 12


def texts_of(folder: Path) -> Mapping[str, str]:
    """The texts by their names below the folder, with the line ends of this machine taken away.

    Raises `OSError` and `UnicodeDecodeError` where one cannot be read.
    """
    files = [folder / name for name in (ASSETS_FILE, CODES_FILE, WORKFLOWS_FILE)]
    files += (folder / RULES_FOLDER).glob("*.yaml")
    return {
        file.relative_to(folder).as_posix(): file.read_text("utf-8-sig").replace("\r\n", "\n")
        for file in sorted(files)
        if file.exists()
    }


def version_of(texts: Mapping[str, str]) -> str:
    """The name of a version: a hash of the texts that decide, so that one name never means two things. Rule tests are
    kept with a version, and are none of them."""
    digest = sha256()
    for name, text in sorted(texts.items()):
        if name.endswith(TESTS_END):
            continue
        for part in (name, text):
            encoded = part.encode()
            digest.update(len(encoded).to_bytes(8) + encoded)
    return digest.hexdigest()[:_HASH_LENGTH]


def version_folder(plant: Path, version: str) -> Path:
    """Where the texts of a version are kept, below the plant folder that they came from."""
    return plant / VERSIONS_FOLDER / version


def keep(plant: Path, texts: Mapping[str, str]) -> None:
    """Keep a version's texts beside the plant folder. Keeping it again mends what somebody changed there."""
    version = version_of(texts)
    if is_sound(plant, version):
        return
    folder = version_folder(plant, version)
    beside = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    for name, text in texts.items():
        file = beside / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
    shutil.rmtree(folder, ignore_errors=True)
    beside.rename(folder)


def is_sound(plant: Path, version: str) -> bool:
    """Whether the kept texts are still those that the name stands for."""
    try:
        return version_of(texts_of(version_folder(plant, version))) == version
    except UnicodeDecodeError:
        return False
