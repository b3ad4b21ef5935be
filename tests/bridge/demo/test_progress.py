"""What a demonstration shows: lines of a log, or a table that moves where there is a terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.demo.progress import LINE_EVERY_S, Progress, Standing

STANDING = Standing(facts=120, releases=6, delivered=80, waiting=3, held=1, dead=2, stored=4, kills=0)


class Seconds:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_without_a_terminal_the_standing_is_a_line_every_five_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    seconds = Seconds()
    with Progress(headless=True, now_s=seconds) as progress:
        for _ in range(11):
            progress.show(STANDING)
            seconds.now_s += LINE_EVERY_S / 5
        progress.show(replace(STANDING, kills=2))
    told = "120 facts on the floor (6 orders), 80 delivered, 3 waiting, 1 held, 2 dead, 4 stored in edge nodes"
    assert capsys.readouterr().err == f"    5 s  {told}\n   10 s  {told}\n"


def test_kills_are_told_where_there_were_some(capsys: pytest.CaptureFixture[str]) -> None:
    seconds = Seconds()
    with Progress(headless=True, now_s=seconds) as progress:
        seconds.now_s += LINE_EVERY_S
        progress.show(replace(STANDING, kills=2))
    assert "4 stored in edge nodes, bridge killed 2 times\n" in capsys.readouterr().err


def test_what_is_said_stands_there_as_it_is_with_its_second(capsys: pytest.CaptureFixture[str]) -> None:
    seconds = Seconds()
    with Progress(headless=True, now_s=seconds) as progress:
        seconds.now_s += 61
        progress.say("cut: [Errno 104] reset by [/peer]")
    assert capsys.readouterr().err == "   61 s  cut: [Errno 104] reset by [/peer]\n"


def test_on_a_terminal_the_standing_is_a_table(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    with Progress(headless=False) as progress:
        progress.show(STANDING)
    shown = capsys.readouterr().err
    assert "stored in nodes" in shown
    assert "120" in shown


def test_headless_prints_lines_on_a_terminal_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    seconds = Seconds()
    with Progress(headless=True, now_s=seconds) as progress:
        seconds.now_s += LINE_EVERY_S
        progress.show(STANDING)
    shown = capsys.readouterr().err
    assert "stored in nodes" not in shown
    assert "facts on the floor" in shown
