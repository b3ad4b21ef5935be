"""Each page says what it is for, escaped, with strict headers and without a secret."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from bridge.core.input import Notice, Promoted, Shadowed, SparkplugMessage
from bridge.core.order import Acknowledgement
from bridge.lifecycle.book import VersionBook
from bridge.lifecycle.history import Step
from bridge.log import configure_logging
from bridge.loop import Entering
from bridge.orders.record import Answer
from bridge.plant import Release
from bridge.settings.broker import BrokerSettings
from bridge.settings.secret import hash_secret
from odoo_adapter.odoo import OdooInfo
from sparkplug.wire.datatype import Datatype
from sparkplug.wire.payload import TypedMetric, encode
from tests.bridge.console.desk import LINE, PASSWORD, Console, hear_the_line
from tests.bridge.lifecycle.test_book import ANNA, BEN

HOSTILE = """<script>alert(1)</script>"><img src=x onerror=alert(1)>'\u202e{{7*7}}"""
PAGES = ("/", "/equipment", "/entries?state=dead", "/entries?state=delivered", "/attention", "/orders", "/rules")
STATIC = ("/static/console.css", "/static/console.js", "/static/icon.svg")


@pytest.mark.parametrize("path", ["/login", *PAGES, *STATIC, "/nothing"])
async def test_every_answer_forbids_scripts_of_others_and_framing(console: Console, path: str) -> None:
    await console.log_in()

    async with console.browser.get(path) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'self';")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", PAGES)
async def test_pages_hold_no_inline_script_and_no_style(console: Console, path: str) -> None:
    await console.log_in()

    page = await console.get(path)

    assert re.findall(r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=|https?://(?!127\.0\.0\.1)", page) == []


async def test_when_nothing_is_wrong_the_first_page_says_so(console: Console) -> None:
    await console.log_in()

    assert '<h1 class="ok">All is well</h1>' in await console.get("/")


async def test_when_odoo_is_away_the_first_page_says_since_when_and_what_to_do(console: Console) -> None:
    await console.log_in()
    console.inside.watch.odoo_failed("post", "connection refused", console.clock.now_ms(), refused=False)
    console.pending("k1")
    console.clock.at_ms += 3 * 60_000

    page = await console.get("/")

    assert '<h1 class="stop">Odoo cannot be reached</h1>' in page
    assert "<b>3 min</b>" in page
    assert "1 posting waits" in page
    assert "Do not enter the waiting quantities by hand" in page
    assert "connection refused" in page


async def test_an_odoo_that_refuses_is_not_said_to_be_tried_at_once(console: Console) -> None:
    await console.log_in()
    before = await console.get("/")
    console.inside.watch.odoo_failed("post", "the API key is not valid", console.clock.now_ms(), refused=True)
    after = await console.get("/")

    tried = [re.search(r"<dt>Next try</dt><dd>([^<]*)</dd>", page) for page in (before, after)]
    assert [found and found[1] for found in tried] == ["at once", "within a minute, with another key at once"]


async def test_nothing_is_tried_on_odoo_while_redis_takes_no_commits(console: Console) -> None:
    await console.log_in()
    console.inside.watch.store_failed("connection refused", console.clock.now_ms())
    page = await console.get("/")

    assert "<dt>Next try</dt><dd>when Redis takes commits again</dd>" in page


async def test_the_overview_shows_odoo_redis_and_the_alerts(console: Console) -> None:
    await console.log_in()
    console.inside.watch.odoo.info = OdooInfo(
        version="19.0", mode="inbox", simulator=False, database="prod", company=1, user="uns-bridge"
    )
    console.inside.watch.notice(Notice(level="alert", name="rule.alert", fields={"text": "press-1 shakes"}))
    console.pending("k1")
    await console.settle()

    page = await console.get("/")

    for shown in ("19.0", "prod", "press-1 shakes", "commits are on disk", "<dd>1</dd>"):
        assert shown in page


async def test_the_equipment_page_shows_nodes_and_last_values(console: Console) -> None:
    await console.log_in()
    await hear_the_line(console)

    page = await console.get("/equipment")

    for shown in ("acme-berlin/packaging", "line-1", "online", LINE, "good_count", "1000", "RUN"):
        assert shown in page


async def test_equipment_that_was_not_heard_of_since_the_start_is_marked(console: Console) -> None:
    await console.log_in()

    page = await console.get("/equipment")

    assert page.count("nothing heard since the start") == 4


async def test_an_entry_tells_its_story_from_the_message_to_the_history(console: Console) -> None:
    await console.log_in()
    console.dead("k1", reason="no_stock: nothing of RESIN-A is left")

    page = await console.get("/entry?key=k1")

    for shown in (
        "production.scrap",
        "spBv1.0/acme-berlin/DDATA/packaging/line-1",
        "seq 7",
        "version <bdi>ab12</bdi>",
        "no_stock: nothing of RESIN-A is left",
        "not sent: no_stock",
    ):
        assert shown in page


async def test_a_delivered_entry_links_to_its_record_in_odoo(console: Console) -> None:
    await console.log_in()
    console.pending("k1")
    outbox = console.inside.core.outbox
    (entry,) = outbox.claim("odoo", now_ms=console.clock.now_ms(), limit=1)
    receipt = {"model": "stock.scrap", "id": 12, "details": {}, "repeated": False}
    outbox.applied(entry.key, msgspec.json.encode(receipt), console.clock.now_ms())
    await console.settle()

    listed, page = await console.get("/entries?state=delivered"), await console.get("/entry?key=k1")

    assert "k1" in listed
    assert "http://127.0.0.1:8069/web#id=12&amp;model=stock.scrap&amp;view_type=form" in page


async def test_what_a_rule_did_not_let_through_says_that_a_replay_decides_it_anew(console: Console) -> None:
    await console.log_in()
    body = {
        "key": "k1",
        "action": "production.scrap",
        "equipment": LINE,
        "order": "mo-1",
        "at_ms": 1,
        "rule": "scrap",
        "provenance": {"rule": "scrap", "version": "v", "topic": "t"},
        "reason": "S99",
    }
    console.inside.core.outbox.offer(
        key="k1",
        lane="mo-1",
        action="production.scrap",
        destination="odoo",
        body=msgspec.json.encode(body),
        now_ms=console.clock.now_ms(),
        dead="S99",
    )

    page = await console.get("/entry?key=k1")

    assert "Nothing to send" in page
    assert "the fact is decided anew" in page


async def test_entries_are_filtered_by_lane_and_paged(console: Console) -> None:
    await console.log_in()
    for number in range(60):
        console.dead(f"many-{number:02}", order="mo-1")
    console.dead("other", order="mo-2")

    first = await console.get("/entries?state=dead&lane=mo-1")
    second = await console.get("/entries?state=dead&lane=mo-1&page=2")

    assert (first.count("many-59"), first.count("other")) == (2, 0)
    assert "many-59" not in second
    assert "many-00" in second


@pytest.mark.parametrize("query", ["state=nonsense", "page=0", "page=-1", "page=x", "page=²", "state=dead&lane=%00"])
async def test_nonsense_in_an_address_gives_a_page_all_the_same(console: Console, query: str) -> None:
    await console.log_in()

    assert "<h1>Entries</h1>" in await console.get(f"/entries?{query}")


@pytest.mark.parametrize("path", ["/entry?key=none", "/order?order=none", "/nothing", "/static/../app.py"])
async def test_what_is_not_there_is_said_as_a_page(console: Console, path: str) -> None:
    await console.log_in()

    async with console.browser.get(path) as answer:
        assert answer.status == 404
        assert "<h1>Not possible</h1>" in await answer.text()


async def test_orders_show_their_answer_and_what_odoo_has_of_the_floor(console: Console) -> None:
    await console.log_in()
    console.release_order("mo-1", "WH/MO/00001")
    core, now_ms = console.inside.core, console.clock.now_ms()
    core.book.acknowledged(Acknowledgement(id="a", order="mo-1", version=1, status=Answer.REFUSED, reason="no tool"), 0)
    core.outbox.offer(
        key="p",
        lane="mo-1",
        action="production.progress",
        destination="odoo",
        body=b"{}",
        now_ms=now_ms,
        stream="mo-1/line/good/1",
        upto=core.postings.tolerance.share * 0 + 40,
    )
    console.inside.watch.posted("mo-1", {"qty_producing": 25.0}, now_ms)

    page, order = await console.get("/orders"), await console.get("/order?order=mo-1")

    for shown in ("WH/MO/00001", "refused", "no tool", ">100<", ">40<", "15 on the way"):
        assert shown in page
    assert "mo-1/line/good/1" in order
    address = f"{console.inside.plant.settings.odoo.url}/web#id=1&amp;model=mrp.production&amp;view_type=form"
    assert f'href="{address}" target="_blank" rel="noopener noreferrer">Open <bdi>WH/MO/00001</bdi> in Odoo' in order


async def test_hostile_texts_stay_texts(console: Console) -> None:
    await console.log_in(name="<b>Eve</b>")
    console.dead(HOSTILE, reason=HOSTILE, order=HOSTILE)
    console.inside.watch.notice(Notice(level="alert", name=HOSTILE, fields={HOSTILE: HOSTILE, "key": HOSTILE}))
    console.inside.watch.odoo_failed("post", HOSTILE, 0, refused=True)
    console.release_order(HOSTILE, HOSTILE)

    pages = [await console.get(path) for path in PAGES]
    pages += [await console.get(f"/entries?state=dead&lane={HOSTILE}".replace("#", "%23"))]
    async with console.browser.get("/entry", params={"key": HOSTILE}) as answer:
        pages.append(await answer.text())
    async with console.browser.get("/order", params={"order": HOSTILE}) as answer:
        pages.append(await answer.text())

    for page in pages:
        assert "<script>alert" not in page
        assert "<img" not in page
        assert "<b>Eve" not in page
    assert all("&lt;b&gt;Eve" in page for page in pages)


async def test_no_page_holds_a_secret(console: Console, tmp_path: Path) -> None:
    await console.log_in()
    (session,) = console.desk.sessions.all
    cookie = next(one.value for one in console.browser.session.cookie_jar if one.key == "uns_console")
    stored = (console.folder / "console.hash").read_text()

    for path in PAGES:
        page = await console.get(path)
        for secret in (PASSWORD, stored, cookie):
            assert secret not in page
    assert session.csrf != cookie
    assert hash_secret(PASSWORD) != stored


async def test_a_defect_of_a_page_is_said_as_a_page(console: Console) -> None:
    configure_logging()
    await console.log_in()
    await hear_the_line(console)
    del console.desk.templates.filters["value"]

    async with console.browser.get("/equipment") as answer:
        assert answer.status == 500
        assert "This page has a defect" in await answer.text()
    assert "<h1" in await console.get("/")


async def test_what_a_node_does_against_the_standard_is_shown_with_its_requirement_and_a_payload(
    console: Console,
) -> None:
    await console.log_in()
    await hear_the_line(console)
    metric = TypedMetric(name="Torque", datatype=Datatype.INT32, value=5, at_ms=1)
    message = SparkplugMessage(
        topic="spBv1.0/acme-berlin/DDATA/packaging/line-1",
        payload=encode(timestamp_ms=console.clock.now_ms(), seq=2, metrics=[metric]),
        retain=False,
    )
    await console.inside.enter(Entering(input=message, at_ms=console.clock.now_ms()))
    await console.settle()

    page = await console.get("/equipment")

    assert "metric-unknown" in page
    assert "tck-id-topics-nbirth-metric-reqs" in page
    assert "&#39;Torque&#39; was not in the birth" in page
    assert "seq 2, Torque 5" in page
    assert "+0.0 s" in page


async def test_the_overview_shows_each_mqtt_server_with_its_own_sessions(console: Console) -> None:
    await console.log_in()
    plant = console.inside.plant
    servers = (BrokerSettings(host="mqtt-a"), BrokerSettings(host="mqtt-b", port=2883, version=4))
    plant = replace(plant, settings=replace(plant.settings, brokers=servers))
    console.desk.inside = replace(console.inside, plant=plant)
    for name, up in (("host", True), ("host2", False), ("documents", True)):
        console.inside.watch.session(name, up=up)

    page = re.sub(r"<[^>]+>|\s+", " ", await console.get("/"))

    card = re.sub(" +", " ", page[page.index("Brokers") : page.index("Plant's nodes")])
    assert card == (
        "Brokers mqtt-a:1883 , MQTT 5 Sparkplug connected 0 s Documents connected 0 s "
        "mqtt-b:2883 , MQTT 3.1.1 Sparkplug down 0 s "
    )


async def test_what_no_node_did_is_shown_too(console: Console) -> None:
    await console.log_in()
    message = SparkplugMessage(topic="spBv1.0/acme-berlin/NDATA", payload=b"", retain=False)
    await console.inside.enter(Entering(input=message, at_ms=console.clock.now_ms()))
    await console.settle()

    page = await console.get("/equipment")

    assert "none that is followed" in page
    assert "topic-invalid" in page


async def test_the_page_of_the_rules_says_what_is_live_what_is_in_shadow_and_who_decided(console: Console) -> None:
    await console.log_in()
    assert "Nobody has proposed a version yet" in await console.get("/rules")
    plant = console.inside.plant
    book, codes = VersionBook(plant.folder), plant.folder / "codes.yaml"
    version = book.propose(ANNA, f"less noise {HOSTILE}", 17, 1)
    book.act(Step.APPROVE, BEN, version, "looks right", 2)
    book.act(Step.PROMOTE, BEN, version, "now", 3)
    console.inside.core.release = Release(version=version, author="anna", approved_by="ben")
    codes.write_text(f"# more\n{codes.read_text()}")
    other = book.propose(ANNA, "more codes", 17, 4)
    release = Release(version=other, author="anna", approved_by="")
    shadowed = Shadowed(replace(plant.content, release=release))
    await console.inside.enter(Entering(input=shadowed, at_ms=console.clock.now_ms()))
    await console.settle()
    book.act(Step.SHADOW, ANNA, other, "a shift beside the live one", 5)
    page = await console.get("/rules")
    assert f"Live is <b><bdi>{version}</bdi></b> by <bdi>anna</bdi>, approved by <bdi>ben</bdi>, since" in page
    assert f"<b><bdi>{other}</bdi></b> decides beside it and posts nothing" in page
    assert f"The folder is <bdi>{other}</bdi>, proposed." in page
    assert "<script>alert" not in page
    assert page.index(other) < page.index(f">{version}</bdi></td>")


async def test_the_pages_show_the_equipment_and_the_zone_of_the_version_that_is_live(console: Console) -> None:
    await console.log_in()
    assets = console.inside.plant.assets
    assert assets.timezone == "Europe/Berlin"
    fewer = {path: each for path, each in assets.equipment.items() if path != LINE}
    content = replace(console.inside.plant.content, assets=replace(assets, equipment=fewer, timezone="Asia/Tokyo"))
    await console.inside.enter(Entering(input=Promoted(content), at_ms=console.clock.now_ms()))
    await console.settle()
    page = await console.get("/equipment")
    assert (LINE in page, "(Asia/Tokyo)" in page) == (False, True)
    assert all(path in page for path in fewer)


async def test_versions_that_somebody_changed_are_said_on_their_page(console: Console) -> None:
    await console.log_in()
    folder = console.inside.plant.folder
    version = VersionBook(folder).propose(ANNA, "a reason", 17, 1)
    log = folder / "versions" / "audit.jsonl"
    log.write_text(log.read_text().replace("anna", "eve"))
    page = await console.get("/rules")
    assert "The versions cannot be read" in page
    assert "it was changed after it was written" in page
    assert version not in page
