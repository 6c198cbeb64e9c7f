"""What a file is: by what is in it, on a closed list, whatever it is called."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import pytest

from server.domain.files import BY_TYPE, MOST_NAME, shown_name
from server.files.kinds import kind_of

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + b"\x00" * 64
PDF = b"%PDF-1.7\n1 0 obj << >> endobj\n%%EOF\n"


def packed(**parts: bytes) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return kept.getvalue()


def squeezed_badly(name: str) -> bytes:
    """A ZIP whose one entry says that it is deflated and is not."""
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, b"application/vnd.oasis.opendocument.text")
    raw = bytearray(kept.getvalue())
    raw[30 + len(name) : 32 + len(name)] = b"\xff\xff"
    return bytes(raw)


def office(folder: str, **more: bytes) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(f"{folder}/document.xml", "<x/>")
        for name, content in more.items():
            archive.writestr(f"{folder}/{name}.bin", content)
    return kept.getvalue()


def open_document() -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr("content.xml", "<x/>")
    return kept.getvalue()


def many_entries() -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        for number in range(10_001):
            archive.writestr(str(number), b"")
    return kept.getvalue()


def told(tmp_path: Path, content: bytes) -> str | None:
    path = tmp_path / "sent"
    path.write_bytes(content)
    kind = kind_of(path)
    return kind.media_type if kind else None


TAKEN = {
    "a jpeg": (JPEG, "image/jpeg"),
    "a png": (b"\x89PNG\r\n\x1a\n" + b"\0" * 20, "image/png"),
    "a gif": (b"GIF89a" + b"\0" * 20, "image/gif"),
    "a webp": (b"RIFF\x10\0\0\0WEBPVP8 " + b"\0" * 20, "image/webp"),
    "a pdf": (PDF, "application/pdf"),
    "utf-8": ("退款说明：请在 7 天内寄回。\n".encode(), "text/plain"),
    "gb18030": ("订单,金额\n1,428\n".encode("gb18030"), "text/plain"),
    "utf-16 that says so": ("hello 你好".encode("utf-16"), "text/plain"),
    "utf-8 with a mark": (b"\xef\xbb\xbfa,b\n1,2\n", "text/plain"),
    "less-than is no markup": (b"3 < 4 and 5 <6", "text/plain"),
    "a mail": (b"From: a@b.example\r\nSubject: x\r\n\r\nhello", "text/plain"),
    "a zip": (packed(readme=b"x"), "application/zip"),
    "word": (
        office("word"),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    "excel": (office("xl"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "open document": (open_document(), "application/vnd.oasis.opendocument.text"),
    "a video": (b"\0\0\0\x20ftypisom" + b"\0" * 40, "video/mp4"),
    "an iphone's video": (b"\0\0\0\x14ftypqt  " + b"\0" * 40, "video/mp4"),
    "mp3": (b"ID3\x04\0\0" + b"\0" * 40, "audio/mpeg"),
    "ogg": (b"OggS" + b"\0" * 40, "audio/ogg"),
    "wav": (b"RIFF\x10\0\0\0WAVEfmt ", "audio/wav"),
}
REFUSED = {
    "html": b"<!DOCTYPE html><script>alert(1)</script>",
    "html after blanks": b"\n \t<html><body onload=alert(1)>",
    "html after comments": b"<!-- a --><!-- b -->\n<script>alert(1)</script>",
    "a comment without end": b"<!-- <script>",
    "comments for ever": b"<!---->" * 3000 + b"<script>",
    "html in utf-16": "<html><script>".encode("utf-16"),
    "html with a mark": b"\xef\xbb\xbf<html>",
    "svg": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "bare svg": b"<svg/onload=alert(1)>",
    "xhtml": b'<x:script xmlns:x="http://www.w3.org/1999/xhtml">alert(1)</x:script>',
    "a program for windows": b"MZ\x90\x00" + b"\0" * 100,
    "a program for linux": b"\x7fELF" + b"\0" * 100,
    "old word": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,
    "word with macros": office("word", vbaProject=b"x"),
    "rar": b"Rar!\x1a\x07\x00" + b"\0" * 100,
    "a picture of an iphone": b"\0\0\0\x24ftypheic" + b"\0" * 40,
    "a kind squeezed badly": squeezed_badly("mimetype"),
    "half a zip": packed(readme=b"x" * 500)[:60],
    "a script in front of a zip": b"#!/bin/sh\n\0" + packed(readme=b"x"),
    "a zip behind another": packed(a=b"x")[:30] + packed(b=b"y"),
    "ten thousand names": many_entries(),
    "a pdf behind something": b"\0\0" + PDF,
    "text with a NUL": b"hello\0world",
    "noise": bytes(range(256)) * 8,
    "riff of something else": b"RIFF\x10\0\0\0ACON" + b"\0" * 20,
    "no video we know": struct.pack(">I", 20) + b"ftypevil" + b"\0" * 20,
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_on_the_list_is_told_by_its_content(name: str, tmp_path: Path) -> None:
    content, media_type = TAKEN[name]
    assert told(tmp_path, content) == media_type


@pytest.mark.parametrize("name", REFUSED)
def test_everything_else_is_of_no_kind(name: str, tmp_path: Path) -> None:
    assert told(tmp_path, REFUSED[name]) is None


def test_what_is_two_things_at_once_is_the_one_that_it_is_served_as(tmp_path: Path) -> None:
    for polyglot in (JPEG + packed(x=b"y"), PDF + b"<script>alert(1)</script>" + packed(x=b"y")):
        assert told(tmp_path, polyglot) in ("image/jpeg", "application/pdf")


@pytest.mark.parametrize(
    ("given", "media_type", "shown"),
    [
        ("photo.jpg", "image/jpeg", "photo.jpg"),
        ("photo.JPEG", "image/jpeg", "photo.JPEG"),
        ("photo.jpg.exe", "image/jpeg", "photo.jpg.exe.jpg"),
        ("../../etc/passwd", "text/plain", "passwd.txt"),
        ("C:\\Users\\x\\退款.pdf", "application/pdf", "退款.pdf"),
        ("page.html", "text/plain", "page.html.txt"),
        ("a\r\nSet-Cookie: x=1.pdf", "application/pdf", "aSet-Cookie: x=1.pdf"),
        ("gpj\u202e.exe", "image/png", "gpj.exe.png"),
        ('"><script>.png', "image/png", '"><script>.png'),
        ("", "image/png", "file.png"),
        (".htaccess", "text/plain", "htaccess.txt"),
        ("...", "application/zip", "file.zip"),
        ("\ud800x.png", "image/png", "x.png"),
    ],
)
def test_a_name_is_shown_without_tricks(given: str, media_type: str, shown: str) -> None:
    assert shown_name(given, BY_TYPE[media_type]) == shown


def test_a_long_name_keeps_its_ending() -> None:
    shown = shown_name("长" * 500 + ".pdf", BY_TYPE["application/pdf"])
    assert (len(shown), shown[-4:]) == (MOST_NAME, ".pdf")
