"""Saying yes and no: to what a shop may note and send, in one step either way."""

from __future__ import annotations

from typing import Annotated, Any, Literal  # Any: JSON values

from pydantic import Field

from server.actions.access import access_customer
from server.actions.payload import Id, Payload
from server.domain.actors import Actor
from server.domain.consent import Purpose, State
from server.domain.errors import InvalidInput
from server.storage import tombstones
from server.storage.consents import Consent, add_consent, consents_of, states_of
from server.storage.persons import members, person_of, shopper_rows
from server.storage.unit import Tx
from server.storage.visits import forget_visits

Json = dict[str, Any]  # Any: JSON values
Version = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[!-~]+$")]


class SetConsent(Payload):
    """What a shopper agrees to (true) and what not (false), and the words they were shown.

    ``source`` is widget for the line in the panel, page for the shop's own consent tool.
    """

    purposes: Annotated[dict[Purpose, bool], Field(min_length=1)]
    text_version: Version
    language: Literal["en", "zh"]
    source: Literal["widget", "page"] = "widget"


class SaidFrom(SetConsent):
    """The same with the network address that it came from, which only the server knows."""

    address: str | None = None


class RecordConsent(Payload):
    """What a customer told staff in another way: on the phone, by letter."""

    customer_id: Id
    purpose: Purpose
    given: bool


def set_consent(tx: Tx, actor: Actor, payload: SetConsent) -> Json:
    """Writes down what a shopper says for themselves, for every record that is theirs.

    Who takes back that pages are noted takes back what was noted, too.
    """
    rows = shopper_rows(tx.connection, actor.id or "")
    address = payload.address if isinstance(payload, SaidFrom) else None
    ip_hash = tombstones.keyed(tx, f"address:{address}") if address else None
    for purpose, given in payload.purposes.items():
        _say(
            tx,
            rows,
            purpose,
            given=given,
            text_version=payload.text_version,
            language=payload.language,
            source=payload.source,
            ip_hash=ip_hash,
        )
    said: dict[Purpose, State] = {
        purpose: "given" if given else "refused" for purpose, given in payload.purposes.items()
    }
    before = states_of(tx.connection, rows)
    return {"consents": {**before, **said}}


def record_consent(tx: Tx, actor: Actor, payload: RecordConsent) -> Json:
    """Writes down what a customer told staff; it holds for the whole person."""
    if payload.purpose == "service":
        raise InvalidInput("The chat needs no consent.", field="purpose")
    customer = access_customer(tx, actor, payload.customer_id)
    rows = members(tx.connection, person_of(tx.connection, customer.id))
    _say(
        tx,
        rows,
        payload.purpose,
        given=payload.given,
        text_version="spoken",
        language=customer.locale if customer.locale in ("en", "zh") else "en",
        source="agent",
        by=actor.id,
    )
    return {"customer_id": customer.id}


def _say(
    tx: Tx,
    rows: tuple[str, ...],
    purpose: Purpose,
    *,
    given: bool,
    text_version: str,
    language: str,
    source: str,
    ip_hash: str | None = None,
    by: str | None = None,
) -> None:
    """Adds a row for each record; saying the same again with the same words adds nothing."""
    last = {c.customer_id: c for c in consents_of(tx.connection, rows) if c.purpose == purpose}
    state: State = "given" if given else "refused"
    for customer_id in rows:
        old = last.get(customer_id)
        if old is not None and (old.state, old.text_version, old.source) == (
            state,
            text_version,
            source,
        ):
            continue
        add_consent(
            tx,
            Consent(
                customer_id=customer_id,
                purpose=purpose,
                state=state,
                text_version=text_version,
                language=language,
                source=source,
                ip_hash=ip_hash,
                by=by,
                # The last word must be the last also within one millisecond.
                at_ms=tx.at_ms if old is None else max(tx.at_ms, old.at_ms + 1),
            ),
        )
    if purpose == "analytics" and not given:
        forget_visits(tx, rows)
