"""Who comes from Chatwoot finds everything again, once, and with the right waiting times."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any  # Any: JSON

import pytest

from server.importers import chatwoot
from server.importers.chatwoot import DESK
from server.storage.articles import ARTICLE, TEXT
from server.storage.customers import CUSTOMER
from server.storage.people import AGENT
from server.storage.rows import CONVERSATION, EVENT, MESSAGE, SESSION, TURN
from server.storage.tables import RatingComment, table
from tests.importers import chatwoot_export as export
from tests.importers.conftest import Desktop

ALL = (EVENT, CONVERSATION, MESSAGE, TURN, SESSION, CUSTOMER, AGENT, ARTICLE, TEXT)
STOCK = "chatwoot:7:conversation:11"
ORDER = "chatwoot:7:conversation:12"


def everything(desktop: Desktop) -> list[list[dict[str, Any]]]:
    return [desktop.rows(target) for target in ALL]


def test_waits_are_those_that_can_be_read_off_the_export(desktop: Desktop, tmp_path: Path) -> None:
    desktop.bring(DESK, export.write(tmp_path))
    assert desktop.waits(STOCK) == [(1, "answered", 45), (1, "answered", 30), (2, "answered", 90)]
    assert desktop.waits(ORDER) == [(1, "answered", 30), (1, "waiting", None)]
    assert desktop.differences() == []


def test_the_report_over_imported_history_is_right(desktop: Desktop, tmp_path: Path) -> None:
    desktop.bring(DESK, export.write(tmp_path))
    rt, frt = desktop.report(["rt", "frt"], as_of="2025-11-04")
    # Answered after 30, 30, 45 and 90 s, one still waiting: by Kaplan-Meier half are done at 45 s.
    assert (rt.n, rt.n_open, rt.value, rt.mean_ms) == (5, 1, 45_000, 48_750)
    # First answers of the three sessions: 45, 90 and 30 s.
    assert (frt.n, frt.n_open, frt.value, frt.mean_ms) == (3, 0, 45_000, 55_000)
    by_agent = {row.group: row for row in desktop.report(["rt"], as_of="2025-11-04", by="agent")}
    assert by_agent["mira@lantern.example"].mean_ms == 37_500


def test_texts_notes_and_who_wrote_them_come_along(desktop: Desktop, tmp_path: Path) -> None:
    desktop.bring(DESK, export.write(tmp_path))
    assert desktop.texts(STOCK)[:4] == [
        ("customer", "Is the walnut lamp back in stock?"),
        ("bot", "We usually answer in a few minutes."),
        ("agent", "ask the warehouse first"),
        ("agent", "Yes, 14 of them since this morning."),
    ]
    notes = [row["body"] for row in desktop.rows(MESSAGE) if row["visibility"] == "private"]
    assert notes == ["ask the warehouse first"]
    answer = desktop.texts(ORDER)[1][1]
    assert "运单.png\nhttps://desk.example/rails/blobs/waybill.png" in answer
    assert desktop.texts(ORDER)[2] == ("customer", "—")


def test_status_rating_labels_and_page_come_along(desktop: Desktop, tmp_path: Path) -> None:
    desktop.bring(DESK, export.write(tmp_path))
    state = desktop.scene.state(desktop.conversation(STOCK))
    assert (state.status, state.tags) == ("resolved", ("stock", "delivery", "team:floor"))
    assert state.page_url == "https://lantern.example/lamps/walnut"
    first = desktop.rows(SESSION, "rating")
    assert [row["rating"] for row in first if row["rating"]] == [4]
    assert [row["comment"] for row in desktop.rows(table(RatingComment))] == ["quick"]


def test_the_list_of_ratings_tells_when_they_were_given(desktop: Desktop, tmp_path: Path) -> None:
    rating = {"id": 9, "rating": 5, "feedback_message": "better", "message_id": 1008}
    rating |= {"conversation_id": 11, "created_at": export.NOON + 400}
    desktop.bring(DESK, export.write(tmp_path, export.pages() | {"csat.json": [rating]}))
    rated = [r for r in desktop.rows(SESSION) if r["rating"]]
    assert [(r["rating"], r["rated_at_ms"]) for r in rated] == [(5, (export.NOON + 400) * 1000)]


def test_a_second_import_changes_nothing(desktop: Desktop, tmp_path: Path) -> None:
    first = desktop.bring(DESK, export.write(tmp_path))
    before = everything(desktop)
    second = desktop.bring(DESK, tmp_path)
    assert (first.conversations.accepted, first.messages.accepted) == (2, 14 - 2)
    assert (second.conversations.unchanged, second.messages.unchanged) == (2, 12)
    assert second.messages.accepted == second.customers.accepted == second.articles.accepted == 0
    assert everything(desktop) == before


def test_a_later_export_adds_only_what_is_new(desktop: Desktop, tmp_path: Path) -> None:
    pages = export.pages()
    early = dict(pages) | {"messages/12-1.json": {"payload": export.messages()[11:13]}}
    desktop.bring(DESK, export.write(tmp_path / "early", early))
    late = desktop.bring(DESK, export.write(tmp_path / "late", pages))
    assert (late.messages.accepted, late.messages.unchanged) == (2, 10)
    assert (late.conversations.accepted, late.conversations.unchanged) == (1, 1)
    assert desktop.waits(ORDER) == [(1, "answered", 30), (1, "waiting", None)]
    assert desktop.differences() == []


def test_what_was_deleted_there_later_is_taken_away_here_too(
    desktop: Desktop, tmp_path: Path
) -> None:
    desktop.bring(DESK, export.write(tmp_path))
    listed = export.messages()
    listed[0] |= {"content": "This message was deleted", "content_attributes": {"deleted": True}}
    pages = export.pages() | {"messages/11-2.json": {"payload": listed[:7]}}
    desktop.bring(DESK, export.write(tmp_path, pages))
    assert desktop.texts(STOCK)[0] == ("customer", "—")
    assert desktop.waits(STOCK)[0] == (1, "answered", 45)


def test_a_dry_run_says_the_same_and_writes_nothing(desktop: Desktop, tmp_path: Path) -> None:
    trial = desktop.bring(DESK, export.write(tmp_path), dry_run=True)
    assert [desktop.count(target) for target in ALL] == [0] * len(ALL)
    assert desktop.bring(DESK, tmp_path) == trial
    assert trial.people == {"mira@lantern.example", "lin@lantern.example"}


@pytest.mark.parametrize("form", ["zip", "ndjson", "file", "backwards"])
def test_every_form_of_export_brings_the_same(desktop: Desktop, tmp_path: Path, form: str) -> None:
    pages = export.pages()
    if form == "zip":
        path = tmp_path / "export.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, page in pages.items():
                archive.writestr(f"desk/{name}", json.dumps(page))
    elif form == "ndjson":
        path = tmp_path / "export.ndjson"
        path.write_text("".join(json.dumps(page) + "\n" for page in pages.values()))
    elif form == "file":
        path = tmp_path / "export.json"
        path.write_text(json.dumps(list(pages.values()), ensure_ascii=False), encoding="utf-8")
    else:
        # The files' names say when each is read: messages before the conversations they are of.
        turned = {f"{9 - n}.json": page for n, page in enumerate(pages.values())}
        path = export.write(tmp_path, turned)
    outcome = desktop.bring(DESK, path)
    assert (outcome.account, outcome.rejected) == ("chatwoot:7", [])
    assert (outcome.messages.accepted, outcome.customers.accepted) == (12, 2)
    assert desktop.waits(STOCK) == [(1, "answered", 45), (1, "answered", 30), (2, "answered", 90)]


def test_conversations_with_all_their_messages_inside_need_no_pages(
    desktop: Desktop, tmp_path: Path
) -> None:
    whole = [c | {"messages": export.messages()[:11]} for c in export.conversations()[:1]]
    desktop.bring(DESK, export.write(tmp_path, {"whole.json": {"data": {"payload": whole}}}))
    assert len(desktop.texts(STOCK)) == 9 - 1


def test_a_conversation_whose_pages_are_missing_is_left_out_and_told_of(
    desktop: Desktop, tmp_path: Path
) -> None:
    pages = export.pages()
    del pages["messages/12-1.json"]
    outcome = desktop.bring(DESK, export.write(tmp_path, pages))
    assert outcome.conversations.accepted == 1
    (reason,) = outcome.skipped
    assert "no messages" in reason
    assert "没有它的消息" in reason


def test_people_who_work_here_are_known_by_their_address(desktop: Desktop, tmp_path: Path) -> None:
    desktop.scene.person("mira")
    mira = {**export.MIRA, "email": "Mira@Shop.Example"}
    agents = [mira | {"role": "agent"}, *export.agents()[1:]]
    outcome = desktop.bring(DESK, export.write(tmp_path, export.pages() | {"agents.json": agents}))
    assert outcome.people == {"lin@lantern.example"}
    written = {r["sender_id"] for r in desktop.rows(MESSAGE) if r["sender_kind"] == "agent"}
    assert "mira" in written
    inactive = [(r["name"], r["active"]) for r in desktop.rows(AGENT) if r["id"] != "mira"]
    assert inactive == [("林晓", False)]


def test_agents_without_an_address_keep_a_name_of_their_own(
    desktop: Desktop, tmp_path: Path
) -> None:
    pages = export.pages()
    del pages["agents.json"]
    for page in pages["conversations-1.json"]["data"]["payload"]:
        page["meta"]["assignee"] = None
    outcome = desktop.bring(DESK, export.write(tmp_path, pages))
    assert outcome.people == {"chatwoot:7:user:31", "chatwoot:7:user:32"}


def test_ids_beyond_what_a_float_holds_keep_every_digit(desktop: Desktop, tmp_path: Path) -> None:
    desktop.bring(DESK, export.write(tmp_path))
    known = {row["event_id"] for row in desktop.rows(EVENT)}
    assert f"i:{ORDER}:message:9007199254740994" in known


def test_an_open_conversation_is_nobodys_until_its_shopper_writes(
    desktop: Desktop, tmp_path: Path
) -> None:
    scene = desktop.scene
    lin = scene.person("lin")
    agents = [{**export.LIN, "email": "lin@shop.example", "role": "agent"}]
    pages = export.pages() | {"agents.json": agents}
    desktop.bring(DESK, export.write(tmp_path, pages))
    order = desktop.conversation(ORDER)
    assert (scene.state(order).status, scene.state(order).assignee_id) == ("open", None)
    assert scene.load(lin) == 0
    # Neither coming online nor a free place brings it to anybody.
    scene.presence(lin, "away")
    scene.presence(lin, "online")
    assert scene.state(order).assignee_id is None

    scene.post(desktop.signed_in("member-88"), "还在吗？")
    assert scene.state(order).assignee_id == "lin"
    assert desktop.differences() == []


def test_what_anybody_could_claim_there_opens_nothing_here(
    desktop: Desktop, tmp_path: Path
) -> None:
    claimed = {**export.CHEN, "contact_inboxes": []}
    pages = export.pages() | {"contacts-1.json": {"payload": [export.JUN, claimed]}}
    for talk in pages["conversations-1.json"]["data"]["payload"]:
        if talk["id"] == 12:
            talk["meta"]["sender"] = claimed
    desktop.bring(DESK, export.write(tmp_path, pages))
    scene = desktop.scene
    for identity in ("member-88", f"chatwoot:7:contact:{export.HUGE}"):
        assert scene.chats(desktop.signed_in(identity)) == []


def test_a_snoozed_conversation_wakes_when_it_was_to_and_a_failed_answer_is_none(
    desktop: Desktop, tmp_path: Path
) -> None:
    talk = export.conversations()[1] | {
        "status": "snoozed",
        "snoozed_until": export.NOON + 90_000_000,
    }
    listed = [
        export.message(1, 12, 0, 0, "hello"),
        export.message(2, 12, 10, 1, "hi", sender=export.by(export.LIN), status="failed"),
    ]
    pages = {"c.json": {"data": {"payload": [talk]}}, "m.json": {"payload": listed}}
    desktop.bring(DESK, export.write(tmp_path, pages))
    state = desktop.scene.state(desktop.conversation(ORDER))
    assert (state.status, state.snoozed_until_ms) == ("snoozed", (export.NOON + 90_000_000) * 1000)
    assert desktop.waits(ORDER) == [(1, "waiting", None)]


def test_long_messages_go_on_in_the_next(desktop: Desktop, tmp_path: Path) -> None:
    long = "word " * 5000
    pages = export.pages() | {
        "messages/12-1.json": {"payload": [export.message(1, 12, 0, 0, long)]}
    }
    desktop.bring(DESK, export.write(tmp_path, pages))
    parts = [text for _, text in desktop.texts(ORDER)]
    assert len(parts) == 4
    assert " ".join(parts) == long.strip()


def test_articles_keep_their_language_status_and_category(desktop: Desktop, tmp_path: Path) -> None:
    desktop.bring(DESK, export.write(tmp_path))
    kept = {row["external_id"]: row for row in desktop.rows(ARTICLE)}
    assert (kept["61"]["status"], kept["61"]["category"]) == ("published", "Returns")
    assert (kept["62"]["status"], kept["62"]["category"]) == ("draft", "退换货")
    assert [(r["locale"], r["title"]) for r in desktop.rows(TEXT, "title")] == [
        ("en", "Returning a lamp"),
        ("zh", "如何退货"),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Conversation was marked resolved by Mira Voss", ("resolved", "Mira Voss")),
        ("Conversation was marked resolved due to 7 days of inactivity", ("resolved", None)),
        ("Conversation was reopened by Mira Voss", ("open", "Mira Voss")),
        ("System reopened the conversation due to a new incoming message.", ("open", "System")),
        ("会话被 林晓 标记为已解决", ("resolved", "林晓")),
        ("林晓 将会话标记为已解决", ("resolved", "林晓")),
        ("对话已由林晓重新打开", ("open", "林晓")),
        ("Mira Voss added resolved-issue", (None, None)),
        ("Assigned to Mira Voss by 林晓", (None, None)),
    ],
)
def test_activities_of_older_versions_are_understood(
    text: str, told: tuple[str | None, str | None]
) -> None:
    assert chatwoot._told(text) == told
