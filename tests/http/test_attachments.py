"""Files on their way: sent, put into a message, read by who may, by nobody else."""

from __future__ import annotations

import asyncio
import io
import json
import re
import zipfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any  # Any: JSON values

import aiohttp
import pytest
import pytest_asyncio
from PIL import Image
from yarl import URL

from server.actions import files as file_actions
from server.actions import messages, privacy, visitors
from server.domain.actors import SYSTEM, agent
from server.domain.errors import InvalidInput
from server.files import desk as file_desk
from server.files.handing_out import hand_out
from server.http import keys
from server.storage import files, views
from server.storage.connection import Connection
from server.storage.shop import load_shop, update_shop
from server.storage.unit import Tx
from tests.api.caller import make_token
from tests.http.desk import Desk, Open, served
from tests.http.test_portal import HERS, HOME, MINE, inside, requested
from tests.support.waiting import LIMIT_S

PAGE = "https://shop.example"
PDF = b"%PDF-1.7\n1 0 obj\n<< >>\nendobj\n%%EOF\n"


def photo(width: int = 900, height: int = 600, **saved: Any) -> bytes:  # Any: as Pillow takes it
    kept = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "CanonMark"
    exif[0x0112] = 6  # turned by a quarter
    exif.get_ifd(0x8825)[1] = "N"
    Image.new("RGB", (width, height), (200, 30, 30)).save(kept, "JPEG", exif=exif, **saved)
    return kept.getvalue()


class Shopper:
    """A page of the shop with the widget in it, as far as files go."""

    def __init__(self, desk: Desk, session: aiohttp.ClientSession) -> None:
        self.desk = desk
        self.session = session
        answer = desk.database.write_now(
            lambda tx: visitors.connect(tx, visitors.Connect(site=site_key(desk)))
        )
        self.token: str = answer["visitor_token"]
        self.id: str = answer["customer_id"]

    async def ask(
        self, method: str, path: str, **options: Any
    ) -> tuple[int, Any, Any]:  # Any: JSON
        headers = {"Authorization": f"Bearer {self.token}", "Origin": PAGE}
        headers |= options.pop("headers", {})
        target = URL(f"{self.desk.url}{path}", encoded=True)
        async with self.session.request(method, target, headers=headers, **options) as response:
            body = await response.read()
            kind = response.headers.get("Content-Type", "")
            return response.status, response.headers, json.loads(body) if "json" in kind else body

    async def send(self, content: bytes, name: str = "photo.jpg") -> tuple[int, Any]:  # Any: JSON
        status, _, answer = await self.ask(
            "POST", "/visitor/files", data=io.BytesIO(content), headers={"X-File-Name": name}
        )
        return status, answer

    def post(self, *ids: str, body: str = "", client_id: str = "m1") -> dict[str, Any]:  # Any: JSON
        payload = messages.PostMessage(
            client_id=client_id, body=body, blocks=[{"type": "file", "id": one} for one in ids]
        )
        actor = self.desk.database.read_now(lambda c: file_actions.shopper(c, self.id))
        return self.desk.database.write_now(lambda tx: messages.post_message(tx, actor, payload))


def site_key(desk: Desk) -> str:
    shop = desk.database.read_now(load_shop)
    assert shop is not None
    return shop.site_key


@pytest_asyncio.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_a_file_is_sent_shown_and_hidden_from_everybody_else(
    desk: Desk, session: aiohttp.ClientSession
) -> None:
    mei, other = Shopper(desk, session), Shopper(desk, session)
    secret = b"KESTREL"
    status, file = await mei.send(photo() + secret, "C:\\x\\broken lamp.jpg")
    assert (status, file["name"], file["width"], file["height"]) == (
        201,
        "broken lamp.jpg",
        600,
        900,
    )
    # Until a message has it, it is for who sent it.
    staff = desk.visitor()
    await staff.sign_in("agent@shop.example")
    path = f"/files/{file['id']}/content"
    assert (await staff.get(path)).status == 404
    assert (await other.ask("GET", f"/visitor/files/{file['id']}"))[0] == 404
    with pytest.raises(InvalidInput):
        other.post(file["id"])
    posted = mei.post(file["id"], client_id="m1")
    assert mei.post(file["id"], client_id="m1") == posted
    with pytest.raises(InvalidInput):
        mei.post(file["id"], client_id="m2")
    # Then for both sides of the conversation, as what it is and nothing that runs.
    answer = await staff.get(path)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/jpeg")
    assert secret not in answer.body
    assert b"CanonMark" not in answer.body
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    small = await staff.get(f"/files/{file['id']}/thumb")
    assert (small.status, small.headers["Content-Type"]) == (200, "image/webp")
    shown = (await mei.ask("GET", f"/visitor/files/{file['id']}"))[2]
    status, headers, content = await session_get(session, desk, shown["url"])
    assert (status, content) == (200, answer.body)
    assert headers["Access-Control-Allow-Origin"] == PAGE
    # Not for who has no token, another's token, another viewer in the address, or comes too late.
    assert (await other.ask("GET", f"/visitor/files/{file['id']}"))[0] == 404
    for wrong in (
        path,
        shown["url"].replace(mei.id, other.id),
        shown["url"].replace("/content", "/thumb"),
        shown["url"][:-1] + ("0" if shown["url"][-1] != "0" else "1"),
    ):
        assert (await session_get(session, desk, wrong))[0] == 404, wrong
    desk.time.now += 601
    assert (await session_get(session, desk, shown["url"]))[0] == 404
    assert (await mei.ask("GET", f"/visitor/files/{file['id']}", headers={"Origin": "null"}))[
        0
    ] == 200


async def test_what_is_said_among_colleagues_stays_there(
    desk: Desk, session: aiohttp.ClientSession
) -> None:
    mei = Shopper(desk, session)
    talk = mei.post(body="hello", client_id="m1")["conversation_id"]
    staff = desk.visitor()
    await staff.sign_in("agent@shop.example")
    sent = await staff.ask(
        "POST",
        "/console/files",
        data=PDF,
        headers={
            "X-CSRF-Token": await staff.csrf("/settings/profile"),
            "X-File-Name": "%E5%86%85%E9%83%A8.pdf",
        },
    )
    file = json.loads(sent.body)
    assert (sent.status, file["name"], file["media_type"]) == (201, "内部.pdf", "application/pdf")
    me = agent(desk.people["agent"], name="A", role="agent")
    note = messages.PostMessage(
        client_id="n1", conversation_id=talk, visibility="private", files=[file["id"]]
    )
    desk.database.write_now(lambda tx: messages.post_message(tx, me, note))
    assert (await mei.ask("GET", f"/visitor/files/{file['id']}"))[0] == 404
    answer = await staff.get(f"/files/{file['id']}/content")
    assert answer.status == 200
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    without = await staff.ask("POST", "/console/files", data=PDF)
    assert without.status == 400


async def test_what_is_not_taken_says_why_and_leaves_nothing(
    desk: Desk, session: aiohttp.ClientSession
) -> None:
    mei = Shopper(desk, session)
    store = desk.app[keys.FILES].store
    for content, name, status, reason in (
        (b"<svg onload=alert(1)>", "a.png", 400, "file_type"),
        (b"", "a.png", 400, "file_empty"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 99, "a.png", 400, "file_picture"),
        (b"%PDF-" + b"x" * (10 * 1024 * 1024), "a.pdf", 413, "file_large"),
    ):
        got, answer = await mei.send(content, name)
        assert (got, answer["error"]["details"]["reason"]) == (status, reason), name

    async def slowly() -> AsyncIterator[bytes]:
        for _ in range(11):  # its length is not told beforehand
            yield b"%PDF-" + b"x" * 1024 * 1024

    got, _, answer = await mei.ask("POST", "/visitor/files", data=slowly())
    assert (got, answer["error"]["details"]["reason"]) == (413, "file_large")
    assert [p for p in store.folder.rglob("*") if p.is_file()] == []
    full = replace(store, room=lambda _: (100, 0))
    desk.app[keys.FILES].store = full
    got, answer = await mei.send(PDF, "a.pdf")
    assert (got, answer["error"]["details"]["reason"]) == (503, "disk_full")
    mei.post(body="words still go", client_id="w1")
    desk.app[keys.FILES].store = store
    # The picture that could not be drawn counts as well.
    for _ in range(19):
        assert (await mei.send(PDF, "a.pdf"))[0] == 201
    got, answer = await mei.send(PDF, "a.pdf")
    assert (got, answer["error"]["code"]) == (429, "too_many")
    # What nobody used is forgotten, and its bytes with it.
    desk.time.now += 90_000
    await look_after(desk)
    assert [p for p in store.folder.rglob("*") if p.is_file()] == []


async def test_who_sends_slowly_or_what_cannot_be_drawn_leaves_room_for_others(
    desk: Desk, session: aiohttp.ClientSession
) -> None:
    mei, ana = Shopper(desk, session), Shopper(desk, session)
    go_on = asyncio.Event()

    async def stuck() -> AsyncIterator[bytes]:
        yield PDF
        await go_on.wait()

    slow = [asyncio.create_task(mei.ask("POST", "/visitor/files", data=stuck())) for _ in range(18)]
    try:
        async with asyncio.timeout(LIMIT_S):
            assert (await ana.send(PDF, "a.pdf"))[0] == 201
    finally:
        go_on.set()
        statuses = [one[0] for one in await asyncio.gather(*slow)]
    assert statuses == [201] * 18
    # A picture that fails was work as well: two more, and the hour's twenty are used up.
    broken = b"\x89PNG\r\n\x1a\n" + b"x" * 99
    assert [(await mei.send(broken, "a.png"))[0] for _ in range(3)] == [400, 400, 429]


async def test_pages_that_may_not_chat_send_nothing(
    desk: Desk, session: aiohttp.ClientSession
) -> None:
    mei = Shopper(desk, session)
    desk.database.write_now(lambda tx: only_origin(tx, PAGE))
    assert (await mei.send(PDF, "a.pdf"))[0] == 201
    status, headers, _ = await mei.ask("OPTIONS", "/visitor/files")
    assert (status, headers["Access-Control-Allow-Origin"]) == (204, PAGE)
    foreign = {"Origin": "https://evil.example"}
    status, headers, _ = await mei.ask("POST", "/visitor/files", data=PDF, headers=foreign)
    assert status == 403
    assert "Access-Control-Allow-Origin" not in headers
    status, _, _ = await mei.ask("POST", "/visitor/files", data=PDF, headers={"Authorization": "x"})
    assert status == 401


async def test_an_erased_person_s_files_are_handed_out_before_and_gone_after(
    desk: Desk, session: aiohttp.ClientSession
) -> None:
    mei, other = Shopper(desk, session), Shopper(desk, session)
    store = desk.app[keys.FILES].store
    ids = [(await one.send(PDF, "warranty.pdf"))[1]["id"] for one in (mei, other)]
    mei.post(ids[0])
    other.post(ids[1])
    picture = (await mei.send(photo()))[1]["id"]
    mei.post(picture, client_id="m2")
    packed = io.BytesIO()
    hand_out(desk.database, store, mei.id, to=packed)
    with zipfile.ZipFile(packed) as archive:
        names = {name.partition("-")[2]: name for name in archive.namelist() if "/" in name}
        assert archive.read(names["warranty.pdf"]) == PDF
        assert "photo.jpg" in names
    erase = privacy.OfPerson(customer_id=mei.id)
    desk.database.write_now(lambda tx: privacy.erase_customer(tx, SYSTEM, erase))
    await look_after(desk)
    kept = [path for path in store.folder.rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in kept] == [PDF]  # the other's, of the same content
    erase = privacy.OfPerson(customer_id=other.id)
    desk.database.write_now(lambda tx: privacy.erase_customer(tx, SYSTEM, erase))
    await look_after(desk)
    assert [path for path in store.folder.rglob("*") if path.is_file()] == []


async def test_what_the_scanner_finds_later_is_taken_back_and_told(
    open_database: Open, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scanner is away when the file comes, and says what it found when it is back."""
    # However long a busy machine takes to start it.
    monkeypatch.setattr(file_desk, "SCAN_WAIT_S", LIMIT_S)
    command = tmp_path / "scan"
    async with served(open_database, data_dir, scanner=f"exec:{command}") as desk:
        await desk.set_up()
        async with aiohttp.ClientSession() as session:
            mei = Shopper(desk, session)
            _, file = await mei.send(PDF, "invoice.pdf")
            assert (file["state"], "url" in file) == ("scanning", False)
            posted = mei.post(file["id"])
            staff = desk.visitor()
            await staff.sign_in("agent@shop.example")
            assert (await staff.get(f"/files/{file['id']}/content")).status == 404
            command.write_text("#!/bin/sh\ncat > /dev/null; exit 1\n")
            command.chmod(0o700)
            row = desk.database.read_now(lambda c: files.load(c, file["id"]))
            assert row is not None
            assert await desk.app[keys.FILES].look_again(row) == "infected"
            assert (await staff.get(f"/files/{file['id']}/content")).status == 403
            shown = (await mei.ask("GET", f"/visitor/files/{file['id']}"))[2]
            assert (shown["state"], "url" in shown) == ("infected", False)
            said = desk.database.read_now(lambda c: thread_of(c, posted["conversation_id"]))
            assert said[0]["blocks"][0]["state"] == "infected"
            assert (said[1]["visibility"], "invoice.pdf" in said[1]["body"]) == ("private", True)
            await look_after(desk)
            assert [p for p in desk.app[keys.FILES].store.folder.rglob("*") if p.is_file()] == []
            # What it finds at once is not taken at all.
            got, answer = await mei.send(PDF, "again.pdf")
            assert (got, answer["error"]["details"]["reason"]) == (400, "file_infected")


async def test_forms_without_scripts_send_files_and_keep_what_was_sent(
    open_database: Open, data_dir: Path
) -> None:
    """On the shopper's portal and on the page of a ticket."""
    url = "smtp://help%40shop.example:secret@127.0.0.1:9"
    async with served(open_database, data_dir, smtp_url=url) as shop:
        await shop.set_up()
        await _send_by_forms(shop)


async def _send_by_forms(shop: Desk) -> None:
    number = await requested(shop, MINE)
    visitor = await inside(shop, MINE)
    page = f"{HOME}/{number}"
    shown = (await visitor.get(page)).text
    key = re.search(r'name="client_id" value="(\w+)"', shown)
    assert key is not None
    empty = {"body": "", "client_id": key[1]}
    bad = await visitor.ask(
        "POST",
        f"{page}/reply",
        data=form(shown, empty, [("a.svg", b"<svg/>")]),
    )
    assert (bad.status, "Files of this kind are not taken" in bad.text) == (400, True)
    both = form(shown, empty, [("a.jpg", photo()), ("b.pdf", PDF)])
    assert (await visitor.ask("POST", f"{page}/reply", data=both)).status == 303
    shown = (await visitor.get(page)).text
    picture = re.search(r'src="(/files/\w+/thumb)"', shown)
    assert picture is not None
    assert "b.pdf" in shown
    assert (await visitor.get(picture[1])).status == 200
    many = form(shown, {"body": "Again", "client_id": "1" * 24})
    for _ in range(2_001):
        many.add_field("x", "", content_type="text/plain")
    assert (await visitor.ask("POST", f"{page}/reply", data=many)).status == 400
    await requested(shop, HERS)
    stranger = await inside(shop, HERS)
    assert (await stranger.get(picture[1])).status == 404
    nobody = shop.visitor()
    early = form(shown, {"body": "x", "client_id": "0" * 24}, [("b.pdf", PDF)])
    answer = await nobody.ask("POST", f"{page}/reply", data=early)
    assert answer.status == 401
    # The page of the ticket: somebody wrote in between, and the file stays chosen.
    staff = await shop.signed_in("supervisor")
    there = f"/tickets/{number}"
    shown = (await staff.get(there)).text
    assert picture[1] in shown
    seen = {"body": "On its way", "client_id": "c1", "visibility": "public", "seen_seq": "1"}
    late = form(shown, seen, [("label.pdf", PDF + b"%2")])
    told = await staff.ask("POST", f"{there}/reply", data=late)
    kept = re.findall(r'name="kept" value="(\w+)"', told.text)
    assert (told.status, len(kept)) == (409, 1)
    again = form(told.text, seen | {"kept": kept[0], "seen_seq": ""})
    assert (await staff.ask("POST", f"{there}/reply", data=again)).status == 303
    assert "label.pdf" in (await visitor.get(page)).text


def form(
    page: str, values: dict[str, str], files: Sequence[tuple[str, bytes]] = ()
) -> aiohttp.FormData:
    """A form of a page with its hidden token, as a browser sends it with files."""
    token = re.search(r'name="csrf" value="([^"]+)"', page)
    made = aiohttp.FormData({"csrf": token[1] if token else ""} | values, quote_fields=False)
    for name, content in files:
        made.add_field("files", content, filename=name, content_type="application/octet-stream")
    made.add_field("files", b"", filename="", content_type="application/octet-stream")
    return made


async def test_a_program_sends_and_reads_files(desk: Desk, session: aiohttp.ClientSession) -> None:
    mei = Shopper(desk, session)
    talk = mei.post(body="hello", client_id="m1")["conversation_id"]
    token = await make_token(desk, "agent")
    narrow = await make_token(desk, "agent", scopes=["conversations:read"])
    reader = {"Authorization": f"Bearer {narrow}"}
    head = {"Authorization": f"Bearer {token}", "X-File-Name": "manual.pdf"}
    url = f"{desk.url}/api/v1"
    async with session.post(f"{url}/files", data=PDF, headers=reader) as refused:
        assert refused.status == 403
    async with session.post(f"{url}/files", data=PDF, headers=head) as answer:
        file = await answer.json()
        assert answer.status == 201
    message = {"files": [file["id"]], "body": "Here it is."}
    posted = f"{url}/conversations/{talk}/messages"
    async with session.post(posted, json=message, headers=head) as answer:
        told = await answer.json()
        assert (answer.status, told["blocks"]) == (201, [file])
    async with session.get(f"{url}/files/{file['id']}/content", headers=reader) as answer:
        assert await answer.read() == PDF
    assert (await mei.ask("GET", f"/visitor/files/{file['id']}"))[2]["name"] == "manual.pdf"


async def look_after(desk: Desk) -> None:
    """What the job does every few seconds."""
    await desk.app[keys.FILES].look_after()


async def session_get(
    session: aiohttp.ClientSession, desk: Desk, path: str
) -> tuple[int, Any, bytes]:
    """As an <img> of the shop's page asks: without a token."""
    target = URL(f"{desk.url}{path}", encoded=True)
    async with session.get(target, headers={"Origin": PAGE}) as response:
        return response.status, response.headers, await response.read()


def thread_of(connection: Connection, conversation_id: str) -> list[dict[str, Any]]:  # Any: JSON
    events, _ = views.thread(connection, conversation_id, audience="agent")
    told = views.envelopes(connection, events, audience="agent")
    return [one["data"]["message"] for one in told if one["kind"] == "message.posted"]


def only_origin(tx: Tx, origin: str) -> None:
    shop = load_shop(tx.connection)
    assert shop is not None
    update_shop(tx, replace(shop, origins=(origin,)))
