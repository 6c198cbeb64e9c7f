"""Every sentence exists in both languages; every key and icon that is used is there."""

from __future__ import annotations

import re

import agent_ui
from agent_ui.render import LOCALES, SURFACES, messages

TEMPLATES = sorted((agent_ui.FOLDER / "templates").glob("*.html"))
# The console has a test of its own.
PAGES = tuple(surface for surface in SURFACES if surface != "console")
PLACEHOLDER = re.compile(r"\{\w+\}")


def test_both_languages_say_the_same_things() -> None:
    for surface in PAGES:
        en, zh = (messages(locale, surface) for locale in LOCALES)
        assert set(en) == set(zh)
        for key, text in en.items():
            assert text
            assert zh[key], key
            assert set(PLACEHOLDER.findall(text)) == set(PLACEHOLDER.findall(zh[key])), key


def test_no_key_means_two_things() -> None:
    surfaces = [messages("en", surface) for surface in PAGES]
    assert len({key for surface in surfaces for key in surface}) == sum(map(len, surfaces))


def test_templates_use_keys_that_exist() -> None:
    known = {key for surface in PAGES for key in messages("en", surface)}
    for path in TEMPLATES:
        for key in re.findall(r"\bt\('([\w.]+)'[,)]", path.read_text("utf-8")):
            assert key in known or f"{key}.other" in known, f"{path.name}: {key}"


def test_templates_use_icons_that_exist() -> None:
    sprite = "".join(
        (agent_ui.STATIC_DIR / name).read_text("utf-8") for name in ("icons.svg", "icons_more.svg")
    )
    for path in TEMPLATES:
        for name in re.findall(r"\bicon\('([\w-]+)'", path.read_text("utf-8")):
            assert f'id="i-{name}"' in sprite, f"{path.name}: {name}"


def test_every_refusal_that_people_meet_has_words() -> None:
    known = messages("en", "pages")
    technical = {"database", "shop_exists", "inactive"}  # for programs and the command line
    used = set(re.findall(r'reason="(\w+)"', _sources())) - technical
    assert {reason for reason in used if f"error.reason.{reason}" not in known} == set()


def _sources() -> str:
    """The modules whose refusals reach the server-rendered pages."""
    folder = agent_ui.FOLDER.parent / "server"
    names = ("actions/people.py", "actions/shop.py", "actions/sign_in.py")
    paths = [folder / name for name in names] + sorted((folder / "http").glob("*.py"))
    return "".join(path.read_text("utf-8") for path in paths)
