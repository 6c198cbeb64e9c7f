"""Mails as they were sent: whatever somebody writes into one, nothing of it runs or calls out."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from html.parser import HTMLParser

import pytest
from playwright.sync_api import Browser, Route

from agent_ui.mail_html import cleaned, has_colours, remote_pictures, shown
from server.channels.mail.read import read_letter
from tests.channels.mail.awkward import PNG, file, part, parts

# Ways to get something past a cleaner that reads HTML otherwise than a browser does.
ATTACKS = (
    "<script>x()</script>",
    "<scr<script>ipt>x()</scr</script>ipt>",
    "<img src=x onerror=x()>",
    "<img src='cid:a' onload=x()>",
    "<svg onload=x()><a href='javascript:x()'>a</a></svg>",
    "<svg><style><img src=x onerror=x()></style></svg>",
    "<math><mi><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=x()&gt;'>",
    "<math><mtext><table><mglyph><style><math><img src onerror=x()>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=x()>",
    "<noscript><p title='</noscript><img src=x onerror=x()>'>",
    "<p id='</p><img src=x onerror=x()>'>",
    "<a title='</a><script>x()</script>'>a</a>",
    "<img alt='`><img src=x onerror=x()>'>",
    "<textarea></p><img title='</textarea><img src=x onerror=x()>'></textarea>",
    "<xmp></xmp><img src=x onerror=x()><xmp>",
    "<title><a title='</title><img src=x onerror=x()>'></title>",
    "<select><iframe></select><img src=x onerror=x()>",
    "<template><script>x()</script></template>",
    "<!--[if mso]><script>x()</script><![endif]-->",
    "<!--><img src=x onerror=x()>-->",
    "<?xml version='1.0'?><x:script xmlns:x='http://www.w3.org/1999/xhtml'>x()</x:script>",
    "<![CDATA[<img src=x onerror=x()>]]>",
    "<a href='javascript:x()'>a</a>",
    "<a href='java\tscript:x()'>a</a>",
    "<a href='&#106;avascript&colon;x()'>a</a>",
    "<a href=' \x01javascript:x()'>a</a>",
    "<a href='vbscript:x()'>a</a>",
    "<a href='data:text/html,<script>x()</script>'>a</a>",
    "<a href='//evil.example'>a</a>",
    "<a href='/sign-out'>a</a>",
    "<a href='https:evil'>a</a>",
    "<a href='blob:https://evil.example/1'>a</a>",
    "<a href='file:///etc/passwd'>a</a>",
    "<a href='cid:a'>a</a>",
    "<a href='#x' name='x' id='location' target='_top'>a</a>",
    "<base href='https://evil.example/'><a href='x'>a</a>",
    "<base target='_top'>",
    "<meta http-equiv='refresh' content='0;url=https://evil.example'>",
    "<meta http-equiv='Content-Security-Policy' content=\"script-src *\">",
    "<link rel='stylesheet' href='https://evil.example/x.css'>",
    "<link rel='dns-prefetch' href='https://evil.example'>",
    "<style>@import 'https://evil.example/x.css';</style>",
    "<p style='background:url(https://evil.example/x)'>a</p>",
    "<p style='background-image:url(https://evil.example/x)'>a</p>",
    "<p style=\"background:u\\72l('https://evil.example/x')\">a</p>",
    "<p style='background:/**/url(x)'>a</p>",
    "<p style='list-style:url(x)'>a</p>",
    "<p style='color:red;width:expression(x())'>a</p>",
    "<p style='-moz-binding:url(x)'>a</p>",
    "<p style='behavior:url(x)'>a</p>",
    "<p style='position:fixed;inset:0;z-index:9'>a</p>",
    "<p style='background:image-set(\"https://evil.example/x\" 1x)'>a</p>",
    "<p style='color:var(--x);background:element(#x)'>a</p>",
    "<p style='color:red}</style><script>x()</script>'>a</p>",
    "<table background='https://evil.example/x'><td background='x'>a</td></table>",
    "<img srcset='https://evil.example/x 1x' src='cid:a'>",
    "<img lowsrc='https://evil.example/x' dynsrc='x'>",
    "<picture><source srcset='https://evil.example/x'><img src='cid:a'></picture>",
    "<video src='https://evil.example/x' poster='x' autoplay></video><audio src=x></audio>",
    "<object data='https://evil.example/x'><embed src='x'></object><applet code=x></applet>",
    "<iframe src='https://evil.example'></iframe><iframe srcdoc='<script>x()</script>'></iframe>",
    "<frameset><frame src='https://evil.example'></frameset>",
    "<form action='https://evil.example'><input name=a autofocus onfocus=x()><button>b</button>",
    "<button formaction='javascript:x()'>b</button>",
    "<details ontoggle=x() open>a</details><marquee onstart=x()>a</marquee>",
    "<body onload=x() background='https://evil.example/x'>a",
    "<input type=image src='https://evil.example/x'>",
    "<a ping='https://evil.example' href='https://shop.example' attributionsrc='x'>a</a>",
    "<blockquote cite='https://evil.example'>a</blockquote><q cite='javascript:x()'>a</q>",
    "<div is='x-y' slot='x' contenteditable autofocus tabindex=1 accesskey=x>a</div>",
    "<img src='data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9eCgpPg=='>",
    "<img src='data:text/html;base64,PHNjcmlwdD4='>",
    "<a href='https://shop.example' data-to='shop.example' style='display:none'>a</a>",
)
ALLOWED = re.compile(r"https?://|mailto:|tel:")
KNOWN = frozenset(
    """
    align alt bgcolor border cellpadding cellspacing color colspan data-to dir face height
    href lang nowrap rel rowspan size span src start style target title type valign value
    width
    """.split()  # noqa: SIM905  # reads better
)


class Reader(HTMLParser):
    """What a reader finds in HTML: elements, attributes, addresses and styles."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)


def checked(html: str, *, remote: bool = True) -> Reader:
    """What is found in cleaned HTML. Fails for anything that could run, call out or mislead."""
    found = Reader(html)
    for tag in ("script", "style", "form", "input", "button", "object", "embed", "iframe", "svg"):
        assert tag not in found.tags
    for tag in ("math", "base", "meta", "link", "template", "noscript", "video", "select", "body"):
        assert tag not in found.tags
    for tag, name, value in found.attributes:
        assert name in KNOWN, (tag, name)
        if name == "href":
            assert ALLOWED.match(value), value
        if name == "src":
            assert value.startswith(("cid:", "/files/")) or (remote and ALLOWED.match(value)), value
        if name == "style":
            assert not re.search(r"url|expression|image-set|var|element|position|[\\@<]", value)
        if tag == "a" and name == "rel":
            assert value == "noopener noreferrer nofollow"
        if tag == "a" and name == "target":
            assert value == "_blank"
    return found


@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
def test_nothing_of_an_attack_is_left(attack: str) -> None:
    for html in (attack, f"<p>Hello</p>{attack}<p>Bye", f"<table><tr><td>{attack}", f"<b>{attack}"):
        sheet = cleaned(html)
        if sheet is None:
            continue
        checked(sheet.html)
        text = str(shown(sheet.html, {"a": "/files/1/content?k=x"}))
        checked(text, remote=False)
        # A browser that parses it once more finds the same: nothing changes its meaning.
        again = cleaned(sheet.html)
        assert again is not None
        assert checked(again.html).tags == checked(sheet.html).tags
        assert "x()" not in re.sub(r'"[^"]*"|>[^<]*<', "><", f">{sheet.html}<")


def test_a_browser_runs_nothing_of_them_even_without_the_frame(browser: Browser) -> None:
    def asked(html: str) -> list[str]:
        """What a page of this asks for and calls."""
        page, found = browser.new_page(), list[str]()

        def answer(route: Route) -> None:
            if route.request.url == "https://mail.example/":
                route.fulfill(body=html, content_type="text/html")
            else:
                found.append(route.request.url)
                route.abort()

        page.expose_function("x", lambda: found.append("ran"))
        page.route("**/*", answer)
        page.goto("https://mail.example/")
        page.evaluate("() => new Promise((done) => requestAnimationFrame(done))")
        page.close()
        return found

    sheets = [cleaned(f"<p>a</p>{attack}") for attack in ATTACKS]
    texts = [str(shown(sheet.html, {})) for sheet in sheets if sheet is not None]
    assert len(texts) == len(ATTACKS)
    assert asked("<!doctype html><meta charset=utf-8>" + "".join(texts)) == []
    # The same without the cleaner would have been seen.
    seen = asked("<!doctype html><script>x()</script>" + "".join(ATTACKS[2:5]))
    assert {"ran", "https://mail.example/x"} <= set(seen)


def test_where_a_link_leads_is_said_unless_its_words_say_so() -> None:
    sheet = cleaned(
        '<a href="https://evil.example/x">https://mori.example</a>'
        '<a href="https://mori.example/order/1">mori.example/order/1</a>'
        '<a href="https://www.mori.example/">https://mori.example/</a>'
        '<a href="mailto:ana@buyer.example">ana@buyer.example</a>'
        '<a href="https://mori.example@evil.example/">Mori</a>'
        '<a href="https://аpple.example/">Apple</a>'
        '<a href="tel:+1555" data-to="mori.example">ring</a>'
    )
    assert sheet is not None
    told = [value for _, name, value in Reader(sheet.html).attributes if name == "data-to"]
    assert told == ["evil.example", "evil.example", "xn--pple-43d.example", "+1555"]


def test_pictures_of_the_mail_are_shown_and_others_only_when_asked_for() -> None:
    sheet = cleaned(
        '<img src="cid:lamp@buyer"><img src="CID:gone"><img src="https://track.example/1.gif">'
        '<img src="http://track.example/2.gif" alt="two">'
    )
    assert sheet is not None
    assert sheet.remote == 2

    def sources(remote: Mapping[str, str]) -> list[str]:
        html = shown(sheet.html, {"lamp@buyer": "/files/1/content?k=2"}, remote=remote)
        return [value for _, name, value in Reader(str(html)).attributes if name == "src"]

    assert sources({}) == ["/files/1/content?k=2"]
    found = remote_pictures(sheet.html, most=9)
    assert found == ["https://track.example/1.gif", "http://track.example/2.gif"]
    # By the addresses that they have here, never by their own.
    assert sources({found[1]: "/mails/1/pictures/2?k=3"}) == [
        "/files/1/content?k=2",
        "/mails/1/pictures/2?k=3",
    ]


def test_each_picture_elsewhere_is_named_once_and_only_so_many() -> None:
    sheet = cleaned(
        '<img alt=" src=" src="http://a.example/1?x=1&amp;y=2"><img src="https://a.example/2">'
        '<img title="<img src=https://b.example/>" src=" https://a.example/2 ">'
        '<a href="https://c.example/x.png">c</a><img src="https://a.example/3">'
    )
    assert sheet is not None
    first = ["http://a.example/1?x=1&y=2", "https://a.example/2"]
    assert remote_pictures(sheet.html, most=9) == [*first, "https://a.example/3"]
    assert remote_pictures(sheet.html, most=2) == first


def test_colours_of_its_own_are_for_white_paper() -> None:
    plain, coloured = cleaned("<p>A color</p>"), cleaned('<p style="color:#111">A</p>')
    assert plain is not None
    assert coloured is not None
    assert (has_colours(plain.html), has_colours(coloured.html)) == (False, True)


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 20_000 + "x",
        "<div></q>" * 20_000 + "x",
        "<b><i><a href=x>" * 5_000 + "x",
        "<table><tr><td>" * 2_000 + "x",
        "<!--" * 100_000,
        "<a " + "x=y " * 200_000 + ">x",
        "<p style='" + "color:red;" * 100_000 + "'>x",
        "<p>" + "&amp" * 300_000,
        "x" * 9_000_000,
        "<img src='cid:a'>" * 20_000,
        "<table>" + "<tr><td>a</td></tr>" * 10_000 + "</table>",
        "<table>" * 400 + "<td>x</td>" * 9_600,
    ],
    ids=range(12),
)
def test_what_would_take_long_is_left_to_its_words(html: str) -> None:
    began = time.process_time()
    sheet = cleaned(html)
    if sheet is not None:
        checked(sheet.html)
    # The process that reads a mail may take five seconds for all of it.
    assert time.process_time() - began < 4


def test_a_mail_is_read_with_how_it_looks() -> None:
    letter = read_letter(
        parts(
            part("<p>See <img src='cid:a'><img src='cid:a'><img src='cid:cid:a'></p>", "text/html"),
            part("<img src='data:image/png;base64," + "aGk=" + "'>", "text/html"),
            file(PNG, "image/png", Content_ID="<a>"),
        )
    )
    assert letter.sheet is not None
    assert letter.sheet.remote == 0
    assert [(one.name, one.content_id) for one in letter.files] == [
        ("file-1.png", "a"),
        ("text-1.png", "text-1.png"),
    ]
    assert 'src="cid:text-1.png"' in letter.sheet.html
    assert read_letter(parts(part("Only words"))).sheet is None


def test_many_pictures_inside_are_limited_and_their_words_stay() -> None:
    inside = "".join(f"<img src='data:image/png;base64,aGk{n % 10}'>" for n in range(100))
    letter = read_letter(parts(part(f"<p>Words</p>{inside}", "text/html")))
    assert letter.words.startswith("Words")
    assert len(letter.files) == 20
