"""E-mail addresses and telephone numbers: what equal ones share, and what is no such thing."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib.resources import files

import phonenumbers
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

_MAX_EMAIL = 254
_MAX_PHONE = 200
_SEPARATORS = re.compile(r"[;,/、；，／|\n]")
# What most addresses look like: they are their own key, and need not take the long way, which
# costs a hundred times as much and a fifth of the time of an import of orders.
_PLAIN_EMAIL = re.compile(
    r"(?=.{1,64}@)[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@"
    r"(?:(?!.{2}--)[a-z0-9](?:[a-z0-9-]{0,60}[a-z0-9])?\.)+[a-z]{2,60}",
    re.ASCII,
)
_NO_HOSTS = frozenset(SPECIAL_USE_DOMAIN_NAMES)
# Nobody in particular reads what is sent there, so it says nothing of who writes.
_ROLES = frozenset(
    {"abuse", "accounts", "admin", "administrator", "billing", "careers", "compliance", "contact"}
    | {"customerservice", "donotreply", "do-not-reply", "enquiries", "feedback", "finance", "help"}
    | {"hello", "hr", "info", "inquiries", "invoice", "invoices", "it", "jobs", "kefu", "legal"}
    | {"mail", "mailer-daemon", "marketing", "media", "news", "newsletter", "no-reply", "no_reply"}
    | {"noreply", "notifications", "office", "order", "orders", "postmaster", "press", "privacy"}
    | {"purchasing", "reception", "returns", "root", "sales", "security", "service", "services"}
    | {"shop", "spam", "staff", "support", "team", "test", "webmaster", "welcome"}
)


def email_key(value: str | None) -> str | None:
    """What equal addresses share; None for what is no address, masked or encrypted ones included.

    Dots and tags before the @ are kept: only the host knows whether they mean something.

    >>> email_key("ＪＯＨＮ.Doe@Example.COM")
    'john.doe@example.com'
    >>> email_key("a@xn--fiqs8s.cn") == email_key("a@中国.cn") is not None
    True
    >>> email_key("anna+shop@example.com"), email_key("a***@example.com"), email_key("anna@")
    ('anna+shop@example.com', None, None)
    """
    if value is None or len(value) > _MAX_EMAIL or "*" in value:
        return None
    address = unicodedata.normalize("NFKC", value).strip().lower()
    if _PLAIN_EMAIL.fullmatch(address) and address.rpartition(".")[2] not in _NO_HOSTS:
        return address
    try:
        found = validate_email(
            address,
            check_deliverability=False,
            test_environment=True,
        )
    except (EmailNotValidError, UnicodeError):
        return None
    local = unicodedata.normalize("NFKC", found.local_part).lower()
    return f"{local}@{found.ascii_domain.lower()}"


def is_role(key: str) -> bool:
    """True for an address of an office, which several people read (info@, no-reply@).

    >>> is_role("info@example.com"), is_role("no-reply+4@example.com"), is_role("anna@example.com")
    (True, True, False)
    """
    return key.partition("@")[0].partition("+")[0] in _ROLES


def phone_keys(value: str | None, region: str | None) -> tuple[str, ...]:
    """The numbers in a text, in E.164, each once; ``region`` is where those without a code are.

    What is masked, has letters or an extension is no number of a person.

    >>> phone_keys("13800138000;0086 139 0013 9000", "CN")
    ('+8613800138000', '+8613900139000')
    >>> phone_keys("138****8000", "CN"), phone_keys("555-555-BILL", "US")
    ((), ())
    """
    if value is None or len(value) > _MAX_PHONE:
        return ()
    parts = _SEPARATORS.split(unicodedata.normalize("NFKC", value))
    keys = (_phone_key(part.strip(), region) for part in parts)
    return tuple(dict.fromkeys(key for key in keys if key is not None))


def phone_region(timezone: str) -> str | None:
    """The country (ISO 3166) in which a time zone lies, None when it lies in none.

    >>> phone_region("Asia/Shanghai"), phone_region("Europe/London"), phone_region("UTC")
    ('CN', 'GB', None)
    """
    return _regions().get(timezone)


@cache
def _regions() -> dict[str, str]:
    """The country of each time zone, from the zone database's own table."""
    text = (files("tzdata") / "zoneinfo" / "zone.tab").read_text("utf-8")
    rows = (line.split("\t") for line in text.splitlines() if not line.startswith("#"))
    return {row[2]: row[0] for row in rows}


def _phone_key(part: str, region: str | None) -> str | None:
    if not part or re.search(r"[*]|[^\W\d_]", part):
        return None
    if part.startswith("00"):
        part = f"+{part[2:]}"
    try:
        number = phonenumbers.parse(part, region)
    except phonenumbers.NumberParseException:
        return None
    if number.extension or not phonenumbers.is_valid_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
