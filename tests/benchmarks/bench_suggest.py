"""How long a suggestion takes, in processor time; prints, and never fails on time.

Goal: under 50 ms for a message of 100,000 characters.
"""

from __future__ import annotations

import random
import statistics
import time

import pytest

from knowledge_base.articles import Article
from knowledge_base.index import Index, build_index
from knowledge_base.suggest import suggest

SEED = 7
ROUNDS = 30
STEMS = ("refund", "order", "ship", "size", "gift", "pay")
WORDS = [stem + letter for stem in STEMS for letter in "abcdefgh"]
HAN = "退款订单物流发货尺码礼品支付优惠券地址修改查询取消客服发票换货包裹签收"


def _title(chance: random.Random, number: int) -> str:
    if number % 2:
        return "".join(chance.choices(HAN, k=12))
    return " ".join(chance.choices(WORDS, k=7))


def _base(articles: int) -> Index:
    chance = random.Random(SEED)
    return build_index(
        Article(str(number), _title(chance, number), _title(chance, number) * 5, "en")
        for number in range(articles)
    )


def _questions() -> dict[str, str]:
    chance = random.Random(SEED + 1)
    return {
        "short English": "where is my refunda orderb",
        "short Chinese": "我的退款订单什么时候发货",
        "100,000 English": " ".join(chance.choices(WORDS, k=14_000))[:100_000],
        "100,000 mistyped": " ".join(f"{word}xq" for word in chance.choices(WORDS, k=12_000)),
        "100,000 Chinese": "".join(chance.choices(HAN, k=100_000)),
        "100,000 that grow": "\ufdfa" * 100_000,
        "100,000 blanks": " " * 100_000 + "refunda",
    }


@pytest.mark.parametrize("articles", [100, 1000, 10_000])
def test_suggest(articles: int) -> None:
    started = time.process_time()
    index = _base(articles)
    print(f"\n{articles} articles: index in {time.process_time() - started:.2f} s")
    for name, question in _questions().items():
        took_ms = [_once_ms(index, question) for _ in range(ROUNDS)]
        print(f"  {name:20} {statistics.median(took_ms):6.2f} ms, most {max(took_ms):6.2f} ms")


def _once_ms(index: Index, question: str) -> float:
    started = time.process_time()
    suggest(index, question)
    return (time.process_time() - started) * 1000
