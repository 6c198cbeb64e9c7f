"""What supervisors look at: who may be one person, who became one, and what names nobody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any  # Any: JSON values

from sqlalchemy import Connection

from server.domain.actors import Actor
from server.domain.masking import mask_contact, shown
from server.storage import contacts, conversations, links, people
from server.storage.customers import load_customers
from server.storage.links import StoredCase
from server.storage.persons import members, person_of
from server.storage.profiles import load_profile

Json = dict[str, Any]  # Any: JSON values
CASES = 50
LINKS = 50
LOG = 100
MOST_CONTACTS = 4


def identity_view(connection: Connection, actor: Actor) -> Json:
    """Open cases, links that can be undone, values on the list, and what was done last."""
    cases = links.open_cases(connection, limit=CASES)
    made = links.undoable(connection, limit=LINKS)
    log = links.log_rows(connection, limit=LOG)
    ids = {row for case in cases for row in (case.customer_id, case.other_id)}
    ids |= {row for link in made for row in (link.customer_id, link.other_id)}
    ids |= {row[name] for row in log for name in ("customer_id", "other_id") if row[name]}
    known = load_customers(connection, sorted(ids))
    staff = people.names(connection)
    names = {row: customer.name for row, customer in known.items()}
    return {
        "cases": [_case(connection, actor, case) for case in cases],
        "waiting": links.open_case_count(connection),
        "links": [
            {
                "id": link.id,
                "how": link.how,
                "at_ms": link.at_ms,
                "by": staff.get(link.agent_id or ""),
                "why": link.why,
                "kind": link.kind,
                "shown": mask_contact(link.kind, link.key) if link.kind and link.key else None,
                "ends": [
                    {"id": row, "name": names.get(row)} for row in (link.customer_id, link.other_id)
                ],
            }
            for link in made
        ],
        "listed": contacts.blocked_list(connection),
        "log": [
            {
                "at_ms": row["at_ms"],
                "action": row["action"],
                "by": staff.get(row["agent_id"] or ""),
                "why": row["why"],
                "ends": [
                    {"id": row[name], "name": names.get(row[name])}
                    for name in ("customer_id", "other_id")
                    if row[name]
                ],
            }
            for row in log
        ],
    }


def _case(connection: Connection, actor: Actor, case: StoredCase) -> Json:
    return {
        "id": case.id,
        "kind": case.kind,
        "opened_at_ms": case.opened_at_ms,
        # Two systems or a signature said it, so supervisors may see what it is about.
        "evidence": [{"kind": kind, "shown": key} for kind, key in case.evidence],
        "sides": [_side(connection, actor, row) for row in (case.customer_id, case.other_id)],
    }


def _side(connection: Connection, actor: Actor, customer_id: str) -> Json:
    """One of the two, as far as it takes to tell them apart."""
    rows = members(connection, person_of(connection, customer_id))
    customer = load_customers(connection, [customer_id])[customer_id]
    accounts = contacts.accounts_of(connection, rows)
    profile = load_profile(connection, rows[0])
    talks = conversations.of_any(connection, rows, limit=20)
    return {
        "id": customer_id,
        "name": customer.name,
        "identity": customer.identity,
        "records": len(rows),
        "accounts": sorted({account for each in accounts.values() for account in each}),
        "contacts": _contacts(connection, actor, rows),
        "created_at_ms": customer.created_at_ms,
        "seen_at_ms": customer.seen_at_ms,
        "talks": len(talks),
        "talks_more": len(talks) == 20,
        "orders": profile.orders,
        "net_minor": profile.net_minor,
    }


def _contacts(connection: Connection, actor: Actor, rows: Sequence[str]) -> list[Json]:
    known = sorted(contacts.contacts_of(connection, rows), key=lambda c: not c.proved)
    return [
        {
            "kind": c.kind,
            "shown": shown(actor, c.kind, c.value, level=c.level, source=c.source),
            "level": c.level,
            "source": c.source,
        }
        for c in known[:MOST_CONTACTS]
    ]
