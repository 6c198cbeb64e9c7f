"""What shoppers do with their own requests, in the portal and in the widget.

Whose a request is, is decided by customer rows alone, and another's is answered exactly as one that
does not exist. A merge by staff adds no row, so it never shows anybody more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal  # Any: JSON values

from pydantic import Field

from agent_ui.render import sentence
from server.actions import messages, ratings, targets, ticket_moves
from server.actions.desk import Look
from server.actions.messages import PostMessage
from server.actions.payload import Id, Payload
from server.actions.ratings import GiveRating
from server.actions.ticket_lists import shown_state
from server.domain.actors import Actor, customer
from server.domain.errors import Conflict, InvalidInput, NotFound
from server.domain.spans import MINUTE_MS
from server.domain.target_clocks import next_due
from server.domain.text import MAX_BODY_CHARS
from server.domain.ticket import OVER, Ticket
from server.domain.ticket_number import read_number
from server.domain.ticket_types import TicketType
from server.storage import messages as stored_messages
from server.storage import people, ticket_lists, tickets
from server.storage.connection import Connection
from server.storage.hours import load_book
from server.storage.persons import shopper_rows
from server.storage.rows import Message, load_conversation
from server.storage.ticket_lists import Listed, Wanted
from server.storage.ticket_rows import is_for_shopper
from server.storage.ticket_types import Status, load_statuses, load_types
from server.storage.unit import Tx

PAGE = 20
MOST_SAID = 300
JUST_NOW_MS = MINUTE_MS
# What stands in a reply that says only that it is not solved.
STILL = "written.still"
Json = dict[str, Any]  # Any: JSON values
Rows = tuple[str, ...]
Locale = Literal["zh", "en"]
Number = Annotated[str, Field(min_length=1, max_length=40)]


class ListRequests(Payload):
    """The shopper's requests, the newest first; ``before`` is the number that a page follows."""

    locale: Locale = "en"
    before: Number | None = None


class OpenRequest(Payload):
    """One request, by its number."""

    number: Number
    locale: Locale = "en"


class ReplyRequest(Payload):
    """Words to a request, or files; neither says that it is still a problem."""

    number: Number
    client_id: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[!-~]+$")]
    body: Annotated[str, Field(max_length=MAX_BODY_CHARS)] = ""
    files: list[Id] | None = None
    locale: Locale = "en"


class ConfirmRequest(Payload):
    """A request that the shopper says is solved."""

    number: Number


class RateRequest(Payload):
    """How a request went, from 1 (bad) to 5 (good)."""

    number: Number
    score: Annotated[int, Field(ge=1, le=5)]
    comment: Annotated[str, Field(max_length=2000)] | None = None


@dataclass(frozen=True, slots=True)
class Thread:
    """A request as its shopper reads it: what is public, and their rating.

    ``due_at_ms`` is by when we have promised to act, None when it is not our turn.
    """

    ticket: Ticket
    subject: str
    said: list[Message]
    rating: int | None
    may_rate: bool
    due_at_ms: int | None
    unread: int


@dataclass(frozen=True, slots=True)
class Words:
    """The shop's types and its names of states, by which a state is said to shoppers."""

    types: dict[str, TicketType]
    statuses: dict[str, Status]

    def state(self, ticket: Ticket, locale: str) -> str:
        """The state in the words that the shopper reads."""
        return shown_state(ticket, self.types, self.statuses, locale)

    def kinds(self) -> list[TicketType]:
        """The types that shoppers may choose, in their order."""
        return [one for one in self.types.values() if one.active and one.for_shoppers]


def words_of_shop(connection: Connection) -> Words:
    """How this shop names types and states."""
    return Words(load_types(connection), load_statuses(connection))


# -- by rows -------------------------------------------------------------------------------------


def page(
    connection: Connection, rows: Rows, *, before: str | None = None, limit: int = PAGE
) -> tuple[list[Listed], str | None]:
    """A page of these rows' requests, the newest first, and the number to go on from.

    Joined ones stand in the other. Raises NotFound for a ``before`` that is not theirs.
    """
    if not rows:
        return [], None
    last = _find(connection, rows, before) if before is not None else None
    found = ticket_lists.page(
        connection,
        actor_of(rows),
        Wanted(),
        order="newest",
        after=(last.created_at_ms, last.id) if last else None,
        limit=limit + 1,
    )
    shown, more = found[:limit], len(found) > limit
    here = [one for one in shown if _onward(connection, one.ticket, rows) is None]
    return here, shown[-1].ticket.number if more else None


def unread_of(connection: Connection, found: Sequence[Ticket], rows: Rows) -> dict[str, int]:
    """How many answers in each of these requests, by id, the shopper has not seen."""
    threads = {one.id: (one.id, *_joined(connection, one, rows)) for one in found}
    every = [thread for each in threads.values() for thread in each]
    unread = stored_messages.unread_by_customer(connection, every)
    return {key: sum(unread.get(one, 0) for one in each) for key, each in threads.items()}


def read_thread(
    connection: Connection, rows: Rows, number: str, *, at_ms: int
) -> tuple[Thread, str | None]:
    """A request, and the number of the one it was joined to when that is theirs too.

    Raises NotFound for what is not there, and alike for what is another's.
    """
    ticket = _find(connection, rows, number)
    onward = _onward(connection, ticket, rows)
    words = tickets.words_of(connection, [ticket.id]).get(ticket.id)
    talk = load_conversation(connection, ticket.id)
    session = talk.session if talk else None
    rating = session.rating if session else None
    rateable = session is not None and (
        session.replies > 0 or session.rating_asked_at_ms is not None
    )
    thread = Thread(
        ticket=ticket,
        subject=words.subject if words else "",
        said=_said(connection, ticket, rows),
        rating=rating,
        may_rate=rateable and ticket.state in ("resolved", "closed"),
        due_at_ms=due_of(connection, ticket, at_ms=at_ms),
        unread=unread_of(connection, [ticket], rows)[ticket.id],
    )
    return thread, onward.number if onward else None


def due_of(connection: Connection, ticket: Ticket, *, at_ms: int) -> int | None:
    """By when we have promised to act on it; None while the shopper or nobody is to act.

    A ticket of just now may have no time on its row yet: its clocks are worked out.
    """
    if ticket.lane != "us":
        return None
    if ticket.next_due_at_ms is not None or at_ms - ticket.updated_at_ms > JUST_NOW_MS:
        return ticket.next_due_at_ms
    promise = targets.promise_of(connection, ticket.id, at_ms=at_ms)
    clock = next_due(promise.clocks) if promise else None
    return clock.due_at_ms if clock else None


def reply(
    tx: Tx,
    rows: Rows,
    number: str,
    *,
    body: str,
    client_id: str,
    files: Sequence[str] = (),
) -> str:
    """The number of the request in which the words stand now: a follow-up when this one is over.

    The same ``client_id`` again changes nothing. Raises NotFound, InvalidInput, NotAllowed.
    """
    ticket, actor = _access(tx, rows, number)
    if ticket.state == "spam":
        raise Conflict("This request is closed.", reason="portal_closed")
    answer = messages.post_message(
        tx,
        actor,
        PostMessage(
            client_id=client_id,
            body=body,
            conversation_id=ticket.id,
            files=list(files) or None,
        ),
    )
    written = tx.ticket(str(answer["conversation_id"]))
    return written.number if written else ticket.number


def confirm(tx: Tx, rows: Rows, number: str) -> None:
    """The shopper says that it is solved; nothing changes when it is so already."""
    ticket, actor = _access(tx, rows, number)
    if ticket.state not in OVER:
        ticket_moves.set_state(tx, actor, ticket, "resolved", reason="confirmed")


def rate(tx: Tx, rows: Rows, number: str, *, score: int, comment: str) -> None:
    """The shopper's word on how it went, once it is solved. Raises Conflict before."""
    ticket, actor = _access(tx, rows, number)
    if ticket.state not in ("resolved", "closed"):
        raise Conflict("There is nothing to rate yet.", reason="portal_too_early")
    ratings.give_rating(
        tx, actor, GiveRating(conversation_id=ticket.id, score=score, comment=comment or None)
    )


def mark_seen(tx: Tx, rows: Rows, number: str) -> None:
    """What stands in the request now has been shown to its shopper, so no mail tells it again."""
    ticket = _find(tx.connection, rows, number)
    for key in (ticket.id, *_joined(tx.connection, ticket, rows)):
        thread = tx.conversation(key)
        latest = stored_messages.latest_public(tx.connection, key, most=1)
        if thread is not None and latest:
            reader = customer(thread.customer_id)
            mark = messages.MarkRead(conversation_id=key, message_id=latest[-1].id)
            messages.mark_read(tx, reader, mark)


def actor_of(rows: Rows) -> Actor:
    """The shopper behind rows; the first of them is who writes."""
    return customer(rows[0], also=frozenset(rows[1:]))


# -- in the widget -------------------------------------------------------------------------------


def list_requests(look: Look, payload: ListRequests) -> Json:
    """A page of the visitor's own requests: what this browser made, or what their account has."""
    rows = _rows_of(look.connection, look.actor)
    found, further = page(look.connection, rows, before=payload.before)
    words = words_of_shop(look.connection)
    unread = unread_of(look.connection, [one.ticket for one in found], rows)
    return {
        "items": [
            _summary(
                one.ticket,
                one.subject,
                words,
                payload.locale,
                due_at_ms=due_of(look.connection, one.ticket, at_ms=look.at_ms),
                at_ms=look.at_ms,
                unread=unread[one.ticket.id],
            )
            for one in found
        ],
        "next_before": further,
    }


def request_form(look: Look, _: Payload) -> Json:
    """What a form for a request offers: the kinds, and when somebody is here again."""
    hours = load_book(look.connection).of_team(None)
    opens_at_ms = None if hours.open_at(look.at_ms) else hours.next_opening(look.at_ms)
    return {
        "kinds": [
            {"id": one.id, "name": {"en": one.words[0], "zh": one.words[1]}}
            for one in words_of_shop(look.connection).kinds()
        ],
        "opens_at_ms": opens_at_ms,
    }


def open_request(tx: Tx, actor: Actor, payload: OpenRequest) -> Json:
    """One of the visitor's own requests, which they have read with that. Raises NotFound."""
    rows = _rows_of(tx.connection, actor)
    thread, onward = read_thread(tx.connection, rows, payload.number, at_ms=tx.at_ms)
    names = people.names(tx.connection)
    shown = _summary(
        thread.ticket,
        thread.subject,
        words_of_shop(tx.connection),
        payload.locale,
        due_at_ms=thread.due_at_ms,
        at_ms=tx.at_ms,
        unread=thread.unread,
    )
    if thread.unread:
        mark_seen(tx, rows, payload.number)
    return {
        "request": shown,
        "messages": [
            {
                "id": one.id,
                "mine": one.sender_kind == "customer",
                "author": names.get(one.sender_id or "") if one.sender_kind == "agent" else None,
                "body": one.body,
                "blocks": one.blocks or [],
                "at_ms": one.at_ms,
            }
            for one in thread.said
        ],
        "rating": thread.rating,
        "may_rate": thread.may_rate,
        "may_write": thread.ticket.state not in ("merged", "spam"),
        "onward": onward,
    }


def reply_request(tx: Tx, actor: Actor, payload: ReplyRequest) -> Json:
    """The number under which the visitor's words stand. Raises NotFound, Conflict."""
    said = bool(payload.body.strip() or payload.files)
    number = reply(
        tx,
        _rows_of(tx.connection, actor),
        payload.number,
        body=payload.body if said else sentence(payload.locale, STILL),
        client_id=payload.client_id,
        files=payload.files or (),
    )
    return {"number": number}


def confirm_request(tx: Tx, actor: Actor, payload: ConfirmRequest) -> Json:
    """The visitor says that it is solved. Raises NotFound."""
    confirm(tx, _rows_of(tx.connection, actor), payload.number)
    return {"number": payload.number}


def rate_request(tx: Tx, actor: Actor, payload: RateRequest) -> Json:
    """The visitor's word on how it went. Raises NotFound, Conflict before it is solved."""
    rows = _rows_of(tx.connection, actor)
    rate(tx, rows, payload.number, score=payload.score, comment=payload.comment or "")
    return {"number": payload.number}


def _rows_of(connection: Connection, actor: Actor) -> Rows:
    """A visitor's own rows. Who only says who they are has their own alone.

    Raises InvalidInput for anybody else.
    """
    if actor.kind != "customer" or actor.id is None:
        raise InvalidInput("Only a shopper has requests.")
    return shopper_rows(connection, actor.id)


def _summary(
    ticket: Ticket,
    subject: str,
    words: Words,
    locale: str,
    *,
    due_at_ms: int | None,
    at_ms: int,
    unread: int,
) -> Json:
    late = due_at_ms is not None and due_at_ms <= at_ms
    return {
        "number": ticket.number,
        "subject": subject,
        "state": words.state(ticket, locale),
        "over": ticket.over,
        # A time that has passed is no promise: the widget says that we are late.
        "promised_at_ms": None if late else due_at_ms,
        "late": late,
        "created_at_ms": ticket.created_at_ms,
        "updated_at_ms": ticket.updated_at_ms,
        "unread": unread,
    }


# -- finding -------------------------------------------------------------------------------------


def _access(tx: Tx, rows: Rows, number: str) -> tuple[Ticket, Actor]:
    """The ticket, locked, and its shopper, who acts as who asked."""
    found = _find(tx.connection, rows, number)
    actor = customer(found.customer_id, also=frozenset(rows) - {found.customer_id})
    # Not by ``access_ticket``: it knows of a planned call only that it is none of the shopper's.
    ticket = tx.ticket(found.id)
    if ticket is None or not actor.is_shopper(ticket.customer_id):
        raise NotFound(ticket_moves.MISSING)
    return ticket, actor


def _find(connection: Connection, rows: Rows, number: str) -> Ticket:
    known = read_number(number)
    key = tickets.id_of_number(connection, known) if known else None
    ticket = tickets.load_ticket(connection, key) if key else None
    if ticket is None or ticket.customer_id not in rows:
        raise NotFound(ticket_moves.MISSING)
    # A call that is only planned is none of theirs, unless one of theirs was joined to it, or
    # something was said in it that they were told: by them while it was, or by staff.
    told = is_for_shopper(ticket) or _joined(connection, ticket, rows)
    if not told and not stored_messages.latest_public(connection, ticket.id, most=1):
        raise NotFound(ticket_moves.MISSING)
    return ticket


def _joined(connection: Connection, ticket: Ticket, rows: Rows) -> list[str]:
    """Ids of the tickets that were joined to it and are the shopper's too."""
    joined = tickets.merged_into(connection, ticket.id)
    return [one.id for one in joined if one.customer_id in rows]


def _onward(connection: Connection, ticket: Ticket, rows: Rows) -> Ticket | None:
    """The ticket to which this one was joined, as far as the shopper may follow."""
    found = None
    seen = {ticket.id}
    while ticket.merged_into is not None and ticket.merged_into not in seen:
        seen.add(ticket.merged_into)
        further = tickets.load_ticket(connection, ticket.merged_into)
        if further is None or further.customer_id not in rows:
            break
        ticket = found = further
    return found


def _said(connection: Connection, ticket: Ticket, rows: Rows) -> list[Message]:
    """What is public in a ticket and in those joined to it that are open to the shopper too.

    Of very much the latest, so that nobody's own thread becomes too long to be shown.
    """
    joined = tickets.merged_into(connection, ticket.id)
    threads = [ticket, *(one for one in joined if one.customer_id in rows)]
    here, away = tickets.parts_beside(connection, [one.id for one in threads])
    sources = [(one.id, 0, 2**53) for one in threads]
    for part in here:
        thread = load_conversation(connection, part.thread_id)
        if thread is not None and thread.customer_id in rows:
            sources.append((part.thread_id, part.first_seq, part.last_seq))
    found = [
        message
        for thread_id, first, last in sources
        for message in tickets.latest_public_between(
            connection, thread_id, first, last, most=MOST_SAID
        )
        if not _is_away(message, away)
    ]
    return sorted(found, key=lambda message: (message.at_ms, message.seq))[-MOST_SAID:]


def _is_away(message: Message, away: list[tickets.Part]) -> bool:
    return any(
        part.thread_id == message.conversation_id and part.first_seq <= message.seq <= part.last_seq
        for part in away
    )
