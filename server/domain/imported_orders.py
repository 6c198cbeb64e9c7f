"""Rows of files with orders and products, checked key by key, or the reason why not.

As in ``imported``, a reason is one sentence in English and the same in Chinese.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from server.domain.errors import InvalidInput
from server.domain.imported import both, read_flag, read_instant, read_key, read_text
from server.domain.money import digits, to_minor
from server.domain.shop_data import Line, Order, ShopCart, ShopProduct
from server.domain.spans import DAY_MS

MAX_LINES = 500
# The contract's name of a column, and what shops' own files call it.
ORDER_COLUMNS: dict[str, tuple[str, ...]] = {
    "order_id": ("id", "order_number", "order_no", "order", "订单编号", "订单号", "订单id", "单号"),
    "customer_id": (
        "user_id",
        "customer_number",
        "buyer_id",
        "客户编号",
        "客户id",
        "客户号",
        "会员编号",
        "会员id",
        "会员号",
        "用户编号",
        "用户id",
        "买家id",
        "买家会员名",
    ),
    "email": ("e_mail", "mail", "email_address", "邮箱", "电子邮箱", "电子邮件", "买家邮箱"),
    "phone": (
        "mobile",
        "tel",
        "telephone",
        "phone_number",
        "手机",
        "手机号",
        "手机号码",
        "电话",
        "联系电话",
        "联系手机",
        "收货人手机",
    ),
    "postcode": ("postal_code", "zip", "zip_code", "post_code", "邮编", "邮政编码"),
    "created_at": (
        "created",
        "order_date",
        "ordered_at",
        "placed_at",
        "date",
        "创建时间",
        "下单时间",
        "下单日期",
        "订单创建时间",
        "订单时间",
        "订单日期",
    ),
    "paid_at": (
        "paid_date",
        "payment_time",
        "paid_time",
        "付款时间",
        "支付时间",
        "付款日期",
        "订单付款时间",
    ),
    "cancelled_at": ("canceled_at", "cancelled_date", "取消时间", "订单取消时间", "关闭时间"),
    "shipped_at": ("shipped_date", "发货时间", "发货日期"),
    "promised_at": (
        "promised_date",
        "delivery_due",
        "estimated_delivery",
        "承诺送达时间",
        "预计送达时间",
        "预计送达",
    ),
    "delivered_at": ("delivered_date", "签收时间", "送达时间", "收货时间", "确认收货时间"),
    "tracking_url": ("tracking_link", "物流链接", "物流网址", "快递链接"),
    "tracking_number": ("tracking_no", "tracking", "物流单号", "快递单号", "运单号"),
    "carrier": ("shipping_company", "物流公司", "快递公司"),
    "currency": ("currency_code", "币种", "货币"),
    "total": (
        "total_price",
        "order_total",
        "total_amount",
        "amount",
        "实付金额",
        "实收金额",
        "支付金额",
        "付款金额",
        "总金额",
        "订单金额",
        "订单总额",
    ),
    "refunded": (
        "refund",
        "refund_amount",
        "refunded_amount",
        "total_refunded",
        "退款金额",
        "已退款",
        "退款",
    ),
    "refunded_at": ("refund_date", "refund_time", "退款时间", "退款日期"),
    "status": ("order_status", "state", "订单状态", "状态"),
    "test": ("is_test", "测试", "测试订单", "是否测试"),
    "coupon": ("coupon_code", "discount_code", "promo_code", "优惠券", "优惠码", "优惠券码"),
    "lines": ("line_items", "items", "商品明细"),
}
PRODUCT_COLUMNS: dict[str, tuple[str, ...]] = {
    "sku": (
        "sku_id",
        "id",
        "product_code",
        "item_code",
        "商品编码",
        "货号",
        "商家编码",
        "商品编号",
    ),
    "title": (
        "name",
        "product_name",
        "product_title",
        "标题",
        "商品名称",
        "商品标题",
        "名称",
        "宝贝标题",
    ),
    "category": ("product_type", "type", "分类", "类目", "商品分类", "商品类目"),
    "brand": ("vendor", "maker", "品牌", "商品品牌"),
    "price": ("unit_price", "sale_price", "价格", "售价", "单价", "商品价格"),
    "currency": ("currency_code", "币种", "货币"),
    "url": ("link", "product_url", "链接", "商品链接", "网址"),
    "image_url": ("image", "picture", "picture_url", "image_link", "图片", "图片链接", "主图"),
    "stock": ("quantity", "inventory", "stock_quantity", "库存", "库存数量"),
}
CART_COLUMNS: dict[str, tuple[str, ...]] = {
    "token": ("cart_token", "cart_id", "checkout_token"),
    "customer_id": ("user_id",),
    "email": ("mail",),
    "currency": ("currency_code",),
    "total": ("total_price", "amount"),
    "lines": ("line_items", "items"),
    "checkout_url": ("abandoned_checkout_url", "cart_url", "url"),
    "updated_at": ("updated", "changed_at"),
    "completed": ("ordered",),
}
# What files write for a state, and what it says of the order.
_STATUS_WORDS = {
    "pending": (
        "pending",
        "unpaid",
        "on_hold",
        "awaiting_payment",
        "待付款",
        "未付款",
        "待支付",
        "未支付",
        "等待付款",
        "等待买家付款",
    ),
    "paid": (
        "paid",
        "processing",
        "partially_paid",
        "authorized",
        "confirmed",
        "completed",
        "已付款",
        "已支付",
        "待发货",
        "处理中",
        "已完成",
        "完成",
        "交易成功",
        "成功",
        "买家已付款,等待卖家发货",
        "等待卖家发货",
    ),
    "shipped": (
        "shipped",
        "fulfilled",
        "sent",
        "in_transit",
        "dispatched",
        "已发货",
        "运输中",
        "待收货",
        "卖家已发货,等待买家确认",
        "等待买家确认收货",
    ),
    "delivered": ("delivered", "received", "已签收", "已收货", "已送达"),
    "cancelled": (
        "cancelled",
        "canceled",
        "voided",
        "failed",
        "trash",
        "已取消",
        "取消",
        "已关闭",
        "交易关闭",
        "关闭",
        "交易失败",
    ),
    "refunded": ("refunded", "returned", "已退款", "全额退款", "退款成功", "已退货"),
}
_STATUSES = {word: status for status, words in _STATUS_WORDS.items() for word in words}
_SIGNS = re.compile(r"[\s¥￥$€£₩₹]|元|RMB|CNY|USD|EUR|GBP", re.IGNORECASE)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?:\D|$))")
_COMMA_END = re.compile(r"-?\d+,\d{1,2}")
_PLAIN_AMOUNT = re.compile(r"-?\d{1,15}(\.\d{1,20})?")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a row of a shop's file needs to be understood.

    ``unpaid_blank`` says that the file tells payments apart: a row without a time of payment was
    not paid. ``now_ms`` is when the file is read; nothing in it can have been ordered much later.
    """

    tz: ZoneInfo
    currency: str
    now_ms: int
    unpaid_blank: bool = False


def read_order(values: Mapping[str, object], reading: Reading) -> Order:
    """The order of a row by the contract's names. Raises InvalidInput, in both languages."""
    order_id = read_key(values, "order_id")
    currency = read_currency(values, reading.currency)
    total = read_money(values, "total", currency)
    created = read_instant_of(values, "created_at", reading)
    if total is None or created is None:
        name = "total" if total is None else "created_at"
        raise InvalidInput(both(f"{name} is missing.", f"缺少 {name}。"))
    if created > reading.now_ms + 2 * DAY_MS:
        raise InvalidInput(both("created_at lies in the future.", "created_at 是将来的时间。"))
    status = read_status(read_text(values, "status", 64))
    paid = read_instant_of(values, "paid_at", reading)
    if paid is None and status != "pending" and not (reading.unpaid_blank and status is None):
        paid = created
    cancelled = read_instant_of(values, "cancelled_at", reading)
    if status == "cancelled" and cancelled is None:
        cancelled = created
    refunded = read_money(values, "refunded", currency, signed=True)
    if refunded is None:
        refunded = total if status == "refunded" else 0
    if status is None:
        status = "pending" if paid is None else "paid"
    return Order(
        external_id=order_id,
        number=order_id,
        customer=read_id(values, "customer_id"),
        email=read_text(values, "email", 254),
        phone=read_text(values, "phone", 60),
        postcode=read_text(values, "postcode", 20),
        created_at_ms=created,
        paid_at_ms=paid,
        cancelled_at_ms=cancelled,
        shipped_at_ms=read_instant_of(values, "shipped_at", reading),
        promised_at_ms=read_instant_of(values, "promised_at", reading),
        delivered_at_ms=read_instant_of(values, "delivered_at", reading),
        refunded_at_ms=read_instant_of(values, "refunded_at", reading),
        currency=currency,
        total_minor=total,
        refunded_minor=abs(refunded),
        status=status,
        carrier=read_text(values, "carrier", 80),
        tracking_number=read_text(values, "tracking_number", 80),
        tracking_url=read_url(values, "tracking_url"),
        coupon=read_text(values, "coupon", 80),
        test=read_flag(values, "test") or False,
        lines=_lines(values.get("lines"), currency),
    )


def read_product(values: Mapping[str, object], reading: Reading) -> ShopProduct:
    """The product of a row by the contract's names. Raises InvalidInput, in both languages."""
    sku = read_key(values, "sku")
    title = read_text(values, "title", 300)
    if title is None:
        raise InvalidInput(both("title is missing.", "缺少 title。"))
    currency = read_currency(values, reading.currency)
    return ShopProduct(
        sku=sku,
        title=title,
        category=read_text(values, "category", 200),
        brand=read_text(values, "brand", 200),
        price_minor=read_money(values, "price", currency),
        currency=currency,
        url=read_url(values, "url"),
        image_url=read_url(values, "image_url"),
        stock=_whole(values, "stock"),
    )


def read_cart(values: Mapping[str, object], reading: Reading) -> ShopCart:
    """The cart of a row. Raises InvalidInput, in both languages."""
    token = read_key(values, "token")
    currency = read_currency(values, reading.currency)
    total = read_money(values, "total", currency)
    lines = _lines(values.get("lines"), currency)
    updated = read_instant_of(values, "updated_at", reading)
    return ShopCart(
        token=token,
        currency=currency,
        total_minor=sum(one.price_minor * one.quantity for one in lines)
        if total is None
        else total,
        lines=lines,
        updated_at_ms=reading.now_ms if updated is None else min(updated, reading.now_ms),
        customer=read_id(values, "customer_id"),
        email=read_text(values, "email", 254),
        checkout_url=read_url(values, "checkout_url"),
        completed=read_flag(values, "completed") or False,
    )


def read_status(text: str | None) -> str | None:
    """What a state of a file means here, None for a word that says nothing of the order.

    >>> read_status("Partially Paid"), read_status("交易关闭"), read_status("express")
    ('paid', 'cancelled', None)
    """
    if text is None:
        return None
    word = unicodedata.normalize("NFKC", text).strip().lower()
    return _STATUSES.get(re.sub(r"[\s\-]+", "_", word), _STATUSES.get(word))


def read_currency(values: Mapping[str, object], default: str) -> str:
    """The code of a row's currency. Raises InvalidInput for what is no code."""
    text = read_text(values, "currency", 16)
    if text is None:
        return default
    code = _CURRENCY_WORDS.get(text, text.upper())
    if not (len(code) == 3 and code.isascii() and code.isalpha()):
        raise InvalidInput(
            both("currency must be a code such as EUR.", "currency 必须是货币代码，例如 CNY。")
        )
    return code


def read_money(
    values: Mapping[str, object], name: str, currency: str, *, signed: bool = False
) -> int | None:
    """An amount in the smallest unit, None when it is absent. Raises InvalidInput.

    Signs of currencies and commas between thousands are left aside, a comma before one or two last
    digits is a decimal one.
    """
    given = values.get(name)
    if given is None or given == "":
        return None
    text = "?" if isinstance(given, bool | list | dict) else str(given)
    try:
        minor = to_minor(_amount(text), currency)
    except InvalidInput:
        raise InvalidInput(both(f"{name} is no amount of money.", f"{name} 不是金额。")) from None
    if minor < 0 and not signed:
        raise InvalidInput(both(f"{name} is less than nothing.", f"{name} 不能为负数。"))
    return minor


def read_id(values: Mapping[str, object], name: str) -> str | None:
    """An id that may be absent; one that a platform has masked names nobody."""
    if values.get(name) is None:
        return None
    text = read_text(values, name, 200)
    if text is None or "*" in text:
        return None
    return read_key(values, name)


def read_url(values: Mapping[str, object], name: str) -> str | None:
    """A web address. Raises InvalidInput for another sort."""
    text = read_text(values, name, 2000)
    if text is None:
        return None
    if not re.match(r"https?://[^\s/]", text, re.IGNORECASE):
        raise InvalidInput(
            both(f"{name} must begin with http:// or https://.", f"{name} 必须以 http(s):// 开头。")
        )
    return text


_CURRENCY_WORDS = {"人民币": "CNY", "元": "CNY", "美元": "USD", "欧元": "EUR", "英镑": "GBP"} | {
    "日元": "JPY",
    "港币": "HKD",
    "¥": "CNY",
    "￥": "CNY",
    "$": "USD",
    "€": "EUR",
    "£": "GBP",
    "RMB": "CNY",
    "rmb": "CNY",
}


def _amount(text: str) -> str:
    if _PLAIN_AMOUNT.fullmatch(text):
        return text
    quoted = re.fullmatch(r'\s*="(.*)"\s*', text)
    if quoted:
        text = quoted[1]
    text = _SIGNS.sub("", unicodedata.normalize("NFKC", text))
    text = text.replace("−", "-")
    if text.startswith("(") and text.endswith(")"):
        text = f"-{text[1:-1]}"
    if _COMMA_END.fullmatch(text):
        text = text.replace(",", ".")
    text = _THOUSANDS.sub("", text)
    if not re.fullmatch(r"-?(\d{1,15}(\.\d*)?|\.\d+)(e[+-]?\d{1,2})?", text, re.IGNORECASE):
        raise InvalidInput("no amount")
    return text


def read_instant_of(values: Mapping[str, object], name: str, reading: Reading) -> int | None:
    """The instant in a cell, None when it is absent. Raises InvalidInput."""
    if values.get(name) is None:
        return None
    text = read_text(values, name, 64)
    return None if text is None else read_instant(text, name, reading.tz)


def _whole(values: Mapping[str, object], name: str) -> int | None:
    given = values.get(name)
    if given is None or given == "":
        return None
    text = "?" if isinstance(given, bool | list | dict) else str(given).replace(",", "").strip()
    if not re.fullmatch(r"-?\d{1,9}(\.0*)?", text):
        raise InvalidInput(both(f"{name} must be a whole number.", f"{name} 必须是整数。"))
    return int(text.partition(".")[0])


def _lines(value: object, currency: str) -> tuple[Line, ...]:
    if value is None or value == "":
        return ()
    if not isinstance(value, list) or len(value) > MAX_LINES:
        raise InvalidInput(
            both(
                f"lines must be a list of at most {MAX_LINES} lines.",
                f"lines 必须是最多 {MAX_LINES} 行的列表。",
            )
        )
    return tuple(_line(one, currency) for one in value)


def _line(value: object, currency: str) -> Line:
    if not isinstance(value, dict):
        raise InvalidInput(both("A line must be an object.", "lines 中的每一行必须是对象。"))
    sku = read_id(value, "sku")
    quantity = _whole(value, "quantity")
    price = read_money(value, "price", currency)
    if quantity is None or quantity < 0 or price is None:
        raise InvalidInput(
            both("A line needs quantity and price.", "lines 中的每一行需要 quantity 和 price。")
        )
    return Line(
        sku=sku,
        product_id=read_id(value, "product_id"),
        title=read_text(value, "title", 300) or sku or "–",
        category=read_text(value, "category", 200),
        brand=read_text(value, "brand", 200),
        quantity=quantity,
        price_minor=price,
        discount_minor=read_money(value, "discount", currency),
        refunded_quantity=min(_whole(value, "refunded_quantity") or 0, quantity),
    )


def shown(minor: int, currency: str) -> str:
    """An amount as a decimal number, such as 12.30.

    >>> shown(1230, "EUR"), shown(-5, "EUR"), shown(980, "JPY")
    ('12.30', '-0.05', '980')
    """
    places = digits(currency)
    if not places:
        return str(minor)
    sign, text = ("-" if minor < 0 else ""), str(abs(minor)).zfill(places + 1)
    return f"{sign}{text[:-places]}.{text[-places:]}"
