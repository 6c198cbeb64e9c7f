"""The chat widget: where its files are, which version they are, and how they are served.

The modules stand in the folder as a browser can run them, one noun a file. Served that way they would
be some twenty requests, so `panel_source` joins them into one and leaves out comment lines and
indentation, which a shop's visitor would otherwise pay for. Nothing is renamed or rewritten.
"""

import hashlib
import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
"""The folder whose files are served below `/widget/{version}/`."""

_SERVED = {".js", ".css", ".json"}
_CAST = re.compile(r"/\*\* @(?:type|param)[^*]*\*/ ?")
_COMMENT_LINE = re.compile(r"^\s*//")
_IMPORT = re.compile(r'^import (?:[^"]*? from )?"(\./[^"]+|\.\./[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|let|class)\b)", re.MULTILINE)
_NAME = re.compile(r"^(?:export )?(?:async )?(?:function\*?|const|let|class) (\w+)", re.MULTILINE)


@cache
def version() -> str:
    """A hash over everything that decides what the widget's addresses serve."""
    digest = hashlib.sha256()
    files = (
        path for path in FOLDER.rglob("*") if path.suffix in _SERVED or path.name == "__init__.py"
    )
    for path in sorted(files):
        relative = path.relative_to(FOLDER)
        if relative.parts[0] != "demo":
            digest.update(f"{relative.as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


@cache
def loader_source() -> str:
    """The script that a shop embeds, knowing the version of the files that it asks for."""
    return _lean((FOLDER / "loader.js").read_text("utf-8")).replace("__VERSION__", version())


@cache
def panel_source() -> str:
    """The panel and all that it imports, as one module for `/widget/{version}/panel.js`.

    Raises ValueError when two modules use one top-level name, since they share a scope here.
    """
    parts: list[str] = []
    names: dict[str, Path] = {}
    for path in _in_order(FOLDER / "panel.js", []):
        text = _IMPORT.sub("", path.read_text("utf-8"))
        for name in _NAME.findall(text):
            if name in names:
                raise ValueError(f"{name} is in {names[name].name} and in {path.name}")
            names[name] = path
        parts.append(text if path.name == "panel.js" else _EXPORT.sub("", text))
    return _lean("".join(parts))


@cache
def asset(path: str) -> bytes | None:
    """What `/widget/{version}/{path}` serves; None when there is no such file.

    `panel.js` is joined, style sheets are without comments, everything else is as it stands.
    """
    if path == "panel.js":
        return panel_source().encode()
    file = (FOLDER / path).resolve()
    inside = file.is_relative_to(FOLDER.resolve()) and file.suffix in {".js", ".css"}
    if not inside or not file.is_file():
        return None
    text = file.read_text("utf-8")
    return (_lean(text) if file.suffix == ".css" else text).encode()


def _in_order(path: Path, seen: list[Path]) -> list[Path]:
    """The module and what it imports, each once, the imported before the importing."""
    for target in _IMPORT.findall(path.read_text("utf-8")):
        imported = (path.parent / target).resolve()
        if imported not in seen:
            _in_order(imported, seen)
    seen.append(path)
    return seen


def _lean(source: str) -> str:
    """The source without whole-line comments, indentation and empty lines.

    Works by lines: a comment beside code stays, and no line of a text in backquotes may look like
    a comment.
    """
    kept: list[str] = []
    inside = False
    for line in source.splitlines():
        text = _CAST.sub("", line.strip())
        if not inside and text.startswith("/*"):
            inside = "*/" not in text
            text = text.split("*/", 1)[1].strip() if not inside else ""
        elif inside:
            inside = "*/" not in text
            continue
        if text and not _COMMENT_LINE.match(text):
            kept.append(text)
    return "\n".join(kept) + "\n"
