"""docs/webhooks.md: what it tells receivers to do works, and its numbers are the code's."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest

from server.domain.webhooks import BACK_OFF_MS, signatures
from tests.docs.pages import blocks, section, text
from tests.support.tools import require

PAGE = text("docs/webhooks.md")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + "QUFB" * 8
BODY = '{"body": "Is it dimmable? 可以调光吗？ 🙂"}'.encode()
Verify = Callable[[str, dict[str, str], bytes], bool]


def headers(*secrets: str, body: bytes = BODY, age_s: int = 0) -> dict[str, str]:
    at_s = int(time.time()) - age_s
    return {
        "webhook-id": "0193_e17",
        "webhook-timestamp": str(at_s),
        "webhook-signature": signatures(secrets, "0193_e17", at_s, body),
    }


def in_python() -> Verify:
    names: dict[str, Any] = {}
    exec(blocks(section(PAGE, "## Verify it"), "python")[0], names)
    verify: Verify = names["verify"]
    return verify


def in_node() -> Verify:
    node = require("node")
    [code] = blocks(section(PAGE, "## Verify it"), "js")
    run = "const [s, h, b] = JSON.parse(require('fs').readFileSync(0, 'utf8'));"
    run += "console.log(verify(s, h, Buffer.from(b, 'base64')));"

    def verify(secret: str, given: dict[str, str], body: bytes) -> bool:
        import base64

        found = subprocess.run(
            [node, "-e", code + run],
            input=json.dumps([secret, given, base64.b64encode(body).decode()]),
            capture_output=True,
            encoding="utf-8",
            timeout=150,
            check=True,
        )
        return found.stdout.strip() == "true"

    return verify


def with_the_library() -> Verify:
    names: dict[str, Any] = {}
    exec(blocks(section(PAGE, "## Verify it"), "python")[1], names)

    def verify(secret: str, given: dict[str, str], body: bytes) -> bool:
        from standardwebhooks.webhooks import WebhookVerificationError

        try:
            return bool(names["event_of"](secret, given, body) == json.loads(body))
        except WebhookVerificationError:
            return False

    return verify


@pytest.mark.parametrize("made", [in_python, in_node, with_the_library])
def test_what_the_page_tells_receivers_to_do_works(made: Callable[[], Verify]) -> None:
    verify = made()
    assert verify(SECRET, headers(SECRET), BODY)
    assert verify(SECRET, headers(OTHER, SECRET), BODY), "while two secrets sign"
    assert not verify(SECRET, headers(OTHER), BODY)
    assert not verify(SECRET, headers(SECRET), BODY.replace(b"dim", b"din"))
    assert not verify(SECRET, headers(SECRET) | {"webhook-id": "0193_e18"}, BODY)
    assert not verify(SECRET, headers(SECRET, age_s=400), BODY)


def test_the_schedule_is_the_code_s() -> None:
    units = (("h", 3_600_000), ("min", 60_000), ("s", 1000))
    words = [
        next(f"{wait // size} {unit}" for unit, size in units if wait % size == 0)
        for wait in BACK_OFF_MS
    ]
    assert f"tried again after {', '.join(words)}," in PAGE


def test_the_headers_are_the_standard_s() -> None:
    assert set(re.findall(r"^\| `([\w-]+)` \|", PAGE, re.MULTILINE)) == set(headers(SECRET))
