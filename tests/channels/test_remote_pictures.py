"""Pictures that mails name: fetched by the server, drawn anew, never from inside."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from PIL import Image

from server.channels import outbound, remote_pictures
from server.channels.remote_pictures import AT_ONCE, MOST_REDIRECTS, Limits, RemotePictures
from server.files.pictures import Picture
from server.files.store import Store
from tests.channels.receiver import Receiver
from tests.channels.test_hardening import Names
from tests.files.test_pictures import photo

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>x()</script></svg>'
# The machine may be busy with other tests.
PATIENT = Limits(limit_s=120.0)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "files")


@pytest_asyncio.fixture
async def shop(receiver: Receiver) -> AsyncIterator[Receiver]:
    """Somebody else's server: what it answers is named by the path."""
    answers = {
        "/lamp.jpg": lambda: web.Response(body=photo(b"KESTREL"), content_type="text/html"),
        "/lamp.svg": lambda: web.Response(body=SVG, content_type="image/svg+xml"),
        "/page.png": lambda: web.Response(body=b"<html><script>x()", content_type="image/png"),
        "/torn.png": lambda: web.Response(body=b"\x89PNG\r\n\x1a\n torn", content_type="image/png"),
        "/large.jpg": lambda: web.Response(body=photo(b"x") + bytes(5000)),
        "/gone.jpg": lambda: web.Response(status=404, body=photo(b"x")),
        "/to/lamp": lambda: web.Response(status=302, headers={"Location": "../lamp.jpg"}),
        "/to/file": lambda: web.Response(status=302, headers={"Location": "file:///etc/passwd"}),
        "/to/user": lambda: web.Response(status=302, headers={"Location": "http://a:b@c.example/"}),
        "/to/nowhere": lambda: web.Response(status=302),
        "/for/ever": lambda: web.Response(status=307, headers={"Location": "/for/ever"}),
    }
    receiver.answering = lambda letter: answers[letter.path]()
    yield receiver


async def test_a_picture_is_fetched_without_a_trace_of_who_looks_and_drawn_anew(
    store: Store, shop: Receiver
) -> None:
    pictures = RemotePictures(store, inside=True, limits=PATIENT)
    for path in ("/lamp.jpg", "/to/lamp"):
        found = await pictures.fetch(shop.url(path))
        assert found is not None
        assert found.media_type == "image/jpeg"
        assert b"KESTREL" not in found.content
        with Image.open(io.BytesIO(found.content)) as image:
            assert image.size == (60, 90)
    assert [letter.path for letter in shop.letters] == ["/lamp.jpg", "/to/lamp", "/lamp.jpg"]
    for letter in shop.letters:
        assert {name.lower() for name in letter.headers} == {
            "host",
            "user-agent",
            "accept",
            "accept-encoding",
        }
    assert pictures.outcomes == {"shown": 2, "missing": 0, "refused": 0}
    assert list((store.folder / "new").iterdir()) == []


@pytest.mark.parametrize("path", ["/lamp.svg", "/page.png", "/torn.png", "/large.jpg", "/gone.jpg"])
async def test_what_is_no_picture_that_may_be_shown_is_missing(
    store: Store, shop: Receiver, path: str
) -> None:
    pictures = RemotePictures(store, inside=True, limits=replace(PATIENT, most_bytes=4000))
    assert await pictures.fetch(shop.url(path)) is None
    assert pictures.outcomes == {"shown": 0, "missing": 1, "refused": 0}
    assert not list((store.folder / "new").glob("*"))


async def test_no_redirect_leads_to_what_is_no_address_or_for_ever(
    store: Store, shop: Receiver
) -> None:
    pictures = RemotePictures(store, inside=True, limits=PATIENT)
    for path in ("/to/file", "/to/user"):
        assert await pictures.fetch(shop.url(path)) is None
    assert pictures.outcomes["refused"] == 2
    assert await pictures.fetch(shop.url("/for/ever")) is None
    assert [letter.path for letter in shop.letters[2:]] == ["/for/ever"] * (MOST_REDIRECTS + 1)


async def test_nothing_inside_is_asked_whatever_names_it(store: Store, shop: Receiver) -> None:
    """By its address, by a name, by another way of writing it, on a port of something else."""
    pictures = RemotePictures(store, look_up=Names(("127.0.0.1",)), limits=PATIENT)
    port = shop.port
    for address in (
        shop.url("/lamp.jpg"),
        f"http://pictures.example:{port}/lamp.jpg",
        f"http://2130706433:{port}/lamp.jpg",
        f"http://[::ffff:127.0.0.1]:{port}/lamp.jpg",
        f"http://localhost:{port}/lamp.jpg",
        "http://pictures.example:6379/",
    ):
        assert await pictures.fetch(address) is None
    assert shop.letters == []
    assert pictures.outcomes == {"shown": 0, "missing": 0, "refused": 6}


async def test_a_redirect_and_a_name_that_changes_its_answer_lead_inside_no_more_than_others(
    store: Store, shop: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    # This machine's address stands for the public internet, which a test has none of.
    monkeypatch.setattr(outbound, "allowed", lambda address: address == "127.0.0.1")
    port = shop.port
    names = Names(("127.0.0.1",))
    pictures = RemotePictures(store, look_up=names, limits=PATIENT)
    there = f"http://pictures.example:{port}/lamp.jpg"
    assert await pictures.fetch(there) is not None

    def leads(address: str) -> None:
        shop.letters.clear()
        # Closed, so that the next one needs a connection of its own.
        headers = {"Location": address, "Connection": "close"}
        shop.answering = lambda _: web.Response(status=302, headers=headers)

    for address in (f"http://127.0.0.1:{port}/", f"http://[::1]:{port}/", "http://10.0.0.1/"):
        leads(address)
        assert await pictures.fetch(there) is None
        assert [letter.path for letter in shop.letters] == ["/lamp.jpg"]
    # Public when it was asked first, inside when it is asked again.
    leads(f"http://pictures.example:{port}/again.jpg")
    names.answers = [("127.0.0.1",), ("127.0.0.2",)]
    assert await pictures.fetch(there) is None
    assert [letter.path for letter in shop.letters] == ["/lamp.jpg"]
    assert pictures.outcomes == {"shown": 1, "missing": 0, "refused": 4}


async def test_who_answers_slowly_holds_up_nobody_for_long(store: Store, shop: Receiver) -> None:
    never = asyncio.Event()

    async def waits(_: object) -> web.Response:
        await never.wait()
        return web.Response()

    shop.answering = waits
    pictures = RemotePictures(store, inside=True, limits=Limits(limit_s=0.2))
    found = await asyncio.gather(*(pictures.fetch(shop.url("/lamp.jpg")) for _ in range(3)))
    never.set()
    assert found == [None, None, None]
    assert pictures.outcomes["missing"] == 3


async def test_few_pictures_are_in_memory_while_they_wait_to_be_drawn(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures, held = RemotePictures(store), list[int]()
    fetched = drawn = 0

    async def fetch(_: str) -> bytes:
        nonlocal fetched
        fetched += 1
        return b"a picture"

    async def draw(_: Store, content: bytes) -> Picture:
        nonlocal drawn
        # Whoever could go on meanwhile does.
        await asyncio.to_thread(held.append, fetched - drawn)
        drawn += 1
        return Picture("image/png", content)

    monkeypatch.setattr(pictures, "_fetched", fetch)
    monkeypatch.setattr(remote_pictures, "drawn_picture", draw)
    found = await asyncio.gather(*(pictures.fetch(f"https://a.example/{n}") for n in range(40)))
    assert all(found)
    assert max(held) <= AT_ONCE
