"""Links between customer rows, what was done with them, and the cases somebody has to look at."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any  # Any: column values

import orjson
from sqlalchemy import Connection, RowMapping, bindparam, func, or_, select

from server.domain.linking import MOST, Case, Key, Link, Pointers, Record
from server.storage import contacts
from server.storage.customers import CUSTOMER, CustomerChanged
from server.storage.locking import lockable, locked_row
from server.storage.prepared import Statement, insert, upsert
from server.storage.segment_marks import mark_segments
from server.storage.shop import SHOP
from server.storage.tables import CustomerLink, LinkLog, ReviewCase, table
from server.storage.unit import Tx

LINK = table(CustomerLink)
LOG = table(LinkLog)
CASE = table(ReviewCase)
_SAVE_LINK = upsert(LINK)
_ADD_LOG = insert(LOG)
_SAVE_CASE = upsert(CASE)
_POINT = Statement(
    sqlite="UPDATE customer SET merged_into = ?, merged_as = ?, person_id = ? WHERE id = ?",
    postgresql="UPDATE customer SET merged_into = r.merged_into, merged_as = r.merged_as,"
    " person_id = r.person_id FROM json_to_recordset(%s::json)"
    " AS r(merged_into text, merged_as text, person_id text, id text) WHERE customer.id = r.id",
    columns=("merged_into", "merged_as", "person_id", "id"),
)
# An order's number proves a person to staff, not that an address is theirs: it joins nobody else.
_NO_KEY = "order"
_LOCK = lockable(select(SHOP.c.id).where(SHOP.c.id == bindparam("id")))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLink:
    """A link as it is stored; ``undone_at_ms`` is None while it holds."""

    id: str
    customer_id: str
    other_id: str
    how: str
    kind: str | None
    key: str | None
    why: str | None
    agent_id: str | None
    at_ms: int
    undone_at_ms: int | None = None
    undone_by: str | None = None

    @property
    def link(self) -> Link:
        """What linking looks at."""
        key = (self.kind, self.key) if self.kind is not None and self.key is not None else None
        return Link(self.customer_id, self.other_id, self.how, key)  # type: ignore[arg-type]  # as written


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCase:
    """A case as it is stored; ``evidence`` are the contacts (kind, key) that speak for it."""

    id: str
    customer_id: str
    other_id: str
    kind: str
    evidence: tuple[Key, ...]
    state: str
    opened_at_ms: int
    decided_at_ms: int | None = None
    decided_by: str | None = None


@dataclass(frozen=True, slots=True)
class Web:
    """Rows that hang together, the links between them, and the pointers that they carry now.

    ``shared`` are proved values among theirs that too many have, by how many persons.
    """

    records: Mapping[str, Record]
    links: tuple[StoredLink, ...]
    carried: Mapping[str, Pointers]
    shared: Mapping[Key, int]
    whole: bool

    def persons(self, pointers: Mapping[str, Pointers]) -> list[tuple[str, ...]]:
        """The rows of each person, the top first, the way some pointers have it."""
        found: dict[str, list[str]] = {}
        for row in sorted(self.records):
            top = pointers[row].person_id or row
            found.setdefault(top, []).append(row)
        return [(top, *(row for row in rows if row != top)) for top, rows in sorted(found.items())]


def lock_linking(connection: Connection) -> None:
    """Lets one transaction at a time join and part customers. Raises Held."""
    if connection.dialect.name != "sqlite":
        locked_row(connection, _LOCK, "1")


def web_of(
    connection: Connection, customer_ids: Iterable[str], *, is_role: Callable[[Key], bool]
) -> Web:
    """Everything that hangs together with these rows by links or by contacts that were proved.

    ``is_role`` knows the contacts of offices. ``whole`` is False when there was more than linking
    looks at.
    """
    records: dict[str, Record] = {}
    links: dict[str, StoredLink] = {}
    carried: dict[str, Pointers] = {}
    shared: dict[Key, int] = {}
    known_keys: set[Key] = set()
    new = set(customer_ids)
    while new and len(records) <= MOST:
        ids = sorted(new)
        proved = _proved(connection, ids)
        fresh = {key for keys in proved.values() for key in keys} - known_keys
        listed = contacts.blocked(connection, fresh)
        counted = contacts.most_persons(
            connection,
            {key for key in fresh if key not in listed or listed[key].state != "allowed"},
        )
        shared |= {
            key: persons
            for key, persons in counted.items()
            if persons > contacts.MOST_PERSONS and key not in listed
        }
        silent = {key for key, one in listed.items() if one.state == "blocked"}
        silent |= shared.keys() | {key for key in fresh if is_role(key)}
        known_keys |= fresh - silent
        records |= _records(connection, ids, proved, known_keys, carried)
        found = active_links(connection, ids)
        links |= {link.id: link for link in found}
        beyond = {end for link in found for end in (link.customer_id, link.other_id)}
        beyond |= {
            c.customer_id
            for c in contacts.with_keys(connection, fresh - silent)
            if c.proved and c.source != _NO_KEY
        }
        new = beyond - records.keys()
    return Web(records, tuple(links.values()), carried, shared, whole=not new)


def _proved(connection: Connection, ids: Sequence[str]) -> dict[str, set[Key]]:
    found: dict[str, set[Key]] = {}
    for contact in contacts.contacts_of(connection, ids):
        if contact.proved and contact.source != _NO_KEY:
            found.setdefault(contact.customer_id, set()).add((contact.kind, contact.key))
    return found


def _records(
    connection: Connection,
    ids: Sequence[str],
    proved: Mapping[str, set[Key]],
    counting: Collection[Key],
    carried: dict[str, Pointers],
) -> dict[str, Record]:
    """The rows themselves; what they carry goes into ``carried``."""
    c = CUSTOMER.c
    accounts = contacts.accounts_of(connection, ids)
    found: dict[str, Record] = {}
    for row in connection.execute(
        select(c.id, c.created_at_ms, c.merged_into, c.merged_as, c.person_id).where(c.id.in_(ids))
    ):
        carried[row.id] = Pointers(row.merged_into, row.merged_as, row.person_id)
        found[row.id] = Record(
            row.id,
            row.created_at_ms,
            accounts.get(row.id, frozenset()),
            frozenset(key for key in proved.get(row.id, ()) if key in counting),
        )
    return found


def active_links(connection: Connection, customer_ids: Collection[str]) -> list[StoredLink]:
    """The links that hold and have one of these rows at an end."""
    ids = list(customer_ids)
    statement = select(LINK).where(
        or_(LINK.c.customer_id.in_(ids), LINK.c.other_id.in_(ids)), LINK.c.undone_at_ms.is_(None)
    )
    rows = connection.execute(statement.order_by(LINK.c.at_ms, LINK.c.id)).mappings()
    return [StoredLink(**row) for row in rows]


def load_link(connection: Connection, link_id: str) -> StoredLink | None:
    """A link, whether or not it still holds."""
    row = connection.execute(select(LINK).where(LINK.c.id == link_id)).mappings().first()
    return None if row is None else StoredLink(**row)


def save_links(tx: Tx, links: Sequence[StoredLink]) -> None:
    """Writes links at once, so that what is read next sees them."""
    tx.write(_SAVE_LINK, [asdict(link) for link in links])


def undone(link: StoredLink, *, at_ms: int, by: str | None) -> StoredLink:
    """The link as it is once it was undone; ``by`` is None when its ground has gone."""
    return replace(link, undone_at_ms=at_ms, undone_by=by)


def point(tx: Tx, pointers: Mapping[str, Pointers]) -> None:
    """Writes what rows carry, at once, and tells that they changed."""
    tx.write(_POINT, [{"id": row, **asdict(carried)} for row, carried in sorted(pointers.items())])
    mark_segments(tx, sorted(pointers))
    for row in sorted(pointers):
        tx.notice(CustomerChanged(row))


def log_link(
    tx: Tx,
    action: str,
    *,
    customer_id: str | None,
    other_id: str | None = None,
    before: Sequence[Sequence[str]] = (),
    after: Sequence[Sequence[str]] = (),
    agent_id: str | None = None,
    why: str | None = None,
) -> None:
    """Writes down who did what to whom, and which persons there were before and after."""
    tx.write(
        _ADD_LOG,
        [
            {
                "id": tx.new_id(),
                "at_ms": tx.at_ms,
                "action": action,
                "customer_id": customer_id,
                "other_id": other_id,
                "before": orjson.dumps(before).decode(),
                "after": orjson.dumps(after).decode(),
                "agent_id": agent_id,
                "why": why,
            }
        ],
    )


def log_rows(connection: Connection, *, limit: int = 100) -> list[dict[str, Any]]:  # Any: columns
    """What was done last, the newest first."""
    statement = select(LOG).order_by(LOG.c.at_ms.desc(), LOG.c.id.desc()).limit(limit)
    return [dict(row) for row in connection.execute(statement).mappings()]


def undoable(connection: Connection, *, limit: int = 100) -> list[StoredLink]:
    """The links that hold, the newest first."""
    statement = select(LINK).where(LINK.c.undone_at_ms.is_(None))
    statement = statement.order_by(LINK.c.at_ms.desc(), LINK.c.id.desc()).limit(limit)
    return [StoredLink(**row) for row in connection.execute(statement).mappings()]


# -- cases ------------------------------------------------------------------------------------


def cases_of(connection: Connection, customer_ids: Collection[str]) -> list[StoredCase]:
    """The cases, decided ones too, with one of these rows."""
    ids = list(customer_ids)
    statement = select(CASE).where(or_(CASE.c.customer_id.in_(ids), CASE.c.other_id.in_(ids)))
    return [_case(row) for row in connection.execute(statement).mappings()]


def open_cases(connection: Connection, *, limit: int = 100) -> list[StoredCase]:
    """The cases that wait for a decision, conflicts first, then the oldest."""
    statement = (
        select(CASE)
        .where(CASE.c.state == "open")
        .order_by(CASE.c.kind != "conflict", CASE.c.opened_at_ms, CASE.c.id)
        .limit(limit)
    )
    return [_case(row) for row in connection.execute(statement).mappings()]


def open_case_count(connection: Connection) -> int:
    """How many cases wait for a decision."""
    statement = select(func.count()).select_from(CASE).where(CASE.c.state == "open")
    return int(connection.execute(statement).scalar_one())


def load_case(connection: Connection, case_id: str) -> StoredCase | None:
    """A case by its id, or None."""
    row = connection.execute(select(CASE).where(CASE.c.id == case_id)).mappings().first()
    return None if row is None else _case(row)


def save_cases(tx: Tx, cases: Sequence[StoredCase]) -> None:
    """Writes cases at once."""
    tx.write(
        _SAVE_CASE,
        [
            asdict(case) | {"evidence": orjson.dumps([list(key) for key in case.evidence]).decode()}
            for case in cases
        ],
    )


def new_case(tx: Tx, case: Case) -> StoredCase:
    """A case that begins to wait."""
    return StoredCase(
        id=tx.new_id(),
        customer_id=case.pair[0],
        other_id=case.pair[1],
        kind=case.kind,
        evidence=case.keys,
        state="open",
        opened_at_ms=tx.at_ms,
    )


def _case(row: RowMapping) -> StoredCase:
    evidence = tuple((kind, key) for kind, key in orjson.loads(row["evidence"]))
    return StoredCase(**{**row, "evidence": evidence})
