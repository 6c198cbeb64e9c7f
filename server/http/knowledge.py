"""Pages for those who write answers: all articles, one of them, what it once said."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any  # Any: values of a template
from urllib.parse import urlencode

import orjson
from aiohttp import web

from agent_ui.markdown import to_html
from server.actions import articles as article_actions
from server.actions.articles import LANGUAGES, WRITE
from server.actions.payload import parse
from server.domain.actors import Actor
from server.domain.errors import AppError, InvalidInput, NotFound
from server.domain.imported import MAX_ARTICLE_CHARS
from server.domain.periods import day_start_ms, zone
from server.domain.permissions import may
from server.domain.spans import DAY_MS
from server.domain.text import whole_number
from server.http.bodies import Form, field, json_response, read_form, read_json
from server.http.keys import DATABASE
from server.http.knowledge_import import add_knowledge_import
from server.http.sessions import require_person
from server.http.settings import SECRETS, submit
from server.http.views import done_of, locale_of, problem_of, render
from server.reports.knowledge import knowledge_report
from server.storage import article_lists, articles, people
from server.storage.article_lists import PAGE, Wanted
from server.storage.articles import Article, ArticleVersion
from server.storage.connection import Connection
from server.storage.shop import load_shop

READ = "article.read"
DONE = frozenset({"saved", "restored", "published", "archived", "draft", "phrasing"})
STATUSES = ("published", "draft", "archived")
KINDS = ("article", "reply")
AUDIENCES = ("public", "internal")
MAX_WORDS = 200
REPORT_DAYS = (7, 28, 90)


@dataclass(frozen=True, slots=True)
class Change:
    """A line of a comparison: kept, added or removed."""

    sign: str
    text: str


def add_knowledge(app: web.Application) -> None:
    """Serves the pages."""
    router = app.router
    router.add_get("/knowledge", show_articles)
    router.add_get("/knowledge/new", show_new)
    router.add_post("/knowledge/new", add_article)
    router.add_post("/knowledge/preview", preview)
    router.add_get("/knowledge/export", export)
    add_knowledge_import(router)
    router.add_get("/knowledge/report", show_report)
    router.add_get("/knowledge/{id}", show_article)
    router.add_post("/knowledge/{id}", save_article)
    router.add_post("/knowledge/{id}/status", save_status)
    router.add_get("/knowledge/{id}/versions", show_versions)
    router.add_post("/knowledge/{id}/versions", restore)
    router.add_post("/knowledge/{id}/phrasings/{phrasing_id}", save_phrasing)


async def show_articles(request: web.Request) -> web.Response:
    """A page of articles, by what the address asks for."""
    person = await require_person(request, READ)
    wanted, page = _wanted(request), _page(request)

    def read(connection: Connection) -> dict[str, Any]:  # Any: values of a template
        found, total = article_lists.listed(connection, wanted, page=page)
        texts = articles.texts_of(connection, [article.id for article in found])
        return {
            "articles": found,
            "total": total,
            "texts": _by_article(texts),
            "waiting": article_lists.waiting_phrasings(connection),
            "categories": article_lists.categories(connection),
        }

    shown = await request.app[DATABASE].read(read)
    return await render(
        request,
        "knowledge.html",
        nav="knowledge",
        **shown,
        wanted=wanted,
        statuses=STATUSES,
        kinds=KINDS,
        audiences=AUDIENCES,
        languages=LANGUAGES,
        page=page,
        pages=-(-shown["total"] // PAGE),
        address=lambda **changes: _address(request, **changes),
        may_write=may(person.actor, WRITE),
        may_report=may(person.actor, "report.read"),
        timezone=await _timezone(request),
        filtered=wanted != Wanted(),
        imported=_imported(request),
    )


async def show_new(request: web.Request, error: AppError | None = None) -> web.Response:
    """An empty article; a question from elsewhere may be its first phrasing."""
    await require_person(request, WRITE)
    return await _editor(request, None, error)


async def add_article(request: web.Request) -> web.Response:
    """Saves a new article."""
    return await _save(request, None, show_new)


async def show_article(request: web.Request, error: AppError | None = None) -> web.Response:
    """One article with what it says in each language; readers see it, writers change it."""
    await require_person(request, READ)
    return await _editor(request, await _found(request), error)


async def save_article(request: web.Request) -> web.Response:
    """Saves an article."""
    return await _save(request, request.match_info["id"], show_article)


async def save_status(request: web.Request) -> web.Response:
    """Publishes an article, takes it back, or puts it away."""

    async def save(actor: Actor, form: Form) -> str:
        payload = parse(
            article_actions.SetStatus,
            {"article_id": request.match_info["id"], "status": field(form, "status")},
        )
        await request.app[DATABASE].write(lambda tx: article_actions.set_status(tx, actor, payload))
        return f"/knowledge/{payload.article_id}?done={payload.status}"

    return await submit(request, WRITE, save, show_article)


async def show_versions(request: web.Request, error: AppError | None = None) -> web.Response:
    """What an article has said, and how one of its texts differs from what it says now."""
    await require_person(request, WRITE)
    article = await _found(request)

    def read(connection: Connection) -> tuple[list[ArticleVersion], dict[str, str], dict[str, Any]]:
        texts = _by_article(articles.texts_of(connection, [article.id]))
        return (
            articles.versions_of(connection, article.id),
            people.names(connection),
            texts.get(article.id, {}),
        )

    versions, names, texts = await request.app[DATABASE].read(read)
    locale, _, number = request.query.get("with", "").partition(".")
    old = next((v for v in versions if (v.locale, str(v.version)) == (locale, number)), None)
    now = texts.get(locale)
    changes = _changes(old, now.title if now else "", now.body if now else "") if old else []
    return await render(
        request,
        "knowledge_versions.html",
        status=error.status if error else 200,
        nav="knowledge",
        article=article,
        title=_title(texts),
        versions=versions,
        names=names,
        chosen=old,
        changes=changes,
        problem=await problem_of(request, error),
        timezone=await _timezone(request),
    )


async def restore(request: web.Request) -> web.Response:
    """Makes an older text the present one."""

    async def save(actor: Actor, form: Form) -> str:
        locale, _, number = field(form, "version").partition(".")
        version = whole_number(number)
        if version is None:
            raise NotFound("There is no such version.")
        payload = parse(
            article_actions.RestoreVersion,
            {
                "article_id": request.match_info["id"],
                "locale": locale,
                "version": version,
            },
        )
        await request.app[DATABASE].write(
            lambda tx: article_actions.restore_version(tx, actor, payload)
        )
        return f"/knowledge/{payload.article_id}?done=restored"

    return await submit(request, WRITE, save, show_versions)


async def save_phrasing(request: web.Request) -> web.Response:
    """Takes a learnt way to ask, or unlearns it."""

    async def save(actor: Actor, form: Form) -> str:
        payload = parse(
            article_actions.SetPhrasing,
            {"phrasing_id": request.match_info["phrasing_id"], "state": field(form, "state")},
        )
        answer = await request.app[DATABASE].write(
            lambda tx: article_actions.set_phrasing(tx, actor, payload)
        )
        return f"/knowledge/{answer['article_id']}?done=phrasing"

    return await submit(request, WRITE, save, show_article)


async def preview(request: web.Request) -> web.Response:
    """The HTML of a Markdown text, as the help centre would show it."""
    await require_person(request, WRITE)
    given = await read_json(request)
    text = given.get("text") if isinstance(given, dict) else None
    if not isinstance(text, str) or len(text) > MAX_ARTICLE_CHARS:
        raise InvalidInput("Send the text of an article.", field="text")
    return json_response({"html": str(to_html(text))})


async def show_report(request: web.Request) -> web.Response:
    """What is missing, what is used, by whom, in the latest days."""
    await require_person(request, "report.read")
    asked = request.query.get("days")
    days = int(asked) if asked in {str(choice) for choice in REPORT_DAYS} else REPORT_DAYS[1]
    database = request.app[DATABASE]
    to_ms = database.clock()
    locale = await locale_of(request)
    report = await database.read(
        lambda c: knowledge_report(c, from_ms=to_ms - days * DAY_MS, to_ms=to_ms, locale=locale)
    )
    return await render(
        request,
        "knowledge_report.html",
        nav="knowledge",
        report=report,
        days=days,
        choices=REPORT_DAYS,
        names=await database.read(people.names),
        timezone=await _timezone(request),
    )


async def export(request: web.Request) -> web.Response:
    """All articles that are not archived as JSONL, one language a line, as an import takes them."""
    await require_person(request, READ)

    def read(connection: Connection) -> list[bytes]:
        lines: list[bytes] = []
        page = 1
        while True:
            found, total = article_lists.listed(connection, Wanted(), page=page)
            ids = [article.id for article in found]
            texts = articles.texts_of(connection, ids)
            asked = articles.phrasings_of(connection, ids)
            for article in found:
                for (article_id, locale), text in sorted(texts.items()):
                    if article_id == article.id:
                        row = {
                            "source": article.source,
                            "id": article.external_id,
                            "kind": article.kind,
                            "status": article.status,
                            "title": text.title,
                            "body": text.body,
                            "locale": locale,
                            "audience": article.audience,
                            "category": article.category,
                            "phrasings": [
                                p.text
                                for p in asked.get((article_id, locale), ())
                                if p.state == "active"
                            ],
                            "shortcut": article.shortcut,
                            "valid_from": article.valid_from_ms,
                            "valid_to": article.valid_to_ms,
                        }
                        lines.append(orjson.dumps(row))
            if page * PAGE >= total:
                return lines
            page += 1

    body = b"".join(line + b"\n" for line in await request.app[DATABASE].read(read))
    return web.Response(
        body=body,
        content_type="application/x-ndjson",
        headers={"Content-Disposition": 'attachment; filename="articles.jsonl"'},
    )


async def _save(
    request: web.Request,
    article_id: str | None,
    show: Any,  # Any: a page
) -> web.Response:
    async def save(actor: Actor, form: Form) -> str:
        given = _decided(form, await _timezone(request))
        if article_id is None:
            new = parse(article_actions.NewArticle, given)
            answer = await request.app[DATABASE].write(
                lambda tx: article_actions.create_article(tx, actor, new)
            )
        else:
            known = whole_number(field(form, "version")) or 0
            given |= {"article_id": article_id, "version": known}
            changed = parse(article_actions.ChangeArticle, given)
            answer = await request.app[DATABASE].write(
                lambda tx: article_actions.change_article(tx, actor, changed)
            )
        return f"/knowledge/{answer['article_id']}?done=saved"

    return await submit(request, WRITE, save, show)


async def _editor(
    request: web.Request, article: Article | None, error: AppError | None
) -> web.Response:
    person = await require_person(request, READ)
    form: Form = await read_form(request) if error is not None else {}

    def read(connection: Connection) -> dict[str, Any]:  # Any: values of a template
        if article is None:
            return {"texts": {}, "phrasings": {}, "alike": [], "names": {}}
        texts = _by_article(articles.texts_of(connection, [article.id])).get(article.id, {})
        return {
            "texts": texts,
            "phrasings": {
                locale: found
                for (_, locale), found in articles.phrasings_of(connection, [article.id]).items()
            },
            "alike": article_actions.alike(
                connection, [(one.locale, one.title) for one in texts.values()], but=article.id
            ),
            "names": people.names(connection),
        }

    shown = await request.app[DATABASE].read(read)
    return await render(
        request,
        "knowledge_article.html",
        status=error.status if error else 200,
        nav="knowledge",
        article=article,
        title=_title(shown["texts"]),
        **shown,
        html={locale: to_html(text.body) for locale, text in shown["texts"].items()},
        languages=LANGUAGES,
        statuses=STATUSES,
        kinds=KINDS,
        audiences=AUDIENCES,
        problem=await problem_of(request, error),
        entered={name: values[0] for name, values in form.items() if name not in SECRETS},
        asked=request.query.get("ask", "")[:MAX_WORDS],
        done=done_of(request, DONE),
        may_write=may(person.actor, WRITE),
        timezone=await _timezone(request),
    )


def _decided(form: Form, timezone: str) -> dict[str, Any]:  # Any: JSON
    return {
        "kind": field(form, "kind"),
        "audience": field(form, "audience") or "public",
        "status": field(form, "status"),
        "category": field(form, "category") or None,
        "shortcut": field(form, "shortcut") or None,
        "valid_from_ms": _day_ms(field(form, "valid_from"), timezone, "valid_from", ends=False),
        "valid_to_ms": _day_ms(field(form, "valid_to"), timezone, "valid_to", ends=True),
        "texts": {
            locale: {
                "title": field(form, f"title_{locale}"),
                "body": field(form, f"body_{locale}"),
                "phrasings": tuple(field(form, f"phrasings_{locale}").splitlines()),
            }
            for locale in LANGUAGES
        },
    }


def _day_ms(text: str, timezone: str, name: str, *, ends: bool) -> int | None:
    """The beginning of a day in the shop's zone, or the beginning of the day after it."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
        return day_start_ms(day + timedelta(days=1) if ends else day, zone(timezone))
    except (ValueError, OverflowError):
        raise InvalidInput("This is not a date.", field=name) from None


def _changes(old: ArticleVersion, title: str, body: str) -> list[Change]:
    """The lines of an older text against those of the present one."""
    before = [old.title, "", *old.body.splitlines()]
    after = [title, "", *body.splitlines()]
    return [
        Change({"  ": "kept", "- ": "removed", "+ ": "added"}[line[:2]], line[2:])
        for line in difflib.ndiff(before, after)
        if line[:2] != "? "
    ]


def _wanted(request: web.Request) -> Wanted:
    def one_of(name: str, known: tuple[str, ...]) -> str | None:
        value = request.query.get(name)
        return value if value in known else None

    return Wanted(
        words=request.query.get("q", "").strip()[:MAX_WORDS] or None,
        kind=one_of("kind", KINDS),
        status=one_of("status", STATUSES),
        audience=one_of("audience", AUDIENCES),
        category=request.query.get("category", "")[:MAX_WORDS] or None,
        missing=one_of("missing", LANGUAGES),
        waiting=request.query.get("waiting") == "1",
    )


def _imported(request: web.Request) -> int | None:
    """How many articles an import has just brought, None when there was none."""
    return whole_number(request.query.get("imported", ""))


def _page(request: web.Request) -> int:
    return whole_number(request.query.get("page", ""), digits=5) or 1


def _address(request: web.Request, **changes: str | int | None) -> str:
    asked = {
        k: v for k, v in request.query.items() if k not in ("lang", "theme", "page", "imported")
    }
    asked |= {name: "" if value is None else str(value) for name, value in changes.items()}
    pairs = [(name, value) for name, value in asked.items() if value]
    return f"/knowledge?{urlencode(pairs)}" if pairs else "/knowledge"


def _by_article(texts: dict[tuple[str, str], Any]) -> dict[str, dict[str, Any]]:  # Any: texts
    found: dict[str, dict[str, Any]] = {}  # Any: texts
    for (article_id, locale), text in sorted(texts.items()):
        found.setdefault(article_id, {})[locale] = text
    return found


def _title(texts: dict[str, Any]) -> dict[str, str]:  # Any: texts
    return {locale: text.title for locale, text in texts.items()}


async def _found(request: web.Request) -> Article:
    article_id = request.match_info["id"]
    article = await request.app[DATABASE].read(lambda c: articles.load_article(c, article_id))
    if article is None:
        raise NotFound("There is no such article.")
    return article


async def _timezone(request: web.Request) -> str:
    shop = await request.app[DATABASE].read(load_shop)
    return shop.timezone if shop else "UTC"
