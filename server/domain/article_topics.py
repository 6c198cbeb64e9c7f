"""What an article is about, told by its words, and what the state of an order makes likely."""

from __future__ import annotations

import re

# Few words each, those that titles of help pages have in both languages.
TOPICS: dict[str, tuple[str, ...]] = {
    "pay": ("pay", "payment", "checkout", "付款", "支付", "分期", "待付款"),
    "send": ("dispatch", "ship", "shipping", "发货", "出货", "预售", "催发"),
    "change": ("cancel", "change order", "change address", "取消订单", "改地址", "修改", "拦截"),
    "track": ("track", "tracking", "parcel", "delivery", "courier", "物流", "快递", "配送", "送达"),
    "late": ("late", "delay", "delayed", "not arrived", "lost", "延误", "没收到", "还没到", "丢件"),
    "return": ("return", "exchange", "退货", "换货", "退换", "不合适"),
    "warranty": ("warranty", "repair", "damaged", "broken", "保修", "维修", "破损", "坏了", "质量"),
    "refund": ("refund", "退款", "到账"),
}
# The more urgent first: what a late order raises, it raises most.
OF_ORDER: dict[str, tuple[str, ...]] = {
    "late": ("late", "track"),
    "placed": ("pay", "change"),
    "paid": ("send", "change"),
    "shipped": ("track",),
    "delivered": ("return", "warranty"),
    "refunded": ("refund",),
    "cancelled": ("refund",),
}
_WORDS = {
    topic: re.compile(
        "|".join(
            rf"\b{re.escape(word)}(?:s|ed|ing|ment)?\b" if word.isascii() else re.escape(word)
            for word in words
        )
    )
    for topic, words in TOPICS.items()
}


def topics_in(text: str) -> frozenset[str]:
    """The topics that a text names.

    >>> sorted(topics_in("How do I return an item, and when is the refund paid?"))
    ['refund', 'return']
    >>> sorted(topics_in("快递显示已送达但没收到"))
    ['late', 'track']
    """
    lowered = text.lower()
    return frozenset(topic for topic, words in _WORDS.items() if words.search(lowered))
