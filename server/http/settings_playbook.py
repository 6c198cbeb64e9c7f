"""Settings: the playbook, for supervisors and admins."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from server.actions import playbook as actions
from server.actions.playbook import MANAGE, written_row
from server.domain.actors import Actor
from server.domain.errors import AppError, InvalidInput, NotFound
from server.domain.playbook import (
    COLUMNS,
    DEFAULTS,
    MAX_TEXT,
    ROW_NAMES,
    ROWS,
    Facts,
    overlaid,
    reason_line,
)
from server.http.bodies import Form, field, read_form, version_in
from server.http.keys import DATABASE
from server.http.sessions import require_person
from server.http.settings import settings_page, submit
from server.storage import playbooks
from server.storage.advice import label_of, playbook_of
from server.storage.shop import load_shop

VERSIONS = 20
LOCALES = ("en", "zh")
# A customer of each row, to show what an agent would read.
_EXAMPLES: dict[str, tuple[int, int, int | None, float | None, str, str | None, str, str]] = {
    "prospect": (0, 0, None, None, "prospects", None, "prospect", "none"),
    "exploring": (1, 12_900, 6, None, "new", "regular_develop", "new", "exploring"),
    "building": (3, 41_800, 20, None, "potential_loyalist", "regular_value", "active", "building"),
    "stable": (12, 231_000, 9, 28.0, "champions", "key_value", "active", "stable"),
    "declining": (9, 168_000, 96, 31.0, "at_risk", "key_keep", "dormant", "declining"),
    "dormant": (2, 18_600, 110, None, "about_to_sleep", "regular_keep", "dormant", "declining"),
    "lost": (4, 52_000, 300, 45.0, "hibernating", "regular_let_go", "lost", "ended"),
    "refunds": (6, 74_000, 14, 40.0, "loyal", "regular_value", "active", "stable"),
}


def add_playbook_settings(app: web.Application) -> None:
    """Serves the pages of the playbook."""
    router = app.router
    router.add_get("/settings/playbook", show_playbook)
    router.add_post("/settings/playbook/restore", restore)
    router.add_get("/settings/playbook/{row}", show_row)
    router.add_post("/settings/playbook/{row}", save_row)


async def show_playbook(request: web.Request, error: AppError | None = None) -> web.Response:
    """Every row as it holds, and who changed what when."""
    await require_person(request, MANAGE)
    database = request.app[DATABASE]
    shop = await database.read(load_shop)
    return await settings_page(
        request,
        "settings_playbook.html",
        error,
        tab="playbook",
        rows=ROWS,
        names=ROW_NAMES,
        columns=COLUMNS,
        playbook=await database.read(playbook_of),
        own=await database.read(playbooks.own_texts),
        version=await database.read(playbooks.current_version),
        versions=await database.read(partial(playbooks.load_versions, limit=VERSIONS)),
        timezone=shop.timezone if shop else "UTC",
    )


async def show_row(
    request: web.Request,
    error: AppError | None = None,
    *,
    typed: dict[str, str] | None = None,
    version: int | None = None,
) -> web.Response:
    """One row with both languages side by side, and how an agent would read it.

    ``typed`` is what has not been saved yet, to be looked at first.
    """
    await require_person(request, MANAGE)
    row = _row(request)
    database = request.app[DATABASE]
    shop = await database.read(load_shop)
    own = await database.read(playbooks.own_texts) or {}
    preview = overlaid({row: written_row(row, typed)} if typed is not None else own)[row]
    line = reason_line(
        _example(row, shop.currency if shop else "CNY"),
        preview["line"],
        label=label_of(shop) if shop else "auto",
    )
    return await settings_page(
        request,
        "settings_playbook_row.html",
        error,
        tab="playbook",
        row=row,
        name=ROW_NAMES[row],
        columns=COLUMNS,
        locales=LOCALES,
        defaults=DEFAULTS[row],
        own=own.get(row, {}),
        typed=typed,
        preview=preview,
        line=line,
        limit=MAX_TEXT,
        version=await database.read(playbooks.current_version) if version is None else version,
    )


async def save_row(request: web.Request) -> web.Response:
    """Saves a row, shows it before it is saved, or gives it back the program's own texts."""
    row = _row(request)
    form = await read_form(request)
    if field(form, "do") == "preview":
        await require_person(request, MANAGE)
        typed = _typed(form)
        try:
            written_row(row, typed)
        except InvalidInput as error:
            return await show_row(request, error)
        return await show_row(request, typed=typed, version=version_in(form))

    async def save(actor: Actor, form: Form) -> str:
        version = version_in(form)
        if field(form, "do") == "defaults":
            job = partial(actions.restore_defaults, actor=actor, row=row, version=version)
        else:
            job = partial(
                actions.save_row, actor=actor, row=row, texts=_typed(form), version=version
            )
        await request.app[DATABASE].write(job)
        return f"/settings/playbook/{row}?done=saved"

    return await submit(request, MANAGE, save, show_row)


async def restore(request: web.Request) -> web.Response:
    """Goes back to an older version, or to what comes with the program."""

    async def save(actor: Actor, form: Form) -> str:
        version = version_in(form)
        if field(form, "number"):
            number = version_in(form, "number")
            job = partial(actions.restore_version, actor=actor, number=number, version=version)
        else:
            job = partial(actions.restore_defaults, actor=actor, row=None, version=version)
        await request.app[DATABASE].write(job)
        return "/settings/playbook?done=saved"

    return await submit(request, MANAGE, save, show_playbook)


def _row(request: web.Request) -> str:
    row = request.match_info["row"]
    if row not in ROWS:
        raise NotFound("There is no such row of the playbook.")
    return row


def _typed(form: Form) -> dict[str, str]:
    names = [f"{column}_{locale}" for column in COLUMNS for locale in LOCALES]
    return {name: field(form, name) for name in names}


def _example(row: str, currency: str) -> Facts:
    orders, net, days, gap, segment, cell, activity, relationship = _EXAMPLES[row]
    return Facts(
        orders=orders,
        net_minor=net,
        currency=currency,
        days_ago=days,
        own_gap=gap,
        segment=segment,
        value_cell=cell,
        activity_stage=activity,
        relationship_stage=relationship,
        quiet=False,
        declining=row == "declining",
        refund_share=0.42 if row == "refunds" else 0.0,
    )
