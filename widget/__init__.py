"""The chat widget: where its files are, which version they are, and how they are served.

The modules stand in the folder as a browser can run them, one noun a file. Served that way they
would be twenty requests and mostly comments, for which a shop's visitors would wait; so `asset`
joins what belongs together and leaves comments and needless spaces out. Nothing is renamed.
"""

import hashlib
import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
"""The folder of the widget's files."""

BUNDLES = ("panel.js", "extras.js", "requests.js")
"""Modules that are served together with what they import; all but the first only when needed."""

_TYPES = {".js": "text/javascript", ".css": "text/css"}
_IMPORT = re.compile(r'^import (?:[^"]*? from )?"(\.[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|let|class)\b)", re.MULTILINE)
_NAME = re.compile(r"^(?:export )?(?:async )?(?:function|const|let|class) (\w+)", re.MULTILINE)
# A regular expression literal stands where a value may begin, which is after one of these.
_PIECE = re.compile(
    r"""(?P<comment>/\*.*?\*/|//[^\n]*)
    |(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`
        |(?<=[(,=:\[!&|?{;])\s*/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*)
    |(?P<space>\s+)
    |(?P<other>[\w$]+|.)""",
    re.DOTALL | re.VERBOSE,
)
_WORD = re.compile(r"[\w$]")
_OPEN = set("{([,;:?=&|>!.<*")
_SHUT = set("})],;:?=&|.<>*")


def content_type(path: str) -> str:
    """The media type that an asset is served as."""
    return _TYPES[Path(path).suffix]


@cache
def version() -> str:
    """A hash over everything that decides what the widget's addresses serve."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for path in sorted(path for path in FOLDER.rglob("*") if path.suffix in _TYPES):
        relative = path.relative_to(FOLDER)
        if relative.parts[0] != "demo":
            digest.update(f"{relative.as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


@cache
def loader_source() -> str:
    """The script that a shop embeds, knowing the version of the files that it asks for."""
    source = (FOLDER / "loader.js").read_text("utf-8")
    return lean_script(source).replace("__VERSION__", version())


@cache
def asset(path: str) -> bytes | None:
    """What `/widget/{version}/{path}` serves; None when there is no such file."""
    file = (FOLDER / path).resolve()
    if not file.is_relative_to(FOLDER.resolve()) or file.suffix not in _TYPES or not file.is_file():
        return None
    if path in BUNDLES:
        return lean_script(_joined(path)).encode()
    if file.parent.name == "vendor":
        return file.read_bytes()
    text = file.read_text("utf-8")
    return (lean_script(text) if file.suffix == ".js" else lean_style(text)).encode()


def lean_script(source: str) -> str:
    r"""The same program without comments and without the spaces that it can do without.

    A backquoted text must not hold another one. Line ends stay where they might end a statement.

    >>> lean_script("const a = 1; // one\nif (a) {\n  f(a + 1, / b/g,);\n}\n")
    'const a=1;if(a){f(a+1,/ b/g);}'
    """
    out: list[str] = []
    space = ""
    for piece in _PIECE.finditer(source):
        kind, text = piece.lastgroup, piece[0]
        if kind == "comment":
            continue
        if kind == "space":
            space = "\n" if "\n" in text or space == "\n" else " "
            continue
        text = text.strip() if kind == "text" else text
        if text in (")", "}") and out[-1:] == [","]:
            out.pop()
        if space and out and not _needless(space, out[-1][-1], text[0]):
            out.append(space)
        out.append(text)
        space = ""
    return "".join(out)


def lean_style(source: str) -> str:
    """The style sheet without comments, indentation and empty lines."""
    lines = re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL).splitlines()
    return "".join(filter(None, map(str.strip, lines))).replace(";}", "}")


def _needless(space: str, before: str, after: str) -> bool:
    if before in _OPEN or after in _SHUT:
        return True
    # A line that begins with a bracket or a quote would be read as the rest of the one before it.
    touching = _WORD.match(before) and _WORD.match(after)
    # Two signs in a row may be another one, and what a slash begins depends on what stands before.
    signs = "/" in (before, after) or (before == after and before in "+-")
    return space == " " and not touching and not signs


def _joined(name: str) -> str:
    """A module and all that it imports as one.

    Raises ValueError when two of them use one top-level name, since they share a scope here.
    """
    parts: list[str] = []
    names: dict[str, Path] = {}
    for path in modules(name):
        text = _IMPORT.sub("", path.read_text("utf-8"))
        for found in _NAME.findall(text):
            if found in names:
                raise ValueError(f"{found} is in {names[found].name} and in {path.name}")
            names[found] = path
        parts.append(text if path.name == name else _EXPORT.sub("", text))
    return "".join(parts)


def modules(bundle: str) -> list[Path]:
    """The files that a bundle is joined from, the imported before the importing."""
    return _in_order(FOLDER / bundle, [])


def _in_order(path: Path, seen: list[Path]) -> list[Path]:
    for target in _IMPORT.findall(path.read_text("utf-8")):
        imported = (path.parent / target).resolve()
        if imported not in seen:
            _in_order(imported, seen)
    seen.append(path)
    return seen
