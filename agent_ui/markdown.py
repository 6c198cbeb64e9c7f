"""Markdown of articles as HTML that may stand in a page of ours."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any  # Any: JSON values

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

# What CommonMark with tables can make; everything else is taken out afterwards.
_TAGS = frozenset(
    [
        "a",
        "blockquote",
        "br",
        "code",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "img",
        "li",
        "ol",
        "p",
        "pre",
        "strong",
        "s",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "ul",
    ]  # reads better
)
_ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt", "title"}, "ol": {"start"}}
_SCHEMES = frozenset({"http", "https", "mailto", "tel"})
# Stands between the cells of a row, and between the paragraphs of an item.
_BETWEEN = " · "
_BOLD = {"strong_open": True, "strong_close": False}


@cache
def _parser() -> MarkdownIt:
    # HTML inside Markdown is shown as text: whoever writes articles need not be trusted with pages.
    return MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(
        ["table", "strikethrough"]
    )


def to_html(text: str, *, top: int = 2) -> Markup:
    r"""The HTML of a Markdown text: no scripts, no styles, no foreign elements.

    Two safeguards, either of which would do: the parser writes no HTML of the text's own, and the
    result is cleaned against a list. Its highest heading is ``h{top}``, since pages have their own.

    >>> to_html("# Hi *you* <b>")
    Markup('<h2>Hi <em>you</em> &lt;b&gt;</h2>\n')
    """
    tokens = _parser().parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + top - 1)}"
    html = _parser().renderer.render(tokens, _parser().options, {})
    return Markup(  # noqa: S704  # cleaned just now
        nh3.clean(
            html,
            tags=set(_TAGS),
            attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
            url_schemes=set(_SCHEMES),
            link_rel="noopener noreferrer nofollow",
        )
    )


def to_text(text: str, *, limit: int | None = None) -> str:
    r"""The words of a Markdown text, for a preview or a reply; at most ``limit`` characters.

    >>> to_text("**Hi** [you](https://a.example)\n\n- one")
    'Hi you one'
    """
    words: list[str] = []
    for token in _parser().parse(text):
        words += [
            " " if part.type in ("softbreak", "hardbreak") else part.content
            for part in token.children or ()
        ]
        if token.type in ("fence", "code_block"):
            words.append(token.content)
        words.append(" " if token.block else "")
    plain = " ".join("".join(words).split())
    if limit is not None and len(plain) > limit:
        return plain[: limit - 1].rstrip() + "…"
    return plain


def to_blocks(text: str, *, most: int = 100) -> list[dict[str, Any]]:  # Any: JSON values
    """A Markdown text as at most ``most`` headings, paragraphs and lists, for readers without HTML.

    Words are lists of ``{"text", "bold"?, "href"?}``. What has no form of its own becomes a
    paragraph: a row of a table, a line of code.

    >>> to_blocks("Write **us** [here](https://a.example)")[0]["words"][3]
    {'text': 'here', 'href': 'https://a.example'}
    """
    reader = _Reader()
    for token in _parser().parse(text):
        if token.type in ("inline", "fence", "code_block"):
            if words := _words(token):
                reader.say(words)
        else:
            reader.mark(token.type)
    return reader.blocks[:most]


class _Reader:
    """Makes blocks of a text that is read from its beginning."""

    def __init__(self) -> None:
        self.blocks: list[dict[str, Any]] = []  # Any: JSON values
        self._depth = 0
        self._kind = "paragraph"
        self._begins = self._in_row = False

    def mark(self, name: str) -> None:
        """A mark of the text's structure."""
        thing, _, end = name.rpartition("_")
        opens = end == "open"
        if thing in ("bullet_list", "ordered_list"):
            if opens and not self._depth:
                ordered = thing == "ordered_list"
                self.blocks.append({"type": "list", "ordered": ordered, "items": []})
            self._depth += 1 if opens else -1
        elif thing == "heading":
            self._kind = "heading" if opens else "paragraph"
        elif thing in ("list_item", "tr"):
            self._begins = opens
            self._in_row = thing == "tr" and opens

    def say(self, words: list[dict[str, Any]]) -> None:  # Any: JSON values
        """Words within what the marks began."""
        begins, self._begins = self._begins, False
        if self._depth:
            items = self.blocks[-1]["items"]
            if begins or not items:
                items.append(words)
            else:
                items[-1] += [{"text": _BETWEEN}, *words]
        elif self._in_row and not begins:
            self.blocks[-1]["words"] += [{"text": _BETWEEN}, *words]
        else:
            self.blocks.append({"type": self._kind, "words": words})


def _words(token: Token) -> list[dict[str, Any]]:  # Any: JSON values
    """The words of a block, with what is bold and where links lead."""
    if token.children is None:
        return [{"text": token.content.rstrip("\n")}] if token.content.strip() else []
    return _spans(token.children)


def _spans(parts: Sequence[Token]) -> list[dict[str, Any]]:  # Any: JSON values
    spans: list[dict[str, Any]] = []  # Any: JSON values
    bold, href = False, None
    for part in parts:
        bold = _BOLD.get(part.type, bold)
        if part.type in ("link_open", "link_close"):
            address = str(part.attrGet("href") or "")
            href = address if address.partition(":")[0].lower() in _SCHEMES else None
        words = "\n" if part.type in ("softbreak", "hardbreak") else part.content
        if not words:
            continue
        style: dict[str, Any] = {"bold": True} if bold else {}  # Any: JSON values
        style |= {"href": href} if href else {}
        if spans and {**spans[-1], "text": ""} == {"text": "", **style}:
            spans[-1]["text"] += words
        else:
            spans.append({"text": words, **style})
    return spans
