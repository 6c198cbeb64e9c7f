"""One form for what is written in many."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.text import (
    MAX_QUERY,
    MAX_SECTION,
    clean,
    clean_query,
    sections,
    tokens,
    without_details,
)

ANY_TEXT = st.text(st.characters())


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("ＲＥＦＵＮＤ", "refund"),
        ("re\u200bfund", "refund"),
        ("退\u3000款\n？", "退 款 ?"),
        ("\u202eRTL\u202c", "rtl"),
    ],
)
def test_the_same_text_has_one_form(written: str, same: str) -> None:
    assert clean(written) == same


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("returned parcels", "returning a parcel"),
        ("What’s your policy?", "policies"),
        ("I can't change it", "cant changing"),
        ("退货", "请问退货吗"),
    ],
)
def test_forms_of_a_question_share_their_telling_tokens(first: str, second: str) -> None:
    assert set(tokens(clean(first))) & set(tokens(clean(second)))


def test_numbers_and_mixed_words_stay_whole() -> None:
    assert tokens(clean("iPhone15 订单 20240131")) == ["iphone15", "订", "单", "订单", "20240131"]


@given(st.text(st.characters(), min_size=MAX_QUERY))
def test_a_question_is_never_longer_than_what_is_looked_at(text: str) -> None:
    assert len(clean_query(text * 20)) <= MAX_QUERY


@given(ANY_TEXT)
def test_a_visible_word_always_gives_a_token(text: str) -> None:
    assert tokens(clean(text + " you"))


@given(ANY_TEXT)
def test_sections_lose_nothing_and_stay_short(body: str) -> None:
    found = sections(body)
    assert "".join("".join(found).split()) == "".join(body.split())
    assert all(0 < len(section) <= MAX_SECTION for section in found)


def test_sections_end_where_sentences_end() -> None:
    sentence = "这双鞋可以在三十天内退回。" * 10
    assert all(section.endswith("。") for section in sections(sentence * 5))


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("我的手机13800138000，订单号 SB20260101001 没到", "我的手机…，订单号 … 没到"),
        ("Call +44 20 7946 0958 about ABC-123456", "Call … about …"),
        ("see https://shop.example/c?d=1 or write to Anna.B@shop.example", "see … or write to …"),
        ("size 42, 1200 mm, 4K", "size 42, 1200 mm, 4K"),
    ],
)
def test_what_tells_who_asked_is_left_out_of_what_is_kept(said: str, kept: str) -> None:
    assert without_details(said) == kept
