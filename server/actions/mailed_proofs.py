"""Proving an address: a code is mailed to it, and the customer tells it to the agent."""

from __future__ import annotations

from typing import Annotated, Any, Literal  # Any: JSON values

from pydantic import Field

from agent_ui.render import language, sentence
from server.actions import identity, portal
from server.actions.access import access_customer
from server.actions.contacts import email_key, is_role
from server.actions.identity import Reveal, Said
from server.actions.payload import Id, Payload
from server.actions.throttle import begin_try, forgive
from server.domain.actors import Actor
from server.domain.errors import InvalidInput, NotFound
from server.domain.events import CustomerIdentified
from server.domain.masking import mask_email
from server.domain.permissions import require
from server.domain.text import clean
from server.storage import links, mails
from server.storage import portal as codes
from server.storage.shop import load_shop
from server.storage.unit import Tx

Answer = dict[str, Any]  # Any: JSON values
SOURCE = "code"


class SendCode(Payload):
    """To which address of a customer a code goes.

    ``key_id`` names one of the card's contacts; without it the one in the customer's own data.
    """

    customer_id: Id
    key_id: Annotated[str, Field(max_length=200)] | None = None
    locale: Literal["en", "zh"] | None = None


class ConfirmCode(Payload):
    """The code that a customer tells the agent."""

    customer_id: Id
    code: Annotated[str, Field(min_length=1, max_length=20)]


def send_code(tx: Tx, actor: Actor, payload: SendCode) -> Answer:
    """Mails a code to an address that a customer has given; the masked address.

    Raises NotFound without an address, InvalidInput when no mail goes out from here or many people
    read the address's mail, TooMany after three codes to it in an hour.
    """
    require(actor, "contact.reveal")
    customer = access_customer(tx, actor, payload.customer_id)
    sender = mails.sender_address(tx.connection)
    if sender is None:
        raise InvalidInput("No mail is set up, so no code can be sent.", reason="no_mail")
    wanted = Reveal(customer_id=customer.id, kind="email", key_id=payload.key_id)
    value = identity.contact_value(tx, customer, wanted)
    address = email_key(value) if value else None
    if value is None or address is None:
        raise NotFound("There is no such contact.")
    if is_role(address) or address == sender.lower():
        raise InvalidInput("Many people read the mail of this address.", reason="shared_address")
    portal.count_code(tx, client=f"agent {actor.id}", address=address)
    code, place = portal.new_code(), _place(customer.id)
    codes.keep_code(tx, browser=place, former=place, code=code, address=address)
    shop = load_shop(tx.connection)
    locale = language(payload.locale or customer.locale or (shop.locale if shop else None))
    name = shop.name if shop else ""
    mails.queue(
        tx,
        kind="code",
        recipient=value,
        subject=sentence(locale, "written.proof.subject", shop=name),
        words=sentence(locale, "written.proof.words", shop=name, code=code),
        rfc_id=mails.lone_rfc_id(tx, sender),
    )
    links.log_link(tx, "code_sent", customer_id=customer.id, agent_id=actor.id)
    return {"customer_id": customer.id, "shown": mask_email(value)}


def confirm_code(tx: Tx, actor: Actor, payload: ConfirmCode) -> Answer:
    """Whether it is the code that was mailed; if so the address is proved to be the customer's.

    Tries are counted for the agent and for the customer and written down, right or wrong; after
    five a new code is needed. Raises TooMany, NotFound.
    """
    require(actor, "contact.reveal")
    customer = access_customer(tx, actor, payload.customer_id)
    account = f"proof of {customer.id}"
    begin_try(tx, account, f"proofs by {actor.id}")
    code = clean(payload.code, limit=20, name="code").replace(" ", "")
    address = codes.take_code(tx, browser=_place(customer.id), code=code)
    if address is None:
        links.log_link(tx, "proof_failed", customer_id=customer.id, agent_id=actor.id)
        return {"customer_id": customer.id, "verified": False}
    identity.note_contacts(tx, customer.id, [Said("email", address, proved=True)], source=SOURCE)
    forgive(tx, account)
    tx.record(actor, CustomerIdentified(method="code", fields=("email",)), customer_id=customer.id)
    return {"customer_id": customer.id, "verified": True}


def _place(customer_id: str) -> str:
    """Where a customer's code is kept; no browser has such a name."""
    return f"proof of {customer_id}"
