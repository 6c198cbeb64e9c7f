"""What a shop's page is asked to load: its size, its rules, its words."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import subprocess
from pathlib import Path

import pytest

import widget
from tests.support.tools import require

VENDORED = widget.FOLDER / "vendor" / "socket.io-client.esm.min.js"
OWN = [
    path
    for path in sorted(widget.FOLDER.rglob("*.js"))
    if path.relative_to(widget.FOLDER).parts[0] not in {"vendor", "demo"}
]


PANEL_MODULES = {path.name for path in widget.modules("panel.js")}
REQUEST_MODULES = {path.name for path in widget.modules("requests.js")}
WORD = re.compile(r'"([a-z]\w+)"')
# Said by their own name: say(state.name).
STATES = {"connecting", "reconnecting", "offline", "draining", "refused"}


def weight(source: str | bytes | None) -> int:
    assert source is not None
    return len(gzip.compress(source if isinstance(source, bytes) else source.encode(), 9))


def words(locale: str, *parts: str) -> dict[str, str]:
    files = [widget.FOLDER / "locales" / f"{locale}{part}.js" for part in parts]
    text = "".join(file.read_text("utf-8") for file in files)
    found = re.findall(r'^  "?([\w.]+)"?: "(.*)",$', text, re.MULTILINE)
    assert len(found) == len(dict(found)), "a key stands twice"
    return dict(found)


def test_the_loader_is_at_most_3_kb() -> None:
    assert weight(widget.loader_source()) <= 3 * 1024


def test_everything_up_to_the_first_message_is_at_most_32_kb() -> None:
    parts = {
        "loader.js": weight(widget.loader_source()),
        "panel.js": weight(widget.asset("panel.js")),
        "panel.css": weight(widget.asset("panel.css")),
        "locale": max(weight(widget.asset(f"locales/{locale}.js")) for locale in ("en", "zh")),
        "socket.io-client": weight(widget.asset("vendor/socket.io-client.esm.min.js")),
    }
    assert sum(parts.values()) <= 32 * 1024, parts


def test_the_loader_asks_for_the_version_it_was_made_with() -> None:
    assert f'"{widget.version()}"' in widget.loader_source()
    assert "__VERSION__" not in widget.loader_source()


@pytest.mark.parametrize("path", ["../pyproject.toml", "__init__.py", "nothing.js", "locales"])
def test_only_the_widgets_own_scripts_and_styles_are_assets(path: str) -> None:
    assert widget.asset(path) is None


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_what_is_served_is_still_a_program(path: Path, tmp_path: Path) -> None:
    name = path.relative_to(widget.FOLDER).as_posix()
    made = tmp_path / "served.mjs"
    made.write_bytes(widget.asset(name) or b"")
    subprocess.run([require("node"), "--check", made], check=True, timeout=30)


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_markup_is_never_made_from_text(path: Path) -> None:
    banned = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|cookie"
    assert not re.search(banned, path.read_text("utf-8"))


@pytest.mark.parametrize("parts", [("", ".extras"), (".requests",)])
def test_both_languages_have_the_same_words(parts: tuple[str, ...]) -> None:
    # Chinese has no plural forms, so it does without the keys of the singular.
    english = {key for key in words("en", *parts) if not key.endswith(".one")}
    assert english == set(words("zh", *parts))
    assert len(english) > 40


@pytest.mark.parametrize("parts", [("", ".extras"), (".requests",)])
def test_both_languages_take_the_same_values(parts: tuple[str, ...]) -> None:
    def taken(text: str) -> set[str]:
        return set(re.findall(r"\{(\w+)\}", text))

    english, chinese = words("en", *parts), words("zh", *parts)
    assert {key: taken(english[key]) for key in chinese} == {
        key: taken(text) for key, text in chinese.items()
    }


def test_every_word_that_is_used_exists_where_it_is_used_and_none_is_left_over() -> None:
    panel = {path for path in OWN if path.name in PANEL_MODULES}
    requests = {path for path in OWN if path.name in REQUEST_MODULES} - panel
    parts = (("", panel), (".extras", set(OWN) - panel - requests), (".requests", requests))
    for part, files in parts:
        text = (widget.FOLDER / "locales" / f"en{part}.js").read_text("utf-8")
        keys = set(re.findall(r'^  "?(\w+)(?:\.one)?"?: ', text, re.MULTILINE))
        code = "".join(path.read_text("utf-8") for path in files if path.parent.name != "locales")
        quoted = set(WORD.findall(code))
        numbered = {key for key in keys if re.fullmatch(r"rate\d", key)}
        assert keys - quoted - numbered - STATES == set()
        assert set(re.findall(r'\bsay\("(\w+)"', code)) - keys <= {"rate", "typing"}


def test_the_vendored_client_is_the_one_that_was_published() -> None:
    noted = re.search(r"sha256: (\w+)", (VENDORED.parent / "VERSION").read_text("utf-8"))
    assert noted is not None
    assert hashlib.sha256(VENDORED.read_bytes()).hexdigest() == noted[1]


def test_the_vendored_client_is_the_version_of_the_test_tools() -> None:
    package = Path(require("axe-core")).parent.parent / "socket.io-client" / "package.json"
    if not package.is_file():
        pytest.skip("socket.io-client is not installed")
    version = json.loads(package.read_text("utf-8"))["version"]
    assert f"socket.io-client {version}" in (VENDORED.parent / "VERSION").read_text("utf-8")


def test_the_launchers_style_file_has_the_rules_of_the_loader() -> None:
    loader = (widget.FOLDER / "loader.js").read_text("utf-8")
    inside = re.search(r"const css = `(.*?)`", loader, re.DOTALL)
    assert inside is not None
    file = (widget.FOLDER / "launcher.css").read_text("utf-8")
    assert widget.lean_style(file) == widget.lean_style(inside[1])
