"""What shops post to us: who signed it, what it is about, and what makes it the same once more.

Signatures cover the raw body, so they are checked before anything reads it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from server.domain.errors import InvalidInput, NotSignedIn

MAX_TOPIC_CHARS = 60
MAX_KEY_CHARS = 200
TOLERANCE_S = 300
"""How far the time in a generic signature may be from ours."""
RETRY_AFTER_MS = (5_000, 30_000, 120_000, 600_000, 3_600_000)
"""How long to wait after each failure to take a delivery over; after the last it is dead."""

STATUSES = ("waiting", "applied", "ignored", "dead")
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,58}[a-z0-9])?")
_TOPIC = re.compile(r"[a-z][a-z0-9_./-]*", re.IGNORECASE)
_PING = re.compile(rb"webhook_id=\d{1,20}")
# Those that WordPress itself turns back (wp_specialchars_decode with ENT_QUOTES), each once.
_ENTITY = re.compile(r"&(?:(lt|gt|amp|quot)|#0*(34|38|39|60|62)|#x0*(22|26|27));", re.IGNORECASE)
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A delivery whose signature was right; ``key`` is the same when it comes again."""

    topic: str
    key: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    triggered_at_ms: int | None = None


Receive = Callable[[Mapping[str, str], bytes, Sequence[str], int], "Incoming | None"]


def checked_name(name: str) -> str:
    """The name of a source. Raises InvalidInput for what cannot be the last part of an address.

    >>> checked_name("main-shop")
    'main-shop'
    """
    if not is_name(name):
        raise InvalidInput(
            "A source's name is 1 to 60 small letters, digits, - and _.",
            field="name",
            reason="source_name",
        )
    return name


def is_name(text: str) -> bool:
    """Whether a source may be called so."""
    return _NAME.fullmatch(text) is not None


def wait_ms(attempts: int) -> int | None:
    """How long to wait after so many failed attempts; None when it is tried no more.

    >>> wait_ms(1), wait_ms(99)
    (5000, None)
    """
    return RETRY_AFTER_MS[attempts - 1] if attempts <= len(RETRY_AFTER_MS) else None


def decoded_secret(secret: str) -> str:
    """The secret as WooCommerce uses it: with WordPress's five entities turned back, each once.

    >>> decoded_secret("a&amp;b&#039;&amp;lt;&copy;")
    "a&b'&lt;&copy;"
    """

    def turned_back(found: re.Match[str]) -> str:
        named, decimal, hexadecimal = found.groups()
        if named:
            return _NAMED.get(named, found.group())
        return chr(int(decimal) if decimal else int(hexadecimal, 16))

    return _ENTITY.sub(turned_back, secret)


def body_signature(secret: str, body: bytes) -> str:
    """Shopify's and WooCommerce's signature: HMAC-SHA256 of the body in base64."""
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


def timed_signature(secret: str, at_s: int, body: bytes) -> str:
    """The header ``X-Signature``: the time, and the HMAC-SHA256 of time, a full stop and body.

    >>> timed_signature("s", 1700000000, b"{}").partition(",")[0]
    't=1700000000'
    """
    signed = hmac.digest(secret.encode(), f"{at_s}.".encode() + body, hashlib.sha256)
    return f"t={at_s},v1={signed.hex()}"


def check_timed(header: str, secrets: Sequence[str], body: bytes, at_ms: int) -> int:
    """The time in a right ``X-Signature``, ms. Raises NotSignedIn for any other."""
    parts = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in parts if name == "t"]
    given = [value for name, _, value in parts if name == "v1"]
    if len(times) != 1 or not re.fullmatch(r"[0-9]{1,12}", times[0]) or not given:
        raise _refused("signature_form")
    at_s = int(times[0])
    if abs(at_ms // 1000 - at_s) > TOLERANCE_S:
        raise _refused("signature_time")
    wanted = [timed_signature(secret, at_s, body).partition("v1=")[2] for secret in secrets]
    if not any(_same(value, one) for value in given[:4] for one in wanted):
        raise _refused("signature")
    return at_s * 1000


def receive_shopify(
    headers: Mapping[str, str], body: bytes, secrets: Sequence[str], at_ms: int
) -> Incoming | None:
    """A delivery of Shopify. Raises NotSignedIn; header names are small letters."""
    del at_ms  # a retry comes hours later with what was triggered then
    _check_body(headers.get("x-shopify-hmac-sha256", ""), secrets, body)
    topic = _topic(headers.get("x-shopify-topic", ""))
    # Two subscriptions to a topic share an event id, and a retry keeps its webhook id.
    key = headers.get("x-shopify-webhook-id") or _digest(topic, body)
    return Incoming(
        topic=topic,
        key=key[:MAX_KEY_CHARS],
        body=body,
        headers=_kept(headers, "x-shopify-"),
        triggered_at_ms=_instant_ms(headers.get("x-shopify-triggered-at", "")),
    )


def receive_woocommerce(
    headers: Mapping[str, str], body: bytes, secrets: Sequence[str], at_ms: int
) -> Incoming | None:
    """A delivery of WooCommerce, None for the ping. Raises NotSignedIn.

    The ping comes when the webhook is made and has no signature. It is not believed, but must be
    answered with 200, or WooCommerce does not switch the webhook on.
    """
    del at_ms
    signature = headers.get("x-wc-webhook-signature", "")
    if not signature and _PING.fullmatch(body.strip()):
        return None
    _check_body(signature, [decoded_secret(secret) for secret in secrets], body)
    topic = _topic(headers.get("x-wc-webhook-topic", ""))
    # The delivery id is a hash of webhook and second, so two deliveries may share it: the body
    # tells them apart. A body without a time of change, as "deleted" has, may come again for good.
    again = "" if b"date_modified_gmt" in body else headers.get("x-wc-webhook-delivery-id", "")
    webhook_id = headers.get("x-wc-webhook-id", "")[:40]
    return Incoming(
        topic=topic,
        key=f"{webhook_id}:{_digest(topic, body)}:{again[:80]}",
        body=body,
        headers=_kept(headers, "x-wc-webhook-"),
    )


def receive_generic(
    headers: Mapping[str, str], body: bytes, secrets: Sequence[str], at_ms: int
) -> Incoming | None:
    """A delivery of a shop's own program. Raises NotSignedIn, InvalidInput."""
    signed_at_ms = check_timed(headers.get("x-signature", ""), secrets, body, at_ms)
    topic = _topic(headers.get("x-topic", "") or "mixed")
    key = headers.get("idempotency-key") or _digest(topic, body)
    return Incoming(
        topic=topic,
        key=key[:MAX_KEY_CHARS],
        body=body,
        headers=_kept(headers, "x-topic", "x-backfill", "idempotency-key"),
        triggered_at_ms=signed_at_ms,
    )


RECEIVERS: Mapping[str, Receive] = {
    "shopify": receive_shopify,
    "woocommerce": receive_woocommerce,
    "generic": receive_generic,
}
"""How the deliveries of each kind of source are checked."""


def _check_body(given: str, secrets: Sequence[str], body: bytes) -> None:
    if not any(_same(given, body_signature(secret, body)) for secret in secrets):
        raise _refused("signature")


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


def _refused(reason: str) -> NotSignedIn:
    return NotSignedIn("The signature is not right for this body and secret.", reason=reason)


def _topic(text: str) -> str:
    if not _TOPIC.fullmatch(text) or len(text) > MAX_TOPIC_CHARS:
        raise InvalidInput("The header with the topic is missing or unreadable.", reason="topic")
    return text.lower()


def _digest(topic: str, body: bytes) -> str:
    return f"{topic}:{hashlib.sha256(body).hexdigest()}"


def _instant_ms(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text[:40])
    except ValueError:
        return None
    return int(moment.timestamp() * 1000) if moment.tzinfo is not None else None


def _kept(headers: Mapping[str, str], *prefixes: str) -> dict[str, str]:
    """The headers worth keeping, without the signature."""
    return {
        name: value[:300]
        for name, value in sorted(headers.items())
        if name.startswith(prefixes) and not name.endswith(("hmac-sha256", "signature"))
    }
