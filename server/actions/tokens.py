"""Tokens of programs: made, shown to admins, taken back."""

from __future__ import annotations

from typing import Annotated, Any  # Any: JSON values

from pydantic import Field

from server.actions import people as people_actions
from server.actions.desk import Look
from server.actions.payload import Id, NoPayload, Payload
from server.domain.actors import SYSTEM, Actor, Role
from server.domain.errors import NotFound
from server.domain.permissions import require
from server.domain.scopes import SCOPES, Scope
from server.storage import people, tokens
from server.storage.people import Person
from server.storage.secrets import token_hash
from server.storage.tokens import ID_CHARS, TokenRecord
from server.storage.unit import Tx
from server.storage.views import Json

MAX_DAYS = 3650


class CreateToken(Payload):
    """A token for a person (``agent_id``) or for a role, then as a person made for it."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    agent_id: Id | None = None
    role: Role | None = None
    scopes: Annotated[list[Scope], Field(max_length=len(SCOPES))] | None = None
    days: Annotated[int, Field(ge=1, le=MAX_DAYS)] | None = people_actions.TOKEN_DAYS


class TokenRef(Payload):
    """For commands about one token."""

    token_id: Id


def create_token(tx: Tx, actor: Actor, payload: CreateToken) -> dict[str, Any]:  # Any: JSON values
    """The new token, which is shown this once. Raises NotAllowed, InvalidInput, NotFound."""
    token = people_actions.create_token(
        tx,
        actor,
        name=payload.name,
        agent_id=payload.agent_id,
        role=payload.role,
        days=payload.days,
        scopes=payload.scopes,
    )
    return {"token_id": token_hash(token)[:ID_CHARS], "token": token}


def revoke_token(tx: Tx, actor: Actor, payload: TokenRef) -> dict[str, Any]:  # Any: JSON values
    """Ends a token at once; a person made for it, and for no other, goes with it."""
    _manage(actor)
    token = tokens.load_token(tx.connection, payload.token_id)
    if token is None:
        raise NotFound("There is no such token.")
    person = people.load_person(tx.connection, token.agent_id, lock=True)
    if person is not None and person.id != actor.id and _made_for_one_token(tx, person):
        people_actions.deactivate(tx, SYSTEM, person.id)
    tokens.delete_token(tx, token.id)
    return {"token_id": token.id}


def _made_for_one_token(tx: Tx, person: Person) -> bool:
    """True for a person who cannot sign in and has one token; not for the only admin there is."""
    if person.email is not None or not person.active:
        return False
    last_admin = person.role == "admin" and people.other_admins(tx.connection, person.id) == 0
    return not last_admin and tokens.count_tokens(tx.connection, person.id) == 1


def list_tokens(look: Look, _: NoPayload) -> Json:
    """All tokens, the newest first."""
    _manage(look.actor)
    found = [token_view(token) for token in tokens.load_tokens(look.connection)]
    return {"items": found, "next_cursor": None}


def token_view(token: TokenRecord) -> Json:
    """A token as admins see it; never the token itself."""
    return {
        "id": token.id,
        "name": token.name,
        "agent": {"id": token.agent_id, "name": token.agent_name},
        "role": token.role,
        "scopes": None if token.scopes is None else list(token.scopes),
        "created_at_ms": token.created_at_ms,
        "expires_at_ms": token.expires_at_ms,
        "last_used_at_ms": token.last_used_at_ms,
    }


def _manage(actor: Actor) -> None:
    if actor.kind != SYSTEM.kind:
        require(actor, "people.manage")
