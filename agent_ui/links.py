"""Addresses in what people wrote, as links beside the words."""

from __future__ import annotations

import re

# As the console's linkify: what ends a sentence in Chinese ends an address, too.
_LINK = re.compile(r"https?://[^\s<>\"“”，。！？；：、（）《》「」【】]+", re.IGNORECASE)


def linked(text: str) -> list[tuple[str, str | None]]:
    """Words of a text, and the addresses in it that a link may carry.

    >>> linked("See https://mori.example/a.")
    [('See ', None), ('https://mori.example/a', 'https://mori.example/a'), ('.', None)]
    >>> linked("看 https://mori.example/a，谢谢")[1:]
    [('https://mori.example/a', 'https://mori.example/a'), ('，谢谢', None)]
    """
    found: list[tuple[str, str | None]] = []
    at = 0
    for match in _LINK.finditer(text):
        address = match[0].rstrip(".,;:!?)]}")
        if match.start() > at:
            found.append((text[at : match.start()], None))
        found.append((address, address))
        at = match.start() + len(address)
    if at < len(text):
        found.append((text[at:], None))
    return found
