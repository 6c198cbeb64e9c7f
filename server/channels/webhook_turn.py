"""Serving one receiver of webhooks for a while: what is due, one after the other."""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any  # Any: JSON values

import aiohttp
import orjson
import structlog

from server.actions import webhooks as actions
from server.channels.outbound import ForbiddenAddressError, check_host
from server.domain.errors import Unavailable
from server.domain.webhooks import Attempt, Outcome, signatures
from server.storage import views, webhooks
from server.storage.connection import Connection
from server.storage.database import Database
from server.storage.event_log import events_of
from server.storage.unit import Tx
from server.storage.webhooks import Delivery, Webhook

log = structlog.stdlib.get_logger("shopbell.webhooks")

ATTEMPT_S = 10.0
TURN_S = 20.0
LEASE_MS = 20_000
# Beyond an attempt: time to write down what came of it.
LEASE_MARGIN_S = 5.0
PAGE = 50
ANSWER_BYTES = 1024
ANSWER_S = 2.0
Json = dict[str, Any]  # Any: JSON values
_CHANCE = secrets.SystemRandom()
# Told by the class of the error; the texts of these would show what is inside.
_OUTCOMES: tuple[tuple[type[BaseException], Outcome], ...] = (
    (TimeoutError, "timeout"),
    (aiohttp.ClientConnectorCertificateError, "untrusted"),
    (aiohttp.ClientConnectorSSLError, "untrusted"),
    (ssl.SSLError, "untrusted"),
    (aiohttp.ClientConnectorDNSError, "unknown_host"),
)


@dataclass(frozen=True, slots=True)
class _Letter:
    """A delivery with what is sent; ``body`` None where it could not be made."""

    delivery: Delivery
    body: bytes | None


class Turn:
    """The time for which this process, and no other, serves a receiver."""

    def __init__(
        self,
        database: Database,
        session: aiohttp.ClientSession,
        webhook_id: str,
        *,
        lease: str,
        attempt_s: float,
        inside: bool,
        attempts: Counter[str],
    ) -> None:
        """The receiver was taken under ``lease`` just now; ``attempts`` counts by outcome."""
        self.webhook_id = webhook_id
        self._database = database
        self._session = session
        self._lease = lease
        self._attempt_s = attempt_s
        self._inside = inside
        self._attempts = attempts
        self._loop = asyncio.get_running_loop()
        self._end_s = self._loop.time() + TURN_S
        self._held_until_s = self._loop.time() + LEASE_MS / 1000

    async def run(self) -> None:
        """Sends what is due until nothing is, the time is over or the receiver needs a rest."""
        try:
            while await self._page():
                pass
        except Unavailable:
            log.warning("webhooks wait for the database")
        except Exception:
            # Not given back: it is tried again when the lease runs out, and not at once for ever.
            log.exception("a turn of a webhook failed")
            return
        except asyncio.CancelledError:
            await self._give_back()
            raise
        await self._give_back()

    def stop(self) -> None:
        """Lets the turn end with the attempt that is under way."""
        self._end_s = self._loop.time()

    async def _page(self) -> bool:
        """Sends a page of what is due; True when there may be more."""
        at_ms = self._database.clock()
        webhook, letters = await self._database.read(
            lambda c: _read_letters(c, self.webhook_id, at_ms=at_ms)
        )
        noted: list[asyncio.Future[bool]] = []
        try:
            for letter in letters:
                if webhook is None or self._loop.time() >= self._end_s or not await self._hold():
                    return False
                attempt = await self._attempt(webhook, letter)
                noted.append(self._note(letter.delivery, attempt))
                if attempt.outcome != "delivered" and not await self._all_go_on(noted[-1:]):
                    return False
                # While all goes well the next one is sent before the last is on disk.
                if any(note.done() and (note.exception() or not note.result()) for note in noted):
                    return False
        finally:
            goes_on = await self._all_go_on(noted)
        return goes_on and bool(letters)

    async def _hold(self) -> bool:
        """True when the receiver is ours for one more attempt."""
        begun_s = self._loop.time()
        if begun_s + self._attempt_s + LEASE_MARGIN_S <= self._held_until_s:
            return True

        def extend(tx: Tx) -> bool:
            ours = webhooks.served(tx, self.webhook_id, self._lease) is not None
            if ours:
                webhooks.extend_turn(tx, self.webhook_id, LEASE_MS)
            return ours

        self._held_until_s = begun_s + LEASE_MS / 1000
        return await self._database.write(extend)

    def _note(self, delivery: Delivery, attempt: Attempt) -> asyncio.Future[bool]:
        """Writes down what came of an attempt; the answer says whether the receiver gets more."""
        self._attempts[attempt.outcome] += 1
        chance = _CHANCE.random()
        written = self._database.submit(
            lambda tx: actions.record_attempt(
                tx, self.webhook_id, self._lease, delivery, attempt, chance
            )
        )
        return asyncio.wrap_future(written)

    async def _attempt(self, webhook: Webhook, letter: _Letter) -> Attempt:
        """Sends once."""
        delivery, body = letter.delivery, letter.body
        if body is None:
            return Attempt(outcome="broken", elapsed_ms=0)
        at_ms = self._database.clock()
        at_s = at_ms // 1000
        headers = {
            "Content-Type": "application/json",
            "webhook-id": delivery.id,
            "webhook-timestamp": str(at_s),
            "webhook-signature": signatures(webhook.secrets(at_ms), delivery.id, at_s, body),
        }
        begun_s = self._loop.time()

        def told(outcome: Outcome, **more: Any) -> Attempt:  # Any: fields of Attempt
            elapsed_ms = round((self._loop.time() - begun_s) * 1000)
            return Attempt(outcome=outcome, elapsed_ms=elapsed_ms, **more)

        try:
            check_host(webhook.url, inside=self._inside)
            async with self._session.post(
                webhook.url, data=body, headers=headers, allow_redirects=False
            ) as response:
                outcome: Outcome = "delivered" if 200 <= response.status < 300 else "refused"
                return told(
                    outcome,
                    code=response.status,
                    answer=await _read_answer(response),
                    retry_after_ms=_retry_after_ms(response),
                )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return told(_outcome_of(error))

    async def _all_go_on(self, noted: Sequence[asyncio.Future[bool]]) -> bool:
        """True when all of it is on disk and the receiver gets more."""
        if not noted:
            return True
        done, late = await asyncio.wait(noted, timeout=self._database.patience_s)
        # Each is looked at: an error that nobody looks at is complained of.
        said = [note.exception() is None and note.result() for note in done]
        return not late and all(said)

    async def _give_back(self) -> None:
        try:
            await self._database.write(
                lambda tx: webhooks.end_turn(tx, self.webhook_id, self._lease)
            )
        except Unavailable:
            log.warning("webhooks wait for the database")  # the lease runs out by itself


def _read_letters(
    connection: Connection, webhook_id: str, *, at_ms: int
) -> tuple[Webhook | None, list[_Letter]]:
    webhook = webhooks.load_webhook(connection, webhook_id)
    due = webhooks.due_deliveries(connection, webhook_id, at_ms=at_ms, limit=PAGE)
    shown = _envelopes(connection, [d.seq for d in due if d.seq is not None])
    return webhook, [
        _Letter(d, _test_body(d) if d.seq is None else _body(shown.get(d.seq))) for d in due
    ]


def _envelopes(connection: Connection, seqs: Sequence[int]) -> dict[int, Json]:
    """What staff are told of events, by number; one that cannot be told spoils no other."""
    try:
        found = views.envelopes(connection, events_of(connection, seqs), audience="agent")
        return {envelope["seq"]: envelope for envelope in found}
    except Exception:
        if len(seqs) == 1:
            log.exception("an event cannot be told to webhooks", seq=seqs[0])
            return {}
    together: dict[int, Json] = {}
    for seq in seqs:
        together |= _envelopes(connection, [seq])
    return together


def _body(envelope: Json | None) -> bytes | None:
    """What is sent of an event: the envelope, with the two names of Standard Webhooks in front."""
    if envelope is None:
        return None
    return orjson.dumps(_heading(envelope["kind"], envelope["at_ms"]) | envelope)


def _test_body(delivery: Delivery) -> bytes:
    envelope = {
        "seq": None,
        "kind": delivery.kind,
        "at_ms": delivery.created_at_ms,
        "actor": {"kind": "system", "id": None, "name": None},
        "conversation_id": None,
        "conversation_seq": None,
        "data": {"webhook_id": delivery.webhook_id},
    }
    return orjson.dumps(_heading(delivery.kind, delivery.created_at_ms) | envelope)


def _heading(kind: str, at_ms: int) -> Json:
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return {"type": kind, "timestamp": at.isoformat(timespec="milliseconds")[:-6] + "Z"}


async def _read_answer(response: aiohttp.ClientResponse) -> str:
    """The beginning of the answer, for people to read; what does not come soon is left."""
    found = bytearray()
    try:
        async with asyncio.timeout(ANSWER_S):
            while len(found) < ANSWER_BYTES:
                chunk = await response.content.read(ANSWER_BYTES - len(found))
                if not chunk:
                    break
                found += chunk
    except (TimeoutError, aiohttp.ClientError, OSError):
        pass  # the status has come, and it decides
    if not response.content.at_eof():
        response.close()
    text = bytes(found).decode("utf-8", "replace")
    return "".join(c for c in text if c in "\n\t" or c.isprintable()).strip()


def _retry_after_ms(response: aiohttp.ClientResponse) -> int | None:
    """How long the receiver asks us to wait, when it says so in seconds."""
    said = response.headers.get("Retry-After", "")
    return int(said) * 1000 if said.isascii() and said.isdigit() and len(said) <= 6 else None


def _outcome_of(error: BaseException) -> Outcome:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, ForbiddenAddressError):
        return "forbidden"
    return next((o for kind, o in _OUTCOMES if isinstance(error, kind)), "unreachable")
