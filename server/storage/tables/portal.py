"""How shoppers sign in to their portal."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel


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
