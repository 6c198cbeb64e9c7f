"""Signing in: who gets in, what the cookie is, how long it lasts, how guessing is slowed."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from server.actions.people import deactivate, set_password
from server.actions.sign_in import DUMMY_HASH, hash_password, password_matches
from server.http.front_door import THROTTLE, safe_next
from server.http.keys import DATABASE
from server.http.throttle import Throttle
from server.storage.people import AGENT, credentials
from server.storage.sign_ins import SIGN_IN
from tests.http.desk import HASH, PASSWORD, Desk, Open, served

HOUR_S = 3600
ADMIN = "admin@shop.example"


async def test_the_right_password_leads_to_the_console(desk: Desk) -> None:
    visitor = desk.visitor()
    answer = await visitor.sign_in("  Admin@Shop.EXAMPLE ")
    assert (answer.status, answer.location) == (303, "/console")
    assert (await visitor.get("/settings/people")).status == 200


async def test_it_leads_to_where_one_wanted_to_go(desk: Desk) -> None:
    visitor = desk.visitor()
    sent = await visitor.get("/settings/people?done=saved")
    assert sent.status == 303
    assert sent.location.startswith("/sign-in?next=/settings/people")
    page = await visitor.get(sent.location)
    assert 'name="next" value="/settings/people?done=saved"' in page.text
    answer = await visitor.sign_in(ADMIN, more={"next": "/settings/people?done=saved"})
    assert answer.location == "/settings/people?done=saved"


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example/console",
        "/console\\@evil.example",
        "/console@evil.example",
        "/console.evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/reports\r\nSet-Cookie: a=b",
        "/sign-out",
        "",
        "console",
        "///console",
    ],
)
async def test_it_never_leads_elsewhere(target: str) -> None:
    assert safe_next(target) == "/console"


@pytest.mark.parametrize(
    ("email", "password"),
    [(ADMIN, "wrong password"), ("nobody@shop.example", PASSWORD), (ADMIN, ""), ("", PASSWORD)],
)
async def test_wrong_and_unknown_are_told_alike(desk: Desk, email: str, password: str) -> None:
    visitor = desk.visitor()
    answer = await visitor.sign_in(email, password)
    assert answer.status == 401
    assert "E-mail address or password is wrong" in answer.text
    assert visitor.cookie() is None


async def test_a_deactivated_person_is_told_the_same(desk: Desk) -> None:
    await desk.write(deactivate, desk.people["agent"])
    answer = await desk.visitor().sign_in("agent@shop.example")
    assert answer.status == 401
    assert "E-mail address or password is wrong" in answer.text


def test_an_unknown_person_costs_a_hash_too() -> None:
    def took(stored: str | None) -> float:
        began = time.process_time()
        assert not password_matches(stored, "wrong password")
        return time.process_time() - began

    known, unknown = [], []
    for _ in range(5):
        known.append(took(HASH))
        unknown.append(took(None))
    assert min(unknown) > min(known) / 2
    assert DUMMY_HASH.split("$")[1:4] == HASH.split("$")[1:4]


async def test_the_cookie_is_opaque_and_stored_only_as_a_hash(desk: Desk) -> None:
    visitor = desk.visitor()
    answer = await visitor.sign_in(ADMIN)
    cookie = visitor.cookie()
    assert cookie is not None
    assert len(cookie) == 43
    flags = answer.set_cookies["sid"]
    for flag in ("HttpOnly", "SameSite=Lax", "Path=/"):
        assert flag in flags
    assert "Secure" not in flags
    stored = desk.database.read_now(lambda c: c.execute(select(SIGN_IN)).mappings().all())
    assert [row["token_hash"] for row in stored] == [hashlib.sha256(cookie.encode()).hexdigest()]
    assert cookie not in str(stored)


async def test_over_https_the_cookie_belongs_to_this_host_alone(
    open_database: Open, data_dir: Path
) -> None:
    async with served(open_database, data_dir, secure_cookies=True) as desk:
        await desk.set_up()
        visitor = desk.visitor()
        page = await visitor.get("/sign-in")
        token = page.text.split('name="csrf" value="')[1].split('"')[0]
        answer = await visitor.ask(
            "POST",
            "/sign-in",
            data={"csrf": token, "email": ADMIN, "password": PASSWORD},
            headers={"Cookie": page.set_cookies["__Host-csrf"].split(";")[0]},
        )
        assert answer.status == 303
        for flag in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
            assert flag in answer.set_cookies["__Host-sid"]
        assert "Domain" not in answer.set_cookies["__Host-sid"]
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")


async def test_each_sign_in_has_a_new_cookie_and_ends_the_old_one(desk: Desk) -> None:
    visitor = await desk.signed_in("admin")
    first = visitor.cookie()
    token = await visitor.csrf("/settings/profile")
    await visitor.ask(
        "POST", "/sign-in", data={"csrf": token, "email": ADMIN, "password": PASSWORD}
    )
    assert visitor.cookie() not in (first, None)
    thief = desk.visitor(cookies={"sid": first})
    assert (await thief.get("/console")).status == 303


async def test_a_cookie_that_was_planted_before_signing_in_is_worth_nothing(desk: Desk) -> None:
    planted = "p" * 43
    visitor = desk.visitor(cookies={"sid": planted})
    await visitor.sign_in(ADMIN)
    assert visitor.cookie() != planted
    assert (await desk.visitor(cookies={"sid": planted}).get("/console")).status == 303


async def test_it_ends_after_twelve_idle_hours(desk: Desk) -> None:
    visitor = await desk.signed_in("agent")
    for _ in range(3):
        desk.time.now += 11 * HOUR_S
        assert (await visitor.get("/settings/profile")).status == 200
        desk.database.write_now(lambda tx: None)
    desk.time.now += 12 * HOUR_S + 1
    assert (await visitor.get("/settings/profile")).status == 303


async def test_it_ends_after_seven_days_whatever_happens(desk: Desk) -> None:
    if not desk.database.is_sqlite:
        pytest.skip("the database's own clock cannot be moved")
    visitor = await desk.signed_in("agent")
    for _ in range(15):
        desk.time.now += 11 * HOUR_S
        assert (await visitor.get("/settings/profile")).status == 200
        desk.database.write_now(lambda tx: None)
    desk.time.now += 11 * HOUR_S
    assert (await visitor.get("/settings/profile")).status == 303


async def test_signing_out_ends_it_on_the_server_too(desk: Desk) -> None:
    visitor = await desk.signed_in("agent")
    cookie = visitor.cookie()
    answer = await visitor.post("/sign-out", page="/settings/profile")
    assert (answer.status, answer.location) == (303, "/sign-in")
    assert "Max-Age=0" in answer.set_cookies["sid"]
    assert (await desk.visitor(cookies={"sid": cookie}).get("/console")).status == 303


async def test_a_new_password_ends_the_sign_ins_with_the_old_one(desk: Desk) -> None:
    visitor = await desk.signed_in("agent")
    await desk.write(
        set_password, desk.people["agent"], password_hash=hash_password("x" * 3 + HASH)
    )
    assert (await visitor.get("/settings/profile")).status == 303


async def test_a_weaker_hash_is_renewed_when_its_password_comes_by(desk: Desk) -> None:
    from argon2 import PasswordHasher

    weak = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    await desk.database.write(
        lambda tx: tx.later(update(AGENT).where(AGENT.c.email == ADMIN).values(password_hash=weak))
    )
    assert (await desk.visitor().sign_in(ADMIN)).status == 303
    found = desk.database.read_now(lambda c: credentials(c, ADMIN))
    assert found is not None
    assert (found.password_hash or "").startswith("$argon2id$v=19$m=32768,t=3,p=1$")
    assert (await desk.visitor().sign_in(ADMIN)).status == 303


async def test_after_five_failures_an_account_waits_longer_each_time(desk: Desk) -> None:
    visitor = desk.visitor()
    for _ in range(5):
        assert (await visitor.sign_in(ADMIN, "wrong password")).status == 401
    for delay in (2, 4, 8):
        refused = await visitor.sign_in(ADMIN)
        assert refused.status == 429
        assert int(refused.headers["Retry-After"]) <= delay
        assert "Too many failed tries" in refused.text
        desk.time.now += delay
        assert (await visitor.sign_in(ADMIN, "wrong password")).status == 401
    assert (await visitor.sign_in(ADMIN)).status == 429
    desk.time.now += 15 * 60
    assert (await visitor.sign_in(ADMIN)).status == 303, "waiting is enough: nobody is locked out"
    assert (await desk.visitor().sign_in(ADMIN)).status == 303, "and it is forgotten afterwards"


async def test_an_unknown_account_waits_as_a_known_one_does(desk: Desk) -> None:
    visitor = desk.visitor()
    for _ in range(5):
        await visitor.sign_in("nobody@shop.example", "wrong password")
    assert (await visitor.sign_in("nobody@shop.example", "wrong password")).status == 429
    assert (await visitor.sign_in("agent@shop.example")).status == 303


async def test_an_address_with_thirty_failures_waits_for_every_account(desk: Desk) -> None:
    throttle = _throttle(desk)
    for number in range(30):
        await throttle.begin(f"somebody{number}", "127.0.0.1")
    refused = await desk.visitor().sign_in(ADMIN)
    assert refused.status == 429
    desk.time.now += 15 * 60 + 1
    assert (await desk.visitor().sign_in(ADMIN)).status == 303


async def test_a_hundred_people_at_one_address_sign_in_unhindered(desk: Desk) -> None:
    throttle = _throttle(desk)
    for number in range(100):
        await throttle.begin(f"honest{number}", "127.0.0.1")
        await throttle.succeeded(f"honest{number}", "127.0.0.1")
    assert (await desk.visitor().sign_in(ADMIN)).status == 303


async def test_failures_count_in_every_process_and_tell_nobody_who_it_was(
    open_database: Open, data_dir: Path
) -> None:
    async with served(open_database, data_dir) as desk:
        await desk.set_up()
        for number in range(30):
            await _throttle(desk).begin(f"{number}@shop.example", "127.0.0.1")
    async with served(open_database, data_dir) as other:
        assert (await other.visitor().sign_in(ADMIN)).status == 429
        kept = other.app[DATABASE].read_now(
            lambda c: [tuple(row) for row in c.execute(text("SELECT * FROM failed_try"))]
        )
    assert len(kept) == 31
    assert "shop.example" not in str(kept)
    assert "127.0.0.1" not in str(kept)


async def test_a_forwarded_address_counts_only_behind_a_trusted_proxy(
    open_database: Open, data_dir: Path
) -> None:
    async with served(open_database, data_dir) as desk:
        await desk.set_up()
        throttle = _throttle(desk)
        for number in range(30):
            await throttle.begin(f"a{number}", "127.0.0.1")
        forged = await desk.visitor().sign_in(ADMIN, headers={"X-Forwarded-For": "203.0.113.9"})
        assert forged.status == 429
    async with served(open_database, data_dir, trusted_proxies=1) as desk:
        throttle = _throttle(desk)
        for number in range(30):
            await throttle.begin(f"b{number}", "203.0.113.9")
        for said, status in (
            ("203.0.113.9", 429),
            ("198.51.100.7, 203.0.113.9", 429),
            ("203.0.113.9, 198.51.100.7", 303),
        ):
            answer = await desk.visitor().sign_in(ADMIN, headers={"X-Forwarded-For": said})
            assert answer.status == status, said


def _throttle(desk: Desk) -> Throttle:
    return desk.app[THROTTLE]
