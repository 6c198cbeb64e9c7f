"""What a report is divided by: the same on every form, for programs and on the command line."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from agent_ui.groups import group_words
from agent_ui.render import LOCALES, Locale, sentence
from server.cli import app
from server.domain.dimensions import DIMENSIONS
from tests.http.desk import Visitor
from tests.reports.test_pages import AT, REPORT, desk, supervisor, words

__all__ = ["desk", "supervisor"]
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
KEPT = "/reports/stored"
FORM = {"name": "Kept", "from": "2026-11-20", "to": "2026-11-21", "as_of_ms": str(AT)}


def offered(page: str) -> tuple[str, ...]:
    """The values of the list that says what to divide by, without the empty one."""
    [options] = re.findall(r'<select[^>]* name="by".*?</select>', page, re.DOTALL)
    return tuple(value for value in re.findall(r'<option value="(\w*)"', options) if value)


@on_sqlite
async def test_every_form_programs_and_the_command_line_offer_every_division(
    supervisor: Visitor,
) -> None:
    for path in (KEPT, REPORT, "/reports/mails/new"):
        assert offered((await supervisor.get(path)).text) == DIMENSIONS, path
    document = (await supervisor.get("/api/v1/openapi.json")).text
    assert '"enum":["' + '","'.join(DIMENSIONS) + '"]' in document.replace(" ", "")
    told = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["report", "--help"]).output
    assert f"{', '.join(DIMENSIONS[:-1])} or {DIMENSIONS[-1]}." in " ".join(
        re.sub(r"\x1b\[[0-9;]*m|│", " ", told).split()
    )


@pytest.mark.parametrize("locale", LOCALES)
def test_every_division_and_its_nameless_group_has_words(locale: Locale) -> None:
    for one in DIMENSIONS:
        assert sentence(locale, f"reports.by.{one}")
        if one not in {"day", "hour", "weekday"}:
            assert group_words(locale, one, None) != group_words(locale, one, "x")


@on_sqlite
async def test_a_kept_report_is_told_in_words(supervisor: Visitor) -> None:
    groups = {
        "weekday": ("Fri", "周五"),
        "hour": ("10:00", "10:00"),
        "channel": ("Chat", "在线聊天"),
        "segment": ("No segment", "无分层"),
        "label": ("No topic tag", "未打标签"),
    }
    for by, names in groups.items():
        kept = await supervisor.post(KEPT, FORM | {"metrics": "rt", "by": by})
        for locale, name in zip(LOCALES, names, strict=True):
            page = (await supervisor.get(f"{kept.location}&lang={locale}")).text
            assert f">{name}</td>" in page
            assert sentence(locale, f"reports.by.{by}") in words(page)


@on_sqlite
async def test_of_a_kept_report_no_number_is_a_share_and_no_money_bare(
    supervisor: Visitor,
) -> None:
    kept = await supervisor.post(KEPT, FORM | {"metrics": "contact_per_order,aov_chat"})
    page = words((await supervisor.get(f"{kept.location}&lang=en")).text)
    assert "Contacts per order – 2.00 2" in page
    assert "Order value after chat – 299.00 CNY 1" in page
