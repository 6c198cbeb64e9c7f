"""Erasing a person: nothing of them is left anywhere, and no figure moves."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any  # Any: column values

import pytest
from sqlalchemy import Column, Connection, LargeBinary, String, Table, func, insert, select, update
from sqlmodel import SQLModel

from server.actions import privacy
from server.actions.consents import SetConsent, set_consent
from server.actions.imports import import_events
from server.actions.privacy import OfPerson
from server.actions.ratings import GiveRating, give_rating
from server.actions.take_orders import take_orders
from server.actions.tickets import ChangeTicket, SubmitRequest, change, submit
from server.actions.visits import UpdateCart, ViewPage, update_cart, view_page
from server.domain.actors import SYSTEM, Actor
from server.domain.errors import Conflict, NotAllowed, NotFound
from server.domain.metrics import METRICS
from server.domain.shop_data import Line, Order
from server.reports.cli import report_command
from server.reports.verify import verify
from server.storage import privacy as privacy_store
from server.storage import tables, tombstones
from server.storage.customers import change_customer, customer_by_external_id
from server.storage.persons import members
from server.storage.shop_sources import Source, source_for_import
from server.storage.tables import table
from server.storage.unit import Tx
from tests.actions.scene import Scene
from tests.actions.tickets import by_number

# What stays as it is, and why: the columns in which a mark may be found after the erasure.
KEPT = {
    # Ids that lead to nobody, numbers of the shop's own books, and words about nobody.
    "agent": "people of the shop",
    "api_token": "people of the shop",
    "sign_in": "people of the shop",
    "team": "the shop's",
    "shop": "the shop's",
    "secret": "the shop's",
    "webhook": "the shop's",
    "webhook_delivery": "ids and the answers of receivers",
    "article": "the shop's",
    "article_text": "the shop's",
    "article_version": "the shop's",
    "article_upload": "the shop's",
    "article_vector": "the shop's",
    "playbook_version": "the shop's",
    "saved_segment": "the shop's",
    "shop_source": "the shop's",
    "import_batch": "the shop's",
    "product": "the shop's",
    "product_pair": "the shop's",
    "page_day": "sums over many",
    "thresholds": "sums over many",
    "knowledge_calibration": "sums over many",
    "order_line": "what was bought, of nobody",
    "offer": "what was offered, of nobody",
    "segment_change": "labels of nobody",
    "read_mark": "ids",
    "turn": "ids and spans",
    "chat_session": "spans",
    "event": "the log, which holds no texts",
    "failed_try": "hashes",
    "team_member": "people of the shop",
    "log_reader": "numbers",
    "process": "ids",
    "viewing": "ids",
    "ticket": "numbers, states and spans of nobody",
    "ticket_link": "ids",
    "request_line": "ids, numbers and choices",
    "ticket_watcher": "ids",
    "desk_notice": "ids",
    "ticket_type": "the shop's",
    "ticket_status": "the shop's",
    "mail_out_file": "ids",
    "calendar_version": "the shop's",
    "target_version": "the shop's",
    "rule": "the shop's",
    "rule_version": "the shop's",
    "rule_run": "ids, and the words of the shop's rules",
    "rule_effect": "numbers and ids",
    "care_repair": "ids and instants",
    "care_plan": "the shop's",
    "care_call": "ids, instants and outcomes",
    "defect_alarm": "sums over many",
    "fix_notice": "the shop's own words",
    "fix_told": "ids and instants",
    "target_watch": "ids and instants",
    "stored_report": "figures of many",
    "report_schedule": "which figures go to whom of the desk",
    "scorecard_version": "the shop's",
    "review_sample": "the shop's, figures of many",
    "review_item": "ids and instants",
    "review": "points that an agent was given",
    "mail_box": "numbers",
    "tombstone": "keyed hashes",
    "privacy_request": "ids and numbers",
    "blocked_value": "addresses of many",
}


class Person:
    """A person with something in every place: two browsers, orders, chats, a cart, a note."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.agent = scene.person("mei", role="supervisor")
        self.began_ms = scene.time.at_ms - 1000
        self.shopper, self.other = scene.shopper(), scene.shopper()
        self.id, self.other_id = self.shopper.id or "", self.other.id or ""
        write = scene.database.write_now
        write(
            lambda tx: change_customer(
                tx, self.id, external_id="C-1", name="Anna", email="anna@a.example"
            )
        )
        write(
            lambda tx: change_customer(
                tx, self.other_id, merged_into=self.id, merged_as="merge", person_id=self.id
            )
        )
        chat = scene.post(
            self.shopper,
            "I am Anna, ring 138",
            page={"url": "https://shop.example/p?who=anna", "title": "Anna's page"},
        )["conversation_id"]
        scene.post(self.agent, "Hello Anna", chat)
        scene.post(self.agent, "Anna seems angry", chat, visibility="private")
        scene.post(self.other, "from the other browser")
        scene.act("resolve", self.agent, chat)
        scene.do(
            give_rating, self.shopper, GiveRating(conversation_id=chat, score=4, comment="Anna")
        )
        agreed = SetConsent(purposes={"analytics": True}, text_version="1", language="en")
        for one in (self.shopper, self.other):
            scene.do(set_consent, one, agreed)
        scene.do(view_page, self.shopper, ViewPage(url="https://shop.example/anna"))
        line = {"title": "Lamp", "sku": "L", "quantity": 1, "price": "10"}
        cart = UpdateCart.model_validate({"token": "t", "currency": "CNY", "lines": [line]})
        scene.do(update_cart, self.shopper, cart)
        self.import_orders()
        asked = SubmitRequest(body="Anna's lamp broke", email="anna@a.example", order_id="O-1")
        made = scene.do(submit, self.shopper, asked)
        ticket = by_number(scene, made["ticket_number"])
        scene.do(
            change, self.agent, ChangeTicket(ticket_id=ticket.id, subject="Anna's lamp, again")
        )
        # After an order the waits of a customer are no prospect's any more.
        scene.post(self.shopper, "Where is my order?")

    def source(self, tx: Tx) -> Source:
        return source_for_import(tx, None)

    def orders(self, *numbers: str, at_ms: int) -> list[Order]:
        return [
            Order(
                external_id=number,
                number=number,
                created_at_ms=at_ms,
                paid_at_ms=at_ms + 100,
                currency="CNY",
                total_minor=10000,
                customer="C-1",
                email="anna@a.example",
                phone="13800138000",
                postcode="200001",
                tracking_number="SF-ANNA",
                lines=(Line(title="Lamp", quantity=1, price_minor=10000, sku="L"),),
            )
            for number in numbers
        ]

    def import_orders(self, *more: str, after_s: float = 0) -> None:
        self.scene.time.pass_s(after_s)
        orders = self.orders("O-1", "O-2", at_ms=self.began_ms)
        orders += self.orders(*more, at_ms=self.scene.time.at_ms)
        self.scene.database.write_now(
            lambda tx: take_orders(tx, self.source(tx), orders, imported=True)
        )

    def erase(self, customer_id: str | None = None, by: Actor | None = None) -> privacy.Erased:
        payload = OfPerson(customer_id=customer_id or self.id)
        return self.scene.database.write_now(
            lambda tx: privacy.erase_customer(tx, by or self.agent, payload)
        )


@pytest.fixture
def person(scene: Scene) -> Person:
    return Person(scene)


def everything(connection: Connection) -> Iterator[tuple[str, str]]:
    """Every text in the database: (table.column, text)."""
    for name, target in sorted(SQLModel.metadata.tables.items()):
        for row in connection.execute(target.select()).mappings():
            for column, value in row.items():
                if isinstance(value, str):
                    yield f"{name}.{column}", value


def figures(connection: Connection, now_ms: int) -> list[Any]:  # Any: rows of a report
    rows = report_command(connection, list(METRICS), now_ms=now_ms)
    rows += report_command(connection, list(METRICS), now_ms=now_ms, by="day")
    rows += report_command(connection, list(METRICS), now_ms=now_ms, by="segment")
    # The log has grown by what says that somebody was erased.
    return [replace(row, as_of_seq=0) for row in rows]


def test_nothing_of_a_person_is_left_and_no_figure_moves(person: Person) -> None:
    database, now_ms = person.scene.database, person.scene.time.at_ms
    before = database.read_now(lambda c: figures(c, now_ms))
    assert "potential_loyalist" in {row.group for row in before}
    assert database.read_now(lambda c: list(verify(c, at_ms=now_ms))) == []
    erased = person.erase(person.other_id)
    assert set(erased.customer_ids) == {person.id, person.other_id}
    left = database.read_now(lambda c: list(everything(c)))
    assert [where for where, value in left if "anna" in value.lower()] == []
    assert [where for where, value in left if "138" in value and "phone" in where] == []
    assert database.read_now(lambda c: figures(c, now_ms)) == before
    assert database.read_now(lambda c: list(verify(c, at_ms=now_ms))) == []
    assert erased.receipt["message"] == 6
    assert erased.receipt["shop_order"] == 2


def test_a_mark_in_every_column_of_the_person_is_gone(person: Person) -> None:
    """So that a new column cannot be forgotten: it is marked here without anybody's doing."""
    mark = "MARK" + secrets.token_hex(8)
    database = person.scene.database

    def plant(tx: Tx) -> None:
        _fill_empty_tables(tx, person)
        for name, target in SQLModel.metadata.tables.items():
            if name not in KEPT:
                _mark(tx, target, mark)

    database.write_now(plant)
    planted = database.read_now(lambda c: {where for where, text in everything(c) if mark in text})
    assert {"message.body", "customer.name", "shop_order.phone", "contact.value"} <= planted
    person.erase()
    left = database.read_now(lambda c: {where for where, text in everything(c) if mark in text})
    # The shop's books need the order's own words; other desks' names of conversations stay, so
    # that a second import finds them.
    books = {"status", "fulfilment", "carrier", "coupon", "batch", "currency", "number", "source"}
    assert left <= {f"shop_order.{column}" for column in books} | {
        "conversation.channel",
        "conversation.external_id",
        # Until the job has let the bytes go.
        "file_gone.sha256",
        "message.client_id",
        "message.origin",
        "suggestion.locale",
        "suggestion.band",
        "suggestion.articles",
        "suggestion.outcome",
        "suggestion.origin",
        "suggestion.outcome_by",
        "buying_mark.kind",
        "link_log.action",
        "link_log.before",
        "link_log.after",
        "customer.locale",
        "customer.merged_into",
        "segment_change.segment_from",
        "segment_change.activity_from",
        "segment_change.relationship_from",
        "used_identity.jti",
        "shopper_presence.process_id",
    }, left


def _is_text(column: Column[Any]) -> bool:  # Any: of any type
    return isinstance(getattr(column.type, "impl_instance", column.type), String)


def _mark(tx: Tx, target: Table, mark: str) -> None:
    """Puts the mark into every text of a table that is no key and no state."""
    fixed = {"id", "kind", "status", "state", "visibility", "sender_kind", "level", "identity"}
    fixed |= {"purpose", "merged_as", "day", "data", "receipt", "how"}
    keys = {column.name for column in target.primary_key.columns}
    keys |= {column.name for column in target.columns if column.foreign_keys}
    # By what the rows of a person are found.
    found_by = {"source", "external_id", "token", "topic", "customer", "answer", "address"}
    unique = {c.name for c in target.columns if c.unique}
    for column in target.columns:
        if not _is_text(column) or column.name in keys | fixed:
            continue
        if column.name.endswith("_id") and column.name != "external_id":
            continue
        if column.name in unique or column.name in found_by:
            continue
        tx.later(update(target).values({column.name: mark}))


def _fill_empty_tables(tx: Tx, person: Person) -> None:
    """A row of the person in every table that has none yet."""
    conversation_id = person.scene.chats(person.shopper)[0]
    order_id = tx.execute(select(func.min(table(tables.ShopOrder).c.id))).scalar_one()
    ticket_id = tx.execute(select(func.min(table(tables.TicketRow).c.id))).scalar_one()
    for name, target in SQLModel.metadata.tables.items():
        if name in KEPT or tx.execute(select(func.count()).select_from(target)).scalar_one():
            continue
        values: dict[str, Any] = {}
        for column in target.columns:
            known = {
                "customer_id": person.id,
                "other_id": person.other_id,
                "person_id": person.id,
                "conversation_id": conversation_id,
                "agent_id": "mei",
                "ticket_id": ticket_id,
                "key": order_id if name == "import_change" else f"C{person.id}",
                "source": "shop",
                "external_id": "O-1",
                "customer": "C-1",
                "answer": f"[{person.id}]",
                "address": "anna@a.example",
            }
            if column.name in known:
                values[column.name] = known[column.name]
            elif isinstance(column.type, LargeBinary):
                values[column.name] = b"x"
            elif not column.nullable and column.server_default is None:
                values[column.name] = "x" if _is_text(column) else 1
        if name == "article_phrasing":
            article = dict.fromkeys(("id", "source", "external_id"), "x")
            times = dict.fromkeys(("created_at_ms", "updated_at_ms"), 1)
            more = {"audience": "public", "status": "published"}
            tx.later(insert(table(tables.Article)), article | times | more)
        tx.later(insert(target), values)


def test_what_is_imported_again_brings_nobody_back(person: Person) -> None:
    person.erase()
    person.import_orders()

    def look(connection: Connection) -> tuple[int, list[str | None]]:
        customer, order = table(tables.Customer), table(tables.ShopOrder)
        known = select(func.count()).select_from(customer).where(customer.c.external_id == "C-1")
        owners = connection.execute(select(order.c.customer_id)).scalars().all()
        return int(connection.execute(known).scalar_one()), list(owners)

    assert person.scene.database.read_now(look) == (0, [None, None])
    left = person.scene.database.read_now(lambda c: list(everything(c)))
    assert [where for where, value in left if "anna" in value.lower()] == []
    # Who orders anew afterwards is a new customer.
    person.import_orders("O-3", after_s=3600)
    known, owners = person.scene.database.read_now(look)
    assert known == 1
    assert len([owner for owner in owners if owner is not None]) == 1


def test_the_receipt_and_the_deadline_are_kept(person: Person) -> None:
    scene = person.scene
    payload = OfPerson(customer_id=person.other_id)
    scene.do(privacy.ask_erasure, person.agent, payload)
    waiting = scene.database.read_now(privacy_store.requests)
    assert [(r.kind, r.done_at_ms) for r in waiting] == [("erase", None)]
    assert waiting[0].due_at_ms - scene.time.at_ms == 30 * 86_400_000
    scene.do(privacy.ask_erasure, person.agent, payload)
    scene.time.pass_s(3600)
    person.erase()
    (done,) = scene.database.read_now(privacy_store.requests)
    assert (done.id, done.done_by, done.done_at_ms) == (waiting[0].id, "mei", scene.time.at_ms)
    assert done.receipt["customer"] == 2
    kinds = [e.kind for e in scene.log() if e.customer_id in (person.id, person.other_id)]
    assert kinds.count("customer.erased") == 2
    with pytest.raises(Conflict):
        person.erase()


def test_only_who_leads_may_erase(person: Person) -> None:
    tom = person.scene.person("tom")
    with pytest.raises(NotAllowed):
        person.erase(by=tom)
    with pytest.raises(NotFound):
        person.erase("nobody")
    assert person.erase(by=SYSTEM).receipt["customer"] == 2


def test_claiming_an_address_before_an_erasure_harms_nobody_else(scene: Scene) -> None:
    shopper = scene.shopper()
    scene.database.write_now(
        lambda tx: change_customer(tx, shopper.id or "", email="victim@a.example")
    )
    scene.database.write_now(
        lambda tx: privacy.erase_customer(tx, SYSTEM, OfPerson(customer_id=shopper.id or ""))
    )
    key = tombstones.email_key("victim@a.example")
    assert scene.database.read_now(lambda c: tombstones.erased(c, [key])) == set()
    assert scene.database.read_now(lambda c: members(c, shopper.id or "")) == (shopper.id,)


def test_another_desks_history_brings_no_words_back(scene: Scene, tmp_path: Path) -> None:
    def row(number: int, kind: str, conversation: str, **data: object) -> str:
        who = {"conversation": conversation, "customer": "anna-7", "actor_kind": "customer"}
        at = {"event_id": f"e{number}", "ts": 1_700_000_000_000 + number * 1000, "kind": kind}
        return json.dumps(at | who | {"data": data})

    def take(*rows: str) -> int:
        file = tmp_path / "events.ndjson"
        file.write_text("\n".join(rows))
        return import_events(scene.database, file).accepted

    old = row(1, "message.posted", "c-1", body="I am Anna")
    assert take(old) == 1
    found = scene.database.read_now(lambda c: customer_by_external_id(c, "anna-7"))
    assert found is not None
    payload = OfPerson(customer_id=found.id)
    scene.database.write_now(lambda tx: privacy.erase_customer(tx, SYSTEM, payload))
    assert take(old) == 0
    more = [
        row(2, "message.posted", "c-1", body="Anna again"),
        row(3, "conversation.opened", "c-2", page_url="https://shop.example/anna"),
        row(4, "message.posted", "c-2", body="Anna once more"),
    ]
    assert take(*more) == 3
    left = scene.database.read_now(lambda c: list(everything(c)))
    assert [where for where, value in left if "anna" in value.lower()] == []
    at_ms = scene.time.at_ms
    assert scene.database.read_now(lambda c: list(verify(c, at_ms=at_ms))) == []
