"""``shopbell import`` as people type it: what it prints, and with which status it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.importers import chatwoot_export as export
from tests.support.server import shopbell


@pytest.fixture
def shop_dir(data_dir: Path) -> Path:
    """The data folder of an empty shop."""
    made = shopbell(
        *("init", "--shop", "Lantern", "--locale", "zh", "--timezone", "Asia/Shanghai"),
        *("--currency", "CNY"),
        data_dir=data_dir,
    )
    assert made.returncode == 0, made.stderr
    return data_dir


def test_an_export_is_summed_up_in_words(shop_dir: Path, tmp_path: Path) -> None:
    path = export.write(tmp_path / "export")
    trial = shopbell("import", "chatwoot", path, "--dry-run", data_dir=shop_dir)
    assert trial.stdout.startswith("chatwoot:7: a dry run, nothing was written\n")
    done = shopbell("import", "chatwoot", path, data_dir=shop_dir)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "chatwoot:7",
        "conversations: accepted 2, unchanged 0",
        "messages: accepted 12, unchanged 0",
        "customers: accepted 2, unchanged 0",
        "articles: accepted 2, unchanged 0",
        "people made inactive: 2 (lin@lantern.example, mira@lantern.example)",
        "rejected 0",
    ]
    # The shop speaks Chinese, and so does what the import adds.
    found = shopbell("report", "rt", "--as-of", "2025-11-04", "--format", "json", data_dir=shop_dir)
    assert json.loads(found.stdout)[0]["mean_ms"] == 48_750


def test_a_conversation_that_makes_no_sense_is_named(shop_dir: Path, tmp_path: Path) -> None:
    pages = export.pages()
    pages["conversations-1.json"]["data"]["payload"][0]["meta"] = {}
    done = shopbell(
        "import", "chatwoot", export.write(tmp_path / "export", pages), data_dir=shop_dir
    )
    assert done.returncode == 3
    assert done.stderr == "chatwoot:7:conversation:11: It names no contact. / 没有联系人。\n"
    assert done.stdout.splitlines()[-1] == "rejected 1"


def test_tables_name_lines_and_columns(shop_dir: Path, tmp_path: Path) -> None:
    table = tmp_path / "customers.csv"
    table.write_text("客户编号,邮箱,鞋码\n1,a@x.example,44\n2,nonsense,\n", encoding="gb18030")
    trial = shopbell("import", "customers", table, "--dry-run", data_dir=shop_dir)
    assert trial.stdout.splitlines() == [
        "a dry run, nothing was written",
        "accepted 1, unchanged 0, rejected 1",
    ]
    done = shopbell("import", "customers", table, data_dir=shop_dir)
    assert done.returncode == 3
    assert done.stderr.splitlines() == [
        "ignored column / 忽略的列: 鞋码",
        "line 3: email is not an e-mail address. / email 不是有效的邮箱地址。",
    ]
    batch, counted = done.stdout.splitlines()
    assert batch.startswith("batch ")
    assert counted == "accepted 1, unchanged 0, rejected 1"


def test_a_file_that_is_no_export_ends_with_one_line(shop_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"tickets": [{"id": 1, "requ')
    done = shopbell("import", "zendesk", path, data_dir=shop_dir)
    assert done.returncode == 1
    assert done.stderr.startswith("shopbell: x.json: record 1 is cut off or no JSON.")
    assert len(done.stderr.splitlines()) == 1
