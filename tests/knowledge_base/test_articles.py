"""Articles come from files that people wrote, so that every mistake is told with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.articles import MAX_BODY, Article, Fault, load_articles, read_articles

GOOD = {"id": "1", "title": "Returns", "body": "Within 30 days.", "locale": "en"}


def line(**changes: object) -> bytes:
    return json.dumps(GOOD | changes).encode()


def test_a_line_becomes_an_article_with_all_its_fields() -> None:
    reading = read_articles(
        [line(audience="internal", category="Orders", phrasings=["send back", "退货"])]
    )
    assert reading.faults == ()
    assert reading.articles == (
        Article(
            "1", "Returns", "Within 30 days.", "en", "internal", "Orders", ("send back", "退货")
        ),
    )


def test_what_is_optional_may_be_absent_null_or_of_a_later_version() -> None:
    reading = read_articles([line(audience=None, category=None, phrasings=None, rating=5)])
    assert reading.articles == (Article("1", "Returns", "Within 30 days.", "en"),)


def test_a_byte_order_mark_and_empty_lines_are_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "articles.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + line() + b"\r\n\r\n" + line(id="2") + b"\n")
    reading = load_articles(file)
    assert [article.id for article in reading.articles] == ["1", "2"]
    assert reading.faults == ()


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"{", "not JSON in UTF-8"),
        (b'{"id": "\xff"}', "not JSON in UTF-8"),
        (rb'{"id": "\ud800"}', "not JSON in UTF-8"),
        (b"[" * 100_000, "not JSON in UTF-8"),
        (b"[]", "not an object"),
        (b'{"id": "2"}', "title is missing"),
        (line(title="\u200b "), "title is empty"),
        (line(id=7), "id is not a text"),
        (line(body=None), "body is not a text"),
        (line(body="x" * (MAX_BODY + 1)), "body has 100001 characters; at most 100000"),
        (line(locale=""), "locale is empty"),
        (line(audience="staff"), "audience is 'staff'"),
        (line(audience=["public"]), "audience is ['public']"),
        (line(phrasings="refund"), "phrasings is not a list"),
        (line(phrasings=["a", 2]), "phrasing 2 is not a text"),
        (line(phrasings=["a"] * 1001), "phrasings has 1001 texts"),
        (line(id="0"), "id '0' is already used"),
    ],
)
def test_a_bad_line_is_told_and_hides_no_good_one(bad: bytes, reason: str) -> None:
    reading = read_articles([line(id="0"), bad, line(id="9")])
    assert [article.id for article in reading.articles] == ["0", "9"]
    assert [fault.line for fault in reading.faults] == [2]
    assert reading.faults[0].reason.startswith(reason)


def test_a_fault_reads_as_a_sentence() -> None:
    assert str(Fault(3, "title is missing")) == "line 3: title is missing"


@given(st.lists(st.binary()))
def test_any_bytes_are_articles_or_faults_or_nothing(lines: list[bytes]) -> None:
    reading = read_articles(lines)
    assert len(reading.articles) + len(reading.faults) <= len(lines)
