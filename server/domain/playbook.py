"""What a customer is, why, and what to do about it, in one line; and the playbook behind it.

The playbook has a row for every kind of customer and a text in both languages for each of its
columns. What a shop writes itself stands over what comes with the program, text by text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from server.domain.money import digits

Words = dict[str, str]
Playbook = dict[str, dict[str, Words]]
Label = Literal["auto", "segments", "cells"]

ROWS = (
    "prospect",
    "exploring",
    "building",
    "stable",
    "declining",
    "dormant",
    "lost",
    "refunds",
)
# ``line`` is the end of the one-line reason: what to do now.
COLUMNS = ("line", "queue", "tone", "offer", "follow_up")
MAX_TEXT = 400

ROW_NAMES: dict[str, Words] = {
    "prospect": {"en": "Prospect", "zh": "潜在客户"},
    "exploring": {"en": "New, exploring", "zh": "新客户 · 考察期"},
    "building": {"en": "Building", "zh": "形成期"},
    "stable": {"en": "Stable, champion, key: value", "zh": "稳定期 · 冠军客户 · 重要价值"},
    "declining": {"en": "Declining, at risk, key: keep", "zh": "退化期 · 流失风险 · 重要保持"},
    "dormant": {"en": "Dormant", "zh": "沉睡客户"},
    "lost": {"en": "Lost", "zh": "流失客户"},
    "refunds": {"en": "Many refunds", "zh": "退款偏多"},
}
SEGMENT_NAMES: dict[str, Words] = {
    "champions": {"en": "Champion", "zh": "冠军客户"},
    "loyal": {"en": "Loyal", "zh": "忠诚客户"},
    "potential_loyalist": {"en": "Potential loyalist", "zh": "潜力忠诚"},
    "new": {"en": "New customer", "zh": "新客户"},
    "promising": {"en": "Promising", "zh": "有望客户"},
    "need_attention": {"en": "Needs attention", "zh": "需关注"},
    "about_to_sleep": {"en": "About to sleep", "zh": "将沉睡"},
    "cant_lose": {"en": "Can't lose", "zh": "不可失去"},
    "at_risk": {"en": "At risk", "zh": "流失风险"},
    "hibernating": {"en": "Hibernating", "zh": "沉睡客户"},
    "prospects": {"en": "Prospect", "zh": "潜在客户"},
}
CELL_NAMES: dict[str, Words] = {
    "key_value": {"en": "Key: value", "zh": "重要价值"},
    "key_keep": {"en": "Key: keep", "zh": "重要保持"},
    "key_develop": {"en": "Key: develop", "zh": "重要发展"},
    "key_rescue": {"en": "Key: rescue", "zh": "重要挽留"},
    "regular_value": {"en": "Regular: value", "zh": "一般价值"},
    "regular_keep": {"en": "Regular: keep", "zh": "一般保持"},
    "regular_develop": {"en": "Regular: develop", "zh": "一般发展"},
    "regular_let_go": {"en": "Regular: let go", "zh": "一般挽留"},
}
STAGE_NAMES: dict[str, Words] = {
    "exploring": {"en": "exploring", "zh": "考察期"},
    "quiet": {"en": "exploring, silent", "zh": "考察期（静默）"},
    "building": {"en": "building", "zh": "形成期"},
    "stable": {"en": "stable", "zh": "稳定期"},
    "declining": {"en": "declining", "zh": "退化期"},
    "ended": {"en": "ended", "zh": "已结束"},
}

DEFAULTS: Playbook = {
    "prospect": {
        "line": {
            "en": "answer price and stock questions first, keep it short",
            "zh": "优先答价格和库存，简短邀请",
        },
        "queue": {"en": "Price and stock questions: fast lane", "zh": "询价、问库存走快速通道"},
        "tone": {"en": "Short and inviting", "zh": "简短、有邀请感"},
        "offer": {
            "en": "A welcome code, if the shop has one",
            "zh": "店铺允许时可送新客券",
        },
        "follow_up": {
            "en": "Ask whether you may answer by e-mail",
            "zh": "征得同意后通过邮件继续联系",
        },
    },
    "exploring": {
        "line": {
            "en": "get delivery and the first question right, no discount yet",
            "zh": "把首单物流和第一个问题处理好，先不给折扣",
        },
        "queue": {"en": "One step ahead", "zh": "优先级 +1"},
        "tone": {"en": "Explain, and say what happens next", "zh": "多解释，说清下一步"},
        "offer": {
            "en": "None at first; tell of free returns",
            "zh": "先不给优惠，告知可免费退货",
        },
        "follow_up": {"en": "Ask 3 days after delivery", "zh": "签收 3 天后回访"},
    },
    "building": {
        "line": {
            "en": "recall the last purchase, suggest what goes with it",
            "zh": "提及上次购买，推荐搭配商品",
        },
        "queue": {"en": "In turn", "zh": "正常排队"},
        "tone": {"en": "Recall what they bought last", "zh": "提到上次买的东西"},
        "offer": {"en": "An item that goes with it", "zh": "推荐搭配商品"},
        "follow_up": {
            "en": "After the second order ask what they like",
            "zh": "第二单后询问偏好",
        },
    },
    "stable": {
        "line": {
            "en": "answer first, thank, no discount needed",
            "zh": "优先接待，先致谢，勿推折扣",
        },
        "queue": {"en": "Two steps ahead, to the agent they know", "zh": "优先级 +2，固定客服接待"},
        "tone": {"en": "Familiar, no set phrases", "zh": "像熟人一样，不用话术"},
        "offer": {
            "en": "Early access instead of discounts; after five stars ask for a referral",
            "zh": "给优先购买权而不是折扣；五星评价后可请其推荐朋友",
        },
        "follow_up": {"en": "Once a year; invite to review", "zh": "每年回访一次，邀请评价"},
    },
    "declining": {
        "line": {
            "en": "listen, ask what went wrong, make it good",
            "zh": "先倾听、问原因，再补救",
        },
        "queue": {"en": "Two steps ahead, to a senior", "zh": "优先级 +2，由资深客服接待"},
        "tone": {"en": "Listen, ask for the cause", "zh": "先倾听，问清原因"},
        "offer": {"en": "Goodwill up to the shop's limit", "zh": "在额度内给予补偿"},
        "follow_up": {"en": "A repair task within 2 days", "zh": "2 天内安排关系修复任务"},
    },
    "dormant": {
        "line": {"en": "welcome back, one coupon with an end", "zh": "欢迎回来，可给一张限时券"},
        "queue": {"en": "In turn", "zh": "正常排队"},
        "tone": {"en": "Welcome back", "zh": "“欢迎回来”"},
        "offer": {"en": "A coupon that ends soon", "zh": "限时优惠券"},
        "follow_up": {"en": "One attempt", "zh": "只尝试一次"},
    },
    "lost": {
        "line": {
            "en": "friendly and plain, ask why they stayed away",
            "zh": "平和接待，了解离开的原因",
        },
        "queue": {"en": "In turn", "zh": "正常排队"},
        "tone": {"en": "Neutral", "zh": "平和、中性"},
        "offer": {"en": "Only where past value was high", "zh": "仅限过去价值高的客户"},
        "follow_up": {"en": "Ask for the reason", "zh": "发送流失原因问卷"},
    },
    "refunds": {
        "line": {
            "en": "be exact, confirm in writing, no goodwill without a supervisor",
            "zh": "表述准确、书面确认，补偿须主管同意",
        },
        "queue": {"en": "In turn", "zh": "正常排队"},
        "tone": {"en": "Exact, in writing", "zh": "准确、留书面记录"},
        "offer": {"en": "No goodwill without a supervisor", "zh": "未经主管同意不给补偿"},
        "follow_up": {"en": "None", "zh": "无"},
    },
}

# From this share of what was paid on, refunds are what an agent must know first.
MANY_REFUNDS = 0.3
_SIGNS = {"GBP": "£", "EUR": "€", "USD": "$", "CNY": "¥", "JPY": "¥"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the line tells of a customer. ``own_gap`` is None until it is their own."""

    orders: int
    net_minor: int
    currency: str
    days_ago: int | None
    own_gap: float | None
    segment: str
    value_cell: str | None
    activity_stage: str
    relationship_stage: str
    quiet: bool
    declining: bool
    refund_share: float


def row_of(facts: Facts) -> str:
    """Which row of the playbook is for a customer; what calls for more care comes first."""
    if facts.orders and facts.refund_share > MANY_REFUNDS:
        return "refunds"
    if facts.activity_stage == "prospect":
        return "prospect"
    if facts.activity_stage == "lost":
        return "lost"
    valued = (facts.value_cell or "").startswith("key_") or facts.segment in (
        "at_risk",
        "cant_lose",
    )
    if facts.relationship_stage == "declining" and (valued or facts.activity_stage == "active"):
        return "declining"
    if facts.activity_stage == "dormant":
        return "dormant"
    best = facts.segment == "champions" or facts.value_cell == "key_value"
    if facts.relationship_stage == "stable" or best:
        return "stable"
    return "building" if facts.relationship_stage == "building" else "exploring"


def overlaid(texts: object) -> Playbook:
    """The whole playbook: what a shop has written over what comes with the program.

    ``texts`` is ``{row: {column: {"en", "zh"}}}`` with any of its parts missing; what is not of
    that form is passed over.
    """
    return {
        row: {
            column: words | _written(texts, row, column) for column, words in DEFAULTS[row].items()
        }
        for row in ROWS
    }


def _written(texts: object, row: str, column: str) -> Words:
    found = texts
    for name in (row, column):
        found = found.get(name) if isinstance(found, Mapping) else None
    if not isinstance(found, Mapping):
        return {}
    return {
        locale: text.strip()
        for locale in ("en", "zh")
        if isinstance(text := found.get(locale), str) and text.strip()
    }


def reason_line(facts: Facts, do: Words, *, label: Label = "auto") -> Words:
    """Label, why, and what to do, in both languages.

    ``label`` chooses between the eleven segments and the eight cells; by itself each language has
    the one that is usual in it.
    """
    english = (_label_en(facts, label), _why_en(facts), do["en"])
    chinese = (_label_zh(facts, label), _why_zh(facts), do["zh"])
    return {"en": " — ".join(english) + ".", "zh": " — ".join(chinese)}


def _label_en(facts: Facts, label: Label) -> str:
    names = _primary(facts, "cells" if label == "cells" else "segments")
    return " · ".join(part["en"] for part in (names, _stage(facts)) if part)


def _label_zh(facts: Facts, label: Label) -> str:
    names = _primary(facts, "segments" if label == "segments" else "cells")
    return " · ".join(part["zh"] for part in (names, _stage(facts)) if part)


def _primary(facts: Facts, kind: str) -> Words:
    if kind == "cells" and facts.value_cell is not None:
        return CELL_NAMES[facts.value_cell]
    return SEGMENT_NAMES[facts.segment]


def _stage(facts: Facts) -> Words | None:
    if facts.relationship_stage == "exploring" and facts.quiet:
        return STAGE_NAMES["quiet"]
    return STAGE_NAMES.get(facts.relationship_stage)


def _why_en(facts: Facts) -> str:
    if not facts.orders:
        return "no orders yet"
    money = money_words(facts.net_minor, facts.currency)
    parts = [f"{facts.orders} order{'s' if facts.orders > 1 else ''}, {money} net"]
    if facts.refund_share > MANY_REFUNDS:
        parts.append(f"{facts.refund_share:.0%} refunded")
    if facts.own_gap is not None:
        parts.append(f"usual gap {facts.own_gap:.0f} d")
    if facts.declining:
        parts.append("orders half as often as before")
    if facts.days_ago is not None:
        parts.append(f"last {facts.days_ago} d ago" if facts.days_ago else "last today")
    return ", ".join(parts)


def _why_zh(facts: Facts) -> str:
    if not facts.orders:
        return "还没有下过单"
    money = money_words(facts.net_minor, facts.currency)
    parts = [f"{facts.orders} 单/净额 {money}"]
    if facts.refund_share > MANY_REFUNDS:
        parts.append(f"退款占 {facts.refund_share:.0%}")
    if facts.own_gap is not None:
        parts.append(f"平时 {facts.own_gap:.0f} 天一单")
    if facts.declining:
        parts.append("下单频率不到以前一半")
    if facts.days_ago is not None:
        parts.append(f"上次 {facts.days_ago} 天前" if facts.days_ago else "今天刚下单")
    return "，".join(parts)


def money_words(minor: int, currency: str) -> str:
    """An amount in whole units, as people say it.

    >>> money_words(231049, "GBP"), money_words(12000, "CHF"), money_words(980, "JPY")
    ('£2,310', '120 CHF', '¥980')
    """
    whole = f"{round(minor / 10 ** digits(currency)):,}"
    sign = _SIGNS.get(currency)
    return f"{sign}{whole}" if sign else f"{whole} {currency}"
