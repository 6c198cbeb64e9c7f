"""Where a list goes on: an opaque text that holds the place of the last item and nothing else.

It is not signed, because it opens nothing: what is read from it is only compared with what the
caller may see anyway. It is bound to its list and filters, so that it cannot be mixed up.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping

from server.domain.errors import InvalidInput

MAX_CHARS = 400
_MAX_NUMBER = 2**53


def cursor_of(name: str, filters: Mapping[str, object], place: tuple[int, str]) -> str:
    """The cursor behind an item at ``place`` of the list ``name`` with these filters.

    >>> c = cursor_of("x.list", {"status": "open"}, (5, "a"))
    >>> place_of(c, "x.list", {"status": "open"})
    (5, 'a')
    """
    text = json.dumps([_mark(name, filters), *place], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place_of(
    cursor: str | None, name: str, filters: Mapping[str, object]
) -> tuple[int, str] | None:
    """The place a cursor stands for, None without one. Raises InvalidInput for any other text."""
    if cursor is None:
        return None
    wrong = InvalidInput(
        "This cursor does not belong to this list. Start again without one.", field="cursor"
    )
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise wrong from None
    if not isinstance(values, list) or len(values) != 3 or values[0] != _mark(name, filters):
        raise wrong
    number, text = values[1:]
    if not isinstance(number, int) or isinstance(number, bool) or abs(number) > _MAX_NUMBER:
        raise wrong
    if not isinstance(text, str) or not text.isascii() or not text.isprintable() or len(text) > 64:
        raise wrong
    return number, text


def _mark(name: str, filters: Mapping[str, object]) -> str:
    """What binds a cursor to a list: a short digest of its name and filters."""
    given = sorted((key, value) for key, value in filters.items() if value is not None)
    text = json.dumps([name, given], separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]
