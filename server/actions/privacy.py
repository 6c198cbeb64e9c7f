"""What people may ask of a shop about their data, and what the shop decides about keeping it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any  # Any: JSON values

from server.actions.payload import Id, Payload
from server.domain.actors import SYSTEM, Actor
from server.domain.addresses import checked_url
from server.domain.errors import Conflict, NotFound
from server.domain.events import CustomerErased, CustomersExported
from server.domain.permissions import require
from server.domain.retention import Kept, Policy, checked
from server.domain.spans import DAY_MS
from server.storage import deliveries, erasure, mails, privacy, tombstones
from server.storage.customers import CustomerChanged, load_customer
from server.storage.persons import members, person_of
from server.storage.privacy import Request
from server.storage.shop import load_shop, update_shop
from server.storage.unit import Tx

Json = dict[str, Any]  # Any: JSON values
FORGET_AT_ONCE = 200


class OfPerson(Payload):
    """For what is done about one person."""

    customer_id: Id


@dataclass(frozen=True, slots=True)
class Erased:
    """What came of an erasure: its number, the records that it took in, and rows by table."""

    request_id: str
    customer_ids: tuple[str, ...]
    receipt: dict[str, int]


def erase_again(tx: Tx, customer_id: str, *, among: Collection[str]) -> bool | None:
    """Erases a person in an older copy of a database in which they were; True when it did.

    None where nobody is to be erased any more: no such record, or it was done. False where the copy
    knows the record as one person with others, who are not ``among`` the erased: somebody has to
    look at them.
    """
    rows = members(tx.connection, person_of(tx.connection, customer_id))
    if load_customer(tx.connection, customer_id) is None:
        return None
    if erasure.erased_at_ms(tx.connection, customer_id) is not None:
        return None
    if not set(rows) <= set(among):
        return False
    erase_customer(tx, SYSTEM, OfPerson(customer_id=customer_id))
    return True


def ask_erasure(tx: Tx, actor: Actor, payload: OfPerson) -> Json:
    """Notes that a person wants to be erased; the answer is due within 30 days."""
    return {"request_id": _note(tx, actor, payload.customer_id, "erase").id}


def erase_customer(tx: Tx, actor: Actor, payload: OfPerson) -> Erased:
    """Takes a person, with all records joined to them, out of everything but the figures.

    Raises NotFound, Conflict when that was done before, NotAllowed.
    """
    _may(actor)
    rows = _rows(tx, payload.customer_id)
    request = _note(tx, actor, payload.customer_id, "erase")
    names = erasure.names_of(tx.connection, rows)
    buried = tombstones.bury(tx, names.keys, request_id=request.id)
    receipt = erasure.erase_rows(tx, rows, names) | {"customer": len(rows), "tombstone": buried}
    erasure.empty_customers(tx, rows)
    for customer_id in rows:
        tx.record(actor, CustomerErased(), customer_id=customer_id)
        tx.notice(CustomerChanged(customer_id))
    privacy.close_request(tx, request.id, by=actor.id, receipt=receipt)
    return Erased(request.id, rows, receipt)


def erase(tx: Tx, actor: Actor, payload: OfPerson) -> Json:
    """As ``erase_customer``, for programs."""
    erased = erase_customer(tx, actor, payload)
    return {
        "request_id": erased.request_id,
        "customer_ids": list(erased.customer_ids),
        "receipt": erased.receipt,
    }


def note_export(tx: Tx, actor: Actor, payload: OfPerson) -> str:
    """Writes down that a person's data was handed out; the number of the request."""
    _may(actor)
    rows = _rows(tx, payload.customer_id)
    request = _note(tx, actor, payload.customer_id, "export")
    tx.record(actor, CustomersExported(rows=len(rows), masked=False), customer_id=rows[0])
    privacy.close_request(tx, request.id, by=actor.id, receipt={"customer": len(rows)})
    return request.id


def change_policy(
    tx: Tx,
    actor: Actor,
    *,
    page_events: bool,
    kept: dict[Kept, int],
    privacy_url: str,
) -> None:
    """Changes whether pages are noted, how long things are kept, and where the notice stands."""
    _may(actor)
    require(actor, "shop.manage")
    shop = load_shop(tx.connection)
    if shop is None:
        raise NotFound("There is no shop yet: create one with `shopbell init`.")
    policy = Policy(
        page_events, tuple((name, checked(name, value)) for name, value in kept.items())
    )
    url = checked_url(privacy_url, inside=True) if privacy_url.strip() else None
    update_shop(tx, privacy.with_policy(shop, policy, privacy_url=url))


def forget_old_texts(tx: Tx) -> int:
    """Takes the words out of conversations that ended too long ago; how many there were."""
    days = privacy.load_policy(tx.connection).days["conversations"]
    if not days:
        return 0
    before_ms = tx.at_ms - days * DAY_MS
    return erasure.forget_texts(tx, before_ms=before_ms, limit=FORGET_AT_ONCE)


def forget_old_deliveries(tx: Tx) -> int:
    """Removes what shops have sent, once it is too old to be of use; how many there were."""
    days = privacy.load_policy(tx.connection).days["deliveries"]
    before_ms = tx.at_ms - days * DAY_MS
    return deliveries.forget_old(tx, before_ms=before_ms, limit=FORGET_AT_ONCE)


def forget_old_mails(tx: Tx) -> int:
    """Takes the words out of mails that came or went too long ago; how many there were.

    What they said stands in the thread, for as long as the shop keeps that.
    """
    days = privacy.load_policy(tx.connection).days["deliveries"]
    before_ms = tx.at_ms - days * DAY_MS
    return mails.forget_old(tx, before_ms=before_ms, limit=FORGET_AT_ONCE)


def _may(actor: Actor) -> None:
    if actor.kind != "system":
        require(actor, "privacy.manage")


def _rows(tx: Tx, customer_id: str) -> tuple[str, ...]:
    """All rows of a person, locked. Raises NotFound, Conflict when they were erased."""
    rows = members(tx.connection, person_of(tx.connection, customer_id))
    for row in sorted(rows):
        if load_customer(tx.connection, row, lock=True) is None:
            raise NotFound("There is no such customer.")
        if erasure.erased_at_ms(tx.connection, row) is not None:
            raise Conflict("This customer has been erased already.", reason="erased")
    return rows


def _note(tx: Tx, actor: Actor, customer_id: str, kind: privacy.Wish) -> Request:
    """The wish of a person that waits to be fulfilled, noted now when it was not before."""
    _may(actor)
    person = person_of(tx.connection, customer_id)
    waiting = privacy.open_request(tx.connection, person, kind)
    if waiting is not None:
        return waiting
    if load_customer(tx.connection, person) is None:
        raise NotFound("There is no such customer.")
    request = Request(
        id=tx.new_id(),
        kind=kind,
        customer_id=person,
        asked_at_ms=tx.at_ms,
        due_at_ms=tx.at_ms + privacy.DUE_MS,
        asked_by=actor.id,
    )
    privacy.add_request(tx, request)
    return request
