"""What a row of the API says: everything that routes, checks and descriptions are made from."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal  # Any: JSON values

from server.actions.desk import Look
from server.actions.payload import Payload
from server.actions.posted_rows import Line
from server.dispatch import Action, Query
from server.domain.actors import Actor
from server.domain.scopes import Scope, Scopes
from server.knowledge.keeper import Knowledge
from server.storage.database import Database

ROOT = "/api/v1"
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Json = dict[str, Any]  # Any: JSON values
# Asks the articles in memory. Any: of the row's payload.
Search = Callable[[Knowledge, Database, Actor, Any], Awaitable[Json]]
Complete = Callable[[Look, Json], Any]  # Any: JSON values
_VARIABLE = re.compile(r"{(\w+)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One call, with one of ``query`` (reads), ``action`` (writes) and ``search`` (reads).

    ``name`` is ``noun.verb``; ``api.op.NAME`` says in both languages what the call does, and the
    noun is the heading that it stands under. ``path`` is below ROOT; its variables are fields of
    ``payload``, the other fields are the query of a GET and the JSON body of anything else.
    ``answer`` describes what comes back, None when nothing does. ``complete`` makes an action's
    answer, in the action's transaction. ``permission`` is what the person needs, ``scope`` what
    the token needs.
    """

    name: str
    method: Method
    path: str
    payload: type[Payload]
    answer: Any  # Any: a class, or a list of one
    scope: Scope
    permission: str
    query: Query[Any] | None = None  # Any: of the row's payload
    action: Action[Any] | None = None  # Any: of the row's payload
    search: Search | None = None
    complete: Complete | None = None
    # What the token's scopes must be good for besides; raises NotAllowed.
    check: Callable[[Scopes, Any], None] | None = None  # Any: of the row's payload
    status: int = 200
    # How the docs show the call: values of the payload's fields.
    example: Mapping[str, object] = field(default_factory=dict)
    # The field that the idempotency key fills when the body does not.
    key_as: str | None = None
    # Fields of the answer that are shown once: a repeat of the call has null there.
    once: tuple[str, ...] = ()
    # Whether the query reads the log, as far as it is settled.
    settled: bool = False
    # Whether the body is NDJSON, which the action takes in portions, each in its own transaction.
    in_portions: bool = False
    # In which order the lines of such a body are taken, when not as they come.
    arranged: Callable[[Sequence[Line]], list[Line]] | None = None
    # How long a query may take that is longer than others.
    limit_s: float | None = None

    @property
    def noun(self) -> str:
        """What the call is about: the heading in the docs."""
        return self.name.partition(".")[0]

    @property
    def variables(self) -> tuple[str, ...]:
        """The fields that stand in the path."""
        return tuple(_VARIABLE.findall(self.path))

    @property
    def paged(self) -> bool:
        """Whether the answer comes page by page."""
        return "cursor" in self.payload.model_fields

    @property
    def has_body(self) -> bool:
        """Whether the call takes a JSON body."""
        if self.in_portions:
            return False
        return self.method != "GET" and bool(self.payload.model_fields.keys() - {*self.variables})
