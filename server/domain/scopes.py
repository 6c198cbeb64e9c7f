"""What a token may be used for: a part of what its person may do, never more."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal, get_args

from server.domain.errors import InvalidInput, NotAllowed

Scope = Literal[
    "conversations:read",
    "conversations:write",
    "customers:read",
    "customers:write",
    "orders:read",
    "orders:write",
    "tickets:read",
    "tickets:write",
    "rules:read",
    "rules:write",
    "agents:read",
    "agents:write",
    "articles:read",
    "articles:write",
    "reports:read",
    "events:read",
    "socket",
    "admin",
]
SCOPES: tuple[Scope, ...] = get_args(Scope)

# None: everything that the person may do.
Scopes = frozenset[str] | None


def allows(scopes: Scopes, needed: str) -> bool:
    """True when a token with these scopes may be used for ``needed``; who writes may read.

    >>> allows(frozenset({"customers:write"}), "customers:read"), allows(None, "admin")
    (True, True)
    >>> allows(frozenset({"customers:read"}), "customers:write"), allows(frozenset(), "admin")
    (False, False)
    """
    if scopes is None or needed in scopes:
        return True
    noun, colon, verb = needed.partition(":")
    return verb == "read" and f"{noun}{colon}write" in scopes


def require_scope(scopes: Scopes, needed: str) -> None:
    """Returns nothing. Raises NotAllowed when the token is not meant for this."""
    if not allows(scopes, needed):
        raise NotAllowed(
            f"This token lacks the scope {needed}. Make one that has it.", needs=needed
        )


def normal_scopes(scopes: Iterable[str]) -> tuple[Scope, ...]:
    """Distinct scopes in the order of SCOPES. Raises InvalidInput for none or an unknown one."""
    wanted = set(scopes)
    unknown = wanted - set(SCOPES)
    if unknown or not wanted:
        raise InvalidInput(
            f"A scope is one of {', '.join(SCOPES)}.", field="scopes", reason="scope_unknown"
        )
    return tuple(scope for scope in SCOPES if scope in wanted)


def covers(scopes: Scopes, given: Collection[str] | None) -> bool:
    """True when a token with these scopes may make one with the ``given`` scopes.

    >>> covers(None, None), covers(frozenset({"admin"}), ["events:read"])
    (True, False)
    """
    if given is None:
        return scopes is None
    return all(allows(scopes, scope) for scope in given)
