"""Alarms of defects, and telling those affected when one is fixed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any  # Any: JSON values

from agent_ui.render import language, number, sentence
from server.actions import messages
from server.actions.reach import why_silent
from server.actions.ticket_moves import thread_of
from server.domain.actors import SYSTEM, Actor
from server.domain.defects import Spike
from server.domain.errors import InvalidInput
from server.domain.events import DefectSpiked
from server.domain.periods import local_date, zone
from server.domain.permissions import may, require
from server.domain.spans import DAY_MS
from server.domain.text import clean
from server.storage import customers, log_readers, mails, people, product_quality, products
from server.storage.connection import Connection
from server.storage.persons import person_of
from server.storage.product_quality import WATCHER, Announcement
from server.storage.shop import load_shop
from server.storage.unit import Tx

MANAGE = "ticket.manage"
MAX_WORDS = 2000
# In one transaction, so that nobody waits behind a long list.
AT_ONCE = 50
Json = dict[str, Any]  # Any: JSON values


@dataclass(frozen=True, slots=True)
class Affected:
    """A ticket in which it would be told; ``held`` says why it would not."""

    ticket_id: str
    number: str
    customer_id: str
    name: str | None
    held: str | None = None


def today(connection: Connection, at_ms: int) -> int | None:
    """The number of the local day when it has not been looked at for spikes; else None."""
    shop = load_shop(connection)
    if shop is None:
        return None
    day = local_date(at_ms, zone(shop.timezone)).toordinal()
    place = log_readers.place(connection, WATCHER)
    return day if place is None or place < day else None


def begin_watch(tx: Tx) -> None:
    """Makes the place that keeps which day was looked at; a process that comes second waits."""
    log_readers.begin(tx, WATCHER, seq=0)


def tell_spikes(tx: Tx, *, found: Sequence[Spike], day: int) -> int:
    """Tells of spikes, of each product once a week; how many."""
    place = log_readers.take_place(tx, WATCHER)
    if place is None or place >= day:
        return 0
    told = 0
    for spike in found:
        week_ms = tx.at_ms - 7 * DAY_MS
        if product_quality.alarms_since(tx.connection, week_ms, sku=spike.sku):
            continue
        product_quality.add_alarm(tx, spike, week=str(day))
        data = DefectSpiked(
            sku=spike.sku,
            batch=spike.batch or None,
            defects=spike.defects,
            expected_milli=round(spike.expected * 1000),
            orders=spike.orders,
        )
        tx.record(SYSTEM, data)
        _mail(tx, spike)
        told += 1
    log_readers.move_place(tx, WATCHER, day)
    return told


def _mail(tx: Tx, spike: Spike) -> None:
    """Writes of a spike to everybody who looks after the products and has not said no to it."""
    own_address, shop = mails.sender_address(tx.connection), load_shop(tx.connection)
    if own_address is None or shop is None:
        return
    title = products.titles_of(tx.connection, [spike.sku]).get(spike.sku)
    product = f"{title} ({spike.sku})" if title else spike.sku
    for person in people.load_people(tx.connection):
        if person.email is None or not person.alarm_mail or not may(person.actor, MANAGE):
            continue
        locale = language(person.locale or shop.locale)
        words = [
            sentence(
                locale,
                "written.alarm.words",
                product=product,
                defects=spike.defects,
                expected=number(spike.expected, 1),
                orders=number(spike.orders),
            ),
            sentence(locale, "written.alarm.batch", batch=spike.batch) if spike.batch else "",
            sentence(locale, "written.alarm.foot"),
        ]
        mails.queue(
            tx,
            kind="alarm",
            recipient=person.email,
            subject=sentence(locale, "written.alarm.subject", shop=shop.name, product=product),
            words="\n\n".join(filter(None, words)),
            rfc_id=mails.lone_rfc_id(tx, own_address),
        )


def affected(
    connection: Connection, found: Sequence[tuple[str, str, str]], *, at_ms: int
) -> list[Affected]:
    """Whether it may be told in each of these tickets: (id, number, customer), once in each."""
    told = product_quality.told_tickets(connection, [one[0] for one in found])
    rows: list[Affected] = []
    known: dict[str, str | None] = {}
    names: dict[str, str | None] = {}
    for ticket_id, shown, customer_id in dict.fromkeys(found):
        if customer_id not in known:
            known[customer_id] = why_silent(connection, customer_id, at_ms=at_ms)
            customer = customers.load_customer(connection, person_of(connection, customer_id))
            names[customer_id] = customer.name if customer else None
        held = "told" if ticket_id in told else known[customer_id]
        rows.append(Affected(ticket_id, shown, customer_id, names[customer_id], held))
    return rows


def read_words(english: str, chinese: str) -> tuple[str, str]:
    """What is to be told, in one language at least. Raises InvalidInput."""
    en = clean(english, limit=MAX_WORDS, name="words", empty=True)
    zh = clean(chinese, limit=MAX_WORDS, name="words", empty=True)
    if not en and not zh:
        raise InvalidInput("Write what they are to read.", field="words", reason="no_words")
    return en, zh


def begin_announcement(
    tx: Tx, *, actor: Actor, sku: str, batch: str | None, words: tuple[str, str], counts: Json
) -> str:
    """Keeps what those affected will be told, and by whom; its id."""
    require(actor, MANAGE)
    made = Announcement(
        id=tx.new_id(),
        sku=sku,
        batch=batch,
        words_en=words[0],
        words_zh=words[1],
        at_ms=tx.at_ms,
        by_id=actor.id,
        told=int(counts["told"]),
        held=int(counts["held"]),
    )
    product_quality.add_announcement(tx, made)
    return made.id


def tell_fixed(
    tx: Tx, *, actor: Actor, notice_id: str, words: tuple[str, str], ticket_ids: Sequence[str]
) -> int:
    """Writes it in the threads of these tickets, once in each; in how many."""
    require(actor, MANAGE)
    tx.expect_events(len(ticket_ids))
    shop = load_shop(tx.connection)
    done = 0
    for ticket_id in ticket_ids:
        ticket = tx.ticket(ticket_id)
        if ticket is None or ticket.state in ("merged", "spam"):
            continue
        if product_quality.told_tickets(tx.connection, [ticket_id]):
            continue
        if why_silent(tx.connection, ticket.customer_id, at_ms=tx.at_ms) is not None:
            continue
        thread = thread_of(tx, ticket)
        zh = (thread.locale or (shop.locale if shop else "en")).startswith("zh")
        body = (words[1] or words[0]) if zh else (words[0] or words[1])
        # By the shop, not by a person: what was asked there still wants an answer of one.
        messages.put(tx, SYSTEM, thread, client_id=None, body=body, origin="auto")
        product_quality.add_told(tx, ticket_id, notice_id)
        done += 1
    return done
