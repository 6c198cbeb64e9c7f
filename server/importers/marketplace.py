"""Order reports of Taobao and Tmall, with what is known of their traps.

Their header cells end in spaces; times are those of Beijing; what was paid has refunds taken off in
some reports and not in others, and only the file itself says which; an order that was closed before
it was paid has an amount all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from server.domain.errors import InvalidInput
from server.domain.imported import both, header_name, read_key, read_text
from server.domain.imported_orders import (
    Reading,
    read_id,
    read_instant_of,
    read_money,
    read_status,
    shown,
)
from server.domain.periods import zone
from server.domain.shop_data import Line, Order
from server.importers.sheets import Sheet, Values

PaidIs = Literal["gross", "net"]
MARKETPLACE = "taobao"
CURRENCY = "CNY"
_TIMEZONE = "Asia/Shanghai"
COLUMNS: dict[str, tuple[str, ...]] = {
    "order_id": ("订单编号", "订单号", "主订单编号"),
    "customer_id": ("买家会员名", "买家昵称", "买家id"),
    "total": ("总金额", "买家应付货款"),
    "paid": ("买家实际支付金额", "买家实付金额", "实际支付金额"),
    "refunded": ("退款金额", "买家退款金额"),
    "status": ("订单状态",),
    "created_at": ("订单创建时间",),
    "paid_at": ("订单付款时间",),
    "shipped_at": ("发货时间",),
    "delivered_at": ("确认收货时间",),
    "phone": ("联系手机", "联系电话"),
    "title": ("宝贝标题", "宝贝标题_", "商品标题"),
    "pieces": ("宝贝总数量", "宝贝数量"),
    "kinds": ("宝贝种类",),
    "tracking_number": ("物流单号", "运单号"),
    "carrier": ("物流公司",),
    "postage": ("买家应付邮费", "邮费"),
}
# Any of these marks such a report; none of them is a word of the contract.
_MARKS = frozenset(map(header_name, (*COLUMNS["paid"], "买家会员名", "宝贝标题", "订单付款时间")))


@dataclass(slots=True)
class _Check:
    """How the amounts of a report fit together, over all of its rows."""

    rows: int = 0
    paid: int = 0
    refunded: int = 0
    as_net: int = 0
    as_gross: int = 0
    has_refunds: bool = False

    def note(self, *, paid: int, refunded: int, total: int) -> None:
        """Counts a paid row in."""
        self.paid += 1
        if refunded <= 0:
            return
        self.refunded += 1
        if paid + refunded == total or refunded > paid:
            self.as_net += 1
        elif paid in (total, refunded):
            self.as_gross += 1


def marketplace_orders(
    path: Path, reading: Reading, *, paid_is: PaidIs | None = None
) -> tuple[Sheet, Callable[[Values], Order], list[str]] | None:
    """The report, how its rows are read, and what to tell of it; None for another sort of file.

    Raises InvalidInput when the file does not say whether what was paid is before refunds, unless
    ``paid_is`` does.
    """
    sheet = Sheet(path, COLUMNS, required=())
    headers = {header_name(cell) for cell in sheet.header}
    if sheet.is_json or len(headers & _MARKS) < 2 or header_name("买家实际支付金额") not in headers:
        return None
    for name in ("order_id", "created_at"):
        if not headers & {header_name(word) for word in COLUMNS[name]}:
            raise InvalidInput(
                both(f"{path.name} has no column {name}.", f"{path.name} 没有 {name} 这一列。")
            )
    beijing = Reading(zone(_TIMEZONE), CURRENCY, reading.now_ms)
    check = _checked(sheet, beijing, headers)
    net = _is_net(check, paid_is)

    def read(values: Values) -> Order:
        return _order(values, beijing, net=net)

    return sheet, read, _told(sheet, beijing, check, net=net, given=paid_is is not None)


def _checked(sheet: Sheet, reading: Reading, headers: set[str]) -> _Check:
    refunds = {header_name(word) for word in COLUMNS["refunded"]}
    check = _Check(has_refunds=bool(headers & refunds))
    for _, values in sheet.rows():
        if not isinstance(values, Mapping):
            continue
        check.rows += 1
        try:
            paid, refunded, total = _amounts(values)
            if _time(values, "paid_at", reading) is not None:
                check.note(paid=paid, refunded=refunded, total=total)
        except InvalidInput:
            continue  # told when the row is read to be taken
    return check


def _is_net(check: _Check, paid_is: PaidIs | None) -> bool:
    """Whether what was paid has refunds taken off. Raises InvalidInput when nobody can tell."""
    if paid_is is not None:
        return paid_is == "net"
    clear = check.as_net + check.as_gross
    if check.refunded == 0:
        return True
    share = check.as_net / clear if clear else 0.5
    if clear < 0.8 * check.refunded or 0.02 < share < 0.98:
        raise InvalidInput(
            both(
                f"{check.refunded} orders have refunds, and the file does not say whether"
                " 买家实际支付金额 is before or after them"
                f" (before: {check.as_gross}, after: {check.as_net})."
                " Say it with --paid gross or --paid net.",
                f"文件中有 {check.refunded} 个订单有退款，无法判断“买家实际支付金额”是否已扣除退款"
                f"（未扣除 {check.as_gross} 个，已扣除 {check.as_net} 个）。"
                "请用 --paid gross（未扣除）或 --paid net（已扣除）说明。",
            )
        )
    return share > 0.5


def _told(sheet: Sheet, reading: Reading, check: _Check, *, net: bool, given: bool) -> list[str]:
    """What the user is told of how the file was understood, with the sum to compare."""
    revenue, paid = 0, 0
    for _, values in sheet.rows():
        if isinstance(values, Mapping):
            try:
                order = _order(values, reading, net=net)
            except InvalidInput:
                continue
            if order.paid_at_ms is not None and order.cancelled_at_ms is None:
                revenue += order.net_minor
                paid += order.net_minor > 0
    facts = both(
        f"Order report of Taobao/Tmall: {check.rows} orders, {check.rows - check.paid} not paid.",
        f"淘宝/天猫订单报表：共 {check.rows} 单，其中 {check.rows - check.paid} 单未付款。",
    )
    if check.refunded == 0:
        how = both(
            "No refunds are in it, so what was paid is what was paid.",
            "文件中没有退款，实付金额即收入。",
        )
    elif given:
        how = both(
            f"买家实际支付金额 is taken as {'after' if net else 'before'} refunds, as you said.",
            f"按您的说明，“买家实际支付金额”{'已' if net else '未'}扣除退款。",
        )
    elif net:
        how = both(
            "买家实际支付金额 is after refunds: it adds up with 退款金额 to 总金额"
            f" in {check.as_net} of {check.refunded} refunded orders,"
            " so refunds are not taken off again.",
            f"“买家实际支付金额”已扣除退款：{check.refunded} 个退款订单中有 {check.as_net} 个满足"
            " 实付 + 退款 = 总金额，因此不再重复扣除。",
        )
    else:
        how = both(
            f"买家实际支付金额 is before refunds in {check.as_gross} of {check.refunded} refunded"
            " orders, so refunds are taken off.",
            f"“买家实际支付金额”未扣除退款（{check.refunded} 个退款订单中有 {check.as_gross} 个），"
            "因此从中扣除退款。",
        )
    total = shown(revenue, CURRENCY)
    sums = both(
        f"Revenue after refunds: {total} {CURRENCY} from {paid} orders.",
        f"扣除退款后的收入：{total} {CURRENCY}，来自 {paid} 单。",
    )
    return [facts, how, sums]


def _order(values: Values, reading: Reading, *, net: bool) -> Order:
    order_id = read_key(values, "order_id")
    created = _time(values, "created_at", reading)
    if created is None:
        raise InvalidInput(both("created_at is missing.", "缺少 created_at。"))
    paid, refunded, total = _amounts(values)
    paid_at = _time(values, "paid_at", reading)
    text = read_text(values, "status", 64)
    status = read_status(text)
    closed = status == "cancelled"
    if paid_at is None:
        status = "cancelled" if closed else "pending"
    elif refunded > 0 and paid + (refunded if net else 0) <= refunded:
        status = "refunded"
    elif status in (None, "pending"):
        status = "paid"
    before = paid + refunded if net else paid
    return Order(
        external_id=order_id,
        number=order_id,
        customer=read_id(values, "customer_id"),
        phone=read_text(values, "phone", 60),
        created_at_ms=created,
        paid_at_ms=paid_at,
        # When is not told; a paid order that was closed was given back, which is no cancelling.
        cancelled_at_ms=created if closed and paid_at is None else None,
        shipped_at_ms=_time(values, "shipped_at", reading),
        delivered_at_ms=_time(values, "delivered_at", reading),
        currency=CURRENCY,
        total_minor=total if paid_at is None else before,
        refunded_minor=refunded if paid_at is not None else 0,
        shipping_minor=read_money(values, "postage", CURRENCY),
        status=status or "paid",
        carrier=read_text(values, "carrier", 80),
        tracking_number=read_text(values, "tracking_number", 80),
        lines=_lines(values, total),
    )


def _amounts(values: Values) -> tuple[int, int, int]:
    """What was paid, what was given back, and what the order came to."""
    paid = read_money(values, "paid", CURRENCY)
    refunded = read_money(values, "refunded", CURRENCY, signed=True)
    total = read_money(values, "total", CURRENCY)
    if paid is None and total is None:
        raise InvalidInput(both("The row has no amount.", "这一行没有金额。"))
    paid = paid or 0
    return paid, abs(refunded or 0), paid + abs(refunded or 0) if total is None else total


def _lines(values: Values, total: int) -> tuple[Line, ...]:
    """One line for all that was bought: the report does not tell its goods apart."""
    title = read_text(values, "title", 1000)
    if title is None:
        return ()
    kinds, pieces = (read_text(values, name, 12) for name in ("kinds", "pieces"))
    number = int(pieces) if pieces and pieces.isdigit() else 1
    if number < 1 or number > 100_000 or (kinds or "1") != "1" or total % number:
        return (Line(title=title[:300], quantity=1, price_minor=total),)
    return (Line(title=title[:300], quantity=number, price_minor=total // number),)


def _time(values: Values, name: str, reading: Reading) -> int | None:
    return read_instant_of(values, name, reading)
