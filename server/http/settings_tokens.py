"""Settings: the tokens of programs, for admins."""

from __future__ import annotations

from aiohttp import web

from server.actions import tokens as token_actions
from server.actions.payload import parse
from server.actions.people import create_token as make_token
from server.domain.actors import ROLES, Actor
from server.domain.errors import AppError, InvalidInput, NotFound
from server.domain.scopes import SCOPES
from server.http.api.rows import ROOT
from server.http.bodies import Form, field, read_form
from server.http.keys import DATABASE
from server.http.sessions import require_person
from server.http.settings import PEOPLE, settings_page, submit
from server.storage import people, tokens
from server.storage.shop import load_shop

LIVES = (30, 90, 365)


def add_token_settings(app: web.Application) -> None:
    """Serves the pages about tokens."""
    router = app.router
    router.add_get("/settings/tokens", show_tokens)
    router.add_post("/settings/tokens", create_token)
    router.add_get("/settings/tokens/{id}/revoke", ask_revoke)
    router.add_post("/settings/tokens/{id}/revoke", revoke)


async def show_tokens(
    request: web.Request, error: AppError | None = None, *, token: str | None = None
) -> web.Response:
    """All tokens, and the form for one more; ``token`` is a new one, to be shown this once."""
    await require_person(request, PEOPLE)
    database = request.app[DATABASE]
    shop = await database.read(load_shop)
    return await settings_page(
        request,
        "settings_tokens.html",
        error,
        tab="tokens",
        token=token,
        tokens=await database.read(tokens.load_tokens),
        people=[one for one in await database.read(people.load_people) if one.email],
        roles=ROLES,
        scopes=SCOPES,
        lives=LIVES,
        timezone=shop.timezone if shop else "UTC",
        now_ms=database.clock(),
        docs=f"{ROOT}/docs",
    )


async def create_token(request: web.Request) -> web.Response:
    """Makes a token and shows it this once."""
    actor = (await require_person(request, PEOPLE)).actor
    form = await read_form(request)
    try:
        values = _decided(form)
        token = await request.app[DATABASE].write(
            lambda tx: make_token(
                tx,
                actor,
                name=values.name,
                agent_id=values.agent_id,
                role=values.role,
                days=values.days,
                scopes=values.scopes,
            )
        )
    except AppError as error:
        if error.status >= 500:
            raise
        return await show_tokens(request, error)
    return await show_tokens(request, token=token)


async def ask_revoke(request: web.Request, error: AppError | None = None) -> web.Response:
    """Asks before a token ends."""
    await require_person(request, PEOPLE)
    token_id = request.match_info["id"]
    token = await request.app[DATABASE].read(lambda c: tokens.load_token(c, token_id))
    if token is None:
        raise NotFound("There is no such token.")
    return await settings_page(
        request,
        "settings_confirm.html",
        error,
        tab="tokens",
        ask="revoke",
        name=token.name,
        count=0,
        back="/settings/tokens",
    )


async def revoke(request: web.Request) -> web.Response:
    """Ends a token."""
    payload = parse(token_actions.TokenRef, {"token_id": request.match_info["id"]})

    async def save(actor: Actor, _form: Form) -> str:
        await request.app[DATABASE].write(lambda tx: token_actions.revoke_token(tx, actor, payload))
        return "/settings/tokens?done=revoked"

    return await submit(request, PEOPLE, save, ask_revoke)


def _decided(form: Form) -> token_actions.CreateToken:
    """What the form says; a token of the page always has scopes."""
    kind, _, who = field(form, "who").partition(":")
    days = field(form, "days")
    if days not in {str(life) for life in LIVES}:
        raise InvalidInput("Choose how long it lives.", field="days")
    return parse(
        token_actions.CreateToken,
        {
            "name": field(form, "name"),
            "agent_id": who if kind == "agent" else None,
            "role": who if kind == "role" else None,
            "scopes": form.get("scope", []),
            "days": int(days),
        },
    )
