"""The files of the console without a browser: words, vendored libraries, weight."""

from __future__ import annotations

import gzip
import hashlib
import re
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import orjson
import pytest

from agent_ui import FOLDER, STATIC_DIR, render
from agent_ui.lean import lean, lean_script
from tests.support.tools import require

MODULES = sorted((STATIC_DIR / "js" / "console").glob("*.js"))
TEMPLATE = FOLDER / "templates" / "console.html"
# What comes when it is needed: a dialog that is asked for, the panel with the first conversation.
LATER = {
    *("dialogs", "palette"),
    *("customer", "card_who", "card_worth", "card_orders", "card_tickets", "card_kept"),
    *("order_words", "reply", "late_icon", "focus_kept"),
    *("aid", "attach", "mail_card", "suggest", "slash", "holes", "plain", "key_list"),
    *("events", "tried", "past", "library", "ticket"),
}
WORDS = STATIC_DIR / "words"
STYLES = ("tokens", "base", "segments", "console")
BUDGET_BYTES = 80_000


def shell(locale: render.Locale) -> str:
    """The page that starts the console."""
    return render.page(
        "console.html",
        locale=locale,
        theme="auto",
        static_url="/static/0123456789abcdef",
        csrf="c" * 43,
        person=SimpleNamespace(id="agt_1", name="Chen Hao", role="agent"),
        messages=render.messages(locale, "console"),
    )


def sources() -> str:
    """All modules as one text."""
    return "\n".join(path.read_text(encoding="utf-8") for path in MODULES)


def words(locale: str) -> dict[str, str]:
    """All sentences of the console: those in the page, and those that come later."""
    found = dict(render.messages(cast(render.Locale, locale), "console"))
    for path in sorted(WORDS.glob(f"*.{locale}.json")):
        later = orjson.loads(path.read_bytes())
        assert later.keys().isdisjoint(found), path.name
        found |= later
    return found


def test_both_languages_have_the_same_keys_and_names() -> None:
    en, zh = words("en"), words("zh")
    assert en.keys() == zh.keys()
    differing = {
        key
        for key in en
        if set(re.findall(r"\{\w+\}", en[key])) != set(re.findall(r"\{\w+\}", zh[key]))
    }
    assert differing == set()
    assert [key for key in en if not en[key] or not zh[key]] == []


def test_every_sentence_is_used_and_every_used_one_exists() -> None:
    keys = set(words("en"))
    text = sources()
    named = {
        word
        for quote in ('"', "`")
        for word in re.findall(
            rf"{quote}([a-z]\w*(?:\.\w+)*){quote}", text + TEMPLATE.read_text("utf-8")
        )
    }
    counted = {
        f"{key}.{form}"
        for key in re.findall(r'\btn\("([\w.]+)"', text)
        for form in ("one", "other")
    }
    # Keys made from a value at run time: `err.${code}`. All that start so count as used.
    starts = tuple(re.findall(r"`([a-z]\w*\.(?:\w*))\$\{", text))
    asked = set(re.findall(r'\b(?:t|rich)\("([\w.]+)"', text))
    assert (asked | counted) - keys == set()
    assert {key for key in keys - named - counted if not key.startswith(starts)} == set()


def test_vendored_files_are_what_the_packages_hold() -> None:
    vendor = STATIC_DIR / "vendor"
    rows = orjson.loads((vendor / "vendor.json").read_bytes())["files"]
    assert {row["file"] for row in rows} == {path.name for path in vendor.glob("*.js")}
    for row in rows:
        data = (vendor / row["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["sha256"], row["file"]
        assert (vendor / row["licence_file"]).stat().st_size > 500


def test_the_page_names_every_module_once() -> None:
    named = re.findall(r"js/console/(\w+)\.js", shell("en"))
    assert sorted(named) == [path.stem for path in MODULES if path.stem not in LATER]


@pytest.mark.parametrize("locale", render.LOCALES)
def test_the_console_weighs_no_more_than_its_budget(locale: render.Locale) -> None:
    served = [
        *(path for path in MODULES if path.stem not in LATER),
        *(STATIC_DIR / "vendor").glob("*.js"),
        *(STATIC_DIR / "css" / f"{name}.css" for name in STYLES),
        STATIC_DIR / "icons.svg",
    ]
    weights = {path.name: len(gzip.compress(lean(path), 9)) for path in served}
    weights["console.html"] = len(gzip.compress(shell(locale).encode(), 9))
    assert sum(weights.values()) <= BUDGET_BYTES, sorted(weights.items(), key=lambda row: -row[1])


def test_every_icon_is_in_the_sprite_and_none_for_nothing() -> None:
    first, more = (
        set(re.findall(r'id="i-([\w-]+)"', (STATIC_DIR / f"{name}.svg").read_text("utf-8")))
        for name in ("icons", "icons_more")
    )
    assert first & more == set()
    sprite = first | more
    named = set(re.findall(r'(?:icon|name|badge)[=:] ?"([a-z][\w-]+)"', sources()))
    named -= set(re.findall(r'<(?:input|textarea|select)[^>]*? name="(\w+)"', sources()))
    assert named - sprite == set()


def test_an_icon_that_comes_later_is_asked_for_in_its_own_sprite() -> None:
    more = set(re.findall(r'id="i-([\w-]+)"', (STATIC_DIR / "icons_more.svg").read_text("utf-8")))
    late = (STATIC_DIR / "js" / "console" / "late_icon.js").read_text("utf-8")
    listed = re.search(r"new Set\(\[(.*?)\]\)", late)
    assert listed is not None
    assert set(re.findall(r'"([\w-]+)"', listed[1])) - more == set()
    rail = (STATIC_DIR / "js" / "console" / "rail.js").read_text("utf-8")
    places = re.findall(r'\{ icon: "([\w-]+)",( late: true,)? key: "(\w+)"', rail)
    assert {key for icon, later, key in places if (icon in more) != bool(later)} == set()
    # A ticket is not what comes back at its time.
    assert [icon for icon, _, key in places if key == "tickets"] == ["ticket"]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_leaving_comments_out_keeps_the_code_and_its_lines(path: Path) -> None:
    """The compiler's own idea of both: without comments they are the same program."""
    source = path.read_text("utf-8")
    bare = lean_script(source)
    assert bare.count("\n") == source.count("\n")
    assert "@param" not in bare
    for mark in ("`", '"', "=>", "${", "html", "import "):
        comment = r"/\*.*?\*/|(?:^|;|\{|\}) *//[^\n]*$"
        without = re.sub(comment, "", source, flags=re.DOTALL | re.MULTILINE)
        assert bare.count(mark) == without.count(mark), mark


def test_nothing_builds_html_from_strings() -> None:
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert word not in sources()


def test_types_hold() -> None:
    checked = subprocess.run(  # our own compiler on our own files
        [require("tsc"), "-p", STATIC_DIR / "js" / "jsconfig.json"],
        capture_output=True,
        text=True,
        check=False,
    )
    if checked.returncode:
        pytest.fail(checked.stdout[:4000])
