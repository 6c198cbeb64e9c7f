"""The quiet lines between the messages: each thing that happened is said once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from playwright.sync_api import Page, expect

from tests.console.peer import ME, Conversation, Desk, Json, Peer

OpenConsole = Callable[..., Page]
AGENT = {"kind": "agent", "id": ME["id"], "name": ME["name"]}
RULE = {"rule": "Big orders", "en": "Rule “Big orders”: tagged vip", "zh": "规则"}


def chat(desk: Desk) -> Conversation:
    """Ada's conversation, in which she has asked."""
    row = desk.add("Ada")
    desk.message(row, "Ada asks")
    return row


def tagged(
    desk: Desk,
    row: Conversation,
    tag: str,
    *,
    actor: Mapping[str, str | None] | None = None,
    at_ms: int | None = None,
) -> Json:
    """A tag is put on the chat, by the program unless somebody is named."""
    data = {"add": [tag], "remove": []}
    return desk.record(row, "conversation.tagged", data, actor=actor, at_ms=at_ms)


def status(desk: Desk, row: Conversation, to: str, before: str) -> Json:
    """An agent brings the chat into a state."""
    row.summary["status"] = to
    data = {"status": to, "previous": before}
    return desk.record(row, "conversation.status_changed", data, actor=AGENT)


def test_a_tag_of_a_rule_is_told_once_with_the_name_of_the_rule(
    peer: Peer, open_console: OpenConsole
) -> None:
    def happens(desk: Desk) -> str:
        row = chat(desk)
        at_ms = desk.now_ms() + 1000
        tagged(desk, row, "warranty", actor=AGENT)
        tagged(desk, row, "offer", at_ms=at_ms - 1)
        tagged(desk, row, "vip", at_ms=at_ms)
        desk.message(row, "A person will look.", by=ME["id"], at_ms=at_ms)
        desk.record(row, "rule.applied", RULE, at_ms=at_ms)
        tagged(desk, row, "later", actor=AGENT)
        return str(row.summary["id"])

    page = open_console(f"#c-{peer.run(happens)}")
    lines = page.locator("#log .ev")
    expect(lines).to_contain_text(["warranty", "offer", "Big orders", "later"])
    expect(lines.filter(has_text="vip")).to_have_count(1)


def test_a_chat_opened_again_by_the_agent_was_not_asked_to_be_rated(
    peer: Peer, open_console: OpenConsole
) -> None:
    def resolve(desk: Desk) -> list[Json]:
        row = next(iter(desk.conversations.values()))
        return [status(desk, row, "resolved", "open"), desk.record(row, "rating.asked", {})]

    peer.run(chat)
    page = open_console("#c-cnv_0001")
    asked = page.locator("#log .ev", has_text="Asked for a rating")
    peer.tell(resolve)
    expect(asked).to_have_count(1)
    peer.tell(lambda desk: status(desk, desk.conversations["cnv_0001"], "open", "resolved"))
    expect(page.locator("#log .ev", has_text="reopened")).to_have_count(1)
    expect(asked).to_have_count(0)
    peer.tell(resolve)
    expect(asked).to_have_count(1)
    peer.tell(
        lambda desk: desk.record(desk.conversations["cnv_0001"], "rating.given", {"score": 4})
    )
    peer.tell(lambda desk: status(desk, desk.conversations["cnv_0001"], "open", "resolved"))
    expect(page.locator("#log .ev", has_text="reopened")).to_have_count(2)
    expect(asked).to_have_count(1)
