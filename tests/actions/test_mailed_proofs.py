"""A code that is mailed to an address proves that it is the customer's; nothing else does."""

from __future__ import annotations

import re

import pytest

from server.actions import mailed_proofs
from server.actions.mailed_proofs import ConfirmCode, SendCode
from server.actions.visitors import Describe, describe
from server.domain.actors import Actor
from server.domain.errors import AppError, InvalidInput, NotFound, TooMany
from server.storage import contacts, mails
from server.storage.mails import Going
from tests.actions.scene import Scene

ADDRESS = "Ana@buyer.example"


@pytest.fixture
def chen(scene: Scene) -> Actor:
    """An agent of a shop whose mail goes out."""
    scene.database.write_now(lambda tx: mails.note_sender(tx, "desk@mori.example"))
    return scene.person("chen")


def _shopper(scene: Scene, email: str | None = ADDRESS) -> str:
    shopper = scene.shopper()
    scene.chat(shopper)
    if email is not None:
        scene.do(describe, shopper, Describe(email=email))
    return str(shopper.id)


def _send(scene: Scene, agent: Actor, customer_id: str) -> Going:
    scene.do(mailed_proofs.send_code, agent, SendCode(customer_id=customer_id))
    return scene.database.read_now(lambda c: mails.went(c, state=None, before=None, limit=9))[0]


def _code(mail: Going) -> str:
    found = re.search(r"\b\d{6}\b", mail.words)
    assert found is not None
    return found[0]


def _confirm(scene: Scene, agent: Actor, customer_id: str, code: str) -> bool:
    payload = ConfirmCode(customer_id=customer_id, code=code)
    return bool(scene.do(mailed_proofs.confirm_code, agent, payload)["verified"])


def _levels(scene: Scene, customer_id: str) -> list[str]:
    found = scene.database.read_now(lambda c: contacts.contacts_of(c, [customer_id]))
    return [one.level for one in found]


def _other(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def test_the_right_code_proves_the_address_and_works_once(scene: Scene, chen: Actor) -> None:
    customer_id = _shopper(scene)
    mail = _send(scene, chen, customer_id)
    assert (mail.recipient, mail.kind) == (ADDRESS, "code")
    assert _levels(scene, customer_id) == ["claimed"]
    code = _code(mail)
    assert not _confirm(scene, chen, customer_id, _other(code))
    assert _levels(scene, customer_id) == ["claimed"]
    scene.time.pass_s(60)
    assert _confirm(scene, chen, customer_id, f" {code[:3]} {code[3:]} ")
    assert _levels(scene, customer_id) == ["verified"]
    scene.time.pass_s(60)
    assert not _confirm(scene, chen, customer_id, code)


def test_a_code_is_of_one_customer_and_of_ten_minutes(scene: Scene, chen: Actor) -> None:
    mine, theirs = _shopper(scene), _shopper(scene, "ben@buyer.example")
    code = _code(_send(scene, chen, mine))
    _send(scene, chen, theirs)
    if not _confirm(scene, chen, theirs, code):  # one in a million has the same
        assert _levels(scene, theirs) == ["claimed"]
    scene.time.pass_s(601)
    assert not _confirm(scene, chen, mine, code)
    assert _levels(scene, mine) == ["claimed"]


def test_guessing_ends_after_five_tries(scene: Scene, chen: Actor) -> None:
    customer_id = _shopper(scene)
    code = _code(_send(scene, chen, customer_id))
    for _ in range(5):
        scene.time.pass_s(1)
        assert not _confirm(scene, chen, customer_id, _other(code))
    scene.time.pass_s(300)
    assert not _confirm(scene, chen, customer_id, code)


def test_nobody_is_flooded_with_codes(scene: Scene, chen: Actor) -> None:
    customer_id = _shopper(scene)
    for _ in range(3):
        _send(scene, chen, customer_id)
    with pytest.raises(TooMany):
        _send(scene, chen, customer_id)


@pytest.mark.parametrize(
    ("email", "error", "reason"),
    [(None, NotFound, None), ("info@buyer.example", InvalidInput, "shared_address")],
)
def test_what_cannot_prove_anything_gets_no_code(
    scene: Scene, chen: Actor, email: str | None, error: type[AppError], reason: str | None
) -> None:
    customer_id = _shopper(scene, email)
    with pytest.raises(error) as refused:
        _send(scene, chen, customer_id)
    assert refused.value.details.get("reason") == reason


def test_without_mail_it_is_said(scene: Scene, chen: Actor) -> None:
    customer_id = _shopper(scene)
    scene.database.write_now(lambda tx: mails.note_sender(tx, None))
    with pytest.raises(InvalidInput) as refused:
        _send(scene, chen, customer_id)
    assert refused.value.details["reason"] == "no_mail"
