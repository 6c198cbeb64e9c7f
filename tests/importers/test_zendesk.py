"""Who comes from Zendesk finds everything again, once, and with the right waiting times."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any  # Any: JSON

from server.importers.zendesk import DESK
from server.storage.articles import ARTICLE, TEXT
from server.storage.customers import CUSTOMER
from server.storage.people import AGENT
from server.storage.rows import CONVERSATION, EVENT, MESSAGE, SESSION, TURN
from tests.importers import zendesk_export as export
from tests.importers.conftest import Desktop

ALL = (EVENT, CONVERSATION, MESSAGE, TURN, SESSION, CUSTOMER, AGENT, ARTICLE, TEXT)
CRACK = "zendesk:lantern:ticket:101"
PARCEL = "zendesk:lantern:ticket:102"
CHAT = "zendesk:lantern:ticket:104"


def test_waits_are_those_that_can_be_read_off_the_export(desktop: Desktop, tmp_path: Path) -> None:
    outcome = desktop.bring(DESK, export.write(tmp_path))
    assert outcome.rejected == []
    # The note at 60 s answers nothing; who was copied in is a shopper, too.
    assert desktop.waits(CRACK) == [(1, "answered", 240), (1, "answered", 300)]
    assert desktop.waits(PARCEL) == [(1, "answered", 120), (1, "waiting", None)]
    assert desktop.differences() == []


def test_a_transcript_of_a_chat_becomes_its_messages(desktop: Desktop, tmp_path: Path) -> None:
    desktop.bring(DESK, export.write(tmp_path))
    assert desktop.texts(CHAT) == [
        ("customer", "在吗"),
        ("agent", "在的，您说\n慢慢来"),
        ("customer", "想换颜色"),
        ("agent", "好的，已换"),
    ]
    assert desktop.waits(CHAT) == [(1, "answered", 25), (1, "answered", 100)]
    assert desktop.scene.state(desktop.conversation(CHAT)).channel == "chat"
    ended = [row for row in desktop.rows(MESSAGE, "at_ms") if row["body"] == "好的，已换"]
    # 18:04:40 on the desk's clock, written down at 10:05:00 UTC: twenty seconds before.
    assert ended[0]["at_ms"] == int(export.EIGHT.timestamp() + 7480) * 1000


def test_the_report_over_imported_history_is_right(desktop: Desktop, tmp_path: Path) -> None:
    desktop.bring(DESK, export.write(tmp_path))
    rt, frt = desktop.report(["rt", "frt"], as_of="2025-11-04")
    # Answered after 25, 100, 120, 240 and 300 s, one still waiting.
    assert (rt.n, rt.n_open, rt.mean_ms) == (6, 1, 157_000)
    assert (frt.n, frt.mean_ms) == (3, (240_000 + 120_000 + 25_000) // 3)
    by_agent = {row.group: row for row in desktop.report(["rt"], as_of="2025-11-04", by="agent")}
    assert by_agent["tobi@lantern.example"].mean_ms == 62_500


def test_status_rating_tags_and_subject_come_along(desktop: Desktop, tmp_path: Path) -> None:
    desktop.bring(DESK, export.write(tmp_path))
    state = desktop.scene.state(desktop.conversation(CRACK))
    assert (state.status, state.channel) == ("resolved", "email")
    assert state.tags == ("damage", "team:Care", "priority:high")
    assert state.resolved_at_ms == int(export.EIGHT.timestamp() + 700) * 1000
    assert state.session is not None
    assert state.session.rating == 5
    first = desktop.texts(CRACK)[0][1]
    assert first.startswith("Lamp arrived cracked\n\nThe glass has a crack.")
    assert first.endswith("crack.jpg\nhttps://lantern.zendesk.com/attachments/token/crack.jpg")
    assert desktop.texts(PARCEL)[1][0] == "bot"


def test_deleted_tickets_are_left_out_and_told_of(desktop: Desktop, tmp_path: Path) -> None:
    outcome = desktop.bring(DESK, export.write(tmp_path))
    assert [(reason.split(" / ")[0], n) for reason, n in outcome.skipped.items()] == [
        ("It was deleted there.", 1)
    ]


def test_a_second_import_changes_nothing(desktop: Desktop, tmp_path: Path) -> None:
    first = desktop.bring(DESK, export.write(tmp_path))
    before = [desktop.rows(target) for target in ALL]
    second = desktop.bring(DESK, tmp_path)
    assert (first.conversations.accepted, first.messages.accepted) == (3, 13)
    assert (second.conversations.unchanged, second.messages.unchanged) == (3, 13)
    assert [desktop.rows(target) for target in ALL] == before


def test_a_later_export_adds_only_what_is_new(desktop: Desktop, tmp_path: Path) -> None:
    early = export.pages()
    early["tickets/102/comments.json"] = {"comments": export.comments()[102][:3]}
    desktop.bring(DESK, export.write(tmp_path / "early", early))
    late = desktop.bring(DESK, export.write(tmp_path / "late"))
    assert (late.messages.accepted, late.messages.unchanged) == (1, 12)
    assert desktop.waits(PARCEL)[1] == (1, "waiting", None)
    assert desktop.differences() == []


def test_a_dry_run_says_the_same_and_writes_nothing(desktop: Desktop, tmp_path: Path) -> None:
    trial = desktop.bring(DESK, export.write(tmp_path), dry_run=True)
    assert [desktop.count(target) for target in ALL] == [0] * len(ALL)
    assert desktop.bring(DESK, tmp_path) == trial


def without_role(user: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in user.items() if key != "role"}


def test_the_json_export_with_comments_inside_is_taken(desktop: Desktop, tmp_path: Path) -> None:
    path = tmp_path / "tickets.json"
    known = {u["id"]: u for u in export.users()}
    lines = [
        t
        | {"comments": export.comments().get(t["id"], [])}
        | {"requester": known[t["requester_id"]], "assignee": without_role(known[t["assignee_id"]])}
        for t in export.tickets()
    ]
    lines += [{"id": export.TOBI, "name": "Tobi Lund", "role": "agent", "email": "tobi@x.example"}]
    lines += [known[export.COPIED]]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    outcome = desktop.bring(DESK, path)
    assert (outcome.account, outcome.rejected) == ("zendesk:lantern", [])
    assert desktop.waits(CRACK) == [(1, "answered", 240), (1, "answered", 300)]
    assert desktop.waits(CHAT) == [(1, "answered", 25), (1, "answered", 100)]


def test_ticket_events_bring_comments_and_changes(desktop: Desktop, tmp_path: Path) -> None:
    def event(number: int, seconds: int, by: int, *children: Any) -> dict[str, Any]:
        return {
            "id": number,
            "ticket_id": 101,
            "timestamp": int(export.EIGHT.timestamp()) + seconds,
            "updater_id": by,
            "child_events": list(children),
        }

    def said(number: int, text: str) -> dict[str, Any]:
        return {"id": number, "event_type": "Comment", "body": text, "public": True}

    events = [
        event(1, 0, export.RUE, said(31, "Crack.")),
        event(2, 100, export.NOOR, said(32, "New glass."), change(41, status="solved")),
        event(3, 500, export.RUE, said(33, "Thanks, and the cable?"), change(42, status="open")),
        event(4, 560, export.NOOR, said(34, "Is in the box."), change(43, status="solved")),
    ]
    pages = {
        "users.json": {"users": export.users()},
        "tickets.json": {"tickets": export.tickets()[:1]},
        "events.json": {"ticket_events": events},
    }
    desktop.bring(DESK, export.write(tmp_path, pages))
    assert desktop.waits(CRACK) == [(1, "answered", 100), (2, "answered", 60)]
    assert desktop.differences() == []


def change(number: int, **values: str) -> dict[str, Any]:
    return {"id": number, "event_type": "Change", "previous_value": "x", **values}


def test_without_audits_the_metrics_say_when_a_ticket_was_solved(
    desktop: Desktop, tmp_path: Path
) -> None:
    pages = export.pages()
    del pages["audits/101.json"]
    solved = {"id": 1, "ticket_id": 101, "solved_at": export.at(800)}
    pages["metrics.json"] = {"ticket_metrics": [solved]}
    desktop.bring(DESK, export.write(tmp_path, pages))
    state = desktop.scene.state(desktop.conversation(CRACK))
    assert state.resolved_at_ms == int(export.EIGHT.timestamp() + 800) * 1000


def test_the_shops_own_id_leads_a_signed_shopper_back_to_the_chat(
    desktop: Desktop, tmp_path: Path
) -> None:
    desktop.bring(DESK, export.write(tmp_path))
    shopper = desktop.signed_in("member-91")
    assert desktop.conversation(CHAT) in desktop.scene.chats(shopper)
    # An address is no proof of anything.
    assert desktop.scene.chats(desktop.signed_in("rue@mail.example")) == []


def test_one_person_of_two_desks_is_one_for_agents_unless_the_shop_knows_them(
    desktop: Desktop, tmp_path: Path
) -> None:
    from server.importers import chatwoot
    from tests.importers import chatwoot_export

    desktop.bring(DESK, export.write(tmp_path / "z"))
    rue = {**chatwoot_export.JUN, "email": "Rue@Mail.Example", "phone_number": None}
    wei = {**chatwoot_export.JUN, "id": 502, "email": "wei@mail.example", "phone_number": None}
    pages = {"contacts.json": {"payload": [rue, wei]}}
    desktop.bring(chatwoot.DESK, chatwoot_export.write(tmp_path / "c", pages))
    named = [row["name"] for row in desktop.rows(CUSTOMER, "name")]
    # 魏然 can be reached with a signed id, so nobody is joined to that row by an address.
    assert named == ["Juniper Hale", "Pip Marlow", "Rue Marlow", "魏然"]


def test_articles_are_one_answer_in_two_languages_as_markdown(
    desktop: Desktop, tmp_path: Path
) -> None:
    desktop.bring(DESK, export.write(tmp_path))
    kept = {row["external_id"]: row for row in desktop.rows(ARTICLE)}
    assert kept["401"]["category"] == "Delivery"
    assert (kept["401"]["audience"], kept["401"]["status"]) == ("public", "published")
    assert (kept["402"]["audience"], kept["402"]["status"]) == ("internal", "draft")
    texts = {
        row["locale"]: row["body"]
        for row in desktop.rows(TEXT)
        if row["article_id"] == kept["401"]["id"]
    }
    assert texts == {
        "en": "## What to do\n\n1. Take a picture\n2. Write to us\n\n"
        "See [the terms](https://lantern.example/terms).",
        "zh": "先拍照，再联系我们。",
    }
