"""Files that people send: which kinds there are, what they are called, how much is too much."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any, Literal  # Any: JSON values
from urllib.parse import quote

from server.domain.spans import DAY_MS

State = Literal["scanning", "clean", "unscanned", "infected", "refused"]
"""``scanning`` waits for the scanner, ``unscanned`` had none, ``refused`` was never kept."""
SERVED: frozenset[State] = frozenset({"clean", "unscanned"})

MOST_IN_MESSAGE = 5
MOST_NAME = 120
MEGABYTE = 1024 * 1024
# What one person may send; pictures of a broken thing from all sides are twelve.
SHOPPER_AN_HOUR = 20
SHOPPER_A_DAY = 200 * MEGABYTE
# Of what all shoppers may send in a day, the part for those who are not identified. A visitor
# costs nothing to make, so one of them gets a quarter of what the others have left of it, and all
# of one network half: whatever they do, there is room for the next one.
STRANGERS_SHARE = 0.5
VISITOR_SHARE = 0.25
NETWORK_SHARE = 0.5
STAFF_AN_HOUR = 300
STAFF_A_DAY = 2000 * MEGABYTE
# What was sent to the server and never used in a message is forgotten after this.
UNUSED_MS = DAY_MS


def share_left(pool: int, sent: int, own: int, share: float) -> int:
    """How many more bytes somebody may send of a pool from which ``sent`` were taken.

    ``own`` of them are theirs; ``share`` is the part that is theirs of what others have left.

    >>> share_left(800, 0, 0, 0.25), share_left(800, 600, 200, 0.25), share_left(800, 600, 0, 0.25)
    (200, -100, 50)
    """
    return int(share * (pool - (sent - own))) - own


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: its media type, the endings of its names, usual one first.

    ``picture`` is drawn anew before it is kept, and only then shown in its place.
    """

    media_type: str
    endings: tuple[str, ...]
    picture: bool = False


_OFFICE = "application/vnd.openxmlformats-officedocument"
KINDS: tuple[Kind, ...] = (
    Kind("image/jpeg", ("jpg", "jpeg", "jpe", "jfif"), picture=True),
    Kind("image/png", ("png",), picture=True),
    Kind("image/gif", ("gif",), picture=True),
    Kind("image/webp", ("webp",), picture=True),
    Kind("application/pdf", ("pdf",)),
    Kind("text/plain", ("txt", "log", "csv", "md", "ics", "eml")),
    Kind(f"{_OFFICE}.wordprocessingml.document", ("docx",)),
    Kind(f"{_OFFICE}.spreadsheetml.sheet", ("xlsx",)),
    Kind(f"{_OFFICE}.presentationml.presentation", ("pptx",)),
    Kind("application/vnd.oasis.opendocument.text", ("odt",)),
    Kind("application/vnd.oasis.opendocument.spreadsheet", ("ods",)),
    Kind("application/zip", ("zip",)),
    Kind("video/mp4", ("mp4", "m4v", "mov")),
    Kind("audio/mpeg", ("mp3",)),
    Kind("audio/mp4", ("m4a",)),
    Kind("audio/ogg", ("ogg", "oga", "opus")),
    Kind("audio/wav", ("wav",)),
)
BY_TYPE: dict[str, Kind] = {kind.media_type: kind for kind in KINDS}


def shown_name(name: str, kind: Kind) -> str:
    r"""What a file is called here: no path, no tricks, and an ending that does not lie.

    >>> shown_name("C:\\fakepath\\a b.JPG", BY_TYPE["image/jpeg"])
    'a b.JPG'
    >>> shown_name("notes.html", BY_TYPE["text/plain"])
    'notes.html.txt'
    >>> shown_name("invoice\u202egpj.exe", BY_TYPE["application/pdf"])
    'invoicegpj.exe.pdf'
    """
    bare = plain_name(name).strip(". ") or "file"
    stem, dot, ending = bare.rpartition(".")
    if not dot:
        stem, ending = bare, ""
    if ending.lower() not in kind.endings:
        stem, ending = f"{stem}.{ending}" if ending else stem, kind.endings[0]
    return f"{stem[: MOST_NAME - 1 - len(ending)].strip()}.{ending}"


def plain_name(name: str) -> str:
    """The last part of a name in one line, without what cannot be seen; maybe empty."""
    bare = name.replace("\\", "/").rpartition("/")[2]
    # Cf: marks of writing direction, which turn "exe.jpg" round; Cs: halves of characters.
    seen = "".join(
        char if not unicodedata.category(char).startswith("Z") else " "
        for char in unicodedata.normalize("NFC", bare)
        if unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )
    return " ".join(seen.split())[:MOST_NAME]


def disposition(name: str, *, inline: bool) -> str:
    """The Content-Disposition of a file (RFC 6266).

    >>> print(disposition("退款.pdf", inline=False))
    attachment; filename="__.pdf"; filename*=UTF-8''%E9%80%80%E6%AC%BE.pdf
    """
    known = "".join(char if char.isascii() and char not in '"\\%' else "_" for char in name)
    kind = "inline" if inline else "attachment"
    return f"{kind}; filename=\"{known}\"; filename*=UTF-8''{quote(name, safe='')}"


def block_of(
    *,
    file_id: str,
    name: str,
    media_type: str,
    size: int,
    width: int | None,
    height: int | None,
    state: str,
) -> dict[str, Any]:  # Any: JSON values
    """What stands of a file in the message that brought it."""
    block: dict[str, Any] = {  # Any: JSON values
        "type": "file",
        "id": file_id,
        "name": name,
        "media_type": media_type,
        "bytes": size,
        "state": state,
    }
    if width is not None and height is not None:
        block |= {"width": width, "height": height}
    return block
