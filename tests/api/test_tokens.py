"""Tokens: what they open, for how long, and how they end."""

from __future__ import annotations

from functools import partial

import pytest

from server.domain.errors import NotAllowed
from server.storage.people import load_person
from server.storage.tokens import load_tokens, person_of_token
from tests.api.caller import make_token
from tests.api.conftest import As
from tests.http.desk import Desk

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
DAY_S = 86_400


async def test_a_token_without_scopes_may_do_what_its_person_may(desk: Desk, program: As) -> None:
    admin, agent = await program("admin"), await program("agent")
    assert (await admin.get("/tokens")).status == 200
    assert (await agent.get("/conversations")).status == 200
    assert (await agent.get("/tokens")).status == 403


async def test_a_scope_never_widens_a_role(program: As) -> None:
    agent = await program("agent", scopes=["admin", "events:read"])
    assert (await agent.get("/tokens")).code == "not_allowed"
    assert (await agent.get("/events")).code == "not_allowed"


async def test_who_may_write_may_read(program: As) -> None:
    agent = await program("agent", scopes=["customers:write"])
    assert (await agent.get("/customers")).status == 200
    assert (await agent.get("/conversations")).status == 403


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Basic sb_abc",
        "Bearer sb_" + "x" * 300,
        "Bearer sb_\xff",
    ],
)
async def test_what_is_no_token_is_refused_in_the_one_shape(header: str, program: As) -> None:
    answer = await (await program(None)).call("GET", "/me", headers={"Authorization": header})
    assert (answer.status, answer.code) == (401, "not_signed_in")


async def test_a_cookie_opens_nothing_here(desk: Desk) -> None:
    visitor = await desk.signed_in("admin")
    answer = await visitor.get("/api/v1/tokens", headers={"Accept": "*/*"})
    assert answer.status == 401


async def test_a_token_ends_after_its_days(desk: Desk, program: As) -> None:
    agent = await program("agent", days=2)
    assert (await agent.get("/me")).status == 200
    desk.time.now += 2 * DAY_S
    assert (await agent.get("/me")).status == 401


async def test_a_revoked_token_ends_at_once(program: As) -> None:
    admin = await program("admin")
    made = await admin.call("POST", "/tokens", {"name": "till", "role": "agent"})
    till = await program(None)
    till.headers = {"Authorization": f"Bearer {made.value['token']}"}
    assert (await till.get("/me")).value["name"] == "till"
    assert (await admin.call("DELETE", f"/tokens/{made.value['id']}")).status == 204
    assert (await till.get("/me")).status == 401
    assert (await admin.call("DELETE", f"/tokens/{made.value['id']}")).status == 404


async def test_a_person_made_for_a_token_goes_with_it(desk: Desk, program: As) -> None:
    admin = await program("admin")
    made = (await admin.call("POST", "/tokens", {"name": "till", "role": "agent"})).value
    again = await admin.call("POST", "/tokens", {"name": "two", "agent_id": made["agent"]["id"]})
    assert (await admin.call("DELETE", f"/tokens/{made['id']}")).status == 204
    person = desk.database.read_now(lambda c: load_person(c, made["agent"]["id"]))
    assert person is not None
    assert person.active, "another token needs it"
    await admin.call("DELETE", f"/tokens/{again.value['id']}")
    person = desk.database.read_now(lambda c: load_person(c, made["agent"]["id"]))
    assert person is not None
    assert not person.active
    mine = await admin.call("POST", "/tokens", {"name": "m", "agent_id": desk.people["agent"]})
    await admin.call("DELETE", f"/tokens/{mine.value['id']}")
    agent = desk.database.read_now(lambda c: load_person(c, desk.people["agent"]))
    assert agent is not None
    assert agent.active, "who signs in stays"


async def test_a_token_makes_no_token_that_reaches_further(program: As) -> None:
    keeper = await program("admin", scopes=["admin", "customers:write"])
    for scopes, status in (
        (["admin"], 201),
        (["customers:read"], 201),
        (["customers:write", "admin"], 201),
        (["conversations:read"], 403),
        (["admin", "socket"], 403),
        (None, 403),
        (["no such"], 400),
        ([], 400),
    ):
        body = {"name": "x", "role": "admin", "scopes": scopes}
        assert (await keeper.call("POST", "/tokens", body)).status == status, scopes


@pytest.mark.parametrize(
    "wrong",
    [
        {"role": "agent", "agent_id": "x"},
        {},
        {"role": "owner"},
        {"role": "agent", "days": 0},
        {"role": "agent", "scopes": ["nonsense"]},
        {"role": "agent", "scopes": []},
        {"role": "agent", "name": " "},
    ],
)
async def test_a_token_that_makes_no_sense_is_refused(
    wrong: dict[str, object], program: As
) -> None:
    answer = await (await program("admin")).call("POST", "/tokens", {"name": "x", **wrong})
    assert (answer.status, answer.code) == (400, "invalid_input")


async def test_the_last_use_is_noted_at_most_once_a_minute(desk: Desk, program: As) -> None:
    agent, admin = await program("agent"), await program("admin")

    async def used() -> int | None:
        await admin.get("/me")  # behind the note in the writer's queue
        await desk.database.write(lambda _: None)
        tokens = desk.database.read_now(load_tokens)
        return next(t.last_used_at_ms for t in tokens if t.agent_id == desk.people["agent"])

    assert await used() is None
    await agent.get("/me")
    first = await used()
    assert first == desk.database.clock()
    desk.time.now += 30
    await agent.get("/me")
    assert await used() == first
    desk.time.now += 31
    await agent.get("/me")
    assert await used() == first + 61_000


async def test_a_stored_token_opens_nothing(desk: Desk, program: As) -> None:
    token = await make_token(desk, "admin")
    admin = await program("admin")
    listed = (await admin.get("/tokens")).body.decode()
    kept = str(desk.database.read_now(load_tokens))
    assert token not in listed + kept
    assert token.removeprefix("sb_") not in listed + kept


async def test_a_socket_takes_only_tokens_that_are_meant_for_it(desk: Desk) -> None:
    now = desk.database.clock()
    for scopes in (None, ["socket"], ["events:read", "socket"]):
        token = await make_token(desk, "agent", scopes=scopes)
        person = desk.database.read_now(partial(person_of_token, token=token, at_ms=now))
        assert person is not None
    token = await make_token(desk, "agent", scopes=["conversations:write"])
    with pytest.raises(NotAllowed):
        desk.database.read_now(lambda c: person_of_token(c, token, now))


async def test_the_page_makes_shows_once_and_revokes(desk: Desk) -> None:
    admin = await desk.signed_in("admin")
    fields = [("name", "till"), ("who", "role:agent"), ("days", "30"), ("scope", "customers:read")]
    answer = await admin.post("/settings/tokens", fields)
    assert answer.status == 200
    [token] = desk.database.read_now(load_tokens)
    assert (token.name, token.scopes, token.role) == ("till", ("customers:read",), "agent")
    shown = answer.text.partition('id="token-value">')[2].partition("<")[0]
    assert desk.database.read_now(lambda c: person_of_token(c, shown, 0, scope="customers:read"))
    assert shown not in (await admin.get("/settings/tokens")).text
    path = f"/settings/tokens/{token.id}/revoke"
    assert "Revoke the token till?" in (await admin.get(path)).text
    assert (await admin.post(path)).status == 303
    assert desk.database.read_now(load_tokens) == []
    assert "Revoked" in (await admin.get("/settings/tokens?done=revoked")).text


@pytest.mark.parametrize(
    "wrong",
    [{"scope": ""}, {"days": "7"}, {"who": "role:owner"}, {"who": "x"}, {"name": ""}],
)
async def test_the_page_says_what_is_wrong(desk: Desk, wrong: dict[str, str]) -> None:
    admin = await desk.signed_in("admin")
    fields = {"name": "till", "who": "role:agent", "days": "30", "scope": "customers:read"} | wrong
    answer = await admin.post(
        "/settings/tokens",
        {name: value for name, value in fields.items() if value or name != "scope"},
    )
    assert answer.status == 400
    assert 'role="alert"' in answer.text or 'aria-invalid="true"' in answer.text
    assert desk.database.read_now(load_tokens) == []
