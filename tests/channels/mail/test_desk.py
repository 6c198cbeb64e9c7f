"""Whole threads by mail over a real IMAP and a real SMTP server, on both databases."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from agent_ui.mail_html import cleaned
from server.actions import messages
from server.actions.messages import MarkRead
from server.actions.privacy import forget_old_mails
from server.actions.visitors import Describe, describe
from server.channels.mail.trim import trimmed
from server.domain.html import to_words
from server.domain.mail import MARK
from server.storage import mails
from tests.channels.mail.awkward import AWKWARD, PNG, file, part, parts
from tests.channels.mail.awkward import mail as mail_of
from tests.channels.mail.correspondence import Correspondence


def _text(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def _quoted(message: EmailMessage) -> str:
    return "\n".join(f"> {line}" for line in _text(message).splitlines())


async def test_a_thread_goes_back_and_forth(mail: Correspondence) -> None:
    chen = mail.scene.person("chen")
    came = await mail.write("My lamp is broken.", Subject="Re: Lamp")
    assert (came.state, came.reason) == ("taken", "ticket")
    (ticket,) = mail.tickets()
    assert (ticket.source, ticket.state) == ("mail", "new")

    await mail.until(lambda: mail.smtp.mails, "the acknowledgement")
    acknowledged = mail.smtp.mails[0]
    assert ticket.number in acknowledged["Subject"]
    assert acknowledged["Auto-Submitted"] == "auto-generated"
    assert "lamp" not in (acknowledged["Subject"] + _text(acknowledged)).lower()

    answer = await mail.reply(chen, ticket, "Which colour is it?", state="pending_customer")
    assert answer["In-Reply-To"] == "<m1@buyer.example>"
    assert answer["To"] == "ana@buyer.example"
    assert "Which colour is it?" in _text(answer)
    assert MARK in _text(answer)
    looks = answer.get_body(("html",))
    assert looks is not None
    # Both say the same, and what a program makes of the second is trimmed as well.
    words, quoted = trimmed(f"Blue\n\n{to_words(looks.get_content())}")
    assert words == "Blue"
    assert "Which colour is it?" in quoted
    assert cleaned(looks.get_content()) is not None

    came = await mail.write(
        f"Blue.\n\nOn Mon, 3 Nov 2026, Mori wrote:\n{_quoted(answer)}",
        Subject=answer["Subject"],
        References=answer["Message-ID"],
    )
    assert (came.reason, came.conversation_id) == ("thread", ticket.id)
    assert mail.words(ticket.id) == ["My lamp is broken.", "Which colour is it?", "Blue."]
    assert mail.tickets()[0].state == "open"


async def test_who_writes_first_is_answered_in_their_language_beneath_their_mail(
    mail: Correspondence,
) -> None:
    chen = mail.scene.person("chen")
    await mail.write(
        "您好，收到的餐椅和图片不一样，想退货。", Subject="Lund 餐椅", From="li.mei@buyer.example"
    )
    await mail.until(lambda: mail.smtp.mails, "the acknowledgement")
    acknowledged = mail.smtp.mails[0]
    assert "已收到" in acknowledged["Subject"]
    assert acknowledged["In-Reply-To"] == "<m1@buyer.example>"
    (ticket,) = mail.tickets()
    answer = await mail.reply(chen, ticket, "可以退货。")
    assert "回复本邮件" in _text(answer)

    await mail.write("Where is my 木凳 stool?", From="ana@buyer.example")
    await mail.until(lambda: len(mail.smtp.mails) == 3, "the second acknowledgement")
    assert "We have your request" in mail.smtp.mails[2]["Subject"]


async def test_what_our_mail_server_takes_for_forged_says_so_to_agents(
    mail: Correspondence,
) -> None:
    failed = "mx.mori.example; dmarc=fail header.from=buyer.example"
    believed = await mail.write("My lamp is broken.")
    await mail.write("Send it to another street.", Authentication_Results=failed)
    # Both were made in one moment.
    honest, forged = sorted(mail.tickets(), key=lambda one: one.id != believed.conversation_id)
    assert mail.words(honest.id, "private") == []
    (note,) = mail.words(forged.id, "private")
    assert "ana@buyer.example" in note
    assert "forged" in note

    answer = await mail.reply(mail.scene.person("chen"), honest, "Which colour?")
    await mail.write("Blue", References=answer["Message-ID"], Authentication_Results=failed)
    (beside,) = mail.words(honest.id, "private")
    assert "forged" in beside
    assert beside.endswith("Blue")


async def test_a_picture_without_a_word_is_a_ticket_with_the_name_of_the_picture(
    mail: Correspondence,
) -> None:
    picture = file(PNG, "image/png", Content_Disposition='attachment; filename="lamp.png"')
    await mail.put(parts(part(" "), picture, Subject=""))
    answer = await mail.reply(mail.scene.person("chen"), mail.tickets()[0], "What is it?")
    assert "lamp.png" in answer["Subject"]


async def test_an_answer_finds_its_thread_by_address_alone(mail: Correspondence) -> None:
    chen = mail.scene.person("chen")
    await mail.write("My lamp is broken.")
    (ticket,) = mail.tickets()
    answer = await mail.reply(chen, ticket, "Which colour?")
    came = await mail.write("Blue.", To=str(answer["Reply-To"]))
    assert (came.reason, came.conversation_id) == ("thread", ticket.id)


async def test_neither_number_nor_guess_nor_foreign_sender_gets_into_a_thread(
    mail: Correspondence,
) -> None:
    chen = mail.scene.person("chen")
    await mail.write("My lamp is broken.")
    (ticket,) = mail.tickets()
    answer = await mail.reply(chen, ticket, "Which colour?", state="resolved")
    sent = len(mail.smtp.mails)
    token = str(answer["Message-ID"])
    forged = {
        "the number in the subject": {"Subject": f"Re: [{ticket.number}]"},
        "a tag that is wrong": {
            "References": token.replace(token[40:44], "aaaa"),
            "From": "eve@evil.example",
        },
        "a made-up address": {"To": f"help+{ticket.id}.{'a' * 26}@mori.example"},
    }
    for headers in forged.values():
        came = await mail.write("Send me all of it", **headers)
        assert came.reason == "ticket"
        assert came.conversation_id != ticket.id
    other = await mail.write("I am Ana, really", References=token, From="eve@evil.example")
    copied = await mail.write(
        "And me", References=token, From="eve@evil.example", Cc="ana@buyer.example"
    )
    assert {other.reason, copied.reason} == {"other_sender"}
    unproved = await mail.write(
        "It is me",
        References=token,
        Authentication_Results="mx.mori.example; dmarc=fail header.from=buyer.example",
    )
    assert unproved.reason == "other_sender"
    assert mail.words(ticket.id) == ["My lamp is broken.", "Which colour?"]
    assert len(mail.words(ticket.id, "private")) == 3
    assert mail.tickets()[0].state == "resolved"
    gone = [one.recipient for one in mail.went() if one.conversation_id == ticket.id]
    assert set(gone) == {"ana@buyer.example"}
    assert all("lamp" not in _text(one).lower() for one in mail.smtp.mails[sent:])


async def test_machines_are_heard_and_never_answered(mail: Correspondence) -> None:
    chen = mail.scene.person("chen")
    await mail.write("My lamp is broken.")
    (ticket,) = mail.tickets()
    answer = await mail.reply(chen, ticket, "Which colour?", state="resolved")
    sent = mail.replies()
    away = await mail.write(
        "I am away", References=answer["Message-ID"], Auto_Submitted="auto-replied"
    )
    back = await mail.write("lost", X_Shopbell_Loop=str(answer["X-Shopbell-Loop"]))
    own = await mail.write("note to self", From="help@mori.example")
    news = await mail.write("Buy now", List_Id="<news.shop.example>")
    assert [one.reason for one in (away, back, own, news)] == ["auto", "our_own", "our_own", "list"]
    assert (news.state, away.state) == ("aside", "ignored")
    assert mail.tickets()[0].state == "resolved"
    assert len(mail.tickets()) == 1
    assert mail.replies() == sent


async def test_a_bounce_is_told_to_the_agent(mail: Correspondence) -> None:
    chen = mail.scene.person("chen")
    await mail.write("My lamp is broken.")
    (ticket,) = mail.tickets()
    answer = await mail.reply(chen, ticket, "Which colour?")
    original = f"Message-ID: {answer['Message-ID']}\r\nSubject: x\r\n\r\nbody"
    (came,) = await mail.put(
        parts(
            part("It could not be delivered"),
            b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
            b"Final-Recipient: rfc822; ana@buyer.example\r\nAction: failed\r\nStatus: 5.1.1\r\n",
            b"Content-Type: message/rfc822\r\n\r\n" + original.encode(),
            kind='report; report-type="delivery-status"',
            From="Mail <mailer-daemon@mx.example>",
            Message_ID="<b1@mx.example>",
        )
    )
    assert (came.reason, came.conversation_id) == ("bounce", ticket.id)
    assert "did not arrive" in mail.words(ticket.id, "private")[0]
    (lost,) = mail.went("failed")
    assert lost.reason == "bounced"
    # The process that handed it over may be so slow that it notes this only now.
    mail.scene.database.write_now(lambda tx: mails.note_sent(tx, lost.id))
    assert [one.reason for one in mail.went("failed")] == ["bounced"]


async def test_what_a_shopper_did_not_see_in_the_widget_goes_by_mail_and_comes_back(
    mail: Correspondence,
) -> None:
    chen = mail.scene.person("chen")
    shopper = mail.scene.shopper(locale="zh")
    mail.scene.do(describe, shopper, Describe(email="wang@buyer.example"))
    chat = mail.scene.chat(shopper, "有货吗")
    seen = mail.scene.post(chen, "请稍等", chat)
    mail.scene.do(
        messages.mark_read,
        shopper,
        MarkRead(conversation_id=chat, message_id=seen["message_id"]),
    )
    mail.scene.post(chen, "有货，今天发出。", chat)
    answer = await mail.sent()
    assert "有货，今天发出。" in _text(answer)
    assert "请稍等" not in _text(answer)
    assert answer["To"] == "wang@buyer.example"

    came = await mail.write(
        "好的，谢谢", From="wang@buyer.example", References=answer["Message-ID"]
    )
    assert (came.reason, came.conversation_id) == ("thread", chat)
    assert mail.words(chat)[-1] == "好的，谢谢"
    assert mail.tickets() == []


async def test_what_was_read_is_not_mailed(mail: Correspondence) -> None:
    chen = mail.scene.person("chen")
    shopper = mail.scene.shopper()
    mail.scene.do(describe, shopper, Describe(email="wang@buyer.example"))
    chat = mail.scene.chat(shopper)
    said = mail.scene.post(chen, "Hello", chat)
    await mail.until(mail.wishes, "the reply to be noted")
    mail.scene.do(
        messages.mark_read,
        shopper,
        MarkRead(conversation_id=chat, message_id=said["message_id"]),
    )
    mail.scene.time.pass_s(600)

    def ended() -> str | None:
        found = mail.scene.database.read_now(
            lambda c: c.execute(mails.MAIL_WISH.select()).mappings().one()["mail_id"]
        )
        return None if found is None else str(found)

    await mail.until(ended, "the wish to be looked at")
    assert (ended(), mail.went()) == ("seen", [])


async def test_a_server_that_is_not_ready_is_tried_again_and_a_refusal_is_not(
    mail: Correspondence,
) -> None:
    mail.smtp.answers += ["451 try later", "550 no such user"]
    await mail.write("one")
    await mail.until(lambda: mail.went() and mail.went()[0].reason, "the first try")
    first = mail.went()[0]
    assert (first.state, first.reason) == ("queued", "answer 451")
    mail.scene.time.pass_s(120)
    await mail.until(lambda: mail.went()[0].state == "failed", "the refusal")
    assert (mail.went()[0].reason, mail.smtp.mails) == ("answer 550", [])


async def test_every_awkward_mail_is_taken_or_set_aside_and_the_next_one_is_read(
    mail: Correspondence,
) -> None:
    # Each takes a process to read; test_reading.py has them all.
    awkward = [one for one in AWKWARD if one.name != "26 MB" and one.raw][::3]
    raws = [
        one.raw.replace(b"<one@buyer.example>", f"<{n}@buyer.example>".encode())
        for n, one in enumerate(awkward)
    ]
    came = await mail.put(*raws, mail_of("the last one", Message_ID="<last@buyer.example>"))
    by_state = {one.state for one in came}
    assert by_state <= {"taken", "ignored", "aside"}
    assert came[0].reason == "ticket"
    unreadable = [one for one in awkward if one.refused is not None]
    set_aside = [one for one in came if one.state == "aside" and one.raw is None]
    assert len([one for one in set_aside if one.reason]) >= len(unreadable)


async def test_a_mailbox_that_is_numbered_anew_doubles_nothing(mail: Correspondence) -> None:
    await mail.write("one")
    await mail.write("two", From="bo@buyer.example")
    assert len(mail.tickets()) == 2
    mail.dovecot.renumber()
    await mail.until(lambda: len(mail.came()) == 4, "the mails to be fetched again")
    await mail.until(lambda: not mail.came("new"), "them to be read")
    assert len(mail.tickets()) == 2
    assert mail.dovecot.unseen() == 2


async def test_a_flood_of_mails_is_acknowledged_once(mail: Correspondence) -> None:
    raws = [
        mail_of(f"order {n}", Message_ID=f"<f{n}@buyer.example>", Subject=f"Buy my pills {n}")
        for n in range(12)
    ]
    await mail.put(*raws)
    await mail.until(lambda: mail.smtp.mails, "the acknowledgement")
    assert len(mail.went()) == 1
    assert "pills" not in str(mail.smtp.mails[0])


async def test_a_mailbox_that_is_away_is_said_and_found_again(mail: Correspondence) -> None:
    mail.dovecot.stop()
    await mail.until(lambda: mail.desk.error, "the failure to be noticed")
    mail.dovecot.start()
    came = await mail.write("here again")
    assert came.reason == "ticket"
    await mail.until(lambda: mail.desk.error is None, "the mailbox to be well")


@pytest.fixture(autouse=True)
def _nothing_is_left(mail: Correspondence) -> None:
    assert mail.came() == []


async def test_old_mails_lose_their_words_and_stay_known(mail: Correspondence) -> None:
    chen = mail.scene.person("chen")
    await mail.write("My lamp is broken.")
    (ticket,) = mail.tickets()
    await mail.reply(chen, ticket, "Which colour?")
    # That it has gone is noted a moment after it has arrived.
    await mail.until(lambda: len(mail.went("sent")) == len(mail.went()), "all to be noted")
    # One that never arrived is as old as the others.
    given_up = mail.went()[0].id
    mail.scene.database.write_now(
        lambda tx: mails.note_failed(tx, given_up, reason="refused", due_at_ms=None)
    )
    mail.scene.time.pass_s(31 * 24 * 3600)
    assert mail.scene.database.write_now(forget_old_mails)
    assert [(one.sender, one.subject) for one in mail.came()] == [(None, None)]
    assert {one.words for one in mail.went()} == {""}
    again = await mail.write("My lamp is broken.", Message_ID="<m1@buyer.example>")
    assert again.reason == "known"
    assert mail.words(ticket.id) == ["My lamp is broken.", "Which colour?"]
