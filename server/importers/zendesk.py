"""Zendesk's API records as ours: users, tickets with comments, ratings, Help Center articles.

Written after its public API reference (https://developer.zendesk.com/api-reference/).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from server.domain.html import to_markdown
from server.domain.imported import (
    MAX_ARTICLE_CHARS,
    MAX_TITLE_CHARS,
    ArticleRow,
    CustomerRow,
    both,
)
from server.importers.canonical import (
    Colleague,
    Context,
    Desk,
    Parts,
    Record,
    Skipped,
    Talk,
    attached,
)
from server.importers.thread import BOT, CUSTOMER, MACHINE, Author, Thread
from server.importers.transcript import Line, lines_of
from server.importers.values import (
    Json,
    email_of,
    id_of,
    iso_ms,
    language_of,
    line_of,
    number_of,
    object_of,
    seconds_ms,
    tags_of,
    text_of,
)

# The lists of pages, and the one object of an answer about one.
KINDS = {
    "tickets": "ticket",
    "ticket": "ticket",
    "users": "user",
    "user": "user",
    "comments": "comment",
    "comment": "comment",
    "audits": "audit",
    "audit": "audit",
    "ticket_events": "event",
    "groups": "group",
    "group": "group",
    "satisfaction_ratings": "rating",
    "satisfaction_rating": "rating",
    "ticket_metrics": "metric",
    "ticket_metric": "metric",
    "articles": "article",
    "article": "article",
    "translations": "translation",
    "translation": "translation",
    "sections": "section",
    "section": "section",
}
# Lists that may come along and bring nothing that is kept.
IGNORED = frozenset(
    {
        "organizations",
        "brands",
        "categories",
        "deleted_tickets",
        "identities",
        "ticket_forms",
        "metric_sets",
        "ticket_metric_events",
        "permission_groups",
        "user_segments",
    }
)
_STAFF = frozenset({"agent", "admin"})
_STATUSES = {
    "new": "open",
    "open": "open",
    "pending": "open",
    "hold": "open",
    "solved": "resolved",
    "closed": "closed",
}
_CHANNELS = {
    "chat": "chat",
    "native_messaging": "chat",
    "messaging": "chat",
    "web_widget": "web",
    "email": "email",
    "web": "web",
    "voice": "phone",
    "phone": "phone",
    "api": "api",
}
# What wrote a comment when no person did.
_MACHINES = frozenset({"rule", "system", "answer_bot", "answer_bot_for_agents", "trigger"})
_BOTS = frozenset({"answer_bot", "answer_bot_for_agents"})
_SCORES = {"good": 5, "good_with_comment": 5, "bad": 1, "bad_with_comment": 1}
_TICKET_IN_NAME = re.compile(
    r"(?:tickets?|audits|comments)[/_-](\d+)|(?:^|/)(\d+)[/_-](?:comments|audits)"
)


def records(container: str, value: Json, where: str) -> Iterator[Record]:
    """The records in one object of an export, told apart by the list they were in or their keys."""
    kind = KINDS.get(container) or _kind(value)
    key = id_of(value.get("id"))
    if container in IGNORED:
        yield Record("ignored", container, {})
    elif kind in ("comment", "audit", "event", "rating", "metric"):
        ticket = id_of(value.get("ticket_id"))
        if ticket is None and kind in ("comment", "audit"):
            ticket = _ticket_of(where)
        yield Record(kind if ticket else "unknown", ticket or container, value)
    elif kind == "translation":
        article = id_of(value.get("source_id"))
        mine = str(value.get("source_type", "article")).lower() == "article"
        yield Record(kind if article and mine else "ignored", article or container, value)
    elif key is None:
        yield Record("unknown", container, {})
    elif kind == "ticket":
        yield Record("ticket", key, value)
        yield from _inside(value)
        group = value.get("group")
        if isinstance(group, dict) and (group_id := id_of(group.get("id"))):
            yield Record("group", group_id, group)
    elif kind == "user":
        yield from _user(value)
    else:
        yield Record(kind or "unknown", key, value)


def account(record: Record) -> str | None:
    """The subdomain in the address that a record says it has."""
    url = record.value.get("url")
    host = urlsplit(url).hostname if isinstance(url, str) and url.startswith("https://") else None
    return host.partition(".")[0] if host and "." in host else None


def note(record: Record, context: Context) -> None:
    """Keeps colleagues, groups and sections."""
    name = line_of(record.value.get("name"), 200)
    if record.kind == "colleague":
        address = email_of(record.value.get("email")) or ""
        context.colleagues[record.key] = Colleague(address, name or address)
    elif record.kind == "contact":
        context.others.add(record.key)
    elif record.kind == "group" and name:
        context.groups[record.key] = name
    elif record.kind == "section" and name:
        context.sections[record.key] = name


def contact(parts: Parts, context: Context) -> CustomerRow | Skipped:
    """The customer of a user's records; the fullest of them counts."""
    value = max(parts.of("contact"), key=len)
    created = iso_ms(value.get("created_at"))
    return CustomerRow(
        line=0,
        # Only the shop's own server and people set it, unlike an address that anybody may type.
        external_id=id_of(value.get("external_id")),
        origin=f"{context.account}:user:{parts.key}",
        name=line_of(value.get("name"), 200),
        email=email_of(value.get("email")),
        phone=line_of(value.get("phone"), 40),
        locale=language_of(value.get("locale")),
        created_at_ms=created,
        seen_at_ms=iso_ms(value.get("last_login_at")) or created,
    )


def talk(parts: Parts, context: Context) -> Talk | Skipped:
    """The conversation of a ticket: comments in order, status, assignee, tags, rating."""
    name = f"{context.account}:ticket:{parts.key}"
    found = parts.of("ticket")
    if not found:
        reason = both("Its comments are there, the ticket is not.", "有评论，但缺少工单记录。")
        return Skipped(name, reason, rejected=True)
    value = max(found, key=lambda one: iso_ms(one.get("updated_at")) or 0)
    if value.get("status") == "deleted":
        return Skipped(name, both("It was deleted there.", "在原系统中已删除。"))
    requester = id_of(value.get("requester_id")) or id_of(object_of(value, "requester").get("id"))
    if requester is None:
        return Skipped(name, both("It names no requester.", "没有提出人。"), rejected=True)
    comments = _comments(parts, found)
    if not comments:
        return Skipped(name, both("It has no comments in this export.", "导出文件里没有它的评论。"))
    mapping = _Mapping(Thread(name), context, value, requester, _names(found, requester))
    changes = _changes(parts)
    # A reply that also solves the ticket stands before the change that it makes.
    entries: list[tuple[int, int, Json | _Change]] = [(at, 0, comment) for at, comment in comments]
    entries += [(at, 1, change) for at, change in changes]
    for at_ms, _, what in sorted(entries, key=lambda entry: entry[:2]):
        if isinstance(what, _Change):
            mapping.change(what, at_ms)
        else:
            mapping.comment(what, at_ms)
    mapping.end(parts)
    origin = f"{context.account}:user:{requester}"
    return Talk(
        name,
        CustomerRow(line=0, origin=origin),
        mapping.thread.finished(
            origin,
            channel=_channel(value),
            at_ms=iso_ms(value.get("created_at")),
            initiator=mapping.thread.initiator or "customer",
        ),
        mapping.thread.messages,
    )


def articles(parts: Parts, context: Context) -> list[ArticleRow | Skipped]:
    """The article and its translations; the body's HTML becomes Markdown."""
    name = f"{context.account}:article:{parts.key}"
    found = parts.of("article")
    if not found:
        reason = both("Its translation is there, the article is not.", "有译文，但缺少文章。")
        return [Skipped(name, reason, rejected=True)]
    value = found[-1]
    texts = {language_of(text.get("locale")): text for text in [*found, *parts.of("translation")]}
    return [_article(name, value, text, parts.key, context) for text in texts.values()]


def _article(
    name: str, value: Json, text: Json, key: str, context: Context
) -> ArticleRow | Skipped:
    title = line_of(text.get("title"), MAX_TITLE_CHARS)
    body = text_of(to_markdown(text_of(text.get("body"))))
    if title is None or not body:
        reason = both("It has no title or no text.", "没有标题或正文。")
        return Skipped(name, reason, rejected=True)
    if len(body) > MAX_ARTICLE_CHARS:
        return Skipped(name, both("It is too long.", "内容过长。"), rejected=True)
    section = id_of(value.get("section_id"))
    return ArticleRow(
        line=0,
        source=context.account,
        external_id=key,
        locale=language_of(text.get("locale")) or context.language,
        title=title,
        body=body,
        # What only some may read there is for colleagues here, until somebody says otherwise.
        audience="public" if value.get("user_segment_id") is None else "internal",
        status="draft" if value.get("draft") is True else "published",
        category=context.sections.get(section or ""),
        created_at_ms=iso_ms(value.get("created_at")),
        updated_at_ms=iso_ms(text.get("updated_at")),
    )


def _kind(value: Json) -> str | None:
    """The kind of a record that stood in no list, as in a file with one a line."""
    if "requester_id" in value or "requester" in value:
        return "ticket"
    if "role" in value and ("email" in value or "name" in value):
        return "user"
    if "section_id" in value and "title" in value:
        return "article"
    if "author_id" in value and "events" in value:
        return "audit"
    if "author_id" in value and ("body" in value or "plain_body" in value):
        return "comment"
    return None


def _user(value: object) -> Iterator[Record]:
    """A colleague, or a customer; a user of whom only the id is given is not worth a record."""
    if not isinstance(value, dict) or (key := id_of(value.get("id"))) is None:
        return
    if str(value.get("role")) in _STAFF:
        yield Record("colleague", key, value)
    elif value.get("name") or value.get("email"):
        yield Record("contact", key, value)


def _inside(ticket: Json) -> Iterator[Record]:
    """The people whom a ticket of the JSON export holds, which need not tell their roles."""
    yield from _user(ticket.get("requester"))
    submitter, assignee = object_of(ticket, "submitter"), object_of(ticket, "assignee")
    if submitter.get("role") in ("agent", "admin"):
        yield from _user(submitter)
    yield from _user(assignee | {"role": "agent"})


def _ticket_of(where: str) -> str | None:
    found = _TICKET_IN_NAME.search(where)
    return (found[1] or found[2]) if found else None


@dataclass(frozen=True, slots=True)
class _Change:
    """A field of a ticket that was changed, by whom."""

    id: str
    field: str
    value: str | None
    by: str | None


def _comments(parts: Parts, tickets: list[Json]) -> list[tuple[int, Json]]:
    """(time, comment) of all comments once each, wherever the export has them, oldest first."""
    given = list(parts.of("comment"))
    for ticket in tickets:
        inside = ticket.get("comments")
        given += [c for c in inside if isinstance(c, dict)] if isinstance(inside, list) else []
    for audit in parts.of("audit"):
        given += [_dated(e, audit) for e in _events(audit, "events") if e.get("type") == "Comment"]
    for event in parts.of("event"):
        given += [
            _dated(child, event)
            for child in _events(event, "child_events")
            if child.get("event_type") == "Comment"
        ]
    known = {key: c for c in given if (key := id_of(c.get("id"))) is not None}
    timed = [(at, c) for c in known.values() if (at := iso_ms(c.get("created_at"))) is not None]
    return sorted(timed, key=lambda entry: (entry[0], number_of(entry[1]["id"])))


def _dated(comment: Json, audit: Json) -> Json:
    """A comment inside an audit, with the time and the author that stand outside it."""
    moment = audit.get("created_at")
    if moment is None and (at_ms := seconds_ms(audit.get("timestamp"))) is not None:
        moment = _iso(at_ms)
    author = audit.get("author_id", audit.get("updater_id"))
    return {"created_at": moment, "author_id": author, "via": audit.get("via")} | comment


def _changes(parts: Parts) -> list[tuple[int, _Change]]:
    """(time, change) of status and assignee that audits or ticket events tell."""
    found: dict[str, tuple[int, _Change]] = {}
    for audit in parts.of("audit"):
        at_ms = iso_ms(audit.get("created_at"))
        for event in _events(audit, "events"):
            if event.get("type") in ("Change", "Create") and at_ms is not None:
                _note_change(
                    found, event, at_ms, audit.get("author_id"), field=event.get("field_name")
                )
    for audit in parts.of("event"):
        at_ms = seconds_ms(audit.get("timestamp")) or iso_ms(audit.get("created_at"))
        for event in _events(audit, "child_events"):
            if event.get("event_type") in ("Change", "Create") and at_ms is not None:
                field = next((name for name in ("status", "assignee_id") if name in event), None)
                value = {**event, "value": event.get(field or "")}
                _note_change(found, value, at_ms, audit.get("updater_id"), field=field)
    return list(found.values())


def _note_change(
    found: dict[str, tuple[int, _Change]], event: Json, at_ms: int, by: object, *, field: object
) -> None:
    key = id_of(event.get("id"))
    if key is not None and field in ("status", "assignee_id"):
        value = id_of(event.get("value"))
        found[key] = (at_ms, _Change(key, str(field), value, id_of(by)))


@dataclass(slots=True)
class _Mapping:
    """One ticket on its way from their records to our rows."""

    thread: Thread
    context: Context
    value: Json
    requester: str
    names: frozenset[str]

    def comment(self, comment: Json, at_ms: int) -> None:
        """Adds the message of a comment, or the messages of a chat that one reports."""
        thread = self.thread
        thread.last_at_ms = max(thread.last_at_ms, at_ms)
        key, body = str(id_of(comment["id"])), self._body(comment)
        lines = lines_of(body, ended_at_ms=at_ms)
        if not lines:
            thread.say(
                body if thread.messages else self._with_subject(body),
                message_id=key,
                at_ms=at_ms,
                author=self._author(comment),
                private=comment.get("public") is False,
                attachment=bool(comment.get("attachments")),
            )
        for number, line in enumerate(lines, 1):
            author = self._speaker(line, first=lines[0])
            thread.say(line.text, message_id=f"{key}.{number}", at_ms=line.at_ms, author=author)

    def change(self, change: _Change, at_ms: int) -> None:
        """Adds the row of a change of status or assignee."""
        thread, name = self.thread, f"event:{change.id}"
        thread.last_at_ms = max(thread.last_at_ms, at_ms)
        if change.field == "assignee_id":
            to = self._colleague(change.value)
            if to is not None and to != thread.owner:
                thread.own(to, at_ms=at_ms, event_id=name)
            return
        status = _STATUSES.get(change.value or "")
        if status is not None and status != thread.status:
            thread.turn(status, at_ms=at_ms, event_id=name, by=self._colleague(change.by))

    def end(self, parts: Parts) -> None:
        """Adds what only the ticket's last state tells: who, status, tags, rating."""
        thread = self.thread
        last, updated = thread.last_at_ms, iso_ms(self.value.get("updated_at")) or 0
        at_ms = max(last, updated)
        assignee = self._colleague(id_of(self.value.get("assignee_id")))
        if assignee is not None and assignee != thread.owner and thread.status == "open":
            thread.own(assignee, at_ms=last, event_id=f"assignee:{assignee}:{last}")
        tags = tags_of(self.value.get("tags"))
        group = id_of(self.value.get("group_id")) or ""
        if team := line_of(self.context.groups.get(group), 50):
            tags.append(f"team:{team}")
        if priority := line_of(self.value.get("priority"), 20):
            tags.append(f"priority:{priority}")
        thread.tag(tags, at_ms=last)
        final = _STATUSES.get(str(self.value.get("status")), "open")
        if final != thread.status:
            solved = [iso_ms(metric.get("solved_at")) for metric in parts.of("metric")]
            known = next((at for at in solved if at), None) if final != "open" else None
            moment = max(last, known or at_ms)
            thread.turn(final, at_ms=moment, event_id=f"status:{final}:{moment}")
        self._rate(parts, at_ms)

    def _with_subject(self, body: str) -> str:
        subject = line_of(self.value.get("subject"), 300)
        if subject is None or body.startswith(subject):
            return body
        return f"{subject}\n\n{body}"

    def _body(self, comment: Json) -> str:
        body = text_of(comment.get("plain_body")) or text_of(comment.get("body"))
        body = body or text_of(to_markdown(text_of(comment.get("html_body"))))
        # The plain form keeps the spaces of the markup.
        body = body.replace("&nbsp;", " ").strip()
        lines = attached(
            self.context.words, comment.get("attachments"), name="file_name", url="content_url"
        )
        body = "\n\n".join([body, *lines] if body else lines)
        return body or self.context.words.unsupported.format(
            kind=line_of(comment.get("type"), 40) or "?"
        )

    def _author(self, comment: Json) -> Author:
        """Whose comment it is; a note, or a comment of somebody unknown, is a colleague's."""
        author, public = id_of(comment.get("author_id")), comment.get("public") is not False
        channel = str(object_of(comment, "via").get("channel"))
        if author is None or author.startswith("-"):
            return MACHINE
        if author != self.requester and channel in _MACHINES:
            return BOT if channel in _BOTS else MACHINE
        known = self.context.colleagues.get(author)
        if known is not None:
            return Author("agent", known.key)
        if public and (author == self.requester or author in self.context.others):
            return CUSTOMER
        return Author("agent", self._named(author))

    def _speaker(self, line: Line, *, first: Line) -> Author:
        """Who said a line of a transcript, which knows people by their names only."""
        named = [c for c in self.context.colleagues.values() if c.name == line.name]
        if named:
            return Author("agent", named[0].key)
        visitor = line.name in self.names or line.name.lower().startswith(("visitor", "访客"))
        if visitor or line.name == first.name or self.context.others:
            return CUSTOMER
        return Author("agent", f"{self.context.account}:agent:{line.name}"[:200])

    def _colleague(self, key: str | None) -> str | None:
        """What rows call a user of the desk; None for its customers and for nobody."""
        if key is None or key.startswith("-"):
            return None
        if key == self.requester or key in self.context.others:
            known = self.context.colleagues.get(key)
            return known.key if known else None
        return self._named(key)

    def _named(self, key: str) -> str:
        known = self.context.colleagues.get(key)
        if known is None:
            named = f"{self.context.account}:user:{key}"
            known = self.context.colleagues[key] = Colleague(named, named)
        return known.key

    def _rate(self, parts: Parts, at_ms: int) -> None:
        """Adds the rating: the latest of the list of ratings, or the ticket's own."""
        given = [
            (iso_ms(r.get("updated_at")) or iso_ms(r.get("created_at")) or at_ms, r)
            for r in parts.of("rating")
            if str(r.get("score")) in _SCORES
        ]
        if not given:
            own = object_of(self.value, "satisfaction_rating")
            given = [(at_ms, own)] if str(own.get("score")) in _SCORES else []
        if not given:
            return
        moment, rating = max(given, key=lambda entry: entry[0])
        score = _SCORES[str(rating["score"])]
        self.thread.rate(
            score,
            at_ms=max(moment, self.thread.last_at_ms),
            event_id=f"rating:{score}",
            comment=rating.get("comment"),
        )


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat()


def _names(tickets: list[Json], requester: str) -> frozenset[str]:
    """What the requester is called, as transcripts of chats tell people apart by name."""
    found = [
        line_of(user.get("name"), 200)
        for ticket in tickets
        for user in [object_of(ticket, "requester")]
        if id_of(user.get("id")) in (requester, None)
    ]
    return frozenset(name for name in found if name)


def _events(audit: Json, key: str) -> list[Json]:
    found = audit.get(key)
    return [event for event in found if isinstance(event, dict)] if isinstance(found, list) else []


def _channel(value: Json) -> str:
    name = str(object_of(value, "via").get("channel") or "email").lower()
    name = re.sub(r"[^a-z0-9_]", "", name)[:40]
    return _CHANNELS.get(name, name) or "email"


DESK = Desk(
    name="zendesk",
    containers=frozenset(KINDS) | IGNORED,
    records=records,
    account=account,
    note=note,
    talk=talk,
    contact=contact,
    articles=articles,
)
