"""The demo shop's articles answer what shoppers ask in words of their own.

``demo_questions.jsonl`` was written for this, apart from the articles and their phrasings: plain
questions of both languages, mistyped, in traditional characters, in pinyin, long messages, two
languages in one, and what no article answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any  # Any: JSON values

import orjson
import pytest

from knowledge_base.articles import Article
from knowledge_base.encoder import Encoder
from knowledge_base.index import Index, build_index
from knowledge_base.suggest import Suggestions, suggest
from tests.support.encoder import shared_encoder

# Six hundred texts get a meaning before the first test begins.
pytestmark = pytest.mark.timeout(300)

HERE = Path(__file__).parent
ARTICLES = HERE.parents[1] / "server" / "demo" / "articles.jsonl"
KINDS = ("plain", "mistyped", "traditional", "pinyin", "long", "mixed")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the set and what was found for it, article ids without their language."""

    relevant: frozenset[str]
    locale: str
    kind: str
    found: tuple[str, ...]
    suggestions: Suggestions


Row = dict[str, Any]  # Any: JSON values


def rows(path: Path) -> list[Row]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def articles(*locales: str) -> list[Article]:
    return [
        Article(
            id=f"{row['id']} {row['locale']}",
            title=row["title"],
            body=row["body"],
            locale=row["locale"],
            phrasings=tuple(row["phrasings"]),
        )
        for row in rows(ARTICLES)
        if row["locale"] in locales
    ]


def ask(index: Index, row: Row) -> Asked:
    given = suggest(index, row["text"], limit=6)
    found = dict.fromkeys(item.article_id.rpartition(" ")[0] for item in given.items)
    return Asked(
        frozenset(row["relevant_ids"]), row["locale"], row["kind"], tuple(found)[:3], given
    )


def recall(asked: list[Asked], within: int) -> float:
    return sum(not a.relevant.isdisjoint(a.found[:within]) for a in asked) / len(asked)


@pytest.fixture(scope="module")
def meaning() -> Encoder:
    return shared_encoder()


@pytest.fixture(scope="module", params=["words alone", "with meaning"])
def encoder(request: pytest.FixtureRequest, meaning: Encoder) -> Encoder | None:
    return None if request.param == "words alone" else meaning


@pytest.fixture(scope="module")
def answers(encoder: Encoder | None) -> list[Asked]:
    index = build_index(articles("en", "zh"), encoder=encoder)
    return [ask(index, row) for row in rows(HERE / "demo_questions.jsonl")]


@dataclass(frozen=True, slots=True)
class Floors:
    """What must be reached at least, and of what there may be most."""

    first: float
    third: float
    right_shown: float
    strange_shown: float


# A little under what was measured: 0.65, 0.83, 0.50 and 0.04; 0.75, 0.90, 0.60 and 0.06.
WORDS_ALONE = Floors(first=0.62, third=0.8, right_shown=0.46, strange_shown=0.1)
WITH_MEANING = Floors(first=0.72, third=0.87, right_shown=0.56, strange_shown=0.1)
# Recall at 3 by kind of question: words alone, with meaning.
BY_KIND = {
    ("plain", "en"): (0.68, 0.79),
    ("plain", "zh"): (0.85, 0.9),
    ("mistyped", "en"): (0.9, 0.9),
    ("mistyped", "zh"): (0.8, 0.8),
    ("traditional", "zh"): (0.8, 0.8),
    ("pinyin", "zh"): (0.9, 0.9),
    ("long", "en"): (0.6, 0.6),
    ("long", "zh"): (0.6, 0.7),
    ("mixed", "zh"): (0.6, 0.8),
}


def test_the_set_is_large_and_has_every_kind_in_both_languages() -> None:
    asked = rows(HERE / "demo_questions.jsonl")
    assert len(asked) >= 400
    assert len({row["text"] for row in asked}) == len(asked)
    assert {(row["kind"], row["locale"]) for row in asked} >= set(BY_KIND)
    known = {article.id.rpartition(" ")[0] for article in articles("en", "zh")}
    answered = {one for row in asked for one in row["relevant_ids"]}
    assert answered == known


def test_shoppers_words_find_the_article(answers: list[Asked], encoder: Encoder | None) -> None:
    floors = WITH_MEANING if encoder else WORDS_ALONE
    asked = [a for a in answers if a.relevant]
    right = sum(a.suggestions.band != "none" and recall([a], 1) == 1 for a in asked)
    assert recall(asked, 1) >= floors.first
    assert recall(asked, 3) >= floors.third
    assert right / len(asked) >= floors.right_shown


@pytest.mark.parametrize(("kind", "locale"), BY_KIND)
def test_however_they_are_written(
    answers: list[Asked], encoder: Encoder | None, kind: str, locale: str
) -> None:
    asked = [a for a in answers if (a.kind, a.locale) == (kind, locale)]
    assert recall(asked, 3) >= BY_KIND[(kind, locale)][encoder is not None]


def test_what_no_article_answers_is_hardly_ever_shown_one(
    answers: list[Asked], encoder: Encoder | None
) -> None:
    floors = WITH_MEANING if encoder else WORDS_ALONE
    strange = [a for a in answers if not a.relevant]
    shown = [a for a in strange if a.suggestions.band != "none"]
    assert len(shown) / len(strange) <= floors.strange_shown
    assert sum(a.suggestions.band == "answer" for a in strange) <= 2


def test_what_a_shopper_is_shown_first_is_right_as_often_as_it_says(answers: list[Asked]) -> None:
    sure = [a for a in answers if a.suggestions.band == "answer"]
    assert len(sure) >= 30
    assert sum(recall([a], 1) == 1 for a in sure) / len(sure) >= 0.85


@pytest.mark.parametrize(("spoken", "written"), [("zh", "en"), ("en", "zh")])
def test_a_question_finds_the_article_that_is_only_there_in_the_other_language(
    meaning: Encoder, spoken: str, written: str
) -> None:
    index = build_index(articles(written), encoder=meaning)
    asked = [
        ask(index, row)
        for row in rows(HERE / "demo_questions.jsonl")
        if row["locale"] == spoken and row["kind"] == "plain"
    ]
    assert recall(asked, 3) >= 0.72
