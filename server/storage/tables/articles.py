"""Articles, their index, and what was suggested from them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel


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
