"""Values of shops' JSON: ids as text whatever their size, money exactly, times in UTC.

What a shop says of little weight is left out when it is not what it should be; what an order cannot
be without raises InvalidInput, whose details name the field and nothing of its content.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NoReturn  # Any: JSON of another program
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from server.domain.errors import InvalidInput
from server.domain.money import to_minor
from server.domain.periods import MAX_AT_MS, instant_ms
from server.domain.text import clean

Json = Mapping[str, Any]  # Any: JSON of another program
MAX_ID_CHARS = 200
MAX_TITLE_CHARS = 300
MAX_URL_CHARS = 2000
MAX_LINES = 1000
MAX_QUANTITY = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Shop:
    """What reading needs to know of the shop: its currency and zone, and when the delivery came."""

    currency: str
    zone: ZoneInfo
    at_ms: int


def parsed(body: bytes) -> Any:  # Any: JSON
    """The JSON of a body, with whole numbers of any size and others as decimals.

    Raises InvalidInput for what is no JSON.
    """
    try:
        return json.loads(body.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise InvalidInput("The body is not valid JSON.", field="body") from None


def parsed_object(body: bytes) -> Json:
    """The JSON object of a body. Raises InvalidInput for anything else."""
    found = parsed(body)
    if not isinstance(found, dict):
        raise InvalidInput("The body is no JSON object.", field="body")
    return found


def object_of(value: Json, name: str) -> Json:
    """The object under a name; empty when there is none."""
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def objects_of(value: Json, name: str) -> list[Json]:
    """The objects of a list under a name; empty when there is none, cut when it is far too long."""
    found = value.get(name)
    found = found if isinstance(found, list) else []
    return [one for one in found[:MAX_LINES] if isinstance(one, dict)]


def id_of(value: object) -> str | None:
    """An id as text, every digit of a number kept; None for what is none.

    >>> id_of(820982911946154508), id_of("gid://shopify/Customer/71"), id_of(None)
    ('820982911946154508', '71', None)
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, Decimal):
        value = int(value) if value == value.to_integral_value() else str(value)
    text = line_of(str(value), MAX_ID_CHARS + 1) if isinstance(value, int | str) else None
    if text is None or len(text) > MAX_ID_CHARS:
        return None
    if text.startswith("gid://"):
        text = text.rsplit("/", 1)[-1].partition("?")[0]
    return text or None


def needed_id(value: Json, *names: str) -> str:
    """The id under the first of the names that has one. Raises InvalidInput when none has."""
    for name in names:
        found = id_of(value.get(name))
        if found is not None:
            return found
    raise _unreadable(names[0])


def line_of(value: object, limit: int = MAX_ID_CHARS) -> str | None:
    """One line of text, cut at the limit; None when there is none."""
    if not isinstance(value, str):
        return None
    text = clean(value.encode("utf-8", "replace").decode(), limit=len(value) * 4, empty=True)
    return " ".join(text.split())[:limit].strip() or None


def title_of(*values: object) -> str:
    """The first title there is; a dash where a shop left it out."""
    return next((text for one in values if (text := line_of(one, MAX_TITLE_CHARS))), "–")


def url_of(value: object) -> str | None:
    """An http address, None for what is none."""
    text = line_of(value, MAX_URL_CHARS + 1)
    if text is None or len(text) > MAX_URL_CHARS:
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    return text if parts.scheme in ("http", "https") and parts.netloc else None


def currency_of(value: object, default: str) -> str:
    """A currency code in capitals, the default where there is none."""
    text = (line_of(value, 8) or default).upper()
    return text if len(text) == 3 and text.isascii() and text.isalpha() else default


def minor_of(value: object, currency: str) -> int | None:
    """Money in the smallest unit, None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal | float):
        return None
    try:
        return to_minor(str(value), currency)
    except InvalidInput:
        return None


def needed_minor(value: Json, name: str, currency: str) -> int:
    """Money under a name. Raises InvalidInput when there is none, or less than nothing."""
    found = minor_of(value.get(name), currency)
    if found is None or found < 0:
        raise _unreadable(name)
    return found


def at_ms_of(value: object, zone: ZoneInfo | None = None) -> int | None:
    """An instant; without an offset it is UTC, or local time of ``zone``. None for what is none."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        number = int(value)
        number = number * 1000 if 0 < number < 10**11 else number
        return number if 0 < number <= MAX_AT_MS else None
    text = line_of(value, 40)
    if text is None:
        return None
    if zone is not None:
        try:
            return instant_ms(text, zone)
        except InvalidInput:
            return None
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        at_ms = round(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
    return at_ms if 0 < at_ms <= MAX_AT_MS else None


def needed_at_ms(value: Json, *names: str, zone: ZoneInfo | None = None) -> int:
    """The instant under the first of the names that has one. Raises InvalidInput when none has."""
    for name in names:
        found = at_ms_of(value.get(name), zone)
        if found is not None:
            return found
    raise _unreadable(names[0])


def quantity_of(value: object) -> int:
    """A number of pieces, 0 for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return 0
    try:
        number = int(Decimal(str(value)))
    except ArithmeticError:
        return 0
    return number if 0 < number <= MAX_QUANTITY else 0


def name_of(*parts: object) -> str | None:
    """A name made of its parts, None when all are empty."""
    words = [text for one in parts if (text := line_of(one, 100))]
    return " ".join(words)[:200] or None


def _no_number(_: str) -> NoReturn:
    raise ValueError("no number")


def _unreadable(name: str) -> InvalidInput:
    return InvalidInput(f"{name} is missing or cannot be read.", field=name)
