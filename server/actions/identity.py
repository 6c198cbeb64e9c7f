"""Who is who: proving, joining and parting customers, and looking at what is masked."""

from __future__ import annotations

import hmac
import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal  # Any: JSON values

from pydantic import Field

from server.actions.access import access_customer
from server.actions.contacts import email_key, is_role, phone_keys, phone_region
from server.actions.payload import Id, Payload
from server.actions.throttle import begin_try, forgive
from server.domain.actors import SYSTEM, Actor
from server.domain.errors import Conflict, InvalidInput, NotFound
from server.domain.events import (
    ContactRevealed,
    CustomerIdentified,
    CustomerMerged,
    CustomerUnmerged,
)
from server.domain.linking import Decision, Key, conflict, decide, pair_of, pointers
from server.domain.permissions import require
from server.domain.text import clean
from server.storage import contacts, links, persons, profiles, proofs, shop_customers
from server.storage.connection import Connection
from server.storage.contacts import KnownContact, Shared
from server.storage.customers import Customer
from server.storage.links import StoredCase, StoredLink, Web
from server.storage.proofs import ProvingOrder
from server.storage.shop import load_shop
from server.storage.unit import Tx

Answer = dict[str, Any]  # Any: JSON values
MAX_WHY_CHARS = 500


class Reveal(Payload):
    """Which contact of a customer an agent needs to see whole.

    ``key_id`` names one of the card's contacts; without it the one in the customer's own data.
    """

    customer_id: Id
    kind: Literal["email", "phone"]
    key_id: Annotated[str, Field(max_length=200)] | None = None


class Verify(Payload):
    """What a shopper tells an agent to prove who they are: an order's number and its postcode."""

    customer_id: Id
    order_number: Annotated[str, Field(min_length=1, max_length=100)]
    postcode: Annotated[str, Field(min_length=1, max_length=40)]


class Merge(Payload):
    """Two customers who are one person, as a supervisor has found."""

    customer_id: Id
    other_id: Id
    why: str | None = None


class Unmerge(Payload):
    """The link that was wrong."""

    link_id: Id
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A contact that was said, or proved by whoever ``source`` names."""

    kind: Literal["email", "phone"]
    value: str
    proved: bool = False


# -- contacts ---------------------------------------------------------------------------------


def note_contacts(tx: Tx, customer_id: str, said: Iterable[Said], *, source: str) -> None:
    """Keeps contacts of a customer; what is proved joins who has proved the same.

    What was only said never joins anybody. A proof is never taken back by a word.
    """
    region = region_of(tx)
    known = {(c.kind, c.key): c for c in contacts.contacts_of(tx.connection, [customer_id])}
    new: list[KnownContact] = []
    proved = False
    for one in said:
        for key, value in _keys(one, region):
            before = known.get((one.kind, key))
            if before is not None and (before.proved or not one.proved):
                continue
            new.append(
                KnownContact(
                    customer_id=customer_id,
                    kind=one.kind,
                    key=key,
                    value=value,
                    level="verified" if one.proved else "claimed",
                    source=source,
                    created_at_ms=before.created_at_ms if before else tx.at_ms,
                    verified_at_ms=tx.at_ms if one.proved else None,
                )
            )
            proved = proved or one.proved
    contacts.save_contacts(tx, new)
    if proved:
        relink(tx, [customer_id])


def note_signed(tx: Tx, customer_id: str, said: Sequence[Said]) -> None:
    """Keeps the contacts of a signed identity; what it signed before of the same kind is the past.

    An address that the shop names no more proves nothing: it may be somebody else's by now.
    """
    region = region_of(tx)
    now = {(one.kind, key) for one in said for key, _ in _keys(one, region)}
    kinds = {kind for kind, _ in now}
    past = [
        replace(contact, level="claimed", verified_at_ms=None)
        for contact in contacts.contacts_of(tx.connection, [customer_id])
        if contact.source == "signed"
        and contact.proved
        and contact.kind in kinds
        and (contact.kind, contact.key) not in now
    ]
    contacts.save_contacts(tx, past)
    if past:
        relink(tx, [customer_id])
    note_contacts(tx, customer_id, said, source="signed")


def region_of(tx: Tx) -> str | None:
    """Where telephone numbers without a country's code are."""
    shop = load_shop(tx.connection)
    return phone_region(shop.timezone) if shop is not None else None


def _keys(said: Said, region: str | None) -> list[tuple[str, str]]:
    """Each contact in what was said: its key and how it is written."""
    if said.kind == "email":
        key = email_key(said.value)
        return [(key, said.value)] if key is not None else []
    return [(key, key) for key in phone_keys(said.value, region)]


def reveal(tx: Tx, actor: Actor, payload: Reveal) -> Answer:
    """A contact of a customer as it is, and a line in the log of who looked. Raises NotFound."""
    require(actor, "contact.reveal")
    customer = access_customer(tx, actor, payload.customer_id)
    value = contact_value(tx, customer, payload)
    if not value:
        raise NotFound("There is no such contact.")
    tx.record(actor, ContactRevealed(field=payload.kind), customer_id=customer.id)
    links.log_link(tx, "reveal", customer_id=customer.id, agent_id=actor.id, why=payload.kind)
    return {"kind": payload.kind, "value": value}


def contact_value(tx: Tx, customer: Customer, payload: Reveal) -> str | None:
    """A contact of a customer as it is, None when there is no such one."""
    if payload.key_id is None:
        return customer.email if payload.kind == "email" else customer.phone
    person = persons.person_of(tx.connection, customer.id)
    rows = persons.members(tx.connection, person)
    for key_id, contact in contacts.by_key_id(tx.connection, rows).items():
        if key_id == payload.key_id and contact.kind == payload.kind:
            return contact.value
    return None


# -- proofs -----------------------------------------------------------------------------------


def verify(tx: Tx, actor: Actor, payload: Verify) -> Answer:
    """Whether number and postcode belong to one order; if so the customer is who ordered it.

    Tries are counted for the agent and for the customer and written down, right or wrong. The
    answer does not say which of the two was wrong. Raises TooMany, NotFound, Conflict.
    """
    require(actor, "contact.reveal")
    customer = access_customer(tx, actor, payload.customer_id)
    account, place = f"proof of {customer.id}", f"proofs by {actor.id}"
    begin_try(tx, account, place)
    number = clean(payload.order_number, limit=100, name="order_number").lstrip("#")
    postcode = _postcode(payload.postcode)
    order = next(
        (
            order
            for order in proofs.orders_with_number(tx.connection, number)
            if order.postcode
            and hmac.compare_digest(_postcode(order.postcode).encode(), postcode.encode())
        ),
        None,
    )
    if order is None:
        links.log_link(tx, "proof_failed", customer_id=customer.id, agent_id=actor.id)
        return {"customer_id": customer.id, "verified": False}
    _prove(tx, actor, customer, order)
    forgive(tx, account)
    tx.record(actor, CustomerIdentified(method="order", fields=("order",)), customer_id=customer.id)
    return {"customer_id": customer.id, "verified": True}


def _prove(tx: Tx, actor: Actor, customer: Customer, order: ProvingOrder) -> None:
    """Joins who proved it with who ordered, and marks the contacts that the order has too."""
    connection = tx.connection
    owner = order.customer_id
    said = [
        Said("email", order.email, proved=True) if order.email else None,
        Said("phone", order.phone, proved=True) if order.phone else None,
    ]
    own = {(c.kind, c.key) for c in contacts.contacts_of(connection, [customer.id])}
    region = region_of(tx)
    known = [
        one
        for one in said
        if one is not None
        and (owner is None or any((one.kind, key) in own for key, _ in _keys(one, region)))
    ]
    if owner is not None and owner != customer.id:
        _join(tx, actor, customer.id, owner, how="proof", why=None)
    # As a source of its own, which joins nobody else: a number of an order proves no address.
    note_contacts(tx, customer.id, known, source="order")


def _postcode(value: str) -> str:
    return re.sub(r"[\s\-]", "", unicodedata.normalize("NFKC", value)).casefold()


# -- joining and parting ----------------------------------------------------------------------


def attach_session(tx: Tx, browser: Customer, account_id: str) -> bool:
    """Lets what this browser wrote before it signed in go with the account; whether it does.

    The shopper goes on seeing it. A browser of which staff or a proof say that it is another
    account's is left alone, and a supervisor has to look.
    """
    links.lock_linking(tx.connection)
    web = links.web_of(tx.connection, [browser.id, account_id], is_role=_is_role)
    groups = web.persons(web.carried)
    mine = next(rows for rows in groups if browser.id in rows)
    theirs = next(rows for rows in groups if account_id in rows)
    if mine != theirs and conflict(
        [web.records[row] for row in mine], [web.records[row] for row in theirs]
    ):
        _look(tx, [browser.id, account_id], kind="conflict", evidence=())
        return False
    _link(tx, browser.id, account_id, how="session", agent_id=None, why=None)
    relink(tx, [browser.id], action="session")
    return True


def merge(tx: Tx, actor: Actor, payload: Merge) -> Answer:
    """Makes two customers one person for staff. Neither sees more than before. Raises Conflict."""
    require(actor, "identity.manage")
    if payload.customer_id == payload.other_id:
        raise InvalidInput("These are the same customer.", field="other_id")
    one = access_customer(tx, actor, payload.customer_id)
    other = access_customer(tx, actor, payload.other_id)
    why = clean(payload.why or "", limit=MAX_WHY_CHARS, name="why", empty=True) or None
    links.lock_linking(tx.connection)
    connection = tx.connection
    if persons.person_of(connection, one.id) == persons.person_of(connection, other.id):
        raise Conflict("They are one person already.", reason="merged")
    _decide_cases(tx, actor, one.id, other.id, "merged")
    link = _join(tx, actor, one.id, other.id, how="staff", why=why)
    return {"customer_id": one.id, "link_id": link.id}


def unmerge(tx: Tx, actor: Actor, payload: Unmerge) -> Answer:
    """Undoes a link: every row is again what it was by itself. Raises NotFound, Conflict."""
    require(actor, "identity.manage")
    links.lock_linking(tx.connection)
    link = links.load_link(tx.connection, payload.link_id)
    if link is None:
        raise NotFound("There is no such link.")
    if link.undone_at_ms is not None:
        raise Conflict("This link was undone before.", reason="undone")
    why = clean(payload.why or "", limit=MAX_WHY_CHARS, name="why", empty=True) or None
    links.save_links(tx, [links.undone(link, at_ms=tx.at_ms, by=actor.id)])
    if link.how == "auto":
        # Or it would be made again at once.
        _decide_cases(tx, actor, link.customer_id, link.other_id, "apart", make=True)
    else:
        _reopen_cases(tx, link)
    relink(tx, [link.customer_id, link.other_id], actor=actor, action="undo", why=why, named=link)
    tx.record(actor, CustomerUnmerged(link_id=link.id), customer_id=link.customer_id)
    return {"customer_id": link.customer_id, "other_id": link.other_id}


def keep_apart(tx: Tx, actor: Actor, payload: Merge) -> Answer:
    """Remembers that two customers are two persons, so that nothing joins them by itself."""
    require(actor, "identity.manage")
    one = access_customer(tx, actor, payload.customer_id)
    other = access_customer(tx, actor, payload.other_id)
    if one.id == other.id:
        raise InvalidInput("These are the same customer.", field="other_id")
    why = clean(payload.why or "", limit=MAX_WHY_CHARS, name="why", empty=True) or None
    links.lock_linking(tx.connection)
    _decide_cases(tx, actor, one.id, other.id, "apart", make=True)
    links.log_link(tx, "apart", customer_id=one.id, other_id=other.id, agent_id=actor.id, why=why)
    relink(tx, [one.id, other.id], actor=actor)
    return {"customer_id": one.id}


def set_shared(tx: Tx, actor: Actor, *, kind: str, key: str, state: str) -> None:
    """Puts a value on the list of those that name nobody, or says that it does name somebody."""
    require(actor, "identity.manage")
    if state not in ("blocked", "allowed") or kind not in ("email", "phone"):
        raise InvalidInput("A value is blocked or allowed.", field="state")
    links.lock_linking(tx.connection)
    before = contacts.blocked(tx.connection, [(kind, key)]).get((kind, key))
    persons_ = before.persons if before is not None else 0
    reason = before.reason if before is not None else "staff"
    contacts.save_shared(tx, [Shared(kind, key, reason, state, persons_, tx.at_ms, actor.id)])
    links.log_link(tx, state, customer_id=None, agent_id=actor.id, why=kind)
    holders = [c.customer_id for c in contacts.with_keys(tx.connection, [(kind, key)]) if c.proved]
    relink(tx, holders[: contacts.MOST_PERSONS * 10], actor=actor)


def relink(
    tx: Tx,
    customer_ids: Collection[str],
    *,
    actor: Actor = SYSTEM,
    action: str = "auto",
    why: str | None = None,
    named: StoredLink | None = None,
) -> None:
    """Works out anew who is one person around these rows, from links and proved contacts alone."""
    if not customer_ids:
        return
    connection = tx.connection
    links.lock_linking(connection)
    seen: set[str] = set()
    # What was one person until now is looked at together, so that the log has both sides of it.
    waiting = [list(customer_ids)] if named is not None else [[row] for row in customer_ids]
    while waiting:
        ids = [row for row in waiting.pop(0) if row not in seen]
        if not ids:
            continue
        web = links.web_of(connection, ids, is_role=_is_role)
        seen |= web.records.keys()
        # Who was joined by a value that turns out to be many people's is so no more.
        waiting += [[row] for row in _list_shared(tx, web)]
        _settle(tx, web, actor=actor, action=action, why=why, named=named)
        named = None


def _settle(
    tx: Tx,
    web: Web,
    *,
    actor: Actor,
    action: str,
    why: str | None,
    named: StoredLink | None,
) -> None:
    made = [link for link in web.links if link.how != "auto"]
    known = links.cases_of(tx.connection, web.records.keys())
    apart = {pair_of(c.customer_id, c.other_id) for c in known if c.state == "apart"}
    records = list(web.records.values())
    asked = decide(records, [link.link for link in made], apart=apart)
    if not web.whole:
        asked = Decision()
    wanted = {(link.first, link.second, link.key): link for link in asked.links}
    kept: list[StoredLink] = []
    changed: list[StoredLink] = []
    for link in web.links:
        if link.how != "auto":
            continue
        if wanted.pop((link.customer_id, link.other_id, link.link.key), None) is not None:
            kept.append(link)
        else:
            changed.append(links.undone(link, at_ms=tx.at_ms, by=None))
    new = [
        _new_link(tx, link.first, link.second, how="auto", key=link.key) for link in wanted.values()
    ]
    links.save_links(tx, [*changed, *new])
    _keep_cases(tx, web, asked, known)
    after = pointers(records, [link.link for link in (*made, *kept, *new)])
    moved = {row: to for row, to in after.items() if web.carried[row] != to}
    if not moved and named is None:
        return
    links.point(tx, moved)
    before_persons, after_persons = web.persons(web.carried), web.persons(after)
    first = new[0] if new else next(iter(made), None)
    about = named or first
    links.log_link(
        tx,
        action,
        customer_id=about.customer_id if about else min(moved),
        other_id=about.other_id if about else None,
        before=before_persons,
        after=after_persons,
        agent_id=actor.id,
        why=why,
    )
    for link in new:
        tx.record(SYSTEM, CustomerMerged(link_id=link.id, how="auto"), customer_id=link.customer_id)
    _add_up(tx, before_persons, after_persons)


def _add_up(tx: Tx, before: Sequence[tuple[str, ...]], after: Sequence[tuple[str, ...]]) -> None:
    """Works out the profiles of the persons that are others now, and of those that are no more."""
    tops = {rows[0] for rows in before} | {rows[0] for rows in after}
    tops -= {rows[0] for rows in set(before) & set(after)}
    if tops:
        shop_customers.lock_persons(tx.connection, tops)
        profiles.recompute(tx, sorted(tops), regrouped=True)


def _join(
    tx: Tx, actor: Actor, one: str, other: str, *, how: Literal["proof", "staff"], why: str | None
) -> StoredLink:
    links.lock_linking(tx.connection)
    link = _link(tx, one, other, how=how, agent_id=actor.id, why=why)
    relink(tx, [one], actor=actor, action=how, why=why, named=link)
    tx.record(actor, CustomerMerged(link_id=link.id, how=how), customer_id=one)
    return link


def _link(
    tx: Tx, one: str, other: str, *, how: str, agent_id: str | None, why: str | None
) -> StoredLink:
    """The link, made unless it is there."""
    for known in links.active_links(tx.connection, [one]):
        if {known.customer_id, known.other_id} == {one, other} and known.how == how:
            return known
    first, second = (one, other) if how == "session" else pair_of(one, other)
    link = replace(_new_link(tx, first, second, how=how), agent_id=agent_id, why=why)
    links.save_links(tx, [link])
    return link


def _new_link(tx: Tx, first: str, second: str, *, how: str, key: Key | None = None) -> StoredLink:
    return StoredLink(
        id=tx.new_id(),
        customer_id=first,
        other_id=second,
        how=how,
        kind=key[0] if key else None,
        key=key[1] if key else None,
        why=None,
        agent_id=None,
        at_ms=tx.at_ms,
    )


# -- cases and lists --------------------------------------------------------------------------


def _keep_cases(tx: Tx, web: Web, asked: Decision, known: Sequence[StoredCase]) -> None:
    """Opens what somebody has to look at, and closes what has lost its ground."""
    by_pair = {pair_of(case.customer_id, case.other_id): case for case in known}
    wanted = {case.pair: case for case in asked.cases}
    changed: list[StoredCase] = []
    for pair, case in wanted.items():
        before = by_pair.get(pair)
        if before is None:
            changed.append(links.new_case(tx, case))
        elif before.state == "gone":
            changed.append(
                replace(
                    before,
                    state="open",
                    kind=case.kind,
                    evidence=case.keys,
                    opened_at_ms=tx.at_ms,
                    decided_at_ms=None,
                )
            )
    for pair, case_ in by_pair.items():
        both = case_.customer_id in web.records and case_.other_id in web.records
        found_here = case_.evidence and case_.kind != "claim" and both
        if case_.state == "open" and found_here and pair not in wanted:
            changed.append(replace(case_, state="gone", decided_at_ms=tx.at_ms))
    links.save_cases(tx, changed)


def _look(
    tx: Tx, pair: Sequence[str], *, kind: Literal["conflict", "claim"], evidence: Sequence[Key]
) -> bool:
    """Opens a case unless there was one; whether it is new."""
    one, other = pair_of(*pair)
    known = [
        case
        for case in links.cases_of(tx.connection, [one])
        if {case.customer_id, case.other_id} == {one, other}
    ]
    if known:
        return False
    links.save_cases(
        tx,
        [
            StoredCase(
                id=tx.new_id(),
                customer_id=one,
                other_id=other,
                kind=kind,
                evidence=tuple(evidence),
                state="open",
                opened_at_ms=tx.at_ms,
            )
        ],
    )
    return True


def _decide_cases(
    tx: Tx, actor: Actor, one: str, other: str, state: str, *, make: bool = False
) -> None:
    """Notes a supervisor's decision on the case of two persons; ``make`` one where there is none.

    The case may name other rows of the same two persons.
    """
    connection = tx.connection
    mine = set(persons.members(connection, persons.person_of(connection, one)))
    theirs = set(persons.members(connection, persons.person_of(connection, other)))
    together = mine == theirs
    decided = [
        replace(case, state=state, decided_at_ms=tx.at_ms, decided_by=actor.id)
        for case in links.cases_of(connection, mine)
        if {case.customer_id, case.other_id} == {one, other}
        or (
            not together
            and case.state != "apart"
            and {case.customer_id, case.other_id} & mine
            and {case.customer_id, case.other_id} & theirs
        )
    ]
    exact = any({case.customer_id, case.other_id} == {one, other} for case in decided)
    if make and not exact:
        first, second = pair_of(one, other)
        decided.append(
            StoredCase(
                id=tx.new_id(),
                customer_id=first,
                other_id=second,
                kind="near",
                evidence=(),
                state=state,
                opened_at_ms=tx.at_ms,
                decided_at_ms=tx.at_ms,
                decided_by=actor.id,
            )
        )
    links.save_cases(tx, decided)


def _reopen_cases(tx: Tx, link: StoredLink) -> None:
    """A decision that was undone is open again."""
    ends = {link.customer_id, link.other_id}
    links.save_cases(
        tx,
        [
            replace(case, state="open", decided_at_ms=None, decided_by=None)
            for case in links.cases_of(tx.connection, [link.customer_id])
            if {case.customer_id, case.other_id} == ends and case.state == "merged"
        ],
    )


def _list_shared(tx: Tx, web: Web) -> list[str]:
    """Puts values that too many have on the list, where supervisors see them; who proved them."""
    new = [
        Shared(kind, key, "shared", "blocked", count, tx.at_ms)
        for (kind, key), count in sorted(web.shared.items())
    ]
    contacts.save_shared(tx, new)
    for _ in new:
        links.log_link(tx, "blocked", customer_id=None, why="shared")
    holders = contacts.with_keys(tx.connection, web.shared.keys())
    return sorted({holder.customer_id for holder in holders if holder.proved})


def _is_role(key: Key) -> bool:
    return key[0] == "email" and is_role(key[1])


@dataclass(frozen=True, slots=True)
class Findings:
    """Values that many share, with how many persons of one source have them, and like pairs."""

    shared: tuple[tuple[Key, int], ...] = ()
    alike: tuple[tuple[tuple[str, str], Key], ...] = ()


AT_ONCE = 200


def find_to_look_over(connection: Connection) -> Findings:
    """What only shows when all contacts are looked at; for a job, as it reads them all.

    What the shop's own systems say of a contact joins nobody, but may deserve a look: two accounts
    of different sources with one address.
    """
    counted = contacts.most_persons(connection, contacts.shared_keys(connection))
    alike = contacts.told_alike(connection, limit=AT_ONCE)
    return Findings(
        tuple(
            (key, count)
            for key, count in sorted(counted.items())
            if count > contacts.MOST_PERSONS or _is_role(key)
        ),
        tuple((pair, key) for pair, key in alike if not _is_role(key)),
    )


def look_over(tx: Tx, found: Findings) -> int:
    """Lists the values and opens the cases; how many were new."""
    links.lock_linking(tx.connection)
    listed = contacts.blocked(tx.connection, [key for key, _ in found.shared])
    new = [
        Shared(*key, "role" if _is_role(key) else "shared", "blocked", count, tx.at_ms)
        for key, count in found.shared
        if key not in listed
    ]
    contacts.save_shared(tx, new)
    for one in new:
        links.log_link(tx, "blocked", customer_id=None, why=one.reason)
    holders = contacts.with_keys(tx.connection, [(one.kind, one.key) for one in new])
    relink(tx, sorted({holder.customer_id for holder in holders if holder.proved})[:AT_ONCE])
    opened = [_look(tx, pair, kind="claim", evidence=[key]) for pair, key in found.alike]
    return len(new) + sum(opened)
