"""Taking customers as a source tells them, from webhooks and from files.

A source vouches for its ids. What it says of names and contacts is shown, and proves nothing unless
it says that it has proved them itself. What a person has said to us here stands above its lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any  # Any: column values

from server.actions.contacts import email_key, phone_keys, phone_region
from server.actions.identity import relink
from server.actions.taken import Taken
from server.domain.errors import InvalidInput
from server.domain.shop_data import ShopCustomer
from server.storage import shop_customers, tombstones
from server.storage.consents import Consent, add_consent, consents_of
from server.storage.customers import CustomerChanged, change_customer
from server.storage.import_batches import keep_before
from server.storage.persons import customers_of_source
from server.storage.shop import Shop, load_shop
from server.storage.shop_sources import Source
from server.storage.unit import Tx

Row = dict[str, Any]  # Any: column values
FIELDS = ("name", "email", "phone", "locale")


def take_shop_customers(
    tx: Tx, source: Source, rows: Sequence[ShopCustomer], *, batch: str | None = None
) -> list[Taken]:
    """Writes customers as a source tells them; for each what came of it.

    What a row does not say stays as it is known, what is older than what is known changes nothing.
    ``batch`` is the import that can be undone. Raises InvalidInput when there is no shop.
    """
    shop = load_shop(tx.connection)
    if shop is None:
        raise InvalidInput("There is no shop yet. Create one with `shopbell init` first.")
    work = _Customers(tx, source, shop, rows, batch=batch)
    answers = [work.take(row) for row in rows]
    work.finish()
    return answers


class _Customers:
    """One transaction's customers of one source."""

    def __init__(
        self, tx: Tx, source: Source, shop: Shop, rows: Sequence[ShopCustomer], *, batch: str | None
    ) -> None:
        connection = tx.connection
        self._tx = tx
        self._source = source
        self._shop = shop
        self._batch = batch
        self._region = phone_region(shop.timezone)
        self._ids = customers_of_source(connection, source, {row.external_id for row in rows})
        known = list(self._ids.values())
        self._rows = shop_customers.stored_customers(connection, known)
        self._tags = shop_customers.tags_of(connection, known)
        self._known = shop_customers.contacts_of(connection, known)
        self._proofs: set[str] = set()
        self._erased = self._who_was_erased(rows)
        self._new: dict[str, Row] = {}
        self._changes: dict[str, Row] = {}
        self._before: dict[str, Row | None] = {}
        self._contacts: dict[tuple[str, str, str], Row] = {}
        self._consents: list[Consent] = []
        self._retagged: set[str] = set()

    def take(self, row: ShopCustomer) -> Taken:
        """Decides what becomes of one customer."""
        if row.deleted or self._is_erased(row):
            return "unchanged"
        customer_id = self._ids.get(row.external_id)
        if customer_id is None:
            customer_id = self._add(row)
            new = True
        else:
            told = self._rows[customer_id]["told_at_ms"]
            if told is not None and (row.updated_at_ms is None or row.updated_at_ms < told):
                row = self._gaps_only(row, self._rows[customer_id])
            new = self._change(row, customer_id)
        new = self._tag(row, customer_id) or new
        new = self._note_contacts(row, customer_id) or new
        new = self._note_consent(row, customer_id) or new
        if row.updated_at_ms is not None and not self._is_told(row, customer_id):
            self._set(customer_id, {"told_at_ms": row.updated_at_ms})
        return "accepted" if new else "unchanged"

    def finish(self) -> None:
        """Writes everything; nothing may be refused from here on."""
        tx = self._tx
        shop_customers.add_customers(tx, self._source, self._new)
        new = {row["id"] for row in self._new.values()}
        for customer_id, values in self._changes.items():
            change_customer(tx, customer_id, **values)
        shop_customers.save_contacts(tx, list(self._contacts.values()))
        relink(
            tx,
            sorted({c["customer_id"] for c in self._contacts.values() if c["level"] == "verified"}),
        )
        for customer_id in sorted(self._retagged):
            shop_customers.set_tags(
                tx, customer_id, self._tags[customer_id], source=self._source.name
            )
        for consent in self._consents:
            add_consent(tx, consent)
        if self._batch is not None:
            keep_before(tx, self._batch, "customers", self._before)
        relink(tx, sorted(self._proofs))
        touched = new | self._retagged | {key[0] for key in self._contacts}
        for customer_id in sorted(touched - self._changes.keys()):
            tx.notice(CustomerChanged(customer_id))

    def _add(self, row: ShopCustomer) -> str:
        customer_id = self._tx.new_id()
        values: Row = {
            "id": customer_id,
            "created_at_ms": self._tx.at_ms if row.created_at_ms is None else row.created_at_ms,
            **{name: getattr(row, name) for name in FIELDS},
            "told_at_ms": row.updated_at_ms,
        }
        self._ids[row.external_id] = customer_id
        self._new[row.external_id] = values
        self._rows[customer_id] = values | {"identity": "claimed"}
        self._before[customer_id] = None
        return customer_id

    def _change(self, row: ShopCustomer, customer_id: str) -> bool:
        stored = self._rows[customer_id]
        verified = stored["identity"] == "verified"
        changes: Row = {
            name: given
            for name in FIELDS
            if (given := getattr(row, name)) is not None
            and given != stored[name]
            and (stored[name] is None or not verified)
        }
        if not changes:
            return False
        if stored["identity"] == "anonymous":
            changes["identity"] = "claimed"
        self._set(customer_id, changes)
        return True

    def _set(self, customer_id: str, changes: Row) -> None:
        stored = self._rows[customer_id]
        if self._before.get(customer_id, {}) is not None:
            kept = self._before.setdefault(customer_id, {})
            assert kept is not None  # just looked
            for name, value in changes.items():
                kept[name] = [kept.get(name, [stored[name]])[0], value]
        for values in self._new.values():
            if values["id"] == customer_id:
                values.update(changes)
                break
        else:
            self._changes.setdefault(customer_id, {}).update(changes)
        stored.update(changes)

    @staticmethod
    def _gaps_only(row: ShopCustomer, stored: Row) -> ShopCustomer:
        """The row without what corrects something that is known from later."""
        known = {name: None for name in FIELDS if stored[name] is not None}
        return replace(row, tags=(), marketing_email=None, updated_at_ms=None, **known)  # type: ignore[arg-type]  # by name

    def _is_told(self, row: ShopCustomer, customer_id: str) -> bool:
        told = self._rows[customer_id]["told_at_ms"]
        return told is not None and row.updated_at_ms is not None and told >= row.updated_at_ms

    def _tag(self, row: ShopCustomer, customer_id: str) -> bool:
        """Whether the source's tags are others now; those that staff put on are not its own."""
        tags = self._tags.setdefault(customer_id, {})
        if not row.tags and row.updated_at_ms is None:
            return False
        given = {tag: self._source.name for tag in row.tags if tag not in tags}
        gone = [tag for tag, by in tags.items() if by == self._source.name and tag not in row.tags]
        if not given and not gone:
            return False
        for tag in gone:
            del tags[tag]
        tags.update(given)
        self._retagged.add(customer_id)
        return True

    def _note_contacts(self, row: ShopCustomer, customer_id: str) -> bool:
        """Whether the source says something new of addresses and numbers.

        What it proved stays proved by a list that does not say so, and no longer than it names it.
        """
        found: dict[tuple[str, str], tuple[str, bool]] = {}
        email = email_key(row.email)
        if email is not None and row.email is not None:
            found["email", email] = (row.email, row.email_verified)
        for key in phone_keys(row.phone, self._region):
            found["phone", key] = (key, row.phone_verified)
        new = False
        for (kind, key), (value, verified) in found.items():
            before = self._known.get((customer_id, kind, key))
            if before is None or (verified and before["level"] != "verified"):
                self._say(customer_id, kind, key, value=value, verified=verified)
                new = True
        if row.updated_at_ms is None:
            return new
        kinds = {kind for kind, _ in found}
        for (owner, kind, key), contact in list(self._known.items()):
            ours = contact["level"] == "verified" and contact["source"] == self._source.name
            if owner != customer_id or kind not in kinds or not ours:
                continue
            if not found.get((kind, key), ("", False))[1]:
                self._say(customer_id, kind, key, value=contact["value"], verified=False)
                self._proofs.add(customer_id)
                new = True
        return new

    def _say(self, customer_id: str, kind: str, key: str, *, value: str, verified: bool) -> None:
        self._known[customer_id, kind, key] = self._contacts[customer_id, kind, key] = {
            "customer_id": customer_id,
            "kind": kind,
            "key": key,
            "value": value,
            "level": "verified" if verified else "claimed",
            "source": self._source.name,
            "created_at_ms": self._tx.at_ms,
            "verified_at_ms": self._tx.at_ms if verified else None,
        }
        if verified:
            self._proofs.add(customer_id)

    def _note_consent(self, row: ShopCustomer, customer_id: str) -> bool:
        """Whether the shop's list says something new about mail.

        No list brings back what a person has withdrawn here since it was written.
        """
        if row.marketing_email is None:
            return False
        said = [
            consent
            for consent in (
                *consents_of(self._tx.connection, [customer_id]),
                *(c for c in self._consents if c.customer_id == customer_id),
            )
            if consent.purpose == "marketing_email"
        ]
        last = said[-1] if said else None
        state = "given" if row.marketing_email else "refused"
        if state == "refused" and (last is None or last.state == "refused"):
            return False
        if state == "given" and last is not None:
            newer = row.updated_at_ms is not None and row.updated_at_ms > last.at_ms
            if last.state == "given" or (last.source != "shop" and not newer):
                return False
        self._consents.append(
            Consent(
                customer_id=customer_id,
                purpose="marketing_email",
                state="given" if row.marketing_email else "refused",
                text_version="shop",
                language=row.locale or self._shop.locale,
                source="shop",
                at_ms=self._tx.at_ms,
            )
        )
        return True

    def _who_was_erased(self, rows: Sequence[ShopCustomer]) -> dict[str, int]:
        keys = {key for row in rows for key in self._tombstones(row)}
        return tombstones.erased_since(self._tx.connection, keys)

    def _tombstones(self, row: ShopCustomer) -> list[str]:
        shop = self._source.customer_ids == "shop"
        keys = [tombstones.shop_key("shop" if shop else self._source.name, row.external_id)]
        email = email_key(row.email)
        return keys if email is None else [*keys, tombstones.email_key(email)]

    def _is_erased(self, row: ShopCustomer) -> bool:
        """Whether the row is of somebody erased who has not come anew since."""
        if not self._erased:
            return False
        made = row.created_at_ms
        return any(
            (at_ms := self._erased.get(key)) is not None and (made is None or made <= at_ms)
            for key in self._tombstones(row)
        )
