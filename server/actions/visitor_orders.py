"""What shoppers ask back of their orders in the widget: requests for people, never money."""

from __future__ import annotations

from typing import Annotated, Any  # Any: JSON values

from pydantic import Field

from server.actions import returns, targets
from server.actions.desk import Look
from server.actions.payload import Id, NoPayload, Payload
from server.actions.requests import Locale
from server.actions.returns import Asked, OwnOrder, outcome_words
from server.domain.actors import Actor
from server.domain.errors import InvalidInput
from server.domain.returns import OUTCOMES, Picked
from server.storage.connection import Connection
from server.storage.portal import Reader, reader_of_visitor
from server.storage.unit import Tx

MOST_LINES = 100
MOST_WORDS = 4000
Json = dict[str, Any]  # Any: JSON values


class PickedLine(Payload):
    """So many pieces of a line, and why."""

    line_no: Annotated[int, Field(ge=0, le=2**31)]
    quantity: Annotated[int, Field(ge=1, le=10**6)]
    reason: Annotated[str, Field(max_length=40)]


class AskBack(Payload):
    """Lines of an own order, by its number, and what is wanted of them.

    ``anyway`` when the shopper knows of their open request about the order.
    """

    number: Annotated[str, Field(min_length=1, max_length=64)]
    wanted: Annotated[str, Field(max_length=40)]
    lines: Annotated[list[PickedLine], Field(max_length=MOST_LINES)]
    client_id: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[!-~]+$")]
    outcome: Annotated[str, Field(max_length=40)] = "advice"
    words: Annotated[str, Field(max_length=MOST_WORDS)] = ""
    files: list[Id] | None = None
    locale: Locale = "en"
    anyway: bool = False


def list_orders(look: Look, _: NoPayload) -> Json:
    """The visitor's own orders, the newest first; none of who is not known for sure."""
    found = returns.own_orders(look.connection, _reader(look.connection, look.actor))
    return {
        "orders": [_shown(one) for one in found],
        "outcomes": [_named(name, outcome_words(name)) for name in OUTCOMES],
    }


def ask_back(tx: Tx, actor: Actor, payload: AskBack) -> Json:
    """The number of the request; the same ``client_id`` again changes nothing.

    Raises NotFound for another's order, InvalidInput, and Conflict for what was asked for already,
    or with ``numbers`` while there is an open request about the order.
    """
    asked = Asked(
        number=payload.number,
        wanted=payload.wanted,
        outcome=payload.outcome,
        picked=tuple(Picked(one.line_no, one.quantity, one.reason) for one in payload.lines),
        words=payload.words,
        client_id=payload.client_id,
        locale=payload.locale,
        anyway=payload.anyway,
        files=tuple(payload.files or ()),
    )
    ticket = returns.ask(tx, _reader(tx.connection, actor), asked, source="offline")
    return {
        "ticket_number": ticket.number,
        "promised_at_ms": targets.due_now(tx, ticket.id),
    }


def _reader(connection: Connection, actor: Actor) -> Reader:
    if actor.kind != "customer" or actor.id is None:
        raise InvalidInput("Only a shopper has orders.")
    return reader_of_visitor(connection, actor.id)


def _shown(order: OwnOrder) -> Json:
    return {
        "number": order.number,
        "created_at_ms": order.created_at_ms,
        "currency": order.currency,
        "state": order.state,
        "wanted": list(order.wanted),
        "reasons": [_named(key, words) for key, words in order.reasons],
        "lines": [
            {
                "line_no": one.line_no,
                "title": one.title,
                "sku": one.sku,
                "quantity": one.quantity,
                "left": one.left,
                "price_minor": one.price_minor,
                "image_url": one.image_url,
                "numbers": list(one.numbers),
            }
            for one in order.lines
        ],
    }


def _named(key: str, words: tuple[str, str]) -> Json:
    return {"id": key, "name": {"en": words[0], "zh": words[1]}}
