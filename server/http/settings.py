"""Settings: people, teams and the shop for admins, the own profile for everybody."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any  # Any: values of a template

from aiohttp import web

from agent_ui import render as templates
from server.actions import people as people_actions
from server.actions import shop as shop_actions
from server.actions.desk import the_shop
from server.actions.sign_in import check_new_password, hash_password, password_matches
from server.domain.actors import ROLES, Actor
from server.domain.errors import AppError, InvalidInput, NotAllowed, NotFound
from server.domain.permissions import may
from server.http.bodies import Form, field, read_form
from server.http.client import client_address, own_origin
from server.http.front_door import HASHING, THROTTLE
from server.http.keys import DATABASE
from server.http.sessions import current_person, require_person, signed_in
from server.http.views import done_of, problem_of, render
from server.storage import people
from server.storage.people import Person
from server.storage.unit import Tx

PEOPLE = "people.manage"
SHOP = "shop.manage"
# What a page may say has been done, as the last part of a sentence's key.
DONE = frozenset(
    {"added", "saved", "deactivated", "reactivated", "password", "revoked"}
    | {"webhook_on", "webhook_off", "webhook_sent", "webhook_deleted"}
    | {"source_removed", "replayed"}
    | {"wish_noted", "erased"}
)
# What was typed is shown again after an error, but never these.
SECRETS = frozenset({"password", "current", "csrf"})
Save = Callable[[Actor, Form], Awaitable[str]]
Show = Callable[..., Awaitable[web.Response]]


def add_settings(app: web.Application) -> None:
    """Serves all settings pages."""
    router = app.router
    router.add_get("/settings", first)
    router.add_get("/settings/people", show_people)
    router.add_post("/settings/people", add_person)
    router.add_get("/settings/people/{id}", show_person)
    router.add_post("/settings/people/{id}", save_person)
    router.add_post("/settings/people/{id}/password", reset_password)
    router.add_get("/settings/people/{id}/deactivate", ask_deactivate)
    router.add_post("/settings/people/{id}/deactivate", deactivate)
    router.add_post("/settings/people/{id}/reactivate", reactivate)
    router.add_get("/settings/teams", show_teams)
    router.add_post("/settings/teams", add_team)
    router.add_get("/settings/teams/{id}", show_team)
    router.add_post("/settings/teams/{id}", save_team)
    router.add_get("/settings/shop", show_shop)
    router.add_post("/settings/shop", save_shop)
    router.add_post("/settings/shop/origins", save_origins)
    router.add_get("/settings/shop/identity", ask_rotate)
    router.add_post("/settings/shop/identity", rotate)
    router.add_post("/settings/shop/identity/end", end_old_identity)
    router.add_get("/settings/profile", show_profile)
    router.add_post("/settings/profile", save_profile)
    router.add_post("/settings/profile/password", save_password)


async def first(request: web.Request) -> web.Response:
    """The first page that this person may see."""
    person = await current_person(request)
    if may(person.actor, PEOPLE):
        raise web.HTTPSeeOther("/settings/people")
    raise web.HTTPSeeOther("/settings/hours" if person.actor.leads else "/settings/profile")


# people


async def show_people(request: web.Request, error: AppError | None = None) -> web.Response:
    """Everybody, and the form for one more."""
    await require_person(request, PEOPLE)
    everybody = await request.app[DATABASE].read(lambda c: people.load_people(c, active_only=False))
    return await settings_page(
        request,
        "settings_people.html",
        error,
        tab="people",
        people=everybody,
        teams=await request.app[DATABASE].read(people.load_teams),
        roles=ROLES,
    )


async def add_person(request: web.Request) -> web.Response:
    """Adds a person with a first password."""

    async def save(actor: Actor, form: Form) -> str:
        email = people_actions.normal_email(field(form, "email"))
        hashed = await _new_hash(request, field(form, "password"), email=email)
        agent_id = await request.app[DATABASE].write(
            lambda tx: people_actions.add_person(
                tx, actor, email=email, password_hash=hashed, **_decided(form)
            )
        )
        return f"/settings/people/{agent_id}?done=added"

    return await submit(request, PEOPLE, save, show_people)


async def show_person(request: web.Request, error: AppError | None = None) -> web.Response:
    """One person's settings."""
    await require_person(request, PEOPLE)
    return await settings_page(
        request,
        "settings_person.html",
        error,
        tab="people",
        shown=await _known_person(request),
        teams=await request.app[DATABASE].read(people.load_teams),
        roles=ROLES,
    )


async def save_person(request: web.Request) -> web.Response:
    """Changes role, teams, languages and capacity."""
    agent_id = request.match_info["id"]

    async def save(actor: Actor, form: Form) -> str:
        await request.app[DATABASE].write(
            lambda tx: people_actions.change_person(tx, actor, agent_id, **_decided(form))
        )
        return f"/settings/people/{agent_id}?done=saved"

    return await submit(request, PEOPLE, save, show_person)


async def reset_password(request: web.Request) -> web.Response:
    """Gives a person a new password, which signs them out everywhere."""
    agent_id = request.match_info["id"]

    async def save(actor: Actor, form: Form) -> str:
        person = await _known_person(request)
        hashed = await _new_hash(request, field(form, "password"), email=person.email)
        await request.app[DATABASE].write(
            lambda tx: people_actions.set_password(tx, actor, agent_id, password_hash=hashed)
        )
        return f"/settings/people/{agent_id}?done=password"

    return await submit(request, PEOPLE, save, show_person)


async def ask_deactivate(request: web.Request, error: AppError | None = None) -> web.Response:
    """Asks before a person loses access."""
    await require_person(request, PEOPLE)
    person = await _known_person(request)
    return await settings_page(
        request,
        "settings_confirm.html",
        error,
        tab="people",
        ask="deactivate",
        name=person.name,
        count=person.load,
        back=f"/settings/people/{person.id}",
    )


async def deactivate(request: web.Request) -> web.Response:
    """Ends a person's access."""
    agent_id = request.match_info["id"]

    async def save(actor: Actor, _form: Form) -> str:
        await request.app[DATABASE].write(lambda tx: people_actions.deactivate(tx, actor, agent_id))
        return f"/settings/people/{agent_id}?done=deactivated"

    return await submit(request, PEOPLE, save, ask_deactivate)


async def reactivate(request: web.Request) -> web.Response:
    """Lets a person sign in again."""
    agent_id = request.match_info["id"]

    async def save(actor: Actor, _form: Form) -> str:
        await request.app[DATABASE].write(lambda tx: people_actions.reactivate(tx, actor, agent_id))
        return f"/settings/people/{agent_id}?done=reactivated"

    return await submit(request, PEOPLE, save, show_person)


# teams


async def show_teams(request: web.Request, error: AppError | None = None) -> web.Response:
    """All teams, and the form for one more."""
    await require_person(request, PEOPLE)
    return await settings_page(
        request,
        "settings_teams.html",
        error,
        tab="teams",
        teams=await request.app[DATABASE].read(people.load_teams),
        people=await request.app[DATABASE].read(people.load_people),
    )


async def add_team(request: web.Request) -> web.Response:
    """Adds a team."""

    async def save(actor: Actor, form: Form) -> str:
        name, name_zh = field(form, "name"), field(form, "name_zh")
        team_id = await request.app[DATABASE].write(
            lambda tx: people_actions.add_team(tx, actor, name=name, name_zh=name_zh)
        )
        return f"/settings/teams/{team_id}?done=added"

    return await submit(request, PEOPLE, save, show_teams)


async def show_team(request: web.Request, error: AppError | None = None) -> web.Response:
    """A team's names and members."""
    await require_person(request, PEOPLE)
    team_id = request.match_info["id"]
    team = await request.app[DATABASE].read(lambda c: people.load_team(c, team_id))
    if team is None:
        raise NotFound("There is no such team.")
    return await settings_page(
        request,
        "settings_team.html",
        error,
        tab="teams",
        team=team,
        people=await request.app[DATABASE].read(people.load_people),
    )


async def save_team(request: web.Request) -> web.Response:
    """Renames a team and changes its members."""
    team_id = request.match_info["id"]

    async def save(actor: Actor, form: Form) -> str:
        name, name_zh = field(form, "name"), field(form, "name_zh")
        members = form.get("member", [])

        def job(tx: Tx) -> None:
            people_actions.rename_team(tx, actor, team_id, name=name, name_zh=name_zh)
            people_actions.set_members(tx, actor, team_id, members)

        await request.app[DATABASE].write(job)
        return f"/settings/teams/{team_id}?done=saved"

    return await submit(request, PEOPLE, save, show_team)


# the shop


async def show_shop(
    request: web.Request, error: AppError | None = None, *, secret: str | None = None
) -> web.Response:
    """The shop's settings; ``secret`` is a new identity secret, to be shown this once."""
    await require_person(request, SHOP)
    shop = await request.app[DATABASE].read(the_shop)
    return await settings_page(
        request,
        "settings_shop.html",
        error,
        tab="shop",
        shop=shop,
        secret=secret,
        loader=f"{own_origin(request)}/widget/loader.js",
        timezones=templates.timezones(),
    )


async def save_shop(request: web.Request) -> web.Response:
    """Changes name, language, time zone and currency."""

    async def save(actor: Actor, form: Form) -> str:
        values = {name: field(form, name) for name in ("locale", "timezone", "currency")}
        name = field(form, "shop")
        await request.app[DATABASE].write(
            lambda tx: shop_actions.change_shop(tx, actor, name=name, **values)
        )
        return "/settings/shop?done=saved"

    return await submit(request, SHOP, save, show_shop)


async def save_origins(request: web.Request) -> web.Response:
    """Changes which pages may embed the widget."""

    async def save(actor: Actor, form: Form) -> str:
        origins = field(form, "origins").split()
        await request.app[DATABASE].write(
            lambda tx: shop_actions.set_site(tx, actor, origins=origins)
        )
        return "/settings/shop?done=saved"

    return await submit(request, SHOP, save, show_shop)


async def ask_rotate(request: web.Request) -> web.Response:
    """Asks before the identity secret in use ends."""
    await require_person(request, SHOP)
    shop = await request.app[DATABASE].read(the_shop)
    return await settings_page(
        request,
        "settings_confirm.html",
        None,
        tab="shop",
        ask="rotate" if shop.identity_secret else "secret",
        name=shop.name,
        count=0,
        back="/settings/shop",
    )


async def rotate(request: web.Request) -> web.Response:
    """Makes a new identity secret and shows it this once."""
    actor = (await require_person(request, SHOP)).actor
    secret = await request.app[DATABASE].write(
        lambda tx: shop_actions.rotate_identity_secret(tx, actor)
    )
    return await show_shop(request, secret=secret)


async def end_old_identity(request: web.Request) -> web.Response:
    """Believes what the former identity secret signs no more."""

    async def save(actor: Actor, _form: Form) -> str:
        await request.app[DATABASE].write(
            lambda tx: shop_actions.set_site(tx, actor, drop_old_secret=True)
        )
        return "/settings/shop?done=saved"

    return await submit(request, SHOP, save, show_shop)


# the own profile


async def show_profile(request: web.Request, error: AppError | None = None) -> web.Response:
    """What everybody decides about themselves."""
    person = await current_person(request)
    return await settings_page(request, "settings_profile.html", error, tab="profile", shown=person)


async def save_profile(request: web.Request) -> web.Response:
    """Changes the own name and language, and which mails somebody gets."""

    async def save(actor: Actor, form: Form) -> str:
        name, locale = field(form, "name"), field(form, "locale") or None
        # A box that is not ticked is not sent; the page says beside it that there is one.
        asked = "alarm_mail" in form or "alarm_asked" in form
        alarm_mail = field(form, "alarm_mail") == "1" if asked else None
        await request.app[DATABASE].write(
            lambda tx: people_actions.change_profile(
                tx, actor, name=name, locale=locale, alarm_mail=alarm_mail
            )
        )
        return "/settings/profile?done=saved"

    return await submit(request, None, save, show_profile)


async def save_password(request: web.Request) -> web.Response:
    """Changes the own password after the present one was given; other browsers are signed out."""

    async def save(actor: Actor, form: Form) -> str:
        found = await signed_in(request)
        assert found is not None
        person = found.person
        account, address = f"password of {person.id}", client_address(request)
        await request.app[THROTTLE].begin(account, address)
        known = await request.app[DATABASE].read(lambda c: people.credentials_of(c, person.id))
        known_hash = known.password_hash if known else None
        if not await request.app[HASHING].run(password_matches, known_hash, field(form, "current")):
            raise NotAllowed(
                "The present password is wrong.", field="current", reason="current_wrong"
            )
        await request.app[THROTTLE].succeeded(account, address)
        hashed = await _new_hash(request, field(form, "password"), email=person.email)
        await request.app[DATABASE].write(
            lambda tx: people_actions.set_password(
                tx, actor, person.id, password_hash=hashed, keep=found.token_hash
            )
        )
        return "/settings/profile?done=password"

    return await submit(request, None, save, show_profile)


async def submit(
    request: web.Request, permission: str | None, save: Save, show: Show
) -> web.Response:
    """Saves a form and goes on, or shows the page again with what was wrong and what was typed."""
    if permission is None:
        person = await current_person(request)
    else:
        person = await require_person(request, permission)
    form = await read_form(request)
    try:
        target = await save(person.actor, form)
    except NotFound:
        raise
    except AppError as error:
        if error.status >= 500:
            raise
        return await show(request, error)
    raise web.HTTPSeeOther(target)


async def settings_page(
    request: web.Request,
    template: str,
    error: AppError | None,
    /,
    **context: Any,  # Any: values of a template
) -> web.Response:
    """A page of the settings; after an error with what was wrong and what was typed."""
    form: Form = await read_form(request) if error is not None else {}
    return await render(
        request,
        template,
        status=error.status if error else 200,
        nav="settings",
        problem=await problem_of(request, error),
        entered={name: values[0] for name, values in form.items() if name not in SECRETS},
        ticked=form,
        action=request.path,
        done=done_of(request, DONE),
        **context,
    )


def _decided(form: Form) -> dict[str, Any]:  # Any: arguments of an action
    """What an admin decides about a person."""
    try:
        capacity = int(field(form, "capacity") or 8)
    except ValueError:
        raise InvalidInput(
            "Capacity is a number.", field="capacity", reason="capacity_range"
        ) from None
    return {
        "name": field(form, "name"),
        "role": field(form, "role"),
        "capacity": capacity,
        "languages": form.get("language", []),
        "team_ids": form.get("team", []),
    }


async def _new_hash(request: web.Request, password: str, *, email: str | None) -> str:
    check_new_password(password, email=email)
    return await request.app[HASHING].run(hash_password, password)


async def _known_person(request: web.Request) -> Person:
    agent_id = request.match_info["id"]
    person = await request.app[DATABASE].read(lambda c: people.load_person(c, agent_id))
    if person is None:
        raise NotFound("There is no such person.")
    return person
