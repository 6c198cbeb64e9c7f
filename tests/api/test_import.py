"""Shop data that programs send: taken once, refused line by line, signed in place of a token."""

from __future__ import annotations

import io
import json
from typing import Any  # Any: JSON

import pytest
from sqlalchemy import func, select

from server.domain.hooks import timed_signature
from server.storage.carts import CART
from server.storage.customers import CUSTOMER
from server.storage.orders import SHOP_ORDER
from server.storage.rows import EVENT
from server.storage.shop_sources import Source, insert_source
from tests.api.caller import Answer, Caller
from tests.api.conftest import As
from tests.api.stage import Stage

one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
LINES = {"Content-Type": "application/x-ndjson"}
ORDER = {"order_id": 820982911946154508, "customer_id": "c9", "created_at": "2024-05-01"} | {
    "total": "12.50",
    "lines": [{"sku": "CUP", "title": "Cup", "quantity": 1, "price": 12.5}],
}


async def send(
    caller: Caller, noun: str, *rows: object, source: str | None = None, **options: Any
) -> Answer:  # Any: handed on
    """Posts rows, one a line; a text is a line as it is."""
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    body = "\n".join(lines).encode()
    headers = LINES | options.pop("headers", {})
    params = {} if source is None else {"source": source}
    return await caller.call(
        "POST",
        f"/import/{noun}",
        data=io.BytesIO(body),
        headers=headers,
        params=params,
        **options,
    )


def count(stage: Stage, table: Any) -> int:  # Any: a table
    statement = select(func.count()).select_from(table)
    return stage.desk.database.read_now(lambda c: int(c.execute(statement).scalar_one()))


async def test_rows_are_taken_once_and_refused_line_by_line(stage: Stage, program: As) -> None:
    caller = await program("admin")
    before = count(stage, SHOP_ORDER)
    rows = (ORDER, "", "no json", ORDER | {"order_id": "2", "total": "much"})
    answer = await send(caller, "orders", *rows)
    assert answer.status == 200
    assert (answer.value["accepted"], answer.value["unchanged"]) == (1, 0)
    assert [one["line"] for one in answer.value["rejected"]] == [3, 4]
    assert answer.value["rejected"][1]["reason"].startswith("total is no amount of money. / ")
    again = await send(caller, "orders", *rows)
    assert (again.value["accepted"], again.value["unchanged"]) == (0, 1)
    assert count(stage, SHOP_ORDER) == before + 1
    found = (await caller.get("/orders", number="820982911946154508")).value["items"]
    assert [(one["net_minor"], one["lines"][0]["sku"]) for one in found] == [(1250, "CUP")]


@one_database
async def test_a_key_gives_the_answer_of_the_first_time(stage: Stage, program: As) -> None:
    caller = await program("admin")
    first = await send(caller, "orders", ORDER, key="k1")
    again = await send(caller, "orders", ORDER, key="k1")
    assert (again.body, again.headers.get("Idempotency-Replayed")) == (first.body, "true")
    other = await send(caller, "orders", ORDER | {"total": 1}, key="k1")
    assert (other.status, other.code) == (409, "conflict")
    kinds = select(EVENT.c.kind).where(EVENT.c.imported)
    told = stage.desk.database.read_now(lambda c: c.execute(kinds).scalars().all())
    assert sorted(told) == ["order.created", "order.paid"]


@one_database
async def test_customers_carts_and_events_come_the_same_way(stage: Stage, program: As) -> None:
    caller = await program("admin")
    customers = await send(caller, "customers", {"客户编号": "c9", "name": "Ann", "tags": ["vip"]})
    assert customers.value["accepted"] == 1
    cart: dict[str, object] = {
        "token": "t1",
        "customer_id": "c9",
        "updated_at": "2024-05-01T10:00:00Z",
    }
    cart |= {"lines": [{"sku": "CUP", "title": "Cup", "quantity": 2, "price": "5.00"}]}
    assert (await send(caller, "carts", cart)).value["accepted"] == 1
    assert count(stage, CART) == 1
    events = [
        {"event_id": "e2", "ts": "2024-05-01T10:00:05Z", "kind": "message.posted"}
        | {"conversation": "x", "customer": "c9", "actor_kind": "customer", "data": {"body": "Hi"}},
        {"event_id": "e1", "ts": "2024-05-01T10:00:00Z", "kind": "conversation.opened"}
        | {"conversation": "x", "customer": "c9", "actor_kind": "customer", "data": {}},
    ]
    assert (await send(caller, "events", *events)).value == {
        "accepted": 2,
        "unchanged": 0,
        "rejected": [],
    }
    assert (await send(caller, "events", *events)).value["unchanged"] == 2


@one_database
async def test_a_source_signs_instead_of_showing_a_token(stage: Stage, program: As) -> None:
    del program
    source = Source(
        name="erp", kind="generic", customer_ids="own", created_at_ms=0, secret="s3cret" * 6
    )
    await stage.desk.database.write(lambda tx: insert_source(tx, source))
    nobody = Caller(stage.desk.url, None)
    try:
        body = json.dumps(ORDER).encode()
        now_s = stage.desk.database.clock() // 1000
        right = {"X-Signature": timed_signature("s3cret" * 6, now_s, body)}
        wrong = {"X-Signature": timed_signature("other", now_s, body)}
        old = {"X-Signature": timed_signature("s3cret" * 6, now_s - 3600, body)}
        for headers, name, status in (
            ({}, "erp", 401),
            (wrong, "erp", 401),
            (old, "erp", 401),
            (right, "never", 401),
            (right, None, 401),
            (right, "erp", 200),
        ):
            answer = await send(nobody, "orders", ORDER, source=name, headers=headers)
            assert answer.status == status, (headers, name, answer.body)
        assert answer.value["accepted"] == 1
        found = stage.desk.database.read_now(
            lambda c: (
                c.execute(select(SHOP_ORDER.c.source).where(SHOP_ORDER.c.source == "erp"))
                .scalars()
                .all()
            )
        )
        assert found == ["erp"]
        assert (
            stage.desk.database.read_now(
                lambda c: c.execute(
                    select(CUSTOMER.c.id).where(CUSTOMER.c.external_id == "c9")
                ).first()
            )
            is None
        )
    finally:
        await nobody.close()


@one_database
async def test_who_may_import_and_how_much(stage: Stage, program: As) -> None:
    agent = await program("agent")
    assert (await send(agent, "orders", ORDER)).status == 403
    admin = await program("admin")
    many = await send(admin, "orders", *(["{}"] * 2001))
    assert (many.status, many.code) == (413, "too_large")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await send(admin, "orders", ORDER, headers=form)).status == 415
    assert (await send(admin, "orders", ORDER, source="Not A Name")).status == 400
    assert (await send(admin, "orders")).value["accepted"] == 0


@one_database
async def test_orders_are_shown_to_who_may_see_the_customer(stage: Stage, program: As) -> None:
    agent = await program("agent")
    assert (await agent.get("/orders")).status == 403
    # Who has only ordered is no team's own.
    assert (await agent.get(f"/orders/{stage.ids['order']}")).status == 200
    shown = await agent.get(f"/customers/{stage.ids['ann']}/orders")
    assert (shown.status, shown.value["items"]) == (200, [])
    assert (await agent.get(f"/customers/{stage.ids['bob']}/orders")).status == 404
    admin = await program("admin")
    (order,) = (await admin.get("/orders")).value["items"]
    assert order["id"] == stage.ids["order"]
    owner = order["customer_id"]
    assert (await admin.get(f"/customers/{owner}/orders")).value["items"] == [order]
    assert (await admin.get("/orders", customer_id=owner, source="shop")).value["items"] == [order]
    assert (await admin.get("/orders", source="other")).value["items"] == []
