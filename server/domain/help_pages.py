"""Where the pages of the help centre are."""

from __future__ import annotations

import re
from urllib.parse import quote

_NO_WORD = re.compile(r"[^\w]+")
_MOST_CHARS = 80


def article_path(article_id: str, title: str) -> str:
    """The path of an article's page, with its title for people to read.

    >>> article_path("a1", "How do I return it?")
    '/help/a1/how-do-i-return-it'
    """
    name = _NO_WORD.sub("-", title.lower()).strip("-")[:_MOST_CHARS]
    return f"/help/{quote(article_id)}/{quote(name)}" if name else f"/help/{quote(article_id)}"
