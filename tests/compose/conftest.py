"""A copy of the stack's folder in which `prepare` has made the secrets and the certificates."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

COMPOSE = Path(__file__).parent.parent.parent / "compose"


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder; the stack's own is left alone."""
    folder = tmp_path_factory.mktemp("stack") / "compose"
    shutil.copytree(COMPOSE, folder, ignore=shutil.ignore_patterns("secrets", "tls", ".env"))
    subprocess.run([folder / "prepare"], check=True, capture_output=True)
    return folder
