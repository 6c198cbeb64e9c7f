"""HTML of mails that strangers wrote, as something that may be shown.

A mail is cleaned twice when it comes, in the process that reads it: once so that only what is on
a list is left, and once more after the places where links lead were written beside them, so that
the last hand on it is always the cleaner's. What is kept still names the mail's own pictures by
``cid:`` and those of others by their addresses; ``shown`` decides of each when somebody looks. It
is shown in a frame without scripts, forms and origin, whose policy loads from nowhere but here.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape, unescape
from html.parser import HTMLParser
from urllib.parse import urlsplit

import nh3
from markupsafe import Markup

# Deeper than people and their programs nest; the cleaner's time grows with the square of it.
MOST_DEPTH = 500
MOST_CHARS = 1_000_000
# What it may become: of each link it is said again that it is a foreign one.
MOST_KEPT_CHARS = 2_000_000
# Signs that are written as a reference take the cleaner ten times as long as others.
MOST_REFERENCES = 50_000
_CHARS_A_LINE = 80
_LINES_A_PICTURE = 8

_TAGS = frozenset(
    """
    a abbr address b bdi bdo big blockquote br caption center cite code col colgroup dd del dfn div
    dl dt em font h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small span strike
    strong sub sup table tbody td tfoot th thead tr tt u ul var wbr
    """.split()  # noqa: SIM905  # reads better
)
# What goes with all that is in it. Of other elements the words stay.
_GONE = frozenset(
    """
    applet embed frame frameset iframe math noembed noframes noscript object option script select
    style svg template textarea title xmp
    """.split()  # noqa: SIM905  # reads better
)
_CELL = {"align", "bgcolor", "colspan", "height", "nowrap", "rowspan", "valign", "width"}
_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"dir", "lang", "style"},
    "a": {"href", "title", "data-to"},
    "col": {"span", "width"},
    "colgroup": {"span", "width"},
    "div": {"align"},
    "font": {"color", "face", "size"},
    "h1": {"align"},
    "h2": {"align"},
    "h3": {"align"},
    "hr": {"align", "size", "width"},
    "img": {"align", "alt", "height", "src", "title", "width"},
    "li": {"value"},
    "ol": {"start", "type"},
    "p": {"align"},
    "table": {"align", "bgcolor", "border", "cellpadding", "cellspacing", "height", "width"},
    "td": _CELL,
    "th": _CELL,
    "tr": {"align", "bgcolor", "height", "valign"},
    "ul": {"type"},
}
_LINKED = re.compile(r"(?:https?://|mailto:|tel:)[^\x00-\x20\x7f\\]+", re.IGNORECASE)
_PICTURED = re.compile(r"(?:https?://|cid:)[^\x00-\x20\x7f\\]+", re.IGNORECASE)
_DATA = re.compile(r"data:image/(png|jpe?g|gif|webp);base64,([a-z0-9+/=\s]+)", re.IGNORECASE)
# What an attribute that is no address, style or text may look like: a word, a number, a colour.
_WORD = re.compile(r"[#%.,\w -]{1,60}")
_TEXTS = frozenset({"alt", "title", "data-to"})

_PROPERTIES = frozenset(
    """
    background background-color border border-bottom border-collapse border-color border-left
    border-radius border-right border-spacing border-style border-top border-width color direction
    display font font-family font-size font-style font-weight height letter-spacing line-height
    list-style list-style-type margin margin-bottom margin-left margin-right margin-top max-height
    max-width min-height min-width opacity overflow overflow-wrap padding padding-bottom
    padding-left padding-right padding-top text-align text-decoration text-indent text-transform
    vertical-align visibility white-space width word-break word-wrap
    """.split()  # noqa: SIM905  # reads better
)
# Plain values and the functions of colours: no addresses, no escapes, nothing that is resolved.
_VALUE = re.compile(r"(?:[\w\s#.,%!'\"+/-]|(?:rgba?|hsla?)\([\d\s.,%/]*\))*", re.IGNORECASE)
_COLOUR = re.compile(r"style=\"[^\"]*color|style=\"[^\"]*background|bgcolor=|<font color=")
# As the cleaner writes them: each value in quotes, which none has inside.
_IMG = re.compile(r'<img((?: [a-z-]+="[^"]*")*)>')
_ATTRIBUTE = re.compile(r' ([a-z-]+)="([^"]*)"')
_OPEN_OR_END = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
# Elements that the next of their kind ends, or that have no end.
_FLAT = frozenset(
    """
    area base br col dd dt embed hr img input li link meta option p param source tbody td tfoot th
    thead tr track wbr
    """.split()  # noqa: SIM905  # reads better
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A mail's cleaned HTML; ``remote`` pictures of it are somewhere else, ``lines`` is a guess.

    ``pictures`` are those that stood in the text itself, as (name, media type, bytes); the HTML
    names them by ``cid:`` and their name.
    """

    html: str
    remote: int
    lines: int
    pictures: tuple[tuple[str, str, bytes], ...] = ()


def cleaned(html: str) -> Sheet | None:
    """The mail's HTML without all that is not on the list; None when it is too large or too deep.

    >>> cleaned('<p onclick=x>Hi <b>you</b><script>x</script>').html
    '<p>Hi <b>you</b></p>'
    """
    pictures: list[tuple[str, str, bytes]] = []
    html = _DATA.sub(lambda told: _taken_out(told, pictures), html)
    if len(html) > MOST_CHARS or html.count("&") > MOST_REFERENCES or _too_deep(html):
        return None
    first = _clean(html, _kept, but={"data-to"})
    if len(first) > MOST_KEPT_CHARS:
        return None
    marker = _Marker()
    marker.feed(first)
    marker.close()
    result = _clean(marker.result(), _kept)
    if len(result) > MOST_KEPT_CHARS or not (marker.words or marker.pictures):
        return None
    return Sheet(result, marker.remote, marker.lines, tuple(pictures))


def shown(
    html: str, pictures: Mapping[str, str], *, remote: Mapping[str, str] | None = None
) -> Markup:
    """Cleaned HTML with the addresses of its own pictures, and of ``remote`` ones, by their own.

    A picture that is not shown leaves the words that stand for it.
    """
    elsewhere = remote or {}

    def kept(tag: str, name: str, value: str) -> str | None:
        if tag != "img" or name != "src":
            return _kept(tag, name, value)
        if value[:4].lower() == "cid:":
            return pictures.get(value[4:])
        return elsewhere.get(value.strip())

    # Its own pictures stand at addresses of ours; what is kept has none.
    return Markup(_clean(html, kept, absolute=False))  # noqa: S704  # cleaned just now


def remote_pictures(html: str, *, most: int) -> list[str]:
    """The addresses of the first pictures of cleaned HTML that are elsewhere, each once.

    >>> remote_pictures('<p><img alt="<img src=x>" src="https://a.example/?b&amp;c"></p>', most=9)
    ['https://a.example/?b&c']
    """
    found: dict[str, None] = {}
    for picture in _IMG.finditer(html):
        attributes = dict(_ATTRIBUTE.findall(picture[1]))
        address = unescape(attributes.get("src", "")).strip()
        if address[:4].lower() == "http":
            found[address] = None
            if len(found) == most:
                break
    return list(found)


def has_colours(html: str) -> bool:
    """True when a mail brings colours of its own, which were meant for white paper."""
    return _COLOUR.search(html) is not None


def _clean(
    html: str,
    kept: Callable[[str, str, str], str | None],
    *,
    but: frozenset[str] | set[str] = frozenset(),
    absolute: bool = True,
) -> str:
    return nh3.clean(
        html,
        tags=set(_TAGS),
        clean_content_tags=set(_GONE),
        attributes={tag: names - but for tag, names in _ATTRIBUTES.items()},
        attribute_filter=kept,
        url_schemes={"http", "https", "mailto", "tel", "cid"},
        url_relative="deny" if absolute else "pass_through",
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        strip_comments=True,
    )


def _kept(tag: str, name: str, value: str) -> str | None:
    """An attribute as it may stay, None when it goes. Must never raise: the cleaner calls it."""
    if name == "style":
        return _style(value) or None
    if name == "href":
        return value if _LINKED.fullmatch(value.strip()) else None
    if name == "src":
        return value if tag == "img" and _PICTURED.fullmatch(value.strip()) else None
    if name in ("rel", "target"):
        return value
    if name in _TEXTS:
        return value[:300]
    return value if _WORD.fullmatch(value) else None


def _style(value: str) -> str:
    r"""The declarations of a style that only change how words look.

    >>> _style("color:red; background:url(https://a.example/x); position:fixed; width:10px")
    'color:red;width:10px'
    """
    found = []
    for one in value[:2000].split(";"):
        name, _, told = (part.strip() for part in one.partition(":"))
        if name.lower() in _PROPERTIES and told and _VALUE.fullmatch(told):
            found.append(f"{name.lower()}:{told}")
    return ";".join(found)


def _taken_out(told: re.Match[str], pictures: list[tuple[str, str, bytes]]) -> str:
    """The name of a picture that stands in the text itself; nothing for what is none."""
    try:
        content = base64.b64decode("".join(told[2].split()), validate=True)
    except (binascii.Error, ValueError):
        return ""
    kind = told[1].lower().replace("jpg", "jpeg")
    name = f"text-{len(pictures) + 1}.{kind}"
    pictures.append((name, f"image/{kind}", content))
    return f"cid:{name}"


def _too_deep(html: str) -> bool:
    """Whether elements seem to stand in each other too often; what never ends counts as open."""
    open_: Counter[str] = Counter()
    depth = 0
    for end, name in _OPEN_OR_END.findall(html):
        tag = name.lower()
        if tag in _FLAT:
            continue
        if not end:
            open_[tag] += 1
            depth += 1
            if depth > MOST_DEPTH:
                return True
        elif open_[tag]:
            open_[tag] -= 1
            depth -= 1
    return False


class _Marker(HTMLParser):
    """Writes beside each link where it leads, unless its words say so, and counts what is there.

    It reads what the cleaner wrote, and what it writes the cleaner reads again.
    """

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._written: list[str] = []
        self._link: tuple[int, str] | None = None
        self._said: list[str] = []
        self._chars = self._breaks = 0
        self.words = False
        self.pictures = self.remote = 0

    @property
    def lines(self) -> int:
        """About how many lines it takes."""
        return self._breaks + self._chars // _CHARS_A_LINE + self.pictures * _LINES_A_PICTURE

    def result(self) -> str:
        """What was written."""
        self._end_link()
        return "".join(self._written)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Copies a tag; of a link it remembers where it leads."""
        if tag in ("br", "p", "div", "tr", "li", "h1", "h2", "h3", "h4", "blockquote"):
            self._breaks += 1
        if tag == "img":
            source = next((value or "" for name, value in attrs if name == "src"), "")
            self.pictures += bool(source)
            self.remote += source[:4].lower() == "http"
        if tag == "a":
            self._end_link()
            place = _place_of(next((value or "" for name, value in attrs if name == "href"), ""))
            if place:
                attrs = [*attrs, ("data-to", place)]
                self._link = (len(self._written), place)
        told = "".join(f' {name}="{escape(value or "")}"' for name, value in attrs)
        self._written.append(f"<{tag}{told}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """As a start: the cleaner writes none of these."""
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """Copies an end."""
        if tag == "a":
            self._end_link()
        self._written.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        """Copies words."""
        self._chars += len(data)
        self.words = self.words or bool(data.strip())
        if self._link is not None:
            self._said.append(data)
        self._written.append(escape(data))

    def _end_link(self) -> None:
        if self._link is not None:
            at, place = self._link
            words = "".join(self._said).strip().lower().removesuffix("/")
            bare = re.sub(r"^(?:https?://|mailto:|tel:)", "", words)
            if bare.removeprefix("www.").partition("/")[0] == place.removeprefix("www."):
                self._written[at] = self._written[at].replace(f' data-to="{escape(place)}"', "")
        self._link = None
        self._said = []


def _place_of(address: str) -> str:
    """Where a link leads, as somebody should read it: a host as it is asked for, or an address.

    >>> _place_of("https://user@shop.example:8080/x"), _place_of("mailto:ana@a.example?subject=x")
    ('shop.example:8080', 'ana@a.example')
    """
    scheme, _, rest = address.partition(":")
    if scheme.lower() in ("mailto", "tel"):
        return rest.partition("?")[0].lower()[:100]
    try:
        told = urlsplit(address)
        host, port = told.hostname or "", told.port
        host = host.encode("idna").decode() if not host.isascii() else host
    except (ValueError, UnicodeError):
        return "?"
    return f"{host}:{port}" if port else host
