"""The figures of a report get into their places in docs/benchmark.md, and nothing else of the page changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.__main__ import main
from bench.figures import Made, OdooFigures, OfSize, PathFigures, keep
from bench.latency import Latency
from bench.odoo import Rate
from bench.path import Cost
from bench.stages import CEL, RECORDING, WAITING, Line

PAGE = Path(__file__).parents[2] / "docs" / "benchmark.md"
MADE = Made(date="2030-01-02", commit="abc1234", machine="8 cores", programs="redis 9", load="0.0", took_s=120.0)


def path_report(file: Path) -> None:
    """Two rounds of the bridge, which cost 100 and 300 us, beside a loop that cost 10."""
    cheap = Cost(data_us=10.0, document_us=20.0, data_per_s=9000.0, rss_mb=30.0)
    ours = [Cost(data_us=us, document_us=us, data_per_s=1000.0, rss_mb=80.0) for us in (100.0, 300.0)]
    found = (("engine", 40.0), ("decode", 20.0), (WAITING, 90.0), (CEL, 4.0), (RECORDING, 6.0))
    stages = [Line(name, us, us) for name, us in found]
    latency = Latency(
        asked_per_s=1000,
        per_s=999.0,
        p50_ms=5.0,
        p90_ms=6.0,
        p99_ms=7.0,
        most_ms=8.0,
        sustained=True,
        cpu_us=400.0,
        batch=2.0,
        cut=False,
    )
    size = OfSize(devices=100, costs={"bridge": ours, "links": [cheap, cheap]}, stages=stages, latencies=[latency])
    keep(PathFigures(made=MADE, sizes=[size]), file)


def odoo_report(file: Path) -> None:
    rate = Rate(kind="scrap", way="call by call", per_s=3.0, calls=9.0, own_us=5000.0, own_share=0.015)
    keep(OdooFigures(made=MADE, server="19.0", simulator=False, rates=[rate]), file)


def report(folder: Path, page: Path) -> int:
    reports = ("--path", str(folder / "path.json"), "--odoo", str(folder / "odoo.json"))
    return main(["report", *reports, "--write", str(page)])


def test_the_page_of_the_docs_has_a_place_for_every_table(tmp_path: Path) -> None:
    page = tmp_path / "benchmark.md"
    page.write_text(PAGE.read_text())
    path_report(tmp_path / "path.json")
    odoo_report(tmp_path / "odoo.json")
    assert report(tmp_path, page) == 0
    filled = page.read_text()
    assert "Measured on 2030-01-02 at commit `abc1234`, on 8 cores; redis 9." in filled
    assert "| bridge | 100 / 200 / 300 | 1.0 / 1.0 / 1.0    | 100 / 200 / 300 |" in filled
    assert "| links  | 10 / 10 / 10    | 10.0 / 20.0 / 30.0 | 20 / 20 / 20    | 5.0 / 10.0 / 15.0 |" in filled
    assert "| all stages             | 60.0        | 60.0         |" in filled
    assert "| recording / all stages | 0.100       | 0.100        |" in filled
    assert "| 1 | engine, 40 us |\n| 2 | decode, 20 us |\n| 3 | links, 10 us  |" in filled
    assert "| scrap | call by call | 3          | 9.00 " in filled


def test_writing_twice_changes_nothing_more(tmp_path: Path) -> None:
    page = tmp_path / "benchmark.md"
    page.write_text(PAGE.read_text())
    path_report(tmp_path / "path.json")
    report(tmp_path, page)
    once = page.read_text()
    report(tmp_path, page)
    assert page.read_text() == once


def test_what_was_not_measured_keeps_its_old_figures(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- bench: odoo-made -->\n<!-- end: odoo-made -->\n<!-- bench: postings -->\n<!-- end: postings -->"
    )
    odoo_report(tmp_path / "odoo.json")
    assert report(tmp_path, page) == 0
    assert "| scrap |" in page.read_text()


@pytest.mark.parametrize(
    ("reports", "complaint"),
    [
        ((), "no report at {0}/path.json nor {0}/odoo.json; run `make bench` and `make bench-odoo`"),
        ((odoo_report,), "the page has no place for 'odoo-made': a line <!-- bench: odoo-made --> and below it"),
    ],
)
def test_what_cannot_be_written_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], reports: tuple[object, ...], complaint: str
) -> None:
    page = tmp_path / "page.md"
    page.write_text("no marks")
    if reports:
        odoo_report(tmp_path / "odoo.json")
    assert (report(tmp_path, page), page.read_text()) == (1, "no marks")
    assert complaint.format(tmp_path) in capsys.readouterr().err


def test_a_file_that_is_no_report_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "path.json").write_text("{}")
    assert report(tmp_path, tmp_path / "page.md") == 1
    assert f"bench: {tmp_path}/path.json: no report of this benchmark" in capsys.readouterr().err
