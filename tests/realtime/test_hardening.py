"""Whatever is sent, the answer is one error shape or a closed line, and the server goes on."""

from __future__ import annotations

import asyncio
import json
import random
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any  # Any: JSON values

import aiohttp
import pytest
import pytest_asyncio

from server.realtime.wire import COMMANDS
from tests.realtime.client import Client, People, Refused
from tests.realtime.desk import Desk, make_desk
from tests.realtime.raw import ENGINE, Line, line, shopper_line
from tests.support.waiting import let_time_pass, wait_until_async

CODES = {
    "invalid_input",
    "not_signed_in",
    "not_allowed",
    "not_found",
    "conflict",
    "too_large",
    "too_many",
}
ROWS = [(namespace, name) for namespace, rows in COMMANDS.items() for name in rows]
CANARY = "canary-7d1f text of a person"
WRONG: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    2**53,
    2**63,
    "",
    "x" * 5000,
    "\x00",
    "%s{}$(id)'\"",
    [],
    [[]],
    {},
    {"a": {"b": []}},
    CANARY,
)


def rss_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    found = re.search(r"VmRSS:\s+(\d+)", status)
    assert found is not None
    return int(found[1]) / 1024


def payload_of(namespace: str, name: str, values: Iterator[Any]) -> dict[str, Any]:
    """A payload with every field of the row, each with a wrong value."""
    fields = COMMANDS[namespace][name].payload.model_fields
    return {field: next(values) for field in fields}


async def connected(people: People, namespace: str) -> Client:
    return await (people.shopper() if namespace == "/visitor" else people.agent("ida"))


def assert_refusal(answer: Any) -> None:
    assert answer["ok"] is False, answer
    assert answer.keys() == {"ok", "error"}
    assert answer["error"].keys() == {"code", "message", "details"}
    assert answer["error"]["code"] in CODES, answer


# -- commands ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("namespace", "name"), ROWS)
async def test_every_command_answers_wrong_input_in_the_one_shape(
    people: People, namespace: str, name: str
) -> None:
    client = await connected(people, namespace)
    takes_nothing = not COMMANDS[namespace][name].payload.model_fields
    chance = random.Random(name)
    nothing: list[Any] = [5, "x", [], [{}], True, 1.5, None]
    for wrong in nothing:
        assert_refusal(await client._socket.call(name, (wrong, 1), namespace=namespace))  # type: ignore[union-attr]
    for turn in range(len(WRONG)):
        values = iter(lambda: chance.choice(WRONG), object())
        payload = payload_of(namespace, name, values) | {"unknown": WRONG[turn]}
        answer = await client.ask(name, payload)
        if takes_nothing or answer["ok"]:
            continue
        assert_refusal(answer)
        for field in payload:
            same = payload | {field: WRONG[turn]}
            answer = await client.ask(name, same)
            assert answer["ok"] or answer["error"]["code"] in CODES, (same, answer)


@pytest.mark.parametrize("namespace", ["/visitor", "/agent"])
@pytest.mark.parametrize(
    "name", ["nothing.there", "desk", "__class__", "connect_error", "", "x" * 9000]
)
async def test_an_unknown_command_is_not_found(people: People, namespace: str, name: str) -> None:
    client = await connected(people, namespace)
    answer = await client.ask(name)
    assert_refusal(answer)
    assert answer["error"]["code"] == "not_found"


@pytest.mark.parametrize("namespace", ["/visitor", "/agent"])
@pytest.mark.parametrize("name", ["connect", "disconnect", "connect_error", "*"])
async def test_no_client_reaches_the_handlers_of_the_library(
    people: People, desk: Desk, namespace: str, name: str
) -> None:
    client = await connected(people, namespace)
    environ: dict[str, Any] = {"HTTP_ORIGIN": None, "aiohttp.request": {}}
    answer = await client._socket.call(name, (environ, {"site": desk.site}), namespace=namespace)  # type: ignore[union-attr]
    assert_refusal(answer)
    assert await client.refused("conversation.catch_up", conversation_id="x") == "not_found"


async def test_a_shopper_has_none_of_the_agents_commands(people: People) -> None:
    shopper = await people.shopper()
    for name in COMMANDS["/agent"].keys() - COMMANDS["/visitor"].keys():
        assert await shopper.refused(name) == "not_found"


@pytest.mark.parametrize(
    "text",
    [
        '[{"body":NaN}]',
        '[{"body":Infinity}]',
        '[{"body":"\\ud800"}]',
        '[{"body":"\\udc00\\ud800"}]',
        "[" * 60000,
        '{"a":' * 10000 + "1" + "}" * 10000,
        "[" + "9" * 5000 + "]",
        '[{"client_id":"a","body":"b"',
        "[{'body':1}]",
        '[{"body":"\x00"}]',
        "",
        "]",
    ],
    ids=lambda text: text[:20],
)
async def test_json_that_is_none_gets_an_answer_and_the_line_stays(desk: Desk, text: str) -> None:
    async with shopper_line(desk) as raw:
        event = '["message.post",' + text.removeprefix("[")
        await raw.send(f"42/visitor,7{event}")
        assert_refusal(await raw.answer(7, "/visitor"))
        after = await raw.ask(8, "/visitor", "message.post", {"client_id": "a", "body": "fine"})
        assert after["ok"] is True


async def test_a_whole_number_of_5000_digits_is_refused_as_any_wrong_value(desk: Desk) -> None:
    async with shopper_line(desk) as raw:
        text = '{"conversation_id":"x","after_seq":' + "9" * 5000 + "}"
        await raw.send(f'42/visitor,7["conversation.catch_up",{text}]')
        assert_refusal(await raw.answer(7, "/visitor"))


async def test_text_with_lone_surrogates_and_controls_never_reaches_others(
    people: People,
) -> None:
    shopper = await people.shopper()
    agent = await people.agent()
    sent = await shopper.post("a\x00b\x1bc\u202ed\r\ne")
    message = await agent.hears("abc\u202ed\ne")
    assert message["id"] == sent["message_id"]


@pytest.mark.parametrize("body", ["", "   ", "\x00\x01", "x" * 8001, "钟" * 8001])
async def test_an_empty_or_too_long_message_is_refused(people: People, body: str) -> None:
    shopper = await people.shopper()
    assert await shopper.refused("message.post", client_id="a", body=body) == "invalid_input"


async def test_the_longest_message_arrives_whole(people: People) -> None:
    shopper, agent = await people.shopper(), await people.agent()
    body = "钟" * 8000
    await shopper.post(body, "long")
    await agent.hears(body)


# -- packets ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "packet",
    [
        '451-/visitor,["message.post",{"_placeholder":true,"num":0}]',
        '4599999-/visitor,["message.post",{"_placeholder":true,"num":0}]',
        '461-/visitor,7[{"_placeholder":true,"num":0}]',
        "45",
        "44/visitor,1",
        "49",
        "4",
        "",
        "x",
        "7",
        "42",
        "42/visitor,",
        "42/visitor,{}",
        "42/visitor,[]",
        "42/visitor,[5]",
        "42/visitor,[null]",
        '42/visitor,["disconnect"]',
        '42/visitor,["connect",{}]',
        "42/nowhere,[]",
        "43/visitor,5[1]",
        "43/visitor,",
        '42["message.post",{}]',
        "40/visitor,[[[[",
        '40/visitor,{"site":"x"}',
        "5",
        "6",
        "0{}",
    ],
)
async def test_a_broken_packet_breaks_nothing(desk: Desk, people: People, packet: str) -> None:
    async with shopper_line(desk) as raw:
        await raw.send(packet)
        honest = await people.shopper()
        await honest.post("still here")
        await honest.hears("still here")


async def test_who_sends_nothing_but_rubbish_is_cut(desk: Desk) -> None:
    async with shopper_line(desk) as raw:
        await raw.send(*['452-/visitor,["x"]'] * 3)
        await raw.closed()


async def test_binary_is_refused(desk: Desk) -> None:
    async with shopper_line(desk) as raw:
        for _ in range(3):
            await raw.socket.send_bytes(b"\x04binary")
        await raw.closed()


async def test_a_frame_above_64_kb_closes_the_line(desk: Desk) -> None:
    async with shopper_line(desk) as raw:
        event = json.dumps(["message.post", {"client_id": "a", "body": "x" * 70_000}])
        await raw.send(f"42/visitor,1{event}")
        await raw.closed()


async def test_an_unknown_namespace_is_a_connect_error(desk: Desk) -> None:
    async with line(desk) as raw:
        await raw.send("40/nowhere,{}")
        assert (await raw.until("44/nowhere,")) is not None


async def test_a_second_connect_on_one_line_does_not_make_a_second_socket(desk: Desk) -> None:
    async with shopper_line(desk) as raw:
        auth = json.dumps({"site": desk.site})
        await raw.send(f"40/visitor,{auth}", f"40/visitor,{auth}")
        await raw.until("44/visitor,")
        answer = await raw.ask(3, "/visitor", "message.post", {"client_id": "a", "body": "one"})
        assert answer["ok"] is True


async def test_no_compression_is_negotiated(desk: Desk) -> None:
    async with aiohttp.ClientSession() as http:
        offered = http.ws_connect(desk.url + ENGINE + "websocket", compress=15)
        async with offered as opened:
            assert "Sec-WebSocket-Extensions" not in opened._response.headers
            assert opened._response.request_info.headers.get("Sec-WebSocket-Extensions")


@pytest.mark.parametrize(
    ("method", "query", "body"),
    [
        ("GET", "", None),
        ("GET", "?EIO=3&transport=polling", None),
        ("GET", "?EIO=4&transport=pigeon", None),
        ("GET", "?EIO=4&transport=polling&sid=unknown", None),
        ("POST", "?EIO=4&transport=polling&sid=unknown", b"4x"),
        ("POST", "?EIO=4&transport=polling", b"\xff\xfe"),
        ("PUT", "?EIO=4&transport=polling", b""),
        ("DELETE", "?EIO=4&transport=polling", None),
        ("GET", "?EIO=4&transport=websocket", None),
        ("OPTIONS", "?EIO=4&transport=polling", None),
    ],
)
async def test_odd_requests_to_the_transport_are_refused_without_a_trace(
    desk: Desk, method: str, query: str, body: bytes | None
) -> None:
    async with (
        aiohttp.ClientSession() as http,
        http.request(method, f"{desk.url}/socket.io/{query}", data=body) as response,
    ):
        assert response.status < 500
        assert "Traceback" not in await response.text()


async def test_polling_refuses_broken_and_large_payloads(desk: Desk) -> None:
    async with aiohttp.ClientSession() as http:
        address = desk.url + ENGINE + "polling"
        async with http.get(address) as response:
            sid = json.loads((await response.text())[1:])["sid"]
        for body in (b"\xff\xfe\x00", b"4x" + b"y" * 70_000, b"\x1e".join([b"2"] * 50), b"zz"):
            async with http.post(f"{address}&sid={sid}", data=body) as response:
                assert response.status < 500


async def test_random_packets_break_nothing(desk: Desk, people: People) -> None:
    """Seeded; each line gets packets until it is cut, then another one goes on."""
    chance = random.Random(7)
    parts = ["4", "2", "5", "1-", "/visitor", ",", "0", "[", "]", "{", "}", '"message.post"', '"']
    parts += ["9" * 30, "null", "\\ud800", "NaN", "é钟", "\x00", "-", "/agent", ":", "1e999"]
    sent = 0
    while sent < 1500:
        async with line(desk) as raw:
            await raw.send(f"40/visitor,{json.dumps({'site': desk.site})}")
            try:
                for _ in range(100):
                    packet = "".join(chance.choices(parts, k=chance.randrange(1, 14)))
                    await raw.send(packet)
                    sent += 1
            except (ConnectionError, aiohttp.ClientError):
                continue
    honest = await people.shopper()
    await honest.post("all is well")
    await honest.hears("all is well")


# -- too much, too slow, too quiet ------------------------------------------------------------


async def test_a_reader_that_stops_is_cut_and_nobody_else_notices(
    people: People, desk: Desk, request: pytest.FixtureRequest
) -> None:
    shopper, agent = await people.shopper(), await people.agent()
    conversation_id = (await shopper.post("begin"))["conversation_id"]
    await agent.hears("begin")
    slow = socket.socket()
    request.addfinalizer(slow.close)
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.connect(("127.0.0.1", desk.server.port))
    host = f"127.0.0.1:{desk.server.port}"
    slow.sendall(
        f"GET {ENGINE}websocket HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    auth = json.dumps({"site": desk.site, "visitor_token": shopper.welcome["visitor_token"]})
    packet = f"40/visitor,{auth}".encode()
    mask = b"\x00" * 4
    size = len(packet)
    head = bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126]) + size.to_bytes(2, "big")
    slow.sendall(b"\x81" + head + mask + packet)
    await asyncio.to_thread(slow.recv, 100)
    before_mb = rss_mb(desk.server.pid)
    body = "钟" * 7900
    for number in range(700):
        await agent.post(f"{number} {body}", f"{number}", conversation_id=conversation_id)
        if "slow client cut" in desk.server.stderr:
            break
    await wait_until_async(lambda: "slow client cut" in desk.server.stderr, what="the cut")
    await shopper.hears(f"{number} {body}")
    numbers = [e["conversation_seq"] for e in shopper.events]
    assert numbers == list(range(1, len(numbers) + 1))
    assert rss_mb(desk.server.pid) - before_mb < 100
    slow.close()
    back = await people.shopper(shopper.welcome["visitor_token"])
    (head,) = back.welcome["conversations"]
    assert head["conversation_seq"] == numbers[-1]


@pytest_asyncio.fixture
async def strict_desk(data_dir: Any) -> AsyncIterator[Desk]:
    """A shop with its rate limits, on SQLite."""
    desk = make_desk(data_dir, None, env={})
    desk.server.start()
    yield desk
    desk.server.kill()
    assert "Traceback" not in desk.server.stderr


@pytest_asyncio.fixture
async def strict_people(strict_desk: Desk) -> AsyncIterator[People]:
    opened = People(strict_desk)
    yield opened
    await opened.close()


async def test_who_never_says_their_name_is_cut(data_dir: Path) -> None:
    desk = make_desk(data_dir, None, env={"SHOPBELL_CONNECT_LIMIT_S": "3"})
    with desk.server:
        async with AsyncExitStack() as stack:
            leaver = await _let_in(stack, desk)
            silent, unknown = [await stack.enter_async_context(line(desk)) for _ in range(2)]
            # Where all takes its time they are cut before.
            with suppress(ConnectionError, aiohttp.ClientError):
                await leaver.send("41/visitor,")
                await unknown.send("40/nowhere,{}")
            for one in (leaver, silent, unknown):
                await one.closed()
        assert "Traceback" not in desk.server.stderr


async def _let_in(stack: AsyncExitStack, desk: Desk) -> Line:
    """A shopper's line, welcomed: the first one that a busy machine has let in in time."""
    while True:
        with suppress(AssertionError, ConnectionError, aiohttp.ClientError):
            return await stack.enter_async_context(shopper_line(desk))


async def test_a_flood_is_refused_then_cut_and_stays_out_for_a_while(
    strict_desk: Desk, strict_people: People
) -> None:
    honest = await strict_people.shopper()
    async with line(strict_desk) as raw:
        welcome = await raw.join("/visitor", {"site": strict_desk.site})
        typing = '["typing.set",{"conversation_id":"x","typing":true}]'
        # First as many as are refused: who is cut while it writes does not read any more.
        for number in range(50):
            await raw.send(f"42/visitor,{number}{typing}")
        refusal = (await raw.answer(49, "/visitor"))["error"]
        assert refusal["code"] == "too_many"
        assert refusal["details"]["retry_after_s"] > 0
        for number in range(50, 600):
            try:
                await raw.send(f"42/visitor,{number}{typing}")
            except (ConnectionError, aiohttp.ClientError):
                break
        await raw.closed()
    with pytest.raises(Refused) as refused:
        await strict_people.shopper(welcome["visitor_token"])
    assert refused.value.code == "too_many"
    await honest.post("not me")
    await honest.hears("not me")


async def test_honest_shoppers_behind_the_address_of_an_abuser_lose_nothing(
    strict_desk: Desk, strict_people: People
) -> None:
    async def abuse() -> None:
        while True:
            async with line(strict_desk) as raw:
                await raw.send(f"40/visitor,{json.dumps({'site': strict_desk.site})}")
                try:
                    for number in range(1000):
                        event = ["message.post", {"client_id": str(number), "body": "spam"}]
                        await raw.send(f"42/visitor,{number}{json.dumps(event)}")
                        await let_time_pass(0.001)
                except (ConnectionError, aiohttp.ClientError):
                    continue

    abuser = asyncio.create_task(abuse())
    try:
        shoppers = await asyncio.gather(*(strict_people.shopper() for _ in range(40)))
        for number in range(3):
            await asyncio.gather(*(one.post(f"honest {number}") for one in shoppers))
        for one in shoppers:
            await one.hears("honest 2")
    finally:
        abuser.cancel()
        await asyncio.gather(abuser, return_exceptions=True)
    assert strict_desk.server.running


async def test_the_log_stays_short_and_tells_nothing_of_anybody(
    strict_desk: Desk, strict_people: People
) -> None:
    shopper = await strict_people.shopper()
    await shopper.ask("customer.describe", {"name": CANARY, "email": "canary@person.example"})
    await shopper.post(CANARY)
    for number in range(150):
        async with line(strict_desk) as raw:
            await raw.send(f'4{number % 10}/visitor,["{CANARY}"', f'451-["{CANARY}"]', "x" + CANARY)
    log = strict_desk.server.stderr
    assert "canary" not in log
    assert shopper.welcome["visitor_token"] not in log
    assert len(log.splitlines()) < 20, log
    assert max(map(len, log.splitlines()), default=0) < 1000
