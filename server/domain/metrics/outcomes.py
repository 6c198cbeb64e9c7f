"""The metrics of outcomes: what shoppers said of it, and what was ordered after it.

What is ordered after a chat is associated with it, never caused by it: beside the rate of who was
served stands that of who was not.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import cast

from server.domain import statistics, survival
from server.domain.metrics.model import (
    Aside,
    Figures,
    Metric,
    Rows,
    Truth,
    Words,
    still_maturing,
)
from server.domain.spans import DAY_MS, HOUR_MS

RATING_MATURE_MS = 72 * HOUR_MS
GOOD_SCORE = 4
LINKED_MS = 30 * DAY_MS
SALE_MS = 96 * HOUR_MS
MAX_INQUIRY_HOURS = 720
MAX_REPEAT_DAYS = 365

OF_THE_MOST_REPLIES = Words(
    "The agent with the most replies in the session; of several, the one with more messages, then "
    "the one who replied last. Not whoever holds the chat when the rating comes.",
    "归会话中回复次数最多的客服；次数相同时归消息更多者，再相同归最后回复者，与评价到来时的接手人无关。",
)
OF_THE_LAST_REPLY = Words(
    "The agent of the last human reply before the payment; without an order, of the last reply in "
    "the session. One order belongs to one agent.",
    "归付款前最后一次人工回复的客服；没有订单时归会话中最后回复的客服。一笔订单只归一名客服。",
)
OF_THE_SHOP = Words("The shop, not a person.", "归店铺，不归个人。")
OF_SHOP_AND_SKU = Words(
    "The shop, and each product (SKU); not a person.", "归店铺，并可按商品（SKU）分列；不归个人。"
)


def _rated(row: Rows, _as_of_ms: int) -> Truth:
    return row.rated


def _good(row: Rows) -> Truth:
    return row.rating >= GOOD_SCORE


def _with_score(score: int) -> Aside:
    def counts(row: Rows, _as_of_ms: int) -> Truth:
        return row.rated & (row.rating == score)

    return Aside(
        id=f"score_{score}",
        name=Words(f"Ratings of {score}", f"{score} 分"),
        counts=counts,
    )


def _asked_or_rated(row: Rows, _as_of_ms: int) -> Truth:
    return row.asked | row.rated


def _with_silent(figures: Figures) -> Figures:
    scores = {score: figures.asides[f"score_{score}"] for score in range(1, 6)}
    total = sum(score * count for score, count in scores.items())
    return replace(
        figures,
        score=total / figures.n if figures.n else None,
        bounds=statistics.silent_bounds(figures.numerator or 0, figures.n, figures.asides["asked"]),
    )


def _asked_and_ripe(row: Rows, as_of_ms: int) -> Truth:
    return row.asked & ((row.rating_asked_at_ms <= as_of_ms - RATING_MATURE_MS) | row.rated)


def _is_rated(row: Rows) -> Truth:
    return row.rated


def _resolved(row: Rows, _as_of_ms: int) -> Truth:
    return row.resolved | row.asked


def _is_asked(row: Rows) -> Truth:
    return row.asked


RATING_METRICS = (
    Metric(
        id="csat",
        version=1,
        kind="rate",
        unit="ratio",
        source="session",
        agent="most_replies_by",
        name=Words("Satisfaction", "满意率"),
        short=Words("Satisfied", "满意率"),
        definition=Words(
            "Ratings of 4 or 5 out of all ratings of the sessions that began in the period, each "
            "session once, by its latest rating. With Wilson's interval. The mean score stands "
            "apart, and between what the rate could lie had everybody answered who was asked: as "
            "if none of the silent had been content, and as if all had.",
            "期内开始的会话所得评价中，4 分和 5 分所占的比例；每次会话只计一次，取最后一次评价，"
            "附 Wilson 区间。平均分另列；并给出假如所有受邀者都评价时的上下界："
            "未评价者全部不满意，或全部满意。",
        ),
        formula=Words("(ratings of 4 + ratings of 5) / ratings", "（4 分 + 5 分）÷ 评价数"),
        attribution=OF_THE_MOST_REPLIES,
        counts=_rated,
        succeeds=_good,
        asides=(
            *(_with_score(score) for score in range(1, 6)),
            Aside(
                id="asked",
                name=Words("Asked for a rating", "邀请评价"),
                counts=_asked_or_rated,
            ),
        ),
        finish=_with_silent,
    ),
    Metric(
        id="csat_rr",
        version=1,
        kind="rate",
        unit="ratio",
        source="session",
        agent="most_replies_by",
        name=Words("Rating response rate", "参评率"),
        short=Words("Rated", "参评率"),
        definition=Words(
            "Sessions that were rated out of those whose shopper was asked, under the same "
            "filters. Who was asked less than 72 hours ago counts only once they have rated; how "
            "many of the counted are that young stands beside it as open.",
            "受邀评价的会话中实际评价的比例，分子分母用同一筛选条件。邀请未满 72 小时的，"
            "评价后才计入；其中尚在期内的数量作为“未定”另列。",
        ),
        formula=Words(
            "rated / asked at least 72 h ago or rated already",
            "已评价 ÷（邀请满 72 小时或已评价）",
        ),
        attribution=OF_THE_MOST_REPLIES,
        counts=_asked_and_ripe,
        succeeds=_is_rated,
        still="maturing",
    ),
    Metric(
        id="csat_invite",
        version=1,
        kind="rate",
        unit="ratio",
        source="session",
        agent="most_replies_by",
        name=Words("Rating invite rate", "邀评率"),
        short=Words("Asked to rate", "邀评率"),
        definition=Words(
            "Sessions whose shopper was asked for a rating, out of those that were resolved.",
            "已解决的会话中邀请顾客评价的比例。",
        ),
        formula=Words("asked / resolved", "邀评 ÷ 已解决会话"),
        attribution=OF_THE_MOST_REPLIES,
        counts=_resolved,
        succeeds=_is_asked,
    ),
)


def _baseline(figures: Figures) -> Figures:
    """The figures with the rate of who was not served, and how far the two are apart."""
    missed, bought = figures.asides["missed"], figures.asides["missed_ordered"]
    return replace(
        figures,
        n_open=figures.asides["maturing"],
        baseline=Figures(
            n=missed,
            n_open=0,
            value=bought / missed if missed else None,
            numerator=bought,
            denominator=missed,
            interval=survival.wilson(bought, missed),
        ),
        difference=statistics.difference(figures.numerator or 0, figures.n, bought, missed),
    )


def inquiry_metric(hours: int) -> Metric:
    """The rate of pre-sale sessions after which the shopper paid an order within so many hours."""
    span_ms = hours * HOUR_MS

    def ripe(row: Rows, as_of_ms: int) -> Truth:
        return row.presale & row.served & (row.anchor_ms <= as_of_ms - span_ms)

    def young(row: Rows, as_of_ms: int) -> Truth:
        return row.presale & row.served & (row.anchor_ms > as_of_ms - span_ms)

    def missed(row: Rows, as_of_ms: int) -> Truth:
        return row.presale & row.unserved & (row.anchor_ms <= as_of_ms - span_ms)

    def ordered(row: Rows) -> Truth:
        return row.delay_ms <= span_ms

    preset = {24: ("next day", "次日"), 96: ("final, 4 days", "最终，4 天")}.get(hours)
    en, zh = preset or (f"{hours} h", f"{hours} 小时")
    return Metric(
        id=f"inq_conv_{hours}h",
        version=1,
        kind="rate",
        unit="ratio",
        source="inquiry",
        name=Words(f"Inquiry to order conversion ({en})", f"询单转化率（{zh}）"),
        short=Words(f"Ordered within {hours} h", f"询单转化（{zh}）"),
        definition=Words(
            f"Out of the pre-sale sessions that a person answered, last at least {hours} hours "
            f"ago: those whose shopper paid an order within {hours} hours of the last human reply "
            "before the payment. Pre-sale is a session without a paid order of the shopper in the "
            "24 hours before it and without a tag of after-sale. An order counts once, for the "
            "last reply before it. Beside it stands the same rate of the pre-sale chats of these "
            "days that nobody answered. The difference is associated with the answers, not caused "
            "by them: who gets one may differ from who gets none.",
            f"在有人工回复、且末次人工回复已满 {hours} 小时的售前会话中，"
            f"顾客于付款前最后一次人工回复后 {hours} 小时内付款的比例。"
            "售前会话：开始前 24 小时内该顾客没有已付款订单，且未打售后标签。"
            "一笔订单只计一次，归付款前最后一次回复。"
            "旁列同期无人回复的售前会话的下单率作对照；两者之差只说明相关，不代表由客服促成。",
        ),
        formula=Words(
            f"sessions with an order paid <= {hours} h after the last human reply / pre-sale "
            f"sessions with a last human reply >= {hours} h ago",
            f"末次人工回复后 {hours} 小时内付款的会话 ÷ 末次人工回复已满 {hours} 小时的售前会话",
        ),
        attribution=OF_THE_LAST_REPLY,
        counts=ripe,
        succeeds=ordered,
        asides=(
            Aside(
                id="maturing",
                name=Words("Too young to tell", "未满期"),
                counts=young,
            ),
            Aside(
                id="missed",
                name=Words("Not answered by anybody", "无人回复的售前会话"),
                counts=missed,
            ),
            Aside(
                id="missed_ordered",
                name=Words("Of these with an order", "其中下单"),
                counts=missed,
                succeeds=ordered,
            ),
        ),
        finish=_baseline,
    )


def repeat_metric(days: int) -> Metric:
    """The rate of served customers who paid a further order within so many days."""
    span_ms = days * DAY_MS

    def ripe(row: Rows, as_of_ms: int) -> Truth:
        return row.served & (row.anchor_ms <= as_of_ms - span_ms)

    def young(row: Rows, as_of_ms: int) -> Truth:
        return row.served & (row.anchor_ms > as_of_ms - span_ms)

    def missed(row: Rows, as_of_ms: int) -> Truth:
        return row.unserved & (row.anchor_ms <= as_of_ms - span_ms)

    def ordered(row: Rows) -> Truth:
        return row.delay_ms <= span_ms

    return Metric(
        id=f"repeat_{days}d",
        version=1,
        kind="rate",
        unit="ratio",
        source="shopper",
        distinct="person",
        name=Words(f"Repeat orders of served customers ({days} d)", f"复购率（返单率，{days} 天）"),
        short=Words(f"Ordered again within {days} d", f"{days} 天复购率"),
        definition=Words(
            "Out of the customers whom a person answered in the period, each once, by the last "
            f"reply of their first session in it, at least {days} days ago: those who paid a "
            f"further order within {days} days of it, at least their second of all. Beside it "
            "stands the same rate of customers who wrote in the period and were answered by "
            "nobody. The difference is associated with the answers, not caused by them.",
            f"期内得到人工回复的顾客（每人计一次，自其首次会话的末次回复起已满 {days} 天）中，"
            f"{days} 天内再次付款的比例；该订单至少是其第二笔已付款订单。"
            "旁列期内来询但无人回复的顾客的同一比例作对照；两者之差只说明相关，不代表由客服促成。",
        ),
        formula=Words(
            f"customers with a further order <= {days} d after service / served customers, "
            f"service >= {days} d ago",
            f"服务后 {days} 天内再次付款的顾客 ÷ 服务已满 {days} 天的顾客",
        ),
        attribution=OF_THE_SHOP,
        counts=ripe,
        succeeds=ordered,
        asides=(
            Aside(id="maturing", name=Words("Too young to tell", "未满期"), counts=young),
            Aside(
                id="missed",
                name=Words("Customers answered by nobody", "无人回复的顾客"),
                counts=missed,
            ),
            Aside(
                id="missed_ordered",
                name=Words("Of these with a further order", "其中再次下单"),
                counts=missed,
                succeeds=ordered,
            ),
        ),
        finish=_baseline,
    )


def _in_time(row: Rows, _as_of_ms: int) -> Truth:
    return row.delay_ms <= SALE_MS


def _is_contact(row: Rows, _as_of_ms: int) -> Truth:
    return row.contact


def _is_order(row: Rows, _as_of_ms: int) -> Truth:
    return row.order


def _per_order(figures: Figures) -> Figures:
    orders = figures.asides["orders"]
    return replace(
        figures,
        value=figures.n / orders if orders else None,
        numerator=figures.n,
        denominator=orders,
    )


def _ripe_order(row: Rows, as_of_ms: int) -> Truth:
    return row.order & (row.at_ms <= as_of_ms - LINKED_MS)


def _young_order(row: Rows, as_of_ms: int) -> Truth:
    return row.order & (row.at_ms > as_of_ms - LINKED_MS)


def _linked(row: Rows) -> Truth:
    return row.delay_ms <= LINKED_MS


ORDER_METRICS = (
    inquiry_metric(24),
    inquiry_metric(96),
    Metric(
        id="aov_chat",
        version=1,
        kind="money",
        unit="money",
        source="sale",
        name=Words("Order value after chat", "客服落实客单价"),
        short=Words("Spent after chat", "落实客单价"),
        definition=Words(
            "What buyers paid within 96 hours of the last human reply in a pre-sale session, less "
            "what was refunded since, by buyer. The numerator is the sales in all (销售额), the "
            "denominator the buyers. Each currency for itself. A cancelled order counts as "
            "refunded. Sales after a chat, not because of it.",
            "售前会话末次人工回复后 96 小时内付款的金额减去此后退款，按买家平均。"
            "分子为销售额，分母为买家数。各币种分别计算；取消的订单视为全额退款。"
            "这是咨询后的销售，不代表由客服促成。",
        ),
        formula=Words("(paid - refunded) / buyers", "（付款额 - 退款额）÷ 买家数"),
        attribution=OF_THE_LAST_REPLY,
        counts=_in_time,
        amount="net_minor",
        per="buyer",
    ),
    repeat_metric(90),
    Metric(
        id="contact_per_order",
        version=1,
        kind="ratio",
        unit="ratio",
        per_cent=False,
        source="contact",
        name=Words("Contacts per order", "每单咨询率"),
        short=Words("Contacts per order", "每单咨询"),
        definition=Words(
            "Sessions that began in the period by orders that were paid in it. May be above one. "
            "By product, an order is counted for each SKU that it was of when it was paid, a "
            "session for those of the latest order that its shopper had paid in the 30 days before "
            "it; sessions without one stand apart.",
            "期内开始的会话数除以期内付款的订单数，可能大于 1。"
            "按商品时，订单计入其付款时包含的每个 SKU；"
            "会话计入其开始前 30 天内该顾客最近一笔付款订单的各 SKU，"
            "没有这样订单的会话另列。",
        ),
        formula=Words("sessions / paid orders", "会话数 ÷ 付款订单数"),
        attribution=OF_SHOP_AND_SKU,
        counts=_is_contact,
        asides=(Aside(id="orders", name=Words("Paid orders", "付款订单"), counts=_is_order),),
        finish=_per_order,
    ),
    Metric(
        id="contact_per_order_linked",
        version=1,
        kind="rate",
        unit="ratio",
        source="contact",
        name=Words("Orders followed by a contact", "订单后咨询率"),
        short=Words("Contacted after order", "订单后咨询"),
        definition=Words(
            "Orders of the period, paid at least 30 days ago, whose buyer began a session within "
            "30 days of the payment. By product, an order is counted for each of its SKUs.",
            "期内付款且已满 30 天的订单中，买家在付款后 30 天内发起会话的比例。"
            "按商品时，订单计入其每个 SKU。",
        ),
        formula=Words(
            "orders with a session <= 30 d after payment / orders paid >= 30 d ago",
            "付款后 30 天内有会话的订单 ÷ 付款已满 30 天的订单",
        ),
        attribution=OF_SHOP_AND_SKU,
        counts=_ripe_order,
        succeeds=_linked,
        asides=(
            Aside(id="maturing", name=Words("Too young to tell", "未满期"), counts=_young_order),
        ),
        finish=still_maturing,
    ),
)

OUTCOME_METRICS: tuple[Metric, ...] = (*RATING_METRICS, *ORDER_METRICS)


def outcome_metric(metric_id: str) -> Metric | None:
    """The metric of an id that names a number, such as inq_conv_48h; None for no such."""
    found = re.fullmatch(r"(inq_conv_|repeat_)([1-9]\d{0,3})([hd])", metric_id)
    if found is None:
        return None
    name, number, unit = cast("tuple[str, str, str]", found.groups())
    if (name, unit) == ("inq_conv_", "h") and int(number) <= MAX_INQUIRY_HOURS:
        return inquiry_metric(int(number))
    if (name, unit) == ("repeat_", "d") and int(number) <= MAX_REPEAT_DAYS:
        return repeat_metric(int(number))
    return None
