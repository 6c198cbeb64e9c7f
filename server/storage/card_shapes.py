"""The shape of the customer card, for the documents that programs read (storage/cards.py)."""

from __future__ import annotations

from typing import Annotated, Any, Literal  # Any: lines as their source told them

from pydantic import Field

from server.storage.shapes import AtMs, Customer, PastConversation, Shape

Share = Annotated[float, Field(ge=0, le=1)]
Minor = Annotated[int, Field(description="In the smallest unit of the currency.")]


class Words(Shape):
    """A sentence in both languages."""

    en: str
    zh: str


class ContactLine(Shape):
    """A contact as the reader is shown it; ``key_id`` names it when it is asked for whole."""

    kind: Literal["email", "phone"]
    key_id: str | None
    customer_id: str
    shown: str
    masked: bool
    level: Literal["verified", "claimed", "guessed"]
    source: str


class Merged(Shape):
    """A link that makes two rows one person."""

    customer_id: str
    name: str | None
    at_ms: AtMs
    how: str
    link_id: str
    can_undo: bool


class Possible(Shape):
    """Another person who has proved what this one only typed (``why`` email or phone)."""

    customer_id: str
    name: str
    why: str
    shown: str


class Limits(Shape):
    """The limits that scores were worked out with: the least for scores 2 to 5."""

    version: int
    at_ms: AtMs
    r_days: list[int]
    f_classes: list[int]
    m_minor: list[int]


class Returns(Shape):
    """How many of the similar customers ordered again within some days."""

    chance: Share
    similar: int
    days: int


class ProfileCard(Shape):
    """What a person's orders add up to; spec and limits in docs/segments.md."""

    orders: int
    net_minor: Minor
    currency: str
    first_order_at_ms: AtMs | None
    last_order_at_ms: AtMs | None
    recency_days: int | None
    usual_gap_days: float | None
    usual_gap_is_own: bool
    average_minor: Minor | None
    r: int | None
    f: int | None
    m: int | None
    segment: str
    value_cell: str | None
    activity_stage: str
    relationship_stage: str
    quiet: bool
    declining: bool
    trend: str
    top20: bool
    top20_share: Share | None
    provisional: bool
    thresholds: Limits | None
    returns: Returns | None
    value_band: Literal["low", "mid", "high"] | None
    coupon_orders: int
    refund_share: float
    staged_at_ms: AtMs | None


class Playbook(Shape):
    """What to do for a customer like this one."""

    queue: Words
    tone: Words
    offer: Words
    follow_up: Words


class Rift(Shape):
    """Why the relation needs mending first: rating, complaints or refunds."""

    reason: Literal["rating", "complaints", "refunds"]


class LineOfOrder(Shape):
    """A line of an order; the price is for one piece."""

    title: str
    sku: str | None
    quantity: int
    price_minor: Minor


class OrderOnCard(Shape):
    """An order; ``guest`` marks one without an account, under an address that was proved."""

    id: str
    number: str
    source: str
    created_at_ms: AtMs
    total_minor: Minor
    net_minor: Minor
    refunded_minor: Minor
    currency: str
    status: str
    state: Literal["placed", "paid", "shipped", "delivered", "cancelled", "refunded"]
    late: bool
    promised_at_ms: AtMs | None
    shipped_at_ms: AtMs | None
    delivered_at_ms: AtMs | None
    carrier: str | None
    tracking_number: str | None
    tracking_url: str | None
    guest: bool
    lines: list[LineOfOrder]


class Orders(Shape):
    """How many orders there are, and five of them: late ones, open ones, the latest."""

    count: int
    items: list[OrderOnCard]


class TicketOnCard(Shape):
    """An open ticket; ``status`` is the shop's own name of the state, if it has one."""

    id: str
    number: str
    type: Words
    state: str
    status: Words | None
    priority: str
    due_at_ms: AtMs | None


class Tickets(Shape):
    """The open tickets that the reader may see, five at most, and how many there are and were.

    ``complete`` is false for who has so many that not all were counted.
    """

    open: list[TicketOnCard]
    open_count: int
    closed_count: int
    complete: bool


class CartOnCard(Shape):
    """A cart that was not bought yet."""

    currency: str
    total_minor: Minor
    updated_at_ms: AtMs
    abandoned: bool
    lines: list[dict[str, Any]]  # Any: as the widget or the source told them
    checkout_url: str | None


class Now(Shape):
    """What the customer looked at last, within half an hour; only with their consent."""

    url: str | None
    title: str | None
    product: dict[str, Any] | None  # Any: as the page told it
    term: str | None
    at_ms: AtMs


class Service(Shape):
    """How often the customer needed help, how long that took, and what they thought of it."""

    contacts_90d: int
    minutes_90d: int
    csat_last: int | None
    csat_last_at_ms: AtMs | None
    csat_mean: float | None
    csat_n: int
    complaints: int


class ConsentState(Shape):
    """The last word on a purpose, the strictest of all rows of the person."""

    state: Literal["given", "refused", "unsaid"]
    at_ms: AtMs | None


class NoteOnCard(Shape):
    """What staff wrote down; ``version`` goes with the next save."""

    body: str
    version: int
    at_ms: AtMs
    by: str | None


class QuietOnCard(Shape):
    """When the customer does not want to be reached."""

    from_: Annotated[str, Field(alias="from")]
    to: str
    timezone: str | None


class BlockOnCard(Shape):
    """Since when and why messages of the customer are refused."""

    reason: str | None
    at_ms: AtMs


class Fresh(Shape):
    """When a source last told something."""

    source: str
    last_at_ms: AtMs | None
    stale: bool
    reason: str | None


class Hint(Shape):
    """A product that goes with what the customer has."""

    sku: str
    title: str
    price_minor: Minor | None
    currency: str | None
    url: str | None
    image_url: str | None
    why: Words


class Priced(Shape):
    """A product of the catalogue that was meant by a question about a price."""

    sku: str
    title: str
    price_minor: Minor | None
    currency: str | None
    url: str | None
    image_url: str | None
    stock: int | None
    as_of_ms: AtMs
    likeness: float


class PriceQuestion(Shape):
    """The last question about a price in the conversation."""

    kind: Literal["price", "discount", "bulk"]
    quantity: int | None
    answered: bool
    message_id: str
    at_ms: AtMs
    items: list[Priced]


class Preferences(Shape):
    """What the person buys, and when."""

    categories: list[str]
    brands: list[str]
    price_band_minor: list[int] | None
    weekday: int | None
    hour: int | None


class Card(Customer):
    """A customer as the panel beside a chat shows them: all rows of one person."""

    person_id: str
    customer_ids: list[str]
    contacts: list[ContactLine]
    merged: list[Merged]
    possible: list[Possible]
    conversations: list[PastConversation]
    conversation_count: int
    service: Service
    tags: list[str]
    note: NoteOnCard | None
    preferred_channel: str | None
    quiet_hours: QuietOnCard | None
    blocked: BlockOnCard | None
    profiling_refused: bool
    profile: ProfileCard | None
    line: Words | None
    playbook: Playbook | None
    rift: Rift | None
    preferences: Preferences | None
    orders: Orders
    tickets: Tickets | None
    cart: CartOnCard | None
    now: Now | None
    consents: dict[str, ConsentState]
    fresh: list[Fresh]
    hints: list[Hint]
    price_question: PriceQuestion | None
