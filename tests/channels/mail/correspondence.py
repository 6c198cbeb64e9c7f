"""Writing to a desk by mail, and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage
from typing import Any  # Any: rows

from server.actions import send_mail
from server.actions import tickets as ticket_actions
from server.actions.tickets import ReplyTicket
from server.channels.mail.desk import MailDesk
from server.domain.actors import Actor
from server.domain.ticket import Ticket
from server.files.desk import FileDesk
from server.storage import log_readers, mails
from server.storage.mails import Came, Going
from server.storage.ticket_rows import TICKET, ticket_from_row
from tests.actions.scene import Scene
from tests.channels.mail.awkward import mail
from tests.support.dovecot import Dovecot
from tests.support.smtp import SmtpServer
from tests.support.waiting import wait_until_async


class Correspondence:
    """A desk, its mailbox, and the server that takes what it sends."""

    def __init__(
        self,
        scene: Scene,
        dovecot: Dovecot,
        smtp: SmtpServer,
        desk: MailDesk,
        files: FileDesk,
    ) -> None:
        self.files = files
        self.scene = scene
        self.dovecot = dovecot
        self.smtp = smtp
        self.desk = desk
        self._answers = 0

    async def write(self, body: str, **headers: str) -> Came:
        """What became of a mail to the desk."""
        self._answers += 1
        headers = {"Message_ID": f"<m{self._answers}@buyer.example>"} | headers
        return (await self.put(mail(body, **headers)))[0]

    async def put(self, *raws: bytes) -> list[Came]:
        """What became of mails as they are, the latest first."""
        before = len(self.came())
        self.dovecot.put(*raws)
        await self.until(lambda: len(self.came()) == before + len(raws), "the mails to be fetched")
        while new := len(self.came("new")):
            # Each is read by a process of its own.
            await self.until(lambda n=new: len(self.came("new")) < n, "the next to be read")  # type: ignore[misc]  # bound default
        return self.came()[: len(raws)]

    async def reply(self, agent: Actor, ticket: Ticket, body: str, **more: Any) -> EmailMessage:
        """The mail by which an agent's answer in a ticket goes out."""
        before = len(self.replies())
        self._answers += 1
        payload = ReplyTicket(ticket_id=ticket.id, client_id=f"r{self._answers}", body=body, **more)
        self.scene.do(ticket_actions.reply, agent, payload)
        return await self.sent(before)

    async def sent(self, before: int = 0) -> EmailMessage:
        """The mail after the first ``before``, as soon as it has gone."""
        noted = self.wishes
        await self.until(lambda: noted() or len(self.replies()) > before, "a reply to be noted")
        self.scene.time.pass_s(600)
        await self.until(lambda: len(self.replies()) > before, "a mail to go out")
        return self.replies()[before]

    def replies(self) -> list[EmailMessage]:
        """What people wrote and what has arrived of it."""
        return [one for one in self.smtp.mails if one["Auto-Submitted"] is None]

    def begun(self) -> bool:
        """True once replies are noted."""
        place = self.scene.database.read_now(lambda c: log_readers.place(c, send_mail.READER))
        return place is not None

    def came(self, state: str | None = None) -> list[Came]:
        """Mails that came, the latest first."""
        return self.scene.database.read_now(
            lambda c: mails.came(c, state=state, before=None, limit=100)
        )

    def went(self, state: str | None = None) -> list[Going]:
        """Mails of the desk, the latest first."""
        return self.scene.database.read_now(
            lambda c: mails.went(c, state=state, before=None, limit=100)
        )

    def tickets(self) -> list[Ticket]:
        """All tickets in the order in which they were made."""
        statement = TICKET.select().order_by(TICKET.c.created_at_ms)
        return self.scene.database.read_now(
            lambda c: [ticket_from_row(row) for row in c.execute(statement).mappings()]
        )

    def words(self, conversation_id: str, visibility: str = "public") -> list[str]:
        """What was written in a thread."""
        from server.storage.rows import MESSAGE

        statement = MESSAGE.select().where(MESSAGE.c.conversation_id == conversation_id)
        rows = self.scene.database.read_now(
            lambda c: c.execute(statement.order_by(MESSAGE.c.seq)).mappings().all()
        )
        return [row["body"] for row in rows if row["visibility"] == visibility]

    @staticmethod
    async def until(what: Callable[[], Any], words: str) -> None:
        """Waits for something to be so."""

        async def so() -> bool:
            return bool(what())

        await wait_until_async(so, what=words)

    def wishes(self) -> int:
        """How many replies were noted to be mailed."""
        return self.scene.database.read_now(
            lambda c: len(c.execute(mails.MAIL_WISH.select()).all())
        )
