"""Orders, products and customers of files: every shape a shop has, told once, and taken back."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any  # Any: column values

import pytest

from server.domain.errors import Conflict, InvalidInput, NotFound
from server.importers.sheets import SheetOutcome
from server.importers.shop_files import (
    import_customers,
    import_orders,
    import_products,
    list_imports,
    undo_import,
)
from server.reports.verify import verify
from server.storage.consents import CONSENT
from server.storage.customers import CUSTOMER
from server.storage.import_batches import IMPORT_CHANGE
from server.storage.imports import CUSTOMER_ORIGIN
from server.storage.orders import ORDER_LINE, SHOP_ORDER
from server.storage.products import PRODUCT
from server.storage.profiles import PROFILE
from server.storage.rows import EVENT
from server.storage.shop_customers import CONTACT, CUSTOMER_TAG
from server.storage.shop_sources import SHOP_SOURCE
from tests.importers.conftest import Desktop

HEADER = "order_id,customer_id,email,created_at,paid_at,total,refunded,currency,status,test,coupon"
ROWS = [
    "820982911946154508,c1,Anna@X.example,2024-03-05T09:30,2024-03-05T09:31,120.50,20.5,,,,SPRING",
    '="0017",c1,,2024-04-01 10:00,2024-04-01 10:00,15,,CNY,paid,0,',
    '3,c2,bo@x.example,2024/5/1 8:05,2024/5/1 8:06,"¥1,999.00",0,人民币,,,',
    "4,,guest@x.example,2024-06-01,2024-06-01,10,,EUR,,,",
]


def written(folder: Path, *lines: str, name: str = "orders.csv", encoding: str = "utf-8") -> Path:
    """A file of these lines."""
    path = folder / name
    path.write_bytes("\n".join([*lines, ""]).encode(encoding))
    return path


def counts(outcome: SheetOutcome) -> tuple[int, int, int]:
    return outcome.accepted, outcome.unchanged, len(outcome.rejected)


def orders(desktop: Desktop) -> dict[str, dict[str, Any]]:  # Any: column values
    """The orders by the shop's number, without what differs from run to run."""
    aside = {"id", "batch", "written_at_ms", "customer_id"}
    return {
        row["external_id"]: {k: v for k, v in row.items() if k not in aside}
        for row in desktop.rows(SHOP_ORDER)
    }


def state(desktop: Desktop) -> list[list[dict[str, Any]]]:  # Any: column values
    """All that an import of orders may touch, as it is stored."""
    tables = (SHOP_ORDER, ORDER_LINE, CUSTOMER, CONTACT, PRODUCT, CUSTOMER_TAG)
    return [desktop.rows(one) for one in tables]


def profiles(desktop: Desktop) -> list[tuple[object, ...]]:
    """What orders add up to, by the shop's customer id."""
    names = {row["id"]: row["external_id"] for row in desktop.rows(CUSTOMER)}
    found = desktop.rows(PROFILE)
    facts = ("orders", "net_minor", "first_day", "last_day", "r", "f", "m", "segment")
    return sorted((names[row["person_id"]], *(row[name] for name in facts)) for row in found)


def test_orders_come_in_once(desktop: Desktop, tmp_path: Path) -> None:
    path = written(tmp_path, HEADER, *ROWS)
    assert counts(import_orders(desktop.database, path)) == (4, 0, 0)
    before = state(desktop), profiles(desktop), desktop.rows(EVENT)
    desktop.scene.time.pass_s(3600)
    assert counts(import_orders(desktop.database, path)) == (0, 4, 0)
    assert (state(desktop), profiles(desktop), desktop.rows(EVENT)) == before
    found = orders(desktop)
    first = found["820982911946154508"]
    assert (first["total_minor"], first["net_minor"], first["coupon"]) == (12_050, 10_000, "SPRING")
    assert first["created_at_ms"] == 1_709_602_200_000  # as the clock in Shanghai showed
    assert (found["0017"]["total_minor"], found["0017"]["currency"]) == (1500, "CNY")
    assert found["3"]["total_minor"] == 199_900
    assert found["4"]["counted"] is False  # another currency
    assert [row["external_id"] for row in desktop.rows(CUSTOMER, "external_id")] == ["c1", "c2"]
    assert profiles(desktop)[0][:3] == ("c1", 2, 11_500)
    at_ms = desktop.scene.time.at_ms
    assert not desktop.database.read_now(lambda c: list(verify(c, at_ms=at_ms)))


def test_any_order_of_the_rows_gives_the_same(desktop: Desktop, tmp_path: Path) -> None:
    rows = [
        f"{number},c{number % 7},,2024-0{number % 9 + 1}-1{number % 5},2024-10-01,{number}.50,,,,,"
        for number in range(1, 61)
    ]
    results = []
    for seed in range(3):
        desktop.scene.begin()
        random.Random(seed).shuffle(rows)
        import_orders(desktop.database, written(tmp_path, HEADER, *rows))
        results.append((orders(desktop), profiles(desktop)))
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize(
    ("encoding", "delimiter"),
    [("utf-8", ","), ("utf-8-sig", ";"), ("gb18030", ","), ("utf-16", "\t")],
)
def test_headers_in_chinese_as_spreadsheets_write_them(
    desktop: Desktop, tmp_path: Path, encoding: str, delimiter: str
) -> None:
    lines = [
        "订单号,会员编号,手机号,下单时间,付款时间,实付金额,总金额,退款金额,订单状态,备注",
        '="1234567890123456789",张三,13800138000,2024年3月5日 9:30,2024/3/5 9:31,88,99,8,已发货,急',
    ]
    path = written(tmp_path, *(line.replace(",", delimiter) for line in lines), encoding=encoding)
    outcome = import_orders(desktop.database, path)
    assert counts(outcome) == (1, 0, 0)
    assert outcome.ignored == ["总金额", "备注"]  # what was paid is the likelier total
    (order,) = orders(desktop).values()
    assert order["external_id"] == "1234567890123456789"
    assert (order["total_minor"], order["net_minor"], order["status"]) == (8800, 8000, "shipped")
    assert desktop.rows(CONTACT)[0]["key"] == "+8613800138000"


def test_gzipped_files_are_read_and_damaged_ones_refused(desktop: Desktop, tmp_path: Path) -> None:
    text = "\n".join([HEADER, *ROWS]).encode()
    path = tmp_path / "orders.csv.gz"
    path.write_bytes(gzip.compress(text))
    assert counts(import_orders(desktop.database, path)) == (4, 0, 0)
    path.write_bytes(gzip.compress(text)[:-20])
    with pytest.raises(InvalidInput, match="damaged"):
        import_orders(desktop.database, path)


def test_rows_that_do_not_hold_are_refused_in_both_languages(
    desktop: Desktop, tmp_path: Path
) -> None:
    rows = [
        ",c1,,2024-01-01,,1,,,,,",
        "8.20983E+17,c1,,2024-01-01,,1,,,,,",
        "1,c1,,,,1,,,,,",
        "2,c1,,2024-01-01,,,,,,,",
        "3,c1,,2024-01-01,,ten,,,,,",
        "4,c1,,2024-01-01,,-5,,,,,",
        "5,c1,,soon,,5,,,,,",
        "6,c1,,2124-01-01,,5,,,,,",
        "7,c1,,2024-01-01,,5,,euros,,,",
        "8,c1,,2024-01-01,,5,,,,maybe,",
        "9,c1,,2024-01-01,,5,,,,,",
        "9,c2,,2024-01-01,,6,,,,,",
    ]
    path = written(tmp_path, HEADER, *rows)
    trial = import_orders(desktop.database, path, dry_run=True)
    assert desktop.count(SHOP_ORDER) == desktop.count(CUSTOMER) == desktop.count(SHOP_SOURCE) == 0
    assert desktop.count(EVENT) == 0
    outcome = import_orders(desktop.database, path)
    assert outcome == trial
    assert counts(outcome) == (1, 0, 11)
    assert [(r.line, r.reason.split(" / ")[0]) for r in outcome.rejected] == [
        (2, "order_id is missing."),
        (3, "order_id was shortened by a spreadsheet; export it as text."),
        (4, "created_at is missing."),
        (5, "total is missing."),
        (6, "total is no amount of money."),
        (7, "total is less than nothing."),
        (8, "created_at must be a time such as 2026-11-20T09:30."),
        (9, "created_at lies in the future."),
        (10, "currency must be a code such as EUR."),
        (11, "test must be 0 or 1."),
        (13, "This order_id stands in the file twice; the first row counts."),
    ]
    assert all(" / " in r.reason for r in outcome.rejected)


def test_a_file_without_what_is_needed_is_refused_whole(desktop: Desktop, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="has no column total"):
        import_orders(desktop.database, written(tmp_path, "order_id,created_at", "1,2024-01-01"))


def test_lines_of_json_bring_the_goods(desktop: Desktop, tmp_path: Path) -> None:
    goods = [
        {"sku": "CUP", "title": "Cup", "category": "Kitchen", "quantity": 2, "price": "5.00"},
        {"sku": 9007199254740993, "quantity": 1, "price": 3.5},
    ]
    order = {"order_id": 820982911946154508, "created_at": "2024-01-01", "total": 13.5}
    bad = [
        order | {"order_id": "b", "lines": "none"},
        order | {"order_id": "c", "lines": [{"title": "x"}]},
        order | {"order_id": 1e18},
        order | {"order_id": "d", "total": True},
    ]
    lines = [json.dumps(one) for one in (order | {"lines": goods}, *bad)]
    path = written(tmp_path, *lines, name="orders.ndjson")
    outcome = import_orders(desktop.database, path)
    assert counts(outcome) == (1, 0, 4)
    assert counts(import_orders(desktop.database, path)) == (0, 1, 4)
    assert list(orders(desktop)) == ["820982911946154508"]
    found = [(row["sku"], row["quantity"], row["price_minor"]) for row in desktop.rows(ORDER_LINE)]
    assert found == [("CUP", 2, 500), ("9007199254740993", 1, 350)]


def test_who_tells_payments_apart_has_orders_that_were_not_paid(
    desktop: Desktop, tmp_path: Path
) -> None:
    header = "order_id,created_at,paid_at,total,status"
    path = written(
        tmp_path, header, "1,2024-01-01,2024-01-02,5,", "2,2024-01-01,,5,", "3,2024-01-01,,5,paid"
    )
    outcome = import_orders(desktop.database, path)
    assert "count as not paid" in outcome.notes[0]
    found = orders(desktop)
    assert [found[key]["counted"] for key in "123"] == [True, False, True]
    desktop.scene.begin()
    path = written(tmp_path, header, "1,2024-01-01,,5,", "2,2024-01-01,,5,待付款")
    assert import_orders(desktop.database, path).notes == []
    found = orders(desktop)
    assert found["1"]["paid_at_ms"] == found["1"]["created_at_ms"]
    assert found["2"]["paid_at_ms"] is None


REPORT = (
    "订单编号,买家会员名,总金额,买家实际支付金额,收货地址 ,订单创建时间,订单付款时间 ,"
    "退款金额,订单状态"
)
NET = [
    "1,小张,100.00,100.00,上海,2020/2/1 0:10,2020/2/1 0:12,0,交易成功",
    "2,小李,50.00,0,北京,2020/2/2 9:00,,0,等待买家付款",
    "3,小李,50.00,0,北京,2020/2/3 9:00,2020/2/3 9:01,50.00,交易关闭",
    "4,小**,80.00,60.00,北京,2020/2/4 9:00,2020/2/4 9:01,20.00,交易成功",
    "5,小王,30.00,0,北京,2020/2/5 9:00,,0,交易关闭",
]


def test_a_report_whose_payments_are_after_refunds_is_not_refunded_twice(
    desktop: Desktop, tmp_path: Path
) -> None:
    outcome = import_orders(desktop.database, written(tmp_path, REPORT, *NET, encoding="gb18030"))
    assert counts(outcome) == (5, 0, 0)
    assert "2 of 2 refunded orders" in outcome.notes[1]
    assert "160.00 CNY from 2 orders" in outcome.notes[2]
    found = orders(desktop)
    assert sum(row["net_minor"] for row in found.values() if row["counted"]) == 16_000
    assert (found["4"]["total_minor"], found["4"]["refunded_minor"]) == (8000, 2000)
    assert (found["3"]["status"], found["2"]["status"], found["5"]["status"]) == (
        "refunded",
        "pending",
        "cancelled",
    )
    assert found["1"]["created_at_ms"] == 1_580_487_000_000  # the clock of Beijing
    # A masked name is nobody; the others are names of the marketplace, not of this shop.
    names = {row["name"] for row in desktop.rows(CUSTOMER_ORIGIN)}
    assert names == {"taobao:小张", "taobao:小李", "taobao:小王"}
    assert {row["external_id"] for row in desktop.rows(CUSTOMER)} == {None}
    assert {row["name"] for row in desktop.rows(CUSTOMER)} == {"小张", "小李", "小王"}


def test_a_report_whose_payments_are_before_refunds_is_refunded(
    desktop: Desktop, tmp_path: Path
) -> None:
    gross = [row.replace("50.00,0,北京,2020/2/3", "50.00,50.00,北京,2020/2/3") for row in NET]
    gross[3] = gross[3].replace("80.00,60.00", "80.00,80.00")
    outcome = import_orders(desktop.database, written(tmp_path, REPORT, *gross))
    assert "before refunds in 2 of 2" in outcome.notes[1]
    found = orders(desktop)
    assert sum(row["net_minor"] for row in found.values() if row["counted"]) == 16_000


def test_a_report_that_does_not_say_is_asked_about(desktop: Desktop, tmp_path: Path) -> None:
    unclear = [NET[3].replace("80.00,60.00", "90.00,60.00")]
    path = written(tmp_path, REPORT, *unclear)
    with pytest.raises(InvalidInput, match="--paid gross"):
        import_orders(desktop.database, path)
    assert desktop.count(SHOP_ORDER) == 0
    import_orders(desktop.database, path, paid_is="gross", dry_run=True)
    import_orders(desktop.database, path, paid_is="net")
    assert orders(desktop)["4"]["net_minor"] == 6000


def test_a_second_source_has_customers_of_its_own(desktop: Desktop, tmp_path: Path) -> None:
    import_orders(desktop.database, written(tmp_path, HEADER, *ROWS))
    outcome = import_orders(desktop.database, written(tmp_path, HEADER, *ROWS), source="pos")
    assert counts(outcome) == (4, 0, 0)
    assert desktop.count(SHOP_ORDER) == 8
    assert desktop.count(CUSTOMER) == 4
    sources = {row["name"]: row["customer_ids"] for row in desktop.rows(SHOP_SOURCE)}
    assert sources == {"shop": "shop", "pos": "own"}


def test_an_import_is_taken_back_as_if_it_had_never_been(desktop: Desktop, tmp_path: Path) -> None:
    import_orders(desktop.database, written(tmp_path, HEADER, *ROWS[:2]))
    before = state(desktop), profiles(desktop)
    desktop.scene.time.pass_s(60)
    changed = ROWS[0].replace("120.50,20.5", "300.00,0")
    outcome = import_orders(desktop.database, written(tmp_path, HEADER, changed, *ROWS[1:]))
    assert counts(outcome) == (3, 1, 0)
    assert (state(desktop), profiles(desktop)) != before
    assert outcome.batch is not None
    assert undo_import(desktop.database, outcome.batch) >= 3
    assert profiles(desktop) == before[1]
    for now, then in zip(state(desktop), before[0], strict=True):
        assert now == then
    assert desktop.count(IMPORT_CHANGE) == 1  # the customer whom the first import had made
    at_ms = desktop.scene.time.at_ms
    assert not desktop.database.read_now(lambda c: list(verify(c, at_ms=at_ms)))
    assert "undone" in list_imports(desktop.database)[0]
    with pytest.raises(Conflict, match="undone before"):
        undo_import(desktop.database, outcome.batch)
    with pytest.raises(NotFound):
        undo_import(desktop.database, "never")
    again = import_orders(desktop.database, written(tmp_path, HEADER, changed, *ROWS[1:]))
    assert counts(again) == (3, 1, 0)


def test_what_others_changed_since_stays(desktop: Desktop, tmp_path: Path) -> None:
    first = import_orders(desktop.database, written(tmp_path, HEADER, *ROWS[:2]))
    changed = ROWS[0].replace("120.50,20.5", "300.00,0")
    import_orders(desktop.database, written(tmp_path, HEADER, changed))
    assert first.batch is not None
    undo_import(desktop.database, first.batch)
    assert list(orders(desktop)) == ["820982911946154508"]
    assert desktop.count(CUSTOMER) == 1


def test_products_come_in_once_and_go_again(desktop: Desktop, tmp_path: Path) -> None:
    header = "商品编码,商品名称,分类,品牌,售价,币种,链接,图片,库存"
    row = "CUP-1,Cup,Kitchen,Mori,58.00,CNY,https://shop.example/cup,https://shop.example/c.png,12"
    path = written(tmp_path, header, row, "B,,,,1,,,,", "C,Bowl,,,2,,ftp://x,,", "D,Pot,,,2,,,,few")
    outcome = import_products(desktop.database, path)
    assert counts(outcome) == (1, 0, 3)
    assert counts(import_products(desktop.database, path)) == (0, 1, 3)
    (cup,) = desktop.rows(PRODUCT)
    assert (cup["price_minor"], cup["stock"], cup["brand"]) == (5800, 12, "Mori")
    dearer = import_products(
        desktop.database, written(tmp_path, "sku,title,price", "CUP-1,Cup,60", "NEW,New,1")
    )
    assert counts(dearer) == (2, 0, 0)
    assert [row["price_minor"] for row in desktop.rows(PRODUCT)] == [6000, 100]
    assert desktop.rows(PRODUCT)[0]["stock"] == 12  # what a file does not say stays
    assert dearer.batch is not None
    undo_import(desktop.database, dearer.batch)
    assert desktop.rows(PRODUCT) == [cup]


def test_customers_bring_tags_consent_and_claimed_contacts(
    desktop: Desktop, tmp_path: Path
) -> None:
    header = "customer_id,email,phone,name,tags,marketing_email"
    path = written(
        tmp_path,
        header,
        "1,ann@x.example,+8613800138000,Ann,vip；老客,1",
        "2,,,Bo,,0",
        "3,,,C,,oops",
    )
    outcome = import_customers(desktop.database, path)
    assert counts(outcome) == (2, 0, 1)
    assert counts(import_customers(desktop.database, path)) == (0, 2, 1)
    assert [row["tag"] for row in desktop.rows(CUSTOMER_TAG, "tag")] == ["vip", "老客"]
    assert {(row["kind"], row["level"]) for row in desktop.rows(CONTACT)} == {
        ("email", "claimed"),
        ("phone", "claimed"),
    }
    assert [(row["purpose"], row["state"]) for row in desktop.rows(CONSENT)] == [
        ("marketing_email", "given")
    ]
    assert outcome.batch is not None
    undo_import(desktop.database, outcome.batch)
    assert desktop.count(CUSTOMER) == desktop.count(CONSENT) == 0


def test_undoing_a_list_leaves_who_has_ordered_since_and_gives_back_old_names(
    desktop: Desktop, tmp_path: Path
) -> None:
    import_customers(desktop.database, written(tmp_path, "customer_id,name", "1,Old"))
    outcome = import_customers(
        desktop.database, written(tmp_path, "customer_id,name", "1,New", "2,Bo", "3,Cy")
    )
    import_orders(
        desktop.database,
        written(tmp_path, "order_id,customer_id,created_at,total", "o1,2,2024-01-01,5"),
    )
    assert outcome.batch is not None
    undo_import(desktop.database, outcome.batch)
    found = {row["external_id"]: row["name"] for row in desktop.rows(CUSTOMER)}
    assert found == {"1": "Old", "2": "Bo"}
