"""Files held in memory, compressed once; a fixed set of names makes traversal impossible."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from aiohttp import web

from server.domain.errors import NotFound

CONTENT_TYPES = {
    ".css": "text/css",
    ".gif": "image/gif",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript",
    ".json": "application/json",
    ".mjs": "text/javascript",
    ".mp3": "audio/mpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".wav": "audio/wav",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
_COMPRESSED = frozenset({".css", ".ico", ".js", ".json", ".mjs", ".svg", ".wav"})
IMMUTABLE = "public, max-age=31536000, immutable"
SHORT = "public, max-age=300"
ASK_AGAIN = "public, no-cache"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it goes over the wire."""

    body: bytes
    compressed: bytes | None
    content_type: str
    etag: str


def asset(name: str, body: bytes) -> Asset:
    """The file with its type, by its name's ending, its hash and its compressed copy."""
    ending = PurePosixPath(name).suffix
    packed = gzip.compress(body, 9, mtime=0) if ending in _COMPRESSED else None
    return Asset(
        body=body,
        compressed=packed if packed is not None and len(packed) < len(body) else None,
        content_type=CONTENT_TYPES[ending],
        etag=hashlib.sha256(body).hexdigest()[:20],
    )


def find(assets: dict[str, Asset], name: str) -> Asset:
    """The file of exactly this name. Raises NotFound."""
    found = assets.get(name)
    if found is None:
        raise NotFound("There is no such file.")
    return found


def answer(
    request: web.Request, found: Asset, *, cache: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    """The file, compressed where the client can read that, or 304 when it has it already."""
    common = {"Cache-Control": cache, "Vary": "Accept-Encoding", **(headers or {})}
    tag = f'"{found.etag}"'
    known = request.headers.get("If-None-Match", "")
    if known and any(part.strip().removeprefix("W/") in (tag, "*") for part in known.split(",")):
        return web.Response(status=304, headers=common | {"ETag": tag})
    body = found.body
    if found.compressed is not None and _takes_gzip(request):
        body = found.compressed
        common["Content-Encoding"] = "gzip"
    text = found.content_type.startswith("text/") or found.content_type.endswith(("json", "xml"))
    return web.Response(
        body=body,
        content_type=found.content_type,
        charset="utf-8" if text else None,
        headers=common | {"ETag": tag},
    )


def _takes_gzip(request: web.Request) -> bool:
    for part in request.headers.get("Accept-Encoding", "").lower().split(","):
        coding, _, weight = part.partition(";")
        if coding.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
