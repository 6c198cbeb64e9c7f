"""Bringing in articles: files are uploaded, looked at, then taken."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import Any  # Any: values of a template

from aiohttp import web

from agent_ui.markdown import to_text
from server.actions import article_uploads
from server.actions.article_uploads import WRITE, Looked
from server.domain.actors import Actor
from server.domain.errors import AppError, InvalidInput
from server.domain.periods import zone
from server.http.bodies import UPLOAD_BYTES, Form, field, read_files
from server.http.keys import DATABASE, READ_ARTICLES
from server.http.sessions import require_person
from server.http.settings import submit
from server.http.views import locale_of, problem_of, render
from server.storage.shop import load_shop

# A page that shows more is no preview any more; all of them come in.
SHOWN = 200
NEW_STATUSES = ("published", "draft")
SUMMARY_CHARS = 120


def add_knowledge_import(router: web.UrlDispatcher) -> None:
    """Serves the pages."""
    router.add_get("/knowledge/import", show_import)
    router.add_post("/knowledge/import", upload)
    router.add_get("/knowledge/import/{upload}", show_upload)
    router.add_post("/knowledge/import/{upload}", decide)


async def show_import(request: web.Request, error: AppError | None = None) -> web.Response:
    """Where files are chosen."""
    await require_person(request, WRITE)
    problem = await problem_of(request, error)
    if problem is not None and error is not None and " / " in error.message:
        problem |= {"text": _said(error.message, await locale_of(request))}
    return await render(
        request,
        "knowledge_import.html",
        status=error.status if error else 200,
        nav="knowledge",
        looked=None,
        problem=problem,
        statuses=NEW_STATUSES,
        most_mb=UPLOAD_BYTES // 1024**2,
    )


async def upload(request: web.Request) -> web.Response:
    """Reads files and shows what would come of them; nothing is written."""

    async def save(actor: Actor, form: Form) -> str:
        files = [(name, content) for name, content in await read_files(request) if content]
        if not files:
            raise InvalidInput("Choose a file.", field="files")
        status = field(form, "status") or NEW_STATUSES[0]
        if status not in NEW_STATUSES:
            raise InvalidInput("There is no such status.", field="status")
        database = request.app[DATABASE]
        shop = await database.read(load_shop)
        tz = zone(shop.timezone if shop else "UTC")
        reading = await asyncio.to_thread(request.app[READ_ARTICLES], files, tz)
        names = ", ".join(name for name, _ in files[:5]) + (" …" if len(files) > 5 else "")
        upload_id = await database.write(
            lambda tx: article_uploads.keep_upload(tx, actor, reading, files=names, status=status)
        )
        return f"/knowledge/import/{upload_id}"

    return await submit(request, WRITE, save, show_import)


async def show_upload(request: web.Request, error: AppError | None = None) -> web.Response:
    """What would come of an upload."""
    person = await require_person(request, WRITE)
    upload_id = request.match_info["upload"]
    looked = await request.app[DATABASE].read(
        lambda c: article_uploads.look_at_upload(c, person.actor, upload_id)
    )
    return await render(
        request,
        "knowledge_import.html",
        status=error.status if error else 200,
        nav="knowledge",
        problem=await problem_of(request, error),
        **_shown(looked, await locale_of(request)),
    )


async def decide(request: web.Request) -> web.Response:
    """Takes what was uploaded, or drops it."""

    async def save(actor: Actor, form: Form) -> str:
        database = request.app[DATABASE]
        upload_id = request.match_info["upload"]
        if field(form, "do") == "drop":
            await database.write(lambda tx: article_uploads.drop_upload(tx, actor, upload_id))
            return "/knowledge/import"
        brought = 0
        start: int | None = 0
        while start is not None:
            # Some at a time, so that whoever chats gets in between.
            taken, start = await database.write(
                partial(article_uploads.take_upload, actor=actor, upload_id=upload_id, start=start)
            )
            brought += taken
        return f"/knowledge?imported={brought}"

    return await submit(request, WRITE, save, show_upload)


def _shown(looked: Looked, locale: str) -> dict[str, Any]:  # Any: values of a template
    """An upload as the page shows it: what changes first."""
    ranks = {"new": 0, "changed": 1, "known": 2}
    rows = sorted(looked.rows, key=lambda pair: ranks[pair[1]])
    return {
        "looked": looked,
        "counts": Counter(plan for _, plan in looked.rows),
        "rows": [
            {"row": row, "plan": plan, "summary": to_text(row.body[:1000], limit=SUMMARY_CHARS)}
            for row, plan in rows[:SHOWN]
        ],
        "more": max(0, len(rows) - SHOWN),
        "rejected": [
            {"where": one.where or one.line, "reason": _said(one.reason, locale)}
            for one in looked.rejected
        ],
        "notes": [_said(note, locale) for note in looked.notes],
    }


def _said(both: str, locale: str) -> str:
    """The half of a sentence in both languages that a reader understands."""
    english, _, chinese = both.rpartition(" / ")
    return chinese if locale == "zh" or not english else english
