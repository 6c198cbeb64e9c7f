"""The files of the console without a browser: words, vendored libraries, weight."""

from __future__ import annotations

import gzip
import hashlib
import re
import subprocess

import orjson
import pytest

from agent_ui import FOLDER, STATIC_DIR, render
from tests.support.tools import require

MODULES = sorted((STATIC_DIR / "js" / "console").glob("*.js"))
TEMPLATE = FOLDER / "templates" / "console.html"
# Keys made from a value at run time: the words before it. All that start so count as used.
OPEN_ENDED = re.compile(r"`([\w.]+)\$\{")
BUDGET_BYTES = 80_000


def sources() -> str:
    """All modules as one text."""
    return "\n".join(path.read_text(encoding="utf-8") for path in MODULES)


def test_both_languages_have_the_same_keys_and_names() -> None:
    en, zh = render.messages("en", "console"), render.messages("zh", "console")
    assert en.keys() == zh.keys()
    differing = {
        key
        for key in en
        if set(re.findall(r"\{\w+\}", en[key])) != set(re.findall(r"\{\w+\}", zh[key]))
    }
    assert differing == set()
    assert [key for key in en if not en[key] or not zh[key]] == []


def test_every_sentence_is_used_and_every_used_one_exists() -> None:
    keys = set(render.messages("en", "console"))
    text = sources()
    quoted = set(re.findall(r'"([a-z][\w.]*)"', text + TEMPLATE.read_text(encoding="utf-8")))
    counted = {
        f"{key}.{form}" for key in re.findall(r'\btn\("([\w.]+)"', text) for form in ("one", "other")
    }
    starts = set(OPEN_ENDED.findall(text)) - {"c", "head", "day", "m", "p", "w", "tab", "write"}
    starts |= {"tab."}
    asked = set(re.findall(r'\bt\("([\w.]+)"', text)) | set(re.findall(r'rich\("([\w.]+)"', text))
    assert asked - keys == set()
    assert counted - keys == set()
    unused = {
        key
        for key in keys - quoted - counted
        if not any(key.startswith(start) for start in starts if start.endswith("."))
    }
    assert unused == set()


def test_vendored_files_are_what_the_packages_hold() -> None:
    vendor = STATIC_DIR / "vendor"
    rows = orjson.loads((vendor / "vendor.json").read_bytes())["files"]
    assert {row["file"] for row in rows} == {path.name for path in vendor.glob("*.js")}
    for row in rows:
        data = (vendor / row["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["sha256"], row["file"]
        assert (vendor / row["licence_file"]).stat().st_size > 500


def test_the_page_names_every_module_once() -> None:
    html = render.page(
        "console.html",
        locale="en",
        theme="auto",
        static_url="/static/test",
        csrf="",
        person=type("Person", (), {"id": "agt_1", "name": "Chen Hao", "role": "agent"})(),
        messages=render.messages("en", "console"),
    )
    named = re.findall(r"js/console/(\w+)\.js", html)
    assert sorted(named) == [path.stem for path in MODULES]


def test_the_console_weighs_no_more_than_its_budget() -> None:
    served = [
        *MODULES,
        *(STATIC_DIR / "vendor").glob("*.js"),
        *(STATIC_DIR / "css" / name for name in ("tokens.css", "base.css", "console.css")),
        STATIC_DIR / "icons.svg",
        STATIC_DIR / "favicon.svg",
        TEMPLATE,
    ]
    weights = {path.name: len(gzip.compress(path.read_bytes(), 9)) for path in served}
    words = max(
        len(gzip.compress(orjson.dumps(render.messages(locale, "console")), 9))
        for locale in render.LOCALES
    )
    total = sum(weights.values()) + words
    assert total <= BUDGET_BYTES, dict(sorted(weights.items(), key=lambda row: -row[1]))


def test_nothing_builds_html_from_strings() -> None:
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert word not in sources()


def test_types_hold() -> None:
    checked = subprocess.run(  # noqa: S603  # our own compiler on our own files
        [require("tsc"), "-p", STATIC_DIR / "js" / "jsconfig.json"],
        capture_output=True,
        text=True,
        check=False,
    )
    if checked.returncode:
        pytest.fail(checked.stdout[:4000])
