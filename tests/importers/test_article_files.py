"""Articles come in as people keep them: folders, zips, Markdown, HTML."""

from __future__ import annotations

import zipfile
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from server.actions.article_uploads import Reading
from server.domain.errors import InvalidInput
from server.importers.article_files import import_articles, read_articles
from server.storage.articles import ARTICLE, PHRASING, TEXT, load_article, versions_of
from tests.importers.conftest import Desktop

RETURNS_EN = """---
title: How do I return an item?
category: Orders
audience: internal
phrasings:
  - can i send it back
  - "no: it does not fit"
id: 0017
---

Within **30 days**. ![label](label.png)
"""
RETURNS_ZH = "# 怎么退货？\n\n签收后七天内可以退货。\n"
PAGE = """<!doctype html><html lang="zh-CN"><head><title>运费 - 森木</title>
<meta name="category" content="物流"><meta name="相似问" content="要邮费吗|包邮吗"></head>
<body><nav>首页</nav><main><h1>运费多少？</h1><p onclick="x()">满 <b>99</b> 包邮。</p>
<script>alert(1)</script><table><tr><th>地区<th>运费<tr><td>新疆<td>15 | 20</table>
<p><a href="javascript:x()">这里</a></p></main><footer>版权</footer></body></html>"""
FILES = {
    "0 orders/returns.en.md": RETURNS_EN.replace("id: 0017\n", ""),
    "0 orders/returns.zh.md": RETURNS_ZH,
    "zh/shipping/fee.html": PAGE,
    "plain_note.markdown": "Just words.",
    "draft.md": "---\ndraft: true\nlang: en\n---\nSetext\n===\nBody",
    "faq.csv": "id,title,body,locale,status\n1,Q?,A.,en,draft\n2,,A.,en,\n",
    "bad.md": "---\ntitle: [a\n---\nx",
    "empty.md": "---\ntitle: Nothing\n---\n",
    "_drafts/no.md": "# no\nno",
    ".git/no.md": "# no\nno",
    "pictures/a.png": "x",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of articles."""
    made = tmp_path_factory.mktemp("help")
    for name, text in FILES.items():
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(text, "utf-8")
    return made


def read(path: Path) -> Reading:
    return read_articles(path, tz=ZoneInfo("Asia/Shanghai"))


def test_a_folder_says_by_its_names_what_files_do_not_say(folder: Path) -> None:
    found = read(folder)
    rows = {(row.external_id, row.locale): row for row in found.rows}
    assert set(rows) == {
        ("0 orders/returns", "en"),
        ("0 orders/returns", "zh"),
        ("shipping/fee", "zh"),
        ("plain_note", "en"),
        ("draft", "en"),
        ("1", "en"),
    }
    english, chinese = rows["0 orders/returns", "en"], rows["0 orders/returns", "zh"]
    assert (english.title, english.category) == ("How do I return an item?", "Orders")
    assert english.phrasings == ("can i send it back", "no: it does not fit")
    assert english.audience == "internal"
    assert (chinese.title, chinese.body) == ("怎么退货？", "签收后七天内可以退货。")
    assert chinese.category == "orders"
    assert rows["plain_note", "en"].title == "plain note"
    draft = rows["draft", "en"]
    assert (draft.title, draft.body, draft.status) == ("Setext", "Body", "draft")
    assert [(r.where, r.reason.partition(".")[0]) for r in found.rejected] == [
        ("bad.md", "The front matter cannot be read (line 2)"),
        ("empty.md", "body is missing"),
        ("faq.csv:3", "title is missing"),
    ]
    (note,) = found.notes
    assert "0 orders/returns.en.md" in note


def test_a_page_becomes_its_article_and_nothing_that_acts(folder: Path) -> None:
    (page,) = (row for row in read(folder).rows if row.external_id == "shipping/fee")
    assert (page.title, page.category) == ("运费多少？", "物流")
    assert page.phrasings == ("要邮费吗", "包邮吗")
    assert page.body == (
        "满 **99** 包邮。\n\n| 地区 | 运费 |\n| --- | --- |\n| 新疆 | 15 \\| 20 |\n\n这里"
    )


def test_a_zip_reads_as_the_folder_whoever_packed_it(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "help-main.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in FILES.items():
            archive.writestr(f"help-main/{name}", text)
        archive.writestr("__MACOSX/help-main/._no.md", "# no\nno")
    assert read(path) == read(folder)


def test_a_zip_of_an_old_program_keeps_its_names(tmp_path: Path) -> None:
    path = tmp_path / "gbk.zip"
    name = "退货.md".encode("gb18030")
    stand_in = b"N" * len(name)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(stand_in.decode(), "七天。")
    path.write_bytes(path.read_bytes().replace(stand_in, name))
    (row,) = read(path).rows
    assert (row.external_id, row.locale) == ("退货", "zh")


@pytest.mark.parametrize(
    "text",
    [
        "---\n" + "[" * 3000 + "\n---\nx",
        "---\na: &a [x]\nb: *a\ntitle: !!python/object/apply:os.system [ls]\n---\nx",
        "---\n- a\n---\nx",
        "---\ntitle: &a [*a]\n---\nx",
    ],
)
def test_no_front_matter_however_odd_breaks_the_import(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(text, "utf-8")
    found = read(tmp_path)
    assert len(found.rows) + len(found.rejected) == 1


@pytest.mark.parametrize("name", ["none.zip", "broken.zip", "empty"])
def test_what_holds_no_articles_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if name == "none.zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.txt", "x")
    elif name == "broken.zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.md", "x" * 5000)
        raw = bytearray(path.read_bytes())
        raw[40:60] = b"y" * 20
        path.write_bytes(raw)
    else:
        path.mkdir()
    with pytest.raises(InvalidInput):
        read(path)


def test_an_import_again_changes_what_changed_and_keeps_what_was_there(
    desktop: Desktop, tmp_path: Path
) -> None:
    path = tmp_path / "a.md"
    path.write_text(RETURNS_EN, "utf-8")

    def bring(*, dry_run: bool = False) -> tuple[int, int, int]:
        outcome = import_articles(desktop.database, tmp_path, dry_run=dry_run)
        return outcome.accepted, outcome.unchanged, len(outcome.rejected)

    assert bring(dry_run=True) == (1, 0, 0)
    assert desktop.count(ARTICLE) == 0
    assert bring() == (1, 0, 0)
    assert bring() == (0, 1, 0)
    (article,) = desktop.rows(ARTICLE)
    assert (article["external_id"], article["version"]) == ("0017", 1)
    assert desktop.count(PHRASING) == 2
    path.write_text(RETURNS_EN.replace("30 days", "60 days"), "utf-8")
    assert bring() == (1, 0, 0)
    found = desktop.database.read_now(
        lambda c: (load_article(c, article["id"]), versions_of(c, article["id"]))
    )
    assert found[0] is not None
    assert found[0].version == 2
    assert ["60 days" in version.body for version in found[1]] == [True, False]
    assert "60 days" in desktop.rows(TEXT)[0]["body"]
