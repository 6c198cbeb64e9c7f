"""Markdown of articles as HTML that may stand in a page of ours."""

from __future__ import annotations

from functools import cache

import nh3
from markdown_it import MarkdownIt
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
