"""What is promised about suggestions, and questions that must find their article."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.articles import Article
from knowledge_base.index import Index, build_index
from knowledge_base.suggest import suggest
from knowledge_base.text import MAX_QUERY, clean
from tests.support.encoder import shared_encoder

ANY_TEXT = st.text(st.characters())
TITLES = st.lists(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300).filter(clean),
    min_size=1,
    max_size=8,
    unique_by=lambda title: clean(title)[:MAX_QUERY].strip(),
)


def base(titles: list[str], *, locale: str = "en", body: str = "") -> Index:
    return build_index(
        Article(str(number), title, body, locale) for number, title in enumerate(titles)
    )


@given(ANY_TEXT)
def test_any_text_is_answered_with_scores_from_0_to_1_best_first(shop: Index, text: str) -> None:
    found = suggest(shop, text, limit=100)
    scores = [item.score for item in found.items]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


@given(st.lists(ANY_TEXT, max_size=5), ANY_TEXT)
def test_any_articles_can_be_searched(titles: list[str], text: str) -> None:
    index = base(titles, body=text)
    assert len(suggest(index, text, limit=9).items) <= len(titles)


@given(TITLES)
def test_an_article_is_found_first_by_its_own_title(titles: list[str]) -> None:
    index = base(titles)
    for number, title in enumerate(titles):
        first = suggest(index, title).items[0]
        assert (first.article_id, first.score) == (str(number), 1)


@given(ANY_TEXT)
def test_the_same_question_has_the_same_answer(shop: Index, text: str) -> None:
    assert suggest(shop, text) == suggest(shop, text)


@pytest.mark.parametrize(
    ("question", "article"),
    [
        ("hi, how can I send these shoes back?", "return-en"),
        ("Still no refund on my card, when does the money arrive", "refund-en"),
        ("wheres my pakage", "track-en"),
        ("where is my parcel now, it is late", "track-en"),
        ("need to change adress of my delivery", "address-en"),
        ("the cupon code is rejected", "coupon-en"),
        ("could you send me a recipt / invoice?", "invoice-en"),
        ("what size should I take", "size-en"),
        ("please cancel, ordered twice by mistake", "cancel-en"),
        ("你好，这件衣服不合适，我想退货", "return-zh"),
        ("我的退款怎么还没到账啊", "refund-zh"),
        ("快递到哪里了", "track-zh"),
        ("收货地址填错了能改吗", "address-zh"),
        ("优惠券用不了", "coupon-zh"),
        ("请问可以开发票吗？", "invoice-zh"),
        ("选多大尺码合适", "size-zh"),
        ("生日礼物能帮忙包装吗", "gift-zh"),
    ],
)
def test_a_customers_words_find_the_article(shop: Index, question: str, article: str) -> None:
    found = suggest(shop, question)
    assert found.items[0].article_id == article
    assert found.band != "none"


@pytest.mark.parametrize(
    "question", ["do you sell garden furniture in Spain", "今天天气真不错", "???", "", "🙂"]
)
def test_what_no_article_answers_suggests_nothing(shop: Index, question: str) -> None:
    assert suggest(shop, question).band == "none"


@pytest.mark.parametrize("semantic", [False, True], ids=["words alone", "with meaning"])
@pytest.mark.parametrize("titles", [["Do you wrap gifts?"], ["Do you wrap gifts?", "Returns"]])
def test_a_base_of_an_article_or_two_is_no_surer_than_a_large_one(
    titles: list[str], *, semantic: bool
) -> None:
    encoder = shared_encoder() if semantic else None
    index = build_index((Article(t, t, "", "en") for t in titles), encoder=encoder)
    assert suggest(index, "Do you engrave copper kettles?").band != "answer"
    assert suggest(index, "can you gift wrap my order").items[0].article_id == titles[0]


def test_only_what_has_something_in_common_is_an_item(shop: Index) -> None:
    assert suggest(shop, "zzzzz qqqqq").items == ()


def test_the_customers_words_are_the_reason_that_is_given(shop: Index) -> None:
    first = suggest(shop, "voucher invalid").items[0]
    assert (first.article_id, first.part, first.text) == (
        "coupon-en",
        "phrasing",
        "voucher invalid",
    )


def test_the_section_that_answers_is_given() -> None:
    body = "Parcels leave at noon. " * 40 + "Batteries go by ship only. " + "Ask us anything. " * 40
    first = suggest(base(["Shipping"], body=body), "how are batteries sent").items[0]
    assert first.part == "body"
    assert "Batteries go by ship only." in first.text


@pytest.mark.parametrize(("locale", "found"), [("en", ["0"]), ("en-GB", ["0"]), ("zh_CN", ["1"])])
def test_a_locale_leaves_only_articles_in_its_language(locale: str, found: list[str]) -> None:
    index = build_index([Article("0", "VIP", "", "en-US"), Article("1", "VIP", "", "zh")])
    assert [item.article_id for item in suggest(index, "VIP", locale=locale).items] == found


def test_only_the_beginning_of_a_long_message_is_looked_at(shop: Index) -> None:
    question = "When will I get my refund, I am waiting. "
    long = (question * 20)[:MAX_QUERY]
    assert suggest(shop, long + "coupon " * 10_000) == suggest(shop, long)


def test_an_empty_base_suggests_nothing() -> None:
    found = suggest(build_index([]), "refund")
    assert (found.band, found.items) == ("none", ())


def test_what_customers_may_not_read_is_no_rival_to_what_they_may() -> None:
    articles = [
        Article("open", "How do I return an item?", "", "en"),
        Article("closed", "How to return an item: fraud checks", "", "en", audience="internal"),
    ]
    question = "how can i return an item"
    alone = suggest(build_index(articles[:1]), question)
    shown = suggest(build_index(articles), question, public_only=True)
    assert [item.article_id for item in shown.items] == ["open"]
    assert shown.band == alone.band
    assert len(suggest(build_index(articles), question).items) == 2


@pytest.mark.parametrize("word", ["seem", "form", "quite", "beach"])
def test_a_real_word_is_never_taken_for_another_one(word: str) -> None:
    index = base(["What do you see here?", "Parcels from abroad", "Be quiet", "Bench"])
    assert word not in suggest(index, f"it does {word} odd").corrections


def test_a_slip_is_still_put_right() -> None:
    index = base(["When will I get my refund?", "Where is my parcel?"])
    assert suggest(index, "my refudn is late").corrections == {"refudn": "refund"}


@pytest.mark.parametrize("sign", ["？？", "?", "…", "!!!", "🙂"])
def test_a_phrasing_of_signs_alone_widens_nothing(sign: str) -> None:
    article = Article("0", "Where is my parcel?", "", "en", phrasings=(sign, "late"))
    index = build_index([article])
    assert suggest(index, sign).items == ()
    assert [entry.text for entry in index.base.entries] == ["Where is my parcel?", "late"]
