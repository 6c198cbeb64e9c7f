"""A shopper's browser connects: known from before, new, or vouched for by the shop."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal  # Any: JSON values

import jwt
from pydantic import Field

from server.actions.access import access_customer
from server.actions.identity import Said, attach_session, note_contacts, note_signed
from server.actions.payload import Id, Payload
from server.domain import actors
from server.domain.actors import SYSTEM, Actor
from server.domain.errors import InvalidInput, NotAllowed
from server.domain.events import CustomerIdentified
from server.domain.masking import mask_contact
from server.domain.text import clean
from server.storage import contacts, customers, mails, secrets
from server.storage.customers import Customer
from server.storage.persons import members, person_of, shopper_rows
from server.storage.shop import Shop, load_shop
from server.storage.unit import Tx

MAX_IDENTITY_S = 15 * 60
LEEWAY_S = 30
VISITOR_PREFIX = "sv_"


class Connect(Payload):
    """What the widget shows when it connects."""

    site: Annotated[str, Field(max_length=100)]
    visitor_token: Annotated[str, Field(max_length=200)] | None = None
    identity: Annotated[str, Field(max_length=4000)] | None = None
    locale: Literal["zh", "en"] | None = None


class Describe(Payload):
    """What a shopper says of themselves; claimed, never proof of anything."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    locale: Literal["zh", "en"] | None = None


class UpdateCustomer(Payload):
    """What an agent corrects in a customer's data."""

    customer_id: Id
    name: str | None = None
    email: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """The claims of a signed identity that has passed every check."""

    sub: str
    jti: str
    expires_at_ms: int
    name: str | None
    email: str | None
    phone: str | None
    email_verified: bool = False
    phone_verified: bool = False

    @property
    def said(self) -> list[Said]:
        """The contacts that it names, and which of them the shop has proved."""
        email = Said("email", self.email, proved=self.email_verified) if self.email else None
        phone = Said("phone", self.phone, proved=self.phone_verified) if self.phone else None
        return [one for one in (email, phone) if one is not None]


def connect(tx: Tx, payload: Connect) -> dict[str, Any]:  # Any: JSON values
    """The shopper behind a connection: ``visitor_token`` (kept by the browser) and ``customer_id``.

    ``also`` are the rows of their browsers from before they signed in. Raises NotAllowed for a
    wrong site key or a token that another identity has used, InvalidInput for a signed identity
    that does not hold.
    """
    shop = load_shop(tx.connection)
    if shop is None or shop.site_key != payload.site:
        raise NotAllowed("This site key is not known. Check data-site in the embed code.")
    token = payload.visitor_token
    found = customers.customer_of_token(tx.connection, token, at_ms=tx.at_ms) if token else None
    customer = customers.load_customer(tx.connection, found, lock=True) if found else None
    if payload.identity is not None:
        identity = read_identity(payload.identity, shop, at_ms=tx.at_ms)
        return _identified(tx, payload, identity, customer, token if customer else None)
    if customer is None or token is None:
        return _anonymous(tx, payload)
    customers.touch_visitor_token(tx, token, customer_id=customer.id)
    if payload.locale and payload.locale != customer.locale:
        customers.change_customer(tx, customer.id, locale=payload.locale)
    return _answer(tx, token, customer.id)


def _answer(tx: Tx, token: str, customer_id: str) -> dict[str, Any]:  # Any: JSON values
    also = shopper_rows(tx.connection, customer_id)[1:]
    return {"visitor_token": token, "customer_id": customer_id, "also": list(also)}


def read_identity(token: str, shop: Shop, *, at_ms: int) -> Identity:
    """The claims of a signed identity (JWT, HS256). Raises InvalidInput with the reason.

    Signed with the secret of now or the one before it, so that a shop can change it in peace.
    """
    if not shop.identity_secret:
        raise InvalidInput("This shop has no identity secret.", reason="identity")
    claims = _claims(token, shop.identity_secret, shop)
    if claims is None and shop.old_identity_secret:
        claims = _claims(token, shop.old_identity_secret, shop)
    if claims is None:
        raise _does_not_hold()
    issued, expires = _seconds(claims["iat"]), _seconds(claims["exp"])
    now_s = at_ms / 1000
    if expires - issued > MAX_IDENTITY_S or issued > now_s + LEEWAY_S:
        raise InvalidInput("The signed identity lives too long.", reason="identity")
    if expires + LEEWAY_S < now_s:
        raise InvalidInput("The signed identity has expired.", reason="identity_expired")
    sub, jti = _claim(claims["sub"], limit=200), _claim(claims["jti"], limit=200)
    if sub is None or jti is None:
        raise _does_not_hold()
    return Identity(
        sub=sub,
        jti=jti,
        expires_at_ms=int(expires * 1000),
        name=_claim(claims.get("name"), limit=200),
        email=_claim(claims.get("email"), limit=254),
        phone=_claim(claims.get("phone"), limit=40),
        # Nothing but true is a proof: not "true", not 1.
        email_verified=claims.get("email_verified") is True,
        phone_verified=claims.get("phone_verified") is True,
    )


def _claims(token: str, secret: str, shop: Shop) -> dict[str, Any] | None:  # Any: JSON values
    """What a token says, all of it covered by the signature; None when that does not hold."""
    try:
        claims: dict[str, Any] = jwt.decode(  # Any: JSON values
            token,
            secret,
            algorithms=["HS256"],
            audience=shop.site_key,
            options={
                "require": ["sub", "iat", "exp", "aud", "jti"],
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
    except (jwt.PyJWTError, RecursionError):
        return None
    return claims


def describe(tx: Tx, actor: Actor, payload: Describe) -> dict[str, Any]:  # Any: JSON values
    """Keeps what a shopper says of themselves; verified data is not overwritten."""
    customer = access_customer(tx, actor, actor.id or "")
    values = _given(payload.name, payload.email, payload.phone)
    if customer.verified:
        values = {}
    elif values:
        _claimed(tx, actor, customer, values, source="widget")
    if payload.locale:
        values["locale"] = payload.locale
    if values:
        customers.change_customer(tx, customer.id, **values)
    return {"customer_id": customer.id}


def update_customer(tx: Tx, actor: Actor, payload: UpdateCustomer) -> dict[str, Any]:  # Any: JSON
    """An agent corrects name, e-mail or phone; what the shop has signed stays as signed."""
    customer = access_customer(tx, actor, payload.customer_id)
    values = _given(
        payload.name,
        _unless_masked("email", payload.email, customer.email),
        _unless_masked("phone", payload.phone, customer.phone),
    )
    if customer.verified and values:
        raise NotAllowed("This customer's data comes signed from the shop and is changed there.")
    if values:
        _claimed(tx, actor, customer, values, source="agent")
        customers.change_customer(tx, customer.id, **values)
    return {"customer_id": customer.id}


def _unless_masked(
    kind: Literal["email", "phone"], given: str | None, stored: str | None
) -> str | None:
    """None for what a form shows of a masked contact, as it says nothing new."""
    return None if given is not None and stored and given == mask_contact(kind, stored) else given


def _claimed(
    tx: Tx,
    actor: Actor,
    customer: Customer,
    values: dict[str, str | int | None],
    *,
    source: Literal["widget", "agent"],
) -> None:
    """Keeps and logs what was said of a customer; taking something back makes nobody known."""
    kinds: tuple[Literal["email", "phone"], ...] = ("email", "phone")
    for kind in kinds:
        if kind in values:
            contacts.forget_typed(tx, customer.id, kind, source)
            value = values[kind]
            if isinstance(value, str):
                note_contacts(tx, customer.id, [Said(kind, value)], source=source)
    said = tuple(sorted(name for name, value in values.items() if value is not None))
    if said:
        tx.record(
            actor,
            CustomerIdentified(method="claimed", fields=said),
            customer_id=customer.id,
        )
        values["identity"] = "claimed"


def _given(name: str | None, email: str | None, phone: str | None) -> dict[str, str | int | None]:
    values: dict[str, str | int | None] = {}
    if name is not None:
        values["name"] = clean(name, limit=200, name="name", empty=True) or None
    if email is not None:
        cleaned = clean(email, limit=254, name="email", empty=True)
        if cleaned and ("@" not in cleaned or " " in cleaned):
            raise InvalidInput("This is not an e-mail address.", field="email")
        values["email"] = cleaned or None
    if phone is not None:
        values["phone"] = clean(phone, limit=40, name="phone", empty=True) or None
    return values


def _does_not_hold() -> InvalidInput:
    return InvalidInput("The signed identity does not hold.", reason="identity")


def _seconds(value: object) -> float:
    """A time in a claim; JSON may hold booleans, infinities and numbers of any length."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 2**53:
        raise _does_not_hold()
    return value


def _claim(value: object, *, limit: int) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise _does_not_hold()
    try:
        return clean(value, limit=limit, name="identity", empty=True) or None
    except InvalidInput:
        raise _does_not_hold() from None


def _anonymous(tx: Tx, payload: Connect) -> dict[str, Any]:  # Any: JSON values
    token = secrets.new_token(VISITOR_PREFIX)
    customer = _new_customer(tx, payload)
    customers.add_customer(tx, customer)
    customers.add_visitor_token(tx, token, customer_id=customer.id)
    return {"visitor_token": token, "customer_id": customer.id, "also": []}


def _new_customer(tx: Tx, payload: Connect) -> Customer:
    return Customer(
        id=tx.new_id(),
        external_id=None,
        name=None,
        email=None,
        phone=None,
        locale=payload.locale,
        identity="anonymous",
        created_at_ms=tx.at_ms,
        seen_at_ms=tx.at_ms,
    )


def _identified(
    tx: Tx, payload: Connect, identity: Identity, current: Customer | None, token: str | None
) -> dict[str, Any]:  # Any: JSON values
    """A verified shopper: the one the shop knows by ``sub``, or the current one made known.

    What this browser wrote before it signed in goes with them; of another account that was signed
    in here before, nothing does. The browser's token changes with the identity, so a token from
    before opens nothing of it.
    """
    used_by = customers.identity_used_by(tx.connection, identity.jti)
    known = customers.customer_by_external_id(tx.connection, identity.sub)
    again = known is not None and current is not None and known.id == current.id == used_by
    if used_by is not None and not again:
        raise NotAllowed("This signed identity was used before.", reason="identity_used")
    values: dict[str, str | int | None] = {
        "identity": "verified",
        "seen_at_ms": tx.at_ms,
        **{k: v for k in ("name", "email", "phone") if (v := getattr(identity, k)) is not None},
        **({"locale": payload.locale} if payload.locale else {}),
    }
    if known is not None:
        customer = known
    elif current is not None and _may_become(tx, current):
        customer = current
        customers.name_account(tx, customer.id, identity.sub)
    else:
        customer = replace(_new_customer(tx, payload), external_id=identity.sub)
        customers.add_customer(tx, customer)
    customers.change_customer(tx, customer.id, **values)
    if used_by is None:
        customers.use_identity(
            tx, identity.jti, customer_id=customer.id, expires_at_ms=identity.expires_at_ms
        )
        tx.record(
            SYSTEM,
            CustomerIdentified(method="signed", fields=("external_id",)),
            customer_id=customer.id,
        )
    if token is not None and used_by is not None:
        customers.touch_visitor_token(tx, token, customer_id=customer.id)
        return _answer(tx, token, customer.id)
    if token is not None:
        # What the browser held before opens nothing any more, whoever it was.
        customers.drop_visitor_token(tx, token)
    if current is not None and current.id != customer.id and current.external_id is None:
        attach_session(tx, current, customer.id)
    if identity.said:
        note_signed(tx, customer.id, identity.said)
    fresh = secrets.new_token(VISITOR_PREFIX)
    customers.add_visitor_token(tx, fresh, customer_id=customer.id)
    return _answer(tx, fresh, customer.id)


def writer_of(
    tx: Tx,
    address: str,
    *,
    name: str | None = None,
    locale: Literal["zh", "en"] | None = None,
) -> Customer:
    """A new customer of whom only an address is known; mails from it are theirs from now on.

    As if they had typed it: it is claimed, and proves nothing.
    """
    made = _new_customer(tx, Connect(site="", locale=locale))
    customers.add_customer(tx, made)
    if mails.writer(tx.connection, address) is None:
        mails.name_writer(tx, made.id, address)
    describe(tx, actors.customer(made.id), Describe(email=address, name=name))
    return made


def account_of(tx: Tx, identity: Identity) -> str:
    """The customer whom a signed identity names, known from now on; it works once.

    For a place where no browser was before. Raises NotAllowed when it was used.
    """
    if customers.identity_used_by(tx.connection, identity.jti) is not None:
        raise NotAllowed("This signed identity was used before.", reason="identity_used")
    customer = customers.customer_by_external_id(tx.connection, identity.sub)
    if customer is None:
        customer = replace(_new_customer(tx, Connect(site="")), external_id=identity.sub)
        customers.add_customer(tx, customer)
    named = {k: v for k in ("name", "email", "phone") if (v := getattr(identity, k)) is not None}
    customers.change_customer(tx, customer.id, identity="verified", seen_at_ms=tx.at_ms, **named)
    _use(tx, identity, customer.id)
    return customer.id


def _use(tx: Tx, identity: Identity, customer_id: str) -> None:
    """Notes that a signed identity has been shown, and what it says."""
    customers.use_identity(
        tx, identity.jti, customer_id=customer_id, expires_at_ms=identity.expires_at_ms
    )
    tx.record(
        SYSTEM,
        CustomerIdentified(method="signed", fields=("external_id",)),
        customer_id=customer_id,
    )
    if identity.said:
        note_signed(tx, customer_id, identity.said)


def _may_become(tx: Tx, current: Customer) -> bool:
    """Whether a browser's row can be the account that it signs in to, which nobody knew before.

    Not when it is another account, or belongs to one for what staff or a proof say.
    """
    if current.external_id is not None:
        return False
    rows = members(tx.connection, person_of(tx.connection, current.id))
    return not contacts.accounts_of(tx.connection, rows)
