"""The directory of customers and the page of one, without scripts."""

from __future__ import annotations

import csv
import io
import re
from typing import Any  # Any: column values
from urllib.parse import quote

import pytest
from sqlalchemy import insert

from server.domain.actors import SYSTEM
from server.domain.events import (
    ContactRevealed,
    CustomerBlocked,
    CustomerIdentified,
    CustomerNoted,
    CustomerPreferred,
    CustomerTagged,
    CustomerUnblocked,
)
from server.domain.spans import DAY_MS
from server.storage import customers, notes
from server.storage.customers import CUSTOMER, Customer
from server.storage.directory import CONTACT, ORDER
from server.storage.profiles import PROFILE
from server.storage.unit import Tx
from tests.http.desk import Desk


def defaults(table: Any) -> dict[str, Any]:  # Any: columns
    """What a row has that says nothing else."""
    return {c.name: c.default.arg for c in table.columns if c.default is not None}


async def add(desk: Desk, key: str, **values: Any) -> str:
    """A customer; ``contacts`` are (kind, key, value), ``profile`` columns, ``tags`` words."""
    contacts = values.pop("contacts", ())
    profile = values.pop("profile", None)
    tags = values.pop("tags", ())

    def write(tx: Tx) -> None:
        row: dict[str, Any] = {
            "external_id": None,
            "name": None,
            "email": None,
            "phone": None,
            "locale": "en",
            "identity": "claimed",
            "created_at_ms": tx.at_ms,
            "seen_at_ms": tx.at_ms,
        }
        customers.add_customer(tx, Customer(id=key, **row | values))
        for kind, contact, value in contacts:
            tx.later(
                insert(CONTACT),
                {
                    "customer_id": key,
                    "kind": kind,
                    "key": contact,
                    "value": value,
                    "level": "verified",
                    "source": "shop",
                    "created_at_ms": tx.at_ms,
                },
            )
        notes.add_tags(tx, key, tags)
        if profile is not None:
            columns = defaults(PROFILE)
            tx.later(
                insert(PROFILE), columns | {"person_id": key, "updated_at_ms": tx.at_ms} | profile
            )

    await desk.database.write(write)
    return key


async def order(desk: Desk, number: str, customer_id: str | None, **values: Any) -> None:
    """A paid order of 10.00."""

    def write(tx: Tx) -> None:
        columns = defaults(ORDER)
        tx.later(
            insert(ORDER),
            columns
            | {
                "id": f"o{number}",
                "source": "shop",
                "external_id": number,
                "number": number,
                "customer_id": customer_id,
                "created_at_ms": tx.at_ms,
                "day": 20_000,
                "currency": "CNY",
                "total_minor": 1000,
                "net_minor": 1000,
                "counted": True,
                "status": "paid",
                "written_at_ms": tx.at_ms,
            }
            | values,
        )

    await desk.database.write(write)


def listed(text: str) -> list[str]:
    """The ids of the customers on a page of the list, in its order."""
    return re.findall(r'href="/customers/([\w-]+)"><span class="av', text)


async def lin(desk: Desk) -> str:
    return await add(
        desk,
        "lin",
        name="Lin Yue",
        external_id="C-77",
        identity="verified",
        contacts=[
            ("email", "lin@example.com", "lin@example.com"),
            ("phone", "+8613800138000", "13800138000"),
        ],
        profile={"orders": 4, "net_minor": 693_200, "segment": "champions", "last_day": 20_000},
        tags=["vip"],
    )


@pytest.mark.parametrize(
    "text",
    ["lin yu", "Lin@Example.com", "138 0013 8000", "+86 138-0013-8000", "C-77", "1001", "#1001"],
)
async def test_a_customer_is_found_by_whatever_somebody_knows(desk: Desk, text: str) -> None:
    await lin(desk)
    await add(desk, "other", name="Someone Else")
    await order(desk, "1001", "lin")
    agent = await desk.signed_in("agent")
    answer = await agent.get(f"/customers?q={quote(text)}")
    assert listed(answer.text) == ["lin"]
    assert "138****8000" in answer.text
    assert "13800138000" not in answer.text


async def test_filters_stand_in_the_address_and_come_off_one_by_one(desk: Desk) -> None:
    await lin(desk)
    await add(desk, "new", name="Tom", profile={"orders": 1, "net_minor": 900, "segment": "new"})
    await add(desk, "nobody", name="Ann", locale="zh")
    agent = await desk.signed_in("agent")
    for query, found in {
        "segment=champions": ["lin"],
        "segment=champions&segment=new": ["new", "lin"],
        "segment=prospects": ["nobody"],
        "orders_min=2": ["lin"],
        "spend_min=9&spend_max=10": ["new"],
        "tag=vip": ["lin"],
        "tag=vip, gift": ["lin"],
        "locale=zh": ["nobody"],
        "identity=verified": ["lin"],
        "orders_max=0": ["nobody"],
        "consent=marketing_email": [],
        "sort=spend": ["lin", "new"],
        "blocked=1": [],
    }.items():
        text = (await agent.get(f"/customers?{query.replace(' ', '%20')}")).text
        assert listed(text) == found, query
    text = (await agent.get("/customers?segment=champions&tag=vip")).text
    assert 'href="/customers?tag=vip"' in text
    assert 'href="/customers?segment=champions"' in text


async def test_what_makes_no_sense_in_an_address_is_said_and_nothing_breaks(desk: Desk) -> None:
    await lin(desk)
    agent = await desk.signed_in("agent")
    for query in ("segment=x", "orders_min=many", "spend_min=%E2%82%AC5", "sort=x", "cursor=x"):
        answer = await agent.get(f"/customers?{query}")
        assert answer.status == 400, query
        assert 'role="alert"' in answer.text


async def test_pages_follow_one_another_without_gap_or_repeat(desk: Desk) -> None:
    for number in range(120):
        await add(desk, f"c{number:03}", name=f"Person {number}", created_at_ms=number // 7)
    agent = await desk.signed_in("agent")
    seen: list[str] = []
    address: str | None = "/customers"
    while address:
        text = (await agent.get(address)).text
        seen += listed(text)
        following = re.search(r'rel="next" href="([^"]+)"', text)
        address = following[1].replace("&amp;", "&") if following else None
    assert seen == [f"c{number:03}" for number in reversed(range(120))]


async def test_who_left_no_name_is_listed_only_when_asked_for(desk: Desk) -> None:
    agent = await desk.signed_in("agent")
    assert "No customers yet" in (await agent.get("/customers?lang=en")).text
    await add(desk, "visitor1", identity="anonymous")
    assert "Nobody matches" in (await agent.get("/customers?lang=en")).text
    text = (await agent.get("/customers?everybody=1&lang=en")).text
    assert listed(text) == ["visitor1"]
    assert "Visitor TOR1" in text


async def test_the_order_of_a_guest_is_named_and_belongs_to_nobody(desk: Desk) -> None:
    await order(desk, "2002", None)
    agent = await desk.signed_in("agent")
    text = (await agent.get("/customers?q=2002&lang=en")).text
    assert listed(text) == []
    assert "Order 2002 was placed without an account" in text


async def test_a_saved_segment_counts_what_its_list_shows(desk: Desk) -> None:
    await lin(desk)
    agent, leader = await desk.signed_in("agent"), await desk.signed_in("supervisor")
    form = {"name": "VIPs", "query": "tag=vip&orders_min=2", "shared": "1"}
    saved = await agent.post("/customers/segments", form, page="/customers?tag=vip")
    assert saved.location == "/customers/segments?done=saved"
    text = (await leader.get("/customers/segments?lang=en")).text
    row = re.search(
        r"<tr>\s*<th[^>]*><a href=\"([^\"]+)\">VIPs</a>.*?<td class=\"n\">(\d+)", text, re.DOTALL
    )
    assert row is not None
    assert row[2] == "1"
    assert listed((await leader.get(row[1].replace("&amp;", "&"))).text) == ["lin"]
    change = re.search(r'href="([^"]+edit=([^"&]+))"', text)
    assert change is not None
    form = {"name": "Regulars", "query": "orders_min=1", "segment_id": change[2]}
    page = change[1].replace("&amp;", "&")
    assert (await leader.post("/customers/segments", form, page=page)).status == 303
    assert "Regulars" in (await agent.get("/customers/segments")).text
    gone = f"/customers/segments/{change[2]}/delete"
    assert (await agent.post(gone)).status == 303
    assert "Regulars" not in (await agent.get("/customers/segments")).text


async def test_a_segment_without_a_filter_is_refused(desk: Desk) -> None:
    await lin(desk)
    agent = await desk.signed_in("agent")
    form = {"name": "All", "query": "q=lin"}
    answer = await agent.post("/customers/segments", form, page="/customers?tag=vip")
    assert answer.status == 400
    assert (await agent.get("/customers/segments")).text.count("<tr>") == 0


async def test_a_private_segment_is_its_owners_alone(desk: Desk) -> None:
    await lin(desk)
    agent, other = await desk.signed_in("agent"), await desk.signed_in("admin")
    form = {"name": "Mine", "query": "tag=vip"}
    await agent.post("/customers/segments", form, page="/customers?tag=vip")
    found = re.search(
        r"/customers/segments/(\w+)/delete", (await agent.get("/customers/segments")).text
    )
    assert found is not None
    assert "Mine" not in (await other.get("/customers/segments")).text
    assert (await other.get(f"/customers/segments/{found[1]}/delete")).status == 404


async def test_the_file_has_a_mark_no_formulas_and_addresses_as_the_role_may_see_them(
    desk: Desk,
) -> None:
    await lin(desk)
    await add(desk, "evil", name='=HYPERLINK("http://x")', tags=["@SUM(A1)"])
    rows: dict[str, dict[str, dict[str, str]]] = {}
    for role in ("agent", "supervisor"):
        visitor = await desk.signed_in(role)
        page = "/customers?lang=en"
        answer = await visitor.post("/customers/export.csv", {"query": ""}, page=page)
        assert answer.body.startswith(b"\xef\xbb\xbf")
        assert "attachment" in answer.headers["Content-Disposition"]
        found = csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig")))
        rows[role] = {row["id"]: row for row in found}
    assert rows["agent"]["lin"]["phone"] == "138****8000"
    assert rows["agent"]["lin"]["e-mail"] == "l***@…"
    assert rows["supervisor"]["lin"]["phone"] == "13800138000"
    assert rows["supervisor"]["lin"]["net spend"] == "6932.00"
    assert rows["agent"]["evil"]["name"].startswith("'=")
    assert rows["agent"]["evil"]["tags"] == "'@SUM(A1)"


async def test_the_page_of_a_customer_shows_what_happened_in_order(desk: Desk) -> None:
    await lin(desk)
    now = desk.database.clock()
    await order(desk, "1", "lin", created_at_ms=now - 3 * DAY_MS, delivered_at_ms=now - DAY_MS)
    await order(desk, "2", "lin", created_at_ms=now - 2 * DAY_MS)
    agent = await desk.signed_in("agent")
    text = (await agent.get("/customers/lin?lang=en")).text
    told = re.findall(r"<b>(Order \d \w+)</b>", text)
    assert told == ["Order 1 delivered", "Order 2 placed", "Order 1 placed"]
    text = (await agent.get("/customers/lin?lane=ratings&lang=en")).text
    assert "Order 1" not in text
    assert (await agent.get("/customers/nobody")).status == 404


async def test_a_long_history_is_read_page_by_page(desk: Desk) -> None:
    await lin(desk)
    for number in range(120):
        await order(desk, f"{number:03}", "lin", created_at_ms=1_000_000 + number // 5)
    agent = await desk.signed_in("agent")
    seen: list[str] = []
    address: str | None = "/customers/lin?lane=orders&lang=en"
    while address:
        text = (await agent.get(address)).text
        seen += re.findall(r"<b>Order (\d{3}) placed</b>", text)
        following = re.search(r'rel="next" href="([^"]+)"', text)
        address = following[1].replace("&amp;", "&") if following else None
    assert seen == [f"{number:03}" for number in reversed(range(120))]


async def test_two_editors_of_a_note_both_see_both_texts(desk: Desk) -> None:
    await lin(desk)
    one, other = await desk.signed_in("agent"), await desk.signed_in("supervisor")
    first = {"body": "Likes oak.", "version": "0"}
    assert (await one.post("/customers/lin/note", first, page="/customers/lin")).status == 303
    late = {"body": "Prefers walnut.", "version": "0"}
    answer = await other.post("/customers/lin/note", late, page="/customers/lin")
    assert answer.status == 409
    assert "Likes oak." in answer.text
    assert "Prefers walnut.</textarea>" in answer.text
    version = re.search(r'name="version" value="(\d+)"', answer.text)
    assert version is not None
    both = {"body": "Likes oak and walnut.", "version": version[1]}
    assert (await other.post("/customers/lin/note", both, page="/customers/lin")).status == 303
    assert "Likes oak and walnut.</textarea>" in (await one.get("/customers/lin")).text


async def test_tags_reach_and_blocks_are_kept_by_plain_forms(desk: Desk) -> None:
    await lin(desk)
    agent = await desk.signed_in("agent")

    async def send(part: str, **values: str) -> int:
        path = f"/customers/lin/{part}"
        return (await agent.post(path, values, page="/customers/lin")).status

    assert await send("tags", add="gift") == 303
    assert await send("tags", remove="vip") == 303
    hours = {"from": "22:00", "to": "08:00", "timezone": "Europe/Berlin"}
    assert await send("preferences", channel="email", **hours) == 303
    assert await send("preferences", channel="email", **{"from": "22:00", "to": ""}) == 400
    assert await send("block", blocked="1", reason="Threats") == 303
    text = (await agent.get("/customers/lin?lang=en")).text
    assert re.findall(r'<span class="tag">([^<]+)</span>', text) == ["gift"]
    assert 'value="22:00"' in text
    assert "Reason: Threats" in text
    assert "Start a chat" not in text
    assert await send("block", blocked="0") == 303
    assert "Start a chat" in (await agent.get("/customers/lin?lang=en")).text


async def test_the_line_of_time_speaks_in_words_of_the_shop(desk: Desk) -> None:
    key = await add(desk, "lin", name="Lin")
    told = [
        *(CustomerIdentified(method=method) for method in ("signed", "order", "claimed")),
        *(ContactRevealed(field="email"), CustomerNoted(), CustomerTagged(added=1)),
        *(CustomerPreferred(), CustomerBlocked(), CustomerUnblocked()),
    ]

    def write(tx: Tx) -> None:
        for data in told:
            tx.record(SYSTEM, data, customer_id=key)

    await desk.database.write(write)
    text = (await (await desk.signed_in("supervisor")).get(f"/customers/{key}?lang=en")).text
    lines = re.findall(r'<div class="what">\s*<b>([^<]*)</b>', text)
    assert len(set(lines)) == len(told) == len(lines)
    assert not [line for line in lines if "." in line]


async def test_a_chat_is_begun_from_the_page_and_goes_on_in_the_console(desk: Desk) -> None:
    await lin(desk)
    agent = await desk.signed_in("agent")
    form = {"client_id": "page-1", "body": "Your parcel is late."}
    answer = await agent.post("/customers/lin/chat", form, page="/customers/lin")
    assert re.fullmatch(r"/console\?conversation=\w+", answer.location)
    again = await agent.post("/customers/lin/chat", form, page="/customers/lin")
    assert again.location == answer.location
    other = form | {"client_id": "page-2"}
    refused = await agent.post("/customers/lin/chat", other, page="/customers/lin")
    assert refused.status == 409
    assert answer.location in refused.text


async def test_a_joined_record_leads_to_its_person(desk: Desk) -> None:
    await lin(desk)
    await add(desk, "browser", identity="anonymous")
    await desk.database.write(
        lambda tx: tx.later(
            CUSTOMER.update()
            .where(CUSTOMER.c.id == "browser")
            .values(merged_into="lin", merged_as="merge", person_id="lin")
        )
    )
    agent = await desk.signed_in("agent")
    assert (await agent.get("/customers/browser")).location == "/customers/lin"
    assert listed((await agent.get("/customers?everybody=1")).text) == ["lin"]


async def test_nobody_looks_without_signing_in(desk: Desk) -> None:
    await lin(desk)
    for path in ("/customers", "/customers/lin", "/customers/segments"):
        assert (await desk.visitor().get(path)).status in {303, 401}, path
