"""A Zendesk account as its API shows it, in two languages; every word was written for the tests.

Times count from 8 o'clock UTC of 3 November 2025, in seconds.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any  # Any: JSON

Json = dict[str, Any]
EIGHT = datetime(2025, 11, 3, 8, tzinfo=UTC)
API = "https://lantern.zendesk.com/api/v2"
HUGE = 36_028_797_018_963_969  # 2**55 + 1

NOOR, TOBI, RUE, WEI, COPIED = 9001, 9002, 7001, HUGE, 7003


def at(seconds: float) -> str:
    return (EIGHT + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def user(number: int, name: str, role: str = "end-user", **more: Any) -> Json:
    return {
        "id": number,
        "url": f"{API}/users/{number}.json",
        "name": name,
        "email": None,
        "phone": None,
        "external_id": None,
        "role": role,
        "locale": "en-US",
        "verified": True,
        "created_at": at(-90_000),
        "updated_at": at(-90_000),
    } | more


def users() -> list[Json]:
    return [
        user(NOOR, "Noor Aziz", "agent", email="noor@lantern.example"),
        user(TOBI, "Tobi Lund", "admin", email="tobi@lantern.example"),
        user(RUE, "Rue Marlow", email="rue@mail.example"),
        user(WEI, "魏然", email="wei@mail.example", external_id="member-91", locale="zh-CN"),
        user(COPIED, "Pip Marlow", email="pip@mail.example"),
    ]


def comment(number: int, author: int, seconds: float, text: str, **more: Any) -> Json:
    return {
        "id": number,
        "type": "Comment",
        "author_id": author,
        "body": text,
        "html_body": f"<div>{text}</div>",
        "plain_body": text,
        "public": True,
        "attachments": [],
        "via": {"channel": "email"},
        "created_at": at(seconds),
    } | more


def ticket(number: int, requester: int, **more: Any) -> Json:
    return {
        "id": number,
        "url": f"{API}/tickets/{number}.json",
        "requester_id": requester,
        "submitter_id": requester,
        "assignee_id": NOOR,
        "group_id": 51,
        "status": "solved",
        "priority": "high",
        "subject": "Lamp arrived cracked",
        "description": "x",
        "tags": ["damage"],
        "via": {"channel": "email"},
        "satisfaction_rating": {"score": "unoffered"},
        "created_at": at(0),
        "updated_at": at(900),
    } | more


def tickets() -> list[Json]:
    """101 answered in turns and solved, 102 in Chinese and open, 103 deleted, 104 a chat."""
    return [
        ticket(101, RUE, satisfaction_rating={"score": "good", "comment": "kind people"}),
        ticket(
            102,
            WEI,
            subject="运单号",
            status="open",
            priority=None,
            tags=["物流"],
            created_at=at(3600),
            updated_at=at(3800),
        ),
        ticket(103, RUE, status="deleted"),
        ticket(
            104,
            WEI,
            subject="Chat with 魏然",
            via={"channel": "chat"},
            status="closed",
            tags=[],
            priority=None,
            created_at=at(7200),
            updated_at=at(9999),
        ),
    ]


def comments() -> dict[int, list[Json]]:
    picture = {
        "id": 1,
        "file_name": "crack.jpg",
        "content_url": "https://lantern.zendesk.com/attachments/token/crack.jpg",
        "content_type": "image/jpeg",
    }
    return {
        101: [
            comment(1, RUE, 0, "The glass has a crack.", attachments=[picture]),
            comment(2, TOBI, 60, "Do we have spare glass?", public=False),
            comment(3, NOOR, 240, "We send a new glass today."),
            comment(4, COPIED, 400, "Same for mine, please."),
            comment(5, NOOR, 700, "Both are on their way."),
        ],
        102: [
            comment(HUGE, WEI, 3600, "运单号是多少？"),
            comment(12, -1, 3601, "We have your request.", via={"channel": "rule"}),
            comment(13, NOOR, 3720, "SF-2231，预计明天到。"),
            comment(14, WEI, 3800, "还没看到更新。"),
        ],
        104: [
            comment(
                21,
                WEI,
                7500,
                "Chat started: 2025-11-03 10:00 AM UTC\n"
                "(06:00:05 PM) 魏然: 在吗\n"
                "(06:00:30 PM) Tobi Lund: 在的，您说\n"
                "慢慢来\n"
                "(06:00:35 PM) *** Tobi Lund shared a page ***\n"
                "(06:03:00 PM) 魏然: 想换颜色\n"
                "(06:04:40 PM) Tobi Lund: 好的，已换",
                via={"channel": "chat"},
            ),
        ],
    }


def audits() -> list[Json]:
    """What became of ticket 101: solved with the last answer."""
    return [
        {
            "id": 901,
            "ticket_id": 101,
            "created_at": at(700),
            "author_id": NOOR,
            "events": [
                {"id": 5, "type": "Comment", "body": "Both are on their way.", "public": True},
                {
                    "id": 9101,
                    "type": "Change",
                    "field_name": "status",
                    "value": "solved",
                    "previous_value": "open",
                },
            ],
        },
    ]


def articles() -> list[Json]:
    return [
        {
            "id": 401,
            "url": f"{API}/help_center/en-us/articles/401.json",
            "title": "Broken on arrival",
            "body": "<h2>What to do</h2><ol><li>Take a picture</li><li>Write to us</li></ol>"
            '<p>See <a href="https://lantern.example/terms">the terms</a>.</p>'
            "<script>alert(1)</script>",
            "locale": "en-us",
            "source_locale": "en-us",
            "draft": False,
            "section_id": 71,
            "user_segment_id": None,
            "created_at": at(-50_000),
            "updated_at": at(-40_000),
        },
        {
            "id": 402,
            "title": "Refund limits",
            "body": "<p>Up to 40 without asking.</p>",
            "locale": "en-us",
            "draft": True,
            "section_id": 71,
            "user_segment_id": 5,
            "created_at": at(-50_000),
            "updated_at": at(-40_000),
        },
    ]


def translations() -> list[Json]:
    return [
        {
            "id": 1,
            "source_id": 401,
            "source_type": "Article",
            "locale": "zh-cn",
            "title": "到货破损",
            "body": "<p>先拍照，再联系我们。</p>",
            "draft": False,
            "updated_at": at(-30_000),
        }
    ]


def pages() -> dict[str, Any]:
    """The answers of the API by the names under which a script may have kept them."""
    return {
        "users-1.json": {"users": users(), "end_of_stream": True},
        "tickets-1.json": {"tickets": tickets(), "after_cursor": "x", "end_of_stream": True},
        "groups.json": {"groups": [{"id": 51, "name": "Care"}]},
        "sections.json": {"sections": [{"id": 71, "name": "Delivery"}]},
        "articles.json": {"articles": articles(), "next_page": None},
        "translations/401.json": {"translations": translations()},
        "audits/101.json": {"audits": audits()},
    } | {
        f"tickets/{number}/comments.json": {"comments": given, "next_page": None}
        for number, given in comments().items()
    }


def write(folder: Path, given: dict[str, Any] | None = None) -> Path:
    """The pages as files in a folder."""
    for name, page in (pages() if given is None else given).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(page, ensure_ascii=False), encoding="utf-8")
    return folder
