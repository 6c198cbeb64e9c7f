"""Webhooks never lead inside: neither by what an address says nor by what its name answers."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from server.channels.outbound import (
    ForbiddenAddressError,
    GuardedResolver,
    allowed,
    check_host,
    open_session,
)
from server.storage import webhooks
from tests.channels.post_office import PostOffice
from tests.channels.receiver import Receiver
from tests.support.waiting import LIMIT_S, wait_until_async

PUBLIC = "93.184.215.14"
INSIDE = ("127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fd00::1")


class Names:
    """A resolver that answers each time with the next of its answers; the last one stays."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[Any]:
        self.asked.append(host)
        now = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                socket.IPPROTO_TCP,
                "",
                (address, port),
            )
            for address in now
        ]


@pytest_asyncio.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session(total_s=LIMIT_S, inside=False, look_up=Names(("127.0.0.1",))) as opened:
        yield opened


@pytest.mark.parametrize("address", INSIDE)
async def test_a_name_with_one_address_inside_is_refused(address: str) -> None:
    resolver = GuardedResolver(Names((PUBLIC, address)), inside=False)
    with pytest.raises(ForbiddenAddressError):
        await resolver.resolve("shop.example", 443)
    await resolver.close()


async def test_a_name_that_changes_its_answer_is_judged_by_each_answer() -> None:
    names = Names((PUBLIC,), ("127.0.0.1",))
    resolver = GuardedResolver(names, inside=False)
    found = await resolver.resolve("shop.example", 443)
    assert [row["host"] for row in found] == [PUBLIC], "and this is what is connected to"
    with pytest.raises(ForbiddenAddressError):
        await resolver.resolve("shop.example", 443)
    await resolver.close()


async def test_a_name_that_leads_inside_is_never_connected_to(
    session: aiohttp.ClientSession, receiver: Receiver
) -> None:
    with pytest.raises(aiohttp.ClientConnectorDNSError) as refused:
        await session.post(f"http://shop.example:{receiver.port}/hook")
    assert isinstance(refused.value.os_error, ForbiddenAddressError)
    assert receiver.letters == []


async def test_the_socket_refuses_what_every_other_check_let_pass(
    session: aiohttp.ClientSession, receiver: Receiver
) -> None:
    """A literal address is looked up by nobody."""
    with pytest.raises(aiohttp.ClientConnectorError):
        await session.post(receiver.url())
    assert receiver.letters == []


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "[::1]", "[::ffff:127.0.0.1]"])
def test_a_literal_address_inside_is_refused_before_anything_else(host: str) -> None:
    with pytest.raises(ForbiddenAddressError):
        check_host(f"https://{host}/", inside=False)
    check_host(f"https://{host}/", inside=True)


def test_this_machine_is_refused_by_its_own_address() -> None:
    assert allowed(PUBLIC)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        assert not allowed(probe.getsockname()[0])


@pytest.mark.parametrize("path", ["/hook", "/elsewhere"])
async def test_what_was_public_and_now_leads_inside_is_not_delivered(
    office: PostOffice, receiver: Receiver, path: str
) -> None:
    """The name was fine when it was saved: the check at the door is not the one that counts."""
    hook = office.add(f"https://shop.example:{receiver.port}{path}", inside=False)
    literal = office.add(receiver.url(path))
    out = office.open(inside=False, look_up=Names(("127.0.0.1",)))
    for one in (hook, literal):
        office.ask("send_test", one)
        [delivery] = await office.settled(one, 1)
        assert (delivery.outcome, delivery.code, delivery.answer) == ("forbidden", None, None)
    assert receiver.letters == []
    assert out.attempts["forbidden"] == 2


async def test_the_environment_s_proxy_is_not_asked(
    office: PostOffice, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, receiver.url("/proxy"))
    office.add(receiver.url())
    office.open()
    office.scene.chat()
    [letter, *_] = await receiver.has(1)
    assert letter.path == "/hook"


async def test_a_receiver_s_cookie_is_not_kept(office: PostOffice, receiver: Receiver) -> None:
    from aiohttp import web

    hook = office.add(receiver.url())
    receiver.answering = lambda _: web.Response(headers={"Set-Cookie": "a=b; Path=/"})
    office.open()
    office.ask("send_test", hook)
    await receiver.has(1)
    office.ask("send_test", hook)
    letters = await receiver.has(2)
    assert "cookie" not in letters[1].headers


async def test_secrets_never_show_but_once(office: PostOffice) -> None:
    hook = office.add("https://shop.example/hook")
    secret = office.webhook(hook).secret
    from server.actions.webhooks import webhook_view

    found = office.scene.database.read_now(webhooks.load_webhooks)
    assert secret not in str([webhook_view(webhook) for webhook in found])


async def test_a_log_of_trouble_names_no_address(
    office: PostOffice, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    hook = office.add("http://127.0.0.1:9/hook?token=abc")
    office.open()
    office.ask("send_test", hook)
    await office.settled(hook, 1)
    await wait_until_async(lambda: office.webhook(hook).health.failures == 1)
    assert "token=abc" not in caplog.text
