"""The demo shop's answers: enough of them, in both languages, and found by who asks."""

from __future__ import annotations

from collections import Counter

import orjson
import pytest

from knowledge_base.articles import Article
from knowledge_base.index import build_index
from knowledge_base.suggest import suggest
from server.demo.run import ARTICLES

ROWS = [orjson.loads(line) for line in ARTICLES.read_bytes().splitlines()]


def test_there_are_at_least_sixty_in_each_language_each_with_ways_to_ask() -> None:
    ids = {
        locale: {row["id"] for row in ROWS if row["locale"] == locale} for locale in ("en", "zh")
    }
    assert ids["en"] == ids["zh"]
    assert len(ids["en"]) >= 60
    assert all(len(row["phrasings"]) >= 3 and row["body"] and row["category"] for row in ROWS)
    asked = Counter((row["locale"], text) for row in ROWS for text in row["phrasings"])
    assert [text for text, n in asked.items() if n > 1] == []


@pytest.mark.parametrize(
    ("question", "article"),
    [
        ("hi, i ordered last week and still nothing. where is my parcel??", "where-is-my-order"),
        ("the shade of my lamp arrived cracked", "damaged"),
        ("can you do a better price, it was 398 yesterday", "price-up"),
        ("is the walnut desk lamp good for my kid's homework, eyes?", "lamp-child"),
        ("i'd like to send the stool back, it wobbles", "return-item"),
        ("need an invoice with our company's tax id", "invoice"),
        ("你好，快递显示签收了但是我没拿到", "says-delivered"),
        ("昨天看还是398今天怎么贵了", "price-up"),
        ("凳子坐上去有点晃能修吗", "repair"),
        ("发票抬头写错了可以重开吗", "invoice-change"),
        ("孩子写作业用这个灯伤眼睛吗", "lamp-child"),
        ("退款好几天了还没收到", "refund-time"),
    ],
)
def test_a_question_in_a_shopper_s_own_words_finds_its_answer(question: str, article: str) -> None:
    locale = "zh" if any("\u4e00" <= letter <= "\u9fff" for letter in question) else "en"
    index = build_index(
        Article(row["id"], row["title"], row["body"], locale, phrasings=tuple(row["phrasings"]))
        for row in ROWS
        if row["locale"] == locale
    )
    found = suggest(index, question)
    assert article in [item.article_id for item in found.items], found.items
