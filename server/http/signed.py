"""Addresses that are signed for one person and some minutes, because what asks sends no sign-in.

An ``<img>`` on a shop's page sends no header, and a frame without an origin no cookie. The address
says who looks and until when; what it leads to asks anew whether they may.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from urllib.parse import urlencode

from aiohttp import web

from server.http.keys import DATABASE
from server.storage import files
from server.storage.people import Person, load_person

# Long enough to look at a picture, short enough for an address that was passed on.
ADDRESS_S = 600
# An id of a person of the desk is marked, so that neither stands for the other.
_STAFF = "staff:"
_SECRET = web.AppKey("files_secret", list[bytes])


def add_signing(app: web.Application) -> None:
    """Lets the application sign addresses."""
    app[_SECRET] = []


def staff(person: Person) -> str:
    """A person of the desk as the viewer of an address."""
    return f"{_STAFF}{person.id}"


def is_staff(viewer: str) -> bool:
    """True when a viewer is a person of the desk."""
    return viewer.startswith(_STAFF)


def until_s(request: web.Request) -> int:
    """When an address that is made now ends, in seconds since 1970."""
    return request.app[DATABASE].clock() // 1000 + ADDRESS_S


async def query(request: web.Request, viewer: str, until: int, *parts: str) -> str:
    """What follows the ``?`` of an address that ``parts`` name, for its viewer."""
    key = await sign(request, "file", *parts, viewer, str(until))
    return urlencode({"v": viewer, "e": str(until), "k": key})


async def viewer_of(request: web.Request, *parts: str) -> str | None:
    """For whom the address that was asked for was made; None for a forged one and an old one."""
    asked, clock = request.query, request.app[DATABASE].clock
    viewer, until = asked.get("v", "")[:64], asked.get("e", "")[:12]
    secret = await _known_secret(request)
    if secret is None:  # then nothing was signed, and looking at a page writes nothing
        return None
    wanted = _signed(secret, "file", *parts, viewer, until)
    fits = hmac.compare_digest(wanted.encode(), asked.get("k", "")[:100].encode())
    over = not until.isdecimal() or int(until) * 1000 < clock()
    return viewer if fits and not over else None


async def person_of(request: web.Request, viewer: str) -> Person | None:
    """The person of the desk that a viewer is, as long as they work here; None for a shopper."""
    if not is_staff(viewer):
        return None
    person_id = viewer.removeprefix(_STAFF)
    person = await request.app[DATABASE].read(lambda c: load_person(c, person_id))
    return person if person is not None and person.active else None


async def sign(request: web.Request, *parts: str) -> str:
    """The signature of some words, the same in all processes and after a restart."""
    secret = await _known_secret(request)
    if secret is None:
        new = secrets.token_urlsafe(32)
        await request.app[DATABASE].write(lambda tx: files.make_secret(tx, new))
        secret = await _known_secret(request)
    assert secret is not None  # it was made just now, here or by another process
    return _signed(secret, *parts)


def _signed(secret: bytes, *parts: str) -> str:
    return hmac.new(secret, "\0".join(parts).encode(), hashlib.sha256).hexdigest()


async def _known_secret(request: web.Request) -> bytes | None:
    kept = request.app[_SECRET]
    if not kept:
        found: bytes | None = await request.app[DATABASE].read(files.secret)
        if found is None:
            return None
        kept.append(found)
    return kept[0]
