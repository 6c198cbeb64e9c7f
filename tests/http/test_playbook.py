"""The playbook: read, tried out, changed, and brought back, without any script."""

from __future__ import annotations

import re

from server.storage.advice import playbook_of
from server.storage.playbooks import current_version, load_versions
from tests.http.desk import Desk, Visitor

ROW = "/settings/playbook/stable"
TONE = "Like an old friend"


async def _texts(visitor: Visitor) -> dict[str, str]:
    """What stands in the form of a row."""
    page = (await visitor.get(f"{ROW}?lang=en")).text
    found = re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>([^<]*)</textarea>', page)
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version is not None
    return {name: text.replace("&#39;", "'") for name, text in found} | {"version": version[1]}


async def _tone(desk: Desk) -> dict[str, str]:
    playbook = await desk.database.read(playbook_of)
    return playbook["stable"]["tone"]


async def test_a_supervisor_changes_a_row_and_every_version_can_be_brought_back(
    desk: Desk,
) -> None:
    visitor = await desk.signed_in("supervisor")
    before = await _tone(desk)
    texts = await _texts(visitor)
    assert len(texts) == 11, "five texts in two languages, and the version"
    saved = await visitor.post(ROW, texts | {"tone_en": TONE, "do": "save"})
    assert saved.location == f"{ROW}?done=saved"
    assert await _tone(desk) == before | {"en": TONE}
    page = (await visitor.get(ROW)).text
    assert before["en"].replace("'", "&#39;") in page, "the program's own text stands below"

    texts = await _texts(visitor)
    await visitor.post(ROW, texts | {"tone_zh": "像老朋友一样", "do": "save"})
    assert (await _tone(desk))["zh"] == "像老朋友一样"
    versions = await desk.database.read(lambda c: load_versions(c, limit=9))
    assert [(one.number, one.by, one.written) for one in versions] == [
        (2, "Supervisor Young", 2),
        (1, "Supervisor Young", 1),
    ]

    back = {"version": "2", "number": "1"}
    await visitor.post("/settings/playbook/restore", back, page="/settings/playbook")
    assert await _tone(desk) == before | {"en": TONE}
    listed = (await visitor.get("/settings/playbook?lang=en")).text
    assert "brought back version 1" in listed

    all_back = {"version": "3", "number": ""}
    await visitor.post("/settings/playbook/restore", all_back, page="/settings/playbook")
    assert await _tone(desk) == before


async def test_a_look_before_saving_changes_nothing(desk: Desk) -> None:
    visitor = await desk.signed_in("admin")
    texts = await _texts(visitor)
    shown = await visitor.post(ROW, texts | {"line_en": "call them", "do": "preview"})
    assert shown.status == 200
    assert "— call them." in shown.text
    assert "not saved yet" in shown.text
    assert await desk.database.read(current_version) == 0


async def test_an_emptied_text_and_the_button_bring_back_the_programs_own(desk: Desk) -> None:
    visitor = await desk.signed_in("admin")
    before = await _tone(desk)
    await visitor.post(ROW, await _texts(visitor) | {"tone_en": TONE, "do": "save"})
    await visitor.post(ROW, await _texts(visitor) | {"tone_en": "", "do": "save"})
    assert await _tone(desk) == before
    await visitor.post(ROW, await _texts(visitor) | {"tone_en": TONE, "do": "save"})
    await visitor.post(ROW, await _texts(visitor) | {"do": "defaults"})
    assert await _tone(desk) == before
    await visitor.post(ROW, await _texts(visitor) | {"do": "save"})
    assert await desk.database.read(current_version) == 4, "what changes nothing makes no version"


async def test_two_who_change_it_at_once_do_not_undo_each_other(desk: Desk) -> None:
    first, second = await desk.signed_in("admin"), await desk.signed_in("supervisor")
    seen = await _texts(first)
    await second.post(ROW, seen | {"tone_en": TONE, "do": "save"})
    late = await first.post(ROW, seen | {"offer_en": "Nothing", "do": "save"})
    assert late.status == 409
    assert "Nothing</textarea>" in late.text, "what was typed is still there"
    assert (await _tone(desk))["en"] == TONE
    again = re.search(r'name="version" value="(\d+)"', late.text)
    assert again is not None
    assert again[1] == "1"


async def test_what_is_no_text_or_no_version_is_refused(desk: Desk) -> None:
    visitor = await desk.signed_in("admin")
    texts = await _texts(visitor)
    for wrong in (
        {"tone_en": "x" * 401},
        {"tone_zh": "一行\n两行"},
        {"version": "-1"},
        {"version": "next"},
    ):
        answer = await visitor.post(ROW, texts | wrong | {"do": "save"})
        assert answer.status == 400, wrong
    gone = {"version": "0", "number": "7"}
    answer = await visitor.post("/settings/playbook/restore", gone, page="/settings/playbook")
    assert answer.status == 404
    agent = await desk.signed_in("agent")
    csrf = await agent.csrf("/settings/profile")
    refused = await agent.ask("POST", ROW, data=[*(texts | {"do": "save"}).items(), ("csrf", csrf)])
    assert refused.status == 403
    assert await desk.database.read(current_version) == 0
