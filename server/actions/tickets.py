"""What people do with tickets: making, asking for, changing and answering them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal  # Any: JSON values

from pydantic import Field

from agent_ui.render import language, sentence
from server.actions import conversations, messages, targets, ticket_moves
from server.actions import files as sent_files
from server.actions.access import access_conversation
from server.actions.payload import ConversationRef, Id, Payload
from server.actions.ticket_moves import access_ticket, connect, note, set_state, thread_of
from server.actions.visitors import Describe, describe
from server.domain.actors import SYSTEM, Actor
from server.domain.conversation import Conversation
from server.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from server.domain.events import (
    MessagePosted,
    TicketChanged,
    TicketMoved,
    TicketPriorityChanged,
    TicketWatched,
)
from server.domain.permissions import require
from server.domain.spans import DAY_MS
from server.domain.text import MAX_BODY_CHARS, clean
from server.domain.ticket import (
    CHANNEL,
    PRIORITIES,
    REASONS,
    Ticket,
    may_set_priority,
    raised,
)
from server.domain.ticket_types import TicketType, read_fields
from server.storage import customers, orders, people, tickets
from server.storage.consents import allowed
from server.storage.conversations import sees_customer
from server.storage.files import File
from server.storage.persons import members, person_of, shopper_rows
from server.storage.profiles import load_profile
from server.storage.shop import load_shop
from server.storage.ticket_types import load_statuses, load_types
from server.storage.tickets import TicketWords
from server.storage.unit import Tx

MAX_SUBJECT_CHARS = 200
# How far ahead a ticket may be put aside.
MAX_ASIDE_MS = 366 * DAY_MS
# Requests that a shopper may have open at once; more go into the latest of them.
MAX_OPEN_REQUESTS = 10
Answer = dict[str, Any]  # Any: JSON values
ClientId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[!-~]+$")]
Subject = Annotated[str, Field(max_length=MAX_SUBJECT_CHARS)]
Priority = Literal["low", "normal", "high", "urgent"]
NextState = Literal["open", "pending_customer", "on_hold", "resolved", "closed", "spam"]
Reason = Literal[
    "duplicate", "no_reply", "not_needed", "elsewhere", "withdrawn", "confirmed", "other"
]
Fields = dict[str, str | int | None]


class CreateTicket(Payload):
    """A ticket for a customer, perhaps out of a conversation; a ``client_id`` makes only one.

    ``body`` is its first message: a note among colleagues unless ``visibility`` says otherwise.
    """

    type: Annotated[str, Field(max_length=40)]
    subject: Subject
    conversation_id: Id | None = None
    customer_id: Id | None = None
    order_id: Id | None = None
    priority: Priority | None = None
    fields: Fields = Field(default_factory=dict)
    body: Annotated[str, Field(max_length=MAX_BODY_CHARS)] = ""
    visibility: Literal["public", "private"] = "private"
    team_id: Id | None = None
    assignee_id: Id | None = None
    client_id: ClientId | None = None


class SubmitRequest(Payload):
    """What a shopper leaves when nobody is there; ``order_id`` is the number they know.

    ``conversation_id`` is their chat in which they no longer want to wait.
    """

    body: Annotated[str, Field(min_length=1, max_length=MAX_BODY_CHARS)]
    subject: Subject | None = None
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    order_id: Annotated[str, Field(max_length=64)] | None = None
    type: Annotated[str, Field(max_length=40)] | None = None
    files: list[Id] | None = None
    client_id: ClientId | None = None
    conversation_id: Id | None = None


class ChangeTicket(Payload):
    """What is to be other on a ticket; what is absent stays.

    ``assignee_id`` and ``team_id`` empty take it from everybody.
    """

    ticket_id: Id
    subject: Subject | None = None
    type: Annotated[str, Field(max_length=40)] | None = None
    fields: Fields | None = None
    priority: Priority | None = None
    team_id: Annotated[str, Field(max_length=64, pattern=r"^[!-~]*$")] | None = None
    assignee_id: Annotated[str, Field(max_length=64, pattern=r"^[!-~]*$")] | None = None
    state: NextState | None = None
    status: Annotated[str, Field(max_length=40)] | None = None
    reason: Reason | None = None
    reason_text: Annotated[str, Field(max_length=ticket_moves.MAX_REASON_CHARS)] | None = None
    until_ms: int | None = None


class ReplyTicket(Payload):
    """A message in a ticket, and the state that it is to have then.

    ``seen_seq`` is the ``seq`` of the ticket as the writer read it; who wrote since is told first.
    """

    ticket_id: Id
    client_id: ClientId
    body: str
    files: list[Id] | None = None
    visibility: Literal["public", "private"] = "public"
    origin: Literal["typed", "macro", "kb"] = "typed"
    state: NextState | None = None
    status: Annotated[str, Field(max_length=40)] | None = None
    reason: Reason | None = None
    reason_text: Annotated[str, Field(max_length=ticket_moves.MAX_REASON_CHARS)] | None = None
    until_ms: int | None = None
    seen_seq: Annotated[int, Field(ge=0, le=2**53)] | None = None


class WatchTicket(Payload):
    """Whether the person wants to hear of the ticket."""

    ticket_id: Id
    watching: bool = True


def create(tx: Tx, actor: Actor, payload: CreateTicket) -> Answer:
    """Makes a ticket: its id and number. The same ``client_id`` again gives the first answer.

    ``alike`` in the answer are numbers of the person's open tickets about the same order. Raises
    InvalidInput, and NotFound also for what the actor may not see.
    """
    require(actor, "ticket.write")
    key = _client_key(actor, payload.client_id)
    known = tickets.id_of_client_key(tx.connection, key) if key else None
    if known is not None:
        ticket = access_ticket(tx, actor, known)
        return {"ticket_id": ticket.id, "number": ticket.number, "alike": []}
    kind = _type(tx, payload.type)
    subject = clean(payload.subject, limit=MAX_SUBJECT_CHARS, name="subject")
    fields = {k: v for k, v in read_fields(kind, payload.fields, complete=True).items() if v}
    body = clean(payload.body, limit=MAX_BODY_CHARS, empty=True)
    talk = None
    if payload.conversation_id is not None:
        talk = access_conversation(tx, actor, payload.conversation_id)
    customer_id = _customer(tx, actor, payload.customer_id, talk)
    rows = members(tx.connection, person_of(tx.connection, customer_id))
    order_id = _order(tx, payload.order_id, rows)
    team_id = _team(tx, payload.team_id) if payload.team_id else kind.team_id
    assignee_id = _person(tx, payload.assignee_id) if payload.assignee_id else None
    if assignee_id is None and team_id is None and actor.kind == "agent":
        assignee_id = actor.id
    alike = _alike(tx, actor, rows, order_id) if order_id else []
    priority, source = _priority(tx, kind, payload.priority, rows)
    customer = customers.load_customer(tx.connection, customer_id)
    ticket = ticket_moves.begin(
        tx,
        actor,
        customer_id=customer_id,
        kind=kind.id,
        words=TicketWords(subject, fields),
        searched=_searched(subject, fields, customer.name if customer else None),
        source="chat" if talk is not None and talk.channel != CHANNEL else "agent",
        priority=priority,
        priority_source=source,
        team_id=team_id,
        assignee_id=assignee_id,
        locale=talk.locale if talk else customer.locale if customer else None,
        client_key=key,
    )
    if talk is not None:
        linked = "ticket" if talk.channel == CHANNEL else "conversation"
        connect(tx, actor, ticket, linked, talk.id)
    if order_id is not None:
        connect(tx, actor, ticket, "order", order_id)
        _find_by_order(tx, ticket.id, order_id)
    if body:
        if payload.visibility == "public":
            ticket_moves.agent_writes(tx, actor, ticket)
        write(tx, actor, ticket, body=body, visibility=payload.visibility)
    if talk is not None and talk.channel == "chat":
        _tell_in_chat(tx, talk, ticket)
    return {"ticket_id": ticket.id, "number": ticket.number, "alike": alike}


def submit(tx: Tx, actor: Actor, payload: SubmitRequest) -> Answer:
    """The number of the ticket that keeps a shopper's request from the widget, and by when we act.

    The chat in which they waited for nobody in particular ends with it.
    """
    talk = None
    if payload.conversation_id is not None:
        talk = access_conversation(tx, actor, payload.conversation_id)
    ticket = take_request(tx, actor, payload, source="offline")
    if talk is not None and talk.channel != CHANNEL:
        linked = tickets.links_of(tx.connection, ticket.id)
        if talk.id not in {link.target for link in linked}:
            connect(tx, SYSTEM, ticket, "conversation", talk.id)
            _tell_in_chat(tx, talk, ticket)
            if talk.status == "open" and talk.assignee_id is None:
                conversations.resolve(tx, actor, ConversationRef(conversation_id=talk.id))
    return {
        "ticket_number": ticket.number,
        "promised_at_ms": targets.due_now(tx, ticket.id),
    }


def take_request(
    tx: Tx,
    actor: Actor,
    payload: SubmitRequest,
    *,
    source: str,
    fields: Mapping[str, str | int] | None = None,
    order: str | None = None,
    apart: bool = False,
    enclosed: Sequence[File] = (),
    cards: Sequence[dict[str, Any]] = (),  # Any: JSON blocks
) -> Ticket:
    """A shopper's request becomes a ticket, or goes into the open one about the same order.

    ``fields`` are values of the type's fields, ``order`` is the id of an order that was found to be
    theirs, and with ``apart`` it is a ticket of its own. Raises NotAllowed for who is blocked, and
    InvalidInput.
    """
    if actor.kind != "customer" or actor.id is None:
        raise InvalidInput("Only a shopper can leave a request.")
    known = submitted(tx, actor, payload.client_id)
    if known is not None:
        return known
    if payload.client_id and any(
        tx.posted((actor.kind, row, payload.client_id)) for row in (actor.id, *actor.also)
    ):
        raise InvalidInput("This client_id names a message of a chat.", field="client_id")
    if any(tx.blocked(row) for row in (actor.id, *actor.also)):
        raise NotAllowed("The shop takes no messages from you here.", reason="blocked")
    named = sent_files.wanted_ids(payload.files, None)
    sent = [*(sent_files.take(tx, actor, named) if named else ()), *enclosed]
    body = clean(payload.body, limit=MAX_BODY_CHARS)
    subject = clean(payload.subject or "", limit=MAX_SUBJECT_CHARS, name="subject", empty=True)
    kind = _type(tx, payload.type or "question", for_shopper=True)
    number = clean(payload.order_id or "", limit=64, name="order_id", empty=True)
    values = {k: v for k, v in read_fields(kind, fields or {}).items() if v is not None}
    said = {
        name: value
        for name in ("name", "email", "phone")
        if (value := (getattr(payload, name) or "").strip())
    }
    customer = customers.load_customer(tx.connection, actor.id, lock=True)
    if customer is None:
        raise NotFound("There is no such customer.")
    if said:
        describe(tx, actor, Describe.model_validate(said))
    # What a shopper sees is their own: whom else staff think they are opens nothing here.
    rows = shopper_rows(tx.connection, actor.id)
    order_id = order
    if order_id is None and number:
        order_id = tickets.order_of_number(tx.connection, number, rows)
    open_ones = tickets.alike(
        tx.connection, rows, order_id=None if apart else order_id, for_shopper=True
    )
    if (order_id is not None and not apart and open_ones) or len(open_ones) >= MAX_OPEN_REQUESTS:
        ticket = tx.ticket(open_ones[0])
        assert ticket is not None  # found a moment ago
        thread = thread_of(tx, ticket)
        _shopper_writes(
            tx, actor, thread, body, client_id=payload.client_id, files=sent, cards=cards
        )
        return ticket
    subject = subject or " ".join(body.split())[:120]
    priority, why = _priority(
        tx, kind, None, members(tx.connection, person_of(tx.connection, actor.id))
    )
    ticket = ticket_moves.begin(
        tx,
        actor,
        customer_id=actor.id,
        kind=kind.id,
        words=TicketWords(subject, values, {"order": number, **said} if number or said else None),
        searched=_searched(subject, {"order": number}, said.get("name") or customer.name),
        source=source,
        priority=priority,
        priority_source=why,
        team_id=kind.team_id,
        locale=customer.locale,
    )
    if order_id is not None:
        connect(tx, SYSTEM, ticket, "order", order_id)
    thread = thread_of(tx, ticket)
    _shopper_writes(tx, actor, thread, body, client_id=payload.client_id, files=sent, cards=cards)
    return ticket


def submitted(tx: Tx, actor: Actor, client_id: str | None) -> Ticket | None:
    """The ticket of a request that was sent before, also when they have signed in since."""
    rows = (actor.id or "", *sorted(actor.also)) if client_id is not None else ()
    for row in rows:
        posted = tx.posted((actor.kind, row, client_id or ""))
        known = tx.ticket(posted.conversation_id) if posted else None
        if known is not None:
            return known
    return None


def change(tx: Tx, actor: Actor, payload: ChangeTicket) -> Answer:
    """Changes what is named. Raises InvalidInput, Conflict, NotFound."""
    require(actor, "ticket.write")
    ticket = access_ticket(tx, actor, payload.ticket_id)
    _check_aside(tx, payload.state, payload.until_ms)
    status = _status(tx, payload.status, payload.state or ticket.state)
    team_id = _team(tx, payload.team_id) if payload.team_id else None
    assignee_id = _person(tx, payload.assignee_id) if payload.assignee_id else None
    _change_words(tx, actor, ticket, payload)
    if payload.priority is not None:
        set_priority(tx, actor, ticket, payload.priority, source="manual")
    if payload.team_id is not None and (team_id or None) != ticket.team_id:
        _move(tx, actor, ticket, team_id)
    if payload.assignee_id is not None:
        ticket_moves.give(tx, actor, ticket, assignee_id, reason="transfer")
    if payload.state is not None or payload.status is not None:
        set_state(
            tx,
            actor,
            ticket,
            payload.state or ticket.state,
            status=status,
            reason=payload.reason,
            words=_reason_text(payload.reason_text),
            until_ms=payload.until_ms,
        )
    return {"ticket_id": ticket.id}


def reply(tx: Tx, actor: Actor, payload: ReplyTicket) -> Answer:
    """Writes in the ticket and gives it the state that is named; a resend changes nothing.

    Raises Conflict with ``since`` when somebody has written after ``seen_seq``.
    """
    require(actor, "ticket.write")
    ticket = access_ticket(tx, actor, payload.ticket_id)
    known = tx.posted((actor.kind, actor.id or "", payload.client_id))
    if known is not None:
        return {"ticket_id": ticket.id, "message_id": known.id}
    named = sent_files.wanted_ids(payload.files, None)
    sent = sent_files.take(tx, actor, named) if named else []
    body = clean(payload.body, limit=MAX_BODY_CHARS, empty=bool(sent))
    _check_aside(tx, payload.state, payload.until_ms)
    status = _status(tx, payload.status, payload.state or ticket.state)
    if payload.seen_seq is not None:
        since = tickets.written_since(
            tx.connection,
            [ticket.id, *(one.id for one in tickets.merged_into(tx.connection, ticket.id))],
            seen_seq=payload.seen_seq,
            but_by=actor.id,
        )
        if since:
            raise Conflict(
                "Somebody has written since you opened this ticket. Read it, then send again.",
                since=since,
                seq=max(one["seq"] for one in since),
            )
    if payload.visibility == "public":
        ticket_moves.agent_writes(tx, actor, ticket)
    message_id = write(
        tx,
        actor,
        ticket,
        body=body,
        visibility=payload.visibility,
        client_id=payload.client_id,
        origin=payload.origin,
        files=sent,
    )
    if payload.state is not None or payload.status is not None:
        set_state(
            tx,
            actor,
            ticket,
            payload.state or ticket_moves.current(tx, ticket).state,
            status=status,
            reason=payload.reason,
            words=_reason_text(payload.reason_text),
            until_ms=payload.until_ms,
        )
    return {"ticket_id": ticket.id, "message_id": message_id}


def watch(tx: Tx, actor: Actor, payload: WatchTicket) -> Answer:
    """Lets the person hear of the ticket, or no longer."""
    require(actor, "ticket.read")
    ticket = access_ticket(tx, actor, payload.ticket_id)
    watching = actor.id in tickets.watchers_of(tx.connection, ticket.id)
    if payload.watching != watching and actor.id is not None:
        tickets.set_watching(tx, ticket.id, actor.id, watching=payload.watching)
        data = TicketWatched(agent_id=actor.id, watching=payload.watching)
        tx.record(actor, data, conversation=thread_of(tx, ticket))
    return {"ticket_id": ticket.id}


def set_priority(tx: Tx, actor: Actor, ticket: Ticket, priority: str, *, source: str) -> bool:
    """True when the priority is another now; what a person has set only a person changes."""
    ticket = ticket_moves.current(tx, ticket)
    if priority not in PRIORITIES:
        raise InvalidInput("There is no such priority.", field="priority")
    if not may_set_priority(ticket.priority_source, source):
        return False
    if (priority, source) == (ticket.priority, ticket.priority_source):
        return False
    data = TicketPriorityChanged(from_=ticket.priority, to=priority, source=source)
    tx.record(actor, data, conversation=thread_of(tx, ticket))
    return True


def write(
    tx: Tx,
    actor: Actor,
    ticket: Ticket,
    *,
    body: str,
    visibility: str,
    client_id: str | None = None,
    origin: str = "typed",
    files: Sequence[File] = (),
) -> str:
    """The id of a message that was written in the ticket's thread."""
    thread = thread_of(tx, ticket)
    if thread.session is None or not thread.in_session:
        messages.start_session(tx, actor, thread)
    event = messages.put(
        tx,
        actor,
        thread,
        client_id=client_id or tx.new_id(),
        body=body,
        visibility=visibility,
        origin=origin,
        files=files,
    )
    assert isinstance(event.data, MessagePosted)  # for the type checker
    return event.data.message_id


def _shopper_writes(
    tx: Tx,
    actor: Actor,
    thread: Conversation,
    body: str,
    *,
    client_id: str | None,
    files: Sequence[File] = (),
    cards: Sequence[dict[str, Any]] = (),  # Any: JSON blocks
) -> None:
    target = ticket_moves.shopper_writes(tx, actor, thread)
    if target is None:
        raise NotFound(ticket_moves.MISSING)
    messages.start_session(tx, actor, target)
    client_id = client_id or tx.new_id()
    blocks = list(cards)
    messages.put(tx, actor, target, client_id=client_id, body=body, blocks=blocks, files=files)


def _change_words(tx: Tx, actor: Actor, ticket: Ticket, payload: ChangeTicket) -> None:
    """Keeps another subject, type or values, with what stood there before beside the event."""
    if payload.subject is None and payload.type is None and payload.fields is None:
        return
    known = tickets.words_of(tx.connection, [ticket.id]).get(ticket.id, TicketWords("", {}))
    kind = _type(tx, payload.type or ticket.type, keep=ticket.type)
    before: dict[str, Any] = {"subject": known.subject}  # Any: JSON
    after = dict(before)
    if payload.subject is not None:
        after["subject"] = clean(payload.subject, limit=MAX_SUBJECT_CHARS, name="subject")
    values = {k: v for k, v in known.fields.items() if kind.field_of(k) is not None}
    values |= read_fields(kind, payload.fields or {})
    values = {k: v for k, v in values.items() if v is not None}
    for key in {**known.fields, **values}:
        before[f"fields.{key}"], after[f"fields.{key}"] = known.fields.get(key), values.get(key)
    changed = [key for key in after if after[key] != before[key]]
    retyped = kind.id if kind.id != ticket.type else None
    if not changed and retyped is None:
        return
    event = tx.record(
        actor,
        TicketChanged(fields=tuple(changed), type=retyped),
        conversation=thread_of(tx, ticket),
    )
    tickets.change_words(tx, ticket.id, TicketWords(after["subject"], values, known.contact))
    words = {"before": {k: before[k] for k in changed}, "after": {k: after[k] for k in changed}}
    note(tx, ticket, event, words | ({"type": ticket.type} if retyped else {}))
    tickets.find_by(tx, ticket.id, " ".join(str(after[key] or "") for key in changed))


def _move(tx: Tx, actor: Actor, ticket: Ticket, team_id: str | None) -> None:
    """On another team's desk; an owner who is not of it has it no longer."""
    tx.record(
        actor,
        TicketMoved(team_id=team_id, previous=ticket.team_id),
        conversation=thread_of(tx, ticket),
    )
    owner = ticket.assignee_id and people.load_person(tx.connection, ticket.assignee_id)
    if owner and team_id is not None and team_id not in owner.team_ids:
        ticket_moves.give(tx, actor, ticket, None, reason="transfer")


def _tell_in_chat(tx: Tx, talk: Conversation, ticket: Ticket) -> None:
    """A line in the chat with the number, for both sides of it."""
    shop = load_shop(tx.connection)
    locale = language(talk.locale or (shop.locale if shop else None))
    messages.put(
        tx,
        SYSTEM,
        talk,
        client_id=None,
        body=sentence(locale, "written.noted", number=ticket.number),
        origin="system",
    )


def _client_key(actor: Actor, client_id: str | None) -> str | None:
    return f"{actor.kind}:{actor.id}:{client_id}" if client_id else None


def _type(
    tx: Tx, type_id: str, *, for_shopper: bool = False, keep: str | None = None
) -> TicketType:
    kind = load_types(tx.connection).get(type_id)
    usable = kind is not None and (kind.active or kind.id == keep)
    if kind is None or not usable or (for_shopper and not kind.for_shoppers):
        raise InvalidInput("There is no such type of ticket.", field="type")
    return kind


def _customer(tx: Tx, actor: Actor, customer_id: str | None, talk: Conversation | None) -> str:
    """Whose ticket it is: who talks, or who is named. Raises NotFound for who is hidden."""
    if talk is not None:
        person = person_of(tx.connection, talk.customer_id)
        if customer_id is not None and person_of(tx.connection, customer_id) != person:
            raise InvalidInput("The conversation is another customer's.", field="customer_id")
        return talk.customer_id
    if customer_id is None:
        raise InvalidInput("Name a customer or a conversation.", field="customer_id")
    if customers.load_customer(tx.connection, customer_id) is None:
        raise NotFound("There is no such customer.")
    rows = members(tx.connection, person_of(tx.connection, customer_id))
    if not actor.leads and not sees_customer(tx.connection, actor, rows):
        raise NotFound("There is no such customer.")
    return customer_id


def _order(tx: Tx, order_id: str | None, rows: tuple[str, ...]) -> str | None:
    """The order when it is one of the person's. Raises InvalidInput."""
    if order_id is None:
        return None
    order = orders.order_by_id(tx.connection, order_id)
    if order is None or order["customer_id"] not in rows:
        raise InvalidInput("The customer has no such order.", field="order_id")
    return order_id


def _find_by_order(tx: Tx, ticket_id: str, order_id: str) -> None:
    order = orders.order_by_id(tx.connection, order_id)
    if order is not None:
        tickets.find_by(tx, ticket_id, str(order["number"]))


def _team(tx: Tx, team_id: str) -> str:
    if team_id not in {team.id for team in people.load_teams(tx.connection)}:
        raise InvalidInput("There is no such team.", field="team_id")
    return team_id


def _person(tx: Tx, agent_id: str) -> str:
    person = people.load_person(tx.connection, agent_id)
    if person is None or not person.active:
        raise InvalidInput("There is no such agent.", field="assignee_id")
    return agent_id


def _status(tx: Tx, status_id: str | None, state: str) -> str | None:
    """The shop's own name of a state, when it is one of that state. Raises InvalidInput."""
    if not status_id:
        return None
    status = load_statuses(tx.connection).get(status_id)
    if status is None or not status.active or status.state != state:
        raise InvalidInput("That is not a name of this state.", field="status")
    return status_id


def _priority(
    tx: Tx, kind: TicketType, given: str | None, rows: tuple[str, ...]
) -> tuple[str, str]:
    """How urgent a new ticket is and why: said by a person, else the type's, one up for a VIP."""
    if given is not None:
        return given, "manual"
    shop = load_shop(tx.connection)
    chosen = shop.settings.get("tickets") if shop else None
    vip = chosen.get("vip", True) if isinstance(chosen, Mapping) else True
    if vip:
        profile = load_profile(tx.connection, rows[0])
        best = profile.top20 or profile.segment in ("champions", "cant_lose")
        if best and allowed(tx.connection, rows, "profiling"):
            return raised(kind.priority), "segment"
    return kind.priority, "default"


def _alike(tx: Tx, actor: Actor, rows: tuple[str, ...], order_id: str) -> list[str]:
    """Numbers of open tickets of the person about the order that the actor may see."""
    ids = tickets.alike(tx.connection, rows, order_id=order_id)
    found = [tickets.load_ticket(tx.connection, key) for key in ids]
    return [one.number for one in found if one and tickets.sees(tx.connection, actor, one)]


def _searched(subject: str, fields: Mapping[str, Any], name: str | None) -> str:  # Any: JSON
    return " ".join([subject, name or "", *(str(value) for value in fields.values() if value)])


def _check_aside(tx: Tx, state: str | None, until_ms: int | None) -> None:
    if until_ms is None:
        return
    if state != "on_hold":
        raise InvalidInput(
            "Only what is put aside comes back by itself.", field="until_ms", reason="not_aside"
        )
    if not tx.at_ms < until_ms <= tx.at_ms + MAX_ASIDE_MS:
        raise InvalidInput("Choose a time between now and a year from now.", field="until_ms")


def _reason_text(text: str | None) -> str | None:
    limit = ticket_moves.MAX_REASON_CHARS
    return clean(text, limit=limit, name="reason_text", empty=True) or None if text else None


assert set(Reason.__args__) == set(REASONS)  # type: ignore[attr-defined]  # the literal's values
