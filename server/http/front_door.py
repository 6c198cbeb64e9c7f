"""Signing in, signing out, and the first run."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Any  # Any: values of a template

import structlog
from aiohttp import web

from agent_ui import render as templates
from server.actions.people import normal_email
from server.actions.shop import normal_currency, normal_locale, normal_timezone, set_up
from server.actions.sign_in import (
    Issued,
    check_new_password,
    hash_password,
    password_matches,
    renewed_hash,
    sign_out,
    start_sign_in,
)
from server.domain.errors import AppError, NotAllowed, NotSignedIn, TooMany
from server.domain.text import clean
from server.http.bodies import Form, field, read_form
from server.http.client import client_address
from server.http.hashing import Hashing
from server.http.keys import DATABASE
from server.http.sessions import drop_session_cookie, set_session_cookie, signed_in
from server.http.throttle import Throttle
from server.http.views import locale_of, problem_of, render
from server.log import email_hash
from server.storage.people import anyone_can_sign_in, credentials
from server.storage.shop import load_shop
from server.storage.unit import Tx

log = structlog.stdlib.get_logger("shopbell.http")
HASHING = web.AppKey("hashing", Hashing)
THROTTLE = web.AppKey("throttle", Throttle)
SETUP_CODE = web.AppKey("setup_code", str)
"""The one-time code of the set-up page; ``serve`` prints it while nobody can sign in."""

HOME = "/console"
_NEXT = re.compile(
    r"/(?:console|reports|settings|tickets|knowledge)(?:[/?#][\x21-\x5b\x5d-\x7e]*)?"
)
_SETUP_ACCOUNT = "set-up code"
# Without letters and digits that look alike; 12 of them are 59 bits.
_CODE_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def add_front_door(app: web.Application) -> None:
    """Serves the pages that nobody needs to be signed in for. Needs DATABASE in the application."""
    app[SETUP_CODE] = "-".join(
        "".join(secrets.choice(_CODE_LETTERS) for _ in range(4)) for _ in range(3)
    )
    app[THROTTLE] = Throttle(app[DATABASE])
    app[HASHING] = Hashing()
    app.on_cleanup.append(_close)
    app.router.add_get("/sign-in", sign_in_page)
    app.router.add_post("/sign-in", sign_in)
    app.router.add_post("/sign-out", leave)
    app.router.add_get("/setup", setup_page)
    app.router.add_post("/setup", setup)


def safe_next(target: str) -> str:
    r"""A path of our own pages to go to after signing in; the console for anything else.

    >>> safe_next("/reports?by=day"), safe_next("//evil.example"), safe_next("/\\evil.example")
    ('/reports?by=day', '/console', '/console')
    """
    return target if _NEXT.fullmatch(target) else HOME


async def sign_in_page(request: web.Request) -> web.Response:
    """The form, or the way on for who is signed in or must set up the shop first."""
    target = safe_next(request.query.get("next", ""))
    if await signed_in(request) is not None:
        raise web.HTTPSeeOther(target)
    if not await request.app[DATABASE].read(anyone_can_sign_in):
        raise web.HTTPSeeOther("/setup")
    return await _sign_in_form(request, target=target)


async def sign_in(request: web.Request) -> web.Response:
    """Starts a sign-in and goes on, or shows the form again with what was wrong."""
    form = await read_form(request)
    email, password = field(form, "email"), field(form, "password")
    target = safe_next(field(form, "next"))
    try:
        issued = await _check(request, email, password)
    except (NotSignedIn, TooMany) as error:
        return await _sign_in_form(request, target=target, email=email, error=error)
    return await _enter(request, issued, target)


async def leave(request: web.Request) -> web.Response:
    """Ends the sign-in of this browser."""
    found = await signed_in(request)
    if found is not None:
        actor, token_hash = found.person.actor, found.token_hash
        await request.app[DATABASE].write(lambda tx: sign_out(tx, actor, token_hash))
    response = web.Response(status=303, headers={"Location": "/sign-in"})
    drop_session_cookie(request, response)
    return response


async def setup_page(request: web.Request) -> web.Response:
    """The form of the first run; gone for good once anybody can sign in."""
    if await request.app[DATABASE].read(anyone_can_sign_in):
        raise web.HTTPSeeOther("/sign-in")
    locale = await locale_of(request)
    entered = {"locale": locale, "currency": "CNY" if locale == "zh" else "USD"}
    entered["timezone"] = "Asia/Shanghai" if locale == "zh" else "Europe/London"
    return await _setup_form(request, entered=entered)


async def setup(request: web.Request) -> web.Response:
    """Creates shop and first admin and signs the admin in."""
    database = request.app[DATABASE]
    if await database.read(anyone_can_sign_in):
        raise web.HTTPSeeOther("/sign-in")
    form = await read_form(request)
    try:
        issued = await _set_up(request, form)
    except AppError as error:
        if error.status >= 500:
            raise
        entered = {name: field(form, name) for name in form if name not in ("password", "code")}
        return await _setup_form(request, entered=entered, error=error)
    return await _enter(request, issued, HOME)


async def _check(request: web.Request, email: str, password: str) -> Issued:
    """The new sign-in. Raises NotSignedIn, alike for a wrong password and an unknown person."""
    app = request.app
    account = email.strip().lower()[:254]
    address = client_address(request)
    await app[THROTTLE].begin(account, address)
    found = await app[DATABASE].read(lambda c: credentials(c, account))
    known_hash = found.password_hash if found is not None and found.active else None
    matches = await app[HASHING].run(password_matches, known_hash, password)
    if found is None or known_hash is None or not matches:
        log.info("sign_in_failed", account=email_hash(account))
        raise NotSignedIn("E-mail address or password is wrong.", reason="wrong_password")
    new_hash = await app[HASHING].run(renewed_hash, known_hash, password)
    agent_id, agent = found.agent_id, request.headers.get("User-Agent", "")[:200] or None
    old = await signed_in(request)

    def start(tx: Tx) -> Issued:
        if old is not None:
            sign_out(tx, old.person.actor, old.token_hash)
        return start_sign_in(
            tx, agent_id=agent_id, password_hash=known_hash, user_agent=agent, new_hash=new_hash
        )

    issued = await app[DATABASE].write(start)
    await app[THROTTLE].succeeded(account, address)
    log.info("signed_in", agent_id=agent_id)
    return issued


async def _set_up(request: web.Request, form: Form) -> Issued:
    app = request.app
    address = client_address(request)
    await app[THROTTLE].begin(_SETUP_ACCOUNT, address)
    code = field(form, "code").strip().lower()
    if not secrets.compare_digest(code.encode(), app[SETUP_CODE].encode()):
        raise NotAllowed("This is not the code.", field="code", reason="code_wrong")
    await app[THROTTLE].succeeded(_SETUP_ACCOUNT, address)
    new = not await app[DATABASE].read(load_shop)
    email, password = normal_email(field(form, "email")), field(form, "password")
    name = clean(field(form, "name"), limit=100, name="name")
    locale = normal_locale(field(form, "locale")) if new else await locale_of(request)
    shop = clean(field(form, "shop"), limit=100, name="shop", empty=not new)
    timezone = normal_timezone(field(form, "timezone")) if new else ""
    currency = normal_currency(field(form, "currency")) if new else ""
    check_new_password(password, email=email)
    hashed = await app[HASHING].run(hash_password, password)
    agent_id = await app[DATABASE].write(
        lambda tx: set_up(
            tx,
            shop=shop,
            locale=locale,
            timezone=timezone,
            currency=currency,
            name=name,
            email=email,
            password_hash=hashed,
        )
    )
    return await app[DATABASE].write(
        lambda tx: start_sign_in(tx, agent_id=agent_id, password_hash=hashed)
    )


async def _enter(request: web.Request, issued: Issued, target: str) -> web.Response:
    response = web.Response(status=303, headers={"Location": target})
    set_session_cookie(request, response, issued.cookie)
    return response


async def _sign_in_form(
    request: web.Request, *, target: str, email: str = "", error: AppError | None = None
) -> web.Response:
    response = await render(
        request,
        "sign_in.html",
        status=error.status if error else 200,
        next=target,
        email=email[:254],
        problem=await problem_of(request, error),
    )
    if error is not None and "retry_after_s" in error.details:
        response.headers["Retry-After"] = str(error.details["retry_after_s"])
    return response


async def _setup_form(
    request: web.Request, *, entered: Mapping[str, Any], error: AppError | None = None
) -> web.Response:  # Any: values of a template
    shop = await request.app[DATABASE].read(load_shop)
    return await render(
        request,
        "setup.html",
        status=error.status if error else 200,
        entered=entered,
        shop=shop,
        problem=await problem_of(request, error),
        timezones=templates.timezones(),
    )


async def _close(app: web.Application) -> None:
    app[HASHING].close()
