"""The customer card in the console: what it shows, and what can be done from it."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.console.living_desk import fill
from tests.console.peer import Desk, Peer
from tests.support.waiting import wait_until

OpenConsole = Callable[..., Page]


def living(desk: Desk) -> str:
    """The desk of a busy afternoon; gives the id of Lin Yue's conversation."""
    return str(fill(desk).summary["id"])


def overdue(desk: Desk, talk: str) -> None:
    """A ticket of the customer whose time is over."""
    desk.late = 2
    ticket = {
        "id": "con_9",
        "number": "T-4K2M9PX7",
        "type": {"en": "Repair", "zh": "维修"},
        "state": "open",
        "status": None,
        "priority": "normal",
        "due_at_ms": 1,
    }
    counts = {"open_count": 1, "closed_count": 3, "complete": True}
    desk.conversations[talk].card["tickets"] = {"open": [ticket], **counts}


def test_the_card_says_who_it_is_what_is_late_and_what_to_do(
    peer: Peer, open_console: OpenConsole
) -> None:
    talk = peer.run(living)
    peer.run(lambda desk: overdue(desk, talk))
    page = open_console(f"#c-{talk}")
    side = page.locator("#side")
    expect(side.locator(".banner-line.danger")).to_contain_text("#20871 · Late")
    expect(side.locator(".why")).to_contain_text("answer first")
    expect(side.locator(".rfm dd")).to_have_text(
        [re.compile("9 days"), re.compile("14 orders"), re.compile("¥6,932")]
    )
    expect(side.locator(".rfm .pips i.on")).to_have_count(14)
    expect(side.locator('.stage [aria-current="step"]')).to_contain_text("Active")
    expect(side.locator(".ords > li").first).to_have_class("is-late")
    expect(side.locator(".live")).to_contain_text("胡桃木护眼台灯")
    expect(page.locator(f'.conv[data-id="{talk}"] .seg')).to_contain_text("Champion")
    expect(page.locator(".thead .seg")).to_contain_text("Champion")

    # Looking at a masked contact is a deed of its own.
    expect(side).not_to_contain_text("lin.yue@example.com")
    side.get_by_role("button", name=re.compile("Show whole: l")).click()
    expect(side).to_contain_text("lin.yue@example.com")
    card = peer.desk.conversations[talk].card
    named = {"customer_id": card["id"], "kind": "email", "key_id": f"{card['id']}.email.1"}
    assert peer.asked("contact.reveal") == [named]

    # Their tickets are one press away; so are all, with a count of what is late.
    shown = side.get_by_role("link", name=re.compile("T-4K2M9PX7 · Repair"))
    expect(shown).to_contain_text("overdue since")
    expect(shown).to_have_attribute("href", "/tickets/T-4K2M9PX7")
    expect(side.get_by_role("link", name="3 closed")).to_be_visible()
    all_of_them = page.locator(".rail").get_by_role("link", name=re.compile("Tickets ?, 2 overdue"))
    expect(all_of_them).to_have_attribute("href", "/tickets")

    # What changes on the server is shown without a reload.
    def cancel(desk: Desk) -> None:
        desk.conversations[talk].card["orders"]["items"][0].update(state="cancelled", late=False)

    peer.run(cancel)
    peer.signal("card.changed", customer_id=card["id"], customer_ids=[card["id"]])
    expect(side.locator(".ords > li").first).to_contain_text("Cancelled")
    expect(side.locator(".banner-line.danger")).to_have_count(0)

    side.get_by_role("button", name="Undo").click()
    expect(side.locator(".joined")).to_have_count(0)
    assert peer.asked("customer.unmerge") == [{"link_id": "lnk_1"}]


def test_facts_and_product_cards_go_into_the_reply(peer: Peer, open_console: OpenConsole) -> None:
    talk = peer.run(living)
    page = open_console(f"#c-{talk}")
    page.get_by_role("button", name="Insert: Write the facts of #20871").click()
    field = page.locator("#composer")
    expect(field).to_be_focused()
    expect(field).to_have_value(
        re.compile("老朋友， ?您 .*订单 #20871（亚麻被套 × 1，共 ¥268）已于.*SF1029384756")
    )
    page.get_by_role("button", name=re.compile("Send: Put a card of 胡桃木")).click()
    expect(page.locator(".blocks li")).to_contain_text("胡桃木护眼台灯")
    page.get_by_role("button", name=re.compile("Send: Put a card of 4000K")).click()
    page.get_by_role("button", name="Leave out 4000K 灯泡").click()
    field.fill("就是这款")
    field.press("Enter")
    (sent,) = wait_until(lambda: peer.asked("message.post"))
    assert sent["body"] == "就是这款"
    assert [(b["sku"], b["price_minor"]) for b in sent["blocks"]] == [("LMP-207", 42_800)]
    expect(page.locator(".log .msg.out .pcard b").last).to_contain_text("胡桃木护眼台灯")
    expect(page.locator(".blocks li")).to_have_count(0)


def test_a_note_that_somebody_else_changed_is_not_overwritten_unseen(
    peer: Peer, open_console: OpenConsole
) -> None:
    talk = peer.run(living)
    page = open_console(f"#c-{talk}")
    side = page.locator("#side")
    side.get_by_role("button", name="Edit note").click()
    field = side.get_by_label("Note", exact=True)
    expect(field).to_be_focused()
    field.fill("喜欢顺丰")

    def theirs(desk: Desk) -> None:
        desk.conversations[talk].card["note"].update(body="生日是三月", version=4)

    peer.run(theirs)
    side.get_by_role("button", name="Save", exact=True).click()
    expect(side.get_by_role("alert")).to_contain_text("生日是三月")
    expect(field).to_have_value("喜欢顺丰")
    side.get_by_role("button", name="Save mine instead").click()
    expect(side.locator(".mynote p")).to_have_text("喜欢顺丰")
    expect(side.locator("#edit-note")).to_be_focused()
    assert [asked["version"] for asked in peer.asked("customer.note")] == [3, 4]

    side.get_by_label("Add a tag").fill("VIP")
    page.keyboard.press("Enter")
    side.get_by_role("button", name="Remove tag 书房").click()
    expect(side.locator("form.tags .tag")).to_have_text(["老客户", "VIP"])


def test_who_claims_to_be_somebody_else_proves_it_by_an_order(
    peer: Peer, open_console: OpenConsole
) -> None:
    def claims(desk: Desk) -> str:
        row = desk.add("Anna")
        desk.message(row, "It's me")
        row.card.update(
            possible=[
                {"customer_id": "cus_anna", "name": "A***", "why": "email", "shown": "a***@…"}
            ],
            rift={"reason": "rating"},
            fresh=[
                {
                    "source": "shop",
                    "last_at_ms": desk.now_ms() - 26 * 3_600_000,
                    "stale": True,
                    "reason": "silent",
                }
            ],
        )
        row.card["service"].update(csat_last=2, csat_n=1, csat_mean=2.0)
        return str(row.summary["id"])

    page = open_console(f"#c-{peer.run(claims)}")
    side = page.locator("#side")
    expect(side).to_contain_text("Claims a***@…, not proven; a profile exists (A***).")
    expect(side).to_contain_text("the last rating was 2 of 5")
    expect(side).to_contain_text("Data of shop may be out of date: last heard 1d ago.")
    side.get_by_role("button", name="Verify").click()
    expect(side.get_by_label("Order number")).to_be_focused()
    side.get_by_label("Order number").fill("1001")
    side.get_by_label("Postcode").fill("999")
    page.keyboard.press("Enter")
    expect(side.get_by_role("status")).to_contain_text("do not belong together")
    side.get_by_label("Postcode").fill("310000")
    page.keyboard.press("Enter")
    expect(side).not_to_contain_text("a profile exists")
    expect(side.locator(".who .st")).to_have_text("Verified")


def test_who_refuses_to_be_profiled_has_no_segment_on_the_card(
    peer: Peer, open_console: OpenConsole
) -> None:
    def refuses(desk: Desk) -> str:
        row = fill(desk)
        gone = dict.fromkeys(("profile", "line", "playbook", "preferences"))
        row.card.update(gone, profiling_refused=True, hints=[])
        row.summary["customer"].update(segment=None, top20=False)
        return str(row.summary["id"])

    page = open_console(f"?lang=zh#c-{peer.run(refuses)}")
    side = page.locator("#side")
    expect(side).to_contain_text("不同意做画像")
    expect(side.locator(".ords > li")).to_have_count(3)
    expect(side.locator(".seg, .rfm, .why")).to_have_count(0)
    expect(page.locator(".thead .seg")).to_have_count(0)


def test_a_ticket_that_is_begun_before_the_chat_has_come_is_suggested_all_the_same(
    peer: Peer, open_console: OpenConsole
) -> None:
    talk = peer.run(living)
    words = "I want my money back for order #20871."
    peer.run(lambda desk: desk.message(desk.conversations[talk], words))
    page = open_console()
    peer.held.add("conversation.open")
    page.evaluate("(id) => { location.hash = `#c-${id}`; }", talk)
    page.get_by_role("button", name="Make a ticket").click()
    dialog = page.get_by_role("dialog")
    kind, order = dialog.get_by_label("What it is"), dialog.get_by_label("Order")
    make = dialog.get_by_role("button", name="Make a ticket")
    expect(kind.locator("option")).to_have_count(2)
    expect(make).to_be_disabled()
    peer.held.clear()
    expect(kind).to_have_value("refund")
    expect(order.locator("option:checked")).to_contain_text("#20871")
    # What is chosen by hand stays, whatever is chosen beside it.
    order.select_option("")
    kind.select_option("question")
    expect(order).to_have_value("")
    make.click()
    [asked] = peer.wait_asked("ticket.create")
    assert (asked["type"], "order_id" in asked) == ("question", False)
