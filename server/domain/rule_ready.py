"""Rules to begin with: what many shops want, in both languages; each is taken over switched off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any  # Any: JSON values

Words = tuple[str, str]
Json = dict[str, Any]  # Any: JSON values


def _asks(*clauses: tuple[str, str, list[Any]], join: str = "all") -> Json:  # Any: JSON values
    read = [{"field": name, "op": op, "values": values} for name, op, values in clauses]
    return {"join": "all", "groups": [{"join": join, "clauses": read}]}


# By name: its title, and its plan without one. Texts are pairs where a language has to be chosen.
READY: Mapping[str, tuple[Words, Json]] = {
    "vip_first": (
        ("Valued customers’ tickets first", "重点客户的工单优先"),
        {
            "on": {"events": ["ticket_created"]},
            "when": _asks(
                ("customer.top20", "is", [True]),
                ("customer.segment", "in", ["champions", "cant_lose"]),
                join="any",
            ),
            "then": [
                {"do": "set_priority", "priority": "high"},
                {"do": "add_tag", "tags": [("valued", "重点客户")]},
            ],
        },
    ),
    "complaint": (
        ("Complaints become tickets", "投诉自动建单"),
        {
            "on": {"events": ["customer_wrote"]},
            "when": {
                "join": "all",
                "groups": [
                    {
                        "join": "all",
                        "clauses": [
                            {
                                "field": "message.text",
                                "op": "has",
                                "values": [
                                    "complain",
                                    "unacceptable",
                                    "lawyer",
                                    "投诉",
                                    "举报",
                                    "曝光",
                                    "太差",
                                ],
                            },
                            {"field": "conversation.channel", "op": "in", "values": ["chat"]},
                            {"field": "conversation.ticket", "op": "is", "values": [False]},
                        ],
                    }
                ],
            },
            "then": [
                {"do": "add_tag", "tags": [("complaint", "投诉")]},
                {
                    "do": "make_ticket",
                    "type": "complaint",
                    "subject": ("Complaint in a chat", "会话中的投诉"),
                    "priority": "high",
                },
            ],
        },
    ),
    "waits_long": (
        ("Nobody waits two hours unseen", "等待两小时必须有人管"),
        {
            "on": {"time": "waiting", "minutes": 120},
            "when": _asks(("shop.open", "is", [True])),
            "then": [
                {"do": "set_priority", "priority": "urgent"},
                {"do": "add_tag", "tags": [("waits", "久等")]},
                {
                    "do": "note",
                    "text": (
                        "This customer has waited for two hours.",
                        "该顾客已等待两小时，请尽快回复。",
                    ),
                },
            ],
        },
    ),
    "after_hours": (
        ("An answer outside business hours", "非营业时间自动答复"),
        {
            "on": {"events": ["chat_begins"]},
            "when": _asks(("shop.open", "is", [False])),
            "then": [
                {
                    "do": "post_message",
                    "en": "Thank you for writing to {shop.name}. We are closed just now; a person"
                    " will answer here as soon as we are back.",
                    "zh": "感谢联系{shop.name}。现在是非营业时间，上班后会有人工客服在此回复您。",
                }
            ],
        },
    ),
    "bad_rating": (
        ("A bad rating calls a senior", "差评转资深客服"),
        {
            "on": {"events": ["rated"]},
            "when": _asks(("conversation.rating", "max", [2])),
            "then": [
                {
                    "do": "make_ticket",
                    "type": "follow_up",
                    "subject": ("Bad rating: find out why", "差评：了解原因"),
                    "priority": "high",
                }
            ],
        },
    ),
    "cart": (
        ("Help with a cart left behind", "购物车遗留提醒"),
        {
            "on": {"time": "cart_abandoned", "minutes": 30},
            "when": _asks(("cart.total_minor", "min", [10000])),
            "then": [
                {
                    "do": "post_message",
                    "en": "There is something left in your cart. Can we answer a question?",
                    "zh": "您的购物车里还有商品未结算，有什么可以帮您的吗？",
                }
            ],
        },
    ),
    "parcel_late": (
        ("Late parcels become tickets", "包裹延误自动建单"),
        {
            "on": {"time": "parcel_late", "minutes": 1440},
            "when": {"join": "all", "groups": []},
            "then": [
                {
                    "do": "make_ticket",
                    "type": "delivery",
                    "subject": (
                        "Parcel of order {order.number} is late",
                        "订单 {order.number} 延误",
                    ),
                }
            ],
        },
    ),
    "after_delivery": (
        ("A call a week after delivery", "签收一周后回访"),
        {
            "on": {"time": "after_delivery", "minutes": 10080},
            "when": _asks(("customer.segment", "in", ["champions", "loyal", "new"])),
            "then": [
                {
                    "do": "make_ticket",
                    "type": "follow_up",
                    "subject": ("How is order {order.number}?", "回访订单 {order.number}"),
                    "priority": "low",
                }
            ],
        },
    ),
    "refund": (
        ("Large refunds are looked at", "大额退款需复核"),
        {
            "on": {"events": ["order_refunded"]},
            "when": _asks(("order.refunded_percent", "min", [50])),
            "then": [
                {
                    "do": "make_ticket",
                    "type": "question",
                    "subject": (
                        "Refund of order {order.number}: why?",
                        "订单 {order.number} 退款原因",
                    ),
                }
            ],
        },
    ),
}


def ready_plan(name: str, locale: str) -> Json:
    """The plan of a ready-made rule with its texts in a language. Raises KeyError."""
    title, plan = READY[name]
    zh = locale.startswith("zh")
    read: Json = _spoken(plan, zh=zh)
    return {"name": title[zh]} | read


def _spoken(value: Any, *, zh: bool) -> Any:  # Any: JSON values
    if isinstance(value, tuple):
        return value[zh]
    if isinstance(value, dict):
        return {key: _spoken(one, zh=zh) for key, one in value.items()}
    return [_spoken(one, zh=zh) for one in value] if isinstance(value, list) else value
