"""Receivers of events, what waits for them, and the place up to which the log was read for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast  # Any: column values

import orjson
from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    delete,
    exists,
    func,
    insert,
    select,
    text,
    tuple_,
    update,
)

from server.domain.webhooks import Attempt, Health, Outcome, State, Status
from server.storage import log_readers
from server.storage.rows import EVENT
from server.storage.tables import WebhookDelivery, WebhookRow, table
from server.storage.unit import Tx

WEBHOOK = table(WebhookRow)
DELIVERY = table(WebhookDelivery)
READER = "webhooks"
# What is there already stays as it is, so that reading a part of the log twice does no harm.
_INSERT_DELIVERY = text(
    "INSERT INTO webhook_delivery (id, webhook_id, seq, kind, conversation_id, created_at_ms,"
    " status, due_at_ms, attempts, failures) VALUES (:id, :webhook_id, :seq, :kind,"
    " :conversation_id, :at_ms, 'pending', :at_ms, 0, 0) ON CONFLICT (id) DO NOTHING"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A receiver. It gets what the log has after ``after_seq``; no ``kinds`` means every kind."""

    id: str
    name: str
    url: str
    kinds: tuple[str, ...]
    secret: str
    after_seq: int
    created_at_ms: int
    old_secret: str | None = None
    old_secret_until_ms: int | None = None
    health: Health = field(default_factory=Health)

    def secrets(self, at_ms: int) -> tuple[str, ...]:
        """The secrets that sign now: the present one, and the one before for a while."""
        if self.old_secret is None or (self.old_secret_until_ms or 0) <= at_ms:
            return (self.secret,)
        return (self.secret, self.old_secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An event on its way, or what came of it; a test has no ``seq``."""

    id: str
    webhook_id: str
    seq: int | None
    kind: str
    conversation_id: str | None
    created_at_ms: int
    status: Status
    due_at_ms: int | None
    attempts: int
    failures: int
    attempted_at_ms: int | None
    outcome: Outcome | None
    code: int | None
    elapsed_ms: int | None
    answer: str | None


@dataclass(frozen=True, slots=True)
class News:
    """What a delivery needs to know of an event."""

    seq: int
    event_id: str
    kind: str
    conversation_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A delivery to be made; a test has no ``seq``."""

    id: str
    webhook_id: str
    kind: str
    seq: int | None = None
    conversation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for receivers that are switched on, since when the oldest; receivers by state."""

    pending: int
    oldest_at_ms: int | None
    states: Mapping[str, int]


# receivers


def load_webhooks(connection: Connection) -> list[Webhook]:
    """All receivers, the oldest first."""
    statement = select(WEBHOOK).order_by(WEBHOOK.c.created_at_ms, WEBHOOK.c.id)
    return [_webhook(row) for row in connection.execute(statement).mappings()]


def load_webhook(connection: Connection, webhook_id: str, *, lock: bool = False) -> Webhook | None:
    """One receiver, or None; ``lock`` keeps others from changing it until the commit."""
    statement = select(WEBHOOK).where(WEBHOOK.c.id == webhook_id)
    if lock:
        statement = statement.with_for_update(key_share=True)
    row = connection.execute(statement).mappings().first()
    return None if row is None else _webhook(row)


def active_webhooks(connection: Connection) -> list[Webhook]:
    """The receivers that are switched on."""
    statement = select(WEBHOOK).where(WEBHOOK.c.state == "active").order_by(WEBHOOK.c.id)
    return [_webhook(row) for row in connection.execute(statement).mappings()]


def insert_webhook(tx: Tx, webhook: Webhook) -> None:
    """Adds a receiver, and with the first one the place in the log."""
    log_readers.begin(tx, READER, seq=0)
    unserved = {"hold_until_ms": 0, "leased_until_ms": 0, "served_at_ms": 0}
    tx.later(
        insert(WEBHOOK),
        unserved | _values(webhook) | {"id": webhook.id, "created_at_ms": webhook.created_at_ms},
    )


def update_webhook(tx: Tx, webhook: Webhook) -> None:
    """Writes a receiver down as it is now."""
    tx.later(update(WEBHOOK).where(WEBHOOK.c.id == webhook.id).values(**_values(webhook)))


def delete_webhook(tx: Tx, webhook_id: str) -> None:
    """Removes a receiver with the log of its deliveries."""
    tx.later(delete(DELIVERY).where(DELIVERY.c.webhook_id == webhook_id))
    tx.later(delete(WEBHOOK).where(WEBHOOK.c.id == webhook_id))


# reading the log


def place(connection: Connection) -> int:
    """Up to where the log has been read; 0 before the first time."""
    return log_readers.place(connection, READER) or 0


def news(connection: Connection, *, after: int, up_to: int, limit: int) -> list[News]:
    """What happened here, not what was imported, between two numbers of the log, in its order."""
    c = EVENT.c
    statement = (
        select(c.seq, c.event_id, c.kind, c.conversation_id)
        .where(c.seq > after, c.seq <= up_to, ~c.imported)
        .order_by(c.seq)
        .limit(limit)
    )
    return [News(*row) for row in connection.execute(statement)]


# deliveries


def queue_deliveries(tx: Tx, wanted: Iterable[Wanted]) -> None:
    """Adds deliveries that are due now; what is known already stays as it is."""
    values: list[Mapping[str, Any]] = [  # Any: column values
        {
            "id": one.id,
            "webhook_id": one.webhook_id,
            "kind": one.kind,
            "seq": one.seq,
            "conversation_id": one.conversation_id,
            "at_ms": tx.at_ms,
        }
        for one in wanted
    ]
    if values:
        tx.later(_INSERT_DELIVERY, values)


def load_delivery(connection: Connection, delivery_id: str) -> Delivery | None:
    """One delivery, or None."""
    row = connection.execute(select(DELIVERY).where(DELIVERY.c.id == delivery_id)).mappings()
    found = row.first()
    return None if found is None else _delivery(found)


def deliveries(
    connection: Connection,
    webhook_id: str,
    *,
    status: Status | None = None,
    kind: str | None = None,
    before: tuple[int, str] | None = None,
    limit: int,
) -> list[Delivery]:
    """Deliveries to a receiver, the latest first; ``before`` is (created_at_ms, id) of another."""
    c = DELIVERY.c
    statement = select(DELIVERY).where(c.webhook_id == webhook_id)
    if status is not None:
        statement = statement.where(c.status == status)
    if kind is not None:
        statement = statement.where(c.kind == kind)
    if before is not None:
        statement = statement.where(tuple_(c.created_at_ms, c.id) < tuple_(*before))
    ordered = statement.order_by(c.created_at_ms.desc(), c.id.desc()).limit(limit)
    return [_delivery(row) for row in connection.execute(ordered).mappings()]


def pending(connection: Connection) -> dict[str, int]:
    """How many deliveries wait, by receiver; receivers without any are absent."""
    c = DELIVERY.c
    statement = select(c.webhook_id, func.count()).where(c.due_at_ms.is_not(None))
    return {row[0]: row[1] for row in connection.execute(statement.group_by(c.webhook_id))}


def backlog(connection: Connection) -> Backlog:
    """How receivers stand, and what waits for those that are switched on."""
    statement = (
        select(func.count(), func.min(DELIVERY.c.created_at_ms))
        .join_from(DELIVERY, WEBHOOK, WEBHOOK.c.id == DELIVERY.c.webhook_id)
        .where(DELIVERY.c.due_at_ms.is_not(None), WEBHOOK.c.state == "active")
    )
    by_state = select(WEBHOOK.c.state, func.count()).group_by(WEBHOOK.c.state)
    states = {row[0]: row[1] for row in connection.execute(by_state)}
    pending, oldest_at_ms = connection.execute(statement).one()
    return Backlog(pending, oldest_at_ms, states)


def due_again(tx: Tx, delivery_id: str) -> None:
    """Lets a delivery begin its schedule anew, now."""
    tx.later(
        update(DELIVERY)
        .where(DELIVERY.c.id == delivery_id)
        .values(status="pending", due_at_ms=tx.at_ms, failures=0)
    )


def forget_deliveries(tx: Tx, *, before_ms: int, limit: int) -> int:
    """How many deliveries made before an instant are removed; at most ``limit``."""
    statement = select(DELIVERY.c.id).where(DELIVERY.c.created_at_ms < before_ms).limit(limit)
    old = tx.execute(statement).scalars().all()
    if old:
        tx.later(delete(DELIVERY).where(DELIVERY.c.id.in_(old)))
    return len(old)


# turns: the time for which one process, and no other, serves a receiver


def _waiting(at_ms: int) -> ColumnElement[bool]:
    """True of a receiver that is on, does not rest, is served by nobody and has something due."""
    c = WEBHOOK.c
    due = exists().where(DELIVERY.c.webhook_id == c.id, DELIVERY.c.due_at_ms <= at_ms)
    free = (c.state == "active") & (c.hold_until_ms <= at_ms) & (c.leased_until_ms <= at_ms)
    return free & due


def anything_due(connection: Connection, at_ms: int) -> bool:
    """True when ``take_turns`` would find somebody."""
    found = connection.execute(select(WEBHOOK.c.id).where(_waiting(at_ms)).limit(1))
    return found.first() is not None


def take_turns(tx: Tx, *, lease: str, lease_ms: int, limit: int) -> list[Webhook]:
    """Receivers for which something is due, from now on served under ``lease``.

    Those that were served longest ago come first. Receivers that another process takes at this
    moment are passed over.
    """
    statement = (
        select(WEBHOOK)
        .where(_waiting(tx.at_ms))
        .order_by(WEBHOOK.c.served_at_ms, WEBHOOK.c.id)
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=True)
    )
    found = [_webhook(row) for row in tx.execute(statement).mappings()]
    if found:
        tx.later(
            update(WEBHOOK)
            .where(WEBHOOK.c.id.in_([webhook.id for webhook in found]))
            .values(lease=lease, leased_until_ms=tx.at_ms + lease_ms, served_at_ms=tx.at_ms)
        )
    return found


def served(tx: Tx, webhook_id: str, lease: str) -> Webhook | None:
    """The receiver, locked, if it is still served under the lease; else None."""
    statement = select(WEBHOOK).where(WEBHOOK.c.id == webhook_id, WEBHOOK.c.lease == lease)
    row = tx.execute(statement.with_for_update(key_share=True)).mappings().first()
    return None if row is None else _webhook(row)


def extend_turn(tx: Tx, webhook_id: str, lease_ms: int) -> None:
    """Keeps a receiver for the one who serves it."""
    statement = update(WEBHOOK).where(WEBHOOK.c.id == webhook_id)
    tx.later(statement.values(leased_until_ms=tx.at_ms + lease_ms))


def end_turn(tx: Tx, webhook_id: str, lease: str) -> None:
    """Gives a receiver back."""
    statement = update(WEBHOOK).where(WEBHOOK.c.id == webhook_id, WEBHOOK.c.lease == lease)
    tx.later(statement.values(lease=None, leased_until_ms=0))


def end_all_turns(tx: Tx) -> None:
    """Gives every receiver back: for the only process there is, when it starts."""
    tx.later(
        update(WEBHOOK).where(WEBHOOK.c.lease.is_not(None)).values(lease=None, leased_until_ms=0)
    )


def due_deliveries(
    connection: Connection, webhook_id: str, *, at_ms: int, limit: int
) -> list[Delivery]:
    """What is due for a receiver, in the order in which it happened."""
    c = DELIVERY.c
    statement = (
        select(DELIVERY)
        .where(c.webhook_id == webhook_id, c.due_at_ms <= at_ms)
        .order_by(c.created_at_ms, func.coalesce(c.seq, 0), c.id)
        .limit(limit)
    )
    return [_delivery(row) for row in connection.execute(statement).mappings()]


def record_attempt(
    tx: Tx, webhook: Webhook, delivery: Delivery, attempt: Attempt, *, due_at_ms: int | None
) -> None:
    """Writes down what came of an attempt; without ``due_at_ms`` it was the last."""
    delivered = attempt.outcome == "delivered"
    status: Status = "delivered" if delivered else "failed" if due_at_ms is None else "pending"
    tx.later(
        update(DELIVERY)
        .where(DELIVERY.c.id == delivery.id)
        .values(
            status=status,
            due_at_ms=due_at_ms,
            attempts=delivery.attempts + 1,
            failures=0 if delivered else delivery.failures + 1,
            attempted_at_ms=tx.at_ms,
            outcome=attempt.outcome,
            code=attempt.code,
            elapsed_ms=attempt.elapsed_ms,
            answer=attempt.answer,
        )
    )
    update_health(tx, webhook.id, webhook.health)


def update_health(tx: Tx, webhook_id: str, health: Health) -> None:
    """Writes down how a receiver fares."""
    tx.later(update(WEBHOOK).where(WEBHOOK.c.id == webhook_id).values(**_health_values(health)))


def _values(webhook: Webhook) -> dict[str, Any]:  # Any: column values
    return {
        "name": webhook.name,
        "url": webhook.url,
        "kinds": orjson.dumps(webhook.kinds).decode(),
        "secret": webhook.secret,
        "old_secret": webhook.old_secret,
        "old_secret_until_ms": webhook.old_secret_until_ms,
        "after_seq": webhook.after_seq,
    } | _health_values(webhook.health)


def _health_values(health: Health) -> dict[str, Any]:  # Any: column values
    return {
        "state": health.state,
        "state_at_ms": health.state_at_ms,
        "failures": health.failures,
        "failing_since_ms": health.failing_since_ms,
        "hold_until_ms": health.hold_until_ms,
    }


def _webhook(row: RowMapping) -> Webhook:
    return Webhook(
        id=row["id"],
        name=row["name"],
        url=row["url"],
        kinds=tuple(orjson.loads(row["kinds"])),
        secret=row["secret"],
        old_secret=row["old_secret"],
        old_secret_until_ms=row["old_secret_until_ms"],
        after_seq=row["after_seq"],
        created_at_ms=row["created_at_ms"],
        health=Health(
            state=cast(State, row["state"]),
            state_at_ms=row["state_at_ms"],
            failures=row["failures"],
            failing_since_ms=row["failing_since_ms"],
            hold_until_ms=row["hold_until_ms"],
        ),
    )


def _delivery(row: RowMapping) -> Delivery:
    return Delivery(**row)
