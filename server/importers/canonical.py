"""What every desk's export becomes: people, customers, conversations as rows, articles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from server.domain.imported import ArticleRow, CustomerRow
from server.importers.values import Json, line_of, text_of


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
