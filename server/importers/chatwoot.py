"""Chatwoot's API records as ours: contacts, conversations with messages, ratings, portal articles.

Written after its public API reference (https://developers.chatwoot.com/api-reference/).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

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
from server.importers.values import (
    Json,
    email_of,
    id_of,
    language_of,
    line_of,
    number_of,
    object_of,
    seconds_ms,
    tags_of,
    text_of,
)

CONTAINERS = frozenset({"conversations", "conversation", "messages", "contacts", "articles"})
_TYPES = {0: "incoming", 1: "outgoing", 2: "activity", 3: "template"}
_CHANNELS = {
    "webwidget": "chat",
    "api": "api",
    "email": "email",
    "sms": "sms",
    "twiliosms": "sms",
    "facebookpage": "facebook",
    "twitterprofile": "twitter",
}
_STATUSES = {"open": "open", "pending": "open", "resolved": "resolved", "snoozed": "snoozed"}
_ARTICLE_STATUSES = {0: "draft", 1: "published", 2: "archived"}
# What activities said before they carried their meaning as data, in the shop's two languages.
_ACTIVITIES: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            r"(?:the )?conversation (?:was|has been) (?:marked (?:as )?)?resolved\b"
            r"(?:.*? by (?P<by>.+)|.*)",
            re.IGNORECASE,
        ),
        "resolved",
    ),
    (
        re.compile(
            r"(?:the )?conversation (?:was|has been) (?:marked (?:as )?)?(?:reopened|open)\b"
            r"(?:.*? by (?P<by>.+)|.*)",
            re.IGNORECASE,
        ),
        "open",
    ),
    (re.compile(r"(?P<by>.+?) reopened the conversation\b.*", re.IGNORECASE), "open"),
    (
        re.compile(r"(?:会话|对话)已?(?:被|由) ?(?P<by>.+?) ?(?:标记为|设为)?已?解决.*"),
        "resolved",
    ),
    (
        re.compile(r"(?P<by>.+?) ?[将把][该此]?(?:会话|对话)(?:标记为|设为)?已?解决.*"),
        "resolved",
    ),
    (re.compile(r"(?:会话|对话)已?(?:被|由) ?(?P<by>.+?) ?重新(?:打开|开启|激活).*"), "open"),
)
_BOTS = frozenset({"agent_bot", "agentbot", "captain_assistant", "captain::assistant"})


def records(container: str, value: Json, _where: str) -> Iterator[Record]:
    """The records in one object of an export, told apart by their keys: pages name all alike."""
    key = id_of(value.get("id"))
    if "message_type" in value:
        conversation = id_of(value.get("conversation_id"))
        if key is not None and conversation is not None:
            yield Record("message", conversation, value)
        else:
            yield Record("unknown", container, {})
    elif "rating" in value and "message_id" in value:
        conversation = id_of(value.get("conversation_id"))
        conversation = conversation or id_of(object_of(value, "conversation").get("id"))
        yield Record("rating" if conversation else "unknown", conversation or "", value)
    elif key is None:
        yield Record("unknown", container, {})
    elif "inbox_id" in value and "status" in value:
        yield Record("conversation", key, value)
        meta = object_of(value, "meta")
        yield from _person(meta.get("assignee"), "colleague")
        signed = {"hmac_verified": meta.get("hmac_verified") is True}
        yield from _person(object_of(meta, "sender") | signed, "sender")
    elif "title" in value and "content" in value:
        yield Record("article", key, value)
    elif "role" in value and "email" in value:
        yield Record("colleague", key, value)
    elif "email" in value or "phone_number" in value or "identifier" in value:
        yield Record("contact", key, value)
    else:
        yield Record("unknown", container, {})


def account(record: Record) -> str | None:
    """The account that a record says it belongs to."""
    return id_of(record.value.get("account_id"))


def note(record: Record, context: Context) -> None:
    """Keeps colleagues, and whether the export has messages apart from conversations."""
    if record.kind == "message":
        context.has_pages = True
    elif record.kind == "colleague":
        name = line_of(record.value.get("name"), 200)
        address = email_of(record.value.get("email"))
        known = context.colleagues.get(record.key)
        if known is None or (address and "@" not in known.key):
            context.colleagues[record.key] = Colleague(address or "", name or address or "")


def contact(parts: Parts, context: Context) -> CustomerRow | Skipped:
    """The customer of a contact's records; the list of contacts knows more than a conversation."""
    known = [*parts.of("sender"), *parts.of("contact")]
    value = known[-1]
    created = seconds_ms(value.get("created_at"))
    attributes = object_of(value, "additional_attributes")
    identifier = id_of(value.get("identifier"))
    return CustomerRow(
        line=0,
        external_id=identifier if any(map(_signed, known)) else None,
        origin=f"{context.account}:contact:{parts.key}",
        name=line_of(value.get("name"), 200),
        email=email_of(value.get("email")),
        phone=line_of(value.get("phone_number"), 40),
        locale=language_of(attributes.get("browser_language") or value.get("locale")),
        created_at_ms=created,
        seen_at_ms=seconds_ms(value.get("last_activity_at")) or created,
    )


def talk(parts: Parts, context: Context) -> Talk | Skipped:
    """The conversation of its records: messages in order, status, assignee, labels, ratings."""
    name = f"{context.account}:conversation:{parts.key}"
    found = parts.of("conversation")
    if not found:
        return Skipped(
            name,
            both("Its messages are there, the conversation is not.", "有消息，但缺少会话记录。"),
            rejected=True,
        )
    value = max(found, key=lambda one: seconds_ms(one.get("updated_at")) or 0)
    customer = id_of(object_of(object_of(value, "meta"), "sender").get("id"))
    if customer is None:
        return Skipped(name, both("It names no contact.", "没有联系人。"), rejected=True)
    messages = _messages(parts, value, context)
    if not messages:
        reason = both("It has no messages in this export.", "导出文件里没有它的消息。")
        return Skipped(name, reason)
    mapping = _Mapping(Thread(name), context, value)
    # Before the messages, which hold the same ratings without the time.
    for rating in parts.of("rating"):
        mapping.rate(rating)
    for message in messages:
        mapping.take(message)
    mapping.end()
    origin = f"{context.account}:contact:{customer}"
    return Talk(
        name,
        CustomerRow(line=0, origin=origin),
        mapping.thread.finished(
            origin,
            channel=_channel(value),
            at_ms=seconds_ms(value.get("created_at")),
            initiator=mapping.thread.initiator or "customer",
            page_url=_page(value),
        ),
        mapping.thread.messages,
    )


def articles(parts: Parts, context: Context) -> list[ArticleRow | Skipped]:
    """The article of a portal; each language is an article of its own there."""
    value = parts.of("article")[-1]
    name = f"{context.account}:article:{parts.key}"
    title = line_of(value.get("title"), MAX_TITLE_CHARS)
    body = text_of(value.get("content"))
    category = object_of(value, "category")
    locale = language_of(value.get("locale")) or language_of(category.get("locale"))
    if title is None or not body:
        reason = both("It has no title or no text.", "没有标题或正文。")
        return [Skipped(name, reason, rejected=True)]
    if len(body) > MAX_ARTICLE_CHARS:
        return [Skipped(name, both("It is too long.", "内容过长。"), rejected=True)]
    status = value.get("status")
    status = _ARTICLE_STATUSES.get(status, "draft") if isinstance(status, int) else status
    updated = seconds_ms(value.get("updated_at"))
    return [
        ArticleRow(
            line=0,
            source=context.account,
            external_id=parts.key,
            locale=locale or context.language,
            title=title,
            body=body,
            status=status if status in ("published", "archived") else "draft",
            category=line_of(category.get("name"), 200),
            created_at_ms=seconds_ms(value.get("created_at")) or updated,
            updated_at_ms=updated,
        )
    ]


def _person(value: object, kind: str) -> Iterator[Record]:
    if isinstance(value, dict) and (key := id_of(value.get("id"))) is not None:
        yield Record(kind, key, value)


def _messages(parts: Parts, conversation: Json, context: Context) -> list[Json]:
    """Its messages once each, oldest first.

    The list of conversations has only the last message of each, so beside pages of messages it
    counts for nothing: a conversation whose pages are missing would come in cut off.
    """
    given = parts.of("message")
    if not context.has_pages:
        inside = conversation.get("messages")
        given = [m for m in inside if isinstance(m, dict)] if isinstance(inside, list) else []
    known = {key: m for m in given if (key := id_of(m.get("id"))) is not None}
    timed = [m for m in known.values() if seconds_ms(m.get("created_at")) is not None]
    return sorted(timed, key=lambda m: (seconds_ms(m["created_at"]) or 0, number_of(m["id"])))


@dataclass(slots=True)
class _Mapping:
    """One conversation on its way from their records to our rows."""

    thread: Thread
    context: Context
    value: Json

    def take(self, message: Json) -> None:
        """Adds the rows of a message of any type."""
        at_ms = seconds_ms(message["created_at"]) or 0
        self.thread.last_at_ms = max(self.thread.last_at_ms, at_ms)
        kind = _type(message)
        if kind == "activity":
            self._activity(message, at_ms)
        elif message.get("content_type") == "input_csat":
            self._asked(message, at_ms)
        elif kind is not None:
            self._posted(message, kind, at_ms)

    def rate(self, rating: Json) -> None:
        """Adds a rating of the list of survey responses."""
        key, at_ms = id_of(rating.get("message_id")), seconds_ms(rating.get("created_at"))
        if key is not None and at_ms is not None:
            self._rated(key, rating, at_ms)

    def end(self) -> None:
        """Adds what only the state at the time of the export tells: who, status and labels."""
        thread, meta = self.thread, object_of(self.value, "meta")
        at_ms = max(thread.last_at_ms, seconds_ms(self.value.get("last_activity_at")) or 0)
        assignee = self._colleague(object_of(meta, "assignee"))
        if assignee is not None and assignee != thread.owner and thread.status != "resolved":
            thread.own(assignee, at_ms=at_ms, event_id=f"assignee:{assignee}:{at_ms}")
        labels = tags_of(self.value.get("labels"))
        if team := line_of(object_of(meta, "team").get("name"), 50):
            labels.append(f"team:{team}")
        if priority := line_of(self.value.get("priority"), 20):
            labels.append(f"priority:{priority}")
        thread.tag(labels, at_ms=at_ms)
        final = _STATUSES.get(str(self.value.get("status")), "open")
        until = seconds_ms(self.value.get("snoozed_until")) if final == "snoozed" else None
        if final != thread.status:
            name = f"status:{final}:{at_ms}"
            thread.turn(final, at_ms=at_ms, event_id=name, until_ms=until)

    def _posted(self, message: Json, kind: str, at_ms: int) -> None:
        key, author = str(id_of(message["id"])), self._author(message, kind)
        deleted = object_of(message, "content_attributes").get("deleted") is True
        self.thread.say(
            "" if deleted else self._body(message),
            message_id=key,
            at_ms=at_ms,
            author=author,
            private=message.get("private") is True,
            attachment=bool(message.get("attachments")),
        )
        if deleted:
            self._about(key, "message.redacted", at_ms)
        if author.kind == "agent" and message.get("status") == "failed":
            self._about(key, "message.failed", at_ms)

    def _about(self, key: str, kind: str, at_ms: int) -> None:
        name = f"message:{key}:{kind.partition('.')[2]}"
        self.thread.add(kind, at_ms=at_ms, event_id=name, message_id=key)

    def _body(self, message: Json) -> str:
        body = text_of(message.get("content"))
        if not body:
            mail = object_of(object_of(message, "content_attributes"), "email")
            body = text_of(object_of(mail, "text_content").get("full"))
            body = body or to_markdown(text_of(object_of(mail, "html_content").get("full")))
        lines = attached(
            self.context.words, message.get("attachments"), name="file_name", url="data_url"
        )
        body = "\n\n".join([body, *lines] if body else lines)
        kind = line_of(message.get("content_type"), 40) or "?"
        return body or self.context.words.unsupported.format(kind=kind)

    def _author(self, message: Json, kind: str) -> Author:
        """Whose message it is. What no person wrote is the bot's and no answer that counts."""
        if kind == "incoming":
            return CUSTOMER
        sender = object_of(message, "sender")
        written = str(sender.get("type") or message.get("sender_type") or "").lower()
        if kind == "outgoing" and written in _BOTS:
            return BOT
        attributes = object_of(message, "content_attributes")
        if kind == "outgoing" and written == "user" and not _automatic(attributes):
            key = self._colleague(sender or {"id": message.get("sender_id")})
            if key is not None:
                return Author("agent", key)
        return MACHINE

    def _activity(self, message: Json, at_ms: int) -> None:
        """A change of status, where the activity tells one in data or in known words."""
        told = object_of(object_of(message, "content_attributes"), "activity")
        status, by = _STATUSES.get(str(told.get("status"))), None
        if status is None:
            status, by = _told(text_of(message.get("content")))
        if status in ("open", "resolved") and status != self.thread.status:
            name = f"message:{id_of(message['id'])}"
            self.thread.turn(status, at_ms=at_ms, event_id=name, by=self._called(by))

    def _asked(self, message: Json, at_ms: int) -> None:
        key = str(id_of(message["id"]))
        self.thread.add("rating.asked", at_ms=at_ms, event_id=f"message:{key}")
        values = object_of(object_of(message, "content_attributes"), "submitted_values")
        answer = object_of(values, "csat_survey_response")
        if answer:
            answered = seconds_ms(message.get("updated_at")) or at_ms
            self._rated(key, answer, max(at_ms, answered))

    def _rated(self, key: str, answer: Json, at_ms: int) -> None:
        score = answer.get("rating")
        if isinstance(score, bool) or not isinstance(score, int) or not 1 <= score <= 5:
            return
        if not self.thread.has(f"rating:{key}"):
            comment = answer.get("feedback_message")
            self.thread.rate(score, at_ms=at_ms, event_id=f"rating:{key}", comment=comment)

    def _colleague(self, person: Json) -> str | None:
        """What rows call a person: the e-mail when the export tells it anywhere."""
        key = id_of(person.get("id"))
        if key is None:
            return None
        known = self.context.colleagues.get(key)
        if known is None:
            named = f"{self.context.account}:user:{key}"
            known = Colleague(named, line_of(person.get("name"), 200) or named)
            self.context.colleagues[key] = known
        return known.key

    def _called(self, name: str | None) -> str | None:
        """The one colleague of this name; nobody when there are several."""
        found = {c.key for c in self.context.colleagues.values() if name and c.name == name.strip()}
        return found.pop() if len(found) == 1 else None


def _type(message: Json) -> str | None:
    value = message.get("message_type")
    if isinstance(value, str):
        return value if value in _TYPES.values() else None
    return _TYPES.get(value) if isinstance(value, int) else None


def _automatic(attributes: Json) -> bool:
    return bool(attributes.get("automation_rule_id") or attributes.get("campaign_id"))


def _told(text: str) -> tuple[str | None, str | None]:
    """(status, who changed it) of an activity's sentence; None for what it does not tell."""
    for pattern, status in _ACTIVITIES:
        if found := pattern.fullmatch(text):
            return status, found["by"]
    return None, None


def _channel(value: Json) -> str:
    name = str(object_of(value, "meta").get("channel") or value.get("channel") or "")
    tail = re.sub(r"[^a-z0-9]", "", name.rpartition(":")[2].lower())
    return _CHANNELS.get(tail, tail[:40]) or "chat"


def _page(value: Json) -> str | None:
    referer = object_of(value, "additional_attributes").get("referer")
    if isinstance(referer, str) and referer.startswith(("http://", "https://")):
        return referer if len(referer) <= 2000 else None
    return None


def _signed(value: Json) -> bool:
    """Whether the shop's server has signed for the identifier; anybody can claim one otherwise."""
    inboxes = value.get("contact_inboxes")
    listed = inboxes if isinstance(inboxes, list) else []
    return value.get("hmac_verified") is True or any(
        isinstance(inbox, dict) and inbox.get("hmac_verified") is True for inbox in listed
    )


DESK = Desk(
    name="chatwoot",
    containers=CONTAINERS,
    records=records,
    account=account,
    note=note,
    talk=talk,
    contact=contact,
    articles=articles,
)
