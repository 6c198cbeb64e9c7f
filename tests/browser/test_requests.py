"""A message when nobody is there, followed to its end: request, answer, mail, portal, rating."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from server.storage.mails import MAIL_WISH
from server.storage.ticket_rows import TICKET_TEXT
from server.storage.tickets import id_of_number
from server.storage.unit import Tx
from tests.browser.shop_page import ShopPage
from tests.browser.test_files import picture, upload
from tests.realtime.desk import PASSWORD, UNLIMITED, Desk, make_desk
from tests.support.browser import Pages
from tests.support.smtp import SmtpServer
from tests.support.waiting import wait_until
from tests.widget.conftest import Shopper


@dataclass(frozen=True, slots=True)
class Story:
    """The desk, the shop's page, and the mail server that takes what the desk sends."""

    desk: Desk
    shop: ShopPage
    smtp: SmtpServer

    def mail(self, address: str, what: str) -> EmailMessage:
        """The latest mail to an address whose text has the words, as soon as it has come."""

        def found() -> list[EmailMessage]:
            mails = [one for one in self.smtp.mails if one["To"] == address]
            return [one for one in mails if re.search(what, text_of(one))]

        wait_until(lambda: bool(found()), what=f"a mail to {address} with {what}")
        return found()[-1]

    def hurry(self) -> None:
        """Mails at once what would wait half a minute for more of the same."""

        def due(tx: Tx) -> int:
            return tx.connection.execute(
                update(MAIL_WISH).where(MAIL_WISH.c.mail_id.is_(None)).values(due_at_ms=0)
            ).rowcount

        wait_until(lambda: self.desk.write(due) > 0, what="the reply to be noted")


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    return str(mail["Subject"]) + "\n" + (str(body.get_content()) if body else "")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    smtp = SmtpServer()
    folder = tmp_path_factory.mktemp("requests") / "data"
    mail = {"SHOPBELL_SMTP_URL": smtp.url, "SHOPBELL_MAIL_ADDRESS": "help@shop.example"}
    desk = make_desk(folder, None, env=UNLIMITED | mail)
    desk.server.env["SHOPBELL_PUBLIC_URL"] = desk.url
    desk.server.start()
    shop = ShopPage(desk_url=desk.url, site_key=desk.site)
    yield Story(desk, shop, smtp)
    shop.close()
    desk.server.kill()
    smtp.close()


# What people read, in the two languages.
WORDS = {
    "en": {
        "leave": "Leave a message",
        "name": "Your name",
        "email": "E-mail",
        "message": "Message",
        "send": "Send the message",
        "got": "We have it: your number is ",
        "kept": "Not connected. Kept on this device.",
        "to": "To my requests",
        "mine": "Your requests",
        "body": "The walnut lamp flickers.",
        "answer": "A new one is on its way to you.",
        "send_answer": "Send",
        "address": "E-mail address",
        "ask_code": "Send me a code",
        "code": "Code",
        "sign_in": "Sign in",
        "solved": "Yes, it is solved",
        "five": "5 good",
        "rate": "Send rating",
        "thanks": "Thank you for your rating",
        "unread": "1 new",
        "ready": "ready",
        "still": "It is still a problem",
    },
    "zh": {
        "leave": "留言",
        "name": "您的称呼",
        "email": "邮箱",
        "message": "留言内容",
        "send": "提交留言",
        "got": "已收到，您的编号是 ",
        "kept": "尚未联网，已保存在本设备",
        "mine": "我的请求",
        "body": "胡桃木台灯一直闪。",
        "answer": "新的台灯已经寄出。",
        "send_answer": "发送",
        "address": "邮箱",
        "ask_code": "发送验证码",
        "code": "验证码",
        "sign_in": "登录",
        "solved": "是的，已解决",
        "five": "5 满意",
        "rate": "提交评价",
        "thanks": "感谢您的评价",
        "unread": "1 条新回复",
        "ready": "已就绪",
        "still": "问题仍未解决",
    },
}
NUMBER = re.compile(r"T-[0-9A-Z]{4}-[0-9A-Z]{4}")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_message_to_an_empty_desk_ends_as_a_rating_in_the_report(
    story: Story, pages: Pages, lang: str
) -> None:
    said, address = WORDS[lang], f"mei.{lang}@buyer.example"
    language = "en-GB" if lang == "en" else "zh-CN"
    context = pages.context(language=language, width=390, height=800, touch=True)
    shopper = Shopper(story.shop, context.new_page())  # type: ignore[arg-type]  # has page()
    shopper.visit().open()
    shopper.run(f"window.Shopbell.setLocale({lang!r})")

    # Nobody is there, and the network is gone when the message is sent.
    panel = shopper.panel
    panel.get_by_role("button", name=said["leave"], exact=True).click()
    over = panel.locator(".reader")
    over.get_by_label(said["name"], exact=True).fill("林悦")
    over.get_by_label(said["email"], exact=True).fill(address)
    over.get_by_label(said["message"], exact=True).fill(said["body"])
    choose = over.locator("input[type=file]").first
    choose.set_input_files([upload("lamp.png", "image/png", picture((20, 120, 90)))])
    expect(over.locator(".tray")).to_contain_text(said["ready"])
    context.set_offline(True)
    expect(shopper.banner).not_to_be_empty()
    over.get_by_role("button", name=said["send"], exact=True).click()
    expect(over.get_by_role("heading", name=said["kept"])).to_be_visible()
    context.set_offline(False)
    if lang == "zh":
        # The page is left at once: what waits is sent by the next one.
        shopper.page.reload()
        shopper.run("window.Shopbell.setLocale('zh')")
        shopper.open()
        panel.get_by_role("button", name=said["mine"]).click()
        got = over.get_by_role("button", name=re.compile(r"T-")).first
    else:
        got = over.get_by_role("heading", name=said["got"])
    expect(got).to_be_visible()
    found = NUMBER.search(got.inner_text())
    assert found is not None
    number = found[0]

    # An agent answers.
    console = pages.open(f"{story.desk.url}/sign-in?lang={lang}&next=/tickets/{number}")
    console.fill("[name=email]", story.desk.people["ana"].email)
    console.fill("[name=password]", PASSWORD)
    console.click("button.primary")
    console.wait_for_url(f"**/tickets/{number}")
    expect(console.get_by_text(said["body"]).first).to_be_visible()
    expect(console.locator(".file-picture img")).to_be_visible()
    console.locator("#f-body").fill(said["answer"])
    console.get_by_role("button", name=said["send_answer"], exact=True).click()
    console.wait_for_load_state()

    # The widget marks it; the mail brings it, since the shopper has not looked.
    if lang == "en":
        over.get_by_role("button", name=said["to"]).click()
    expect(over.get_by_role("button", name=re.compile(said["body"]))).to_contain_text(
        said["unread"]
    )
    story.hurry()
    mail = story.mail(address, re.escape(said["answer"]))
    assert number in str(mail["Subject"])
    portal = _portal(story, pages, said, address, lang)
    assert f"{story.desk.url}/portal" in text_of(mail)

    # They follow the link, say that it is solved, and rate.
    portal.get_by_role("link", name=re.compile(said["body"])).click()
    expect(portal.get_by_text(said["answer"])).to_be_visible()
    expect(portal.locator(".file-picture img")).to_be_visible()
    portal.get_by_role("button", name=said["solved"]).click()
    portal.get_by_label(said["five"]).check()
    portal.get_by_role("button", name=said["rate"]).click()
    expect(portal.get_by_role("status")).to_contain_text(said["thanks"])

    # The widget has the whole thread, and it stands in the report.
    over.get_by_role("button", name=re.compile(said["body"])).click()
    expect(over.get_by_text(said["answer"])).to_be_visible()
    expect(over.locator(".said canvas")).to_be_visible()
    ticket = story.desk.write(lambda tx: id_of_number(tx.connection, number))
    same = select(TICKET_TEXT.c.ticket_id).where(TICKET_TEXT.c.subject == said["body"])
    assert story.desk.write(lambda tx: tx.connection.execute(same).scalars().all()) == [ticket]
    console.goto(f"{story.desk.url}/reports/rows?metric=csat&channel=ticket&period=7")
    expect(console.locator(f"a[href*='{ticket}']").first).to_be_visible()
    console.goto(f"{story.desk.url}/reports/satisfaction?channel=ticket&period=7")
    expect(console.locator("main")).to_contain_text("100")

    # It was not solved after all: a file alone opens it again, and what is refused holds it up.
    choose.set_input_files(
        [
            upload("evil.html", "text/html", b"<html><script>1</script>"),
            upload("bill.pdf", "application/pdf", b"%PDF-1.7\n%%EOF\n"),
        ]
    )
    refused = over.locator(".tray li", has_text="evil.html")
    expect(refused.get_by_role("alert")).to_be_visible()
    over.get_by_role("button", name=said["still"], exact=True).click()
    refused.get_by_role("button").last.click()
    over.get_by_role("button", name=said["still"], exact=True).click()
    expect(over.get_by_role("link", name="bill.pdf")).to_be_visible()
    expect(over.get_by_role("button", name=said["solved"])).to_be_visible()


def _portal(story: Story, pages: Pages, said: dict[str, str], address: str, lang: str) -> Page:
    """The portal, signed in with the code that was mailed."""
    page = pages.open(f"{story.desk.url}/portal?lang={lang}", width=390, height=800)
    page.get_by_label(said["address"]).fill(address)
    page.get_by_role("button", name=said["ask_code"]).click()
    mail = story.mail(address, r"\b\d{6}\b")
    code = re.search(r"\b\d{6}\b", text_of(mail))
    assert code is not None
    page.get_by_label(said["code"]).fill(code[0])
    page.get_by_role("button", name=said["sign_in"], exact=True).click()
    return page
