"""Customer cards for the peer: an empty one, and that of a shopper who is known well."""

from __future__ import annotations

from typing import Any  # Any: JSON as it goes over the wire

Json = dict[str, Any]  # Any: JSON as it goes over the wire
DAY = 86_400_000
PURPOSES = ("service", "analytics", "marketing_email", "marketing_sms", "profiling")


def blank(customer_id: str, email: str | None = None, phone: str | None = None) -> Json:
    """What a card has of somebody of whom nothing is known but what they typed."""
    typed = (("email", email), ("phone", phone))
    return {
        "person_id": customer_id,
        "customer_ids": [customer_id],
        "contacts": [contact(customer_id, kind, value) for kind, value in typed if value],
        "merged": [],
        "possible": [],
        "service": {
            "contacts_90d": 1,
            "minutes_90d": 0,
            "csat_last": None,
            "csat_last_at_ms": None,
            "csat_mean": None,
            "csat_n": 0,
            "complaints": 0,
        },
        "tags": [],
        "note": None,
        "preferred_channel": None,
        "quiet_hours": None,
        "blocked": None,
        "profiling_refused": False,
        "profile": None,
        "line": None,
        "playbook": None,
        "rift": None,
        "preferences": None,
        "orders": {"count": 0, "items": []},
        "tickets": None,
        "cart": None,
        "now": None,
        "consents": {purpose: {"state": "unsaid", "at_ms": None} for purpose in PURPOSES},
        "fresh": [],
        "hints": [],
        "price_question": None,
    }


def contact(customer_id: str, kind: str, shown: str, **change: Any) -> Json:  # Any: fields
    """A contact as the card shows it."""
    return {
        "kind": kind,
        "key_id": f"{customer_id}.{kind}.1",
        "customer_id": customer_id,
        "shown": shown,
        "masked": False,
        "level": "claimed",
        "source": "widget",
    } | change


def order(number: str, now: int, *, days_ago: int, **change: Any) -> Json:  # Any: fields
    """A paid order as the card shows it."""
    at_ms = now - days_ago * DAY
    total = change.get("total_minor", 26_800)
    return {
        "id": f"ord_{number}",
        "number": number,
        "source": "shop",
        "created_at_ms": at_ms,
        "total_minor": total,
        "net_minor": total,
        "refunded_minor": 0,
        "currency": "CNY",
        "status": "paid",
        "state": "paid",
        "late": False,
        "promised_at_ms": None,
        "shipped_at_ms": None,
        "delivered_at_ms": None,
        "carrier": None,
        "tracking_number": None,
        "tracking_url": None,
        "guest": False,
        "lines": [{"title": "亚麻被套", "sku": "LIN-1", "quantity": 1, "price_minor": total}],
    } | change


def known_well(customer_id: str, now: int) -> Json:
    """The card of Lin Yue: she buys often, and one parcel of hers is late."""
    return blank(customer_id) | {
        "contacts": [
            contact(
                customer_id,
                "email",
                "l***@…",
                masked=True,
                level="verified",
                source="signed",
            ),
            contact(
                customer_id,
                "phone",
                "138****2207",
                masked=True,
                level="verified",
                source="shop",
            ),
        ],
        "email": "l***@…",
        "phone": "138****2207",
        "merged": [
            {
                "customer_id": "cus_old",
                "name": "Lin Y.",
                "at_ms": now - 19 * DAY,
                "how": "staff",
                "link_id": "lnk_1",
                "can_undo": True,
            }
        ],
        "service": {
            "contacts_90d": 3,
            "minutes_90d": 26,
            "csat_last": 5,
            "csat_last_at_ms": now - 96 * DAY,
            "csat_mean": 4.8,
            "csat_n": 5,
            "complaints": 0,
        },
        "tags": ["老客户", "书房"],
        "note": {
            "body": "三月那盏台灯灯罩有裂，已免费补发。",
            "version": 3,
            "at_ms": now - 90 * DAY,
            "by": "Wang Min",
        },
        "preferred_channel": "chat",
        "quiet_hours": {"from": "22:00", "to": "08:00", "timezone": None},
        "profile": {
            "orders": 14,
            "net_minor": 693_200,
            "currency": "CNY",
            "first_order_at_ms": now - 1360 * DAY,
            "last_order_at_ms": now - 9 * DAY,
            "recency_days": 9,
            "usual_gap_days": 28.0,
            "usual_gap_is_own": True,
            "average_minor": 49_514,
            "r": 5,
            "f": 5,
            "m": 4,
            "segment": "champions",
            "value_cell": "key_value",
            "activity_stage": "active",
            "relationship_stage": "stable",
            "quiet": False,
            "declining": False,
            "trend": "up",
            "top20": True,
            "top20_share": 0.746,
            "provisional": False,
            "thresholds": {
                "version": 12,
                "at_ms": now - DAY // 2,
                "r_days": [179, 71, 32, 12],
                "f_classes": [2, 3, 5, 8],
                "m_minor": [30_000, 90_000, 250_000, 700_000],
            },
            "returns": {"chance": 0.64, "similar": 214, "days": 90},
            "value_band": "high",
            "coupon_orders": 6,
            "refund_share": 0.07,
            "staged_at_ms": now - 210 * DAY,
        },
        "line": {
            "en": "Champion · stable — 14 orders, ¥6,932 net, usual gap 28 d, last 9 d ago"
            " — answer first, thank, no discount needed.",
            "zh": "重要价值 · 稳定期 — 14 单/净额 ¥6,932，平时 28 天一单，上次 9 天前"
            " — 优先接待，先致谢，勿推折扣",
        },
        "playbook": {
            "queue": {"en": "+2, named agent", "zh": "+2，专属客服"},
            "tone": {"en": "familiar, no scripts", "zh": "像老朋友，不念话术"},
            "offer": {"en": "early access, not discount", "zh": "优先购买，不打折"},
            "follow_up": {"en": "once a year", "zh": "每年回访"},
        },
        "preferences": {
            "categories": ["灯具", "床品"],
            "brands": ["Mori"],
            "price_band_minor": [8_900, 42_800],
            "weekday": 6,
            "hour": 20,
        },
        "orders": {
            "count": 14,
            "items": [
                order(
                    "#20871",
                    now,
                    days_ago=9,
                    state="shipped",
                    late=True,
                    promised_at_ms=now - 2 * DAY,
                    shipped_at_ms=now - 8 * DAY,
                    carrier="顺丰",
                    tracking_number="SF1029384756",
                    tracking_url="https://track.example/SF1029384756",
                ),
                order(
                    "#20544",
                    now,
                    days_ago=22,
                    total_minor=8_900,
                    state="delivered",
                    delivered_at_ms=now - 18 * DAY,
                    lines=[
                        {
                            "title": "橡木手机支架",
                            "sku": "OAK-9",
                            "quantity": 2,
                            "price_minor": 4450,
                        }
                    ],
                ),
                order(
                    "#19310",
                    now,
                    days_ago=260,
                    total_minor=39_800,
                    state="delivered",
                    delivered_at_ms=now - 255 * DAY,
                    refunded_minor=5_000,
                    lines=[
                        {"title": f"台灯 {n}", "sku": None, "quantity": 1, "price_minor": 9_950}
                        for n in range(1, 5)
                    ],
                ),
            ],
        },
        "cart": {
            "currency": "CNY",
            "total_minor": 42_800,
            "updated_at_ms": now - 20 * 60_000,
            "abandoned": False,
            "lines": [{"title": "胡桃木护眼台灯", "quantity": 1, "price_minor": 42_800}],
            "checkout_url": None,
        },
        "now": {
            "url": "https://mori.example/p/walnut-lamp",
            "title": "Walnut desk lamp",
            "product": {"title": "胡桃木护眼台灯 · 三档调光"},
            "term": None,
            "at_ms": now - 60_000,
        },
        "consents": {
            "service": {"state": "unsaid", "at_ms": None},
            "analytics": {"state": "given", "at_ms": now - 30 * DAY},
            "marketing_email": {"state": "refused", "at_ms": now - 30 * DAY},
            "marketing_sms": {"state": "given", "at_ms": now - 30 * DAY},
            "profiling": {"state": "unsaid", "at_ms": None},
        },
        "fresh": [{"source": "shop", "last_at_ms": now - 120_000, "stale": False, "reason": None}],
        "hints": [
            {
                "sku": "BLB-40",
                "title": "4000K 灯泡",
                "price_minor": 3_900,
                "currency": "CNY",
                "url": "https://mori.example/p/bulb",
                "image_url": None,
                "why": {
                    "en": "Bought together with “Desk lamp” in 31 of 120 orders",
                    "zh": "120 个含“台灯”的订单里有 31 个也买了它",
                },
            }
        ],
        "price_question": {
            "kind": "price",
            "quantity": None,
            "answered": False,
            "message_id": "msg_1",
            "at_ms": now - 114_000,
            "items": [
                {
                    "sku": "LMP-207",
                    "title": "胡桃木护眼台灯 · 三档调光",
                    "price_minor": 42_800,
                    "currency": "CNY",
                    "url": "https://mori.example/p/walnut-lamp",
                    "image_url": None,
                    "stock": 42,
                    "as_of_ms": now - DAY,
                    "likeness": 0.92,
                }
            ],
        },
    }
