"""A file that is not whole or not what it should be is refused by name, and nothing is written."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.domain.errors import InvalidInput
from server.domain.html import to_markdown
from server.importers import chatwoot, files, zendesk
from server.importers.canonical import WORDS, Context, Desk, Parts
from server.importers.spool import Spool
from server.importers.transcript import lines_of
from server.storage.rows import CONVERSATION, EVENT
from tests.importers import chatwoot_export as export
from tests.importers import zendesk_export
from tests.importers.conftest import Desktop

DESKS = [chatwoot.DESK, zendesk.DESK]


def read(path: Path, desk: Desk = chatwoot.DESK) -> list[files.Found]:
    with files.opened(path) as sources:
        return [found for one in sources for found in files.records(one, desk.containers)]


@pytest.fixture
def desk_dir(tmp_path: Path) -> Path:
    return export.write(tmp_path / "desk")


@pytest.mark.parametrize("small", [True, False])
def test_a_file_that_is_cut_off_is_named_and_nothing_is_written(
    desktop: Desktop, desk_dir: Path, small: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not small:
        monkeypatch.setattr(files, "SMALL_BYTES", 0)
    path = desk_dir / "messages" / "12-1.json"
    path.write_text(path.read_text()[:-200])
    with pytest.raises(InvalidInput) as refusal:
        desktop.bring(chatwoot.DESK, desk_dir)
    assert "12-1.json: record 4 is cut off" in refusal.value.message
    assert "第 4 条记录不完整" in refusal.value.message
    assert (desktop.count(CONVERSATION), desktop.count(EVENT)) == (0, 0)


def test_a_line_that_is_cut_off_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.ndjson"
    path.write_text('{"id": 1, "requester_id": 2}\n{"id": 2, "reque')
    with pytest.raises(InvalidInput, match=r"t\.ndjson: line 2 is cut off"):
        read(path, zendesk.DESK)


def test_a_large_file_is_read_like_a_small_one(
    desk_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = read(desk_dir)
    monkeypatch.setattr(files, "SMALL_BYTES", 0)
    monkeypatch.setattr(files, "_CHUNK_CHARS", 7)
    assert read(desk_dir) == small


def test_what_is_no_export_of_this_desk_is_refused(desktop: Desktop, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"hello": [1, 2], "id": 5}')
    for desk in DESKS:
        with pytest.raises(InvalidInput, match="Nothing in it looks like an export"):
            desktop.bring(desk, path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInput, match=r"holds no \.json"):
        desktop.bring(chatwoot.DESK, tmp_path / "empty")


def test_a_damaged_zip_and_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("m.json", json.dumps(export.pages()["messages/11-1.json"]))
    raw = bytearray(archive.read_bytes())
    raw[60:80] = bytes(20)
    archive.write_bytes(raw)
    with pytest.raises(InvalidInput, match=r"m\.json"):
        read(archive)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("m.json", json.dumps(export.pages()["messages/11-1.json"]))
    raw = bytearray(archive.read_bytes())
    raw[36:38] = b"\xff\xff"  # no block that deflate knows
    archive.write_bytes(raw)
    with pytest.raises(InvalidInput, match=r"m\.json"):
        read(archive)
    latin = tmp_path / "l.json"
    latin.write_bytes('{"id": "é"}'.encode("latin-1"))
    with pytest.raises(InvalidInput, match=r"l\.json: not UTF-8"):
        read(latin)


def test_one_bad_conversation_does_not_keep_the_others_out(
    desktop: Desktop, desk_dir: Path
) -> None:
    page = export.pages()["conversations-1.json"]
    page["data"]["payload"][0]["meta"]["sender"] = None
    (desk_dir / "conversations-1.json").write_text(json.dumps(page))
    outcome = desktop.bring(chatwoot.DESK, desk_dir)
    assert [found.name for found in outcome.rejected] == ["chatwoot:7:conversation:11"]
    assert outcome.conversations.accepted == 1
    assert desktop.differences() == []


def test_an_import_that_was_stopped_goes_on(
    desktop: Desktop, desk_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.importers.run.TALK_ROWS", 1)
    told: list[int] = []

    def stop(done: int, total: int) -> None:
        told.append(done)
        if desktop.count(CONVERSATION) == 1:
            raise KeyboardInterrupt

    from server.importers.run import import_desk

    with pytest.raises(KeyboardInterrupt):
        import_desk(desktop.database, chatwoot.DESK, desk_dir, progress=stop)
    assert desktop.count(CONVERSATION) == 1
    assert desktop.differences() == []
    outcome = desktop.bring(chatwoot.DESK, desk_dir)
    assert (outcome.conversations.accepted, outcome.conversations.unchanged) == (1, 1)
    assert desktop.count(CONVERSATION) == 2


def test_a_spool_gives_back_what_was_put_in_by_key() -> None:
    with Spool(total_bytes=10**9) as spool:
        for number in range(500):
            spool.add(str(number % 50), "a", {"n": number, "huge": 2**80, "text": "\ud800"})
        found = {parts.key: parts.of("a") for parts in spool.parts()}
    assert len(found) == 50
    assert [one["n"] for one in found["7"]] == list(range(7, 500, 50))
    assert found["7"][0]["huge"] == 2**80


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_record_however_odd_breaks_an_import(data: st.DataObject) -> None:
    """Every value of real records replaced by anything."""
    number = data.draw(st.sampled_from([0, 1]))
    desk = DESKS[number]
    pages = (export.pages(), zendesk_export.pages())[number]
    context = Context(account="x", language="en", words=WORDS["en"], has_pages=True)
    kept: dict[str, Parts] = {}
    for name, page in pages.items():
        for found in files._expanded(page, "", name, desk.containers):
            record = dict(found.record)
            for key in data.draw(st.sets(st.sampled_from(sorted(record)), max_size=2)):
                record[key] = data.draw(JSON)
            for one in desk.records(found.container, record, found.where):
                desk.note(one, context)
                desk.account(one)
                parts = kept.setdefault(one.key, Parts(one.key))
                parts.records.setdefault(one.kind, []).append(one.value)
    for parts in kept.values():
        desk.talk(parts, context)
        if parts.of("contact") or parts.of("sender"):
            desk.contact(parts, context)
        if parts.of("article") or parts.of("translation"):
            desk.articles(parts, context)


@given(st.text(alphabet="<>/abp \n&;\"'=!-hrefscript:()[]", max_size=80))
def test_no_markup_however_broken_breaks_the_reader(html: str) -> None:
    assert "onclick" not in to_markdown(f"<p onclick=x>{html}</p>")


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ("<p>a<br>b</p><p>c</p>", "a\nb\n\nc"),
        ("<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>", "- a\n  - b\n- c"),
        (
            "<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>2</td></tr></table>",
            "A | B\n1 | 2",
        ),
        ('<a href="javascript:alert(1)">x</a>', "x"),
        ('<img src="https://x.example/a.png" alt="a">', "[a](https://x.example/a.png)"),
        ('<img src="x" onerror="alert(1)" alt="lamp">', "lamp"),
        ("3 &lt; 4 &amp; 5", "3 < 4 & 5"),
        ("<pre>a\n  b</pre>", "```\na\n  b\n```"),
        ("<b>bold</b> and <em>soft</em><b></b>", "**bold** and *soft*"),
        ("<style>p{}</style><svg><text>x</text></svg>ok", "ok"),
        ("你好<b>世界</b>", "你好**世界**"),
    ],
)
def test_html_becomes_markdown(html: str, markdown: str) -> None:
    assert to_markdown(html) == markdown


def test_what_is_no_transcript_stays_one_text() -> None:
    assert lines_of("I called at (09:00:05) and nobody came.", ended_at_ms=10**12) == []
    assert lines_of("(09:00:05) Ann: hi", ended_at_ms=10**12) == []


def test_a_transcript_over_midnight_goes_on_with_the_next_day() -> None:
    text = "(11:59:50 PM) Ann: hi\n(12:00:10 AM) Bo: hello"
    first, second = lines_of(text, ended_at_ms=1_762_128_030_000)
    assert second.at_ms - first.at_ms == 20_000


@pytest.mark.parametrize("text", ["9" * 5000, "[" * 100_000, '{"id": ' + "9" * 5000 + "}"])
def test_numbers_and_lists_without_end_are_refused(tmp_path: Path, text: str) -> None:
    for name in ("x.json", "x.ndjson"):
        path = tmp_path / name
        path.write_text(text)
        with pytest.raises(InvalidInput, match="is cut off or no JSON"):
            read(path)
