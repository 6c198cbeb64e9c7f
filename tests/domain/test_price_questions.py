"""Which sentences ask for a price, as shoppers of both languages write them, and which do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.offers import MAX_ABOUT_CHARS, buying_intent, price_question

ASKS = {
    "price": [
        "How much is the oak stool?",
        "how much for the walnut desk lamp",
        "Hi there, how much does this lamp cost with shipping to Lyon?",
        "What's the price of the linen duvet cover in king size?",
        "whats the price on this one",
        "price?",
        "Price please",
        "Could you send me a quote for the dining table?",
        "Can you tell me the current price of SKU LMP-207",
        "I saw this on Instagram, what does it cost",
        "Do you have a price list for the ceramic range?",
        "I'd like to know the cost of the large rug.",
        "Lovely shop! How much would two of the cushions be?",
        "HOW MUCH IS IT???",
        "how much are the mugs",
        "这个多少钱",
        "亲，这款台灯多少钱呀？",
        "你好 请问胡桃木书桌什么价",
        "在吗？实木餐桌怎么卖的",
        "价格多少",
        "价格？",
        "麻烦报个价",
        "亚麻被套 1.8米的多少钱一套",
        "這個檯燈多少錢？",
        "请问这张椅子单价是多少",
        "四件套怎么卖，可以发我价格表吗",
        "想问下羊毛地毯的价格是多少",
        "这个多少?",
        "大号的几块钱",
        "杯子多少一个",
        "How much 一个",
        "含运费吗？这个灯多少钱",
    ],
    "discount": [
        "Any discount if I take both?",
        "Do you have a student discount?",
        "Is there a coupon for new customers?",
        "Can you do a better price on the sofa?",
        "It's a bit too expensive for me, any discount?",
        "Is the oak table going on sale for Black Friday?",
        "Could I get 10% off if I order today?",
        "Yesterday it was 398, can you match that price?",
        "discount?",
        "Can it be cheaper?",
        "可以便宜点吗",
        "老板能不能少点",
        "有优惠券吗？",
        "双十一有活动吗",
        "这款能打几折",
        "打折吗",
        "最低多少能卖",
        "昨天看还是 398，今天怎么变 428 了？能按昨天的价格吗",
        "老客户有没有优惠",
        "買兩件可以優惠嗎",
        "学生价有吗",
    ],
    "bulk": [
        "What is your MOQ?",
        "Do you offer wholesale prices?",
        "How much for 50 pcs with our logo?",
        "Can we get a bulk discount for 200 mugs?",
        "If we order 120 chairs for a hotel, what would the price be?",
        "minimum order quantity please",
        "起订量是多少",
        "公司团购有优惠吗？",
        "批发价怎么算",
        "要 100 个杯子，多少钱一个",
        "我们酒店要50把椅子什么价格",
        "请问可以批发吗",
        "MOQ多少",
    ],
}

# None of these wants a product's price.
ASKS_NOT = [
    # money that has changed hands, or will come back
    "How much did I pay for my last order?",
    "I was charged twice for the same lamp",
    "Why was I charged a different price at checkout?",
    "How much will be refunded to my card?",
    "I paid the full price and the stool arrived broken.",
    "The price dropped the day after I bought it, I want the difference back",
    "How much do I owe for the return?",
    # what is not for sale
    "How much is shipping to Norway?",
    "What does delivery cost?",
    "Do I have to pay customs, and how much?",
    "How much is the restocking fee?",
    "How much is on my gift card?",
    # how much of something else
    "How much longer until my parcel arrives?",
    "How much does the table weigh?",
    "How much water does the vase hold?",
    "how much space do I need around the sofa",
    "Thank you so much!",
    "I like it very much",
    "How much time does assembly take",
    "How much is left in stock?",
    # codes and advertising
    "My discount code doesn't work",
    "The coupon is not accepted at checkout, it says expired",
    "I forgot to enter my voucher, can you apply it?",
    "Can I combine two discount codes?",
    "Please stop sending me emails about special offers",
    "I already used the promo code",
    # only talking
    "Great quality for the price, thank you",
    "Please send it without the prices, it is a gift",
    "Could you remove the price tag? It's a present",
    "It was worth the price.",
    "The price is fine, I only wonder about the colour",
    "Can I talk to your sales team?",
    "It's no big deal",
    "Where is my order #20871?",
    "I need the invoice for the wholesale club dinner chairs I bought",
    # the same in Chinese
    "运费多少钱",
    "寄到新疆邮费是多少钱",
    "退款退多少钱",
    "我上次付了多少钱",
    "多扣了我50块钱",
    "请把差价退给我",
    "降价了，能保价吗",
    "满多少包邮",
    "多少钱可以包邮",
    "优惠券用不了",
    "优惠券过期了怎么办",
    "优惠券怎么叠加使用",
    "下单忘记用优惠券了",
    "价格不错，质量也好",
    "不值这个价",
    "性价比很高",
    "送人的，不要放价格单",
    "麻烦把价格标签撕掉",
    "便宜没好货",
    "桌子多重",
    "这个灯多少瓦",
    "还要多少天到货",
    "尺寸是多少",
    "安装费多少钱",
    "多少钱都行，质量要好",
    "我的积分有多少",
    "什么时候发货",
    "谢谢，已经收到了",
    "为什么涨价了",
    "怎么退货",
    "说好的优惠没给我",
    "请不要再发活动短信了",
]

BUYING = [
    "Is the oak stool in stock?",
    "I'd like to order two of these",
    "can I still pre-order the blue one",
    "How do I buy this?",
    "When will the rug be back in stock?",
    "有现货吗",
    "我想买这款台灯",
    "怎么下单",
    "给我来三个",
    "什么时候补货",
    "How much is it?",
]

BUYING_NOT = [
    "I want to return what I bought",
    "Where is my order?",
    "I'd like to order a replacement, mine arrived broken",
    "Do you have a phone number?",
    "Can I cancel the order I made this morning?",
    "我买了两个，只收到一个",
    "想退货",
    "有货物损坏，要求赔偿",
    "订单到哪了",
    "谢谢",
    "Hello",
]


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, texts in ASKS.items() for text in texts]
)
def test_a_question_about_a_price_is_heard(kind: str, text: str) -> None:
    found = price_question(text)
    assert found is not None
    assert found.kind == kind


@pytest.mark.parametrize("text", ASKS_NOT)
def test_what_only_sounds_like_it_is_let_pass(text: str) -> None:
    assert price_question(text) is None


@pytest.mark.parametrize("text", BUYING)
def test_who_is_about_to_buy_is_noticed(text: str) -> None:
    assert buying_intent(text)


@pytest.mark.parametrize("text", BUYING_NOT)
def test_who_bought_already_or_has_trouble_is_not_about_to_buy(text: str) -> None:
    assert not buying_intent(text)


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("How much is the oak stool?", "oak stool"),
        ("Could you send me a quote for the dining table?", "dining table"),
        ("I love the walnut lamp. How much is it?", "walnut lamp"),
        ("这款胡桃木台灯多少钱", "胡桃木台灯"),
        ("实木餐桌怎么卖的", "实木餐桌"),
        ("在吗？羊毛地毯有优惠吗", "羊毛地毯"),
        ("It was cheaper yesterday, could I still have that price?", ""),
        ("能按昨天的价格吗", ""),
        ("how much is it?", ""),
        ("这个多少钱", ""),
    ],
)
def test_what_is_named_is_told_apart_from_the_asking(text: str, about: str) -> None:
    found = price_question(text)
    assert found is not None
    assert found.about == about


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("How much for 50 pcs?", 50),
        ("100个杯子多少钱", 100),
        ("两个多少钱", None),
        ("How much is the LMP-207?", None),
        ("how much for 2 pieces", 2),
        ("We need 24 stools for a café. Is there a trade price?", 24),
    ],
)
def test_how_many_are_wanted_is_read(text: str, quantity: int | None) -> None:
    found = price_question(text)
    assert found is not None
    assert found.quantity == quantity


@given(st.text(max_size=400), st.sampled_from([None, "en", "zh"]))
def test_any_text_is_answered_and_the_language_is_only_a_hint(
    text: str, locale: str | None
) -> None:
    found = price_question(text, locale)
    assert (found is None) == (price_question(text) is None)
    assert found is None or len(found.about) <= MAX_ABOUT_CHARS
    assert buying_intent(text, locale) or found is None
