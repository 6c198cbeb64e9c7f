"""What every desk's export becomes: people, customers, conversations as rows, articles."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any  # Any: JSON of another program
from urllib.parse import unquote

from server.domain.errors import InvalidInput
from server.domain.imported import ArticleRow, CustomerRow, read_locale
from server.domain.text import MAX_BODY_CHARS, clean

Json = dict[str, Any]  # Any: JSON of another program
MAX_TAGS = 50
MAX_TAG_CHARS = 64
# Room for what may be put before and behind a part of a long text.
_PART_CHARS = MAX_BODY_CHARS - 100
_SECONDS_LIMIT = 10**11


@dataclass(frozen=True, slots=True)
class Words:
    """What this program adds to imported texts, in the shop's language."""

    attachment: str
    unsupported: str


WORDS = {
    "en": Words(
        attachment="Attachment: {name}",
        unsupported="(Content that cannot be shown: {kind})",
    ),
    "zh": Words(
        attachment="附件：{name}",
        unsupported="（无法显示的内容：{kind}）",
    ),
}


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who answers at the other desk; ``key`` is the e-mail, or a name made of the id.

    It is empty until all is read, because a file may name the account later than the person.
    """

    key: str
    name: str


@dataclass(slots=True)
class Context:
    """What the mapping of one conversation needs besides its own records.

    ``account`` names the export, such as ``chatwoot:1``. ``colleagues`` and ``groups`` are known by
    the other desk's ids as text, ``others`` are those of its customers.
    """

    account: str
    language: str
    words: Words
    colleagues: dict[str, Colleague] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    sections: dict[str, str] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)
    has_pages: bool = False


@dataclass(slots=True)
class Parts:
    """All records of an export that belong to one conversation, by their kind, in file order."""

    key: str
    records: dict[str, list[Json]] = field(default_factory=dict)

    def of(self, kind: str) -> list[Json]:
        """The records of a kind; none when there are none."""
        return self.records.get(kind, [])


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation as rows in the form of ``shopbell import events``, oldest first."""

    name: str
    customer: CustomerRow
    rows: list[Json]
    messages: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that is not taken, and why: a sentence in both languages.

    ``rejected`` means that something is wrong with it, not that it was left out by rule.
    """

    name: str
    reason: str
    rejected: bool = False


@dataclass(slots=True)
class Thread:
    """The rows of one conversation as a mapping writes them down."""

    name: str
    rows: list[tuple[int, int, Json]] = field(default_factory=list)

    def add(
        self,
        kind: str,
        *,
        at_ms: int,
        event_id: str,
        actor_kind: str = "system",
        actor: str | None = None,
        **data: object,
    ) -> None:
        """Adds a row; ``event_id`` is unique within the conversation."""
        row: Json = {
            "event_id": f"{self.name}:{event_id}",
            "ts": at_ms,
            "kind": kind,
            "conversation": self.name,
            "actor_kind": actor_kind,
            "data": {key: value for key, value in data.items() if value is not None},
        }
        if actor is not None:
            row["actor"] = actor
        self.rows.append((at_ms, len(self.rows), row))

    def message(
        self,
        body: str,
        *,
        message_id: str,
        at_ms: int,
        actor_kind: str,
        actor: str | None = None,
        private: bool = False,
        origin: str | None = None,
        attachment: bool = False,
    ) -> None:
        """Adds a message; one that is too long for a message goes on in the next."""
        for number, part in enumerate(parts_of(body)):
            name = f"message:{message_id}" + (f":{number + 1}" if number else "")
            self.add(
                "message.posted",
                at_ms=at_ms,
                event_id=name,
                actor_kind=actor_kind,
                actor=actor,
                message_id=name.removeprefix("message:"),
                visibility="private" if private else "public",
                origin=origin,
                attachment=attachment or None,
                body=part,
            )

    def finished(self, customer: str, *, channel: str, **opened: object) -> list[Json]:
        """The rows in the order of time, behind the one that opens the conversation.

        Rows of the same instant stay in the order in which they were added.
        """
        ordered = [row for _, _, row in sorted(self.rows, key=lambda entry: entry[:2])]
        at_ms = opened.pop("at_ms")
        first = min([at_ms, *(row["ts"] for row in ordered[:1])]) if at_ms else ordered[0]["ts"]
        head: Json = {
            "event_id": self.name,
            "ts": first,
            "kind": "conversation.opened",
            "conversation": self.name,
            "customer": customer,
            "actor_kind": "system",
            "channel": channel,
            "data": {"channel": channel}
            | {key: value for key, value in opened.items() if value is not None},
        }
        return [head, *ordered]


@dataclass(frozen=True, slots=True)
class Record:
    """A record told apart: its kind, the key of what it belongs to, and itself."""

    kind: str
    key: str
    value: Json


@dataclass(frozen=True, slots=True)
class Desk:
    """How one desk's records are told apart and what becomes of them; pure functions only.

    ``records`` takes (list of the page, record, where it was); ``note`` keeps what the context is
    made of; ``talk``, ``contact`` and ``article`` map the records of one key.
    """

    name: str
    containers: frozenset[str]
    records: Callable[[str, Json, str], Iterable[Record]]
    account: Callable[[Record], str | None]
    note: Callable[[Record, Context], None]
    talk: Callable[[Parts, Context], Talk | Skipped]
    contact: Callable[[Parts, Context], CustomerRow | Skipped]
    articles: Callable[[Parts, Context], list[ArticleRow | Skipped]]


def parts_of(body: str) -> Iterator[str]:
    """A text in pieces that fit in a message, cut between lines or words where that is possible."""
    while len(body) > MAX_BODY_CHARS:
        cut = max(body.rfind("\n", 0, _PART_CHARS), body.rfind(" ", _PART_CHARS // 2, _PART_CHARS))
        cut = cut if cut > _PART_CHARS // 2 else _PART_CHARS
        yield body[:cut].strip()
        body = body[cut:].strip()
    yield body


def text_of(value: object) -> str:
    """Text of another desk in the normal form; what is no text is empty."""
    if not isinstance(value, str):
        return ""
    valid = value.encode("utf-8", "replace").decode()
    return clean(valid, limit=10_000_000, empty=True)


def line_of(value: object, limit: int) -> str | None:
    """One line of text, cut at the limit; None when there is none."""
    words = " ".join(text_of(value).split())[:limit].strip()
    return words or None


def id_of(value: object) -> str | None:
    """An id as text; numbers of any size keep every digit."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str) and 0 < len(value.strip()) <= 100:
        return value.strip()
    return None


def seconds_ms(value: object) -> int | None:
    """Milliseconds of a time in unix seconds, or in ISO 8601 with a zone; None for neither."""
    if isinstance(value, str) and re.fullmatch(r"\d{9,11}(\.\d+)?", value):
        value = float(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return round(value * 1000) if 0 < value < _SECONDS_LIMIT else None
    return iso_ms(value)


def iso_ms(value: object) -> int | None:
    """Milliseconds of an ISO 8601 time; without a zone it is UTC, as both desks' APIs have it."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip().replace("/", "-"))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    at_ms = round(moment.timestamp() * 1000)
    return at_ms if at_ms > 0 else None


def language_of(value: object) -> str | None:
    """A desk's language code as ours, None for what is no code."""
    try:
        return read_locale(value) if isinstance(value, str) and value.strip() else None
    except InvalidInput:
        return None


def tags_of(words: object) -> list[str]:
    """Labels as tags: text, once each, not too many and not too long."""
    if not isinstance(words, list):
        return []
    found = [tag for word in words if (tag := line_of(word, MAX_TAG_CHARS)) is not None]
    return list(dict.fromkeys(found))[:MAX_TAGS]


def attached(words: Words, files: object, *, name: str, url: str) -> list[str]:
    """A line for each attachment with its name and address; nothing is fetched."""
    lines = []
    for file in files if isinstance(files, list) else []:
        if not isinstance(file, Mapping):
            continue
        address = text_of(file.get(url))
        web = address if address.startswith(("http://", "https://")) else ""
        shown = line_of(file.get(name), 200) or line_of(unquote(web.rpartition("/")[2]), 200)
        shown = shown or line_of(file.get("file_type"), 40) or "?"
        lines.append(words.attachment.format(name=shown) + (f"\n{web[:2000]}" if web else ""))
    return lines
