"""Setting up the shop and changing its settings."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection
from dataclasses import replace
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from server.actions.people import LOCALES, add_person
from server.domain.actors import SYSTEM, Actor
from server.domain.errors import Conflict, InvalidInput, NotFound
from server.domain.permissions import require
from server.domain.text import clean
from server.storage.people import anyone_can_sign_in
from server.storage.shop import Shop, insert_shop, load_shop, update_shop
from server.storage.unit import Tx

MAX_ORIGINS = 50
MAX_SECRET_CHARS = 512
_CURRENCY = re.compile("[A-Z]{3}")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def init_shop(
    tx: Tx, actor: Actor = SYSTEM, *, name: str, locale: str, timezone: str, currency: str
) -> str:
    """The site key of a new shop. Raises Conflict when this database has one."""
    _manage(actor)
    if load_shop(tx.connection) is not None:
        raise Conflict("This database has a shop already.", reason="shop_exists")
    shop = Shop(
        name=_name(name),
        locale=normal_locale(locale),
        timezone=normal_timezone(timezone),
        currency=normal_currency(currency),
        site_key=secrets.token_hex(12),
    )
    insert_shop(tx, shop)
    return shop.site_key


def set_up(
    tx: Tx,
    *,
    shop: str,
    locale: str,
    timezone: str,
    currency: str,
    name: str,
    email: str,
    password_hash: str,
) -> str:
    """The id of the first admin, with the shop created where it is missing.

    Raises Conflict as soon as anybody can sign in: this is for the first run only.
    """
    if anyone_can_sign_in(tx.connection):
        raise Conflict("This shop is set up already. Sign in.", reason="set_up")
    if load_shop(tx.connection) is None:
        init_shop(tx, name=shop, locale=locale, timezone=timezone, currency=currency)
    return add_person(
        tx,
        SYSTEM,
        email=email,
        name=name,
        role="admin",
        password_hash=password_hash,
        locale=locale,
        languages=[locale],
    )


def change_shop(
    tx: Tx, actor: Actor, *, name: str, locale: str, timezone: str, currency: str
) -> None:
    """Changes name, language, time zone and currency of the shop."""
    _manage(actor)
    changed = replace(
        _shop(tx),
        name=_name(name),
        locale=normal_locale(locale),
        timezone=normal_timezone(timezone),
        currency=normal_currency(currency),
    )
    update_shop(tx, changed)


def set_site(
    tx: Tx,
    actor: Actor,
    *,
    origins: Collection[str] | None = None,
    identity_secret: str | None = None,
    drop_old_secret: bool = False,
) -> None:
    """Changes the allowed origins, the identity secret, or both; None leaves one as it is.

    No origins means that any page may embed the widget. What the former secret signs goes on being
    believed, so that the shop's servers can change it in peace, until ``drop_old_secret``.
    """
    _manage(actor)
    shop = _shop(tx)
    if origins is not None:
        shop = replace(shop, origins=normal_origins(origins))
    if identity_secret is not None:
        secret = _secret(identity_secret)
        if secret != shop.identity_secret:
            shop = replace(shop, identity_secret=secret, old_identity_secret=shop.identity_secret)
    if drop_old_secret:
        shop = replace(shop, old_identity_secret=None)
    update_shop(tx, shop)


def rotate_identity_secret(tx: Tx, actor: Actor) -> str:
    """A new identity secret, shown this once; the one before it is good until it is ended."""
    secret = secrets.token_urlsafe(32)
    set_site(tx, actor, identity_secret=secret)
    return secret


def normal_origin(origin: str) -> str:
    """A page origin as browsers send it: scheme, host and a port other than the scheme's own.

    >>> normal_origin("HTTPS://Shop.Example:443/")
    'https://shop.example'

    Raises InvalidInput for anything with a path, user, query or another scheme.
    """
    wrong = InvalidInput(
        "An origin is a scheme, a host and perhaps a port: https://shop.example",
        field="origins",
        reason="origin_invalid",
    )
    try:
        parts = urlsplit(clean(origin, limit=300, name="origins"))
        host, port = parts.hostname or "", parts.port
        if ":" not in host:
            host = host.encode("idna").decode()
    except ValueError:  # no number as port, a broken bracket, a label that IDNA refuses
        raise wrong from None
    plain = not (parts.query or parts.fragment or "@" in parts.netloc or parts.path.strip("/"))
    if parts.scheme not in _DEFAULT_PORTS or not plain or not re.fullmatch(r"[\w.:-]+", host):
        raise wrong
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (
        "" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}"
    )


def normal_origins(origins: Collection[str]) -> tuple[str, ...]:
    """Distinct origins in the order given. Raises InvalidInput for a wrong one or too many."""
    if len(origins) > MAX_ORIGINS:
        raise InvalidInput(
            f"At most {MAX_ORIGINS} origins.", field="origins", reason="origin_invalid"
        )
    return tuple(dict.fromkeys(normal_origin(origin) for origin in origins))


def normal_timezone(name: str) -> str:
    """A time zone of the IANA list. Raises InvalidInput for another."""
    name = name.strip()
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of the list
        raise InvalidInput(
            "This is no time zone of the IANA list, such as Asia/Shanghai.",
            field="timezone",
            reason="timezone_invalid",
        ) from None
    return name


def normal_currency(code: str) -> str:
    """A currency code of three capital letters (ISO 4217). Raises InvalidInput for another."""
    code = code.strip().upper()
    if not _CURRENCY.fullmatch(code):
        raise InvalidInput(
            "A currency is three letters, such as CNY.", field="currency", reason="currency_invalid"
        )
    return code


def normal_locale(locale: str) -> str:
    """A language that Shopbell speaks. Raises InvalidInput for another."""
    if locale not in LOCALES:
        raise InvalidInput(f"A language is one of {', '.join(LOCALES)}.", field="locale")
    return locale


def _manage(actor: Actor) -> None:
    if actor.kind != SYSTEM.kind:
        require(actor, "shop.manage")


def _shop(tx: Tx) -> Shop:
    shop = load_shop(tx.connection)
    if shop is None:
        raise NotFound("There is no shop yet: create one with `shopbell init`.")
    return shop


def _name(name: str) -> str:
    return " ".join(clean(name, limit=100, name="shop").split())


def _secret(secret: str) -> str:
    secret = secret.strip()
    if not secret or len(secret) > MAX_SECRET_CHARS:
        raise InvalidInput(
            f"An identity secret has 1 to {MAX_SECRET_CHARS} characters.", field="identity_secret"
        )
    return secret
