"""What a person wrote stays; what their mail program put below it goes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.channels.mail.trim import trimmed
from server.domain.mail import MARK

# What programs write below an answer, in the forms that they really use.
BELOW = {
    "Gmail": "On Mon, 3 Nov 2026 at 10:00, Mori Support <help@mori.example> wrote:\n\n> Dear Ana,",
    "Gmail over two lines": (
        "On Tuesday, November 3, 2026 at 10:00:00 AM GMT+1, Mori\n<help@mori.example> wrote:\n\nHi"
    ),
    "Gmail 中文": "Mori <help@mori.example> 于2026年11月3日周二 10:00写道：\n\n> 您好",
    "QQ 邮箱": (
        '------------------ 原始邮件 ------------------\n发件人: "客服" <help@mori.example>;\n'
        '发送时间: 2026年11月3日(星期二) 上午10:00\n收件人: "Ana"<a@b.example>;\n主题: 退款\n\n您好'
    ),
    "163": 'At 2026-11-03 10:00:00, "客服" <help@mori.example> wrote:\n>您好',
    "163 中文": '在 2026-11-03 10:00:00，"Mori" <help@mori.example> 写道：\n\n>您好',
    "Outlook": (
        "________________________________\nFrom: Mori <help@mori.example>\n"
        "Sent: Tuesday, November 3, 2026 10:00 AM\nTo: Ana\nSubject: Re: refund\n\nDear Ana"
    ),
    "Outlook 中文": (
        "发件人: Mori <help@mori.example>\n发送时间: 2026年11月3日 10:00\n收件人: Ana\n"
        "主题: 答复: 退款\n\n您好"
    ),
    "Outlook deutsch": (
        "**Von:** Mori <help@mori.example>\n**Gesendet:** Dienstag, 3. November 2026 10:00\n"
        "**An:** Ana\n**Betreff:** AW: Lampe\n\nHallo"
    ),
    "Outlook français": (
        "De : Mori <help@mori.example>\nEnvoyé : mardi 3 novembre 2026 10:00\nÀ : Ana\n"
        "Objet : Re: lampe\n\nBonjour"
    ),
    "Gmail deutsch": "Am Di., 3. Nov. 2026 um 10:00 Uhr schrieb Mori <help@mori.example>:\n\n> Hi",
    "Gmail français": "Le mar. 3 nov. 2026 à 10:00, Mori <help@mori.example> a écrit :\n\n> Hi",
    "iPhone deutsch": "Von meinem iPhone gesendet\n\n> Am 3.11.2026 um 10:00 schrieb Mori:\n> Hi",
    "iPhone": "Sent from my iPhone\n\n> On 3 Nov 2026, at 10:00, Mori wrote:\n>\n> Dear",
    "iPhone 中文": "发自我的iPhone\n\n> 在 2026年11月3日，10:00，Mori 写道：\n>\n> 您好",
    "signature": "-- \nAna Costa\nLisbon",
    "our mark": f"{MARK}\nWrite above this line.",
}


@pytest.mark.parametrize("below", BELOW.values(), ids=BELOW.keys())
@pytest.mark.parametrize("written", ["Yes, the lamp is broken.", "还没收到退款。\n\n谢谢"])
def test_only_what_was_written_is_left(written: str, below: str) -> None:
    assert trimmed(f"{written}\n\n{below}\n") == (written, below)


@pytest.mark.parametrize(
    "text",
    [
        "> Which colour?\nBlue.\n> Which size?\nL",
        "From: my point of view it is broken\nTo: be honest I want a refund",
        "On Monday I wrote: where is it?",
        "我昨天写道：请退款",
        "Subject: lamp\nIt is broken.",
        "Am Montag schrieb ich: wo ist sie?",
        "An: alle\nVon: mir",
    ],
)
def test_words_that_only_look_like_a_quotation_stay(text: str) -> None:
    assert trimmed(text) == (text, "")


@given(st.text(max_size=400))
def test_nothing_is_lost_and_something_is_left(text: str) -> None:
    words, rest = trimmed(text)
    bare = "".join(text.replace("\r\n", "\n").replace("\r", "\n").split())
    assert "".join((words + rest).split()) == bare
    assert bool(words) == bool(text.strip())
