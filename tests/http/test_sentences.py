"""Every sentence exists in both languages and is used; every key and icon that is used is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from jinja2 import Environment, nodes

import agent_ui
from agent_ui.render import LOCALES, SURFACES, messages

TEMPLATES = sorted((agent_ui.FOLDER / "templates").glob("*.html"))
# The console has a test of its own.
PAGES = tuple(surface for surface in SURFACES if surface != "console")
PLACEHOLDER = re.compile(r"\{\w+\}")
ROOT = agent_ui.FOLDER.parent
# Stands for what is known only at run time, in texts that sources put together.
HOLE = "\0"


def test_both_languages_say_the_same_things() -> None:
    for surface in PAGES:
        en, zh = (messages(locale, surface) for locale in LOCALES)
        assert set(en) == set(zh)
        for key, text in en.items():
            assert text
            assert zh[key], key
            assert set(PLACEHOLDER.findall(text)) == set(PLACEHOLDER.findall(zh[key])), key


def test_every_kind_of_mail_has_a_name() -> None:
    told = re.compile(r'\bkind="(\w+)",\s+recipient=')
    texts = (path.read_text("utf-8") for path in (ROOT / "server").rglob("*.py"))
    kinds = {kind for text in texts for kind in told.findall(text)}
    assert {"reply", "code", "report", "alarm"} <= kinds
    assert {f"mail.kind.{kind}" for kind in kinds} <= set(messages("en", "mail"))


def test_no_key_means_two_things() -> None:
    surfaces = [messages("en", surface) for surface in PAGES]
    assert len({key for surface in surfaces for key in surface}) == sum(map(len, surfaces))


def test_templates_use_keys_that_exist() -> None:
    known = {key for surface in PAGES for key in messages("en", surface)}
    for path in TEMPLATES:
        for key in re.findall(r"\bt\('([\w.]+)'[,)]", path.read_text("utf-8")):
            assert key in known or f"{key}.other" in known, f"{path.name}: {key}"


def test_every_sentence_is_used() -> None:
    said = set(_said())
    words = set(re.findall(r"[\w:-]+", " ".join([*said, *_python()])))
    shapes = [_shape(text) for text in said if HOLE in text and re.fullmatch(r"[\w.:\0-]+", text)]
    # With a point they are keys, without one they fill the gap of another.
    keys = [shape for shape in shapes if re.search(r"\w\\\.|\\\.\w", shape.pattern)]
    fills = [shape for shape in shapes if re.match(r"\w{3}", shape.pattern)]

    def used(key: str) -> bool:
        return key in said or any(
            all(map(known, filled.groups()))
            for shape in keys
            if (filled := shape.fullmatch(key)) is not None
        )

    def known(value: str) -> bool:
        return all(
            part in words or any(shape.fullmatch(part) for shape in fills)
            for part in value.split(".")
        )

    unused = {
        key
        for surface in PAGES
        for key in messages("en", surface)
        if not used(key) and not used(re.sub(r"\.(one|other)$", "", key))
    }
    assert unused == set()


def test_templates_use_icons_that_exist() -> None:
    sprite = "".join(
        (agent_ui.STATIC_DIR / name).read_text("utf-8") for name in ("icons.svg", "icons_more.svg")
    )
    for path in TEMPLATES:
        for name in re.findall(r"\b(?:icon|form\.empty)\('([\w-]+)'", path.read_text("utf-8")):
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


def _said() -> Iterator[str]:
    """Every text in the sources, with holes for what is put into it."""
    for text in _python():
        for formatted, literal in re.findall(r'(f?)"((?:[^"\\\n]|\\.)*)"', text):
            yield re.sub(r"\{[^{}]*\}", HOLE, literal) if formatted else literal
            if literal.endswith("."):
                yield literal + HOLE
        yield from re.findall(r"\b\d{3}\b", text)
    for path in TEMPLATES:
        tree = Environment().parse(path.read_text("utf-8"))
        yield from map(_of_template, tree.find_all((nodes.Const, nodes.Concat, nodes.Add)))
    for path in agent_ui.STATIC_DIR.glob("js/*.js"):
        yield from re.findall(r"[\"']([\w.]+)[\"']", path.read_text("utf-8"))


@cache
def _python() -> list[str]:
    folders = (ROOT / name for name in ("server", "agent_ui"))
    paths = (path for folder in folders for path in sorted(folder.rglob("*.py")))
    return [path.read_text("utf-8") for path in paths]


def _of_template(node: nodes.Node) -> str:
    match node:
        case nodes.Const(value=str(text)):
            return text
        case nodes.Concat(nodes=parts):
            return "".join(map(_of_template, parts))
        case nodes.Add(left=left, right=right):
            return _of_template(left) + _of_template(right)
    return HOLE


def _shape(text: str) -> re.Pattern[str]:
    """The pattern of the texts that fill the holes of one."""
    return re.compile(r"([\w:.-]+)".join(map(re.escape, re.split(f"{HOLE}+", text))))
