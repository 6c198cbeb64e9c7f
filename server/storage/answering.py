"""A sentence for whoever waits at a command line, when the database does not answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DatabaseError, OperationalError

from server.domain.errors import Unavailable


@contextmanager
def answering() -> Iterator[None]:
    """Raises Unavailable with what the database says, where it is away, refuses us or is none."""
    try:
        yield
    except DatabaseError as error:
        # Its other kinds are bugs, and keep their stacks.
        if not isinstance(error, OperationalError) and type(error) is not DatabaseError:
            raise
        said = str(error.orig).strip().splitlines() or [type(error).__name__]
        raise Unavailable(f"The database does not answer: {said[0]}. See: shopbell check") from None
