"""Who a shopper is: a browser's token, the shop's signature, and nothing that is only said."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any  # Any: claims

import jwt
import pytest

from server.actions import visitors
from server.actions.payload import parse
from server.actions.visitors import Connect, Describe, UpdateCustomer
from server.domain.actors import customer
from server.domain.errors import AppError, InvalidInput, NotAllowed
from server.domain.events import CustomerIdentified
from server.storage.customers import TOKEN_IDLE_MS, TOKEN_LIFE_MS, Customer, load_customer
from server.storage.event_log import last_seq
from server.storage.shop import load_shop, update_shop
from tests.actions.scene import SECRET, SITE, Answer, Scene

WRONG = "a-secret-that-is-not-the-shop-s-but-long-enough"


def connect(scene: Scene, token: str | None = None, identity: str | None = None) -> Answer:
    payload = parse(Connect, {"site": SITE, "visitor_token": token, "identity": identity})
    return scene.database.write_now(lambda tx: visitors.connect(tx, payload))


def loaded(scene: Scene, answer: Answer) -> Customer:
    found = scene.database.read_now(lambda c: load_customer(c, answer["customer_id"]))
    assert found is not None
    return found


def claims(scene: Scene, **changed: Any) -> dict[str, Any]:
    now_s = int(scene.time.now_s)
    made = {
        "sub": "buyer-1",
        "aud": SITE,
        "iat": now_s,
        "exp": now_s + 300,
        "jti": "once",
        "name": "Li Wei",
        "email": "li@shop.example",
        **changed,
    }
    return {key: value for key, value in made.items() if value is not ...}


def signed(scene: Scene, *, secret: str = SECRET, **changed: Any) -> str:
    return jwt.encode(claims(scene, **changed), secret, algorithm="HS256")


def unsigned(header: dict[str, Any], body: dict[str, Any]) -> str:
    parts = (json.dumps(part).encode() for part in (header, body))
    return ".".join(base64.urlsafe_b64encode(p).rstrip(b"=").decode() for p in parts) + "."


def test_a_new_browser_is_an_anonymous_shopper_with_a_token(scene: Scene) -> None:
    one, two = connect(scene), connect(scene)
    assert one["customer_id"] != two["customer_id"]
    assert one["visitor_token"] != two["visitor_token"]
    assert loaded(scene, one).identity == "anonymous"


def test_a_token_brings_the_same_shopper_back(scene: Scene) -> None:
    first = connect(scene)
    assert connect(scene, first["visitor_token"]) == first


def test_an_unknown_token_is_a_new_shopper(scene: Scene) -> None:
    first = connect(scene)
    for token in ("sv_unknown", "", "ünïcode 令牌", first["visitor_token"] + "x"):
        assert connect(scene, token)["customer_id"] != first["customer_id"]


def test_a_token_lives_on_while_it_is_used_but_not_for_ever(scene: Scene) -> None:
    first = connect(scene)
    day_s = 24 * 3600
    for _ in range(TOKEN_LIFE_MS // TOKEN_IDLE_MS):
        scene.time.pass_s(TOKEN_IDLE_MS / 1000 - day_s)
        assert connect(scene, first["visitor_token"]) == first
    scene.time.pass_s(TOKEN_IDLE_MS / 1000 - day_s)
    assert connect(scene, first["visitor_token"])["customer_id"] != first["customer_id"]


def test_an_idle_token_expires(scene: Scene) -> None:
    first = connect(scene)
    scene.time.pass_s(TOKEN_IDLE_MS / 1000)
    assert connect(scene, first["visitor_token"])["customer_id"] != first["customer_id"]


def test_a_wrong_site_key_lets_nobody_in(scene: Scene) -> None:
    for site in ("site-2", "", "SITE-1"):
        with pytest.raises(NotAllowed):
            scene.database.write_now(
                lambda tx, site=site: visitors.connect(tx, Connect(site=site))  # type: ignore[misc]  # bound default
            )


def test_a_signed_identity_makes_the_browser_s_shopper_known(scene: Scene) -> None:
    first = connect(scene)
    answer = connect(scene, first["visitor_token"], signed(scene))
    assert answer["customer_id"] == first["customer_id"]
    shopper = loaded(scene, answer)
    assert (shopper.external_id, shopper.name, shopper.email, shopper.verified) == (
        "buyer-1",
        "Li Wei",
        "li@shop.example",
        True,
    )
    (event,) = scene.log()
    assert event.data == CustomerIdentified(method="signed", fields=("external_id",))
    assert event.customer_id == shopper.id


def test_the_token_from_before_the_sign_in_opens_nothing_of_it(scene: Scene) -> None:
    first = connect(scene)
    known = connect(scene, first["visitor_token"], signed(scene))
    assert known["visitor_token"] != first["visitor_token"]
    stolen = connect(scene, first["visitor_token"])
    assert stolen["customer_id"] != known["customer_id"]
    assert connect(scene, known["visitor_token"])["customer_id"] == known["customer_id"]


def test_the_same_person_in_another_browser_is_the_same_shopper(scene: Scene) -> None:
    one = connect(scene, None, signed(scene))
    two = connect(scene, None, signed(scene, jti="twice"))
    assert one["customer_id"] == two["customer_id"]
    assert one["visitor_token"] != two["visitor_token"]


def test_another_person_in_the_same_browser_is_another_shopper(scene: Scene) -> None:
    one = connect(scene, None, signed(scene))
    two = connect(scene, one["visitor_token"], signed(scene, sub="buyer-2", jti="other"))
    assert one["customer_id"] != two["customer_id"]
    assert loaded(scene, one).external_id == "buyer-1"


def test_a_browser_may_show_its_identity_again(scene: Scene) -> None:
    identity = signed(scene)
    first = connect(scene, None, identity)
    again = connect(scene, first["visitor_token"], identity)
    assert again == first


def signed_number(scene: Scene) -> str:
    """Signed, with an id that is a number, which the library that signs would not write."""
    head, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in ({"alg": "HS256", "typ": "JWT"}, claims(scene, jti=5))
    )
    algorithm = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    mark = algorithm.sign(head + b"." + body, SECRET.encode())
    return b".".join((head, body, base64.urlsafe_b64encode(mark).rstrip(b"="))).decode()


FORGERIES: dict[str, Any] = {
    "no signature": lambda s: unsigned({"alg": "none", "typ": "JWT"}, claims(s)),
    "another key": lambda s: signed(s, secret=WRONG),
    "another algorithm": lambda s: jwt.encode(claims(s), SECRET + SECRET, algorithm="HS512"),
    "another shop": lambda s: signed(s, aud="site-2"),
    "no shop": lambda s: signed(s, aud=...),
    "no subject": lambda s: signed(s, sub=...),
    "no id": lambda s: signed(s, jti=...),
    "no beginning": lambda s: signed(s, iat=...),
    "no end": lambda s: signed(s, exp=...),
    "too long a life": lambda s: signed(s, exp=int(s.time.now_s) + 901),
    "expired": lambda s: signed(s, iat=int(s.time.now_s) - 400, exp=int(s.time.now_s) - 100),
    "from the future": lambda s: signed(s, iat=int(s.time.now_s) + 100),
    "an id that is no text": signed_number,
    "an empty subject": lambda s: signed(s, sub=" "),
    "a name that is no text": lambda s: signed(s, name=["x"]),
    "times that are no numbers": lambda s: signed(s, iat="now", exp="later"),
    "endless times": lambda s: signed(s, exp=float("inf")),
    "times that are not there": lambda s: signed(s, exp=float("nan"), iat=float("nan")),
    "vast times": lambda s: signed(s, iat=1.5, exp=10**400),
    "garbage": lambda s: "garbage",
    "unicode": lambda s: "é.令.牌",
    "dots": lambda s: "..",
    "nothing": lambda s: "",
    "a deep header": lambda s: base64.urlsafe_b64encode(b"[" * 2900).decode() + ".e30.x",
    "a long number": lambda s: base64.urlsafe_b64encode(b"1" * 2900).decode() + ".e30.x",
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_identity_is_refused_and_nobody_becomes_known(scene: Scene, name: str) -> None:
    first = connect(scene)
    with pytest.raises(InvalidInput) as refusal:
        connect(scene, first["visitor_token"], FORGERIES[name](scene))
    assert str(refusal.value.details["reason"]).startswith("identity")
    assert loaded(scene, first).identity == "anonymous"
    assert connect(scene, first["visitor_token"]) == first


def test_an_identity_shown_from_another_browser_is_refused(scene: Scene) -> None:
    identity = signed(scene)
    connect(scene, None, identity)
    thief = connect(scene)
    for token in (None, thief["visitor_token"], "sv_unknown"):
        with pytest.raises(NotAllowed) as refusal:
            connect(scene, token, identity)
        assert refusal.value.details == {"reason": "identity_used"}


def test_an_id_that_was_used_cannot_make_somebody_else_known(scene: Scene) -> None:
    first = connect(scene, None, signed(scene))
    connect(scene, None, signed(scene, sub="buyer-2", jti="other"))
    for sub in ("buyer-2", "buyer-3"):
        with pytest.raises(NotAllowed):
            connect(scene, first["visitor_token"], signed(scene, sub=sub))


@pytest.mark.parametrize("secret", [None, ""])
def test_a_shop_without_a_secret_believes_no_signature(scene: Scene, secret: str | None) -> None:
    shop = scene.database.read_now(load_shop)
    assert shop is not None
    identity = signed(scene)
    scene.database.write_now(lambda tx: update_shop(tx, replace(shop, identity_secret=secret)))
    with pytest.raises(InvalidInput):
        connect(scene, None, identity)


def test_what_a_shopper_says_is_claimed_and_logged_without_its_words(scene: Scene) -> None:
    shopper = scene.shopper()
    payload = Describe(name=" Li ", email="li@home.example", phone="+86 1", locale="zh")
    scene.do(visitors.describe, shopper, payload)
    found = loaded(scene, {"customer_id": shopper.id})
    assert (found.name, found.email, found.phone, found.locale, found.identity) == (
        "Li",
        "li@home.example",
        "+86 1",
        "zh",
        "claimed",
    )
    (event,) = scene.log()
    assert event.data == CustomerIdentified(method="claimed", fields=("email", "name", "phone"))
    assert event.customer_id == shopper.id


def test_saying_nothing_makes_nobody_known(scene: Scene) -> None:
    shopper = scene.shopper()
    for payload in (Describe(), Describe(name="", email=" "), Describe(locale="en")):
        scene.do(visitors.describe, shopper, payload)
    assert loaded(scene, {"customer_id": shopper.id}).identity == "anonymous"
    assert scene.database.read_now(last_seq) == 0


def test_what_the_shop_signed_is_not_overwritten_by_what_is_said(scene: Scene) -> None:
    answer = connect(scene, None, signed(scene))
    shopper = customer(answer["customer_id"])
    scene.do(visitors.describe, shopper, Describe(name="Root", email="root@evil.example"))
    leader = scene.person("lea", role="supervisor", status="offline")
    update = UpdateCustomer(customer_id=answer["customer_id"], email="root@evil.example")
    with pytest.raises(NotAllowed):
        scene.do(visitors.update_customer, leader, update)
    found = loaded(scene, answer)
    assert (found.name, found.email) == ("Li Wei", "li@shop.example")


def test_an_agent_corrects_what_was_only_said(scene: Scene) -> None:
    ann, shopper = scene.person("ann"), scene.shopper()
    scene.chat(shopper)
    update = UpdateCustomer(customer_id=shopper.id or "", phone="+86 2")
    scene.do(visitors.update_customer, ann, update)
    found = loaded(scene, {"customer_id": shopper.id})
    assert (found.phone, found.identity) == ("+86 2", "claimed")


@pytest.mark.parametrize(
    "values",
    [
        {"email": "no address"},
        {"email": "a b@c"},
        {"name": "x" * 201},
        {"phone": "1" * 41},
        {"name": 5},
        {"locale": "fr"},
    ],
)
def test_what_cannot_be_is_refused(scene: Scene, values: dict[str, Any]) -> None:
    shopper = scene.shopper()
    with pytest.raises(AppError) as refusal:
        scene.do(visitors.describe, shopper, parse(Describe, values))
    assert refusal.value.code == "invalid_input"
