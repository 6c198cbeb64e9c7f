"""What the processes of one database know of each other."""

from __future__ import annotations

from sqlalchemy import insert, select

from server.storage.secrets import new_token
from server.storage.tables import Secret, table
from server.storage.unit import Tx

SECRET = table(Secret)
_CHANNEL = "news_channel"


def news_channel(tx: Tx) -> str:
    """The name under which the processes of this database, and no others, tell each other news."""
    statement = select(SECRET.c.value).where(SECRET.c.name == _CHANNEL)
    found = tx.connection.execute(statement).scalar_one_or_none()
    if found is not None:
        return str(found)
    value = new_token("")
    tx.later(insert(SECRET), {"name": _CHANNEL, "value": value})
    return value
