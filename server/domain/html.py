"""HTML as Markdown: words and links stay, everything that could act is left out.

Our own reader, because it takes any markup without failing: markdownify and BeautifulSoup end in a
RecursionError at 3,000 open elements and take six times as long, html-to-markdown weighs 21 MB and
keeps addresses that act. What it writes is cleaned once more where it is shown.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

# What stands inside these is no text for people.
_SILENT = frozenset({"script", "style", "head", "title", "template", "noscript", "iframe", "svg"})
_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "details",
        "div",
        "dl",
        "dd",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "html",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "thead",
        "tr",
        "ul",
    ]
)
# Blocks that follow one another without a blank line.
_CLOSE = frozenset({"li", "tr", "tbody", "thead"})
# What stands around the text of a page; an article is what is left.
_AROUND = frozenset({"nav", "footer", "aside", "form", "button", "select"})
_VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "wbr", "source", "track", "embed"})
_MARKS = {"strong": "**", "b": "**", "em": "*", "i": "*", "code": "`"}
_MAX_CHARS = 1_000_000
# Deeper quotations and lists look like these, and more links than these are not open at once: every
# line carries the marks of all that it stands in.
_MAX_DEPTH = 30


def to_words(html: str) -> str:
    r"""The text of an HTML fragment as somebody would have typed it; never raises.

    Links keep their addresses, pictures only what is said of them.

    >>> to_words('<h2>Hi</h2><p>My <b>lamp</b>: <a href="https://a.example/p">photo</a></p>')
    'Hi\n\nMy lamp: photo (https://a.example/p)'
    >>> to_words('<p>Late<img src="https://a.example/pixel.gif"></p>')
    'Late'
    """
    return _read(html, _Reader(page=False, marks=False))


def to_markdown(html: str, *, page: bool = False) -> str:
    r"""The text of an HTML fragment as Markdown; never raises, whatever the markup.

    >>> to_markdown('<h2>Returns</h2><p>See <a href="https://shop.example/r">here</a>.</p>')
    '## Returns\n\nSee [here](https://shop.example/r).'
    >>> to_markdown('<p onclick="x()">Hi<script>alert(1)</script></p>')
    'Hi'

    Of a whole ``page`` only its article is taken, with pictures and tables as Markdown has them; a
    message of a chat has them as plain words.

    >>> to_markdown('<nav>Home</nav><table><tr><th>A<th>B<tr><td>1<td>2</table>', page=True)
    '| A | B |\n| --- | --- |\n| 1 | 2 |'
    """
    return _read(html, _Reader(page=page))


def _read(html: str, reader: _Reader) -> str:
    html = html[:_MAX_CHARS]
    # A tag that never ends is text. The parser finds that out for each of them by reading to the
    # end, so it is told.
    end = html.rfind(">") + 1
    reader.feed(html[:end] + html[end:].replace("<", "&lt;"))
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    """Collects the text of a fragment, one entry of ``_lines`` for each block."""

    def __init__(self, *, page: bool, marks: bool = True) -> None:
        super().__init__(convert_charrefs=True)
        self._page = page
        # Whether headings, emphasis and links are marked as Markdown has them.
        self._marks = marks
        self._silenced = _SILENT | _AROUND if page else _SILENT
        # The row of a table being read, and whether it is the first one of it.
        self._cells: list[str] | None = None
        self._first_row = False
        # Where the article of a page begins and ends in the lines.
        self._inside: list[int] = []
        self._lines: list[str] = []
        self._line = ""
        self._silent: str | None = None
        self._depth = 0
        self._lists: list[int] = []
        self._links: list[tuple[str, int]] = []
        self._quotes = 0
        self._pre = 0
        # Where the emphasis begins that was opened last.
        self._marked = -1
        self._outer = ""

    def text(self) -> str:
        """What was read, blocks apart by one blank line, list items by none."""
        self._end_row()
        self._end_line()
        begin, end = (*self._inside, len(self._lines))[:2] if self._inside else (0, None)
        found = "\n".join(self._lines[begin:end])
        return re.sub(r"\n{3,}", "\n\n", found).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._silent is not None:
            self._depth += tag == self._silent
            return
        if tag in self._silenced:
            self._silent, self._depth = tag, 1
            return
        if tag in _BLOCKS:
            self._begin_block(tag)
        elif tag == "br":
            self._end_line(blank=False)
        elif tag == "img":
            self._image(dict(attrs))
        elif tag == "a" and len(self._links) < _MAX_DEPTH:
            self._links.append((dict(attrs).get("href") or "", len(self._line)))
        elif tag in ("td", "th") and self._cells is not None:
            self._end_cell()
            self._cells.append("")
        elif tag in ("td", "th") and self._line:
            self._line += " | "
        elif tag in _MARKS and self._marks and not self._pre:
            self._line += _MARKS[tag]
            self._marked = len(self._line)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._silent is not None:
            self._depth -= tag == self._silent
            if self._depth <= 0:
                self._silent = None
            return
        if tag in _BLOCKS:
            self._end_block(tag)
        elif tag == "a" and self._links:
            self._link(*self._links.pop())
        elif tag in _MARKS and self._marks and not self._pre:
            self._mark(_MARKS[tag])

    def handle_data(self, data: str) -> None:
        if self._silent is not None:
            return
        if self._pre:
            first, *rest = data.split("\n")
            self._line += first
            for line in rest:
                self._end_line(blank=False)
                self._line = line
            return
        words = re.sub(r"[ \t\r\n\f]+", " ", data)
        at_start = not self._line or len(self._line) == self._marked
        if words.startswith(" ") and (at_start or self._line.endswith(" ")):
            words = words[1:]
        self._line += words

    def _begin_block(self, tag: str) -> None:
        if self._page and tag in ("table", "tr"):
            self._end_row()
            self._end_line(blank=tag == "table")
            self._first_row = self._first_row or tag == "table"
            self._cells = [] if tag == "tr" else None
            return
        if self._cells is not None:
            self._line += " " * (tag not in _CLOSE)
            return
        self._end_line(blank=tag not in _CLOSE)
        if self._page and tag in ("main", "article") and not self._inside:
            self._inside.append(len(self._lines))
            self._outer = tag
        if tag in ("ul", "ol"):
            self._lists.append(0 if tag == "ul" else 1)
        elif tag == "li":
            self._line = self._bullet()
        elif tag[0] == "h" and tag[1:].isdigit():
            self._line = "#" * int(tag[1:]) + " " if self._marks else ""
        elif tag == "blockquote":
            self._quotes += 1
        elif tag == "pre":
            self._lines += ["```"] * self._marks
            self._pre += 1
        elif tag == "hr":
            self._lines += ["", "---", ""]

    def _end_block(self, tag: str) -> None:
        if self._page and tag in ("table", "tr"):
            self._end_row()
        if self._cells is not None:
            return
        self._end_line(blank=tag not in _CLOSE)
        if len(self._inside) == 1 and tag == self._outer:
            self._inside.append(len(self._lines))
        if tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        elif tag == "blockquote":
            self._quotes = max(0, self._quotes - 1)
        elif tag == "pre" and self._pre:
            self._pre -= 1
            while self._lines and not self._lines[-1]:
                self._lines.pop()
            self._lines += ["```", ""] if self._marks else [""]

    def _end_cell(self) -> None:
        if self._cells:
            self._cells[-1] = " ".join(self._line.split()).replace("|", "\\|")
            self._line = ""
            self._links = [(href, 0) for href, _ in self._links]

    def _end_row(self) -> None:
        """Writes the row of a table; a table of Markdown needs a line below its first one."""
        if self._cells is None:
            return
        self._end_cell()
        if self._cells:
            self._lines.append("| " + " | ".join(self._cells) + " |")
            if self._first_row:
                self._lines.append("| " + " | ".join("---" for _ in self._cells) + " |")
                self._first_row = False
        self._cells = None

    def _bullet(self) -> str:
        indent = "".join("   " if one else "  " for one in self._lists[:-1][:_MAX_DEPTH])
        if not self._lists or not self._lists[-1]:
            return f"{indent}- "
        number, self._lists[-1] = self._lists[-1], self._lists[-1] + 1
        return f"{indent}{number}. "

    def _end_line(self, *, blank: bool = True) -> None:
        line, self._line = self._line.rstrip(), ""
        self._links = [(href, 0) for href, _ in self._links]
        if line or self._pre:
            self._lines.append("> " * min(self._quotes, _MAX_DEPTH) + line)
        if blank and self._lines and self._lines[-1] and not self._pre:
            in_list = bool(self._lists) and bool(re.match(r"\s*(-|\d+\.) ", self._lines[-1]))
            if not in_list:
                self._lines.append("")

    def _mark(self, mark: str) -> None:
        """Closes an emphasis; one around nothing is taken away."""
        if len(self._line) == self._marked:
            self._line = self._line.removesuffix(mark)
        else:
            stripped = self._line.rstrip()
            self._line = stripped + mark + self._line[len(stripped) :]

    def _link(self, href: str, start: int) -> None:
        label = self._line[start:].strip()
        if not _is_link(href) or not label:
            return
        if not self._marks:
            bare = href.removeprefix("mailto:")
            shown = label if label in (href, bare) else f"{label} ({bare})"
        else:
            shown = f"<{href}>" if label == href else f"[{label}]({href})"
        self._line = self._line[:start] + shown

    def _image(self, values: dict[str, str | None]) -> None:
        source, alt = values.get("src") or "", (values.get("alt") or "").strip()
        if _is_link(source) and self._page:
            self._line += f"![{alt}]({source})"
        elif _is_link(source) and self._marks:
            self._line += f"[{alt or source}]({source})"
        elif alt:
            self._line += alt


def _is_link(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    if re.search(r"[\s()<>]", address):
        return False
    return parts.scheme == "mailto" or (parts.scheme in ("http", "https") and bool(parts.netloc))
