"""The strokes of a chart: elements of an SVG, escaped, with classes in the place of colours."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping

from markupsafe import Markup


def root(width: float, height: float, name: str, *, look: str = "ch") -> ET.Element:
    """An empty picture of that size with a name for those who cannot see it."""
    return ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "class": look,
            "viewBox": f"0 0 {width} {height}",
            "role": "img",
            "aria-label": name,
        },
    )


def hatch(parent: ET.Element) -> None:
    """The pattern ``url(#hatch)``, which says on paper too what a colour says on a screen."""
    pattern = element(
        element(parent, "defs", {}),
        "pattern",
        {
            "id": "hatch",
            "width": 6,
            "height": 6,
            "patternUnits": "userSpaceOnUse",
            "patternTransform": "rotate(45)",
        },
    )
    element(pattern, "rect", {"width": 6, "height": 6, "class": "hatch-ground"})
    element(pattern, "rect", {"width": 2.4, "height": 6, "class": "hatch-stroke"})


def line(parent: ET.Element, x1: float, y1: float, x2: float, y2: float, *, look: str) -> None:
    """A straight line."""
    element(parent, "line", {"x1": x1, "y1": y1, "x2": x2, "y2": y2, "class": look})


def text(
    parent: ET.Element, x: float, y: float, words: str, anchor: str, *, strong: bool = False
) -> None:
    """Words at a place; ``anchor`` is start, middle or end."""
    attributes: dict[str, object] = {"x": x, "y": y, "text-anchor": anchor or "start"}
    if strong:
        attributes["class"] = "s"
    element(parent, "text", attributes).text = words


def title(parent: ET.Element, words: str) -> None:
    """What the pointer is told over an element."""
    element(parent, "title", {}).text = words


def element(parent: ET.Element, tag: str, attributes: Mapping[str, object]) -> ET.Element:
    """An element inside another; numbers are written short."""
    values = {key: number(value) for key, value in attributes.items()}
    return ET.SubElement(parent, tag, values)


def number(value: object) -> str:
    """A number with at most two decimals; anything else as it is.

    >>> number(12.5), number(3.14159), number(8.0), number("4")
    ('12.5', '3.14', '8', '4')
    """
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return str(value)


def markup(picture: ET.Element) -> Markup:
    """The picture as it stands in a page."""
    # ElementTree escapes every text and attribute, so nothing from outside becomes markup.
    return Markup(ET.tostring(picture, encoding="unicode"))  # noqa: S704  # escaped, see above
