"""What each kind of event carries, for staff and for the shopper, as classes.

Made from the event classes themselves, with what ``views`` adds or leaves out.
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from functools import cache
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)  # Any: types

from pydantic import Field, create_model

from server.domain.events import (
    EVENT_KINDS,
    ConversationStatusChanged,
    EventData,
    MessagePosted,
    seen_by_shopper,
)
from server.storage.shapes import AtMs, Author, Message, Named, Shape

Fields = dict[str, Any]  # Any: (type, default) as pydantic wants it
_NAMED: Fields = {"to": (Named | None, None)}
_FROM: Fields = {"from_": (Annotated[Named | None, Field(alias="from")], None)}
# What staff get besides, or instead of, the fields of the kind.
_STAFF: dict[str, Fields] = {
    "assignment.accepted": _NAMED | {"why": (dict[str, Any] | None, None)},
    "assignment.changed": _NAMED | _FROM,
    "assignment.ended": _FROM,
    "queue.entered": {"team": (Named | None, ...)},
    "conversation.status_changed": {"by": (str, ...)},
    "rating.given": {"comment": (str, None)},
    "rating.revised": {"comment": (str, None)},
}
# What a shopper gets instead of the fields; kinds that are not named have their own.
_SHOPPER: dict[str, Fields] = {
    "assignment.accepted": {"agent": (Named | None, ...)},
    "assignment.changed": {"agent": (Named | None, ...)},
    "queue.entered": {"ahead": (int, ...)},
    "conversation.status_changed": {"status": (str, ...), "by": (str, ...)},
    "conversation.opened": {"channel": (str, ...)},
    "rating.given": {"score": (int, ...)},
    "rating.revised": {"score": (int, ...)},
    "ticket.created": {"number": (str, ...)},
    "ticket.state_changed": {"state": (str, ...)},
}
_POSTED: Fields = {"message": (Message, ...)}


@cache
def staff_events() -> dict[str, type[Shape]]:
    """The envelope of each kind as staff receive it."""
    return {
        kind: _envelope(kind, "", _data(kind, "", _own_fields(data) | _STAFF.get(kind, {})))
        for kind, data in EVENT_KINDS.items()
    }


@cache
def shopper_events() -> dict[str, type[Shape]]:
    """The envelope of each kind of which shoppers hear."""
    return {
        kind: _envelope(
            kind, "ForShopper", _data(kind, "ForShopper", _SHOPPER.get(kind, _own_fields(data)))
        )
        for kind, data in EVENT_KINDS.items()
        if _is_seen(data)
    }


@cache
def logged_event() -> Any:  # Any: a union of classes that are made here
    """Any event of the log, with the customer whom it is about."""
    kinds = [
        create_model(
            f"Logged{event.__name__}",
            __base__=event,
            __doc__=event.__doc__,
            customer_id=(str | None, ...),
        )
        for event in staff_events().values()
    ]
    return Annotated[Union[tuple(kinds)], Field(discriminator="kind")]  # noqa: UP007  # built here


def _own_fields(data: type[EventData]) -> Fields:
    """The fields as ``to_json`` writes them: what may be absent is left out when it is."""
    hints = get_type_hints(data)
    found: Fields = {}
    for field in fields(data):
        hint = hints[field.name]
        absent = NoneType in get_args(hint) and get_origin(hint) in (Union, UnionType)
        if absent:
            rest = tuple(kind for kind in get_args(hint) if kind is not NoneType)
            hint = Union[rest]  # noqa: UP007  # built here
        if field.name.endswith("_"):
            hint = Annotated[hint, Field(alias=field.name.rstrip("_"))]
        found[field.name] = (hint, None if absent else ...)
    return found


def _data(kind: str, suffix: str, values: Fields) -> type[Shape]:
    if kind == MessagePosted.kind:
        values = _POSTED
    name = f"{EVENT_KINDS[kind].__name__}Data{suffix}"
    return create_model(name, __base__=Shape, __doc__=EVENT_KINDS[kind].__doc__, **values)


def _envelope(kind: str, suffix: str, data: type[Shape]) -> type[Shape]:
    values: Fields = {
        "seq": (Annotated[int, Field(description="The number in the log of the shop.")], ...),
        "kind": (Literal[kind], ...),
        "at_ms": (AtMs, ...),
        "actor": (Author, ...),
        "conversation_id": (str | None, ...),
        "conversation_seq": (int | None, ...),
        "data": (data, ...),
    }
    name = f"{EVENT_KINDS[kind].__name__}{suffix}"
    return create_model(name, __base__=Shape, __doc__=EVENT_KINDS[kind].__doc__, **values)


def _is_seen(data: type[EventData]) -> bool:
    """Whether a shopper may hear of the kind at all."""
    if data is MessagePosted:
        return True
    if data is ConversationStatusChanged:
        return True
    required = {f.name: 1 for f in fields(data) if f.default is MISSING}
    return seen_by_shopper(data(**required))
