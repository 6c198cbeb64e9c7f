"""No other site can make a person's browser change anything here."""

from __future__ import annotations

import itertools
from typing import Any  # Any: jobs

import pytest

from tests.http.desk import PASSWORD, Desk

ADMIN = "admin@shop.example"
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
# What a browser says about where a request comes from, and whether it may pass.
WHERE = [
    ({}, True),
    ({"Sec-Fetch-Site": "same-origin"}, True),
    ({"Sec-Fetch-Site": "none"}, True),
    ({"Origin": "{own}"}, True),
    ({"Origin": "{own}", "Sec-Fetch-Site": "same-origin"}, True),
    ({"Sec-Fetch-Site": "same-site"}, False),
    ({"Sec-Fetch-Site": "cross-site"}, False),
    ({"Sec-Fetch-Site": "nonsense"}, False),
    ({"Origin": "null"}, False),
    ({"Origin": ""}, False),
    ({"Origin": "https://evil.example"}, False),
    ({"Origin": "{own}.evil.example"}, False),
    ({"Origin": "{own}0"}, False),
    ({"Origin": "https://{host}"}, False),
    ({"Origin": "{own}", "Sec-Fetch-Site": "cross-site"}, False),
    ({"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"}, False),
    ({"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example"}, False),
    ({"Origin": "http://[::1"}, False),
]


def _headers(desk: Desk, where: dict[str, str]) -> dict[str, str]:
    host = desk.url.removeprefix("http://")
    return {name: text.format(own=desk.url, host=host) for name, text in where.items()}


async def test_only_our_own_pages_may_send_a_form(desk: Desk) -> None:
    visitor = await desk.signed_in("admin")
    token = await visitor.csrf("/settings/profile")
    for where, passes in WHERE:
        answer = await visitor.ask(
            "POST",
            "/settings/profile",
            data={"csrf": token, "name": "Wang Min", "locale": "en"},
            headers=_headers(desk, where),
        )
        assert answer.status == (303 if passes else 403), where


async def test_nobody_is_signed_in_from_another_site(desk: Desk) -> None:
    for where, passes in WHERE:
        visitor = desk.visitor()
        answer = await visitor.sign_in(ADMIN, headers=_headers(desk, where))
        assert answer.status == (303 if passes else 403), where
        assert (visitor.cookie() is not None) == passes


async def test_every_form_needs_the_token_of_this_browser(desk: Desk) -> None:
    paths = ("/sign-in", "/setup", "/sign-out", "/settings/people")
    for visitor in (desk.visitor(), await desk.signed_in("admin")):
        await visitor.get("/sign-in")
        for path, token in itertools.product(paths, (None, "", "wrong", "x" * 43)):
            fields = {"email": ADMIN, "password": PASSWORD}
            fields |= {} if token is None else {"csrf": token}
            answer = await visitor.ask("POST", path, data=fields)
            assert answer.status == 403, (path, token)
            assert "This page is too old" in answer.text


async def test_the_token_of_another_sign_in_does_not_help(desk: Desk) -> None:
    mine, other = await desk.signed_in("admin"), await desk.signed_in("agent")
    token = await other.csrf("/settings/profile")
    answer = await mine.ask("POST", "/sign-out", data={"csrf": token})
    assert answer.status == 403


async def test_a_script_of_ours_sends_the_token_in_a_header(desk: Desk) -> None:
    visitor = await desk.signed_in("agent")
    token = await visitor.csrf("/settings/profile")
    answer = await visitor.ask("POST", "/sign-out", headers={"X-CSRF-Token": token})
    assert answer.status == 303


async def test_no_unsafe_route_is_left_out(desk: Desk) -> None:
    visitor = await desk.signed_in("admin")
    checked = 0
    for method, path in desk.paths():
        if method in ("GET", "HEAD", "OPTIONS", "*"):
            continue
        if path.startswith(("/hooks/", "/visitor/")):
            # What shops post is signed, and a cookie means nothing there: tests/shops.
            continue
        answer = await visitor.ask(method, path, data={"x": "y"})
        # The API takes no cookie at all.
        assert answer.status == (401 if path.startswith("/api/") else 403), (method, path)
        checked += 1
    assert checked >= 14


async def test_no_page_writes_by_being_looked_at(desk: Desk) -> None:
    visitor = await desk.signed_in("admin")
    written: list[object] = []
    put = desk.database._put

    def counted(job: Any) -> None:  # Any: a job of the writer
        written.append(job)
        put(job)

    desk.database._put = counted  # type: ignore[method-assign]  # what is watched is this object
    for _, path in desk.paths("GET"):
        await visitor.get(path)
    assert written == []
    foreign = {"Sec-Fetch-Site": "cross-site"}
    await visitor.get("/settings/profile?lang=zh", headers=foreign)
    assert written == [], "another site's link does not change a person's language"
    await visitor.get("/settings/profile?lang=zh", headers={"Sec-Fetch-Site": "same-origin"})
    assert len(written) == 1, "a person's own choice of language is kept"
