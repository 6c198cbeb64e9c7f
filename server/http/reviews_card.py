"""The scorecard of quality reviews, as the shop writes it."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from server.actions import reviews as actions
from server.actions.desk import the_shop
from server.actions.payload import parse
from server.actions.reviews import WRITE, SaveScorecard
from server.domain.actors import Actor
from server.domain.errors import AppError, InvalidInput
from server.domain.review_card import FULL, KNOWN_STEPS, MAX_CRITERIA, MAX_WEIGHT, Criterion
from server.domain.text import whole_number
from server.http.bodies import Form, field, read_form
from server.http.keys import DATABASE
from server.http.report_pages import PAGES
from server.http.reviews import ROOT
from server.http.sessions import require_person
from server.http.settings import submit
from server.http.views import done_of, problem_of, render
from server.storage import reviews as store

PATH = f"{ROOT}/scorecard"
# Empty lines below the others, to add criteria without a script.
SPARE = 3


def add_review_card(app: web.Application) -> None:
    """Serves the page."""
    app.router.add_get(PATH, show_card)
    app.router.add_post(PATH, save_card)


async def show_card(request: web.Request, error: AppError | None = None) -> web.Response:
    """The scorecard with a line for each criterion, and who changed it when."""
    await require_person(request, WRITE)
    database = request.app[DATABASE]
    shop = await database.read(the_shop)
    card = await database.read(store.load_card)
    form = await read_form(request) if error is not None else {}
    lines = _typed(form) if form else [_line(one) for one in card.criteria]
    spare = max(0, min(SPARE, MAX_CRITERIA - len(lines)))
    return await render(
        request,
        "reviews_card.html",
        status=error.status if error else 200,
        nav="reports",
        pages=list(PAGES.values()),
        shop=shop,
        card=card,
        lines=lines + [_EMPTY] * (0 if form else spare),
        pass_mark=field(form, "pass_mark") if form else str(card.pass_mark * 100 // FULL),
        version=field(form, "version") if form else str(card.version),
        changes=await database.read(store.card_changes),
        steps=KNOWN_STEPS,
        most_weight=MAX_WEIGHT,
        problem=await problem_of(request, error),
        done=done_of(request, ("saved",)),
    )


_EMPTY = {
    "id": "",
    "en": "",
    "zh": "",
    "hint_en": "",
    "hint_zh": "",
    "weight": "10",
    "steps": "2",
    "critical": "",
}


def _line(one: Criterion) -> dict[str, str]:
    return {
        "id": one.id,
        "en": one.en,
        "zh": one.zh,
        "hint_en": one.hint_en,
        "hint_zh": one.hint_zh,
        "weight": str(one.weight),
        "steps": str(one.steps),
        "critical": "1" if one.critical else "",
    }


def _typed(form: Form) -> list[dict[str, str]]:
    """The lines of the form, as they were typed."""
    found = []
    for number in range(2 * MAX_CRITERIA):
        if f"en-{number}" not in form:
            break
        found.append({name: field(form, f"{name}-{number}") for name in _EMPTY})
    return found


async def save_card(request: web.Request) -> web.Response:
    """Keeps the scorecard as a new version; a line without a name is left out."""

    async def keep(actor: Actor, form: Form) -> str:
        criteria = [
            {
                **line,
                "weight": _whole(line["weight"]),
                "steps": _whole(line["steps"]),
                "critical": bool(line["critical"]),
            }
            for line in _typed(form)
            if line["en"].strip() or line["zh"].strip()
        ]
        values = {
            "version": _whole(field(form, "version")),
            "pass_mark": _whole(field(form, "pass_mark")),
            "criteria": criteria,
        }
        payload = parse(SaveScorecard, values)
        job = partial(actions.save_scorecard, actor=actor, payload=payload)
        await request.app[DATABASE].write(job)
        return f"{PATH}?done=saved"

    return await submit(request, WRITE, keep, show_card)


def _whole(text: str) -> int:
    number = whole_number(text.strip())
    if number is None:
        raise InvalidInput("A whole number.", field="criteria", reason="card_numbers")
    return number
