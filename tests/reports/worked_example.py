"""A conversation worked out by hand, with a hand-over, a private note, a courtesy and a reopening.

Asia/Shanghai: 10:00:00 question, :01 greeting, :05 hand-over by the bot and queue, :20 a second
message, :30 A accepts, :50 A replies, 10:01:00 a macro, 10:03:00 second question, :10 private note,
10:04:00 A to B, 10:05:30 B replies, 10:06:00 thanks, dismissed just before B resolves at 10:06:30,
rated 5 at 10:08, an order of 299.00 paid at 10:40, and the next day at 11:00 a new question that
still waits at 11:10.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any  # Any: JSON values

from server.storage.database import Database
from server.storage.shop import Shop, insert_shop

DAY = "2026-11-20"
NEXT_DAY = "2026-11-21"
AS_OF = f"{NEXT_DAY}T11:10:00"
AMY = "amy@desk.example"
BO = "bo@desk.example"

_ROWS: tuple[tuple[str, str, str, str | None, dict[str, Any]], ...] = (
    (f"{DAY}T10:00:00", "conversation.opened", "customer", None, {"channel": "chat"}),
    (f"{DAY}T10:00:00", "message.posted", "customer", None, {"body": "在吗"}),
    (f"{DAY}T10:00:01", "message.posted", "bot", None, {"body": "您好", "origin": "auto"}),
    (f"{DAY}T10:00:05", "bot.handed_off", "bot", None, {}),
    (f"{DAY}T10:00:05", "queue.entered", "system", None, {}),
    (f"{DAY}T10:00:20", "message.posted", "customer", None, {"body": "有货吗"}),
    (f"{DAY}T10:00:30", "queue.left", "system", None, {"reason": "assigned"}),
    (f"{DAY}T10:00:30", "assignment.accepted", "agent", AMY, {"to": AMY}),
    (f"{DAY}T10:00:50", "message.posted", "agent", AMY, {"body": "有的", "origin": "typed"}),
    (f"{DAY}T10:01:00", "message.posted", "agent", AMY, {"body": "包邮", "origin": "macro"}),
    (f"{DAY}T10:03:00", "message.posted", "customer", None, {"body": "几天到?"}),
    (
        f"{DAY}T10:03:10",
        "message.posted",
        "agent",
        AMY,
        {"body": "问一下 B", "visibility": "private"},
    ),
    (
        f"{DAY}T10:04:00",
        "assignment.changed",
        "agent",
        AMY,
        {"from": AMY, "to": BO, "reason": "transfer"},
    ),
    (f"{DAY}T10:05:30", "message.posted", "agent", BO, {"body": "三天", "origin": "kb"}),
    (f"{DAY}T10:06:00", "message.posted", "customer", None, {"body": "谢谢"}),
    (f"{DAY}T10:06:30", "turn.dismissed", "agent", BO, {"reason": "courtesy"}),
    (f"{DAY}T10:06:30", "conversation.status_changed", "agent", BO, {"status": "resolved"}),
    (f"{DAY}T10:06:31", "rating.asked", "system", None, {}),
    (f"{DAY}T10:08:00", "rating.given", "customer", None, {"score": 5, "comment": "很快"}),
    (f"{NEXT_DAY}T11:00:00", "message.posted", "customer", None, {"body": "漏发配件"}),
    (f"{NEXT_DAY}T11:00:00", "queue.entered", "system", None, {}),
)


def event_lines() -> list[dict[str, Any]]:
    """The rows of the example as an import takes them; both agents are online from 9:00."""
    online = [
        {
            "event_id": f"online-{name}",
            "ts": f"{DAY}T09:00:00+08:00",
            "kind": "agent.presence_changed",
            "conversation": None,
            "customer": None,
            "actor_kind": "agent",
            "actor": name,
            "data": {"status": "online", "capacity": 5},
        }
        for name in (AMY, BO)
    ]
    chat = [
        {
            "event_id": f"c1-{number}",
            "ts": f"{at}+08:00",
            "kind": kind,
            "conversation": "C1",
            "customer": "buyer-1",
            "actor_kind": actor_kind,
            "actor": actor,
            "channel": "chat",
            "data": data,
        }
        for number, (at, kind, actor_kind, actor, data) in enumerate(_ROWS)
    ]
    order = {
        "event_id": "order-1",
        "ts": f"{DAY}T10:40:00+08:00",
        "kind": "order.paid",
        "conversation": None,
        "customer": "buyer-1",
        "actor_kind": "system",
        "actor": None,
        "data": {"order_id": "A1", "amount_minor": 29_900, "currency": "CNY"},
    }
    return [*online, *chat, order]


def write_lines(path: Path, lines: list[dict[str, Any]]) -> Path:
    """The rows as an NDJSON file."""
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    path.write_text(text, encoding="utf-8")
    return path


def open_shop(database: Database, *, timezone: str = "Asia/Shanghai") -> Shop:
    """A shop for tests of reports."""
    shop = Shop(
        name="Mori & Oak", locale="en", timezone=timezone, currency="CNY", site_key="site-1"
    )
    database.write_now(lambda tx: insert_shop(tx, shop))
    return shop
