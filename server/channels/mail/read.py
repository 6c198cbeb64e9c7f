"""Raw mail as a Letter, within limits, whatever was sent.

It runs in a process of its own (child.py), because the standard parser can be made to think for
seconds and to run out of stack: 200,000 nested comments in From take it 5.6 s. What cannot be read
is told as Unreadable and kept raw by who called.
"""

from __future__ import annotations

import email.policy
import re
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses, mktime_tz, parsedate_tz
from typing import Any, cast  # Any: the email package is loosely typed

from flufl.bounce import all_failures

from agent_ui.mail_html import cleaned
from server.channels.mail.trim import trimmed
from server.domain.html import to_words
from server.domain.letter import Address, Enclosed, Kind, Letter, Sheet, Unreadable

MOST_BYTES = 25_000_000
MOST_HEADER_BYTES = 64_000
MOST_PARTS = 50
# Of more than these parts the first are read; a mail of so many is made to keep us busy.
MOST_WALKED = 2_000
MOST_DEPTH = 10
MOST_FILES = 20
MOST_ADDRESSES = 50
MOST_REFERENCES = 100
MOST_TEXT = 200_000
MOST_HTML = 1_000_000
MOST_NAME = 200

_POLICY = email.policy.compat32
_LINES = re.compile(r"[\r\n\0]+")
_MESSAGE_ID = re.compile(r"<([^<>\s]{1,500})>")
# Names that senders give to what the standard calls something else; the larger set reads both.
_MENTIONED = re.compile(rb"^\s*Message-ID:\s*<([^<>\s]{1,500})>", re.IGNORECASE | re.MULTILINE)
_CHARSETS = {"gb2312": "gb18030", "gbk": "gb18030", "gb_2312-80": "gb18030", "x-gbk": "gb18030"}
_NESTED = re.compile(rb"\([^)]{0,80}\([^)]{0,80}\(")
_AUTO_WORDS = re.compile(
    r"^\s*(?:auto(?:matic)?[ -]?(?:reply|response)|out of (?:the )?office|undeliver(?:ed|able)|"
    r"自动(?:回复|答复)|自動(?:回覆|回復)|不在办公室|退信)",
    re.IGNORECASE,
)
_LASTING = re.compile(r"\b5\.\d{1,3}\.\d{1,3}\b")


def read_letter(raw: bytes) -> Letter:
    """The mail. Raises Unreadable when it is larger, deeper or stranger than a mail may be."""
    if len(raw) > MOST_BYTES:
        raise Unreadable("too_large")
    head = re.split(rb"\r?\n\r?\n", raw[: MOST_HEADER_BYTES + 4], maxsplit=1)[0]
    if len(head) > MOST_HEADER_BYTES:
        raise Unreadable("head_too_large")
    if _NESTED.search(head):
        # No mail program nests comments in an address; what does is meant to make us think.
        raise Unreadable("nested_comments")
    try:
        message = message_from_bytes(raw, policy=_POLICY)
        parts = list(_parts(message, 0))
        letter = _letter(message, _most_wanted(parts))
    except Unreadable:
        raise
    except RecursionError as error:
        raise Unreadable("too_deep") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise Unreadable(type(error).__name__) from error
    letter = replace(letter, left_out=letter.left_out + max(0, len(parts) - MOST_PARTS))
    if letter.kind != "bounce":
        return letter
    named = [one.decode("ascii", "replace") for one in _MENTIONED.findall(raw)[:MOST_REFERENCES]]
    return replace(letter, mentioned=tuple(one for one in named if one != letter.message_id))


def _letter(message: Message, parts: list[Message]) -> Letter:
    plain, html, found = _bodies(parts)
    written = plain if plain.strip() or html is None else to_words(html[:MOST_HTML])
    sheet, pictures = _sheet(html)
    enclosed = [*found, *pictures]
    words, quoted = trimmed(written[:MOST_TEXT])
    senders = _addresses(message, "From")
    kind = _kind(message)
    undelivered: tuple[str, ...] = ()
    lasting = False
    if kind == "bounce":
        undelivered, lasting = _bounced(message)
    return Letter(
        message_id=next(iter(_ids(message, "Message-ID")), None),
        references=_references(message),
        sender=senders[0] if senders else None,
        reply_to=next(iter(_addresses(message, "Reply-To")), None),
        to=_addresses(message, "To"),
        copied=_addresses(message, "Cc"),
        delivered_to=tuple(
            one.email
            for name in ("Delivered-To", "X-Original-To", "Envelope-To")
            for one in _addresses(message, name)
        ),
        subject=_text(message, "Subject")[:MOST_NAME],
        sent_at_ms=_sent_at_ms(message),
        words=words,
        quoted=quoted,
        sheet=sheet,
        files=tuple(enclosed[:MOST_FILES]),
        left_out=max(0, len(enclosed) - MOST_FILES),
        kind=kind,
        loops=tuple(one.strip()[:MOST_NAME] for one in _raw(message, "X-Shopbell-Loop")),
        undelivered=undelivered,
        lasting=lasting,
        judged=tuple(
            _LINES.sub(" ", one)[:2000] for one in _raw(message, "Authentication-Results")[:10]
        ),
    )


def _parts(message: Message, depth: int) -> Iterator[Message]:
    """The leaves in order; a mail inside a mail is a leaf. Raises Unreadable beyond the limits."""
    seen = 0
    stack = [(message, depth)]
    while stack:
        part, deep = stack.pop()
        seen += 1
        if seen > MOST_WALKED or deep > MOST_DEPTH:
            raise Unreadable("too_many_parts" if seen > MOST_WALKED else "too_deep")
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            inner = cast(list[Message], part.get_payload())
            stack.extend((one, deep + 1) for one in reversed(inner))
        else:
            yield part


def _most_wanted(parts: list[Message]) -> list[Message]:
    """As many as are read: what somebody wrote wherever it stands, then what comes first."""
    return sorted(parts, key=lambda part: _text_of(part) is None)[:MOST_PARTS]


def _text_of(part: Message) -> str | None:
    """The media type of a part that is text to be read, None for every other."""
    media_type = part.get_content_type()
    shown = part.get_content_disposition() != "attachment" and _file_name(part) is None
    return media_type if shown and media_type in ("text/plain", "text/html") else None


def _bodies(parts: list[Message]) -> tuple[str, str | None, list[Enclosed]]:
    """Plain text, HTML and files of a mail; every text part that is no file counts."""
    plain: list[str] = []
    html: list[str] = []
    files: list[Enclosed] = []
    for part in parts:
        text, media_type, name = _text_of(part), part.get_content_type(), _file_name(part)
        if text is not None:
            (plain if text == "text/plain" else html).append(_decoded(part))
        elif media_type.startswith("message/") and part.is_multipart():
            files.append(_mail_inside(part, name))
        else:
            content = part.get_payload(decode=True)
            if isinstance(content, bytes) and content:
                cid = part.get("Content-ID")
                files.append(
                    Enclosed(
                        name=name or _named_by(media_type, len(files) + 1),
                        media_type=media_type,
                        content=content,
                        content_id=str(cid).strip(" <>\t")[:MOST_NAME] if cid else None,
                    )
                )
    text = "\n".join(plain)
    return text, ("\n".join(html) if html else None), files


def _sheet(html: str | None) -> tuple[Sheet | None, list[Enclosed]]:
    """How a mail looks, and the pictures that stood in the text itself."""
    found = cleaned(html) if html else None
    if found is None:
        return None, []
    pictures = [Enclosed(name, kind, data, name) for name, kind, data in found.pictures]
    return Sheet(found.html, found.remote, found.lines), pictures


def _mail_inside(part: Message, name: str | None) -> Enclosed:
    inner = cast(list[Message], part.get_payload())
    content = b"\n\n".join(one.as_bytes(policy=_POLICY) for one in inner)
    return Enclosed(name or "mail.eml", "message/rfc822", content)


def _decoded(part: Message) -> str:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    return _as_text(content, part.get_content_charset())


def _as_text(content: bytes, charset: str | None) -> str:
    """Bytes as text: as declared, else UTF-8, else GB18030, else byte by byte. Never fails.

    >>> _as_text("退款".encode("gbk"), "gb2312")
    '退款'
    """
    declared = _CHARSETS.get((charset or "").lower(), charset or "utf-8")
    for name in (declared, "utf-8", "gb18030"):
        try:
            return _without_odd(content.decode(name))
        except (LookupError, UnicodeDecodeError, ValueError):
            continue
    return _without_odd(content.decode("latin-1"))


def _without_odd(text: str) -> str:
    # utf-7 and the like decode to halves of characters, which no database takes.
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _text(message: Message, name: str) -> str:
    """A header as one line of text; words of any declared set, or of none, are read."""
    return next((_unfolded(value) for value in _raw(message, name)), "")


def _raw(message: Message, header: str) -> list[str]:
    """The values of a header as they came; get() would turn bytes of no set into question marks."""
    name = header.lower()
    return [_legible(str(value)) for key, value in message.raw_items() if key.lower() == name]


def _legible(value: str) -> str:
    """The value; bytes of no declared set stand in it as surrogates and may be UTF-8 or GB18030."""
    if not any("\ud800" <= char <= "\udfff" for char in value):
        return value
    return _as_text(value.encode("utf-8", "surrogateescape"), None)


def _unfolded(value: str) -> str:
    try:
        pieces = decode_header(value)
    except (ValueError, LookupError):
        pieces = [(value, None)]
    words = "".join(
        piece if isinstance(piece, str) else _as_text(piece, charset) for piece, charset in pieces
    )
    return " ".join(_LINES.sub(" ", words).split())


def _addresses(message: Message, name: str) -> tuple[Address, ...]:
    found: list[Address] = []
    values = [_LINES.sub(" ", one) for one in _raw(message, name)]
    for shown, address in getaddresses(values)[:MOST_ADDRESSES]:
        bare = address.strip().strip("<>").lower()
        local, at, domain = bare.rpartition("@")
        if (
            at and local and "." in domain and len(bare) <= 254 and not re.search(r"[\s,;]", bare)
        ):  # RFC 5321
            found.append(Address(_unfolded(shown)[:MOST_NAME], bare))
    return tuple(found)


def _ids(message: Message, name: str) -> tuple[str, ...]:
    values = " ".join(_LINES.sub(" ", one) for one in _raw(message, name))
    return tuple(_MESSAGE_ID.findall(values))


def _references(message: Message) -> tuple[str, ...]:
    """What the mail answers, the closest first, each once."""
    closest_first = [*_ids(message, "In-Reply-To"), *reversed(_ids(message, "References"))]
    return tuple(dict.fromkeys(closest_first))[:MOST_REFERENCES]


def _sent_at_ms(message: Message) -> int | None:
    told = parsedate_tz(_text(message, "Date"))
    if told is None:
        return None
    try:
        return int(mktime_tz(told)) * 1000
    except (OverflowError, ValueError):
        return None


def _kind(message: Message) -> Kind:
    """Who wrote it; the signs are those of RFC 3834, RFC 3464 and of what programs really send."""
    report = str(message.get_param("report-type", "") or "").lower()
    null_path = str(message.get("Return-Path", "")).strip() == "<>"
    sender = _addresses(message, "From")
    local = sender[0].email.partition("@")[0] if sender else ""
    if (message.get_content_type() == "multipart/report" and report == "delivery-status") or (
        local in ("mailer-daemon", "postmaster") and null_path
    ):
        return "bounce"
    submitted = str(message.get("Auto-Submitted", "no")).lower().partition(";")[0].strip()
    precedence = str(message.get("Precedence", "")).lower().strip()
    if (
        submitted not in ("", "no")
        or message.get("X-Autoreply")
        or message.get("X-Autorespond")
        or precedence == "auto_reply"
        or null_path
        or local in ("mailer-daemon", "no-reply-bounces")
        or _AUTO_WORDS.match(_text(message, "Subject"))
    ):
        return "auto"
    if message.get("List-Id") or message.get("List-Unsubscribe") or precedence in ("bulk", "list"):
        return "list"
    return "person"


def _bounced(message: Message) -> tuple[tuple[str, ...], bool]:
    """The addresses that a bounce names, and whether trying again is of no use."""
    passing, lasting = all_failures(cast(Any, message))  # Any: the library is untyped
    named = sorted({one.decode("ascii", "replace").lower() for one in {*passing, *lasting}})
    return tuple(named[:MOST_ADDRESSES]), bool(lasting) or _says_lasting(message)


def _says_lasting(message: Message) -> bool:
    for part in message.walk():
        if part.get_content_type() == "message/delivery-status":
            return bool(_LASTING.search(str(part)))
    return False


def _file_name(part: Message) -> str | None:
    name = part.get_filename()
    if not name:
        return None
    # A path of the sender's disk says nothing here, and must not lead anywhere.
    bare = re.split(r"[/\\]", _unfolded(name))[-1].strip(". ")
    return bare[-MOST_NAME:] or None


def _named_by(media_type: str, number: int) -> str:
    subtype = re.sub(r"[^a-z0-9]", "", media_type.partition("/")[2].lower())[:8] or "bin"
    return f"file-{number}.{subtype}"
