"""Writing articles, and what customers may read of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any  # Any: fields of a form

import aiohttp
import orjson

from server.storage.articles import ArticleText, load_article, phrasings_of, texts_of, titles
from server.storage.connection import Connection
from server.storage.knowledge import Offer, add_offer
from server.storage.unit import Tx
from tests.http.desk import Answer, Desk, Visitor
from tests.support.waiting import wait_until_async

RETURNS = {
    "kind": "article",
    "audience": "public",
    "status": "published",
    "category": "Orders",
    "title_en": "How do I return an item?",
    "body_en": "Send it back within **30 days**.\n\n<script>alert(1)</script>",
    "phrasings_en": "can i send it back\nreturn policy\nreturn policy\n",
    "title_zh": "怎么退货？",
    "body_zh": "签收后七天内可以退货。",
}


async def written(visitor: Visitor, values: dict[str, Any]) -> str:
    """The id of a new article."""
    answer = await visitor.post("/knowledge/new", values)
    assert answer.status == 303, answer.text
    found = re.match(r"/knowledge/([0-9a-f]+)\?done=saved", answer.location)
    assert found is not None
    return found[1]


async def test_an_article_is_written_read_searched_and_taken_back(desk: Desk) -> None:
    lead, shopper = await desk.signed_in("supervisor"), desk.visitor()
    article = await written(lead, RETURNS)
    page = await lead.get(f"/knowledge/{article}")
    assert "can i send it back\n" in page.text
    assert page.text.count("return policy\n") == 1
    moved = await shopper.get(f"/help/{article}?lang=en")
    assert moved.status == 301
    shown = await shopper.get(moved.location)
    assert "<strong>30 days</strong>" in shown.text
    assert "<script>alert" not in shown.text
    assert "https:" in shown.headers["Content-Security-Policy"]
    chinese = await shopper.get(f"{moved.location.partition('?')[0]}?lang=zh")
    chinese = await shopper.get(chinese.location)
    assert "签收后七天内可以退货" in chinese.text

    async def is_found() -> bool:
        answer = await shopper.get("/help?q=send+my+lamp+back&lang=en")
        return "1 answer<" in answer.text and "How do I return" in answer.text

    await wait_until_async(is_found)
    # What is nearest to nonsense is no answer to it.
    nonsense = (await shopper.get("/help?q=zzzqqq&lang=en")).text
    assert "We found no answer to that" in nonsense
    sitemap = (await shopper.get("/help/sitemap.xml")).text
    assert sitemap.count(f"/help/{article}/") == 2
    await lead.post(
        f"/knowledge/{article}/status", {"status": "draft"}, page=f"/knowledge/{article}"
    )
    assert (await shopper.get(f"/help/{article}")).status == 404
    assert article not in (await shopper.get("/help/sitemap.xml")).text


async def test_two_writers_never_overwrite_each_other(desk: Desk) -> None:
    one, two = await desk.signed_in("supervisor"), await desk.signed_in("admin")
    article = await written(one, RETURNS)
    path, first = f"/knowledge/{article}", RETURNS | {"version": "1", "body_en": "Mine."}
    assert (await one.post(path, first)).status == 303
    late = await two.post(path, RETURNS | {"version": "1", "body_en": "Theirs."})
    assert late.status == 409
    # What was written is not lost.
    assert "Theirs." in late.text
    texts = desk.database.read_now(lambda c: texts_of(c, [article]))
    assert texts[article, "en"].body == "Mine."


async def test_an_older_text_is_compared_and_restored(desk: Desk) -> None:
    lead = await desk.signed_in("supervisor")
    article = await written(lead, RETURNS)
    path = f"/knowledge/{article}"
    await lead.post(path, RETURNS | {"version": "1", "body_en": "Never."})
    compared = await lead.get(f"{path}/versions?with=en.1")
    assert re.search(r'class="removed".*Send it back', compared.text)
    assert re.search(r'class="added".*Never', compared.text)
    answer = await lead.post(
        f"{path}/versions", {"version": "en.1"}, page=f"{path}/versions?with=en.1"
    )
    assert answer.status == 303
    found = desk.database.read_now(lambda c: (load_article(c, article), texts_of(c, [article])))
    assert found[0] is not None
    assert found[0].version == 3
    assert found[1][article, "en"].body == RETURNS["body_en"]
    assert found[1][article, "zh"].body == RETURNS["body_zh"]
    gone = await lead.post(
        f"{path}/versions", {"version": "en.9"}, page=f"{path}/versions?with=en.1"
    )
    assert gone.status == 404


async def test_what_cannot_be_saved_says_why_and_keeps_what_was_typed(desk: Desk) -> None:
    lead = await desk.signed_in("supervisor")
    for change, words in (
        ({"title_en": "", "title_zh": " "}, "in at least one language"),
        ({"kind": "reply", "shortcut": "two words"}, "one word"),
        ({"valid_from": "2026-02-02", "valid_to": "2026-02-01"}, "after it begins"),
        ({"valid_to": "soon"}, "after it begins"),
        ({"valid_to": "9999-12-31"}, "after it begins"),
    ):
        answer: Answer = await lead.post("/knowledge/new", RETURNS | change)
        assert answer.status == 400, change
        assert words in answer.text
        assert "签收后七天内可以退货" in answer.text
    reply = RETURNS | {"kind": "reply", "shortcut": "/Returns"}
    article = await written(lead, reply)
    found = desk.database.read_now(lambda c: load_article(c, article))
    assert found is not None
    assert (found.shortcut, found.audience) == ("returns", "internal")
    assert (await lead.post("/knowledge/new", reply)).status == 400
    assert (await desk.visitor().get(f"/help/{article}")).status == 404


async def test_agents_read_and_do_not_write(desk: Desk) -> None:
    lead, agent = await desk.signed_in("supervisor"), await desk.signed_in("agent")
    article = await written(lead, RETURNS | {"audience": "internal"})
    shown = await agent.get(f"/knowledge/{article}")
    assert "<strong>30 days</strong>" in shown.text
    assert "<textarea" not in shown.text
    token = "/settings/profile"
    for path, values in (
        ("/knowledge/new", RETURNS),
        (f"/knowledge/{article}", RETURNS | {"version": "1"}),
        (f"/knowledge/{article}/status", {"status": "archived"}),
        (f"/knowledge/{article}/versions", {"version": "en.1"}),
        (f"/knowledge/{article}/phrasings/x", {"state": "active"}),
    ):
        assert (await agent.post(path, values, page=token)).status == 403, path
    stranger = await desk.visitor().post("/knowledge/preview", {}, page="/sign-in")
    assert stranger.status == 401


async def test_what_is_exported_can_be_imported(desk: Desk) -> None:
    lead = await desk.signed_in("supervisor")
    article = await written(lead, RETURNS)
    lines = [orjson.loads(line) for line in (await lead.get("/knowledge/export")).body.splitlines()]
    assert {line["locale"]: line["title"] for line in lines} == {
        "en": RETURNS["title_en"],
        "zh": RETURNS["title_zh"],
    }
    kept = desk.database.read_now(lambda c: phrasings_of(c, [article]))
    assert sorted(p.text for p in kept[article, "en"]) == ["can i send it back", "return policy"]
    assert sorted(lines[0]["phrasings"]) == ["can i send it back", "return policy"]


async def test_the_report_names_what_is_missing_and_what_is_used(desk: Desk) -> None:
    lead = await desk.signed_in("supervisor")
    article = await written(lead, RETURNS)

    def ask(tx: Tx) -> None:
        for number, (query, band, outcome) in enumerate(
            (
                ("do you sell curtains", "none", None),
                ("are curtains sold by you, I sell curtains", "none", None),
                ("do you sell curtains?", "suggest", "dismissed"),
                ("can i return it", "answer", "accepted"),
            )
        ):
            add_offer(
                tx,
                Offer(
                    id=f"o{number}",
                    origin="message",
                    query=query,
                    band=band,
                    articles=((article, 0.9),) if band != "none" else (),
                    kb_seq=1,
                    asked_at_ms=tx.at_ms - 1000 + number,
                    agent_id=desk.people["agent"],
                    outcome=outcome,
                    chosen_id=article if outcome == "accepted" else None,
                ),
            )

    await desk.database.write(ask)
    for lang, words in (("en", "Write this article"), ("zh", "写这篇文章")):
        page = (await lead.get(f"/knowledge/report?days=7&lang={lang}")).text
        assert words in page
        assert page.index("<b>2</b>") < page.index("do you sell curtains?")
        assert "ask=do%20you%20sell%20curtains%3F" in page
        assert "50.0%<small>2/4</small>" in page
    new = await lead.get("/knowledge/new?ask=do%20you%20sell%20curtains%3F&lang=en")
    assert 'value="do you sell curtains?"' in new.text


FILES = (
    ("help/returns.en.md", b"---\ncategory: Orders\n---\n# How to return?\n\nWithin 30 days."),
    ("help/returns.zh.md", "# 怎么退货？\n\n七天内。".encode()),
    ("help/broken.md", b"---\na: [\n---\nx"),
    ("help/label.png", b"\x89PNG"),
)


async def uploaded(
    visitor: Visitor, files: Sequence[tuple[str, bytes]], *, status: str = "published"
) -> Answer:
    """The answer to files that are chosen on the page."""
    form = aiohttp.FormData({"status": status}, quote_fields=False)
    form.add_field("csrf", await visitor.csrf("/knowledge/import"))
    for name, content in files:
        form.add_field("files", content, filename=name, content_type="application/octet-stream")
    return await visitor.ask("POST", "/knowledge/import", data=form)


async def test_files_are_looked_at_before_anything_comes_in(desk: Desk) -> None:
    lead, other = await desk.signed_in("supervisor"), await desk.signed_in("admin")

    def known() -> set[str]:
        return {text.title for text in desk.database.read_now(all_texts)}

    answer = await uploaded(lead, FILES, status="draft")
    assert answer.status == 303, answer.text
    page = await lead.get(f"{answer.location}?lang=en")
    assert "Import 2 articles" in page.text
    assert "怎么退货？" in page.text
    assert re.search(r"broken\.md.*The front matter cannot be read", page.text)
    chinese = await lead.get(f"{answer.location}?lang=zh")
    assert re.search(r"broken\.md.*文件头", chinese.text)
    assert known() == set()
    assert (await other.get(answer.location)).status == 404
    stolen = await other.post(answer.location, {"do": "take"}, page="/knowledge/new")
    assert stolen.status == 404
    done = await lead.post(answer.location, {"do": "take"})
    assert (done.status, done.location) == (303, "/knowledge?imported=2")
    assert "2 articles came in" in (await lead.get(f"{done.location}&lang=en")).text
    assert known() == {"How to return?", "怎么退货？"}
    assert (await lead.get(answer.location)).status == 404
    assert (await lead.get("/knowledge?status=draft")).text.count('<th scope="row">') == 1
    # The same again brings nothing, a changed text is shown as such and can be dropped.
    again = await uploaded(lead, FILES)
    assert "nothing to import" in (await lead.get(f"{again.location}?lang=en")).text
    changed = await uploaded(lead, [("returns.en.md", b"# How to return?\n\nWithin 60 days.")])
    assert "Import 1 article<" in (await lead.get(f"{changed.location}?lang=en")).text
    dropped = await lead.post(changed.location, {"do": "drop"})
    assert dropped.location == "/knowledge/import"
    assert (await lead.get(changed.location)).status == 404


async def test_what_is_no_upload_says_so(desk: Desk) -> None:
    lead, agent = await desk.signed_in("supervisor"), await desk.signed_in("agent")
    for files, words in (
        ((), "Choose a file"),
        ((("a.png", b"x"),), "holds none of"),
        ((("a.zip", b"x"),), "damaged"),
    ):
        answer = await uploaded(lead, files)
        assert answer.status == 400, (files, answer.text)
        assert re.search(words, answer.text), words
    form = aiohttp.FormData({"csrf": await agent.csrf("/settings/profile")}, quote_fields=False)
    form.add_field("files", b"# x\ny", filename="a.md")
    assert (await agent.ask("POST", "/knowledge/import", data=form)).status == 403
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    for body in (b"", b"--x\r\n", b"--x\r\n\r\n\xff\r\n--x--\r\n"):
        broken = await lead.ask("POST", "/knowledge/import", data=body, headers=headers)
        assert broken.status in (400, 403), body
    stranger = desk.visitor()
    asked = await stranger.ask("POST", "/knowledge/import", data=b"--x\r\n", headers=headers)
    assert asked.status == 401
    # Nowhere else are files read.
    elsewhere = await lead.ask("POST", "/knowledge/new", data=b"--x--", headers=headers)
    assert elsewhere.status in (400, 403)


async def test_what_was_exported_comes_in_as_the_same_articles(desk: Desk) -> None:
    lead = await desk.signed_in("supervisor")
    article = await written(lead, RETURNS | {"status": "draft", "valid_to": "2031-01-01"})
    reply = await written(
        lead,
        {
            "kind": "reply",
            "shortcut": "bye",
            "status": "published",
            "title_en": "Bye",
            "body_en": "Bye!",
        },
    )
    lines = (await lead.get("/knowledge/export")).body
    same = await uploaded(lead, [("articles.jsonl", lines)])
    assert "nothing to import" in (await lead.get(f"{same.location}?lang=en")).text
    changed = await uploaded(lead, [("articles.jsonl", lines.replace(b"Bye!", b"Good-bye!"))])
    await lead.post(changed.location, {"do": "take"})
    texts = desk.database.read_now(lambda c: texts_of(c, [article, reply]))
    assert texts[reply, "en"].body == "Good-bye!"
    assert len({key[0] for key in texts}) == 2
    found = desk.database.read_now(lambda c: (load_article(c, article), load_article(c, reply)))
    assert [one and (one.kind, one.status) for one in found] == [
        ("article", "draft"),
        ("reply", "published"),
    ]


def all_texts(connection: Connection) -> list[ArticleText]:
    """Everything that is written."""
    ids = [row[0] for row in titles(connection)]
    return list(texts_of(connection, ids).values())
