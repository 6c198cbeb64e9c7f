"""Lists, one ticket, search and making with 100,000 tickets.

    python -m pytest -q tests/benchmarks/bench_tickets.py -s

Times are what the server spends on an answer on this machine, rendering of pages among it.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import Any  # Any: column values, whatever a query answers

import orjson
from sqlalchemy import Connection, Table, text

from agent_ui.render import page as rendered
from server.actions import ticket_lists, tickets
from server.actions.desk import Look
from server.actions.people import add_team
from server.actions.shop import init_shop
from server.domain.actors import SYSTEM, Actor, agent, customer
from server.domain.conversation import Conversation
from server.domain.search_words import search_words
from server.domain.spans import DAY_MS
from server.domain.ticket import Ticket
from server.domain.ticket_number import number_of
from server.http import ticket_page
from server.http import tickets as ticket_pages
from server.storage import people
from server.storage.customers import CUSTOMER
from server.storage.database import Database
from server.storage.event_log import last_seq
from server.storage.migrate import migrate
from server.storage.rows import CONVERSATION, EVENT, MESSAGE, conversation_values
from server.storage.targets import TARGET_WATCH
from server.storage.ticket_rows import TICKET, TICKET_SEARCH, TICKET_TEXT, ticket_values
from server.storage.unit import Tx

TICKETS = int(os.environ.get("SHOPBELL_BENCH_TICKETS", "100000"))
RUNS = 60
# Beside the tickets, as a shop has them: most are over, some on the desk, of which a third waits.
CHATS, ON_DESK = TICKETS // 5, 300
LEAD = agent("lead", name="Lead", role="supervisor")
STATES = ("new", "open", "pending_customer", "on_hold", *["resolved"] * 3, *["closed"] * 13)
_SAID = "lamp parcel refund invoice chair broken late wrong colour screw order address table"
WORDS_EN = (
    f"{_SAID} delivery return shade bulb oak size quality missing exchange repair price".split()
)
WORDS_ZH = ("台灯坏了", "什么时候发货", "退款没有到账", "发票抬头错误", "少了一个配件", "颜色不对")


def fill(database: Database) -> list[str]:
    """Tickets of three years with two messages each; their numbers."""
    draw = random.Random(7)  # figures that can be repeated
    now = database.clock()
    team = database.write_now(lambda tx: add_team(tx, SYSTEM, name="Orders"))
    other = database.write_now(lambda tx: add_team(tx, SYSTEM, name="Returns"))
    numbers: set[str] = set()
    rows: dict[Any, list[dict[str, Any]]] = {}  # Any: column values
    seq = database.read_now(last_seq)
    with database.engine.connect() as connection:
        known = dict.fromkeys(column.name for column in CUSTOMER.columns)
        people_rows = [
            known
            | {
                "id": f"u{i:06}",
                "name": f"Person {i} 王{i % 97}",
                "identity": "claimed",
                "locale": "zh" if i % 2 else "en",
                "created_at_ms": now,
                "seen_at_ms": now,
            }
            for i in range(TICKETS // 4)
        ]
        _put(connection, CUSTOMER, people_rows)
        connection.commit()
        for i in range(TICKETS):
            number = number_of(draw.randrange)
            while number in numbers:
                number = number_of(draw.randrange)
            numbers.add(number)
            key, who = f"t{i:07}", f"u{draw.randrange(TICKETS // 4):06}"
            at_ms = now - int(draw.random() * 1000 * DAY_MS)
            state = STATES[i % len(STATES)]
            zh = i % 2 == 1
            said = [
                "，".join(draw.sample(WORDS_ZH, 2))
                if zh
                else " ".join(draw.choices(WORDS_EN, k=30))
                for _ in range(2)
            ]
            ticket = Ticket(
                id=key,
                number=number,
                customer_id=who,
                created_at_ms=at_ms,
                type=draw.choice(("question", "refund", "delivery", "other")),
                state=state,
                team_id=draw.choice((None, team, other)),
                assignee_id=draw.choice((None, "a1", "a2")),
                updated_at_ms=at_ms + 1,
                state_at_ms=at_ms + 1,
                waiting_since_ms=at_ms if state in ("new", "open") else None,
                answered=state not in ("new", "open"),
                seq=4,
                last_seq=seq + 4,
                next_due_at_ms=at_ms + 3 * DAY_MS if state in ("new", "open") else None,
            )
            thread = Conversation(
                id=key,
                customer_id=who,
                opened_at_ms=at_ms,
                channel="ticket",
                status="open" if i % 20 < 4 else "resolved",
                team_id=ticket.team_id,
                assignee_id=ticket.assignee_id,
                staff_seq=4,
                last_activity_at_ms=at_ms,
                last_seq=seq + 4,
            )
            rows.setdefault(CONVERSATION, []).append(conversation_values(thread))
            rows.setdefault(TICKET, []).append(ticket_values(ticket))
            subject = said[0][:60]
            rows.setdefault(TICKET_TEXT, []).append(
                {"ticket_id": key, "subject": subject, "fields": "{}", "contact": None}
            )
            words = " ".join(search_words(f"{number} {subject} {' '.join(said)} Person {i}"))
            rows.setdefault(TICKET_SEARCH, []).append({"ticket_id": key, "words": words})
            for place in range(4):
                seq += 1
                kind = "message.posted" if place in (1, 3) else "ticket.changed"
                data = f'{{"message_id": "m{seq}"}}' if place in (1, 3) else "{}"
                rows.setdefault(EVENT, []).append(
                    _event(seq, key, who, kind, data, at_ms + place, place + 1)
                )
                if place in (1, 3):
                    rows.setdefault(MESSAGE, []).append(
                        _message(seq, key, who, said[place // 2], at_ms + place, place + 1)
                    )
            if len(rows[TICKET]) == 5000 or i == TICKETS - 1:
                for target in (CONVERSATION, TICKET, TICKET_TEXT, TICKET_SEARCH, EVENT, MESSAGE):
                    _put(connection, target, rows.pop(target))
                # Nobody holds a transaction open while the next ones are thought up.
                connection.commit()
        _put_chats(connection, draw, now)
        if not database.is_sqlite:
            connection.execute(text(f"SELECT setval('event_seq', {seq})"))
        connection.commit()
    if not database.is_sqlite:
        with database.engine.connect() as connection:
            # As it does by itself before long; nobody asks SQLite to.
            whole = connection.execution_options(isolation_level="AUTOCOMMIT")
            whole.execute(text("VACUUM ANALYZE"))
    return sorted(numbers)


def _put_chats(connection: Connection, draw: random.Random, now: int) -> None:
    """Chats beside the tickets, and the clocks of all that is open."""
    rows, clocks = [], []
    for i in range(CHATS):
        on_desk = i < ON_DESK
        chat = Conversation(
            id=f"c{i:07}",
            customer_id=f"u{draw.randrange(TICKETS // 4):06}",
            opened_at_ms=now - int(draw.random() * 1000 * DAY_MS),
            status="open" if on_desk else "resolved",
            assignee_id=draw.choice((None, "a1", "a2")) if on_desk else "a1",
            last_activity_at_ms=now - draw.randrange(DAY_MS),
        )
        waits = on_desk and i % 3 == 0
        since_ms = now - draw.randrange(400_000) if waits else None
        rows.append(conversation_values(chat) | {"waiting_since_ms": since_ms})
        if since_ms is not None:
            clocks.append(
                {
                    "conversation_id": chat.id,
                    "look_at_ms": since_ms + 180_000,
                    "due_at_ms": since_ms + 180_000,
                    "target": "round",
                    "missed": since_ms + 180_000 < now,
                }
            )
    _put(connection, CONVERSATION, rows)
    _put(connection, TARGET_WATCH, clocks)
    connection.execute(
        text(
            "INSERT INTO target_watch (conversation_id, look_at_ms, due_at_ms, target, missed)"
            " SELECT id, next_due_at_ms, next_due_at_ms, 'resolution', next_due_at_ms < :now"
            " FROM ticket WHERE next_due_at_ms IS NOT NULL"
        ),
        {"now": now},
    )


def _put(connection: Connection, target: Table, rows: list[dict[str, Any]]) -> None:  # Any: values
    """Writes rows in one statement: one by one a hundred thousand of them take minutes."""
    names = [column.name for column in target.columns if column.name in rows[0]]
    columns, given = ", ".join(names), orjson.dumps(rows).decode()
    if connection.dialect.name == "sqlite":
        values = ", ".join(f"value ->> '{name}'" for name in names)
        statement = f"INSERT INTO {target.name} ({columns}) SELECT {values} FROM json_each(:rows)"
    else:
        kinds = ", ".join(f"{c.name} {c.type.compile()}" for c in target.columns)
        statement = (
            f"INSERT INTO {target.name} ({columns}) SELECT {columns}"
            f" FROM json_to_recordset(CAST(:rows AS json)) AS r({kinds})"
        )
    connection.execute(text(statement), {"rows": given})


def _event(  # noqa: PLR0917  # the columns of a row
    seq: int, key: str, who: str, kind: str, data: str, at_ms: int, place: int
) -> Any:  # Any: column values
    return dict.fromkeys(column.name for column in EVENT.columns) | {
        "seq": seq,
        "event_id": f"e{seq}",
        "at_ms": at_ms,
        "kind": kind,
        "conversation_id": key,
        "customer_id": who,
        "actor_kind": "customer" if place == 2 else "agent",
        "actor_id": who if place == 2 else "a1",
        "channel": "ticket",
        "staff_seq": place,
        "data": data,
        "imported": False,
        "v": 1,
    }


def _message(  # noqa: PLR0917  # the columns of a row
    seq: int, key: str, who: str, body: str, at_ms: int, place: int
) -> Any:  # Any: column values
    return {
        "id": f"m{seq}",
        "conversation_id": key,
        "seq": seq,
        "staff_seq": place,
        "visitor_seq": None,
        "sender_kind": "customer" if place == 2 else "agent",
        "sender_id": who if place == 2 else "a1",
        "client_id": f"c{seq}",
        "visibility": "public",
        "origin": "typed",
        "body": body,
        "blocks": None,
        "at_ms": at_ms,
    }


def spread(what: str, run: Callable[[int], Any], goal_ms: int) -> None:  # Any: whatever it answers
    """Says how long something takes over many runs."""
    times, spent = [], []
    for at in range(RUNS):
        began_s, cpu_s = perf_counter(), process_time()
        run(at)
        spent.append((process_time() - cpu_s) * 1000)
        times.append((perf_counter() - began_s) * 1000)
    times.sort()
    spent.sort()
    p50, p95, cpu = times[RUNS // 2], times[int(RUNS * 0.95)], spent[int(RUNS * 0.95)]
    # On a machine that others use as well the second figure says more than the first.
    print(f"{what:50} p50 {p50:6.1f}  p95 {p95:6.1f}  cpu p95 {cpu:6.1f} ms  goal {goal_ms}")


def measure(database: Database) -> None:
    """The figures of docs/tickets.md."""
    began_s = perf_counter()
    numbers = fill(database)
    print(f"filled in {perf_counter() - began_s:.0f} s")
    teams = database.read_now(people.load_teams)
    mine = Actor("agent", "a1", "Mei", "agent", frozenset({teams[0].id}))
    now_ms = database.clock()
    draw = random.Random(11)  # figures that can be repeated

    with database._reader_engine.connect() as c:  # one reader, without its thread

        def listed(actor: Actor, **query: str) -> str:
            found = ticket_pages._lists(c, actor, query, at_ms=now_ms)
            return rendered(
                "tickets.html",
                locale="en",
                theme="auto",
                static_url="/static",
                csrf="x",
                person=None,
                now_ms=now_ms,
                **found,
            )

        spread("page of three columns, supervisor", lambda _: listed(LEAD), 50)
        spread("page of three columns, agent", lambda _: listed(mine), 50)
        spread("page, mine", lambda _: listed(mine, whose="mine"), 50)
        spread(
            "page, one team and type", lambda _: listed(LEAD, team=teams[0].id, type="refund"), 50
        )
        spread("page, overdue only", lambda _: listed(LEAD, late="1"), 50)
        look = Look(c, LEAD, now_ms)
        payload = ticket_lists.ListTickets(limit=50)
        spread("API list", lambda _: ticket_lists.list_tickets(look, payload), 50)
        newest = ticket_lists.ListTickets(order="newest", limit=50)
        spread(
            "API list, newest, agent",
            lambda _: ticket_lists.list_tickets(Look(c, mine, now_ms), newest),
            50,
        )
        one = lambda _: ticket_page._view(look, draw.choice(numbers), "en")  # noqa: E731  # short
        spread("one ticket", one, 50)
        spread("search, page, a word in half of them", lambda _: listed(LEAD, q="lamp"), 50)
        spread("search, page, agent, two words", lambda _: listed(mine, q="lamp shade"), 50)
        spread("search, page, Chinese", lambda _: listed(LEAD, q="退款没有"), 50)
        spread("search, page, number", lambda _: listed(LEAD, q=draw.choice(numbers)), 50)
        # Too rare among the newest tickets: PostgreSQL has to ask the index.
        spread("search, page, how a number begins", lambda _: listed(LEAD, q="T-23"), 50)
        spread("search, page, what nobody wrote", lambda _: listed(LEAD, q="zebra"), 50)
    shoppers = [customer(f"u{draw.randrange(TICKETS // 4):06}") for _ in range(RUNS)]

    def create(at: int) -> None:
        new = tickets.CreateTicket(
            type="refund",
            subject="Paid twice",
            customer_id=shoppers[at].id,
            body="Please look",
            client_id=f"c{at}-{now_ms}",
        )
        database.write_now(lambda tx: tickets.create(tx, LEAD, new))

    def submit(at: int) -> None:
        asked = tickets.SubmitRequest(body="Where is my lamp?", client_id=f"s{at}-{now_ms}")
        database.write_now(lambda tx: tickets.submit(tx, shoppers[at], asked))

    spread("create", create, 20)
    spread("request of a shopper", submit, 20)


def _set_up(tx: Tx) -> None:
    init_shop(tx, SYSTEM, name="S", locale="en", timezone="Asia/Shanghai", currency="CNY")
    for key in ("lead", "a1", "a2"):
        values = {"name": key, "email": f"{key}@shop.example", "role": "agent"}
        people.insert_person(tx, key, values | {"capacity": 8, "languages": "[]"})


def test_tickets_on_sqlite(tmp_path: Path) -> None:
    database = Database(None, tmp_path / "shopbell.db")
    migrate(database.engine)
    database.write_now(_set_up)
    print(f"\nSQLite, {TICKETS:,} tickets")
    measure(database)
    database.close()


def test_tickets_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    database = Database(postgres_url, tmp_path)
    database.write_now(_set_up)
    print(f"\nPostgreSQL, {TICKETS:,} tickets")
    measure(database)
    database.close()
