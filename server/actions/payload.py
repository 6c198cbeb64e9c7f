"""The base of all payloads: strict types, unknown keys ignored so that clients may be newer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar  # Any: JSON from outside

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from server.domain.errors import InvalidInput


class Payload(BaseModel):
    """What a command takes. Strict: a number is not a string, a boolean is not a number."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


P = TypeVar("P", bound=Payload)
# An id as this program or an import makes it; PostgreSQL would stumble over control characters.
Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[!-~]+$")]


def parse(payload_type: type[P], values: Any) -> P:  # Any: JSON from outside
    """The payload in ``values``. Raises InvalidInput that names the first wrong field."""
    if not isinstance(values, dict):
        raise InvalidInput("The payload must be one JSON object.")
    try:
        return payload_type.model_validate(_without_nul(values))
    except ValidationError as error:
        raise _first_of(error) from None


def parse_texts(payload_type: type[P], values: Mapping[str, str]) -> P:
    """The payload in what an address holds, where a number is text. Raises InvalidInput."""
    try:
        return payload_type.model_validate_strings(_without_nul(dict(values)))
    except ValidationError as error:
        raise _first_of(error) from None


def _first_of(error: ValidationError) -> InvalidInput:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or None
    return InvalidInput(f"{field or 'payload'}: {first['msg']}.", field=field)


def _without_nul(value: Any) -> Any:  # Any: JSON from outside
    """The value with no NUL in its texts: PostgreSQL takes none, not even in an id to look for."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, dict):
        return {key: _without_nul(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_nul(inner) for inner in value]
    return value


class NoPayload(Payload):
    """For commands that take nothing."""


class ConversationRef(Payload):
    """For commands about one conversation."""

    conversation_id: Id
