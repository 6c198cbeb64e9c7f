"""A person's data as one file: JSON for programs, a page for the person, in their language."""

from __future__ import annotations

import zipfile
from typing import Any  # Any: JSON values

import orjson

from agent_ui import render
from agent_ui.mail_html import shown
from server.actions.files import personal_files
from server.domain.errors import Conflict, NotFound
from server.storage import erasure, mails
from server.storage.connection import Connection
from server.storage.customers import load_customer
from server.storage.personal_data import personal_data
from server.storage.persons import members, person_of
from server.storage.shop import load_shop

Json = dict[str, Any]  # Any: JSON values
# Above a mail of theirs as it was sent; whoever opens it has no server that sends a policy.
_MAIL = (
    '<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy"'
    " content=\"default-src 'none'; style-src-attr 'unsafe-inline'\">\n"
)


def export_customer(
    connection: Connection,
    customer_id: str,
    *,
    at_ms: int,
    archive: zipfile.ZipFile,
) -> list[tuple[str, str]]:
    """Puts ``data.json``, ``index.html`` and the mails of the whole person into a ZIP.

    What belongs there besides is given back: the names of the files and the SHA-256 of their
    bytes. Raises NotFound, Conflict when the person was erased.
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
    archive.writestr("data.json", orjson.dumps(head | data, option=orjson.OPT_INDENT_2))
    archive.writestr("index.html", page)
    for number, sheet in enumerate(mails.sheets_of(connection, members(connection, person)), 1):
        # Without pictures: those that came with it are among the files.
        told = shown(sheet.html, {})
        archive.writestr(f"mails/{number:04}.html", f"{_MAIL}{told}\n")
    return personal_files(connection, members(connection, person))
