"""Who is who: proofs, claims, browsers that sign in, merges and their undoing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any  # Any: rows and JSON

import jwt
import pytest
from sqlalchemy import insert, select, text

from server.actions import identity, shop, visitors
from server.actions.access import access_conversation
from server.actions.desk import arrivals
from server.actions.identity import Merge, Reveal, Said, Unmerge, Verify
from server.actions.payload import ConversationRef, parse
from server.actions.take_orders import take_shop_customers
from server.actions.visitors import Connect, Describe, UpdateCustomer
from server.domain.actors import SYSTEM, Actor, customer
from server.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound, TooMany
from server.domain.shop_data import ShopCustomer
from server.storage import cards, contacts, links, views
from server.storage.conversations import by_ids, search
from server.storage.customers import CUSTOMER, load_customer
from server.storage.persons import members, person_of
from server.storage.proofs import ORDER
from server.storage.shop import load_shop
from server.storage.shop_sources import SHOP_SOURCE, load_source
from tests.actions.scene import SECRET, SITE, Answer, Scene

ANNA = "anna.k@home.example"


def signed(scene: Scene, sub: str, *, secret: str = SECRET, **claims: Any) -> str:  # Any: claims
    now_s = int(scene.time.now_s)
    body = {"sub": sub, "aud": SITE, "iat": now_s, "exp": now_s + 300}
    jti = f"{sub} {now_s} {len(scene.log())} {json.dumps(claims)}"
    return jwt.encode({**body, "jti": jti, **claims}, secret, algorithm="HS256")


def connect(scene: Scene, token: str | None = None, identity_: str | None = None) -> Answer:
    payload = parse(Connect, {"site": SITE, "visitor_token": token, "identity": identity_})
    return scene.database.write_now(lambda tx: visitors.connect(tx, payload))


def sign_in(scene: Scene, sub: str, token: str | None = None, **claims: Any) -> Answer:  # Any: same
    return connect(scene, token, signed(scene, sub, **claims))


def actor_of(answer: Answer) -> Actor:
    return customer(answer["customer_id"], also=frozenset(answer["also"]))


def person(scene: Scene, customer_id: str) -> tuple[str, ...]:
    return scene.database.read_now(lambda c: members(c, person_of(c, customer_id)))


def rows(scene: Scene) -> list[dict[str, Any]]:  # Any: columns
    """Every customer row as it is stored, what only tells when it was seen left out."""
    found = scene.database.read_now(
        lambda c: c.execute(select(CUSTOMER).order_by(CUSTOMER.c.id)).mappings().all()
    )
    return [dict(row) for row in found]


def add_source(scene: Scene, name: str, *, ids: str = "own") -> None:
    values = {"name": name, "kind": "generic", "customer_ids": ids, "created_at_ms": 1}
    rest = {"failures": 0, "refused": 0, "stale_after_ms": 1}
    scene.database.write_now(lambda tx: tx.later(insert(SHOP_SOURCE), values | rest))


def tell(scene: Scene, source: str, *told: ShopCustomer) -> list[str]:
    """What a source says of its customers; the ids of their rows."""

    def take(tx: Any) -> None:  # Any: Tx
        found = load_source(tx.connection, source)
        assert found is not None
        take_shop_customers(tx, found, told)

    scene.database.write_now(take)
    names = {t.external_id for t in told} | {f"{source}:{t.external_id}" for t in told}
    statement = text(
        "SELECT c.id, coalesce(c.external_id, o.name) AS named FROM customer AS c"
        " LEFT JOIN customer_origin AS o ON o.customer_id = c.id"
    )
    found = scene.database.read_now(lambda c: c.execute(statement).all())
    by_name = {row.named: row.id for row in found if row.named in names}
    return [by_name.get(t.external_id) or by_name[f"{source}:{t.external_id}"] for t in told]


def add_order(scene: Scene, number: str, postcode: str, **values: Any) -> None:  # Any: columns
    made = {column.name: None for column in ORDER.columns} | {
        "id": f"order-{number}",
        "source": "shop",
        "external_id": number,
        "number": number,
        "postcode": postcode,
        "created_at_ms": scene.time.at_ms,
        "day": 1,
        "currency": "CNY",
        "total_minor": 100,
        "refunded_minor": 0,
        "net_minor": 100,
        "counted": True,
        "status": "paid",
        "test": False,
        "written_at_ms": 1,
    }
    scene.database.write_now(lambda tx: tx.later(insert(ORDER), {**made, **values}))


def card(scene: Scene, actor: Actor, customer_id: str) -> dict[str, Any]:  # Any: JSON
    def read(connection: Any) -> dict[str, Any]:  # Any: Connection, JSON
        found = load_customer(connection, customer_id)
        assert found is not None
        return cards.card(connection, found, actor, scene.time.at_ms)

    return scene.database.read_now(read)


def cases(scene: Scene) -> list[links.StoredCase]:
    return scene.database.read_now(links.open_cases)


# -- a browser that signs in ------------------------------------------------------------------


def test_what_a_browser_wrote_before_it_signed_in_goes_with_the_account(scene: Scene) -> None:
    home = sign_in(scene, "anna")
    browser = connect(scene)
    before = scene.chat(actor_of(browser), "Where is my parcel?")
    known = sign_in(scene, "anna", browser["visitor_token"])
    assert known["customer_id"] == home["customer_id"]
    assert known["also"] == [browser["customer_id"]]
    welcome = scene.database.read_now(
        lambda c: desk_arrival(c, known["customer_id"], scene.time.at_ms)
    )
    assert [talk["id"] for talk in welcome["conversations"]] == [before]
    again = scene.post(actor_of(known), "Hello again")
    assert again["conversation_id"] == before
    assert connect(scene, known["visitor_token"])["also"] == [browser["customer_id"]]


def desk_arrival(connection: Any, customer_id: str, at_ms: int) -> dict[str, Any]:  # Any: JSON
    return arrivals(connection, [customer_id], at_ms=at_ms)[customer_id].welcome


def test_a_message_sent_before_and_again_after_the_sign_in_is_one(scene: Scene) -> None:
    sign_in(scene, "anna")
    browser = connect(scene)
    first = scene.post(actor_of(browser), "Hello", client_id="once")
    known = sign_in(scene, "anna", browser["visitor_token"])
    assert scene.post(actor_of(known), "Hello", client_id="once") == first


def test_after_signing_out_or_as_somebody_else_nothing_is_carried_over(scene: Scene) -> None:
    browser = connect(scene)
    before = scene.chat(actor_of(browser))
    anna = sign_in(scene, "anna", browser["visitor_token"])
    out = connect(scene)
    other = sign_in(scene, "ben", anna["visitor_token"])
    assert len({anna["customer_id"], out["customer_id"], other["customer_id"]}) == 3
    assert (out["also"], other["also"]) == ([], [])
    for stranger in (out, other):
        with pytest.raises(NotFound):
            scene.do(visit, actor_of(stranger), ConversationRef(conversation_id=before))
    assert connect(scene, anna["visitor_token"])["customer_id"] != anna["customer_id"]


def visit(tx: Any, actor: Actor, payload: ConversationRef) -> Answer:  # Any: Tx
    return {"id": access_conversation(tx, actor, payload.conversation_id).id}


def test_a_second_browser_of_the_account_sees_the_first_ones_chat(scene: Scene) -> None:
    sign_in(scene, "anna")
    browser = connect(scene)
    before = scene.chat(actor_of(browser))
    sign_in(scene, "anna", browser["visitor_token"])
    elsewhere = sign_in(scene, "anna")
    assert scene.do(visit, actor_of(elsewhere), ConversationRef(conversation_id=before))


def test_staff_see_the_chat_of_the_browser_as_the_accounts(scene: Scene) -> None:
    ann = scene.person("ann")
    sign_in(scene, "anna", name="Anna Keller")
    browser = connect(scene)
    talk = scene.chat(actor_of(browser))
    assert scene.database.read_now(lambda c: by_ids(c, [talk]))[talk].customer_name is None
    known = sign_in(scene, "anna", browser["visitor_token"], name="Anna Keller")
    found = scene.database.read_now(lambda c: by_ids(c, [talk]))[talk]
    assert (found.customer_name, found.customer_identity) == ("Anna Keller", "verified")
    shown = card(scene, ann, browser["customer_id"])
    assert shown["person_id"] == known["customer_id"]
    assert [talk["id"] for talk in shown["conversations"]] == [talk]


# -- what a signed identity says --------------------------------------------------------------


@pytest.mark.parametrize("claim", [True, False, None, "true", 1])
def test_an_address_is_proved_only_by_a_true_claim(scene: Scene, claim: object) -> None:
    answer = sign_in(scene, "anna", email=ANNA, email_verified=claim)
    (found,) = scene.database.read_now(lambda c: contacts.contacts_of(c, [answer["customer_id"]]))
    assert (found.key, found.proved, found.source) == (ANNA, claim is True, "signed")


def test_two_secrets_hold_while_a_shop_changes_them(scene: Scene) -> None:
    new = "another-secret-of-the-shop-that-is-long"
    early = signed(scene, "anna")
    scene.database.write_now(lambda tx: shop.set_site(tx, SYSTEM, identity_secret=new))
    anna = connect(scene, None, early)
    again = connect(scene, None, signed(scene, "anna", secret=new))
    assert again["customer_id"] == anna["customer_id"]
    scene.database.write_now(lambda tx: shop.set_site(tx, SYSTEM, drop_old_secret=True))
    with pytest.raises(InvalidInput):
        sign_in(scene, "anna")
    found = scene.database.read_now(load_shop)
    assert found is not None
    assert (found.identity_secret, found.old_identity_secret) == (new, None)


def test_what_is_signed_cannot_be_changed_underway(scene: Scene) -> None:
    whole = signed(scene, "anna", email=ANNA, email_verified=False)
    head, body, mark = whole.split(".")
    forged = jwt.encode(
        jwt.decode(whole, options={"verify_signature": False}) | {"email_verified": True},
        "not-the-secret-of-this-shop-but-as-long",
        algorithm="HS256",
    ).split(".")[1]
    for token in (f"{head}.{forged}.{mark}", f"{head}.{body}.{mark[:-2]}", f"{head}.{body}."):
        with pytest.raises(InvalidInput):
            connect(scene, None, token)


def test_an_address_that_the_shop_names_no_more_proves_nothing(scene: Scene) -> None:
    anna = sign_in(scene, "anna", email=ANNA, email_verified=True)
    scene.time.pass_s(60)
    sign_in(scene, "anna", email="anna@new.example", email_verified=True)
    add_source(scene, "till")
    (other,) = tell(scene, "till", ShopCustomer(external_id="1", email=ANNA, email_verified=True))
    assert person(scene, other) == (other,)
    assert person(scene, anna["customer_id"]) == (anna["customer_id"],)


# -- joining ----------------------------------------------------------------------------------


def test_who_proved_the_same_address_at_two_places_is_one_person(scene: Scene) -> None:
    add_source(scene, "till")
    (till,) = tell(
        scene, "till", ShopCustomer(external_id="7", email=ANNA.upper(), email_verified=True)
    )
    anna = sign_in(scene, "anna", email=ANNA, email_verified=True)
    assert person(scene, till) == (anna["customer_id"], till)
    assert anna["also"] == []


@pytest.mark.parametrize("proved", [(True, False), (False, True), (False, False)])
def test_a_claim_joins_nobody(scene: Scene, proved: tuple[bool, bool]) -> None:
    add_source(scene, "till")
    (till,) = tell(
        scene, "till", ShopCustomer(external_id="7", email=ANNA, email_verified=proved[0])
    )
    anna = sign_in(scene, "anna", email=ANNA, email_verified=proved[1])
    assert person(scene, till) == (till,)
    assert person(scene, anna["customer_id"]) == (anna["customer_id"],)


def test_an_address_of_an_office_joins_nobody(scene: Scene) -> None:
    add_source(scene, "till")
    info: dict[str, Any] = {"email": "info@firm.example", "email_verified": True}  # Any: claims
    (till,) = tell(scene, "till", ShopCustomer(external_id="7", **info))
    sign_in(scene, "anna", **info)
    assert person(scene, till) == (till,)


def test_two_accounts_of_one_source_wait_for_a_supervisor(scene: Scene) -> None:
    lea = scene.person("lea", role="supervisor", status="offline")
    one = sign_in(scene, "anna", email=ANNA, email_verified=True)
    two = sign_in(scene, "anna-2", email=ANNA, email_verified=True)
    ids = [one["customer_id"], two["customer_id"]]
    assert [person(scene, row) for row in ids] == [(ids[0],), (ids[1],)]
    (case,) = cases(scene)
    assert (case.kind, {case.customer_id, case.other_id}) == ("conflict", set(ids))
    assert case.evidence == (("email", ANNA),)
    scene.do(identity.merge, lea, Merge(customer_id=ids[0], other_id=ids[1]))
    assert set(person(scene, ids[1])) == set(ids)
    assert cases(scene) == []


def test_kept_apart_stays_apart(scene: Scene) -> None:
    lea = scene.person("lea", role="supervisor", status="offline")
    add_source(scene, "till")
    anna = sign_in(scene, "anna", email=ANNA, email_verified=True)["customer_id"]
    told = ShopCustomer(external_id="7", email=ANNA, email_verified=True)
    (till,) = tell(scene, "till", told)
    assert len(person(scene, anna)) == 2
    (merged,) = card(scene, lea, anna)["merged"]
    scene.do(identity.unmerge, lea, Unmerge(link_id=merged["link_id"]))
    assert person(scene, anna) == (anna,)
    tell(scene, "till", replace(told, phone="13800138000", phone_verified=True))
    assert person(scene, till) == (till,)


def test_a_value_that_many_have_joins_nobody_and_is_shown(scene: Scene) -> None:
    add_source(scene, "shop", ids="shop")
    add_source(scene, "till")
    family = [
        ShopCustomer(external_id=str(n), phone="13800138000", phone_verified=True)
        for n in range(contacts.MOST_PERSONS + 1)
    ]
    (till,) = tell(scene, "till", replace(family[0], external_id="7"))
    (first,) = tell(scene, "shop", family[0])
    assert len(person(scene, till)) == 2
    tell(scene, "shop", *family[1:])
    assert person(scene, till) == (till,)
    assert person(scene, first) == (first,)
    (listed,) = scene.database.read_now(contacts.blocked_list)
    assert (listed.kind, listed.key, listed.persons) == ("phone", "+8613800138000", 4)


def test_a_supervisor_may_let_a_listed_value_count_again(scene: Scene) -> None:
    lea = scene.person("lea", role="supervisor", status="offline")
    add_source(scene, "till")
    anna = sign_in(scene, "anna", email=ANNA, email_verified=True)["customer_id"]
    value = {"kind": "email", "key": ANNA}
    scene.database.write_now(lambda tx: identity.set_shared(tx, lea, **value, state="blocked"))
    (till,) = tell(scene, "till", ShopCustomer(external_id="7", email=ANNA, email_verified=True))
    assert person(scene, till) == (till,)
    scene.database.write_now(lambda tx: identity.set_shared(tx, lea, **value, state="allowed"))
    assert person(scene, till) == (anna, till)


def test_typing_an_address_again_and_again_does_not_put_it_on_the_list(scene: Scene) -> None:
    for _ in range(contacts.MOST_PERSONS + 3):
        scene.do(visitors.describe, scene.shopper(), Describe(email=ANNA))
    found = scene.database.read_now(identity.find_to_look_over)
    assert found.shared == ()


def test_a_look_over_all_finds_what_sources_say_alike(scene: Scene) -> None:
    add_source(scene, "till")
    add_source(scene, "web", ids="shop")
    (till,) = tell(scene, "till", ShopCustomer(external_id="7", email=ANNA))
    (web,) = tell(scene, "web", ShopCustomer(external_id="7", email=ANNA))
    found = scene.database.read_now(identity.find_to_look_over)
    assert scene.database.write_now(lambda tx: identity.look_over(tx, found)) == 1
    (case,) = cases(scene)
    assert {case.customer_id, case.other_id} == {till, web}
    assert person(scene, till) == (till,)
    assert scene.database.read_now(identity.find_to_look_over).alike == ()


# -- parting ----------------------------------------------------------------------------------


def test_a_merge_and_its_undoing_leave_the_rows_as_they_were(scene: Scene) -> None:
    lea = scene.person("lea", role="supervisor", status="offline")
    browser = connect(scene)
    scene.chat(actor_of(browser))
    sign_in(scene, "anna")
    anna = sign_in(scene, "anna", browser["visitor_token"], name="Anna")["customer_id"]
    ben = sign_in(scene, "ben", name="Ben")["customer_id"]
    before = rows(scene)
    made = scene.do(identity.merge, lea, Merge(customer_id=ben, other_id=anna, why="same voice"))
    assert set(person(scene, ben)) == {anna, ben, browser["customer_id"]}
    with pytest.raises(Conflict):
        scene.do(identity.merge, lea, Merge(customer_id=anna, other_id=ben))
    scene.time.pass_s(91 * 24 * 3600)
    scene.do(identity.unmerge, lea, Unmerge(link_id=made["link_id"]))
    assert rows(scene) == before
    with pytest.raises(Conflict):
        scene.do(identity.unmerge, lea, Unmerge(link_id=made["link_id"]))
    actions = [row["action"] for row in scene.database.read_now(links.log_rows)]
    assert (actions[0], "staff" in actions) == ("undo", True)


def test_a_merge_shows_neither_shopper_more(scene: Scene) -> None:
    lea = scene.person("lea", role="supervisor", status="offline")
    anna, ben = sign_in(scene, "anna", name="Anna"), sign_in(scene, "ben", name="Ben")
    talks = {who["customer_id"]: scene.chat(actor_of(who)) for who in (anna, ben)}
    ids = list(talks)
    scene.do(identity.merge, lea, Merge(customer_id=ids[0], other_id=ids[1]))
    for who, other in ((anna, ids[1]), (ben, ids[0])):
        again = connect(scene, who["visitor_token"])
        assert (again["customer_id"], again["also"]) == (who["customer_id"], [])
        welcome = scene.database.read_now(
            lambda c, key=again["customer_id"]: desk_arrival(c, key, scene.time.at_ms)  # type: ignore[misc]  # bound default
        )
        assert [talk["id"] for talk in welcome["conversations"]] == [talks[who["customer_id"]]]
        with pytest.raises(NotFound):
            scene.do(visit, actor_of(again), ConversationRef(conversation_id=talks[other]))
        told = scene.events(talks[who["customer_id"]])
        names = scene.database.read_now(
            lambda c, events=told: {  # type: ignore[misc]  # bound default
                e["actor"]["name"]
                for e in views.envelopes(c, events, audience="visitor")
                if e["actor"]["kind"] == "customer"
            }
        )
        assert names == {"Anna" if who is anna else "Ben"}


def test_agents_neither_merge_nor_part(scene: Scene) -> None:
    ann = scene.person("ann")
    one, two = scene.shopper(), scene.shopper()
    scene.chat(one)
    scene.chat(two)
    pair = Merge(customer_id=one.id or "", other_id=two.id or "")
    for action in (identity.merge, identity.keep_apart):
        with pytest.raises(NotAllowed):
            scene.do(action, ann, pair)
    with pytest.raises(NotAllowed):
        scene.do(identity.unmerge, ann, Unmerge(link_id="x"))


# -- what staff see ---------------------------------------------------------------------------


def test_a_claim_is_masked_and_says_that_somebody_has_proved_it(scene: Scene) -> None:
    ann, lea = scene.person("ann"), scene.person("lea", role="supervisor")
    known = sign_in(scene, "anna", name="Anna Keller", email=ANNA, email_verified=True)
    shopper = scene.shopper()
    scene.chat(shopper)
    scene.do(visitors.describe, shopper, Describe(name="Anna", email=ANNA))
    for who in (ann, lea):
        shown = card(scene, who, shopper.id or "")
        assert ANNA not in json.dumps(shown)
        assert shown["email"] == "a***@…"
        (line,) = shown["contacts"]
        assert (line["level"], line["shown"]) == ("claimed", "a***@…")
        (possible,) = shown["possible"]
        assert (possible["customer_id"], possible["name"]) == (known["customer_id"], "A***")
    listed = scene.database.read_now(
        lambda c: views.customer_view(c, load_customer(c, shopper.id or ""), ann)  # type: ignore[arg-type]  # it is there
    )
    assert listed["email"] == "a***@…"


def test_what_is_proved_is_masked_for_agents_and_whole_for_supervisors(scene: Scene) -> None:
    ann, lea = scene.person("ann"), scene.person("lea", role="supervisor")
    known = sign_in(
        scene, "anna", email=ANNA, email_verified=True, phone="13800138000", phone_verified=True
    )
    scene.chat(actor_of(known))
    for who, email, phone in (
        (ann, "a***@…", "138****8000"),
        (lea, ANNA, "+8613800138000"),
    ):
        shown = card(scene, who, known["customer_id"])
        assert (shown["email"], shown["phone"]) == (email, phone)


def test_looking_at_a_contact_is_logged(scene: Scene) -> None:
    ann, bob = scene.person("ann", teams=("care",)), scene.person("bob", teams=("sales",))
    shopper = scene.shopper()
    talk = scene.chat(shopper)
    scene.do(visitors.describe, shopper, Describe(email=ANNA))
    (line,) = card(scene, ann, shopper.id or "")["contacts"]
    for key_id in (line["key_id"], None):
        asked = Reveal(customer_id=shopper.id or "", kind="email", key_id=key_id)
        assert scene.do(identity.reveal, ann, asked) == {"kind": "email", "value": ANNA}
    looked = [event for event in scene.log() if event.kind == "contact.revealed"]
    assert [(e.actor_id, e.customer_id) for e in looked] == [("ann", shopper.id)] * 2
    assert ANNA not in repr(looked)
    rows_ = scene.database.read_now(links.log_rows)
    assert [(row["action"], row["agent_id"]) for row in rows_] == [("reveal", "ann")] * 2
    scene.transfer(ann, talk, team_id="care")
    with pytest.raises(NotFound):
        scene.do(identity.reveal, bob, asked)
    with pytest.raises(NotFound):
        scene.do(identity.reveal, ann, Reveal(customer_id=shopper.id or "", kind="phone"))


def test_a_number_typed_without_its_country_stands_once_on_the_card(scene: Scene) -> None:
    shopper = scene.shopper()
    scene.chat(shopper)
    scene.do(visitors.describe, shopper, Describe(phone="138 0013 8000"))
    (line,) = card(scene, scene.person("ann"), shopper.id or "")["contacts"]
    assert (line["shown"], line["level"]) == ("138****8000", "claimed")
    assert line["key_id"] is not None


def test_a_form_that_shows_a_mask_writes_no_mask(scene: Scene) -> None:
    ann, shopper = scene.person("ann"), scene.shopper()
    scene.chat(shopper)
    scene.do(visitors.describe, shopper, Describe(name="Anna", email=ANNA))
    update = UpdateCustomer(customer_id=shopper.id or "", name="Anna K.", email="a***@…")
    scene.do(visitors.update_customer, ann, update)
    found = scene.database.read_now(lambda c: load_customer(c, shopper.id or ""))
    assert found is not None
    assert (found.name, found.email) == ("Anna K.", ANNA)


# -- an order's number and postcode -----------------------------------------------------------


def test_number_and_postcode_of_an_order_prove_who_it_is(scene: Scene) -> None:
    ann = scene.person("ann")
    anna = sign_in(scene, "anna", name="Anna")["customer_id"]
    add_order(scene, "1001", "310-012", customer_id=anna, email=ANNA)
    shopper = scene.shopper()
    talk = scene.chat(shopper)
    scene.do(visitors.describe, shopper, Describe(email=ANNA))
    asked = Verify(customer_id=shopper.id or "", order_number="#1001", postcode=" 310012 ")
    assert scene.do(identity.verify, ann, asked)["verified"] is True
    shown = card(scene, ann, shopper.id or "")
    assert (shown["person_id"], shown["verified"]) == (anna, True)
    assert {line["level"] for line in shown["contacts"]} == {"verified"}
    welcome = scene.database.read_now(lambda c: desk_arrival(c, anna, scene.time.at_ms))
    assert welcome["conversations"] == []
    with pytest.raises(NotFound):
        scene.do(visit, customer(anna), ConversationRef(conversation_id=talk))


@pytest.mark.parametrize(
    ("number", "postcode"),
    [("mo1001", "310012"), ("#Mo1001 ", "31-0012"), ("ＭＯ１００１", "３１００１２")],
)
def test_number_and_postcode_may_be_typed_as_keyboards_type_them(
    scene: Scene, number: str, postcode: str
) -> None:
    anna = sign_in(scene, "anna")["customer_id"]
    add_order(scene, "MO1001", "310012", customer_id=anna)
    shopper = scene.shopper()
    scene.chat(shopper)
    asked = Verify(customer_id=shopper.id or "", order_number=number, postcode=postcode)
    assert scene.do(identity.verify, scene.person("ann"), asked)["verified"] is True


@pytest.mark.parametrize(
    ("number", "postcode"), [("1001", "999999"), ("1002", "310012"), ("1003", "310012")]
)
def test_anything_else_proves_nothing_and_is_logged(
    scene: Scene, number: str, postcode: str
) -> None:
    ann = scene.person("ann")
    anna = sign_in(scene, "anna")["customer_id"]
    add_order(scene, "1001", "310012", customer_id=anna)
    add_order(scene, "1003", "310012", customer_id=anna, test=True)
    shopper = scene.shopper()
    scene.chat(shopper)
    asked = Verify(customer_id=shopper.id or "", order_number=number, postcode=postcode)
    assert scene.do(identity.verify, ann, asked)["verified"] is False
    assert person(scene, shopper.id or "") == (shopper.id,)
    assert [row["action"] for row in scene.database.read_now(links.log_rows)] == ["proof_failed"]


def test_guessing_postcodes_becomes_slow(scene: Scene) -> None:
    ann = scene.person("ann")
    add_order(scene, "1001", "310012", customer_id=sign_in(scene, "anna")["customer_id"])
    shopper = scene.shopper()
    scene.chat(shopper)
    asked = Verify(customer_id=shopper.id or "", order_number="1001", postcode="1")
    for _ in range(5):
        assert scene.do(identity.verify, ann, asked)["verified"] is False
    with pytest.raises(TooMany):
        scene.do(identity.verify, ann, replace_postcode(asked, "310012"))
    scene.time.pass_s(3)
    assert scene.do(identity.verify, ann, replace_postcode(asked, "310012"))["verified"] is True


def replace_postcode(asked: Verify, postcode: str) -> Verify:
    return asked.model_copy(update={"postcode": postcode})


def test_a_guests_order_proves_the_address_that_it_names(scene: Scene) -> None:
    ann, shopper = scene.person("ann"), scene.shopper()
    scene.chat(shopper)
    add_order(scene, "1001", "SW1A 1AA", email=ANNA)
    asked = Verify(customer_id=shopper.id or "", order_number="1001", postcode="sw1a1aa")
    assert scene.do(identity.verify, ann, asked)["verified"] is True
    (found,) = scene.database.read_now(lambda c: contacts.contacts_of(c, [shopper.id or ""]))
    assert (found.key, found.proved, found.source) == (ANNA, True, "order")
    known = sign_in(scene, "anna", email=ANNA, email_verified=True)
    assert person(scene, shopper.id or "") == (shopper.id,)
    assert known["also"] == []


def test_a_browser_that_proved_to_be_another_account_does_not_go_along(scene: Scene) -> None:
    ann = scene.person("ann")
    anna = sign_in(scene, "anna")["customer_id"]
    ben = sign_in(scene, "ben")["customer_id"]
    add_order(scene, "1001", "310012", customer_id=anna)
    browser = connect(scene)
    scene.chat(actor_of(browser))
    asked = Verify(customer_id=browser["customer_id"], order_number="1001", postcode="310012")
    scene.do(identity.verify, ann, asked)
    known = sign_in(scene, "ben", browser["visitor_token"])
    assert (known["customer_id"], known["also"]) == (ben, [])
    assert [case.kind for case in cases(scene)] == ["conflict"]
    assert person(scene, browser["customer_id"]) == (anna, browser["customer_id"])


def test_contacts_that_are_none_are_not_kept(scene: Scene) -> None:
    shopper = scene.shopper()
    said: Sequence[Said] = (
        Said("email", "a***@home.example"),
        Said("phone", "138****8000"),
        Said("phone", "555-555-BILL"),
        Said("phone", "13800138000;13900139000"),
    )
    scene.database.write_now(
        lambda tx: identity.note_contacts(tx, shopper.id or "", said, source="widget")
    )
    found = scene.database.read_now(lambda c: contacts.contacts_of(c, [shopper.id or ""]))
    assert [contact.key for contact in found] == ["+8613800138000", "+8613900139000"]


def test_a_new_word_takes_the_place_of_the_old_one(scene: Scene) -> None:
    shopper = scene.shopper()
    for email in (ANNA, "anna@work.example"):
        scene.do(visitors.describe, shopper, Describe(email=email))
    (found,) = scene.database.read_now(lambda c: contacts.contacts_of(c, [shopper.id or ""]))
    assert found.key == "anna@work.example"


@pytest.mark.parametrize(
    ("query", "found"), [(ANNA, True), (ANNA.upper(), True), ("anna.k", False), ("home", False)]
)
def test_an_address_is_found_whole_and_cannot_be_felt_out(
    scene: Scene, query: str, found: bool
) -> None:
    ann, shopper = scene.person("ann"), scene.shopper()
    talk = scene.chat(shopper, "Hello")
    scene.do(visitors.describe, shopper, Describe(email=ANNA))
    values: dict[str, Any] = {"view": "all", "before_ms": None, "limit": 9}  # Any: arguments
    listed = scene.database.read_now(lambda c: search(c, ann, query=query, **values))
    assert [f.conversation.id for f in listed] == [talk] * found
