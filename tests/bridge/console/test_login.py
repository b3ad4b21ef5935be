"""Nobody sees or does anything without logging in, and guessing is slow."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from bridge.console.password import write_link
from bridge.console.session import SESSION_MS, TRIES, TRIES_OF_ALL, WINDOW_MS, Attempts, Sessions
from state.audit import verify
from tests.bridge.console.desk import PASSWORD, Console, form_token

PAGES = ("/", "/equipment", "/entries", "/entry?key=k", "/attention", "/orders", "/order?order=mo-1")


@pytest.mark.parametrize("page", PAGES)
async def test_without_a_log_in_every_page_leads_to_the_log_in(console: Console, page: str) -> None:
    async with console.browser.get(page, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/login")


async def test_without_a_log_in_no_events_are_told(console: Console) -> None:
    async with console.browser.get("/events") as answer:
        assert answer.status == 401


async def test_the_right_password_opens_the_overview_under_ones_name(console: Console) -> None:
    answer = await console.log_in("Ana  Weber")

    assert (answer.status, answer.headers["Location"]) == (303, "/")
    assert "Ana Weber" in await console.get("/")


async def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(console: Console) -> None:
    answer = await console.log_in()

    cookie = answer.cookies["uns_console"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")


@pytest.mark.parametrize(("public_url", "secure"), [("https://bridge.example", True), ("", "")])
async def test_behind_a_proxy_with_tls_the_cookies_never_travel_without(
    console: Console, public_url: str, secure: object
) -> None:
    token = form_token(await console.get("/login"))
    console.desk.settings = replace(console.desk.settings, public_url=public_url)

    answer = await console.post("/login", {"name": "Ana", "password": PASSWORD}, csrf=token)

    assert answer.cookies["uns_console"]["secure"] == secure


@pytest.mark.parametrize(
    ("public_url", "said", "address"),
    [
        ("https://bridge.example", "6.6.6.6, 192.0.2.7", "192.0.2.7"),
        ("https://bridge.example", "nonsense", "127.0.0.1"),
        ("", "192.0.2.7", "127.0.0.1"),
    ],
)
async def test_whom_a_proxy_on_this_machine_names_last_is_who_logs_in(
    console: Console, public_url: str, said: str, address: str
) -> None:
    token = form_token(await console.get("/login"))
    console.desk.settings = replace(console.desk.settings, public_url=public_url)

    fields = {"csrf": token, "name": "Ana", "password": "guessed"}
    await console.browser.post("/login", data=fields, headers={"X-Forwarded-For": said})

    last = msgspec.json.decode((console.folder / "audit.jsonl").read_bytes().splitlines()[-1])
    assert last["fields"] == {"address": address}


async def test_a_wrong_password_opens_nothing_and_is_in_the_audit_log(console: Console) -> None:
    answer = await console.log_in(password="guessed")

    assert answer.status == 403
    assert "Wrong password" in await answer.text()
    assert "console.log-in-failed" in (console.folder / "audit.jsonl").read_text()
    assert verify(console.folder / "audit.jsonl") == ()


async def test_a_log_in_needs_a_name(console: Console) -> None:
    answer = await console.log_in(name="  ")

    assert answer.status == 400
    assert console.desk.sessions.all == ()


async def test_after_a_few_wrong_passwords_even_the_right_one_must_wait(console: Console) -> None:
    for _ in range(TRIES):
        await console.log_in(password="guessed")

    answer = await console.log_in()

    assert answer.status == 429
    assert int(answer.headers["Retry-After"]) > 0


async def test_who_waits_may_try_again(console: Console) -> None:
    for _ in range(TRIES):
        await console.log_in(password="guessed")
    console.clock.at_ms += WINDOW_MS

    assert (await console.log_in()).status == 303


async def test_the_log_in_form_of_a_foreign_page_is_refused(console: Console) -> None:
    await console.get("/login")

    answer = await console.post("/login", {"name": "Eve", "password": PASSWORD}, csrf="foreign")

    assert answer.status == 403
    assert console.desk.sessions.all == ()


async def test_a_form_that_the_browser_says_is_of_another_site_is_refused(console: Console) -> None:
    token = form_token(await console.get("/login"))

    async with console.browser.post(
        "/login",
        data={"csrf": token, "name": "Eve", "password": PASSWORD},
        headers={"Sec-Fetch-Site": "cross-site"},
        allow_redirects=False,
    ) as answer:
        assert answer.status == 403


async def test_a_session_ends_after_a_long_shift(console: Console) -> None:
    await console.log_in()
    console.clock.at_ms += SESSION_MS

    async with console.browser.get("/", allow_redirects=False) as answer:
        assert answer.status == 303


async def test_who_logs_out_is_out(console: Console) -> None:
    await console.log_in()

    answer = await console.post("/logout", {})

    assert answer.headers["Location"] == "/login"
    assert console.desk.sessions.all == ()


async def test_without_a_password_file_the_page_says_what_to_do(console: Console) -> None:
    (console.folder / "console.hash").unlink()

    answer = await console.log_in()

    assert answer.status == 403
    assert "uns-bridge console hash" in await answer.text()


async def test_a_link_logs_in_once(console: Console) -> None:
    link = write_link(console.folder / "console.link")
    token = form_token(await console.get(f"/link/{link}"))

    first = await console.post("/login", {"name": "Ana", "link": link}, csrf=token)
    await console.post("/logout", {})
    token = form_token(await console.get("/login"))
    second = await console.post("/login", {"name": "Eve", "link": link}, csrf=token)

    assert (first.status, second.status) == (303, 403)


async def test_looking_at_a_link_does_not_use_it_up(console: Console) -> None:
    link = write_link(console.folder / "console.link")

    await console.get(f"/link/{link}")
    await console.get(f"/link/{link}")

    assert (console.folder / "console.link").exists()


async def test_a_link_of_another_bridge_opens_nothing(console: Console) -> None:
    write_link(console.folder / "console.link")

    async with console.browser.get("/link/other") as answer:
        assert answer.status == 403


def test_many_addresses_together_may_not_guess_faster() -> None:
    attempts = Attempts()

    waits = [attempts.wait_ms(f"10.0.0.{address}", 0) for address in range(TRIES_OF_ALL + 1)]

    assert waits == [0] * TRIES_OF_ALL + [WINDOW_MS]


def test_too_many_sessions_push_the_oldest_out() -> None:
    sessions = Sessions()
    first = sessions.open("first", 0)
    for number in range(100):
        sessions.open(f"later {number}", 1)

    assert sessions.find(first, 2) is None
    assert len(sessions.all) == 100
