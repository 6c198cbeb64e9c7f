"""What every answer carries, whatever it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.http.desk import Desk, Open, served

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self' ws: wss:",
    "font-src": "'self'",
    # A mail as it was sent; our other pages let nobody frame them.
    "frame-src": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
}

HELP = {name: value for name, value in POLICY.items() if name != "frame-src"} | {
    "img-src": "'self' data: https:",
    "connect-src": "'self'",
}

# Headers do not depend on the kind of database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def test_every_page_carries_the_content_policy(desk: Desk) -> None:
    visitor = await desk.signed_in("admin")
    pages = 0
    for _, path in desk.paths("GET"):
        for person in (visitor, desk.visitor()):
            answer = await person.get(path)
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "same-origin"
            assert answer.headers["Permissions-Policy"]
            assert "Server" not in answer.headers or "aiohttp" not in answer.headers["Server"]
            policy = answer.headers["Content-Security-Policy"]
            if answer.headers.get("Content-Type", "").startswith("text/html"):
                parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
                # Pictures of public articles come from wherever the shop keeps them.
                shown = answer.status == 200 and path.startswith("/help")
                assert parts == (HELP if shown else POLICY)
                assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
                assert answer.headers["Cache-Control"] == "no-store"
                pages += 1
            else:
                assert "default-src 'none'" in policy
    assert pages >= 12


async def test_no_page_has_inline_scripts_or_styles(desk: Desk) -> None:
    visitor = await desk.signed_in("admin")
    for path in ("/settings/people", "/settings/shop", "/settings/profile", "/sign-in", "/nothing"):
        text = (await visitor.get(path)).text
        for forbidden in (" style=", "<style", " onclick=", " onload=", "javascript:"):
            assert forbidden not in text, (path, forbidden)


async def test_the_strict_transport_header_is_only_said_over_https(desk: Desk) -> None:
    forged = {"X-Forwarded-Proto": "https"}
    answer = await desk.visitor().get("/sign-in", headers=forged)
    assert "Strict-Transport-Security" not in answer.headers
    assert "__Host-csrf" not in answer.set_cookies


async def test_behind_a_trusted_proxy_its_word_on_https_counts(
    open_database: Open, data_dir: Path
) -> None:
    async with served(open_database, data_dir, trusted_proxies=1) as desk:
        await desk.set_up()
        answer = await desk.visitor().get("/sign-in", headers={"X-Forwarded-Proto": "https"})
        assert answer.headers["Strict-Transport-Security"]
        assert "Secure" in answer.set_cookies["__Host-csrf"]


async def test_what_users_typed_is_escaped(desk: Desk) -> None:
    from server.actions.people import add_person

    nasty = "<img src=x onerror=alert(1)>\"'{{7*7}}"
    await desk.write(
        add_person, email="nasty@shop.example", name=nasty, role="agent", password_hash=None
    )
    visitor = await desk.signed_in("admin")
    text = (await visitor.get("/settings/people")).text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text
    assert "<img" not in text
    answer = await visitor.sign_in('"><script>', "wrong password", page="/settings/profile")
    assert "<script>" not in answer.text
