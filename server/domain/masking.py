"""Personal data as it is shown while nobody needs it whole, or while it is not proven."""

from __future__ import annotations

import re

from server.domain.actors import Actor

# Who wrote it down: the shopper in the widget, or staff in their name. Nobody vouches for it.
TYPED = frozenset({"widget", "agent"})
_STARS = "****"


def mask_email(value: str) -> str:
    """An address that only who knows it recognises: its first letter.

    The host is left out too: a company's or a person's own says who it is.

    >>> mask_email("anna.k@example.com"), mask_email("王@例子.cn")
    ('a***@…', '王***@…')
    """
    first = value.strip()[:1]
    return f"{first if first not in ('', '@') else ''}***@…"


def mask_phone(value: str) -> str:
    """A number that only who knows it recognises: its beginning and its last four digits.

    The code of China is left out, as nobody there writes it; of a short number two digits are left.

    >>> mask_phone("+8613800138000"), mask_phone("138-0013-8000"), mask_phone("+447911123456")
    ('138****8000', '138****8000', '+447****3456')
    >>> mask_phone("0571 8888"), mask_phone("110"), mask_phone("no number")
    ('****8888', '****10', '****')
    """
    digits = re.sub(r"\D", "", value)
    mobile = re.fullmatch(r"(?:86|0086)?(1\d{10})", digits)
    if mobile:
        digits = mobile[1]
        return f"{digits[:3]}{_STARS}{digits[-4:]}"
    if len(digits) < 3:
        return _STARS
    if len(digits) < 8:
        return f"{_STARS}{digits[-2:]}"
    if len(digits) < 11:
        return f"{_STARS}{digits[-4:]}"
    plus = "+" if value.strip().startswith("+") else ""
    return f"{plus}{digits[:3]}{_STARS}{digits[-4:]}"


def mask_name(value: str) -> str:
    """A name of which only the first letter is left.

    >>> mask_name("Anna Keller"), mask_name("林悦"), mask_name("")
    ('A***', '林**', '')
    """
    first = value.strip()[:1]
    if not first:
        return ""
    return f"{first}**" if ord(first) > 0x2E7F else f"{first}***"


def mask_contact(kind: str, value: str) -> str:
    """An e-mail address or a telephone number (``kind`` email or phone), masked."""
    return mask_email(value) if kind == "email" else mask_phone(value)


def shown(actor: Actor, kind: str, value: str, *, level: str, source: str) -> str:
    """A contact as a person of the shop is shown it.

    Agents have every one masked, and look at one when they need it, which is logged. Supervisors
    and admins have what was proved or told by the shop; what was only typed is masked for all.
    """
    told = level == "verified" or source not in TYPED
    return value if actor.leads and told else mask_contact(kind, value)
