"""Handing a mail to a server over SMTP."""

from __future__ import annotations

import ssl
from email.message import EmailMessage
from typing import Literal
from urllib.parse import unquote, urlsplit

import aiosmtplib

TIMEOUT_S = 20
PORTS = {"smtp": 587, "smtps": 465}
Sent = Literal["sent", "again", "refused"]
_LASTING = 500


async def hand_over(
    url: str, message: EmailMessage, *, envelope_from: str, recipient: str
) -> tuple[Sent, str]:
    """What came of it, and why in a word: sent, to be tried again, or refused for good.

    With ``smtp://`` the line is made secure where the server offers it.
    """
    told = urlsplit(url)
    secure = told.scheme == "smtps"
    client = aiosmtplib.SMTP(
        hostname=told.hostname or "",
        port=told.port or PORTS.get(told.scheme, 587),
        use_tls=secure,
        # None: where the server offers it; a server on this machine need not.
        start_tls=False if secure else None,
        tls_context=ssl.create_default_context(),
        username=unquote(told.username) if told.username else None,
        password=unquote(told.password) if told.password else None,
        timeout=TIMEOUT_S,
    )
    try:
        async with client:
            await client.send_message(message, sender=envelope_from, recipients=[recipient])
    except aiosmtplib.SMTPRecipientsRefused as error:
        code = error.recipients[0].code if error.recipients else 0
        return ("refused" if code >= _LASTING else "again"), f"recipient {code}"
    except aiosmtplib.SMTPAuthenticationError as error:
        # The shop's own password: to be mended, not the recipient's fault.
        return "again", f"sign-in {error.code}"
    except aiosmtplib.SMTPResponseException as error:
        return ("refused" if error.code >= _LASTING else "again"), f"answer {error.code}"
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        return "again", type(error).__name__
    return "sent", ""
