"""What raises an article besides the question: an order's state, the page that is looked at.

The engine lets none of it weigh more than a tenth, and nothing in that no word speaks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal  # Any: JSON values

from knowledge_base.articles import Article
from knowledge_base.text import clean, tokens
from server.actions.hints import Hints, SeenPage
from server.domain.article_topics import OF_ORDER, topics_in

Json = dict[str, Any]  # Any: JSON values
# A word in more articles than this says nothing of a product.
COMMON = 0.1
FEW = 3
MOST_PHRASINGS = 8
_LINK = re.compile(r"\]\(https?://[^/)\s]+(/[^)\s?#]*)")
_WORTH = {"late": 1.0, "order": 0.7, "link": 1.0, "product": 0.8, "topic": 0.5}


@dataclass(frozen=True, slots=True)
class About:
    """What an article is about in one language."""

    article: Article
    topics: frozenset[str]
    links: frozenset[str]
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Book:
    """Articles by what they are about: a topic, a page that they lead to, a word that they name."""

    abouts: Mapping[str, About]
    topics: Mapping[str, frozenset[str]]
    links: Mapping[str, frozenset[str]]
    words: Mapping[str, frozenset[str]]
    articles: int


@dataclass(frozen=True, slots=True)
class Raised:
    """How much else speaks for an article, 0..1, and what: an order's state or a page."""

    worth: float
    by: Literal["order", "page"]
    state: str | None = None
    order: str | None = None
    page: str | None = None

    def as_json(self) -> Json:
        """As an agent is shown it."""
        told = {"by": self.by, "state": self.state, "order": self.order, "page": self.page}
        return {name: value for name, value in told.items() if value}


def book_of(articles: Iterable[Article], before: Book | None = None) -> Book:
    """What these articles are about; several languages of one article are one.

    What ``before`` knows of an article that has not changed is not worked out again.
    """
    known = before.abouts if before is not None else {}
    abouts: dict[str, About] = {}
    topics: dict[str, set[str]] = {}
    links: dict[str, set[str]] = {}
    words: dict[str, set[str]] = {}
    names: set[str] = set()
    for article in articles:
        about = known.get(article.id)
        if about is None or about.article is not article:
            about = _about(article)
        abouts[article.id] = about
        name = article.id.rpartition(" ")[0]
        names.add(name)
        for table, found in ((topics, about.topics), (links, about.links), (words, about.words)):
            for one in found:
                table.setdefault(one, set()).add(name)
    return Book(abouts, _frozen(topics), _frozen(links), _frozen(words), len(names))


def _about(article: Article) -> About:
    asked = " ".join((article.title, *article.phrasings[:MOST_PHRASINGS]))
    return About(
        article=article,
        topics=topics_in(f"{asked} {article.category or ''}"),
        links=frozenset(path.rstrip("/").lower() for path in _LINK.findall(article.body)),
        words=frozenset(word for word in tokens(clean(asked)) if len(word) > 1),
    )


def _frozen(table: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    return {name: frozenset(found) for name, found in table.items()}


def raised(book: Book, hints: Hints) -> dict[str, Raised]:
    """The articles that something speaks for, by their ids; of several reasons the strongest."""
    found: dict[str, Raised] = {}
    for ids, reason in (*_by_orders(book, hints), *_by_page(book, hints.page)):
        for article_id in ids:
            if article_id not in found or found[article_id].worth < reason.worth:
                found[article_id] = reason
    return found


def _by_orders(book: Book, hints: Hints) -> Iterator[tuple[frozenset[str], Raised]]:
    for state, number in hints.orders:
        worth = _WORTH["late" if state == "late" else "order"]
        for topic in OF_ORDER.get(state, ()):
            ids = book.topics.get(topic, frozenset())
            yield ids, Raised(worth, "order", state=state, order=number)


def _by_page(book: Book, page: SeenPage | None) -> Iterator[tuple[frozenset[str], Raised]]:
    if page is None:
        return
    nobody: frozenset[str] = frozenset()
    shown = page.product or page.title or page.path
    path = page.path.rstrip("/").lower()
    if path:
        yield book.links.get(path, nobody), Raised(_WORTH["link"], "page", page=shown)
    for word in tokens(clean(f"{page.product or ''} {page.sku or ''}")):
        ids = book.words.get(word, nobody)
        # A word that many articles have says nothing of a product.
        if len(ids) <= max(FEW, int(book.articles * COMMON)):
            yield ids, Raised(_WORTH["product"], "page", page=shown)
    if not page.product:
        for topic in topics_in(f"{page.title} {re.sub('[/_-]', ' ', path)}"):
            yield book.topics.get(topic, nobody), Raised(_WORTH["topic"], "page", page=shown)
