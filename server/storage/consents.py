"""The log of what people agreed to; the last word of every record counts, the strictest wins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, insert, select

from server.domain.consent import PURPOSES, Purpose, State, holds
from server.storage.customers import CUSTOMER, CustomerChanged
from server.storage.segment_marks import mark_segments
from server.storage.tables import ConsentRow, table
from server.storage.unit import Tx

CONSENT = table(ConsentRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A word of a person about a purpose. ``text_version`` names the words they were shown."""

    customer_id: str
    purpose: Purpose
    state: State
    text_version: str
    language: str
    source: str
    ip_hash: str | None = None
    by: str | None = None
    at_ms: int


CONSENTS_OF = (
    select(CONSENT)
    .where(CONSENT.c.customer_id.in_(bindparam("ids", expanding=True)))
    .order_by(CONSENT.c.at_ms, CONSENT.c.id)
)


_SESSIONS = select(CUSTOMER.c.id, CUSTOMER.c.merged_into).where(
    CUSTOMER.c.merged_into.in_(bindparam("ids", expanding=True)),
    CUSTOMER.c.merged_as == "session",
)
_ANALYTICS = (
    select(CONSENT.c.customer_id, CONSENT.c.state)
    .where(
        CONSENT.c.customer_id.in_(bindparam("ids", expanding=True)),
        CONSENT.c.purpose == "analytics",
    )
    .order_by(CONSENT.c.at_ms, CONSENT.c.id)
)


def allowed(connection: Connection, customer_ids: Sequence[str], purpose: Purpose) -> bool:
    """Whether a purpose is allowed for a person, all of whose customer ids are given."""
    return allowed_purposes(connection, customer_ids)[purpose]


def allowed_purposes(connection: Connection, customer_ids: Sequence[str]) -> dict[Purpose, bool]:
    """For every purpose whether it is allowed for a person, all of whose ids are given."""
    last = _last_words(consents_of(connection, customer_ids))
    return {
        purpose: holds(purpose, [c.state for c in last.values() if c.purpose == purpose])
        for purpose in PURPOSES
    }


def consent_states(
    connection: Connection, customer_ids: Sequence[str]
) -> dict[str, dict[str, str | int | None]]:
    """For every purpose ``{"state": given|refused|unsaid, "at_ms"}`` of a person, as cards show."""
    last = _last_words(consents_of(connection, customer_ids))
    found: dict[str, dict[str, str | int | None]] = {}
    for purpose in PURPOSES:
        said = [c for c in last.values() if c.purpose == purpose]
        refused = [c for c in said if c.state == "refused"]
        deciding = max(refused or said, key=lambda c: c.at_ms, default=None)
        found[purpose] = {
            "state": deciding.state if deciding else "unsaid",
            "at_ms": deciding.at_ms if deciding else None,
        }
    return found


def states_of(connection: Connection, customer_ids: Sequence[str]) -> dict[Purpose, State]:
    """What a shopper was last heard to say about each purpose, the strictest of these rows."""
    found: dict[Purpose, State] = {}
    for consent in _last_words(consents_of(connection, customer_ids)).values():
        if found.get(consent.purpose) != "refused":
            found[consent.purpose] = consent.state
    return found


def analytics_states(connection: Connection, customer_ids: Sequence[str]) -> dict[str, State]:
    """What each of some shoppers last said about their pages being noted; others are left out.

    What a browser said before it signed in counts for who signed in, the strictest of it.
    """
    owners = dict.fromkeys(customer_ids)
    sessions = connection.execute(_SESSIONS, {"ids": list(owners)})
    owner_of = {key: key for key in owners} | {row.id: row.merged_into for row in sessions}
    last: dict[str, State] = {}
    for row in connection.execute(_ANALYTICS, {"ids": list(owner_of)}):
        last[row.customer_id] = row.state
    found: dict[str, State] = {}
    for customer_id, state in last.items():
        if found.get(owner_of[customer_id]) != "refused":
            found[owner_of[customer_id]] = state
    return found


def consents_of(connection: Connection, customer_ids: Sequence[str]) -> list[Consent]:
    """Everything that a person said, oldest first."""
    rows = connection.execute(CONSENTS_OF, {"ids": list(customer_ids)}).mappings()
    fields = Consent.__dataclass_fields__
    return [Consent(**{name: row[name] for name in fields}) for row in rows]


def add_consent(tx: Tx, consent: Consent) -> None:
    """Writes down what a person said; nothing that was said before is touched."""
    values = {name: getattr(consent, name) for name in Consent.__dataclass_fields__}
    tx.later(insert(CONSENT), values | {"id": tx.new_id()})
    if consent.purpose == "profiling":
        mark_segments(tx, [consent.customer_id])
    tx.notice(CustomerChanged(consent.customer_id))


def _last_words(consents: list[Consent]) -> dict[tuple[str, str], Consent]:
    return {(c.customer_id, c.purpose): c for c in consents}
