"""Files on their way: sent, put into a message, read by who may, by nobody else."""

from __future__ import annotations

import io
import json
from typing import Any  # Any: JSON values

import aiohttp
import pytest
from PIL import Image
from yarl import URL

from server.actions import messages, visitors
from server.actions import files as file_actions
from server.domain.actors import agent
from server.http import keys
from server.storage import customers, files
from tests.http.desk import Desk

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

    async def ask(self, method: str, path: str, **options: Any) -> tuple[int, Any, Any]:  # Any: JSON
        headers = {"Authorization": f"Bearer {self.token}", "Origin": PAGE}
        headers |= options.pop("headers", {})
        target = URL(f"{self.desk.url}{path}", encoded=True)
        async with self.session.request(method, target, headers=headers, **options) as response:
            body = await response.read()
            kind = response.headers.get("Content-Type", "")
            return response.status, response.headers, json.loads(body) if "json" in kind else body

    async def send(self, content: bytes, name: str = "photo.jpg") -> tuple[int, Any]:  # Any: JSON
        status, _, answer = await self.ask(
            "POST", "/visitor/files", data=content, headers={"X-File-Name": name}
        )
        return status, answer

    def post(self, *ids: str, body: str = "", client_id: str = "m1") -> dict[str, Any]:  # Any: JSON
        payload = messages.PostMessage(
            client_id=client_id, body=body, blocks=[{"type": "file", "id": one} for one in ids]
        )
        actor = self.desk.database.read_now(lambda c: file_actions.shopper(c, self.id))
        return self.desk.database.write_now(lambda tx: messages.post_message(tx, actor, payload))


def site_key(desk: Desk) -> str:
    from server.storage.shop import load_shop

    shop = desk.database.read_now(load_shop)
    assert shop is not None
    return shop.site_key


async def test_a_file_is_sent_shown_and_hidden_from_everybody_else(desk: Desk) -> None:
    async with aiohttp.ClientSession() as session:
        mei, other = Shopper(desk, session), Shopper(desk, session)
        status, file = await mei.send(photo(), "C:\\x\\broken lamp.jpg")
        assert status == 201, file
        print(file)
