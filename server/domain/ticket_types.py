"""The types of ticket: what each asks for, whose desk it is, and what the shopper reads.

A type is data: those here come with the program, a shop changes them and adds its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Literal  # Any: JSON values

from server.domain.errors import InvalidInput
from server.domain.text import clean

FieldKind = Literal["text", "long", "choice", "number", "money", "date", "sku", "line"]
FIELD_KINDS: tuple[FieldKind, ...] = (
    "text",
    "long",
    "choice",
    "number",
    "money",
    "date",
    "sku",
    "line",
)
Words = tuple[str, str]
MAX_FIELDS = 20
MAX_CHOICES = 30
MAX_TEXT = 300
MAX_LONG = 2000
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True)
class TypeField:
    """One thing that a type asks for; ``words`` are its name in English and Chinese.

    ``choices`` pairs each value with its words. A ``line`` is a line of one of the shopper's
    orders, ``sku`` a product of the shop, ``date`` a day as 2026-11-22.
    """

    key: str
    kind: FieldKind
    words: Words
    choices: tuple[tuple[str, Words], ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True)
class TicketType:
    """A type; ``shown`` has the words, by state, that a shopper reads instead of the usual ones.

    ``team_id`` is whose desk a new ticket of it goes to, ``priority`` how urgent it is at first.
    """

    id: str
    words: Words
    fields: tuple[TypeField, ...] = ()
    team_id: str | None = None
    priority: str = "normal"
    shown: Mapping[str, Words] = field(default_factory=dict)
    active: bool = True
    position: int = 0
    shipped: bool = True
    # Whether shoppers may choose it themselves, as in their portal.
    for_shoppers: bool = False

    def field_of(self, key: str) -> TypeField | None:
        """The field of this name, or None."""
        return next((one for one in self.fields if one.key == key), None)


# What a shopper reads of a state unless type or shop say otherwise.
SHOWN: Mapping[str, Words] = {
    "new": ("Received", "已收到"),
    "open": ("In progress", "处理中"),
    "pending_customer": ("Waiting for your answer", "等待您的回复"),
    # Whom we wait for is our business; for the shopper it goes on.
    "on_hold": ("In progress", "处理中"),
    "resolved": ("Solved", "已解决"),
    "closed": ("Closed", "已关闭"),
    "merged": ("Continued in another request", "已并入另一请求"),
    "spam": ("Closed", "已关闭"),
}

_LINE = TypeField("line", "line", ("Order line", "订单商品"))
_SKU = TypeField("sku", "sku", ("SKU", "SKU"))
_QUANTITY = TypeField("quantity", "number", ("Quantity", "数量"))
_REASONS: tuple[tuple[str, Words], ...] = (
    ("not_as_described", ("Not as described", "与描述不符")),
    ("damaged", ("Arrived damaged", "到货破损")),
    ("wrong_item", ("Wrong item", "发错货")),
    ("size", ("Size or fit", "尺码不合")),
    ("quality", ("Quality", "质量问题")),
    ("changed_mind", ("Changed mind", "不想要了")),
    ("other", ("Other", "其他")),
)
_REASON = TypeField("reason", "choice", ("Reason", "原因"), _REASONS)
_DEFECTS: tuple[tuple[str, Words], ...] = (
    ("broken", ("Broken", "损坏")),
    ("does_not_work", ("Does not work", "无法使用")),
    ("part_missing", ("Part missing", "缺少配件")),
    ("colour", ("Colour or print", "颜色或印刷")),
    ("smell", ("Smell or stain", "异味或污渍")),
    ("unsafe", ("Unsafe", "存在安全隐患")),
    ("other", ("Other", "其他")),
)
_DELIVERY: tuple[tuple[str, Words], ...] = (
    ("late", ("Late", "延误")),
    ("lost", ("Lost", "丢失")),
    ("damaged", ("Damaged on the way", "运输破损")),
    ("not_received", ("Shown as delivered, not received", "显示签收但未收到")),
    ("address", ("Wrong address", "地址有误")),
    ("part_missing", ("Something missing", "少件")),
)
_OUTCOMES: tuple[tuple[str, Words], ...] = (
    ("satisfied", ("Satisfied", "满意")),
    ("problem", ("Has a problem", "有问题")),
    ("not_reached", ("Not reached", "未接通")),
    ("refused", ("Does not want calls", "拒绝回访")),
)

TYPES: tuple[TicketType, ...] = (
    TicketType("question", ("Question", "咨询"), for_shoppers=True),
    TicketType(
        "complaint",
        ("Complaint", "投诉"),
        (
            TypeField(
                "about",
                "choice",
                ("About", "投诉对象"),
                (
                    ("product", ("Product", "商品")),
                    ("delivery", ("Delivery", "物流")),
                    ("service", ("Service", "服务")),
                    ("price", ("Price", "价格")),
                    ("other", ("Other", "其他")),
                ),
            ),
            TypeField("wish", "text", ("What they want", "诉求")),
        ),
        priority="high",
        for_shoppers=True,
    ),
    TicketType("return", ("Return", "退货"), (_LINE, _QUANTITY, _REASON), for_shoppers=True),
    TicketType(
        "exchange",
        ("Exchange", "换货"),
        (_LINE, _QUANTITY, _REASON, TypeField("wanted", "sku", ("Wanted instead", "换成"))),
        for_shoppers=True,
    ),
    TicketType(
        "repair",
        ("Repair", "维修"),
        (
            _LINE,
            _SKU,
            TypeField("serial", "text", ("Serial number", "序列号")),
            TypeField("fault", "long", ("Fault", "故障描述")),
        ),
        for_shoppers=True,
    ),
    TicketType(
        "refund",
        ("Refund request", "退款申请"),
        (_LINE, TypeField("amount", "money", ("Amount", "金额")), _REASON),
        for_shoppers=True,
    ),
    TicketType(
        "cancel", ("Cancellation", "取消订单"), (_LINE, _QUANTITY, _REASON), for_shoppers=True
    ),
    TicketType(
        "delivery",
        ("Delivery problem", "物流问题"),
        (
            TypeField("problem", "choice", ("Problem", "问题"), _DELIVERY),
            TypeField("tracking", "text", ("Tracking number", "运单号")),
        ),
        for_shoppers=True,
    ),
    TicketType(
        "defect",
        ("Product defect", "产品缺陷"),
        (
            replace(_SKU, required=True),
            TypeField("batch", "text", ("Batch", "批次")),
            TypeField("defect", "choice", ("Defect", "缺陷代码"), _DEFECTS, required=True),
            _LINE,
        ),
        priority="high",
    ),
    TicketType(
        "price",
        ("Price inquiry", "询价"),
        (
            _SKU,
            _QUANTITY,
            TypeField("quote", "money", ("Quote", "报价")),
            TypeField("valid_until", "date", ("Valid until", "有效期至")),
        ),
        for_shoppers=True,
    ),
    TicketType(
        "visit",
        ("Field visit", "上门服务"),
        (
            TypeField("address", "long", ("Address", "地址")),
            TypeField("day", "date", ("Day", "日期")),
            TypeField("slot", "text", ("Time slot", "时间段")),
            TypeField("technician", "text", ("Technician", "上门人员")),
            TypeField("result", "long", ("Result", "结果")),
        ),
    ),
    TicketType(
        "follow_up",
        ("Follow-up call", "回访"),
        (
            TypeField("day", "date", ("Day", "日期")),
            TypeField("outcome", "choice", ("Outcome", "回访结果"), _OUTCOMES),
            TypeField("remarks", "long", ("Remarks", "备注")),
        ),
    ),
    TicketType("other", ("Other", "其他"), for_shoppers=True),
)
BY_ID: Mapping[str, TicketType] = {one.id: one for one in TYPES}


def read_fields(
    kind: TicketType, given: Mapping[str, object], *, complete: bool = False
) -> dict[str, Any]:  # Any: JSON values
    """The values as they are kept, text and numbers only; an empty one is None.

    With ``complete`` what is required must be there. Raises InvalidInput that names the field.
    """
    found: dict[str, Any] = {}  # Any: JSON values
    for key, value in given.items():
        wanted = kind.field_of(key)
        if wanted is None:
            raise InvalidInput(f"This type has no field {key[:40]!r}.", field=f"fields.{key[:40]}")
        found[key] = _value(wanted, value)
    if complete:
        for one in kind.fields:
            if one.required and found.get(one.key) is None:
                raise InvalidInput(f"{one.words[0]} is missing.", field=f"fields.{one.key}")
    return found


def _value(wanted: TypeField, value: object) -> object:
    where = f"fields.{wanted.key}"
    if value is None or value == "":
        return None
    if wanted.kind == "number":
        return _number(value, wanted, where)
    if wanted.kind == "money" and isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise InvalidInput(f"{wanted.words[0]} must be text.", field=where)
    limit = MAX_LONG if wanted.kind == "long" else MAX_TEXT
    text = clean(value, limit=limit, name=where, empty=True)
    if not text:
        return None
    if wanted.kind == "choice" and text not in {key for key, _ in wanted.choices}:
        raise InvalidInput(f"{wanted.words[0]} has no such choice.", field=where)
    if wanted.kind == "money":
        return _money(text, wanted, where)
    return _day(text, wanted, where) if wanted.kind == "date" else text


def _number(value: object, wanted: TypeField, where: str) -> int:
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 10**9:
        raise InvalidInput(f"{wanted.words[0]} must be a whole number.", field=where)
    return value


def _day(text: str, wanted: TypeField, where: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise InvalidInput(
            f"{wanted.words[0]} must be a day like 2026-11-22.", field=where
        ) from None


def _money(text: str, wanted: TypeField, where: str) -> str:
    """An amount in the shop's currency as a plain decimal."""
    try:
        amount = Decimal(text.replace(",", ""))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not 0 <= amount < 10**12 or -int(amount.as_tuple().exponent) > 4:
        raise InvalidInput(f"{wanted.words[0]} must be an amount like 12.50.", field=where)
    return f"{amount:f}"


def to_json(kind: TicketType) -> dict[str, Any]:  # Any: JSON values
    """A type as it is stored and as programs see it."""
    return {
        "id": kind.id,
        "name": {"en": kind.words[0], "zh": kind.words[1]},
        "fields": [
            {
                "key": one.key,
                "kind": one.kind,
                "name": {"en": one.words[0], "zh": one.words[1]},
                "required": one.required,
                "choices": [
                    {"value": value, "name": {"en": words[0], "zh": words[1]}}
                    for value, words in one.choices
                ],
            }
            for one in kind.fields
        ],
        "team_id": kind.team_id,
        "priority": kind.priority,
        "shown": {
            state: {"en": words[0], "zh": words[1]} for state, words in sorted(kind.shown.items())
        },
        "for_shoppers": kind.for_shoppers,
    }


def from_json(
    values: Mapping[str, Any],  # Any: JSON values
    *,
    active: bool = True,
    position: int = 0,
) -> TicketType:
    """The type that ``to_json`` wrote. Raises KeyError for what it did not write."""

    def words(of: Mapping[str, str]) -> Words:
        return of["en"], of["zh"]

    return TicketType(
        id=values["id"],
        words=words(values["name"]),
        fields=tuple(
            TypeField(
                key=one["key"],
                kind=one["kind"],
                words=words(one["name"]),
                choices=tuple((c["value"], words(c["name"])) for c in one["choices"]),
                required=one["required"],
            )
            for one in values["fields"]
        ),
        team_id=values["team_id"],
        priority=values["priority"],
        shown={state: words(of) for state, of in values["shown"].items()},
        active=active,
        position=position,
        shipped=values["id"] in BY_ID,
        for_shoppers=values["for_shoppers"],
    )


def is_key(text: str) -> bool:
    """True for what may name a type or a field: small letters, digits and underscores."""
    return _KEY.fullmatch(text) is not None
