"""The laws of who is who: whatever a stranger says, in whatever order, opens nothing of anybody."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any  # Any: what a strategy draws, JSON values

import jwt
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from server.actions import identity, visitors
from server.actions.access import access_conversation
from server.actions.desk import arrivals
from server.actions.identity import Merge, Said, Unmerge
from server.actions.payload import parse
from server.actions.visitors import Connect, Describe, UpdateCustomer
from server.domain.actors import Actor, customer
from server.domain.errors import AppError, NotFound
from server.storage import cards, links, views
from server.storage.customers import CUSTOMER, Customer, add_customer, load_customer
from server.storage.persons import members, person_of
from server.storage.shop_sources import SHOP_SOURCE
from server.storage.tables import CustomerOrigin, table
from tests.actions.scene import SECRET, SITE, Answer, Scene

LAW = settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
NAME, EMAIL, PHONE = "Annabel Keller-Moor", "annabel.keller@home.example", "+8613800138000"
SECRETS = (EMAIL, PHONE, "13800138000", "Where is my secret parcel?", "home.example", "Keller-Moor")
# Every way to write what belongs to somebody else.
EMAILS = (EMAIL, EMAIL.upper(), " Annabel.Keller@HOME.example ", "ａnnabel.keller@home.example")
PHONES = (PHONE, "13800138000", "0086 138 0013 8000", "1３800138000;13900139000")
STRANGER = st.one_of(
    st.tuples(st.just("email"), st.sampled_from(EMAILS)),
    st.tuples(st.just("phone"), st.sampled_from(PHONES)),
    st.tuples(st.just("sign_in"), st.sampled_from(("ben", "cat"))),
    st.tuples(st.just("sign_in_claiming"), st.sampled_from(EMAILS)),
    st.tuples(st.just("forge"), st.sampled_from(("anna", "ben"))),
    st.tuples(st.just("reconnect"), st.just("")),
    st.tuples(st.just("new_browser"), st.just("")),
    st.tuples(st.just("write"), st.sampled_from(("Hello", "I am Anna"))),
    st.tuples(st.just("agent_types"), st.sampled_from(EMAILS)),
    st.tuples(st.just("look_over"), st.just("")),
)


class Stranger:
    """Somebody with a browser, two accounts of their own and everything that Anna ever told."""

    def __init__(self, scene: Scene, agent: Actor) -> None:
        self.scene, self.agent = scene, agent
        self.number = 0
        self.own: set[str] = set()
        self.talks: set[str] = set()
        self.here = self.connect(None)

    @property
    def actor(self) -> Actor:
        return customer(self.here["customer_id"], also=frozenset(self.here["also"]))

    def connect(self, token: str | None, identity_: str | None = None) -> Answer:
        payload = parse(Connect, {"site": SITE, "visitor_token": token, "identity": identity_})
        answer = self.scene.database.write_now(lambda tx: visitors.connect(tx, payload))
        self.own |= {answer["customer_id"], *answer["also"]}
        return answer

    def identity(self, sub: str, secret: str = SECRET, **claims: Any) -> str:  # Any: claims
        self.number += 1
        now_s = int(self.scene.time.now_s)
        body = {"sub": sub, "aud": SITE, "iat": now_s, "exp": now_s + 60, "jti": str(self.number)}
        return jwt.encode({**body, **claims}, secret, algorithm="HS256")

    def do(self, act: str, value: str) -> None:
        """One step; what is refused is no harm."""
        with suppress(AppError):
            if act in ("email", "phone"):
                said = parse(Describe, {act: value, "name": "Anna"})
                self.scene.do(visitors.describe, self.actor, said)
            elif act == "write":
                self.talks.add(self.scene.chat(self.actor, value))
            elif act == "agent_types":
                update = UpdateCustomer(customer_id=self.here["customer_id"], email=value)
                self.scene.do(visitors.update_customer, self.agent, update)
            elif act == "look_over":
                found = self.scene.database.read_now(identity.find_to_look_over)
                self.scene.database.write_now(lambda tx: identity.look_over(tx, found))
            else:
                self.here = self.arrive(act, value)

    def arrive(self, act: str, value: str) -> Answer:
        """Connects anew, in the way that a step names."""
        token = self.here["visitor_token"]
        if act == "sign_in":
            return self.connect(token, self.identity(value))
        if act == "sign_in_claiming":
            signed = self.identity("ben", email=value, email_verified=False, phone=PHONE)
            return self.connect(token, signed)
        if act == "forge":
            wrong = self.identity(value, SECRET + "x", email=EMAIL, email_verified=True)
            return self.connect(token, wrong)
        return self.connect(token if act == "reconnect" else None)


def card(scene: Scene, actor: Actor, customer_id: str) -> dict[str, Any]:  # Any: JSON
    def read(connection: Any) -> dict[str, Any]:  # Any: Connection, JSON
        found = load_customer(connection, customer_id)
        assert found is not None
        shown = cards.card(connection, found, actor, scene.time.at_ms)
        return shown | {"listed": views.customer_view(connection, found, actor)}

    return scene.database.read_now(read)


@LAW
@given(steps=st.lists(STRANGER, min_size=1, max_size=12))
def test_no_sequence_of_claims_opens_or_shows_anything_of_somebody_else(
    scene: Scene, steps: list[tuple[str, str]]
) -> None:
    scene.begin()
    ann = scene.person("ann")
    anna_first = Stranger(scene, ann)
    anna_first.here = anna_first.connect(
        None,
        anna_first.identity(
            "anna", name=NAME, email=EMAIL, email_verified=True, phone=PHONE, phone_verified=True
        ),
    )
    anna = anna_first.here["customer_id"]
    talk = scene.chat(anna_first.actor, "Where is my secret parcel?")
    stranger = Stranger(scene, ann)
    stranger.number = 100
    for act, value in steps:
        stranger.do(act, value)
        here = stranger.here["customer_id"]
        # The shopper: nothing but their own.
        assert anna not in stranger.own
        welcome = scene.database.read_now(
            lambda c, key=here: arrivals(c, [key], at_ms=scene.time.at_ms)[key].welcome  # type: ignore[misc]  # bound default
        )
        assert {head["id"] for head in welcome["conversations"]} <= stranger.talks
        assert NAME not in json.dumps(welcome)
        with pytest.raises(NotFound):
            scene.database.write_now(
                lambda tx, who=stranger.actor: access_conversation(tx, who, talk)  # type: ignore[misc]  # bound default
            )
        # Staff: one person each, and nothing of Anna whole.
        for row in stranger.own:
            assert scene.database.read_now(lambda c, key=row: person_of(c, key)) != anna  # type: ignore[misc]  # bound default
            shown = json.dumps(card(scene, ann, row), ensure_ascii=False)
            assert not [secret for secret in SECRETS if secret.lower() in shown.lower()]
    assert scene.database.read_now(lambda c: members(c, anna)) == (anna,)


# -- the order of linking, and its undoing ----------------------------------------------------

PROOFS = st.lists(
    st.tuples(
        st.integers(0, 5), st.sampled_from(("x@home.example", "y@home.example", "13800138000"))
    ),
    min_size=2,
    max_size=6,
    unique=True,
)


def rows(scene: Scene) -> list[dict[str, Any]]:  # Any: columns
    found = scene.database.read_now(
        lambda c: c.execute(select(CUSTOMER).order_by(CUSTOMER.c.id)).mappings().all()
    )
    return [dict(row) for row in found]


def add_six(scene: Scene) -> list[str]:
    """Three accounts of the shop, two of a till, and a browser; their ids say who they are."""
    scene.begin()

    def add(tx: Any) -> None:  # Any: Tx
        for number, name in enumerate(("shop", "till")):
            values = {"name": name, "kind": "generic", "customer_ids": ("shop", "own")[number]}
            rest = {"created_at_ms": 1, "failures": 0, "refused": 0, "stale_after_ms": 1}
            tx.later(insert(SHOP_SOURCE), values | rest)
        for number in range(6):
            made = Customer(
                id=f"c{number}",
                external_id=str(number) if number < 3 else None,
                name=None,
                email=None,
                phone=None,
                locale=None,
                identity="anonymous",
                created_at_ms=9 - number,
                seen_at_ms=9,
            )
            add_customer(tx, made)
            if number in (3, 4):
                origin = {"name": f"till:{number}", "customer_id": f"c{number}"}
                tx.later(insert(table(CustomerOrigin)), origin)

    scene.database.write_now(add)
    return [f"c{number}" for number in range(6)]


def prove(scene: Scene, customer_id: str, value: str) -> None:
    said = Said("email" if "@" in value else "phone", value, proved=True)
    scene.database.write_now(
        lambda tx: identity.note_contacts(tx, customer_id, [said], source="signed")
    )


@LAW
@given(proofs=PROOFS, data=st.data())
def test_the_order_of_proofs_does_not_matter(
    scene: Scene, proofs: list[tuple[int, str]], data: st.DataObject
) -> None:
    found = []
    for order in (proofs, data.draw(st.permutations(proofs))):
        ids = add_six(scene)
        for number, value in order:
            prove(scene, ids[number], value)
        cases = scene.database.read_now(links.open_cases)
        found.append((rows(scene), sorted((c.customer_id, c.other_id, c.kind) for c in cases)))
    assert found[0] == found[1]


@LAW
@given(proofs=PROOFS, pairs=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=4))
def test_merges_undone_in_any_order_leave_every_row_as_it_was(
    scene: Scene, proofs: list[tuple[int, str]], pairs: list[tuple[int, int]]
) -> None:
    ids = add_six(scene)
    lea = scene.person("lea", role="supervisor", status="offline")
    for number, value in proofs:
        prove(scene, ids[number], value)
    before = rows(scene)
    made = []
    for one, other in pairs:
        try:
            asked = Merge(customer_id=ids[one], other_id=ids[other])
            made.append(scene.do(identity.merge, lea, asked)["link_id"])
        except AppError:
            continue
    for link_id in sorted(made):
        scene.do(identity.unmerge, lea, Unmerge(link_id=link_id))
    assert rows(scene) == before
