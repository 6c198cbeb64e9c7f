"""A Chatwoot account as its API shows it, in two languages; every word was written for the tests.

Times count from noon of 3 November 2025 UTC, in seconds.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any  # Any: JSON

Json = dict[str, Any]
NOON = 1_762_171_200
ACCOUNT = 7
HUGE = 9_007_199_254_740_993  # 2**53 + 1: a float would lose the last digit

MIRA = {"id": 31, "name": "Mira Voss", "email": "mira@lantern.example"}
LIN = {"id": 32, "name": "林晓", "email": "lin@lantern.example"}
JUN: Json = {
    "id": 501,
    "name": "Juniper Hale",
    "email": "Juniper.Hale@mail.example",
    "phone_number": "+14155550123",
    "identifier": None,
    "additional_attributes": {"browser_language": "en-US"},
    "custom_attributes": {},
    "created_at": NOON - 86_400,
    "last_activity_at": NOON + 600,
}
CHEN: Json = {
    "id": HUGE,
    "name": "陈默",
    "email": None,
    "phone_number": "+8613800138000",
    "identifier": "member-88",
    "additional_attributes": {"browser_language": "zh-CN"},
    "custom_attributes": {},
    "created_at": NOON - 3600,
    "last_activity_at": NOON + 4000,
    "contact_inboxes": [{"source_id": "s-1", "hmac_verified": True}],
}


def agents() -> list[Json]:
    return [
        person | {"account_id": ACCOUNT, "role": "agent", "confirmed": True}
        for person in (MIRA, LIN)
    ]


def message(number: int, conversation: int, at: int, kind: int, content: str, **more: Any) -> Json:
    return {
        "id": number,
        "content": content,
        "account_id": ACCOUNT,
        "inbox_id": 3,
        "conversation_id": conversation,
        "message_type": kind,
        "content_type": "text",
        "content_attributes": {},
        "status": "sent",
        "private": False,
        "created_at": NOON + at,
    } | more


def by(person: Json) -> Json:
    return {"id": person["id"], "name": person["name"], "type": "user"}


def activity(number: int, conversation: int, at: int, content: str, **more: Any) -> Json:
    return message(number, conversation, at, 2, content, **more)


def messages() -> list[Json]:
    """Conversation 11 in English with two sessions, 12 in Chinese still open."""
    return [
        message(1001, 11, 0, 0, "Is the walnut lamp back in stock?"),
        message(1002, 11, 2, 3, "We usually answer in a few minutes."),
        message(1003, 11, 20, 1, "ask the warehouse first", sender=by(MIRA), private=True),
        message(1004, 11, 45, 1, "Yes, 14 of them since this morning.", sender=by(MIRA)),
        message(1005, 11, 100, 0, "Great, and shipping to Oslo?"),
        message(1006, 11, 130, 1, "Five days, tracked.", sender=by(MIRA)),
        activity(1007, 11, 160, "Conversation was marked resolved by Mira Voss"),
        message(
            1008,
            11,
            165,
            3,
            "Please rate the conversation",
            content_type="input_csat",
            content_attributes={
                "submitted_values": {
                    "csat_survey_response": {"rating": 4, "feedback_message": "quick"}
                }
            },
        ),
        message(1009, 11, 7200, 0, "One more thing: the plug?"),
        message(1010, 11, 7290, 1, "Type F; an adapter is in the box.", sender=by(LIN)),
        activity(
            1011,
            11,
            7300,
            "x",
            content_attributes={
                "activity": {"type": "conversation_status_changed", "status": "resolved"}
            },
        ),
        message(HUGE + 1, 12, 3600, 0, "请问订单什么时候发货？"),
        message(
            1021,
            12,
            3630,
            1,
            "您好，今天 18 点前发出。",
            sender=by(LIN),
            attachments=[
                {
                    "id": 1,
                    "file_type": "image",
                    "file_name": "运单.png",
                    "data_url": "https://desk.example/rails/blobs/waybill.png",
                }
            ],
        ),
        message(
            1022, 12, 3700, 0, "This message was deleted", content_attributes={"deleted": True}
        ),
        message(1023, 12, 4000, 0, "那运费险呢？"),
    ]


def conversations() -> list[Json]:
    return [
        {
            "id": 11,
            "account_id": ACCOUNT,
            "inbox_id": 3,
            "status": "resolved",
            "created_at": NOON,
            "last_activity_at": NOON + 7300,
            "updated_at": NOON + 7300.5,
            "labels": ["stock", "delivery"],
            "priority": None,
            "snoozed_until": None,
            "additional_attributes": {"referer": "https://lantern.example/lamps/walnut"},
            "custom_attributes": {},
            "messages": [messages()[10]],
            "meta": {
                "sender": JUN,
                "channel": "Channel::WebWidget",
                "assignee": MIRA,
                "team": {"id": 4, "name": "floor"},
                "hmac_verified": False,
            },
        },
        {
            "id": 12,
            "account_id": ACCOUNT,
            "inbox_id": 3,
            "status": "open",
            "created_at": NOON + 3600,
            "last_activity_at": NOON + 4000,
            "updated_at": NOON + 4000.1,
            "labels": [],
            "additional_attributes": {},
            "messages": [messages()[-1]],
            "meta": {"sender": CHEN, "channel": "Channel::WebWidget", "assignee": LIN},
        },
    ]


def articles() -> list[Json]:
    return [
        {
            "id": 61,
            "title": "Returning a lamp",
            "content": "Send it back within **30 days**.",
            "status": "published",
            "slug": "returning",
            "account_id": ACCOUNT,
            "category": {"id": 1, "name": "Returns", "locale": "en", "slug": "returns"},
            "updated_at": NOON - 900,
        },
        {
            "id": 62,
            "title": "如何退货",
            "content": "收到后 30 天内可退。",
            "status": 0,
            "slug": "tuihuo",
            "account_id": ACCOUNT,
            "category": {"id": 2, "name": "退换货", "locale": "zh_CN", "slug": "thh"},
            "updated_at": NOON - 800,
        },
    ]


def pages() -> dict[str, Any]:
    """The answers of the API by the names under which a script may have kept them."""
    listed = messages()
    return {
        "agents.json": agents(),
        "contacts-1.json": {"meta": {"count": 2, "current_page": "1"}, "payload": [JUN, CHEN]},
        "conversations-1.json": {"data": {"meta": {"all_count": 2}, "payload": conversations()}},
        # The latest page of messages comes first, as the API gives them.
        "messages/11-1.json": {"meta": {"labels": []}, "payload": listed[6:11]},
        "messages/11-2.json": {"meta": {"labels": []}, "payload": listed[:7]},
        "messages/12-1.json": {"meta": {}, "payload": listed[11:]},
        "articles-en.json": {"payload": articles()[:1], "meta": {"articles_count": 1}},
        "articles-zh.json": {"payload": articles()[1:], "meta": {"articles_count": 1}},
    }


def write(folder: Path, given: dict[str, Any] | None = None) -> Path:
    """The pages as files in a folder."""
    for name, page in (pages() if given is None else given).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(page, ensure_ascii=False), encoding="utf-8")
    return folder
