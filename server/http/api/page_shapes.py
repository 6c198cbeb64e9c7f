"""The pages of lists, and what stands in some of them, as programs get them."""

from __future__ import annotations

from typing import Any, Literal  # Any: JSON values

from server.storage.event_shapes import logged_event
from server.storage.rule_shapes import Rule, RuleRun
from server.storage.shapes import (
    Agent,
    Article,
    Conversation,
    Customer,
    MessageOfConversation,
    Order,
    Shape,
    Team,
    Token,
    Turn,
    Webhook,
    WebhookDelivery,
)


class Cursor(Shape):
    """What every page has: ``next_cursor`` leads to the next one, null at the end."""

    next_cursor: str | None


class ConversationPage(Cursor):
    """A page of conversations."""

    items: list[Conversation]


class TurnPage(Cursor):
    """The turns of a conversation, all of them."""

    items: list[Turn]


class MessagePage(Cursor):
    """A page of messages."""

    items: list[MessageOfConversation]


class CustomerPage(Cursor):
    """A page of customers."""

    items: list[Customer]


class ArticlePage(Cursor):
    """A page of articles."""

    items: list[Article]


class OrderPage(Cursor):
    """A page of orders."""

    items: list[Order]


class AgentPage(Cursor):
    """Everybody who has access."""

    items: list[Agent]


class TeamPage(Cursor):
    """All teams."""

    items: list[Team]


class TokenPage(Cursor):
    """All tokens."""

    items: list[Token]


class WebhookPage(Cursor):
    """All receivers of webhooks."""

    items: list[Webhook]


class DeliveryPage(Cursor):
    """A page of the log of deliveries."""

    items: list[WebhookDelivery]


class RulePage(Cursor):
    """All rules, in the order in which they look."""

    items: list[Rule]


class RunPage(Cursor):
    """A page of what a rule did."""

    items: list[RuleRun]


class EventPage(Shape):
    """A page of the log; ``next_cursor`` is always there, ``more`` says whether to ask at once."""

    items: list[logged_event()]  # type: ignore[valid-type]  # made from the kinds of event
    next_cursor: str
    more: bool


class SegmentSaved(Shape):
    """A condition on customers with a name; ``count`` is how many met it at ``counted_at_ms``."""

    id: str
    name: str
    condition: dict[str, Any]
    shared: bool
    owner_id: str
    updated_at_ms: int
    count: int | None
    counted_at_ms: int | None


class SegmentMember(Shape):
    """A customer who meets a segment; money in the smallest unit of the shop's currency."""

    id: str
    external_id: str | None
    name: str | None
    locale: str | None
    identity: Literal["anonymous", "claimed", "verified"]
    orders: int
    net_minor: int
    last_order_at_ms: int | None


class SegmentPage(Cursor):
    """The saved segments that a person sees."""

    items: list[SegmentSaved]


class MemberPage(Cursor):
    """A page of a segment's customers."""

    items: list[SegmentMember]
