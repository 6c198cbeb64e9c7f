"""Mails of ours: words, tied to their thread, marked so that no machine answers them.

They go as plain words and as HTML that says the same in the shop's frame.
"""

from __future__ import annotations

import email.policy
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from agent_ui.links import linked
from agent_ui.render import page
from server.domain.letter import Enclosed
from server.domain.mail import FOOT, MARK, answer_address

_POLICY = email.policy.SMTP
_GAPS = re.compile(r"\n{2,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A mail to one recipient; ``token`` ties it to a thread, None for a mail of its own.

    ``by_machine`` is True for what no person wrote: it must not be answered by a machine.
    """

    rfc_id: str
    shop: str
    address: str
    recipient: str
    subject: str
    words: str
    at_ms: int
    loop_id: str
    token: str | None = None
    answers: str | None = None
    by_machine: bool = False
    files: tuple[Enclosed, ...] = ()


def composed(mail: Outgoing) -> EmailMessage:
    """The mail. Raises ValueError for a recipient that is no address or a line end in a header."""
    message = EmailMessage(policy=_POLICY)
    answer_to = answer_address(mail.address, mail.token) if mail.token else mail.address
    message["From"] = Address(display_name=_plain(mail.shop), addr_spec=mail.address)
    message["To"] = Address(addr_spec=mail.recipient)
    message["Reply-To"] = Address(display_name=_plain(mail.shop), addr_spec=answer_to)
    message["Subject"] = _plain(mail.subject)
    message["Date"] = format_datetime(datetime.fromtimestamp(mail.at_ms / 1000, UTC))
    message["Message-ID"] = f"<{mail.rfc_id}>"
    if mail.answers:
        message["In-Reply-To"] = f"<{mail.answers}>"
        message["References"] = f"<{mail.answers}>"
    message["X-Shopbell-Loop"] = mail.loop_id
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply" if not mail.by_machine else "All"
    if mail.by_machine:
        message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.words + "\n", charset="utf-8")
    message.add_alternative(_html(mail), subtype="html", charset="utf-8")
    for file in mail.files:
        main, _, sub = file.media_type.partition("/")
        # Text of unknown set would be read in the mail's: as bytes it stays what it is.
        main, sub = ("application", "octet-stream") if main == "text" else (main, sub)
        message.add_attachment(
            file.content, maintype=main, subtype=sub, filename=_plain(file.name) or "file"
        )
    return message


def _html(mail: Outgoing) -> str:
    """The words in the shop's frame."""
    words, _, foot = mail.words.partition(FOOT)
    first, _, rest = words.partition("\n\n")
    above, words = (first, rest) if MARK in first else ("", words)
    return page(
        "mail_out.html",
        # Nothing in it is said by the page itself.
        locale="en",
        theme="light",
        static_url="",
        csrf="",
        person=None,
        subject=mail.subject,
        shop=mail.shop,
        above=above,
        paragraphs=[
            [linked(line) for line in one.split("\n")] for one in _GAPS.split(words.strip()) if one
        ],
        foot=[linked(line) for line in foot.strip().split("\n")] if foot.strip() else [],
    )


def _plain(text: str) -> str:
    r"""One line of a header, whatever somebody typed.

    >>> _plain("Ana\r\nBcc: all@buyer.example")
    'Ana Bcc: all@buyer.example'
    """
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
