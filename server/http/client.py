"""Who is at the other end: address and origin, as far as they can be trusted."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from aiohttp import web

from server.domain.errors import NotAllowed
from server.http.keys import SETTINGS

_PORTS = {"http": 80, "https": 443}
# How browsers say that they load a page before anybody has asked for it.
_AHEAD = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")


def client_address(request: web.Request) -> str:
    """The address to count failures by: the peer, or the first hop beyond our own proxies.

    X-Forwarded-For is read only as many entries from its end as there are trusted proxies, because
    everything before was written by the client. An IPv6 address counts with its whole /64.
    """
    hops = request.app[SETTINGS].trusted_proxies
    chain = [request.remote or "unknown"]
    if hops:
        said = ",".join(request.headers.getall("X-Forwarded-For", []))
        chain = [hop.strip() for hop in said.split(",") if hop.strip()] + chain
    address = chain[-(hops + 1)] if len(chain) > hops else chain[0]
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return str(ipaddress.ip_network((known, 64), strict=False))


def is_https(request: web.Request) -> bool:
    """True when the browser talks https, to us or to a proxy that we trust."""
    settings = request.app[SETTINGS]
    if settings.secure_cookies or request.scheme == "https":
        return True
    proto = request.headers.get("X-Forwarded-Proto", "") if settings.trusted_proxies else ""
    return proto.rsplit(",", 1)[-1].strip().lower() == "https"


def own_origin(request: web.Request) -> str:
    """The origin under which the browser reached us, by its Host header."""
    return f"{'https' if is_https(request) else 'http'}://{request.host.lower()}"


def require_same_origin(request: web.Request) -> None:
    """Returns nothing. Raises NotAllowed for a request that another site's page made.

    A browser says where an unsafe request comes from, in Origin, Sec-Fetch-Site or both; who says
    nothing is no browser, and then the CSRF token alone decides.
    """
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    foreign = site is not None and site not in ("same-origin", "none")
    if foreign or (origin is not None and _parts(origin) != _parts(own_origin(request))):
        raise NotAllowed("This came from another site. Open the page again.", reason="origin")


def is_own_visit(request: web.Request) -> bool:
    """True when somebody opens a page from our own pages or by an address of their own.

    What a browser loads ahead, what another site's link or frame leads to, and a HEAD are nobody's
    visit: they must not count as if somebody had read the page.
    """
    if request.method == "HEAD":
        return False
    ahead = " ".join(request.headers.get(name, "") for name in _AHEAD).lower()
    if "prefetch" in ahead or "prerender" in ahead or "preview" in ahead:
        return False
    if request.headers.get("Sec-Fetch-Dest", "document") != "document":
        return False
    site, referer = request.headers.get("Sec-Fetch-Site"), request.headers.get("Referer")
    if site is None and referer:
        return _parts(referer) == _parts(own_origin(request))
    return site in (None, "same-origin", "none")


def _parts(origin: str) -> tuple[str, str, int | None] | None:
    try:
        parts = urlsplit(origin.strip().lower())
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname or "", port)
