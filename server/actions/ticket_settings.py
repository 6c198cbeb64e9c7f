"""What the shop decides about tickets: types, own names of states, automatic closing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any  # Any: JSON values

from server.domain.actors import Actor
from server.domain.errors import Conflict, InvalidInput, NotFound
from server.domain.permissions import require
from server.domain.text import clean, whole_number
from server.domain.ticket import NAMED_STATES, PRIORITIES
from server.domain.ticket_closing import MAX_DAYS, Closing
from server.domain.ticket_types import (
    BY_ID,
    FIELD_KINDS,
    MAX_CHOICES,
    MAX_FIELDS,
    SHOWN,
    TicketType,
    TypeField,
    Words,
    is_key,
)
from server.storage import people, ticket_types
from server.storage.shop import load_shop, update_shop
from server.storage.ticket_types import Status, load_statuses, load_types
from server.storage.unit import Tx

MANAGE = "ticket.manage"
MAX_TYPES = 60
MAX_STATUSES = 40
MAX_NAME = 60
Texts = Mapping[str, str]


def save_type(tx: Tx, *, actor: Actor, type_id: str, texts: Texts, new: bool) -> None:
    """Keeps a type as a form describes it. Raises InvalidInput, Conflict, NotFound."""
    require(actor, MANAGE)
    known = load_types(tx.connection)
    if new:
        if not is_key(type_id):
            raise InvalidInput("Small letters, digits and underscores.", field="id")
        if type_id in known:
            raise Conflict("There is a type of this name already.", field="id")
        if len(known) >= MAX_TYPES:
            raise InvalidInput(f"At most {MAX_TYPES} types.", field="id", limit=MAX_TYPES)
    elif type_id not in known:
        raise NotFound("There is no such type.")
    team_id = texts.get("team") or None
    if team_id is not None and team_id not in {t.id for t in people.load_teams(tx.connection)}:
        raise InvalidInput("There is no such team.", field="team")
    priority = texts.get("priority") or "normal"
    if priority not in PRIORITIES:
        raise InvalidInput("There is no such priority.", field="priority")
    shown = {
        state: said
        for state in NAMED_STATES
        if (said := _both(texts, f"shown_{state}", required=False)) is not None
    }
    words = _both(texts, "name", required=True)
    assert words is not None  # required
    last = max((one.position for one in known.values()), default=0)
    kind = TicketType(
        id=type_id,
        words=words,
        fields=read_lines(texts.get("fields", "")),
        team_id=team_id,
        priority=priority,
        shown=shown,
        active=texts.get("active") == "1",
        position=last + 10 if new else known[type_id].position,
        for_shoppers=texts.get("for_shoppers") == "1",
    )
    ticket_types.save_type(tx, kind)


def restore_type(tx: Tx, *, actor: Actor, type_id: str) -> None:
    """Gives a shipped type back as it came. Raises NotFound for another."""
    require(actor, MANAGE)
    if type_id not in BY_ID:
        raise NotFound("There is no such type.")
    ticket_types.drop_type(tx, type_id)


def save_status(tx: Tx, *, actor: Actor, texts: Texts) -> None:
    """Keeps a new name for a state. Raises InvalidInput, Conflict."""
    require(actor, MANAGE)
    known = load_statuses(tx.connection)
    status_id = texts.get("id", "")
    if not is_key(status_id):
        raise InvalidInput("Small letters, digits and underscores.", field="status_id")
    if status_id in known:
        raise Conflict("There is a name like this already.", field="status_id")
    if len(known) >= MAX_STATUSES:
        raise InvalidInput(f"At most {MAX_STATUSES} names.", field="status_id", limit=MAX_STATUSES)
    if texts.get("state") not in NAMED_STATES:
        raise InvalidInput("There is no such state.", field="state")
    words = _both(texts, "name", required=True)
    assert words is not None  # required
    ticket_types.save_status(
        tx,
        Status(
            id=status_id,
            state=texts["state"],
            words=words,
            shown=_both(texts, "shown", required=False),
            position=len(known),
        ),
    )


def use_status(tx: Tx, *, actor: Actor, status_id: str, active: bool) -> None:
    """Takes a name of a state out of use, or in again; tickets that have it keep it."""
    require(actor, MANAGE)
    status = load_statuses(tx.connection).get(status_id)
    if status is None:
        raise NotFound("There is no such name of a state.")
    ticket_types.save_status(tx, replace(status, active=active))


def save_rules(tx: Tx, *, actor: Actor, closing: Closing, vip: bool) -> None:
    """Keeps the rules of automatic closing, and whether valued customers come first."""
    require(actor, MANAGE)
    shop = load_shop(tx.connection)
    if shop is None:
        raise NotFound("This shop is not set up yet.")
    values = {
        "on": closing.on,
        "remind_days": closing.remind_days,
        "resolve_days": closing.resolve_days,
        "close_days": closing.close_days,
    }
    update_shop(
        tx,
        replace(shop, settings=shop.settings | {"tickets": {"closing": values, "vip": vip}}),
    )


def read_rules(texts: Texts) -> Closing:
    """The rules as a form has them. Raises InvalidInput."""
    days: dict[str, int] = {}
    for name in ("remind_days", "resolve_days", "close_days"):
        number = whole_number(texts.get(name, ""))
        if number is None or not 1 <= number <= MAX_DAYS:
            raise InvalidInput(f"Between 1 and {MAX_DAYS} days.", field=name)
        days[name] = number
    if days["resolve_days"] <= days["remind_days"]:
        raise InvalidInput("The reminder comes first.", field="resolve_days")
    return Closing(on=texts.get("on") == "1", **days)


def read_lines(text: str) -> tuple[TypeField, ...]:
    """Fields from lines ``key | kind | English | Chinese | required``. Raises InvalidInput."""
    found: list[TypeField] = []
    for line in text.splitlines():
        if not line.strip():
            continue
        parts = [part.strip() for part in line.split("|")]
        if len(parts) not in (4, 5) or not is_key(parts[0]) or not parts[2] or not parts[3]:
            raise _wrong(line)
        kind, _, rest = parts[1].partition(" ")
        if kind not in FIELD_KINDS or parts[0] in {one.key for one in found}:
            raise _wrong(line)
        choices = _choices(rest, line) if kind == "choice" else ()
        found.append(
            TypeField(
                key=parts[0],
                kind=kind,
                words=(clean(parts[2], limit=MAX_NAME), clean(parts[3], limit=MAX_NAME)),
                choices=choices,
                required=len(parts) == 5 and parts[4] == "required",
            )
        )
    if len(found) > MAX_FIELDS:
        raise InvalidInput(f"At most {MAX_FIELDS} fields.", field="fields", limit=MAX_FIELDS)
    return tuple(found)


def lines_of(kind: TicketType) -> str:
    """The lines that ``read_lines`` reads back as the fields of a type."""
    lines = []
    for one in kind.fields:
        choices = ", ".join(f"{value}={en}={zh}" for value, (en, zh) in one.choices)
        parts = [one.key, f"{one.kind} {choices}".strip(), *one.words]
        lines.append(" | ".join([*parts, "required"] if one.required else parts))
    return "\n".join(lines)


def usual_words(state: str) -> Words:
    """What a shopper reads of a state where nobody has said otherwise."""
    return SHOWN[state]


def _choices(text: str, line: str) -> tuple[tuple[str, Words], ...]:
    found: list[tuple[str, Words]] = []
    for part in text.split(","):
        value, *words = (piece.strip() for piece in part.split("="))
        if not is_key(value) or len(words) != 2 or not all(words):
            raise _wrong(line)
        found.append((value, (clean(words[0], limit=MAX_NAME), clean(words[1], limit=MAX_NAME))))
    if len(found) > MAX_CHOICES:
        raise _wrong(line)
    return tuple(found)


def _both(texts: Texts, name: str, *, required: bool) -> Words | None:
    en = clean(texts.get(f"{name}_en", ""), limit=MAX_NAME, name=f"{name}_en", empty=not required)
    zh = clean(texts.get(f"{name}_zh", ""), limit=MAX_NAME, name=f"{name}_zh", empty=not required)
    if bool(en) != bool(zh):
        missing = f"{name}_zh" if en else f"{name}_en"
        raise InvalidInput("Say it in both languages.", field=missing, reason="both_languages")
    return (en, zh) if en else None


def _wrong(line: str) -> InvalidInput:
    values: dict[str, Any] = {"field": "fields", "reason": "ticket_fields"}  # Any: details
    return InvalidInput(f"This line is not understood: {line[:80]}", **values)
