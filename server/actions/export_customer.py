"""A person's data as one file: JSON for programs, a page for the person, in their language."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any  # Any: JSON values

import orjson

from agent_ui import render
from server.actions.files import personal_files
from server.domain.errors import Conflict, NotFound
from server.storage import erasure
from server.storage.connection import Connection
from server.storage.customers import load_customer
from server.storage.personal_data import personal_data
from server.storage.persons import members, person_of
from server.storage.shop import load_shop

Json = dict[str, Any]  # Any: JSON values


def export_customer(
    connection: Connection,
    customer_id: str,
    *,
    at_ms: int,
    read: Callable[[str], bytes | None] = lambda _: None,
) -> bytes:
    """The ZIP with ``data.json``, ``index.html`` and the files of the whole person.

    ``read`` gives the bytes of a file by their SHA-256. Raises NotFound, Conflict when the person
    was erased.
    """
    person = person_of(connection, customer_id)
    customer = load_customer(connection, person)
    shop = load_shop(connection)
    if customer is None or shop is None:
        raise NotFound("There is no such customer.")
    if erasure.erased_at_ms(connection, person) is not None:
        raise Conflict("This customer has been erased: nothing is left.", reason="erased")
    locale: render.Locale = "zh" if (customer.locale or shop.locale).startswith("zh") else "en"
    data = personal_data(connection, members(connection, person))
    head: Json = {"format": 1, "shop": shop.name, "made_at_ms": at_ms, "language": locale}
    page = render.page(
        "personal_data.html",
        locale=locale,
        theme="light",
        static_url="",
        csrf="",
        person=None,
        shop=shop,
        timezone=shop.timezone,
        made_at_ms=at_ms,
        data=data,
        privacy_url=shop.settings.get("privacy_url"),
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.json", orjson.dumps(head | data, option=orjson.OPT_INDENT_2))
        archive.writestr("index.html", page)
        for name, content in personal_files(connection, members(connection, person), read):
            archive.writestr(name, content)
    return packed.getvalue()
