"""Quality reviews for who leads: all samples, drawing one, what was drawn, and the figures."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any  # Any: values of a template

from aiohttp import web

from agent_ui.render import input_day
from server.actions import reviews as actions
from server.actions.desk import the_shop
from server.actions.reviews import MAX_ITEMS, WRITE, ToKeep, is_sealed
from server.domain.errors import AppError, InvalidInput, NotFound
from server.domain.metrics import METRICS, Figures
from server.domain.periods import instant_ms, zone
from server.domain.permissions import may
from server.domain.review_card import FULL
from server.domain.review_draw import (
    BAD_RATING,
    LONG_MESSAGES,
    SLOW_MS,
    TARGETED,
    DrawScope,
    Plan,
)
from server.domain.review_figures import MIN_PAIRS, MIN_REVIEWS
from server.domain.spans import DAY_MS, MINUTE_MS
from server.domain.text import whole_number
from server.http.bodies import Form, entered, field, read_form
from server.http.keys import DATABASE
from server.http.report_figures import Shown, Teller
from server.http.report_pages import PAGES
from server.http.report_query import ReportQuery, pinned_scope, read_query
from server.http.report_words import Names
from server.http.sessions import current_person, require_person
from server.http.views import done_of, locale_of, problem_of, render
from server.reports import reviews as reports
from server.reports.pages import load_choices
from server.reports.scope import NOBODY
from server.storage import reviews as store
from server.storage.connection import Connection
from server.storage.people import Person
from server.storage.reviews import Item, Judged, Sample
from server.storage.shop import Shop

ROOT = "/reports/reviews"
SHOWN = 100
PERIODS = ("28", "90", "all")
DAYS = 28
MOST_EACH = 50
# What a singled-out kind is told with.
WORDS = {
    "bad_rating": {"score": BAD_RATING},
    "reopened": {},
    "long": {"count": LONG_MESSAGES},
    "slow": {"minutes": SLOW_MS // MINUTE_MS},
    "transferred": {},
}


def add_reviews(app: web.Application) -> None:
    """Serves the pages."""
    router = app.router
    router.add_get(ROOT, show_reviews)
    router.add_get(f"{ROOT}/draw", show_draw)
    router.add_post(f"{ROOT}/draw", draw)
    router.add_get(f"{ROOT}/samples/{{id}}", show_sample)
    router.add_post(f"{ROOT}/samples/{{id}}", change_sample)


@dataclass(frozen=True, slots=True)
class AgentLine:
    """The figures of one agent; ``few`` when there are too few reviews to compare."""

    agent_id: str | None
    name: str
    n: int
    few: bool
    cells: Mapping[str, Shown | None]


async def show_reviews(request: web.Request) -> web.Response:
    """All samples, what waits for a word, the figures by agent, and whether reviewers agree."""
    person = await current_person(request)
    if not may(person.actor, WRITE):
        raise web.HTTPSeeOther(f"{ROOT}/own")
    database = request.app[DATABASE]
    shop = await database.read(the_shop)
    query = read_query(request.query)
    if "period" not in request.query:
        query = replace(query, period="90")
    scope = await pinned_scope(database, query, timezone=shop.timezone)
    locale = await locale_of(request)

    def look(connection: Connection) -> dict[str, Any]:  # Any: values of a template
        samples = store.load_samples(connection, limit=SHOWN)
        return {
            "samples": samples,
            "progress": store.progress(connection, [one.id for one in samples]),
            "contested": store.contested(connection),
            "calibration": reports.calibration(
                store.judged_twice(connection), store.load_card(connection)
            ),
            "card": store.load_card(connection),
            "by_agent": reports.by_agent(connection, scope),
            "whole": reports.whole(connection, scope),
            "choices": load_choices(connection),
        }

    found = await database.read(look)
    names = Names(found["choices"], locale)
    pinned = replace(query, as_of=scope.as_of_ms, seq=scope.as_of_seq)
    teller = Teller(locale, shop.currency, pinned)
    return await render(
        request,
        "reviews.html",
        nav="reports",
        pages=list(PAGES.values()),
        shop=shop,
        names=names,
        query=query,
        pinned=pinned,
        periods=PERIODS,
        lines=_lines(found.pop("by_agent"), names, teller),
        tiles=[teller.show(METRICS[name], one) for name, one in found.pop("whole").items()],
        columns=[(name, METRICS[name].short.of(locale)) for name in reports.BESIDE],
        min_reviews=MIN_REVIEWS,
        min_pairs=MIN_PAIRS,
        done=done_of(request, ("closed", "opened")),
        **found,
    )


def _lines(
    found: Mapping[str, Mapping[str | int | None, Figures]], names: Names, teller: Teller
) -> list[AgentLine]:
    """Who was reviewed, by name: a ranking would say more than so few reviews can."""
    lines = []
    for key, score in found["review_score"].items():
        agent_id = None if key is None else str(key)
        at = teller.pinned.narrowed("agent", agent_id or NOBODY)
        cells = {
            name: teller.show(METRICS[name], groups[key], at=at) if key in groups else None
            for name, groups in found.items()
        }
        few = score.n < MIN_REVIEWS
        lines.append(AgentLine(agent_id, names.agent(agent_id), score.n, few, cells))
    return sorted(lines, key=lambda line: line.name)


async def show_draw(
    request: web.Request,
    error: AppError | None = None,
    *,
    found: reports.Drawing | None = None,
) -> web.Response:
    """The form to draw a sample; ``found`` is what it would be drawn from."""
    await require_person(request, WRITE)
    database = request.app[DATABASE]
    shop = await database.read(the_shop)
    locale = await locale_of(request)
    form = await read_form(request) if error is not None or found is not None else {}
    names = Names(await database.read(load_choices), locale)
    return await render(
        request,
        "reviews_draw.html",
        status=error.status if error else 200,
        nav="reports",
        pages=list(PAGES.values()),
        shop=shop,
        names=names,
        problem=await problem_of(request, error),
        entered=_entered(form, database.clock(), shop),
        targeted=[(name, WORDS[name]) for name in TARGETED],
        card=await database.read(store.load_card),
        found=found,
        most=MAX_ITEMS,
        most_each=MOST_EACH,
    )


def _entered(form: Form, now_ms: int, shop: Shop) -> dict[str, str]:
    """What stands in the form: what was typed, else the last four weeks until yesterday."""
    if form:
        return entered(form)
    return {
        "from": input_day(now_ms - DAYS * DAY_MS, shop.timezone),
        "to": input_day(now_ms - DAY_MS, shop.timezone),
        "per_agent": "5",
        "twice": "2",
        "skip": "1",
    }


async def draw(request: web.Request) -> web.Response:
    """Draws a sample and keeps it, or only counts what it would be drawn from."""
    person = await require_person(request, WRITE)
    form = await read_form(request)
    database = request.app[DATABASE]
    shop = await database.read(the_shop)
    try:
        seed = field(form, "seed").strip() or secrets.token_hex(6)
        plan = Plan(
            per_agent=_count(form, "per_agent"),
            targeted={name: _count(form, name) for name in TARGETED if _count(form, name)},
            twice=_count(form, "twice"),
        )
        actions.check_plan(plan, seed)
        scope = await _draw_scope(request, form, shop)
        found = await database.read(
            partial(reports.make_drawing, scope=scope, plan=plan, seed=seed)
        )
        if field(form, "do") == "count":
            return await show_draw(request, found=found)
        kept = ToKeep(found.scope, found.plan, found.seed, found.population, found.drawn)
        job = partial(
            actions.keep_sample,
            actor=person.actor,
            found=kept,
            name=field(form, "name"),
            blind=bool(field(form, "blind")),
        )
        sample_id = await database.write(job)
    except AppError as error:
        if error.status >= 500:
            raise
        return await show_draw(request, error)
    raise web.HTTPSeeOther(f"{ROOT}/samples/{sample_id}?done=drawn")


async def _draw_scope(request: web.Request, form: Form, shop: Shop) -> DrawScope:
    tz = zone(shop.timezone)
    from_ms = instant_ms(field(form, "from"), tz)
    to_ms = instant_ms(field(form, "to"), tz, end=True)
    if from_ms >= to_ms:
        raise InvalidInput("The period ends before it begins.", field="to", reason="period_order")
    pinned = await pinned_scope(request.app[DATABASE], ReportQuery(), timezone=shop.timezone)
    return DrawScope(
        from_ms=from_ms,
        to_ms=to_ms,
        timezone=shop.timezone,
        as_of_ms=pinned.as_of_ms,
        as_of_seq=pinned.as_of_seq or 0,
        agent_id=field(form, "agent") or None,
        team_id=field(form, "team") or None,
        channel=field(form, "channel") or None,
        skip_drawn=bool(field(form, "skip")),
    )


def _count(form: Form, name: str) -> int:
    number = whole_number(field(form, name).strip() or "0")
    if number is None or number > MOST_EACH:
        raise InvalidInput(f"A number from 0 to {MOST_EACH}.", field=name, reason="draw_number")
    return number


@dataclass(frozen=True, slots=True)
class ItemLine:
    """A chat of a sample as its page lists it.

    ``own`` when it is the reader's own work; ``sealed`` hides verdicts until both were given.
    ``may_judge`` when the reader can begin or go on, ``begun`` when somebody else has a draft.
    """

    item: Item
    first: Judged | None
    second: Judged | None
    mine: Judged | None
    own: bool
    sealed: bool
    may_judge: bool
    begun: bool


async def show_sample(request: web.Request, *, same: bool | None = None) -> web.Response:
    """What was drawn, how far it is, and what it says; ``same`` is what drawing again gave."""
    person = await require_person(request, WRITE)
    database = request.app[DATABASE]
    shop = await database.read(the_shop)
    sample = await _sample(request)
    locale = await locale_of(request)

    def look(connection: Connection) -> dict[str, Any]:  # Any: values of a template
        items = store.items_of(connection, sample.id)
        judged = store.reviews_of(connection, [one.id for one in items])
        lines = [_item(person, sample, one, judged.get(one.id, ())) for one in items]
        return {
            "lines": lines,
            "estimate": reports.sample_estimate(sample, items, judged)
            if not any(line.sealed and line.first for line in lines)
            else None,
            "card": store.load_card(connection, sample.card),
            "names": Names(load_choices(connection), locale),
        }

    found = await database.read(look)
    to_do = [line for line in found["lines"] if line.may_judge]
    return await render(
        request,
        "reviews_sample.html",
        nav="reports",
        pages=list(PAGES.values()),
        shop=shop,
        sample=sample,
        same=same,
        next_item=to_do[0].item if to_do else None,
        given=sum(line.first is not None for line in found["lines"]),
        full=FULL,
        targeted=[(name, WORDS[name]) for name in TARGETED],
        done=done_of(request, ("drawn", "given", "closed", "opened", "saved")),
        **found,
    )


def _item(person: Person, sample: Sample, item: Item, judged: Sequence[Judged]) -> ItemLine:
    given = sorted((one for one in judged if one.given_at_ms is not None), key=lambda o: o.second)
    mine = next((one for one in judged if one.reviewer_id == person.id), None)
    own = item.agent_id == person.id
    first = given[0] if given else None
    second = given[1] if len(given) > 1 else None
    sealed = any(is_sealed(person.actor, item, one, judged) for one in given)
    waits = mine is None or mine.given_at_ms is None
    wanted = len(given) < (2 if item.twice else 1)
    may_judge = waits and wanted and not own and sample.closed_at_ms is None
    if own:
        # What is said of one's own work is read like anybody's.
        second, sealed = None, False
    begun = any(one.given_at_ms is None and one.reviewer_id != person.id for one in judged)
    return ItemLine(item, first, second, mine, own, sealed, may_judge, begun)


async def change_sample(request: web.Request) -> web.Response:
    """Draws a sample again to compare, closes it, or opens it again."""
    person = await require_person(request, WRITE)
    form = await read_form(request)
    sample = await _sample(request)
    database = request.app[DATABASE]
    do = field(form, "do")
    if do == "again":
        same = await database.read(partial(reports.draws_the_same, sample=sample))
        return await show_sample(request, same=same)
    job = partial(
        actions.close_sample, actor=person.actor, sample_id=sample.id, close=do == "close"
    )
    await database.write(job)
    done = "closed" if do == "close" else "opened"
    raise web.HTTPSeeOther(f"{ROOT}/samples/{sample.id}?done={done}")


async def _sample(request: web.Request) -> Sample:
    key = request.match_info["id"]
    found = await request.app[DATABASE].read(partial(store.load_sample, sample_id=key))
    if found is None:
        raise NotFound("There is no such sample.")
    return found
