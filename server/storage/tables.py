"""The tables. Times are UTC milliseconds, ids are text, JSON is text written by this program.

``conversation``, ``chat_session`` and ``turn`` are derived: they equal the fold of ``event``, which
``shopbell verify`` proves. Texts and personal data live outside the log.
"""

from __future__ import annotations

from typing import cast

from sqlalchemy import BigInteger, Index, LargeBinary, Table, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

# Which events the history of a customer is read from; the words of the index and of its query.
OF_CUSTOMER = (
    "conversation_id IS NULL AND customer_id IS NOT NULL AND substr(kind, 1, 6) <> 'order.'"
)


# The chats that are open or snoozed: few, however many tickets and past chats there are. A query
# has to say it in these words, or the index is not used.
ON_DESK = "status IN ('open', 'snoozed') AND channel <> 'ticket'"


# Orders with a promised day that have neither come nor been called off. As above.
UNDERWAY = "promised_at_ms IS NOT NULL AND delivered_at_ms IS NULL AND cancelled_at_ms IS NULL"


class Shop(SQLModel, table=True):
    """The one shop of this database and its settings."""

    id: int = Field(primary_key=True)
    name: str
    locale: str
    timezone: str
    currency: str
    site_key: str = Field(unique=True)
    origins: str = Field(default="[]", sa_type=Text)
    identity_secret: str | None = None
    settings: str = Field(default="{}", sa_type=Text)
    created_at_ms: int = Field(sa_type=BigInteger)
    old_identity_secret: str | None = None


class Secret(SQLModel, table=True):
    """Keys that this program made for itself, shared by all its processes."""

    name: str = Field(primary_key=True)
    value: str


class Agent(SQLModel, table=True):
    """A person who can sign in, or an inactive person known from an imported log."""

    id: str = Field(primary_key=True)
    email: str | None = Field(default=None, unique=True)
    imported_as: str | None = Field(default=None, unique=True)
    name: str
    role: str = "agent"
    password_hash: str | None = None
    active: bool = True
    locale: str | None = None
    languages: str = Field(default="[]", sa_type=Text)
    status: str = "offline"
    status_cause: str | None = None
    capacity: int = 8
    status_at_ms: int = Field(default=0, sa_type=BigInteger)
    seen_at_ms: int = Field(default=0, sa_type=BigInteger)
    last_assigned_at_ms: int = Field(default=0, sa_type=BigInteger)
    created_at_ms: int = Field(sa_type=BigInteger)


class Team(SQLModel, table=True):
    """A group of agents with a queue of its own."""

    id: str = Field(primary_key=True)
    name: str = Field(unique=True)
    name_zh: str | None = None
    created_at_ms: int = Field(sa_type=BigInteger)


class TeamMember(SQLModel, table=True):
    """Who belongs to which team."""

    __tablename__ = "team_member"
    team_id: str = Field(primary_key=True, foreign_key="team.id")
    agent_id: str = Field(primary_key=True, foreign_key="agent.id", index=True)


class SignIn(SQLModel, table=True):
    """A browser in which a person is signed in; the cookie's hash, never the cookie."""

    __tablename__ = "sign_in"
    token_hash: str = Field(primary_key=True)
    agent_id: str = Field(foreign_key="agent.id", index=True)
    csrf: str
    created_at_ms: int = Field(sa_type=BigInteger)
    seen_at_ms: int = Field(sa_type=BigInteger)
    user_agent: str | None = None


class ApiToken(SQLModel, table=True):
    """A token a program acts with as a person; only its hash is kept."""

    __tablename__ = "api_token"
    token_hash: str = Field(primary_key=True)
    agent_id: str = Field(foreign_key="agent.id", index=True)
    name: str
    created_at_ms: int = Field(sa_type=BigInteger)
    expires_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    seen_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    scopes: str | None = Field(default=None, sa_type=Text)


class KeptAnswer(SQLModel, table=True):
    """What a program was answered under an idempotency key, so that a repeat changes nothing."""

    __tablename__ = "kept_answer"
    owner: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    request: str
    status: int
    answer: str = Field(sa_type=Text)
    at_ms: int = Field(sa_type=BigInteger, index=True)


class Customer(SQLModel, table=True):
    """A shopper; anonymous until identified, ``verified`` once the shop has signed for it.

    Several rows may be one person. A merge moves no row: it sets ``merged_into`` (the row it was
    joined to), ``merged_as`` (session: the same browser signed in, so the shopper goes on seeing
    what was written before; merge: staff and proofs, which a shopper never notices) and, in every
    row below it, ``person_id`` (the row at the top; None means that the row is at the top itself).
    ``external_id`` is the shop's own id, which signed identities name; what other sources call a
    customer is in ``customer_origin``. ``told_at_ms`` is when, by its clock, the source of the row
    had last changed it.
    """

    __table_args__ = (
        Index("ix_customer_created", "created_at_ms", "id"),
        # Most rows have none: SQLite, once it has counted, would not use an index over all.
        Index(
            "ix_customer_person_id",
            "person_id",
            sqlite_where=text("person_id IS NOT NULL"),
            postgresql_where=text("person_id IS NOT NULL"),
        ),
        # Few rows are merged: with the others in it, SQLite would think that it leads nowhere.
        Index(
            "ix_customer_person_id",
            "person_id",
            sqlite_where=text("person_id IS NOT NULL"),
            postgresql_where=text("person_id IS NOT NULL"),
        ),
        Index(
            "ix_customer_merged_into",
            "merged_into",
            sqlite_where=text("merged_into IS NOT NULL"),
            postgresql_where=text("merged_into IS NOT NULL"),
        ),
        # Looked through whole for a part of a name: 60 MB less than the table.
        Index(
            "ix_customer_name",
            "name",
            sqlite_where=text("name IS NOT NULL"),
            postgresql_where=text("name IS NOT NULL"),
        ),
    )
    id: str = Field(primary_key=True)
    external_id: str | None = Field(default=None, unique=True)
    name: str | None = None
    email: str | None = Field(default=None, index=True)
    phone: str | None = None
    locale: str | None = None
    identity: str = "anonymous"
    created_at_ms: int = Field(sa_type=BigInteger)
    seen_at_ms: int = Field(sa_type=BigInteger)
    merged_into: str | None = None
    merged_as: str | None = None
    person_id: str | None = None
    told_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    erased_at_ms: int | None = Field(default=None, sa_type=BigInteger)


class VisitorToken(SQLModel, table=True):
    """What a shopper's browser shows to be the same shopper again; only its hash is kept."""

    __tablename__ = "visitor_token"
    token_hash: str = Field(primary_key=True)
    customer_id: str = Field(foreign_key="customer.id", index=True)
    created_at_ms: int = Field(sa_type=BigInteger)
    seen_at_ms: int = Field(sa_type=BigInteger)


class EventRow(SQLModel, table=True):
    """The append-only log: everything that happened, in the order of ``seq``."""

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_staff", "conversation_id", "staff_seq", unique=True),
        Index("ix_event_visitor", "conversation_id", "visitor_seq"),
        Index("ix_event_kind_at", "kind", "at_ms"),
        # The history of a customer aside from conversations and orders, which have own rows.
        Index(
            "ix_event_customer",
            "customer_id",
            "seq",
            sqlite_where=text(OF_CUSTOMER),
            postgresql_where=text(OF_CUSTOMER),
        ),
        # What some customers paid: 30,000 of them among 2.8 M orders.
        Index(
            "ix_event_paid",
            "customer_id",
            "at_ms",
            sqlite_where=text("kind = 'order.paid'"),
            postgresql_where=text("kind = 'order.paid'"),
        ),
    )
    seq: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    event_id: str = Field(unique=True)
    at_ms: int = Field(sa_type=BigInteger)
    src_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    kind: str
    conversation_id: str | None = None
    session_no: int | None = None
    customer_id: str | None = None
    actor_kind: str
    actor_id: str | None = None
    channel: str | None = None
    team_id: str | None = None
    staff_seq: int | None = None
    visitor_seq: int | None = None
    data: str = Field(default="{}", sa_type=Text)
    imported: bool = False
    v: int = 1


class ConversationRow(SQLModel, table=True):
    """A conversation: ``state`` is the whole reducer state, the columns are what queries need."""

    __tablename__ = "conversation"
    __table_args__ = (
        Index("ix_conversation_status", "status", "last_activity_at_ms"),
        Index("ix_conversation_assignee", "assignee_id", "status"),
        Index(
            "ix_conversation_desk",
            "assignee_id",
            "status",
            sqlite_where=text(ON_DESK),
            postgresql_where=text(ON_DESK),
        ),
        Index("ix_conversation_customer", "customer_id", "last_activity_at_ms"),
        Index("ix_conversation_opened", "opened_at_ms", "id"),
        Index(
            "ix_conversation_queued",
            "queued_at_ms",
            sqlite_where=text("queued_at_ms IS NOT NULL"),
            postgresql_where=text("queued_at_ms IS NOT NULL"),
        ),
        # Where a shopper waits: few, and by what rules about long waits find them.
        Index(
            "ix_conversation_waiting",
            "waiting_since_ms",
            sqlite_where=text("waiting_since_ms IS NOT NULL"),
            postgresql_where=text("waiting_since_ms IS NOT NULL"),
        ),
        # The order in which the queue is served: 0.6 ms instead of 12 to take one of 10,000.
        Index(
            "ix_conversation_queue",
            text("coalesce(waiting_since_ms, queued_at_ms)"),
            "queued_at_ms",
            postgresql_where=text("queued_at_ms IS NOT NULL AND status = 'open'"),
        ).ddl_if(dialect="postgresql"),
    )
    id: str = Field(primary_key=True)
    external_id: str | None = Field(default=None, unique=True)
    customer_id: str = Field(foreign_key="customer.id")
    channel: str
    status: str
    team_id: str | None = None
    assignee_id: str | None = None
    queued_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    waiting_since_ms: int | None = Field(default=None, sa_type=BigInteger)
    snoozed_until_ms: int | None = Field(default=None, sa_type=BigInteger)
    opened_at_ms: int = Field(sa_type=BigInteger)
    resolved_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    last_activity_at_ms: int = Field(sa_type=BigInteger)
    staff_seq: int
    visitor_seq: int
    last_seq: int = Field(sa_type=BigInteger)
    preview: str | None = None
    state: str = Field(sa_type=Text)


class MessageRow(SQLModel, table=True):
    """What was written. ``client_id`` is unique per sender, so a resend finds the first answer."""

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("sender_kind", "sender_id", "client_id", name="uq_message_client"),
        Index("ix_message_conversation", "conversation_id", "seq"),
    )
    id: str = Field(primary_key=True)
    conversation_id: str = Field(foreign_key="conversation.id")
    seq: int = Field(sa_type=BigInteger, unique=True)
    staff_seq: int
    visitor_seq: int | None = None
    sender_kind: str
    sender_id: str | None = None
    client_id: str | None = None
    visibility: str
    origin: str
    body: str = Field(sa_type=Text)
    blocks: str | None = Field(default=None, sa_type=Text)
    at_ms: int = Field(sa_type=BigInteger)


class SessionRow(SQLModel, table=True):
    """One visit's talk inside a conversation."""

    __tablename__ = "chat_session"
    __table_args__ = (Index("ix_chat_session_started", "started_at_ms"),)
    conversation_id: str = Field(primary_key=True, foreign_key="conversation.id")
    session_no: int = Field(primary_key=True)
    cause: str
    started_at_ms: int = Field(sa_type=BigInteger)
    ended_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    resolved_by: str | None = None
    rating_asked_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    rating: int | None = None
    rated_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    replies: int = 0
    first_turn_no: int | None = None


class RatingComment(SQLModel, table=True):
    """What a shopper wrote beside a rating; kept apart from the log because it is personal."""

    __tablename__ = "rating_comment"
    conversation_id: str = Field(primary_key=True, foreign_key="conversation.id")
    session_no: int = Field(primary_key=True)
    comment: str = Field(sa_type=Text)


class TurnRow(SQLModel, table=True):
    """One wait of a shopper; ``shares`` says how it divides among bot, queue and agents."""

    __tablename__ = "turn"
    __table_args__ = (
        Index("ix_turn_ask", "ask_at_ms"),
        Index("ix_turn_answered_by", "answered_by", "ask_at_ms"),
    )
    conversation_id: str = Field(primary_key=True, foreign_key="conversation.id")
    turn_no: int = Field(primary_key=True)
    session_no: int
    is_first_in_session: bool
    ask_seq: int = Field(sa_type=BigInteger)
    ask_at_ms: int = Field(sa_type=BigInteger)
    ask_message_id: str
    outcome: str
    end_seq: int | None = Field(default=None, sa_type=BigInteger)
    end_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    elapsed_ms: int | None = Field(default=None, sa_type=BigInteger)
    reply_message_id: str | None = None
    answered_by: str | None = None
    owner_id: str | None = None
    bot_reply_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    shares: str = Field(default="[]", sa_type=Text)
    biz_ms: int | None = Field(default=None, sa_type=BigInteger)


class ReadMark(SQLModel, table=True):
    """Up to which message a party has read a conversation."""

    __tablename__ = "read_mark"
    conversation_id: str = Field(primary_key=True, foreign_key="conversation.id")
    reader_kind: str = Field(primary_key=True)
    reader_id: str = Field(primary_key=True)
    message_id: str
    message_seq: int = Field(sa_type=BigInteger)
    at_ms: int = Field(sa_type=BigInteger)


class Draft(SQLModel, table=True):
    """What an agent has begun to write."""

    conversation_id: str = Field(primary_key=True, foreign_key="conversation.id")
    agent_id: str = Field(primary_key=True, foreign_key="agent.id")
    body: str = Field(sa_type=Text)
    visibility: str
    updated_at_ms: int = Field(sa_type=BigInteger)


class UsedIdentity(SQLModel, table=True):
    """Ids of signed identities already shown, so that none works again from another browser."""

    __tablename__ = "used_identity"
    jti: str = Field(primary_key=True)
    customer_id: str
    expires_at_ms: int = Field(sa_type=BigInteger, index=True)


class LogReader(SQLModel, table=True):
    """Up to which number of the log a durable reader has read it."""

    __tablename__ = "log_reader"
    name: str = Field(primary_key=True)
    seq: int = Field(sa_type=BigInteger)


class WebhookRow(SQLModel, table=True):
    """A receiver of events. ``kinds`` empty means every kind; ``lease`` names who serves it now."""

    __tablename__ = "webhook"
    id: str = Field(primary_key=True)
    name: str
    url: str = Field(sa_type=Text)
    kinds: str = Field(default="[]", sa_type=Text)
    secret: str
    old_secret: str | None = None
    old_secret_until_ms: int | None = Field(default=None, sa_type=BigInteger)
    after_seq: int = Field(sa_type=BigInteger)
    created_at_ms: int = Field(sa_type=BigInteger)
    state: str = "active"
    state_at_ms: int = Field(sa_type=BigInteger)
    failures: int = 0
    failing_since_ms: int | None = Field(default=None, sa_type=BigInteger)
    hold_until_ms: int = Field(default=0, sa_type=BigInteger)
    lease: str | None = None
    leased_until_ms: int = Field(default=0, sa_type=BigInteger)
    served_at_ms: int = Field(default=0, sa_type=BigInteger)


class WebhookDelivery(SQLModel, table=True):
    """An event on its way to a receiver, or what came of it.

    It holds no text of the event: the body is made when it is sent, from what is there then.
    ``due_at_ms`` is set while it waits; ``failures`` counts those of the present schedule.
    """

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        Index("ix_webhook_delivery_list", "webhook_id", "created_at_ms", "id"),
        Index("ix_webhook_delivery_created", "created_at_ms"),
        Index(
            "ix_webhook_delivery_due",
            "webhook_id",
            "due_at_ms",
            sqlite_where=text("due_at_ms IS NOT NULL"),
            postgresql_where=text("due_at_ms IS NOT NULL"),
        ),
    )
    id: str = Field(primary_key=True)
    webhook_id: str = Field(foreign_key="webhook.id")
    seq: int | None = Field(default=None, sa_type=BigInteger)
    kind: str
    conversation_id: str | None = None
    created_at_ms: int = Field(sa_type=BigInteger)
    status: str = "pending"
    due_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    attempts: int = 0
    failures: int = 0
    attempted_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    outcome: str | None = None
    code: int | None = None
    elapsed_ms: int | None = None
    answer: str | None = Field(default=None, sa_type=Text)


class Article(SQLModel, table=True):
    """An answer of the knowledge base; what it says is in ``article_text``, a row per language.

    ``external_id`` is its name where it came from, unique within ``source``. ``kind`` is article or
    reply (a canned reply, which nobody but staff sees, called by its ``shortcut``). ``version``
    counts its saves. ``kb_seq`` is the number of its last change among all changes of articles, by
    which every process takes over what others changed.
    """

    __table_args__ = (UniqueConstraint("source", "external_id", name="uq_article_external"),)
    id: str = Field(primary_key=True)
    source: str
    external_id: str
    audience: str = "public"
    status: str = "published"
    category: str | None = None
    created_at_ms: int = Field(sa_type=BigInteger)
    updated_at_ms: int = Field(sa_type=BigInteger, index=True)
    kind: str = Field(default="article", sa_column_kwargs={"server_default": "article"})
    shortcut: str | None = None
    valid_from_ms: int | None = Field(default=None, sa_type=BigInteger)
    valid_to_ms: int | None = Field(default=None, sa_type=BigInteger)
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    kb_seq: int = Field(
        default=0, sa_type=BigInteger, index=True, sa_column_kwargs={"server_default": "0"}
    )


class ArticleText(SQLModel, table=True):
    """What an article says in one language; the body is Markdown."""

    __tablename__ = "article_text"
    article_id: str = Field(primary_key=True, foreign_key="article.id")
    locale: str = Field(primary_key=True)
    title: str
    body: str = Field(sa_type=Text)
    created_at_ms: int = Field(sa_type=BigInteger)
    updated_at_ms: int = Field(sa_type=BigInteger)


class ArticlePhrasing(SQLModel, table=True):
    """A way in which people ask for an article, and who found it."""

    __tablename__ = "article_phrasing"
    id: str = Field(primary_key=True)
    article_id: str = Field(foreign_key="article.id", index=True)
    locale: str
    text: str = Field(sa_type=Text)
    source: str = "import"
    state: str = "active"
    created_at_ms: int = Field(sa_type=BigInteger)
    uses: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    added_by: str | None = None
    conversation_id: str | None = None
    customer_id: str | None = Field(default=None, index=True)


class ArticleVersion(SQLModel, table=True):
    """What an article said in a language after a save, so that it can be compared and restored."""

    __tablename__ = "article_version"
    article_id: str = Field(primary_key=True, foreign_key="article.id")
    locale: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    title: str
    body: str = Field(sa_type=Text)
    saved_by: str | None = None
    saved_at_ms: int = Field(sa_type=BigInteger)


class ArticleVector(SQLModel, table=True):
    """The meaning of a text as numbers, by a hash of the text: half precision, base64.

    Made from other rows; kept so that a restart, and every other process, need not make it again.
    """

    __tablename__ = "article_vector"
    text_hash: str = Field(primary_key=True)
    encoder: str = Field(primary_key=True)
    vector: str = Field(sa_type=Text)


class KnowledgeHead(SQLModel, table=True):
    """One row: the number of the latest change of an article."""

    __tablename__ = "knowledge_head"
    id: int = Field(primary_key=True)
    seq: int = Field(sa_type=BigInteger)


class SuggestionRow(SQLModel, table=True):
    """Articles that were offered for a question, and what came of it.

    ``origin`` is message (for what the customer wrote), typing or search (for what the agent
    wrote), shopper (offered to the shopper). ``query`` is without names of persons, addresses and
    numbers. ``outcome`` is accepted, dismissed, helped, unhelped or None; ``articles`` a list of
    [id, probability], best first.
    """

    __tablename__ = "suggestion"
    __table_args__ = (
        Index("ix_suggestion_conversation", "conversation_id", "asked_at_ms"),
        Index("ix_suggestion_asked", "asked_at_ms"),
        Index("ix_suggestion_chosen", "chosen_id", "outcome_at_ms"),
    )
    id: str = Field(primary_key=True)
    conversation_id: str | None = None
    customer_id: str | None = Field(default=None, index=True)
    agent_id: str | None = None
    origin: str
    message_id: str | None = None
    query: str = Field(sa_type=Text)
    locale: str | None = None
    band: str
    articles: str = Field(default="[]", sa_type=Text)
    kb_seq: int = Field(sa_type=BigInteger)
    asked_at_ms: int = Field(sa_type=BigInteger)
    outcome: str | None = None
    chosen_id: str | None = None
    chosen_rank: int | None = None
    outcome_by: str | None = None
    outcome_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    edit_ratio: float | None = None


class ArticleUpload(SQLModel, table=True):
    """Articles that somebody has uploaded and not yet taken; ``content`` is JSON."""

    __tablename__ = "article_upload"
    id: str = Field(primary_key=True)
    agent_id: str = Field(index=True)
    files: str
    content: str = Field(sa_type=Text)
    created_at_ms: int = Field(sa_type=BigInteger)


class KnowledgeCalibration(SQLModel, table=True):
    """What the confidence of suggestions was last worked out from; the newest row counts."""

    __tablename__ = "knowledge_calibration"
    at_ms: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    coefficients: str = Field(sa_type=Text)
    events: int
    error: float
    covered: float


class CustomerOrigin(SQLModel, table=True):
    """What another desk calls a customer; several names may mean the same person."""

    __tablename__ = "customer_origin"
    name: str = Field(primary_key=True)
    customer_id: str = Field(foreign_key="customer.id", index=True)


class ShopSource(SQLModel, table=True):
    """A place that shop data comes from: a shop system's webhooks or files.

    ``customer_ids`` is "shop" when its customer ids are those that signed identities name, "own"
    when they mean nothing elsewhere (they are then in ``customer_origin`` as ``NAME:ID``).
    ``failures`` counts deliveries that went wrong since the last one that was applied, ``refused``
    those with a wrong signature since the last right one. A source that was removed keeps its row,
    so that what came from it keeps its meaning.
    """

    __tablename__ = "shop_source"
    name: str = Field(primary_key=True)
    kind: str
    secret: str | None = None
    old_secret: str | None = None
    old_secret_until_ms: int | None = Field(default=None, sa_type=BigInteger)
    customer_ids: str = "shop"
    created_at_ms: int = Field(sa_type=BigInteger)
    received_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    applied_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    lag_ms: int | None = Field(default=None, sa_type=BigInteger)
    failures: int = 0
    refused: int = 0
    refused_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    stale_after_ms: int = Field(sa_type=BigInteger)
    uninstalled_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    removed_at_ms: int | None = Field(default=None, sa_type=BigInteger)


class ShopDelivery(SQLModel, table=True):
    """A shop event as it came, stored before anything is made of it.

    ``status`` is waiting, applied, ignored (nothing in it for us, ``reason`` says why) or dead.
    ``body`` are the bytes that were signed. ``customer`` is the source's id of whom it is about,
    known once it was read, so that erasing a person finds what came about them.
    """

    __tablename__ = "shop_delivery"
    __table_args__ = (
        UniqueConstraint("source", "dedupe_key", name="uq_shop_delivery_key"),
        Index("ix_shop_delivery_list", "source", "status", "received_at_ms"),
        Index(
            "ix_shop_delivery_due",
            "due_at_ms",
            sqlite_where=text("due_at_ms IS NOT NULL"),
            postgresql_where=text("due_at_ms IS NOT NULL"),
        ),
        Index(
            "ix_shop_delivery_customer",
            "source",
            "customer",
            sqlite_where=text("customer IS NOT NULL"),
            postgresql_where=text("customer IS NOT NULL"),
        ),
        Index("ix_shop_delivery_received", "received_at_ms"),
    )
    id: str = Field(primary_key=True)
    source: str
    dedupe_key: str
    topic: str
    headers: str = Field(default="{}", sa_type=Text)
    body: bytes = Field(sa_type=LargeBinary)
    customer: str | None = None
    received_at_ms: int = Field(sa_type=BigInteger)
    triggered_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    status: str = "waiting"
    due_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    attempts: int = 0
    applied_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    reason: str | None = Field(default=None, sa_type=Text)


class ShopOrderParts(SQLModel, table=True):
    """What a source told of an order piece by piece: refunds and parcels, by their ids.

    They may come before the order itself, which is in ``shop_order`` with all of them.
    """

    __tablename__ = "shop_order_parts"
    source: str = Field(primary_key=True)
    external_id: str = Field(primary_key=True)
    parts: str = Field(sa_type=Text)
    updated_at_ms: int = Field(sa_type=BigInteger)


class ShopOrder(SQLModel, table=True):
    """An order of the shop, as its source last told it.

    ``total_minor`` is what was paid before refunds, ``net_minor`` what is left of it. ``counted``
    says whether figures count it: paid, no test, not cancelled, something left, in the shop's
    currency. ``day`` is the local day of ``created_at_ms`` in the shop's zone, days since
    1970-01-01. ``customer_id`` is None for a guest: what the order says of them proves nothing.
    """

    __tablename__ = "shop_order"
    __table_args__ = (
        UniqueConstraint("source", "external_id", name="uq_shop_order_external"),
        Index("ix_shop_order_customer", "customer_id", "created_at_ms"),
        Index("ix_shop_order_created", "created_at_ms", "id"),
        Index("ix_shop_order_email", "email_key"),
        Index("ix_shop_order_number", "number"),
        Index(
            "ix_shop_order_batch",
            "batch",
            sqlite_where=text("batch IS NOT NULL"),
            postgresql_where=text("batch IS NOT NULL"),
        ),
        # What rules some days after delivery, or after a promised day, go by.
        Index(
            "ix_shop_order_delivered",
            "delivered_at_ms",
            sqlite_where=text("delivered_at_ms IS NOT NULL"),
            postgresql_where=text("delivered_at_ms IS NOT NULL"),
        ),
        Index(
            "ix_shop_order_promised",
            "promised_at_ms",
            sqlite_where=text(UNDERWAY),
            postgresql_where=text(UNDERWAY),
        ),
    )
    id: str = Field(primary_key=True)
    source: str
    external_id: str
    number: str
    customer_id: str | None = Field(default=None, foreign_key="customer.id")
    email: str | None = None
    email_key: str | None = None
    phone: str | None = None
    postcode: str | None = None
    created_at_ms: int = Field(sa_type=BigInteger)
    day: int
    paid_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    cancelled_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    shipped_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    promised_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    delivered_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    refunded_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    updated_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    currency: str
    total_minor: int = Field(sa_type=BigInteger)
    refunded_minor: int = Field(default=0, sa_type=BigInteger)
    net_minor: int = Field(sa_type=BigInteger)
    discount_minor: int | None = Field(default=None, sa_type=BigInteger)
    shipping_minor: int | None = Field(default=None, sa_type=BigInteger)
    tax_minor: int | None = Field(default=None, sa_type=BigInteger)
    counted: bool
    status: str
    fulfilment: str | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = Field(default=None, sa_type=Text)
    coupon: str | None = None
    test: bool = False
    batch: str | None = None
    written_at_ms: int = Field(sa_type=BigInteger)


class OrderLine(SQLModel, table=True):
    """A line of an order; ``quantity`` minus ``refunded_quantity`` was kept."""

    __tablename__ = "order_line"
    __table_args__ = (Index("ix_order_line_sku", "sku"),)
    order_id: str = Field(primary_key=True, foreign_key="shop_order.id")
    line_no: int = Field(primary_key=True)
    sku: str | None = None
    product_id: str | None = None
    title: str
    category: str | None = None
    brand: str | None = None
    quantity: int
    refunded_quantity: int = 0
    price_minor: int = Field(sa_type=BigInteger)
    discount_minor: int | None = Field(default=None, sa_type=BigInteger)


class Product(SQLModel, table=True):
    """A product of the shop's catalogue, by source and sku."""

    source: str = Field(primary_key=True)
    sku: str = Field(primary_key=True)
    product_id: str | None = None
    title: str
    category: str | None = None
    brand: str | None = None
    price_minor: int | None = Field(default=None, sa_type=BigInteger)
    currency: str | None = None
    url: str | None = Field(default=None, sa_type=Text)
    image_url: str | None = Field(default=None, sa_type=Text)
    stock: int | None = None
    batch: str | None = None
    updated_at_ms: int = Field(sa_type=BigInteger)


class ImportBatch(SQLModel, table=True):
    """An import of a file that wrote something, so that it can be undone."""

    __tablename__ = "import_batch"
    id: str = Field(primary_key=True)
    noun: str
    source: str
    name: str
    at_ms: int = Field(sa_type=BigInteger)
    accepted: int = 0
    undone_at_ms: int | None = Field(default=None, sa_type=BigInteger)


class ImportChange(SQLModel, table=True):
    """What a row was before an import wrote it, as JSON; None when there was none.

    Orders and products that were not there are not listed: they carry the batch themselves.
    """

    __tablename__ = "import_change"
    batch: str = Field(primary_key=True)
    noun: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    before: str | None = Field(default=None, sa_type=Text)


class Cart(SQLModel, table=True):
    """A cart that is or was being filled; ``ordered_at_ms`` once an order came of it."""

    __table_args__ = (
        UniqueConstraint("source", "token", name="uq_cart_token"),
        Index("ix_cart_customer", "customer_id", "updated_at_ms"),
        # Carts of which no order came.
        Index(
            "ix_cart_left",
            "updated_at_ms",
            sqlite_where=text("ordered_at_ms IS NULL"),
            postgresql_where=text("ordered_at_ms IS NULL"),
        ),
    )
    id: str = Field(primary_key=True)
    source: str
    token: str
    customer_id: str | None = Field(default=None, foreign_key="customer.id")
    email_key: str | None = None
    currency: str
    total_minor: int = Field(sa_type=BigInteger)
    lines: str = Field(default="[]", sa_type=Text)
    checkout_url: str | None = Field(default=None, sa_type=Text)
    created_at_ms: int = Field(sa_type=BigInteger)
    updated_at_ms: int = Field(sa_type=BigInteger)
    ordered_at_ms: int | None = Field(default=None, sa_type=BigInteger)


class Contact(SQLModel, table=True):
    """An e-mail address or telephone number of a customer, and how sure we are of it.

    ``key`` is what equal values share (actions/contacts.py); ``level`` is verified, claimed or
    guessed. Only verified contacts ever join two customers.
    """

    __table_args__ = (Index("ix_contact_key", "kind", "key"),)
    customer_id: str = Field(primary_key=True, foreign_key="customer.id")
    kind: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    value: str
    level: str
    source: str
    created_at_ms: int = Field(sa_type=BigInteger)
    verified_at_ms: int | None = Field(default=None, sa_type=BigInteger)


class CustomerLink(SQLModel, table=True):
    """Why two customer rows are one person; what ``merged_into`` and ``person_id`` follow from.

    ``how`` is session (the browser ``customer_id`` signed in to ``other_id``), proof (an order's
    number and postcode), staff (a supervisor's decision) or auto (both have proved the contact
    ``kind``, ``key``). An undone link stays, with who undid it.
    """

    __tablename__ = "customer_link"
    id: str = Field(primary_key=True)
    customer_id: str = Field(foreign_key="customer.id", index=True)
    other_id: str = Field(foreign_key="customer.id", index=True)
    how: str
    kind: str | None = None
    key: str | None = None
    why: str | None = Field(default=None, sa_type=Text)
    agent_id: str | None = None
    at_ms: int = Field(sa_type=BigInteger)
    undone_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    undone_by: str | None = None


class LinkLog(SQLModel, table=True):
    """Who joined, parted, proved or looked at whom; nothing here is ever changed.

    ``before`` and ``after`` are the persons (JSON lists of row ids) that the change concerned.
    """

    __tablename__ = "link_log"
    __table_args__ = (
        Index("ix_link_log_at", "at_ms", "id"),
        Index("ix_link_log_customer", "customer_id", "at_ms"),
    )
    id: str = Field(primary_key=True)
    at_ms: int = Field(sa_type=BigInteger)
    action: str
    customer_id: str | None = None
    other_id: str | None = None
    before: str = Field(default="[]", sa_type=Text)
    after: str = Field(default="[]", sa_type=Text)
    agent_id: str | None = None
    why: str | None = Field(default=None, sa_type=Text)


class ReviewCase(SQLModel, table=True):
    """Two customer rows that may be one person, for a supervisor to decide.

    ``kind`` is conflict (both are known to one source, by different ids) or near. ``state`` is
    open, merged, apart or gone (what spoke for it is there no more).
    """

    __tablename__ = "review_case"
    __table_args__ = (
        UniqueConstraint("customer_id", "other_id", name="uq_review_case_pair"),
        Index("ix_review_case_state", "state", "opened_at_ms"),
    )
    id: str = Field(primary_key=True)
    customer_id: str = Field(foreign_key="customer.id")
    other_id: str = Field(foreign_key="customer.id", index=True)
    kind: str
    evidence: str = Field(default="[]", sa_type=Text)
    state: str = "open"
    opened_at_ms: int = Field(sa_type=BigInteger)
    decided_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    decided_by: str | None = None


class BlockedValue(SQLModel, table=True):
    """A contact that says nothing of who somebody is, because many have it.

    ``reason`` is shared, role or staff; ``state`` is blocked, or allowed once a supervisor said so.
    """

    __tablename__ = "blocked_value"
    __table_args__ = (Index("ix_blocked_value_state", "state", "at_ms"),)
    kind: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    reason: str
    state: str = "blocked"
    persons: int = 0
    at_ms: int = Field(sa_type=BigInteger)
    agent_id: str | None = None


class Profile(SQLModel, table=True):
    """What the orders of a person add up to; ``person_id`` is the customer row at the top.

    Kept up to date in the transaction that writes an order, made anew every night. Who never
    ordered has no row: they are prospects. Days are local days since 1970-01-01. ``revision``
    counts the writes, so that what was worked out from older orders is not written over newer;
    ``updated_at_ms`` is the last time that orders changed a row, ``staged_at_ms`` the last time
    that a segment or stage did.
    """

    __table_args__ = (
        Index("ix_profile_flip", "next_flip_day"),
        Index("ix_profile_segment", "segment"),
        Index("ix_profile_net", "net_minor", "person_id"),
    )
    person_id: str = Field(primary_key=True)
    orders: int = 0
    order_days: int = 0
    net_minor: int = Field(default=0, sa_type=BigInteger)
    gross_minor: int = Field(default=0, sa_type=BigInteger)
    refunded_minor: int = Field(default=0, sa_type=BigInteger)
    coupon_orders: int = 0
    first_day: int | None = None
    last_day: int | None = None
    first_order_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    last_order_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    median_gap_days: float | None = None
    r: int | None = None
    f: int | None = None
    m: int | None = None
    segment: str = "prospects"
    value_cell: str | None = None
    activity_stage: str = "prospect"
    relationship_stage: str = "none"
    quiet: bool = False
    declining: bool = False
    trend: str = "flat"
    top20: bool = False
    next_flip_day: int | None = None
    thresholds_version: int = 0
    staged_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    updated_at_ms: int = Field(sa_type=BigInteger)
    revision: int = 0


class ThresholdsRow(SQLModel, table=True):
    """The limits between scores, segments and stages as they were frozen on a day.

    ``limits`` is JSON (domain/segment.py Thresholds), ``returns`` the table of who came back, which
    is made anew once a week, at ``returns_at_ms``. Until ``labelled_at_ms`` some profiles may still
    be labelled by the version before.
    """

    __tablename__ = "thresholds"
    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at_ms: int = Field(sa_type=BigInteger)
    day: int
    limits: str = Field(sa_type=Text)
    returns: str | None = Field(default=None, sa_type=Text)
    returns_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    labelled_at_ms: int | None = Field(default=None, sa_type=BigInteger)


class SegmentChange(SQLModel, table=True):
    """A person's segment or a stage of theirs became another; written only when one did.

    ``cause`` is order (also a refund or a correction), time, thresholds or erased.
    """

    __tablename__ = "segment_change"
    __table_args__ = (
        Index("ix_segment_change_at", "at_ms"),
        Index("ix_segment_change_person", "person_id", "at_ms"),
    )
    id: str = Field(primary_key=True)
    person_id: str
    at_ms: int = Field(sa_type=BigInteger)
    cause: str
    segment_from: str
    segment_to: str
    activity_from: str
    activity_to: str
    relationship_from: str
    relationship_to: str


class PageEvent(SQLModel, table=True):
    """What a shopper who agreed to it did on a page: looked, searched, filled the cart.

    ``kind`` is page, product, search, cart or checkout. ``path`` is the address without query and
    fragment. Kept for a time only; what is left of it then is in ``page_day``.
    """

    __tablename__ = "page_event"
    __table_args__ = (
        Index("ix_page_event_customer", "customer_id", "at_ms"),
        Index("ix_page_event_at", "at_ms"),
    )
    id: str = Field(primary_key=True)
    customer_id: str = Field(foreign_key="customer.id")
    kind: str
    at_ms: int = Field(sa_type=BigInteger)
    url: str | None = Field(default=None, sa_type=Text)
    title: str | None = None
    sku: str | None = None
    product: str | None = Field(default=None, sa_type=Text)
    term: str | None = None


class PageDay(SQLModel, table=True):
    """How often something was looked at or searched on a local day; nobody can be told from it."""

    __tablename__ = "page_day"
    day: int = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    events: int
    visitors: int


class ConsentRow(SQLModel, table=True):
    """What a person said about a purpose, and to which words; rows are only ever added.

    ``state`` is given or refused (also when taken back). ``source`` says where it was said: widget,
    page (the shop's own consent tool), shop (a file or its events), agent. ``by`` is the agent.
    """

    __tablename__ = "consent"
    __table_args__ = (Index("ix_consent_customer", "customer_id", "purpose", "at_ms"),)
    id: str = Field(primary_key=True)
    customer_id: str = Field(foreign_key="customer.id")
    purpose: str
    state: str
    text_version: str
    language: str
    source: str
    ip_hash: str | None = None
    by: str | None = None
    at_ms: int = Field(sa_type=BigInteger)


class Tombstone(SQLModel, table=True):
    """That something of an erased person must not come back, by a keyed hash of its name."""

    key_hash: str = Field(primary_key=True)
    erased_at_ms: int = Field(sa_type=BigInteger)
    request_id: str


class PrivacyRequest(SQLModel, table=True):
    """A wish of a person to get or to erase their data, when it is due, and what came of it.

    ``kind`` is export or erase. ``customer_id`` is the person's id, which says nothing by itself
    once they are erased. ``receipt`` holds numbers of rows only.
    """

    __tablename__ = "privacy_request"
    __table_args__ = (Index("ix_privacy_request_due", "done_at_ms", "due_at_ms"),)
    id: str = Field(primary_key=True)
    kind: str
    customer_id: str
    asked_at_ms: int = Field(sa_type=BigInteger)
    due_at_ms: int = Field(sa_type=BigInteger)
    asked_by: str | None = None
    done_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    done_by: str | None = None
    receipt: str = Field(default="{}", sa_type=Text)


class ProductPair(SQLModel, table=True):
    """Two products that the same orders held more often than chance would have it.

    Both directions have a row. ``together`` of ``orders`` orders held both; ``lift`` is how much
    more often that is than if neither had to do with the other.
    """

    __tablename__ = "product_pair"
    sku: str = Field(primary_key=True)
    other_sku: str = Field(primary_key=True)
    together: int
    sku_orders: int
    other_orders: int
    orders: int
    lift: float
    computed_at_ms: int = Field(sa_type=BigInteger)


class Offer(SQLModel, table=True):
    """A product that an agent showed a shopper, and what came of it.

    ``kind`` is hint (goes with ``because_sku``), price (a price was asked for) or card. It is
    settled once the shopper ordered it, or when too much time has gone by.
    """

    __table_args__ = (
        Index("ix_offer_offered", "offered_at_ms", "id"),
        Index("ix_offer_customer", "customer_id", "offered_at_ms"),
        Index(
            "ix_offer_unsettled",
            "offered_at_ms",
            sqlite_where=text("settled_at_ms IS NULL"),
            postgresql_where=text("settled_at_ms IS NULL"),
        ),
    )
    id: str = Field(primary_key=True)
    conversation_id: str
    customer_id: str
    message_id: str
    agent_id: str | None = None
    sku: str
    title: str
    kind: str
    because_sku: str | None = None
    offered_at_ms: int = Field(sa_type=BigInteger)
    accepted_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    ordered_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    order_id: str | None = None
    settled_at_ms: int | None = Field(default=None, sa_type=BigInteger)


class BuyingMark(SQLModel, table=True):
    """What the shopper of a conversation last said that sounds like buying.

    ``kind`` is price, discount, bulk or buying. ``items`` are the products of the catalogue that
    were meant, as ``[[sku, likeness]]``; what the shopper wrote stays in the message alone.
    """

    __tablename__ = "buying_mark"
    conversation_id: str = Field(primary_key=True)
    message_id: str
    session_no: int
    kind: str
    quantity: int | None = None
    items: str = Field(default="[]", sa_type=Text)
    at_ms: int = Field(sa_type=BigInteger)


class FigureHead(SQLModel, table=True):
    """One row: how far in the log the columns of figures go, and how they are made."""

    __tablename__ = "figure_head"
    id: int = Field(primary_key=True)
    seq: int = Field(sa_type=BigInteger)
    shape: int


class FigureDay(SQLModel, table=True):
    """A day (of UTC, counted from 1970) of which the rows of figures are kept as columns."""

    __tablename__ = "figure_day"
    source: str = Field(primary_key=True)
    day: int = Field(primary_key=True)
    n: int
    last_seq: int = Field(sa_type=BigInteger)
    last_at_ms: int = Field(sa_type=BigInteger)


class FigureColumn(SQLModel, table=True):
    """One column of a day of a source of figures, as ``storage.columns`` packs it."""

    __tablename__ = "figure_column"
    source: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    day: int = Field(primary_key=True)
    data: bytes = Field(sa_type=LargeBinary)


class CalendarVersion(SQLModel, table=True):
    """Business hours, one row a change: of a team, or without ``team_id`` of everybody else.

    A row holds from ``effective_from_ms`` until the next one of the same team does. Without
    ``hours`` no hours are set: the shop's are always open, a team keeps the shop's.
    """

    __tablename__ = "calendar_version"
    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    team_id: str | None = None
    hours: str | None = Field(default=None, sa_type=Text)
    effective_from_ms: int = Field(sa_type=BigInteger)
    seq: int = Field(sa_type=BigInteger)
    agent_id: str | None = None
    restored: int | None = None


class ScorecardVersion(SQLModel, table=True):
    """A version of what quality reviews judge by; ``criteria`` is JSON."""

    __tablename__ = "scorecard_version"
    version: int = Field(primary_key=True)
    pass_mark: int
    criteria: str = Field(sa_type=Text)
    agent_id: str | None = None
    created_at_ms: int = Field(sa_type=BigInteger)


class ReviewSample(SQLModel, table=True):
    """A draw of chats for review. ``plan``, ``scope`` and ``population`` are JSON.

    By them and the seed the same chats can be drawn again.
    """

    __tablename__ = "review_sample"
    id: str = Field(primary_key=True)
    name: str
    agent_id: str | None = None
    created_at_ms: int = Field(sa_type=BigInteger)
    seed: str
    method: int
    plan: str = Field(sa_type=Text)
    scope: str = Field(sa_type=Text)
    population: str = Field(sa_type=Text)
    card: int
    blind: bool = False
    closed_at_ms: int | None = Field(default=None, sa_type=BigInteger)


class ReviewItem(SQLModel, table=True):
    """A chat that was drawn; ``place`` is its place in the sample, from 1."""

    __tablename__ = "review_item"
    __table_args__ = (
        UniqueConstraint("sample_id", "place"),
        Index("ix_review_item_conversation", "conversation_id"),
        Index("ix_review_item_agent", "agent_id"),
    )
    id: str = Field(primary_key=True)
    sample_id: str
    place: int
    conversation_id: str
    session_no: int
    agent_id: str
    team_id: str | None = None
    channel: str
    started_at_ms: int = Field(sa_type=BigInteger)
    stratum: str
    twice: bool = False


class Review(SQLModel, table=True):
    """What one reviewer says of one chat; ``marks`` is JSON, points by criterion.

    ``given_at_ms`` is None while it is a draft. Words stand in ``review_text``.
    """

    __table_args__ = (UniqueConstraint("item_id", "reviewer_id"),)
    id: str = Field(primary_key=True)
    item_id: str
    reviewer_id: str
    marks: str = Field(sa_type=Text)
    second: bool = False
    revision: int = 0
    score: int | None = None
    passed: bool | None = None
    critical: bool | None = None
    saved_at_ms: int = Field(sa_type=BigInteger)
    given_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    answer: str | None = None
    answered_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    settled_by: str | None = None
    settled_at_ms: int | None = Field(default=None, sa_type=BigInteger)


class ReviewText(SQLModel, table=True):
    """The words of a review, which go with those of the chat; ``notes`` is JSON by criterion."""

    __tablename__ = "review_text"
    __table_args__ = (Index("ix_review_text_conversation", "conversation_id"),)
    review_id: str = Field(primary_key=True)
    conversation_id: str
    notes: str = Field(default="{}", sa_type=Text)
    comment: str = Field(default="", sa_type=Text)
    answer: str = Field(default="", sa_type=Text)
    settled: str = Field(default="", sa_type=Text)


class StoredReport(SQLModel, table=True):
    """A report as it was saved: what it asked, up to where, by which definitions, and its rows."""

    __tablename__ = "stored_report"
    id: str = Field(primary_key=True)
    name: str
    query: str = Field(sa_type=Text)
    as_of_seq: int = Field(sa_type=BigInteger)
    as_of_ms: int = Field(sa_type=BigInteger)
    definitions: str = Field(sa_type=Text)
    calendar_version: int
    sha256: str
    body: str = Field(sa_type=Text)
    agent_id: str | None = None
    created_at_ms: int = Field(sa_type=BigInteger, index=True)


class ReportSchedule(SQLModel, table=True):
    """A report that is mailed again and again; metrics and recipients are JSON lists."""

    __tablename__ = "report_schedule"
    __table_args__ = (Index("ix_report_schedule_due", "enabled", "due_at_ms"),)
    id: str = Field(primary_key=True)
    name: str
    metrics: str = Field(sa_type=Text)
    by: str | None = None
    every: str
    hour: int
    day: int
    locale: str
    recipients: str = Field(sa_type=Text)
    enabled: bool
    due_at_ms: int = Field(sa_type=BigInteger)
    agent_id: str | None = None
    report_id: str | None = None
    sent_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    problem: str | None = None
    created_at_ms: int = Field(sa_type=BigInteger)
    updated_at_ms: int = Field(sa_type=BigInteger)


class TargetVersion(SQLModel, table=True):
    """The list of policies, one row a change; the one with the highest number holds."""

    __tablename__ = "target_version"
    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    policies: str = Field(sa_type=Text)
    agent_id: str | None = None
    created_at_ms: int = Field(sa_type=BigInteger)


class TargetWatch(SQLModel, table=True):
    """When the clocks of a chat or ticket have to be looked at again, and what is due next."""

    __tablename__ = "target_watch"
    conversation_id: str = Field(primary_key=True, foreign_key="conversation.id")
    look_at_ms: int | None = Field(default=None, sa_type=BigInteger, index=True)
    due_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    target: str | None = None
    missed: bool = False


class PlaybookVersion(SQLModel, table=True):
    """What the shop made of the playbook, one row a change; the one with the highest number holds.

    ``texts`` has only what differs from the texts that come with the program.
    """

    __tablename__ = "playbook_version"
    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    texts: str = Field(sa_type=Text)
    agent_id: str | None = None
    restored: int | None = None
    created_at_ms: int = Field(sa_type=BigInteger)


class CustomerNote(SQLModel, table=True):
    """What staff wrote down about a customer; ``version`` grows with each save.

    It is a time, so that two notes which came together in a merge never have the same version.
    """

    __tablename__ = "customer_note"
    customer_id: str = Field(primary_key=True, foreign_key="customer.id")
    body: str = Field(sa_type=Text)
    version: int = Field(sa_type=BigInteger)
    at_ms: int = Field(sa_type=BigInteger)
    by_id: str | None = None


class CustomerTag(SQLModel, table=True):
    """A word on a customer; ``source`` is staff, or the shop source that put it there."""

    __tablename__ = "customer_tag"
    __table_args__ = (Index("ix_customer_tag_tag", "tag", "customer_id"),)
    customer_id: str = Field(primary_key=True, foreign_key="customer.id")
    tag: str = Field(primary_key=True)
    source: str = "staff"
    at_ms: int = Field(sa_type=BigInteger)


class CustomerPreference(SQLModel, table=True):
    """How a customer wants to be reached; quiet hours are minutes of the day in ``timezone``."""

    __tablename__ = "customer_preference"
    customer_id: str = Field(primary_key=True, foreign_key="customer.id")
    channel: str | None = None
    quiet_from: int | None = None
    quiet_to: int | None = None
    timezone: str | None = None
    at_ms: int = Field(sa_type=BigInteger)
    by_id: str | None = None


class CustomerBlock(SQLModel, table=True):
    """A customer whose messages are refused."""

    __tablename__ = "customer_block"
    customer_id: str = Field(primary_key=True, foreign_key="customer.id")
    reason: str | None = None
    at_ms: int = Field(sa_type=BigInteger)
    by_id: str | None = None


class SavedSegment(SQLModel, table=True):
    """A condition on customers with a name; ``count`` is how many met it at ``counted_at_ms``."""

    __tablename__ = "saved_segment"
    id: str = Field(primary_key=True)
    name: str
    condition: str = Field(sa_type=Text)
    shared: bool = False
    owner_id: str = Field(foreign_key="agent.id", index=True)
    created_at_ms: int = Field(sa_type=BigInteger)
    updated_at_ms: int = Field(sa_type=BigInteger)
    count: int | None = None
    counted_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    count_took_ms: int | None = None


class Process(SQLModel, table=True):
    """A serving process; one that has not been seen for a while is dead."""

    id: str = Field(primary_key=True)
    started_at_ms: int = Field(sa_type=BigInteger)
    seen_at_ms: int = Field(sa_type=BigInteger)


class ShopperPresence(SQLModel, table=True):
    """A shopper whose widget is connected to a process, or was until ``gone_at_ms``."""

    __tablename__ = "shopper_presence"
    __table_args__ = (Index("ix_shopper_presence_customer", "customer_id"),)
    process_id: str = Field(primary_key=True)
    customer_id: str = Field(primary_key=True)
    gone_at_ms: int | None = Field(default=None, sa_type=BigInteger)


class Viewing(SQLModel, table=True):
    """An agent who has a conversation in front of them, through a process."""

    __table_args__ = (Index("ix_viewing_conversation", "conversation_id"),)
    process_id: str = Field(primary_key=True)
    conversation_id: str = Field(primary_key=True)
    agent_id: str = Field(primary_key=True)


class FailedTry(SQLModel, table=True):
    """How often a sign-in failed, by a hash of the account or of the address."""

    __tablename__ = "failed_try"
    __table_args__ = (Index("ix_failed_try_last", "last_at_ms"),)
    key_hash: str = Field(primary_key=True)
    failures: int
    last_at_ms: int = Field(sa_type=BigInteger)
    recent: str = Field(default="[]", sa_type=Text)


class TicketRow(SQLModel, table=True):
    """A ticket as the fold of its thread's events; the thread is the conversation of the same id.

    ``lane`` and ``sort_ms`` follow from the other columns and are what lists go by. Not from the
    log: ``next_due_at_ms`` and ``next_due``, which the targets give, and ``client_key``, by which
    who made it finds it again.
    """

    __tablename__ = "ticket"
    __table_args__ = (
        Index("ix_ticket_lane", "lane", "sort_ms", "id"),
        # All that a count asks for, so that it reads no rows.
        Index(
            "ix_ticket_desk",
            "lane",
            "team_id",
            "assignee_id",
            "type",
            "priority",
            "next_due_at_ms",
            "id",
        ),
        Index("ix_ticket_assignee", "assignee_id", "lane", "sort_ms"),
        Index("ix_ticket_team", "team_id", "lane", "sort_ms"),
        Index("ix_ticket_customer", "customer_id", "created_at_ms"),
        Index("ix_ticket_created", "created_at_ms", "id"),
        Index("ix_ticket_state", "state", "state_at_ms"),
        Index(
            "ix_ticket_wake",
            "wake_at_ms",
            sqlite_where=text("wake_at_ms IS NOT NULL"),
            postgresql_where=text("wake_at_ms IS NOT NULL"),
        ),
        Index(
            "ix_ticket_merged_into",
            "merged_into",
            sqlite_where=text("merged_into IS NOT NULL"),
            postgresql_where=text("merged_into IS NOT NULL"),
        ),
        Index(
            "ix_ticket_parent",
            "parent_id",
            sqlite_where=text("parent_id IS NOT NULL"),
            postgresql_where=text("parent_id IS NOT NULL"),
        ),
    )
    id: str = Field(primary_key=True, foreign_key="conversation.id")
    number: str = Field(unique=True)
    customer_id: str = Field(foreign_key="customer.id")
    created_at_ms: int = Field(sa_type=BigInteger)
    type: str
    source: str
    state: str
    status: str | None = None
    reason: str | None = None
    priority: str
    priority_source: str
    team_id: str | None = None
    assignee_id: str | None = None
    parent_id: str | None = None
    merged_into: str | None = None
    before_merge: str | None = None
    updated_at_ms: int = Field(sa_type=BigInteger)
    state_at_ms: int = Field(sa_type=BigInteger)
    wake_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    waiting_since_ms: int | None = Field(default=None, sa_type=BigInteger)
    replied_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    first_resolved_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    resolved_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    reopens: int = 0
    answered: bool = False
    last_reply_id: str | None = None
    owed: str = Field(default="[]", sa_type=Text)
    reminded_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    held: bool = False
    seq: int
    last_seq: int = Field(sa_type=BigInteger)
    next_due_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    next_due: str | None = None
    lane: str
    sort_ms: int = Field(sa_type=BigInteger)
    client_key: str | None = Field(default=None, unique=True)


class TicketText(SQLModel, table=True):
    """What people wrote on a ticket itself; kept apart from the log because it is personal."""

    __tablename__ = "ticket_text"
    ticket_id: str = Field(primary_key=True, foreign_key="ticket.id")
    subject: str = Field(sa_type=Text)
    fields: str = Field(default="{}", sa_type=Text)
    contact: str | None = Field(default=None, sa_type=Text)


class TicketLink(SQLModel, table=True):
    """What a ticket points to: a conversation, an order, one of its lines, a product, a ticket."""

    __tablename__ = "ticket_link"
    __table_args__ = (Index("ix_ticket_link_target", "kind", "target"),)
    ticket_id: str = Field(primary_key=True, foreign_key="ticket.id")
    kind: str = Field(primary_key=True)
    target: str = Field(primary_key=True)
    at_ms: int = Field(sa_type=BigInteger)
    by_id: str | None = None


class TicketTask(SQLModel, table=True):
    """A piece of a ticket's work for another desk, with a clock of its own."""

    __tablename__ = "ticket_task"
    __table_args__ = (
        Index("ix_ticket_task_ticket", "ticket_id", "created_at_ms"),
        Index("ix_ticket_task_open", "state", "due_at_ms"),
    )
    id: str = Field(primary_key=True)
    ticket_id: str = Field(foreign_key="ticket.id")
    title: str = Field(sa_type=Text)
    team_id: str | None = None
    assignee_id: str | None = None
    state: str = "open"
    result: str | None = Field(default=None, sa_type=Text)
    created_at_ms: int = Field(sa_type=BigInteger)
    due_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    ended_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    by_id: str | None = None
    ended_by_id: str | None = None


class TicketWatcher(SQLModel, table=True):
    """Who wants to hear of a ticket."""

    __tablename__ = "ticket_watcher"
    ticket_id: str = Field(primary_key=True, foreign_key="ticket.id")
    agent_id: str = Field(primary_key=True, foreign_key="agent.id", index=True)
    at_ms: int = Field(sa_type=BigInteger)
    seen_seq: int = 0


class TicketNote(SQLModel, table=True):
    """The words beside an event of a ticket: values before and after, or why it ended."""

    __tablename__ = "ticket_note"
    __table_args__ = (Index("ix_ticket_note_ticket", "ticket_id"),)
    seq: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    ticket_id: str = Field(foreign_key="ticket.id")
    words: str = Field(sa_type=Text)


class TicketTypeRow(SQLModel, table=True):
    """A type of ticket of the shop's own, or a shipped one as the shop has changed it."""

    __tablename__ = "ticket_type"
    id: str = Field(primary_key=True)
    position: int = 0
    active: bool = True
    definition: str = Field(sa_type=Text)
    updated_at_ms: int = Field(sa_type=BigInteger)


class TicketStatus(SQLModel, table=True):
    """A name of the shop's own for a state of tickets, and what the shopper reads of it."""

    __tablename__ = "ticket_status"
    id: str = Field(primary_key=True)
    state: str
    position: int = 0
    active: bool = True
    name_en: str
    name_zh: str
    shown_en: str | None = None
    shown_zh: str | None = None


class TicketSearch(SQLModel, table=True):
    """All words of a ticket in one text, cut so that either database finds them.

    Triggers keep ``ticket_words`` beside it: a full-text table with SQLite, with PostgreSQL one of
    the sets of words, in the order of the tickets.
    """

    __tablename__ = "ticket_search"
    id: int | None = Field(default=None, primary_key=True)
    ticket_id: str = Field(unique=True)
    words: str = Field(sa_type=Text)


class MailBox(SQLModel, table=True):
    """How far a mailbox was read: IMAP's own numbers; ``lease`` is the process that reads it."""

    __tablename__ = "mail_box"
    name: str = Field(primary_key=True)
    uid_validity: int = Field(default=0, sa_type=BigInteger)
    last_uid: int = Field(default=0, sa_type=BigInteger)
    lease: str | None = None
    lease_until_ms: int = Field(default=0, sa_type=BigInteger)
    looked_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    error: str | None = None


class MailIn(SQLModel, table=True):
    """A mail as it came: state new, taken, ignored or aside, and why.

    ``raw`` goes when retention says so; ``conversation_id`` is the thread that it was put into.
    """

    __tablename__ = "mail_in"
    __table_args__ = (
        Index("ix_mail_in_uid", "uid_validity", "uid", unique=True),
        Index("ix_mail_in_state", "state", "at_ms"),
        Index("ix_mail_in_rfc_id", "rfc_id"),
        Index("ix_mail_in_conversation", "conversation_id"),
    )
    id: str = Field(primary_key=True)
    uid_validity: int = Field(sa_type=BigInteger)
    uid: int = Field(sa_type=BigInteger)
    at_ms: int = Field(sa_type=BigInteger)
    size: int = Field(sa_type=BigInteger)
    raw: bytes | None = Field(default=None, sa_type=LargeBinary)
    state: str = "new"
    reason: str | None = None
    tries: int = 0
    sender: str | None = None
    subject: str | None = Field(default=None, sa_type=Text)
    rfc_id: str | None = None
    conversation_id: str | None = None
    settled_at_ms: int | None = Field(default=None, sa_type=BigInteger)


class MailOut(SQLModel, table=True):
    """A mail that goes: state queued, sending, sent, failed, and why; sent at least once.

    ``rfc_id`` is made with the row, so a mail that goes twice is one for its receiver. ``enclosed``
    is a table that goes with it.
    """

    __tablename__ = "mail_out"
    __table_args__ = (
        Index("ix_mail_out_due", "state", "due_at_ms"),
        Index("ix_mail_out_conversation", "conversation_id", "created_at_ms"),
        Index("ix_mail_out_recipient", "recipient", "kind", "created_at_ms"),
    )
    id: str = Field(primary_key=True)
    kind: str
    conversation_id: str | None = None
    recipient: str
    subject: str = Field(sa_type=Text)
    words: str = Field(sa_type=Text)
    state: str = "queued"
    reason: str | None = None
    tries: int = 0
    created_at_ms: int = Field(sa_type=BigInteger)
    due_at_ms: int = Field(sa_type=BigInteger)
    sent_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    rfc_id: str
    answers_rfc_id: str | None = None
    lease: str | None = None
    enclosed: str | None = Field(default=None, sa_type=Text)


class MailWish(SQLModel, table=True):
    """A reply that goes by mail at ``due_at_ms`` unless the shopper has seen it by then."""

    __tablename__ = "mail_wish"
    __table_args__ = (
        Index("ix_mail_wish_due", "due_at_ms"),
        Index("ix_mail_wish_conversation", "conversation_id"),
    )
    message_id: str = Field(primary_key=True)
    conversation_id: str
    due_at_ms: int = Field(sa_type=BigInteger)
    mail_id: str | None = None


class PortalCode(SQLModel, table=True):
    """A code that was mailed to a shopper, for the browser that asked; of both only hashes.

    The hash of the code holds the browser's secret too, so that it cannot be tried out from here.
    """

    __tablename__ = "portal_code"
    __table_args__ = (Index("ix_portal_code_created", "created_at_ms"),)
    browser_hash: str = Field(primary_key=True)
    code_hash: str
    address: str
    tries: int = 0
    created_at_ms: int = Field(sa_type=BigInteger)


class PortalSession(SQLModel, table=True):
    """A browser in which a shopper is signed in; the token is hashed.

    They have shown that an address is theirs, or for ``customer_id`` the shop has vouched for them.
    """

    __tablename__ = "portal_session"
    __table_args__ = (Index("ix_portal_session_created", "created_at_ms"),)
    token_hash: str = Field(primary_key=True)
    address: str
    created_at_ms: int = Field(sa_type=BigInteger)
    customer_id: str | None = None


class RequestLine(SQLModel, table=True):
    """A line of an order that a shopper's request is about, and how many pieces of it."""

    __tablename__ = "request_line"
    __table_args__ = (Index("ix_request_line_order", "order_id"),)
    ticket_id: str = Field(primary_key=True, foreign_key="ticket.id")
    order_id: str = Field(primary_key=True)
    line_no: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    quantity: int
    wanted: str
    reason: str
    outcome: str
    at_ms: int = Field(sa_type=BigInteger)


class RuleRow(SQLModel, table=True):
    """A rule that acts by itself; what it says is in its latest version.

    It looks at what happens after ``since_ms``. ``stopped`` is why the program switched it off.
    """

    __tablename__ = "rule"
    id: str = Field(primary_key=True)
    version: int
    enabled: bool
    position: int
    since_ms: int = Field(sa_type=BigInteger)
    stopped: str | None = None
    removed_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    created_at_ms: int = Field(sa_type=BigInteger)
    updated_at_ms: int = Field(sa_type=BigInteger)
    updated_by: str | None = None


class RuleVersion(SQLModel, table=True):
    """What a rule said from an instant on, and who made it so; ``change`` says what was done."""

    __tablename__ = "rule_version"
    rule_id: str = Field(primary_key=True, foreign_key="rule.id")
    version: int = Field(primary_key=True)
    plan: str = Field(sa_type=Text)
    change: str
    agent_id: str | None = None
    created_at_ms: int = Field(sa_type=BigInteger)


class RuleRun(SQLModel, table=True):
    """What a rule did, or was kept from doing, on one object for one cause; never twice.

    ``cause`` is the event or the instant; ``chain`` what led there, ``why`` and ``steps`` what
    matched and what became of each action. ``due_at_ms`` is set while it is put off.
    """

    __tablename__ = "rule_run"
    __table_args__ = (
        UniqueConstraint("rule_id", "cause", name="uq_rule_run_cause"),
        Index("ix_rule_run_rule", "rule_id", "at_ms", "id"),
        Index("ix_rule_run_object", "rule_id", "object_id", "at_ms"),
        Index("ix_rule_run_at", "at_ms"),
        Index(
            "ix_rule_run_due",
            "due_at_ms",
            sqlite_where=text("due_at_ms IS NOT NULL"),
            postgresql_where=text("due_at_ms IS NOT NULL"),
        ),
    )
    id: str = Field(primary_key=True)
    rule_id: str = Field(foreign_key="rule.id")
    version: int
    cause: str
    seq: int | None = Field(default=None, sa_type=BigInteger)
    subject: str
    object_id: str
    conversation_id: str | None = None
    at_ms: int = Field(sa_type=BigInteger)
    outcome: str
    held: str | None = None
    chain: str = Field(default="[]", sa_type=Text)
    why: str = Field(default="[]", sa_type=Text)
    steps: str = Field(default="[]", sa_type=Text)
    due_at_ms: int | None = Field(default=None, sa_type=BigInteger)


class RuleEffect(SQLModel, table=True):
    """Which event of the log came of which run of a rule."""

    __tablename__ = "rule_effect"
    seq: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    run_id: str = Field(foreign_key="rule_run.id", index=True)


class FileRow(SQLModel, table=True):
    """A file that somebody sent: its bytes are in the folder of files, by their SHA-256.

    Without ``message_id`` it waits to be used. ``state`` is scanning, clean, unscanned, infected or
    refused; of the last two there are no bytes. ``content_id`` is what a mail calls it inside.
    """

    __tablename__ = "file"
    __table_args__ = (
        Index("ix_file_sha256", "sha256"),
        Index("ix_file_message", "message_id"),
        Index("ix_file_conversation", "conversation_id"),
        Index("ix_file_uploader", "uploader_kind", "uploader_id", "created_at_ms"),
        Index("ix_file_state", "state", "created_at_ms"),
    )
    id: str = Field(primary_key=True)
    sha256: str | None = None
    bytes: int = Field(sa_type=BigInteger)
    media_type: str
    name: str
    width: int | None = None
    height: int | None = None
    uploader_kind: str
    uploader_id: str | None = None
    conversation_id: str | None = None
    message_id: str | None = None
    content_id: str | None = None
    state: str
    created_at_ms: int = Field(sa_type=BigInteger)
    used_at_ms: int | None = Field(default=None, sa_type=BigInteger)


class FileGone(SQLModel, table=True):
    """Bytes that perhaps nobody refers to any more: a job looks, and lets them go."""

    __tablename__ = "file_gone"
    sha256: str = Field(primary_key=True)
    at_ms: int = Field(sa_type=BigInteger)


class MailOutFile(SQLModel, table=True):
    """A file that goes with a mail."""

    __tablename__ = "mail_out_file"
    mail_id: str = Field(primary_key=True)
    file_id: str = Field(primary_key=True)


class CareRepair(SQLModel, table=True):
    """What strained the relation to a customer, and the ticket made of it; once for each cause.

    ``held`` says why none was made.
    """

    __tablename__ = "care_repair"
    __table_args__ = (Index("ix_care_repair_at", "at_ms"),)
    cause: str = Field(primary_key=True)
    kind: str
    customer_id: str
    ticket_id: str | None = None
    held: str | None = None
    at_ms: int = Field(sa_type=BigInteger)
    due_at_ms: int | None = Field(default=None, sa_type=BigInteger)


class CarePlan(SQLModel, table=True):
    """Whom to call how many days after a delivery; ``share`` is a per cent of those orders."""

    __tablename__ = "care_plan"
    id: str = Field(primary_key=True)
    enabled: bool
    days: int
    segment: str | None = None
    share: int
    team_id: str | None = None
    question_en: str = Field(sa_type=Text)
    question_zh: str = Field(sa_type=Text)
    since_ms: int = Field(sa_type=BigInteger)
    created_at_ms: int = Field(sa_type=BigInteger)
    updated_at_ms: int = Field(sa_type=BigInteger)
    updated_by: str | None = None
    removed_at_ms: int | None = Field(default=None, sa_type=BigInteger)


class CareCall(SQLModel, table=True):
    """A follow-up call about an order, of which there is one at most, and what came of it.

    ``held`` says why none is made; ``problem_id`` is the ticket that the call led to.
    """

    __tablename__ = "care_call"
    __table_args__ = (
        Index("ix_care_call_plan", "plan_id", "made_at_ms"),
        Index("ix_care_call_ticket", "ticket_id"),
    )
    order_id: str = Field(primary_key=True)
    plan_id: str
    customer_id: str | None = None
    ticket_id: str | None = None
    held: str | None = None
    made_at_ms: int = Field(sa_type=BigInteger)
    due_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    outcome: str | None = None
    outcome_at_ms: int | None = Field(default=None, sa_type=BigInteger)
    problem_id: str | None = None
    tries: int


class DefectAlarm(SQLModel, table=True):
    """More defects of a product in a week than chance explains; ``defect_batch`` may be empty."""

    __tablename__ = "defect_alarm"
    __table_args__ = (Index("ix_defect_alarm_at", "at_ms"),)
    sku: str = Field(primary_key=True)
    defect_batch: str = Field(primary_key=True)
    week: str = Field(primary_key=True)
    at_ms: int = Field(sa_type=BigInteger)
    defects: int
    orders: int = Field(sa_type=BigInteger)
    expected_milli: int = Field(sa_type=BigInteger)


class FixNotice(SQLModel, table=True):
    """What those affected by a defect were told when it was fixed, and how many were."""

    __tablename__ = "fix_notice"
    __table_args__ = (Index("ix_fix_notice_sku", "sku", "at_ms"),)
    id: str = Field(primary_key=True)
    sku: str
    defect_batch: str | None = None
    words_en: str = Field(sa_type=Text)
    words_zh: str = Field(sa_type=Text)
    at_ms: int = Field(sa_type=BigInteger)
    by_id: str | None = None
    told: int
    held: int


class FixTold(SQLModel, table=True):
    """A ticket in which the defect was told to be fixed, once; ``held`` says why it was not."""

    __tablename__ = "fix_told"
    ticket_id: str = Field(primary_key=True)
    notice_id: str = Field(foreign_key="fix_notice.id", index=True)
    held: str | None = None
    at_ms: int = Field(sa_type=BigInteger)


class DeskNotice(SQLModel, table=True):
    """Something that a person of the desk is to know of a ticket: one row for each event.

    ``kind`` is reply, handed, merged, warned or missed; ``target`` which target it was.
    """

    __tablename__ = "desk_notice"
    __table_args__ = (
        Index("ix_desk_notice_at", "at_ms"),
        Index("ix_desk_notice_ticket", "ticket_id"),
        Index(
            "ix_desk_notice_unread",
            "agent_id",
            "seq",
            sqlite_where=text("read_at_ms IS NULL"),
            postgresql_where=text("read_at_ms IS NULL"),
        ),
    )
    agent_id: str = Field(primary_key=True, foreign_key="agent.id")
    seq: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    ticket_id: str = Field(foreign_key="ticket.id")
    kind: str
    target: str | None = None
    by_id: str | None = None
    at_ms: int = Field(sa_type=BigInteger)
    read_at_ms: int | None = Field(default=None, sa_type=BigInteger)


def table(model: type[SQLModel]) -> Table:
    """The SQLAlchemy table behind a model, for Core statements on the message path."""
    return cast(Table, model.__table__)  # type: ignore[attr-defined]  # set by SQLModel
