"""docs/events.md names every kind of event, each of its fields, and who hears of it."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from server.domain.events import EVENT_KINDS, MessagePosted, seen_by_shopper
from server.storage.tables import EventRow, table
from tests.docs.pages import section, text
from tests.support.events import least_of

PAGE = text("docs/events.md")


def test_the_headings_are_the_kinds() -> None:
    assert sorted(re.findall(r"^### (\S+)$", PAGE, re.MULTILINE)) == sorted(EVENT_KINDS)


@pytest.mark.parametrize("kind", EVENT_KINDS)
def test_the_fields_that_are_listed_are_those_of_the_kind(kind: str) -> None:
    listed = re.findall(r"^- ([^:]+):", section(PAGE, f"### {kind}"), re.MULTILINE)
    named = [name for names in listed for name in re.findall(r"`(\w+)`", names)]
    assert sorted(named) == sorted(f.name.rstrip("_") for f in fields(EVENT_KINDS[kind]))


@pytest.mark.parametrize("kind", EVENT_KINDS)
def test_the_page_says_that_a_shopper_hears_of_it_exactly_when_that_is_so(kind: str) -> None:
    says = section(PAGE, f"### {kind}").lstrip().startswith("Shopper and staff")
    assert says == seen_by_shopper(least_of(kind))


def test_a_private_note_is_not_for_the_shopper() -> None:
    assert not seen_by_shopper(MessagePosted(message_id="m", visibility="private"))


def test_every_column_of_the_log_is_explained() -> None:
    # src_at_ms and v are kept for later channels and later versions of a kind.
    columns = {column.name for column in table(EventRow).columns} - {"src_at_ms", "v"}
    explained = set(re.findall(r"`(\w+)`", section(PAGE, "## A row of the log")))
    assert columns <= explained
