"""Saved segments: conditions on customers with a name, private or shared with all colleagues."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any  # Any: JSON values

from pydantic import Field

from server.actions.desk import Look
from server.actions.lists import Page, page_of
from server.actions.payload import Id, NoPayload, Payload
from server.domain.actors import Actor
from server.domain.conditions import read_condition, to_json
from server.domain.cursors import place_of
from server.domain.errors import InvalidInput, NotFound
from server.domain.permissions import require
from server.domain.text import clean
from server.storage import directory, saved_segments
from server.storage.saved_segments import Segment
from server.storage.unit import Tx

MAX_NAME_CHARS = 80
MAX_SEGMENTS = 200
PERMISSION = "customer.read"
Json = dict[str, Any]  # Any: JSON values


class SegmentRef(Payload):
    """For one saved segment."""

    segment_id: Id


class ListMembers(Page):
    """The customers of one saved segment."""

    segment_id: Id


class SaveSegment(Payload):
    """A condition under a name; ``shared`` lets colleagues see and use it."""

    name: Annotated[str, Field(max_length=MAX_NAME_CHARS)]
    condition: dict[str, Any]  # Any: read by ``read_condition``
    shared: bool = False


class ChangeSegment(SaveSegment):
    """A saved segment as it is to be."""

    segment_id: Id


def save(tx: Tx, actor: Actor, payload: SaveSegment) -> Json:
    """Keeps a new segment. Raises InvalidInput for a condition that makes no sense."""
    require(actor, PERMISSION)
    if saved_segments.count_of_owner(tx.connection, actor.id or "") >= MAX_SEGMENTS:
        raise InvalidInput(f"At most {MAX_SEGMENTS} saved segments each.", limit=MAX_SEGMENTS)
    segment = Segment(
        id=tx.new_id(),
        name=clean(payload.name, limit=MAX_NAME_CHARS, name="name"),
        condition=read_condition(payload.condition),
        shared=payload.shared,
        owner_id=actor.id or "",
        created_at_ms=tx.at_ms,
        updated_at_ms=tx.at_ms,
    )
    directory.expanded(tx.connection, segment.condition)
    saved_segments.add_segment(tx, segment)
    return {"segment_id": segment.id}


def change(tx: Tx, actor: Actor, payload: ChangeSegment) -> Json:
    """Changes a segment of one's own, or for who leads any shared one. Raises NotFound."""
    known = _own(tx, actor, payload.segment_id)
    condition = read_condition(payload.condition)
    directory.expanded(tx.connection, condition, within=(known.id,))
    saved_segments.change_segment(
        tx,
        replace(
            known,
            name=clean(payload.name, limit=MAX_NAME_CHARS, name="name"),
            condition=condition,
            shared=payload.shared,
            updated_at_ms=max(tx.at_ms, known.updated_at_ms + 1),
        ),
    )
    return {"segment_id": known.id}


def remove(tx: Tx, actor: Actor, payload: SegmentRef) -> Json:
    """Forgets a segment. What names it holds for nobody from then on."""
    known = _own(tx, actor, payload.segment_id)
    saved_segments.delete_segment(tx, known.id)
    return {}


def may_change(actor: Actor, segment: Segment) -> bool:
    """True for the owner, and of a shared one for who leads."""
    return segment.owner_id == actor.id or (segment.shared and actor.leads)


def list_segments(look: Look, _: NoPayload) -> Json:
    """The segments that a person sees, with their counts and when these were made."""
    found = saved_segments.segments_for(look.connection, look.actor)
    return {"items": [segment_view(segment) for segment in found], "next_cursor": None}


def list_members(look: Look, payload: ListMembers) -> Json:
    """A page of the customers who meet a segment now, the newest first. Raises NotFound."""
    segment = seen_segment(look, payload.segment_id)
    name = f"segment {segment.id} {segment.updated_at_ms}"
    found = directory.page(
        look.connection,
        directory.expanded(look.connection, segment.condition),
        now=directory.today(look.connection, look.at_ms),
        sort="newest",
        among=None,
        after=place_of(payload.cursor, name, {}),
        limit=payload.limit + 1,
        seen_by=look.actor,
    )
    shown, cursor = page_of(
        found, payload, name, {}, place=lambda one: (one.place, one.customer.id)
    )
    return {
        "items": [
            {
                "id": one.customer.id,
                "external_id": one.customer.external_id,
                "name": one.customer.name,
                "locale": one.customer.locale,
                "identity": one.customer.identity,
                "orders": one.orders or 0,
                "net_minor": one.net_minor or 0,
                "last_order_at_ms": one.last_order_at_ms,
            }
            for one in shown
        ],
        "next_cursor": cursor,
    }


def segment_view(segment: Segment) -> Json:
    """A saved segment as programs see it."""
    return {
        "id": segment.id,
        "name": segment.name,
        "condition": to_json(segment.condition),
        "shared": segment.shared,
        "owner_id": segment.owner_id,
        "updated_at_ms": segment.updated_at_ms,
        "count": segment.count,
        "counted_at_ms": segment.counted_at_ms,
    }


def seen_segment(look: Look, segment_id: str) -> Segment:
    """A segment that a person sees. Raises NotFound."""
    found = saved_segments.load_segment(look.connection, segment_id)
    if found is None or not (found.shared or found.owner_id == look.actor.id):
        raise NotFound("There is no such segment.")
    return found


def _own(tx: Tx, actor: Actor, segment_id: str) -> Segment:
    require(actor, PERMISSION)
    found = saved_segments.load_segment(tx.connection, segment_id)
    if found is None or not may_change(actor, found):
        raise NotFound("There is no such segment.")
    return found
