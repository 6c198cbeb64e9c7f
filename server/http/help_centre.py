"""The public help centre: pages for customers, readable without scripts and by search engines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any  # Any: values of a template
from xml.sax.saxutils import escape

from aiohttp import web

from agent_ui.markdown import to_html, to_text
from agent_ui.render import LANGUAGES, LOCALES, Locale
from server.domain.errors import NotFound
from server.domain.help_pages import article_path
from server.http.client import own_origin
from server.http.keys import DATABASE, KNOWLEDGE
from server.http.views import locale_of, render
from server.storage.article_lists import public_shelf
from server.storage.articles import Article, ArticleText
from server.storage.shop import load_shop

MAX_WORDS = 200
SUMMARY_CHARS = 160
FOUND = 8
LIKELY = 0.1
# Pictures of articles come from wherever the shop keeps them.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:;"
    " connect-src 'self'; font-src 'self'; frame-ancestors 'none'; base-uri 'none';"
    " form-action 'self'"
)


@dataclass(frozen=True, slots=True)
class Shown:
    """An article in the language of the page, or in the one that it is written in."""

    article: Article
    text: ArticleText
    address: str
    summary: str

    @property
    def lang(self) -> str:
        """The language tag of what it says."""
        return LANGUAGES[_locale(self.text.locale)]


def add_help_centre(app: web.Application) -> None:
    """Serves the pages."""
    app.router.add_get("/help", show_shelves)
    app.router.add_get("/help/sitemap.xml", show_sitemap)
    app.router.add_get("/help/{id}/{name}", show_one)
    app.router.add_get("/help/{id}", show_one)


async def show_shelves(request: web.Request) -> web.Response:
    """All articles by category, or those that answer ``q``."""
    locale = await locale_of(request)
    shelf = await _shelf(request, locale)
    words = request.query.get("q", "").strip()[:MAX_WORDS]
    found: list[Shown] | None = None
    if words:
        answer = await request.app[KNOWLEDGE].suggest(
            words, locale=locale, public_only=True, limit=FOUND
        )
        ranked = answer.suggestions.items if answer.suggestions else ()
        # The engine names what is nearest, however far: with no word in common it must be likely.
        near = [it for it in ranked if it.why["words"] > 0 or it.score >= LIKELY]
        found = [shelf[item.article_id] for item in near if item.article_id in shelf]
    categories: dict[str, list[Shown]] = {}
    for shown in shelf.values():
        categories.setdefault(shown.article.category or "", []).append(shown)
    # What has no category stands at the end.
    ordered = sorted(categories.items(), key=lambda pair: (not pair[0], pair[0]))
    return await _page(request, "help.html", words=words, found=found, categories=ordered)


async def show_one(request: web.Request) -> web.Response:
    """One article. Raises NotFound for what customers may not read."""
    locale = await locale_of(request)
    shelf = await _shelf(request, locale)
    shown = shelf.get(request.match_info["id"])
    if shown is None:
        raise NotFound("There is no such article.")
    if request.rel_url.raw_path != shown.address:
        query = f"?{request.query_string}" if request.query_string else ""
        raise web.HTTPMovedPermanently(shown.address + query)
    others = [
        other
        for other in shelf.values()
        if other.article.category == shown.article.category and other is not shown
    ]
    return await _page(
        request,
        "help_article.html",
        shown=shown,
        html=to_html(shown.text.body),
        others=others[:6],
    )


async def show_sitemap(request: web.Request) -> web.Response:
    """The addresses of all public articles in each of their languages."""
    origin = own_origin(request)
    rows = await request.app[DATABASE].read(
        lambda c: public_shelf(c, at_ms=request.app[DATABASE].clock())
    )
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    lines.append('<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">')
    for article, text in rows:
        address = f"{origin}{article_path(article.id, text.title)}?lang={_locale(text.locale)}"
        day = datetime.fromtimestamp(text.updated_at_ms / 1000, UTC).date().isoformat()
        lines.append(f"<url><loc>{escape(address)}</loc><lastmod>{day}</lastmod></url>")
    lines.append("</urlset>")
    return web.Response(text="\n".join(lines), content_type="application/xml")


async def _page(
    request: web.Request,
    template: str,
    **context: Any,  # Any: values of a template
) -> web.Response:
    shop = await request.app[DATABASE].read(load_shop)
    if shop is None:
        raise NotFound("There is no shop yet.")
    response = await render(
        request,
        template,
        shop=shop,
        origin=own_origin(request),
        path=request.rel_url.raw_path,
        locales=LOCALES,
        languages=LANGUAGES,
        **context,
    )
    response.headers["Content-Security-Policy"] = POLICY
    return response


async def _shelf(request: web.Request, locale: Locale) -> dict[str, Shown]:
    """The public articles by id, each in the language of the page where it speaks it."""
    at_ms = request.app[DATABASE].clock()
    rows = await request.app[DATABASE].read(lambda c: public_shelf(c, at_ms=at_ms))
    best: dict[str, Shown] = {}
    for article, text in rows:
        if article.id not in best or _locale(text.locale) == locale:
            summary = to_text(text.body[: SUMMARY_CHARS * 8], limit=SUMMARY_CHARS)
            best[article.id] = Shown(article, text, article_path(article.id, text.title), summary)
    return best


def _locale(name: str) -> Locale:
    return "zh" if name.lower().startswith("zh") else "en"
