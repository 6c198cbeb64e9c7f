"""A desk as it looks on a busy afternoon, in both languages: what the pictures and axe look at."""

from __future__ import annotations

from tests.console.cards import known_well
from tests.console.peer import ME, Conversation, Desk

LAMP = {"url": "https://mori.example/p/walnut-lamp", "title": "Walnut desk lamp"}
STOOL = {"url": "https://mori.example/p/oak-stool", "title": "Oak stool"}

# name, language, seconds waited (None: answered), last words, tags, page, minutes since
WAITING = (
    ("Marcus Reid", "en", 192, "Parcel says delivered, nothing here", ["late parcel"], None, 3),
    ("Sophie Arnaud", "en", 47, "Does the oak stool ship to Lyon?", ["pre-sale"], STOOL, 2),
    ("周可", "zh", 21, "发票抬头能改吗？已经付款了", ["发票"], None, 1),
)
ACTIVE = (
    ("Priya Natarajan", "en", "Great, sending you the return label now.", ["return"], 2),
    ("何佳", "zh", "好的，等您消息", ["搭配"], 6),
    ("Tom Okafor", "en", "Photos of the chipped mug attached", ["quality", "#4417"], 18),
    ("徐岚", "zh", "谢谢，已经收到优惠券了", ["coupon"], 25),
)


def fill(desk: Desk) -> Conversation:
    """Puts the afternoon on the desk; gives the conversation to look at."""
    now = desk.now_ms()
    minute = 60_000
    for name, locale, wait_s, words, tags, page, ago in WAITING:
        row = desk.add(
            name,
            locale=locale,
            tags=tags,
            entry_page=page,
            verified=ago > 2,
            segment={3: "at_risk", 2: "new"}.get(ago),
            opened_at_ms=now - ago * minute,
        )
        for i in range(3 if ago > 2 else ago):
            body = words if i == max(0, (3 if ago > 2 else ago) - 1) else "Hello?"
            desk.message(row, body, at_ms=now - wait_s * 1000 + i * 1000)
    for name, locale, words, tags, ago in ACTIVE:
        row = desk.add(name, locale=locale, tags=tags, customer_present=ago < 20, verified=ago == 6)
        desk.message(row, "Hello", at_ms=now - (ago + 1) * minute)
        by = ME["id"] if ago in (2, 25) else "customer"
        desk.message(row, "OK", by=ME["id"], at_ms=now - ago * minute - 1000)
        desk.message(row, words, by=by, at_ms=now - ago * minute)
        row.summary.update(waiting_since_ms=None, unanswered=0)
    snoozed = desk.add("Elena Petrova", tags=["invoice"])
    desk.message(snoozed, "I will send the tax number on Monday", at_ms=now - 90 * minute)
    snoozed.summary.update(
        status="snoozed", snoozed_until_ms=now + 20 * 3_600_000, waiting_since_ms=None, unanswered=0
    )
    for i, wait_s in enumerate((64, 33)):
        row = desk.add(None, assignee_id=None, queued_at_ms=now - wait_s * 1000, entry_page=LAMP)
        desk.message(
            row, ("Is the lamp dimmable?", "在吗？想问下发货时间")[i], at_ms=now - wait_s * 1000
        )
    other = desk.add("Ingrid Solberg", assignee_id="agt_wang", tags=["wholesale"])
    desk.message(other, "We need forty stools for a café", at_ms=now - 15_000)
    for name, words, days in (
        ("Jonas Weber", "Perfect, thank you!", 1),
        ("唐宁", "解决了，谢谢", 2),
    ):
        done = desk.add(
            name,
            status="resolved",
            resolved_at_ms=now - days * 86_400_000,
            rating=5 if days == 1 else 4,
        )
        desk.message(done, words, at_ms=now - days * 86_400_000)
        done.summary.update(waiting_since_ms=None, unanswered=0)
    return _lin_yue(desk)


def _lin_yue(desk: Desk) -> Conversation:
    now = desk.now_ms()
    minute = 60_000
    row = desk.add(
        "林悦",
        id="cnv_linyue",
        locale="zh",
        tags=["价格"],
        entry_page=LAMP,
        verified=True,
        opened_at_ms=now - 14 * minute,
    )
    row.card |= known_well(row.card["id"], now)
    row.summary["customer"].update(segment="champions", top20=True)
    row.card.update(
        created_at_ms=now - 86_400_000 * 980,
        conversation_count=3,
        conversations=[
            {
                "id": "cnv_0012",
                "status": "resolved",
                "opened_at_ms": now - 86_400_000 * 96,
                "last_activity_at_ms": now - 86_400_000 * 96,
                "preview": "台灯灯罩到货有一道裂纹，可以补发吗？",
                "assignee_name": "Wang Min",
                "rating": 5,
                "messages": 14,
            },
            {
                "id": "cnv_0013",
                "status": "resolved",
                "opened_at_ms": now - 86_400_000 * 180,
                "last_activity_at_ms": now - 86_400_000 * 180,
                "preview": "请问可以开专票吗",
                "assignee_name": "Chen Hao",
                "rating": None,
                "messages": 5,
            },
        ],
    )
    yesterday = now - 86_400_000
    desk.record(row, "conversation.opened", {"channel": "web"}, at_ms=yesterday)
    desk.message(row, "请问胡桃木台灯还有货吗？", at_ms=yesterday + 4000)
    desk.message(
        row, "有的，现货 42 台，今天下单明天发出。", by="agt_wang", at_ms=yesterday + 52_000
    )
    at = now - 14 * minute
    desk.message(row, "你好，这盏台灯可以调色温吗？我想放在孩子书桌上。", at_ms=at)
    lamp = {
        "type": "product",
        "title": "胡桃木护眼台灯 · 三档调光",
        "sku": "LMP-207",
        "price_minor": 42800,
        "currency": "CNY",
        "url": LAMP["url"],
    }
    desk.message(row, "", at_ms=at + 6000, blocks=[lamp])
    desk.record(row, "queue.entered", {"team_id": "team_sales", "ahead": 2}, at_ms=at + 7000)
    why = {
        "load": 7,
        "capacity": 10,
        "candidates": 3,
        "served_before_at_ms": now - 86_400_000 * 96,
        "speaks": "zh",
    }
    desk.record(
        row, "assignment.accepted", {"to": ME, "reason": "auto", "why": why}, at_ms=at + 30_000
    )
    reply = desk.message(
        row,
        "林女士您好，我是陈皓。可以的：3000K / 4000K / 5000K 三档，写作业推荐 4000K。参数见 https://mori.example/p/walnut-lamp",
        by=ME["id"],
        at_ms=at + 38_000,
    )
    desk.message(
        row,
        "Her March lamp came with a cracked shade — replaced free. "
        "Offer the loyalty coupon, not a price match.",
        by="agt_wang",
        visibility="private",
        at_ms=at + 60_000,
    )
    desk.message(row, "昨天看还是 398，今天怎么变 428 了？能按昨天的价格吗", at_ms=now - 114_000)
    row.marks.append(
        {
            "reader": {"kind": "customer", "id": row.summary["customer"]["id"], "name": "林悦"},
            "message_id": reply["data"]["message"]["id"],
            "at_ms": now - 200_000,
        }
    )
    row.viewing.append({"id": "agt_wang", "name": "Wang Min"})
    row.draft = {
        "body": "林女士，昨天的活动价确实是 398。您是老朋友，",
        "visibility": "public",
        "updated_at_ms": now,
    }
    return row
