"""Where an order stands and what is looked at raise the articles that are about it, a little."""

from __future__ import annotations

from knowledge_base.articles import Article
from knowledge_base.index import build_index
from knowledge_base.suggest import suggest
from server.actions.hints import Hints, SeenPage
from server.knowledge.priors import book_of, raised

ARTICLES = [
    Article("late en", "My parcel is late", "We look for it.", "en"),
    Article("late zh", "快递延误了怎么办？", "我们帮您查。", "zh"),
    Article("return en", "How do I return it?", "By post.", "en"),
    Article("lamp en", "Which bulb fits the walnut lamp?", "E27.", "en"),
    Article("size en", "Sizes", "See [the chart](https://shop.example/pages/sizes/).", "en"),
    Article("pay en", "Ways to pay", "Card.", "en"),
]
BOOK = book_of(ARTICLES)


def test_an_order_raises_what_is_about_its_state_and_the_more_urgent_counts() -> None:
    found = raised(BOOK, Hints(orders=(("late", "20871"), ("delivered", "20560"))))
    assert found["late"].as_json() == {"by": "order", "state": "late", "order": "20871"}
    assert found["return"].as_json() == {"by": "order", "state": "delivered", "order": "20560"}
    assert found["late"].worth > found["return"].worth
    assert found.keys() == {"late", "return"}
    assert raised(BOOK, Hints()) == {}


def test_a_page_raises_what_leads_to_it_and_what_names_its_product() -> None:
    sizes = SeenPage(path="/pages/sizes", title="Size chart")
    assert raised(BOOK, Hints(page=sizes)).keys() == {"size"}
    lamp = SeenPage(path="/p/1", title="Shop", sku="L-1", product="Walnut lamp, oiled")
    assert raised(BOOK, Hints(page=lamp))["lamp"].as_json() == {
        "by": "page",
        "page": "Walnut lamp, oiled",
    }
    assert raised(BOOK, Hints(page=SeenPage(path="/checkout", title=""))).keys() == {"pay"}


def test_what_is_raised_only_comes_before_what_fits_as_well() -> None:
    index = build_index(
        [
            Article("a en", "When does the lamp come?", "Soon.", "en"),
            Article("b en", "When does the chair come?", "Soon.", "en"),
            Article("c en", "Gift cards", "Yes.", "en"),
        ]
    )
    for first in ("a en", "b en"):
        found = suggest(index, "when does it come?", priors={first: 1.0, "c en": 1.0})
        assert found.items[0].article_id == first
        assert "c en" not in [item.article_id for item in found.items[:2]]


def test_an_article_that_did_not_change_is_not_looked_at_again() -> None:
    again = book_of([*ARTICLES[:-1], Article("pay en", "Returns", "x", "en")], BOOK)
    assert again.abouts["late en"] is BOOK.abouts["late en"]
    assert "pay" in again.topics["return"]
