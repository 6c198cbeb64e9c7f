"""Both namespaces keep to the contract: who may connect, what comes first, who hears what."""

from __future__ import annotations

import asyncio
import time

import jwt
import pytest

from server.actions import people as people_actions
from server.actions.shop import set_site
from server.domain.actors import SYSTEM
from tests.realtime.client import Client, People, Refused
from tests.realtime.desk import Desk
from tests.realtime.follower import read_all

ENVELOPE = {"seq", "kind", "at_ms", "actor", "conversation_id", "conversation_seq", "data"}
MESSAGE = {"id", "client_id", "body", "blocks", "visibility", "origin", "author", "at_ms"}
SHOP_PAGE = "https://shop.example"


def kinds(client: Client) -> list[str]:
    return [envelope["kind"] for envelope in client.events]


# -- the first event --------------------------------------------------------------------------


async def test_a_shopper_is_welcomed_first_and_keeps_the_token(people: People) -> None:
    first = await people.shopper()
    assert first.welcome.keys() == {
        "visitor_token",
        "customer_id",
        "customer",
        "conversations",
        "requests",
        "consents",
        "shop",
        "server_at_ms",
    }
    assert first.welcome["conversations"] == []
    sent = await first.post("hello")
    await first.hears("hello")
    again = await people.shopper(first.welcome["visitor_token"])
    assert again.welcome["customer_id"] == first.welcome["customer_id"]
    assert again.welcome["visitor_token"] == first.welcome["visitor_token"]
    (head,) = again.welcome["conversations"]
    assert head["id"] == sent["conversation_id"]
    assert head["conversation_seq"] == max(e["conversation_seq"] for e in first.events)
    assert {"id", "status", "conversation_seq"} <= head.keys()


async def test_an_agent_is_welcomed_with_the_heads_of_what_they_may_see(people: People) -> None:
    shopper = await people.shopper()
    sent = await shopper.post("hello")
    agent = await people.agent()
    assert agent.welcome.keys() == {"agent", "conversations", "shop", "server_at_ms"}
    heads = {head["id"]: head for head in agent.welcome["conversations"]}
    assert heads[sent["conversation_id"]].keys() == {"id", "status", "conversation_seq"}
    assert agent.welcome["agent"]["email"] == "ana@shop.example"


async def test_the_welcome_comes_before_any_signal_while_presence_changes(people: People) -> None:
    agent = await people.agent("mei")
    for number in range(8):
        shopper = people.made("/visitor", {"site": people.desk.site})
        status = ("busy", "online")[number % 2]
        answer = agent.ask("presence.set", {"status": status})
        await shopper.connect()
        await answer
    # connect() asserts that the first event is the welcome


# -- who may connect --------------------------------------------------------------------------


async def test_a_wrong_site_key_is_a_connect_error_with_the_error_object(people: People) -> None:
    with pytest.raises(Refused) as refused:
        await people.made("/visitor", {"site": "wrong"}).connect()
    assert refused.value.told["data"]["error"].keys() == {"code", "message", "details"}
    assert refused.value.code == "not_allowed"


@pytest.mark.parametrize("auth", [None, {}, {"site": 5}, [], "x", {"site": None}])
async def test_a_shopper_without_a_proper_site_key_is_refused(people: People, auth: object) -> None:
    with pytest.raises(Refused) as refused:
        await people.made("/visitor", auth).connect()  # type: ignore[arg-type]  # wrong on purpose
    assert refused.value.code == "invalid_input"


async def test_a_forgotten_visitor_token_makes_a_new_shopper(people: People) -> None:
    shopper = await people.shopper("sv_nobody-knows-this-one")
    assert shopper.welcome["visitor_token"] != "sv_nobody-knows-this-one"


async def test_only_listed_pages_open_the_chat_and_programs_without_a_page_may(
    people: People, desk: Desk
) -> None:
    desk.write(lambda tx: set_site(tx, SYSTEM, origins=[SHOP_PAGE]))
    try:
        site = {"site": desk.site}

        async def foreign_is_refused() -> bool:
            try:
                client = await people.made(
                    "/visitor", site, Origin="https://evil.example"
                ).connect()
            except Refused as refused:
                return refused.code == "not_allowed"
            await client.close()
            return False

        program = await people.shopper()
        # The server looks at its list every few seconds.
        await program.until(foreign_is_refused, "the list of pages")
        await people.made("/visitor", site, Origin=SHOP_PAGE).connect()
        await people.made("/visitor", site, Origin=desk.url).connect()
        await people.shopper()
        for near in (
            "http://shop.example",
            "https://shop.example:444",
            "null",
            "https://a.shop.example",
        ):
            with pytest.raises(Refused):
                await people.made("/visitor", site, Origin=near).connect()
    finally:
        desk.write(lambda tx: set_site(tx, SYSTEM, origins=[]))


async def test_a_cookie_counts_only_from_our_own_page(people: People, desk: Desk) -> None:
    cookie = {"Cookie": f"sid={desk.people['mei'].cookie}"}
    for origin in ({}, {"Origin": SHOP_PAGE}, {"Origin": "null"}):
        with pytest.raises(Refused) as refused:
            await people.made("/agent", None, **cookie, **origin).connect()
        assert refused.value.code == "not_signed_in"
    await people.console("mei")


@pytest.mark.parametrize("auth", [None, {}, {"token": "sb_wrong"}, {"token": 5}, {"token": ""}])
async def test_an_agent_without_proof_is_refused(people: People, auth: dict[str, object]) -> None:
    with pytest.raises(Refused) as refused:
        await people.made("/agent", auth).connect()
    assert refused.value.code in ("not_signed_in", "invalid_input")


async def test_a_signed_identity_shows_the_same_history_on_another_machine(
    people: People, desk: Desk
) -> None:
    secret = "a secret of the shop, long enough"
    desk.write(lambda tx: set_site(tx, SYSTEM, identity_secret=secret))

    def identity(number: int, **changes: object) -> str:
        now = int(time.time())
        claims = {"sub": f"c-{desk.site}", "iat": now, "exp": now + 300, "aud": desk.site}
        claims |= {"jti": f"{desk.site}-{number}", "name": "Lin"} | changes
        return jwt.encode(claims, secret, "HS256")

    phone = await people.shopper(identity=identity(1))
    sent = await phone.post("from my phone")
    laptop = await people.shopper(identity=identity(2))
    assert laptop.welcome["customer"] == {
        "id": phone.welcome["customer_id"],
        "name": "Lin",
        "email": None,
        "verified": True,
    }
    assert [h["id"] for h in laptop.welcome["conversations"]] == [sent["conversation_id"]]
    with pytest.raises(Refused) as used:
        await people.shopper(identity=identity(1))
    assert used.value.code == "not_allowed"
    for forged in (
        identity(3, exp=int(time.time()) - 120),
        identity(4, aud="other"),
        jwt.encode({"sub": "x"}, secret, "HS256"),
        identity(5)[:-4] + "AAAA",
        "nonsense",
    ):
        with pytest.raises(Refused) as refused:
            await people.shopper(identity=forged)
        assert refused.value.code == "invalid_input"


# -- who hears what ---------------------------------------------------------------------------


async def test_envelopes_have_exactly_the_keys_of_the_contract(people: People) -> None:
    shopper, agent = await people.shopper(), await people.agent()
    conversation_id = (await shopper.post("question"))["conversation_id"]
    await agent.hears("question")
    await agent.post("answer", conversation_id=conversation_id)
    await shopper.hears("answer")
    await agent.hears("answer")
    for envelope in shopper.events:
        assert envelope.keys() == ENVELOPE
    for envelope in agent.events:
        assert envelope.keys() == ENVELOPE | {"state"}
        assert envelope["state"]["id"] == envelope["conversation_id"]
    for client in (shopper, agent):
        numbers = [e["conversation_seq"] for e in client.events]
        assert numbers == list(range(1, len(numbers) + 1))
        for message in client.messages:
            assert message.keys() == MESSAGE
        assert all(e["actor"].keys() == {"kind", "id", "name"} for e in client.events)


async def test_a_shopper_never_hears_notes_nor_what_only_staff_may_know(people: People) -> None:
    shopper, agent = await people.shopper(), await people.agent()
    conversation_id = (await shopper.post("question"))["conversation_id"]
    await agent.hears("question")
    note = await agent.post("she is angry", conversation_id=conversation_id, visibility="private")
    await agent.do("conversation.tag", conversation_id=conversation_id, add=["angry"])
    await agent.do(
        "conversation.transfer",
        conversation_id=conversation_id,
        agent_id=people.desk.people["ida"].id,
        note="please take this one",
    )
    await agent.post("answer", conversation_id=conversation_id)
    await shopper.hears("answer")
    told = str(shopper.heard)
    for secret in ("angry", "please take", "shop.example", "why", "transfer", "state", "team"):
        assert secret not in told, secret
    everything = await read_all(shopper, conversation_id)
    assert "angry" not in str(everything)
    assert [e["conversation_seq"] for e in everything] == list(range(1, len(everything) + 1))
    assert kinds(shopper) == [e["kind"] for e in everything]
    refused = await shopper.refused(
        "message.mark_read", conversation_id=conversation_id, message_id=note["message_id"]
    )
    assert refused == "not_found"


async def test_a_shopper_who_asks_for_a_private_message_writes_a_public_one(
    people: People,
) -> None:
    shopper = await people.shopper()
    await shopper.post("not a note", visibility="private")
    assert (await shopper.hears("not a note"))["visibility"] == "public"


async def test_two_tabs_of_one_shopper_both_get_everything(people: People) -> None:
    one, agent = await people.shopper(), await people.agent()
    two = await people.shopper(one.welcome["visitor_token"])
    conversation_id = (await one.post("from the first tab"))["conversation_id"]
    await two.post("from the second tab", conversation_id=conversation_id)
    await agent.hears("from the second tab")
    await agent.post("to both", conversation_id=conversation_id)
    for tab in (one, two):
        await tab.hears("to both")
        assert [m["body"] for m in tab.messages] == [
            "from the first tab",
            "from the second tab",
            "to both",
        ]
    assert one.events == two.events


async def test_shoppers_neither_hear_nor_reach_each_other(people: People) -> None:
    one, other = await people.shopper(), await people.shopper()
    sent = await one.post("only mine")
    conversation_id = sent["conversation_id"]
    commands: dict[str, dict[str, object]] = {
        "conversation.catch_up": {"after_seq": 0},
        "message.post": {"client_id": "x", "body": "mine now"},
        "message.mark_read": {"message_id": sent["message_id"]},
        "typing.set": {"typing": True},
        "rating.give": {"score": 1},
        "conversation.end": {},
    }
    for command, more in commands.items():
        code = await other.refused(command, conversation_id=conversation_id, **more)
        assert code == "not_found", command
    await other.post("something of my own")
    await other.hears("something of my own")
    assert [m["body"] for m in other.messages] == ["something of my own"]
    assert "only mine" not in str(other.heard)


async def test_agents_hear_their_own_team_and_not_the_other(people: People) -> None:
    shopper, leader = await people.shopper(), await people.agent("ana")
    north, south = await people.agent("mei"), await people.agent("tom")
    conversation_id = (await shopper.post("for the north"))["conversation_id"]
    await leader.hears("for the north")
    await leader.do(
        "conversation.transfer", conversation_id=conversation_id, team_id=people.desk.teams["north"]
    )
    before = len(south.events)
    await shopper.post("secret of the north", conversation_id=conversation_id)
    await shopper.do("typing.set", conversation_id=conversation_id, typing=True)
    await north.hears("secret of the north")
    await north.until(lambda: north.signals("typing.changed"))
    await leader.do(
        "message.mark_read",
        conversation_id=conversation_id,
        message_id=(await leader.hears("secret of the north"))["id"],
    )
    await north.until(lambda: north.signals("message.read"))
    # Whatever was sent before is here once something later has come.
    other = await people.shopper()
    await other.post("for all")
    await south.hears("for all")
    mine = [e for e in south.events[before:] if e["conversation_id"] == conversation_id]
    assert [e for e in mine if e["kind"] == "message.posted"] == []
    assert south.signals("typing.changed") == []
    assert south.signals("message.read") == []
    assert await south.refused("conversation.open", conversation_id=conversation_id) == "not_found"
    listed = (await south.do("conversation.list", view="all"))["conversations"]
    assert conversation_id not in [row["id"] for row in listed]


async def test_a_change_of_team_changes_what_is_heard(people: People, desk: Desk) -> None:
    wanderer = desk.hire("wim", team="north")
    agent, leader = await people.agent(wanderer), await people.agent("ana")
    shopper = await people.shopper()
    conversation_id = (await shopper.post("for the south"))["conversation_id"]
    await leader.hears("for the south")
    await leader.do(
        "conversation.transfer", conversation_id=conversation_id, team_id=desk.teams["south"]
    )
    assert await agent.refused("conversation.open", conversation_id=conversation_id) == "not_found"
    desk.write(
        lambda tx: people_actions.set_members(
            tx, SYSTEM, desk.teams["south"], [wanderer.id, desk.people["tom"].id]
        )
    )

    async def may_open() -> bool:
        answer = await agent.ask("conversation.open", {"conversation_id": conversation_id})
        return bool(answer["ok"])

    await agent.until(may_open, "the new right")
    await shopper.post("to the new one", conversation_id=conversation_id)
    await agent.hears("to the new one")


async def test_a_deactivated_person_is_cut_off(people: People, desk: Desk) -> None:
    leaver = desk.hire("lee")
    by_token, by_cookie = await people.agent(leaver), await people.console(leaver)
    stays = await people.agent("ana")
    desk.write(lambda tx: people_actions.deactivate(tx, SYSTEM, leaver.id))
    await by_token.gone()
    await by_cookie.gone()
    assert stays.connected
    for again in (people.agent, people.console):
        with pytest.raises(Refused) as refused:
            await again(leaver)
        assert refused.value.code == "not_signed_in"


async def test_a_new_password_ends_the_sockets_of_the_old_sign_in(
    people: People, desk: Desk
) -> None:
    person = desk.hire("pam")
    console = await people.console(person)
    desk.write(lambda tx: people_actions.set_password(tx, SYSTEM, person.id, password_hash="x"))
    await console.gone()


# -- catching up ------------------------------------------------------------------------------


async def test_a_long_conversation_is_caught_up_page_by_page(people: People) -> None:
    shopper = await people.shopper()
    conversation_id = (await shopper.post("0"))["conversation_id"]
    for first in range(1, 441, 40):
        await asyncio.gather(*(shopper.post(str(n)) for n in range(first, first + 40)))
    await shopper.hears("440")
    for client in (await people.shopper(shopper.welcome["visitor_token"]), await people.agent()):
        page = await client.do(
            "conversation.catch_up", conversation_id=conversation_id, after_seq=0
        )
        assert len(page["events"]) == 200
        assert page["complete"] is False
        everything = await read_all(client, conversation_id)
        numbers = [e["conversation_seq"] for e in everything]
        assert numbers == list(range(1, len(numbers) + 1))
        bodies = [e["data"]["message"]["body"] for e in everything if e["kind"] == "message.posted"]
        assert bodies == [str(number) for number in range(441)]
        before = await client.do(
            "conversation.catch_up", conversation_id=conversation_id, after_seq=0, before_seq=301
        )
        assert [e["conversation_seq"] for e in before["events"]] == list(range(101, 301))
        assert before["complete"] is False
        start = await client.do(
            "conversation.catch_up", conversation_id=conversation_id, after_seq=0, before_seq=101
        )
        assert [e["conversation_seq"] for e in start["events"]] == list(range(1, 101))
        assert start["complete"] is True
        nothing = await client.do(
            "conversation.catch_up", conversation_id=conversation_id, after_seq=len(numbers)
        )
        assert (nothing["events"], nothing["complete"]) == ([], True)
