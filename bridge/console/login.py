"""Logging in and out. The name is asked for so that acts have one; there is one password until there are roles."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address

import structlog
from aiohttp import web

from bridge.console.app import COOKIE, DESK, LOGIN_COOKIE, Desk, form_token, set_cookie
from bridge.console.password import is_link, is_password, use_link

LONGEST_NAME = 60

log = structlog.get_logger()


async def show(request: web.Request) -> web.StreamResponse:
    """The log-in form."""
    return _form(request)


async def show_link(request: web.Request) -> web.StreamResponse:
    """The form of a link that works once. Looking at it does not use it up."""
    desk, token = request.app[DESK], request.match_info["token"]
    if desk.settings.link_file is None or not is_link(desk.settings.link_file, token):
        return _form(request, wrong="This link has been used already, or is not of this bridge.", status=403)
    return _form(request, link=token)


async def log_in(request: web.Request) -> web.StreamResponse:
    """Check name and password, or the link."""
    desk, form = request.app[DESK], await request.post()
    name, link = _name(form.get("name")), str(form.get("link") or "")
    if not name:
        return _form(request, wrong="Say your name: it stands beside what you do.", link=link, status=400)
    address = _address(request, behind_proxy=bool(desk.settings.public_url))
    wait_ms = desk.attempts.wait_ms(address, desk.inside.now_ms)
    if wait_ms:
        log.warning("console.log_in_refused", address=address, reason="too many attempts")
        response = _form(request, wrong="Too many attempts. Wait a minute and try again.", name=name, status=429)
        response.headers["Retry-After"] = str(wait_ms // 1000 + 1)
        return response
    wrong = await _wrong(desk, str(form.get("password") or ""), link)
    if wrong:
        await _record(desk, "console.log-in-failed", name, address)
        log.warning("console.log_in_failed", name=name, address=address)
        return _form(request, wrong=wrong, name=name, status=403)
    desk.attempts.forgive(address)
    await _record(desk, "console.log-in", name, address)
    log.info("console.logged_in", name=name, address=address)
    response = web.Response(status=303, headers={"Location": "/"})
    desk.sessions.close(request.cookies.get(COOKIE, ""))
    set_cookie(request, response, COOKIE, desk.sessions.open(name, desk.inside.now_ms))
    response.del_cookie(LOGIN_COOKIE, path="/")
    return response


async def log_out(request: web.Request) -> web.StreamResponse:
    """End the session."""
    desk = request.app[DESK]
    desk.sessions.close(request.cookies.get(COOKIE, ""))
    response = web.Response(status=303, headers={"Location": "/login"})
    response.del_cookie(COOKIE, path="/")
    return response


async def _wrong(desk: Desk, password: str, link: str) -> str:
    """Why not, as a sentence; empty when it is right."""
    settings = desk.settings
    if link and settings.link_file is not None:
        return "" if use_link(settings.link_file, link) else "This link has been used already."
    if settings.password_file is None:
        return "This console has no password; use the link that was printed when it began."
    try:
        right = await asyncio.to_thread(is_password, settings.password_file, password)
    except (OSError, ValueError) as error:
        log.error("console.no_password", reason=str(error))
        return "The bridge has no password to compare with; its log says why. See `uns-bridge console hash`."
    return "" if right else "Wrong password."


async def _record(desk: Desk, kind: str, name: str, address: str) -> None:
    try:
        await asyncio.to_thread(desk.audit.append, kind, name, {"address": address}, desk.inside.now_ms)
    except OSError as error:
        log.error("audit.not_written", reason=str(error))


def _address(request: web.Request, *, behind_proxy: bool) -> str:
    """Who asks. What a proxy on this machine says of that counts; what anybody else says of it does not."""
    peer = request.remote or ""
    if not behind_proxy or not _is_loopback(peer):
        return peer
    said = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    try:
        return str(ip_address(said))
    except ValueError:
        return peer


def _is_loopback(peer: str) -> bool:
    try:
        return ip_address(peer).is_loopback
    except ValueError:
        return False


def _name(given: object) -> str:
    text = " ".join(given.split()) if isinstance(given, str) else ""
    return text if text.isprintable() and len(text) <= LONGEST_NAME else ""


def _form(
    request: web.Request, *, wrong: str = "", link: str = "", name: str = "", status: int = 200
) -> web.StreamResponse:
    desk, token = request.app[DESK], form_token(request)
    values = {"wrong": wrong, "link": link, "name": name, "csrf": token, "session": None}
    takes = desk.settings.password_file is not None
    response = desk.render(request, "login.html", status=status, takes_password=takes, **values)
    set_cookie(request, response, LOGIN_COOKIE, token)
    return response
