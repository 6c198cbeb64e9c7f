"""Values of other programs' JSON, read with doubt: what is not what it should be is absent."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any  # Any: JSON of another program

from server.domain.errors import InvalidInput
from server.domain.imported import read_email, read_locale
from server.domain.text import clean

Json = dict[str, Any]  # Any: JSON of another program
MAX_TAGS = 50
MAX_TAG_CHARS = 64
_SECONDS_LIMIT = 10**11


def object_of(value: Json, key: str) -> Json:
    """The object under a key; empty when there is none."""
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def number_of(value: object) -> int:
    """An id as a number to sort by, 0 for one that is none."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() else 0


def email_of(value: object) -> str | None:
    """An e-mail address, None for what is none."""
    try:
        return read_email(value) if isinstance(value, str) and value.strip() else None
    except InvalidInput:
        return None


def text_of(value: object) -> str:
    """Text of another desk in the normal form; what is no text is empty."""
    if not isinstance(value, str):
        return ""
    valid = value.encode("utf-8", "replace").decode()
    return clean(valid, limit=10_000_000, empty=True)


def line_of(value: object, limit: int) -> str | None:
    """One line of text, cut at the limit; None when there is none."""
    words = " ".join(text_of(value).split())[:limit].strip()
    return words or None


def id_of(value: object) -> str | None:
    """An id as text; numbers of any size keep every digit."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str) and 0 < len(value.strip()) <= 100:
        return value.strip()
    return None


def seconds_ms(value: object) -> int | None:
    """Milliseconds of a time in unix seconds, or in ISO 8601 with a zone; None for neither."""
    if isinstance(value, str) and re.fullmatch(r"\d{9,11}(\.\d+)?", value):
        value = float(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return round(value * 1000) if 0 < value < _SECONDS_LIMIT else None
    return iso_ms(value)


def iso_ms(value: object) -> int | None:
    """Milliseconds of an ISO 8601 time; without a zone it is UTC, as both desks' APIs have it."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip().replace("/", "-"))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    at_ms = round(moment.timestamp() * 1000)
    return at_ms if at_ms > 0 else None


def language_of(value: object) -> str | None:
    """A desk's language code as ours, None for what is no code."""
    try:
        return read_locale(value) if isinstance(value, str) and value.strip() else None
    except InvalidInput:
        return None


def tags_of(words: object) -> list[str]:
    """Labels as tags: text, once each, not too many and not too long."""
    if not isinstance(words, list):
        return []
    found = [tag for word in words if (tag := line_of(word, MAX_TAG_CHARS)) is not None]
    return list(dict.fromkeys(found))[:MAX_TAGS]
