"""Awkward mails, written for these tests: each says what a reader must make of it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.header import Header
from typing import Any  # Any: expected values of many types

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@dataclass(frozen=True)
class Awkward:
    """A mail and what must be read in it; ``refused`` is why it must not be read at all."""

    name: str
    raw: bytes
    expected: Mapping[str, Any] = field(default_factory=dict)
    refused: str | None = None


def mail(body: bytes | str, /, charset: str = "utf-8", **headers: str) -> bytes:
    """A mail of one part; underscores in the names of headers stand for dashes."""
    told = {
        "From": "Ana Costa <ana@buyer.example>",
        "To": "help@mori.example",
        "Subject": "My order",
        "Message-ID": "<one@buyer.example>",
        "Content-Type": f'text/plain; charset="{charset}"',
        "Content-Transfer-Encoding": "8bit",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in told.items() if value]
    content = body.encode(charset) if isinstance(body, str) else body
    head = "\r\n".join(lines)
    return head.encode("utf-8", "surrogateescape") + b"\r\n\r\n" + content


def parts(*inner: bytes, kind: str = "mixed", **headers: str) -> bytes:
    """A mail of several parts."""
    body = b"".join(b"--edge\r\n" + one + b"\r\n" for one in inner) + b"--edge--\r\n"
    return mail(body, Content_Type=f'multipart/{kind}; boundary="edge"', **headers)


def part(content: str, media_type: str = "text/plain", **headers: str) -> bytes:
    """One part of a mail, in UTF-8."""
    told = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"Content-Type: {media_type}; charset=utf-8\r\n{told}\r\n{content}".encode()


def file(content: bytes, media_type: str, **headers: str) -> bytes:
    """A file as a part of a mail."""
    told = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"Content-Type: {media_type}\r\nContent-Transfer-Encoding: base64\r\n{told}\r\n"
    return head.encode() + base64.encodebytes(content)


def _nested(depth: int) -> bytes:
    inner = b"Content-Type: text/plain\r\n\r\nthe core"
    for level in range(depth):
        edge = f"e{level}".encode()
        head = b'Content-Type: multipart/mixed; boundary="' + edge + b'"\r\n\r\n--' + edge + b"\r\n"
        inner = head + inner + b"\r\n--" + edge + b"--"
    return b"From: a@b.example\r\n" + inner


_BOUNCE = parts(
    part("The following address failed: gone@buyer.example"),
    b"Content-Type: message/delivery-status\r\n\r\n"
    b"Reporting-MTA: dns; mx.buyer.example\r\n\r\n"
    b"Final-Recipient: rfc822; gone@buyer.example\r\nAction: failed\r\nStatus: 5.1.1\r\n",
    kind='report; report-type="delivery-status"',
    From="Mail Delivery <mailer-daemon@mx.buyer.example>",
    Return_Path="<>",
    Subject="Undelivered Mail",
)

AWKWARD = (
    Awkward("plain", mail("Where is it?"), {"words": "Where is it?", "kind": "person"}),
    Awkward(
        "gbk that says gb2312",
        mail("退款还没到，镕基牌台灯坏了".encode("gbk"), "gb2312"),
        {"words": "退款还没到，镕基牌台灯坏了"},
    ),
    Awkward(
        "GB18030 with rare characters",
        mail("𠮷野家的订单".encode("gb18030"), "gb18030"),
        {"words": "𠮷野家的订单"},
    ),
    Awkward("Big5", mail("訂單還沒到".encode("big5"), "big5"), {"words": "訂單還沒到"}),
    Awkward(
        "GB18030 that says nothing",
        mail("什么时候发货".encode("gb18030"), Content_Type="text/plain"),
        {"words": "什么时候发货"},
    ),
    Awkward("a set that there is not", mail(b"hello", "x-none"), {"words": "hello"}),
    Awkward("bytes of no set", mail(b"caf\xe9 \xff\xfe\x00ok"), {"kind": "person"}),
    Awkward(
        "encoded subject and name in two sets",
        mail(
            "hi",
            Subject=Header("退款：订单 MO-1024", "gb18030").encode(),
            From=f"{Header('王小明', 'utf-8').encode()} <wang@buyer.example>",
        ),
        {"subject": "退款：订单 MO-1024", "sender.name": "王小明"},
    ),
    Awkward(
        "raw UTF-8 in headers",
        mail("hi", Subject="退款了吗", From="王小明 <wang@buyer.example>"),
        {"subject": "退款了吗", "sender.name": "王小明"},
    ),
    Awkward(
        "a name that would be a header",
        mail("hi", From='"Ana\r\n\tBcc: all@buyer.example" <ana@buyer.example>'),
        {"sender.email": "ana@buyer.example", "to.count": 1},
    ),
    Awkward(
        "a subject over lines",
        mail("hi", Subject="=?utf-8?q?one=0D=0ABcc:_x=40y.example?="),
        {"subject": "one Bcc: x@y.example"},
    ),
    Awkward(
        "HTML alone",
        mail(
            "<style>p{}</style><p>My <b>lamp</b></p><script>x()</script><p>is dark</p>",
            Content_Type="text/html; charset=utf-8",
        ),
        {"words": "My lamp\n\nis dark"},
    ),
    Awkward(
        "HTML alone, with what Markdown would mark",
        mail(
            "<h2>Hello</h2><pre>No. 7</pre><p><a href='https://a.example/x'>Parcel</a>, "
            "<a href='mailto:ana@b.example'>ana@b.example</a>"
            "<img src='https://a.example/pixel.gif'><img src='https://a.example/l.png' alt='Ana'>",
            Content_Type="text/html; charset=utf-8",
        ),
        {"words": "Hello\n\nNo. 7\n\nParcel (https://a.example/x), ana@b.exampleAna"},
    ),
    Awkward(
        "text beside HTML with a picture in it",
        parts(
            part("See the photo"),
            part('<p>See <img src="cid:pic1"></p>', "text/html"),
            file(
                PNG,
                'image/png; name="a.png"',
                Content_ID="<pic1>",
                Content_Disposition="inline",
            ),
            kind="related",
        ),
        {"words": "See the photo", "files.count": 1, "files.0.content_id": "pic1"},
    ),
    Awkward(
        "a file name in Chinese with a path",
        parts(
            part("here"),
            file(
                PNG,
                "image/png",
                Content_Disposition="attachment; filename*=utf-8''..%2F..%2F%E7%85%A7%E7%89%87.png",
            ),
        ),
        {"files.0.name": "照片.png"},
    ),
    Awkward("no sender", mail("hi", From=""), {"sender": None}),
    Awkward("nothing at all", b"", {"words": "", "sender": None}),
    Awkward("only a body", b"\r\njust words", {"words": "just words"}),
    Awkward("base64 that is not", mail("%%%", Content_Transfer_Encoding="base64"), {}),
    Awkward("a boundary that never comes", parts(b"").replace(b"--edge", b"--edg"), {}),
    Awkward("a bounce", _BOUNCE, {"kind": "bounce", "undelivered": ("gone@buyer.example",)}),
    Awkward(
        "out of office",
        mail("I am away", Auto_Submitted="auto-replied"),
        {"kind": "auto"},
    ),
    Awkward("自动回复", mail("我在休假", Subject="自动回复: 订单"), {"kind": "auto"}),
    Awkward("a newsletter", mail("Buy", List_Id="<news.shop.example>"), {"kind": "list"}),
    Awkward(
        "suppression asked for by a person's program is no sign of a machine",
        mail("hi", X_Auto_Response_Suppress="All"),
        {"kind": "person"},
    ),
    Awkward("our own mail back", mail("hi", X_Shopbell_Loop="abc"), {"loops": ("abc",)}),
    Awkward(
        "many references",
        mail("hi", References=" ".join(f"<{n}@x.example>" for n in range(500))),
        {"references.count": 100, "references.0": "499@x.example"},
    ),
    Awkward("a thousand levels", _nested(1000), refused="too_deep"),
    Awkward(
        "ten thousand cells",
        mail(f"<table>{'<tr><td>cell' * 10_000}</table>", Content_Type="text/html"),
        {"words.has": "cell", "sheet.remote": 0},
    ),
    Awkward(
        "elements without end in each other",
        mail("<p>Hello</p>" + "<div>" * 100_000, Content_Type="text/html"),
        {"words": "Hello", "sheet": None},
    ),
    Awkward(
        "a style that calls out and a base",
        mail(
            '<base href="//evil.example"><meta http-equiv="refresh" content="0;url=//evil.example">'
            "<p style='background:url(//evil.example/x)'>Hello <img src='cid:a'><img src='cid:a'>",
            Content_Type="text/html",
        ),
        {"words.has": "Hello", "sheet.remote": 0, "sheet.html.lacks": "evil"},
    ),
    Awkward(
        "a hundred pictures inside",
        parts(
            part("<p>Look</p>" + "<img src='cid:a'>" * 100, "text/html"),
            *[file(PNG, "image/png", Content_ID="<a>")] * 100,
        ),
        {"words": "Look", "left_out": 80, "files.count": 20},
    ),
    Awkward("eleven levels", _nested(11), refused="too_deep"),
    Awkward(
        "sixty parts",
        parts(*[part(f"part {n}") for n in range(60)]),
        {"words.has": "part 49", "words.lacks": "part 50", "left_out": 10},
    ),
    Awkward(
        "words behind sixty files",
        parts(*[file(b"%PDF-1", "application/pdf")] * 60, part("The last word")),
        {"words": "The last word", "left_out": 40, "files.count": 20},
    ),
    Awkward(
        "three thousand parts",
        parts(*[part("x")] * 3000),
        refused="too_many_parts",
    ),
    Awkward(
        "200,000 comments",
        mail("hi", From="a@b.example " + "(" * 30_000 + ")" * 30_000),
        refused="nested_comments",
    ),
    Awkward("a head without end", mail("hi", Subject="x" * 100_000), refused="head_too_large"),
    Awkward("26 MB", mail("x" * 26_000_000), refused="too_large"),
)
