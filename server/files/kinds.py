"""What a file is by what is in it; its name is never asked.

Our own, and short: the list is closed, a lie must not pass, and the libraries for it guess among
hundreds of kinds by a few bytes. Anything that is not surely of a kind on the list is of none.
"""

from __future__ import annotations

import codecs
import re
import zipfile
from pathlib import Path
from typing import BinaryIO

from server.domain.files import BY_TYPE, Kind
from server.domain.zips import DAMAGED, is_damage

_HEAD = 4096
_PORTION = 256 * 1024
MOST_ENTRIES = 10_000
_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
)
_VIDEO = frozenset(
    {b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"qt  "}
)
_OFFICE = "application/vnd.openxmlformats-officedocument"
_PARTS = (
    ("word/", f"{_OFFICE}.wordprocessingml.document"),
    ("xl/", f"{_OFFICE}.spreadsheetml.sheet"),
    ("ppt/", f"{_OFFICE}.presentationml.presentation"),
)
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
# What a browser would run if anybody let it.
_MARKUP = re.compile(r"<(?:!--|!doctype|\?xml|[a-z][a-z0-9:-]*[\s/>])", re.IGNORECASE)
# What text is made of: no control characters but tab, line feed, form feed and return.
_ODD = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


def kind_of(path: Path) -> Kind | None:
    """The kind of a file on the list, None for everything else. Reads it; for a thread."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
        for beginning, media_type in _BEGINNINGS:
            if head.startswith(beginning):
                return BY_TYPE[media_type]
        if head[:4] == b"RIFF" and head[8:12] in (b"WEBP", b"WAVE"):
            return BY_TYPE["image/webp" if head[8:12] == b"WEBP" else "audio/wav"]
        if head[4:8] == b"ftyp":
            brand = head[8:12]
            if brand == b"M4A ":
                return BY_TYPE["audio/mp4"]
            return BY_TYPE["video/mp4"] if brand in _VIDEO else None
        if head[:2] in (b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"):
            return BY_TYPE["audio/mpeg"]
        if head.startswith(b"PK\x03\x04"):
            return _packed(file)
        return BY_TYPE["text/plain"] if _is_text(file, head) else None


def _packed(file: BinaryIO) -> Kind | None:
    """A ZIP, or the document that it is; None for one that is damaged."""
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            return _held(archive)
    except (*DAMAGED, ValueError):
        return None
    except OSError as error:
        if not is_damage(error):
            raise
        return None


def _held(archive: zipfile.ZipFile) -> Kind | None:
    """What an archive is; nothing in it is unpacked but one short name."""
    entries = archive.infolist()
    names = [one.filename for one in entries]
    # A program in front of it would still be found by the list at its end.
    if not 0 < len(entries) <= MOST_ENTRIES or min(one.header_offset for one in entries) != 0:
        return None
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        return None
    if names[0] == "mimetype" and entries[0].file_size < 100:
        told = archive.read("mimetype").decode("ascii", "replace").strip()
        if told.startswith(_OPEN_DOCUMENT):
            return BY_TYPE.get(told)
    if "[Content_Types].xml" in names:
        for folder, media_type in _PARTS:
            if any(name.startswith(folder) for name in names):
                return BY_TYPE[media_type]
    return BY_TYPE["application/zip"]


def _is_text(file: BinaryIO, head: bytes) -> bool:
    """True for words in UTF-8, GB18030 or, where they say so, UTF-16, that are no markup."""
    encodings = ["utf-8", "gb18030"]
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings = ["utf-16"]
    return any(_reads_as(file, encoding) for encoding in encodings)


def _reads_as(file: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    file.seek(0)
    first = True
    while True:
        portion = file.read(_PORTION)
        try:
            text = decoder.decode(portion, final=not portion)
        except UnicodeDecodeError:
            return False
        if _ODD.search(text) or (first and _is_markup(text[:_HEAD])):
            return False
        if not portion:
            return True
        first = False


def _is_markup(text: str) -> bool:
    """True for what begins with markup or a comment of it, after blanks."""
    return _MARKUP.match(text.lstrip("\ufeff \t\r\n\f")) is not None
