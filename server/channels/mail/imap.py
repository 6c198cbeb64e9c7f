"""Fetching from a mailbox over IMAP; blocking, so it runs on a thread of its own.

Nothing in the mailbox is changed or deleted: what was read is remembered here, by the mailbox's
own numbers. So a mail can be looked at by people as well, and nothing is lost by a mistake of ours.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError

from server.channels.mail.read import MOST_BYTES

TIMEOUT_S = 20
# As many at a time, so that memory stays small after a long absence.
PORTION = 20
PORTS = {"imap": 143, "imaps": 993}


class MailboxFailed(Exception):
    """The mailbox cannot be read now; the words are for the person who set it up."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A mail of the mailbox; ``raw`` is None when it is larger than a mail may be."""

    uid: int
    size: int
    raw: bytes | None


@dataclass(frozen=True, slots=True)
class Portion:
    """What was new: the mailbox's numbering, mails in order, and whether there are more."""

    uid_validity: int
    mails: tuple[Fetched, ...]
    more: bool


def fetch_after(url: str, *, uid_validity: int, uid: int) -> Portion:
    """The mails after ``uid``; all, when the mailbox has been numbered anew.

    Raises MailboxFailed for a wrong password, a dead network and everything of the kind.
    """
    with _opened(url) as (client, numbered):
        after = uid if numbered == uid_validity else 0
        # "n:*" names the last one even when it is before n.
        found = sorted(one for one in client.search(["UID", f"{after + 1}:*"]) if one > after)
        portion = found[:PORTION]
        sizes = client.fetch(portion, ["RFC822.SIZE"]) if portion else {}
        mails = []
        for one in portion:
            size = int(sizes.get(one, {}).get(b"RFC822.SIZE", 0))
            raw = None
            if size <= MOST_BYTES:
                # PEEK: that we have read it is nothing to tell the people who share the mailbox.
                raw = client.fetch([one], ["BODY.PEEK[]"]).get(one, {}).get(b"BODY[]")
            mails.append(Fetched(one, size, raw))
        return Portion(numbered, tuple(mails), len(found) > len(portion))


def wait_for_news(url: str, limit_s: float) -> None:
    """Returns when the mailbox says that something came, or after the limit.

    Raises MailboxFailed.
    """
    with _opened(url) as (client, _):
        if not client.has_capability("IDLE"):
            return
        client.idle()
        with suppress(TimeoutError):
            client.idle_check(timeout=limit_s)
        client.idle_done()


@contextmanager
def _opened(url: str) -> Iterator[tuple[IMAPClient, int]]:
    told = urlsplit(url)
    secure = told.scheme == "imaps"
    try:
        client = IMAPClient(
            told.hostname or "",
            port=told.port or PORTS[told.scheme],
            ssl=secure,
            ssl_context=ssl.create_default_context() if secure else None,
            timeout=TIMEOUT_S,
        )
        try:
            client.login(unquote(told.username or ""), unquote(told.password or ""))
            folder = client.select_folder(unquote(told.path.strip("/")) or "INBOX", readonly=True)
            yield client, int(folder[b"UIDVALIDITY"])
        finally:
            with suppress(IMAPClientError, OSError):
                client.logout()
            with suppress(IMAPClientError, OSError):
                # After a broken line the one above leaves the socket to the garbage collector.
                client.shutdown()
    except (IMAPClientError, OSError, KeyError, ValueError) as error:
        raise MailboxFailed(_words(error)) from error


def _words(error: BaseException) -> str:
    """What went wrong, without what a server may have repeated of what it was sent."""
    return type(error).__name__ if not isinstance(error, OSError) else (error.strerror or "network")
