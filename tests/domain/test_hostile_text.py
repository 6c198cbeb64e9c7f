"""What strangers write costs time that grows with its length alone.

A hundred thousand letters that are looked at from each of them take minutes. So the work is done
in a process whose processor time is limited by the system, whatever else the machine does.
"""

from __future__ import annotations

import subprocess
import sys

LIMIT_S = 20
LETTERS = 100_000
# Looked at whole, however long.
WHOLE = (
    "server.domain.quotes:mask_quote",
    "server.channels.mail.trim:trimmed",
    "server.domain.html:to_markdown",
    "server.domain.html:to_words",
    "server.domain.search_words:search_words",
    "knowledge_base.text:without_details",
    "server.importers.article_files:_HEADING.match",
)
# Cut to some thousand letters first; a hundred times over.
CUT = (
    "server.log:plain",
    "server.domain.offers:price_question",
    "knowledge_base.text:clean_query",
)
HOSTILE = (
    "[", "*", "(", "_", "> ", ">", "1", "1-", "@", "a@", " ", "\n", "A-", "<a ", "<!--", "# a  ",
    "<ul><li>x",    "<blockquote>x", "<a href=x>y<p>", "中路", "在1234",
)  # fmt: skip
PROGRAM = f"""
import importlib, operator, resource
def load(name):
    module, _, function = name.partition(":")
    return operator.attrgetter(function)(importlib.import_module(module))
whole = [load(name) for name in {WHOLE!r}]
cut = [load(name) for name in {CUT!r}]
resource.setrlimit(resource.RLIMIT_CPU, ({LIMIT_S}, {LIMIT_S}))
for part in {HOSTILE!r}:
    text = part * ({LETTERS} // len(part))
    for function in whole:
        print(function, repr(part), flush=True)
        function(text)
    for function in cut:
        print(function, repr(part), flush=True)
        for _ in range(5):
            function(text)
print("done")
"""


def test_no_text_of_strangers_is_looked_at_from_each_of_its_letters() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    told = done.stdout.splitlines()
    assert told[-1:] == ["done"], (told[-1:], done.stderr[-500:])
