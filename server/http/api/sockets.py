"""What the sockets answer and tell, as classes: the other half of what ``shapes`` describes."""

from __future__ import annotations

from typing import Annotated, Any, Literal  # Any: JSON values

from pydantic import Field

from server.storage.card_shapes import Card
from server.storage.shapes import (
    Agent,
    AtMs,
    Author,
    Conversation,
    ConversationStatus,
    Draft,
    FoundArticles,
    Named,
    ReadMark,
    Shape,
    Shop,
    SpanMs,
    Suggestions,
    Team,
    Turn,
)
from server.storage.ticket_shapes import (
    OfTicket,
    OwnOrders,
    RequestForm,
    RequestList,
    RequestName,
    RequestOpened,
    TicketList,
    TicketMade,
    TicketNumber,
    TicketTypes,
)

Name = tuple[str, str]


class Head(Shape):
    """A conversation's state and how far its sequence is."""

    id: str
    status: ConversationStatus
    conversation_seq: int


class OwnHead(Head):
    """A conversation of the shopper."""

    unread: int


class Self(Shape):
    """The shopper as the shop knows them."""

    id: str
    name: str | None
    email: str | None
    verified: bool


class ShopForShopper(Shape):
    """What a shopper may know of the shop."""

    name: str
    locale: str
    timezone: str
    agents_online: int
    queue_length: int
    typical_first_response_ms: int | None
    retention_months: int | None
    privacy_url: str | None
    accent: str | None
    page_events: bool
    articles: bool
    opens_at_ms: AtMs | None


class RequestNews(Shape):
    """How many requests the shopper has, and how many answers in them are new to them."""

    count: int
    unread: int


class VisitorWelcome(Shape):
    """The first event of ``/visitor``."""

    visitor_token: str
    customer_id: str
    customer: Self
    conversations: list[OwnHead]
    requests: RequestNews
    shop: ShopForShopper
    consents: dict[str, Literal["given", "refused"]]
    server_at_ms: AtMs


class ArticleWords(Shape):
    """Words of an article; bold, or leading somewhere."""

    text: str
    bold: Literal[True] | None = None
    href: str | None = None


class ArticleBlock(Shape):
    """A heading or a paragraph with ``words``, or a list with ``items``."""

    type: Literal["paragraph", "heading", "list"]
    words: list[ArticleWords] | None = None
    ordered: bool | None = None
    items: list[list[ArticleWords]] | None = None


class FoundAnswer(Shape):
    """An article for shoppers; ``address`` is its page, seen from this server."""

    article_id: str
    title: str
    locale: str
    summary: str
    blocks: list[ArticleBlock]
    address: str


class FoundAnswers(Shape):
    """Articles that may answer, best first; ``suggestion_id`` is None where nothing was looked for.

    ``band`` is answer (good enough to be shown beside the sent question), suggest or none.
    """

    suggestion_id: str | None
    band: Literal["answer", "suggest", "none"]
    items: list[FoundAnswer]


class AgentWelcome(Shape):
    """The first event of ``/agent``."""

    agent: Agent
    conversations: list[Head]
    shop: Shop
    server_at_ms: AtMs


class Nothing(Shape):
    """Nothing more than ``ok``."""


class Posted(Shape):
    """The message and its place; it is on disk."""

    message_id: str
    conversation_id: str
    conversation_seq: int
    at_ms: AtMs


class OfConversation(Shape):
    """The conversation as it is now."""

    conversation: Conversation


class ConversationId(Shape):
    """The conversation that it was about."""

    conversation_id: str


class Rated(ConversationId):
    """The rating that was kept."""

    score: int


class OfCustomer(Shape):
    """The customer as it is now."""

    customer: Card


class Revealed(Shape):
    """The contact as it is."""

    kind: Literal["email", "phone"]
    value: str


class Verified(OfCustomer):
    """Whether the proof holds, and the customer as it is now."""

    verified: bool


class CodeSent(Shape):
    """A code is on its way; ``shown`` is the masked address."""

    customer_id: str
    shown: str


class CustomerId(Shape):
    """The customer that it was about."""

    customer_id: str


class Me(Shape):
    """The agent as it is now."""

    me: Agent


class Kept(Shape):
    """When the draft was kept."""

    updated_at_ms: AtMs


class Consents(Shape):
    """What the shopper last said about each purpose."""

    consents: dict[str, Literal["given", "refused"]]


class Recorded(Shape):
    """Whether it was noted; ``reason`` says why not: off, consent, personal or empty."""

    recorded: bool
    reason: Literal["off", "consent", "personal", "empty"] | None = None


class ReaderMark(Shape):
    """How far somebody has read, for shoppers."""

    reader: dict[str, str]
    message_id: str
    at_ms: AtMs


class ShopperPage(Shape):
    """Events after ``after_seq``, in order; ``complete`` false means that more follow."""

    events: list[Any]
    complete: bool
    read_marks: list[ReaderMark]


class StaffPage(Shape):
    """Events after ``after_seq``, in order; ``complete`` false means that more follow."""

    events: list[Any]
    complete: bool
    conversation: Conversation


class Counts(Shape):
    """Figures at the head of the desk."""

    mine: int
    queue: int
    open: int
    resolved_today: int


class Desk(Shape):
    """Everything the console shows at its start."""

    me: Agent
    shop: Shop
    agents: list[Agent]
    teams: list[Team]
    conversations: list[Conversation]
    counts: Counts
    server_at_ms: AtMs


class Listed(Shape):
    """A page of conversations, the latest activity first."""

    conversations: list[Conversation]
    next_before_ms: int | None


class Opened(Shape):
    """A conversation with its latest 200 events."""

    conversation: Conversation
    events: list[Any]
    complete: bool
    customer: Card
    read_marks: list[ReadMark]
    draft: Draft | None
    turns: list[Turn]
    viewing: list[Named]


class SuggestionId(Shape):
    """The suggestion that it was about."""

    suggestion_id: str


class FoundReply(Shape):
    """A canned reply, filled with what is known; what is not stands in it as {name.of_it}."""

    article_id: str
    shortcut: str | None
    title: str
    body: str
    locale: str


class Similar(Shape):
    """A conversation that is done; previews are without details and the customer's name."""

    conversation_id: str
    question: str
    answer: str
    by: str | None
    resolved_at_ms: AtMs | None
    p: float


class FoundSimilar(Shape):
    """Conversations that asked about the same, best first."""

    items: list[Similar]
    took_ms: float


class Tried(Shape):
    """An article that did not help a shopper."""

    suggestion_id: str
    article_id: str
    title: str
    at_ms: AtMs


class FoundTried(Shape):
    """What a shopper had read before, oldest first."""

    items: list[Tried]


class FoundReplies(Shape):
    """Canned replies, best first."""

    items: list[FoundReply]


# What a command answers beside ``ok``.
ANSWERS: dict[Name, type[Shape]] = {
    ("/visitor", "message.post"): Posted,
    ("/visitor", "message.mark_read"): Nothing,
    ("/visitor", "conversation.catch_up"): ShopperPage,
    ("/visitor", "conversation.end"): ConversationId,
    ("/visitor", "rating.give"): Rated,
    ("/visitor", "customer.describe"): CustomerId,
    ("/visitor", "consent.set"): Consents,
    ("/visitor", "page.view"): Recorded,
    ("/visitor", "page.search"): Recorded,
    ("/visitor", "cart.update"): Recorded,
    ("/visitor", "checkout.start"): Recorded,
    ("/visitor", "answer.find"): FoundAnswers,
    ("/visitor", "answer.judge"): SuggestionId,
    ("/visitor", "request.submit"): TicketNumber,
    ("/visitor", "request.form"): RequestForm,
    ("/visitor", "request.orders"): OwnOrders,
    ("/visitor", "request.ask_back"): TicketNumber,
    ("/visitor", "request.list"): RequestList,
    ("/visitor", "request.open"): RequestOpened,
    ("/visitor", "request.reply"): RequestName,
    ("/visitor", "request.confirm"): RequestName,
    ("/visitor", "request.rate"): RequestName,
    ("/visitor", "typing.set"): Nothing,
    ("/agent", "desk.load"): Desk,
    ("/agent", "conversation.list"): Listed,
    ("/agent", "conversation.open"): Opened,
    ("/agent", "conversation.catch_up"): StaffPage,
    ("/agent", "message.post"): Posted,
    ("/agent", "message.mark_read"): Nothing,
    ("/agent", "draft.set"): Kept,
    ("/agent", "conversation.claim"): OfConversation,
    ("/agent", "conversation.transfer"): OfConversation,
    ("/agent", "conversation.resolve"): OfConversation,
    ("/agent", "conversation.reopen"): OfConversation,
    ("/agent", "conversation.snooze"): OfConversation,
    ("/agent", "conversation.tag"): OfConversation,
    ("/agent", "conversation.spam"): OfConversation,
    ("/agent", "turn.dismiss"): OfConversation,
    ("/agent", "focus.record"): Nothing,
    ("/agent", "presence.set"): Me,
    ("/agent", "customer.card"): OfCustomer,
    ("/agent", "customer.update"): OfCustomer,
    ("/agent", "contact.reveal"): Revealed,
    ("/agent", "customer.verify"): Verified,
    ("/agent", "customer.send_code"): CodeSent,
    ("/agent", "customer.confirm_code"): Verified,
    ("/agent", "customer.merge"): OfCustomer,
    ("/agent", "customer.unmerge"): OfCustomer,
    ("/agent", "customer.keep_apart"): OfCustomer,
    ("/agent", "customer.consent"): OfCustomer,
    ("/agent", "answer.tried"): FoundTried,
    ("/agent", "article.search"): FoundArticles,
    ("/agent", "conversation.similar"): FoundSimilar,
    ("/agent", "reply.find"): FoundReplies,
    ("/agent", "suggestion.ask"): Suggestions,
    ("/agent", "suggestion.accept"): SuggestionId,
    ("/agent", "suggestion.dismiss"): SuggestionId,
    ("/agent", "typing.set"): Nothing,
    ("/agent", "viewing.set"): Nothing,
    ("/agent", "customer.note"): OfCustomer,
    ("/agent", "customer.tag"): OfCustomer,
    ("/agent", "customer.prefer"): OfCustomer,
    ("/agent", "customer.block"): OfCustomer,
    ("/agent", "conversation.start"): OfConversation,
    ("/agent", "ticket.create"): TicketMade,
    ("/agent", "ticket.list"): TicketList,
    ("/agent", "ticket.types"): TicketTypes,
    ("/agent", "ticket.open"): OfTicket,
    ("/agent", "ticket.change"): OfTicket,
    ("/agent", "ticket.reply"): OfTicket,
}


class TypingChanged(Shape):
    """Somebody began or ceased to write; forget it after ``ttl_ms``."""

    conversation_id: str
    actor: Author
    typing: bool
    ttl_ms: SpanMs


class MessageRead(Shape):
    """Everything up to this message has been read."""

    conversation_id: str
    reader: Author
    message_id: str
    at_ms: AtMs


class AgentNow(Shape):
    """An agent's state."""

    id: str
    name: str
    status: Literal["online", "busy", "away", "offline"]
    capacity: int
    load: int


class PresenceChanged(Shape):
    """An agent's state changed."""

    agent: AgentNow


class AgentsOnline(Shape):
    """How many agents are there now."""

    agents_online: int


class ViewingChanged(Shape):
    """Who has the conversation open."""

    conversation_id: str
    agents: list[Named]


class CardChanged(Shape):
    """The card of the person whose conversation is open is out of date: ask for it again."""

    customer_id: str
    customer_ids: list[str]


class NoticesChanged(Shape):
    """There is a new notice of yours, or one was read."""


class ServerDrain(Shape):
    """Disconnect, and connect again after that time."""

    retry_in_ms: Annotated[int, Field(ge=0)]


# What is told and not stored.
SIGNALS: dict[Name, type[Shape]] = {
    ("/visitor", "typing.changed"): TypingChanged,
    ("/visitor", "message.read"): MessageRead,
    ("/visitor", "presence.changed"): AgentsOnline,
    ("/visitor", "request.changed"): RequestNews,
    ("/visitor", "server.drain"): ServerDrain,
    ("/agent", "typing.changed"): TypingChanged,
    ("/agent", "message.read"): MessageRead,
    ("/agent", "presence.changed"): PresenceChanged,
    ("/agent", "viewing.changed"): ViewingChanged,
    ("/agent", "card.changed"): CardChanged,
    ("/agent", "notices.changed"): NoticesChanged,
    ("/agent", "server.drain"): ServerDrain,
}
