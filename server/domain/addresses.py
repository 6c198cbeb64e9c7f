"""Where the server may call out to: addresses of the public internet, and URLs that lead there.

A person who may name a URL could otherwise make the server talk to what only the server can reach:
its own machine, the network behind it, the metadata of a cloud. A name is looked up by the edge,
which asks ``is_public`` of every address before it connects.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from server.domain.errors import InvalidInput

MAX_URL_CHARS = 2000
# Spoken by something else than http, most of them able to misread a request as their own commands:
# mail, shells, files, names, printers, databases, caches. The WHATWG's list for browsers, and what
# usually stands beside a server like this one.
REFUSED_PORTS = frozenset(
    {1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102}
    | {103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427}
    | {465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989}
    | {990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666}
    | {6667, 6668, 6669, 6679, 6697, 10080}
    | {1433, 1521, 2375, 2379, 3306, 3389, 5432, 5984, 6379, 9042, 9200, 11211, 27017}
)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_INSIDE_NAMES = ("localhost", "local", "internal", "intranet", "lan", "home.arpa")
# What ``is_global`` lets pass, in one Python version or another: ways to write an IPv4 address
# inside an IPv6 one, relays, and the one public address behind which Azure keeps its own services.
_REFUSED = tuple(
    ip_network(network)
    for network in (
        "168.63.129.16/32",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fec0::/10",
    )
)
_NAT64 = ip_network("64:ff9b::/96")
_UNFIT = re.compile(r"[\x00-\x20\x7f\\]")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")


def is_public(address: str) -> bool:
    """True when an IP address belongs to the public internet, however it is written.

    >>> is_public("93.184.215.14"), is_public("127.0.0.1"), is_public("::ffff:10.0.0.1")
    (True, False, False)
    """
    try:
        known = ip_address(address)
    except ValueError:  # also "fe80::1%eth0": an address with a zone is never public
        return False
    if isinstance(known, IPv6Address):
        if known.scope_id is not None:
            return False
        inner = known.ipv4_mapped or (_last_32_bits(known) if known in _NAT64 else None)
        if inner is not None:
            return is_public(str(inner))
    refused = any(known in net for net in _REFUSED if net.version == known.version)
    return known.is_global and not known.is_multicast and not refused


def checked_url(url: str, *, inside: bool = False, plain: bool = False) -> str:
    """The address of a receiver in its one normal form.

    ``plain`` lets http pass as well; ``inside`` does that too, and private addresses and any port,
    for trying things out. Raises InvalidInput for what is no such address or leads inside by what
    it says itself; where a name leads is only known when it is looked up.
    """
    parts = _split(url)
    if parts.scheme not in _DEFAULT_PORTS or (parts.scheme == "http" and not (inside or plain)):
        raise _wrong("The address must begin with https://.", "url_scheme")
    if "@" in parts.netloc:
        raise _wrong("The address must not carry a user name or password.", "url_user")
    if "#" in url:
        raise _wrong("The address must not have a part after #.", "url_invalid")
    host = _host(parts)
    try:
        port = parts.port
    except ValueError:
        raise _wrong("The port is a number from 1 to 65535.", "url_port") from None
    if port == 0 or (port in REFUSED_PORTS and not inside):
        raise _wrong("Receivers do not listen on this port.", "url_port")
    if not inside and not _may_be_public(host):
        raise _wrong("The address leads to a private network.", "url_inside")
    shown = f"[{host}]" if ":" in host else host
    shown += "" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}"
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{shown}{parts.path or '/'}{query}"


def _split(url: str) -> SplitResult:
    if len(url) > MAX_URL_CHARS:
        raise _wrong(f"An address has at most {MAX_URL_CHARS} characters.", "url_invalid")
    if _UNFIT.search(url):
        raise _wrong("The address has a space or a character that none has.", "url_invalid")
    try:
        url.encode()
        return urlsplit(url)
    except ValueError:  # lone surrogates, a broken bracket
        raise _wrong("This is no address.", "url_invalid") from None


def _host(parts: SplitResult) -> str:
    """The host in lower case and ASCII, without a dot at its end."""
    host = (parts.hostname or "").lower()
    if ":" in host:
        try:
            return str(ip_address(host))
        except ValueError:
            raise _wrong("This is no address.", "url_invalid") from None
    try:
        host = host.encode("idna").decode().lower().removesuffix(".")
    except UnicodeError:
        host = ""
    if not _HOST.fullmatch(host) or ".." in host:
        raise _wrong("The address has no host.", "url_invalid")
    return _canonical(host)


def _canonical(host: str) -> str:
    """The host, an IPv4 address only in its usual form.

    ``2130706433``, ``0x7f.1`` and ``0177.0.0.1`` are 127.0.0.1 to some readers and names to others.
    """
    last = host.rpartition(".")[2]
    if not re.fullmatch(r"[0-9]+|0x[0-9a-f]*", last):
        return host
    try:
        return str(IPv4Address(host))
    except ValueError:
        raise _wrong("Write the IP address as four numbers.", "url_invalid") from None


def _may_be_public(host: str) -> bool:
    if ":" in host or host.replace(".", "").isdigit():
        return is_public(host)
    inside = any(host == name or host.endswith(f".{name}") for name in _INSIDE_NAMES)
    return "." in host and not inside


def _last_32_bits(address: IPv6Address) -> IPv4Address:
    return IPv4Address(int(address) & 0xFFFFFFFF)


def _wrong(message: str, reason: str) -> InvalidInput:
    return InvalidInput(message, field="url", reason=reason)
