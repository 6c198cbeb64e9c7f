"""A mail as far as a help desk needs to know it; plain values that can cross a process."""

from __future__ import annotations

import base64
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, cast  # Any: JSON values

Kind = Literal["person", "auto", "bounce", "list"]


class Unreadable(Exception):
    """A mail that cannot be read within the limits; the reason is a word for the log."""


@dataclass(frozen=True, slots=True)
class Address:
    """Who a mail is from or to; ``email`` in lower case, ``name`` as written, maybe empty."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A file that came with a mail; ``content_id`` when the text shows it in its place."""

    name: str
    media_type: str
    content: bytes
    content_id: str | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """How a mail looks: its cleaned HTML, how many pictures are elsewhere, about how long."""

    html: str
    remote: int
    lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One mail.

    ``words`` is what its writer wrote, ``quoted`` what was below of earlier mails and signature.
    ``sheet`` is how it looks, None for a mail of plain words and one that cannot be shown.
    ``references`` are the mails that it answers, the closest first. ``sent_at_ms`` is what the
    sender's clock said, None when it said nothing. ``kind`` is who wrote it: a person, a machine
    that answers by itself, a mail system that could not deliver, or a list. ``undelivered`` are
    addresses that a bounce is about; ``lasting`` is True when trying again is of no use.
    ``mentioned`` are Message-IDs that a bounce names of what did not arrive.
    ``left_out`` is how many of its parts are in neither ``words`` nor ``files``: beyond the limits.
    ``judged`` are the Authentication-Results lines, the one nearest to us first.
    """

    message_id: str | None
    references: tuple[str, ...]
    sender: Address | None
    reply_to: Address | None
    to: tuple[Address, ...]
    copied: tuple[Address, ...]
    delivered_to: tuple[str, ...]
    subject: str
    sent_at_ms: int | None
    words: str
    quoted: str
    sheet: Sheet | None
    files: tuple[Enclosed, ...]
    kind: Kind
    loops: tuple[str, ...] = ()
    undelivered: tuple[str, ...] = ()
    lasting: bool = False
    judged: tuple[str, ...] = ()
    mentioned: tuple[str, ...] = ()
    left_out: int = 0


Json = dict[str, Any]  # Any: JSON values


def to_json(letter: Letter) -> Json:
    """The letter as JSON values; files in base64."""
    told = asdict(letter)
    for file in told["files"]:
        file["content"] = base64.b64encode(file["content"]).decode()
    return told


def from_json(told: Json) -> Letter:
    """The letter that ``to_json`` told. Raises Unreadable for anything else."""
    try:
        values = {field.name: told[field.name] for field in fields(Letter)}
        for name in ("sender", "reply_to"):
            values[name] = Address(**values[name]) if values[name] else None
        values["sheet"] = Sheet(**values["sheet"]) if values["sheet"] else None
        for name in ("to", "copied"):
            values[name] = tuple(Address(**one) for one in values[name])
        for name in ("references", "delivered_to", "loops", "undelivered", "judged", "mentioned"):
            values[name] = tuple(values[name])
        values["files"] = tuple(
            Enclosed(**{**one, "content": base64.b64decode(one["content"])})
            for one in values["files"]
        )
        return Letter(**cast(Any, values))  # Any: each was checked by its own type above
    except (KeyError, TypeError, ValueError) as error:
        raise Unreadable("answer") from error
