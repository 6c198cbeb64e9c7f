"""The shop's mailbox: fetched, read one by one, and answered; a loop that no mail can end.

What comes is stored raw before anybody looks into it. A mail that cannot be read or taken is set
aside with its reason, where a supervisor sees it and may try again; the next one is read all the
same. One process looks into the mailbox at a time, all of them send.
"""

from __future__ import annotations

import asyncio
import codecs
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import structlog

from server.actions import send_mail
from server.actions.send_mail import Sender
from server.actions.take_mail import Desk, take_mail
from server.channels.mail.apart import TOOK_TOO_LONG, read_apart
from server.channels.mail.compose import Outgoing, composed
from server.channels.mail.imap import MailboxFailed, fetch_after, wait_for_news
from server.channels.mail.report_mail import send_reports
from server.channels.mail.smtp import hand_over
from server.domain.actors import SYSTEM
from server.domain.errors import AppError, InvalidInput, TooLarge, Unavailable
from server.domain.files import SERVED
from server.domain.letter import Enclosed, Letter, Unreadable
from server.domain.mail import thread_token
from server.domain.spans import MINUTE_MS
from server.files.desk import FileDesk, Uploader
from server.stats import Reading
from server.storage import files, log_readers, mails
from server.storage.database import Committed, Database
from server.storage.event_log import settled_seq
from server.storage.mails import Going
from server.storage.shop import load_shop
from server.storage.unit import Tx

log = structlog.stdlib.get_logger("shopbell.mail")

LOOK_S = 30.0
POLL_S = 2.0
REPORTS_S = 15.0
LEASE_MS = 120_000
SEND_LEASE_MS = 120_000
READ_AT_ONCE = 10
SEND_AT_ONCE = 5
# After so many tries a mail that we fail over is set aside for a person.
MOST_TRIES = 5
# Between tries to send: two days in all, as mail servers do among themselves.
WAITS_MS = tuple(MINUTE_MS * n for n in (1, 5, 15, 60, 180, 360, 720, 1440))
MOST_TRIES_OF_A_CODE = 2
OUTCOMES = ("sent", "again", "refused")


@dataclass(frozen=True, slots=True)
class MailSettings:
    """Where mail is fetched and handed over; None for a way that there is not."""

    address: str
    imap_url: str | None = None
    smtp_url: str | None = None
    judge: str | None = None
    public_url: str | None = None
    look_s: float = LOOK_S
    poll_s: float = POLL_S


class MailDesk:
    """Fetches, reads, queues and sends until it is cancelled."""

    def __init__(
        self, database: Database, settings: MailSettings, files: FileDesk | None = None
    ) -> None:
        """For one process; ``settings`` are the same in all. Without ``files`` there are none."""
        self._files = files
        self._database = database
        self._settings = settings
        self._lease = secrets.token_hex(8)
        self._wake = asyncio.Event()
        self._secret = b""
        self._loop_id = ""
        self._shop = ""
        self.outcomes: Counter[str] = Counter(dict.fromkeys(OUTCOMES, 0))
        self.counts: dict[str, int] = {}
        self.error: str | None = None

    async def heard(self, _committed: Committed) -> None:
        """A reader of the bus: something was committed; the log says what."""
        self._wake.set()

    def readings(self) -> tuple[Reading, ...]:
        """What ``/metrics`` shows of this."""
        return (
            Reading(
                "shopbell_mail_attempts_total",
                "Attempts of this process to hand over mails, by outcome.",
                lambda: self.outcomes,
                label="outcome",
                counter=True,
            ),
            Reading(
                "shopbell_mail_received",
                "Mails that came, by what became of them.",
                lambda: {
                    state: self.counts.get(state, 0)
                    for state in ("new", "taken", "ignored", "aside")
                },
                label="state",
            ),
            Reading(
                "shopbell_mailbox_reachable",
                "1 while the mailbox can be read, 0 when the last look failed.",
                lambda: float(self.error is None),
            ),
        )

    async def run(self) -> None:
        """Runs until cancelled."""
        await self._begin()
        loops = [self._again(self._read_new)]
        if self._settings.imap_url is not None:
            loops.append(self._again(self._fetch))
        if self._settings.smtp_url is not None:
            loops.append(self._again(self._send))
            loops.append(self._again(self._report))
        async with asyncio.TaskGroup() as group:
            for one in loops:
                group.create_task(one)

    async def _begin(self) -> None:
        while True:
            try:
                await self._database.write(
                    lambda tx: mails.make_secret(tx, secrets.token_urlsafe(32))
                )
                sends = self._settings.address if self._settings.smtp_url else None
                await self._database.write(partial(mails.note_sender, address=sends))
                secret = await self._database.read(mails.mail_secret)
                shop = await self._database.read(load_shop)
                # What was said before there was mail is not mailed now.
                up_to = await self._database.read(settled_seq)
                await self._database.write(
                    partial(log_readers.begin, reader=send_mail.READER, seq=up_to)
                )
            except Unavailable:
                log.warning("mail waits for the database")
                await asyncio.sleep(self._settings.poll_s)
                continue
            if secret is not None and shop is not None:
                self._secret, self._shop = secret, shop.name
                self._loop_id = thread_token(secret, "loop", self._settings.address)
                return
            await asyncio.sleep(self._settings.poll_s)

    async def _again(self, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await step()
            except Unavailable:
                log.warning("mail waits for the database")
            except Exception:
                log.exception("a step of the mail failed")
            await self._rest(self._settings.poll_s)

    async def _rest(self, limit_s: float) -> None:
        try:
            async with asyncio.timeout(limit_s):
                await self._wake.wait()
            await asyncio.sleep(0.05)
        except TimeoutError:
            return
        self._wake.clear()

    # in

    async def _fetch(self) -> None:
        url = self._settings.imap_url
        assert url is not None  # asked in run
        held = await self._database.write(
            lambda tx: mails.hold_box(tx, lease=self._lease, lease_ms=LEASE_MS)
        )
        if not held:
            await asyncio.sleep(self._settings.look_s)
            return
        try:
            while await self._fetch_portion(url):
                self._wake.set()
            self.error = None
            await asyncio.to_thread(wait_for_news, url, self._settings.look_s)
        except MailboxFailed as error:
            if self.error is None:
                log.warning("the mailbox cannot be read", reason=str(error))
            self.error = str(error)
            await asyncio.sleep(self._settings.look_s)
        await self._database.write(lambda tx: mails.note_look(tx, error=self.error))

    async def _fetch_portion(self, url: str) -> bool:
        box = await self._database.read(mails.load_box)
        portion = await asyncio.to_thread(
            fetch_after, url, uid_validity=box.uid_validity, uid=box.last_uid
        )
        found = [(one.uid, one.size, one.raw) for one in portion.mails]
        if found:
            await self._database.write(
                lambda tx: mails.add_came(tx, uid_validity=portion.uid_validity, mails=found)
            )
            self._wake.set()
        return portion.more

    async def _read_new(self) -> None:
        while waiting := await self._database.read(lambda c: mails.unread(c, limit=READ_AT_ONCE)):
            for one in waiting:
                await self._read_one(one.id, one.raw)
        self.counts = await self._database.read(mails.counts)

    async def _read_one(self, mail_id: str, raw: bytes | None) -> None:
        try:
            letter = await read_apart(raw or b"")
        except Unreadable as error:
            reason = str(error)[:100]
            log.warning("a mail cannot be read", mail=mail_id, reason=reason)
            # By the clock on the wall it may be the machine that was slow.
            tries = MOST_TRIES if reason == TOOK_TOO_LONG else 1
            await self._database.write(
                lambda tx: self._count_try(tx, mail_id, most=tries, reason=reason)
            )
            return
        desk = self._desk()
        try:
            kept = await self._keep_files(mail_id, letter)
            became = await self._database.write(
                lambda tx: take_mail(tx, desk, mail_id, letter, kept)
            )
            log.info("a mail was taken", mail=mail_id, became=became)
        except Unavailable:
            raise
        except Exception as error:
            if not isinstance(error, AppError):
                log.exception("a mail could not be taken", mail=mail_id)
            await self._database.write(lambda tx: self._count_try(tx, mail_id))

    async def _keep_files(self, mail_id: str, letter: Letter) -> tuple[str, ...]:
        """The files of a mail, also as rows that say why one was not kept."""
        kept: list[str] = []
        if self._files is None or letter.kind != "person":
            return ()
        sender = Uploader(SYSTEM, mail_id=mail_id)
        for file in letter.files:
            try:
                row = await self._files.take(
                    _portions(file.content),
                    name=file.name,
                    sender=sender,
                    size=len(file.content),
                    content_id=file.content_id,
                )
            except (InvalidInput, TooLarge) as error:
                row = await self._files.refuse(
                    name=file.name,
                    size=len(file.content),
                    sender=sender,
                    infected=error.details.get("reason") == "file_infected",
                )
            kept.append(row.id)
        return tuple(kept)

    @staticmethod
    def _count_try(tx: Tx, mail_id: str, *, most: int = MOST_TRIES, reason: str = "failed") -> None:
        # Another process may have read it meanwhile.
        if mails.still_new(tx, mail_id) and mails.tried(tx, mail_id) >= most:
            mails.settle(tx, mail_id, state="aside", reason=reason)

    # out

    async def _send(self) -> None:
        sender = self._sender()
        assert sender is not None  # asked in run
        up_to = await self._database.read(settled_seq)
        while (
            await self._database.write(lambda tx: send_mail.read_on(tx, up_to=up_to))
            == send_mail.PAGE
        ):
            pass
        while (
            await self._database.write(lambda tx: send_mail.mail_unseen(tx, sender))
            == send_mail.AT_ONCE
        ):
            pass
        while due := await self._database.write(
            lambda tx: mails.take_due(
                tx, lease=self._lease, lease_ms=SEND_LEASE_MS, limit=SEND_AT_ONCE
            )
        ):
            await asyncio.gather(*(self._send_one(one) for one in due))

    async def _report(self) -> None:
        told = self._settings
        await send_reports(self._database, own_address=told.address, public_url=told.public_url)
        await asyncio.sleep(REPORTS_S)

    async def _send_one(self, one: Going) -> None:
        url = self._settings.smtp_url
        assert url is not None  # asked in run
        token = (
            thread_token(self._secret, one.conversation_id, one.recipient)
            if one.conversation_id
            else None
        )
        enclosed = await self._enclosed(one)
        if enclosed is None:
            await self._database.write(
                lambda tx: mails.note_failed(
                    tx, one.id, reason="scanning", due_at_ms=tx.at_ms + MINUTE_MS
                )
            )
            return
        try:
            message = composed(
                Outgoing(
                    rfc_id=one.rfc_id,
                    shop=self._shop,
                    address=self._settings.address,
                    recipient=one.recipient,
                    subject=one.subject,
                    words=one.words,
                    at_ms=one.created_at_ms,
                    loop_id=self._loop_id,
                    token=token,
                    answers=one.answers_rfc_id,
                    by_machine=one.kind != "reply",
                    files=enclosed,
                )
            )
        except ValueError:
            outcome, reason = "refused", "no address"
        else:
            outcome, reason = await hand_over(
                url,
                message,
                envelope_from=self._settings.address,
                recipient=one.recipient,
            )
        self.outcomes[outcome] += 1
        if outcome == "sent":
            await self._database.write(lambda tx: mails.note_sent(tx, one.id))
            return
        log.warning("a mail was not handed over", mail=one.id, outcome=outcome, reason=reason)
        # A code that comes after it has run out helps nobody.
        most = MOST_TRIES_OF_A_CODE if one.kind == "code" else len(WAITS_MS)
        last = outcome == "refused" or one.tries >= most
        wait_ms = 0 if last else WAITS_MS[one.tries]
        await self._database.write(
            lambda tx: mails.note_failed(
                tx, one.id, reason=reason, due_at_ms=None if last else tx.at_ms + wait_ms
            )
        )

    async def _enclosed(self, one: Going) -> tuple[Enclosed, ...] | None:
        """The files that go with a mail; None while the scanner has not seen all of them."""
        if one.enclosed is not None:
            # Spreadsheets take a table without this mark for one of their own old sets.
            table = codecs.BOM_UTF8 + one.enclosed.encode()
            return (Enclosed("report.csv", "text/csv", table),)
        if self._files is None:
            return ()
        found = await self._database.read(lambda c: files.enclosed(c, one.id))
        if any(file.state == "scanning" for file in found) and one.tries < len(WAITS_MS):
            return None
        store, goes = self._files.store, []
        for file in found:
            if file.sha256 is None or file.state not in SERVED:
                continue
            content = await asyncio.to_thread(store.read, file.sha256)
            if content is not None:
                goes.append(Enclosed(file.name, file.media_type, content))
        return tuple(goes)

    # who we are

    def _sender(self) -> Sender | None:
        if self._settings.smtp_url is None:
            return None
        public = self._settings.public_url
        portal = f"{public.rstrip('/')}/portal" if public else None
        return Sender(self._settings.address, self._secret, portal)

    def _desk(self) -> Desk:
        return Desk(
            self._settings.address,
            self._loop_id,
            self._secret,
            self._settings.judge,
            self._sender(),
        )


async def _portions(content: bytes) -> AsyncIterator[bytes]:
    yield content
