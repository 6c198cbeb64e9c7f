"""Where mails of the desk arrive: a real SMTP server that keeps, refuses, or is told to wait."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.ports import HOST, free_port


class SmtpServer:
    """Takes mails for anybody. ``answers`` are given first, one each; then all is taken."""

    def __init__(self) -> None:
        """Starts the server."""
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.answers: list[str] = []
        self._controller = Controller(self, hostname=HOST, port=free_port())
        self._controller.start()

    @property
    def url(self) -> str:
        """The address, as SHOPBELL_SMTP_URL takes it."""
        return f"smtp://{HOST}:{self._controller.port}"

    def close(self) -> None:
        """Stops the server."""
        self._controller.stop(no_assert=True)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # as aiosmtpd names it
        """Takes one mail, or gives the next answer."""
        if self.answers:
            return self.answers.pop(0)
        content = envelope.content
        raw = content if isinstance(content, bytes) else str(content).encode()
        self.mails.append(message_from_bytes(raw, policy=default))
        self.recipients.extend(envelope.rcpt_tos)
        return "250 OK"
