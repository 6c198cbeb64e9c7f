"""What is told of tickets, as classes from which the descriptions for programs are made."""

from __future__ import annotations

from typing import Annotated, Any, Literal  # Any: JSON values

from pydantic import Field

from server.domain.order_state import OrderState
from server.storage.shapes import AtMs, Block, Named, Shape

State = Literal[
    "new", "open", "pending_customer", "on_hold", "resolved", "closed", "merged", "spam"
]


class TicketCustomer(Shape):
    """Whose ticket it is."""

    id: str
    name: str | None
    verified: bool


class Ticket(Shape):
    """A ticket as lists show it; ``lane`` says who is to act: us, customer, or done."""

    id: Annotated[str, Field(description="Also the id of the conversation that is its thread.")]
    number: Annotated[str, Field(description="What the shopper is told.")]
    type: str
    subject: str
    state: State
    status: Annotated[str | None, Field(description="The shop's own name of the state, an id.")]
    reason: Annotated[str | None, Field(description="Why it ended without an answer.")]
    lane: Literal["us", "customer", "done"]
    priority: Literal["low", "normal", "high", "urgent"]
    priority_source: Literal["default", "manual", "rule", "segment", "escalation"]
    source: str
    team_id: str | None
    assignee_id: str | None
    customer: TicketCustomer
    parent_id: str | None
    merged_into: str | None
    answered: Annotated[bool, Field(description="A person has answered everything so far.")]
    waiting_since_ms: AtMs | None
    next_due_at_ms: AtMs | None
    next_due: Annotated[str | None, Field(description="The target that is due then.")]
    wake_at_ms: AtMs | None
    created_at_ms: AtMs
    updated_at_ms: AtMs
    replied_at_ms: AtMs | None
    first_resolved_at_ms: AtMs | None
    resolved_at_ms: AtMs | None
    reopens: int


class TicketLink(Shape):
    """What a ticket points to."""

    kind: Literal["conversation", "order", "line", "product", "ticket"]
    target: str
    at_ms: AtMs


class TicketTask(Shape):
    """A piece of the work for another desk."""

    id: str
    title: str
    team_id: str | None
    assignee_id: str | None
    state: Literal["open", "done", "cancelled"]
    result: str | None
    created_at_ms: AtMs
    due_at_ms: AtMs | None
    ended_at_ms: AtMs | None


class TicketName(Shape):
    """A ticket by id and number."""

    id: str
    number: str


class TicketWhole(Ticket):
    """A ticket with all that belongs to it; its messages are those of its conversation.

    ``seq`` goes with a reply as ``seen_seq``, so that who has been overtaken is told.
    """

    seq: int
    fields: dict[str, Any]
    contact: dict[str, Any] | None
    next_states: list[State]
    links: list[TicketLink]
    tasks: list[TicketTask]
    merged: list[TicketName]
    watchers: list[Named]


class TicketMade(Shape):
    """A ticket that was made; ``alike`` are open ones of the person about the same order."""

    ticket_id: str
    number: str
    alike: list[str]


class TicketNumber(Shape):
    """The number under which the request goes on, and by when we have promised to act."""

    ticket_number: str
    promised_at_ms: AtMs | None


class TicketList(Shape):
    """A page of tickets; ``next_cursor`` leads to the next one, null at the end."""

    items: list[Ticket]
    next_cursor: str | None


class OpenLoop(Shape):
    """Something that waits for the shop past its target; ``owed`` is the target, or a reason."""

    kind: Literal["chat", "ticket", "task", "mail", "undelivered"]
    id: Annotated[str, Field(description="Of the chat, ticket, sub-task or mail.")]
    due_at_ms: int
    late_ms: int
    conversation_id: str | None
    number: Annotated[str | None, Field(description="Of the ticket, if it is one's.")]
    customer_id: str | None
    agent_id: str | None
    agent_name: str | None
    team_id: str | None
    owed: str | None


class OpenLoops(Shape):
    """All of it, the latest first, 500 at most; ``count`` has the others as well."""

    count: int
    by_kind: dict[str, int]
    items: list[OpenLoop]


class BothLanguages(Shape):
    """A name in both languages."""

    en: str
    zh: str


class TypeChoice(Shape):
    """A value of a field and what it is called."""

    value: str
    name: BothLanguages


class TypeField(Shape):
    """Something that a type of ticket asks for."""

    key: str
    kind: Literal["text", "long", "choice", "number", "money", "date", "sku", "line"]
    name: BothLanguages
    required: bool
    choices: list[TypeChoice]


class TicketType(Shape):
    """A type of ticket; ``shown`` has what shoppers read of a state instead of the usual words."""

    id: str
    name: BothLanguages
    fields: list[TypeField]
    team_id: str | None
    priority: Literal["low", "normal", "high", "urgent"]
    shown: dict[str, BothLanguages]
    for_shoppers: bool


class TicketTypes(Shape):
    """The types of ticket that are in use, in their order."""

    items: list[TicketType]


class OfTicket(Shape):
    """The ticket as it is now."""

    ticket: TicketWhole


class RequestKind(Shape):
    """A kind of request that shoppers may choose."""

    id: str
    name: BothLanguages


class RequestForm(Shape):
    """What a form for a request offers; ``opens_at_ms`` while the shop is closed."""

    kinds: list[RequestKind]
    opens_at_ms: AtMs | None


class Request(Shape):
    """A request as its shopper sees it; a time that has passed is ``late`` and no promise."""

    number: str
    subject: str
    state: str
    over: bool
    promised_at_ms: AtMs | None
    late: bool
    created_at_ms: AtMs
    updated_at_ms: AtMs
    unread: int


class OwnOrderLine(Shape):
    """A line of an order; so many pieces are ``left`` that nobody has asked back yet."""

    line_no: int
    title: str
    sku: str | None
    quantity: int
    left: int
    price_minor: Annotated[int, Field(description="Of one piece.")]
    image_url: str | None
    numbers: Annotated[list[str], Field(description="Requests that are about the others.")]


class OwnOrder(Shape):
    """An order of the shopper; ``wanted`` is what can be asked for now, and ``reasons`` why."""

    number: str
    created_at_ms: AtMs
    currency: str
    state: OrderState
    wanted: list[Literal["return", "exchange", "refund", "cancel"]]
    reasons: list[RequestKind]
    lines: list[OwnOrderLine]


class OwnOrders(Shape):
    """The latest orders that are known to be the shopper's, and what may come of a request."""

    orders: list[OwnOrder]
    outcomes: list[RequestKind]


class RequestList(Shape):
    """A page of the shopper's requests; ``next_before`` asks for the next."""

    items: list[Request]
    next_before: str | None


class RequestMessage(Shape):
    """A message of a request; without an author it is the shop's own."""

    id: str
    mine: bool
    author: str | None
    body: str
    blocks: list[Block]
    at_ms: AtMs


class RequestOpened(Shape):
    """A request with its thread; ``onward`` is the one that it was joined to."""

    request: Request
    messages: list[RequestMessage]
    rating: int | None
    may_rate: bool
    may_write: bool
    onward: str | None


class RequestName(Shape):
    """The number under which it goes on."""

    number: str
