"""Customers' words become ways to ask for an article only by rules that nobody can bend alone."""

from __future__ import annotations

import pytest

from server.actions import suggestions
from server.actions.articles import SetPhrasing, set_phrasing
from server.actions.import_articles import take_articles
from server.domain.actors import Actor, agent, customer
from server.domain.imported import ArticleRow
from server.storage.articles import Phrasing, add_phrasing, articles_by_name, phrasings_of
from server.storage.knowledge import Offer
from server.storage.unit import Tx
from tests.actions.scene import Scene

MEI, TOM = agent("mei", name="Mei"), agent("tom", name="Tom")
LEAD = agent("lead", name="Min", role="supervisor")
ANNA, BEN = customer("anna"), customer("ben")
ASKED = "can i send the lamp back"


class Learning:
    """An article, and who used it for which words."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        row = ArticleRow(1, "x", "returns", "en", "How to return?", "By post.")
        scene.database.write_now(lambda tx: take_articles(tx, [row]))
        self.id = scene.database.read_now(
            lambda c: articles_by_name(c, [("x", "returns")])[("x", "returns")].id
        )

    def used(self, by: Actor, words: str, *, customer_id: str = "anna") -> None:
        """Somebody used the article for these words, or was helped by it."""

        def learn(tx: Tx) -> None:
            offer = Offer(
                id=tx.new_id(),
                origin="shopper" if by.kind == "customer" else "message",
                query=words,
                band="answer",
                articles=((self.id, 0.9),),
                kb_seq=1,
                asked_at_ms=tx.at_ms,
                customer_id=customer_id,
                locale="en",
            )
            suggestions.learn(tx, by, offer, self.id)

        self.scene.database.write_now(learn)

    def known(self) -> list[Phrasing]:
        """The ways to ask that there are."""
        found = self.scene.database.read_now(lambda c: phrasings_of(c, [self.id]))
        return [phrasing for of_locale in found.values() for phrasing in of_locale]

    def states(self) -> list[tuple[str, str]]:
        """(words, state) of each."""
        return [(phrasing.text, phrasing.state) for phrasing in self.known()]


@pytest.fixture
def learning(scene: Scene) -> Learning:
    return Learning(scene)


def test_one_agent_alone_never_makes_words_count(learning: Learning) -> None:
    for _ in range(5):
        learning.used(MEI, ASKED)
    assert learning.states() == [(ASKED, "pending")]
    learning.used(TOM, ASKED)
    assert learning.states() == [(ASKED, "active")]
    (learnt,) = learning.known()
    assert (learnt.source, learnt.added_by, learnt.customer_id) == ("agent_used", "mei", "anna")


def test_shoppers_alone_teach_nothing_and_one_beside_an_agent_does(learning: Learning) -> None:
    learning.used(ANNA, ASKED)
    learning.used(BEN, ASKED)
    assert learning.states() == [(ASKED, "pending")]
    learning.used(MEI, ASKED)
    assert learning.states() == [(ASKED, "active")]
    learning.used(MEI, "does it fit in a letter")
    learning.used(BEN, "does it fit in a letter")
    assert [state for _, state in learning.states()] == ["active", "active"]


@pytest.mark.parametrize(
    "words",
    [
        "？？",
        "？？？？？？",
        "...",
        "在吗在吗",
        "你好，在吗？",
        "ok thanks",
        "hi!",
        "👍👍👍👍",
        "…",
        "a" * 301,
    ],
)
def test_what_asks_nothing_is_no_way_to_ask(learning: Learning, words: str) -> None:
    learning.used(MEI, words)
    learning.used(TOM, words)
    assert learning.states() == []


def test_the_sentence_that_asks_is_learnt_without_greeting(learning: Learning) -> None:
    learning.used(MEI, "Hello!\nCan I send the lamp back? My order is …. Thank you")
    assert learning.states() == [("Can I send the lamp back?", "pending")]


def test_words_nearly_known_are_not_learnt_twice(learning: Learning) -> None:
    learning.used(MEI, ASKED)
    learning.used(TOM, "can i send the lamps back?")
    assert learning.states() == [(ASKED, "active")]


def test_what_was_unlearnt_is_not_learnt_again(learning: Learning) -> None:
    learning.used(MEI, ASKED)
    learning.used(TOM, ASKED)
    (learnt,) = learning.known()
    refused = SetPhrasing(phrasing_id=learnt.id, state="rejected")
    learning.scene.database.write_now(lambda tx: set_phrasing(tx, LEAD, refused))
    for by in (MEI, TOM, ANNA):
        learning.used(by, ASKED)
    assert learning.states() == [(ASKED, "rejected")]


def test_an_article_has_room_for_fifty(learning: Learning) -> None:
    def fill(tx: Tx) -> None:
        for number in range(suggestions.MOST_PHRASINGS):
            add_phrasing(tx, Phrasing(learning.id, "en", f"way {number}", id=tx.new_id()))

    learning.scene.database.write_now(fill)
    learning.used(MEI, ASKED)
    learning.used(TOM, ASKED)
    assert (ASKED, "pending") in learning.states()
