"""How sure to be in a shop, learnt from what became of its offers."""

from __future__ import annotations

import random

import orjson
import pytest

from knowledge_base.articles import Article
from knowledge_base.confidence import SHIPPED
from knowledge_base.index import build_index
from server.demo.run import ARTICLES
from server.knowledge.search import LEAST_EVENTS, State, recalibrated
from server.storage.knowledge import Offer

ROWS = [
    row for row in map(orjson.loads, ARTICLES.read_bytes().splitlines()) if row["locale"] == "en"
]


@pytest.fixture(scope="module")
def state() -> State:
    articles = [Article(f"{row['id']} en", row["title"], row["body"], "en") for row in ROWS]
    return State(build_index(articles), frozenset({"en"}), SHIPPED, None)


def offers(number: int, *, right: float) -> list[Offer]:
    """Offers for what customers asked, of which a share was used, whatever was offered."""
    chance = random.Random(5)
    asked = [(row["id"], text) for row in ROWS for text in row["phrasings"]]
    made = []
    for place in range(number):
        article, text = asked[place % len(asked)]
        used = chance.random() < right
        made.append(
            Offer(
                id=f"{chance.getrandbits(128):032x}",
                origin="message",
                query=text,
                band="suggest",
                articles=((article, 0.5),),
                kb_seq=1,
                asked_at_ms=place,
                locale="en",
                outcome="accepted" if used else "dismissed",
                chosen_id=article if used else None,
            )
        )
    return made


def test_a_few_outcomes_change_nothing(state: State) -> None:
    assert recalibrated(state, offers(LEAST_EVENTS - 50, right=0.5)) is None


def test_a_shop_in_which_offers_seldom_fit_becomes_less_sure(state: State) -> None:
    sober = recalibrated(state, offers(600, right=0.15))
    assert sober is not None
    assert sober.events > 500
    assert sober.calibration != SHIPPED
    assert sober.error < 0.15
    glad = recalibrated(state, offers(600, right=1.0))
    assert glad is not None
    assert sober.covered < glad.covered


def test_the_shipped_calibration_stays_where_it_says_it_better(state: State) -> None:
    found = recalibrated(State(state.index, state.locales, SHIPPED, None), offers(600, right=0.6))
    assert found is not None
    again = recalibrated(
        State(state.index, state.locales, found.calibration, None), offers(600, right=0.6)
    )
    assert again is not None
    assert again.error <= found.error
