"""The console in memory behind a real port, and a Chromium before it. `make test-browser` runs these tests."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from tests.bridge.console.desk import PASSWORD, Console, console_in

WIDE, NARROW = ViewportSize(width=1280, height=800), ViewportSize(width=390, height=844)
SHOW_S = 10_000.0
"""How long a page may take to show something, in ms."""


@dataclass(slots=True, kw_only=True)
class Tab:
    """A page in the browser, and what the browser complained of: scripts refused, errors in ours, addresses missing."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    async def log_in(self) -> None:
        """As a person does it."""
        await self.page.goto("/login")
        await self.page.get_by_label("Your name").fill("Ana Weber")
        await self.page.get_by_label("Password").fill(PASSWORD)
        await self.page.get_by_role("button", name="Log in").click()
        await self.page.wait_for_url(re.compile("/$"))

    async def shows(self, text: str) -> None:
        """Wait until the page shows it, without loading it anew."""
        await self.page.get_by_text(text).first.wait_for(timeout=SHOW_S)


@dataclass(slots=True)
class Chromium:
    """Opens tabs on the console."""

    browser: Browser
    url: str

    async def tab(
        self, *, narrow: bool = False, scheme: Literal["light", "dark"] = "light", still: bool = False
    ) -> Tab:
        """A tab that nobody has logged in to. `still`: its person wants no motion."""
        page = await self.browser.new_page(
            base_url=self.url,
            viewport=NARROW if narrow else WIDE,
            color_scheme=scheme,
            reduced_motion="reduce" if still else "no-preference",
        )
        tab = Tab(page=page)
        page.on("console", lambda said: tab.complaints.append(said.text) if said.type != "log" else None)
        page.on("pageerror", lambda error: tab.complaints.append(str(error)))
        return tab


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    async with console_in(tmp_path) as console:
        yield console


@pytest.fixture
async def chromium(console: Console) -> AsyncIterator[Chromium]:
    binary = shutil.which("chromium") or shutil.which("google-chrome")
    assert binary, "no Chromium on the path: `make test-browser` installs what it needs"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=binary, args=["--no-sandbox"])
        yield Chromium(browser, str(console.browser.make_url("/")))
        await browser.close()


@pytest.fixture
async def tab(chromium: Chromium) -> Tab:
    """A wide tab with somebody logged in."""
    tab = await chromium.tab()
    await tab.log_in()
    return tab
