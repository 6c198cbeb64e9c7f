"""What ties a mail to a ticket: a token that only we can have made, never a number in a subject.

The token stands in the Message-ID of every mail we send and in the address that it is answered to.
It says which thread and for which recipient, and proves the thread only: who sends it back may
still be somebody else.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

# Stands above the words of every reply of ours; nothing that its receiver wrote is below it.
MARK = "─── • ───"
# Between the words of a mail of ours and what stands under them, as mail programs know it.
FOOT = "\n\n-- \n"
# 16 bytes of tag: 128 bits that cannot be guessed.
_TAG_BYTES = 16
_THREAD = re.compile(r"[a-z0-9]{1,40}")
_TOKEN = re.compile(r"(?P<thread>[a-z0-9]{1,40})\.(?P<tag>[a-z2-7]{26})")
# Reopening by mail: more often in an hour is a machine that answers a machine.
MOST_REOPENED_PER_HOUR = 5


def thread_token(secret: bytes, thread: str, recipient: str) -> str:
    """The token of a thread for one recipient, of letters and digits that survive any mail system.

    ``thread`` is a ticket's id in lower case letters and digits. Raises ValueError for another.
    """
    if not _THREAD.fullmatch(thread):
        raise ValueError("a thread is named by lower case letters and digits")
    return f"{thread}.{_tag(secret, thread, recipient)}"


def thread_of(secret: bytes, token: str, recipients: tuple[str, ...]) -> tuple[str, str] | None:
    """The thread of a token and the recipient it was made for; None unless one of them fits."""
    found = _TOKEN.fullmatch(token.strip().lower())
    if found is None:
        return None
    for recipient in recipients:
        if hmac.compare_digest(_tag(secret, found["thread"], recipient), found["tag"]):
            return found["thread"], recipient
    return None


def tokens_in(text: str) -> tuple[str, ...]:
    """Everything in a Message-ID or an address that has the form of a token."""
    return tuple(match.group(0) for match in _TOKEN.finditer(text.lower()))


def answer_address(address: str, token: str) -> str:
    """The address that a mail is answered to.

    >>> answer_address("help@mori.example", "abc.tag")
    'help+abc.tag@mori.example'
    """
    local, _, domain = address.rpartition("@")
    return f"{local}+{token}@{domain}"


def _tag(secret: bytes, thread: str, recipient: str) -> str:
    told = f"mail\0{thread}\0{recipient.strip().lower()}".encode()
    tag = hmac.new(secret, told, hashlib.sha256).digest()[:_TAG_BYTES]
    return base64.b32encode(tag).decode().lower().rstrip("=")


_MARKS = re.compile(
    r"^(?:(?:re|aw|fw|fwd|sv|antw|回复|答复|回覆|转发|轉寄)\s*(?:\[\d+\])?\s*[:：]\s*)+",
    re.IGNORECASE,
)


def subject_without_marks(subject: str) -> str:
    """A subject without what mail programs put before it.

    >>> subject_without_marks("Re: 答复: Fwd: 退款")
    '退款'
    """
    return _MARKS.sub("", subject.strip()).strip()


def distrusted(judged: tuple[str, ...], judge: str | None) -> bool:
    """True when our own mail server says that a mail is not from whom it says.

    Only lines of the server named ``judge`` count, and of these the first: anybody can write more
    of them below. Without a judge nobody is distrusted, and nobody proved.

    >>> distrusted(("mx.mori.example; dmarc=fail",), "mx.mori.example")
    True
    >>> distrusted(("mx.evil.example; dmarc=fail", ), "mx.mori.example")
    False
    """
    if judge is None:
        return False
    for line in judged:
        server, _, results = line.partition(";")
        if server.strip().lower().split(" ")[0] == judge.lower():
            return re.search(r"\bdmarc\s*=\s*(?:fail|permerror)\b", results.lower()) is not None
    return False
