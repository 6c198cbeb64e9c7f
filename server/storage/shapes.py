"""What ``views`` give, as classes from which the descriptions for programs are made.

The product builds plain dictionaries, which is quicker; a test holds each answer against its class.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

AtMs = Annotated[int, Field(description="An instant, milliseconds since 1970 in UTC.")]
SpanMs = Annotated[int, Field(description="A span of time in milliseconds.")]
Role = Literal["agent", "supervisor", "admin"]
AgentStatus = Literal["online", "busy", "away", "offline"]
ActorKind = Literal["customer", "agent", "bot", "system"]
ConversationStatus = Literal["open", "snoozed", "resolved", "closed", "spam"]
Visibility = Literal["public", "private"]


class Shape(BaseModel):
    """Base of all shapes. What is here may grow, so readers must not mind more."""

    model_config = ConfigDict(frozen=True)


class Named(Shape):
    """Somebody or something by id and name; the name is null where nobody gave one."""

    id: str
    name: str | None


class Author(Shape):
    """Who did something; ``id`` is null for the system."""

    kind: ActorKind
    id: str | None
    name: str | None


class ProductBlock(Shape):
    """A card about a product."""

    type: Literal["product"]
    title: str
    sku: str | None = None
    price_minor: int | None = None
    currency: str | None = None
    price: str | None = None
    url: str | None = None
    image_url: str | None = None


class LinkBlock(Shape):
    """A card that leads somewhere."""

    type: Literal["link"]
    url: str
    title: str | None = None


class ImageBlock(Shape):
    """A picture."""

    type: Literal["image"]
    url: str
    alt: str | None = None


class FileBlock(Shape):
    """A file that was sent; in a new message only its ``id`` is read."""

    type: Literal["file"]
    id: str
    name: str | None = None
    media_type: str | None = None
    bytes: int | None = None
    state: str | None = None
    width: int | None = None
    height: int | None = None


class MailBlock(Shape):
    """The message came by mail, and staff may look at it as it was sent: ``/mails/{id}``.

    ``remote`` pictures of it are elsewhere; ``lines`` is about how long it is.
    """

    type: Literal["mail"]
    id: str
    remote: int
    lines: int


Block = Annotated[
    ProductBlock | LinkBlock | ImageBlock | FileBlock | MailBlock, Field(discriminator="type")
]


class Message(Shape):
    """A message as every client shows it; the body is empty once it was erased."""

    id: str
    client_id: str | None
    body: str
    blocks: list[Block]
    visibility: Visibility
    origin: str
    author: Author
    at_ms: AtMs


class MessageOfConversation(Message):
    """A message with its place."""

    conversation_id: str
    conversation_seq: Annotated[
        int, Field(description="The place in the conversation as staff count it, from 1.")
    ]


class CustomerHead(Shape):
    """The customer of a conversation."""

    id: str
    name: str | None
    verified: bool
    locale: str | None
    segment: Annotated[
        str | None, Field(description="Null for who never bought or refuses to be profiled.")
    ]
    top20: bool


class LastMessage(Shape):
    """The latest message, shortened to one line."""

    id: str
    preview: str
    author_kind: str
    author_name: str | None
    visibility: Visibility
    at_ms: AtMs


class EntryPage(Shape):
    """The shop page on which the conversation began."""

    url: str
    title: str | None


class Conversation(Shape):
    """A conversation as lists show it."""

    id: str
    status: ConversationStatus
    channel: str
    locale: str | None
    team_id: str | None
    assignee_id: str | None
    customer: CustomerHead
    customer_present: bool
    waiting_since_ms: Annotated[
        int | None, Field(description="Since when a customer's message is unanswered.")
    ]
    unanswered: int
    queued_at_ms: int | None
    opened_at_ms: AtMs
    resolved_at_ms: int | None
    snoozed_until_ms: int | None
    session_no: int
    last_message: LastMessage | None
    last_activity_at_ms: AtMs
    tags: list[str]
    entry_page: EntryPage | None
    rating: Annotated[int, Field(ge=1, le=5)] | None
    conversation_seq: int
    reopened: bool


class Turn(Shape):
    """One wait of a customer, from the first unanswered message to the reply."""

    turn_no: int
    session_no: int
    is_first_in_session: bool
    ask_at_ms: AtMs
    ask_message_id: str
    reply_message_id: str | None
    outcome: str
    elapsed_ms: int | None
    answered_by: str | None


class Customer(Shape):
    """A customer; ``verified`` once the shop's own server has signed for them."""

    id: str
    name: str | None
    email: str | None
    phone: str | None
    locale: str | None
    verified: bool
    identity: Literal["anonymous", "claimed", "verified"]
    external_id: str | None
    created_at_ms: AtMs
    last_seen_at_ms: AtMs


class PastConversation(Shape):
    """A conversation of a customer, in short."""

    id: str
    status: ConversationStatus
    opened_at_ms: AtMs
    last_activity_at_ms: AtMs
    preview: str
    assignee_name: str | None
    rating: int | None
    messages: int


class CustomerCard(Customer):
    """A customer with the latest conversations that the reader may see."""

    conversations: list[PastConversation]
    conversation_count: int


class OrderLine(Shape):
    """A line of an order; the price is for one piece."""

    sku: str | None
    title: str
    category: str | None
    brand: str | None
    quantity: int
    refunded_quantity: int
    price_minor: int


class Order(Shape):
    """An order of the shop; money in the smallest unit of its currency.

    ``total_minor`` is what was paid before refunds, ``counted`` whether figures count it.
    ``customer_id`` is null for a guest.
    """

    id: str
    source: str
    external_id: str
    number: str
    customer_id: str | None
    created_at_ms: AtMs
    paid_at_ms: AtMs | None
    cancelled_at_ms: AtMs | None
    shipped_at_ms: AtMs | None
    promised_at_ms: AtMs | None
    delivered_at_ms: AtMs | None
    refunded_at_ms: AtMs | None
    updated_at_ms: AtMs | None
    currency: str
    total_minor: int
    refunded_minor: int
    net_minor: int
    counted: bool
    status: str
    fulfilment: str | None
    carrier: str | None
    tracking_number: str | None
    tracking_url: str | None
    coupon: str | None
    test: bool
    lines: list[OrderLine]


class RefusedLine(Shape):
    """A line that was not taken, and why, in English and Chinese."""

    line: int
    reason: str


class Imported(Shape):
    """What became of the lines of a body."""

    accepted: int
    unchanged: int
    rejected: list[RefusedLine]


class Erasure(Shape):
    """What came of an erasure: the records that it took in, and rows by table."""

    request_id: str
    customer_ids: list[str]
    receipt: dict[str, int]


class Agent(Shape):
    """A colleague; ``load`` is how many open conversations they have."""

    id: str
    name: str
    email: str | None
    role: Role
    locale: str | None
    status: AgentStatus
    capacity: int
    load: int
    team_ids: list[str]


class Team(Shape):
    """A group of agents with a queue of its own."""

    id: str
    name: str
    name_zh: str | None


class Targets(Shape):
    """From when on a wait is shown as long, and as too long."""

    warn_ms: SpanMs
    limit_ms: SpanMs


class Shop(Shape):
    """The shop."""

    name: str
    locale: str
    timezone: str
    currency: str
    targets: Targets


class ArticleText(Shape):
    """What an article says in one language, in Markdown, and how people ask for it."""

    locale: str
    title: str
    body: str
    phrasings: list[str]
    updated_at_ms: AtMs


class Article(Shape):
    """An answer of the knowledge base; ``external_id`` is its name where it came from."""

    id: str
    source: str
    external_id: str
    audience: str
    status: str
    category: str | None
    kind: Literal["article", "reply"]
    shortcut: str | None
    valid_from_ms: AtMs | None
    valid_to_ms: AtMs | None
    version: int
    created_at_ms: AtMs
    updated_at_ms: AtMs
    texts: list[ArticleText]


class Raised(Shape):
    """What else speaks for an article: the state of an order, or the page that is looked at.

    ``state`` is late, placed, paid, shipped, delivered, refunded or cancelled.
    """

    by: Literal["order", "page"]
    state: str | None = None
    order: str | None = None
    page: str | None = None


class Suggested(Shape):
    """An article that may answer; ``p`` is how likely it does, ``why`` what speaks for it, 0..1."""

    article_id: str
    kind: Literal["article", "reply"]
    title: str
    body: str
    locale: str
    audience: Literal["public", "internal"]
    category: str | None
    p: float
    part: Literal["title", "phrasing", "body"]
    matched: str
    why: dict[str, float]
    raised: Raised | None


class FoundArticles(Shape):
    """Articles, best first; ``kb_seq`` is the latest change that was searched.

    ``band`` is answer (good enough for a shopper), suggest (an agent should choose) or none.
    """

    kb_seq: int
    band: Literal["answer", "suggest", "none"]
    items: list[Suggested]
    corrections: dict[str, str]
    took_ms: float


class Suggestions(FoundArticles):
    """What was found for a conversation; ``suggestion_id`` is None where there was nothing to."""

    suggestion_id: str | None


class ReadMark(Shape):
    """Up to which message somebody has read."""

    reader: Author
    message_id: str
    at_ms: AtMs


class Draft(Shape):
    """What the agent has begun to write."""

    body: str
    visibility: Visibility
    updated_at_ms: AtMs


class Token(Shape):
    """An API token; ``scopes`` null is all that its person may do."""

    id: str
    name: str
    agent: Named
    role: Role
    scopes: list[str] | None
    created_at_ms: AtMs
    expires_at_ms: int | None
    last_used_at_ms: int | None


class NewToken(Token):
    """A token that was just made; ``token`` is shown this once."""

    token: str | None


class Webhook(Shape):
    """A receiver of webhooks; no ``kinds`` are all of them.

    ``state`` is off when a person stopped it, paused when it failed for three days, gone when it
    answered 410. ``failing_since_ms`` is null while it takes what it gets.
    """

    id: str
    name: str
    url: str
    kinds: list[str]
    state: Literal["active", "off", "paused", "gone"]
    state_at_ms: AtMs
    failing_since_ms: int | None
    old_secret_until_ms: int | None
    created_at_ms: AtMs


class NewWebhook(Webhook):
    """A receiver with its new secret, which is shown this once."""

    secret: str | None


class WebhookDelivery(Shape):
    """An event on its way to a receiver, or what came of it; ``seq`` is null for a test.

    ``outcome`` is of the latest attempt, ``answer`` the beginning of what the receiver said then,
    ``next_at_ms`` when it is due again.
    """

    id: str
    webhook_id: str
    seq: int | None
    kind: str
    conversation_id: str | None
    status: Literal["pending", "delivered", "failed"]
    attempts: int
    outcome: (
        Literal[
            "delivered",
            "refused",
            "timeout",
            "unreachable",
            "unknown_host",
            "untrusted",
            "forbidden",
            "broken",
        ]
        | None
    )
    code: int | None
    elapsed_ms: SpanMs | None
    answer: str | None
    created_at_ms: AtMs
    attempted_at_ms: int | None
    next_at_ms: int | None


class ReportRow(Shape):
    """One number of a report; fields that do not apply are null."""

    metric: str
    definition_version: int
    filters: dict[str, str | int | float | None]
    as_of_seq: int
    group: str | None
    n: int
    n_open: int
    value: float | int | str | None
    unit: str
    numerator: int | None
    denominator: int | None
    interval: Annotated[list[float], Field(min_length=2, max_length=2)] | None
    median_ms: int | None
    p90_ms: int | None
    p95_ms: int | None
    mean_ms: int | None
    median_interval: Annotated[list[int | None], Field(min_length=2, max_length=2)] | None
    goal_ms: int | None
    within_goal: float | None
    business: dict[str, int | None] | None
    asides: dict[str, int] | None
    score: float | None
    bounds: Annotated[list[float], Field(min_length=2, max_length=2)] | None
    baseline: dict[str, float | int | None] | None
    difference: Annotated[list[float], Field(min_length=3, max_length=3)] | None
