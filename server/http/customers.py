"""The customer directory: search, filters, saved segments."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import Any  # Any: values of a template
from urllib.parse import parse_qsl

from aiohttp import web

from server.actions import saved_segments as segment_actions
from server.actions.contacts import email_key, phone_keys, phone_region
from server.actions.desk import Look, the_shop
from server.actions.payload import parse
from server.domain.actors import Actor
from server.domain.conditions import FIELDS, Condition, to_json
from server.domain.cursors import cursor_of, place_of
from server.domain.errors import AppError, InvalidInput, NotFound
from server.domain.masking import shown
from server.http.bodies import entered, field, read_form
from server.http.customer_query import (
    FLAGS,
    NUMBERS,
    WORDS,
    CustomerQuery,
    query_of,
    read_customer_query,
)
from server.http.keys import DATABASE
from server.http.sessions import require_person
from server.http.views import done_of, problem_of, render
from server.storage import directory, notes, saved_segments
from server.storage.connection import Connection
from server.storage.directory import Asked, Found, Matches
from server.storage.saved_segments import Segment
from server.storage.shop import Shop

READ = "customer.read"
PAGE = 50
# Long enough for a count over a million, short enough for somebody who waits.
LIMIT_S = 20.0
# A count that takes less than this is made anew when it is looked at; others by a job.
QUICK_MS = 250
DONE = frozenset({"saved", "deleted"})
Json = dict[str, Any]  # Any: values of a template
Pairs = list[tuple[str, str]]


def add_customers(app: web.Application) -> None:
    """Serves the directory and the pages of saved segments."""
    router = app.router
    router.add_get("/customers", show_customers)
    router.add_get("/customers/segments", show_segments)
    router.add_post("/customers/segments", save_segment)
    router.add_get("/customers/segments/{id}/delete", ask_delete)
    router.add_post("/customers/segments/{id}/delete", delete_segment)


async def show_customers(
    request: web.Request, error: AppError | None = None, given: Pairs | None = None
) -> web.Response:
    """The list that the address asks for, or ``given``; with what is wrong when it asks wrongly."""
    person = await require_person(request, READ)
    actor = person.actor
    try:
        query = read_customer_query(list(request.query.items()) if given is None else given)
    except InvalidInput as wrong:
        query, error = CustomerQuery(), wrong
    at_ms = request.app[DATABASE].clock()

    def look(connection: Connection, asked: CustomerQuery) -> Json:
        return list_view(connection, actor, asked, at_ms=at_ms)

    try:
        found = await request.app[DATABASE].read(partial(look, asked=query), limit_s=LIMIT_S)
    except InvalidInput as wrong:
        query, error = CustomerQuery(), wrong
        found = await request.app[DATABASE].read(partial(look, asked=query), limit_s=LIMIT_S)
    form = await read_form(request) if request.method == "POST" else {}
    return await render(
        request,
        "customers.html",
        status=error.status if error else 200,
        nav="customers",
        wide=True,
        query=query,
        problem=await problem_of(request, error),
        entered=entered(form),
        choices={name: FIELDS[of].choices for name, of in WORDS.items()},
        numbers=tuple(NUMBERS),
        flags=tuple(FLAGS),
        **found,
    )


def list_view(connection: Connection, actor: Actor, query: CustomerQuery, *, at_ms: int) -> Json:
    """What the page of the list shows."""
    shop = the_shop(connection)
    condition = query.condition(shop.currency)
    matches, among = matches_of(connection, query, shop)
    after = place_of(query.cursor, "directory", _bound(query))
    now = directory.today(connection, at_ms)
    written_out = directory.expanded(connection, condition)
    found = directory.page(
        connection,
        written_out,
        now=now,
        sort=query.sort,
        among=among,
        after=after,
        limit=PAGE + 1,
        seen_by=actor,
    )
    rows, more = found[:PAGE], len(found) > PAGE
    last = rows[-1] if more else None
    segments = saved_segments.segments_for(connection, actor)
    editing = next((s for s in segments if s.id == query.edit), None)
    total = len(rows)
    if more or after is not None:
        up_to = directory.MAX_COUNTED + 1
        total = directory.count(
            connection, written_out, now=now, among=among, up_to=up_to, seen_by=actor
        )
    return {
        "shop": shop,
        "rows": rows_view(connection, actor, rows),
        "next": last
        and query.address(
            cursor=cursor_of("directory", _bound(query), (last.place, last.customer.id))
        ),
        "first": query.address() if after is not None else None,
        "total": min(total, directory.MAX_COUNTED),
        "total_more": total > directory.MAX_COUNTED,
        "matches": matches,
        "max_matches": directory.MAX_MATCHES,
        "sources": directory.sources(connection),
        "tags": notes.known_tags(connection),
        "segments": segments,
        "segment_names": {s.id: s.name for s in segments},
        "editing": editing if editing and segment_actions.may_change(actor, editing) else None,
        "anybody": bool(rows) or directory.has_anybody(connection),
    }


def matches_of(
    connection: Connection, query: CustomerQuery, shop: Shop
) -> tuple[Matches, tuple[str, ...] | None]:
    """Whom the text of a query stands for; None beside it when it has no text."""
    if not query.q:
        return Matches(()), None
    region = phone_region(shop.timezone)
    asked = Asked(query.q, email_key(query.q), phone_keys(query.q, region))
    found = directory.find(connection, asked)
    return found, found.person_ids


def rows_view(connection: Connection, actor: Actor, found: list[Found]) -> list[Json]:
    """The persons of a list with what it shows beside them, contacts as the actor may see them."""
    ids = [one.customer.id for one in found]
    if not ids:
        return []
    rows = directory.members_of(connection, ids)
    every = [row for members in rows.values() for row in members]
    contacts = directory.contacts_of(connection, every)
    tags = notes.tags_by_customer(connection, every)
    blocked = notes.blocked_among(connection, every)
    refused = directory.refused_profiling(connection, every)
    talking = directory.open_counts(connection, ids)
    return [
        {
            "id": one.customer.id,
            "name": one.customer.name,
            "external_id": one.customer.external_id,
            "identity": one.customer.identity,
            "locale": one.customer.locale,
            "created_at_ms": one.customer.created_at_ms,
            "seen_at_ms": one.customer.seen_at_ms,
            "orders": one.orders or 0,
            "net_minor": one.net_minor or 0,
            "last_order_at_ms": one.last_order_at_ms,
            **_labels(one, hidden=bool(refused & {*rows[one.customer.id]})),
            "contacts": _shown(
                actor, one, [c for row in rows[one.customer.id] for c in contacts.get(row, ())]
            ),
            "tags": list(
                dict.fromkeys(t for row in rows[one.customer.id] for t in tags.get(row, ()))
            ),
            "blocked": bool(blocked & {*rows[one.customer.id]}),
            "talking": talking.get(one.customer.id, 0),
            "records": len(rows[one.customer.id]),
        }
        for one in found
    ]


def _labels(one: Found, *, hidden: bool) -> Json:
    if hidden:
        return {"segment": None, "activity_stage": None, "value_cell": None, "top20": False}
    return {
        "segment": one.segment or "prospects",
        "activity_stage": one.activity_stage or "prospect",
        "value_cell": one.value_cell,
        "top20": one.top20,
    }


def _shown(actor: Actor, one: Found, contacts: list[directory.Reached]) -> list[Json]:
    """An address and a number at most, the surest of each."""
    found: dict[str, Json] = {}
    for contact in contacts:
        text = shown(actor, contact.kind, contact.value, level=contact.level, source=contact.source)
        found.setdefault(
            contact.kind, {"kind": contact.kind, "shown": text, "level": contact.level}
        )
    for kind, value in (("email", one.customer.email), ("phone", one.customer.phone)):
        if value and kind not in found:
            level = "verified" if one.customer.verified else "claimed"
            text = shown(actor, kind, value, level=level, source="widget")
            found[kind] = {"kind": kind, "shown": text, "level": level}
    return [found[kind] for kind in ("email", "phone") if kind in found]


# saved segments


async def show_segments(request: web.Request, error: AppError | None = None) -> web.Response:
    """The saved segments with how many customers each has now."""
    person = await require_person(request, READ)
    database = request.app[DATABASE]

    def look(connection: Connection) -> tuple[list[Segment], Shop, dict[str, str]]:
        found = saved_segments.segments_for(connection, person.actor)
        return found, the_shop(connection), saved_segments.owners_of(connection, found)

    segments, shop, owners = await database.read(look)
    counted = [await _counted(request, segment) for segment in segments]
    return await render(
        request,
        "customer_segments.html",
        status=error.status if error else 200,
        nav="customers",
        problem=await problem_of(request, error),
        segments=[
            (segment, _ways(segment, shop), segment_actions.may_change(person.actor, segment))
            for segment in counted
        ],
        owners=owners,
        segment_names={s.id: s.name for s in segments},
        done=done_of(request, DONE),
        now_ms=database.clock(),
        shop=shop,
    )


def _ways(segment: Segment, shop: Shop) -> Json:
    """Where the segment's list is, where its condition can be changed, and what it asks."""
    query = query_of(segment.condition, shop.currency)
    plain = CustomerQuery(words={"saved": (segment.id,)}, everybody=True)
    return {
        "show": plain.address(),
        "change": replace(query, edit=segment.id).address() if query else None,
        "filters": query.filters() if query else [],
    }


async def _counted(request: web.Request, segment: Segment) -> Segment:
    """The segment counted just now, where that is quick; else as it was counted last."""
    if (segment.count_took_ms or 0) > QUICK_MS:
        return segment
    now_ms = request.app[DATABASE].clock()
    try:
        count = await request.app[DATABASE].read(
            lambda c: saved_segments.count_now(c, segment, at_ms=now_ms), limit_s=LIMIT_S
        )
    except AppError:
        return segment
    return replace(segment, count=count, counted_at_ms=now_ms)


async def _count_first(request: web.Request, segment_id: str) -> None:
    """Counts a segment that was just saved, which says how long that takes."""
    database = request.app[DATABASE]
    segment = await database.read(lambda c: saved_segments.load_segment(c, segment_id))
    if segment is None:
        return
    now_ms, began_s = database.clock(), perf_counter()
    try:
        count = await database.read(
            lambda c: saved_segments.count_now(c, segment, at_ms=now_ms), limit_s=LIMIT_S
        )
    except AppError:
        # The job that counts all segments comes to it.
        return
    took_ms = round((perf_counter() - began_s) * 1000)
    await database.write(lambda tx: saved_segments.keep_count(tx, segment, count, took_ms=took_ms))


async def save_segment(request: web.Request) -> web.Response:
    """Saves what a list asks for under a name, as a new segment or over the one being changed."""
    person = await require_person(request, READ)
    form = await read_form(request)
    try:
        query = read_customer_query(parse_qsl(field(form, "query")))
        shop = await request.app[DATABASE].read(the_shop)
        values: Json = {
            "name": field(form, "name"),
            "shared": field(form, "shared") == "1",
            "condition": to_json(_kept(query, shop)),
        }
        over = field(form, "segment_id")
        if over:
            change = parse(segment_actions.ChangeSegment, values | {"segment_id": over})
            saved = await request.app[DATABASE].write(
                lambda tx: segment_actions.change(tx, person.actor, change)
            )
        else:
            new = parse(segment_actions.SaveSegment, values)
            saved = await request.app[DATABASE].write(
                lambda tx: segment_actions.save(tx, person.actor, new)
            )
    except NotFound:
        raise
    except AppError as error:
        if error.status >= 500:
            raise
        return await show_customers(request, error, parse_qsl(field(form, "query")))
    await _count_first(request, saved["segment_id"])
    raise web.HTTPSeeOther("/customers/segments?done=saved")


def _kept(query: CustomerQuery, shop: Shop) -> Condition:
    """What a segment keeps of a list: the filters; a text is for one search."""
    if not query.narrowed:
        raise InvalidInput("Choose at least one filter first.", field="name", reason="no_filter")
    return replace(query, q="", cursor=None, edit=None).condition(shop.currency)


async def ask_delete(request: web.Request) -> web.Response:
    """Asks before a segment is forgotten."""
    segment = await _own(request)
    return await render(
        request, "customer_confirm.html", nav="customers", segment=segment, action=request.path
    )


async def delete_segment(request: web.Request) -> web.Response:
    """Forgets a segment."""
    segment = await _own(request)
    person = await require_person(request, READ)
    payload = segment_actions.SegmentRef(segment_id=segment.id)
    await request.app[DATABASE].write(lambda tx: segment_actions.remove(tx, person.actor, payload))
    raise web.HTTPSeeOther("/customers/segments?done=deleted")


async def _own(request: web.Request) -> Segment:
    actor = (await require_person(request, READ)).actor
    database = request.app[DATABASE]
    segment = await database.read(
        lambda c: segment_actions.seen_segment(
            Look(c, actor, database.clock()), request.match_info["id"]
        )
    )
    if not segment_actions.may_change(actor, segment):
        raise NotFound("There is no such segment.")
    return segment


def _bound(query: CustomerQuery) -> Json:
    """What a cursor of the list belongs to."""
    return {"asked": json.dumps(query.pairs())}
