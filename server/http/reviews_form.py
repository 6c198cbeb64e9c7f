"""One chat under review: the thread beside the form, what came of it, and one's own reviews."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any  # Any: values of a template

from aiohttp import web

from agent_ui.render import Locale
from server.actions import reviews as actions
from server.actions.desk import the_shop
from server.actions.payload import parse
from server.actions.reviews import (
    OWN,
    WRITE,
    AnswerReview,
    SaveReview,
    SettleReview,
    is_sealed,
    read_review,
)
from server.domain.actors import Actor
from server.domain.errors import AppError, InvalidInput, NotAllowed, NotFound
from server.domain.metrics import METRICS
from server.domain.permissions import may
from server.domain.review_card import Scorecard
from server.http.bodies import Form, entered, field, read_form
from server.http.keys import DATABASE
from server.http.report_figures import Teller
from server.http.report_pages import PAGES
from server.http.report_query import ReportQuery, pinned_scope
from server.http.report_words import Names, WallClock
from server.http.reviews import ROOT
from server.http.sessions import require_person
from server.http.views import done_of, locale_of, problem_of, render
from server.reports import reviews as reports
from server.reports.pages import load_choices
from server.reports.thread import Story, load_session
from server.storage import reviews as store
from server.storage.connection import Connection
from server.storage.reviews import Item, Judged, Sample

NOT_APPLICABLE = "na"


def add_review_forms(app: web.Application) -> None:
    """Serves the pages."""
    router = app.router
    router.add_get(f"{ROOT}/own", show_own)
    router.add_get(f"{ROOT}/items/{{id}}", show_item)
    router.add_post(f"{ROOT}/items/{{id}}", save_item)
    router.add_get(f"{ROOT}/given/{{id}}", show_review)
    router.add_post(f"{ROOT}/given/{{id}}", answer)


async def show_item(request: web.Request, error: AppError | None = None) -> web.Response:
    """A chat to judge: what was said, and the form."""
    person = await require_person(request, WRITE)
    database = request.app[DATABASE]
    key, at_ms = request.match_info["id"], database.clock()
    locale = await locale_of(request)

    def look(connection: Connection) -> dict[str, Any]:  # Any: values of a template
        item, sample = _sampled(connection, key)
        if item.agent_id == person.id:
            raise NotAllowed("Nobody judges their own work.", reason="own_work")
        judged = store.reviews_of(connection, [item.id]).get(item.id, [])
        mine = next((one for one in judged if one.reviewer_id == person.id), None)
        others = [one for one in judged if one.reviewer_id != person.id]
        return _beside(connection, person.actor, item, sample, at_ms=at_ms, locale=locale) | {
            "mine": mine,
            "full": sum(one.given_at_ms is not None for one in others) >= 2,
            "others": [
                one
                for one in others
                if one.given_at_ms is not None and not is_sealed(person.actor, item, one, judged)
            ],
            "waiting": sum(one.given_at_ms is not None for one in others),
        }

    found = await database.read(look)
    mine: Judged | None = found["mine"]
    return await _page(
        request,
        "reviews_item.html",
        error,
        done=("given", "saved"),
        kept=_kept(mine),
        blind=found["sample"].blind and (mine is None or mine.given_at_ms is None),
        na=NOT_APPLICABLE,
        **found,
    )


async def _page(
    request: web.Request,
    template: str,
    error: AppError | None,
    *,
    done: Collection[str],
    kept: Mapping[str, str] = MappingProxyType({}),
    **context: Any,  # Any: values of a template
) -> web.Response:
    """A page with a form, filled with what was kept, or with what was entered and refused."""
    shop = await request.app[DATABASE].read(the_shop)
    form = await read_form(request) if error is not None else {}
    return await render(
        request,
        template,
        status=error.status if error else 200,
        nav="reports",
        shop=shop,
        wide=True,
        at=WallClock(shop.timezone),
        problem=await problem_of(request, error),
        entered=entered(form) if form else kept,
        done=done_of(request, done),
        **context,
    )


def _sampled(connection: Connection, item_id: str) -> tuple[Item, Sample]:
    """A chat that was drawn, and the sample for which it was."""
    item = store.load_item(connection, item_id)
    sample = None if item is None else store.load_sample(connection, item.sample_id)
    if item is None or sample is None:
        raise NotFound(actions.MISSING)
    return item, sample


def _beside(
    connection: Connection,
    actor: Actor,
    item: Item,
    sample: Sample,
    *,
    at_ms: int,
    locale: Locale,
) -> dict[str, Any]:  # Any: values of a template
    """What both pages show of a chat: the scorecard and what was said."""
    return {
        "item": item,
        "sample": sample,
        "card": store.load_card(connection, sample.card),
        "story": _story(connection, actor, item, at_ms),
        "names": Names(load_choices(connection), locale),
    }


def _story(connection: Connection, actor: Actor, item: Item, at_ms: int) -> Story | None:
    """What was said; None where that cannot be shown any more."""
    try:
        return load_session(connection, actor, item.conversation_id, item.session_no, at_ms)
    except NotFound:
        return None


def _kept(mine: Judged | None) -> dict[str, str]:
    """A review as the fields of its form."""
    if mine is None:
        return {}
    marks = {
        f"m-{id_}": NOT_APPLICABLE if points is None else str(points)
        for id_, points in mine.marks.items()
    }
    return marks | {f"n-{id_}": text for id_, text in mine.notes.items()} | {"all": mine.comment}


async def save_item(request: web.Request) -> web.Response:
    """Keeps a draft or gives the review; then comes the next chat of the sample."""
    person = await require_person(request, WRITE)
    form = await read_form(request)
    database = request.app[DATABASE]
    key = request.match_info["id"]
    give = field(form, "do") == "give"

    def card_of(connection: Connection) -> tuple[Item, Sample, Scorecard]:
        item, sample = _sampled(connection, key)
        return item, sample, store.load_card(connection, sample.card)

    item, sample, card = await database.read(card_of)
    known = await database.read(partial(store.reviews_of, item_ids=[item.id]))
    before = [one for one in known.get(item.id, ()) if one.reviewer_id == person.id]
    revising = any(one.given_at_ms is not None for one in before)
    try:
        values = {
            "item_id": item.id,
            "marks": _marks(form, card),
            "notes": {one.id: field(form, f"n-{one.id}") for one in card.criteria},
            "comment": field(form, "all"),
            "give": give,
        }
        payload = parse(SaveReview, values)
        job = partial(actions.save_review, actor=person.actor, payload=payload)
        saved = await database.write(job)
    except (NotFound, NotAllowed):
        raise
    except AppError as error:
        if error.status >= 500:
            raise
        return await show_item(request, error)
    if revising:
        raise web.HTTPSeeOther(f"{ROOT}/given/{saved['review_id']}?done=revised")
    if not give:
        raise web.HTTPSeeOther(f"{ROOT}/items/{item.id}?done=saved")
    raise web.HTTPSeeOther(f"{ROOT}/samples/{sample.id}?done=given")


def _marks(form: Form, card: Scorecard) -> dict[str, int | None]:
    """The marks of a form; a criterion that was left open is not among them."""
    found: dict[str, int | None] = {}
    for one in card.criteria:
        text = field(form, f"m-{one.id}")
        if text == NOT_APPLICABLE:
            found[one.id] = None
        elif text:
            if text not in {str(points) for points in range(one.steps + 1)}:
                raise InvalidInput("There is no such mark.", field=one.id, reason="no_such_mark")
            found[one.id] = int(text)
    return found


async def show_review(request: web.Request, error: AppError | None = None) -> web.Response:
    """A review that was given, for the agent whose work it is about and for who leads."""
    person = await require_person(request, OWN)
    database = request.app[DATABASE]
    key, at_ms = request.match_info["id"], database.clock()
    locale = await locale_of(request)

    def sealed(connection: Connection) -> str | None:
        judged = store.load_review(connection, key)
        item = None if judged is None else store.load_item(connection, judged.item_id)
        if judged is None or item is None or judged.given_at_ms is None:
            return None
        every = store.reviews_of(connection, [item.id])[item.id]
        kept = is_sealed(person.actor, item, judged, every)
        return item.id if kept and item.agent_id != person.id else None

    if may(person.actor, WRITE) and (first := await database.read(sealed)):
        # The figures' rows lead here too: who has not judged the chat yet is asked to.
        raise web.HTTPSeeOther(f"{ROOT}/items/{first}")

    def look(connection: Connection) -> dict[str, Any]:  # Any: values of a template
        item, judged = read_review(connection, person.actor, key)
        _, sample = _sampled(connection, item.id)
        others = store.reviews_of(connection, [item.id]).get(item.id, [])
        return _beside(connection, person.actor, item, sample, at_ms=at_ms, locale=locale) | {
            "judged": judged,
            "others": [
                one
                for one in others
                if one.id != judged.id
                and one.given_at_ms is not None
                and _reads(connection, person.actor, one.id)
            ],
        }

    found = await database.read(look)
    return await _page(
        request,
        "reviews_given.html",
        error,
        done=("revised", "acknowledged", "objected", "settled"),
        own=found["item"].agent_id == person.id,
        blind=False,
        leads=may(person.actor, WRITE),
        **found,
    )


def _reads(connection: Connection, actor: Actor, review_id: str) -> bool:
    try:
        read_review(connection, actor, review_id)
    except NotFound:
        return False
    return True


async def answer(request: web.Request) -> web.Response:
    """What the agent says to a review, or what is said to an objection."""
    person = await require_person(request, OWN)
    form = await read_form(request)
    database = request.app[DATABASE]
    do, key = field(form, "do"), request.match_info["id"]
    try:
        if do == "settled":
            settling = parse(SettleReview, {"review_id": key, "text": field(form, "text")})
            await database.write(
                partial(actions.settle_review, actor=person.actor, payload=settling)
            )
        else:
            values = {"review_id": key, "answer": do, "text": field(form, "text")}
            answering = parse(AnswerReview, values)
            await database.write(
                partial(actions.answer_review, actor=person.actor, payload=answering)
            )
    except (NotFound, NotAllowed):
        raise
    except AppError as error:
        if error.status >= 500:
            raise
        return await show_review(request, error)
    raise web.HTTPSeeOther(f"{ROOT}/given/{key}?done={do}")


async def show_own(request: web.Request) -> web.Response:
    """What was said of one's own work, and one's own figures."""
    person = await require_person(request, OWN)
    database = request.app[DATABASE]
    shop = await database.read(the_shop)
    query = ReportQuery(period="all")
    scope = await pinned_scope(database, query, timezone=shop.timezone, agent_id=person.id)
    locale = await locale_of(request)

    def look(connection: Connection) -> dict[str, Any]:  # Any: values of a template
        return {
            "about": store.reviews_about(connection, person.id),
            "figures": reports.whole(connection, scope),
            "names": Names(load_choices(connection), locale),
        }

    found = await database.read(look)
    teller = Teller(locale, shop.currency, query)
    leads = may(person.actor, WRITE)
    return await render(
        request,
        "reviews_own.html",
        nav="reports",
        pages=[one for one in PAGES.values() if leads or one.own],
        leads=leads,
        shop=shop,
        tiles=[teller.show(METRICS[name], one) for name, one in found.pop("figures").items()],
        **found,
    )
