"""Articles as people import them: one JSON object a line."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import orjson

from knowledge_base.text import clean

MAX_ID = 200
MAX_TITLE = 300
MAX_BODY = 100_000
MAX_CATEGORY = 200
MAX_PHRASING = 500
MAX_PHRASINGS = 1000


@dataclass(frozen=True, slots=True)
class Article:
    """One answer. Its phrasings are other ways in which customers ask for it."""

    id: str
    title: str
    body: str
    locale: str
    audience: Literal["public", "internal"] = "public"
    category: str | None = None
    phrasings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a line is no article; lines count from 1."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file held: the articles of its good lines, and what is wrong with the others."""

    articles: tuple[Article, ...]
    faults: tuple[Fault, ...]


class _Unfit(Exception):
    """A line that is refused; its text is the reason."""


def load_articles(path: Path) -> Reading:
    """The articles of a JSONL file in UTF-8, with or without a byte order mark.

    Raises OSError when the file cannot be read.
    """
    with path.open("rb") as lines:
        return read_articles(lines)


def read_articles(lines: Iterable[bytes]) -> Reading:
    """The articles of these lines, in their order; empty lines are passed over.

    A bad line never hides the good ones, so that a person can mend all of them at once. Keys that
    are not known are left alone: the format may grow.
    """
    articles: dict[str, Article] = {}
    faults: list[Fault] = []
    for number, line in enumerate(lines, 1):
        text = (line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line).strip()
        if not text:
            continue
        try:
            article = _article(_row(text), taken=articles)
        except _Unfit as unfit:
            faults.append(Fault(number, str(unfit)))
        else:
            articles[article.id] = article
    return Reading(tuple(articles.values()), tuple(faults))


def _row(text: bytes) -> Mapping[str, object]:
    try:
        row: object = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _Unfit(f"not JSON in UTF-8: {error.msg} at character {error.pos + 1}") from error
    if not isinstance(row, dict):
        raise _Unfit(
            'not an object: expected {"id": ..., "title": ..., "body": ..., "locale": ...}'
        )
    return cast("dict[str, object]", row)


def _article(row: Mapping[str, object], taken: Container[str]) -> Article:
    article_id = _said(row, "id", MAX_ID)
    if article_id in taken:
        raise _Unfit(f"id {article_id!r} is already used by an earlier line")
    audience = row.get("audience") or "public"
    if audience not in ("public", "internal"):
        raise _Unfit(f'audience is {audience!r}: expected "public" or "internal"')
    return Article(
        id=article_id,
        title=_said(row, "title", MAX_TITLE),
        body=_text(row, "body", MAX_BODY),
        locale=_said(row, "locale", MAX_ID),
        audience=audience,
        category=_text(row, "category", MAX_CATEGORY) if row.get("category") else None,
        phrasings=_phrasings(row.get("phrasings")),
    )


def _text(row: Mapping[str, object], key: str, limit: int) -> str:
    if key not in row:
        raise _Unfit(f"{key} is missing")
    return _bounded(row[key], key, limit)


def _said(row: Mapping[str, object], key: str, limit: int) -> str:
    """A text that has something in it that can be seen."""
    text = _text(row, key, limit)
    if not clean(text):
        raise _Unfit(f"{key} is empty")
    return text


def _phrasings(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise _Unfit("phrasings is not a list of texts")
    if len(value) > MAX_PHRASINGS:
        raise _Unfit(f"phrasings has {len(value)} texts; at most {MAX_PHRASINGS} are allowed")
    texts = [
        _bounded(text, f"phrasing {number}", MAX_PHRASING) for number, text in enumerate(value, 1)
    ]
    return tuple(text for text in texts if clean(text))


def _bounded(value: object, name: str, limit: int) -> str:
    if not isinstance(value, str):
        raise _Unfit(f"{name} is not a text")
    if len(value) > limit:
        raise _Unfit(f"{name} has {len(value)} characters; at most {limit} are allowed")
    return value
