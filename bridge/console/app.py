"""The web application: its routes, who may use them, and the headers of every answer.

Every page but the log-in and the health needs a session. Every form holds a token that a foreign page cannot know.
Nothing is loaded from elsewhere, and nothing written into a page is run as a script.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Final

import structlog
from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from bridge.console import format as formats
from bridge.console.diagnosis import diagnose, facts
from bridge.console.facts import Inside
from bridge.console.session import Attempts, Session, Sessions, is_same
from bridge.console.trouble import Trouble
from bridge.console.trouble.health import HEALTH
from bridge.settings import ConsoleSettings
from ruleset.equipment import Assets
from state.audit import AuditLog
from state.entry import EntryState

COOKIE: Final = "uns_console"
LOGIN_COOKIE: Final = "uns_console_login"
LARGEST_FORM: Final = 256 * 1024
PUBLIC: Final = ("/login", "/link/", "/static/", HEALTH)
STATIC: Final = {"console.css": "text/css", "console.js": "text/javascript", "icon.svg": "image/svg+xml"}

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}

log = structlog.get_logger()

Page = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True, kw_only=True)
class Desk:
    """What all pages share."""

    inside: Inside
    settings: ConsoleSettings
    audit: AuditLog
    templates: Environment
    sessions: Sessions = field(default_factory=Sessions)
    attempts: Attempts = field(default_factory=Attempts)

    def render(self, request: web.Request, template: str, *, status: int = 200, **values: Any) -> web.Response:
        """One page for who asks."""
        session = request.get(SESSION)
        common: dict[str, Any] = {"session": session, "path": request.path, "said": ""}
        common["now_ms"] = self.inside.now_ms
        if session is not None:
            troubles = values.get("troubles") or diagnose(facts(self.inside))
            common |= {"troubles": troubles, "verdict": verdict(troubles), "said": session.take_said()}
            depth = self.inside.core.outbox.depth()
            common["waiting_for_people"] = depth.get(EntryState.DEAD, 0) + depth.get(EntryState.HELD, 0)
            common["commit"] = self.inside.watch.store
        text = self.templates.get_template(template).render(**{**common, **values})
        return web.Response(text=text, status=status, content_type="text/html")


DESK: Final = web.AppKey("desk", Desk)
SESSION: Final = web.RequestKey("session", Session)


def new_desk(inside: Inside, settings: ConsoleSettings, audit: AuditLog) -> Desk:
    """A desk with its templates."""
    return Desk(
        inside=inside, settings=settings, audit=audit, templates=new_templates(lambda: inside.core.floor.assets)
    )


def new_templates(live: Callable[[], Assets]) -> Environment:
    """The pages of a site, with the time zone that it has then: a version of its assets may name another one."""
    templates = Environment(
        loader=PackageLoader("bridge.console"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {
        "age": formats.age,
        "moment": lambda at_ms: formats.clock_of(live().timezone)(at_ms),
        "iso": formats.iso,
        "number": formats.number,
        "value": formats.value,
        "short": formats.short,
        "pretty": formats.pretty,
        "skew": formats.skew,
        "requirement": formats.requirement,
        "sample": formats.sample,
    }
    templates.globals |= {"site": live().path, "timezone": lambda: live().timezone}
    return templates


def verdict(troubles: tuple[Trouble, ...]) -> str:
    """The one word for all of it: the worst level, or `ok` where there is nothing but notes."""
    worst = troubles[0].level.word if troubles else "ok"
    return "ok" if worst == "note" else worst


def new_app(desk: Desk, routes: list[web.RouteDef]) -> web.Application:
    """The application with these routes and the guards before them."""
    app = web.Application(middlewares=[_tell_errors, _guard], client_max_size=LARGEST_FORM)
    app[DESK] = desk
    app.add_routes(routes)
    return with_static(app)


def with_static(app: web.Application) -> web.Application:
    """The same application with the style sheet and the script, and the headers of every answer."""
    app.router.add_get("/static/{name}", _static)
    app.on_response_prepare.append(_add_headers)
    return app


@web.middleware
async def _tell_errors(request: web.Request, handler: Page) -> web.StreamResponse:
    """Say what went wrong as a page. A defect is logged, and the bridge works on."""
    try:
        return await handler(request)
    except web.HTTPRedirection:
        raise
    except web.HTTPException as error:
        status, text = error.status, error.text or error.reason
    except Exception as error:
        log.exception("console.page_failed", path=request.path, reason=str(error))
        status, text = 500, "This page has a defect; the log of the bridge says which. The bridge itself works on."
    return request.app[DESK].render(request, "error.html", status=status, text=text, still=True)


@web.middleware
async def _guard(request: web.Request, handler: Page) -> web.StreamResponse:
    """Let through who is logged in; and of those who change something, only who filled in our form."""
    desk = request.app[DESK]
    session = desk.sessions.find(request.cookies.get(COOKIE, ""), desk.inside.now_ms)
    if session is not None:
        request[SESSION] = session
    elif not request.path.startswith(PUBLIC):
        if request.method == "GET" and request.path != "/events":
            raise web.HTTPSeeOther("/login")
        raise web.HTTPUnauthorized(text="log in first")
    if request.method not in ("GET", "HEAD"):
        await _refuse_foreign(request, session)
    return await handler(request)


async def _refuse_foreign(request: web.Request, session: Session | None) -> None:
    expected = session.csrf if session is not None else request.cookies.get(LOGIN_COOKIE, "")
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    form = await request.post()
    if site not in ("same-origin", "none") or not is_same(form.get("csrf"), expected):
        raise web.HTTPForbidden(text="this form is not ours, or too old: go back, reload the page and try again")


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)


async def _static(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    if name not in STATIC:
        raise web.HTTPNotFound
    body = (files("bridge.console") / "static" / name).read_bytes()
    return web.Response(body=body, content_type=STATIC[name], charset="utf-8")


def set_cookie(request: web.Request, response: web.StreamResponse, name: str, token: str) -> None:
    """A cookie for this site alone, out of reach of scripts; behind a proxy with TLS it never travels without."""
    is_secure = bool(request.app[DESK].settings.public_url)
    response.set_cookie(name, token, httponly=True, samesite="Strict", secure=is_secure, path="/")


def form_token(request: web.Request) -> str:
    """The token of the log-in form: the cookie's, or a new one."""
    return request.cookies.get(LOGIN_COOKIE) or secrets.token_urlsafe(24)
