"""Outgoing webhooks: which events a receiver gets, how it is signed, when it is tried again.

Signatures and header names follow Standard Webhooks 1.0 (standardwebhooks.com), so that receivers
verify with a library of theirs.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from server.domain.errors import InvalidInput
from server.domain.events import EVENT_KINDS
from server.domain.spans import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

State = Literal["active", "off", "paused", "gone"]
# off: a person stopped it; paused: it failed for too long; gone: the receiver answered 410.
STATES: tuple[State, ...] = ("active", "off", "paused", "gone")
Outcome = Literal[
    "delivered",
    "refused",  # another status than 2xx
    "timeout",
    "unreachable",
    "unknown_host",
    "untrusted",  # its certificate
    "forbidden",  # the address leads inside
    "broken",  # the event could not be written down: a bug
]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
Status = Literal["pending", "delivered", "failed"]
STATUSES: tuple[Status, ...] = ("pending", "delivered", "failed")
TEST_KIND = "webhook.test"

SECRET_PREFIX = "whsec_"  # noqa: S105  # what every secret begins with
SECRET_BYTES = (24, 64)
OLD_SECRET_MS = DAY_MS
"""How long the secret before the present one still signs too."""

BACK_OFF_MS = (
    5 * SECOND_MS,
    30 * SECOND_MS,
    2 * MINUTE_MS,
    10 * MINUTE_MS,
    HOUR_MS,
    3 * HOUR_MS,
    8 * HOUR_MS,
    16 * HOUR_MS,
)
"""Waits before the second, third, ... attempt; after the last a delivery has failed."""
JITTER = 0.2
# A receiver may ask for more time than the schedule gives, but not put us off for days.
MOST_RETRY_AFTER_MS = HOUR_MS
PAUSE_AFTER_MS = 72 * HOUR_MS
PAUSE_AFTER_FAILURES = 10
# From here on the receiver rests between attempts, whatever waits for it.
HOLD_AFTER_FAILURES = 5
FIRST_HOLD_MS = 30 * SECOND_MS
MOST_HOLD_MS = 10 * MINUTE_MS
GONE = 410


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a receiver fares: ``failures`` in a row, since when, and until when it is left alone."""

    state: State = "active"
    state_at_ms: int = 0
    failures: int = 0
    failing_since_ms: int | None = None
    hold_until_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What came of sending once; ``code`` and ``answer`` where the receiver answered."""

    outcome: Outcome
    elapsed_ms: int
    code: int | None = None
    answer: str | None = None
    retry_after_ms: int | None = None


def matches(kinds: Collection[str], kind: str) -> bool:
    """True when a receiver of these kinds gets an event of this kind; no kinds means every one."""
    return not kinds or kind in kinds


def checked_kinds(kinds: Collection[str]) -> tuple[str, ...]:
    """The kinds without repeats, in the order of the list of kinds; all of them is none.

    Raises InvalidInput for an unknown kind.
    """
    unknown = sorted(set(kinds) - set(EVENT_KINDS))
    if unknown:
        raise InvalidInput(f"There is no event {unknown[0]}.", field="kinds", reason="event_kind")
    chosen = tuple(kind for kind in EVENT_KINDS if kind in set(kinds))
    return () if len(chosen) == len(EVENT_KINDS) else chosen


def delivery_id(webhook_id: str, name: str) -> str:
    """What a receiver sees as ``webhook-id``: the same for every attempt, another for every event.

    The webhook's id keeps two shops apart that send to one receiver.

    >>> delivery_id("0192", "e17")
    '0192_e17'
    """
    return f"{webhook_id}_{name}"


def secret_key(secret: str) -> bytes:
    """The key in a secret. Raises InvalidInput for one of another form."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    least, most = SECRET_BYTES
    if not least <= len(key) <= most:
        raise InvalidInput(f"A secret is whsec_ and {least} to {most} bytes in base64.")
    return key


def signed(delivery: str, at_s: int, body: bytes) -> bytes:
    """The bytes that are signed.

    >>> signed("m1", 1614265330, b"{}")
    b'm1.1614265330.{}'
    """
    return f"{delivery}.{at_s}.".encode() + body


def signatures(secrets: Sequence[str], delivery: str, at_s: int, body: bytes) -> str:
    """The header ``webhook-signature``: one signature for each secret, set apart by spaces."""
    base = signed(delivery, at_s, body)
    digests = [hmac.new(secret_key(secret), base, hashlib.sha256).digest() for secret in secrets]
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


def wait_ms(failures: int, *, chance: float, retry_after_ms: int | None = None) -> int | None:
    """How long to wait after so many failures of a delivery; None when it is tried no more.

    ``chance`` 0..1 spreads the attempts over a tenth to either side, so that what failed together
    does not come back together.
    """
    if not 1 <= failures <= len(BACK_OFF_MS):
        return None
    planned = BACK_OFF_MS[failures - 1] * (1 - JITTER / 2 + JITTER * chance)
    return int(max(planned, min(retry_after_ms or 0, MOST_RETRY_AFTER_MS)))


def health_after(health: Health, attempt: Attempt, at_ms: int) -> Health:
    """How the receiver fares after an attempt: works, rests, is paused, or is gone."""
    if attempt.outcome == "delivered":
        return replace(health, failures=0, failing_since_ms=None, hold_until_ms=0)
    failures = health.failures + 1
    since = at_ms if health.failing_since_ms is None else health.failing_since_ms
    failing = replace(
        health,
        failures=failures,
        failing_since_ms=since,
        hold_until_ms=at_ms + hold_ms(failures),
    )
    if health.state != "active":  # a person switched it off meanwhile
        return failing
    if attempt.code == GONE:
        return replace(failing, state="gone", state_at_ms=at_ms)
    if failures >= PAUSE_AFTER_FAILURES and at_ms - since >= PAUSE_AFTER_MS:
        return replace(failing, state="paused", state_at_ms=at_ms)
    return failing


def hold_ms(failures: int) -> int:
    """How long a receiver rests that has failed so often in a row.

    >>> [hold_ms(n) // 1000 for n in (1, 4, 5, 6, 20)]
    [0, 0, 30, 60, 600]
    """
    if failures < HOLD_AFTER_FAILURES:
        return 0
    return min(FIRST_HOLD_MS << min(failures - HOLD_AFTER_FAILURES, 20), MOST_HOLD_MS)
