"""Customers and articles come in from tables as shops have them, and every refusal says why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from server.actions.visitors import Connect, connect
from server.importers.article_files import import_articles
from server.importers.sheets import SheetOutcome
from server.importers.shop_files import import_customers
from server.storage.articles import ARTICLE, PHRASING, TEXT
from server.storage.customers import CUSTOMER
from tests.importers.conftest import Desktop

HEADER = "customer_id,email,phone,name,locale,tags,marketing_email,created_at\n"
CHINESE = "客户编号,邮箱,手机号,姓名,语言,标签,注册时间\n"


def written(folder: Path, text: str, *, name: str = "f.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def people(desktop: Desktop, path: Path, *, dry_run: bool = False) -> SheetOutcome:
    return import_customers(desktop.database, path, dry_run=dry_run)


def answers(desktop: Desktop, path: Path, *, dry_run: bool = False) -> SheetOutcome:
    return import_articles(desktop.database, path, dry_run=dry_run)


def counts(outcome: SheetOutcome) -> tuple[int, int, int]:
    return outcome.accepted, outcome.unchanged, len(outcome.rejected)


def test_customers_come_in_once(desktop: Desktop, tmp_path: Path) -> None:
    path = written(tmp_path, HEADER + "88,Ann@X.Example,+4712345678,Ann,en-GB,vip,1,2024-02-03\n")
    assert counts(people(desktop, path)) == (1, 0, 0)
    assert counts(people(desktop, path)) == (0, 1, 0)
    (ann,) = desktop.rows(CUSTOMER)
    assert (ann["external_id"], ann["email"], ann["locale"]) == ("88", "ann@x.example", "en")
    assert ann["created_at_ms"] == 1_706_889_600_000  # midnight in Shanghai
    assert ann["identity"] == "claimed"


def test_columns_that_are_not_kept_are_named(desktop: Desktop, tmp_path: Path) -> None:
    path = written(tmp_path, "customer_id,tags,marketing_email,shoe size\n1,vip,1,44\n")
    assert people(desktop, path).ignored == ["shoe size"]


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8-sig", ","), ("gb18030", ";"), ("utf-8", "\t")]
)
def test_files_of_spreadsheets_are_read(
    desktop: Desktop, tmp_path: Path, encoding: str, delimiter: str
) -> None:
    text = CHINESE + '="0017",li@x.example,+86 13800138000,李雷,中文,老客,2024/3/5 9:30\r\n'
    path = written(tmp_path, text.replace(",", delimiter), encoding=encoding)
    assert counts(people(desktop, path)) == (1, 0, 0)
    (li,) = desktop.rows(CUSTOMER)
    assert (li["external_id"], li["name"], li["locale"]) == ("0017", "李雷", "zh")


def test_rows_that_do_not_hold_are_refused_with_line_and_reason(
    desktop: Desktop, tmp_path: Path
) -> None:
    rows = [
        ",no@id.example,,,,,,",
        "1,not an address,,,,,,",
        "2,,,,??,,,",
        "3,,,,,,,yesterday",
        "1.23457E+18,,,,,,,",
        "4,,,,,,,,,too many",
        '5,,,"two\nlines",,,,',
        "5,,,again,,,,",
    ]
    path = written(tmp_path, HEADER + "\n".join(rows) + "\n")
    trial = people(desktop, path, dry_run=True)
    assert desktop.count(CUSTOMER) == 0
    outcome = people(desktop, path)
    assert outcome == trial
    assert [(r.line, r.reason.split(" / ")[0]) for r in outcome.rejected] == [
        (2, "customer_id is missing."),
        (3, "email is not an e-mail address."),
        (4, "locale is not a language code."),
        (5, "created_at must be a time such as 2026-11-20T09:30."),
        (6, "customer_id was shortened by a spreadsheet; export it as text."),
        (7, "The row has 10 cells, the header 8."),
        (10, "This customer_id stands in the file twice; the first row counts."),
    ]
    assert all(" / " in r.reason for r in outcome.rejected)
    assert [row["name"] for row in desktop.rows(CUSTOMER)] == ["two\nlines"]


def test_the_shops_list_corrects_what_was_claimed_but_not_what_it_signed(
    desktop: Desktop, tmp_path: Path
) -> None:
    people(desktop, written(tmp_path, "customer_id,name\n1,Old\n2,Old\n"))
    desktop.signed_in("2")
    outcome = people(
        desktop, written(tmp_path, "customer_id,name,phone\n1,New,\n2,New,+4712345678\n")
    )
    assert counts(outcome) == (2, 0, 0)
    found = {row["external_id"]: row for row in desktop.rows(CUSTOMER)}
    assert (found["1"]["name"], found["2"]["name"], found["2"]["phone"]) == (
        "New",
        "Old",
        "+4712345678",
    )


def test_an_address_in_the_list_makes_nobody_somebody_else(
    desktop: Desktop, tmp_path: Path
) -> None:
    shopper = desktop.database.write_now(lambda tx: connect(tx, Connect(site="site-1")))[
        "customer_id"
    ]
    people(desktop, written(tmp_path, "customer_id,email\n9,ann@x.example\n"))
    people(desktop, written(tmp_path, "customer_id,email\n10,ann@x.example\n"))
    assert len({shopper, *(row["id"] for row in desktop.rows(CUSTOMER))}) == 3


def test_json_lines_are_read_like_rows(desktop: Desktop, tmp_path: Path) -> None:
    lines = ['{"Customer ID": 9007199254740993, "姓名": "Bo"}', "[]", "{", '{"customer_id": true}']
    path = written(tmp_path, "\n".join(lines), name="f.ndjson")
    outcome = people(desktop, path)
    assert [(r.line, r.reason.split(" / ")[0]) for r in outcome.rejected] == [
        (2, "The line is not a JSON object."),
        (3, "The line is not JSON."),
        (4, "customer_id must be text."),
    ]
    assert [row["external_id"] for row in desktop.rows(CUSTOMER)] == ["9007199254740993"]


ARTICLE_LINES: list[dict[str, object]] = [
    {
        "id": "returns",
        "title": "Returning a lamp",
        "body": "Within 30 days.",
        "locale": "en",
        "audience": "public",
        "category": "Returns",
        "phrasings": ["How do I send it back?", "return it", "return it"],
    },
    {"id": "returns", "title": "如何退货", "body": "30 天内。", "locale": "zh-CN"},
    {"id": "limits", "title": "Limits", "body": "40", "locale": "en", "audience": "内部"},
]


def jsonl(folder: Path, lines: list[dict[str, object]]) -> Path:
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    return written(folder, text, name="f.jsonl")


def test_articles_come_in_once_with_their_translations_and_phrasings(
    desktop: Desktop, tmp_path: Path
) -> None:
    path = jsonl(tmp_path, [dict(line) for line in ARTICLE_LINES])
    assert counts(answers(desktop, path, dry_run=True)) == (3, 0, 0)
    assert desktop.count(ARTICLE) == 0
    assert counts(answers(desktop, path)) == (3, 0, 0)
    before = [desktop.rows(target) for target in (ARTICLE, TEXT, PHRASING)]
    assert counts(answers(desktop, path)) == (0, 3, 0)
    assert [desktop.rows(target) for target in (ARTICLE, TEXT, PHRASING)] == before
    assert [r["audience"] for r in desktop.rows(ARTICLE, "external_id")] == ["internal", "public"]
    assert sorted(r["locale"] for r in desktop.rows(TEXT)) == ["en", "en", "zh"]
    assert [r["text"] for r in desktop.rows(PHRASING, "text")] == [
        "How do I send it back?",
        "return it",
    ]


def test_a_changed_article_is_written_anew(desktop: Desktop, tmp_path: Path) -> None:
    answers(desktop, jsonl(tmp_path, [dict(line) for line in ARTICLE_LINES]))
    changed = {**ARTICLE_LINES[0], "body": "Within 60 days.", "phrasings": ["give back"]}
    outcome = answers(desktop, jsonl(tmp_path, [changed, dict(ARTICLE_LINES[1])]))
    assert counts(outcome) == (1, 1, 0)
    assert "Within 60 days." in [row["body"] for row in desktop.rows(TEXT)]
    assert [row["text"] for row in desktop.rows(PHRASING)] == ["give back"]


def test_articles_without_what_they_need_are_refused(desktop: Desktop, tmp_path: Path) -> None:
    lines: list[dict[str, object]] = [
        {"id": "a", "title": "t", "locale": "en"},
        {"title": "t", "body": "b", "locale": "en"},
        {"id": "b", "title": "t", "body": "b", "locale": "en", "audience": "secret"},
        {"id": "c", "title": "t", "body": "b", "locale": "en", "phrasings": [1]},
        {"id": "d", "title": "t" * 301, "body": "b", "locale": "en"},
    ]
    outcome = answers(desktop, jsonl(tmp_path, lines))
    assert counts(outcome) == (0, 0, 5)
    assert desktop.count(ARTICLE) == 0


def test_a_table_of_articles_splits_phrasings(desktop: Desktop, tmp_path: Path) -> None:
    text = '编号,标题,正文,语言,相似问\n1,退货,30 天内,zh,"怎么退|能退吗"\n'
    answers(desktop, written(tmp_path, text, encoding="gb18030"))
    assert {row["text"] for row in desktop.rows(PHRASING)} == {"怎么退", "能退吗"}
