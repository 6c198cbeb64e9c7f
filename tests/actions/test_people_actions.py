"""People, teams and tokens: who may change them, and what a change ends."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from server.actions import people as actions
from server.actions.sign_in import SignedOut, start_sign_in
from server.domain.actors import SYSTEM, Actor, agent, customer
from server.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound, NotSignedIn
from server.domain.spans import DAY_MS
from server.storage.database import Committed, Database
from server.storage.people import load_people, load_person
from server.storage.sign_ins import person_of_cookie
from server.storage.tokens import person_of_token
from server.storage.unit import Tx


def _add(database: Database, email: str = "a@shop.example", role: str = "agent") -> str:
    return database.write_now(
        lambda tx: actions.add_person(
            tx, SYSTEM, email=email, name="Ana Costa", role=role, password_hash="hash"
        )
    )


def _by(job: Callable[[Any, Actor], object], who: Actor, tx: Tx) -> object:
    return job(tx, who)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (" Ana.Costa+x@Shop.Example ", "ana.costa+x@shop.example"),
        ("王@商店.example", "王@商店.example"),
        ("a@b-c.example.cn", "a@b-c.example.cn"),
        ("o'neil@shop.example", "o'neil@shop.example"),
    ],
)
def test_an_address_has_one_stored_form(typed: str, stored: str) -> None:
    assert actions.normal_email(typed) == stored


@pytest.mark.parametrize(
    "typed",
    ["", "a", "a@", "@b.example", "a@b", "a b@c.example", "a@b..example", ".a@b.example",
     "a.@b.example", "a..b@c.example", "a@-b.example", "a@b.example,c@d.example", "a@b@c.example",
     "<a@b.example>", '"a"@b.example', "a@b.example\nBcc: c@d.example", "a" * 65 + "@b.example",
     "a@" + "b" * 250 + ".example", "a@b.123", "a@[127.0.0.1]", "\ud800@b.example"],
)  # fmt: skip
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInput):
        actions.normal_email(typed)


def test_only_admins_and_the_command_line_manage_people(database: Database) -> None:
    other = _add(database)
    team = database.write_now(lambda tx: actions.add_team(tx, SYSTEM, name="Orders"))
    jobs: list[Callable[[Any, Actor], object]] = [
        lambda tx, who: actions.add_person(
            tx, who, email="x@shop.example", name="X", role="agent", password_hash=None
        ),
        lambda tx, who: actions.change_person(
            tx, who, other, name="X", role="admin", languages=[], capacity=1, team_ids=[]
        ),
        lambda tx, who: actions.set_password(tx, who, other, password_hash="x"),
        lambda tx, who: actions.deactivate(tx, who, other),
        lambda tx, who: actions.reactivate(tx, who, other),
        lambda tx, who: actions.add_team(tx, who, name="Y"),
        lambda tx, who: actions.rename_team(tx, who, team, name="Y", name_zh=None),
        lambda tx, who: actions.set_members(tx, who, team, [other]),
        lambda tx, who: actions.create_token(tx, who, name="t", role="admin"),
    ]
    for who in (agent("x", name="X"), agent("y", name="Y", role="supervisor"), customer("c")):
        for number, job in enumerate(jobs):
            with pytest.raises(NotAllowed):
                database.write_now(partial(_by, job, who))
            assert len(database.read_now(load_people)) == 1, number


def test_nobody_shares_an_address(database: Database) -> None:
    _add(database, "a@shop.example")
    with pytest.raises(Conflict):
        _add(database, "A@Shop.Example")


def test_a_shop_keeps_an_admin(database: Database) -> None:
    only = _add(database, role="admin")
    with pytest.raises(Conflict):
        database.write_now(lambda tx: actions.deactivate(tx, SYSTEM, only))
    second = _add(database, "b@shop.example", role="admin")
    database.write_now(lambda tx: actions.deactivate(tx, SYSTEM, only))
    with pytest.raises(Conflict):
        database.write_now(
            lambda tx: actions.change_person(
                tx, SYSTEM, second, name="B", role="agent", languages=[], capacity=8, team_ids=[]
            )
        )


def test_a_token_acts_as_its_person_until_it_runs_out(database: Database) -> None:
    person_id = _add(database)
    token = database.write_now(
        lambda tx: actions.create_token(tx, SYSTEM, name="export", agent_id=person_id)
    )
    assert token.startswith("sb_")
    assert len(token) == 46
    now = database.clock()
    person = database.read_now(lambda c: person_of_token(c, token, now))
    assert person is not None
    assert person.id == person_id
    assert database.read_now(lambda c: person_of_token(c, token, now + 91 * DAY_MS)) is None
    for wrong in (token[:-1], token + "x", token[3:], "", "sb_", "sb_\ud800"):
        assert database.read_now(partial(person_of_token, token=wrong, at_ms=now)) is None


def test_a_token_for_a_role_acts_as_a_person_made_for_it(database: Database) -> None:
    token = database.write_now(
        lambda tx: actions.create_token(tx, SYSTEM, name="report", role="supervisor", days=None)
    )
    far = database.clock() + 10_000 * DAY_MS
    person = database.read_now(lambda c: person_of_token(c, token, far))
    assert person is not None
    assert (person.name, person.role, person.email) == ("report", "supervisor", None)
    with pytest.raises(InvalidInput):
        database.write_now(lambda tx: actions.create_token(tx, SYSTEM, name="x"))
    with pytest.raises(NotFound):
        database.write_now(lambda tx: actions.create_token(tx, SYSTEM, name="x", agent_id="no"))


def test_deactivating_ends_sign_ins_and_tokens_and_tells_the_sockets(
    open_database: Callable[..., Database],
) -> None:
    told: list[object] = []

    def on_commit(batch: list[Committed]) -> None:
        for committed in batch:
            told.extend(committed.notices)

    database = open_database(on_commit=on_commit)
    person_id = _add(database)
    issued = database.write_now(
        lambda tx: start_sign_in(tx, agent_id=person_id, password_hash="hash")
    )
    token = database.write_now(
        lambda tx: actions.create_token(tx, SYSTEM, name="t", agent_id=person_id)
    )
    now = database.clock()
    assert database.read_now(lambda c: person_of_cookie(c, issued.cookie, now)) is not None
    database.write_now(lambda tx: actions.deactivate(tx, SYSTEM, person_id))
    assert database.read_now(lambda c: person_of_cookie(c, issued.cookie, now)) is None
    assert database.read_now(lambda c: person_of_token(c, token, now)) is None
    assert SignedOut(person_id) in told
    database.write_now(lambda tx: actions.reactivate(tx, SYSTEM, person_id))
    assert database.read_now(lambda c: person_of_cookie(c, issued.cookie, now)) is None
    assert database.read_now(lambda c: person_of_token(c, token, now)) is None


def test_a_password_changed_between_check_and_sign_in_counts(database: Database) -> None:
    person_id = _add(database)
    database.write_now(
        lambda tx: actions.set_password(tx, SYSTEM, person_id, password_hash="new hash")
    )
    with pytest.raises(NotSignedIn):
        database.write_now(lambda tx: start_sign_in(tx, agent_id=person_id, password_hash="hash"))


def test_people_are_members_of_the_teams_named_and_no_other(database: Database) -> None:
    one, two = _add(database), _add(database, "b@shop.example")
    team = database.write_now(lambda tx: actions.add_team(tx, SYSTEM, name="Orders"))
    for members in ([one, two], [two], []):
        database.write_now(
            partial(actions.set_members, actor=SYSTEM, team_id=team, agent_ids=members)
        )
        found = {p.id for p in database.read_now(load_people) if team in p.team_ids}
        assert found == set(members)
    with pytest.raises(NotFound):
        database.write_now(lambda tx: actions.set_members(tx, SYSTEM, team, ["nobody"]))


def test_a_profile_change_touches_only_name_and_language(database: Database) -> None:
    person_id = _add(database)
    before = database.read_now(lambda c: load_person(c, person_id))
    assert before is not None
    database.write_now(
        lambda tx: actions.change_profile(tx, before.actor, name=" 李  娜 ", locale="zh")
    )
    after = database.read_now(lambda c: load_person(c, person_id))
    assert after is not None
    assert (after.name, after.locale) == ("李 娜", "zh")
    assert (after.role, after.email, after.capacity) == (before.role, before.email, before.capacity)
