"""A log line is a name and fields: JSON for machines, a line for people on a terminal."""

from __future__ import annotations

import json
import os
import pty
import sys

import pytest
import structlog

from bridge.log import configure_logging


def test_a_line_is_one_json_object_with_its_name_level_and_utc_time(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    structlog.get_logger().info("node.stale", node="acme-berlin/press-1", age_ms=1500)
    told = json.loads(capsys.readouterr().err)
    assert told.pop("timestamp").endswith("Z")
    assert told == {"event": "node.stale", "level": "info", "node": "acme-berlin/press-1", "age_ms": 1500}


def test_a_text_of_several_lines_stays_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    structlog.get_logger().error("entry.dead", reason="first\nsecond “third”")
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert json.loads(told)["reason"] == "first\nsecond “third”"


def test_a_defect_brings_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    try:
        raise KeyError("alias 7")
    except KeyError as error:
        structlog.get_logger().error("bridge.failed", exc_info=error)
    assert "KeyError: 'alias 7'" in json.loads(capsys.readouterr().err)["exception"]


@pytest.mark.parametrize(("debug", "told"), [(False, 0), (True, 1)])
def test_details_are_told_when_they_are_asked_for(capsys: pytest.CaptureFixture[str], debug: bool, told: int) -> None:
    configure_logging(debug=debug)
    structlog.get_logger().debug("payload", size=3)
    assert capsys.readouterr().err.count("\n") == told


def test_what_cannot_be_json_is_told_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    structlog.get_logger().info("odd", value={1, 2}.__class__, payload=b"\xff")
    told = json.loads(capsys.readouterr().err)
    assert (told["value"], told["payload"]) == ("<class 'set'>", "b'\\xff'")


def test_a_terminal_gets_a_line_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        configure_logging()
        structlog.get_logger().info("host.connected", session_present=True)
        told = os.read(ours, 4096).decode()
    os.close(ours)
    assert "host.connected" in told
    assert not told.startswith("{")
